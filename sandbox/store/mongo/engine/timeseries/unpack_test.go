package timeseries

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

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
		r, err := Read("t", "m", bsontest.Doc(t, doc))
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
		{`{"m.a":1,"v":2}`, `{ $and: [ { meta.a: 1 }, { control.min.v: { $_internalExprLte: 2 } }, { control.max.v: { $_internalExprGte: 2 } } ] }`, `{ v: 2 }`},
		{`{"ma":{"$exists":true}}`, `{ $and: [ { control.min.ma: { $exists: true } }, { control.max.ma: { $exists: true } } ] }`, `{ ma: { $exists: true } }`},
		{`{"$or":[{"m":1},{"m.b":{"$gt":2}}]}`, `{ $or: [ { meta: 1 }, { meta.b: { $gt: 2 } } ] }`, `{}`},
		{`{"$or":[{"m":1},{"v":{"$lt":2}}]}`, `{ $or: [ { meta: 1 }, { control.min.v: { $_internalExprLt: 2 } } ] }`, `{ $or: [ { m: 1 }, { v: { $lt: 2 } } ] }`},
		{`{"$or":[{"m":1},{"v":{"$ne":2}}]}`, `{}`, `{ $or: [ { m: 1 }, { v: { $ne: 2 } } ] }`},
		{`{"$and":[{"m":1},{"v.w":{"$gt":2}}]}`, `{ $and: [ { meta: 1 }, { control.max.v.w: { $_internalExprGt: 2 } } ] }`, `{ v.w: { $gt: 2 } }`},
		{`{"v":{"$in":[1,"a"]}}`, `{ $or: [ { $and: [ { control.min.v: { $_internalExprLte: 1 } }, { control.max.v: { $_internalExprGte: 1 } } ] }, { $and: [ { control.min.v: { $_internalExprLte: "a" } }, { control.max.v: { $_internalExprGte: "a" } } ] } ] }`, `{ v: { $in: [ 1, "a" ] } }`},
		{`{"v":{"$in":[1,null]}}`, `{}`, `{ v: { $in: [ 1, null ] } }`},
		{`{"v":null,"w":[1],"x":{"y":1},"z":{"$lte":{"$minKey":1}}}`, `{}`, `{ $and: [ { v: null }, { w: [ 1 ] }, { x: { y: 1 } }, { z: { $lte: MinKey } } ] }`},
		{`{"t":{"$gt":` + at + `}}`, `{ $and: [ { control.max.t: { $_internalExprGt: new Date(1621296000000) } }, { control.min.t: { $_internalExprGt: new Date(1621292400000) } }, { _id: { $gt: ObjectId('60a2f570ffffffffffffffff') } } ] }`, `{ t: { $gt: new Date(1621296000000) } }`},
		{`{"t":{"$lte":` + at + `}}`, `{ $and: [ { control.min.t: { $_internalExprLte: new Date(1621296000000) } }, { control.max.t: { $_internalExprLte: new Date(1621299600000) } }, { _id: { $lte: ObjectId('60a30380ffffffffffffffff') } } ] }`, `{ t: { $lte: new Date(1621296000000) } }`},
		{`{"t":{"$lt":{"$date":{"$numberLong":"-5"}}}}`, `{ $and: [ { control.min.t: { $_internalExprLt: new Date(-5) } }, { control.max.t: { $_internalExprLt: new Date(3599995) } } ] }`, `{ t: { $lt: new Date(-5) } }`},
		{`{"t":{"$gt":5}}`, `{}`, `{ t: { $gt: 5 } }`},
		{`{"$expr":{"$eq":["$m",1]}}`, `{}`, `{ $expr: { $eq: [ "$m", 1 ] } }`},
	} {
		bucket, rest := o.Split(bsontest.Doc(t, c.filter), false)
		if bucket.String() != c.bucket || rest.String() != c.rest {
			t.Errorf("%s:\n%s\n%s", c.filter, bucket, rest)
		}
	}
}
