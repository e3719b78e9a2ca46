package index

import (
	"math"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// maxPattern is the largest key pattern, in bytes.
const maxPattern = 2048

// Validate checks a specification that a user gave, more strictly than Parse does, which
// also reads what older versions have stored, and answers it with its version and, for
// the index on _id, that one's name. The errors are the server's.
func Validate(spec bsonval.Doc) (bsonval.Doc, error) {
	if err := validate(spec); err != nil {
		return nil, Wrong(spec, err)
	}
	if err := validateTTL(spec); err != nil {
		return nil, err
	}
	if spec.Get("v").IsMissing() {
		spec = bsonval.BuilderOf(spec).Int32("v", 2).Doc()
	}
	spec, err := validateID(spec)
	if err != nil {
		return nil, err
	}
	switch name := spec.Get("name").Str(); {
	case name == "":
		return nil, Wrong(spec, mongoerr.New(mongoerr.CannotCreateIndex, "index name cannot be empty"))
	case strings.Contains(name, "\x00"):
		return nil, Wrong(spec, mongoerr.New(mongoerr.CannotCreateIndex, "index name cannot contain NUL bytes"))
	}
	return spec, nil
}

// Wrong is an error that says which specification it is about.
func Wrong(spec bsonval.Doc, err error) error {
	return mongoerr.From(err).Within("Error in specification " + spec.String())
}

func validate(spec bsonval.Doc) error {
	clustered := !spec.Get("clustered").IsMissing()
	for field := range spec.All() {
		switch {
		case clustered && !slices.Contains([]string{"key", "name", "unique", "v", "clustered"}, field):
			return mongoerr.New(mongoerr.InvalidIndexSpecificationOption, "The field '%s' is not valid for a clustered index specification. Specification: %s", field, spec)
		case !known(field):
			return mongoerr.New(mongoerr.InvalidIndexSpecificationOption, "The field '%s' is not valid for an index specification. Specification: %s", field, spec)
		}
	}
	for field, v := range spec.All() {
		if err := validateField(field, v, spec); err != nil {
			return err
		}
	}
	for _, field := range [...]string{"key", "name"} {
		if spec.Get(field).IsMissing() {
			return mongoerr.New(mongoerr.FailedToParse, "The '%s' field is a required property of an index specification", field)
		}
	}
	return validateTogether(spec, clustered)
}

func validateField(field string, v bsonval.Value, spec bsonval.Doc) error {
	switch field {
	case "key":
		if v.Type() != bsonval.Object {
			return mistyped(field, "an object", v)
		}
		return validatePattern(v.Doc(), spec.Get("originalSpec").Type() == bsonval.Object)
	case "name", "default_language", "language_override":
		if v.Type() != bsonval.String {
			return mistyped(field, "a string", v)
		}
	case "hidden":
		if v.Type() != bsonval.Bool {
			return mistyped(field, "a bool", v)
		}
	case "v":
		return validateVersion(v, spec)
	case "collation", "originalSpec":
		if v.Type() != bsonval.Object {
			return mistyped(field, "an object", v)
		}
		if v.Doc().IsEmpty() {
			return mongoerr.New(mongoerr.BadValue, "The field '%s' cannot be an empty object.", field)
		}
	case "partialFilterExpression":
		if v.Type() != bsonval.Object {
			return mistyped(field, "an object", v)
		}
	case "weights":
		if v.Type() != bsonval.Object && v.Type() != bsonval.Array && v.Type() != bsonval.String {
			return mistyped(field, "an object", v)
		}
	case "background", "unique", "sparse", "dropDups", "prepareUnique", "clustered":
		if !v.IsNumber() && v.Type() != bsonval.Bool {
			return mongoerr.New(mongoerr.TypeMismatch, "The field '%s has value %s: %s, which is not convertible to bool", field, field, v)
		}
	case "2dsphereIndexVersion", "textIndexVersion", "bits", "min", "max", "coarsestIndexedLevel", "finestIndexedLevel":
		if !v.IsNumber() {
			return mistyped(field, "a number", v)
		}
	}
	return nil
}

func mistyped(field, want string, v bsonval.Value) error {
	return mongoerr.New(mongoerr.TypeMismatch, "The field '%s' must be %s, but got %s", field, want, v.Type())
}

// validateVersion takes the versions 1 and 2 alone.
func validateVersion(v bsonval.Value, spec bsonval.Doc) error {
	switch n := v.Float(); {
	case !v.IsNumber():
		return mistyped("v", "a number", v)
	case n != math.Trunc(n) || math.Abs(n) > math.MaxInt32:
		return mongoerr.New(mongoerr.BadValue, "Index version must be representable as a 32-bit integer, but got %s", v)
	case n != 1 && n != 2:
		return mongoerr.New(mongoerr.CannotCreateIndex, "Invalid index specification %s; cannot create an index with v=%d", spec, v.Long())
	}
	return nil
}

// validatePattern checks a key pattern's fields for what parsePattern lets pass.
func validatePattern(key bsonval.Doc, ofSeries bool) error {
	if len(key) > maxPattern {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index key pattern too large.")
	}
	var names []string
	for name := range key.All() {
		if slices.Contains(names, name) {
			return mongoerr.New(mongoerr.BadValue, "The field '%s' appears multiple times in the index key pattern %s", name, key)
		}
		names = append(names, name)
	}
	d := &Def{Pattern: key, Expire: -1, ofSeries: ofSeries}
	if err := d.parsePattern(); err != nil {
		return err
	}
	for name, v := range key.All() {
		if v.Type() == bsonval.String && v.Str() == "" {
			return mongoerr.New(mongoerr.CannotCreateIndex, "Values in the index key pattern cannot be empty strings")
		}
		if first, _, _ := strings.Cut(name, "."); expr.IsRefField(first) {
			return mongoerr.New(mongoerr.CannotCreateIndex, "Index key contains an illegal field name: field name starts with '$'.")
		}
	}
	return nil
}

// validateTogether checks options that exclude or need others.
func validateTogether(spec bsonval.Doc, clustered bool) error {
	switch {
	case clustered && !spec.Get("clustered").Truth():
		return mongoerr.New(6492800, "Value 'false' for field 'clustered' is invalid")
	case clustered && !spec.Get("unique").Truth():
		return mongoerr.New(mongoerr.CannotCreateIndex, "The 'unique' field is required when 'clustered' is specified")
	case !spec.Get("collation").IsMissing() && spec.Get("v").IsNumber() && spec.Get("v").Long() < 2:
		return mongoerr.New(mongoerr.CannotCreateIndex, "Invalid index specification %s; cannot create an index with the 'collation' option and v=1", spec)
	case spec.Get("key").Doc().Len() > 1 && spec.Get("key").Doc().Get("$**").IsNumber() && spec.Get("wildcardProjection").IsMissing():
		return mongoerr.New(mongoerr.CannotCreateIndex, "Compound wildcard indexes on all fields must also specify 'wildcardProjection' option")
	case spec.Get("v").IsNumber() && spec.Get("v").Long() < 2 && wildcard(spec.Get("key").Doc()):
		return mongoerr.New(mongoerr.CannotCreateIndex, "Invalid index specification %s; cannot create a wildcard index with v=1", spec)
	case !spec.Get("weights").IsMissing() && !slices.Contains(kinds(spec.Get("key").Doc()), Text):
		return mongoerr.New(mongoerr.CannotCreateIndex, "Invalid index specification %s; the field 'weights' can only be specified with text indexes", spec)
	case spec.Get("unique").Truth() && spec.Get("prepareUnique").Truth():
		return mongoerr.New(mongoerr.CannotCreateIndex, "Invalid index specification %s; cannot create an index with the 'unique' option and the 'prepareUnique' option", spec)
	}
	return nil
}

// wildcard tells a key pattern with a field for all fields, but for a text index's.
func wildcard(key bsonval.Doc) bool {
	for name, v := range key.All() {
		if (name == "$**" || strings.HasSuffix(name, ".$**")) && v.IsNumber() {
			return true
		}
	}
	return false
}

// kinds are the strings in a key pattern.
func kinds(key bsonval.Doc) []Kind {
	var out []Kind
	for v := range key.Values() {
		if v.Type() == bsonval.String {
			out = append(out, Kind(v.Str()))
		}
	}
	return out
}

// validateTTL checks expireAfterSeconds, seconds in 32 bits.
func validateTTL(spec bsonval.Doc) error {
	v := spec.Get("expireAfterSeconds")
	var bad string
	switch {
	case v.IsMissing():
		return nil
	case !v.IsNumber():
		bad = "option must be numeric, but received a type of '" + v.Type().String() + "'"
	case v.IsNaN():
		bad = "option must not be NaN"
	case v.Long() > math.MaxInt32 || v.Long() < math.MinInt32:
		bad = "must be within the range of a 32-bit integer"
	case v.Long() < 0:
		bad = "option cannot be less than 0"
	default:
		return nil
	}
	return mongoerr.New(mongoerr.CannotCreateIndex, ". Index spec: %s :: caused by :: TTL index 'expireAfterSeconds' %s", spec, bad)
}

// ForID tells a key pattern that stands for the index on _id, also where it is written
// wrongly.
func ForID(key bsonval.Doc) bool {
	v := key.Get("_id")
	return key.Len() == 1 && v.IsNumber() && (v.Long() == 1 || v.Long() == -1)
}

// validateID holds the index on _id to what it may be, and keeps its name for it.
func validateID(spec bsonval.Doc) (bsonval.Doc, error) {
	key := spec.Get("key").Doc()
	name := spec.Get("name").Str()
	switch {
	case !ForID(key) && name == "_id_":
		return nil, mongoerr.New(mongoerr.BadValue, "The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: %s", key)
	case !ForID(key) && name == "*":
		return nil, mongoerr.New(mongoerr.BadValue, "The index name '*' is not valid.")
	case !ForID(key) || !spec.Get("clustered").IsMissing():
		return spec, nil
	}
	b := bsonval.NewBuilder(len(spec))
	for field, v := range spec.All() {
		if !slices.Contains([]string{"collation", "name", "v", "key", "ns", "_id"}, field) {
			return nil, mongoerr.New(mongoerr.InvalidIndexSpecificationOption, "The field '%s' is not valid for an _id index specification. Specification: %s", field, spec)
		}
		if field == "name" {
			v = bsonval.StringValue("_id_")
		}
		b.Set(field, v)
	}
	if key.Get("_id").Float() != 1 {
		return nil, mongoerr.New(mongoerr.BadValue, "The field 'key' for an _id index must be {_id: 1}, but got %s", key)
	}
	return b.Doc(), nil
}
