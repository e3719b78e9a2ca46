package match

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// maxNesting bounds filters within filters.
const maxNesting = 100

// compiler carries what all parts of one filter share.
type compiler struct {
	env     Env
	depth   int
	element bool // within an $elemMatch
}

// Compile checks and compiles a filter. The errors are the server's.
func Compile(filter bsonval.Doc, env Env) (*Matcher, error) {
	c := &compiler{env: env}
	root, err := c.document(filter)
	if err != nil {
		return nil, err
	}
	return &Matcher{Source: filter, Root: root, env: env}, nil
}

func bad(format string, args ...any) error {
	return mongoerr.New(mongoerr.BadValue, format, args...)
}

// document compiles a whole filter: fields and logical operators, all of which must hold.
func (c *compiler) document(d bsonval.Doc) (Node, error) {
	if c.depth++; c.depth > maxNesting {
		return nil, bad("exceeded maximum query tree depth of %d at node", maxNesting)
	}
	defer func() { c.depth-- }()
	and := &And{}
	for name, v := range d.All() {
		var nodes []Node
		var err error
		if strings.HasPrefix(name, "$") {
			nodes, err = c.operator(name, v)
		} else {
			nodes, err = c.field(name, v)
		}
		if err != nil {
			return nil, err
		}
		and.Nodes = append(and.Nodes, nodes...)
	}
	if len(and.Nodes) == 1 {
		return and.Nodes[0], nil
	}
	return and, nil
}

func one(n Node, err error) ([]Node, error) {
	if err != nil {
		return nil, err
	}
	return []Node{n}, nil
}

// operator compiles one that stands in a field's place.
func (c *compiler) operator(name string, v bsonval.Value) ([]Node, error) {
	if err := c.allowed(name); err != nil {
		return nil, err
	}
	if c.element && ofDocument(name) {
		return nil, misplaced(name)
	}
	switch name {
	case "$and", "$or", "$nor":
		return one(c.logical(name, v))
	case "$expr":
		e, err := expr.Compile(v, c.scope())
		return one(&Expr{Source: v, e: e}, err)
	case "$where":
		if v.Type() != bsonval.String && v.Type() != bsonval.Code && v.Type() != bsonval.CodeScope {
			return nil, bad("$where got bad type")
		}
		e, err := whereExpr(v, c.scope())
		return one(&Where{Source: v, e: e}, err)
	case "$text":
		if v.Type() != bsonval.Object {
			return nil, bad("$text expects an object")
		}
		return one(&Text{Source: v.Doc()}, nil)
	case "$jsonSchema":
		if v.Type() != bsonval.Object {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "$jsonSchema must be an object")
		}
		root, err := compileSchema(v.Doc())
		return one(&Schema{Source: v.Doc(), root: root}, err)
	case "$comment":
		return nil, nil
	case "$alwaysTrue", "$alwaysFalse":
		if n, ok := v.ExactLong(); !v.IsNumber() || !ok || n != 1 {
			return nil, mongoerr.New(mongoerr.FailedToParse, "%s must be an integer value of 1", name)
		}
		if name == "$alwaysTrue" {
			return one(&And{}, nil)
		}
		return one(&Never{}, nil)
	case "$sampleRate":
		return one(compileSampleRate(v))
	case "$ref", "$id", "$db": // of a reference
		return one(NewField(name, &Cmp{EQ, v}), nil)
	case "$_internalBucketGeoWithin":
		return one(c.bucketGeo(v))
	}
	return nil, bad("unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", name)
}

// ofDocument tells the operators that ask of a whole document alone.
func ofDocument(name string) bool {
	return name == "$expr" || name == "$where" || name == "$text" || name == "$jsonSchema"
}

func misplaced(name string) error {
	return bad("%s can only be applied to the top-level document", name)
}

// allowed refuses in a plain filter what asks more than the value before it.
func (c *compiler) allowed(name string) error {
	if c.env.NoExpr && name == "$expr" {
		return mongoerr.New(mongoerr.QueryFeatureNotAllowed, "%s is not allowed in this context", name)
	}
	if !c.env.Plain && !c.env.Bare {
		return nil
	}
	switch name {
	case "$text", "$where":
		return bad("%s is not allowed in this context", name)
	case "$expr", "$jsonSchema":
		if !c.env.Plain {
			return nil
		}
		return mongoerr.New(mongoerr.QueryFeatureNotAllowed, "%s is not allowed in this context", name)
	case "$near", "$nearSphere", "$geoNear":
		return bad("$geoNear, $near, and $nearSphere are not allowed in this context")
	}
	return nil
}

