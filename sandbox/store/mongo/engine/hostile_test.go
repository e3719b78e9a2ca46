package engine

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

const hostileQuota = 32 << 20

// besieged is a database with some documents for attacks to multiply.
func besieged(t *testing.T) db {
	d := newDB(t, Options{MemoryLimit: hostileQuota, Collections: 20})
	docs := make([]string, 2000)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"_id":%d,"k":1,"n":%d,"s":"%s","a":[1,2,3,4,5,6,7,8,9,10]}`, i, i%50, strings.Repeat("a", 40))
	}
	d.run(`{"insert":"c","documents":[` + strings.Join(docs, ",") + `]}`)
	return d
}

func nest(open, end, inner string, n int) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
}

func project(e string) string { return `{"$project":{"r":` + e + `}}` }

func fold(n int, first, in string) string {
	return fmt.Sprintf(`{"$reduce":{"input":{"$range":[0,%d]},"initialValue":%s,"in":%s}}`, n, first, in)
}

const manyRows = `{"$addFields":{"b":{"$range":[0,1000]}}},{"$unwind":"$b"},`

// endless are pipelines that would run for ever, or hold more than there is.
func endless() map[string]string {
	all := `{"$lookup":{"from":"c","pipeline":[],"as":"x"}}`
	return map[string]string{
		"cross lookup":         all + `,{"$unwind":"$x"},{"$lookup":{"from":"c","pipeline":[],"as":"y"}},{"$unwind":"$y"},{"$count":"n"}`,
		"lookup of one key":    `{"$lookup":{"from":"c","localField":"k","foreignField":"k","as":"x"}},{"$unwind":"$x"},{"$lookup":{"from":"c","localField":"x.k","foreignField":"k","as":"y"}},{"$unwind":"$y"},{"$count":"n"}`,
		"lookups in a group":   all + `,{"$group":{"_id":null,"all":{"$push":"$x"}}}`,
		"lookups sorted":       all + `,{"$sort":{"x":1}}`,
		"lookups in a facet":   `{"$facet":{"a":[` + all + `],"b":[` + all + `]}}`,
		"graphLookup":          `{"$graphLookup":{"from":"c","startWith":"$k","connectFromField":"k","connectToField":"k","as":"x"}},{"$unwind":"$x"},{"$graphLookup":{"from":"c","startWith":"$x.n","connectFromField":"n","connectToField":"n","as":"y"}},{"$count":"n"}`,
		"backtracking":         `{"$match":{"s":{"$regex":"(a*)*\\1b"}}}`,
		"backtracking, ahead":  project(`{"$regexMatch":{"input":"$s","regex":"(?=(a+)+$)(a|aa)+c"}}`),
		"a huge range":         project(`{"$size":{"$range":[0,2147483647]}}`),
		"text that doubles":    project(`{"$strLenBytes":` + fold(60, `"aa"`, `{"$concat":["$$value","$$value"]}`) + `}`),
		"array that doubles":   project(`{"$size":` + fold(60, `[1,2]`, `{"$concatArrays":["$$value","$$value"]}`) + `}`),
		"replaceAll":           project(`{"$strLenBytes":` + fold(60, `"aa"`, `{"$replaceAll":{"input":"$$value","find":"a","replacement":"aa"}}`) + `}`),
		"split":                project(`{"$size":{"$split":[` + fold(24, `"ab"`, `{"$concat":["$$value","$$value"]}`) + `,"a"]}}`),
		"object that grows":    project(fold(200000, `{}`, `{"$mergeObjects":["$$value",{"$arrayToObject":[[{"k":{"$toString":"$$this"},"v":1}]]}]}`)),
		"maps in a map":        project(`{"$size":{"$map":{"input":{"$range":[0,60000]},"in":{"$map":{"input":{"$range":[0,60000]},"as":"y","in":{"$add":["$$this","$$y"]}}}}}}`),
		"reduce in a reduce":   project(fold(60000, `0`, `{"$add":["$$value",`+fold(60000, `0`, `{"$add":["$$value","$$this"]}`)+`]}`)),
		"large sets":           project(`{"$setUnion":[{"$range":[0,3000000]},{"$range":[3000000,5900000]}]}`),
		"zip":                  project(`{"$zip":{"inputs":[{"$range":[0,3000000]},{"$range":[0,3000000]}]}}`),
		"unwind by unwind":     strings.Repeat(manyRows, 6) + `{"$count":"n"}`,
		"densify":              `{"$densify":{"field":"n","range":{"step":0.00001,"bounds":"full"}}}`,
		"window of sets":       manyRows + `{"$setWindowFields":{"sortBy":{"n":1},"output":{"x":{"$addToSet":"$_id","window":{"documents":["unbounded","current"]}}}}},{"$count":"n"}`,
		"group of everything":  manyRows + `{"$group":{"_id":null,"x":{"$push":"$$ROOT"}}}`,
		"a group for each":     manyRows + `{"$group":{"_id":{"a":"$_id","b":"$b"}}},{"$count":"n"}`,
		"bucketAuto":           manyRows + `{"$bucketAuto":{"groupBy":"$b","buckets":5}}`,
		"sort":                 manyRows + `{"$sort":{"b":1}},{"$limit":10000000}`,
		"merge":                manyRows + `{"$project":{"_id":{"a":"$_id","b":"$b"}}},{"$merge":"m"}`,
		"out":                  manyRows + `{"$project":{"_id":{"a":"$_id","b":"$b"}}},{"$out":"o"}`,
		"powers":               strings.Repeat(manyRows, 2) + project(fold(6000, `1`, `{"$pow":["$$value",2]}`)) + `,{"$count":"n"}`,
		"dates":                manyRows + project(fold(6000, `1`, `{"$dateFromString":{"dateString":"2020-01-01T00:00:00Z"}}`)) + `,{"$count":"n"}`,
		"union of unions":      nest(`{"$unionWith":{"coll":"c","pipeline":[`, `]}}`, strings.TrimSuffix(manyRows, ","), 15) + `,{"$count":"n"}`,
		"a wide $or":           `{"$match":{"$or":[` + strings.Repeat(`{"n":{"$gt":100}},`, 20000) + `{"s":{"$regex":"(a*)*\\1b"}}]}}`,
		"every place by group": manyRows + `{"$group":{"_id":"$n","x":{"$topN":{"n":1000000000,"sortBy":{"b":1},"output":"$$ROOT"}}}}`,
	}
}

// What would never end, or not fit, ends with an error, gives back all that it held, and
// leaves the database as it was.
func TestAttacksEnd(t *testing.T) {
	d := besieged(t)
	allowed := []int64{50, 146, 292, 13548, 51156, 40099, 14031, 5897900, 4568, 10334, 5643011, 17419, 17420, 4031700}
	for name, stages := range endless() {
		t.Run(name, func(t *testing.T) {
			d := db{t, d.e}
			out := d.try(`{"aggregate":"c","pipeline":[` + stages + `],"cursor":{},"maxTimeMS":150}`)
			if code := out.Get("code").Long(); !slices.Contains(allowed, code) {
				t.Errorf("%.300s", out)
			}
			if n := d.e.server.WorkMemory(); n != 0 {
				t.Errorf("%d bytes are held still", n)
			}
		})
	}
	if got := d.run(`{"count":"c"}`).Get("n").Long(); got != 2000 {
		t.Errorf("%d documents", got)
	}
	if got := d.run(`{"validate":"c"}`); !got.Get("valid").Truth() {
		t.Error(got)
	}
}

// Without a time limit of its own each attack ends by killOp, or when its client goes;
// meanwhile others are served.
func TestAttacksAreInterrupted(t *testing.T) {
	d := besieged(t)
	running := func(word string) []bsonval.Value {
		out := d.adm(`{"currentOp":1,"command.comment":"` + word + `"}`)
		return out.Get("inprog").Doc().Slice()
	}
	until := func(t *testing.T, what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(2 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatal("it took too long until " + what)
			}
		}
	}
	for name, stages := range endless() {
		t.Run(name, func(t *testing.T) {
			d := db{t, d.e}
			cmd := parseJSON(t, `{"aggregate":"c","pipeline":[`+stages+`],"cursor":{},"comment":"killed"}`)
			ended := make(chan bsonval.Doc, 1)
			go func() {
				out, _ := d.e.Run(context.Background(), "test", cmd)
				ended <- out
			}()
			until(t, "the operation was killed", func() bool {
				for _, o := range running("killed") {
					d.adm(`{"killOp":1,"op":` + o.Doc().Get("opid").String() + `}`)
				}
				return len(ended) > 0
			})
			if out := <-ended; out.Get("ok").Double() == 1 {
				t.Errorf("it ended well: %.200s", out)
			}
		})
	}
	t.Run("client goes", func(t *testing.T) {
		client, server := net.Pipe()
		go d.e.ServeConn(t.Context(), server, "localhost:27017") //nolint:errcheck // it ends by the test
		cmd := bsonval.BuilderOf(parseJSON(t, `{"aggregate":"c","pipeline":[`+endless()["reduce in a reduce"]+`],"cursor":{},"comment":"left"}`)).Str("$db", "test").Doc()
		head := []byte{byte(len(cmd) + 21), byte((len(cmd) + 21) >> 8), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0}
		if _, err := client.Write(append(head, cmd...)); err != nil {
			t.Fatal(err)
		}
		until(t, "the operation began", func() bool { return len(running("left")) == 1 })
		client.Close()
		until(t, "the operation ended", func() bool { return len(running("left")) == 0 })
	})
}

// adm runs a command on the database admin.
func (d db) adm(cmd string) bsonval.Doc {
	d.t.Helper()
	out, err := d.e.Run(d.t.Context(), "admin", parseJSON(d.t, cmd))
	if err != nil || out.Get("ok").Double() != 1 {
		d.t.Fatal(cmd, out, err)
	}
	return out
}

// Over the quota nothing can be added, by whatever command, and everything can be
// deleted; then there is room again.
func TestFullDatabaseStillDeletes(t *testing.T) {
	d := newDB(t, Options{MemoryLimit: 4 << 20})
	pad := strings.Repeat("x", 50_000)
	full := func(out bsonval.Doc) bool {
		return out.Get("code").Long() == 14031 || out.Path("writeErrors.0.code").Long() == 14031
	}
	n := 0
	for ; n < 1000 && !full(d.try(fmt.Sprintf(`{"insert":"c","documents":[{"_id":%d,"p":"%s"}]}`, n, pad))); n++ {
	}
	for _, cmd := range []string{
		`{"update":"c","updates":[{"q":{},"u":{"$set":{"q":"` + pad + pad + `"}}}]}`,
		`{"findAndModify":"c","query":{},"update":{"$set":{"q":"` + pad + pad + `"}}}`,
		`{"createIndexes":"c","indexes":[{"key":{"p":1},"name":"p"}]}`,
		`{"aggregate":"c","pipeline":[{"$out":"copy"}],"cursor":{}}`,
	} {
		if out := d.try(cmd); !full(out) {
			t.Errorf("%.100s: %.300s", cmd, out)
		}
	}
	session := `"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"1"}`
	d.run(`{"delete":"c","deletes":[{"q":{"_id":0},"limit":1}],` + session + `}`)
	d.run(`{"findAndModify":"c","query":{},"remove":true}`)
	d.run(`{"update":"c","updates":[{"q":{},"u":{"$unset":{"p":1}}}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{},"limit":0}]}`)
	if out := d.try(`{"insert":"c","documents":[{"p":"` + pad + `"}]}`); full(out) || n < 50 {
		t.Errorf("after %d documents and a deletion: %.200s", n, out)
	}
}

