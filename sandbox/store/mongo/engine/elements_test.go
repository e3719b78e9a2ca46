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
