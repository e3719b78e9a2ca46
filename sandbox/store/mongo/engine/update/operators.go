package update

import (
	"math"
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
		return func(_ *Update, _, _ string, arg bsonval.Value) (action, error) { return set{arg}, nil }
	case "$unset":
		return func(*Update, string, string, bsonval.Value) (action, error) { return unset{}, nil }
	case "$inc", "$mul":
		return compileArithmetic
	case "$min", "$max":
		return func(u *Update, op, _ string, arg bsonval.Value) (action, error) {
			return extreme{arg, op == "$max"}, nil
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

type set struct{ v bsonval.Value }

func (s set) apply(*application, spot, *node) (*node, error) { return leaf(s.v), nil }
func (set) creates() bool                                    { return true }

type unset struct{}

func (unset) apply(*application, spot, *node) (*node, error) { return nil, nil }
func (unset) creates() bool                                  { return false }

// arithmetic is $inc and $mul.
type arithmetic struct {
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
	return arithmetic{arg, op == "$mul"}, nil
}

func (arithmetic) creates() bool { return true }

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
	v   bsonval.Value
	max bool
}

func (extreme) creates() bool { return true }

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

type currentDate struct{ timestamp bool }

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
		return currentDate{t.Str() == "timestamp"}, nil
	}
	return nil, mongoerr.New(mongoerr.BadValue, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
}

func (currentDate) creates() bool { return true }

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

type bits []bitEdit

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
		out = append(out, bitEdit{name, v})
	}
	if len(out) == 0 {
		return nil, mongoerr.New(mongoerr.BadValue, "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}")
	}
	return out, nil
}

func (bits) creates() bool { return true }

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
	for _, e := range b {
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
	for _, p := range append(source, target...) {
		if p == "$" || isFilter(p) {
			return mongoerr.New(mongoerr.BadValue, "The source and destination field for $rename may not be dynamic: %s", from)
		}
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
	source []string
	text   string
}

func (rename) creates() bool { return true }

func (r rename) apply(a *application, at spot, n *node) (*node, error) {
	v := bsonval.DocValue(a.doc)
	for i, p := range r.source {
		if v.Type() == bsonval.Array {
			return nil, mongoerr.New(mongoerr.BadValue, "The source field cannot be an array element, '%s' in doc with _id: %s has an array field called '%s'",
				r.text, a.doc.Get("_id"), r.source[i-1])
		}
		if v.Type() != bsonval.Object {
			return n, nil
		}
		v = v.Doc().Get(p)
	}
	if v.IsMissing() {
		return n, nil
	}
	if holder := a.holder(at.edit.path); holder != nil && holder.isArray() {
		return nil, mongoerr.New(mongoerr.BadValue, "The destination field cannot be an array element, '%s' in doc with _id: %s has an array field called '%s'",
			at.edit.text, a.doc.Get("_id"), lastPart(parent(at.edit.text)))
	}
	return leaf(v), nil
}

// holder is what a path's last part lies in.
func (a *application) holder(path []string) *node {
	n := a.root
	for _, p := range path[:len(path)-1] {
		if !n.isArray() && !n.isObject() {
			return nil
		}
		i := n.child(p)
		if i < 0 {
			return nil
		}
		n = n.kids[i].node
	}
	return n
}

type renamed struct{ target []string }

func (renamed) creates() bool                                  { return false }
func (renamed) apply(*application, spot, *node) (*node, error) { return nil, nil }
