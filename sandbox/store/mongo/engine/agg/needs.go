package agg

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Needs is the projection of what the pipeline reads of its input documents, as the
// server gives it to the planner: {a: 1, "b.c": 1, _id: 0}. It is empty for a pipeline
// that only counts them; ok is false when whole documents matter. It may name more than
// is read.
func (p *Pipeline) Needs() (projection bsonval.Doc, ok bool) {
	var n needs
	for _, s := range p.Stages {
		last := n.stage(s)
		if n.whole {
			break
		}
		if last {
			return n.projection(), true
		}
	}
	return nil, false
}

// ReadsDocument tells whether an expression reads fields, or all, of the document that it
// is evaluated for.
func ReadsDocument(e bsonval.Value) bool {
	var n needs
	n.expr(e)
	return n.whole || len(n.paths) > 0
}

// needs gathers the paths that stages read.
type needs struct {
	paths []string
	whole bool
}

// stage adds what a stage reads and tells whether nothing else of its input reaches the
// stages after it.
func (n *needs) stage(s Named) (last bool) {
	switch s.Name {
	case "$match":
		n.filter(s.Arg.Doc())
	case "$sort":
		for path := range s.Arg.Doc().All() {
			n.add(path)
		}
	case "$limit", "$skip", "$sample":
	case "$count":
		return true
	case "$group", "$sortByCount", "$bucket", "$bucketAuto":
		n.expr(s.Arg)
		return true
	case "$replaceRoot", "$replaceWith":
		n.expr(s.Arg)
		return true
	case "$project":
		return n.project(s.Arg.Doc())
	case "$addFields", "$set":
		n.expr(s.Arg)
	case "$unwind":
		if s.Arg.Type() == bsonval.Object {
			n.expr(s.Arg.Doc().Get("path"))
		} else {
			n.expr(s.Arg)
		}
	case "$lookup":
		if v := s.Arg.Doc().Get("localField"); v.Type() == bsonval.String {
			n.add(v.Str())
		}
		n.expr(s.Arg.Doc().Get("let"))
	default:
		n.whole = true
	}
	return false
}

func (n *needs) add(path string) { n.paths = append(n.paths, path) }

// project adds the fields of an inclusion; an exclusion needs all others.
func (n *needs) project(spec bsonval.Doc) bool {
	id := true
	for name, v := range spec.All() {
		plain := isFlag(v)
		switch {
		case plain && name == "_id" && !v.Truth():
			id = false
		case plain && !v.Truth(), v.Type() == bsonval.Object && !strings.HasPrefix(v.Doc().First().Name, "$"):
			n.whole = true
		case plain:
			n.add(name)
		default:
			n.expr(v)
		}
	}
	if id {
		n.add("_id")
	}
	return spec.Len() > 1 || id
}

// filter adds the fields that a filter asks for.
func (n *needs) filter(f bsonval.Doc) {
	for name, v := range f.All() {
		switch {
		case !strings.HasPrefix(name, "$"):
			n.add(name)
		case name == "$and" || name == "$or" || name == "$nor":
			for k := range v.Doc().Values() {
				n.filter(k.Doc())
			}
		case name == "$expr":
			n.expr(v)
		case name != "$comment":
			n.whole = true
		}
	}
}

// expr adds the fields that an expression names. Variables other than the document's
// own are made of fields named elsewhere.
func (n *needs) expr(v bsonval.Value) {
	switch v.Type() {
	case bsonval.String:
		n.name(v.Str())
	case bsonval.Array:
		for k := range v.Doc().Values() {
			n.expr(k)
		}
	case bsonval.Object:
		for name, k := range v.Doc().All() {
			switch name {
			case "$literal", "$const", "$meta":
			case "$getField", "$setField", "$unsetField":
				n.field(k)
			case "$function", "$accumulator":
				n.whole = true
			default:
				n.expr(k)
			}
		}
	}
}

// field adds what $getField and its like read: of their input, or of the document.
func (n *needs) field(arg bsonval.Value) {
	if arg.Type() != bsonval.Object || arg.Doc().Get("input").IsMissing() {
		n.whole = true
		return
	}
	for _, k := range arg.Doc().All() {
		n.expr(k)
	}
}

func (n *needs) name(s string) {
	variable, ok := strings.CutPrefix(s, "$$")
	if !ok {
		if path, ok := strings.CutPrefix(s, "$"); ok {
			n.add(path)
		}
		return
	}
	name, path, more := strings.Cut(variable, ".")
	switch {
	case name != "ROOT" && name != "CURRENT":
	case more:
		n.add(path)
	default:
		n.whole = true
	}
}

// projection is what was gathered, each path once and none below another, _id last.
func (n *needs) projection() bsonval.Doc {
	var b bsonval.Builder
	slices.Sort(n.paths)
	id, last := false, ""
	for _, path := range n.paths {
		switch {
		case path == "_id" || strings.HasPrefix(path, "_id."):
			id = true
		case last != "" && (path == last || strings.HasPrefix(path, last+".")):
		default:
			b.Int32(path, 1)
			last = path
		}
	}
	switch {
	case id:
		b.Int32("_id", 1)
	case last != "":
		b.Int32("_id", 0)
	}
	return b.Doc()
}
