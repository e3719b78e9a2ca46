package agg_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// chance makes documents and filters that meet often.
type chance struct{ *rand.Rand }

func (c chance) scalar() string {
	words := [...]string{"1", "2", "2.0", "null", `"x"`, `"y"`, "true", `{"$numberLong":"2"}`, `{"$numberDecimal":"1"}`, `{"z":1}`, `{"$date":"2020-01-01T00:00:00Z"}`}
	return words[c.IntN(len(words))]
}

func (c chance) value() string {
	switch c.IntN(4) {
	case 0:
		return fmt.Sprintf("[%s,%s]", c.scalar(), c.scalar())
	case 1:
		return fmt.Sprintf(`{"b":%s}`, c.scalar())
	case 2:
		return fmt.Sprintf(`[{"b":%s},{"b":%s},%s]`, c.scalar(), c.scalar(), c.scalar())
	}
	return c.scalar()
}

func (c chance) doc(id int) string {
	s := fmt.Sprintf(`{"_id":%d`, id)
	for _, name := range []string{"a", "f"} {
		if c.IntN(5) > 0 {
			s += fmt.Sprintf(`,%q:%s`, name, c.value())
		}
	}
	return s + "}"
}

func (c chance) docs(n int) string {
	s := "["
	for i := range n {
		if i > 0 {
			s += ","
		}
		s += c.doc(i)
	}
	return s + "]"
}

func (c chance) filter() string {
	path := [...]string{"a", "a.b", "f", "f.b", "_id"}[c.IntN(5)]
	op := [...]string{"$eq", "$ne", "$gt", "$lte", "$gte"}[c.IntN(5)]
	return fmt.Sprintf(`{%q:{%q:%s}}`, path, op, c.scalar())
}

// $match answers the same at the beginning, after stages that change nothing that it
// asks for, and as the filter of the source.
func TestMatchAnywhere(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(1, 2))}
	for range 300 {
		m := open(t, fmt.Sprintf(`{"c":%s}`, c.docs(20)))
		f := c.filter()
		want, err := run(t, m, parse(t, `[{"$match":`+f+`}]`).Doc())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{
			`[{"$addFields":{"zz":1}},{"$match":` + f + `},{"$unset":"zz"}]`,
			`[{"$sort":{"_id":1}},{"$match":` + f + `}]`,
			`[{"$match":{}},{"$match":` + f + `}]`,
			`[{"$replaceRoot":{"newRoot":"$$ROOT"}},{"$match":` + f + `}]`,
			`[{"$facet":{"all":[{"$match":` + f + `}]}},{"$unwind":"$all"},{"$replaceWith":"$all"}]`,
			`[{"$unionWith":{"coll":"c","pipeline":[{"$match":{"_id":-1}}]}},{"$match":` + f + `}]`,
			`[{"$limit":1000},{"$match":` + f + `}]`,
		} {
			got, err := run(t, m, parse(t, p).Doc())
			if err != nil || !got.Same(want) {
				t.Fatalf("%s over %s\n got %s %v\nwant %s", p, m.colls["c"], got, err, want)
			}
		}
	}
}

// A join through the table of its own finds what a filter finds.
func TestLookupEqualsFilter(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(3, 4))}
	for range 200 {
		m := open(t, fmt.Sprintf(`{"c":%s,"r":%s}`, c.docs(8), c.docs(12)))
		field := [...]string{"a", "a.b", "f"}[c.IntN(3)]
		p := parse(t, fmt.Sprintf(`[{"$lookup":{"from":"r","localField":"f","foreignField":%q,"as":"m"}}]`, field)).Doc()
		hashed, err := run(t, m, p)
		if err != nil {
			t.Fatal(err)
		}
		m.indexed["r."+field] = true // asks the source for each document
		asked, err := run(t, m, p)
		if err != nil || !hashed.Same(asked) {
			t.Fatalf("%s over %s and %s\ntable  %s\nfilter %s %v", p, m.colls["c"], m.colls["r"], hashed, asked, err)
		}
	}
}

