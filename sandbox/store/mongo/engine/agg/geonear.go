package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// geoNear is $geoNear: the plan finds and orders the rows, the stage writes what it
// found beside them.
type geoNear struct {
	distance []string
	locs     []string // nil: none
	times    float64
	query    bsonval.Doc
	arg      bsonval.Doc
	computed map[string]expr.Expr // the point and the limits may be expressions
}

func compileGeoNear(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(10065, "invalid parameter: expected an object ($geoNear)")
	}
	d := arg.Doc()
	switch {
	case !d.Get("collation").IsMissing():
		return nil, mongoerr.New(40227, "$geoNear does not accept the 'collation' parameter. Instead, specify a collation for the entire aggregation command.")
	case !d.Get("limit").IsMissing():
		return nil, mongoerr.New(50858, "$geoNear no longer supports the 'limit' parameter. Use a $limit stage instead.")
	case !d.Get("num").IsMissing():
		return nil, mongoerr.New(50857, "$geoNear no longer supports the 'num' parameter. Use a $limit stage instead.")
	case !d.Get("start").IsMissing():
		return nil, mongoerr.New(50856, "$geoNear no longer supports the 'start' argument.")
	case d.Get("near").IsMissing():
		return nil, mongoerr.New(5860400, "$geoNear requires a 'near' argument")
	}
	g := &geoNear{times: 1, query: bsonval.EmptyDoc(), arg: d, computed: map[string]expr.Expr{}}
	for name, v := range d.All() {
		if err := g.option(env, name, v); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *geoNear) option(env *Env, name string, v bsonval.Value) (err error) {
	switch name {
	case "distanceField":
		g.distance, err = fieldOption(name, v, 16606)
	case "includeLocs":
		g.locs, err = fieldOption(name, v, 16607)
	case "near":
		err = g.compute(env, name, v, 5860402, "$geoNear requires a constant near argument")
	case "minDistance":
		err = g.compute(env, name, v, 7555701, "$geoNear requires $minDistance to evaluate to a constant number")
	case "maxDistance":
		err = g.compute(env, name, v, 7555702, "$geoNear requires $maxDistance to evaluate to a constant number")
	case "distanceMultiplier":
		if !v.IsNumber() {
			return mongoerr.New(mongoerr.TypeMismatch, "distanceMultiplier must be a number")
		}
		if !(v.Float() >= 0) {
			return mongoerr.New(mongoerr.BadValue, "distanceMultiplier must be nonnegative")
		}
		g.times = v.Float()
	case "query":
		if v.Type() != bsonval.Object {
			return mongoerr.New(mongoerr.TypeMismatch, "query must be an object")
		}
		g.query = v.Doc()
	case "key":
		if v.Type() != bsonval.String {
			return mongoerr.New(mongoerr.TypeMismatch, "$geoNear parameter 'key' must be of type string but found type: %s", v.Type())
		}
		if v.Str() == "" {
			return mongoerr.New(mongoerr.BadValue, "$geoNear parameter 'key' cannot be the empty string")
		}
		_, err = expr.SplitPath(v.Str())
	case "spherical", "uniqueDocs":
	default:
		err = mongoerr.New(mongoerr.BadValue, "Unknown argument to $geoNear: %s", name)
	}
	return err
}

func fieldOption(name string, v bsonval.Value, code mongoerr.Code) ([]string, error) {
	if v.Type() != bsonval.String {
		return nil, mongoerr.New(code, "$geoNear requires that '%s' option is a String", name)
	}
	return expr.SplitPath(v.Str())
}

// compute compiles an option that may be an expression of variables.
func (g *geoNear) compute(env *Env, name string, v bsonval.Value, code mongoerr.Code, text string) error {
	e, err := expr.Compile(v, env.Scope)
	if err != nil {
		return err
	}
	if ReadsDocument(v) {
		return mongoerr.New(code, "%s", text)
	}
	g.computed[name] = e
	return nil
}

// search is the stage's argument with its expressions evaluated. One that can't be is
// left out, so that the planner refuses it.
func (g *geoNear) search(f *expr.Frame) bsonval.Doc {
	b := bsonval.NewBuilder(len(g.arg))
	f.ResetDoc(bsonval.EmptyDoc())
	for name, v := range g.arg.All() {
		if e := g.computed[name]; e != nil {
			var err error
			if v, err = e.Eval(f); err != nil {
				v = bsonval.NullValue()
			}
		}
		if v.IsMissing() {
			v = bsonval.NullValue()
		}
		b.Set(name, v)
	}
	return b.Doc()
}

// Start implements Stage.
func (g *geoNear) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return each(func(_ *expr.Frame, row stream.Row) (bsonval.Doc, error) {
		d := row.Doc
		if row.Meta == nil {
			return d, nil
		}
		if g.distance != nil && row.Meta.GeoDistance.IsNumber() {
			d = setPath(d, g.distance, bsonval.DoubleValue(row.Meta.GeoDistance.Float()*g.times))
		}
		if g.locs != nil {
			d = setPath(d, g.locs, row.Meta.GeoPoint)
		}
		return d, nil
	}).Start(env, in)
}
