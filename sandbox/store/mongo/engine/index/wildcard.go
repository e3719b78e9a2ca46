package index

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// wild is which paths a wildcard index takes in.
type wild struct {
	root    string   // "a" of "a.$**"; "" for all fields
	include []string // of wildcardProjection; nil: all but exclude
	exclude []string
}

// parseWildcard checks a wildcard index's specification.
func (d *Def) parseWildcard(spec bsonval.Doc) error {
	f := d.Fields[0]
	switch {
	case len(d.Fields) > 1:
		return mongoerr.New(mongoerr.NotImplemented, "compound wildcard indexes are not supported")
	case f.Path != "$**" && !strings.HasSuffix(f.Path, ".$**") || d.Pattern.First().Value.Type() == bsonval.String:
		return mongoerr.New(mongoerr.CannotCreateIndex, "wildcard indexes do not allow any other index type: %s", d.Pattern)
	case d.Unique, d.Sparse, d.Expire >= 0:
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type 'wildcard' does not support the unique, sparse and expireAfterSeconds options")
	}
	w := &wild{root: strings.TrimSuffix(strings.TrimSuffix(f.Path, "$**"), ".")}
	d.Extra = w
	p := spec.Get("wildcardProjection")
	switch {
	case p.IsMissing():
		if w.root == "" {
			w.exclude = []string{"_id"}
		}
		return nil
	case p.Type() != bsonval.Object:
		return mongoerr.New(mongoerr.TypeMismatch, "The field 'wildcardProjection' must be a non-empty object, but got %s", p.Type())
	case p.Doc().IsEmpty():
		return mongoerr.New(mongoerr.FailedToParse, "The 'wildcardProjection' field can't be an empty object")
	case w.root != "":
		return mongoerr.New(mongoerr.FailedToParse, "The field 'wildcardProjection' is only allowed when 'key' is {\"$**\": ±1}")
	}
	return w.project(p.Doc())
}

func (w *wild) project(p bsonval.Doc) error {
	id := false
	for name, v := range p.All() {
		switch {
		case v.Type() != bsonval.Bool && !v.IsNumber():
			return mongoerr.New(mongoerr.NotImplemented, "a wildcardProjection may only include or exclude fields")
		case name == "_id":
			id = v.Truth()
		case v.Truth():
			w.include = append(w.include, name)
		default:
			w.exclude = append(w.exclude, name)
		}
	}
	if w.include != nil && w.exclude != nil {
		return mongoerr.New(31253, "Cannot do inclusion on field %s in exclusion projection", w.include[0])
	}
	if id && w.include != nil {
		w.include = append(w.include, "_id")
	} else if !id && w.include == nil {
		w.exclude = append(w.exclude, "_id")
	}
	return nil
}

// Wild tells whether a wildcard index holds what stands at path, and all below it.
func (d *Def) Wild(path string) bool {
	w, ok := d.Extra.(*wild)
	return ok && w.holds(path) && !slices.ContainsFunc(w.exclude, func(x string) bool { return under(x, path) })
}

func (w *wild) holds(path string) bool {
	if w.root != "" && !under(path, w.root) {
		return false
	}
	for _, x := range w.exclude {
		if under(path, x) {
			return false
		}
	}
	return w.include == nil || slices.ContainsFunc(w.include, func(x string) bool { return under(path, x) })
}

// under tells whether path is top or stands below it.
func under(path, top string) bool {
	return strings.HasPrefix(path, top) && (len(path) == len(top) || path[len(top)] == '.')
}

// wildcard answers a key of path and value for each value that is no object, and for
// each empty one.
func (d *Def) wildcard(doc bsonval.Doc) (Keys, error) {
	g := gatherer{def: d, wild: d.Extra.(*wild)}
	g.object("", doc)
	slices.Sort(g.out.Keys)
	g.out.Keys = slices.Compact(g.out.Keys)
	return g.out, nil
}

type gatherer struct {
	def  *Def
	wild *wild
	out  Keys
}

func (g *gatherer) object(prefix string, d bsonval.Doc) {
	for name, v := range d.All() {
		g.value(prefix+name, v, false)
	}
}

// value goes into objects, and into arrays that don't stand in another.
func (g *gatherer) value(path string, v bsonval.Value, inArray bool) {
	switch {
	case v.Type() == bsonval.Object && !v.Doc().IsEmpty():
		g.object(path+".", v.Doc())
		return
	case v.Type() == bsonval.Array && !inArray:
		if !g.wild.holds(path) && !g.above(path) {
			return
		}
		g.out.Multikey |= 1
		g.out.Arrays = append(g.out.Arrays, path)
		if v.Doc().IsEmpty() {
			g.emit(path, bsonval.UndefinedValue())
		}
		for e := range v.Doc().Values() {
			g.value(path, e, true)
		}
		return
	}
	g.emit(path, v)
}

// above tells whether something below path is held.
func (g *gatherer) above(path string) bool {
	return under(g.wild.root, path) || slices.ContainsFunc(g.wild.include, func(x string) bool { return under(x, path) })
}

func (g *gatherer) emit(path string, v bsonval.Value) {
	if g.wild.holds(path) {
		g.out.Keys = append(g.out.Keys, string(g.def.AppendField(bsonval.AppendKey(nil, bsonval.StringValue(path), nil), 0, v)))
	}
}
