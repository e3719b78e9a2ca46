package engine

import "testing"

// An index doesn't join what different elements, or an array in one, satisfy.
func TestConditionsOnAnElementWithAnIndex(t *testing.T) {
	d := newDB(t, Options{})
	for _, c := range []struct{ key, document, filter string }{
		{`{"a.b":1}`, `{"_id":1,"a":[{"b":[0,2]}]}`, `{"a":{"$elemMatch":{"b":{"$gte":1,"$lte":1}}}}`},
		{`{"a.$**":1}`, `{"_id":1,"a":[{"b":[0,2]}]}`, `{"a":{"$elemMatch":{"b":{"$gte":1,"$lte":1}}}}`},
		{`{"a.b.c":1}`, `{"_id":1,"a":[{"b":[{"c":0},{"c":2}]}]}`, `{"a":{"$elemMatch":{"b.c":{"$gte":1,"$lte":1}}}}`},
		{`{"a":1}`, `{"_id":1,"a":[[5]]}`, `{"a":{"$elemMatch":{"$elemMatch":{"$in":[5]}}}}`},
	} {
		d.run(`{"drop":"c"}`)
		d.run(`{"insert":"c","documents":[` + c.document + `]}`)
		d.run(`{"createIndexes":"c","indexes":[{"key":` + c.key + `,"name":"i"}]}`)
		if got := d.docs(`{"find":"c","filter":` + c.filter + `,"projection":{"_id":1}}`); got != "[ { _id: 1 } ]" {
			t.Errorf("%s by %s of %s: %s", c.filter, c.key, c.document, got)
		}
	}
}

// Strings that are equal in a hashed index's collation have one hash.
func TestAHashedIndexHasItsCollation(t *testing.T) {
	d := newDB(t, Options{})
	const collation = `{"locale":"en","strength":2}`
	d.run(`{"create":"c","collation":` + collation + `}`)
	d.run(`{"insert":"c","documents":[{"_id":1,"a":"x"},{"_id":2,"a":"X"},{"_id":3,"a":{"b":"x"}}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":"hashed"},"name":"i"}]}`)
	if got := d.docs(`{"find":"c","filter":{"a":{"$in":["x",{"b":"X"}]}},"projection":{"_id":1},"hint":"i","sort":{"_id":1}}`); got != "[ { _id: 1 }, { _id: 2 }, { _id: 3 } ]" {
		t.Error(got)
	}
}

// A partial index's filter compares in the index's collation, and serves the queries that
// compare so too.
func TestAPartialIndexHasItsCollation(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"s":"foo"},{"_id":2,"s":"FOO"},{"_id":3,"s":"zoo"}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"s":1},"name":"i","partialFilterExpression":{"s":{"$lte":"FOO"}},"collation":{"locale":"en_US","strength":2}}]}`)
	for filter, want := range map[string]string{
		`{"s":"foo"},"collation":{"locale":"en_US","strength":2},"hint":"i"`: "[ { _id: 1 }, { _id: 2 } ]",
		`{"s":"foo"}`:                                                       "[ { _id: 1 } ]",
		`{"s":{"$lte":"foo"}},"sort":{"_id":1}`:                             "[ { _id: 1 }, { _id: 2 } ]",
		`{"s":"foo"},"collation":{"locale":"en_US"}`:                        "[ { _id: 1 } ]",
		`{"s":{"$in":["ZOO"]}},"collation":{"locale":"en_US","strength":2}`: "[ { _id: 3 } ]",
	} {
		if got := d.docs(`{"find":"c","projection":{"_id":1},"filter":` + filter + `}`); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
	explained := d.run(`{"explain":{"find":"c","filter":{"s":"foo"},"collation":{"locale":"en_US","strength":2}}}`)
	if got := stagesOf(explained.Path("queryPlanner.winningPlan").Doc()); got != "FETCH IXSCAN" || explained.Path("queryPlanner.collation.strength").Long() != 2 {
		t.Errorf("%s: %s", got, explained)
	}
}

// A replacement is a change even if it says what is there, but for a whole document with
// its _id; and explain compares as the write it explains.
func TestWhatCountsAsModified(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"s":"foo"}]}`)
	for update, want := range map[string]int64{
		`{"s":"foo"}`: 1, `{"_id":1,"s":"foo"}`: 0, `{"$set":{"s":"foo"}}`: 0, `[{"$set":{"s":"foo"}}]`: 0,
	} {
		if got := d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":` + update + `}]}`); got.Get("nModified").Long() != want {
			t.Errorf("%s: %s", update, got)
		}
	}
	const collation = `"collation":{"locale":"en","strength":2}`
	update := d.run(`{"explain":{"update":"c","updates":[{"q":{"s":"FOO"},"u":{"$set":{"t":1}},` + collation + `}]}}`)
	if got := update.Path("executionStats.executionStages.nWouldModify"); got.Long() != 1 {
		t.Error(update)
	}
	remove := d.run(`{"explain":{"delete":"c","deletes":[{"q":{"s":"FOO"},"limit":1,` + collation + `}]}}`)
	if got := remove.Path("executionStats.executionStages.nWouldDelete"); got.Long() != 1 {
		t.Error(remove)
	}
	d.run(`{"createIndexes":"c","indexes":[{"key":{"s":1},"name":"i"},{"key":{"p":"2dsphere","s":1},"name":"p",` + collation + `}]}`)
	d.codes(
		outcome{`{"find":"c","min":{"s":"a"},"hint":"i",` + collation + `}`, 51174},
		outcome{`{"find":"c","min":{"s":1},"hint":"i",` + collation + `}`, 0},
	)
}
