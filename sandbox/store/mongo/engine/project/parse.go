package project

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// parser gathers what a specification says before it is known which kind it is.
type parser struct {
	env       Env
	root      *node
	inclusion bool
	typed     bool // inclusion is known
	id        int  // 1 included, -1 excluded, 0 not named
	position  []string
	notPlain  bool
	sliced    bool // $slice was named,
	elements  bool // $elemMatch,
	meta      bool // $meta
}

// Compile checks and compiles a projection. The errors are the server's.
func Compile(spec bsonval.Doc, env Env) (*Projection, error) {
	if spec.IsEmpty() && !env.Find {
		return nil, mongoerr.New(51272, "Invalid $project :: caused by :: projection specification must have at least one field")
	}
	p := &parser{env: env, root: &node{}}
	for name, v := range spec.All() {
		if err := p.field(nil, name, v); err != nil {
			return nil, err
		}
	}
	if p.elements && p.position != nil {
		return nil, mongoerr.New(31255, "Cannot specify positional operator and $elemMatch.")
	}
	if !p.typed {
		p.inclusion = p.included()
	}
	p.finishID()
	p.root.mark()
	return &Projection{Inclusion: p.inclusion, root: p.root, env: env, position: p.position, plain: !p.notPlain}, nil
}

// included settles the kind of a projection whose fields leave it open.
func (p *parser) included() bool {
	switch {
	case p.sliced:
		return p.id > 0
	case p.elements, p.meta && !p.env.Find:
		return true
	}
	return p.id > 0
}

// finishID keeps _id in an inclusion that doesn't name it.
func (p *parser) finishID() {
	k := p.root.child("_id")
	switch {
	case k == nil && p.inclusion:
		p.root.kids = append([]*node{{kind: include, name: "_id"}}, p.root.kids...)
	case k != nil && k.kind == include && !p.inclusion, k != nil && k.kind == exclude && p.inclusion:
		// neutral: an inclusion simply doesn't have it, an exclusion doesn't name it
		for i, x := range p.root.kids {
			if x == k {
				p.root.kids = append(p.root.kids[:i], p.root.kids[i+1:]...)
			}
		}
	}
}

func (n *node) mark() bool {
	n.computes = n.kind == computed || n.kind == elem
	for _, k := range n.kids {
		if k.mark() {
			n.computes = true
		}
	}
	return n.computes
}

// field reads one element of the specification, below the path outer.
func (p *parser) field(outer []string, name string, v bsonval.Value) error {
	parts, err := p.path(outer, name)
	if err != nil {
		return err
	}
	path := strings.Join(parts, ".")
	if p.env.Find && len(outer) < len(parts) && strings.HasSuffix(name, ".$") {
		switch {
		case v.Type() == bsonval.Object:
			return mongoerr.New(31271, "positional projection cannot be used with an expression or sub object")
		case !v.IsNumber() && v.Type() != bsonval.Bool:
			return mongoerr.New(31308, "positional projection cannot be used with a literal")
		case !v.Truth():
			return mongoerr.New(31395, "positional projection cannot be used with exclusion")
		}
	}
	switch {
	case v.IsNumber() || v.Type() == bsonval.Bool:
		return p.plainField(parts, path, v.Truth())
	case v.Type() == bsonval.Object:
		return p.object(parts, path, v.Doc())
	}
	return p.expression(parts, path, v)
}

