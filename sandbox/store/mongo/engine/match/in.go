package match

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// NewIn is { path: { $in: values } } for a planner that rewrites a filter. Values are
// neither patterns nor undefined.
func NewIn(path string, values []bsonval.Value, c bsonval.Collator) *Field {
	in := newIn()
	for _, v := range values {
		in.add(v, c)
	}
	in.sort(c)
	return NewField(path, in)
}

func newIn() *In { return &In{keys: map[string]bool{}} }

func (p *In) add(v bsonval.Value, c bsonval.Collator) {
	p.null = p.null || v.Type() == bsonval.Null
	p.Values = append(p.Values, v)
	p.keys[string(bsonval.AppendKey(nil, v, c))] = true
}

// sort puts the values in order, each once.
func (p *In) sort(c bsonval.Collator) {
	slices.SortFunc(p.Values, func(a, b bsonval.Value) int { return bsonval.CompareWith(a, b, c) })
	p.Values = slices.CompactFunc(p.Values, func(a, b bsonval.Value) bool { return bsonval.CompareWith(a, b, c) == 0 })
}
