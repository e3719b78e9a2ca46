package expr

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr/accum"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// accumulators are the accumulators' names used as expressions: over their arguments,
// or over the one argument's elements when that is an array.
func accumulators(name string) builder {
	switch name {
	case "$sum":
		return over(func(_ *Frame, each func(func(bsonval.Value))) bsonval.Value {
			var sum accum.Sum
			each(sum.Add)
			return sum.Value()
		})
	case "$avg":
		return over(avg)
	case "$min":
		return over(best(-1))
	case "$max":
		return over(best(1))
	case "$stdDevPop", "$stdDevSamp":
		return over(func(_ *Frame, each func(func(bsonval.Value))) bsonval.Value {
			var d accum.Deviation
			each(d.Add)
			return d.Value(name == "$stdDevSamp")
		})
	case "$first":
		return end(false)
	case "$last":
		return end(true)
	case "$firstN", "$lastN", "$minN", "$maxN":
		return endN
	case "$median", "$percentile":
		return percentile
	}
	return nil
}

type overFunc func(f *Frame, each func(func(bsonval.Value))) bsonval.Value

func over(fn overFunc) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 0, -1)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			vs, err := evalAll(f, es)
			if err != nil {
				return null, err
			}
			return fn(f, func(take func(bsonval.Value)) {
				if len(vs) == 1 && vs[0].Type() == bsonval.Array {
					for v := range vs[0].Doc().Values() {
						take(v)
					}
					return
				}
				for _, v := range vs {
					take(v)
				}
			}), nil
		}), nil
	}
}

func avg(_ *Frame, each func(func(bsonval.Value))) bsonval.Value {
	var sum accum.Sum
	n := int64(0)
	each(func(v bsonval.Value) {
		if v.IsNumber() {
			sum.Add(v)
			n++
		}
	})
	if n == 0 {
		return null
	}
	return sum.Mean(n)
}

// best is the least (sign -1) or the greatest of what isn't null.
func best(sign int) overFunc {
	return func(f *Frame, each func(func(bsonval.Value))) bsonval.Value {
		out := null
		each(func(v bsonval.Value) {
			if !v.IsNullish() && (out.IsNullish() || bsonval.CompareWith(v, out, f.Op.Collator)*sign > 0) {
				out = v
			}
		})
		return out
	}
}

// end is $first or $last of an array.
func end(last bool) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			switch {
			case v.IsNullish():
				return null, nil
			case v.Type() != bsonval.Array:
				return null, mongoerr.New(28689, "%s's argument must be an array, but is %s", name, v.Type())
			case !last:
				return v.Doc().At(0), nil
			}
			var out bsonval.Value
			for item := range v.Doc().Values() {
				out = item
			}
			return out, nil
		})(s, name, arg)
	}
}

func endN(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	codes := namedCodes{notObject: 5787801, unknown: 5787901, lack: map[string]mongoerr.Code{"n": 5787906, "input": 5787907}}
	args, err := namedArgs(s, name, arg, codes, []string{"n", "input"}, nil)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		nv, err := args.eval(f, "n")
		if err != nil {
			return null, err
		}
		n, err := CountOf(nv)
		if err != nil {
			return null, err
		}
		list, err := args.eval(f, "input")
		switch {
		case err != nil:
			return null, err
		case list.IsNullish():
			return null, nil
		case list.Type() != bsonval.Array:
			return null, mongoerr.New(5788200, "Input must be an array")
		}
		return firstOf(f, name, list, n), nil
	}), nil
}

// CountOf reads the n of $firstN and its sisters: a whole number above 0.
func CountOf(v bsonval.Value) (int, error) {
	n, ok := v.ExactLong()
	switch {
	case !v.IsNumber():
		return 0, mongoerr.New(5787902, "Value for 'n' must be of integral type, but found %s", v)
	case !ok:
		return 0, mongoerr.New(5787903, "Value for 'n' must be of integral type, but found %s", v)
	case n <= 0:
		return 0, mongoerr.New(5787908, "'n' must be greater than 0, found %d", n)
	}
	return int(min(n, 1<<31-1)), nil
}

func firstOf(f *Frame, name string, list bsonval.Value, n int) bsonval.Value {
	if name == "$minN" || name == "$maxN" {
		var kept []bsonval.Value
		for v := range list.Doc().Values() {
			if !v.IsNullish() {
				kept = append(kept, v)
			}
		}
		key, _ := ArrayOrder(bsonval.IntValue(map[string]int32{"$minN": 1, "$maxN": -1}[name]))
		list = sorted(f, bsonval.ArrayOf(kept...).Doc(), key)
	}
	items := list.Doc().Slice()
	n = min(n, len(items))
	if name == "$lastN" {
		return bsonval.ArrayOf(items[len(items)-n:]...)
	}
	return bsonval.ArrayOf(items[:n]...)
}

