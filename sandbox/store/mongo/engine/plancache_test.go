package engine

import (
	"strings"
	"testing"
)

func TestAnIndexFilterHasTheLastWord(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"},{"key":{"a":1,"b":1},"name":"a_1_b_1"}]}`)
	d.run(`{"insert":"c","documents":[{"a":1,"b":1},{"a":1,"b":2},{"a":2,"b":1}]}`)
	d.run(`{"planCacheSetFilter":"c","query":{"a":5,"b":7},"indexes":[{"a":1}]}`)
	uses := func(cmd, index string, filtered bool) {
		t.Helper()
		out := d.run(`{"explain":` + cmd + `,"verbosity":"queryPlanner"}`).Get("queryPlanner").Doc()
		if !strings.Contains(out.Get("winningPlan").String(), `"`+index+`"`) || out.Get("indexFilterSet").Truth() != filtered {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	uses(`{"find":"c","filter":{"a":1,"b":1}}`, "a_1", true)
	uses(`{"find":"c","filter":{"a":1,"b":1},"hint":"a_1_b_1"}`, "a_1", true)
	uses(`{"count":"c","query":{"a":1,"b":1}}`, "a_1", true)
	uses(`{"find":"c","filter":{"a":1,"b":{"$gt":1}}}`, "a_1_b_1", false)
	if got := d.run(`{"planCacheListFilters":"c"}`).Get("filters").String(); got != `[ { query: { a: 5, b: 7 }, sort: {}, projection: {}, indexes: [ { a: 1 } ] } ]` {
		t.Error(got)
	}
	d.run(`{"planCacheSetFilter":"c","query":{"a":5,"b":7},"indexes":["gone"]}`)
	uses(`{"find":"c","filter":{"a":1,"b":1}}`, "COLLSCAN", true)
	d.run(`{"planCacheClearFilters":"c","query":{"a":0,"b":0}}`)
	uses(`{"find":"c","filter":{"a":1,"b":1},"hint":"a_1_b_1"}`, "a_1_b_1", false)
	for _, cmd := range []string{
		`{"planCacheSetFilter":"c","indexes":[{"a":1}]}`, `{"planCacheSetFilter":"c","query":{"a":1}}`, `{"planCacheSetFilter":"c","query":{"a":1},"indexes":[]}`,
		`{"planCacheSetFilter":"c","query":{"a":1},"indexes":[5]}`, `{"planCacheClearFilters":"c","sort":{"a":1}}`, `{"planCacheSetFilter":"none","query":{"a":1},"indexes":["a_1"]}`,
	} {
		if out := d.try(cmd); out.Get("code").Long() != 2 {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}
