package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// distinct tells a pipeline that begins with a $group of one document for each value of
// a field: which field, whether the group reads anything else, and whether it takes the
// last document of each in the order of its input, which is sorted, instead of the first.
func (p *Pipeline) distinct(sorted bsonval.Doc) (path string, whole, last bool) {
	if len(p.Stages) == 0 || p.Stages[0].Name != "$group" {
		return "", false, false
	}
	spec := p.Stages[0].Arg.Doc()
	path, ok := plainField(spec.Get("_id"))
	if !ok {
		return "", false, false
	}
	kind := ""
	for name, v := range spec.All() {
		if name == "_id" {
			continue
		}
		op := v.Doc().First().Name
		if len(sorted) <= 5 || op != "$first" && op != "$last" || kind != "" && op != kind {
			return "", false, false
		}
		kind = op
	}
	return path, spec.Len() > 1, kind == "$last"
}

// LeadingProject answers what a leading $project keeps and computes, which the plan may
// do: {_id: true, a: true, b: {$add: …}}. One that takes fields away stays a stage.
func (p *Pipeline) LeadingProject() (bsonval.Doc, bool) {
	if len(p.Stages) == 0 || p.Stages[0].Name != "$project" {
		return nil, false
	}
	spec := p.Stages[0].Arg.Doc()
	id := spec.Get("_id")
	plainID := isFlag(id)
	var b bsonval.Builder
	if id.IsMissing() || plainID && id.Truth() {
		b.Bool("_id", true)
	}
	kept := 0
	for name, v := range spec.All() {
		switch plain := isFlag(v); {
		case name == "_id" && plain:
		case plain && !v.Truth():
			return nil, false
		case plain:
			b.Bool(name, true)
			kept++
		case isNested(v) && takesAway(v.Doc()):
			return nil, false
		default:
			b.Set(name, v)
			kept++
		}
	}
	if plainID && !id.Truth() {
		b.Bool("_id", false)
	}
	return b.Doc(), kept > 0 || plainID && id.Truth()
}

// takesAway tells whether any field of a nested projection is left out by it.
func takesAway(spec bsonval.Doc) bool {
	for _, v := range spec.All() {
		if isFlag(v) && !v.Truth() || isNested(v) && takesAway(v.Doc()) {
			return true
		}
	}
	return false
}

// Explained are the stages as explain shows them, one for each, without a name for one
// that the stage before it does. distinct says that the plan has picked one document
// for each group.
func (p *Pipeline) Explained(distinct bool) []Named {
	out := append([]Named(nil), p.Stages...)
	for i := range out {
		switch st := out[i].Stage.(type) {
		case outStage:
			out[i].Arg = bsonval.DocValue(bsonval.D(bsonval.E("coll", bsonval.StringValue(st.coll)), bsonval.E("db", bsonval.StringValue(st.db))))
		case *merge:
			out[i].Arg = st.shown(out[i].Arg)
		}
		sort, ok := out[i].Stage.(*sortStage)
		if !ok {
			continue
		}
		var b bsonval.Builder
		b.SetDoc("sortKey", out[i].Arg.Doc())
		if i+1 < len(out) && out[i+1].Name == "$limit" && sort.limit > 0 {
			b.Int64("limit", sort.limit)
			out[i+1].Name = ""
		}
		out[i].Arg = b.Value()
	}
	if len(out) > 0 {
		if u, ok := out[0].Stage.(*unpack); ok {
			arg, at := u.explained(p.Stages)
			out[0].Arg = arg
			for i := 1; i < at; i++ {
				out[i].Name = ""
			}
		}
	}
	if distinct {
		out[0].Name, out[0].Arg = "$groupByDistinctScan", p.byDistinct()
	}
	return out
}

// byDistinct is a $group of one document each.
func (p *Pipeline) byDistinct() bsonval.Value {
	var b bsonval.Builder
	b.OpenDoc("newRoot")
	for name, v := range p.Stages[0].Arg.Doc().All() {
		if name != "_id" {
			v = v.Doc().First().Value
		}
		b.Set(name, v)
	}
	b.Close()
	return b.Value()
}

// Desugared are the stages that the server makes of one that is short for others.
func Desugared(s Named) []Named {
	count := bsonval.D(bsonval.E("$sum", bsonval.DocValue(bsonval.D(bsonval.E("$const", bsonval.IntValue(1))))))
	group := func(id bsonval.Value, name string) Named {
		return Named{Name: "$group", Arg: bsonval.DocValue(bsonval.D(bsonval.E("_id", id), bsonval.E(name, bsonval.DocValue(count))))}
	}
	switch s.Name {
	case "$count":
		name := s.Arg.Str()
		none := bsonval.DocValue(bsonval.D(bsonval.E("$const", bsonval.NullValue())))
		kept := bsonval.D(bsonval.E(name, bsonval.BoolValue(true)), bsonval.E("_id", bsonval.BoolValue(false)))
		return []Named{group(none, name), {Name: "$project", Arg: bsonval.DocValue(kept)}}
	case "$sortByCount":
		key := bsonval.D(bsonval.E("count", bsonval.IntValue(-1)))
		sort := bsonval.D(bsonval.E("sortKey", bsonval.DocValue(key)))
		return []Named{group(s.Arg, "count"), {Name: "$sort", Arg: bsonval.DocValue(sort)}}
	}
	return []Named{s}
}
