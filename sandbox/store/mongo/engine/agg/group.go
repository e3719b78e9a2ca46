package agg

import (
	"iter"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// groupStages are the stages that make one document of many.
func groupStages(name string) compiler {
	switch name {
	case "$group":
		return compileGroup
	case "$count":
		return compileCount
	case "$sortByCount":
		return compileSortByCount
	case "$bucket":
		return compileBucket
	case "$bucketAuto":
		return compileBucketAuto
	}
	return nil
}

// output is one field of a group.
type output struct {
	name string
	*accumulator
}

// grouper is $group: the key, and what is gathered.
type grouper struct {
	key     expr.Expr
	outputs []output
}

func compileGroup(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(15947, "a group's fields must be specified in an object")
	}
	g := &grouper{}
	for name, v := range arg.Doc().All() {
		var err error
		if name == "_id" {
			if g.key != nil {
				return nil, mongoerr.New(15948, "a group's _id may only be specified once")
			}
			g.key, err = expr.Compile(v, env.Scope)
		} else {
			err = g.output(env, name, v)
		}
		if err != nil {
			return nil, err
		}
	}
	if g.key == nil {
		return nil, mongoerr.New(15955, "a group specification must include an _id")
	}
	return g, nil
}

// output compiles one field: {name: {$sum: …}}.
func (g *grouper) output(env *Env, name string, v bsonval.Value) error {
	switch {
	case strings.Contains(name, "."):
		return mongoerr.New(40235, "The field name '%s' cannot contain '.'", name)
	case strings.HasPrefix(name, "$"):
		return mongoerr.New(40236, "The field name '%s' cannot be an operator name", name)
	case v.Type() != bsonval.Object || v.Doc().IsEmpty():
		return mongoerr.New(40234, "The field '%s' must be an accumulator object", name)
	case v.Doc().Len() != 1:
		return mongoerr.New(40238, "The field '%s' must specify one accumulator", name)
	}
	first := v.Doc().First()
	a, ok, err := compileAccumulator(env, first.Name, first.Value)
	switch {
	case err != nil:
		return err
	case !ok && !strings.HasPrefix(first.Name, "$"):
		return mongoerr.New(40234, "The field '%s' must be an accumulator object", name)
	case !ok:
		return mongoerr.New(15952, "unknown group operator '%s'", first.Name)
	}
	g.outputs = append(g.outputs, output{name, a})
	return nil
}

// Start implements Stage.
func (g *grouper) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		groups, err := g.gather(env, in)
		if err != nil {
			return nil, err
		}
		i := 0
		return stream.Func(func() (stream.Row, bool, error) {
			if i == len(groups) {
				return stream.Row{}, false, env.Op.Check()
			}
			i++
			return stream.Row{Doc: g.doc(groups[i-1])}, true, nil
		}), nil
	}), nil
}

// group is one group: its key and the states of its outputs.
type group struct {
	id     bsonval.Value
	states []gatherer
}

// groupCost is about what a group holds beside its values, in bytes.
const groupCost = 160

