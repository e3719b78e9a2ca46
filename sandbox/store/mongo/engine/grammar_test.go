package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// grammar makes commands of the operators' names and of arguments that fit them now and
// then.
type grammar struct{ *rand.Rand }

func TestNoCommandBreaksTheEngine(t *testing.T) {
	for seed := range uint64(20) {
		checkGrammar(t, seed)
	}
}

// FuzzGrammar does so with random seeds.
func FuzzGrammar(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkGrammar)
}

// checkGrammar runs random commands. Each is answered, with whole documents or an error
// of its own, never an internal one.
func checkGrammar(t *testing.T, seed uint64) {
	e, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	g := grammar{rand.New(rand.NewPCG(seed, 11))}
	send := func(cmd string) {
		var raw bson.Raw
		if err := bson.UnmarshalExtJSON([]byte(cmd), false, &raw); err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		out, err := e.Run(context.Background(), "test", bsonval.Doc(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := bsonval.Validate(out); err != nil {
			t.Fatalf("%s: broken reply: %v", cmd, err)
		}
		if code := out.Get("code").Long(); code == 1 || out.Path("writeErrors.0.code").Long() == 1 {
			t.Fatalf("seed %d: %s: %s", seed, cmd, out)
		}
	}
	send(`{"insert":"c","documents":[{"_id":1,"a":1,"b":"x","c":[1,2,{"d":3}],"t":{"$date":"2024-02-29T12:34:56.789Z"}},{"_id":2,"a":2.5,"b":{"d":"y"},"c":[],"n":null},{"_id":3,"a":{"$numberDecimal":"1.5"},"b":"a,b","c":[[1],["x"]]},{"_id":4,"a":{"$numberLong":"9223372036854775807"},"b":{"$binary":{"base64":"AAECAw==","subType":"04"}}}]}`)
	for range 60 {
		send(g.command())
	}
}

func (g grammar) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g grammar) name(list string) string { return g.pick(strings.Fields(list)...) }

func (g grammar) command() string {
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf(`{"aggregate":"c","cursor":{},"pipeline":[{%q:%s}]}`, g.name(stageNames), g.arg(0))
	case 1:
		return fmt.Sprintf(`{"aggregate":"c","cursor":{},"pipeline":[{"$group":{"_id":%s,"x":{%q:%s}}}]}`, g.arg(1), g.name(accumulatorNames), g.arg(0))
	case 2:
		return fmt.Sprintf(`{"aggregate":"c","cursor":{},"pipeline":[{"$setWindowFields":{"sortBy":{%q:1},"output":{"x":{%q:%s,"window":%s}}}}]}`,
			g.pick("a", "_id", "t"), g.name(windowNames), g.arg(0), g.pick(`{"documents":[-1,1]}`, `{"documents":["unbounded","current"]}`, `{"range":[-1,1]}`, `{"range":[-1,0],"unit":"day"}`))
	case 3:
		if g.IntN(2) == 0 {
			return fmt.Sprintf(`{"find":"c","filter":{%q:{%q:%s}},"projection":{%q:%s}}`, g.pick("a", "b", "c", "b.d", "c.0"), g.name(fieldQueryNames), g.arg(0), g.pick("a", "b", "c", "c.d", "c.$"), g.arg(1))
		}
		return fmt.Sprintf(`{"update":"c","updates":[{"q":{},"u":{%q:{%q:%s}}}]}`, g.name(updateNames), g.pick("a", "b", "c", "b.d", "c.0", "c.$[]"), g.arg(1))
	}
	return fmt.Sprintf(`{"aggregate":"c","cursor":{},"pipeline":[{"$project":{"x":%s}}]}`, g.expr(0))
}

func (g grammar) expr(depth int) string {
	return fmt.Sprintf(`{%q:%s}`, g.name(expressionNames), g.arg(depth))
}

// arg is an operator's argument: a value, a list, or named parameters.
func (g grammar) arg(depth int) string {
	if depth > 3 {
		return g.scalar()
	}
	switch g.IntN(7) {
	case 0:
		return "[" + g.arg(depth+1) + "," + g.arg(depth+1) + "]"
	case 1:
		return "[" + g.arg(depth+1) + "," + g.arg(depth+1) + "," + g.arg(depth+1) + "]"
	case 2:
		return g.named(depth)
	case 3:
		return g.expr(depth + 1)
	case 4:
		return "[" + g.pick(`"$c"`, `"$b"`, "[1,2,3]", `"$a"`) + "," + g.arg(depth+1) + "]"
	}
	return g.scalar()
}

