package expr

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// objects are the operators on documents.
func objects(name string) builder {
	switch name {
	case "$mergeObjects":
		return mergeObjects
	case "$objectToArray":
		return ofOne(objectToArray)
	case "$arrayToObject":
		return ofOne(arrayToObject)
	case "$getField":
		return getField
	case "$setField":
		return setField
	case "$unsetField":
		return setField
	}
	return nil
}

func mergeObjects(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		out := bsonval.EmptyDoc()
		for _, e := range es {
			v, err := e.Eval(f)
			if err != nil {
				return v, err
			}
			if len(es) == 1 && v.Type() == bsonval.Array { // merges the array's elements
				for item := range v.Doc().Values() {
					if out, err = Merge(out, item); err != nil {
						return null, err
					}
				}
				continue
			}
			if out, err = Merge(out, v); err != nil {
				return null, err
			}
		}
		return bsonval.DocValue(out), nil
	}), nil
}

// Merge is $mergeObjects: d with v's fields set; null changes nothing.
func Merge(d bsonval.Doc, v bsonval.Value) (bsonval.Doc, error) {
	switch {
	case v.IsNullish():
		return d, nil
	case v.Type() != bsonval.Object:
		return nil, mongoerr.New(40400, "$mergeObjects requires object inputs, but input %s is of type %s", v, v.Type())
	case d.IsEmpty():
		return v.Doc(), nil
	}
	b := bsonval.NewBuilder(len(d) + len(v.Doc()))
	for it := d.Iter(); it.Next(); {
		if later := v.Doc().Get(it.Name()); !later.IsMissing() {
			b.Set(it.Name(), later)
			continue
		}
		b.Raw(it.Raw())
	}
	for it := v.Doc().Iter(); it.Next(); {
		if d.Get(it.Name()).IsMissing() {
			b.Raw(it.Raw())
		}
	}
	if err := tooLarge(b.Len()); err != nil {
		return nil, err
	}
	return b.Doc(), nil
}

func objectToArray(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish():
		return null, nil
	case v.Type() != bsonval.Object:
		return null, mongoerr.New(40390, "$objectToArray requires a document input, found: %s", v.Type())
	}
	b := bsonval.NewBuilder(2 * v.Size())
	for name, x := range v.Doc().All() {
		b.OpenItem().Str("k", name).Set("v", x).Close()
	}
	return b.Array(), nil
}

func arrayToObject(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish():
		return null, nil
	case v.Type() != bsonval.Array:
		return null, mongoerr.New(40386, "$arrayToObject requires an array input, found: %s", v.Type())
	}
	var out ordered
	var form bsonval.Type
	for item := range v.Doc().Values() {
		if form == bsonval.Missing {
			form = item.Type()
		}
		name, x, err := pairOf(item, form)
		if err != nil {
			return null, err
		}
		out.set(name, x)
	}
	return out.value(), nil
}

// pairOf reads [k, v] or {k, v}, whichever the first element was.
func pairOf(item bsonval.Value, form bsonval.Type) (string, bsonval.Value, error) {
	var k, v bsonval.Value
	switch {
	case form == bsonval.Array:
		if item.Type() != bsonval.Array {
			return "", v, mongoerr.New(40396, "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: %s", item.Type())
		}
		if n := item.Doc().Len(); n != 2 {
			return "", v, mongoerr.New(40397, "$arrayToObject requires an array of size 2 arrays,found array of size: %d", n)
		}
		k, v = item.Doc().At(0), item.Doc().At(1)
		if k.Type() != bsonval.String {
			return "", v, mongoerr.New(40395, "$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: %s", k.Type())
		}
	case form == bsonval.Object:
		if item.Type() != bsonval.Object {
			return "", v, mongoerr.New(40391, "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: %s", item.Type())
		}
		d := item.Doc()
		if n := d.Len(); n != 2 {
			return "", v, mongoerr.New(40392, "$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:%d", n)
		}
		k, v = d.Get("k"), d.Get("v")
		if k.IsMissing() || v.IsMissing() {
			return "", v, mongoerr.New(40393, "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: %s", d)
		}
		if k.Type() != bsonval.String {
			return "", v, mongoerr.New(40394, "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: %s", k.Type())
		}
	default:
		return "", v, mongoerr.New(40398, "Unrecognised input type format for $arrayToObject: %s", item.Type())
	}
	for i := range len(k.Str()) {
		if k.Str()[i] == 0 {
			return "", v, mongoerr.New(4940400, "Key field cannot contain an embedded null byte")
		}
	}
	return k.Str(), v, nil
}

