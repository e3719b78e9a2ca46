package match_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

func op() *opctx.Op { return opctx.New(context.Background(), time.Unix(1, 0)) }

func TestFilters(t *testing.T) {
	for _, c := range []struct{ filter, yes, no string }{
		{`{}`, `{}|{"a":1}`, ``},
		{`{"a":1}`, `{"a":1}|{"a":1.0}|{"a":[2,1]}`, `{"a":2}|{}|{"a":[[1]]}|{"a":"1"}`},
		{`{"a":[1,2]}`, `{"a":[1,2]}|{"a":[[1,2],3]}`, `{"a":[2,1]}|{"a":[1,2,3]}`},
		{`{"a":null}`, `{"a":null}|{}|{"a":[1,null]}`, `{"a":0}|{"a":[]}`},
		{`{"a.b":null}`, `{}|{"a":1}|{"a":{}}|{"a":[{}]}`, `{"a":{"b":1}}|{"a":[{"b":1}]}|{"a":[]}|{"a":[1]}`},
		{`{"a.b":1}`, `{"a":{"b":1}}|{"a":[{"b":2},{"b":1}]}|{"a":{"b":[1]}}`, `{"a":[[{"b":1}]]}|{"a.b":1}`},
		{`{"a.0":1}`, `{"a":[1,2]}|{"a":{"0":1}}`, `{"a":[2,1]}|{"a":1}`},
		{`{"a.0.b":1}`, `{"a":[{"b":1}]}`, `{"a":[{"b":2},{"b":1}]}`},
		{`{"a":{"$gt":1}}`, `{"a":2}|{"a":[0,2]}`, `{"a":1}|{"a":"x"}|{"a":null}|{}`},
		{`{"a":{"$gte":"b"}}`, `{"a":"b"}|{"a":"c"}`, `{"a":"a"}|{"a":5}`},
		{`{"a":{"$lt":{"$numberDecimal":"1.5"}}}`, `{"a":1}|{"a":1.4}`, `{"a":1.5}|{"a":2}`},
		{`{"a":{"$gt":{"$minKey":1}}}`, `{"a":1}|{"a":null}`, `{}`},
		{`{"a":{"$ne":1}}`, `{"a":2}|{}|{"a":[2]}`, `{"a":1}|{"a":[2,1]}`},
		{`{"a":{"$in":[1,"x",null]}}`, `{"a":1}|{"a":"x"}|{}|{"a":[5,1]}`, `{"a":2}`},
		{`{"a":{"$in":[{"$regularExpression":{"pattern":"^x","options":""}}]}}`, `{"a":"xyz"}`, `{"a":"yx"}`},
		{`{"a":{"$nin":[1,2]}}`, `{"a":3}|{}`, `{"a":1}|{"a":[3,2]}`},
		{`{"a":{"$exists":true}}`, `{"a":null}|{"a":[]}`, `{}`},
		{`{"a.b":{"$exists":false}}`, `{}|{"a":[]}|{"a":1}`, `{"a":{"b":null}}`},
		{`{"a":{"$type":"number"}}`, `{"a":1}|{"a":1.5}|{"a":["x",1]}`, `{"a":"x"}|{}`},
		{`{"a":{"$type":"array"}}`, `{"a":[]}|{"a":[1]}`, `{"a":1}`},
		{`{"a":{"$type":["string",10]}}`, `{"a":"x"}|{"a":null}`, `{"a":1}|{}`},
		{`{"a":{"$mod":[4,1]}}`, `{"a":5}|{"a":5.9}`, `{"a":4}|{"a":"5"}`},
		{`{"a":{"$size":2}}`, `{"a":[1,2]}`, `{"a":[1]}|{"a":2}|{"a":[[1,2]]}`},
		{`{"a":{"$all":[1,2]}}`, `{"a":[2,3,1]}`, `{"a":[1]}|{"a":1}`},
		{`{"a":{"$all":[]}}`, ``, `{"a":[]}|{}`},
		{`{"a":{"$all":[{"$elemMatch":{"x":1}},{"$elemMatch":{"x":2}}]}}`, `{"a":[{"x":1},{"x":2}]}`, `{"a":[{"x":1}]}`},
		{`{"a":{"$elemMatch":{"$gt":1,"$lt":3}}}`, `{"a":[0,2,9]}`, `{"a":[0,9]}|{"a":2}|{"a":[[2]]}`},
		{`{"a":{"$elemMatch":{"x":1,"y":2}}}`, `{"a":[{"x":1,"y":2}]}`, `{"a":[{"x":1},{"y":2}]}`},
		{`{"a":{"$not":{"$gt":1}}}`, `{"a":1}|{}|{"a":"x"}`, `{"a":2}|{"a":[0,2]}`},
		{`{"a":{"$gt":1,"$lt":3}}`, `{"a":2}|{"a":[0,9]}`, `{"a":3}`},
		{`{"$and":[{"a":1},{"b":2}]}`, `{"a":1,"b":2}`, `{"a":1}`},
		{`{"$or":[{"a":1},{"b":2}]}`, `{"a":1}|{"b":2}`, `{}`},
		{`{"$nor":[{"a":1},{"b":2}]}`, `{}`, `{"a":1}`},
		{`{"a":{"$regularExpression":{"pattern":"^ab","options":"i"}}}`, `{"a":"ABC"}|{"a":["x","abx"]}`, `{"a":"xab"}|{"a":1}`},
		{`{"a":{"$regex":"b$"}}`, `{"a":"ab"}|{"a":"ab\n"}`, `{"a":"ba"}`},
		{`{"a":{"$regex":"(?<=x)y"}}`, `{"a":"xy"}`, `{"a":"y"}`},
		{`{"a":{"$bitsAllSet":[0,2]}}`, `{"a":5}|{"a":7}`, `{"a":4}|{"a":"5"}`},
		{`{"a":{"$bitsAnyClear":5}}`, `{"a":4}`, `{"a":5}`},
		{`{"$expr":{"$gt":["$a","$b"]}}`, `{"a":2,"b":1}`, `{"a":1,"b":1}`},
		{`{"a":{"b":1}}`, `{"a":{"b":1}}`, `{"a":{"b":1,"c":2}}|{"a":{"c":2,"b":1}}`},
		{`{"$jsonSchema":{"required":["a"],"properties":{"a":{"bsonType":"int","minimum":2}}}}`, `{"a":2}`, `{}|{"a":1}|{"a":"x"}`},
	} {
		m, err := match.Compile(bsontest.Doc(t, c.filter), match.Env{Op: op()})
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		for want, docs := range map[bool]string{true: c.yes, false: c.no} {
			if docs == "" {
				continue
			}
			for _, d := range strings.Split(docs, "|") {
				if got, err := m.Match(op(), bsontest.Doc(t, d)); got != want || err != nil {
					t.Errorf("%s on %s: %v, %v", c.filter, d, got, err)
				}
			}
		}
	}
}

