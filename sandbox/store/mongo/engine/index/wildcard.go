package index

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// wild is which paths a wildcard index takes in.
type wild struct {
	at      int      // the place of the wildcard among the index's fields
	root    string   // "a" of "a.$**"; "" for all fields
	include []string // of wildcardProjection; nil: all but exclude
	exclude []string
}

// parseWildcard checks a wildcard index's specification.
func (d *Def) parseWildcard(spec bsonval.Doc) error {
	at := d.wildAt()
	for i, f := range d.Fields {
		switch {
		case f.Kind == Wildcard && i != at:
			return mongoerr.New(7246201, "Index Key can contain only one wildcard index field")
		case f.Kind != Wildcard && f.Kind != Ordered, d.Pattern.Get(f.Path).Type() == bsonval.String:
			return mongoerr.New(mongoerr.CannotCreateIndex, "wildcard indexes do not allow any other index type: %s", d.Pattern)
		}
	}
	if d.Unique || d.Sparse || d.Expire >= 0 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type 'wildcard' does not support the unique, sparse and expireAfterSeconds options")
	}
	w := &wild{at: at, root: strings.TrimSuffix(strings.TrimSuffix(d.Fields[at].Path, "$**"), ".")}
	d.Extra = w
	p := spec.Get("wildcardProjection")
	switch {
	case p.IsMissing():
		if w.root == "" {
			w.exclude = []string{"_id"}
		}
		return d.checkApart(w)
	case p.Type() != bsonval.Object:
		return mongoerr.New(mongoerr.TypeMismatch, "The field 'wildcardProjection' must be a non-empty object, but got %s", p.Type())
	case p.Doc().IsEmpty():
		return mongoerr.New(mongoerr.FailedToParse, "The 'wildcardProjection' field can't be an empty object")
	case w.root != "":
		return mongoerr.New(mongoerr.FailedToParse, "The field 'wildcardProjection' is only allowed when 'key' is {\"$**\": ±1}")
	}
	in, out, id, err := d.readProjection(p.Doc())
	if err != nil {
		return err
	}
	w.include, w.exclude = in, out
	switch {
	case id.Truth() && (in != nil || out == nil):
		w.include = append(w.include, "_id")
	case !id.Truth() && in == nil:
		w.exclude = append(w.exclude, "_id")
	}
	if !id.IsMissing() && !id.Truth() {
		out = append(out, "_id")
	}
	return d.checkProjected(w, out)
}

