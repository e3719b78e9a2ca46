package expr_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// manual are the expression operators of the server's manual but those that need its
// JavaScript engine.
const manual = `abs acos acosh add allElementsTrue and anyElementTrue arrayElemAt arrayToObject asin asinh atan atan2 atanh avg binarySize
bitAnd bitNot bitOr bitXor bsonSize ceil cmp concat concatArrays cond convert cos cosh dateAdd dateDiff dateFromParts dateFromString dateSubtract
dateToParts dateToString dateTrunc dayOfMonth dayOfWeek dayOfYear degreesToRadians divide eq exp filter first firstN floor getField gt gte hour
ifNull in indexOfArray indexOfBytes indexOfCP isArray isNumber isoDayOfWeek isoWeek isoWeekYear last lastN let literal ln log log10 lt lte ltrim map
max maxN median mergeObjects meta millisecond min minN minute mod month multiply ne not objectToArray or percentile pow radiansToDegrees rand range
reduce regexFind regexFindAll regexMatch replaceAll replaceOne reverseArray round rtrim sampleRate second setDifference setEquals setField
setIntersection setIsSubset setUnion sin sinh size slice sortArray split sqrt stdDevPop stdDevSamp strcasecmp strLenBytes strLenCP substr
substrBytes substrCP subtract sum switch tan tanh toBool toDate toDecimal toDouble toHashedIndexKey toInt toLong toLower toObjectId toString toUpper toUUID trim trunc
tsIncrement tsSecond type unsetField week year zip`

func operators() []string { return strings.Fields(manual) }

func TestEveryOperatorIsKnown(t *testing.T) {
	for _, name := range operators() {
		arg := bsonval.D(bsonval.E("$"+name, bsonval.StringValue("$x")))
		if _, err := expr.Compile(bsonval.DocValue(arg), expr.NewScope(nil)); mongoerr.Is(err, mongoerr.InvalidPipelineOperator) {
			t.Errorf("$%s: %v", name, err)
		}
	}
}

// argument names that some operator knows.
const argumentNames = `input as in cond limit initialValue date format timezone onNull onError dateString year month day hour minute second millisecond
isoWeekYear isoWeek isoDayOfWeek iso8601 startDate endDate unit amount binSize startOfWeek to regex options find replacement chars inputs defaults useLongestLength
field value sortBy n p method vars if then else branches default`

type chaos struct{ *rand.Rand }

func (c chaos) pick(words string) string {
	w := strings.Fields(words)
	return w[c.IntN(len(w))]
}

// value is a literal, a path or an expression, of any kind.
func (c chaos) value(depth int) string {
	if depth > 0 {
		switch c.IntN(6) {
		case 0:
			return `{"$` + c.pick(manual) + `":` + c.argument(depth-1) + `}`
		case 1:
			return "[" + c.list(depth-1, c.IntN(4)) + "]"
		}
	}
	return c.pick(`0 1 -1 2 7 2147483647 -2147483648 0.5 -2.5 1e300 {"$numberDouble":"NaN"} {"$numberDouble":"-Infinity"} {"$numberLong":"9223372036854775807"}
		{"$numberLong":"-9223372036854775808"} {"$numberDecimal":"1.25"} {"$numberDecimal":"NaN"} {"$numberDecimal":"9E+6144"} {"$numberDecimal":"-1E-6176"} null true false "" "a" "héllo" "%Y-%m-%d" "UTC" "day"
		"2020-02-29" "+05:30" "Europe/Paris" "int" "[" "approximate" {"$date":"2020-02-29T12:00:00Z"} {"$date":{"$numberLong":"-62135596800001"}} {"$date":{"$numberLong":"9223372036854775807"}}
		{"$oid":"5ab9cbfa31c2ab715d42129e"} {"$timestamp":{"t":5,"i":7}} {"$binary":{"base64":"AQIDBA==","subType":"00"}} {"$regularExpression":{"pattern":"l+","options":"i"}} {"$minKey":1} {"$undefined":true}
		{"x":1} {} [] [1,2] [[1,2]] ["a",null] [{"k":"a","v":1}] "$s" "$l" "$l" "$d" "$o" "$a" "$nope" "$$ROOT" "$o.p.q" "$dec"`)
}

func (c chaos) list(depth, n int) string {
	var parts []string
	for range n {
		parts = append(parts, c.value(depth))
	}
	return strings.Join(parts, ",")
}

