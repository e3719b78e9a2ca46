package agg

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// windowStages are the stages that see a document among its neighbours.
func windowStages(name string) compiler {
	switch name {
	case "$setWindowFields":
		return compileWindows
	case "$fill":
		return compileFill
	case "$densify":
		return compileDensify
	}
	return nil
}

// windowed is $setWindowFields.
type windowed struct {
	by      expr.Expr   // the partition; nil: one
	order   *expr.Order // nil: as the rows come
	outputs []windowOutput
}

type windowOutput struct {
	path []string
	fn   windowFunction
}

// windowFunction makes the values of one output field over a partition.
type windowFunction interface {
	begin(p *partition) (windowRun, error)
}

// windowRun answers the value for the partition's i-th row. It is asked once for each,
// in order.
type windowRun func(i int) (bsonval.Value, error)

// partition are the rows of one partition, in order.
type partition struct {
	env   *Env
	order *expr.Order
	rows  []keyed // keys without the partition's own
	by    []bsonval.Value
}

// sortValue is what the i-th row is ordered by, when that is one field.
func (p *partition) sortValue(i int) bsonval.Value {
	if p.by == nil {
		p.by = make([]bsonval.Value, len(p.rows))
		for i, r := range p.rows {
			p.env.Frame.Reset(r.row)
			p.by[i] = p.order.Value(p.env.Frame, p.env.Frame.Root())
		}
	}
	return p.by[i]
}

// inputs evaluates an expression for all rows.
func (p *partition) inputs(eval func(*expr.Frame) (bsonval.Value, error)) ([]bsonval.Value, error) {
	out := make([]bsonval.Value, len(p.rows))
	for i, r := range p.rows {
		if err := p.env.Op.Check(); err != nil {
			return nil, err
		}
		p.env.Frame.Reset(r.row)
		v, err := eval(p.env.Frame)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func compileWindows(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "the $setWindowFields stage specification must be an object, found %s", arg.Type())
	}
	w := &windowed{}
	var outputs bsonval.Value
	for name, v := range arg.Doc().All() {
		var err error
		switch name {
		case "partitionBy":
			w.by, err = expr.Compile(v, env.Scope)
		case "sortBy":
			if v.Type() != bsonval.Object {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$setWindowFields.sortBy' is the wrong type '%s', expected type 'object'", v.Type())
			}
			w.order, err = expr.ParseOrder(v.Doc())
		case "output":
			outputs = v
		default:
			err = mongoerr.New(40415, "BSON field '$setWindowFields.%s' is an unknown field.", name)
		}
		if err != nil {
			return nil, err
		}
	}
	switch outputs.Type() {
	case bsonval.Object:
	case bsonval.Missing:
		return nil, mongoerr.New(40414, "BSON field '$setWindowFields.output' is missing but a required field")
	default:
		return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$setWindowFields.output' is the wrong type '%s', expected type 'object'", outputs.Type())
	}
	for path, v := range outputs.Doc().All() {
		parts, err := expr.SplitPath(path)
		if err != nil {
			return nil, err
		}
		for _, o := range w.outputs {
			if n := min(len(o.path), len(parts)); slices.Equal(o.path[:n], parts[:n]) {
				return nil, mongoerr.New(6307900, "specification contains two conflicting paths. Cannot specify both '%s' and '%s'", path, strings.Join(o.path, "."))
			}
		}
		fn, err := compileWindowFunction(env, w.order, path, v)
		if err != nil {
			return nil, err
		}
		w.outputs = append(w.outputs, windowOutput{parts, fn})
	}
	return w, nil
}

// compileWindowFunction reads {$sum: …, window: {…}}.
func compileWindowFunction(env *Env, order *expr.Order, path string, spec bsonval.Value) (windowFunction, error) {
	if spec.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "The field '%s' must be an object", path)
	}
	var name string
	var arg, window bsonval.Value
	for field, v := range spec.Doc().All() {
		switch {
		case field == "window":
			if v.Type() != bsonval.Object {
				return nil, mongoerr.New(mongoerr.FailedToParse, "'window' field must be an object")
			}
			window = v
		case name != "":
			return nil, mongoerr.New(mongoerr.FailedToParse, "Cannot specify two functions in window function spec: %s and %s", name, field)
		case !strings.HasPrefix(field, "$"):
			return nil, mongoerr.New(mongoerr.FailedToParse, "Expected a $-prefixed window function, %s", field)
		default:
			name, arg = field, v
		}
	}
	if name == "" {
		return nil, mongoerr.New(mongoerr.FailedToParse, "Expected a $-prefixed window function, %s", spec)
	}
	c := &windowCompiler{env, order, name, arg, window}
	return c.compile()
}

