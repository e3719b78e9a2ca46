package engine_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// let's expressions are evaluated before there is a document; one without a value leaves
// its variable without one.
func TestLetOfACommand(t *testing.T) {
	e := memory(t, engine.Options{})
	command(t, e, "d", d("insert", "c", "documents", bson.A{d("_id", 1, "a", 5)}))
	find := func(let bson.D) bson.D {
		return d("find", "c", "let", let, "projection", d("n", "$$v", "_id", 0))
	}
	literal := d("$literal", "$a")
	for name, c := range map[string]struct {
		let  bson.D
		want any // nil: no field
	}{
		"uses one before it":    {d("u", 2, "v", d("$add", bson.A{"$$u", 3})), int32(5)},
		"literal":               {d("v", literal), "$a"},
		"literal's field":       {d("v", d("$getField", d("field", "x", "input", d("x", 7)))), int32(7)},
		"no such field":         {d("v", d("$getField", d("field", "y", "input", d("x", 7)))), nil},
		"removed":               {d("v", "$$REMOVE"), nil},
		"bound inside":          {d("v", d("$let", d("vars", d("w", 4), "in", "$$w"))), int32(4)},
		"null is a value":       {d("v", nil, "w", 1), bson.Null{}},
		"$map over constants":   {d("v", d("$size", d("$map", d("input", bson.A{1, 2}, "in", "$$this")))), int32(2)},
		"the name of an option": {d("v", d("$dateToParts", d("date", bson.DateTime(0)))), d("year", int32(1970), "month", int32(1), "day", int32(1), "hour", int32(0), "minute", int32(0), "second", int32(0), "millisecond", int32(0))},
	} {
		reply := command(t, e, "d", find(c.let))
		raw, err := bson.Marshal(reply["cursor"])
		if err != nil {
			t.Fatal(err)
		}
		got := bson.Raw(raw).Lookup("firstBatch", "0", "n")
		if c.want == nil {
			if len(got.Value) != 0 || got.Type != 0 {
				t.Errorf("%s: %v, want nothing", name, got)
			}
			continue
		}
		if want, _ := bson.Marshal(d("n", c.want)); !got.Equal(bson.Raw(want).Lookup("n")) {
			t.Errorf("%s: %v, want %v", name, got, bson.Raw(want).Lookup("n"))
		}
	}
	for _, v := range []any{"$a", "$$ROOT", "$$CURRENT.a", d("$add", bson.A{1, "$a"}), d("$getField", "a"), d("x", bson.A{"$a"})} {
		if reply := command(t, e, "d", find(d("v", v))); reply["code"] != int32(4890500) {
			t.Errorf("let {v: %v}: %v", v, reply)
		}
	}
}