func percentile(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	p, err := ParsePercentile(s, name, arg)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, err := p.Input.Eval(f)
		if err != nil {
			return null, err
		}
		shares, err := p.Shares(f)
		if err != nil {
			return null, err
		}
		var all accum.Percentiles
		if v.Type() == bsonval.Array {
			for item := range v.Doc().Values() {
				all.Add(item)
			}
		} else {
			all.Add(v)
		}
		return p.Answer(&all, shares), nil
	}), nil
}

// Percentile is a compiled $median or $percentile.
type Percentile struct {
	Input  Expr
	shares []float64
	later  Expr // of shares that a variable holds; nil: shares has them
	median bool
}

// ParsePercentile compiles their argument.
func ParsePercentile(s *Scope, name string, arg bsonval.Value) (*Percentile, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(7436200, "specification must be an object; found %s: %s", name, arg)
	}
	p := &Percentile{median: name == "$median"}
	method, shares := missing, missing
	for field, v := range arg.Doc().All() {
		var err error
		switch {
		case field == "input":
			p.Input, err = Compile(v, s)
		case field == "method":
			method = v
		case field == "p" && !p.median:
			shares = v
		default:
			err = mongoerr.New(40415, "BSON field '%s.%s' is an unknown field.", name, field)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case p.Input == nil:
		return nil, lacksField(name, "input")
	case !p.median && shares.IsMissing():
		return nil, lacksField(name, "p")
	case method.IsMissing():
		return nil, lacksField(name, "method")
	case method.Type() != bsonval.String || method.Str() != "approximate":
		return nil, mongoerr.New(mongoerr.BadValue, "Currently only 'approximate' can be used as percentile 'method'.")
	case p.median:
		p.shares = []float64{0.5}
		return p, nil
	}
	if namesField(shares) {
		return nil, mongoerr.New(7750300, "The $percentile 'p' field must be an array of constant numbers from the range [0.0, 1.0]")
	}
	e, err := Compile(shares, s)
	if err != nil {
		return nil, err
	}
	v, ok := IsConst(e)
	if !ok {
		p.later = e
		return p, nil
	}
	p.shares, err = readShares(v)
	return p, err
}

// namesField tells an expression that mentions a field, so that it isn't a constant.
func namesField(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.String:
		name, _, _ := strings.Cut(v.Str(), ".")
		return strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "$$") || name == "$$ROOT" || name == "$$CURRENT"
	case bsonval.Object, bsonval.Array:
		for _, below := range v.Doc().All() {
			if namesField(below) {
				return true
			}
		}
	}
	return false
}

func lacksField(op, field string) error {
	return mongoerr.New(40414, "BSON field '%s.%s' is missing but a required field", op, field)
}

// Shares are the percentiles that are asked for, from 0 to 1.
func (p *Percentile) Shares(f *Frame) ([]float64, error) {
	if p.later == nil {
		return p.shares, nil
	}
	v, err := p.later.Eval(f)
	if err != nil {
		return nil, err
	}
	return readShares(v)
}

func readShares(v bsonval.Value) ([]float64, error) {
	if v.Type() != bsonval.Array || v.Doc().IsEmpty() {
		return nil, mongoerr.New(7750301, "The $percentile 'p' field must be an array of numbers from the range [0.0, 1.0], but found: %s", v)
	}
	var shares []float64
	for item := range v.Doc().Values() {
		if !item.IsNumber() {
			return nil, mongoerr.New(7750302, "The $percentile 'p' field must be an array of numbers from the range [0.0, 1.0], but found: %s", item)
		}
		share := item.Float()
		if !(share >= 0 && share <= 1) {
			return nil, mongoerr.New(7750303, "The $percentile 'p' field must be an array of numbers from the range [0.0, 1.0], but found: %s", item)
		}
		shares = append(shares, share)
	}
	return shares, nil
}

// Answer is the median, or the array of percentiles.
func (p *Percentile) Answer(all *accum.Percentiles, shares []float64) bsonval.Value {
	if p.median {
		return all.At(0.5)
	}
	vs := make([]bsonval.Value, len(shares))
	for i, share := range shares {
		vs[i] = all.At(share)
	}
	return bsonval.ArrayOf(vs...)
}
