package match

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/regex"
)

// schema is a compiled $jsonSchema: the rules that a value must satisfy.
type schema struct {
	rules       []rule
	title       bsonval.Value
	description bsonval.Value
}

// rule is one keyword of a schema.
type rule struct {
	name string
	spec bsonval.Value
	ok   func(v bsonval.Value) bool
	// why describes a failure beyond name and specification; nil: the reason and
	// the value.
	why    func(b *bsonval.Builder, v bsonval.Value)
	reason string
}

func (n *Schema) matches(_ *run, d bsonval.Doc) (bool, error) {
	return n.root.ok(bsonval.DocValue(d)), nil
}

func (s *schema) ok(v bsonval.Value) bool {
	for _, r := range s.rules {
		if !r.ok(v) {
			return false
		}
	}
	return true
}

// Why describes what in doc breaks the schema, as the server's validation errors do.
func (n *Schema) Why(doc bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	b.Str("operatorName", "$jsonSchema").Set("title", n.root.title).Set("description", n.root.description)
	b.OpenArray("schemaRulesNotSatisfied")
	n.root.why(&b, bsonval.DocValue(doc))
	return b.Doc()
}

// why appends an item for each rule that v breaks.
func (s *schema) why(b *bsonval.Builder, v bsonval.Value) {
	for _, r := range s.rules {
		if r.ok(v) {
			continue
		}
		b.OpenItem().Str("operatorName", r.name)
		if r.why != nil {
			r.why(b, v)
		} else {
			b.OpenDoc("specifiedAs").Set(r.name, r.spec).Close()
			b.Str("reason", r.reason).Set("consideredValue", v)
			if r.name == "bsonType" || r.name == "type" {
				b.Str("consideredType", v.Type().String())
			}
		}
		b.Close()
	}
}

func schemaError(format string, args ...any) error {
	return mongoerr.New(mongoerr.FailedToParse, format, args...)
}

func compileSchema(d bsonval.Doc) (*schema, error) { return compileSchemaAt(d, 0) }

func compileSchemaAt(d bsonval.Doc, depth int) (*schema, error) {
	if depth > maxNesting {
		return nil, bad("$jsonSchema nests too deeply")
	}
	s := &schema{title: d.Get("title"), description: d.Get("description")}
	c := &schemaCompiler{schema: s, doc: d, depth: depth + 1}
	seen := map[string]bool{}
	for name := range d.All() {
		if seen[name] {
			return nil, schemaError("Duplicate $jsonSchema keyword: %s", name)
		}
		seen[name] = true
	}
	if seen["type"] && seen["bsonType"] {
		return nil, schemaError("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
	}
	for name, v := range d.All() {
		if err := c.keyword(name, v); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.rules, func(a, b rule) int { return cmp.Compare(ruleRank(a.name), ruleRank(b.name)) })
	return s, nil
}

// ruleRank is the place of a keyword in errors, whatever the order of the schema.
func ruleRank(name string) int {
	return slices.Index([]string{
		"pattern", "maxLength", "minLength", "multipleOf", "maximum", "minimum",
		"minItems", "maxItems", "uniqueItems", "items", "additionalItems",
		"properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "dependencies",
		"allOf", "anyOf", "oneOf", "not", "enum", "type", "bsonType",
	}, name)
}

type schemaCompiler struct {
	schema *schema
	doc    bsonval.Doc
	depth  int
}

func (c *schemaCompiler) add(r rule) { c.schema.rules = append(c.schema.rules, r) }

func (c *schemaCompiler) sub(name string, v bsonval.Value) (*schema, error) {
	if v.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be an object, but found an element of type %s", name, v.Type())
	}
	return compileSchemaAt(v.Doc(), c.depth)
}

// keyword compiles one; those that ask about a type let values of others pass.
func (c *schemaCompiler) keyword(name string, v bsonval.Value) error {
	switch name {
	case "title", "description":
		if v.Type() != bsonval.String {
			return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be of type string", name)
		}
	case "bsonType", "type":
		return c.types(name, v)
	case "enum":
		return c.enum(v)
	case "minimum", "maximum":
		return c.bound(name, v)
	case "exclusiveMinimum", "exclusiveMaximum":
		if v.Type() != bsonval.Bool {
			return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be a boolean", name)
		}
		if c.doc.Get(strings.ToLower(name[len("exclusive"):])).IsMissing() {
			return schemaError("$jsonSchema keyword '%s' must be a present if %s is present", strings.ToLower(name[len("exclusive"):]), name)
		}
	case "multipleOf":
		return c.multiple(v)
	case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
		return c.count(name, v)
	case "pattern":
		return c.pattern(v)
	case "allOf", "anyOf", "oneOf":
		return c.several(name, v)
	case "not":
		return c.not(v)
	case "$ref", "$schema", "default", "definitions", "format", "id":
		return schemaError("$jsonSchema keyword '%s' is not currently supported", name)
	default:
		return c.structure(name, v)
	}
	return nil
}