func TestBadFiltersAreTheServersErrors(t *testing.T) {
	for filter, want := range map[string]string{
		`{"$foo":1}`:                         "unknown top level operator: $foo. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
		`{"a":{"$foo":1}}`:                   "unknown operator: $foo",
		`{"$or":[]}`:                         "$and/$or/$nor must be a nonempty array",
		`{"$and":{}}`:                        "$and must be an array",
		`{"a":{"$in":1}}`:                    "$in needs an array",
		`{"a":{"$size":-1}}`:                 "Failed to parse $size. Expected a non-negative number in: $size: -1",
		`{"a":{"$mod":[0,1]}}`:               "divisor cannot be 0",
		`{"a":{"$type":"foo"}}`:              "Unknown type name alias: foo",
		`{"a":{"$elemMatch":1}}`:             "$elemMatch needs an Object",
		`{"a":{"$options":"i"}}`:             "$options needs a $regex",
		`{"a":{"$not":1}}`:                   "$not needs a regex or a document",
		`{"a":{"$gt":1,"b":1}}`:              "unknown operator: b",
		`{"$jsonSchema":{"x":1}}`:            "Unknown $jsonSchema keyword: x",
		`{"a":{"$regex":"(","$options":""}}`: "",
	} {
		_, err := match.Compile(bsontest.Doc(t, filter), match.Env{Op: op()})
		if err == nil || want != "" && err.Error() != want {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

// Any filter compiles or fails, and what compiles runs, on any document.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"$elemMatch":{"$not":{"$in":[1,null]}}}}`, `{"$or":[{"a.0.b":{"$all":[1]}}]}`,
		`{"a":{"$regex":"a+","$options":"im"}}`, `{"$jsonSchema":{"items":{"type":"string"},"not":{}}}`, `{"$expr":{"$eq":["$a",1]}}`, `{"a":{"$bitsAllSet":[1]}}`} {
		f.Add([]byte(bsontest.Doc(f, s)), []byte(bsontest.Doc(f, `{"a":[{"b":1},[2],null,"x"],"c":{"d":1}}`)))
	}
	f.Fuzz(func(t *testing.T, filter, d []byte) {
		if bsonval.Validate(filter) != nil || bsonval.Validate(d) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		o := opctx.New(ctx, time.Unix(1, 0))
		m, err := match.Compile(filter, match.Env{Op: o})
		if err == nil {
			m.Match(o, d) //nolint:errcheck // only that it returns
		}
	})
}
