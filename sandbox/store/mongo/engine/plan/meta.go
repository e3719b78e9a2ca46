package plan

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// asked is what {$meta: …} wants to know of each row beside its document.
type asked struct {
	order    *expr.Order // of the sort key; nil: it isn't asked for
	indexKey bool
	fields   []string // where RETURN_KEY puts the sort key
}

// asks reads the query's; metas are the names in its projection.
func (q *Query) asks(metas []string) (a asked, err error) {
	a.indexKey = q.IndexKey || slices.Contains(metas, "indexKey")
	if !slices.Contains(metas, "sortKey") || len(q.Sort) <= 5 || onlyNatural(q.Sort) {
		return a, nil
	}
	for path, v := range q.Projection.All() {
		if v.Type() == bsonval.Object && v.Doc().Get("$meta").Type() == bsonval.String && v.Doc().Get("$meta").Str() == "sortKey" {
			a.fields = append(a.fields, path)
		}
	}
	a.order, err = expr.ParseOrder(q.Sort)
	return a, err
}

// sortKey is what m is ordered by, an array.
func (x *execution) sortKey(m *member) bsonval.Value {
	row := m.row
	row.Doc = x.doc(m)
	x.frame.Reset(row)
	v := x.asked.order.Value(x.frame, x.frame.Root())
	if len(x.asked.order.Parts) == 1 {
		return bsonval.ArrayOf(v)
	}
	return v
}

// told is the row of m with what was asked about it.
func (x *execution) told(m *member) stream.Row {
	x.doc(m)
	if x.asked.order == nil && !(x.asked.indexKey && m.scan != nil) {
		return m.row
	}
	var meta stream.Meta
	if m.row.Meta != nil {
		meta = *m.row.Meta
	}
	if x.asked.order != nil {
		meta.SortKey = x.sortKey(m)
	}
	if x.asked.indexKey && m.scan != nil {
		meta.IndexKey = bsonval.DocValue(m.scan.keyDocument(m.row.Doc, m.entry))
	}
	row := m.row
	row.Meta = &meta
	return row
}

// withSortKeys puts the sort key into an index's key, where the projection asks it.
func (x *execution) withSortKeys(key bsonval.Doc, v bsonval.Value) bsonval.Doc {
	b := bsonval.BuilderOf(key)
	for _, path := range x.asked.fields {
		parts := strings.Split(path, ".")
		at := v
		for i := len(parts) - 1; i > 0; i-- {
			at = bsonval.DocValue(bsonval.D(bsonval.E(parts[i], at)))
		}
		b.Set(parts[0], at)
	}
	return b.Doc()
}
