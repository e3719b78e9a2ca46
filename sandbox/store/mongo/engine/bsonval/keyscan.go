package bsonval

import (
	"encoding/binary"
	"math"
)

// KeyLen is the length of the first value's key in a string of keys as AppendKey makes
// them; inverted says that InvertKey has turned that one around. The keys of an
// index's fields are told apart by it. Anything that is no key gives len(key).
func KeyLen(key string, inverted bool) int {
	s := keyScanner{key: key}
	if inverted {
		s.mask = 0xff
	}
	s.value()
	return min(s.at, len(key))
}

type keyScanner struct {
	key  string
	mask byte
	at   int
}

// next is the byte at the scanner's place, which moves on; past the end it is 0.
func (s *keyScanner) next() byte {
	if s.at >= len(s.key) {
		s.at = len(s.key)
		return 0
	}
	b := s.key[s.at] ^ s.mask
	s.at++
	return b
}

func (s *keyScanner) done() bool { return s.at >= len(s.key) }

func (s *keyScanner) value() {
	t := s.next()
	switch t {
	case order[Int32]:
		s.number()
	case order[String], order[Code]:
		s.text()
	case order[Object], order[Array]:
		s.nested(t == order[Object])
	case order[Binary]:
		s.at += 1 + int(s.size())
	case order[ObjectID]:
		s.at += 12
	case order[Bool]:
		s.at++
	case order[Date], order[Timestamp]:
		s.at += 8
	case order[Regex]:
		s.text()
		s.text()
	case order[DBPointer]:
		s.at += max(0, int(s.size())-4)
	case order[CodeScope]:
		s.text()
		s.value()
	}
}

func (s *keyScanner) size() uint32 {
	return binary.BigEndian.Uint32([]byte{s.next(), s.next(), s.next(), s.next()})
}

// text goes past two zeros; a zero in the text is followed by 0xff.
func (s *keyScanner) text() {
	for !s.done() {
		if s.next() == 0 && s.next() == 0 {
			return
		}
	}
}

func (s *keyScanner) nested(names bool) {
	for !s.done() && s.key[s.at]^s.mask != 0 {
		if names {
			s.next()
			s.text()
		}
		s.value()
	}
	s.next()
}

// number goes past the double and, where that is not exact, the digits, which are
// turned around for negative numbers.
func (s *keyScanner) number() {
	s.at += 8
	if s.next() == 0 {
		return
	}
	end := byte(0)
	if s.next() == 0xfe {
		end = 0xff
	}
	s.at += 2
	for !s.done() && s.next() != end {
	}
}

// KeyDouble is the double whose key, not inverted, key begins with.
func KeyDouble(key string) float64 {
	if len(key) < 9 {
		return 0
	}
	u := binary.BigEndian.Uint64([]byte(key[1:9]))
	if u>>63 != 0 {
		return math.Float64frombits(u ^ 1<<63)
	}
	return math.Float64frombits(^u)
}
