package agg

import (
	"bytes"
	"slices"
	"sort"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/expr/accum"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// countedAccumulators are those with an argument of their own form: how many, in which
// order, which share.
func countedAccumulators(env *Env, name string) func(bsonval.Value) (*accumulator, error) {
	switch name {
	case "$count":
		return countAccumulator
	case "$firstN", "$lastN", "$minN", "$maxN":
		return func(arg bsonval.Value) (*accumulator, error) { return manyAccumulator(env, name, arg) }
	case "$top", "$bottom", "$topN", "$bottomN":
		return func(arg bsonval.Value) (*accumulator, error) { return topAccumulator(env, name, arg) }
	case "$median", "$percentile":
		return func(arg bsonval.Value) (*accumulator, error) { return percentileAccumulator(env, name, arg) }
	}
	return nil
}

func countAccumulator(arg bsonval.Value) (*accumulator, error) {
	if arg.Type() != bsonval.Object || !arg.Doc().IsEmpty() {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "$count takes no arguments, i.e. $count:{}")
	}
	one := expr.Const(bsonval.IntValue(1))
	return &accumulator{input: one.Eval, start: func(*expr.Frame) (gatherer, error) { return &sumGatherer{}, nil }}, nil
}

// fieldsOf reads an accumulator's object of arguments.
func fieldsOf(name string, arg bsonval.Value, notObject, unknown mongoerr.Code, known ...string) (map[string]bsonval.Value, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(notObject, "specification must be an object; found %s :%s", name, arg)
	}
	out := map[string]bsonval.Value{}
	for field, v := range arg.Doc().All() {
		if !slices.Contains(known, field) {
			return nil, mongoerr.New(unknown, "Unknown argument to %s '%s'", name, field)
		}
		out[field] = v
	}
	return out, nil
}

// countExpr compiles n; it is evaluated once for each group.
func countExpr(env *Env, v bsonval.Value) (func(f *expr.Frame) (int, error), error) {
	e, err := expr.Compile(v, env.Scope)
	if err != nil {
		return nil, err
	}
	if c, ok := expr.IsConst(e); ok {
		n, err := expr.CountOf(c)
		return func(*expr.Frame) (int, error) { return n, nil }, err
	}
	return func(f *expr.Frame) (int, error) {
		v, err := e.Eval(f)
		if err != nil {
			return 0, err
		}
		return expr.CountOf(v)
	}, nil
}

func manyAccumulator(env *Env, name string, arg bsonval.Value) (*accumulator, error) {
	args, err := fieldsOf(name, arg, 5787900, 5787901, "n", "input")
	switch {
	case err != nil:
		return nil, err
	case args["n"].IsMissing():
		return nil, mongoerr.New(5787906, "Missing value for 'n'")
	case args["input"].IsMissing():
		return nil, mongoerr.New(5787907, "Missing value for 'input'")
	}
	e, err := expr.Compile(args["input"], env.Scope)
	if err != nil {
		return nil, err
	}
	count, err := countExpr(env, args["n"])
	if err != nil {
		return nil, err
	}
	limit, c := env.Op.Memory(), env.Op.Collator
	return &accumulator{input: e.Eval, start: func(f *expr.Frame) (gatherer, error) {
		n, err := count(f)
		if err != nil {
			return nil, err
		}
		if name == "$firstN" || name == "$lastN" {
			return &endsGatherer{n: n, last: name == "$lastN", limit: limit, name: name}, nil
		}
		return &rankGatherer{n: n, limit: limit, name: name, key: func(v bsonval.Value) []byte {
			key := bsonval.AppendKey(nil, v, c)
			if name == "$maxN" {
				bsonval.InvertKey(key)
			}
			return key
		}}, nil
	}}, nil
}

// endsGatherer keeps the first or the last n values; Missing counts as null.
type endsGatherer struct {
	n     int
	last  bool
	kept  []bsonval.Value
	size  int64
	limit int64
	name  string
}

func (g *endsGatherer) add(v bsonval.Value) (int, error) {
	if len(g.kept) == g.n {
		if !g.last {
			return 0, nil
		}
		g.size -= int64(g.kept[0].Size() + 48)
		g.kept = g.kept[1:]
	}
	g.kept = append(g.kept, v)
	grown := v.Size() + 48
	if g.size += int64(grown); g.size > g.limit {
		return 0, usedTooMuch(g.name, g.limit)
	}
	return grown, nil
}

func (g *endsGatherer) value() bsonval.Value { return bsonval.ArrayOf(g.kept...) }

// ranked is a value with the key that it is ordered by.
type ranked struct {
	key []byte
	v   bsonval.Value
}

