package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// graph is $graphLookup.
type graph struct {
	from     string
	start    expr.Expr
	next     []string // connectFromField
	to       string   // connectToField
	as       []string
	depth    []string // depthField; nil: none
	maxDepth int64    // -1: none
	restrict bsonval.Doc
}

func compileGraph(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "the $graphLookup stage specification must be an object, but found %s", arg.Type())
	}
	g := &graph{maxDepth: -1}
	if arg.Doc().Get("from").IsMissing() {
		return nil, mongoerr.New(mongoerr.FailedToParse, "missing 'from' option to $graphLookup stage specification: %s", arg)
	}
	for name, v := range arg.Doc().All() {
		if err := g.option(env, name, v); err != nil {
			return nil, err
		}
	}
	if g.from == "" || g.start == nil || g.next == nil || g.to == "" || g.as == nil {
		return nil, mongoerr.New(40105, "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.")
	}
	return g, nil
}

func (g *graph) option(env *Env, name string, v bsonval.Value) (err error) {
	switch name {
	case "startWith":
		g.start, err = expr.Compile(v, env.Scope)
		return err
	case "maxDepth":
		n, ok := v.ExactLong()
		switch {
		case !v.IsNumber():
			return mongoerr.New(40100, "maxDepth must be numeric, found type: %s", v.Type())
		case n < 0:
			return mongoerr.New(40101, "maxDepth requires a nonnegative argument, found: %s", v)
		case !ok:
			return mongoerr.New(40102, "maxDepth could not be represented as a long long: %s", v)
		}
		g.maxDepth = n
		return nil
	case "restrictSearchWithMatch":
		if v.Type() != bsonval.Object {
			return mongoerr.New(40185, "restrictSearchWithMatch must be an object, found %s", v.Type())
		}
		if uses(v, "$near") || uses(v, "$nearSphere") || uses(v, "$geoNear") {
			return nearRefused()
		}
		g.restrict = v.Doc()
		_, err = match.Compile(g.restrict, env.matchEnv())
		return err
	case "from":
		switch {
		case v.Type() != bsonval.String:
			return mongoerr.New(mongoerr.FailedToParse, "$graphLookup 'from' field must be a string, but found %s", v.Type())
		case v.Str() == "":
			return mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s.'", env.DB)
		}
		g.from = v.Str()
		return nil
	case "as", "connectFromField", "connectToField", "depthField":
	default:
		return mongoerr.New(40104, "Unknown argument to $graphLookup: %s", name)
	}
	return g.field(name, v)
}

// field reads an option that names a field.
func (g *graph) field(name string, v bsonval.Value) error {
	if v.Type() != bsonval.String {
		return mongoerr.New(40103, "expected string as argument for %s, found: %s", name, v)
	}
	text := v.Str()
	if strings.HasPrefix(text, "$") {
		return mongoerr.New(16410, "%s: FieldPath field names may not start with '$'. Consider using $getField or $setField.", name)
	}
	parts, err := expr.SplitPath(text)
	switch name {
	case "as":
		g.as = parts
	case "connectFromField":
		g.next = parts
	case "connectToField":
		g.to = text
	case "depthField":
		g.depth = parts
	}
	return err
}

// Start implements Stage.
func (g *graph) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	x := newForeignIndex(env, &lookup{from: g.from, foreign: g.to})
	x.filter = g.restrict
	return each(func(f *expr.Frame, row stream.Row) (bsonval.Doc, error) {
		f.Reset(row)
		v, err := g.start.Eval(f)
		if err != nil {
			return nil, err
		}
		was, kept := env.Op.Held(), x.held
		list, err := g.search(env, x, v)
		if err != nil {
			return nil, err
		}
		env.Op.HeldAgain(was + x.held - kept)
		return setPath(row.Doc, g.as, list), nil
	}).Start(env, in)
}

// graphCost is what a document that was met costs beside its bytes.
const graphCost = 64

// search goes from level to level, breadth first; each document is met once.
func (g *graph) search(env *Env, x *foreignIndex, start bsonval.Value) (bsonval.Value, error) {
	frontier := []bsonval.Value{orNull(start)}
	if start.Type() == bsonval.Array {
		frontier = start.Doc().Slice()
	}
	met, asked := map[string]bool{}, map[string]bool{}
	frontier = unasked(env, asked, frontier)
	b := bsonval.NewBuilder(64)
	held := env.Op.Hold(func(int64) error { return mongoerr.New(40099, "$graphLookup reached maximum memory consumption") })
	for depth := int64(0); len(frontier) > 0 && (g.maxDepth < 0 || depth <= g.maxDepth); depth++ {
		it, err := x.find(frontier)
		if err != nil {
			return bsonval.Value{}, err
		}
		rows, err := readAll(env, it)
		it.Close()
		if err != nil {
			return bsonval.Value{}, err
		}
		frontier = nil
		for _, row := range rows {
			id := string(bsonval.AppendKey(nil, row.Doc.Get("_id"), nil))
			if met[id] {
				continue
			}
			met[id] = true
			d := row.Doc
			if g.depth != nil {
				d = setPath(d, g.depth, bsonval.LongValue(depth))
			}
			b.ItemDoc(d)
			more := g.following(row.Doc)
			if err := held.Add(int64(len(d) + len(id) + graphCost + 40*len(more))); err != nil {
				return bsonval.Value{}, err
			}
			frontier = append(frontier, more...)
		}
		frontier = unasked(env, asked, frontier)
	}
	return b.Array(), nil
}

// following are the values that the search goes on with from a document.
func (g *graph) following(d bsonval.Doc) []bsonval.Value {
	v := expr.Descend(bsonval.DocValue(d), g.next)
	switch v.Type() {
	case bsonval.Missing:
		return nil
	case bsonval.Array:
		return v.Doc().Slice()
	}
	return []bsonval.Value{v}
}

// unasked leaves out values that were searched for before.
func unasked(env *Env, asked map[string]bool, values []bsonval.Value) []bsonval.Value {
	var out []bsonval.Value
	for _, v := range values {
		key := string(bsonval.AppendKey(nil, v, env.Op.Collator))
		if !asked[key] {
			asked[key] = true
			out = append(out, v)
		}
	}
	return out
}
