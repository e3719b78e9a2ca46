package update

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// maxPadding is how many nulls a $set beyond an array's end may add.
const maxPadding = 1_500_000

// application is one update of one document.
type application struct {
	u          *Update
	root       *node
	doc        bsonval.Doc
	positional int // what $ stands for; -1: nothing
	insert     bool
	merged     map[string][][]string // below an element that filters chose: the paths that go on there
}

// spot says where an action works, for its messages.
type spot struct {
	path string // dotted, with places instead of $
	last string
	edit *edit
}

// Apply answers the document after the update. positional is the place in the array
// that the query matched at (-1: none), insert says that an upsert makes it. The
// result has the document's _id unchanged; a document without one stays without.
func (u *Update) Apply(doc bsonval.Doc, positional int, insert bool) (bsonval.Doc, error) {
	if u.replacement != nil {
		return replace(doc, u.replacement)
	}
	a := &application{u: u, root: leaf(bsonval.DocValue(doc)), doc: doc, positional: positional, insert: insert}
	for i := range u.edits {
		e := &u.edits[i]
		if e.op == "$setOnInsert" && !insert {
			continue
		}
		if r, ok := e.do.(rename); ok {
			if there, err := a.renames(r, e); err != nil {
				return nil, err
			} else if !there {
				continue
			}
		}
		if err := a.at(a.root, e, 0, ""); err != nil {
			return nil, err
		}
	}
	out := a.root.value().Doc()
	if err := checkID(doc, out, insert); err != nil {
		return nil, err
	}
	return out, nil
}