// A pipeline's $expr on a variable answers the same with and without its shortcut.
func TestLookupPipelineShortcut(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(5, 6))}
	for range 200 {
		m := open(t, fmt.Sprintf(`{"c":%s,"r":%s}`, c.docs(8), c.docs(12)))
		field := [...]string{"a", "a.b", "f"}[c.IntN(3)]
		text := `[{"$lookup":{"from":"r","let":{"v":"$f"},"pipeline":[{"$match":{"$expr":%s}}],"as":"m"}}]`
		plain, err := run(t, m, parse(t, fmt.Sprintf(text, `{"$not":{"$ne":["$`+field+`","$$v"]}}`)).Doc())
		if err != nil {
			t.Fatal(err)
		}
		short := parse(t, fmt.Sprintf(text, `{"$and":[true,{"$eq":["$`+field+`","$$v"]}]}`)).Doc()
		for _, indexed := range []bool{false, true} {
			m.indexed["r."+field] = indexed
			got, err := run(t, m, short)
			if err != nil || !got.Same(plain) {
				t.Fatalf("%s indexed %v\n got %s %v\nwant %s", short, indexed, got, err, plain)
			}
		}
	}
}

// $sort's order is that of its keys whether all rows are kept or only the first.
func TestSortLimit(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(7, 8))}
	m := open(t, fmt.Sprintf(`{"c":%s}`, c.docs(4000)))
	all, err := run(t, m, parse(t, `[{"$addFields":{"x":1}},{"$sort":{"a":1,"f.b":-1}},{"$group":{"_id":null,"ids":{"$push":"$_id"}}},{"$project":{"_id":0,"ids":{"$slice":["$ids",5,20]}}}]`).Doc())
	if err != nil {
		t.Fatal(err)
	}
	some, err := run(t, m, parse(t, `[{"$addFields":{"x":1}},{"$sort":{"a":1,"f.b":-1}},{"$skip":5},{"$limit":20},{"$group":{"_id":null,"ids":{"$push":"$_id"}}},{"$project":{"_id":0,"ids":1}}]`).Doc())
	if err != nil || !all.Same(some) {
		t.Errorf("all %s\nsome %s %v", all, some, err)
	}
}

// numbers are rows without end.
func numbers() stream.Iterator {
	i := int64(0)
	return stream.Func(func() (stream.Row, bool, error) {
		i++
		return stream.Row{Doc: bsonval.D(bsonval.E("_id", bsonval.LongValue(i)), bsonval.E("t", bsonval.StringValue("some text to take memory")))}, true, nil
	})
}

