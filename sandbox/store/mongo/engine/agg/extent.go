package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// extent says which rows around one are its window.
type extent struct {
	byRange   bool
	low, high bound
	unit      expr.Unit // of a range over dates; empty: numbers
}

type bound struct {
	open    bool          // unbounded
	current bool          // the row itself; 0 in a range are also those that tie with it
	n       bsonval.Value // 0 for "current"
}

// whole tells a window that is the whole partition.
func (e *extent) whole() bool { return e.low.open && e.high.open }

// extent reads the window's bounds; without any it is the whole partition.
func (c *windowCompiler) extent() (*extent, error) {
	e := &extent{low: bound{open: true}, high: bound{open: true}}
	if c.window.IsMissing() {
		return e, nil
	}
	docs, rng, unit := bsonval.Value{}, bsonval.Value{}, bsonval.Value{}
	for name, v := range c.window.Doc().All() {
		switch name {
		case "documents":
			docs = v
		case "range":
			rng = v
		case "unit":
			unit = v
		default:
			return nil, mongoerr.New(mongoerr.FailedToParse, "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field")
		}
	}
	list := docs
	switch {
	case !docs.IsMissing() && !rng.IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "Window bounds can specify either 'documents' or 'unit', not both.")
	case !docs.IsMissing() && !unit.IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "Window bounds can only specify 'unit' with range-based bounds.")
	case !rng.IsMissing():
		e.byRange, list = true, rng
	case docs.IsMissing():
		return e, nil
	}
	if err := e.read(c.env, list); err != nil {
		return nil, err
	}
	return e, c.checkExtent(e, unit)
}

func (e *extent) read(env *Env, list bsonval.Value) error {
	kind := "documents"
	if e.byRange {
		kind = "range"
	}
	if list.Type() != bsonval.Array || list.Doc().Len() != 2 {
		return mongoerr.New(mongoerr.FailedToParse, "Window bounds must be a 2-element array: %s: %s", kind, list)
	}
	for i, dst := range []*bound{&e.low, &e.high} {
		v := list.Doc().At(i)
		switch {
		case v.Type() == bsonval.String && v.Str() == "unbounded":
			continue
		case v.Type() == bsonval.String && v.Str() == "current":
			*dst = bound{n: bsonval.IntValue(0), current: true}
		default:
			var err error
			if *dst, err = e.distance(env, v); err != nil {
				return err
			}
		}
	}
	if !e.low.open && !e.high.open && bsonval.Compare(e.low.n, e.high.n) > 0 {
		return mongoerr.New(5339900, "Lower bound must not exceed upper bound: %s", list)
	}
	return nil
}

// distance is a bound that is a number, or a constant expression of one.
func (e *extent) distance(env *Env, v bsonval.Value) (bound, error) {
	if (v.Type() == bsonval.Object || v.Type() == bsonval.String) && !ReadsDocument(v) {
		x, err := expr.Compile(v, env.Scope)
		if err != nil {
			return bound{}, err
		}
		env.Frame.ResetDoc(bsonval.EmptyDoc())
		if v, err = x.Eval(env.Frame); err != nil {
			return bound{}, err
		}
	}
	if e.byRange && v.IsNumber() {
		return bound{n: v}, nil
	}
	if e.byRange {
		return bound{}, mongoerr.New(mongoerr.FailedToParse, "Range-based bounds expression must be a number: %s", v)
	}
	n, ok := v.ExactLong()
	if !ok {
		return bound{}, mongoerr.New(mongoerr.FailedToParse, "Numeric document-based bounds must be an integer")
	}
	return bound{n: bsonval.LongValue(n)}, nil
}

func (c *windowCompiler) checkExtent(e *extent, unit bsonval.Value) error {
	if !unit.IsMissing() {
		if unit.Type() != bsonval.String {
			return mongoerr.New(mongoerr.FailedToParse, "'unit' must be a string")
		}
		var err error
		if e.unit, err = expr.ParseUnit(unit.Str()); err != nil {
			return err
		}
	}
	switch {
	case e.byRange && !c.singleOrder():
		return mongoerr.New(5339902, "Range-based bounds require sortBy a single field")
	case e.byRange && c.order.Parts[0].Desc:
		return mongoerr.New(8947401, "Range-based bounds require an ascending sortBy")
	case !e.byRange && c.order == nil && !e.whole():
		return mongoerr.New(5339901, "Document-based bounds require a sortBy")
	}
	return nil
}

