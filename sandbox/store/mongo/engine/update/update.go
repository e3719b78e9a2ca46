// Package update compiles and applies what an update command says: update operators
// with their modifiers, positional and filtered paths, or a whole replacement.
// Pipelines are package crud's, which runs them through package agg.
package update

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// Env is what an update is compiled in.
type Env struct {
	Op           *opctx.Op
	ArrayFilters bsonval.Doc // an array of filters; nil: none
	Match        match.Env   // for $pull and the array filters
}

// Update is a compiled update. Documents may be put through it one after the other.
type Update struct {
	replacement bsonval.Doc // whole; nil: operators
	edits       []edit
	filters     map[string]*match.Matcher
	env         Env
	source      bsonval.Doc
}

// edit is one operator on one path.
type edit struct {
	op   string
	path []string
	text string // path, dotted
	arg  bsonval.Value
	do   action
}

// action changes what stands at a path's end. n is nil where nothing is yet; the
// answer is what shall stand there, nil for nothing.
type action interface {
	apply(a *application, at spot, n *node) (*node, error)
	// creates tells whether the path is made where it is missing.
	creates() bool
	// ignores tells whether nothing happens where the path can't be made, because what
	// stands in its way is no document; the others fail.
	ignores() bool
}

// making is embedded by the actions that make their path.
type making struct{}

func (making) creates() bool { return true }
func (making) ignores() bool { return false }

// culling is embedded by the actions that change only what is there.
type culling struct{}

func (culling) creates() bool { return false }
func (culling) ignores() bool { return false }

// removing is embedded by the actions that take a field away.
type removing struct{}

func (removing) creates() bool { return false }
func (removing) ignores() bool { return true }

// Edits are the paths that the update may change, for change streams.
func (u *Update) Edits() []diff.Edit {
	out := make([]diff.Edit, len(u.edits))
	for i, e := range u.edits {
		p, _ := e.do.(*push)
		out[i] = diff.Edit{Path: e.path, Append: p != nil && !p.placed && !p.sliced && p.sort == nil}
	}
	return out
}

// IsReplacement tells an update that is a whole document.
func (u *Update) IsReplacement() bool { return u.replacement != nil }

// Idle tells whether the update that made next of doc has changed nothing. A replacement
// counts as a change unless it is the whole document as it was, with its _id.
func (u *Update) Idle(doc, next bsonval.Doc) bool {
	if u.IsReplacement() {
		return u.replacement.Same(doc)
	}
	return next.Same(doc)
}

// Compile checks and compiles an update document. The errors are the server's.
func Compile(doc bsonval.Doc, env Env) (*Update, error) {
	env.Match.Plain = true
	u := &Update{env: env, source: doc}
	if first := doc.First().Name; !strings.HasPrefix(first, "$") {
		for name := range doc.All() {
			if strings.HasPrefix(name, "$") {
				return nil, mongoerr.New(mongoerr.DollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", name, name)
			}
		}
		if len(env.ArrayFilters) > 5 {
			return nil, mongoerr.New(mongoerr.FailedToParse, "Cannot use array filters with replacement-style updates")
		}
		u.replacement = doc
		return u, nil
	}
	if err := u.compileFilters(env.ArrayFilters); err != nil {
		return nil, err
	}
	for name, v := range doc.All() {
		if err := u.compileOperator(name, v); err != nil {
			return nil, err
		}
	}
	if err := u.checkConflicts(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(u.edits, func(a, b edit) int { return comparePaths(a.path, b.path) })
	return u, u.checkFiltersUsed()
}

func (u *Update) compileOperator(name string, v bsonval.Value) error {
	build := operator(name)
	if build == nil {
		if !strings.HasPrefix(name, "$") {
			return mongoerr.New(mongoerr.FailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
		}
		return mongoerr.New(mongoerr.FailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	}
	if v.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.FailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}", v.Type(), name, v)
	}
	for path, arg := range v.Doc().All() {
		if name == "$rename" {
			if err := u.compileRename(path, arg); err != nil {
				return err
			}
			continue
		}
		do, err := build(u, name, path, arg)
		if err != nil {
			return err
		}
		if err := u.add(name, path, arg, do); err != nil {
			return err
		}
	}
	return nil
}

func (u *Update) add(op, path string, arg bsonval.Value, do action) error {
	parts, err := splitPath(path)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if id, ok := filterID(p); ok && id != "" && u.filters[id] == nil {
			return mongoerr.New(mongoerr.BadValue, "No array filter found for identifier '%s' in path '%s'", id, path)
		}
	}
	u.edits = append(u.edits, edit{op, parts, path, arg, do})
	return nil
}

func splitPath(path string) ([]string, error) {
	if path == "" {
		return nil, mongoerr.New(mongoerr.EmptyFieldName, "An empty update path is not valid.")
	}
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if p == "" {
			return nil, mongoerr.New(mongoerr.EmptyFieldName, "The update path '%s' contains an empty field name, which is not allowed.", path)
		}
		if p == "$" && i == 0 || isFilter(p) && i == 0 {
			return nil, mongoerr.New(mongoerr.BadValue, "Cannot have positional (i.e. '$') element in the first position in path '%s'", path)
		}
		if p == "$" && slices.Contains(parts[i+1:], "$") {
			return nil, mongoerr.New(mongoerr.BadValue, "Too many positional (i.e. '$') elements found in path '%s'", path)
		}
	}
	return parts, nil
}

