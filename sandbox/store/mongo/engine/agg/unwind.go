package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// spreadStages are the stages that make many documents of one.
func spreadStages(name string) compiler {
	if name == "$unwind" {
		return compileUnwind
	}
	return nil
}

type unwinder struct {
	path  []string
	index []string // where the place in the array goes; nil: nowhere
	keep  bool     // documents without elements stay
}

func compileUnwind(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	path, index := arg, bsonval.Value{}
	u := &unwinder{}
	if arg.Type() == bsonval.Object {
		path = bsonval.Value{}
		for name, v := range arg.Doc().All() {
			switch name {
			case "path":
				path = v
			case "preserveNullAndEmptyArrays":
				if v.Type() != bsonval.Bool {
					return nil, mongoerr.New(28809, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got %s", v.Type())
				}
				u.keep = v.Bool()
			case "includeArrayIndex":
				if v.Type() != bsonval.String || v.Str() == "" {
					return nil, mongoerr.New(28810, "expected a non-empty string for the includeArrayIndex  option to $unwind stage, got %s", v.Type())
				}
				index = v
			default:
				return nil, mongoerr.New(28811, "unrecognized option to $unwind stage: %s", name)
			}
		}
	} else if arg.Type() != bsonval.String {
		return nil, mongoerr.New(15981, "expected either a string or an object as specification for $unwind stage, got %s", arg.Type())
	}
	return u, u.paths(path, index)
}

func (u *unwinder) paths(path, index bsonval.Value) (err error) {
	switch {
	case path.IsMissing():
		return mongoerr.New(28812, "no path specified to $unwind stage")
	case path.Type() != bsonval.String:
		return mongoerr.New(28808, "expected a string as the path for $unwind stage, got %s", path.Type())
	case !strings.HasPrefix(path.Str(), "$"):
		return mongoerr.New(28818, "path option to $unwind stage should be prefixed with a '$': %s", path.Str())
	}
	if u.path, err = expr.SplitPath(path.Str()[1:]); err != nil || index.IsMissing() {
		return err
	}
	if strings.HasPrefix(index.Str(), "$") {
		return mongoerr.New(28822, "includeArrayIndex option to $unwind stage should not be prefixed with a '$': %s", index.Str())
	}
	u.index, err = expr.SplitPath(index.Str())
	return err
}

// Start implements Stage.
func (u *unwinder) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return &unwinding{Iterator: in, u: u, env: env}, nil
}

type unwinding struct {
	stream.Iterator
	u    *unwinder
	env  *Env
	row  stream.Row
	list bsonval.Iter
	open bool // list stands within an array
	at   int64
}

func (w *unwinding) Next() (stream.Row, bool, error) {
	for {
		if err := w.env.Op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		if w.open {
			if w.list.Next() {
				row := w.row
				row.Doc = w.u.put(row.Doc, w.list.Value(), bsonval.LongValue(w.at))
				w.at++
				return row, true, nil
			}
			w.open = false
		}
		row, ok, err := w.Iterator.Next()
		if !ok || err != nil {
			return row, false, err
		}
		v := at(row.Doc, w.u.path)
		switch {
		case v.Type() == bsonval.Array && !v.Doc().IsEmpty():
			w.row, w.list, w.open, w.at = row, v.Doc().Iter(), true, 0
			continue
		case v.IsNullish() || v.Type() == bsonval.Array:
			if !w.u.keep {
				continue
			}
			if v.Type() == bsonval.Array {
				v = bsonval.Value{}
			}
		}
		if w.u.index != nil || v.IsMissing() {
			row.Doc = w.u.put(row.Doc, v, bsonval.NullValue())
		}
		return row, true, nil
	}
}

// at follows a path through documents alone; arrays on the way end it.
func at(d bsonval.Doc, path []string) bsonval.Value {
	v := bsonval.DocValue(d)
	for _, part := range path {
		if v.Type() != bsonval.Object {
			return bsonval.Value{}
		}
		v = v.Doc().Get(part)
	}
	return v
}

// put sets the element in the array's place, and its number.
func (u *unwinder) put(d bsonval.Doc, v, i bsonval.Value) bsonval.Doc {
	d = setPath(d, u.path, v)
	if u.index != nil {
		d = setPath(d, u.index, i)
	}
	return d
}

// setPath is d with the value at path replaced, or removed by Missing. What stands on
// the way and is no document gives way to one.
func setPath(d bsonval.Doc, path []string, v bsonval.Value) bsonval.Doc {
	before, old, after := d.Cut(path[0])
	size := len(before) + len(after) + len(path[0]) + v.Size() + 32 // d may be much larger
	if len(path) > 1 {
		size += old.Size()
	}
	b := bsonval.NewBuilder(size)
	b.Raw(before)
	setBelow(b, old, path, v)
	return b.Raw(after).Doc()
}

func setBelow(b *bsonval.Builder, old bsonval.Value, path []string, v bsonval.Value) {
	if len(path) == 1 {
		b.Set(path[0], v)
		return
	}
	d := bsonval.EmptyDoc()
	if old.Type() == bsonval.Object {
		d = old.Doc()
	} else if v.IsMissing() {
		b.Set(path[0], old)
		return
	}
	b.SetDoc(path[0], setPath(d, path[1:], v))
}
