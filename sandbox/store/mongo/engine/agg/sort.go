package agg

import (
	"math/rand/v2"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// orderStages are the stages that put rows into another order.
func orderStages(name string) compiler {
	switch name {
	case "$sort":
		return compileSort
	case "$sample":
		return compileSample
	}
	return nil
}

type sortStage struct {
	order *expr.Order
	limit int64 // 0: all; set when a $limit follows
}

func compileSort(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(15973, "the $sort key specification must be an object")
	}
	o, err := expr.ParseOrder(arg.Doc())
	return &sortStage{order: o}, err
}

// keyed is a row with the bytes that it is ordered by.
type keyed struct {
	key string
	row stream.Row
}

func byKey(a, b keyed) int { return strings.Compare(a.key, b.key) }

// Start implements Stage.
func (s *sortStage) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := sortRows(env, in, s.order, s.limit)
		if err != nil {
			return nil, err
		}
		i := 0
		return stream.Func(func() (stream.Row, bool, error) {
			if i == len(rows) {
				return stream.Row{}, false, nil
			}
			i++
			return rows[i-1].row, true, nil
		}), nil
	}), nil
}

// rowCost is about what a row holds beside its document and key, in bytes.
const rowCost = 96

// sortRows reads all rows and orders them; with a limit it keeps only so many.
func sortRows(env *Env, in stream.Iterator, order *expr.Order, limit int64) ([]keyed, error) {
	var rows []keyed
	var buf []byte
	held, f := env.Op.HoldOrSpill(sortTooBig), env.Frame
	for row, err := range remaining(env.Op, in) {
		if err != nil {
			return nil, err
		}
		f.Reset(row)
		buf = order.AppendKey(buf[:0], f, f.Root())
		if env.sortKeys {
			row = withSortKey(f, order, row)
		}
		rows = append(rows, keyed{string(buf), row})
		more := int64(len(buf) + len(row.Doc) + rowCost)
		if limit > 0 && int64(len(rows)) >= 2*limit+1000 {
			size := int64(0)
			rows, size = cutRows(rows, int(limit))
			more = size - held.Bytes()
		}
		if err := held.Add(more); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(rows, byKey)
	if limit > 0 && int64(len(rows)) > limit {
		rows = rows[:limit]
	}
	return rows, nil
}

func sortTooBig(limit int64) error {
	return mongoerr.New(mongoerr.QueryExceededMemoryLimitNoDiskUseAllowed, "Sort exceeded memory limit of %d bytes, but did not opt in to external sorting.", limit)
}

func cutRows(rows []keyed, limit int) ([]keyed, int64) {
	slices.SortStableFunc(rows, byKey)
	clear(rows[limit:])
	rows = rows[:limit]
	size := int64(0)
	for _, r := range rows {
		size += int64(len(r.key) + len(r.row.Doc) + rowCost)
	}
	return rows, size
}

func withSortKey(f *expr.Frame, order *expr.Order, row stream.Row) stream.Row {
	m := stream.Meta{}
	if row.Meta != nil {
		m = *row.Meta
	}
	v := order.Value(f, f.Root())
	if len(order.Parts) == 1 {
		v = bsonval.ArrayOf(v)
	}
	m.SortKey = v
	row.Meta = &m
	return row
}

// compileSample is $sample: so many rows by chance.
func compileSample(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(28745, "the $sample stage specification must be an object")
	}
	n, found := int64(0), false
	for name, v := range arg.Doc().All() {
		switch {
		case name != "size":
			return nil, mongoerr.New(28748, "unrecognized option to $sample: %s", name)
		case !v.IsNumber():
			return nil, mongoerr.New(28746, "size argument to $sample must be a number")
		case v.Long() < 0 || v.Float() < 0:
			return nil, mongoerr.New(28747, "size argument to $sample must not be negative")
		}
		n, found = v.Long(), true
	}
	switch {
	case !found:
		return nil, mongoerr.New(28749, "$sample stage must specify a size")
	case n == 0:
		return nil, mongoerr.New(28747, "size argument to $sample must be a positive integer")
	}
	return sampler(n), nil
}

type sampler int64

func (n sampler) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		var kept []stream.Row // a reservoir: each row with the same chance
		held := env.Op.HoldOrSpill(sortTooBig)
		seen := int64(0)
		for row, err := range remaining(env.Op, in) {
			if err != nil {
				return nil, err
			}
			more := 0
			if seen < int64(n) {
				kept = append(kept, row)
				more = len(row.Doc) + rowCost
			} else if at := rand.Int64N(seen + 1); at < int64(n) {
				more = len(row.Doc) - len(kept[at].Doc)
				kept[at] = row
			}
			if err := held.Add(int64(more)); err != nil {
				return nil, err
			}
			seen++
		}
		rand.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		return stream.Slice(kept), nil
	}), nil
}
