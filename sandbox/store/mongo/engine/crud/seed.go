package crud

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// seed is the document that a filter's equalities describe, from which an upsert with
// operators begins: { a: 1, "b.c": { $eq: 2 } } gives { a: 1, b: { c: 2 } }.
func seed(root match.Node) (bsonval.Doc, error) {
	s := &seeder{}
	if err := s.collect(root); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	if v, ok := s.take("_id"); ok {
		b.Set("_id", v)
	}
	for _, k := range s.tree.kids {
		k.write(&b)
	}
	return b.Doc(), nil
}

type seeder struct {
	tree   branch
	onlyID bool
}

type branch struct {
	name string
	v    bsonval.Value
	kids []*branch
}

func (s *seeder) take(name string) (bsonval.Value, bool) {
	for i, k := range s.tree.kids {
		if k.name == name && len(k.kids) == 0 {
			s.tree.kids = append(s.tree.kids[:i], s.tree.kids[i+1:]...)
			return k.v, true
		}
	}
	return bsonval.Value{}, false
}

func (s *seeder) collect(n match.Node) error {
	switch n := n.(type) {
	case *match.And:
		for _, x := range n.Nodes {
			if err := s.collect(x); err != nil {
				return err
			}
		}
	case *match.Or:
		if len(n.Nodes) == 1 {
			return s.collect(n.Nodes[0])
		}
	case *match.Field:
		if top, _, _ := strings.Cut(n.Path, "."); top != "_id" && s.onlyID {
			return nil
		}
		return s.equal(n.Path, n.Pred)
	}
	return nil
}

func (s *seeder) equal(path string, p match.Pred) error {
	switch p := p.(type) {
	case *match.Cmp:
		if p.Op == match.EQ {
			return s.add(path, p.Value)
		}
	case *match.In:
		if len(p.Values) == 1 && len(p.Regexes) == 0 {
			return s.add(path, p.Values[0])
		}
	case *match.Both: // $all
		for _, x := range p.Preds {
			if err := s.equal(path, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seeder) add(path string, v bsonval.Value) error {
	at := &s.tree
	parts := strings.Split(path, ".")
	for i, part := range parts {
		var next *branch
		for _, k := range at.kids {
			if k.name == part {
				next = k
			}
		}
		last := i == len(parts)-1
		if next != nil && (last || len(next.kids) == 0) {
			return mongoerr.New(mongoerr.NotSingleValueField, "cannot infer query fields to set, path '%s' is matched twice", path)
		}
		if next == nil {
			next = &branch{name: part}
			at.kids = append(at.kids, next)
		}
		if last {
			next.v = v
		}
		at = next
	}
	return nil
}

func (k *branch) write(b *bsonval.Builder) {
	if len(k.kids) == 0 {
		b.Set(k.name, k.v)
		return
	}
	b.OpenDoc(k.name)
	for _, x := range k.kids {
		x.write(b)
	}
	b.Close()
}

// seedID is the _id that the filter asks for, from which an upsert with a whole
// document begins: a document with _id or an empty one. Other fields don't count.
func seedID(root match.Node) (bsonval.Doc, error) {
	s := &seeder{onlyID: true}
	if err := s.collect(root); err != nil {
		return nil, err
	}
	if len(s.tree.kids) == 0 {
		return bsonval.EmptyDoc(), nil
	}
	if id := s.tree.kids[0]; len(id.kids) > 0 {
		return nil, mongoerr.New(mongoerr.NotExactValueField, "field at '_id' must be exactly specified, field at sub-path '_id.%s' found", id.kids[0].name)
	}
	return bsonval.D(bsonval.E("_id", s.tree.kids[0].v)), nil
}
