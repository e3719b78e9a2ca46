package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// filterStages are the stages that only let rows through.
func filterStages(name string) compiler {
	switch name {
	case "$match":
		return compileMatch
	case "$limit":
		return compileLimit
	case "$skip":
		return compileSkip
	}
	return nil
}

func (env *Env) matchEnv() match.Env {
	return match.Env{Op: env.Op, Scope: env.Scope, Geo: env.Geo}
}

type matchStage struct{ m *match.Matcher }

func compileMatch(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(15959, "the match filter must be an expression in an object")
	}
	if uses(arg, "$near") || uses(arg, "$nearSphere") {
		return nil, nearRefused()
	}
	m, err := match.Compile(arg.Doc(), env.matchEnv())
	return matchStage{m}, err
}

func nearRefused() error {
	return mongoerr.New(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial data. If you do not need sort, consider using $geoWithin instead.")
}

// Filter is what a $match asks, nil for another stage.
func (n Named) Filter() *match.Matcher {
	s, ok := n.Stage.(matchStage)
	if !ok {
		return nil
	}
	return s.m
}

// uses tells whether an operator of that name stands anywhere in a filter.
func uses(v bsonval.Value, name string) bool {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return false
	}
	for n, below := range v.Doc().All() {
		if n == name || uses(below, name) {
			return true
		}
	}
	return false
}

func (s matchStage) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	var asker match.Asker
	return &filter{Iterator: in, keep: func(r stream.Row) (bool, error) {
		if err := env.Op.Check(); err != nil {
			return false, err
		}
		return asker.Ask(s.m.Root, env.Frame, r)
	}}, nil
}

// filter lets through the rows that keep accepts.
type filter struct {
	stream.Iterator
	keep func(stream.Row) (bool, error)
}

func (f *filter) Next() (stream.Row, bool, error) {
	for {
		r, ok, err := f.Iterator.Next()
		if !ok || err != nil {
			return r, false, err
		}
		if keep, err := f.keep(r); err != nil || keep {
			return r, keep, err
		}
	}
}

type limitStage int64

func compileLimit(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	n, ok := arg.ExactLong()
	switch {
	case !ok:
		return nil, mongoerr.New(2107201, "invalid argument to $limit stage: Expected a number in: $limit: %s", arg)
	case n < 0:
		return nil, mongoerr.New(2107201, "invalid argument to $limit stage: Expected a non-negative number in: $limit: %d", n)
	case n == 0:
		return nil, mongoerr.New(15958, "the limit must be positive")
	}
	return limitStage(n), nil
}

func (s limitStage) Start(_ *Env, in stream.Iterator) (stream.Iterator, error) {
	left := int64(s)
	return &take{Iterator: in, left: left}, nil
}

type take struct {
	stream.Iterator
	left int64
}

func (t *take) Next() (stream.Row, bool, error) {
	if t.left == 0 {
		return stream.Row{}, false, nil
	}
	r, ok, err := t.Iterator.Next()
	if ok {
		t.left--
	}
	return r, ok, err
}

type skipStage int64

func compileSkip(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	n, ok := arg.ExactLong()
	switch {
	case !ok:
		return nil, mongoerr.New(5107200, "invalid argument to $skip stage: Expected a number in: $skip: %s", arg)
	case n < 0:
		return nil, mongoerr.New(5107200, "invalid argument to $skip stage: Expected a non-negative number in: $skip: %d", n)
	}
	return skipStage(n), nil
}

func (s skipStage) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	left := int64(s)
	return &filter{Iterator: in, keep: func(stream.Row) (bool, error) {
		if left > 0 {
			left--
			return false, env.Op.Check()
		}
		return true, nil
	}}, nil
}