func isFilter(p string) bool { return strings.HasPrefix(p, "$[") && strings.HasSuffix(p, "]") }

// filterID is the identifier in $[id], empty for $[].
func filterID(p string) (string, bool) {
	if !isFilter(p) {
		return "", false
	}
	return p[2 : len(p)-1], true
}

// comparePaths orders as the server applies updates: by field name, numbers as such.
func comparePaths(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if c := diff.CompareNames(a[i], b[i]); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// checkConflicts finds two operators on one path, or on a path and a part of it, and
// an array's places named by filters and otherwise at once.
func (u *Update) checkConflicts() error {
	seen := map[string]bool{}
	filtered := map[string]bool{} // whether what is below a path is named by array filters
	for _, e := range u.edits {
		above := ""
		for i, part := range e.path {
			if was, ok := filtered[above]; ok && was != isFilter(part) {
				return mongoerr.New(mongoerr.ConflictingUpdateOperators, "Updating the path '%s' would create a conflict at '%s'", e.text, above)
			}
			filtered[above] = isFilter(part)
			prefix := join(above, part)
			whole := i == len(e.path)-1
			if was, ok := seen[prefix]; ok && (was || whole) {
				return mongoerr.New(mongoerr.ConflictingUpdateOperators, "Updating the path '%s' would create a conflict at '%s'", e.text, prefix)
			}
			if !seen[prefix] {
				seen[prefix] = whole
			}
			above = prefix
		}
	}
	return nil
}

func (u *Update) compileFilters(filters bsonval.Doc) error {
	u.filters = map[string]*match.Matcher{}
	for v := range filters.Values() {
		if v.Type() != bsonval.Object {
			return mongoerr.New(mongoerr.TypeMismatch, "Array filters must be objects")
		}
		m, err := match.Compile(v.Doc(), u.env.Match)
		if err != nil {
			return mongoerr.New(mongoerr.From(err).Code, "Error parsing array filter :: caused by :: %s", err)
		}
		id := ""
		for _, path := range m.Fields() {
			top, _, _ := strings.Cut(path, ".")
			if id != "" && top != id {
				return mongoerr.New(mongoerr.FailedToParse, "Error parsing array filter :: caused by :: Expected a single top-level field name, found '%s' and '%s'", id, top)
			}
			id = top
		}
		switch {
		case id == "":
			return mongoerr.New(mongoerr.FailedToParse, "Cannot use an expression without a top-level field name in arrayFilters")
		case id[0] < 'a' || id[0] > 'z':
			return mongoerr.New(mongoerr.BadValue, "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '%s'", id)
		case u.filters[id] != nil:
			return mongoerr.New(mongoerr.FailedToParse, "Found multiple array filters with the same top-level field name %s", id)
		}
		u.filters[id] = m
	}
	return nil
}

func (u *Update) checkFiltersUsed() error {
	for id := range u.filters {
		used := slices.ContainsFunc(u.edits, func(e edit) bool { return slices.Contains(e.path, "$["+id+"]") })
		if !used {
			return mongoerr.New(mongoerr.FailedToParse, "The array filter for identifier '%s' was not used in the update %s", id, u.source)
		}
	}
	return nil
}

// Positional tells whether the update has a positional $.
func (u *Update) Positional() bool {
	for _, e := range u.edits {
		if slices.Contains(e.path, "$") {
			return true
		}
	}
	return false
}