func (c *compiler) scope() *expr.Scope {
	if c.env.Scope != nil {
		return c.env.Scope
	}
	var let bsonval.Doc
	if c.env.Op != nil {
		let = c.env.Op.Let
	}
	return expr.NewScope(let)
}

func (c *compiler) logical(name string, v bsonval.Value) (Node, error) {
	if v.Type() != bsonval.Array {
		return nil, bad("%s must be an array", name)
	}
	if v.Doc().IsEmpty() {
		return nil, bad("$and/$or/$nor must be a nonempty array")
	}
	var nodes []Node
	for e := range v.Doc().Values() {
		if e.Type() != bsonval.Object {
			return nil, bad("$or/$and/$nor entries need to be full objects")
		}
		n, err := c.document(e.Doc())
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	switch name {
	case "$and":
		return &And{nodes}, nil
	case "$or":
		return &Or{nodes}, nil
	}
	return &Nor{nodes}, nil
}

// field compiles what is asked of one path.
func (c *compiler) field(path string, v bsonval.Value) ([]Node, error) {
	preds, err := c.condition(path, v)
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, len(preds))
	for i, p := range preds {
		nodes[i] = NewField(path, p)
	}
	return nodes, nil
}

// NewField asks p of what stands at path.
func NewField(path string, p Pred) *Field {
	return &Field{Path: path, Pred: p, path: strings.Split(path, ".")}
}

// isOperators tells an object of operators from one that is a value.
func isOperators(v bsonval.Value) bool {
	if v.Type() != bsonval.Object {
		return false
	}
	name := v.Doc().First().Name
	return strings.HasPrefix(name, "$") && !expr.IsRefField(name)
}

// condition compiles the right side of a field: operators, a pattern, or a value.
func (c *compiler) condition(path string, v bsonval.Value) ([]Pred, error) {
	switch {
	case v.Type() == bsonval.Regex:
		p, o := v.Regex()
		re, err := newRegex(p, o)
		return []Pred{re}, err
	case isOperators(v):
		return c.operators(path, v.Doc())
	case v.Type() == bsonval.Undefined:
		return nil, bad("cannot compare to undefined")
	}
	return []Pred{&Cmp{EQ, v}}, nil
}

func (c *compiler) operators(path string, d bsonval.Doc) ([]Pred, error) {
	if c.depth++; c.depth > maxNesting {
		return nil, bad("exceeded maximum query tree depth of %d at node", maxNesting)
	}
	defer func() { c.depth-- }()
	var out []Pred
	seen := false // the $regex
	for name, v := range d.All() {
		var p Pred
		var err error
		switch name {
		case "$regex":
			seen = true
			p, err = regexOf(v, d.Get("$options"))
		case "$options":
			re := d.Get("$regex")
			if re.IsMissing() {
				err = bad("$options needs a $regex")
			} else if re.Type() == bsonval.Regex && !seen {
				if _, own := re.Regex(); own != "" {
					err = mongoerr.New(51074, "options set in both $options and $regex")
				}
			}
		case "$all":
			all, err := c.all(path, v)
			if err != nil {
				return nil, err
			}
			out = append(out, all...)
			continue
		case "$near", "$nearSphere", "$geoNear":
			if d.First().Name != name || v.Type() != bsonval.Object && v.Type() != bsonval.Array {
				return nil, bad("near must be first in: %s", d)
			}
			p, err := c.geo(name, d)
			return []Pred{p}, err // it reads its neighbours itself
		case "$geoWithin", "$within", "$geoIntersects":
			p, err = c.geo(name, d)
		default:
			p, err = c.predicate(path, name, v)
		}
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, p)
		}
	}
	return out, nil
}

func (c *compiler) geo(name string, d bsonval.Doc) (Pred, error) {
	if err := c.allowed(name); err != nil {
		return nil, err
	}
	if c.env.Geo == nil {
		return nil, mongoerr.New(mongoerr.NotImplemented, "%s is not supported here", name)
	}
	test, err := c.env.Geo(name, d)
	return &Geo{Op: name, Source: d, Test: test}, err
}

