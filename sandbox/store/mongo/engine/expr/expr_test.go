package expr_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// parse reads a value written as extended JSON: 1 is an int, 1.0 a double.
func parse(t testing.TB, text string) bsonval.Value {
	t.Helper()
	return bsontest.Doc(t, `{"v":`+text+`}`).Get("v")
}

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// eval evaluates an expression over a document.
func eval(t testing.TB, expression, doc string) (bsonval.Value, error) {
	t.Helper()
	e, err := expr.Compile(parse(t, expression), expr.NewScope(nil))
	if err != nil {
		return bsonval.Value{}, err
	}
	f := expr.NewFrame(opctx.New(context.Background(), now))
	f.ResetDoc(parse(t, doc).Doc())
	return e.Eval(f)
}

// row is one case: the value as extended JSON, "missing", or "error <code>".
type row struct{ expr, want string }

// check runs the rows over one document.
func check(t *testing.T, doc string, rows []row) {
	t.Helper()
	for _, r := range rows {
		v, err := eval(t, r.expr, doc)
		if got, ok := same(t, v, err, r.want); !ok {
			t.Errorf("%s over %s\n got %s\nwant %s", r.expr, doc, got, r.want)
		}
	}
}

func same(t *testing.T, v bsonval.Value, err error, want string) (string, bool) {
	if code, ok := strings.CutPrefix(want, "error "); ok || err != nil {
		if err == nil {
			return describe(v), false
		}
		e := mongoerr.From(err)
		number, text, _ := strings.Cut(code, " ")
		return fmt.Sprintf("error %d %s", e.Code, e.Message), ok && number == fmt.Sprint(int(e.Code)) && strings.Contains(e.Message, text)
	}
	if want == "missing" {
		return describe(v), v.IsMissing()
	}
	return describe(v), v.Same(parse(t, want))
}

func describe(v bsonval.Value) string { return fmt.Sprintf("%s (%s)", v, v.Type()) }

func TestPathsAndLiterals(t *testing.T) {
	check(t, `{"a":{"b":[{"c":1},{"c":2},3]},"n":null,"e":[]}`, []row{
		{`"$a.b.c"`, `[1,2]`}, {`"$$ROOT.a.b.c"`, `[1,2]`}, {`"$$CURRENT.n"`, `null`}, {`"$x.y"`, `missing`},
		{`"$a.b.0"`, `[]`}, {`{"$literal":"$a"}`, `"$a"`}, {`{"x":"$n","y":"$zz"}`, `{"x":null}`},
		{`["$n","$zz"]`, `[null,null]`}, {`"$"`, `error 16872`}, {`"$a."`, `error 40353`}, {`"$a..b"`, `error 15998`},
		{`"$$nope"`, `error 17276 Use of undefined variable: nope`}, {`{"$nope":1}`, `error 168 Unrecognized expression '$nope'`},
		{`{"$add":[1],"b":1}`, `error 15983`}, {`"$$NOW"`, `{"$date":"2026-07-01T12:00:00Z"}`}, {`"$$REMOVE"`, `missing`},
		{`{"a.b":1}`, `error 16412`},
	})
}

