package engine_test

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// answers runs commands and checks their first batch, or their code where it fails.
func answers(t *testing.T, e *engine.Engine, cases [][2]string) {
	t.Helper()
	for _, c := range cases {
		got := command(t, e, "d", extended(t, c[0]))
		shown := bson.D{{Key: "code", Value: got["code"]}}
		if cursor, ok := got["cursor"].(bson.D); ok {
			shown = bson.D{{Key: "is", Value: cursor[0].Value}}
		} else if got["ok"] == 1.0 {
			shown = bson.D{}
		}
		have, _ := bson.MarshalExtJSON(shown, false, false)
		want, _ := bson.MarshalExtJSON(extended(t, c[1]), false, false)
		if string(have) != string(want) {
			t.Errorf("%s:\ngot  %s %v\nwant %s", c[0], have, got["errmsg"], want)
		}
	}
}

// What {$meta: …} tells of a row is the same whether an index, a sort or _id found it.
func TestARowsSortKeyAndIndexKey(t *testing.T) {
	e := memory(t, engine.Options{})
	answers(t, e, [][2]string{
		{`{"insert":"c","documents":[{"_id":1,"a":2,"b":"x"},{"_id":2,"a":[5,1],"b":"y"},{"_id":3,"b":"z"}]}`, `{}`},
		{`{"createIndexes":"c","indexes":[{"key":{"b":1,"_id":1},"name":"b"},{"key":{"b":1,"a":1},"name":"ba"}]}`, `{}`},
		{`{"find":"c","filter":{"_id":1},"sort":{"a":1},"projection":{"k":{"$meta":"sortKey"}}}`, `{"is":[{"_id":1,"a":2,"b":"x","k":[2]}]}`},
		{`{"find":"c","sort":{"a":1,"b":-1},"projection":{"_id":1,"k":{"$meta":"sortKey"}}}`, `{"is":[{"_id":3,"k":[null,"z"]},{"_id":2,"k":[1,"y"]},{"_id":1,"k":[2,"x"]}]}`},
		{`{"find":"c","hint":"b","sort":{"b":-1},"projection":{"x.k":{"$meta":"sortKey"}},"returnKey":true,"limit":1}`, `{"is":[{"b":"z","_id":3,"x":{"k":["z"]}}]}`},
		{`{"find":"c","filter":{"b":"x"},"hint":"b","projection":{"_id":0,"a":1,"k":{"$meta":"indexKey"}}}`, `{"is":[{"a":2,"k":{"b":"x","_id":1}}]}`},
		{`{"find":"c","filter":{"a":2},"hint":{"$natural":1},"projection":{"_id":1,"k":{"$meta":"indexKey"}}}`, `{"is":[{"_id":1}]}`},
		{`{"aggregate":"c","pipeline":[{"$match":{"b":"x"}},{"$project":{"k":{"$meta":"indexKey"}}}],"hint":"b","cursor":{}}`, `{"is":[{"_id":1,"k":{"b":"x","_id":1}}]}`},
		{`{"find":"c","projection":{"k":{"$meta":"sortKey"}}}`, `{"code":2}`},
		{`{"findAndModify":"c","remove":true,"sort":{"a":1},"fields":{"k":{"$meta":"sortKey"}}}`, `{"code":2}`},
		// two indexes cover it: what the trial found is shown whole
		{`{"find":"c","filter":{"b":{"$gte":"y"}},"projection":{"b":1,"_id":0}}`, `{"is":[{"b":"y"},{"b":"z"}]}`},
		{`{"find":"c","sort":{"$natural":1,"a":1}}`, `{"code":2}`},
		{`{"find":"c","sort":{"$natural":2}}`, `{"code":2}`},
		{`{"find":"c","sort":{"$a":1}}`, `{"code":16410}`},
		{`{"find":"c","filter":{"b":"y"},"projection":{"a.$":1,"b":{"$elemMatch":{"x":1}}}}`, `{"code":31255}`},
		{`{"insert":"p","documents":[{"_id":1,"a":[1,2,3],"b":[1]}]}`, `{}`},
		{`{"find":"p","filter":{"a":3},"projection":{"b.$":1}}`, `{"code":51247}`},
	})
}

// Names with system. belong to the server, also where a collection is renamed.
func TestNamesOfTheSystem(t *testing.T) {
	e := memory(t, engine.Options{})
	answers(t, e, [][2]string{
		{`{"create":"c"}`, `{}`},
		{`{"create":"system.foo"}`, `{"code":73}`},
		{`{"create":"system.js"}`, `{}`},
	})
	for to, code := range map[string]any{"d.system.foo": int32(20), "d.a$b": int32(20), "d.system.views": int32(20), "d.x": nil} {
		if got := command(t, e, "admin", bson.D{{Key: "renameCollection", Value: "d.c"}, {Key: "to", Value: to}}); got["code"] != code {
			t.Errorf("to %s: %v", to, got)
		}
	}
}