// typeNames are the names of types that a keyword gives.
func typeNames(name string, v bsonval.Value) ([]string, error) {
	values := []bsonval.Value{v}
	if v.Type() == bsonval.Array {
		values = v.Doc().Slice()
	}
	var out []string
	for _, e := range values {
		switch {
		case e.Type() != bsonval.String:
			return nil, mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be either a string or an array of strings", name)
		case slices.Contains(out, e.Str()):
			return nil, schemaError("$jsonSchema keyword '%s' has duplicate value: '%s'", name, e.Str())
		}
		out = append(out, e.Str())
	}
	if len(out) == 0 {
		return nil, schemaError("$jsonSchema keyword '%s' must name at least one type", name)
	}
	return out, nil
}

func (c *schemaCompiler) types(name string, v bsonval.Value) error {
	names, err := typeNames(name, v)
	if err != nil {
		return err
	}
	want := &Type{}
	for _, text := range names {
		if name == "type" {
			switch text {
			case "integer":
				return schemaError("$jsonSchema type 'integer' is not currently supported.")
			case "boolean":
				text = "bool"
			case "array", "number", "null", "object", "string":
			default:
				return bad("Unknown type name alias: %s", text)
			}
		}
		if text == "number" {
			want.Number = true
			continue
		}
		t, ok := bsonval.TypeOfName(text)
		if !ok {
			return bad("Unknown type name alias: %s", text)
		}
		want.Types = append(want.Types, t)
	}
	c.add(rule{name: name, spec: v, reason: "type did not match", ok: func(v bsonval.Value) bool {
		ok, _ := want.accepts(nil, v)
		return ok
	}})
	return nil
}

func (c *schemaCompiler) enum(v bsonval.Value) error {
	if v.Type() != bsonval.Array {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'enum' must be an array, but found an element of type %s", v.Type())
	}
	if v.Doc().IsEmpty() {
		return schemaError("$jsonSchema keyword 'enum' cannot be an empty array")
	}
	set := map[string]bool{}
	for e := range v.Doc().Values() {
		k := unorderedKey(e)
		if set[k] {
			return schemaError("$jsonSchema keyword 'enum' array cannot contain duplicate values.")
		}
		set[k] = true
	}
	c.add(rule{name: "enum", spec: v, reason: "value was not found in enum", ok: func(x bsonval.Value) bool {
		return set[unorderedKey(x)]
	}})
	return nil
}

// unorderedKey is one text for all values that differ at most in the order of fields.
func unorderedKey(v bsonval.Value) string { return string(bsonval.AppendKey(nil, sorted(v), nil)) }

// sorted is the value with the fields of all documents in it in the order of their names.
func sorted(v bsonval.Value) bsonval.Value {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return v
	}
	b := bsonval.NewBuilder(len(v.Doc()))
	if v.Type() == bsonval.Array {
		for e := range v.Doc().Values() {
			b.Item(sorted(e))
		}
		return b.Array()
	}
	var names []string
	values := map[string]bsonval.Value{}
	for name, e := range v.Doc().All() {
		if _, double := values[name]; !double {
			names = append(names, name)
		}
		values[name] = sorted(e)
	}
	slices.Sort(names)
	for _, name := range names {
		b.Set(name, values[name])
	}
	return b.Value()
}

func (c *schemaCompiler) bound(name string, v bsonval.Value) error {
	if !v.IsNumber() {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be a number", name)
	}
	strict := c.doc.Get("exclusive" + strings.ToUpper(name[:1]) + name[1:]).Truth()
	c.add(rule{name: name, spec: v, reason: "comparison failed", ok: func(x bsonval.Value) bool {
		if !x.IsNumber() {
			return true
		}
		d := bsonval.Compare(x, v)
		if name == "maximum" {
			d = -d
		}
		return d > 0 || d == 0 && !strict
	}})
	return nil
}