func TestMemoryLimits(t *testing.T) {
	for pipeline, code := range map[string]mongoerr.Code{
		`[{"$sort":{"_id":-1}}]`:                                                              292,
		`[{"$group":{"_id":"$_id"}}]`:                                                         292,
		`[{"$group":{"_id":1,"all":{"$push":"$t"}}}]`:                                         292,
		`[{"$group":{"_id":1,"all":{"$addToSet":"$_id"}}}]`:                                   292,
		`[{"$group":{"_id":1,"m":{"$lastN":{"n":200000,"input":"$t"}}}}]`:                     292,
		`[{"$group":{"_id":1,"m":{"$topN":{"n":200000,"sortBy":{"_id":-1},"output":"$t"}}}}]`: 292,
		`[{"$group":{"_id":1,"m":{"$median":{"input":"$_id","method":"approximate"}}}}]`:      292,
		`[{"$bucketAuto":{"groupBy":"$_id","buckets":3}}]`:                                    292,
		`[{"$setWindowFields":{"sortBy":{"_id":1},"output":{"r":{"$rank":{}}}}}]`:             5643011,
		`[{"$facet":{"a":[{"$match":{}}]}}]`:                                                  146,
		`[{"$sample":{"size":100000000}}]`:                                                    292,
		`[{"$densify":{"field":"_id","range":{"step":1,"bounds":"full"}}}]`:                   146,
		`[{"$limit":1},{"$project":{"x":{"$range":[0,1000000]}}}]`:                            146,
		`[{"$limit":1},{"$project":{"x":{"$reduce":{"input":{"$range":[0,40]},"initialValue":["x"],"in":{"$concatArrays":["$$value","$$value"]}}}}}]`: 13548,
		`[{"$limit":1},{"$project":{"x":{"$reduce":{"input":{"$range":[0,40]},"initialValue":"xx","in":{"$concat":["$$value","$$value"]}}}}}]`:        13548,
	} {
		op := opctx.New(context.Background(), now)
		op.MaxMemory = 1 << 20
		p, err := agg.Compile(parse(t, pipeline).Doc(), &agg.Env{Op: op, Source: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		it, err := p.Over(numbers())
		for err == nil {
			_, _, err = it.Next()
		}
		if !mongoerr.Is(err, code) {
			t.Errorf("%s: %v (%d), want code %d", pipeline, err, mongoerr.From(err).Code, code)
		}
	}
}

// Every stage that reads on and on ends when its operation is killed.
func TestCancel(t *testing.T) {
	for _, pipeline := range []string{
		`[{"$match":{"_id":-1}}]`, `[{"$count":"n"}]`, `[{"$skip":9000000000000}]`, `[{"$unwind":"$nope"}]`, `[{"$redact":"$$PRUNE"}]`, `[{"$group":{"_id":1}}]`, `[{"$sort":{"_id":1}},{"$limit":3}]`, `[{"$sample":{"size":1}}]`,
		`[{"$project":{"x":{"$map":{"input":{"$range":[0,5000]},"in":{"$map":{"input":{"$range":[0,5000]},"in":1}}}}}}]`,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		op := opctx.New(ctx, now)
		p, err := agg.Compile(parse(t, pipeline).Doc(), &agg.Env{Op: op, Source: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		it, err := p.Over(numbers())
		cancel()
		for err == nil {
			_, _, err = it.Next()
		}
		if !mongoerr.Is(err, mongoerr.Interrupted) {
			t.Errorf("%s: %v", pipeline, err)
		}
	}
}

func FuzzPipeline(f *testing.F) {
	for _, p := range []string{
		`[{"$group":{"_id":"$a","x":{"$topN":{"n":2,"sortBy":{"f":1},"output":"$a"}}}},{"$sort":{"_id":1}}]`,
		`[{"$setWindowFields":{"sortBy":{"_id":1},"output":{"x":{"$sum":"$a","window":{"documents":[-1,1]}}}}}]`,
		`[{"$lookup":{"from":"c","localField":"a","foreignField":"f","as":"x"}},{"$unwind":{"path":"$x","includeArrayIndex":"i"}}]`,
		`[{"$bucketAuto":{"groupBy":"$_id","buckets":2,"granularity":"R5"}}]`, `[{"$densify":{"field":"_id","range":{"step":2,"bounds":"full"}}}]`,
		`[{"$fill":{"sortBy":{"_id":1},"output":{"a":{"method":"linear"}}}}]`, `[{"$facet":{"a":[{"$sortByCount":"$a"}]}}]`,
		`[{"$graphLookup":{"from":"c","startWith":"$a","connectFromField":"a","connectToField":"f","as":"x"}}]`,
	} {
		f.Add([]byte(parse(f, p).Doc()))
	}
	m := open(f, fmt.Sprintf(`{"c":%s}`, chance{rand.New(rand.NewPCG(9, 9))}.docs(12)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if bsonval.Validate(b) != nil {
			return
		}
		op := opctx.New(context.Background(), now)
		op.MaxMemory = 1 << 20
		p, err := agg.Compile(b, &agg.Env{Op: op, Coll: "c", Source: m})
		if err != nil {
			return
		}
		it, err := p.Run()
		for n := 0; err == nil && n < 1000; n++ {
			var row stream.Row
			var ok bool
			if row, ok, err = it.Next(); !ok {
				break
			}
			if err := bsonval.Validate(row.Doc); err != nil {
				t.Fatalf("%s made a broken document: %v", bsonval.ArrayValue(b), err)
			}
		}
	})
}
