package project

import (
	"context"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Whatever a projection says, it is refused or makes whole documents.
func FuzzProjection(f *testing.F) {
	for _, spec := range []bsonval.Doc{
		bsonval.D(bsonval.E("a", bsonval.IntValue(1)), bsonval.E("_id", bsonval.IntValue(0))),
		bsonval.D(bsonval.E("a.b", bsonval.IntValue(0))),
		bsonval.D(bsonval.E("a", bsonval.DocValue(bsonval.D(bsonval.E("$slice", bsonval.ArrayOf(bsonval.IntValue(1), bsonval.IntValue(2))))))),
		bsonval.D(bsonval.E("a", bsonval.DocValue(bsonval.D(bsonval.E("$elemMatch", bsonval.DocValue(bsonval.D(bsonval.E("b", bsonval.IntValue(1))))))))),
		bsonval.D(bsonval.E("x", bsonval.StringValue("$a.b")), bsonval.E("a", bsonval.DocValue(bsonval.D(bsonval.E("b", bsonval.BoolValue(true)))))),
	} {
		f.Add([]byte(spec), true)
		f.Add([]byte(spec), false)
	}
	doc := bsonval.D(bsonval.E("_id", bsonval.IntValue(1)), bsonval.E("a", bsonval.ArrayOf(bsonval.DocValue(bsonval.D(bsonval.E("b", bsonval.IntValue(1)))), bsonval.IntValue(5), bsonval.ArrayOf(bsonval.DocValue(bsonval.EmptyDoc())))))
	f.Fuzz(func(t *testing.T, spec []byte, find bool) {
		if bsonval.Validate(spec) != nil {
			return
		}
		op := opctx.New(context.Background(), time.Unix(0, 0))
		p, err := Compile(spec, Env{Scope: expr.NewScope(nil), Match: match.Env{Op: op}, Find: find})
		if err != nil {
			return
		}
		out, err := p.Apply(expr.NewFrame(op), stream.Row{Doc: doc})
		if err == nil && bsonval.Validate(out) != nil {
			t.Errorf("%s made a broken document", bsonval.Doc(spec))
		}
	})
}
