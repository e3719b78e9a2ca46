package plan

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// world is a collection with random documents and indexes, and random questions.
type world struct {
	*rand.Rand
	t testing.TB
}

var paths = []string{"a", "b", "a.b", "a.c", "c", "a.b.c"} //nolint:gochecknoglobals // constant

func (w *world) scalar() bsonval.Value {
	switch w.IntN(14) {
	case 0:
		return bsonval.NullValue()
	case 1, 2:
		return bsonval.StringValue([]string{"a", "b", "c", "A", "á", "B", ""}[w.IntN(7)] + "xyz"[:w.IntN(3)])
	case 3:
		return w.oddity()
	case 4:
		return bsonval.DoubleValue(float64(w.IntN(6)) + 0.5)
	case 5:
		return bsonval.LongValue(w.Int64N(6))
	case 6:
		return bsonval.BoolValue(w.IntN(2) == 0)
	case 7:
		return bsonval.DateValue(w.Int64N(4))
	}
	return bsonval.IntValue(w.Int32N(6))
}

// oddity is a value at a type's edge, or of a rare type.
func (w *world) oddity() bsonval.Value {
	all := []bsonval.Value{
		bsonval.MinKeyValue(), bsonval.MaxKeyValue(), bsonval.DoubleValue(math.NaN()), bsonval.DoubleValue(math.Inf(1)), bsonval.DoubleValue(math.Inf(-1)),
		bsonval.DoubleValue(math.Copysign(0, -1)), bsonval.ToDecimal(bsonval.IntValue(2)), bsonval.ToDecimal(bsonval.DoubleValue(math.NaN())), bsonval.LongValue(math.MaxInt64),
		bsonval.LongValue(math.MinInt64), bsonval.DoubleValue(math.MaxFloat64), bsonval.ArrayOf(), bsonval.DocValue(bsonval.EmptyDoc()), bsonval.ObjectIDValue([12]byte{1}),
		bsonval.BinaryValue(0, []byte("ab")), bsonval.BinaryValue(4, nil), bsonval.TimestampValue(1, 2), bsonval.RegexValue("^a", ""), bsonval.UndefinedValue(),
		bsonval.RawValue(bsonval.Symbol, []byte("\x02\x00\x00\x00a\x00")), bsonval.DateValue(math.MinInt64), bsonval.ArrayOf(bsonval.NullValue()), bsonval.ArrayOf(bsonval.ArrayOf()),
		bsonval.CodeValue(""), bsonval.CodeValue("a"), leastScoped(), leastPointer(), bsonval.ArrayOf(bsonval.MinKeyValue()), bsonval.ArrayOf(bsonval.MaxKeyValue()),
	}
	return all[w.IntN(len(all))]
}

func (w *world) value(depth int) bsonval.Value {
	switch w.IntN(8) {
	case 0:
		n := w.IntN(4)
		var b bsonval.Builder
		for range n {
			b.Item(w.value(depth + 1))
		}
		if depth > 2 {
			return w.scalar()
		}
		return b.Array()
	case 1, 2:
		if depth > 2 {
			return w.scalar()
		}
		var b bsonval.Builder
		for _, name := range []string{"b", "c"} {
			if w.IntN(3) > 0 {
				b.Set(name, w.value(depth+1))
			}
		}
		return b.Value()
	}
	return w.scalar()
}

func (w *world) document(id int) bsonval.Doc {
	var b bsonval.Builder
	b.Int32("_id", int32(id))
	for _, name := range []string{"a", "b", "c"} {
		if w.IntN(5) > 0 {
			b.Set(name, w.value(0))
		}
	}
	return b.Doc()
}

