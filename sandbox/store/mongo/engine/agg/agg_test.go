package agg_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// parse reads a value written as extended JSON: 1 is an int, 1.0 a double.
func parse(t testing.TB, text string) bsonval.Value {
	t.Helper()
	return bsontest.Doc(t, `{"v":`+text+`}`).Get("v")
}

// memory is a Source of a few collections, without indexes and views.
type memory struct {
	colls   map[string][]bsonval.Doc
	queries []agg.Query
	indexed map[string]bool // "coll.field"
}

func (m *memory) Find(op *opctx.Op, _, coll string, q agg.Query) (stream.Iterator, error) {
	m.queries = append(m.queries, q)
	var stages bsonval.Builder
	for _, s := range []struct {
		name string
		v    bsonval.Value
		use  bool
	}{
		{"$sort", bsonval.DocValue(q.Sort), q.Sort != nil}, {"$skip", bsonval.LongValue(q.Skip), q.Skip > 0}, {"$limit", bsonval.LongValue(q.Limit), q.Limit > 0},
	} {
		if s.use {
			stages.ItemDoc(bsonval.D(bsonval.E(s.name, s.v)))
		}
	}
	var rows []stream.Row
	f := q.Filter
	if f == nil {
		f = bsonval.EmptyDoc()
	}
	mt, err := match.Compile(f, match.Env{Op: op, Scope: q.Let})
	if err != nil {
		return nil, err
	}
	for i, d := range m.colls[coll] {
		ok, err := mt.MatchIn(q.Frame, stream.Row{Doc: d})
		if err != nil {
			return nil, err
		}
		if ok {
			rows = append(rows, stream.Row{Doc: d, Record: int64(i + 1)})
		}
	}
	p, err := agg.Compile(stages.Doc(), &agg.Env{Op: op, Coll: coll, Source: m, Depth: 1})
	if err != nil {
		return nil, err
	}
	return p.Over(stream.Slice(rows))
}

func (m *memory) Indexed(_ *opctx.Op, _, coll, field string) bool { return m.indexed[coll+"."+field] }

func (m *memory) Update(op *opctx.Op, _, coll string, st bsonval.Doc) (int, error) {
	mt, err := match.Compile(st.Get("q").Doc(), match.Env{Op: op})
	if err != nil {
		return 0, err
	}
	for i, d := range m.colls[coll] {
		ok, err := mt.Match(op, d)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		u := st.Get("u")
		if u.Type() == bsonval.Object && u.Doc().First().Name == "$setOnInsert" {
			return 1, nil
		}
		if u.Type() == bsonval.Object {
			m.colls[coll][i] = u.Doc()
			return 1, nil
		}
		let := bsonval.EmptyDoc()
		if c := st.Get("c"); c.Type() == bsonval.Object {
			let = c.Doc()
		}
		inner := opctx.New(context.Background(), op.Now)
		inner.Let = let
		p, err := agg.Compile(u.Doc(), &agg.Env{Op: inner})
		if err != nil {
			return 0, err
		}
		it, err := p.Over(stream.Docs([]bsonval.Doc{d}))
		if err != nil {
			return 0, err
		}
		row, _, err := it.Next()
		m.colls[coll][i] = row.Doc
		return 1, err
	}
	return 0, nil
}

func (m *memory) Insert(_ *opctx.Op, _, coll string, docs []bsonval.Doc) error {
	m.colls[coll] = append(m.colls[coll], docs...)
	return nil
}

func (m *memory) Replace(_ *opctx.Op, _, coll string, docs []bsonval.Doc, _ bsonval.Doc) error {
	m.colls[coll] = docs
	return nil
}

func (m *memory) Special(_ *opctx.Op, _, _, stage string, _ bsonval.Value) (stream.Iterator, bool, error) {
	if stage == "$listLocalSessions" {
		return stream.Docs([]bsonval.Doc{bsonval.EmptyDoc()}), true, nil
	}
	return nil, false, nil
}

func (m *memory) UniqueKey(_ *opctx.Op, _, _ string, fields []string) bool {
	return fmt.Sprint(fields) == "[_id]" || fmt.Sprint(fields) == "[k]"
}

// open makes a Source of collections written as an object of arrays.
func open(t testing.TB, collections string) *memory {
	m := &memory{colls: map[string][]bsonval.Doc{}, indexed: map[string]bool{}}
	for name, v := range parse(t, collections).Doc().All() {
		for d := range v.Doc().Values() {
			m.colls[strings.Clone(name)] = append(m.colls[name], d.Doc())
		}
	}
	return m
}

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// run runs a pipeline over the collection c, or over the database when there is none.
func run(t testing.TB, m *memory, pipeline bsonval.Doc) (bsonval.Value, error) {
	t.Helper()
	op := opctx.New(context.Background(), now)
	env := &agg.Env{Op: op, DB: "test", Source: m, Scope: expr.NewScope(nil)}
	if m.colls["c"] != nil {
		env.Coll = "c"
	}
	p, err := agg.Compile(pipeline, env)
	if err != nil {
		return bsonval.Value{}, err
	}
	it, err := p.Run()
	if err != nil {
		return bsonval.Value{}, err
	}
	defer it.Close()
	var b bsonval.Builder
	for {
		row, ok, err := it.Next()
		if err != nil || !ok {
			return b.Array(), err
		}
		b.ItemDoc(row.Doc)
	}
}

// row is one case: the documents as extended JSON, or "error <code> <text>".
type row struct{ pipeline, want string }

func check(t *testing.T, collections string, rows []row) {
	t.Helper()
	for _, r := range rows {
		v, err := run(t, open(t, collections), parse(t, r.pipeline).Doc())
		if got, ok := same(t, v, err, r.want); !ok {
			t.Errorf("%s\n got %s\nwant %s", r.pipeline, got, r.want)
		}
	}
}

func same(t *testing.T, v bsonval.Value, err error, want string) (string, bool) {
	if code, ok := strings.CutPrefix(want, "error "); ok || err != nil {
		if err == nil {
			return v.String(), false
		}
		e := mongoerr.From(err)
		number, text, _ := strings.Cut(code, " ")
		return fmt.Sprintf("error %d %s", e.Code, e.Message), ok && number == fmt.Sprint(int(e.Code)) && strings.Contains(e.Message, text)
	}
	return v.String(), v.Same(parse(t, want))
}