// named are some of the parameters that operators have, most of them of the right type.
func (g grammar) named(depth int) string {
	const names = "input output by sortBy n in as cond initialValue vars date startDate endDate unit amount timezone format binSize startOfWeek onError onNull to from field value " +
		"find replacement regex options chars inputs defaults useLongestLength dateString year month day hour isoWeekYear method p branches default if then else case N alpha window " +
		"localField foreignField let pipeline path includeArrayIndex size bounds step range boundaries groupBy buckets granularity newRoot $each $slice $position $sort and or xor $type"
	fits := map[string]func() string{
		"in": func() string { return g.expr(depth + 1) }, "sortBy": func() string { return g.pick(`{"a":1}`, `{"c":-1,"_id":1}`, "1") }, "n": func() string { return g.pick("1", "2", `"$a"`, "0") },
		"vars": func() string { return `{"v":` + g.arg(depth+1) + `}` }, "unit": func() string { return g.pick(`"day"`, `"month"`, `"week"`, `"quarter"`, `"$b"`) },
		"to": func() string {
			return g.pick(`"int"`, `"string"`, `"date"`, `"binData"`, `"decimal"`, `"objectId"`, `{"type":"binData","subtype":4}`)
		},
		"p": func() string { return g.pick("[0.5]", "[0.1,0.99]", "0.5", "[2]") }, "method": func() string { return `"approximate"` },
		"timezone": func() string { return g.pick(`"Europe/Berlin"`, `"+03:30"`, `"nowhere"`) }, "format": func() string {
			return g.pick(`"%Y-%m-%dT%H:%M:%S.%LZ"`, `"%"`, `"%G %V %u %j"`, `"base64"`, `"uuid"`, `"utf8"`)
		},
		"from": func() string { return `"c"` }, "as": func() string { return `"v"` }, "path": func() string { return `"$c"` }, "input": func() string { return g.pick(`"$c"`, `"$b"`, `"$a"`, g.arg(depth+1)) },
		"pipeline": func() string { return "[]" }, "boundaries": func() string { return "[0,1,5]" }, "branches": func() string { return `[{"case":true,"then":` + g.arg(depth+1) + `}]` },
	}
	var b strings.Builder
	b.WriteByte('{')
	used := map[string]bool{}
	for range 1 + g.IntN(5) {
		name := g.name(names)
		if used[name] {
			continue
		}
		v := ""
		if fit := fits[name]; fit != nil && g.IntN(5) > 0 {
			v = fit()
		} else {
			v = g.arg(depth + 1)
		}
		if len(used) > 0 {
			b.WriteByte(',')
		}
		used[name] = true
		fmt.Fprintf(&b, "%q:%s", name, v)
	}
	b.WriteByte('}')
	return b.String()
}

func (g grammar) scalar() string {
	return g.pick(`"$a"`, `"$b"`, `"$c"`, `"$t"`, `"$b.d"`, `"$c.d"`, `"$nope"`, `"$$ROOT"`, `"$$v"`, `"$$this"`, `"$$NOW"`, "0", "1", "-1", "2.5", "1e300", "null", "true", `""`, `"x"`, `"ä"`, `"a,b"`,
		`{"$numberLong":"-9223372036854775808"}`, `{"$numberDecimal":"NaN"}`, `{"$numberDecimal":"9.99E+6144"}`, `{"$numberDouble":"Infinity"}`, `{"$numberDouble":"NaN"}`, `{"$date":{"$numberLong":"9223372036854775807"}}`, `{"$date":{"$numberLong":"-62135596800001"}}`,
		`{"$oid":"650000000000000000000000"}`, `{"$timestamp":{"t":1,"i":2}}`, `{"$regularExpression":{"pattern":"a","options":"i"}}`, `{"$binary":{"base64":"AAEC","subType":"00"}}`, "[]", "{}", `{"$minKey":1}`, `{"$undefined":true}`, "2147483647", "100")
}
