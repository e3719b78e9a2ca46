package match

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/regex"
)

// structure compiles the keywords that speak of fields and elements.
func (c *schemaCompiler) structure(name string, v bsonval.Value) error {
	switch name {
	case "required":
		return c.required(v)
	case "properties":
		return c.properties(v)
	case "patternProperties":
		_, err := c.patterns(v)
		return err
	case "additionalProperties":
		return c.additional(v)
	case "dependencies":
		return c.dependencies(v)
	case "items":
		return c.items(v)
	case "additionalItems":
		return c.additionalItems(v)
	case "uniqueItems":
		return c.unique(v)
	}
	return schemaError("Unknown $jsonSchema keyword: %s", name)
}

func (c *schemaCompiler) required(v bsonval.Value) error {
	if v.Type() != bsonval.Array {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'required' must be an array, but found an element of type %s", v.Type())
	}
	var names []string
	for e := range v.Doc().Values() {
		if e.Type() != bsonval.String {
			return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'required' must be an array of strings, but found an element of type: %s", e.Type())
		}
		if slices.Contains(names, e.Str()) {
			return schemaError("$jsonSchema keyword 'required' array cannot contain duplicate values")
		}
		names = append(names, e.Str())
	}
	if len(names) == 0 {
		return schemaError("$jsonSchema keyword 'required' cannot be an empty array")
	}
	c.add(rule{name: "required", spec: v, ok: func(x bsonval.Value) bool {
		return x.Type() != bsonval.Object || len(lacking(x.Doc(), names)) == 0
	}, why: func(b *bsonval.Builder, x bsonval.Value) {
		b.OpenDoc("specifiedAs").Set("required", v).Close()
		b.OpenArray("missingProperties")
		for _, n := range lacking(x.Doc(), names) {
			b.ItemStr(n)
		}
		b.Close()
	}})
	return nil
}

func lacking(d bsonval.Doc, names []string) []string {
	var out []string
	for _, n := range names {
		if d.Get(n).IsMissing() {
			out = append(out, n)
		}
	}
	return out
}

// property is one entry of properties: the schema of a field, if it is there.
type property struct {
	name   string
	schema *schema
}

func (c *schemaCompiler) properties(v bsonval.Value) error {
	if v.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'properties' must be an object")
	}
	var props []property
	for name, e := range v.Doc().All() {
		if e.Type() != bsonval.Object {
			return mongoerr.New(mongoerr.TypeMismatch, "Nested schema for $jsonSchema property '%s' must be an object", name)
		}
		s, err := compileSchemaAt(e.Doc(), c.depth)
		if err != nil {
			return err
		}
		props = append(props, property{name, s})
	}
	broken := func(x bsonval.Value, p property) bool {
		f := x.Doc().Get(p.name)
		return !f.IsMissing() && !p.schema.ok(f)
	}
	c.add(rule{name: "properties", spec: v, ok: func(x bsonval.Value) bool {
		if x.Type() != bsonval.Object {
			return true
		}
		for _, p := range props {
			if broken(x, p) {
				return false
			}
		}
		return true
	}, why: func(b *bsonval.Builder, x bsonval.Value) {
		b.OpenArray("propertiesNotSatisfied")
		for _, p := range props {
			if !broken(x, p) {
				continue
			}
			b.OpenItem().Str("propertyName", p.name).Set("title", p.schema.title).Set("description", p.schema.description)
			b.OpenArray("details")
			p.schema.why(b, x.Doc().Get(p.name))
			b.Close().Close()
		}
		b.Close()
	}})
	return nil
}

type patternProperty struct {
	re     *regex.Pattern
	schema *schema
}

// patterns compiles patternProperties and adds their rule.
func (c *schemaCompiler) patterns(v bsonval.Value) ([]patternProperty, error) {
	props, err := c.readPatterns(v)
	if err != nil {
		return nil, err
	}
	c.add(rule{name: "patternProperties", spec: v, reason: "a property that matches a pattern broke its schema", ok: func(x bsonval.Value) bool {
		if x.Type() != bsonval.Object {
			return true
		}
		for name, f := range x.Doc().All() {
			for _, p := range props {
				if hit, _ := p.re.Match(name); hit && !p.schema.ok(f) {
					return false
				}
			}
		}
		return true
	}})
	return props, nil
}

func (c *schemaCompiler) readPatterns(v bsonval.Value) ([]patternProperty, error) {
	if v.IsMissing() {
		return nil, nil
	}
	if v.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'patternProperties' must be an object")
	}
	var props []patternProperty
	for name, e := range v.Doc().All() {
		re, err := regex.Compile(name, "")
		if err != nil {
			return nil, err
		}
		s, err := c.sub("patternProperties", e)
		if err != nil {
			return nil, err
		}
		props = append(props, patternProperty{re, s})
	}
	return props, nil
}

