package expr

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// builder compiles one operator: name is "$add", arg what stands after it.
type builder func(s *Scope, name string, arg bsonval.Value) (Expr, error)

// families are the lookup functions, one a file of operators. Each answers nil for a
// name that isn't its own.
func families() []func(name string) builder {
	return []func(string) builder{
		basics, arithmetic, texts, conditional, arrays, objects, sets, variables, conversions, dates, dateParts,
		accumulators, regexes, logarithms, trigonometry, others,
	}
}

func lookup(name string) builder {
	for _, family := range families() {
		if b := family(name); b != nil {
			return b
		}
	}
	return nil
}

// Known tells whether an operator of that name exists, such as "$add".
func Known(name string) bool { return lookup(name) != nil }

// Compile compiles an expression as it stands in BSON: a string that begins with $ is
// a field path or a variable, an object whose first field begins with $ an operator,
// any other object or array is built of expressions, all else is a literal.
func Compile(v bsonval.Value, s *Scope) (Expr, error) {
	s, err := s.deeper()
	if err != nil {
		return nil, err
	}
	switch v.Type() {
	case bsonval.String:
		if strings.HasPrefix(v.Str(), "$") {
			return compilePath(v.Str(), s)
		}
	case bsonval.Array:
		return compileArray(v.Doc(), s)
	case bsonval.Object:
		return compileObject(v.Doc(), s)
	}
	return constant{v}, nil
}

func compileObject(d bsonval.Doc, s *Scope) (Expr, error) {
	first := d.First()
	if !strings.HasPrefix(first.Name, "$") {
		return compileDocument(d, s)
	}
	if n := d.Len(); n != 1 {
		return nil, mongoerr.New(15983, "An object representing an expression must have exactly one field: %s", d)
	}
	build := lookup(first.Name)
	if build == nil {
		return nil, mongoerr.New(mongoerr.InvalidPipelineOperator, "Unrecognized expression '%s'", first.Name)
	}
	return build(s, first.Name, first.Value)
}

func compileDocument(d bsonval.Doc, s *Scope) (Expr, error) {
	var out document
	fixed := true
	seen := map[string]bool{}
	for name, v := range d.All() {
		if err := checkFieldName(name); err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, mongoerr.New(16406, "duplicate field name specified in object literal: %s", d)
		}
		seen[name] = true
		e, err := Compile(v, s)
		if err != nil {
			return nil, err
		}
		if _, ok := e.(constant); !ok {
			fixed = false
		}
		out = append(out, field{name, e})
	}
	if fixed {
		v, err := out.Eval(nil)
		return constant{v}, err
	}
	return out, nil
}

func checkFieldName(name string) error {
	switch {
	case strings.HasPrefix(name, "$") && !IsRefField(name):
		return mongoerr.New(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
	case strings.Contains(name, "."):
		return mongoerr.New(16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField.")
	}
	return nil
}

type field struct {
	name string
	e    Expr
}

// document builds an object; fields whose value is Missing are left out.
type document []field

func (d document) Eval(f *Frame) (bsonval.Value, error) {
	b := bsonval.NewBuilder(64)
	for _, x := range d {
		v, err := x.e.Eval(f)
		if err != nil {
			return v, err
		}
		b.Set(x.name, v)
	}
	return b.Value(), nil
}

func compileArray(d bsonval.Doc, s *Scope) (Expr, error) {
	es, err := CompileAll(d, s)
	if err != nil {
		return nil, err
	}
	for _, e := range es {
		if _, ok := e.(constant); !ok {
			return array(es), nil
		}
	}
	v, err := array(es).Eval(nil)
	return constant{v}, err
}

// CompileAll compiles each element of an array.
func CompileAll(d bsonval.Doc, s *Scope) ([]Expr, error) {
	var out []Expr
	for v := range d.Values() {
		e, err := Compile(v, s)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// array builds an array; Missing becomes null.
type array []Expr

func (a array) Eval(f *Frame) (bsonval.Value, error) {
	b := bsonval.NewBuilder(16 + 12*len(a))
	for _, e := range a {
		v, err := e.Eval(f)
		if err != nil {
			return v, err
		}
		b.Item(v)
	}
	return b.Array(), nil
}

// Args compiles an operator's arguments: an array's elements, or the one value.
func Args(s *Scope, name string, arg bsonval.Value, least, most int) ([]Expr, error) {
	var es []Expr
	var err error
	if arg.Type() == bsonval.Array {
		es, err = CompileAll(arg.Doc(), s)
	} else {
		var e Expr
		e, err = Compile(arg, s)
		es = []Expr{e}
	}
	if err != nil {
		return nil, err
	}
	switch n := len(es); {
	case least == most && n != least:
		return nil, mongoerr.New(16020, "Expression %s takes exactly %d arguments. %d were passed in.", name, least, n)
	case n < least || most >= 0 && n > most:
		return nil, mongoerr.New(28667, "Expression %s takes at least %d arguments, and at most %d, but %d were passed in.", name, least, most, n)
	}
	return es, nil
}
