package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/expr/accum"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// accumulator is a compiled accumulator: what it takes of each row, and how one group
// begins. Evaluation and gathering are apart so that windows can gather again.
type accumulator struct {
	name  string
	input func(f *expr.Frame) (bsonval.Value, error)
	// start begins a group. f's document is the group's _id, which n may depend on.
	start func(f *expr.Frame) (gatherer, error)
}

// gatherer is one group's state.
type gatherer interface {
	// add takes a value in and answers how many bytes more that holds.
	add(v bsonval.Value) (grown int, err error)
	value() bsonval.Value
}

// compileAccumulator compiles {$sum: …}. ok is false when the name is none.
func compileAccumulator(env *Env, name string, arg bsonval.Value) (a *accumulator, ok bool, err error) {
	for _, family := range [...]func(*Env, string) func(bsonval.Value) (*accumulator, error){plainAccumulators, countedAccumulators} {
		if compile := family(env, name); compile != nil {
			a, err = compile(arg)
			if a != nil {
				a.name = name
			}
			return a, true, err
		}
	}
	switch name {
	case "$accumulator":
		return nil, true, expr.NoJavaScript(name)
	}
	return nil, false, nil
}

// plainAccumulators take one expression and need nothing else.
func plainAccumulators(env *Env, name string) func(bsonval.Value) (*accumulator, error) {
	simple := func(begin func() gatherer) func(bsonval.Value) (*accumulator, error) {
		return func(arg bsonval.Value) (*accumulator, error) {
			e, err := single(env, name, arg)
			if err != nil {
				return nil, err
			}
			return &accumulator{input: e.Eval, start: func(*expr.Frame) (gatherer, error) { return begin(), nil }}, nil
		}
	}
	c := env.Op.Collator
	switch name {
	case "$sum":
		return simple(func() gatherer { return &sumGatherer{} })
	case "$avg":
		return simple(func() gatherer { return &avgGatherer{} })
	case "$min":
		return simple(func() gatherer { return &extremeGatherer{sign: -1, c: c} })
	case "$max":
		return simple(func() gatherer { return &extremeGatherer{sign: 1, c: c} })
	case "$first":
		return simple(func() gatherer { return &endGatherer{} })
	case "$last":
		return simple(func() gatherer { return &endGatherer{last: true} })
	case "$push":
		return simple(func() gatherer { return &pushGatherer{limit: env.Op.Memory()} })
	case "$addToSet":
		return simple(func() gatherer { return &setGatherer{c: c, limit: env.Op.Memory()} })
	case "$stdDevPop":
		return simple(func() gatherer { return &deviationGatherer{} })
	case "$stdDevSamp":
		return simple(func() gatherer { return &deviationGatherer{sample: true} })
	case "$mergeObjects":
		return simple(func() gatherer { return &mergeGatherer{} })
	case "$setUnion":
		return simple(func() gatherer { return &setGatherer{c: c, limit: env.Op.Memory(), spread: name} })
	case "$concatArrays":
		return simple(func() gatherer { return &pushGatherer{limit: env.Op.Memory(), spread: true} })
	}
	return nil
}

// single compiles an accumulator's one argument.
func single(env *Env, name string, arg bsonval.Value) (expr.Expr, error) {
	if arg.Type() == bsonval.Array {
		if arg.Doc().Len() != 1 {
			return nil, mongoerr.New(40237, "The %s accumulator is a unary operator", name)
		}
		arg = arg.Doc().At(0)
	}
	return expr.Compile(arg, env.Scope)
}

type sumGatherer struct{ accum.Sum }

func (g *sumGatherer) add(v bsonval.Value) (int, error) { g.Add(v); return 0, nil }
func (g *sumGatherer) value() bsonval.Value             { return g.Value() }

type avgGatherer struct {
	sum accum.Sum
	n   int64
}

func (g *avgGatherer) add(v bsonval.Value) (int, error) {
	if v.IsNumber() {
		g.sum.Add(v)
		g.n++
	}
	return 0, nil
}

func (g *avgGatherer) value() bsonval.Value {
	if g.n == 0 {
		return bsonval.NullValue()
	}
	return g.sum.Mean(g.n)
}

type extremeGatherer struct {
	sign int
	c    bsonval.Collator
	best bsonval.Value
}

