package diff

import (
	"strconv"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// ParseEntry answers the difference within an oplog entry's o; nil for a whole document.
func ParseEntry(o bsonval.Doc) (bsonval.Doc, error) {
	if !o.Get("_id").IsMissing() {
		return nil, nil
	}
	if v := o.Get("$v"); !v.IsNumber() || v.Long() != oplogVersion {
		return nil, mongoerr.New(4772600, "Expected _id field or $v:2, but got: %s", elementText("$v", v))
	}
	d := o.Get("diff")
	if d.Type() != bsonval.Object {
		return nil, mongoerr.New(4772601, "Expected 'diff' field to be an object, instead got type: %s", d.Type())
	}
	return d.Doc(), nil
}

func elementText(name string, v bsonval.Value) string {
	if v.IsMissing() {
		return "EOO"
	}
	return name + ": " + v.String()
}

// Apply makes a difference of the oplog again. Where the document has another shape than
// the one that the difference was taken of, null stands for what can't be known, as the
// server has it: a later entry writes there. A malformed difference has the server's
// codes, 4770500 and those that follow.
func Apply(doc, delta bsonval.Doc) (bsonval.Doc, error) {
	var b bsonval.Builder
	if err := applyDoc(&b, doc, delta); err != nil {
		return nil, err
	}
	return b.Doc(), nil
}

// change is what a difference says of one field.
type change struct {
	kind string // one of the sections' names; prefixWithin for one within
	v    bsonval.Value
}

// changes are those of one document.
type changes struct {
	of  map[string]change
	new []bsonval.Element // what stands at the end, if it was not there before
}

// applyDoc writes the fields of doc with their changes into b.
func applyDoc(b *bsonval.Builder, doc, delta bsonval.Doc) error {
	c, err := parseChanges(delta)
	if err != nil {
		return err
	}
	placed := map[string]bool{}
	for name, old := range doc.All() {
		if b.Len() > bsonval.MaxDocument {
			return mongoerr.New(mongoerr.BSONObjectTooLarge, "the document is too large with the difference applied: over %d bytes", bsonval.MaxDocument)
		}
		ch, ok := c.of[name]
		switch {
		case !ok:
			b.Set(name, old)
		case ch.kind == sectionUpdate:
			b.Set(name, ch.v)
			placed[name] = true
		case ch.kind == prefixWithin:
			if err := applyWithin(func(v bsonval.Value) { b.Set(name, v) }, old, ch.v.Doc()); err != nil {
				return err
			}
		}
	}
	for _, e := range c.new {
		if !placed[e.Name] {
			b.Set(e.Name, e.Value)
		}
	}
	return nil
}

// parseChanges reads the sections of a document's difference.
func parseChanges(delta bsonval.Doc) (*changes, error) {
	if delta.IsEmpty() {
		return nil, mongoerr.New(4770500, "Expected diff to be non-empty")
	}
	c := &changes{of: map[string]change{}}
	last := 0
	for name, v := range delta.All() {
		if name == "" {
			return nil, mongoerr.New(4770505, "Expected sections field names in diff to be non-empty ")
		}
		kind := name[:1]
		order := 1 + strings.Index(sectionDelete+sectionUpdate+sectionInsert+sectionBinary+prefixWithin, kind)
		within := kind == prefixWithin
		switch {
		case last == placeWithin && !within:
			return nil, mongoerr.New(4770514, "Did not expect more sections in diff but found one: %s", name)
		case order == 0 || order <= last && !within:
			return nil, mongoerr.New(4770503, "Unexpected section: %s in document diff", kind)
		case v.Type() != bsonval.Object && last == placeWithin:
			return nil, mongoerr.New(470510, "Subdiffs should be objects, got %s: %s", name, v)
		case v.Type() != bsonval.Object:
			return nil, mongoerr.New(4770507, "Expected %s section to be type object", kind)
		case kind == sectionBinary:
			return nil, mongoerr.New(mongoerr.CommandNotSupported, "differences of binary data are not supported: write the whole value into the section u")
		}
		last = order
		if err := c.section(kind, name, v); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// placeWithin is the place of the last sections in their order.
const placeWithin = 5

// section takes one section's fields.
func (c *changes) section(kind, name string, v bsonval.Value) error {
	if kind == prefixWithin {
		return c.add(name[1:], change{kind, v})
	}
	for field, v := range v.Doc().All() {
		if err := c.add(field, change{kind, v}); err != nil {
			return err
		}
		if kind != sectionDelete {
			c.new = append(c.new, bsonval.E(field, v))
		}
	}
	return nil
}

func (c *changes) add(field string, ch change) error {
	if _, twice := c.of[field]; twice {
		return mongoerr.New(4728000, "duplicate field name in diff: %s", field)
	}
	c.of[field] = ch
	return nil
}

// applyWithin puts a value with what changed within it.
func applyWithin(put func(bsonval.Value), old bsonval.Value, delta bsonval.Doc) error {
	array := delta.First().Name == headArray
	if array != (old.Type() == bsonval.Array) || !array && old.Type() != bsonval.Object {
		put(bsonval.NullValue())
		return check(delta)
	}
	var sub bsonval.Builder
	if array {
		err := applyArray(&sub, old.Doc().Slice(), delta)
		put(sub.Array())
		return err
	}
	err := applyDoc(&sub, old.Doc(), delta)
	put(sub.Value())
	return err
}

// check finds what is malformed in a difference that has nothing to be applied to.
func check(delta bsonval.Doc) error {
	if delta.First().Name == headArray {
		_, err := parseElements(delta)
		return err
	}
	_, err := parseChanges(delta)
	return err
}

// elements are the changes of an array.
type elements struct {
	length int // the new one; -1: as it comes out
	list   []element
}

type element struct {
	at int
	change
}

// maxPadding is how many elements an array may have that a difference makes longer.
const maxPadding = 1_500_000

// applyArray writes the elements of an array with their changes into b.
func applyArray(b *bsonval.Builder, old []bsonval.Value, delta bsonval.Doc) error {
	e, err := parseElements(delta)
	if err != nil {
		return err
	}
	size := len(old)
	if n := len(e.list); n > 0 {
		size = max(size, e.list[n-1].at+1)
	}
	if e.length >= 0 {
		size = e.length
	}
	if size > max(len(old), maxPadding) {
		return mongoerr.New(mongoerr.CannotBackfillArray, "can't backfill array to larger than %d elements", maxPadding)
	}
	for i := range size {
		was := bsonval.NullValue()
		if i < len(old) {
			was = old[i]
		}
		switch {
		case len(e.list) == 0 || e.list[0].at != i:
			b.Item(was)
			continue
		case e.list[0].kind == sectionUpdate:
			b.Item(e.list[0].v)
		default:
			if err := applyWithin(func(v bsonval.Value) { b.Item(v) }, was, e.list[0].v.Doc()); err != nil {
				return err
			}
		}
		e.list = e.list[1:]
	}
	return nil
}

// parseElements reads an array's difference, whose elements stand in their order.
func parseElements(delta bsonval.Doc) (*elements, error) {
	out := &elements{length: -1}
	for i, f := range delta.Elements() {
		switch {
		case i == 0 && f.Value.Type() != bsonval.Bool:
			return nil, mongoerr.New(4770519, "Expected array header to be bool but got %s: %s", f.Name, f.Value)
		case i == 0 && !f.Value.Bool():
			return nil, mongoerr.New(4770520, "Expected array header to be value true but got %s: %s", f.Name, f.Value)
		case i == 0:
		case i == 1 && f.Name == headLength:
			if f.Value.Type() != bsonval.Int32 || f.Value.Int32() < 0 {
				return nil, mongoerr.New(4770507, "Expected l section to be type int")
			}
			out.length = int(f.Value.Int32())
		default:
			if err := out.add(f); err != nil {
				return nil, err
			}
		}
	}
	if n := len(out.list); n > 0 && out.length >= 0 && out.list[n-1].at >= out.length {
		return nil, mongoerr.New(4770512, "Expected integer below the array's new length %d but got %d", out.length, out.list[n-1].at)
	}
	return out, nil
}

func (out *elements) add(f bsonval.Element) error {
	if len(f.Name) < 2 {
		return mongoerr.New(4770521, "expected field name to be at least two characters long, but found: %s", f.Name)
	}
	kind := f.Name[:1]
	at, err := strconv.ParseUint(f.Name[1:], 10, 31)
	switch {
	case err != nil || len(out.list) > 0 && int(at) <= out.list[len(out.list)-1].at:
		return mongoerr.New(4770512, "Expected integer but got %s", f.Name[1:])
	case kind == prefixWithin && f.Value.Type() != bsonval.Object:
		return mongoerr.New(4770501, "expected sub diff at index %d but got %s: %s", at, f.Name, f.Value)
	case kind == prefixWithin && f.Value.Doc().IsEmpty():
		return mongoerr.New(4770500, "Expected diff to be non-empty")
	case kind != prefixWithin && kind != sectionUpdate:
		return mongoerr.New(4770502, "Expected either 'u' (update) or 's' (sub diff) at index %d but got %s: %s", at, f.Name, f.Value)
	}
	out.list = append(out.list, element{int(at), change{kind, f.Value}})
	return nil
}
