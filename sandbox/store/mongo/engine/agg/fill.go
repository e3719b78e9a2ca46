package agg

import (
	"slices"
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// filler is $linearFill or $locf.
func (c *windowCompiler) filler() (windowFunction, error) {
	if c.name == "$linearFill" && !c.singleOrder() {
		return nil, mongoerr.New(605001, "$linearFill must be specified with a top level sortBy expression with exactly one element")
	}
	if err := c.noWindow(); err != nil {
		return nil, err
	}
	e, err := expr.Compile(c.arg, c.env.Scope)
	if err != nil {
		return nil, err
	}
	if c.name == "$locf" {
		return windowFunc(func(p *partition) (windowRun, error) { return carryForward(p, e) }), nil
	}
	return windowFunc(func(p *partition) (windowRun, error) { return linearFill(p, e) }), nil
}

// carryForward gives the last value that wasn't null.
func carryForward(p *partition, e expr.Expr) (windowRun, error) {
	last := bsonval.NullValue()
	return func(i int) (bsonval.Value, error) {
		p.env.Frame.Reset(p.rows[i].row)
		v, err := e.Eval(p.env.Frame)
		if err == nil && !v.IsNullish() {
			last = v
		}
		return last, err
	}, nil
}

// linearFill puts nulls on the line between their neighbours.
func linearFill(p *partition, e expr.Expr) (windowRun, error) {
	values, err := p.inputs(e.Eval)
	if err != nil {
		return nil, err
	}
	last := -1
	for i, v := range values {
		at := p.sortValue(i)
		switch {
		case v.IsNullish():
		case !v.IsNumber():
			return nil, mongoerr.New(mongoerr.TypeMismatch, "Value to be filled must be numeric or nullish, but found %s", v.Type())
		}
		if !at.IsNumber() && at.Type() != bsonval.Date {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "Sort field must be numeric or date, but found %s", at.Type())
		}
		if i > 0 && at.IsNumber() != p.sortValue(i-1).IsNumber() {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "Conflicting sort value types, previous and current types don't match: %s and %s", p.sortValue(i-1).Type(), at.Type())
		}
		if i > 0 && bsonval.Compare(at, p.sortValue(i-1)) == 0 {
			return nil, mongoerr.New(6050106, "There can be no repeated values in the sort field")
		}
		if v.IsNullish() {
			continue
		}
		if last >= 0 {
			for k := last + 1; k < i; k++ {
				values[k] = onLine(p.sortValue(last), values[last], at, v, p.sortValue(k))
			}
		}
		last = i
	}
	return func(i int) (bsonval.Value, error) { return orNull(values[i]), nil }, nil
}

// onLine is the height at x of the line through (x1, y1) and (x2, y2). The slope is
// reckoned first, as in the server, which the last digit of a double shows.
func onLine(x1, y1, x2, y2, x bsonval.Value) bsonval.Value {
	num := func(v bsonval.Value) bsonval.Value {
		if v.Type() == bsonval.Date {
			return bsonval.LongValue(v.Int64())
		}
		return v
	}
	slope, ok := bsonval.Div(bsonval.Sub(y2, y1), bsonval.Sub(num(x2), num(x1)))
	if !ok {
		return bsonval.NullValue()
	}
	return bsonval.Add(y1, bsonval.Mul(bsonval.Sub(num(x), num(x1)), slope))
}

// compileFill is $fill: $setWindowFields for what a method fills, then $addFields for
// what a value does.
func compileFill(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "the $fill stage specification must be an object, found %s", arg.Type())
	}
	var by, byFields, order, output bsonval.Value
	for name, v := range arg.Doc().All() {
		switch name {
		case "partitionBy":
			by = v
		case "partitionByFields":
			byFields = v
		case "sortBy":
			order = v
		case "output":
			output = v
		default:
			return nil, mongoerr.New(40415, "BSON field '$fill.%s' is an unknown field.", name)
		}
	}
	switch {
	case output.Type() != bsonval.Object:
		return nil, mongoerr.New(40414, "BSON field '$fill.output' is missing but a required field")
	case output.Doc().IsEmpty():
		return nil, mongoerr.New(6050203, "The $fill 'output' must have at least one field")
	case !by.IsMissing() && !byFields.IsMissing():
		return nil, mongoerr.New(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'")
	}
	windows, values, err := fillOutputs(output.Doc())
	if err != nil {
		return nil, err
	}
	if byFields.Type() == bsonval.Array {
		if by, err = fieldsKey(byFields.Doc()); err != nil {
			return nil, err
		}
	}
	var out chain
	if !windows.IsEmpty() {
		b := bsonval.NewBuilder(128)
		s, err := compileWindows(env, "$setWindowFields", bsonval.DocValue(b.Set("partitionBy", by).Set("sortBy", order).SetDoc("output", windows).Doc()))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if !values.IsEmpty() {
		s, err := compileAddFields(env, "$fill", bsonval.DocValue(values))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// fillOutputs are the fields of $setWindowFields and of $addFields that $fill stands for.
func fillOutputs(output bsonval.Doc) (windows, values bsonval.Doc, err error) {
	var w, a bsonval.Builder
	for path, v := range output.All() {
		if v.Type() == bsonval.Object {
			for name := range v.Doc().All() {
				if name != "value" && name != "method" {
					return nil, nil, mongoerr.New(40415, "BSON field 'FillOutputSpec.%s' is an unknown field.", name)
				}
			}
		}
		if v.Type() != bsonval.Object || v.Doc().Len() != 1 {
			return nil, nil, mongoerr.New(6050200, "The fill specification for '%s' must be an object with exactly one of 'value' and 'method'", path)
		}
		how, field := v.Doc().First(), bsonval.StringValue("$"+path)
		switch {
		case how.Name == "value":
			a.OpenDoc(path).OpenArray("$ifNull").Item(field).Item(how.Value).Close().Close()
		case how.Value.Type() == bsonval.String && how.Value.Str() == "linear":
			w.OpenDoc(path).Set("$linearFill", field).Close()
		case how.Value.Type() == bsonval.String && how.Value.Str() == "locf":
			w.OpenDoc(path).Set("$locf", field).Close()
		default:
			return nil, nil, mongoerr.New(6050202, "Method must be either 'locf' or 'linear'")
		}
	}
	return w.Doc(), a.Doc(), nil
}

// fieldsKey is the expression of a partition by several fields.
func fieldsKey(fields bsonval.Doc) (bsonval.Value, error) {
	var names []string
	k := bsonval.NewBuilder(64)
	for v := range fields.Values() {
		if v.Type() != bsonval.String || slices.Contains(names, v.Str()) {
			return v, mongoerr.New(6050201, "'partitionByFields' must be an array of different strings")
		}
		if _, err := expr.SplitPath(v.Str()); err != nil {
			return v, err
		}
		names = append(names, v.Str())
		k.Str("f"+strconv.Itoa(len(names)), "$"+v.Str())
	}
	return k.Value(), nil
}
