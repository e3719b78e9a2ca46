package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// setter is a tree of the fields that $addFields sets.
type setter struct {
	name string
	e    expr.Expr // nil: goes on below
	kids []*setter
}

func compileAddFields(env *Env, name string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40272, "%s specification stage must be an object, got %s", name, arg.Type())
	}
	root, err := compileSetter(arg.Doc(), env.Scope)
	if err != nil {
		return nil, caused(name, err)
	}
	return root, nil
}

func compileSetter(spec bsonval.Doc, scope *expr.Scope) (*setter, error) {
	root := &setter{}
	for path, v := range spec.All() {
		if err := root.add(nil, path, v, scope); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// add hangs one element of the specification below the path outer into the tree.
func (s *setter) add(outer []string, path string, v bsonval.Value, scope *expr.Scope) error {
	parts, err := expr.SplitPath(path)
	if err != nil {
		return err
	}
	whole := append(outer[:len(outer):len(outer)], parts...)
	if isNested(v) {
		for name, below := range v.Doc().All() {
			if strings.HasPrefix(name, "$") && !expr.IsRefField(name) {
				return mongoerr.New(40182, "Cannot specify '%s' at this place in an object", name)
			}
			if err := s.add(whole, name, below, scope); err != nil {
				return err
			}
		}
		return nil
	}
	e, err := expr.Compile(v, scope)
	if err != nil {
		return err
	}
	return s.put(whole, e)
}

func (s *setter) child(name string) *setter {
	for _, k := range s.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (s *setter) put(path []string, e expr.Expr) error {
	at := s
	for i, part := range path {
		k, last := at.child(part), i == len(path)-1
		switch {
		case k != nil && (last || k.e != nil):
			return mongoerr.New(40176, "specification contains two conflicting paths. Cannot specify both '%s' and one that it overlaps", strings.Join(path, "."))
		case k == nil:
			k = &setter{name: part}
			at.kids = append(at.kids, k)
		}
		if at = k; last {
			k.e = e
		}
	}
	return nil
}

// Start implements Stage.
func (s *setter) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return each(s.apply).Start(env, in)
}

func (s *setter) apply(f *expr.Frame, row stream.Row) (bsonval.Doc, error) {
	f.Reset(row)
	b := bsonval.NewBuilder(len(row.Doc) + 32*len(s.kids))
	if err := s.fill(b, f, row.Doc); err != nil {
		return nil, err
	}
	return b.Doc(), nil
}

// fill writes d's fields, those that are set in their places, and then the new ones.
func (s *setter) fill(b *bsonval.Builder, f *expr.Frame, d bsonval.Doc) error {
	var seen uint64 // which of the first 64 kids d has
	for it := d.Iter(); it.Next(); {
		i := 0
		for i < len(s.kids) && s.kids[i].name != it.Name() {
			i++
		}
		if i == len(s.kids) {
			b.Raw(it.Raw())
			continue
		}
		if i < 64 {
			seen |= 1 << i
		}
		if err := s.kids[i].set(b, f, it.Value()); err != nil {
			return err
		}
	}
	for i, k := range s.kids {
		if i < 64 && seen&(1<<i) != 0 || i >= 64 && !d.Get(k.name).IsMissing() {
			continue
		}
		if err := k.set(b, f, bsonval.Value{}); err != nil {
			return err
		}
	}
	return nil
}

// set writes the field in old's place.
func (s *setter) set(b *bsonval.Builder, f *expr.Frame, old bsonval.Value) error {
	if s.e != nil {
		v, err := s.e.Eval(f)
		b.Set(s.name, v)
		return err
	}
	v, err := s.below(f, old)
	b.Set(s.name, v)
	return err
}

// below sets the kids in a document, in each element of an array, or in a new document
// that takes another value's place.
func (s *setter) below(f *expr.Frame, old bsonval.Value) (bsonval.Value, error) {
	d := bsonval.EmptyDoc()
	switch old.Type() {
	case bsonval.Object:
		d = old.Doc()
	case bsonval.Array:
		b := bsonval.NewBuilder(old.Size() + 64)
		for item := range old.Doc().Values() {
			v, err := s.below(f, item)
			if err != nil {
				return v, err
			}
			b.Item(v)
		}
		return b.Array(), nil
	}
	b := bsonval.NewBuilder(len(d) + 32*len(s.kids))
	err := s.fill(b, f, d)
	return b.Value(), err
}

// isFlag tells what a projection keeps a field by, or leaves it out.
func isFlag(v bsonval.Value) bool { return v.Type() == bsonval.Bool || v.IsNumber() }

// isNested tells an object of further fields from an expression. An empty one is a value.
func isNested(v bsonval.Value) bool {
	if v.Type() != bsonval.Object || v.Doc().IsEmpty() {
		return false
	}
	name := v.Doc().First().Name
	return !strings.HasPrefix(name, "$") || expr.IsRefField(name)
}
