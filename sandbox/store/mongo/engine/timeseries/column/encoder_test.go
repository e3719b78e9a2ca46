package column

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// encoder writes columns for the tests: of the many ways to write one it takes any.
type encoder struct{ *rand.Rand }

// chunk is a literal, or a control byte with its blocks.
type chunk struct {
	data []byte
	rows int
}

func zigzag(n wide, whole bool) wide {
	sign := uint64(int64(n.lo) >> 63)
	if !whole {
		return wide{lo: n.lo<<1 ^ sign}
	}
	sign = uint64(int64(n.hi) >> 63)
	return wide{hi: (n.hi<<1 | n.lo>>63) ^ sign, lo: n.lo<<1 ^ sign}
}

func (a wide) minus(b wide) wide {
	return a.add(wide{hi: ^b.hi, lo: ^b.lo}).add(wide{lo: 1})
}

// delta is one place of a block.
type delta struct {
	n       wide
	missing bool
}

// chunks writes values, Missing for none, as a stream has them. first is the value that
// an object's form has; Missing for the beginning of a column.
func (e encoder) chunks(first bsonval.Value, vs []bsonval.Value) []chunk {
	var out []chunk
	var s stream
	s.reset(first)
	var last delta // what a block may repeat
	literal := func(v bsonval.Value) {
		out = append(out, chunk{v.Append([]byte{byte(v.Type()), 0}), 1})
		s.reset(v)
		last = delta{}
	}
	for i := 0; i < len(vs); {
		if v := vs[i]; !v.IsMissing() && e.IntN(12) == 0 {
			literal(v)
			i++
			continue
		}
		kind, deltas := e.deltas(&s, vs[i:])
		if len(deltas) == 0 {
			literal(vs[i])
			i++
			continue
		}
		out = append(out, e.pack(kind, &s, deltas, last)...)
		last = deltas[len(deltas)-1]
		i += len(deltas)
	}
	return out
}

// deltas are those to the next values, as far as differences can say them.
func (e encoder) deltas(s *stream, vs []bsonval.Value) (kind byte, out []delta) {
	kinds := []byte{sameBits}
	if s.last.Type() == bsonval.Double {
		kinds = []byte{sameBits, 0x90, 0xa0, 0xb0, 0xc0, 0xd0}
	}
	kind = kinds[e.IntN(len(kinds))]
	trial := *s
	trial.blocks = blocks{}
	if s.last.Type() == bsonval.Double {
		trial.scale, _ = scaleOf(kind)
		n, ok := doubleNumber(s.last.Double(), trial.scale)
		if !ok {
			kind, trial.scale = sameBits, 0
			n = math.Float64bits(s.last.Double())
		}
		trial.number.lo = n
	}
	most := 1 + e.IntN(200)
	for _, v := range vs {
		if len(out) == most {
			break
		}
		if v.IsMissing() {
			out = append(out, delta{missing: true})
			continue
		}
		d, ok := e.difference(&trial, v)
		if !ok {
			break
		}
		out = append(out, delta{n: d})
	}
	*s = trial
	return kind, out
}

func (e encoder) difference(s *stream, v bsonval.Value) (wide, bool) {
	if s.last.Type() != v.Type() {
		return wide{}, false
	}
	var to stream
	to.reset(v)
	if v.Type() == bsonval.Double {
		n, ok := doubleNumber(v.Double(), s.scale)
		if !ok {
			return wide{}, false
		}
		to.number.lo = n
	}
	trial := *s
	d := wide{lo: to.number.lo - s.number.lo}
	switch {
	case s.whole():
		d = to.number.minus(s.number)
	case s.counted():
		d.lo -= s.step
	}
	z := zigzag(d, s.whole())
	trial.blocks.last = z
	got, err := trial.apply()
	if err != nil || !got.Same(v) || !e.fits(z) {
		return wide{}, false
	}
	*s = trial
	return z, true
}

func (e encoder) fits(z wide) bool {
	_, ok := e.slot(z, layout{bits: 60})
	for _, all := range [][16]layout{seventh, eighth} {
		for _, l := range all {
			if _, fits := e.slot(z, l); fits {
				ok = true
			}
		}
	}
	return ok
}

// slot is the number as a layout writes it.
func (e encoder) slot(z wide, l layout) (uint64, bool) {
	if l.bits == 0 {
		return 0, false
	}
	mask := uint64(1)<<l.bits - 1
	for n := range 1 << l.count {
		by := n * int(l.step)
		v := z.lo
		if by >= 64 {
			v = z.hi >> (by - 64)
		} else if by > 0 {
			v = z.lo>>by | z.hi<<(64-by)
		}
		s := v<<l.count | uint64(n)
		if shifted(v, by) == z && v <= mask>>l.count && s != mask {
			return s, true
		}
	}
	return 0, false
}

// pack makes runs of blocks of deltas.
func (e encoder) pack(kind byte, s *stream, ds []delta, last delta) []chunk {
	var out []chunk
	var data []byte
	rows, n := 0, 0
	flush := func() {
		if n > 0 {
			out = append(out, chunk{append([]byte{kind | byte(n-1)}, data...), rows})
		}
		data, rows, n = nil, 0, 0
	}
	for len(ds) > 0 {
		block, took := e.block(ds, last)
		data = binary.LittleEndian.AppendUint64(data, block)
		last = ds[took-1]
		ds, rows, n = ds[took:], rows+took, n+1
		if n == 16 || s.last.Type() != bsonval.Double && e.IntN(5) == 0 {
			flush()
		}
	}
	flush()
	return out
}

// block packs the first deltas in a layout that is filled by them.
func (e encoder) block(ds []delta, last delta) (uint64, int) {
	same := 0
	for same < len(ds) && ds[same] == last {
		same++
	}
	if units := min(same/repeatUnits, 16); units > 0 && e.IntN(3) > 0 {
		return uint64(units-1)<<4 | repeats, units * repeatUnits
	}
	for try := 0; ; try++ {
		which, i := e.IntN(3), uint64(e.IntN(16))
		l, head, shift := plain[i], i, uint8(4)
		switch which {
		case 1:
			l, head, shift = seventh[i], i<<4|7, 8
		case 2:
			l, head, shift = eighth[i], i<<4|8, 8
		}
		if l.bits == 0 {
			continue
		}
		count := int(64-shift) / int(l.bits)
		if block, ok := e.fill(ds, l, count, head, shift); ok {
			return block, count
		}
	}
}

func (e encoder) fill(ds []delta, l layout, count int, block uint64, shift uint8) (uint64, bool) {
	if count > len(ds) {
		return 0, false
	}
	for _, d := range ds[:count] {
		slot, ok := uint64(1)<<l.bits-1, true
		if !d.missing {
			slot, ok = e.slot(d.n, l)
		}
		if !ok {
			return 0, false
		}
		block |= slot << shift
		shift += l.bits
	}
	return block, true
}

// column puts chunks one behind the other.
func column(cs []chunk) []byte {
	var out []byte
	for _, c := range cs {
		out = append(out, c.data...)
	}
	return append(out, end)
}

// interleaved writes a run of objects with the form's fields.
func interleaved(kind byte, form bsonval.Doc, streams [][]chunk, rows int) []byte {
	out := append([]byte{kind}, form...)
	left := make([]int, len(streams))
	for range rows {
		for i := range streams {
			if left[i] == 0 {
				out = append(out, streams[i][0].data...)
				left[i], streams[i] = streams[i][0].rows, streams[i][1:]
			}
			left[i]--
		}
	}
	return append(out, end)
}