// additional is additionalProperties: a boolean, or the schema of fields that neither
// properties nor patternProperties name.
func (c *schemaCompiler) additional(v bsonval.Value) error {
	patterns, err := c.readPatterns(c.doc.Get("patternProperties"))
	if err != nil {
		return err
	}
	var s *schema
	switch v.Type() {
	case bsonval.Bool:
		if v.Bool() {
			return nil
		}
	case bsonval.Object:
		if s, err = c.sub("additionalProperties", v); err != nil {
			return err
		}
	default:
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'additionalProperties' must be either an object or a boolean, but got a %s", v.Type())
	}
	named := c.doc.Get("properties")
	extra := func(name string, f bsonval.Value) bool {
		if named.Type() == bsonval.Object && !named.Doc().Get(name).IsMissing() {
			return false
		}
		for _, p := range patterns {
			if hit, _ := p.re.Match(name); hit {
				return false
			}
		}
		return s == nil || !s.ok(f)
	}
	c.add(rule{name: "additionalProperties", spec: v, ok: func(x bsonval.Value) bool {
		if x.Type() != bsonval.Object {
			return true
		}
		for name, f := range x.Doc().All() {
			if extra(name, f) {
				return false
			}
		}
		return true
	}, why: func(b *bsonval.Builder, x bsonval.Value) {
		b.OpenDoc("specifiedAs").Set("additionalProperties", v).Close()
		b.OpenArray("additionalProperties")
		for name, f := range x.Doc().All() {
			if extra(name, f) {
				b.ItemStr(name)
			}
		}
		b.Close()
	}})
	return nil
}

func (c *schemaCompiler) dependencies(v bsonval.Value) error {
	if v.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'dependencies' must be an object")
	}
	for name, e := range v.Doc().All() {
		inner := &schemaCompiler{schema: &schema{}, doc: bsonval.EmptyDoc(), depth: c.depth}
		if e.Type() == bsonval.Array {
			if err := inner.required(e); err != nil {
				return err
			}
		} else {
			s, err := c.sub("dependencies", e)
			if err != nil {
				return err
			}
			inner.schema = s
		}
		c.add(rule{name: "dependencies", spec: v, reason: "a property's dependency was not satisfied", ok: func(x bsonval.Value) bool {
			return x.Type() != bsonval.Object || x.Doc().Get(name).IsMissing() || inner.schema.ok(x)
		}})
	}
	return nil
}

// items is one schema for all elements, or one for each of the first.
func (c *schemaCompiler) items(v bsonval.Value) error {
	var each []*schema
	var all *schema
	var err error
	if v.Type() == bsonval.Array {
		for e := range v.Doc().Values() {
			s, err := c.sub("items", e)
			if err != nil {
				return err
			}
			each = append(each, s)
		}
	} else if v.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'items' must be an array or an object, not %s", v.Type())
	} else if all, err = c.sub("items", v); err != nil {
		return err
	}
	of := func(i int) *schema {
		if all != nil {
			return all
		}
		if i < len(each) {
			return each[i]
		}
		return nil
	}
	c.elements("items", v, of)
	return nil
}

func (c *schemaCompiler) additionalItems(v bsonval.Value) error {
	never := &schema{rules: []rule{{name: "additionalItems", spec: v, reason: "found additional items", ok: func(bsonval.Value) bool { return false }}}}
	s := never
	switch v.Type() {
	case bsonval.Bool:
	case bsonval.Object:
		var err error
		if s, err = c.sub("additionalItems", v); err != nil {
			return err
		}
	default:
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'additionalItems' must be either an object or a boolean, but got a %s", v.Type())
	}
	first := c.doc.Get("items")
	if first.Type() != bsonval.Array || v.Type() == bsonval.Bool && v.Bool() {
		return nil
	}
	skip := first.Doc().Len()
	c.elements("additionalItems", v, func(i int) *schema {
		if i < skip {
			return nil
		}
		return s
	})
	return nil
}

// elements adds a rule over an array's elements; of answers an element's schema.
func (c *schemaCompiler) elements(name string, v bsonval.Value, of func(i int) *schema) {
	first := func(x bsonval.Value) (int, bsonval.Value, *schema) {
		i := 0
		for e := range x.Doc().Values() {
			if s := of(i); s != nil && !s.ok(e) {
				return i, e, s
			}
			i++
		}
		return -1, bsonval.Value{}, nil
	}
	c.add(rule{name: name, spec: v, ok: func(x bsonval.Value) bool {
		if x.Type() != bsonval.Array {
			return true
		}
		i, _, _ := first(x)
		return i < 0
	}, why: func(b *bsonval.Builder, x bsonval.Value) {
		i, e, s := first(x)
		b.Str("reason", "At least one item did not match the sub-schema").Int32("itemIndex", int32(i)).OpenArray("details")
		s.why(b, e)
		b.Close()
	}})
}

func (c *schemaCompiler) unique(v bsonval.Value) error {
	if v.Type() != bsonval.Bool {
		return mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema keyword 'uniqueItems' must be a boolean")
	}
	if !v.Bool() {
		return nil
	}
	c.add(rule{name: "uniqueItems", spec: v, ok: func(x bsonval.Value) bool { return duplicate(x).IsMissing() }, why: func(b *bsonval.Builder, x bsonval.Value) {
		b.OpenDoc("specifiedAs").Set("uniqueItems", v).Close()
		b.Str("reason", "found a duplicate item").Set("consideredValue", x).Set("duplicatedValue", duplicate(x))
	}})
	return nil
}

// duplicate is the first item of an array that is there already; missing for none.
func duplicate(x bsonval.Value) bsonval.Value {
	if x.Type() != bsonval.Array {
		return bsonval.Value{}
	}
	seen := map[string]bool{}
	for e := range x.Doc().Values() {
		k := unorderedKey(e)
		if seen[k] {
			return e
		}
		seen[k] = true
	}
	return bsonval.Value{}
}
