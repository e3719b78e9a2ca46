package agg

import (
	"errors"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Indexed is what a Source may also offer: it tells whether an index of db.coll serves
// {field: value}, so that a join need not read the whole collection.
type Indexed interface {
	Indexed(op *opctx.Op, db, coll, field string) bool
}

// foreignIndex finds the rows of another collection by one field's value: through the
// collection's own index where it has one, else through a table of all its rows that is
// made at the first question, as long as memory allows.
type foreignIndex struct {
	env    *Env
	from   string
	field  string
	filter bsonval.Doc // what all rows must match besides; nil: nothing

	direct bool // ask the source each time
	rows   []stream.Row
	table  map[string][]int32 // a value's key to the places in rows
	nulls  []stream.Row       // those that null finds
	asked  bool               // nulls are known
	key    []byte
	held   int64 // bytes that stay
}

var errTooLarge = errors.New("too large for a table")

func newForeignIndex(env *Env, l *lookup) *foreignIndex {
	x := &foreignIndex{env: env, from: l.from, field: l.foreign, direct: l.foreignNumeric}
	if s, ok := env.Source.(Indexed); ok && s.Indexed(env.Op, env.DB, l.from, l.foreign) {
		x.direct = true
	}
	return x
}

// find answers the rows whose field equals one of the values, in the collection's order.
func (x *foreignIndex) find(values []bsonval.Value) (stream.Iterator, error) {
	if !x.direct && x.table == nil {
		if err := x.build(); err != nil {
			return nil, err
		}
	}
	hasNull := slices.ContainsFunc(values, bsonval.Value.IsNullish)
	switch {
	case len(values) == 0:
		return stream.Docs(nil), nil
	case x.direct || hasNull && len(values) > 1:
		return x.ask(values)
	case hasNull:
		return x.askNull(values)
	}
	var places []int32
	for _, v := range values {
		x.key = bsonval.AppendKey(x.key[:0], v, x.env.Op.Collator)
		places = append(places, x.table[string(x.key)]...)
	}
	if len(values) > 1 {
		slices.Sort(places)
		places = slices.Compact(places)
	}
	i := 0
	return stream.Func(func() (stream.Row, bool, error) {
		if i == len(places) {
			return stream.Row{}, false, nil
		}
		i++
		return x.rows[places[i-1]], true, nil
	}), nil
}

func (x *foreignIndex) query(filter bsonval.Doc) (stream.Iterator, error) {
	if x.filter != nil && !x.filter.IsEmpty() {
		var b bsonval.Builder
		b.OpenArray("$and").ItemDoc(x.filter)
		if filter != nil {
			b.ItemDoc(filter)
		}
		filter = b.Doc()
	}
	e := x.env
	return e.Source.Find(e.Op, e.DB, x.from, Query{Filter: filter, Let: e.Scope, Frame: e.Frame})
}

func (x *foreignIndex) ask(values []bsonval.Value) (stream.Iterator, error) {
	return x.query(equalTo(x.field, values))
}

// askNull remembers what null finds: many rows without the field ask the same.
func (x *foreignIndex) askNull(values []bsonval.Value) (stream.Iterator, error) {
	if !x.asked {
		it, err := x.ask(values)
		if err != nil {
			return nil, err
		}
		defer it.Close()
		was := x.env.Op.Held()
		if x.nulls, err = readAll(x.env, it); err != nil {
			return nil, err
		}
		x.held += x.env.Op.Held() - was
		x.asked = true
	}
	return stream.Slice(x.nulls), nil
}

// build reads the collection into the table, or gives up when it holds too much.
func (x *foreignIndex) build() error {
	it, err := x.query(nil)
	if err != nil {
		return err
	}
	defer it.Close()
	path, err := expr.SplitPath(x.field)
	if err != nil {
		return err
	}
	table := map[string][]int32{}
	was := x.env.Op.Held()
	held := x.env.Op.Hold(func(int64) error { return errTooLarge })
	for row, err := range remaining(x.env.Op, it) {
		if err != nil {
			return err
		}
		place, keys := int32(len(x.rows)), int64(0)
		x.rows = append(x.rows, row)
		spread(bsonval.DocValue(row.Doc), path, func(v bsonval.Value) {
			x.key = bsonval.AppendKey(x.key[:0], v, x.env.Op.Collator)
			places := table[string(x.key)]
			if n := len(places); n > 0 && places[n-1] == place {
				return
			}
			table[string(x.key)] = append(places, place)
			keys += int64(len(x.key) + 64)
		})
		if err := held.Add(keys + int64(len(row.Doc)+rowCost)); err != nil { // then the source is asked each time
			x.direct, x.rows = true, nil
			x.env.Op.HeldAgain(was)
			return nil
		}
	}
	x.table, x.held = table, x.held+held.Bytes()
	return nil
}

// spread yields the values that equality at a path is asked of: through arrays on the
// way, and at the end an array's elements and the array itself.
func spread(v bsonval.Value, path []string, yield func(bsonval.Value)) {
	if len(path) == 0 {
		if v.IsMissing() {
			return
		}
		yield(v)
		if v.Type() == bsonval.Array {
			for item := range v.Doc().Values() {
				yield(item)
			}
		}
		return
	}
	switch v.Type() {
	case bsonval.Object:
		spread(v.Doc().Get(path[0]), path[1:], yield)
	case bsonval.Array:
		for item := range v.Doc().Values() {
			if item.Type() == bsonval.Object {
				spread(item, path, yield)
			}
		}
	}
}
