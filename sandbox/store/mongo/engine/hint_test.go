package engine

import "testing"

// A hint is for the collection that is aggregated, not for those that it is joined with.
func TestAHintIsForTheOwnCollectionAlone(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"a","documents":[{"_id":1,"x":5},{"_id":2,"x":6}]}`)
	d.run(`{"insert":"b","documents":[{"_id":9,"y":5,"up":null}]}`)
	d.run(`{"createIndexes":"a","indexes":[{"key":{"x":1},"name":"x_1"}]}`)
	d.run(`{"create":"v","viewOn":"b","pipeline":[]}`)
	for name, c := range map[string]struct{ stages, want string }{
		"lookup":       {`{"$lookup":{"from":"b","localField":"x","foreignField":"y","as":"l"}}`, `[ { _id: 1, x: 5, l: [ { _id: 9, y: 5, up: null } ] }, { _id: 2, x: 6, l: [] } ]`},
		"pipeline":     {`{"$lookup":{"from":"b","let":{"x":"$x"},"pipeline":[{"$match":{"$expr":{"$eq":["$y","$$x"]}}},{"$project":{"_id":1}}],"as":"l"}}`, `[ { _id: 1, x: 5, l: [ { _id: 9 } ] }, { _id: 2, x: 6, l: [] } ]`},
		"view":         {`{"$lookup":{"from":"v","localField":"x","foreignField":"y","as":"l"}},{"$match":{"l":{"$ne":[]}}},{"$project":{"x":1}}`, `[ { _id: 1, x: 5 } ]`},
		"union":        {`{"$unionWith":"b"},{"$project":{"_id":1}}`, `[ { _id: 1 }, { _id: 2 }, { _id: 9 } ]`},
		"graph":        {`{"$graphLookup":{"from":"b","startWith":"$x","connectFromField":"up","connectToField":"y","as":"l"}},{"$project":{"n":{"$size":"$l"}}}`, `[ { _id: 1, n: 1 }, { _id: 2, n: 0 } ]`},
		"facet, union": {`{"$facet":{"f":[{"$unionWith":{"coll":"v","pipeline":[{"$match":{"y":5}}]}},{"$count":"n"}]}}`, `[ { f: [ { n: 3 } ] } ]`},
	} {
		t.Run(name, func(t *testing.T) {
			d := db{t, d.e}
			if got := d.docs(`{"aggregate":"a","pipeline":[` + c.stages + `],"hint":"x_1","cursor":{}}`); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	plan := d.run(`{"explain":{"aggregate":"a","pipeline":[{"$lookup":{"from":"b","localField":"x","foreignField":"y","as":"l"}}],"hint":"x_1","cursor":{}},"verbosity":"queryPlanner"}`)
	if got := stagesOf(plan.Path("stages.0.$cursor.queryPlanner.winningPlan").Doc()); got != "FETCH IXSCAN" {
		t.Errorf("%s: %s", got, plan)
	}
	if out := d.try(`{"aggregate":"a","pipeline":[],"hint":"no_1","cursor":{}}`); out.Get("code").Long() != 2 {
		t.Error(out)
	}
	d.run(`{"create":"w","viewOn":"a","pipeline":[{"$match":{"x":{"$gt":0}}}]}`)
	if got := d.docs(`{"aggregate":"w","pipeline":[{"$project":{"_id":1}}],"hint":"x_1","cursor":{}}`); got != "[ { _id: 1 }, { _id: 2 } ]" {
		t.Error(got)
	}
}