// What views stand on is followed through their pipelines.
func TestViewsOnViews(t *testing.T) {
	e := memory(t, engine.Options{})
	cases := [][2]string{
		{`{"insert":"c","documents":[{"_id":1,"a":[{"x":1}]}]}`, `{}`},
		{`{"create":"a","viewOn":"c"}`, `{}`},
		{`{"create":"s","viewOn":"s"}`, `{"code":5}`},
		{`{"create":"s","viewOn":"a","pipeline":[{"$lookup":{"from":"s","as":"x","pipeline":[]}}]}`, `{"code":5}`},
		{`{"collMod":"a","viewOn":"c","pipeline":[{"$facet":{"f":[{"$unionWith":"a"}]}}]}`, `{"code":5}`},
		{`{"create":"en","viewOn":"a","collation":{"locale":"en"}}`, `{"code":167}`},
		{`{"create":"en","viewOn":"c","collation":{"locale":"en"}}`, `{}`},
		{`{"aggregate":"c","pipeline":[{"$unionWith":"en"}],"cursor":{}}`, `{"code":167}`},
		{`{"aggregate":"c","pipeline":[{"$unionWith":"en"},{"$project":{"_id":1}}],"cursor":{},"collation":{"locale":"en"}}`, `{"is":[{"_id":1},{"_id":1}]}`},
		{`{"find":"a","sort":{"$natural":-1},"projection":{"_id":1}}`, `{"is":[{"_id":1}]}`},
		{`{"find":"a","projection":{"a":{"$elemMatch":{"x":1}}}}`, `{"code":168}`},
		{`{"find":"a","returnKey":true}`, `{"code":168}`},
		{`{"create":"v20","viewOn":"c"}`, `{}`},
	}
	for i := 19; i > 0; i-- {
		cases = append(cases, [2]string{fmt.Sprintf(`{"create":"v%d","viewOn":"v%d","pipeline":[{"$unionWith":"v%d"},{"$lookup":{"from":"v%d","as":"x","pipeline":[]}}]}`, i, i+1, i+1, i+1), `{}`})
	}
	answers(t, e, append(cases, [][2]string{
		{`{"create":"v0","viewOn":"v1"}`, `{"code":165}`},
		{`{"create":"v0","viewOn":"c","pipeline":[{"$unionWith":"v1"}]}`, `{"code":165}`},
		{`{"collMod":"v20","viewOn":"a","pipeline":[]}`, `{"code":165}`},
		{`{"aggregate":"v10","pipeline":[{"$unionWith":"v1"}],"cursor":{}}`, `{"code":165}`},
		{`{"create":"middle","viewOn":"v10"}`, `{}`},
	}...))
}

// A wildcard index serves empty documents and arrays, and the presence of a path with
// all that is below it.
func TestWhatAWildcardIndexServes(t *testing.T) {
	e := memory(t, engine.Options{})
	answers(t, e, [][2]string{
		{`{"insert":"c","documents":[{"_id":1,"a":{}},{"_id":2,"a":[]},{"_id":3,"a":{"b":{"c":1}}},{"_id":4,"a":[[],{"b":1}]},{"_id":5,"b":1},{"_id":6,"a":null},{"_id":7,"ab":1}]}`, `{}`},
		{`{"createIndexes":"c","indexes":[{"key":{"$**":1},"name":"w"}]}`, `{}`},
		{`{"find":"c","filter":{"a":{}},"hint":"w","projection":{"_id":1}}`, `{"is":[{"_id":1}]}`},
		{`{"find":"c","filter":{"a":[]},"hint":"w","sort":{"_id":1},"projection":{"_id":1}}`, `{"is":[{"_id":2},{"_id":4}]}`},
		{`{"find":"c","filter":{"a":{"$in":[{},[]]}},"hint":"w","sort":{"_id":1},"projection":{"_id":1}}`, `{"is":[{"_id":1},{"_id":2},{"_id":4}]}`},
		{`{"find":"c","filter":{"a":{"$exists":true}},"hint":"w","sort":{"_id":1},"projection":{"_id":1}}`, `{"is":[{"_id":1},{"_id":2},{"_id":3},{"_id":4},{"_id":6}]}`},
		{`{"find":"c","filter":{"a.b":{"$exists":true}},"hint":"w","sort":{"_id":1},"projection":{"_id":1}}`, `{"is":[{"_id":3},{"_id":4}]}`},
		{`{"find":"c","filter":{"a.b.c":1},"returnKey":true}`, `{"is":[{"$_path":"a.b.c","a.b.c":1}]}`},
		{`{"find":"c","filter":{"a":{"$gte":{}}},"hint":"w"}`, `{"code":291}`},
	})
}

// Options that don't fit together are told apart.
func TestOptionsThatDontFit(t *testing.T) {
	answers(t, memory(t, engine.Options{}), [][2]string{
		{`{"find":"c","filter":{"x":{"$regex":{"$regularExpression":{"pattern":"a","options":"i"}},"$options":"s"}}}`, `{"code":51075}`},
		{`{"find":"c","filter":{"x":{"$options":"s","$regex":{"$regularExpression":{"pattern":"a","options":"i"}}}}}`, `{"code":51074}`},
		{`{"find":"c","filter":{"x":{"$options":"s","$regex":"a"}}}`, `{"is":[]}`},
		{`{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x","expireAfterSeconds":9999999999999999}]}`, `{"code":67}`},
		{`{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x","expireAfterSeconds":2147483647}]}`, `{}`},
	})
}

// Empty timestamps are filled in the order of the inserts, also within a second.
func TestEmptyTimestampsAreFilledInOrder(t *testing.T) {
	answers(t, memory(t, engine.Options{}), [][2]string{
		{`{"insert":"c","documents":[{"_id":1,"t":{"$timestamp":{"t":0,"i":0}}},{"_id":2,"t":{"$timestamp":{"t":0,"i":0}}},{"_id":3,"t":{"$timestamp":{"t":0,"i":0}}}]}`, `{}`},
		{`{"aggregate":"c","pipeline":[{"$group":{"_id":"$t"}},{"$count":"n"}],"cursor":{}}`, `{"is":[{"n":3}]}`},
		{`{"find":"c","sort":{"t":-1},"projection":{"_id":1}}`, `{"is":[{"_id":3},{"_id":2},{"_id":1}]}`},
	})
}
