package bsonval

import (
	"bytes"
	"encoding/binary"
	"iter"
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
	doc              Doc
	at, name, val, e int // next element; this one's name, value and end
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
	it.at = it.e
	t := Type(it.doc[it.at])
	if t == Missing {
		return false
	}
	it.name = it.at + 1
	i := it.name
	for it.doc[i] != 0 {
		i++
	}
	it.val = i + 1
	it.e = it.val + size(t, it.doc[it.val:])
	return true
}

// Type, Name and Value are those of the element that Next went to.
func (it *Iter) Type() Type   { return Type(it.doc[it.at]) }
func (it *Iter) Name() string { return text(it.doc[it.name : it.val-1]) }
func (it *Iter) Value() Value {
	return RawValue(Type(it.doc[it.at]), it.doc[it.val:it.e:it.e])
}

// Raw is the whole element: type, name and value, to be copied as it is.
func (it *Iter) Raw() []byte { return it.doc[it.at:it.e] }

// size is the length of a value of type t at the start of b, which must be valid.
func size(t Type, b []byte) int {
	switch t {
	case Double, Date, Timestamp, Int64:
		return 8
	case Int32:
		return 4
	case Bool:
		return 1
	case Object, Array, CodeScope:
		return int(binary.LittleEndian.Uint32(b))
	case String, Symbol, Code:
		return 4 + int(binary.LittleEndian.Uint32(b))
	case Binary:
		return 5 + int(binary.LittleEndian.Uint32(b))
	case ObjectID:
		return 12
	case Decimal128:
		return 16
	case DBPointer:
		return 16 + int(binary.LittleEndian.Uint32(b))
	case Regex:
		n := bytes.IndexByte(b, 0) + 1
		return n + bytes.IndexByte(b[n:], 0) + 1
	}
	return 0
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
	for it := d.Iter(); it.Next(); {
		if it.Name() == name {
			return it.Value()
		}
	}
	return Value{}
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
