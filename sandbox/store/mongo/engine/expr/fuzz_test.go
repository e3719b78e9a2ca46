package expr_test

import (
	"context"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// FuzzExpression compiles whatever is a document as an expression and evaluates it:
// there may be errors, never a crash, and what comes out is valid BSON.
func FuzzExpression(f *testing.F) {
	for _, e := range []string{
		`{"$add":["$a",1]}`, `{"$dateToString":{"date":"$d","format":"%Y-%m-%d","timezone":"$s"}}`, `{"$dateFromString":{"dateString":"$s","format":"%d"}}`,
		`{"$map":{"input":"$l","as":"x","in":{"$pow":["$$x",{"$numberDecimal":"2.5"}]}}}`, `{"$zip":{"inputs":["$l","$l"],"useLongestLength":true}}`,
		`{"$regexFindAll":{"input":"$s","regex":"(e)|(l+)"}}`, `{"$convert":{"input":"$s","to":"date","onError":{"$type":"$s"}}}`, `{"$sortArray":{"input":"$l","sortBy":-1}}`,
		`{"$switch":{"branches":[{"case":"$n","then":1}],"default":{"$let":{"vars":{"x":1},"in":"$$x"}}}}`, `{"$setField":{"field":"q","input":"$o","value":1}}`,
		`{"$substrCP":["$s",1,{"$numberLong":"9"}]}`, `{"$round":["$a",{"$numberInt":"-20"}]}`, `{"$dateTrunc":{"date":"$d","unit":"week","binSize":3}}`, `{"$percentile":{"input":"$l","p":[0.5],"method":"approximate"}}`,
		`{"$sin":{"$numberDecimal":"1E+30"}}`, `{"$exp":{"$numberDecimal":"9999"}}`, `{"$dateAdd":{"startDate":"$d","unit":"year","amount":{"$numberLong":"9223372036854775807"}}}`,
	} {
		f.Add([]byte(parse(f, e).Doc()))
	}
	doc := parse(f, `{"a":7,"s":"hello","d":{"$date":"2020-02-29T12:00:00Z"},"l":[3,1.5,{"$numberLong":"9"},null,"x"],"o":{"p":[{"q":1}]},"n":null}`).Doc()
	f.Fuzz(func(t *testing.T, b []byte) {
		if bsonval.Validate(b) != nil {
			return
		}
		e, err := expr.Compile(bsonval.DocValue(b), expr.NewScope(nil))
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		op := opctx.New(ctx, now)
		op.MaxMemory = 1 << 20
		frame := expr.NewFrame(op)
		frame.ResetDoc(doc)
		v, err := e.Eval(frame)
		if err != nil {
			return
		}
		if err := bsonval.Validate(bsonval.ArrayOf(v).Doc()); err != nil {
			t.Fatalf("%s made broken BSON: %v", bsonval.Doc(b), err)
		}
	})
}
