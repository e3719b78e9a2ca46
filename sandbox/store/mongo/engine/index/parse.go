package index

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// maxFields is the most fields that an index may have.
const maxFields = 32

// Parse checks an index specification as createIndexes takes it and answers the index.
// The errors are the server's.
func Parse(spec bsonval.Doc) (*Def, error) {
	key := spec.Get("key")
	if key.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "The 'key' field is a required property of an index specification")
	}
	name := spec.Get("name")
	if name.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.FailedToParse, "The 'name' field is a required property of an index specification")
	}
	if name.Str() == "*" {
		return nil, mongoerr.New(mongoerr.BadValue, "The index name '*' is not valid.")
	}
	d := &Def{Name: name.Str(), Pattern: key.Doc(), Expire: -1, ofSeries: spec.Get("originalSpec").Type() == bsonval.Object}
	if err := d.parsePattern(); err != nil {
		return nil, err
	}
	if by := d.Pattern.Get("_id"); len(d.Fields) == 1 && by.IsNumber() && by.Float() == 1 && !spec.Get("clustered").Truth() {
		d.Name = "_id_" // whatever it is called, it is there
	}
	for field, v := range spec.All() {
		if err := d.parseOption(field, v, spec); err != nil {
			return nil, err
		}
	}
	if d.Unique && d.PrepareUnique {
		return nil, mongoerr.New(mongoerr.CannotCreateIndex, "cannot mix \"unique\" and \"prepareUnique\" options")
	}
	if d.Sparse && d.Filter != nil {
		return nil, mongoerr.New(mongoerr.CannotCreateIndex, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	}
	if d.Filter != nil && d.Collator != nil {
		d.Filter, _ = match.Compile(d.Filter.Source, match.Env{Op: &opctx.Op{Collator: d.Collator}}) // has been compiled without
	}
	if err := d.parseKind(spec); err != nil {
		return nil, err
	}
	if d.Name == "_id_" {
		d.Unique = true // without being said
	}
	d.Spec = d.normal(spec)
	return d, nil
}

func (d *Def) parsePattern() error {
	if d.Pattern.IsEmpty() {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index keys cannot be empty.")
	}
	for name, v := range d.Pattern.All() {
		f := Field{Path: name}
		if name == "_fts" && (v.Type() != bsonval.String || v.Str() != string(Text)) {
			return mongoerr.New(mongoerr.CannotCreateIndex, "Index key contains an illegal field name: '_fts'")
		}
		switch {
		case v.Type() == bsonval.String:
			f.Kind = Kind(v.Str())
			if f.Kind == sphereOfBuckets && d.ofSeries {
				f.Kind, d.Buckets = Sphere, true
			}
			if err := d.become(f.Kind); err != nil {
				return err
			}
		case v.IsNaN():
			return mongoerr.New(mongoerr.CannotCreateIndex, "Values in the index key pattern cannot be NaN.")
		case !v.IsNumber():
			return mongoerr.New(mongoerr.CannotCreateIndex, "Values in v:2 index key pattern cannot be of type %s. Only numbers > 0, numbers < 0, and strings are allowed.", v.Type())
		case v.Float() == 0:
			return mongoerr.New(mongoerr.CannotCreateIndex, "Values in the index key pattern cannot be 0.")
		default:
			f.Desc = v.Float() < 0
		}
		if f.Kind == Text && name == "$**" {
			d.Fields = append(d.Fields, f)
			continue
		}
		if name == "$**" || strings.HasSuffix(name, ".$**") {
			d.Kind, f.Kind = Wildcard, Wildcard // checked with the whole pattern
			if above, ok := strings.CutSuffix(name, ".$**"); ok {
				if err := checkPath(above); err != nil {
					return err
				}
			}
		} else if err := checkPath(name); err != nil {
			return err
		}
		d.Fields = append(d.Fields, f)
	}
	if len(d.Fields) > maxFields {
		return mongoerr.New(13103, "too many compound keys")
	}
	return nil
}

// become makes the index one of a special kind. It has one at most.
func (d *Def) become(k Kind) error {
	switch k {
	case Text, Sphere, Flat, Hashed:
	default:
		return mongoerr.New(mongoerr.CannotCreateIndex, "Unknown index plugin '%s'", string(k))
	}
	if d.Kind != Ordered && d.Kind != k {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Can't use more than one index plugin for a single index.")
	}
	d.Kind = k
	return nil
}

func checkPath(path string) error {
	if path == "" {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index keys cannot be an empty field.")
	}
	for _, part := range strings.Split(path, ".") {
		switch {
		case part == "":
			return mongoerr.New(mongoerr.CannotCreateIndex, "Index keys cannot contain an empty field.")
		case part[0] == '$' && !expr.IsRefField(part) && path != "_fts":
			return mongoerr.New(mongoerr.CannotCreateIndex, "Index key contains an illegal field name: field name starts with '$'.")
		}
	}
	return nil
}

// fields are all that a specification may have.
const fields = "_id key name ns background v commitQuorum comment clustered unique sparse hidden expireAfterSeconds partialFilterExpression collation weights default_language language_override textIndexVersion 2dsphereIndexVersion bits min max bucketSize wildcardProjection storageEngine prepareUnique originalSpec coarsestIndexedLevel finestIndexedLevel dropDups"

