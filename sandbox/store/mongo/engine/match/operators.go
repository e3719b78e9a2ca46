package match

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/regex"
)

// Regex is $regex, or a pattern in a value's place.
type Regex struct {
	*regex.Pattern
	Value bsonval.Value // the pattern as a value: it also equals itself
}

func newRegex(pattern, options string) (*Regex, error) {
	p, err := regex.Compile(pattern, options)
	if err != nil {
		return nil, err
	}
	return &Regex{p, bsonval.RegexValue(pattern, options)}, nil
}

func regexOf(v, options bsonval.Value) (Pred, error) {
	o := ""
	switch options.Type() {
	case bsonval.Missing:
	case bsonval.String:
		o = options.Str()
	default:
		return nil, bad("$options has to be a string")
	}
	switch v.Type() {
	case bsonval.String:
		return newRegex(v.Str(), o)
	case bsonval.Regex:
		p, own := v.Regex()
		if own != "" && o != "" {
			return nil, mongoerr.New(51075, "options set in both $regex and $options")
		}
		return newRegex(p, own+o)
	}
	return nil, bad("$regex has to be a string")
}

func (c *compiler) in(name string, v bsonval.Value) (Pred, error) {
	if v.Type() != bsonval.Array {
		return nil, bad("%s needs an array", name)
	}
	in := newIn()
	var coll bsonval.Collator
	if c.env.Op != nil {
		coll = c.env.Op.Collator
	}
	for e := range v.Doc().Values() {
		switch {
		case e.Type() == bsonval.Regex:
			p, o := e.Regex()
			re, err := newRegex(p, o)
			if err != nil {
				return nil, err
			}
			in.Regexes = append(in.Regexes, re)
		case isOperators(e):
			return nil, bad("cannot nest $ under %s", name)
		case e.Type() == bsonval.Undefined:
			return nil, bad("InMatchExpression equality cannot be undefined")
		default:
			in.add(e, coll)
		}
	}
	in.sort(coll)
	return in, nil
}

func compileType(v bsonval.Value) (Pred, error) {
	t := &Type{}
	values := []bsonval.Value{v}
	if v.Type() == bsonval.Array {
		if values = v.Doc().Slice(); len(values) == 0 {
			return nil, mongoerr.New(mongoerr.FailedToParse, "$type must match at least one type")
		}
	}
	for _, e := range values {
		switch {
		case e.Type() == bsonval.String && e.Str() == "number":
			t.Number = true
		case e.Type() == bsonval.String:
			found, ok := bsonval.TypeOfName(e.Str())
			if !ok {
				return nil, bad("Unknown type name alias: %s", e.Str())
			}
			t.Types = append(t.Types, found)
		case e.IsNumber():
			code, ok := e.ExactLong()
			found, known := bsonval.TypeOfCode(code)
			if !ok || !known {
				if code == 0 && ok {
					return nil, bad("Invalid numerical type code: 0. Instead use {$exists:false}.")
				}
				return nil, bad("Invalid numerical type code: %s", e)
			}
			t.Types = append(t.Types, found)
		default:
			return nil, mongoerr.New(mongoerr.TypeMismatch, "type must be represented as a number or a string")
		}
	}
	return t, nil
}

func compileSize(v bsonval.Value) (Pred, error) {
	n, ok := v.ExactLong()
	switch {
	case !v.IsNumber():
		return nil, bad("Failed to parse $size. Expected a number in: $size: %s", v)
	case !ok:
		return nil, bad("Failed to parse $size. Expected an integer: $size: %s", v)
	case n < 0:
		return nil, bad("Failed to parse $size. Expected a non-negative number in: $size: %s", v)
	}
	return &Size{n}, nil
}

func compileMod(v bsonval.Value) (Pred, error) {
	if v.Type() != bsonval.Array {
		return nil, bad("malformed mod, needs to be an array")
	}
	switch n := v.Doc().Len(); {
	case n < 2:
		return nil, bad("malformed mod, not enough elements")
	case n > 2:
		return nil, bad("malformed mod, too many elements")
	}
	by, rest := v.Doc().At(0), v.Doc().At(1)
	if !by.IsNumber() {
		return nil, bad("malformed mod, divisor not a number")
	}
	if !rest.IsNumber() {
		return nil, bad("malformed mod, remainder not a number")
	}
	for _, x := range []bsonval.Value{by, rest} {
		if x.IsNaN() || x.IsInf() {
			return nil, bad("malformed mod, divisor value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type")
		}
	}
	if by.Long() == 0 {
		return nil, bad("divisor cannot be 0")
	}
	return &Mod{by.Long(), rest.Long()}, nil
}

// compileBits reads positions as a number's bits, a binary's, or a list.
func compileBits(name string, v bsonval.Value) (Pred, error) {
	b := &Bits{Op: name}
	switch v.Type() {
	case bsonval.Array:
		for e := range v.Doc().Values() {
			n, ok := e.ExactLong()
			if !ok || n < 0 || n > math.MaxInt32 {
				return nil, bad("Failed to parse bit position. Expected a non-negative number in: %s", e)
			}
			b.Bits = append(b.Bits, uint(n))
		}
	case bsonval.Binary:
		_, data := v.Binary()
		for i, x := range data {
			for j := range 8 {
				if x>>j&1 != 0 {
					b.Bits = append(b.Bits, uint(i*8+j))
				}
			}
		}
	default:
		n, ok := v.ExactLong()
		if !v.IsNumber() {
			return nil, bad("%s takes an Array, a number, or a BinData but received: %s", name, v)
		}
		if !ok || n < 0 {
			return nil, mongoerr.New(mongoerr.FailedToParse, "Expected a non-negative number in: %s: %s", name, v)
		}
		for j := range 63 {
			if n>>j&1 != 0 {
				b.Bits = append(b.Bits, uint(j))
			}
		}
	}
	slices.Sort(b.Bits)
	return b, nil
}

// sample is $sampleRate.
type sample float64

func compileSampleRate(v bsonval.Value) (Node, error) {
	if !v.IsNumber() || v.Float() < 0 || v.Float() > 1 {
		return nil, bad("argument to $sampleRate must be a number between 0 and 1")
	}
	return sample(v.Float()), nil
}

func (s sample) matches(*run, bsonval.Doc) (bool, error) { return rand.Float64() < float64(s), nil }

// whereExpr compiles JavaScript as $function does, with the document as this.
func whereExpr(v bsonval.Value, s *expr.Scope) (expr.Expr, error) {
	code := ""
	if v.Type() == bsonval.CodeScope {
		code, _ = v.CodeScope()
	} else {
		code = v.Str()
	}
	if !strings.HasPrefix(strings.TrimSpace(code), "function") {
		if !strings.Contains(code, "return") {
			code = "return (" + code + "\n)"
		}
		code = "function() {" + code + "\n}"
	}
	var b bsonval.Builder
	b.OpenDoc("$function").Str("body", code)
	b.OpenArray("args").Close()
	b.Str("lang", "js").Close()
	return expr.Compile(b.Value(), s)
}
