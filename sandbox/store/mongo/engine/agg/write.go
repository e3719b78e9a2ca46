package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// writeStages are the stages that write and stand last.
func writeStages(name string) compiler {
	switch name {
	case "$out":
		return compileOut
	case "$merge":
		return compileMerge
	}
	return nil
}

type outStage struct {
	db, coll string
	series   bsonval.Doc // timeseries; nil: none
}

func compileOut(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	o := outStage{db: env.DB}
	switch arg.Type() {
	case bsonval.String:
		o.coll = arg.Str()
	case bsonval.Object:
		for name, v := range arg.Doc().All() {
			switch {
			case name == "timeseries" && v.Type() != bsonval.Object:
				return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$out.timeseries' is the wrong type '%s', expected type 'object'", v.Type())
			case name == "timeseries":
				if _, err := timeseries.Parse(v.Doc(), "$out.timeseries."); err != nil {
					return nil, err
				}
				o.series = v.Doc()
			case name != "db" && name != "coll":
				return nil, mongoerr.New(40415, "BSON field '$out.%s' is an unknown field.", name)
			case v.Type() != bsonval.String:
				return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$out.%s' is the wrong type '%s', expected type 'string'", name, v.Type())
			case name == "db":
				o.db = v.Str()
			default:
				o.coll = v.Str()
			}
		}
	default:
		return nil, mongoerr.New(16990, "$out only supports a string or object argument, but found %s", arg.Type())
	}
	if o.coll == "" {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid $out target namespace, %s.%s", o.db, o.coll)
	}
	return o, nil
}

// Start implements Stage.
func (o outStage) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in)
		if err != nil {
			return nil, err
		}
		docs := make([]bsonval.Doc, len(rows))
		for i, r := range rows {
			docs[i] = r.Doc
		}
		return stream.Docs(nil), env.Source.Replace(env.Op, o.db, o.coll, docs, o.series)
	}), nil
}

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
		return m, nil
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
	let := arg.Doc().Get("let")
	switch {
	case m.coll == "":
		return nil, mongoerr.New(40414, "BSON field '$merge.into' is missing but a required field")
	case let.Type() == bsonval.Object && m.matched != "pipeline":
		return nil, mongoerr.New(51199, "Cannot use 'let' variables with 'whenMatched: %s' mode", m.matched)
	case given && !env.Source.UniqueKey(env.Op, m.db, m.coll, m.on):
		return nil, mongoerr.New(51183, "Cannot find index to verify that join fields will be unique")
	}
	if m.matched != "pipeline" {
		return m, nil
	}
	vars := bsonval.D(bsonval.E("new", bsonval.StringValue("$$ROOT")))
	if let.Type() == bsonval.Object {
		vars = let.Doc()
	}
	for name := range vars.All() {
		m.names = append(m.names, name)
	}
	var err error
	m.let, _, err = bindLet(env.Scope, vars)
	return m, err
}

func (m *merge) option(name string, v bsonval.Value) error {
	switch name {
	case "into":
		return m.into(v)
	case "on":
		return m.fields(v)
	case "let":
		if v.Type() != bsonval.Object {
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
	values := []bsonval.Value{v}
	if v.Type() == bsonval.Array {
		values = v.Doc().Slice()
	}
	if len(values) == 0 {
		return mongoerr.New(51187, "If explicitly specifying $merge 'on', must include at least one field")
	}
	m.on = nil
	for _, f := range values {
		if f.Type() != bsonval.String {
			return mongoerr.New(51134, "$merge 'on' array elements must be strings, but found %s", f.Type())
		}
		m.on = append(m.on, f.Str())
	}
	return nil
}

// Start implements Stage.
func (m *merge) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in) // first all reading, then all writing
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if err := env.Op.Check(); err != nil {
				return nil, err
			}
			if err := m.one(env, r); err != nil {
				return nil, err
			}
		}
		return stream.Docs(nil), nil
	}), nil
}

// one merges one document: an update of what matches, and if nothing does an insert.
func (m *merge) one(env *Env, r stream.Row) error {
	if m.matched == "fail" && m.missing == "insert" {
		return env.Source.Insert(env.Op, m.db, m.coll, []bsonval.Doc{r.Doc})
	}
	q, ok, err := m.query(r.Doc)
	if err != nil {
		return err
	}
	matched := 0
	if ok {
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
		return mongoerr.New(13113, "$merge could not find a matching document in the target collection for at least one document in the source collection")
	}
	return env.Source.Insert(env.Op, m.db, m.coll, []bsonval.Doc{r.Doc})
}

// query is the filter by the on fields; ok is false for a document without an _id.
func (m *merge) query(d bsonval.Doc) (q bsonval.Doc, ok bool, err error) {
	b := bsonval.NewBuilder(64)
	for _, field := range m.on {
		path, err := expr.SplitPath(field)
		if err != nil {
			return nil, false, err
		}
		v := at(d, path)
		switch {
		case field == "_id" && v.IsMissing():
			return nil, false, nil
		case v.IsNullish() && field != "_id":
			return nil, false, mongoerr.New(51132, "$merge write error: 'on' field '%s' cannot be missing, null or undefined", field)
		case v.Type() == bsonval.Array:
			return nil, false, mongoerr.New(51185, "$merge write error: 'on' field '%s' cannot be an array", field)
		}
		b.OpenDoc(field).Set("$eq", v).Close()
	}
	return b.Doc(), true, nil
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
	case "fail":
		return nil, mongoerr.New(mongoerr.DuplicateKey, "$merge found a document that matches, and whenMatched is fail")
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
