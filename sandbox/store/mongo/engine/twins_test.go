package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

// twins are two collections that get the same commands, plain without and indexed with
// indexes: no reply may tell them apart.
type twins struct {
	*rand.Rand
	t testing.TB
	e *Engine
}

func TestIndexesChangeNoReply(t *testing.T) {
	for seed := range uint64(25) {
		checkTwins(t, seed)
	}
}

// FuzzTwins does so with random seeds.
func FuzzTwins(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkTwins)
}

func checkTwins(t *testing.T, seed uint64) {
	e, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	w := twins{rand.New(rand.NewPCG(seed, 7)), t, e}
	var docs []string
	for i := range 40 {
		docs = append(docs, w.document(i))
	}
	w.both(`{"insert":"$C","documents":[`+strings.Join(docs, ",")+`],"ordered":false}`, nil)
	for i := range 3 {
		w.send("indexed", fmt.Sprintf(`{"createIndexes":"$C","indexes":[{"key":%s,"name":"i%d"%s}]}`, w.pattern(), i, w.pick("", "", "", `,"sparse":true`, `,"partialFilterExpression":{"a":{"$gte":2}}`)))
	}
	for range 40 {
		w.step()
	}
	w.both(`{"find":"$C","sort":{"_id":1}}`, batchOf)
}

func (w twins) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w twins) scalar() string {
	return w.pick("0", "1", "2", "3", "4", "2.5", "null", `"x"`, `"y"`, `"xy"`, "true", `{"$numberLong":"2"}`, `{"$numberDecimal":"1"}`, `{"$date":"2020-01-01T00:00:00Z"}`, "1", "2", "3")
}

func (w twins) value(depth int) string {
	switch {
	case depth < 2 && w.IntN(5) == 0:
		return fmt.Sprintf("[%s,%s]", w.value(depth+1), w.value(depth+1))
	case depth < 2 && w.IntN(5) == 0:
		return fmt.Sprintf(`{"b":%s,"c":%s}`, w.value(depth+1), w.scalar())
	case w.IntN(20) == 0:
		return w.pick("[]", "{}")
	}
	return w.scalar()
}

func (w twins) document(id int) string {
	s := fmt.Sprintf(`{"_id":%d`, id)
	for _, name := range []string{"a", "b", "c"} {
		if w.IntN(6) > 0 {
			s += fmt.Sprintf(`,%q:%s`, name, w.value(0))
		}
	}
	return s + "}"
}

func (w twins) path() string { return w.pick("a", "b", "c", "a.b", "a.c", "b.c") }

func (w twins) pattern() string {
	return w.pick(`{"a":1}`, `{"b":-1}`, `{"a":1,"b":1}`, `{"a.b":1}`, `{"c":1,"a":-1}`, `{"a":"hashed"}`, `{"$**":1}`, `{"a.b":1,"a.c":1}`, `{"a":1,"c":1,"b":-1}`, `{"a.$**":1}`, `{"b":1,"a.b":1}`, `{"b":1,"a.$**":-1}`)
}

func (w twins) filter() string {
	one := func() string {
		p := w.path()
		switch w.IntN(9) {
		case 0:
			return fmt.Sprintf(`{%q:{"$in":[%s,%s]}}`, p, w.scalar(), w.value(1))
		case 1:
			return fmt.Sprintf(`{%q:{"$gt":%s,"$lte":%s}}`, p, w.scalar(), w.scalar())
		case 2:
			return fmt.Sprintf(`{%q:{"$elemMatch":{"%s":%s}}}`, p, w.pick("$gte", "$lt", "$ne"), w.scalar())
		case 3:
			return fmt.Sprintf(`{%q:{"$exists":%s}}`, p, w.pick("true", "false"))
		case 4:
			return fmt.Sprintf(`{"_id":{"%s":%d}}`, w.pick("$lt", "$gte", "$eq"), w.IntN(40))
		case 5:
			return fmt.Sprintf(`{"$expr":{"%s":["$%s",%s]}}`, w.pick("$eq", "$gt", "$lte"), p, w.scalar())
		}
		return fmt.Sprintf(`{%q:{"%s":%s}}`, p, w.pick("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"), w.value(1))
	}
	switch w.IntN(5) {
	case 0:
		return "{}"
	case 1:
		return fmt.Sprintf(`{"$and":[%s,%s]}`, one(), one())
	case 2:
		return fmt.Sprintf(`{"$or":[%s,%s]}`, one(), one())
	}
	return one()
}

func (w twins) update() string {
	p := w.path()
	switch w.IntN(10) {
	case 0:
		return fmt.Sprintf(`{"$inc":{%q:%d}}`, p, w.IntN(3)-1)
	case 1:
		return fmt.Sprintf(`{"$unset":{%q:1}}`, p)
	case 2:
		return fmt.Sprintf(`{"$push":{%q:%s}}`, p, w.scalar())
	case 3:
		return fmt.Sprintf(`{"$pull":{%q:%s}}`, p, w.scalar())
	case 4:
		return fmt.Sprintf(`{"$rename":{"a":"d"}}`)
	case 5:
		return fmt.Sprintf(`[{"$set":{%q:{"$concatArrays":[["$_id"],[%s]]}}}]`, p, w.scalar())
	case 6:
		return fmt.Sprintf(`{"$max":{%q:%s}}`, p, w.scalar())
	}
	return fmt.Sprintf(`{"$set":{%q:%s}}`, p, w.value(0))
}