func known(field string) bool {
	for f := range strings.FieldsSeq(fields) {
		if f == field {
			return true
		}
	}
	return false
}

// Known is a specification without the fields that Parse would refuse as unknown: old
// servers let them pass, and ignoreUnknownIndexOptions does.
func Known(spec bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(spec))
	for it := spec.Iter(); it.Next(); {
		if known(it.Name()) {
			b.Raw(it.Raw())
		}
	}
	return b.Doc()
}

func (d *Def) parseOption(field string, v bsonval.Value, spec bsonval.Doc) error {
	switch field {
	case "_id", "key", "name", "ns", "background", "v", "commitQuorum", "comment":
		return nil
	case "clustered":
		d.Clustered = v.Truth()
	case "unique":
		d.Unique = v.Truth()
	case "prepareUnique":
		d.PrepareUnique = v.Truth()
	case "sparse":
		d.Sparse = v.Truth()
	case "hidden":
		d.Hidden = v.Truth()
	case "expireAfterSeconds":
		return d.parseExpire(v)
	case "partialFilterExpression":
		if v.Type() != bsonval.Object {
			return mistyped(field, "an object", v)
		}
		m, err := match.Compile(v.Doc(), match.Env{Geo: geo.Condition})
		if err == nil {
			err = checkPartial(m.Root)
		}
		d.Filter = m
		return err
	case "collation":
		if v.Type() != bsonval.Object {
			return mistyped(field, "an object", v)
		}
		c, err := collation.Parse(v.Doc())
		d.Collator, d.Binary = c, c == nil
		return err
	default:
		if known(field) {
			return nil // the kinds read it from the specification
		}
		return mongoerr.New(197, "The field '%s' is not valid for an index specification. Specification: %s", field, spec)
	}
	return nil
}

func (d *Def) parseExpire(v bsonval.Value) error {
	if !v.IsNumber() {
		return mongoerr.New(mongoerr.TypeMismatch, "TTL index 'expireAfterSeconds' option must be numeric, but received a type of %s", v.Type())
	}
	if v.Long() < 0 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %d", v.Long())
	}
	if len(d.Fields) != 1 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: { key: %s, name: \"%s\", expireAfterSeconds: %s }", d.Pattern, d.Name, v)
	}
	d.Expire = v.Long()
	return nil
}

// checkPartial allows what a partial index's filter may ask.
func checkPartial(n match.Node) error {
	switch n := n.(type) {
	case *match.And:
		return checkAll(n.Nodes)
	case *match.Or:
		return checkAll(n.Nodes)
	case *match.Field:
		switch n.Pred.(type) {
		case *match.Cmp, *match.In, *match.Exists, *match.Type, *match.Geo:
			return nil
		}
	}
	return mongoerr.New(mongoerr.CannotCreateIndex, "Expression not supported in partial index")
}

func checkAll(nodes []match.Node) error {
	for _, n := range nodes {
		if err := checkPartial(n); err != nil {
			return err
		}
	}
	return nil
}

// parseKind lets the special kinds read and complete their options.
func (d *Def) parseKind(spec bsonval.Doc) error {
	if d.Kind != Wildcard && !spec.Get("wildcardProjection").IsMissing() {
		return mongoerr.New(mongoerr.BadValue, "The field 'wildcardProjection' is only allowed in an 'wildcard' index. Index spec: %s", spec)
	}
	switch d.Kind {
	case Ordered:
		return nil
	case Hashed:
		return d.checkHashed()
	case Wildcard:
		return d.parseWildcard(spec)
	case Text:
		return d.parseText(spec)
	case Sphere, Flat:
		return d.parseGeo(spec)
		// each kind's file adds its line here
	}
	return mongoerr.New(mongoerr.NotImplemented, "%s indexes are not implemented yet", d.Kind)
}

// normal is the specification as listIndexes answers it: v, key, name, then the rest.
func (d *Def) normal(spec bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(spec) + 16)
	v := spec.Get("v")
	if !v.IsNumber() {
		v = bsonval.IntValue(2)
	}
	b.Set("v", bsonval.NumberValue(v.Long())).SetDoc("key", d.Pattern).Str("name", d.Name)
	for field, v := range spec.All() {
		switch field {
		case "_id", "v", "key", "name", "ns", "commitQuorum", "dropDups", "comment":
		case "weights", "default_language", "language_override", "textIndexVersion":
			if d.Kind != Text {
				b.Set(field, v)
			}
		case "background":
			b.Set(field, v)
		case "collation":
			if d.Collator != nil {
				b.SetDoc(field, collation.Complete(v.Doc()))
			}
		case "unique", "prepareUnique", "sparse", "hidden":
			if v.Truth() {
				b.Bool(field, true)
			}
		default:
			b.Set(field, v)
		}
	}
	if words, _ := d.Text(); words != nil {
		words.Options(b)
	}
	if d.Kind == Sphere && spec.Get("2dsphereIndexVersion").IsMissing() {
		b.Int32("2dsphereIndexVersion", 3)
	}
	return b.Doc()
}