func (g *extremeGatherer) add(v bsonval.Value) (int, error) {
	if v.IsNullish() || !g.best.IsMissing() && bsonval.CompareWith(v, g.best, g.c)*g.sign <= 0 {
		return 0, nil
	}
	grown := v.Size() - g.best.Size()
	g.best = v
	return grown, nil
}

func (g *extremeGatherer) value() bsonval.Value { return orNull(g.best) }

func orNull(v bsonval.Value) bsonval.Value {
	if v.IsMissing() {
		return bsonval.NullValue()
	}
	return v
}

type endGatherer struct {
	last, found bool
	v           bsonval.Value
}

func (g *endGatherer) add(v bsonval.Value) (int, error) {
	if g.found && !g.last {
		return 0, nil
	}
	grown := v.Size() - g.v.Size()
	g.found, g.v = true, v
	return grown, nil
}

func (g *endGatherer) value() bsonval.Value { return orNull(g.v) }

type pushGatherer struct {
	b      bsonval.Builder
	limit  int64
	spread bool // takes the elements of arrays
}

func (g *pushGatherer) add(v bsonval.Value) (int, error) {
	switch {
	case v.IsMissing():
		return 0, nil
	case g.spread && v.Type() != bsonval.Array:
		return 0, mongoerr.New(mongoerr.TypeMismatch, "$concatArrays requires array inputs, but input %s is of type %s", v, v.Type())
	}
	before := g.b.Len()
	if g.spread {
		for item := range v.Doc().Values() {
			g.b.Item(item)
		}
	} else {
		g.b.Item(v)
	}
	if int64(g.b.Len()) > g.limit {
		return 0, usedTooMuch("$push", g.limit)
	}
	return g.b.Len() - before, nil
}

func usedTooMuch(name string, limit int64) error {
	return mongoerr.New(mongoerr.ExceededMemoryLimit, "%s used too much memory and cannot spill to disk. Memory limit: %d bytes", name, limit)
}

// value may be asked for again after more was added, by windows that grow.
func (g *pushGatherer) value() bsonval.Value {
	b := g.b
	return b.Array().Clone()
}

type setGatherer struct {
	c      bsonval.Collator
	limit  int64
	seen   map[string]struct{}
	b      bsonval.Builder
	spread string // takes the elements of arrays
	key    []byte
}

func (g *setGatherer) add(v bsonval.Value) (int, error) {
	switch {
	case v.IsMissing():
		return 0, nil
	case g.spread == "":
		return g.one(v)
	case v.Type() != bsonval.Array:
		return 0, mongoerr.New(mongoerr.TypeMismatch, "%s requires array inputs, but input %s is of type %s", g.spread, v, v.Type())
	}
	sum := 0
	for item := range v.Doc().Values() {
		n, err := g.one(item)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (g *setGatherer) one(v bsonval.Value) (int, error) {
	g.key = bsonval.AppendKey(g.key[:0], v, g.c)
	if _, ok := g.seen[string(g.key)]; ok {
		return 0, nil
	}
	if g.seen == nil {
		g.seen = map[string]struct{}{}
	}
	g.seen[string(g.key)] = struct{}{}
	before := g.b.Len()
	g.b.Item(v)
	if int64(g.b.Len()) > g.limit {
		return 0, usedTooMuch("$addToSet", g.limit)
	}
	return g.b.Len() - before + 2*len(g.key) + 32, nil
}

func (g *setGatherer) value() bsonval.Value {
	b := g.b
	return b.Array().Clone()
}

type deviationGatherer struct {
	accum.Deviation
	sample bool
}

func (g *deviationGatherer) add(v bsonval.Value) (int, error) { g.Add(v); return 0, nil }
func (g *deviationGatherer) value() bsonval.Value             { return g.Value(g.sample) }

type mergeGatherer struct{ d bsonval.Doc }

func (g *mergeGatherer) add(v bsonval.Value) (int, error) {
	before := len(g.d)
	if g.d == nil {
		g.d = bsonval.EmptyDoc()
	}
	d, err := expr.Merge(g.d, v)
	if err != nil {
		return 0, err
	}
	g.d = d
	return len(d) - before, nil
}

func (g *mergeGatherer) value() bsonval.Value {
	if g.d == nil {
		return bsonval.DocValue(bsonval.EmptyDoc())
	}
	return bsonval.DocValue(g.d)
}