func (g *grouper) gather(env *Env, in stream.Iterator) ([]*group, error) {
	var groups []*group
	byKey := map[string]*group{}
	var key []byte
	held := env.Op.HoldOrSpill(func(int64) error {
		return mongoerr.New(mongoerr.QueryExceededMemoryLimitNoDiskUseAllowed, "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.")
	})
	f := env.Frame
	for row, err := range remaining(env.Op, in) {
		if err != nil {
			return nil, err
		}
		f.Reset(row)
		id, err := g.key.Eval(f)
		if err != nil {
			return nil, err
		}
		id = orNull(id)
		key = bsonval.AppendKey(key[:0], id, env.Op.Collator)
		gr := byKey[string(key)]
		if gr == nil {
			if gr, err = g.begin(f, id); err != nil {
				return nil, err
			}
			f.Reset(row)
			byKey[string(key)] = gr
			groups = append(groups, gr)
			if err := held.Add(int64(groupCost + len(key) + id.Size() + 64*len(g.outputs))); err != nil {
				return nil, err
			}
		}
		grown, err := g.feed(f, gr.states)
		if err != nil {
			return nil, err
		}
		if err := held.Add(int64(grown)); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

func (g *grouper) begin(f *expr.Frame, id bsonval.Value) (*group, error) {
	d := bsonval.EmptyDoc()
	if id.Type() == bsonval.Object {
		d = id.Doc()
	}
	f.ResetDoc(d)
	states, err := start(f, g.outputs)
	return &group{id, states}, err
}

func start(f *expr.Frame, outputs []output) ([]gatherer, error) {
	states := make([]gatherer, len(outputs))
	for i, o := range outputs {
		var err error
		if states[i], err = o.start(f); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// feed adds the frame's row to a group.
func (g *grouper) feed(f *expr.Frame, states []gatherer) (grown int, err error) {
	for i, s := range states {
		v, err := g.outputs[i].input(f)
		if err != nil {
			return 0, err
		}
		n, err := s.add(v)
		if err != nil {
			return 0, err
		}
		grown += n
	}
	return grown, nil
}

func (g *grouper) doc(gr *group) bsonval.Doc {
	b := bsonval.NewBuilder(32 + gr.id.Size() + 24*len(g.outputs))
	b.Set("_id", gr.id)
	for i, s := range gr.states {
		b.Set(g.outputs[i].name, orNull(s.value()))
	}
	return b.Doc()
}

// remaining are an input's rows to its end. With an error, which an interruption is too,
// comes no row, and it is the last.
func remaining(op *opctx.Op, in stream.Iterator) iter.Seq2[stream.Row, error] {
	return func(yield func(stream.Row, error) bool) {
		for {
			row, ok, err := in.Next()
			if err == nil && ok {
				err = op.Check()
			}
			switch {
			case err != nil:
				yield(stream.Row{}, err)
				return
			case !ok || !yield(row, nil):
				return
			}
		}
	}
}

// blocking is an iterator that does its work, and reads all of in, at the first Next.
func blocking(in stream.Iterator, work func() (stream.Iterator, error)) stream.Iterator {
	return &deferred{in: in, work: work}
}

type deferred struct {
	in, out stream.Iterator
	work    func() (stream.Iterator, error)
	err     error
}

func (d *deferred) Next() (stream.Row, bool, error) {
	if d.work != nil {
		d.out, d.err = d.work()
		d.work = nil
		d.in.Close()
	}
	if d.err != nil || d.out == nil {
		return stream.Row{}, false, d.err
	}
	return d.out.Next()
}

func (d *deferred) Close() {
	d.work = nil
	d.in.Close()
	if d.out != nil {
		d.out.Close()
	}
}

// compileCount is $count: one document, none when there is nothing to count.
func compileCount(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.String {
		return nil, mongoerr.New(40156, "the count field must be a non-empty string")
	}
	switch name := arg.Str(); {
	case name == "":
		return nil, mongoerr.New(40157, "the count field must be a non-empty string")
	case strings.HasPrefix(name, "$"):
		return nil, mongoerr.New(40158, "the count field cannot be a $-prefixed path")
	case strings.Contains(name, "."):
		return nil, mongoerr.New(40160, "the count field cannot contain '.'")
	}
	return counter(arg.Str()), nil
}

type counter string

func (c counter) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		n := int64(0)
		for _, err := range remaining(env.Op, in) {
			if err != nil {
				return nil, err
			}
			n++
		}
		if n == 0 {
			return stream.Docs(nil), nil
		}
		b := bsonval.NewBuilder(32)
		return stream.Docs([]bsonval.Doc{b.Number(string(c), n).Doc()}), nil
	}), nil
}

func compileSortByCount(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	switch {
	case arg.Type() == bsonval.Object:
		if !strings.HasPrefix(arg.Doc().First().Name, "$") {
			return nil, mongoerr.New(40147, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
		}
	case arg.Type() != bsonval.String:
		return nil, mongoerr.New(40149, "the sortByCount field must be specified as a string or as an object")
	case !strings.HasPrefix(arg.Str(), "$"):
		return nil, mongoerr.New(40148, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
	}
	one := bsonval.DocValue(bsonval.D(bsonval.E("$sum", bsonval.IntValue(1))))
	g, err := compileGroup(env, "$group", bsonval.DocValue(bsonval.D(bsonval.E("_id", arg), bsonval.E("count", one))))
	if err != nil {
		return nil, err
	}
	s, err := compileSort(env, "$sort", bsonval.DocValue(bsonval.D(bsonval.E("count", bsonval.IntValue(-1)))))
	return chain{g, s}, err
}

// chain is several stages as one.
type chain []Stage

func (c chain) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	for _, s := range c {
		out, err := s.Start(env, in)
		if err != nil {
			in.Close()
			return nil, err
		}
		in = out
	}
	return in, nil
}
