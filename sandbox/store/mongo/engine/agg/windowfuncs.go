package agg

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// windowFunc makes a windowFunction of a Go function.
type windowFunc func(p *partition) (windowRun, error)

func (fn windowFunc) begin(p *partition) (windowRun, error) { return fn(p) }

func (c *windowCompiler) noWindow() error {
	if !c.window.IsMissing() {
		return mongoerr.New(5371601, "'window' field is not allowed in %s", c.name)
	}
	return nil
}

// rank is $rank, $denseRank or $documentNumber.
func (c *windowCompiler) rank() (windowFunction, error) {
	switch {
	case c.arg.Type() != bsonval.Object || !c.arg.Doc().IsEmpty():
		return nil, mongoerr.New(5371603, "(None) must be specified with '%s: {}'", c.name)
	case !c.singleOrder():
		return nil, mongoerr.New(5371602, "%s must be specified with a top level sortBy expression with exactly one element", c.name)
	}
	if err := c.noWindow(); err != nil {
		return nil, err
	}
	name := c.name
	return windowFunc(func(p *partition) (windowRun, error) {
		rank := int64(0)
		return func(i int) (bsonval.Value, error) {
			tie := i > 0 && p.rows[i].key == p.rows[i-1].key
			switch {
			case name == "$documentNumber", name == "$rank" && !tie:
				rank = int64(i) + 1
			case name == "$denseRank" && !tie:
				rank++
			}
			return bsonval.NumberValue(rank), nil
		}, nil
	}), nil
}

func (c *windowCompiler) shift() (windowFunction, error) {
	args, err := fieldsOf(c.name, c.arg, mongoerr.FailedToParse, mongoerr.FailedToParse, "output", "by", "default")
	if err != nil {
		return nil, err
	}
	by, whole := args["by"].ExactLong()
	switch {
	case c.order == nil:
		return nil, mongoerr.New(5371602, "'$shift' requires a sortBy")
	case args["output"].IsMissing() || args["by"].IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "'$shift' requires 'output' and 'by'")
	case !whole || int64(int32(by)) != by:
		return nil, mongoerr.New(mongoerr.FailedToParse, "'$shift:by' field must be an integer, but found by: %s", args["by"])
	}
	if err := c.noWindow(); err != nil {
		return nil, err
	}
	e, err := expr.Compile(args["output"], c.env.Scope)
	if err != nil {
		return nil, err
	}
	other := bsonval.NullValue()
	if d := args["default"]; !d.IsMissing() {
		if other, err = constantOf(expr.NewFrame(c.env.Op), c.env, d, mongoerr.FailedToParse, "'$shift:default' expression must yield a constant value. Found: %s"); err != nil {
			return nil, err
		}
	}
	return windowFunc(func(p *partition) (windowRun, error) {
		return func(i int) (bsonval.Value, error) {
			at := i + int(by)
			if at < 0 || at >= len(p.rows) {
				return other, nil
			}
			p.env.Frame.Reset(p.rows[at].row)
			v, err := e.Eval(p.env.Frame)
			return orNull(v), err
		}, nil
	}), nil
}

