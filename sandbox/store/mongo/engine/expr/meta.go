package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Metas are the names that {$meta: …} stands with in an expression, a projection, a sort
// or a stage, but for those in pipelines of its own.
func Metas(v bsonval.Value) []string {
	if (v.Type() != bsonval.Object && v.Type() != bsonval.Array) || len(v.Doc()) == 0 {
		return nil
	}
	var out []string
	for name, k := range v.Doc().All() {
		switch name {
		case "$meta":
			if k.Type() == bsonval.String {
				out = append(out, k.Str())
			}
		case "$literal", "$const", "pipeline", "whenMatched":
		default:
			out = append(out, Metas(k)...)
		}
	}
	return out
}

// MetaAvailable refuses names for which nothing that goes before gives a value: a score
// needs $text, a distance $near or $geoNear.
func MetaAvailable(names []string, text, near bool) error {
	for _, name := range names {
		what := ""
		switch {
		case name == "textScore" && !text:
			what = "text score"
		case name == "geoNearDistance" && !near:
			what = "$geoNear distance"
		case name == "geoNearPoint" && !near:
			what = "$geoNear point"
		default:
			continue
		}
		return mongoerr.New(40218, "query requires %s metadata, but it is not available", what)
	}
	return nil
}
