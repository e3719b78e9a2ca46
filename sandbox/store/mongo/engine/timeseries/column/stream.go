package column

import (
	"encoding/binary"
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// stream is a sequence of values of one place: of the column, or of one field of the
// objects in it. The differences build on the last value that was there.
type stream struct {
	blocks blocks
	last   bsonval.Value // Missing: none yet
	scale  float64       // what doubles were multiplied with; 0: their bits are the number
	number wide          // the last value as a number
	step   uint64        // and of types whose differences are counted, the last difference
}

// reset begins anew with a value.
func (s *stream) reset(v bsonval.Value) {
	*s = stream{last: v}
	switch v.Type() {
	case bsonval.String, bsonval.Code:
		s.number = textNumber(v.Str())
	case bsonval.Binary:
		_, data := v.Binary()
		s.number = bytesNumber(data)
	case bsonval.Decimal128:
		b := v.Bytes()
		s.number = wide{hi: binary.LittleEndian.Uint64(b[8:]), lo: binary.LittleEndian.Uint64(b)}
	case bsonval.ObjectID:
		s.number.lo = idNumber(v.ObjectID())
	case bsonval.Timestamp:
		s.number.lo = v.Timestamp()
	case bsonval.Date, bsonval.Int32, bsonval.Int64:
		s.number.lo = uint64(v.Int64())
	case bsonval.Bool:
		if v.Bool() {
			s.number.lo = 1
		}
	}
}

// whole tells the types whose numbers have 128 bits.
func (s *stream) whole() bool {
	switch s.last.Type() {
	case bsonval.String, bsonval.Code, bsonval.Binary, bsonval.Decimal128:
		return true
	}
	return false
}

// more tells whether the blocks at hand have another difference, and takes it.
func (s *stream) more() (bool, error) {
	if !s.blocks.begun {
		return false, nil
	}
	return s.blocks.next(s.whole())
}

// load begins a run of blocks and answers the first value in it.
func (s *stream) load(kind byte, data []byte) (bsonval.Value, error) {
	scale, ok := scaleOf(kind)
	if !ok {
		return bsonval.Value{}, broken("byte 0x%02x begins nothing", kind)
	}
	if s.last.Type() == bsonval.Double {
		s.scale = scale
		n, ok := doubleNumber(s.last.Double(), scale)
		if !ok {
			return bsonval.Value{}, broken("a double can't have the scale of its blocks")
		}
		s.number.lo = n
	} else if kind != sameBits {
		return bsonval.Value{}, broken("only doubles have a scale")
	}
	if err := s.blocks.set(data, s.whole()); err != nil {
		return bsonval.Value{}, err
	}
	return s.apply()
}

func scaleOf(kind byte) (scale float64, ok bool) {
	switch kind {
	case sameBits:
		return 0, true
	case 0x90:
		return 1, true
	case 0xa0:
		return 10, true
	case 0xb0:
		return 100, true
	case 0xc0:
		return 10_000, true
	case 0xd0:
		return 100_000_000, true
	}
	return 0, false
}

// apply answers the value that the difference at hand makes.
func (s *stream) apply() (bsonval.Value, error) {
	if s.blocks.missing || s.last.IsMissing() {
		return bsonval.Value{}, nil
	}
	d := s.blocks.last
	if s.counted() {
		s.step += d.signed(false).lo
		s.number.lo += s.step
	} else {
		if d == (wide{}) {
			return s.last, nil
		}
		s.number = s.number.add(d.signed(s.whole()))
	}
	v, err := s.value()
	if err == nil {
		s.last = v
	}
	return v, err
}

// counted tells the types of which the differences' differences are kept.
func (s *stream) counted() bool {
	switch s.last.Type() {
	case bsonval.ObjectID, bsonval.Date, bsonval.Timestamp:
		return true
	}
	return false
}

// value makes the number a value of the last one's type.
func (s *stream) value() (bsonval.Value, error) {
	n := s.number.lo
	switch s.last.Type() {
	case bsonval.Double:
		if s.scale == 0 {
			return bsonval.DoubleValue(math.Float64frombits(n)), nil
		}
		return bsonval.DoubleValue(float64(int64(n)) / s.scale), nil
	case bsonval.Int32:
		return bsonval.IntValue(int32(n)), nil
	case bsonval.Int64:
		return bsonval.LongValue(int64(n)), nil
	case bsonval.Date:
		return bsonval.DateValue(int64(n)), nil
	case bsonval.Timestamp:
		return bsonval.TimestampOf(n), nil
	case bsonval.Bool:
		return bsonval.BoolValue(n != 0), nil
	case bsonval.ObjectID:
		return bsonval.ObjectIDValue(idOf(n, s.last.ObjectID())), nil
	case bsonval.String:
		return bsonval.StringValue(textOf(s.number)), nil
	case bsonval.Code:
		return bsonval.CodeValue(textOf(s.number)), nil
	case bsonval.Binary:
		return s.binary()
	case bsonval.Decimal128:
		return bsonval.DecimalValue(s.number.hi, s.number.lo), nil
	}
	return bsonval.Value{}, broken("a value of type %s can't change by a number", s.last.Type())
}

func (s *stream) binary() (bsonval.Value, error) {
	b := s.last.Bytes()
	if len(b) > 5+16 {
		return bsonval.Value{}, broken("a binary of more than 16 bytes can't change by a number")
	}
	le := s.number.bytes()
	out := append(append(make([]byte, 0, len(b)), b[:5]...), le[:len(b)-5]...)
	if _, err := bsonval.ValidateValue(bsonval.Binary, out, 0); err != nil {
		return bsonval.Value{}, broken("%v", err) // the length within one of subtype 2
	}
	return bsonval.RawValue(bsonval.Binary, out), nil
}