// rankGatherer keeps the n values whose keys are the least, in their order; of equal
// ones the first that came.
type rankGatherer struct {
	n      int
	kept   []ranked
	size   int64
	limit  int64
	name   string
	key    func(bsonval.Value) []byte // nil: values are pairs of key and output
	single bool                       // the answer is no array
	latest bool                       // of equal ones the last that came counts ($bottom)
}

func (g *rankGatherer) add(v bsonval.Value) (int, error) {
	r := ranked{v: v}
	if g.key != nil {
		if v.IsNullish() {
			return 0, nil
		}
		r.key = g.key(v)
	} else {
		_, r.key = v.Doc().At(0).Binary()
		r.v = v.Doc().At(1)
	}
	at := sort.Search(len(g.kept), func(i int) bool {
		c := bytes.Compare(g.kept[i].key, r.key)
		return c > 0 || c == 0 && g.latest
	})
	if at == g.n {
		return 0, nil
	}
	grown := 0
	if len(g.kept) == g.n {
		gone := g.kept[g.n-1]
		grown -= gone.v.Size() + len(gone.key) + 64
		g.kept = g.kept[:g.n-1]
	}
	g.kept = slices.Insert(g.kept, at, r)
	grown += v.Size() + len(r.key) + 64
	if g.size += int64(grown); g.size > g.limit {
		return 0, usedTooMuch(g.name, g.limit)
	}
	return grown, nil
}

func (g *rankGatherer) value() bsonval.Value {
	vs := make([]bsonval.Value, len(g.kept))
	for i, r := range g.kept {
		vs[i] = r.v
	}
	if g.latest {
		slices.Reverse(vs)
	}
	if g.single {
		if len(vs) == 0 {
			return bsonval.NullValue()
		}
		return orNull(vs[0])
	}
	return bsonval.ArrayOf(vs...)
}

func topAccumulator(env *Env, name string, arg bsonval.Value) (*accumulator, error) {
	bottom := name == "$bottom" || name == "$bottomN"
	many := name == "$topN" || name == "$bottomN"
	known := []string{"output", "sortBy"}
	if many {
		known = append(known, "n")
	}
	args, err := fieldsOf(name, arg, 5788001, 5788002, known...)
	switch {
	case err != nil:
		return nil, err
	case many && args["n"].IsMissing():
		return nil, mongoerr.New(5788003, "Missing value for 'n'")
	case args["output"].IsMissing():
		return nil, mongoerr.New(5788004, "Missing value for 'output'")
	case args["sortBy"].IsMissing():
		return nil, mongoerr.New(5788005, "Missing value for 'sortBy'")
	case args["sortBy"].Type() != bsonval.Object:
		return nil, mongoerr.New(10065, "invalid parameter: expected an object (sortBy)")
	}
	order, err := expr.ParseOrder(args["sortBy"].Doc())
	if err != nil {
		return nil, err
	}
	output, err := expr.Compile(args["output"], env.Scope)
	if err != nil {
		return nil, err
	}
	count := func(*expr.Frame) (int, error) { return 1, nil }
	if many {
		if count, err = countExpr(env, args["n"]); err != nil {
			return nil, err
		}
	}
	limit := env.Op.Memory()
	return &accumulator{
		input: func(f *expr.Frame) (bsonval.Value, error) {
			key := order.AppendKey(nil, f, f.Root())
			if bottom {
				bsonval.InvertKey(key)
			}
			v, err := output.Eval(f)
			return bsonval.ArrayOf(bsonval.BinaryValue(0, key), v), err
		},
		start: func(f *expr.Frame) (gatherer, error) {
			n, err := count(f)
			return &rankGatherer{n: n, limit: limit, name: name, single: !many, latest: bottom}, err
		},
	}, nil
}

func percentileAccumulator(env *Env, name string, arg bsonval.Value) (*accumulator, error) {
	p, err := expr.ParsePercentile(env.Scope, name, arg)
	if err != nil {
		return nil, err
	}
	return &accumulator{input: p.Input.Eval, start: func(f *expr.Frame) (gatherer, error) {
		shares, err := p.Shares(f)
		return &percentileGatherer{p: p, shares: shares}, err
	}}, nil
}

type percentileGatherer struct {
	p      *expr.Percentile
	shares []float64
	all    accum.Percentiles
}

func (g *percentileGatherer) add(v bsonval.Value) (int, error) { return g.all.Add(v), nil }
func (g *percentileGatherer) value() bsonval.Value             { return g.p.Answer(&g.all, g.shares) }
