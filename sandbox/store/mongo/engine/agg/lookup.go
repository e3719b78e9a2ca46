package agg

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// binding is a variable of let: its slot and what it is set to for each document.
type binding struct {
	slot int
	e    expr.Expr
}

// lookup is $lookup in all its forms.
type lookup struct {
	from           string
	as             []string
	local          []string // nil: no localField
	foreign        string
	let            []binding
	p              *Pipeline     // nil: none
	correlated     bool          // p may see the document
	foreignNumeric bool          // foreign's path may mean places in arrays
	equal          *equality     // what the pipeline's first stage asks; nil: nothing of use
	index          *foreignIndex // what localField is looked up in; one for all runs, as the data stays
}

func compileLookup(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "the $lookup stage specification must be an object, but found %s", arg.Type())
	}
	args, err := lookupArgs(arg.Doc())
	if err != nil {
		return nil, err
	}
	l := &lookup{}
	if err := l.names(args, arg); err != nil {
		return nil, err
	}
	scope := env.Scope
	if v := args["let"]; !v.IsMissing() {
		if l.let, scope, err = bindLet(env.Scope, v.Doc()); err != nil {
			return nil, err
		}
	}
	if v := args["pipeline"]; !v.IsMissing() {
		if l.p, err = Compile(v.Doc(), env.inner(inLookup, l.from, scope)); err != nil {
			return nil, err
		}
		l.correlated = len(l.let) > 0 || l.local != nil || changes(v)
		if l.correlated && l.local == nil && l.from != "" {
			l.equal = firstEquality(l.p)
		}
	}
	return l, nil
}

func lookupArgs(spec bsonval.Doc) (map[string]bsonval.Value, error) {
	args := map[string]bsonval.Value{}
	for name, v := range spec.All() {
		want := bsonval.String
		switch name {
		case "from", "as", "localField", "foreignField":
		case "let":
			want = bsonval.Object
		case "pipeline":
			want = bsonval.Array
		default:
			return nil, mongoerr.New(mongoerr.FailedToParse, "unknown argument to $lookup: %s", name)
		}
		switch {
		case v.Type() == want:
		case name == "pipeline":
			return nil, mongoerr.New(mongoerr.TypeMismatch, "'pipeline' option must be specified as an array")
		case name == "from":
			return nil, mongoerr.New(mongoerr.FailedToParse, "$lookup 'from' field must be a string, but found %s", v.Type())
		case name == "let":
			return nil, mongoerr.New(mongoerr.FailedToParse, "$lookup argument 'let: %s' must be an object, is type %s", v, v.Type())
		default:
			return nil, mongoerr.New(mongoerr.FailedToParse, "$lookup argument '%s: %s' must be a string, is type %s", name, v, v.Type())
		}
		args[name] = v
	}
	return args, nil
}