func (c *windowCompiler) movingAverage() (windowFunction, error) {
	args, err := fieldsOf(c.name, c.arg, mongoerr.FailedToParse, mongoerr.FailedToParse, "input", "N", "alpha")
	if err != nil {
		return nil, err
	}
	n, alpha := args["N"], args["alpha"]
	switch {
	case c.order == nil:
		return nil, mongoerr.New(mongoerr.FailedToParse, "$expMovingAvg requires an explicit 'sortBy'")
	case args["input"].IsMissing() || n.IsMissing() == alpha.IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field")
	case alpha.IsMissing():
		count, ok := n.ExactLong()
		if !ok || count <= 0 {
			return nil, mongoerr.New(mongoerr.FailedToParse, "'N' must be an integer greater than 0, but found %s", n)
		}
		alpha = bsonval.DoubleValue(2 / (float64(count) + 1))
	case !alpha.IsNumber() || !(alpha.Float() > 0 && alpha.Float() < 1):
		return nil, mongoerr.New(mongoerr.FailedToParse, "'alpha' must be between 0 and 1 (exclusive), found alpha: %s", alpha)
	}
	if err := c.noWindow(); err != nil {
		return nil, err
	}
	e, err := expr.Compile(args["input"], c.env.Scope)
	if err != nil {
		return nil, err
	}
	rest := bsonval.Sub(bsonval.IntValue(1), alpha)
	return windowFunc(func(p *partition) (windowRun, error) {
		var mean bsonval.Value
		return func(i int) (bsonval.Value, error) {
			p.env.Frame.Reset(p.rows[i].row)
			v, err := e.Eval(p.env.Frame)
			switch {
			case err != nil || !v.IsNumber():
				return bsonval.NullValue(), err
			case mean.IsMissing():
				mean = v
			default:
				mean = bsonval.Add(bsonval.Mul(v, alpha), bsonval.Mul(mean, rest))
			}
			return mean, nil
		}, nil
	}), nil
}

// timed are a window's sort values as numbers: dates in the unit that was asked for.
type timed struct {
	name string
	unit expr.Unit
}

// code is $derivative's code or $integral's.
func (t timed) code(derivative, integral mongoerr.Code) mongoerr.Code {
	if t.name == "$integral" {
		return integral
	}
	return derivative
}

func (t timed) at(v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.Type() == bsonval.Date && t.unit != "":
		return bsonval.DoubleValue(float64(v.Int64()) / float64(t.unit.Millis())), nil
	case v.Type() == bsonval.Date:
		return v, mongoerr.New(t.code(5624901, 5423902), "%s where the sortBy is a Date requires an 'unit'", t.name)
	case !v.IsNumber():
		return v, mongoerr.New(t.code(5624902, 5423902), "%s requires the sortBy to be a number or a date, but it was %s", t.name, v.Type())
	case t.unit != "":
		return v, mongoerr.New(t.code(5624900, 5423901), "%s with unit expects the sortBy field to be a Date", t.name)
	}
	return v, nil
}

// between is the distance of two sort values; dates are subtracted before they are
// scaled, which loses nothing.
func (t timed) between(a, b bsonval.Value) (bsonval.Value, error) {
	if a.Type() == bsonval.Date && b.Type() == bsonval.Date && t.unit != "" {
		return bsonval.DoubleValue(float64(b.Int64()-a.Int64()) / float64(t.unit.Millis())), nil
	}
	x, err := t.at(a)
	if err != nil {
		return x, err
	}
	y, err := t.at(b)
	if err != nil {
		return y, err
	}
	return bsonval.Sub(y, x), nil
}

// calculus is $derivative or $integral.
func (c *windowCompiler) calculus() (windowFunction, error) {
	args, err := fieldsOf(c.name, c.arg, mongoerr.FailedToParse, mongoerr.FailedToParse, "input", "unit")
	if err != nil {
		return nil, err
	}
	t := timed{name: c.name}
	switch {
	case args["input"].IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "%s requires an 'input' expression", c.name)
	case !c.singleOrder():
		return nil, mongoerr.New(mongoerr.FailedToParse, "%s requires a sortBy with exactly one element", c.name)
	case c.name == "$derivative" && c.window.IsMissing():
		return nil, mongoerr.New(mongoerr.FailedToParse, "$derivative requires explicit window bounds")
	}
	if u := args["unit"]; !u.IsMissing() {
		if u.Type() != bsonval.String {
			return nil, mongoerr.New(mongoerr.FailedToParse, "'unit' must be a string")
		}
		if t.unit, err = expr.ParseUnit(u.Str()); err != nil {
			return nil, err
		}
		if t.unit.Millis() == 0 {
			return nil, mongoerr.New(5490710, "unit must be 'week' or smaller")
		}
	}
	e, err := expr.Compile(args["input"], c.env.Scope)
	if err != nil {
		return nil, err
	}
	x, err := c.extent()
	if err != nil {
		return nil, err
	}
	step := derivative
	if c.name == "$integral" {
		step = integral
	}
	return windowFunc(func(p *partition) (windowRun, error) {
		values, err := p.inputs(e.Eval)
		if err != nil {
			return nil, err
		}
		window := x.over(p)
		return func(i int) (bsonval.Value, error) {
			from, to, err := window(i)
			if err != nil {
				return bsonval.NullValue(), err
			}
			return step(p, t, values, from, to)
		}, nil
	}), nil
}

