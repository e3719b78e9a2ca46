package engine

import (
	"strings"
	"testing"
)

func TestACompoundWildcardIndexServesItsPaths(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"s","documents":[{"_id":1,"tenant":1,"attr":{"color":"red","size":5},"z":1},{"_id":2,"tenant":1,"attr":{"color":"blue","tags":["x","y"]}},{"_id":3,"tenant":2,"attr":{"color":"red"}},{"_id":4,"tenant":1},{"_id":5}]}`)
	d.run(`{"createIndexes":"s","indexes":[{"key":{"tenant":1,"attr.$**":1,"z":-1},"name":"w"}]}`)
	for filter, want := range map[string]struct{ ids, scan string }{
		`{"tenant":1,"attr.color":"red"}`:          {"1", `keyPattern: { tenant: 1, $_path: 1, attr.color: 1, z: -1 }`},
		`{"tenant":1,"attr.size":{"$gt":1},"z":1}`: {"1", `indexBounds: { tenant: [ "[1, 1]" ], $_path: [ "[\"attr.size\", \"attr.size\"]" ], attr.size: [ "(1, inf.0]" ], z: [ "[1, 1]" ] }`},
		`{"tenant":1,"attr.tags":"y"}`:             {"2", `multiKeyPaths: { tenant: [], $_path: [], attr.tags: [ "attr.tags" ], z: [] }`},
		`{"tenant":1}`:                             {"1 2 4", `indexBounds: { tenant: [ "[1, 1]" ], $_path: [ "[MinKey, MinKey]", "[\"\", {})" ], attr.$**: [ "[MinKey, MaxKey]" ], z: [ "[MaxKey, MinKey]" ] }`},
		`{"tenant":null}`:                          {"5", "COLLSCAN"},
		`{"attr.color":"red"}`:                     {"1 3", "COLLSCAN"},
	} {
		got := strings.NewReplacer("[ ", "", " ]", "", "{ _id: ", "", " }", "", ",", "").Replace(d.docs(`{"find":"s","filter":` + filter + `,"sort":{"_id":1},"projection":{"_id":1}}`))
		if got != want.ids {
			t.Errorf("%s: %s, want %s", filter, got, want.ids)
		}
		if out := d.run(`{"explain":{"find":"s","filter":` + filter + `},"verbosity":"queryPlanner"}`).Path("queryPlanner.winningPlan").String(); !strings.Contains(out, want.scan) {
			t.Errorf("%s: %s", filter, out)
		}
	}
	if out := d.try(`{"insert":"s","documents":[{"tenant":[1,2],"attr":{"color":"red"}}]}`); out.Path("writeErrors.0.code").Long() != 7246301 {
		t.Error(out)
	}
	for spec, code := range map[string]int64{
		`{"key":{"a.$**":1,"b.$**":1},"name":"i"}`:                                    7246201,
		`{"key":{"a":1,"$**":1},"name":"i"}`:                                          67,
		`{"key":{"a.b":1,"a.$**":1},"name":"i"}`:                                      7246204,
		`{"key":{"a":1,"$**":1},"name":"i","wildcardProjection":{"b":0}}`:             7246209,
		`{"key":{"b":1,"$**":1},"name":"i","wildcardProjection":{"a":0}}`:             7246210,
		`{"key":{"a":1,"$**":1},"name":"i","wildcardProjection":{"_id":0}}`:           7246210,
		`{"key":{"a":1,"_id":1,"$**":1},"name":"i","wildcardProjection":{"a":0}}`:     7246209,
		`{"key":{"e.c":1,"$**":1},"name":"i","wildcardProjection":{"_id":1,"e.b":0}}`: 7246210,
		`{"key":{"e":1,"$**":1},"name":"i","wildcardProjection":{"_id":1,"e.b":0}}`:   7246209,
		`{"key":{"_id":1,"$**":1},"name":"i","wildcardProjection":{"_id":1}}`:         7246208,
		`{"key":{"a":1,"$**":1},"name":"i","wildcardProjection":{"a":{"b":1}}}`:       7246208,
		`{"key":{"c":1,"$**":1},"name":"i","wildcardProjection":{"a":1,"b":0}}`:       7246211,
		`{"key":{"a":1,"$**":1},"name":"i","wildcardProjection":{"a":1}}`:             7246208,
		`{"key":{"$**":1},"name":"i","wildcardProjection":{"a":1,"b":0}}`:             31254,
		`{"key":{"$**":1},"name":"i","wildcardProjection":{"a":1,"a.b":1}}`:           7246200,
		`{"key":{"$**":1},"name":"i","wildcardProjection":{"a":"x"}}`:                 51271,
		`{"key":{"$**":1},"name":"i","wildcardProjection":{}}`:                        9,
		`{"key":{"a.$**":1},"name":"i","wildcardProjection":{"a":1}}`:                 9,
		`{"key":{"a":1},"name":"i","wildcardProjection":{"a":1}}`:                     2,
		`{"key":{"a":"hashed","b.$**":1},"name":"i"}`:                                 67,
		`{"key":{"$**":1},"name":"i","unique":true}`:                                  67,
	} {
		if out := d.try(`{"createIndexes":"n","indexes":[` + spec + `]}`); out.Get("code").Long() != code {
			t.Errorf("%s: %s", spec, out)
		}
	}
	d.run(`{"createIndexes":"q","indexes":[{"key":{"$**":1,"_id":1},"name":"a","wildcardProjection":{"_id":0}},{"key":{"_id":1,"a.b":1,"$**":1},"name":"b","wildcardProjection":{"_id":0,"a":0}},{"key":{"$**":1,"y":1},"name":"c","wildcardProjection":{"_id":1}},{"key":{"$**":1,"d":1},"name":"d","wildcardProjection":{"a":{"b":1,"c":1}}}]}`)
	d.run(`{"createIndexes":"p","indexes":[{"key":{"a":1,"$**":1},"name":"one","wildcardProjection":{"a":0}},{"key":{"a":1,"$**":1},"name":"two","wildcardProjection":{"b":1}}]}`)
	d.run(`{"insert":"p","documents":[{"_id":1,"a":1,"b":{"c":2}},{"_id":2,"a":1,"x.y":2}]}`)
	if got := d.docs(`{"find":"p","filter":{"a":1,"b.c":2},"hint":"two","projection":{"_id":1}}`); got != "[ { _id: 1 } ]" {
		t.Error(got)
	}
}
