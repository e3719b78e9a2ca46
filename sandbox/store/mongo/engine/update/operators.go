package update

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func itoa(i int) string { return strconv.Itoa(i) }

type builder func(u *Update, op, path string, arg bsonval.Value) (action, error)

// operator answers the builder of an update operator, nil for a name that is none.
func operator(name string) builder {
	switch name {
	case "$set", "$setOnInsert":
		return func(_ *Update, _, _ string, arg bsonval.Value) (action, error) { return set{v: arg}, nil }
	case "$unset":
		return func(*Update, string, string, bsonval.Value) (action, error) { return unset{}, nil }
	case "$inc", "$mul":
		return compileArithmetic
	case "$min", "$max":
		return func(u *Update, op, _ string, arg bsonval.Value) (action, error) {
			return extreme{v: arg, max: op == "$max"}, nil
		}
	case "$currentDate":
		return compileCurrentDate
	case "$bit":
		return compileBit
	case "$rename":
		return func(*Update, string, string, bsonval.Value) (action, error) { return nil, nil }
	}
	return arrayOperator(name)
}

type set struct {
	making
	v bsonval.Value
}

func (s set) apply(*application, spot, *node) (*node, error) { return leaf(s.v), nil }

type unset struct{ removing }

func (unset) apply(*application, spot, *node) (*node, error) { return nil, nil }

// arithmetic is $inc and $mul.
type arithmetic struct {
	making
	by  bsonval.Value
	mul bool
}

func compileArithmetic(_ *Update, op, path string, arg bsonval.Value) (action, error) {
	if !arg.IsNumber() {
		verb := "increment"
		if op == "$mul" {
			verb = "multiply"
		}
		return nil, mongoerr.New(mongoerr.TypeMismatch, "Cannot %s with non-numeric argument: {%s: %s}", verb, path, arg)
	}
	return arithmetic{by: arg, mul: op == "$mul"}, nil
}

func (x arithmetic) apply(a *application, at spot, n *node) (*node, error) {
	if n == nil {
		if x.mul {
			return leaf(bsonval.Mul(x.by, bsonval.IntValue(0))), nil
		}
		return leaf(x.by), nil
	}
	if !n.raw.IsNumber() {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "Cannot apply %s to a value of non-numeric type. {_id: %s} has the field '%s' of non-numeric type %s",
			at.edit.op, a.doc.Get("_id"), at.last, n.raw.Type())
	}
	result := bsonval.Add(n.raw, x.by)
	if x.mul {
		result = bsonval.Mul(n.raw, x.by)
	}
	whole := n.raw.Type() != bsonval.Double && n.raw.Type() != bsonval.Decimal128 && x.by.Type() != bsonval.Double && x.by.Type() != bsonval.Decimal128
	if whole && result.Type() == bsonval.Double {
		return nil, mongoerr.New(mongoerr.BadValue, "Failed to apply %s operations to current value (%s) for document {_id: %s}",
			at.edit.op, typed(n.raw), a.doc.Get("_id"))
	}
	return leaf(result), nil
}

func typed(v bsonval.Value) string {
	if v.Type() == bsonval.Int64 {
		return "(NumberLong)" + v.String()
	}
	return "(NumberInt)" + v.String()
}

// extreme is $min and $max.
type extreme struct {
	making
	v   bsonval.Value
	max bool
}

func (x extreme) apply(a *application, _ spot, n *node) (*node, error) {
	if n == nil {
		return leaf(x.v), nil
	}
	c := bsonval.CompareWith(x.v, n.value(), a.u.env.Op.Collator)
	if x.max && c > 0 || !x.max && c < 0 {
		return leaf(x.v), nil
	}
	return n, nil
}

type currentDate struct {
	making
	timestamp bool
}

func compileCurrentDate(_ *Update, _, _ string, arg bsonval.Value) (action, error) {
	if arg.Type() == bsonval.Bool {
		return currentDate{}, nil
	}
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.BadValue, "%s is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).", arg.Type())
	}
	for name := range arg.Doc().All() {
		if name != "$type" {
			return nil, mongoerr.New(mongoerr.BadValue, "Unrecognized $currentDate option: %s", name)
		}
	}
	t := arg.Doc().Get("$type")
	if t.Type() == bsonval.String && (t.Str() == "timestamp" || t.Str() == "date") {
		return currentDate{timestamp: t.Str() == "timestamp"}, nil
	}
	return nil, mongoerr.New(mongoerr.BadValue, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
}

func (c currentDate) apply(a *application, _ spot, _ *node) (*node, error) {
	now := a.u.env.Op.Now
	if c.timestamp {
		return leaf(bsonval.TimestampValue(uint32(now.Unix()), 1)), nil
	}
	return leaf(bsonval.TimeValue(now)), nil
}

type bitEdit struct {
	op string
	by bsonval.Value
}

type bits struct {
	making
	edits []bitEdit
}

