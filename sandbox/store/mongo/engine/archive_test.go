package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/archive"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// furnish fills a database with a collection of every kind and a value of every type.
func furnish(t *testing.T, d db) {
	t.Helper()
	for _, cmd := range []string{
		`{"insert": "types", "documents": [
			{"_id": 1, "double": 1.5, "str": "ä€😀", "doc": {"a": {"b": 1}}, "arr": [1, "x", null], "bin": {"$binary": {"base64": "aGVsbG8=", "subType": "00"}},
			 "uuid": {"$uuid": "00112233-4455-4677-8899-aabbccddeeff"}, "user": {"$binary": {"base64": "AQID", "subType": "80"}}, "oid": {"$oid": "0123456789abcdef01234567"},
			 "t": true, "date": {"$date": {"$numberLong": "-62135596800001"}}, "nul": null, "re": {"$regularExpression": {"pattern": "ab+c", "options": "im"}},
			 "code": {"$code": "f"}, "scope": {"$code": "g", "$scope": {"x": 1}}, "sym": {"$symbol": "s"}, "undef": {"$undefined": true},
			 "ref": {"$dbPointer": {"$ref": "a.b", "$id": {"$oid": "0123456789abcdef01234567"}}}, "ts": {"$timestamp": {"t": 5, "i": 6}},
			 "long": {"$numberLong": "9007199254740993"}, "dec": {"$numberDecimal": "1.10"}, "min": {"$minKey": 1}, "max": {"$maxKey": 1}},
			{"_id": "two", "nan": {"$numberDouble": "NaN"}, "inf": {"$numberDouble": "-Infinity"}, "zero": {"$numberDouble": "-0.0"}},
			{"_id": {"a": 1, "b": "x"}}]}`,
		`{"insert": "products", "documents": [{"_id": 1, "sku": "a", "price": 20, "tags": ["x", "y"], "loc": [1, 2], "text": "quick fox"}, {"_id": 2, "sku": "b"}]}`,
		`{"createIndexes": "products", "indexes": [
			{"key": {"sku": 1}, "name": "sku_1", "unique": true},
			{"key": {"price": -1, "tags": 1}, "name": "pt", "partialFilterExpression": {"price": {"$gt": 10}}},
			{"key": {"loc": "2dsphere"}, "name": "loc"}, {"key": {"text": "text"}, "name": "txt", "weights": {"text": 3}},
			{"key": {"$**": 1}, "name": "wild", "wildcardProjection": {"tags": 1}}, {"key": {"sku": "hashed"}, "name": "h"},
			{"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 3600, "sparse": true, "hidden": true},
			{"key": {"sku": 1}, "name": "de", "collation": {"locale": "de"}}]}`,
		`{"create": "log", "capped": true, "size": 4096, "max": 3}`,
		`{"insert": "log", "documents": [{"_id": 1}, {"_id": 2}, {"_id": 3}, {"_id": 4}]}`,
		`{"insert": "people", "documents": [{"_id": 1}]}`,
		`{"collMod": "people", "validator": {"$jsonSchema": {"required": ["name"]}}, "validationLevel": "moderate"}`,
		`{"create": "names", "collation": {"locale": "de", "strength": 1}}`,
		`{"create": "cheap", "viewOn": "products", "pipeline": [{"$match": {"price": {"$lt": 10}}}]}`,
		`{"create": "clustered", "clusteredIndex": {"key": {"_id": 1}, "unique": true, "name": "by id"}}`,
		`{"insert": "clustered", "documents": [{"_id": 2}, {"_id": 1}]}`,
		`{"create": "weather", "timeseries": {"timeField": "at", "metaField": "sensor", "granularity": "minutes"}, "expireAfterSeconds": 2000000000}`,
		`{"insert": "weather", "documents": [{"at": {"$date": "2021-05-18T00:00:00Z"}, "sensor": 1, "v": 1}, {"at": {"$date": "2021-05-18T01:00:00Z"}, "sensor": 2, "v": 2}]}`,
		`{"createIndexes": "weather", "indexes": [{"key": {"v": -1}, "name": "v"}, {"key": {"sensor.id": 1, "at": -1}, "name": "s"}]}`,
		`{"create": "pre", "changeStreamPreAndPostImages": {"enabled": true}}`,
		`{"createRole": "clerk", "privileges": [{"resource": {"db": "test", "collection": ""}, "actions": ["find"]}], "roles": []}`,
		`{"createUser": "ann", "pwd": "secret", "roles": ["readWrite", "clerk"]}`,
	} {
		d.run(cmd)
	}
}

// inventory is all that a client sees of an engine's databases, but for the UUIDs.
func inventory(t *testing.T, e *Engine) string {
	t.Helper()
	var all strings.Builder
	state := e.Snapshot()
	for _, c := range state.Collections("") {
		fmt.Fprintf(&all, "%s %s\n", c.NS, c.Options)
		indexes := map[string]bool{}
		for _, ix := range c.Indexes {
			var options []string // mongorestore mixes them
			for name, v := range ix.Def.Spec.All() {
				options = append(options, name+": "+v.String())
			}
			slices.Sort(options)
			indexes[strings.Join(options, ", ")] = true
		}
		fmt.Fprintln(&all, indexes)
		at := c.Natural()
		for ok := at.First(); ok; ok = at.Next() {
			fmt.Fprintf(&all, "%x\n", at.Value())
		}
	}
	return all.String()
}