// over answers, for each row in turn, the places [from, to) of its window.
func (e *extent) over(p *partition) func(i int) (from, to int, err error) {
	n := len(p.rows)
	if !e.byRange {
		return func(i int) (int, int, error) {
			from, to := 0, n
			if !e.low.open {
				from = clamp(int64(i)+e.low.n.Int64(), n)
			}
			if !e.high.open {
				to = clamp(int64(i)+e.high.n.Int64()+1, n)
			}
			return from, max(from, to), nil
		}
	}
	r := &ranger{e: e, p: p}
	return r.window
}

func clamp(i int64, n int) int { return int(max(0, min(i, int64(n)))) }

// ranger moves both ends of a range as the current row moves on.
type ranger struct {
	e        *extent
	p        *partition
	from, to int
}

func (r *ranger) window(i int) (int, int, error) {
	n := len(r.p.rows)
	at := r.p.sortValue(i)
	if err := r.check(at); err != nil {
		return 0, 0, err
	}
	switch {
	case r.e.low.open:
		r.from = 0
	case r.e.low.current:
		r.from = i
	default:
		least := r.shifted(at, r.e.low.n)
		for r.from < n && bsonval.Compare(r.p.sortValue(r.from), least) < 0 {
			r.from++
		}
	}
	switch {
	case r.e.high.open:
		r.to = n
	case r.e.high.current:
		r.to = i + 1
	default:
		most := r.shifted(at, r.e.high.n)
		for r.to < n && bsonval.Compare(r.p.sortValue(r.to), most) <= 0 {
			r.to++
		}
	}
	return r.from, max(r.from, r.to), nil
}

// check refuses values that a range can't be reckoned from.
func (r *ranger) check(v bsonval.Value) error {
	switch {
	case r.e.unit == "" && v.Type() == bsonval.Date:
		return mongoerr.New(5429513, "Invalid range: Expected the sortBy field to be a number, but it was %s", v.Type())
	case r.e.unit == "" && !v.IsNumber():
		return mongoerr.New(5429414, "Invalid range: Expected the sortBy field to be a number, but it was %s", v.Type())
	case r.e.unit != "" && v.Type() != bsonval.Date:
		return mongoerr.New(5429513, "Invalid range: Expected the sortBy field to be a Date, but it was %s", v.Type())
	}
	return nil
}

func (r *ranger) shifted(v, by bsonval.Value) bsonval.Value {
	if r.e.unit == "" {
		return bsonval.Add(v, by)
	}
	t, ok := expr.AddDate(v.Time(), r.e.unit, by.Long())
	if !ok {
		return v
	}
	return bsonval.TimeValue(t)
}

// windowAccumulator is an accumulator over a window.
type windowAccumulator struct {
	*accumulator
	extent *extent
}

func (w *windowAccumulator) begin(p *partition) (windowRun, error) {
	values, err := p.inputs(w.input)
	if err != nil {
		return nil, err
	}
	r := &accumulating{w: w, p: p, values: values, extent: w.extent.over(p)}
	return r.value, r.restart()
}

// accumulating keeps what was gathered while a window only grows, and gathers anew
// when its beginning moves.
type accumulating struct {
	w        *windowAccumulator
	p        *partition
	values   []bsonval.Value
	extent   func(i int) (from, to int, err error)
	state    gatherer
	from, to int
	last     bsonval.Value // the value for [from, to); Missing: not known
}

func (r *accumulating) restart() error {
	f := r.p.env.Frame
	f.ResetDoc(bsonval.EmptyDoc())
	var err error
	r.state, err = r.w.start(f)
	return err
}

func (r *accumulating) value(i int) (bsonval.Value, error) {
	from, to, err := r.extent(i)
	if err != nil {
		return r.last, err
	}
	if from == r.from && to == r.to && !r.last.IsMissing() {
		return r.last, nil
	}
	if from != r.from || to < r.to {
		if err := r.restart(); err != nil {
			return r.last, err
		}
		r.to = from
	}
	for ; r.to < to; r.to++ {
		if err := r.p.env.Op.Check(); err != nil {
			return r.last, err
		}
		if _, err := r.state.add(r.values[r.to]); err != nil {
			return r.last, err
		}
	}
	r.from, r.last = from, orNull(r.state.value())
	return r.last, nil
}
