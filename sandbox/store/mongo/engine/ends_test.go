package engine

import "testing"

// What is refused must be refused before anything is changed.
func TestBadProjectionsChangeNothing(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":[1,2]}]}`)
	for cmd, want := range map[string]int64{
		`{"findAndModify":"c","query":{"_id":9},"update":{"$set":{"x":1}},"upsert":true,"fields":{"a":{"$nope":1}}}`: 31325,
		`{"findAndModify":"c","query":{"a":2},"update":{"$set":{"x":1}},"fields":{"a.$":1},"new":true}`:              2,
		`{"findAndModify":"c","query":{"a":2},"remove":true,"fields":{"a.$":{"$slice":1}}}`:                          31271,
	} {
		if out := d.try(cmd); out.Get("code").Long() != want {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	if got := d.docs(`{"find":"c","filter":{}}`); got != `[ { _id: 1, a: [ 1, 2 ] } ]` {
		t.Error(got)
	}
	out := d.run(`{"findAndModify":"c","query":{"a":2},"update":{"$set":{"x":1}},"fields":{"a.$":1}}`)
	if got := out.Get("value").String(); got != `{ _id: 1, a: [ 2 ] }` {
		t.Error(got)
	}
}

func TestADroppedIndexEndsTheCursorsThatReadIt(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1},{"_id":2,"a":2},{"_id":3,"a":3}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"}]}`)
	reads := d.run(`{"find":"c","filter":{},"hint":"a_1","batchSize":1}`).Path("cursor.id").String()
	other := d.run(`{"find":"c","filter":{},"batchSize":1}`).Path("cursor.id").String()
	d.run(`{"dropIndexes":"c","index":"a_1"}`)
	if out := d.try(`{"getMore":{"$numberLong":"` + reads + `"},"collection":"c"}`); out.Get("code").Long() != 175 {
		t.Error(out)
	}
	d.run(`{"getMore":{"$numberLong":"` + other + `"},"collection":"c"}`)
}

func TestConditionsWhereTheyMayStand(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":[{"b":1}],"w":"x"},{"_id":2,"w":"y"}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"w":"text"},"name":"w"}]}`)
	for cmd, want := range map[string]int64{
		`{"find":"c","filter":{"a":{"$elemMatch":{"$expr":{"$eq":["$b",1]}}}}}`:                                        2,
		`{"findAndModify":"c","query":{"_id":1,"$expr":{"$eq":["$_id",1]}},"update":{"$set":{"x":1}},"upsert":true}`:   224,
		`{"explain":{"update":"c","updates":[{"q":{"$expr":{"$eq":["$_id",1]}},"u":{"$set":{"x":1}},"upsert":true}]}}`: 224,
		`{"find":"c","filter":{"a":{"$elemMatch":{"$id":1}}}}`:                                                         0,
		`{"find":"c","filter":{"$text":{"$search":"x"}}}`:                                                              0,
		`{"createIndexes":"d","indexes":[{"key":{"_fts":"text","_ftsx":1},"weights":{},"name":"f"}]}`:                  67,
		`{"createIndexes":"c","indexes":[{"key":{"_fts":1},"name":"f"}]}`:                                              67,
		`{"createIndexes":"system.views","indexes":[{"key":{"a":1},"name":"a","hidden":true}]}`:                        2,
	} {
		out := d.try(cmd)
		if code := out.Get("code"); !code.IsMissing() && code.Long() != want || code.IsMissing() && want != 0 {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	d.run(`{"collMod":"c","index":{"name":"w","hidden":true}}`)
	if out := d.try(`{"find":"c","filter":{"$text":{"$search":"x"}}}`); out.Get("code").Long() != 291 {
		t.Error(out)
	}
}

func TestServerStatusCountsKindsOfUpdates(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":[7]}]}`)
	d.run(`{"update":"c","updates":[{"q":{},"u":[{"$set":{"x":1}}]},{"q":{},"u":{"$set":{"a.$[e]":8}},"arrayFilters":[{"e":7}]}]}`)
	d.run(`{"findAndModify":"c","query":{},"update":[{"$set":{"x":2}}]}`)
	commands := d.run(`{"serverStatus":1}`).Path("metrics.commands").Doc()
	if got := commands.Get("update").String(); got != `{ arrayFilters: 1, failed: 0, pipeline: 1, total: 1 }` {
		t.Error(got)
	}
	if got := commands.Get("findAndModify").String(); got != `{ arrayFilters: 0, failed: 0, pipeline: 1, total: 1 }` {
		t.Error(got)
	}
}

func TestAGetMoreDeclaresWhatItsCursorDid(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2},{"_id":3}]}`)
	for find, mores := range map[string]map[string]int64{
		`{"find":"c","batchSize":1}`:                                    {`"apiVersion":"1"`: 347, `"batchSize":1`: 0},
		`{"find":"c","batchSize":1,"apiVersion":"1"}`:                   {`"batchSize":1`: 347, `"apiVersion":"1"`: 0},
		`{"find":"c","batchSize":1,"apiVersion":"1","apiStrict":false}`: {`"apiVersion":"1"`: 347},
	} {
		for more, want := range mores {
			id := d.run(find).Path("cursor.id").String()
			out := d.try(`{"getMore":{"$numberLong":"` + id + `"},"collection":"c",` + more + `}`)
			if code := out.Get("code"); code.IsMissing() != (want == 0) || want != 0 && code.Long() != want {
				t.Errorf("%s, %s: %s", find, more, out)
			}
		}
	}
}