func checkID(before, after bsonval.Doc, insert bool) error {
	was, is := before.Get("_id"), after.Get("_id")
	if was.Same(is) || was.IsMissing() && insert {
		return nil
	}
	return mongoerr.New(mongoerr.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
}

func replace(doc, by bsonval.Doc) (bsonval.Doc, error) {
	was, is := doc.Get("_id"), by.Get("_id")
	if !is.IsMissing() && !was.IsMissing() && bsonval.Compare(was, is) != 0 {
		return nil, mongoerr.New(mongoerr.ImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", is)
	}
	id := was
	if id.IsMissing() {
		id = is
	}
	b := bsonval.NewBuilder(len(by) + 32)
	b.Set("_id", id)
	for name, v := range by.All() {
		if name != "_id" {
			b.Set(name, v)
		}
	}
	return b.Doc(), nil
}

// at goes on with edit e at its i-th part, below n. path is the way so far.
func (a *application) at(n *node, e *edit, i int, path string) error {
	part := e.path[i]
	if n.isArray() {
		if id, ok := filterID(part); ok {
			return a.each(n, e, i, path, id)
		}
		if part == "$" {
			if a.positional < 0 {
				return mongoerr.New(mongoerr.BadValue, "The positional operator did not find the match needed from the query.")
			}
			part = itoa(a.positional)
		}
	} else if part == "$" && a.positional < 0 {
		return mongoerr.New(mongoerr.BadValue, "The positional operator did not find the match needed from the query.")
	} else if isFilter(part) {
		return mongoerr.New(mongoerr.BadValue, "Cannot apply array updates to non-array element %s: %s", lastPart(path), n.value())
	}
	if i == 0 && e.do.creates() && strings.HasPrefix(part, "$") {
		return mongoerr.New(mongoerr.DollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", part, part)
	}
	at := join(path, part)
	where := n.child(part)
	if where < 0 {
		return a.create(n, e, i, part, at)
	}
	child := n.kids[where].node
	if i == len(e.path)-1 {
		next, err := e.do.apply(a, spot{at, part, e}, child)
		if err != nil {
			return err
		}
		a.put(n, where, next)
		return nil
	}
	if !child.isArray() && !child.isObject() {
		if e.do.ignores() {
			return nil
		}
		if !e.do.creates() {
			return e.untraversable(i+1, at, part, child)
		}
		if isFilter(e.path[i+1]) {
			return mongoerr.New(mongoerr.BadValue, "Cannot apply array updates to non-array element %s: %s", part, child.value())
		}
		return mongoerr.New(mongoerr.PathNotViable, "Cannot create field '%s' in element {%s: %s}", e.path[i+1], part, child.value())
	}
	return a.at(child, e, i+1, at)
}

// put stores what an action answered: nothing leaves a gap of null in an array.
func (a *application) put(n *node, where int, next *node) {
	switch {
	case next != nil:
		n.kids[where].node = next
	case n.isArray():
		n.kids[where].node = leaf(bsonval.NullValue())
	default:
		n.remove(where)
	}
}

// each applies the rest of e to the elements that the array filter id accepts, which
// sees them as they were before the update.
func (a *application) each(n *node, e *edit, i int, path, id string) error {
	n.expand()
	var before []bsonval.Value
	if id != "" {
		before = a.doc.Path(path).Doc().Slice()
	}
	for j := range n.kids {
		child := n.kids[j].node
		if id != "" {
			if j == len(before) { // made by another operator
				break
			}
			wrapped := bsonval.D(bsonval.E(id, before[j]))
			ok, err := a.u.filters[id].Match(a.u.env.Op, wrapped)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		at := join(path, itoa(j))
		if err := a.merge(at, e.path[i+1:]); err != nil {
			return err
		}
		if i == len(e.path)-1 {
			next, err := e.do.apply(a, spot{at, itoa(j), e}, child)
			if err != nil {
				return err
			}
			a.put(n, j, next)
			continue
		}
		if !child.isArray() && !child.isObject() {
			if e.do.ignores() {
				continue
			}
			if !e.do.creates() {
				return e.untraversable(i+1, at, itoa(j), child)
			}
			return mongoerr.New(mongoerr.PathNotViable, "Cannot create field '%s' in element {%d: %s}", e.path[i+1], j, child.value())
		}
		if err := a.at(child, e, i+1, at); err != nil {
			return err
		}
	}
	return nil
}

// merge notes that an edit goes on with path below an element that a filter chose. Two
// filters may choose the same one, and what they do there must not meet.
func (a *application) merge(at string, path []string) error {
	if len(a.u.filters) == 0 {
		return nil // $[] alone: no two paths
	}
	for _, other := range a.merged[at] {
		n := 0
		for n < min(len(path), len(other)) && path[n] == other[n] {
			n++
		}
		if n == len(path) || n == len(other) || isFilter(path[n]) != isFilter(other[n]) {
			return mongoerr.New(mongoerr.ConflictingUpdateOperators, "Update created a conflict at '%s'", join(at, strings.Join(path[:n], ".")))
		}
	}
	if a.merged == nil {
		a.merged = map[string][][]string{}
	}
	a.merged[at] = append(a.merged[at], path)
	return nil
}

// create makes the rest of the path below n, where part is missing.
func (a *application) create(n *node, e *edit, i int, part, at string) error {
	if !e.do.creates() {
		if _, isPlace := bsonval.ArrayIndex(part); n.isArray() && !isPlace && !e.do.ignores() {
			return e.untraversable(i, parent(at), lastPart(parent(at)), n)
		}
		_, err := e.do.apply(a, spot{at, part, e}, nil)
		return err
	}
	for _, p := range e.path[i+1:] {
		if isFilter(p) {
			return mongoerr.New(mongoerr.BadValue, "The path '%s' must exist in the document in order to apply array updates.", at)
		}
		if p == "$" && a.positional < 0 {
			return mongoerr.New(mongoerr.BadValue, "The positional operator did not find the match needed from the query.")
		}
	}
	place, isPlace := bsonval.ArrayIndex(part)
	if n.isArray() && !isPlace {
		return mongoerr.New(mongoerr.PathNotViable, "Cannot create field '%s' in element {%s: %s}", part, lastPart(parent(at)), n.value())
	}
	whole := join(at, strings.Join(e.path[i+1:], "."))
	made, err := e.do.apply(a, spot{whole, e.path[len(e.path)-1], e}, nil)
	if err != nil || made == nil {
		return err
	}
	for j := len(e.path) - 1; j > i; j-- {
		name := e.path[j]
		if name == "$" {
			name = itoa(a.positional)
		}
		outer := newObject()
		outer.open, outer.kids = true, []kid{{name, made}}
		made = outer
	}
	if n.isArray() {
		if place-len(n.kids) > maxPadding {
			return mongoerr.New(mongoerr.CannotMutateObject, "A value of '%d' is too large for padding array '%s'", place, parent(at))
		}
		for len(n.kids) < place {
			n.kids = append(n.kids, kid{node: leaf(bsonval.NullValue())})
		}
	}
	n.kids = append(n.kids, kid{part, made})
	return nil
}

// untraversable is the refusal of an operator that makes nothing, at a path whose i-th
// part could not be made either: n, the field called name, is no document.
func (e *edit) untraversable(i int, at, name string, n *node) error {
	return untraversable(e.path[i], join(at, strings.Join(e.path[i:], ".")), name, n.value())
}

func untraversable(part, path, name string, v bsonval.Value) error {
	return mongoerr.New(mongoerr.PathNotViable, "Cannot use the part (%s) of (%s) to traverse the element ({%s: %s})", part, path, name, v)
}

func join(path, part string) string {
	switch {
	case path == "":
		return part
	case part == "":
		return path
	}
	return path + "." + part
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)]
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