func (p *parser) path(outer []string, name string) ([]string, error) {
	if name == "" {
		return nil, mongoerr.New(40352, "FieldPath cannot be constructed with empty string")
	}
	parts := append(outer[:len(outer):len(outer)], strings.Split(name, ".")...)
	if p.env.Find && parts[len(parts)-1] == "$" && len(parts) > 1 {
		if p.position != nil {
			return nil, mongoerr.New(31276, "Cannot specify more than one positional projection per query.")
		}
		parts = parts[:len(parts)-1]
		p.position, p.notPlain = parts, true
		if p.env.Query == nil || p.env.Query.Source.IsEmpty() {
			p.position = append([]string{}, parts...)
		}
		return parts, nil
	}
	if p.env.Find && strings.Contains(name, ".$.") {
		return nil, mongoerr.New(31394, "As of 4.4, it's illegal to specify positional operator in the middle of a path. Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.")
	}
	for i, part := range parts {
		switch {
		case part == "" && i == len(parts)-1:
			return nil, mongoerr.New(40353, "FieldPath must not end with a '.'.")
		case part == "":
			return nil, mongoerr.New(15998, "FieldPath field names may not be empty strings.")
		case part[0] == '$' && !expr.IsRefField(part):
			return nil, mongoerr.New(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
		}
	}
	return parts, nil
}

func (p *parser) plainField(parts []string, path string, in bool) error {
	if path == "_id" {
		p.id = -1
		if in {
			p.id = 1
		}
	} else if err := p.become(in, path); err != nil {
		return err
	}
	k := exclude
	if in {
		k = include
	}
	return p.put(parts, &node{kind: k})
}

// become settles whether the projection includes or excludes.
func (p *parser) become(in bool, path string) error {
	switch {
	case !p.typed:
		p.typed, p.inclusion = true, in
	case p.inclusion && !in:
		return mongoerr.New(31254, "Cannot do exclusion on field %s in inclusion projection", path)
	case !p.inclusion && in:
		return mongoerr.New(31253, "Cannot do inclusion on field %s in exclusion projection", path)
	}
	return nil
}

func (p *parser) object(parts []string, path string, d bsonval.Doc) error {
	first := d.First()
	single := d.Len() == 1 && strings.HasPrefix(first.Name, "$")
	switch {
	case d.IsEmpty():
		return mongoerr.New(51270, "An empty sub-projection is not a valid value. Found empty object at path")
	case !single || expr.IsRefField(first.Name):
		for name, v := range d.All() {
			if err := p.field(parts, name, v); err != nil {
				return err
			}
		}
		return nil
	case !p.env.Find && first.Name == "$elemMatch":
		return mongoerr.New(mongoerr.InvalidPipelineOperator, "Cannot use $elemMatch in this context")
	case !expr.Known(first.Name) && !(p.env.Find && first.Name == "$elemMatch"):
		return mongoerr.New(31325, "Unknown expression %s", first.Name)
	}
	p.notPlain = true
	if p.env.Find {
		switch first.Name {
		case "$slice":
			return p.slice(parts, path, first.Value)
		case "$elemMatch":
			return p.elemMatch(parts, first.Value)
		}
	}
	return p.expression(parts, path, bsonval.DocValue(d))
}

func (p *parser) expression(parts []string, path string, v bsonval.Value) error {
	p.notPlain = true
	meta := v.Type() == bsonval.Object && v.Doc().First().Name == "$meta"
	if meta {
		p.meta = true
	} else {
		switch {
		case !p.typed || p.inclusion:
		case v.Type() == bsonval.Object:
			return mongoerr.New(31252, "Cannot use expression other than $meta in exclusion projection")
		default:
			return mongoerr.New(31310, "Cannot use an expression %s: %s in an exclusion projection", path, v)
		}
		p.typed, p.inclusion = true, true
	}
	scope := p.env.Scope
	if scope == nil {
		scope = expr.NewScope(nil)
	}
	e, err := expr.Compile(v, scope)
	if err != nil {
		return err
	}
	return p.put(parts, &node{kind: computed, e: e})
}

func (p *parser) slice(parts []string, path string, v bsonval.Value) error {
	n := &node{kind: slice}
	if v.Type() == bsonval.Array {
		args := v.Doc().Slice()
		if len(args) != 2 || !args[0].IsNumber() || !args[1].IsNumber() {
			return p.expression(parts, path, bsonval.DocValue(bsonval.D(bsonval.E("$slice", v))))
		}
		n.hasSkip, n.skip, n.limit = true, args[0].Long(), args[1].Long()
		if n.limit <= 0 {
			return mongoerr.New(28724, "First argument to $slice must be an array, but is of type: %s", args[0].Type())
		}
	} else {
		if !v.IsNumber() {
			return mongoerr.New(28667, "Invalid $slice syntax. The given syntax { $slice: %s } did not match the find() syntax because :: Location31273: $slice only supports numbers and [skip, limit] arrays :: The given syntax did not match the expression $slice syntax. :: caused by :: Expression $slice takes at least 2 arguments, and at most 3, but 1 were passed in.", v)
		}
		n.limit = v.Long()
	}
	p.sliced = true
	return p.put(parts, n)
}

func (p *parser) elemMatch(parts []string, v bsonval.Value) error {
	if len(parts) > 1 {
		return mongoerr.New(31275, "Cannot use $elemMatch projection on a nested field (currently unsupported).")
	}
	if v.Type() != bsonval.Object {
		return mongoerr.New(31274, "elemMatch: Invalid argument, object required, but got %s", v.Type())
	}
	m, err := match.CompileElemMatch(v, p.env.Match)
	if err != nil {
		return err
	}
	p.elements = true
	return p.put(parts, &node{kind: elem, match: m})
}

// put hangs n into the tree.
func (p *parser) put(parts []string, n *node) error {
	at := p.root
	for i, part := range parts {
		k := at.child(part)
		last := i == len(parts)-1
		switch {
		case k != nil && last:
			return mongoerr.New(31250, "Path collision at %s", strings.Join(parts, "."))
		case k != nil && k.kind != inner:
			return mongoerr.New(31249, "Path collision at %s remaining portion %s", strings.Join(parts, "."), strings.Join(parts[i+1:], "."))
		case k == nil && last:
			n.name = part
			at.kids = append(at.kids, n)
		case k == nil:
			k = &node{name: part}
			at.kids = append(at.kids, k)
		}
		at = k
	}
	return nil
}