// Indexes, collections, databases and cursors are bounded, with the server's own errors
// where it has them.
func TestThingsAreBounded(t *testing.T) {
	d := besieged(t)
	var code int64
	for i := 0; i < 70 && code == 0; i++ {
		code = d.try(fmt.Sprintf(`{"createIndexes":"c","indexes":[{"key":{"f%d":1},"name":"f%d"}]}`, i, i)).Get("code").Long()
	}
	if code != 67 {
		t.Errorf("many indexes: code %d", code)
	}
	code = 0
	for i := 0; i < 30 && code == 0; i++ {
		out, err := d.e.Run(t.Context(), fmt.Sprint("db", i), parseJSON(t, `{"create":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		code = out.Get("code").Long()
	}
	if code != 14031 {
		t.Errorf("many databases: code %d", code)
	}
	code = 0
	opened := 0
	for ; opened < 100_000 && code == 0; opened++ {
		code = d.try(`{"find":"c","batchSize":0}`).Get("code").Long()
	}
	if code != 146 || d.e.server.WorkMemory() > hostileQuota {
		t.Errorf("%d cursors: code %d, %d bytes", opened, code, d.e.server.WorkMemory())
	}
	if err := d.e.Close(); err != nil {
		t.Fatal(err)
	}
	if n := d.e.server.WorkMemory(); n != 0 {
		t.Errorf("%d bytes are held by closed cursors", n)
	}
}

// Cursors and transactions that keep too many old versions alive are ended, the oldest
// first, and writers go on.
func TestOldVersionsAreGivenUp(t *testing.T) {
	d := newDB(t, Options{MemoryLimit: 4 << 20, WorkMemory: 4 << 20})
	session := func(n byte, more string) string {
		return `"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAA` + string('A'+rune(n)) + `A==","subType":"04"}}},"txnNumber":{"$numberLong":"1"},"autocommit":false` + more
	}
	d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2}]}`)
	old := d.run(`{"find":"c","batchSize":1}`).Path("cursor.id").String()
	d.run(`{"find":"c",` + session(1, `,"startTransaction":true`) + `}`)
	more := func(id string) bsonval.Doc {
		return d.try(`{"getMore":{"$numberLong":"` + id + `"},"collection":"c"}`)
	}
	pad := strings.Repeat("x", 100_000)
	young := ""
	for i := range 60 {
		if i == 50 {
			young = d.run(`{"find":"c","batchSize":1}`).Path("cursor.id").String()
		}
		d.run(fmt.Sprintf(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"p":"%s%d"}}}]}`, pad, i))
	}
	if code := more(old).Get("code").Long(); code != 43 {
		t.Errorf("the old cursor: code %d", code)
	}
	if out := more(young); out.Get("ok").Double() != 1 {
		t.Errorf("the young cursor: %s", out)
	}
	if out := d.try(`{"find":"c",` + session(1, "") + `}`); out.Get("code").Long() != 251 {
		t.Errorf("the old transaction: %.200s", out)
	}
	if n := d.e.server.WorkMemory(); n != 0 {
		t.Errorf("%d bytes are held", n)
	}
	code := int64(0)
	for i := 0; i < 100 && code == 0; i++ { // what open transactions have written is held too
		n := byte(2 + i%20)
		start := ""
		if i < 20 {
			start = `,"startTransaction":true`
		}
		code = d.try(fmt.Sprintf(`{"insert":"c","documents":[{"p":"%s"}],%s}`, pad, session(n, start))).Get("code").Long()
	}
	if code != 146 {
		t.Errorf("large transactions: code %d", code)
	}
}
