package plan

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// IndexFilter says which indexes alone may serve queries of one shape, whatever a hint
// says.
type IndexFilter struct {
	Spec    bsonval.Doc // as planCacheListFilters shows it
	Indexes bsonval.Doc // an array of names and key patterns
}

// allows tells whether the filter names the index.
func (f *IndexFilter) allows(d *index.Def) bool {
	for v := range f.Indexes.Values() {
		if v.Type() == bsonval.String && v.Str() == d.Name ||
			v.Type() == bsonval.Object && bsonval.Compare(v, bsonval.DocValue(d.Pattern)) == 0 {
			return true
		}
	}
	return false
}

// maxFilters bounds the index filters that are remembered.
const maxFilters = 1000

// SetFilter keeps an index filter until the server stops; plans remembered for the
// collection are forgotten.
func (c *Cache) SetFilter(coll *storage.Collection, shape string, f IndexFilter) {
	c.Clear(coll, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.filters == nil || len(c.filters) >= maxFilters {
		c.filters = map[filterKey]*IndexFilter{}
	}
	c.filters[filterKey{coll.UUID, shape}] = &f
}

// filterKey is whose queries a filter is for.
type filterKey struct {
	coll  [16]byte
	shape string
}

// ClearFilters forgets a collection's index filters, or that of one shape.
func (c *Cache) ClearFilters(coll *storage.Collection, shape string) {
	c.Clear(coll, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.filters {
		if k.coll == coll.UUID && (shape == "" || k.shape == shape) {
			delete(c.filters, k)
		}
	}
}

// Filters are a collection's index filters, sorted.
func (c *Cache) Filters(coll *storage.Collection) []bsonval.Doc {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []bsonval.Doc
	for k, f := range c.filters {
		if k.coll == coll.UUID {
			out = append(out, f.Spec)
		}
	}
	slices.SortFunc(out, func(a, b bsonval.Doc) int { return bsonval.Compare(bsonval.DocValue(a), bsonval.DocValue(b)) })
	return out
}

// indexFilter is the filter for the plan's query; nil for none.
func (p *Plan) indexFilter() *IndexFilter {
	c := p.query.Cache
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.filters) == 0 {
		return nil
	}
	return c.filters[filterKey{p.coll.UUID, p.Shape()}]
}