func dumped(t testing.TB, e *Engine, o archive.WriteOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := e.Dump(context.Background(), &b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnArchiveCarriesEverything(t *testing.T) {
	from := newDB(t, Options{})
	furnish(t, from)
	want := inventory(t, from.e)
	for _, packed := range []bool{false, true} {
		to := newDB(t, Options{})
		sum, err := to.e.Undump(context.Background(), bytes.NewReader(dumped(t, from.e, archive.WriteOptions{Gzip: packed})), archive.RestoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := inventory(t, to.e); got != want {
			t.Errorf("gzip %v: restored\n%s\nwant\n%s", packed, got, want)
		}
		if sum.Documents == 0 || sum.Skipped != 0 {
			t.Errorf("summary %+v", sum)
		}
	}
}

// A backup is of one moment, and may be of a part.
func TestADumpIsOfOneDatabaseAtOneMoment(t *testing.T) {
	from := newDB(t, Options{})
	from.run(`{"insert": "a", "documents": [{"_id": 1}]}`)
	if _, err := from.e.Run(context.Background(), "other", parseJSON(t, `{"insert": "b", "documents": [{"_id": 1}]}`)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	state := from.e.Snapshot()
	from.run(`{"insert": "a", "documents": [{"_id": 2}]}`)
	sum, err := archive.Write(context.Background(), &b, state, archive.WriteOptions{Keep: func(ns storage.NS) bool { return ns.DB == "test" }})
	if err != nil || sum.Collections != 1 || sum.Documents != 1 {
		t.Fatalf("%+v %v", sum, err)
	}
}

func TestADamagedArchiveRestoresNothing(t *testing.T) {
	from := newDB(t, Options{})
	furnish(t, from)
	whole := dumped(t, from.e, archive.WriteOptions{})
	to := newDB(t, Options{})
	to.run(`{"insert": "products", "documents": [{"_id": "mine"}]}`)
	want := inventory(t, to.e)
	try := func(name string, b []byte) {
		t.Helper()
		_, err := to.e.Undump(context.Background(), bytes.NewReader(b), archive.RestoreOptions{Drop: true})
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if got := inventory(t, to.e); got != want {
			t.Fatalf("%s: %v, and something was restored", name, err)
		}
	}
	for cut := 0; cut < len(whole); cut += 97 {
		try(fmt.Sprintf("cut at %d", cut), whole[:cut])
	}
	flipped := bytes.Replace(whole, []byte("quick fox"), []byte("quack fox"), 1)
	try("another letter", flipped)
	if _, err := to.e.Undump(context.Background(), strings.NewReader("PK\x03\x04 not one"), archive.RestoreOptions{}); !errors.Is(err, archive.ErrNotArchive) {
		t.Errorf("a zip file: %v", err)
	}
}

func TestARestoreKeepsWhatIsThereUnlessToldToDrop(t *testing.T) {
	from := newDB(t, Options{})
	from.run(`{"insert": "c", "documents": [{"_id": 1, "v": "archive"}, {"_id": 2, "v": "archive"}]}`)
	b := dumped(t, from.e, archive.WriteOptions{})
	to := newDB(t, Options{})
	to.run(`{"insert": "c", "documents": [{"_id": 2, "v": "mine"}, {"_id": 3, "v": "mine"}]}`)
	sum, err := to.e.Undump(context.Background(), bytes.NewReader(b), archive.RestoreOptions{})
	if err != nil || sum.Documents != 1 || sum.Skipped != 1 {
		t.Fatalf("%+v %v", sum, err)
	}
	find := `{"find": "c", "sort": {"_id": 1}}`
	if got, want := to.docs(find), `[ { _id: 1, v: "archive" }, { _id: 2, v: "mine" }, { _id: 3, v: "mine" } ]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := to.e.Undump(context.Background(), bytes.NewReader(b), archive.RestoreOptions{Drop: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := to.docs(find), `[ { _id: 1, v: "archive" }, { _id: 2, v: "archive" } ]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The quota holds for what an archive brings.
func TestAnArchiveThatIsTooLargeIsRefused(t *testing.T) {
	from := newDB(t, Options{})
	from.run(fmt.Sprintf(`{"insert": "c", "documents": [{"_id": 1, "v": %q}]}`, strings.Repeat("x", 1<<20)))
	to := newDB(t, Options{MemoryLimit: 1 << 19})
	if _, err := to.e.Undump(context.Background(), bytes.NewReader(dumped(t, from.e, archive.WriteOptions{})), archive.RestoreOptions{}); err == nil || len(to.e.Snapshot().Databases()) > 0 {
		t.Errorf("%v, databases %v", err, to.e.Snapshot().Databases())
	}
}

func FuzzUndump(f *testing.F) {
	e, err := Open("", Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer e.Close()
	for _, cmd := range []bsonval.Doc{
		bsonval.D(bsonval.E("create", bsonval.StringValue("v")), bsonval.E("viewOn", bsonval.StringValue("c"))),
		bsonval.D(bsonval.E("insert", bsonval.StringValue("c")), bsonval.E("documents", bsonval.ArrayOf(bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))))),
	} {
		if _, err := e.Run(context.Background(), "d", cmd); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(dumped(f, e, archive.WriteOptions{}))
	f.Add(dumped(f, e, archive.WriteOptions{Gzip: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		to, err := Open("", Options{MemoryLimit: 1 << 20, Collections: 20})
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		to.Undump(context.Background(), bytes.NewReader(b), archive.RestoreOptions{Drop: true}) //nolint:errcheck // it must not panic
	})
}
