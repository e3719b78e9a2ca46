package agg

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// countOutput is what a bucket has when no output is asked for.
func countOutput() bsonval.Doc {
	sum := bsonval.DocValue(bsonval.D(bsonval.E("$sum", bsonval.IntValue(1))))
	return bsonval.D(bsonval.E("count", sum))
}

// isExpression tells a path or an operator: what groupBy must be.
func isExpression(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.String:
		return strings.HasPrefix(v.Str(), "$")
	case bsonval.Object:
		return strings.HasPrefix(v.Doc().First().Name, "$")
	}
	return false
}

// bounds is $bucket's key: the lower bound of the bucket that a value is in.
type bounds struct {
	by     expr.Expr
	limits []bsonval.Value
	other  bsonval.Value // Missing: an error
}

// Eval implements expr.Expr.
func (b *bounds) Eval(f *expr.Frame) (bsonval.Value, error) {
	v, err := b.by.Eval(f)
	if err != nil {
		return v, err
	}
	c := f.Op.Collator
	at, exact := slices.BinarySearchFunc(b.limits, v, func(l, v bsonval.Value) int { return bsonval.CompareWith(l, v, c) })
	if !exact {
		at--
	}
	switch {
	case at >= 0 && at < len(b.limits)-1:
		return b.limits[at], nil
	case b.other.IsMissing():
		return v, mongoerr.New(40066, "$switch could not find a matching branch for an input, and no default was specified.")
	}
	return b.other, nil
}

func compileBucket(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40201, "Argument to $bucket stage must be an object, but found type: %s", arg.Type())
	}
	var by, limits, other bsonval.Value
	outputs := countOutput()
	for name, v := range arg.Doc().All() {
		switch name {
		case "groupBy":
			by = v
		case "boundaries":
			limits = v
		case "default":
			other = v
		case "output":
			if v.Type() != bsonval.Object {
				return nil, mongoerr.New(40196, "The $bucket 'output' field must be an object, but found type: %s", v.Type())
			}
			outputs = v.Doc()
		default:
			return nil, mongoerr.New(40197, "Unrecognized option to $bucket: %s", name)
		}
	}
	switch {
	case by.IsMissing() || limits.IsMissing():
		return nil, mongoerr.New(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
	case !isExpression(by):
		return nil, mongoerr.New(40202, "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: %s", by)
	}
	b, err := compileBounds(env, by, limits, other)
	if err != nil {
		return nil, err
	}
	g := &grouper{key: b}
	for name, v := range outputs.All() {
		if err := g.output(env, name, v); err != nil {
			return nil, err
		}
	}
	s, err := compileSort(env, "$sort", bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1)))))
	return chain{g, s}, err
}

func compileBounds(env *Env, by, limits, other bsonval.Value) (*bounds, error) {
	if limits.Type() != bsonval.Array {
		return nil, mongoerr.New(40200, "The $bucket 'boundaries' field must be an array, but found type: %s", limits.Type())
	}
	b := &bounds{}
	f := expr.NewFrame(env.Op)
	for v := range limits.Doc().Values() {
		c, err := constantOf(f, env, v, 40191, "The $bucket 'boundaries' field must be an array of constant values, but found value: %s")
		if err != nil {
			return nil, err
		}
		b.limits = append(b.limits, c)
	}
	if len(b.limits) < 2 {
		return nil, mongoerr.New(40192, "The $bucket 'boundaries' field must have at least 2 values, but found %d value(s).", len(b.limits))
	}
	for i := 1; i < len(b.limits); i++ {
		low, high := b.limits[i-1], b.limits[i]
		if low.Type().Order() != high.Type().Order() {
			return nil, mongoerr.New(40193, "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types %s and %s.", low.Type(), high.Type())
		}
		if bsonval.CompareWith(low, high, env.Op.Collator) >= 0 {
			return nil, mongoerr.New(40194, "The 'boundaries' option to $bucket must be sorted, but elements %d and %d are not in ascending order (%s is not less than %s).", i-1, i, low, high)
		}
	}
	if !other.IsMissing() {
		c, err := constantOf(f, env, other, 40195, "The $bucket 'default' field must be a constant expression, but found: %s")
		if err != nil {
			return nil, err
		}
		low, high := b.limits[0], b.limits[len(b.limits)-1]
		if bsonval.CompareWith(c, low, env.Op.Collator) >= 0 && bsonval.CompareWith(c, high, env.Op.Collator) < 0 {
			return nil, mongoerr.New(40199, "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.")
		}
		b.other = c
	}
	var err error
	b.by, err = expr.Compile(by, env.Scope)
	return b, err
}

// constantOf evaluates an expression that must not depend on documents.
func constantOf(f *expr.Frame, env *Env, v bsonval.Value, code mongoerr.Code, text string) (bsonval.Value, error) {
	e, err := expr.Compile(v, env.Scope)
	if err != nil {
		return v, err
	}
	if c, ok := expr.IsConst(e); ok {
		return c, nil
	}
	if isExpression(v) && v.Type() == bsonval.String {
		return v, mongoerr.New(code, text, v)
	}
	f.ResetDoc(bsonval.EmptyDoc())
	return e.Eval(f)
}

// autoBucket is $bucketAuto.
type autoBucket struct {
	by          expr.Expr
	count       int
	granularity rounder // nil: bounds are values of the documents
	g           grouper
}