// names reads the strings among the arguments and whether they go together.
func (l *lookup) names(args map[string]bsonval.Value, arg bsonval.Value) (err error) {
	local, foreign, pipeline := args["localField"], args["foreignField"], args["pipeline"]
	switch {
	case args["from"].IsMissing() && (pipeline.IsMissing() || !makesRows(pipeline.Doc())):
		return mongoerr.New(mongoerr.FailedToParse, "must specify 'from' field for a $lookup: %s", arg)
	case args["as"].IsMissing():
		return mongoerr.New(mongoerr.FailedToParse, "must specify 'as' field for a $lookup")
	case local.IsMissing() != foreign.IsMissing():
		return mongoerr.New(mongoerr.FailedToParse, "$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
	case local.IsMissing() && pipeline.IsMissing():
		return mongoerr.New(mongoerr.FailedToParse, "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
	case pipeline.IsMissing() && !args["let"].IsMissing():
		return mongoerr.New(mongoerr.FailedToParse, "$lookup with a 'let' argument must also specify 'pipeline'")
	}
	if v := args["from"]; !v.IsMissing() {
		l.from = v.Str()
	}
	if l.as, err = expr.SplitPath(args["as"].Str()); err != nil || local.IsMissing() {
		return err
	}
	if l.local, err = expr.SplitPath(local.Str()); err != nil {
		return err
	}
	l.foreign = foreign.Str()
	parts, err := expr.SplitPath(l.foreign)
	for _, p := range parts {
		if _, ok := bsonval.ArrayIndex(p); ok {
			l.foreignNumeric = true
		}
	}
	return err
}

// bindLet compiles let's variables in the outer scope. Their slots lie beyond those
// that their own expressions use.
func bindLet(scope *expr.Scope, vars bsonval.Doc) ([]binding, *expr.Scope, error) {
	inner := scope
	var out []binding
	for name := range vars.All() {
		if err := expr.CheckVariable(name); err != nil {
			return nil, nil, err
		}
		var slot int
		inner, slot = inner.Define(name)
		out = append(out, binding{slot: slot})
	}
	i := 0
	for _, v := range vars.All() {
		e, err := expr.Compile(v, scope.Beyond(inner))
		if err != nil {
			return nil, nil, err
		}
		out[i].e = e
		i++
	}
	return out, inner, nil
}

// bindAll sets the variables for the frame's document.
func bindAll(f *expr.Frame, bindings []binding) error {
	for _, b := range bindings {
		v, err := b.e.Eval(f)
		if err != nil {
			return err
		}
		f.Set(b.slot, v)
	}
	return nil
}

// changes tells a pipeline whose result may differ from run to run.
func changes(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.Object, bsonval.Array:
		for name, below := range v.Doc().All() {
			if name == "$rand" || name == "$sample" || name == "$sampleRate" || changes(below) {
				return true
			}
		}
	}
	return false
}

// Start implements Stage.
func (l *lookup) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	j := &joining{l: l, env: env}
	return each(j.join).Start(env, in)
}

// joining is a $lookup under way.
type joining struct {
	l     *lookup
	env   *Env
	fixed bsonval.Value // the array of an uncorrelated pipeline; Missing: not yet
}

func (j *joining) join(f *expr.Frame, row stream.Row) (bsonval.Doc, error) {
	f.Reset(row)
	op := j.env.Op
	was, kept := op.Held(), j.kept()
	found, err := j.rows(f, row)
	if err != nil {
		return nil, err
	}
	op.HeldAgain(was + j.kept() - kept) // the pipeline has ended; its tables stay
	return setPath(row.Doc, j.l.as, found), nil
}

// kept is what stays from document to document, in bytes.
func (j *joining) kept() int64 {
	n := int64(j.fixed.Size())
	if j.l.index != nil {
		n += j.l.index.held
	}
	if j.l.equal != nil && j.l.equal.x != nil {
		n += j.l.equal.x.held
	}
	return n
}

// rows answers the array that the document gets.
func (j *joining) rows(f *expr.Frame, row stream.Row) (bsonval.Value, error) {
	l := j.l
	if l.p != nil && !l.correlated {
		if j.fixed.IsMissing() {
			it, err := l.p.Run()
			if err != nil {
				return j.fixed, err
			}
			j.fixed, err = j.collect(it)
			if err != nil {
				return j.fixed, err
			}
		}
		return j.fixed, nil
	}
	var it stream.Iterator
	var err error
	if l.local == nil {
		if err = bindAll(f, l.let); err == nil {
			it, err = j.piped()
		}
	} else {
		it, err = j.matching(f, row)
	}
	if err != nil {
		return bsonval.Value{}, err
	}
	return j.collect(it)
}

// piped runs the pipeline for the variables as they are. Where its first $match wants
// a field to equal one of them, only the rows that have that value are its input.
func (j *joining) piped() (stream.Iterator, error) {
	l := j.l
	if l.equal != nil {
		if v, ok := l.p.known(l.equal.other); ok {
			it, err := l.equal.index(l).find([]bsonval.Value{v})
			if err != nil {
				return nil, err
			}
			return l.p.Over(it)
		}
	}
	return l.p.Run()
}

