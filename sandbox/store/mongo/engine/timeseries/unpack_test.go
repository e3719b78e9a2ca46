package timeseries

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func parse(t testing.TB, s string) bsonval.Doc {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(s), false, &raw); err != nil {
		t.Fatal(err)
	}
	return bsonval.Doc(raw)
}

// Whatever stands in the place of a bucket, unpacking it ends, in measurements or in an
// error.
func TestWhatIsNoBucketIsUnpackedWithoutHarm(t *testing.T) {
	for doc, want := range map[string]int{
		`{}`:                                  -1,
		`{"data":5}`:                          -1,
		`{"data":{"t":5}}`:                    -1,
		`{"data":{}}`:                         0,
		`{"control":"x","data":{}}`:           0,
		`{"control":{"version":2},"data":{}}`: 0,
		`{"control":{"version":4},"data":{}}`: -1,
		`{"control":{"version":2},"data":{"t":{"0":1}}}`:                                                                                                               -1,
		`{"control":{"version":2},"data":{"t":{"$binary":{"base64":"AAAA","subType":"07"}}}}`:                                                                          0,
		`{"control":{"version":2},"data":{"t":{"$binary":{"base64":"CQAYhggUjQEAAIAOAAAAAAAAAAA=","subType":"07"}},"v":{"$binary":{"base64":"AA==","subType":"07"}}}}`: 0,
		`{"control":{"version":3},"data":{"t":{"$binary":{"base64":"CQAYhggUjQEAAIAOAAAAAAAAAAA=","subType":"07"}}}}`:                                                  2,
		`{"data":{"t":{"0":1,"1":2},"v":{"9":1,"0":2}}}`:                                                                                                               2,
		`{"data":{"t":{"0":1,"1":2},"v":{"x":1},"w":{"1":1,"0":3}}}`:                                                                                                   2,
		`{"meta":1,"data":{"t":{"a":1},"m":{"0":2}}}`:                                                                                                                  1,
	} {
		r, err := Read("t", "m", parse(t, doc))
		if err != nil {
			if want >= 0 {
				t.Error(doc, err)
			}
			continue
		}
		n := 0
		for {
			d, ok, err := r.Next()
			if err != nil || !ok {
				break
			}
			if err := bsonval.Validate(d); err != nil {
				t.Error(doc, err)
			}
			n++
		}
		if n != want {
			t.Errorf("%s: %d measurements", doc, n)
		}
	}
}

func TestSplitAsksOfBucketsWhatTheyCanTell(t *testing.T) {
	o := Options{Time: "t", Meta: "m", Granularity: "seconds", MaxSpan: 3600, Rounding: 60}
	const at = `{"$date":{"$numberLong":"1621296000000"}}`
	for _, c := range []struct{ filter, bucket, rest string }{
		{`{}`, `{}`, `{}`},
		{`{"m.a":1,"v":2}`, `{ meta.a: 1 }`, `{ v: 2 }`},
		{`{"ma":1}`, `{}`, `{ ma: 1 }`},
		{`{"$or":[{"m":1},{"m.b":{"$gt":2}}]}`, `{ $or: [ { meta: 1 }, { meta.b: { $gt: 2 } } ] }`, `{}`},
		{`{"$or":[{"m":1},{"v":2}]}`, `{}`, `{ $or: [ { m: 1 }, { v: 2 } ] }`},
		{`{"$and":[{"m":1},{"v":2}]}`, `{ meta: 1 }`, `{ v: 2 }`},
		{`{"t":{"$gt":` + at + `}}`, `{ $and: [ { _id: { $gte: ObjectId('60a2f5700000000000000000') } }, { control.max.t: { $gte: new Date(1621296000000) } }, { control.min.t: { $gte: new Date(1621292400000) } } ] }`, `{ t: { $gt: new Date(1621296000000) } }`},
		{`{"t":{"$lte":` + at + `}}`, `{ $and: [ { _id: { $lte: ObjectId('60a30380ffffffffffffffff') } }, { control.min.t: { $lte: new Date(1621296000000) } }, { control.max.t: { $lte: new Date(1621299600000) } } ] }`, `{ t: { $lte: new Date(1621296000000) } }`},
		{`{"t":{"$gt":5}}`, `{}`, `{ t: { $gt: 5 } }`},
		{`{"$expr":{"$eq":["$m",1]}}`, `{}`, `{ $expr: { $eq: [ "$m", 1 ] } }`},
	} {
		bucket, rest := o.Split(parse(t, c.filter))
		if bucket.String() != c.bucket || rest.String() != c.rest {
			t.Errorf("%s:\n%s\n%s", c.filter, bucket, rest)
		}
	}
}