// windowCompiler are a window function's parts while it is compiled.
type windowCompiler struct {
	env    *Env
	order  *expr.Order
	name   string
	arg    bsonval.Value
	window bsonval.Value // Missing: none was given
}

func (c *windowCompiler) compile() (windowFunction, error) {
	switch c.name {
	case "$rank", "$denseRank", "$documentNumber":
		return c.rank()
	case "$shift":
		return c.shift()
	case "$expMovingAvg":
		return c.movingAverage()
	case "$linearFill", "$locf":
		return c.filler()
	case "$derivative", "$integral":
		return c.calculus()
	case "$covariancePop", "$covarianceSamp":
		return c.covariance()
	case "$mergeObjects", "$accumulator":
		return nil, c.unknown()
	}
	a, ok, err := compileAccumulator(c.env, c.name, c.arg)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, c.unknown()
	}
	e, err := c.extent()
	return &windowAccumulator{a, e}, err
}

func (c *windowCompiler) unknown() error {
	return mongoerr.New(mongoerr.FailedToParse, "Unrecognized window function, %s", c.name)
}

// singleOrder is whether the stage is ordered by exactly one field.
func (c *windowCompiler) singleOrder() bool { return c.order != nil && len(c.order.Parts) == 1 }

// Start implements Stage.
func (w *windowed) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		parts, err := w.read(env, in)
		if err != nil {
			return nil, err
		}
		return &windowing{w: w, env: env, parts: parts}, nil
	}), nil
}

// read gathers the rows into partitions, in the order of the partitions' values.
func (w *windowed) read(env *Env, in stream.Iterator) ([]*partition, error) {
	byValue := map[string]*partition{}
	var keys []string
	var buf []byte
	f, held := env.Frame, env.Op.HoldOrSpill(func(limit int64) error {
		return mongoerr.New(5643011, "Exceeded max memory. Set memory limit: %d bytes", limit)
	})
	for row, err := range remaining(env.Op, in) {
		if err != nil {
			return nil, err
		}
		f.Reset(row)
		if buf, err = w.partitionKey(f, buf[:0]); err != nil {
			return nil, err
		}
		p := byValue[string(buf)]
		if p == nil {
			p = &partition{env: env, order: w.order}
			byValue[string(buf)] = p
			keys = append(keys, string(buf))
		}
		k := keyed{row: row}
		if w.order != nil {
			k.key = string(w.order.AppendKey(buf[:0], f, f.Root()))
		}
		p.rows = append(p.rows, k)
		if err := held.Add(int64(len(row.Doc) + len(k.key) + rowCost)); err != nil {
			return nil, err
		}
	}
	slices.Sort(keys)
	parts := make([]*partition, len(keys))
	for i, k := range keys {
		parts[i] = byValue[k]
		if w.order != nil {
			slices.SortStableFunc(parts[i].rows, byKey)
		}
	}
	return parts, nil
}

func (w *windowed) partitionKey(f *expr.Frame, dst []byte) ([]byte, error) {
	if w.by == nil {
		return dst, nil
	}
	v, err := w.by.Eval(f)
	if err != nil {
		return dst, err
	}
	if v.Type() == bsonval.Array {
		return dst, mongoerr.New(mongoerr.TypeMismatch, "An expression used to partition cannot evaluate to value of type array")
	}
	return bsonval.AppendKey(dst, orNull(v), f.Op.Collator), nil
}

// windowing gives the rows with their fields set, partition after partition.
type windowing struct {
	w     *windowed
	env   *Env
	parts []*partition
	runs  []windowRun
	at    int
}

func (x *windowing) Close() { x.parts = nil }

func (x *windowing) Next() (stream.Row, bool, error) {
	for len(x.parts) > 0 {
		p := x.parts[0]
		if x.at == len(p.rows) {
			x.parts, x.runs, x.at = x.parts[1:], nil, 0
			continue
		}
		if err := x.env.Op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		if x.runs == nil {
			if err := x.begin(p); err != nil {
				return stream.Row{}, false, err
			}
		}
		row := p.rows[x.at].row
		for i, run := range x.runs {
			v, err := run(x.at)
			if err != nil {
				return row, false, err
			}
			row.Doc = setPath(row.Doc, x.w.outputs[i].path, v)
		}
		x.at++
		return row, true, nil
	}
	return stream.Row{}, false, nil
}

func (x *windowing) begin(p *partition) error {
	x.runs = make([]windowRun, len(x.w.outputs))
	for i, o := range x.w.outputs {
		var err error
		if x.runs[i], err = o.fn.begin(p); err != nil {
			return err
		}
	}
	return nil
}