// equality is a field that a pipeline's first $match wants to equal something that is
// known before: {$expr: {$eq: ["$field", "$$variable"]}}.
type equality struct {
	field string
	other bsonval.Value
	x     *foreignIndex
}

func (e *equality) index(l *lookup) *foreignIndex {
	if e.x == nil {
		e.x = newForeignIndex(l.p.env, &lookup{from: l.from, foreign: e.field})
	}
	return e.x
}

// firstEquality finds one in the pipeline; nil when there is none, or when an index
// serves it, which the pipeline itself then uses.
func firstEquality(p *Pipeline) *equality {
	if len(p.Stages) == 0 || p.Stages[0].Name != "$match" {
		return nil
	}
	s, _ := p.env.Source.(Indexed)
	var found *equality
	for _, pair := range equalities(p.Stages[0].Arg.Doc().Get("$expr"), nil) {
		for i, side := range pair {
			field, ok := plainField(side)
			other := pair[1-i]
			if !ok || other.Type() != bsonval.String || !strings.HasPrefix(other.Str(), "$$") {
				continue
			}
			if s != nil && s.Indexed(p.env.Op, p.env.DB, p.env.Coll, field) {
				return nil
			}
			if found == nil {
				found = &equality{field: field, other: other}
			}
		}
	}
	return found
}

// maxJoined is how large one document's array may become, in bytes.
const maxJoined = 100 << 20

func (j *joining) collect(it stream.Iterator) (bsonval.Value, error) {
	defer it.Close()
	b := new(bsonval.Builder)
	for row, err := range remaining(j.env.Op, it) {
		if err != nil {
			return bsonval.Value{}, err
		}
		if b.Len() == 0 { // most find one
			b = bsonval.NewBuilder(len(row.Doc) + 8)
		}
		b.ItemDoc(row.Doc)
		if err := j.env.Op.Reserve(int64(len(row.Doc))); err != nil {
			return bsonval.Value{}, err
		}
		if b.Len() > maxJoined {
			return bsonval.Value{}, mongoerr.New(4568, "Total size of documents in %s matching pipeline exceeds %d bytes", j.l.from, maxJoined)
		}
	}
	return b.Array(), nil
}

// matching answers the foreign rows whose field equals the local one, after the
// pipeline if there is one.
func (j *joining) matching(f *expr.Frame, row stream.Row) (stream.Iterator, error) {
	if j.l.index == nil {
		j.l.index = newForeignIndex(j.env, j.l)
	}
	values := localValues(row.Doc, j.l.local)
	it, err := j.l.index.find(values)
	if err != nil || j.l.p == nil {
		return it, err
	}
	f.Reset(row)
	if err := bindAll(f, j.l.let); err != nil {
		it.Close()
		return nil, err
	}
	return j.l.p.Over(it)
}

// localValues are the values that a local field stands for: an array's elements, null
// where there is nothing.
func localValues(d bsonval.Doc, path []string) []bsonval.Value {
	v := expr.Descend(bsonval.DocValue(d), path)
	switch {
	case v.Type() == bsonval.Array:
		return v.Doc().Slice()
	case v.IsNullish():
		return []bsonval.Value{bsonval.NullValue()}
	}
	return []bsonval.Value{v}
}

// equalTo is the filter for a field that equals one of the values.
func equalTo(field string, values []bsonval.Value) bsonval.Doc {
	b := bsonval.NewBuilder(64)
	if len(values) == 1 {
		return b.OpenDoc(field).Set("$eq", values[0]).Doc()
	}
	if slices.ContainsFunc(values, func(v bsonval.Value) bool { return v.Type() == bsonval.Regex }) {
		b.OpenArray("$or") // $in would match by a pattern, not equal it
		for _, v := range values {
			b.OpenItem().OpenDoc(field).Set("$eq", v).Close().Close()
		}
		return b.Doc()
	}
	b.OpenDoc(field).OpenArray("$in")
	for _, v := range values {
		b.Item(v)
	}
	return b.Doc()
}
