// Package project compiles and applies projections: those of find, with $slice,
// $elemMatch and the positional $, and those of the stage $project.
package project

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Env is what a projection is compiled in.
type Env struct {
	Scope *expr.Scope
	Match match.Env      // for $elemMatch
	Query *match.Matcher // find's filter, for the positional $; nil: none
	Find  bool           // find's operators are allowed
}

// Projection is a compiled projection.
type Projection struct {
	Inclusion bool // fields that aren't named are left out
	root      *node
	env       Env
	position  []string // the path before .$; nil: none
	plain     bool     // only names of top-level fields, nothing to compute
}

// kind is what a node does with the value at its path.
type kind int

const (
	inner    kind = iota // goes on below
	include              // keeps it
	exclude              // leaves it out
	computed             // puts an expression's value there
	slice                // keeps a part of an array
	elem                 // keeps the first element that matches
)

type node struct {
	kind     kind
	name     string
	kids     []*node
	e        expr.Expr
	skip     int64 // slice
	limit    int64
	hasSkip  bool
	match    *match.ElemMatch
	computes bool // it or something below is computed
}

func (n *node) child(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// Positional tells a projection of the array element that the filter matched.
func (p *Projection) Positional() bool { return p.position != nil }

// Apply answers the projected document. frame holds the variables and is reset to row.
func (p *Projection) Apply(frame *expr.Frame, row stream.Row) (bsonval.Doc, error) {
	a := &applier{p: p, frame: frame, row: row}
	if !p.plain {
		frame.Reset(row)
	}
	if p.position != nil {
		index, ok, err := p.env.Query.MatchIndex(frame.Op, row.Doc)
		if err != nil {
			return nil, err
		}
		if !ok {
			index = -1
		}
		a.index = index
	}
	b := bsonval.NewBuilder(len(row.Doc))
	if err := a.fill(b, row.Doc, p.root, nil); err != nil {
		return nil, err
	}
	return b.Doc(), nil
}

type applier struct {
	p     *Projection
	frame *expr.Frame
	row   stream.Row
	index int // what .$ stands for
}

// fill writes what n keeps of d, then what it computes. path is the way to d, kept
// only where the positional operator needs it.
func (a *applier) fill(b *bsonval.Builder, d bsonval.Doc, n *node, path []string) error {
	for it := d.Iter(); it.Next(); {
		name := it.Name()
		k := n.child(name)
		if k == nil {
			if !a.p.Inclusion {
				b.Raw(it.Raw())
			}
			continue
		}
		if err := a.field(b, &it, k, path); err != nil {
			return err
		}
	}
	return a.compute(b, d, n)
}

func (a *applier) field(b *bsonval.Builder, it *bsonval.Iter, k *node, path []string) error {
	if a.p.position != nil {
		path = append(path[:len(path):len(path)], k.name)
		if equalPaths(path, a.p.position) {
			return a.positional(b, it)
		}
	}
	switch k.kind {
	case include:
		b.Raw(it.Raw())
	case slice:
		b.Set(k.name, k.sliced(it.Value()))
	case inner:
		v, err := a.below(it.Value(), k, path)
		if err != nil {
			return err
		}
		b.Set(k.name, v)
	}
	return nil
}

// below applies an inner node to a value: to a document, to each element of an array.
// A value of another type is kept by an exclusion and dropped by an inclusion.
func (a *applier) below(v bsonval.Value, k *node, path []string) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Object:
		b := bsonval.NewBuilder(v.Size())
		err := a.fill(b, v.Doc(), k, path)
		return b.Value(), err
	case bsonval.Array:
		b := bsonval.NewBuilder(v.Size())
		for e := range v.Doc().Values() {
			got, err := a.below(e, k, path)
			if err != nil {
				return v, err
			}
			if !got.IsMissing() {
				b.Item(got)
			}
		}
		return b.Array(), nil
	}
	if k.computes && a.p.Inclusion {
		b := bsonval.NewBuilder(32)
		err := a.compute(b, bsonval.EmptyDoc(), k)
		return b.Value(), err
	}
	if a.p.Inclusion {
		return bsonval.Value{}, nil
	}
	return v, nil
}

// compute appends the computed fields of n, and makes the documents that lead to
// computed ones where d has none.
func (a *applier) compute(b *bsonval.Builder, d bsonval.Doc, n *node) error {
	if !n.computes {
		return nil
	}
	for _, k := range n.kids {
		if !k.computes {
			continue
		}
		switch k.kind {
		case computed:
			v, err := k.e.Eval(a.frame)
			if err != nil {
				return err
			}
			b.Set(k.name, v)
		case elem:
			v, err := k.elemMatch(a, d)
			if err != nil {
				return err
			}
			b.Set(k.name, v)
		case inner:
			if !d.Get(k.name).IsMissing() {
				continue
			}
			b.OpenDoc(k.name)
			if err := a.compute(b, bsonval.EmptyDoc(), k); err != nil {
				return err
			}
			b.Close()
		}
	}
	return nil
}

func (k *node) elemMatch(a *applier, d bsonval.Doc) (bsonval.Value, error) {
	v := d.Get(k.name)
	i, err := k.match.First(a.frame.Op, v)
	if err != nil || i < 0 {
		return bsonval.Value{}, err
	}
	return bsonval.ArrayOf(v.Doc().At(i)), nil
}

// sliced is $slice: n elements from the beginning or the end, or after skipping some.
func (k *node) sliced(v bsonval.Value) bsonval.Value {
	if v.Type() != bsonval.Array {
		return v
	}
	all := v.Doc().Slice()
	n := int64(len(all))
	from, to := int64(0), n
	switch {
	case k.hasSkip && k.skip >= 0:
		from = min(k.skip, n)
	case k.hasSkip:
		from = max(n+k.skip, 0)
	case k.limit < 0:
		from = max(n+k.limit, 0)
		return bsonval.ArrayOf(all[from:]...)
	}
	if k.limit < n-from {
		to = from + k.limit
	}
	return bsonval.ArrayOf(all[from:to]...)
}

func (a *applier) positional(b *bsonval.Builder, it *bsonval.Iter) error {
	v := it.Value()
	if v.Type() != bsonval.Array {
		b.Set(it.Name(), v)
		return nil
	}
	if a.index >= 0 && v.Doc().At(a.index).IsMissing() {
		return mongoerr.New(51247, "Executor error during find command :: caused by :: positional operator '.$' element mismatch")
	}
	if a.index < 0 {
		return mongoerr.New(51246, "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array")
	}
	b.Set(it.Name(), bsonval.ArrayOf(v.Doc().At(a.index)))
	return nil
}

func equalPaths(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
