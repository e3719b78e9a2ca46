package agg

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// merge is $merge.
type merge struct {
	db, coll string
	on       []string
	let      []binding
	names    []string // of let
	matched  string   // whenMatched; "pipeline" with update set
	update   bsonval.Doc
	missing  string // whenNotMatched
}

func compileMerge(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	m := &merge{db: env.DB, on: []string{"_id"}, matched: "merge", missing: "insert"}
	if arg.Type() == bsonval.String {
		m.coll = arg.Str()
		return m, mayMergeInto(m.db, m.coll)
	}
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(51182, "$merge requires a string or object argument, but found %s", arg.Type())
	}
	given := false
	for name, v := range arg.Doc().All() {
		if err := m.option(name, v); err != nil {
			return nil, err
		}
		given = given || name == "on"
	}
	if err := mayMergeInto(m.db, m.coll); err != nil {
		return nil, err
	}
	let := arg.Doc().Get("let")
	switch {
	case m.coll == "":
		return nil, mongoerr.New(40414, "BSON field '$merge.into' is missing but a required field")
	case let.Type() == bsonval.Object && m.matched != "pipeline":
		return nil, mongoerr.New(51199, "Cannot use 'let' variables with 'whenMatched: %s' mode", m.matched)
	case (m.matched == "fail" || m.matched == "keepExisting") && m.missing != "insert":
		return nil, mongoerr.New(51181, "Combination of $merge modes 'whenMatched: %s' and 'whenNotMatched: %s' is not supported", m.matched, m.missing)
	case given && !env.Source.UniqueKey(env.Op, m.db, m.coll, m.on):
		return nil, mongoerr.New(51183, "Cannot find index to verify that join fields will be unique")
	case m.matched != "pipeline":
		return m, nil
	}
	return m, m.variables(env, let)
}

// variables compiles what the update's pipeline may use: $$new is always there.
func (m *merge) variables(env *Env, let bsonval.Value) error {
	b := bsonval.NewBuilder(64)
	b.Str("new", "$$ROOT")
	m.names = []string{"new"}
	if let.Type() == bsonval.Object {
		for name, v := range let.Doc().All() {
			if name != "new" {
				b.Set(name, v)
				m.names = append(m.names, name)
			} else if v.Type() != bsonval.String || v.Str() != "$$ROOT" {
				return mongoerr.New(51273, "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'")
			}
		}
	}
	var err error
	m.let, _, err = bindLet(env.Scope, b.Doc())
	return err
}

func (m *merge) option(name string, v bsonval.Value) error {
	switch name {
	case "into":
		return m.into(v)
	case "on":
		return m.fields(v)
	case "let":
		if v.Type() != bsonval.Object && !v.IsNullish() {
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$merge.let' is the wrong type '%s', expected type 'object'", v.Type())
		}
	case "whenMatched":
		if v.Type() == bsonval.Array {
			m.matched, m.update = "pipeline", v.Doc()
			return nil
		}
		return oneOf(&m.matched, name, v, "replace", "keepExisting", "merge", "fail")
	case "whenNotMatched":
		return oneOf(&m.missing, name, v, "insert", "discard", "fail")
	default:
		return mongoerr.New(40415, "BSON field '$merge.%s' is an unknown field.", name)
	}
	return nil
}

func oneOf(dst *string, name string, v bsonval.Value, words ...string) error {
	if v.Type() != bsonval.String {
		return mongoerr.New(51191, "$merge '%s' must be a string, but found %s", name, v.Type())
	}
	for _, w := range words {
		if w == v.Str() {
			*dst = w
			return nil
		}
	}
	return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field '%s' is not a valid value.", v.Str(), "$merge."+name)
}

func (m *merge) into(v bsonval.Value) error {
	switch v.Type() {
	case bsonval.String:
		m.coll = v.Str()
		return nil
	case bsonval.Object:
		if db := v.Doc().Get("db"); db.Type() == bsonval.String {
			m.db = db.Str()
		}
		if coll := v.Doc().Get("coll"); coll.Type() == bsonval.String && coll.Str() != "" {
			m.coll = coll.Str()
			return nil
		}
	}
	return mongoerr.New(51178, "$merge 'into' field must be a string or an object with a coll, but found %s", v)
}

func (m *merge) fields(v bsonval.Value) error {
	var values []bsonval.Value
	switch v.Type() {
	case bsonval.String:
		values = []bsonval.Value{v}
	case bsonval.Array:
		values = v.Doc().Slice()
	default:
		return mongoerr.New(51186, "$merge 'on' field must be either a string or an array of strings, but found %s", v.Type())
	}
	if len(values) == 0 {
		return mongoerr.New(51187, "If explicitly specifying $merge 'on', must include at least one field")
	}
	m.on = nil
	for _, f := range values {
		if f.Type() != bsonval.String {
			return mongoerr.New(51134, "$merge 'on' array elements must be strings, but found %s", f.Type())
		}
		if slices.Contains(m.on, f.Str()) {
			return mongoerr.New(31465, "Found a duplicate field '%s'", f.Str())
		}
		m.on = append(m.on, f.Str())
	}
	return nil
}

// mergeBatch is how many bytes of documents are written before the first error among
// them ends the stage, as in the server.
const mergeBatch = 16 << 20

// Start implements Stage.
func (m *merge) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in) // first all reading, then all writing
		if err != nil {
			return nil, err
		}
		for len(rows) > 0 {
			n, size := 0, 0
			for ; n < len(rows) && (n == 0 || size+len(rows[n].Doc) <= mergeBatch); n++ {
				size += len(rows[n].Doc)
			}
			if err := m.batch(env, rows[:n]); err != nil {
				return nil, err
			}
			rows = rows[n:]
		}
		return stream.Docs(nil), nil
	}), nil
}

