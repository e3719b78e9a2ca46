package bsonval

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"
)

// Doc is a whole BSON document (or an array's body), length and final zero included.
type Doc []byte

// Empty is a document without fields.
var emptyDoc = Doc{5, 0, 0, 0, 0}

// EmptyDoc answers the document without fields.
func EmptyDoc() Doc { return emptyDoc }

// Element is a named value.
type Element struct {
	Name  string
	Value Value
}

// Iter walks a document's elements in order.
//
//	for it := d.Iter(); it.Next(); { it.Name(); it.Value() }
type Iter struct {
	doc        Doc
	at, val, e int // this element, its value and its end
}

// Iter starts before the first element.
func (d Doc) Iter() Iter {
	if len(d) < 5 {
		return Iter{doc: emptyDoc, at: 4, e: 4}
	}
	return Iter{doc: d, at: 4, e: 4}
}

// Next goes to the next element and tells whether there is one.
func (it *Iter) Next() bool {
	d, at := it.doc, it.e
	it.at = at
	t := Type(d[at])
	if t == Missing {
		return false
	}
	val := nameEnd(d, at+1) + 1
	it.val, it.e = val, val+size(t, d[val:])
	return true
}

// nameEnd is where the name that starts at i ends: the place of its zero byte. Eight
// bytes are looked at together (Mycroft's test for a zero byte in a word), since names
// are short and every walk passes over them.
func nameEnd(d Doc, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(d); i += 8 {
		w := binary.LittleEndian.Uint64(d[i:])
		if zero := (w - ones) &^ w & tops; zero != 0 {
			return i + bits.TrailingZeros64(zero)/8
		}
	}
	for d[i] != 0 {
		i++
	}
	return i
}

// Type, Name and Value are those of the element that Next went to.
func (it *Iter) Type() Type   { return Type(it.doc[it.at]) }
func (it *Iter) Name() string { return text(it.doc[it.at+1 : it.val-1]) }
func (it *Iter) Value() Value {
	return RawValue(Type(it.doc[it.at]), it.doc[it.val:it.e:it.e])
}

// Raw is the whole element: type, name and value, to be copied as it is.
func (it *Iter) Raw() []byte { return it.doc[it.at:it.e] }

// Widths beyond those of a fixed size: a value that begins with its length has counted
// and what that length leaves out.
const (
	counted  = 0x80
	patterns = 0x7f // two texts that end with a zero byte
)

var widths = [256]byte{
	Double: 8, Date: 8, Timestamp: 8, Int64: 8, Int32: 4, Bool: 1, ObjectID: 12, Decimal128: 16,
	Object: counted, Array: counted, CodeScope: counted, String: counted + 4, Symbol: counted + 4,
	Code: counted + 4, Binary: counted + 5, DBPointer: counted + 16, Regex: patterns,
}

// size is the length of a value of type t at the start of b, which must be valid.
func size(t Type, b []byte) int {
	w := widths[t]
	switch {
	case w < patterns:
		return int(w)
	case w == patterns:
		return regexSize(b)
	}
	return int(w-counted) + int(binary.LittleEndian.Uint32(b))
}

func regexSize(b []byte) int {
	n := bytes.IndexByte(b, 0) + 1
	return n + bytes.IndexByte(b[n:], 0) + 1
}

// All ranges over names and values in order.
func (d Doc) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for it := d.Iter(); it.Next(); {
			if !yield(it.Name(), it.Value()) {
				return
			}
		}
	}
}

// Values ranges over the values in order: an array's elements.
func (d Doc) Values() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for it := d.Iter(); it.Next(); {
			if !yield(it.Value()) {
				return
			}
		}
	}
}

// Get is the first field with that name, or Missing. No dots are understood.
func (d Doc) Get(name string) Value {
	if len(d) < 5 {
		return Value{}
	}
	at, val, end := d.find(name)
	return RawValue(Type(d[at]), d[val:end:end])
}

// find is where the first element with that name begins, where its value does, and where
// it ends; without one, all three are the place of the document's final zero.
func (d Doc) find(name string) (at, val, end int) {
	for at = 4; ; at = end {
		t := Type(d[at])
		if t == Missing {
			return at, at, at
		}
		val = nameEnd(d, at+1) + 1
		end = val + size(t, d[val:])
		if val-at-2 == len(name) && text(d[at+1:val-1]) == name {
			return at, val, end
		}
	}
}

// Cut is Get with the whole elements before and after the field, as Builder.Raw takes
// them; where it is missing, all are before it.
func (d Doc) Cut(name string) (before []byte, v Value, after []byte) {
	if len(d) < 5 {
		return nil, Value{}, nil
	}
	at, val, end := d.find(name)
	return d[4:at], RawValue(Type(d[at]), d[val:end:end]), d[end : len(d)-1]
}

// First is the first element; a document without one gives an empty name and Missing.
func (d Doc) First() Element {
	it := d.Iter()
	if !it.Next() {
		return Element{}
	}
	return Element{it.Name(), it.Value()}
}

// At is the i-th value (0 for the first), or Missing.
func (d Doc) At(i int) Value {
	for it := d.Iter(); i >= 0 && it.Next(); i-- {
		if i == 0 {
			return it.Value()
		}
	}
	return Value{}
}

// Len counts the elements, by walking.
func (d Doc) Len() int {
	n := 0
	for it := d.Iter(); it.Next(); {
		n++
	}
	return n
}

// IsEmpty tells a document without fields.
func (d Doc) IsEmpty() bool { return len(d) <= 5 }

// Elements are all elements, in a new slice.
func (d Doc) Elements() []Element {
	var out []Element
	for it := d.Iter(); it.Next(); {
		out = append(out, Element{it.Name(), it.Value()})
	}
	return out
}

// Slice are all values, in a new slice.
func (d Doc) Slice() []Value {
	var out []Value
	for it := d.Iter(); it.Next(); {
		out = append(out, it.Value())
	}
	return out
}

// Clone is a copy with bytes of its own.
func (d Doc) Clone() Doc { return append(make(Doc, 0, len(d)), d...) }

// Same tells documents with the same bytes.
func (d Doc) Same(e Doc) bool { return bytes.Equal(d, e) }