func compileBucketAuto(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40240, "The argument to $bucketAuto must be an object, but found type: %s", arg.Type())
	}
	a := &autoBucket{}
	outputs := countOutput()
	for name, v := range arg.Doc().All() {
		var err error
		switch name {
		case "groupBy":
			if !isExpression(v) {
				return nil, mongoerr.New(40239, "The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: %s", v)
			}
			a.by, err = expr.Compile(v, env.Scope)
		case "buckets":
			a.count, err = bucketCount(v)
		case "output":
			if v.Type() != bsonval.Object {
				return nil, mongoerr.New(40244, "The $bucketAuto 'output' field must be an object, but found type: %s", v.Type())
			}
			outputs = v.Doc()
		case "granularity":
			a.granularity, err = granularity(v)
		default:
			err = mongoerr.New(40245, "Unrecognized option to $bucketAuto: %s", name)
		}
		if err != nil {
			return nil, err
		}
	}
	if a.by == nil || a.count == 0 {
		return nil, mongoerr.New(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.")
	}
	for name, v := range outputs.All() {
		if err := a.g.output(env, name, v); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func bucketCount(v bsonval.Value) (int, error) {
	n, ok := v.ExactLong()
	switch {
	case !v.IsNumber():
		return 0, mongoerr.New(40241, "The $bucketAuto 'buckets' field must be a numeric value, but found type: %s", v.Type())
	case !ok || int64(int32(n)) != n:
		return 0, mongoerr.New(40242, "The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found %s", v)
	case n <= 0:
		return 0, mongoerr.New(40243, "The $bucketAuto 'buckets' field must be greater than 0, but found: %d", n)
	}
	return int(n), nil
}

// valued is a row with the value that it is put into a bucket by.
type valued struct {
	v   bsonval.Value
	row stream.Row
}

// Start implements Stage.
func (a *autoBucket) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := a.read(env, in)
		if err != nil {
			return nil, err
		}
		c := env.Op.Collator
		slices.SortStableFunc(rows, func(x, y valued) int { return bsonval.CompareWith(x.v, y.v, c) })
		docs, err := a.split(env, rows)
		return stream.Docs(docs), err
	}), nil
}

func (a *autoBucket) read(env *Env, in stream.Iterator) ([]valued, error) {
	var rows []valued
	held := env.Op.HoldOrSpill(sortTooBig)
	for row, err := range remaining(env.Op, in) {
		if err != nil {
			return nil, err
		}
		env.Frame.Reset(row)
		v, err := a.by.Eval(env.Frame)
		if err != nil {
			return nil, err
		}
		if a.granularity != nil {
			if err := checkGranular(v); err != nil {
				return nil, err
			}
		}
		rows = append(rows, valued{orNull(v), row})
		if err := held.Add(int64(len(row.Doc) + rowCost)); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func checkGranular(v bsonval.Value) error {
	switch {
	case !v.IsNumber():
		return mongoerr.New(40258, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: %s", v.Type())
	case v.IsNaN():
		return mongoerr.New(40259, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN")
	case v.Float() < 0:
		return mongoerr.New(40260, "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number")
	}
	return nil
}

// split cuts the ordered rows into buckets of about equal size; equal values stay
// together. A bucket's max is the next one's min.
func (a *autoBucket) split(env *Env, rows []valued) ([]bsonval.Doc, error) {
	var docs []bsonval.Doc
	n := len(rows)
	per := max(1, (n+a.count/2)/a.count) // rounded, as the server does
	var low bsonval.Value
	for from := 0; from < n; {
		to := min(from+per, n)
		if len(docs) == a.count-1 {
			to = n
		}
		if from == 0 {
			low = a.lowest(rows[0].v)
		}
		to, high := a.end(env, rows, to)
		states, err := a.gather(env, rows[from:to])
		if err != nil {
			return nil, err
		}
		b := bsonval.NewBuilder(64)
		b.OpenDoc("_id").Set("min", low).Set("max", high).Close()
		for i, s := range states {
			b.Set(a.g.outputs[i].name, orNull(s.value()))
		}
		docs = append(docs, b.Doc())
		low, from = high, to
	}
	return docs, nil
}

func (a *autoBucket) lowest(v bsonval.Value) bsonval.Value {
	if a.granularity == nil {
		return v
	}
	return bsonval.DoubleValue(a.granularity.down(v.Float()))
}

// end moves a bucket's end so that equal values, or those below its rounded bound, are
// in it, and answers its max.
func (a *autoBucket) end(env *Env, rows []valued, to int) (int, bsonval.Value) {
	c := env.Op.Collator
	if a.granularity == nil {
		for to < len(rows) && bsonval.CompareWith(rows[to].v, rows[to-1].v, c) == 0 {
			to++
		}
		if to < len(rows) {
			return to, rows[to].v
		}
		return to, rows[to-1].v
	}
	bound := bsonval.DoubleValue(a.granularity.up(rows[to-1].v.Float()))
	for to < len(rows) && bsonval.Compare(rows[to].v, bound) < 0 {
		to++
	}
	return to, bound
}

func (a *autoBucket) gather(env *Env, rows []valued) ([]gatherer, error) {
	env.Frame.ResetDoc(bsonval.EmptyDoc())
	states, err := start(env.Frame, a.g.outputs)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := env.Op.Check(); err != nil {
			return nil, err
		}
		env.Frame.Reset(r.row)
		if _, err := a.g.feed(env.Frame, states); err != nil {
			return nil, err
		}
	}
	return states, nil
}