func (c chaos) argument(depth int) string {
	switch c.IntN(5) {
	case 0:
		return c.value(depth)
	case 1:
		var parts []string
		seen := map[string]bool{}
		for range 1 + c.IntN(4) {
			if name := c.pick(argumentNames); !seen[name] {
				seen[name] = true
				parts = append(parts, `"`+name+`":`+c.value(depth))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + c.list(depth, 1+c.IntN(4)) + "]"
}

// shapes are named arguments as operators want them, with § for any value.
func shapes() []string {
	return []string{
		`{"$map":{"input":§,"in":["$$this",§]}}`, `{"$filter":{"input":§,"cond":§,"limit":§}}`, `{"$reduce":{"input":§,"initialValue":§,"in":{"$concatArrays":["$$value",["$$this"]]}}}`,
		`{"$dateToString":{"date":§,"format":§,"timezone":§}}`, `{"$dateFromString":{"dateString":§,"format":§}}`, `{"$dateFromString":{"dateString":§,"timezone":§}}`, `{"$dateToParts":{"date":§,"timezone":§,"iso8601":§}}`,
		`{"$dateFromParts":{"year":§,"month":§,"day":§,"hour":§}}`, `{"$dateFromParts":{"isoWeekYear":§,"isoWeek":§,"isoDayOfWeek":§}}`, `{"$dateAdd":{"startDate":§,"unit":§,"amount":§,"timezone":§}}`,
		`{"$dateDiff":{"startDate":§,"endDate":§,"unit":"week","startOfWeek":§}}`, `{"$dateDiff":{"startDate":§,"endDate":§,"unit":"hour"}}`, `{"$dateTrunc":{"date":§,"unit":"month","binSize":§}}`, `{"$dateTrunc":{"date":§,"unit":"minute","binSize":§}}`,
		`{"$convert":{"input":§,"to":§}}`, `{"$convert":{"input":§,"to":"binData","format":§}}`, `{"$regexFindAll":{"input":§,"regex":§,"options":§}}`, `{"$trim":{"input":§,"chars":§}}`, `{"$replaceAll":{"input":§,"find":§,"replacement":§}}`,
		`{"$zip":{"inputs":[§,§],"useLongestLength":true,"defaults":[§,§]}}`, `{"$sortArray":{"input":§,"sortBy":{"a.b":1}}}`, `{"$setField":{"field":"a","input":§,"value":§}}`, `{"$getField":{"field":§,"input":§}}`, `{"$firstN":{"n":§,"input":§}}`, `{"$maxN":{"n":§,"input":§}}`,
		`{"$percentile":{"input":§,"p":[0,0.5,1],"method":"approximate"}}`, `{"$switch":{"branches":[{"case":§,"then":§}],"default":§}}`, `{"$let":{"vars":{"x":§,"y":§},"in":["$$x","$$y"]}}`, `{"$year":{"date":§,"timezone":§}}`,
	}
}

// Whatever an operator is given, it answers a value or an error, and valid BSON.
func TestOperatorsWithAnything(t *testing.T) {
	c := chaos{rand.New(rand.NewPCG(11, 12))}
	doc := parse(t, `{"a":7,"s":"hello","d":{"$date":"2020-02-29T12:00:00Z"},"l":[3,1.5,{"$numberLong":"9"},null,"x"],"o":{"p":[{"q":1}]},"n":null,"dec":{"$numberDecimal":"2.5"}}`).Doc()
	var all []string
	for _, name := range operators() {
		for range 60 {
			all = append(all, `{"$`+name+`":`+c.argument(2)+`}`)
		}
	}
	for _, shape := range shapes() {
		for range 120 {
			parts := strings.Split(shape, "§")
			for i := range parts[:len(parts)-1] {
				parts[i] += c.value(1)
			}
			all = append(all, strings.Join(parts, ""))
		}
	}
	evaluated := 0
	for _, text := range all {
		e, err := expr.Compile(parse(t, text), expr.NewScope(nil))
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		op := opctx.New(ctx, now)
		op.MaxMemory = 1 << 20
		f := expr.NewFrame(op)
		f.ResetDoc(doc)
		v, err := func() (bsonval.Value, error) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: %v", text, r)
				}
			}()
			return e.Eval(f)
		}()
		cancel()
		if err != nil {
			continue
		}
		evaluated++
		if err := bsonval.Validate(bsonval.ArrayOf(v).Doc()); err != nil {
			t.Errorf("%s made broken BSON: %v", text, err)
		}
	}
	if evaluated < len(all)/10 {
		t.Errorf("only %d of %d expressions had a value", evaluated, len(all))
	}
}