// SameFields tells wildcard indexes that take in the same fields, whatever their
// projections look like; other indexes always do.
func SameFields(a, b *Def) bool {
	x, ok := a.Extra.(*wild)
	y, also := b.Extra.(*wild)
	if !ok || !also {
		return ok == also
	}
	return x.at == y.at && x.root == y.root && sameSet(x.include, y.include) && sameSet(x.exclude, y.exclude)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// wildAt is the place of the first wildcard field in the key pattern.
func (d *Def) wildAt() int {
	return slices.IndexFunc(d.Fields, func(f Field) bool { return f.Kind == Wildcard })
}

// checkApart refuses an index without a projection whose wildcard takes in its own
// other fields.
func (d *Def) checkApart(w *wild) error {
	for i, f := range d.Fields {
		if i != w.at && (w.root == "" || under(f.Path, w.root)) {
			return mongoerr.New(7246204, "A wildcard index field should not overlap with and index key fields if wildcard projection is empty, however '%s' is overlapping with the wildcard index field.", f.Path)
		}
	}
	return nil
}

// checkProjected does so for one with a projection, which leaves out the fields left.
func (d *Def) checkProjected(w *wild, left []string) error {
	var fields []string
	for i, f := range d.Fields {
		if i == w.at {
			continue
		}
		fields = append(fields, f.Path)
		for _, x := range w.include {
			if under(f.Path, x) || under(x, f.Path) {
				return mongoerr.New(7246208, "Index Key and Wildcard Projection cannot contain overlapping fields, however '%s' index field is ovverlapping with '%s' wildcardProjection path.", f.Path, x)
			}
		}
	}
	if w.include != nil {
		return nil
	}
	slices.Sort(fields)
	slices.Sort(left)
	for _, f := range fields {
		for len(left) > 0 && !under(f, left[0]) && left[0] < f {
			left = left[1:]
		}
		switch {
		case len(left) == 0:
			return mongoerr.New(7246210, "wildcardProjection paths must exclude all regular index fields, however '%s' is not excluded.", f)
		case !under(f, left[0]):
			return mongoerr.New(7246209, "wildcardProjection paths must exclude all regular index fields, however '%s' is not excluded.", f)
		}
	}
	return nil
}

// readProjection reads wildcardProjection: the fields to take in or to leave out, and
// what it says of _id, which is left out unless it is named.
func (d *Def) readProjection(p bsonval.Doc) (in, out []string, id bsonval.Value, err error) {
	paths, values, err := flatten("", p, nil, nil)
	if err != nil {
		return nil, nil, id, err
	}
	var last string
	for i, path := range paths {
		switch {
		case path == "_id":
			id = values[i]
			continue
		case values[i].Truth():
			in = append(in, path)
		default:
			out = append(out, path)
		}
		last = path
	}
	single := len(d.Fields) == 1
	switch {
	case in != nil && out != nil && single && values[0].Truth():
		return nil, nil, id, mongoerr.New(31254, "Cannot do exclusion on field %s in inclusion projection", last)
	case in != nil && out != nil && single:
		return nil, nil, id, mongoerr.New(31253, "Cannot do inclusion on field %s in exclusion projection", last)
	case in != nil && out != nil:
		return nil, nil, id, mongoerr.New(7246211, "Inclusion and exclusion statements cannot combine in the wildcardProjection with an exception of explicitly including _id field")
	}
	return in, out, id, checkOverlap(paths)
}

// flatten lists a projection's paths, of which documents within it are parts.
func flatten(prefix string, p bsonval.Doc, paths []string, values []bsonval.Value) ([]string, []bsonval.Value, error) {
	for name, v := range p.All() {
		switch {
		case v.Type() == bsonval.Object && !v.Doc().IsEmpty() && !strings.HasPrefix(v.Doc().First().Name, "$"):
			var err error
			if paths, values, err = flatten(prefix+name+".", v.Doc(), paths, values); err != nil {
				return nil, nil, err
			}
		case v.Type() != bsonval.Bool && !v.IsNumber():
			return nil, nil, mongoerr.New(51271, "Failed to parse projection: wildcardProjection :: caused by :: Bad projection specification, cannot use computed fields when parsing a spec in kBanComputedFields mode")
		default:
			paths, values = append(paths, prefix+name), append(values, v)
		}
	}
	return paths, values, nil
}

func checkOverlap(paths []string) error {
	paths = slices.Sorted(slices.Values(paths))
	for i := 1; i < len(paths); i++ {
		if under(paths[i], paths[i-1]) {
			return mongoerr.New(7246200, "Fields in Wildcard Projection cannot overlap, however '%s' is overlapped with '%s'", paths[i-1], paths[i])
		}
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
// each empty one, between the keys of the index's other fields. A document that only
// has some of these has one key, in which path and value are MinKey.
func (d *Def) wildcard(doc bsonval.Doc) (Keys, error) { return d.wildcardKeys(doc, nil) }

// wildcardValues is what made a key: { $_path: "a", a: 1 } between the other fields.
func (d *Def) wildcardValues(doc bsonval.Doc, want string) bsonval.Doc {
	out := bsonval.EmptyDoc()
	_, err := d.wildcardKeys(doc, func(key string, path, v bsonval.Value) {
		if key != want {
			return
		}
		var b bsonval.Builder
		for _, f := range d.Fields {
			switch {
			case f.Kind != Wildcard:
				b.Set(f.Path, doc.Path(f.Path))
			case path.Type() == bsonval.String:
				b.Set("$_path", path).Set(path.Str(), v)
			}
		}
		out = b.Doc()
	})
	if err != nil {
		return bsonval.EmptyDoc()
	}
	return out
}

func (d *Def) wildcardKeys(doc bsonval.Doc, found func(key string, path, v bsonval.Value)) (Keys, error) {
	g := gatherer{def: d, wild: d.Extra.(*wild), found: found}
	some := false
	for i, f := range d.Fields {
		if i == g.wild.at {
			continue
		}
		key, found, err := d.plainKey(i, f, doc)
		if err != nil {
			return Keys{}, err
		}
		some = some || found
		if i < g.wild.at {
			g.before = append(g.before, key...)
		} else {
			g.after = append(g.after, key...)
		}
	}
	g.object("", doc)
	if len(g.out.Keys) == 0 && some {
		g.add(bsonval.MinKeyValue(), bsonval.MinKeyValue())
	}
	slices.Sort(g.out.Keys)
	g.out.Keys = slices.Compact(g.out.Keys)
	return g.out, nil
}

// plainKey is the key of a field beside the wildcard, which must hold no array.
func (d *Def) plainKey(i int, f Field, doc bsonval.Doc) (key []byte, found bool, err error) {
	p := place{value: bsonval.DocValue(doc), rest: f.Path}
	p.advance()
	switch p.value.Type() {
	case bsonval.Array:
		return nil, false, mongoerr.New(7246301, "a compound wildcard index can hold arrays in its wildcard field alone, however '%s' is one", f.Path)
	case bsonval.Missing:
		return d.AppendField(nil, i, bsonval.NullValue()), false, nil
	}
	return d.AppendField(nil, i, p.value), true, nil
}

type gatherer struct {
	def           *Def
	wild          *wild
	before, after []byte // the keys of the fields beside the wildcard
	out           Keys
	found         func(key string, path, v bsonval.Value) // nil: nobody asks what makes a key
}

func (g *gatherer) object(prefix string, d bsonval.Doc) {
	for name, v := range d.All() {
		if strings.IndexByte(name, '.') < 0 { // no query can name it otherwise
			g.value(prefix+name, v, false)
		}
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
		g.out.Multikey |= 1 << g.wild.at
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
		g.add(bsonval.StringValue(path), v)
	}
}

// add makes a key. Paths are in binary order whatever the index's collation is.
func (g *gatherer) add(path, v bsonval.Value) {
	key := append([]byte(nil), g.before...)
	key = append(g.def.AppendField(bsonval.AppendKey(key, path, nil), g.wild.at, v), g.after...)
	g.out.Keys = append(g.out.Keys, string(key))
	if g.found != nil {
		g.found(string(key), path, v)
	}
}