// predicate compiles the operators that stand for themselves.
func (c *compiler) predicate(path, name string, v bsonval.Value) (Pred, error) {
	switch name {
	case "$eq":
		return comparison(EQ, v)
	case "$ne":
		if v.Type() == bsonval.Regex {
			return nil, bad("Can't have regex as arg to $ne.")
		}
		p, err := comparison(EQ, v)
		return &Not{p}, err
	case "$gt", "$gte", "$lt", "$lte":
		if v.Type() == bsonval.Regex {
			return nil, bad("Can't have RegEx as arg to predicate over field '%s'.", path)
		}
		return comparison(CmpOp(name), v)
	case "$in":
		return c.in("$in", v)
	case "$nin":
		p, err := c.in("$nin", v)
		return &Not{p}, err
	case "$not":
		return c.not(path, v)
	case "$exists":
		if v.Truth() {
			return &Exists{}, nil
		}
		return &Not{&Exists{}}, nil
	case "$type":
		return compileType(v)
	case "$size":
		return compileSize(v)
	case "$mod":
		return compileMod(v)
	case "$elemMatch":
		return c.elemMatch(v)
	case "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear":
		return compileBits(name, v)
	}
	if p := exprCmp(name, v); p != nil {
		return p, nil
	}
	if ofDocument(name) {
		return nil, misplaced(name)
	}
	return nil, bad("unknown operator: %s", name)
}

func comparison(op CmpOp, v bsonval.Value) (Pred, error) {
	if v.Type() == bsonval.Undefined {
		return nil, bad("cannot compare to undefined")
	}
	return &Cmp{op, v}, nil
}

func (c *compiler) not(path string, v bsonval.Value) (Pred, error) {
	switch {
	case v.Type() == bsonval.Regex:
		p, o := v.Regex()
		re, err := newRegex(p, o)
		return &Not{re}, err
	case v.Type() != bsonval.Object:
		return nil, bad("$not needs a regex or a document")
	case v.Doc().IsEmpty():
		return nil, bad("$not cannot be empty")
	}
	for name := range v.Doc().All() {
		if !strings.HasPrefix(name, "$") {
			return nil, bad("unknown operator: %s", name)
		}
	}
	ps, err := c.operators(path, v.Doc())
	if err != nil {
		return nil, err
	}
	if len(ps) == 1 {
		return &Not{ps[0]}, nil
	}
	return &Not{&Both{ps}}, nil
}

// all is $all: an equality, a pattern or an $elemMatch for each element.
func (c *compiler) all(path string, v bsonval.Value) ([]Pred, error) {
	if v.Type() != bsonval.Array {
		return nil, bad("$all needs an array")
	}
	var out []Pred
	isElemMatch := func(e bsonval.Value) bool { return isOperators(e) && e.Doc().First().Name == "$elemMatch" }
	elements := isElemMatch(v.Doc().At(0))
	for e := range v.Doc().Values() {
		switch {
		case elements && !isElemMatch(e):
			return nil, bad("$all/$elemMatch has to be consistent")
		case elements:
			p, err := c.elemMatch(e.Doc().First().Value)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		case isOperators(e):
			return nil, bad("no $ expressions in $all")
		default:
			ps, err := c.condition(path, e)
			if err != nil {
				return nil, err
			}
			out = append(out, ps...)
		}
	}
	if len(out) == 0 {
		return []Pred{&In{}}, nil // an empty $all matches nothing
	}
	return out, nil
}

// elemMatch asks for one element that satisfies all.
func (c *compiler) elemMatch(v bsonval.Value) (Pred, error) {
	if v.Type() != bsonval.Object {
		return nil, bad("$elemMatch needs an Object")
	}
	first := v.Doc().First().Name
	logical := first == "$and" || first == "$or" || first == "$nor" || first == "$where" || first == "$expr"
	if isOperators(v) && !logical {
		ps, err := c.operators("", v.Doc())
		if len(ps) == 1 {
			return &ElemMatch{Pred: ps[0]}, err
		}
		return &ElemMatch{Pred: &Both{ps}}, err
	}
	outer := c.element
	c.element = true
	n, err := c.document(v.Doc())
	c.element = outer
	return &ElemMatch{Node: n}, err
}
