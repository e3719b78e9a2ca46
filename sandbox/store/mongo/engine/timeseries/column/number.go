package column

import (
	"encoding/binary"
	"math"
	"slices"
)

// bytes are the number's, the lowest first.
func (a wide) bytes() [16]byte {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], a.lo)
	binary.LittleEndian.PutUint64(b[8:], a.hi)
	return b
}

// bytesNumber is up to 16 bytes as a number; longer ones have none.
func bytesNumber(data []byte) wide {
	var b [16]byte
	if len(data) > len(b) {
		return wide{}
	}
	copy(b[:], data)
	return wide{hi: binary.LittleEndian.Uint64(b[8:]), lo: binary.LittleEndian.Uint64(b[:])}
}

// textNumber is a string as a number, its last byte the lowest. One that is longer than
// 16 bytes, or begins with a zero, has none.
func textNumber(s string) wide {
	if s == "" || s[0] == 0 || len(s) > 16 {
		return wide{}
	}
	b := []byte(s)
	slices.Reverse(b)
	return bytesNumber(b)
}

func textOf(n wide) string {
	b := n.bytes()
	size := len(b)
	for size > 0 && b[size-1] == 0 {
		size--
	}
	slices.Reverse(b[:size])
	return string(b[:size])
}

// idPlaces are the bytes of an ObjectId that its number is made of, the lowest first:
// those of the counter and the time that change most. The other five stay.
var idPlaces = [7]int{11, 3, 10, 2, 9, 1, 0} //nolint:gochecknoglobals // constant

func idNumber(id [12]byte) uint64 {
	n := uint64(0)
	for i, place := range idPlaces {
		n |= uint64(id[place]) << (8 * i)
	}
	return n
}

func idOf(n uint64, last [12]byte) [12]byte {
	for i, place := range idPlaces {
		last[place] = byte(n >> (8 * i))
	}
	return last
}

// maxExact is the largest whole number that a double has exactly with all below it.
const maxExact = 1 << 53

// doubleNumber is a double as a number, multiplied with scale, or its bits for scale 0.
// ok is false when it would not come back as it was.
func doubleNumber(f, scale float64) (n uint64, ok bool) {
	if scale == 0 {
		return math.Float64bits(f), true
	}
	big := f * scale
	if !(big >= -maxExact && big <= maxExact) {
		return 0, false
	}
	i := int64(math.Round(big))
	return uint64(i), math.Float64bits(float64(i)/scale) == math.Float64bits(f)
}