// batch merges documents in no promised order: one that can't be written doesn't keep
// the others from it.
func (m *merge) batch(env *Env, rows []stream.Row) error {
	queries := make([]bsonval.Doc, len(rows)) // nil: matches nothing
	for i, r := range rows {
		var err error
		if queries[i], err = m.query(r.Doc); err != nil {
			return err
		}
	}
	var first error
	for i, r := range rows {
		if err := env.Op.Check(); err != nil {
			return err
		}
		if err := m.one(env, queries[i], r); err != nil && first == nil {
			first = m.explained(err)
		}
	}
	return first
}

// explained says of a failed write what it means for the stage.
func (m *merge) explained(err error) error {
	switch e := mongoerr.From(err); {
	case e.Code == mongoerr.ImmutableField:
		return e.Within("$merge failed to update the matching document, did you attempt to modify the _id or the shard key?")
	case e.Code == mongoerr.DuplicateKey && m.matched == "fail" && m.isOn(e.Info.Get("keyPattern")):
		return e.Within("$merge with whenMatched: fail found an existing document with the same values for the 'on' fields")
	case e.Code == mongoerr.DuplicateKey:
		return e.Within("$merge failed due to a DuplicateKey error")
	}
	return err
}

// isOn tells whether an index's keys are the on fields.
func (m *merge) isOn(keys bsonval.Value) bool {
	n := 0
	if keys.Type() != bsonval.Object {
		return false
	}
	for name := range keys.Doc().All() {
		if !slices.Contains(m.on, name) {
			return false
		}
		n++
	}
	return n == len(m.on)
}

// one merges one document: an update of what matches, and if nothing does an insert.
func (m *merge) one(env *Env, q bsonval.Doc, r stream.Row) error {
	if m.matched == "fail" {
		return env.Source.Insert(env.Op, m.db, m.coll, []bsonval.Doc{r.Doc})
	}
	matched := 0
	if q != nil {
		statement, err := m.statement(env, q, r)
		if err != nil {
			return err
		}
		if matched, err = env.Source.Update(env.Op, m.db, m.coll, statement); err != nil {
			return err
		}
	}
	switch {
	case matched > 0 || m.missing == "discard":
		return nil
	case m.missing == "fail":
		return mongoerr.New(mongoerr.MergeStageNoMatchingDocument, "$merge could not find a matching document in the target collection for at least one document in the source collection")
	}
	return env.Source.Insert(env.Op, m.db, m.coll, []bsonval.Doc{r.Doc})
}

// query is the filter by the on fields; nil for a document without an _id.
func (m *merge) query(d bsonval.Doc) (bsonval.Doc, error) {
	b := bsonval.NewBuilder(64)
	for _, field := range m.on {
		path, err := expr.SplitPath(field)
		if err != nil {
			return nil, err
		}
		v := at(d, path)
		switch {
		case field == "_id" && v.IsMissing():
			return nil, nil
		case v.IsNullish() && field != "_id":
			return nil, mongoerr.New(51132, "$merge write error: 'on' field '%s' cannot be missing, null or undefined", field)
		case v.Type() == bsonval.Array:
			return nil, mongoerr.New(51185, "$merge write error: 'on' field '%s' cannot be an array", field)
		}
		b.OpenDoc(field).Set("$eq", v).Close()
	}
	return b.Doc(), nil
}

// statement is the update of what matches q.
func (m *merge) statement(env *Env, q bsonval.Doc, r stream.Row) (bsonval.Doc, error) {
	b := bsonval.NewBuilder(2*len(r.Doc) + 128)
	b.SetDoc("q", q)
	switch m.matched {
	case "replace":
		b.SetDoc("u", r.Doc)
	case "merge":
		b.OpenArray("u").OpenItem().OpenDoc("$replaceWith").OpenArray("$mergeObjects").ItemStr("$$ROOT")
		b.OpenItem().SetDoc("$literal", r.Doc).Close().Close().Close().Close().Close()
	case "keepExisting":
		b.OpenDoc("u").SetDoc("$setOnInsert", r.Doc).Close()
	case "pipeline":
		env.Frame.Reset(r)
		if err := bindAll(env.Frame, m.let); err != nil {
			return nil, err
		}
		b.SetArray("u", m.update).OpenDoc("c")
		for i, name := range m.names {
			b.Set(name, env.Frame.Var(m.let[i].slot))
		}
		b.Close()
	}
	return b.Doc(), nil
}

// shown is the stage as explain shows it, with all that wasn't said.
func (m *merge) shown(arg bsonval.Value) bsonval.Value {
	b := bsonval.NewBuilder(128)
	b.OpenDoc("into").Str("db", m.db).Str("coll", m.coll).Close()
	if len(m.on) == 1 {
		b.Str("on", m.on[0])
	} else {
		b.OpenArray("on")
		for _, field := range m.on {
			b.ItemStr(field)
		}
		b.Close()
	}
	if m.matched == "pipeline" {
		if let := arg.Doc().Get("let"); let.Type() == bsonval.Object {
			b.Set("let", let)
		}
		b.SetArray("whenMatched", m.update)
	} else {
		b.Str("whenMatched", m.matched)
	}
	return b.Str("whenNotMatched", m.missing).Value()
}

// Writes tells whether the pipeline ends in a stage that writes.
func (p *Pipeline) Writes() bool {
	return len(p.Stages) > 0 && writeStages(p.Stages[len(p.Stages)-1].Name) != nil
}
