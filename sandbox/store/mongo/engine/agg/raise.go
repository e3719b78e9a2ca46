package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// raiseMatches moves each $match, or the part of it that can go, before the stages that
// don't change what it asks of, so that an index may serve it and fewer documents reach
// them. The server's optimizer does the same, and shows it in explain.
func (p *Pipeline) raiseMatches() error {
	for i := 1; i < len(p.Stages); i++ {
		at := i
		for at > 0 && p.Stages[at].Name == "$match" {
			moved, stays := changeBy(p.Stages[at-1]).split(p.Stages[at].Arg.Doc())
			if moved == nil {
				break
			}
			up, err := p.match(moved)
			if err != nil {
				return err
			}
			below := []Named{up, p.Stages[at-1]}
			if stays != nil {
				down, err := p.match(stays)
				if err != nil {
					return err
				}
				below = append(below, down)
			}
			p.Stages = append(p.Stages[:at-1:at-1], append(below, p.Stages[at+1:]...)...)
			if stays != nil {
				i++
			}
			at--
		}
	}
	return nil
}

// raiseLimits moves each $skip and $limit before the stages that make one document of
// each, so that fewer reach them, and a $sort before them needs to keep fewer.
func (p *Pipeline) raiseLimits() {
	for i := 1; i < len(p.Stages); i++ {
		if name := p.Stages[i].Name; name != "$skip" && name != "$limit" {
			continue
		}
		for at := i; at > 0 && transforms(p.Stages[at-1].Name); at-- {
			p.Stages[at-1], p.Stages[at] = p.Stages[at], p.Stages[at-1]
		}
	}
}

func transforms(stage string) bool {
	switch stage {
	case "$project", "$addFields", "$set", "$unset", "$replaceRoot", "$replaceWith":
		return true
	}
	return false
}

func (p *Pipeline) match(filter bsonval.Doc) (Named, error) {
	arg := bsonval.DocValue(filter)
	s, err := compileMatch(p.env, "$match", arg)
	return Named{Name: "$match", Arg: arg, Stage: s}, err
}

// change says which of a document's fields a stage leaves as they are.
type change struct {
	all    bool              // none
	only   map[string]bool   // just these; nil: all but those in fields
	fields map[string]bool   // these are changed
	copies map[string]string // these are another field under a new name
}

// changeBy answers what a stage does to documents. One that isn't known changes all.
func changeBy(s Named) change {
	c := change{fields: map[string]bool{}, copies: map[string]string{}}
	switch s.Name {
	case "$sort":
	case "$addFields", "$set":
		for path, v := range s.Arg.Doc().All() {
			c.set(path, v)
		}
	case "$unset":
		paths := []bsonval.Value{s.Arg}
		if s.Arg.Type() == bsonval.Array {
			paths = s.Arg.Doc().Slice()
		}
		for _, path := range paths {
			c.fields[first(path.Str())] = true
		}
	case "$project":
		c.project(s.Arg.Doc())
	case "$unwind":
		u := s.Stage.(*unwinder)
		c.fields[u.path[0]] = true
		if u.index != nil {
			c.fields[u.index[0]] = true
		}
	case "$lookup", "$graphLookup":
		c.fields[first(s.Arg.Doc().Get("as").Str())] = true
	default:
		c.all = true
	}
	return c
}

func first(path string) string {
	name, _, _ := strings.Cut(path, ".")
	return name
}

func (c *change) set(path string, v bsonval.Value) {
	c.fields[first(path)] = true
	if v.Type() != bsonval.String || strings.Contains(path, ".") {
		return
	}
	text := v.Str()
	for _, document := range []string{"$$CURRENT.", "$$ROOT."} {
		if rest, ok := strings.CutPrefix(text, document); ok {
			text = "$" + rest
		}
	}
	if from, ok := plainField(bsonval.StringValue(text)); ok && !strings.Contains(from, ".") {
		c.copies[path] = from
	}
}

// project is what a $project changes: those that it takes away, or all but those that
// it keeps.
func (c *change) project(spec bsonval.Doc) {
	kept := map[string]bool{}
	taken := false
	for path, v := range spec.All() {
		plain := isFlag(v)
		switch {
		case v.Type() == bsonval.Object && !strings.HasPrefix(v.Doc().First().Name, "$"):
			c.all = true // what it means stands deeper
		case plain && v.Truth() && !strings.Contains(path, "."):
			kept[path] = true
		case plain && !v.Truth():
			taken = taken || path != "_id"
			c.fields[first(path)] = true
		case !plain:
			c.set(path, v)
		}
	}
	if taken || len(kept)+len(c.copies) == 0 && onlyID(spec) {
		return
	}
	if !c.fields["_id"] {
		kept["_id"] = true
	}
	c.only = kept
}

// onlyID tells {_id: 0}, which takes away nothing else.
func onlyID(spec bsonval.Doc) bool {
	return spec.Len() == 1 && spec.First().Name == "_id" && !spec.First().Value.Truth()
}

func (c *change) leaves(field string) bool {
	if c.only != nil {
		return c.only[field]
	}
	return !c.fields[field]
}

// split cuts a filter into what may be asked before the stage and what may not; nil for
// none of it.
func (c change) split(filter bsonval.Doc) (moved, stays bsonval.Doc) {
	v := bsonval.DocValue(filter)
	if c.all || uses(v, "$text") || uses(v, "$meta") || uses(v, "$rand") {
		return nil, filter
	}
	var up, down bsonval.Builder
	some, others := filter.IsEmpty(), false
	for name, arg := range filter.All() {
		if to, ok := c.before(name, arg); ok {
			up.Set(to, arg)
			some = true
		} else {
			down.Set(name, arg)
			others = true
		}
	}
	if some {
		moved = up.Doc()
	}
	if others {
		stays = down.Doc()
	}
	return moved, stays
}

// before answers the name under which one part of a filter is asked before the stage.
func (c change) before(name string, arg bsonval.Value) (string, bool) {
	if !strings.HasPrefix(name, "$") {
		field := first(name)
		if from, ok := c.copies[field]; ok {
			return from + strings.TrimPrefix(name, field), true
		}
		return name, c.leaves(field)
	}
	var n needs
	n.filter(bsonval.D(bsonval.E(name, arg)))
	for _, path := range n.paths {
		if !c.leaves(first(path)) {
			return name, false
		}
	}
	return name, !n.whole
}
