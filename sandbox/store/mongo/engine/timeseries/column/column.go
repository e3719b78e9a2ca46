// Package column reads compressed columns, the form in which MongoDB keeps one field of
// a time series bucket: a BSON binary of subtype 7, in which values stand as they are or
// as differences to the one before, packed in Simple-8b blocks
// (github.com/mongodb/mongo, src/mongo/bson/column/README.md).
//
// Package timeseries calls it. It never writes columns, and it trusts nothing in them:
// what isn't one is an error, and what would unfold without end stops at a budget.
package column

import (
	"errors"
	"fmt"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Subtype is the one of a binary that holds a column.
const Subtype = 7

// ErrTooLarge says that the columns unfold to more than their budget.
var ErrTooLarge = errors.New("the column unfolds to too many values")

// Broken is what stands in the place of a column and isn't one.
type Broken struct{ Why string }

func (b *Broken) Error() string { return "invalid BSON column: " + b.Why }

func broken(format string, args ...any) error { return &Broken{fmt.Sprintf(format, args...)} }

// The bytes that begin something other than a value or a run of blocks.
const (
	end           = 0x00 // of the column, or of a run of objects
	objectsOnly   = 0xf0 // a run of objects whose arrays are taken whole
	objectsArrays = 0xf1 // a run of objects, arrays taken apart too
	arrays        = 0xf2 // a run of arrays
	sameBits      = 0x80 // a run of blocks whose numbers are the values' bits
)

// maxNesting is what a column's place in a document may add to a value's depth.
const maxNesting = 8

// Decoder reads a column from its beginning.
type Decoder struct {
	data   []byte
	at     int
	budget *int64
	value  stream // of values that aren't taken apart
	run    *run   // of objects that are; nil: none
	over   bool
}

// New reads the bytes of a column. budget is what all decoders that share it may still
// unfold, in bytes and about one more for each value.
func New(data []byte, budget *int64) *Decoder { return &Decoder{data: data, budget: budget} }

// Next answers the next value, Missing for a row that doesn't have the field. ok is
// false at the end.
func (d *Decoder) Next() (v bsonval.Value, ok bool, err error) {
	for !d.over {
		v, ok, err = d.step()
		if err != nil || ok {
			if err == nil {
				err = d.spend(int64(v.Size()) + 1)
			}
			d.over = err != nil
			return v, err == nil, err
		}
	}
	return bsonval.Value{}, false, nil
}

func (d *Decoder) spend(n int64) error {
	if *d.budget -= n; *d.budget < 0 {
		return ErrTooLarge
	}
	return nil
}

// step answers a value, or comes to the end of a part: then ok is false.
func (d *Decoder) step() (v bsonval.Value, ok bool, err error) {
	if d.run != nil {
		return d.object()
	}
	if more, err := d.value.more(); more || err != nil {
		if err != nil {
			return v, false, err
		}
		v, err = d.value.apply()
		return v, true, err
	}
	if d.at >= len(d.data) {
		return v, false, broken("it has no end")
	}
	switch d.data[d.at] {
	case end:
		if d.at++; d.at != len(d.data) {
			return v, false, broken("something follows its end")
		}
		d.over = true
		return v, false, nil
	case objectsOnly, objectsArrays, arrays:
		return v, false, d.begin()
	}
	v, err = d.control(&d.value)
	return v, err == nil, err
}

// control reads a value that stands as it is, or begins a run of blocks, for a stream.
func (d *Decoder) control(s *stream) (bsonval.Value, error) {
	if d.at >= len(d.data) {
		return bsonval.Value{}, broken("it has no end")
	}
	c := d.data[d.at]
	if c&0xe0 == 0 || c == byte(bsonval.MinKey) || c == byte(bsonval.MaxKey) {
		return d.literal(s, bsonval.Type(c))
	}
	size := (int(c&0x0f) + 1) * blockSize
	if d.at+1+size >= len(d.data) {
		return bsonval.Value{}, broken("its blocks run out of it")
	}
	data := d.data[d.at+1 : d.at+1+size]
	d.at += 1 + size
	return s.load(c&0xf0, data)
}

func (d *Decoder) literal(s *stream, t bsonval.Type) (bsonval.Value, error) {
	if d.at+1 >= len(d.data) || d.data[d.at+1] != 0 {
		return bsonval.Value{}, broken("a value in it has a name")
	}
	n, err := bsonval.ValidateValue(t, d.data[d.at+2:], maxNesting)
	if err != nil {
		return bsonval.Value{}, broken("%v", err)
	}
	v := bsonval.RawValue(t, d.data[d.at+2:d.at+2+n])
	d.at += 2 + n
	s.reset(v)
	return v, nil
}