// ordered is a document under construction in which a name set again keeps its place.
type ordered struct {
	fields []bsonval.Element
	places map[string]int
}

func (o *ordered) set(name string, v bsonval.Value) {
	if i, ok := o.places[name]; ok {
		o.fields[i].Value = v
		return
	}
	if o.places == nil {
		o.places = map[string]int{}
	}
	o.places[name] = len(o.fields)
	o.fields = append(o.fields, bsonval.E(name, v))
}

func (o *ordered) value() bsonval.Value {
	b := bsonval.NewBuilder(32 * len(o.fields))
	for _, e := range o.fields {
		b.Set(e.Name, e.Value)
	}
	return b.Value()
}

func getField(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	field, input := arg, bsonval.StringValue("$$CURRENT")
	if arg.Type() == bsonval.Object && !isOperator(arg.Doc()) {
		field, input = missing, missing
		for part, v := range arg.Doc().All() {
			switch part {
			case "field":
				field = v
			case "input":
				input = v
			default:
				return nil, mongoerr.New(3041701, "%s found an unknown argument: %s", name, part)
			}
		}
		switch {
		case field.IsMissing():
			return nil, mongoerr.New(3041702, "%s requires 'field' to be specified", name)
		case input.IsMissing():
			return nil, mongoerr.New(3041703, "%s requires 'input' to be specified", name)
		}
	}
	fe, err := Compile(field, s)
	if err != nil {
		return nil, err
	}
	if v, ok := IsConst(fe); ok && v.Type() != bsonval.String {
		return nil, mongoerr.New(5654602, "%s requires 'field' to evaluate to type String, but got %s", name, v.Type())
	}
	ie, err := Compile(input, s)
	if err != nil {
		return nil, err
	}
	return binaryOf(fe, ie, func(_ *Frame, field, in bsonval.Value) (bsonval.Value, error) {
		switch {
		case field.Type() != bsonval.String:
			return null, mongoerr.New(3041704, "%s requires 'field' to evaluate to type String, but got %s", name, field.Type())
		case in.IsNullish():
			return in, nil
		case in.Type() != bsonval.Object:
			return missing, nil
		}
		return in.Doc().Get(field.Str()), nil
	}), nil
}

// isOperator tells an object that is an expression: its first field begins with $.
func isOperator(d bsonval.Doc) bool {
	name := d.First().Name
	return name != "" && name[0] == '$'
}

func setField(s *Scope, op string, arg bsonval.Value) (Expr, error) {
	codes := namedCodes{notObject: 4161100, unknown: 4161101, lack: map[string]mongoerr.Code{"field": 4161102, "value": 4161103, "input": 4161109}}
	required := []string{"field", "value", "input"}
	if op == "$unsetField" {
		required = []string{"field", "input"}
	}
	args, err := namedArgs(s, op, arg, codes, required, nil)
	if err != nil {
		return nil, err
	}
	name, ok := IsConst(args["field"])
	written := arg.Doc().Get("field")
	switch {
	case written.Type() == bsonval.String && strings.HasPrefix(written.Str(), "$"):
		return nil, mongoerr.New(4161108, "A field path reference which is not allowed in this context. Did you mean {$literal: '%s'}?", written.Str())
	case !ok || written.Type() == bsonval.Object && !isOperator(written.Doc()):
		return nil, mongoerr.New(4161106, "%s requires 'field' to evaluate to a constant", op)
	case name.Type() != bsonval.String:
		return nil, mongoerr.New(4161107, "%s requires 'field' to evaluate to type String, but got %s", op, name.Type())
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		in, err := args.eval(f, "input")
		if err != nil {
			return null, err
		}
		v, err := args.eval(f, "value")
		switch {
		case err != nil:
			return null, err
		case in.IsNullish():
			return null, nil
		case in.Type() != bsonval.Object:
			return null, mongoerr.New(4161105, "%s requires 'input' to evaluate to type Object", op)
		}
		return bsonval.DocValue(withField(in.Doc(), name.Str(), v)), nil
	}), nil
}

// withField is d with one field set in its place, or without it when v is Missing.
func withField(d bsonval.Doc, name string, v bsonval.Value) bsonval.Doc {
	b := bsonval.NewBuilder(len(d) + v.Size() + len(name) + 8)
	done := false
	for it := d.Iter(); it.Next(); {
		if it.Name() == name {
			b.Set(name, v)
			done = true
			continue
		}
		b.Raw(it.Raw())
	}
	if !done {
		b.Set(name, v)
	}
	return b.Doc()
}
