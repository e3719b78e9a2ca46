package accum

import (
	"math"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Percentiles keeps numbers to answer which of them stands at a share of the way. It
// is exact: the server's approximation answers the same while it has few values.
type Percentiles struct {
	values []float64
	sorted bool
}

// Add takes a number in and answers how many bytes that took; anything else, and NaN,
// is left out.
func (p *Percentiles) Add(v bsonval.Value) int {
	if !v.IsNumber() || v.IsNaN() {
		return 0
	}
	p.values = append(p.values, v.Float())
	p.sorted = false
	return 8
}

// At is the value at share (0 to 1): the least one that so many are not above. It is
// null when there is none.
func (p *Percentiles) At(share float64) bsonval.Value {
	n := len(p.values)
	if n == 0 {
		return bsonval.NullValue()
	}
	if !p.sorted {
		slices.Sort(p.values)
		p.sorted = true
	}
	rank := n - 1
	if share < 1 {
		rank = max(0, int(math.Ceil(float64(n)*share))-1)
	}
	return bsonval.DoubleValue(p.values[rank])
}