func derivative(p *partition, t timed, values []bsonval.Value, from, to int) (bsonval.Value, error) {
	if to-from < 2 {
		return bsonval.NullValue(), nil
	}
	a, b := values[from], values[to-1]
	if !a.IsNumber() || !b.IsNumber() {
		return bsonval.NullValue(), nil
	}
	run, err := t.between(p.sortValue(from), p.sortValue(to-1))
	if err != nil {
		return run, err
	}
	v, ok := bsonval.Div(bsonval.Sub(b, a), run)
	if !ok {
		return bsonval.NullValue(), nil
	}
	return v, nil
}

// integral sums the trapezoids between neighbours.
func integral(p *partition, t timed, values []bsonval.Value, from, to int) (bsonval.Value, error) {
	if from == to {
		return bsonval.NullValue(), nil
	}
	sum := bsonval.DoubleValue(0)
	last := -1
	for i := from; i < to; i++ {
		if err := p.env.Op.Check(); err != nil {
			return sum, err
		}
		if at, err := t.at(p.sortValue(i)); err != nil {
			return at, err
		}
		if !values[i].IsNumber() {
			continue
		}
		if last >= 0 {
			run, err := t.between(p.sortValue(last), p.sortValue(i))
			if err != nil {
				return run, err
			}
			double := bsonval.Mul(bsonval.Add(values[last], values[i]), run)
			half, _ := bsonval.Div(double, bsonval.IntValue(2))
			sum = bsonval.Add(sum, half)
		}
		last = i
	}
	return sum, nil
}

func (c *windowCompiler) covariance() (windowFunction, error) {
	if c.arg.Type() != bsonval.Array || c.arg.Doc().Len() != 2 {
		return nil, mongoerr.New(mongoerr.FailedToParse, "%s takes an array of exactly two expressions", c.name)
	}
	pair, err := expr.Compile(c.arg, c.env.Scope)
	if err != nil {
		return nil, err
	}
	x, err := c.extent()
	if err != nil {
		return nil, err
	}
	sample := c.name == "$covarianceSamp"
	a := &accumulator{input: pair.Eval, start: func(*expr.Frame) (gatherer, error) { return &covarianceGatherer{sample: sample}, nil }}
	return &windowAccumulator{a, x}, nil
}

type covarianceGatherer struct {
	sample       bool
	n            float64
	meanX, meanY float64
	sum          float64
	decimal      bool
}

func (g *covarianceGatherer) add(v bsonval.Value) (int, error) {
	x, y := v.Doc().At(0), v.Doc().At(1)
	if !x.IsNumber() || !y.IsNumber() {
		return 0, nil
	}
	g.decimal = g.decimal || x.Type() == bsonval.Decimal128 || y.Type() == bsonval.Decimal128
	g.n++
	dx := x.Float() - g.meanX
	g.meanX += dx / g.n
	g.meanY += (y.Float() - g.meanY) / g.n
	g.sum += dx * (y.Float() - g.meanY)
	return 0, nil
}

func (g *covarianceGatherer) value() bsonval.Value {
	n := g.n
	if g.sample {
		n--
	}
	if n <= 0 || math.IsNaN(g.sum) {
		return bsonval.NullValue()
	}
	v := bsonval.DoubleValue(g.sum / n)
	if g.decimal {
		return bsonval.ToDecimal(v)
	}
	return v
}
