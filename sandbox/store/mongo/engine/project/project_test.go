package project_test

import (
	"context"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/project"
	"storeroom/sandbox/store/mongo/engine/stream"
)

func apply(t *testing.T, spec, filter, d string) (bsonval.Doc, error) {
	t.Helper()
	op := opctx.New(context.Background(), time.Unix(1, 0))
	env := match.Env{Op: op}
	q, err := match.Compile(bsontest.Doc(t, filter), env)
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.Compile(bsontest.Doc(t, spec), project.Env{Scope: expr.NewScope(nil), Match: env, Query: q, Find: true})
	if err != nil {
		return nil, err
	}
	return p.Apply(expr.NewFrame(op), stream.Row{Doc: bsontest.Doc(t, d)})
}

func TestProjections(t *testing.T) {
	for _, c := range []struct{ spec, filter, doc, want string }{
		{`{"b":1,"a":1}`, `{}`, `{"_id":1,"a":2,"b":3,"c":4}`, `{"_id":1,"a":2,"b":3}`},
		{`{"a":1,"_id":0}`, `{}`, `{"_id":1,"a":2,"b":3}`, `{"a":2}`},
		{`{"a":0}`, `{}`, `{"_id":1,"a":2,"b":3}`, `{"_id":1,"b":3}`},
		{`{"_id":0}`, `{}`, `{"_id":1,"a":2}`, `{"a":2}`},
		{`{"a.b":1}`, `{}`, `{"a":[{"b":1,"c":2},{"c":3},5,[{"b":6}]]}`, `{"a":[{"b":1},{},[{"b":6}]]}`},
		{`{"a.b":0}`, `{}`, `{"a":[{"b":1,"c":2},5]}`, `{"a":[{"c":2},5]}`},
		{`{"a":{"b":1}}`, `{}`, `{"a":{"b":1,"c":2}}`, `{"a":{"b":1}}`},
		{`{"a":{"$slice":-2}}`, `{}`, `{"a":[1,2,3],"b":1}`, `{"a":[2,3],"b":1}`},
		{`{"a":{"$slice":[1,1]}}`, `{}`, `{"a":[1,2,3]}`, `{"a":[2]}`},
		{`{"a":{"$elemMatch":{"x":2}}}`, `{}`, `{"_id":1,"a":[{"x":1},{"x":2,"y":1},{"x":2}],"b":1}`, `{"_id":1,"a":[{"x":2,"y":1}]}`},
		{`{"a.$":1}`, `{"a":{"$gt":1}}`, `{"_id":1,"a":[1,2,3],"b":1}`, `{"_id":1,"a":[2]}`},
		{`{"n":{"$add":["$a",1]},"a":1}`, `{}`, `{"a":2,"b":3}`, `{"a":2,"n":3}`},
		{`{"x":"$a"}`, `{}`, `{"_id":1,"a":2}`, `{"_id":1,"x":2}`},
	} {
		got, err := apply(t, c.spec, c.filter, c.doc)
		if err != nil {
			t.Errorf("%s on %s: %v", c.spec, c.doc, err)
		} else if !got.Same(bsontest.Doc(t, c.want)) {
			t.Errorf("%s on %s:\ngot  %s\nwant %s", c.spec, c.doc, got, bsontest.Doc(t, c.want))
		}
	}
}

func TestBadProjectionsAreTheServersErrors(t *testing.T) {
	for spec, want := range map[string]string{
		`{"a":1,"b":0}`:            "Cannot do exclusion on field b in inclusion projection",
		`{"a":0,"b":1}`:            "Cannot do inclusion on field b in exclusion projection",
		`{"a":1,"a.b":1}`:          "Path collision at a.b remaining portion b",
		`{"a.b":1,"a":1}`:          "Path collision at a",
		`{"a":0,"b":"$c"}`:         "Cannot use an expression b: \"$c\" in an exclusion projection",
		`{"a":0,"b":{"$add":[1]}}`: "Cannot use expression other than $meta in exclusion projection",
		`{"b":{"$nope":1}}`:        "Unknown expression $nope",
		`{"a.$":1,"b.$":1}`:        "Cannot specify more than one positional projection per query.",
		`{"a.$":{"$slice":1}}`:     "positional projection cannot be used with an expression or sub object",
		`{"a.$":"x"}`:              "positional projection cannot be used with a literal",
		`{"a.$":0}`:                "positional projection cannot be used with exclusion",
	} {
		if _, err := apply(t, spec, `{"a":1}`, `{}`); err == nil || err.Error() != want {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