func (w *world) condition() bsonval.Value {
	one := func(name string, v bsonval.Value) bsonval.Value {
		return bsonval.DocValue(bsonval.D(bsonval.E(name, v)))
	}
	ops := []string{"$gt", "$gte", "$lt", "$lte", "$eq", "$ne"}
	switch w.IntN(21) {
	case 14:
		return one("$all", bsonval.ArrayOf(w.scalar(), w.scalar()))
	case 15:
		return one("$size", bsonval.IntValue(w.Int32N(3)))
	case 16:
		return one("$bitsAnySet", bsonval.IntValue(3))
	case 17:
		return bsonval.DocValue(bsonval.D(bsonval.E("$in", bsonval.ArrayOf(bsonval.RegexValue("^[ab]", "i"), w.scalar(), bsonval.NullValue()))))
	case 18:
		return one([]string{"$_internalExprEq", "$_internalExprGt", "$_internalExprGte", "$_internalExprLt", "$_internalExprLte"}[w.IntN(5)], w.scalar())
	case 0:
		return bsonval.DocValue(bsonval.D(bsonval.E("$gte", w.scalar()), bsonval.E("$lt", w.scalar())))
	case 1, 2, 3, 4:
		return one(ops[w.IntN(len(ops))], w.value(1))
	case 5:
		return one("$in", bsonval.ArrayOf(w.scalar(), w.value(2), w.scalar()))
	case 6:
		if w.IntN(4) == 0 {
			return one("$nin", bsonval.ArrayOf(bsonval.NullValue(), []bsonval.Value{w.scalar(), bsonval.ArrayOf()}[w.IntN(2)]))
		}
		return one("$nin", bsonval.ArrayOf(w.scalar(), w.scalar()))
	case 19:
		return one([]string{"$in", "$nin"}[w.IntN(2)], bsonval.ArrayOf())
	case 7:
		return one("$exists", bsonval.BoolValue(w.IntN(2) == 0))
	case 8:
		return one("$type", bsonval.StringValue([]string{"int", "date", "symbol", "number", "string", "array", "object", "null", "minKey", "undefined", "double", "regex", "bool"}[w.IntN(13)]))
	case 9:
		return bsonval.RegexValue([]string{"^a", "x", "^ab?", "^bx$", "^á", "^", "^a\\.?", "^(a|b)"}[w.IntN(8)], []string{"", "", "i", "m", "s"}[w.IntN(5)])
	case 10:
		return one("$not", one(ops[w.IntN(len(ops))], w.scalar()))
	case 11:
		return one("$elemMatch", bsonval.DocValue(bsonval.D(bsonval.E(ops[w.IntN(4)], w.scalar()), bsonval.E(ops[w.IntN(len(ops))], w.scalar()))))
	case 12:
		return one("$elemMatch", bsonval.DocValue(bsonval.D(bsonval.E("b", w.condition()), bsonval.E("c", w.condition()))))
	case 20:
		return one("$elemMatch", w.element())
	case 13:
		return one("$mod", bsonval.ArrayOf(bsonval.IntValue(2), bsonval.IntValue(w.Int32N(2))))
	}
	return w.value(1)
}

// element is a condition on one element: a range of a field in it, or any condition,
// also on an array in the array.
func (w *world) element() bsonval.Value {
	if w.IntN(2) == 0 {
		between := bsonval.D(bsonval.E("$gte", bsonval.IntValue(w.Int32N(6))), bsonval.E("$lte", bsonval.IntValue(w.Int32N(6))))
		return bsonval.DocValue(bsonval.D(bsonval.E("b", bsonval.DocValue(between))))
	}
	return w.condition()
}

func (w *world) filter(depth int) bsonval.Doc {
	var b bsonval.Builder
	used := map[string]bool{}
	for range 1 + w.IntN(3) {
		p := paths[w.IntN(len(paths))]
		if !used[p] {
			used[p] = true
			b.Set(p, w.condition())
		}
	}
	if w.IntN(6) == 0 {
		b.OpenDoc("$expr").Set([]string{"$eq", "$gt", "$gte", "$lt", "$lte"}[w.IntN(5)], w.sides()).Close()
	}
	if depth < 2 && w.IntN(4) == 0 {
		b.Set([]string{"$or", "$and", "$nor"}[w.IntN(3)], bsonval.ArrayOf(bsonval.DocValue(w.filter(depth+1)), bsonval.DocValue(w.filter(depth+1))))
	}
	return b.Doc()
}

// sides are a field and a constant, in either order.
func (w *world) sides() bsonval.Value {
	field, constant := bsonval.StringValue("$"+paths[w.IntN(len(paths))]), bsonval.DocValue(bsonval.D(bsonval.E("$literal", w.scalar())))
	if w.IntN(2) == 0 {
		return bsonval.ArrayOf(constant, field)
	}
	return bsonval.ArrayOf(field, constant)
}