func (c *schemaCompiler) multiple(v bsonval.Value) error {
	if !v.IsNumber() {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'multipleOf' must be a number")
	}
	if v.Float() <= 0 {
		return schemaError("$jsonSchema keyword 'multipleOf' must have a positive value")
	}
	c.add(rule{name: "multipleOf", spec: v, reason: "considered value is not a multiple of the specified value", ok: func(x bsonval.Value) bool {
		if !x.IsNumber() {
			return true
		}
		rest, ok := bsonval.Mod(x, v)
		digits, _, finite := bsonval.DecimalParts(rest)
		return ok && finite && digits.Cmp(new(big.Int)) == 0
	}})
	return nil
}

// count is a bound on a string's characters, an array's elements or an object's fields.
func (c *schemaCompiler) count(name string, v bsonval.Value) error {
	n, whole := v.ExactLong()
	if !v.IsNumber() {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be a number", name)
	}
	if !whole || n < 0 {
		return schemaError("$jsonSchema keyword '%s' must be a representable as a non-negative integer", name)
	}
	least := strings.HasPrefix(name, "min")
	reasons := map[string]string{"Length": "specified string length was not satisfied", "Items": "array did not match specified length",
		"Properties": "specified number of properties was not satisfied"}
	what := name[3:]
	c.add(rule{name: name, spec: v, reason: reasons[what], ok: func(x bsonval.Value) bool {
		has := int64(0)
		switch {
		case what == "Length" && x.Type() == bsonval.String:
			has = int64(utf8.RuneCountInString(x.Str()))
		case what == "Items" && x.Type() == bsonval.Array, what == "Properties" && x.Type() == bsonval.Object:
			has = int64(x.Doc().Len())
		default:
			return true
		}
		return least && has >= n || !least && has <= n
	}})
	return nil
}

func (c *schemaCompiler) pattern(v bsonval.Value) error {
	if v.Type() != bsonval.String {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'pattern' must be a string")
	}
	p, err := regex.Compile(v.Str(), "")
	if err != nil {
		return err
	}
	c.add(rule{name: "pattern", spec: v, reason: "regular expression did not match", ok: func(x bsonval.Value) bool {
		if x.Type() != bsonval.String {
			return true
		}
		ok, err := p.Match(x.Str())
		return ok && err == nil
	}})
	return nil
}

func (c *schemaCompiler) several(name string, v bsonval.Value) error {
	if v.Type() != bsonval.Array {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword '%s' must be an array, but found an element of type %s", name, v.Type())
	}
	if v.Doc().IsEmpty() {
		return bad("$jsonSchema keyword '%s' must be a non-empty array", name)
	}
	var subs []*schema
	for e := range v.Doc().Values() {
		s, err := c.sub(name, e)
		if err != nil {
			return err
		}
		subs = append(subs, s)
	}
	count := func(x bsonval.Value) int {
		n := 0
		for _, s := range subs {
			if s.ok(x) {
				n++
			}
		}
		return n
	}
	c.add(rule{name: name, spec: v, ok: func(x bsonval.Value) bool {
		n := count(x)
		return name == "allOf" && n == len(subs) || name == "anyOf" && n > 0 || name == "oneOf" && n == 1
	}, why: func(b *bsonval.Builder, x bsonval.Value) {
		if name == "oneOf" && count(x) > 1 {
			b.Str("reason", "more than one subschema matched").OpenArray("matchingSchemaIndexes")
			for i, s := range subs {
				if s.ok(x) {
					b.Item(bsonval.IntValue(int32(i)))
				}
			}
			b.Close()
			return
		}
		b.OpenArray("schemasNotSatisfied")
		for i, s := range subs {
			if s.ok(x) {
				continue
			}
			b.OpenItem().Int32("index", int32(i)).OpenArray("details")
			s.why(b, x)
			b.Close().Close()
		}
		b.Close()
	}})
	return nil
}

func (c *schemaCompiler) not(v bsonval.Value) error {
	s, err := c.sub("not", v)
	if err != nil {
		return err
	}
	c.add(rule{name: "not", spec: v, ok: func(x bsonval.Value) bool { return !s.ok(x) },
		why: func(b *bsonval.Builder, _ bsonval.Value) { b.Str("reason", "child expression matched") }})
	return nil
}