func TestArithmetic(t *testing.T) {
	check(t, `{"i":7,"l":{"$numberLong":"7"},"d":2.5,"dec":{"$numberDecimal":"1.10"},"s":"x","n":null,"t":{"$date":"2020-01-01T00:00:00Z"}}`, []row{
		{`{"$add":["$i",1]}`, `8`}, {`{"$add":["$i","$l"]}`, `{"$numberLong":"14"}`}, {`{"$add":["$i","$d"]}`, `9.5`},
		{`{"$add":[2147483647,1]}`, `{"$numberLong":"2147483648"}`},
		{`{"$add":[{"$numberLong":"9223372036854775807"},1]}`, `9223372036854775808.0`},
		{`{"$add":["$dec","$i"]}`, `{"$numberDecimal":"8.10"}`}, {`{"$add":[0.1,0.2,0.3]}`, `0.6`}, {`{"$add":[]}`, `0`},
		{`{"$add":["$i","$n"]}`, `null`}, {`{"$add":["$i","$zz"]}`, `null`}, {`{"$add":["$i","$s"]}`, `error 14 $add only supports numeric or date types, not string`},
		{`{"$add":["$t",1000]}`, `{"$date":"2020-01-01T00:00:01Z"}`}, {`{"$add":["$t","$t"]}`, `error 16612`},
		{`{"$subtract":["$t",{"$numberLong":"1000"}]}`, `{"$date":"2019-12-31T23:59:59Z"}`},
		{`{"$subtract":["$t","$t"]}`, `{"$numberLong":"0"}`}, {`{"$subtract":["$i","$s"]}`, `error 14 can't $subtract string from int`},
		{`{"$multiply":["$i",3,"$d"]}`, `52.5`}, {`{"$multiply":[]}`, `1`}, {`{"$multiply":["$s"]}`, `error 14 $multiply only supports numeric types, not string`},
		{`{"$divide":["$i",2]}`, `3.5`}, {`{"$divide":[6,2]}`, `3.0`}, {`{"$divide":[1,0]}`, `error 2 can't $divide by zero`},
		{`{"$divide":[1]}`, `error 16020 Expression $divide takes exactly 2 arguments. 1 were passed in.`},
		{`{"$mod":[-7,3]}`, `-1`}, {`{"$mod":[7.5,2]}`, `1.5`}, {`{"$mod":[1,0]}`, `error 16610`}, {`{"$mod":["a",0]}`, `error 16611 $mod only supports numeric types, not string and int`},
		{`{"$abs":-5}`, `5`}, {`{"$abs":-2.5}`, `2.5`}, {`{"$abs":{"$numberDecimal":"-1.5"}}`, `{"$numberDecimal":"1.5"}`}, {`{"$abs":-2147483648}`, `{"$numberLong":"2147483648"}`},
		{`{"$ceil":2.1}`, `3.0`}, {`{"$floor":-2.1}`, `-3.0`}, {`{"$floor":3}`, `3`}, {`{"$ceil":{"$numberDecimal":"2.1"}}`, `{"$numberDecimal":"3"}`},
		{`{"$round":[10.5]}`, `10.0`}, {`{"$round":[19.25,1]}`, `19.2`}, {`{"$round":[28.73,1]}`, `28.7`}, {`{"$round":[34.32,-1]}`, `30.0`},
		{`{"$round":[1234,-2]}`, `1200`}, {`{"$round":[2.5,"x"]}`, `error 51082`}, {`{"$trunc":[-44.73,1]}`, `-44.7`}, {`{"$trunc":7.8}`, `7.0`}, {`{"$trunc":{"$numberDecimal":"7.89"}}`, `{"$numberDecimal":"7"}`},
		{`{"$pow":[5,2]}`, `25`}, {`{"$pow":[2,31]}`, `{"$numberLong":"2147483648"}`}, {`{"$pow":[2,-1]}`, `0.5`}, {`{"$pow":[2,0.5]}`, `1.4142135623730951`}, {`{"$pow":[0,-1]}`, `error 28764`},
		{`{"$pow":[10,20]}`, `1e20`}, {`{"$pow":[-1,1000001]}`, `-1`}, {`{"$pow":[{"$numberDecimal":"2"},3]}`, `{"$numberDecimal":"8.000000000000000000000000000000000"}`},
		{`{"$sqrt":9}`, `3.0`}, {`{"$sqrt":-1}`, `error 28714`}, {`{"$sqrt":{"$numberDecimal":"2"}}`, `{"$numberDecimal":"1.414213562373095048801688724209698"}`},
		{`{"$exp":0}`, `1.0`}, {`{"$ln":1}`, `0.0`}, {`{"$log10":1000}`, `3.0`}, {`{"$log":[100,10]}`, `2.0`}, {`{"$ln":-1}`, `error 28766 $ln's argument must be a positive number, but is -1`},
		{`{"$exp":{"$numberDecimal":"1"}}`, `{"$numberDecimal":"2.718281828459045235360287471352662"}`},
		{`{"$ln":{"$numberDecimal":"10"}}`, `{"$numberDecimal":"2.302585092994045684017991454684364"}`},
		{`{"$bitAnd":[5,3]}`, `1`}, {`{"$bitOr":[5,{"$numberLong":"3"}]}`, `{"$numberLong":"7"}`}, {`{"$bitXor":[5,3]}`, `6`}, {`{"$bitNot":5}`, `-6`}, {`{"$bitAnd":[5,1.5]}`, `error 14`},
	})
}

func TestTrigonometry(t *testing.T) {
	check(t, `{}`, []row{
		{`{"$sin":0}`, `0.0`}, {`{"$cos":0}`, `1.0`}, {`{"$atan2":[1,1]}`, `0.7853981633974483`}, {`{"$acos":2}`, `error 50989 cannot apply $acos to 2, value must be in [-1,1]`},
		{`{"$degreesToRadians":180}`, `3.141592653589793`}, {`{"$radiansToDegrees":3.141592653589793}`, `180.0`}, {`{"$tanh":null}`, `null`},
		{`{"$sin":{"$numberDecimal":"1"}}`, `{"$numberDecimal":"0.8414709848078965066525023216302990"}`},
		{`{"$atan":{"$numberDecimal":"1"}}`, `{"$numberDecimal":"0.7853981633974483096156608458198757"}`},
		{`{"$cosh":{"$numberDecimal":"1"}}`, `{"$numberDecimal":"1.543080634815243778477905620757062"}`},
	})
}

func TestComparisonAndLogic(t *testing.T) {
	check(t, `{"a":1,"n":null}`, []row{
		{`{"$eq":["$a",1.0]}`, `true`}, {`{"$gt":["$zz",null]}`, `false`}, {`{"$lt":["$zz",null]}`, `true`}, {`{"$eq":["$zz",null]}`, `false`}, {`{"$cmp":["a",5]}`, `1`},
		{`{"$and":[]}`, `true`}, {`{"$or":[]}`, `false`}, {`{"$not":["$n"]}`, `true`}, {`{"$and":[1,"x",[]]}`, `true`}, {`{"$or":[0,null]}`, `false`},
		{`{"$cond":["$a","y","n"]}`, `"y"`}, {`{"$cond":{"if":0,"then":1,"else":2}}`, `2`}, {`{"$cond":{"if":1,"then":1}}`, `error 17082`},
		{`{"$ifNull":["$n","$zz","d"]}`, `"d"`}, {`{"$ifNull":["$n","$zz"]}`, `missing`}, {`{"$ifNull":[1]}`, `error 1257300`},
		{`{"$switch":{"branches":[{"case":false,"then":1},{"case":true,"then":2}]}}`, `2`},
		{`{"$switch":{"branches":[{"case":false,"then":1}],"default":9}}`, `9`}, {`{"$switch":{"branches":[{"case":false,"then":1}]}}`, `error 40066`}, {`{"$switch":{"branches":[]}}`, `error 40068`},
	})
}
