package match

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Why tells why a document does not match, as the error of a validator does: with the
// conditions as they were written.
func (m *Matcher) Why(op *opctx.Op, doc bsonval.Doc) bsonval.Doc {
	w := &blame{b: bsonval.NewBuilder(256), env: m.env, run: run{op: op, coll: op.Collator, row: stream.Row{Doc: doc}, index: -1}, doc: doc}
	w.all(m.Source, false)
	return w.b.Doc()
}

// blame writes what a document did wrong.
type blame struct {
	b   *bsonval.Builder
	env Env
	run run
	doc bsonval.Doc
}

// conditions are the single conditions of a filter document, each as it was written.
func conditions(filter bsonval.Doc) []bsonval.Doc {
	var out []bsonval.Doc
	for name, v := range filter.All() {
		switch {
		case name == "$comment":
		case strings.HasPrefix(name, "$") || !isOperators(v):
			out = append(out, bsonval.D(bsonval.E(name, v)))
		default:
			out = append(out, operatorsOf(name, v.Doc())...)
		}
	}
	return out
}

func operatorsOf(path string, d bsonval.Doc) []bsonval.Doc {
	var out []bsonval.Doc
	for op, arg := range d.All() {
		if op == "$options" {
			continue
		}
		one := bsonval.D(bsonval.E(op, arg))
		if options := d.Get("$options"); op == "$regex" && !options.IsMissing() {
			one = bsonval.D(bsonval.E(op, arg), bsonval.E("$options", options))
		}
		out = append(out, bsonval.D(bsonval.E(path, bsonval.DocValue(one))))
	}
	return out
}

func (w *blame) matches(filter bsonval.Doc) bool {
	n, err := (&compiler{env: w.env}).document(filter)
	if err != nil {
		return false
	}
	ok, err := n.matches(&w.run, w.doc)
	return ok && err == nil
}

// all tells what of a filter document is to blame: what is not satisfied, or what is
// where a negation stands before it.
func (w *blame) all(filter bsonval.Doc, turned bool) {
	list := conditions(filter)
	if len(list) == 1 {
		w.one(list[0], turned)
		return
	}
	w.clauses("$and", list, turned)
}

func (w *blame) one(as bsonval.Doc, turned bool) {
	switch e := as.First(); {
	case e.Name == "$and" || e.Name == "$or" || e.Name == "$nor":
		var list []bsonval.Doc
		for v := range e.Value.Doc().Values() {
			list = append(list, v.Doc())
		}
		w.clauses(e.Name, list, turned != (e.Name == "$nor"))
	case e.Name == "$jsonSchema" && turned:
		w.b.Str("operatorName", e.Name).Str("reason", "schema matched")
	case e.Name == "$jsonSchema":
		if root, err := compileSchema(e.Value.Doc()); err == nil {
			w.b.Fields((&Schema{Source: e.Value.Doc(), root: root}).Why(w.doc))
		}
	case e.Name == "$expr":
		w.b.Str("operatorName", e.Name).SetDoc("specifiedAs", as).Str("reason", turnedReason("expression did not match", "expression did match", turned))
		w.b.Bool("expressionResult", turned)
	case strings.HasPrefix(e.Name, "$"):
		w.b.Str("operatorName", e.Name).SetDoc("specifiedAs", as).Str("reason", turnedReason("expression always evaluates to false", "expression always evaluates to true", turned))
	default:
		w.field(as, turned)
	}
}

// clauses lists those of a logical operator that are to blame, each with its place.
func (w *blame) clauses(name string, filters []bsonval.Doc, turned bool) {
	list := "clausesNotSatisfied"
	if turned {
		list = "clausesSatisfied"
	}
	w.b.Str("operatorName", name).OpenArray(list)
	for i, f := range filters {
		if w.matches(f) != turned {
			continue
		}
		w.b.OpenItem().Int32("index", int32(i)).OpenDoc("details")
		w.all(f, turned)
		w.b.Close().Close()
	}
	w.b.Close()
}

// field tells of one condition on one path.
func (w *blame) field(as bsonval.Doc, turned bool) {
	path, v := as.First().Name, as.First().Value
	op := "$eq"
	if v.Type() == bsonval.Regex {
		op = "$regex"
	}
	if isOperators(v) {
		op = v.Doc().First().Name
		arg := v.Doc().First().Value
		if op == "$not" {
			w.b.Str("operatorName", op).OpenDoc("details")
			w.all(bsonval.D(bsonval.E(path, arg)), !turned)
			w.b.Close()
			return
		}
		if op == "$ne" || op == "$nin" || op == "$exists" && !arg.Truth() {
			turned = !turned
		}
	}
	w.b.Str("operatorName", op).SetDoc("specifiedAs", as)
	if op == "$exists" {
		w.b.Str("reason", turnedReason("path does not exist", "path does exist", turned))
		return
	}
	w.considered(op, strings.Split(path, "."), turned)
}

// considered tells which values at the path were asked, and what is wrong with them.
func (w *blame) considered(op string, path []string, turned bool) {
	whole := op == "$size" || op == "$elemMatch" || op == "$all"
	values, found := leaves(bsonval.DocValue(w.doc), path, whole)
	plain, other := reasons(op)
	types, names := expectedTypes(op)
	mismatch := found && types != nil && !slices.ContainsFunc(values, func(v bsonval.Value) bool { return slices.Contains(types, v.Type()) })
	switch {
	case !found:
		w.b.Str("reason", "field was missing")
		return
	case mismatch:
		w.b.Str("reason", "type did not match")
		w.types(values)
		w.names("expectedType", names)
	default:
		w.b.Str("reason", turnedReason(plain, other, turned))
	}
	if len(values) == 1 {
		w.b.Set("consideredValue", values[0])
	} else {
		w.b.Set("consideredValues", bsonval.ArrayOf(values...))
	}
	if op == "$type" {
		w.types(values)
	}
}

func (w *blame) types(values []bsonval.Value) {
	var names []string
	for _, v := range values {
		names = append(names, v.Type().String())
	}
	slices.Sort(names)
	w.names("consideredType", slices.Compact(names))
}

// names writes one name, or several under the field's plural.
func (w *blame) names(field string, names []string) {
	switch len(names) {
	case 0:
	case 1:
		w.b.Str(field, names[0])
	default:
		w.b.OpenArray(field + "s")
		for _, n := range names {
			w.b.ItemStr(n)
		}
		w.b.Close()
	}
}

// leaves are the values at a path, through arrays, and whether there is anything. whole
// leaves an array at its end as it is.
func leaves(v bsonval.Value, path []string, whole bool) (out []bsonval.Value, found bool) {
	if len(path) == 0 {
		switch {
		case v.IsMissing():
			return nil, false
		case v.Type() == bsonval.Array && !whole:
			return v.Doc().Slice(), true
		}
		return []bsonval.Value{v}, true
	}
	switch v.Type() {
	case bsonval.Object:
		return leaves(v.Doc().Get(path[0]), path[1:], whole)
	case bsonval.Array:
		if i, ok := bsonval.ArrayIndex(path[0]); ok {
			out, found = leaves(v.Doc().At(i), path[1:], whole)
		}
		for e := range v.Doc().Values() {
			if e.Type() == bsonval.Object {
				more, there := leaves(e, path, whole)
				out, found = append(out, more...), found || there
			}
		}
	}
	return out, found
}

func turnedReason(plain, other string, turned bool) string {
	if turned {
		return other
	}
	return plain
}