// step sends one command of some kind to both.
func (w twins) step() {
	f, u := w.filter(), w.update()
	switch w.IntN(14) {
	case 12:
		w.both(`{"aggregate":"$C","pipeline":[{"$match":`+f+`},{"$group":{"_id":"$`+w.path()+`"}},{"$group":{"_id":null,"n":{"$sum":1}}}],"cursor":{}}`, batchOf)
	case 13:
		a, b := w.path(), w.path()
		w.both(`{"aggregate":"$C","pipeline":[`+w.pick("", `{"$match":`+f+`},`)+`{"$sort":{"`+a+`":1,"`+w.pick(b, b+`":-1,"zz`)+`":1}},{"$group":{"_id":"$`+a+`","f":{"$first":{"$cmp":["$`+b+`",2]}}}},{"$project":{"_id":0,"f":1,"i":{"$cmp":["$_id",2]}}}],"cursor":{}}`, batchOf)
	case 0, 1:
		w.both(`{"find":"$C","filter":`+f+`,"sort":{"`+w.path()+`":1,"_id":-1}`+w.pick("", `,"skip":2`, `,"limit":5`, `,"skip":1,"limit":3`)+`}`, listOf)
	case 2:
		w.both(`{"aggregate":"$C","pipeline":[{"$match":`+f+`},{"$sort":{"`+w.path()+`":-1,"_id":1}},{"$limit":7},{"$match":`+w.filter()+`}],"cursor":{}}`, listOf)
	case 3:
		p := w.path()
		w.both(`{"aggregate":"$C","pipeline":[{"$match":`+f+`},{"$sort":{"`+p+`":1,"_id":1}},{"$group":{"_id":"$`+w.path()+`","n":{"$sum":1},"first":{"$first":"$`+p+`"}}}],"cursor":{}}`, batchOf)
	case 4:
		w.both(`{"aggregate":"$C","pipeline":[{"$match":`+f+`},{"$lookup":{"from":"$C","localField":"`+w.path()+`","foreignField":"`+w.path()+`","as":"m"}},{"$project":{"n":{"$size":"$m"},"s":{"$sum":"$m._id"}}}],"cursor":{}}`, batchOf)
	case 5:
		w.both(`{"count":"$C","query":`+f+w.pick("", `,"limit":4`, `,"skip":3`)+`}`, func(d bsonval.Doc) string { return d.Get("n").String() })
	case 6:
		w.both(`{"distinct":"$C","key":"`+w.path()+`","query":`+f+`}`, valuesOf)
	case 7:
		w.both(`{"delete":"$C","deletes":[{"q":{"$and":[`+f+`,{"_id":{"$gte":`+fmt.Sprint(w.IntN(60))+`}}]},"limit":0}]}`, countsOf)
	case 8:
		w.both(`{"findAndModify":"$C","query":`+f+`,"sort":{"`+w.path()+`":1,"_id":1},"update":`+u+`,"new":true}`, func(d bsonval.Doc) string { return d.Get("value").String() + d.Get("code").String() })
	default: // it may fail for some document: by _id the same ones are changed
		w.both(fmt.Sprintf(`{"update":"$C","updates":[{"q":{"$and":[%s,{"_id":%d}]},"u":%s,"multi":%t}]}`, f, w.IntN(40), u, u[0] == '{' && w.IntN(2) == 0), countsOf)
	case 9:
		w.both(`{"update":"$C","updates":[{"q":`+f+`,"u":{"$set":{"`+w.pick("a", "b", "c")+`":`+w.value(0)+`}},"multi":true}]}`, countsOf)
	}
}

func (w twins) send(coll, cmd string) bsonval.Doc {
	out, err := w.e.Run(context.Background(), "test", bsontest.Doc(w.t, strings.ReplaceAll(cmd, "$C", coll)))
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// both sends a command to both and compares what look sees of the replies, or that
// both failed: documents that an index refuses are removed from the other too.
func (w twins) both(cmd string, look func(bsonval.Doc) string) {
	a, b := w.send("plain", cmd), w.send("indexed", cmd)
	if look == nil {
		return
	}
	x, y := look(a), look(b)
	refused := strings.Contains(b.String(), "parallel") || strings.Contains(b.String(), "hashed indexes") || strings.Contains(b.String(), "wildcard field")
	if x != y && refused {
		w.level()
		return
	}
	if x != y {
		w.t.Fatalf("%s\nplain   %s\nindexed %s\nindexes %s", cmd, x, y, w.send("indexed", `{"listIndexes":"$C"}`).Path("cursor.firstBatch"))
	}
}

// level makes plain what indexed is, after an index has refused a document.
func (w twins) level() {
	w.send("plain", `{"aggregate":"indexed","pipeline":[{"$sort":{"_id":1}},{"$out":"plain"}],"cursor":{}}`)
}

func listOf(d bsonval.Doc) string {
	return d.Path("cursor.firstBatch").String() + d.Get("code").String()
}

func countsOf(d bsonval.Doc) string {
	return d.Get("n").String() + "/" + d.Get("nModified").String() + d.Path("writeErrors.0.errmsg").String()
}

func valuesOf(d bsonval.Doc) string { return sorted(d.Get("values")) }
func batchOf(d bsonval.Doc) string  { return sorted(d.Path("cursor.firstBatch")) }

func sorted(v bsonval.Value) string {
	if v.Type() != bsonval.Array {
		return v.String()
	}
	var out []string
	for x := range v.Doc().Values() {
		out = append(out, x.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
