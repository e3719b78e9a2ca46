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

// PlainProject answers the fields of a leading $project that only keeps fields, which
// the plan may do: {_id: true, a: true}.
func (p *Pipeline) PlainProject() (bsonval.Doc, bool) {
	if len(p.Stages) == 0 || p.Stages[0].Name != "$project" {
		return nil, false
	}
	spec := p.Stages[0].Arg.Doc()
	id := spec.Get("_id")
	var b bsonval.Builder
	if id.IsMissing() || id.Truth() {
		b.Bool("_id", true)
	}
	kept := 0
	for name, v := range spec.All() {
		switch {
		case v.Type() != bsonval.Bool && !v.IsNumber():
			return nil, false
		case name == "_id":
		case !v.Truth():
			return nil, false
		default:
			b.Bool(name, true)
			kept++
		}
	}
	if !id.IsMissing() && !id.Truth() {
		b.Bool("_id", false)
	}
	return b.Doc(), kept > 0 || id.Truth()
}

// Explained are the stages as explain shows them, one for each, without a name for one
// that the stage before it does. distinct says that the plan has picked one document
// for each group.
func (p *Pipeline) Explained(distinct bool) []Named {
	out := append([]Named(nil), p.Stages...)
	for i := range out {
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
