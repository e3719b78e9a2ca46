package bsonval

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Builder makes a document or an array. The zero Builder is ready; open documents
// nest to any depth.
//
//	var b Builder
//	b.Int32("n", 1)
//	b.OpenArray("cursor"); b.Item(v); b.Close()
//	doc := b.Doc()
type Builder struct {
	buf   []byte
	open  []frame
	items int // elements so far in the innermost array
	begun bool
}

type frame struct {
	start int // where the length goes
	items int // the outer one's count
}

// NewBuilder has room for size bytes.
func NewBuilder(size int) *Builder {
	return &Builder{buf: make([]byte, 0, size)}
}

// BuilderOf starts with d's fields.
func BuilderOf(d Doc) *Builder {
	b := &Builder{buf: make([]byte, 0, len(d)+64), begun: true}
	b.buf = append(b.buf, d[:len(d)-1]...)
	return b
}

// head writes type and name. A name that was computed may hold a zero byte, which
// BSON can't: it ends there.
func (b *Builder) head(t Type, name string) {
	b.begin()
	if i := strings.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	b.buf = append(b.buf, byte(t))
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, 0)
}

func (b *Builder) begin() {
	if !b.begun {
		b.begun = true
		b.buf = append(b.buf, 0, 0, 0, 0)
	}
}

// Set appends a field; a Missing value appends nothing.
func (b *Builder) Set(name string, v Value) *Builder {
	if v.t == Missing {
		return b
	}
	b.head(v.t, name)
	b.buf = v.Append(b.buf)
	return b
}

// Item appends an element to the innermost open array (or to the document as one);
// Missing is written as null.
func (b *Builder) Item(v Value) *Builder {
	if v.t == Missing {
		v = NullValue()
	}
	b.index(v.t)
	b.buf = v.Append(b.buf)
	return b
}

func (b *Builder) index(t Type) {
	b.begin()
	b.buf = append(b.buf, byte(t))
	b.buf = strconv.AppendInt(b.buf, int64(b.items), 10)
	b.buf = append(b.buf, 0)
	b.items++
}

// Raw appends an element as Iter.Raw gives it.
func (b *Builder) Raw(element []byte) *Builder {
	b.begin()
	b.buf = append(b.buf, element...)
	return b
}

// Fields appends all fields of d.
func (b *Builder) Fields(d Doc) *Builder { return b.Raw(d[4 : len(d)-1]) }

// OpenDoc and OpenArray start a nested one, ended by Close.
func (b *Builder) OpenDoc(name string) *Builder   { b.head(Object, name); return b.nest() }
func (b *Builder) OpenArray(name string) *Builder { b.head(Array, name); return b.nest() }

// OpenItem and OpenItemArray start a nested one as an element of the innermost array.
func (b *Builder) OpenItem() *Builder      { b.index(Object); return b.nest() }
func (b *Builder) OpenItemArray() *Builder { b.index(Array); return b.nest() }

func (b *Builder) nest() *Builder {
	b.open = append(b.open, frame{len(b.buf), b.items})
	b.buf = append(b.buf, 0, 0, 0, 0)
	b.items = 0
	return b
}

// Close ends the innermost open document or array.
func (b *Builder) Close() *Builder {
	f := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	b.items = f.items
	b.buf = append(b.buf, 0)
	binary.LittleEndian.PutUint32(b.buf[f.start:], uint32(len(b.buf)-f.start))
	return b
}

// Doc ends the document and answers its bytes. The Builder may be used again only
// after Reset.
func (b *Builder) Doc() Doc {
	b.begin()
	for len(b.open) > 0 {
		b.Close()
	}
	b.buf = append(b.buf, 0)
	binary.LittleEndian.PutUint32(b.buf, uint32(len(b.buf)))
	return Doc(b.buf)
}

// Value and Array are Doc as an Object and as an Array value.
func (b *Builder) Value() Value { return DocValue(b.Doc()) }
func (b *Builder) Array() Value { return ArrayValue(b.Doc()) }

// Len is the number of bytes so far.
func (b *Builder) Len() int { return len(b.buf) }

// Reset forgets everything and leaves the old bytes to whoever has them.
func (b *Builder) Reset() { *b = Builder{} }

// Shorthands.

func (b *Builder) Int32(name string, i int32) *Builder { return b.Set(name, IntValue(i)) }
func (b *Builder) Int64(name string, i int64) *Builder { return b.Set(name, LongValue(i)) }
func (b *Builder) Double(name string, f float64) *Builder {
	return b.Set(name, DoubleValue(f))
}
func (b *Builder) Bool(name string, v bool) *Builder    { return b.Set(name, BoolValue(v)) }
func (b *Builder) Null(name string) *Builder            { return b.Set(name, NullValue()) }
func (b *Builder) SetDoc(name string, d Doc) *Builder   { return b.Set(name, DocValue(d)) }
func (b *Builder) SetArray(name string, d Doc) *Builder { return b.Set(name, ArrayValue(d)) }
func (b *Builder) ItemDoc(d Doc) *Builder               { return b.Item(DocValue(d)) }
func (b *Builder) ItemStr(s string) *Builder            { return b.Item(StringValue(s)) }
func (b *Builder) Str(name string, s string) *Builder {
	b.head(String, name)
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(len(s)+1))
	b.buf = append(b.buf, s...)
	b.buf = append(b.buf, 0)
	return b
}

// Number is an integer as the server writes it where both fit: int32 if it can.
func (b *Builder) Number(name string, i int64) *Builder { return b.Set(name, NumberValue(i)) }

// NumberValue is i as Int32 if it fits, else Int64.
func NumberValue(i int64) Value {
	if int64(int32(i)) == i {
		return IntValue(int32(i))
	}
	return LongValue(i)
}

// ArrayOf is an array of the values; Missing is written as null.
func ArrayOf(vs ...Value) Value {
	n := 8
	for _, v := range vs {
		n += v.Size() + 6
	}
	b := NewBuilder(n)
	for _, v := range vs {
		b.Item(v)
	}
	return b.Array()
}

// D is a document of the elements.
func D(es ...Element) Doc {
	var b Builder
	for _, e := range es {
		b.Set(e.Name, e.Value)
	}
	return b.Doc()
}

// E is shorthand for an Element.
func E(name string, v Value) Element { return Element{name, v} }