func compileBit(_ *Update, _, path string, arg bsonval.Value) (action, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.BadValue, "The $bit modifier is not compatible with a %s. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}", arg.Type())
	}
	var out bits
	for name, v := range arg.Doc().All() {
		if name != "and" && name != "or" && name != "xor" {
			return nil, mongoerr.New(mongoerr.BadValue, "The $bit modifier only supports 'and', 'or', and 'xor', not '%s' which is an unknown operator: {%s: %s}", name, name, v)
		}
		if v.Type() != bsonval.Int32 && v.Type() != bsonval.Int64 {
			return nil, mongoerr.New(mongoerr.BadValue, "The $bit modifier field must be an Integer(32/64 bit); a '%s' is not supported here: {%s: %s}", v.Type(), name, v)
		}
		out.edits = append(out.edits, bitEdit{name, v})
	}
	if len(out.edits) == 0 {
		return nil, mongoerr.New(mongoerr.BadValue, "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}")
	}
	return out, nil
}

func (b bits) apply(a *application, at spot, n *node) (*node, error) {
	v := bsonval.IntValue(0)
	if n != nil {
		v = n.raw
	}
	if v.Type() != bsonval.Int32 && v.Type() != bsonval.Int64 {
		return nil, mongoerr.New(mongoerr.BadValue, "Cannot apply $bit to a value of non-integral type.{_id: %s} has the field %s of non-integer type %s",
			a.doc.Get("_id"), at.last, v.Type())
	}
	x := v.Int64()
	long := v.Type() == bsonval.Int64
	for _, e := range b.edits {
		long = long || e.by.Type() == bsonval.Int64
		switch e.op {
		case "and":
			x &= e.by.Int64()
		case "or":
			x |= e.by.Int64()
		default:
			x ^= e.by.Int64()
		}
	}
	if long || x > math.MaxInt32 || x < math.MinInt32 {
		return leaf(bsonval.LongValue(x)), nil
	}
	return leaf(bsonval.IntValue(int32(x))), nil
}

// compileRename makes two edits: the value comes to the new path and goes from the old.
func (u *Update) compileRename(from string, arg bsonval.Value) error {
	if arg.Type() != bsonval.String {
		return mongoerr.New(mongoerr.BadValue, "The 'to' field for $rename must be a string: %s: %s", from, arg)
	}
	to := arg.Str()
	if strings.IndexByte(to, 0) >= 0 {
		return mongoerr.New(mongoerr.BadValue, "The 'to' field for $rename cannot contain an embedded null byte")
	}
	source, err := splitPath(from)
	if err != nil {
		return err
	}
	target, err := splitPath(to)
	if err != nil {
		return err
	}
	if dynamic(source) {
		return mongoerr.New(mongoerr.BadValue, "The source field for $rename may not be dynamic: %s", from)
	}
	if dynamic(target) {
		return mongoerr.New(mongoerr.BadValue, "The destination field for $rename may not be dynamic: %s", to)
	}
	if from == to {
		return mongoerr.New(mongoerr.BadValue, "The source and target field for $rename must differ: %s: %s", from, arg)
	}
	if prefixOf(source, target) || prefixOf(target, source) {
		return mongoerr.New(mongoerr.BadValue, "The source and target field for $rename must not be on the same path: %s: %s", from, arg)
	}
	if err := u.add("$rename", to, arg, rename{source: source, text: from}); err != nil {
		return err
	}
	return u.add("$rename", from, arg, renamed{target: target})
}

func dynamic(path []string) bool {
	return slices.ContainsFunc(path, func(p string) bool { return p == "$" || isFilter(p) })
}

func prefixOf(a, b []string) bool {
	if len(a) > len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// rename brings the source's value; renamed, at the source's path, takes it away.
type rename struct {
	making
	source []string
	text   string
}

// renames tells whether r's source is there. Neither it nor the place where it goes
// may lie in an array.
func (a *application) renames(r rename, e *edit) (bool, error) {
	v := bsonval.DocValue(a.doc)
	for i, p := range r.source {
		switch v.Type() {
		case bsonval.Object:
			v = v.Doc().Get(p)
		case bsonval.Array:
			n, ok := bsonval.ArrayIndex(p)
			if !ok {
				return false, r.blocked(i, v)
			}
			if n >= v.Doc().Len() {
				return false, nil
			}
			v = v.Doc().At(n)
		default:
			return false, r.blocked(i, v)
		}
		if v.IsMissing() {
			return false, nil
		}
	}
	if name, ok := a.array(r.source); ok {
		return false, mongoerr.New(mongoerr.BadValue, "The source field cannot be an array element, '%s' in doc with _id: %s has an array field called '%s'",
			r.text, a.doc.Get("_id"), name)
	}
	if name, ok := a.array(e.path); ok {
		return false, mongoerr.New(mongoerr.BadValue, "The destination field cannot be an array element, '%s' in doc with _id: %s has an array field called '%s'",
			e.text, a.doc.Get("_id"), name)
	}
	return true, nil
}

func (r rename) blocked(i int, v bsonval.Value) error {
	return untraversable(r.source[i], r.text, r.source[i-1], v)
}

// array is the name of an array that a path leads through, if there is one: as far as
// the path is there, its last part apart.
func (a *application) array(path []string) (string, bool) {
	n := a.root
	for i, p := range path {
		if n.isArray() {
			return path[i-1], true
		}
		if !n.isObject() {
			return "", false
		}
		at := n.child(p)
		if at < 0 {
			return "", false
		}
		n = n.kids[at].node
	}
	return "", false
}

func (r rename) apply(a *application, _ spot, _ *node) (*node, error) {
	return leaf(a.doc.Path(r.text)), nil
}

type renamed struct {
	removing
	target []string
}

func (renamed) apply(*application, spot, *node) (*node, error) { return nil, nil }