func (w *world) pattern() bsonval.Doc {
	var b bsonval.Builder
	for _, i := range w.Perm(len(paths))[:1+w.IntN(3)] {
		b.Int32(paths[i], int32(1-2*w.IntN(2)))
	}
	return b.Doc()
}

func (w *world) index(i int) *index.Def {
	var b bsonval.Builder
	key := w.pattern()
	switch w.IntN(10) {
	case 0:
		key = bsonval.D(bsonval.E("$**", bsonval.IntValue(1)))
	case 1:
		key = bsonval.D(bsonval.E(paths[w.IntN(len(paths))]+".$**", bsonval.IntValue(1)))
	case 3:
		key = bsonval.D(bsonval.E("b", bsonval.IntValue(1)), bsonval.E("a.$**", bsonval.IntValue(1-2*w.Int32N(2))), bsonval.E("c", bsonval.IntValue(-1)))
	case 4:
		key = bsonval.D(bsonval.E("a.$**", bsonval.IntValue(1)), bsonval.E("b", bsonval.IntValue(1)))
	case 2:
		key = bsonval.D(bsonval.E([]string{"b", "c"}[w.IntN(2)], bsonval.StringValue("hashed")))
	case 5:
		key = bsonval.D(bsonval.E("c", bsonval.IntValue(1)), bsonval.E("b", bsonval.StringValue("hashed")), bsonval.E("a", bsonval.IntValue(-1)))
	}
	b.SetDoc("key", key).Str("name", fmt.Sprint("i", i))
	if !strings.Contains(key.String(), "$**") {
		w.options(&b, w.IntN(8))
	}
	def, err := index.Parse(b.Doc())
	if err != nil {
		w.t.Fatal(err)
	}
	return def
}

// collations are those that indexes and queries have; the first is the binary order.
func collations() []bsonval.Doc {
	return []bsonval.Doc{
		bsonval.D(bsonval.E("locale", bsonval.StringValue("simple"))),
		bsonval.D(bsonval.E("locale", bsonval.StringValue("en")), bsonval.E("strength", bsonval.IntValue(2))),
		bsonval.D(bsonval.E("locale", bsonval.StringValue("en")), bsonval.E("strength", bsonval.IntValue(1)), bsonval.E("numericOrdering", bsonval.BoolValue(true))),
	}
}

func (w *world) options(b *bsonval.Builder, which int) {
	switch which {
	case 0:
		b.Bool("sparse", true)
	case 2:
		b.SetDoc("collation", collations()[1+w.IntN(2)])
	case 3:
		b.Bool("hidden", true)
	case 1:
		b.SetDoc("partialFilterExpression", bsonval.D(bsonval.E(paths[w.IntN(len(paths))], bsonval.DocValue(bsonval.D(bsonval.E("$gt", bsonval.IntValue(w.Int32N(3))))))))
	}
}

// collection makes a store with one collection, c of database d.
func (w *world) collection(docs, indexes int) *storage.Collection {
	w.t.Helper()
	store, err := storage.Open("", storage.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	tx, err := store.Begin(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	ns := storage.NS{DB: "d", Coll: "c"}
	if _, err := tx.Create(ns, nil, nil); err != nil {
		w.t.Fatal(err)
	}
	idDef, _ := index.Parse(bsonval.D(bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))), bsonval.E("name", bsonval.StringValue("_id_"))))
	idDef.Unique = true
	_ = tx.CreateIndex(nil, ns, idDef)
	for i := range indexes {
		if err := tx.CreateIndex(nil, ns, w.index(i)); err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range docs {
		_, _ = tx.Insert(ns, w.document(i)) // one with parallel arrays stays out
	}
	for range docs / 3 {
		record := int64(1 + w.IntN(docs))
		if w.IntN(3) == 0 {
			_ = tx.Delete(ns, record)
		} else if old, ok := tx.Collection(ns).Get(record); ok {
			_ = tx.Update(ns, record, w.document(int(old.Get("_id").Long())), storage.Replace)
		}
	}
	if err := tx.Commit(); err != nil {
		w.t.Fatal(err)
	}
	return store.State().Collection(ns)
}
