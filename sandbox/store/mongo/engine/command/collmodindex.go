package command

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// modifyIndex changes one of an index's flags or its expiry, and reports old and new.
func modifyIndex(w *crud.Writer, c *storage.Collection, spec bsonval.Doc, dryRun bool, b *bsonval.Builder) error {
	if err := checkIndexChange(spec); err != nil {
		return err
	}
	ix, err := indexToModify(c, spec)
	if err != nil {
		return err
	}
	m := indexChange{def: ix.Def, spec: ix.Def.Spec, reply: b}
	if err := m.expire(spec.Get("expireAfterSeconds")); err != nil {
		return err
	}
	if err := m.hide(c, spec.Get("hidden")); err != nil {
		return err
	}
	m.prepare(spec.Get("prepareUnique"))
	if err := m.unique(ix, c, spec.Get("unique")); err != nil {
		return err
	}
	m.manyfold(spec.Get("forceNonUnique"))
	if dryRun || !m.changed {
		return nil
	}
	next, err := index.Parse(m.spec)
	if err != nil {
		return err
	}
	return w.Tx.ReplaceIndexDef(c.NS, next)
}

// checkIndexChange checks what collMod asks of an index before the index is known.
func checkIndexChange(spec bsonval.Doc) error {
	asked := false
	for name, v := range spec.All() {
		full := "collMod.index." + name
		switch name {
		case "name":
			if v.Type() != bsonval.String {
				return wrongType(full, v, "string")
			}
		case "keyPattern":
			if v.Type() != bsonval.Object {
				return wrongType(full, v, "object")
			}
		case "expireAfterSeconds":
			if !v.IsNumber() {
				return notNumber(full, v)
			}
			asked = true
		case "hidden", "unique", "prepareUnique", "forceNonUnique":
			on, err := boolField(spec, name, full)
			if err != nil {
				return err
			}
			if !on && strings.HasSuffix(name, "nique") && name != "prepareUnique" {
				return mongoerr.New(mongoerr.BadValue, "collMod takes '%s' with the value true alone", name)
			}
			asked = true
		default:
			return unknownField(full)
		}
	}
	byName, byKey := !spec.Get("name").IsMissing(), !spec.Get("keyPattern").IsMissing()
	switch {
	case byName && byKey:
		return mongoerr.New(mongoerr.InvalidOptions, "Cannot specify both key pattern and name.")
	case !byName && !byKey:
		return mongoerr.New(mongoerr.InvalidOptions, "Must specify either index name or key pattern.")
	case !asked:
		return mongoerr.New(mongoerr.InvalidOptions, "no expireAfterSeconds, hidden, unique, or prepareUnique field")
	}
	return nil
}

// indexToModify finds the index by its name or, where that tells one alone, its key.
func indexToModify(c *storage.Collection, spec bsonval.Doc) (*storage.Index, error) {
	if name := spec.Get("name"); !name.IsMissing() {
		ix := c.Index(name.Str())
		if ix == nil {
			return nil, mongoerr.New(mongoerr.IndexNotFound, "cannot find index %s for ns %s", name.Str(), c.NS)
		}
		return ix, nil
	}
	key := spec.Get("keyPattern")
	switch found := indexesByKey(c, key); len(found) {
	case 0:
		return nil, mongoerr.New(mongoerr.IndexNotFound, "cannot find index %s for ns %s", key, c.NS)
	case 1:
		return found[0], nil
	default:
		return nil, mongoerr.New(mongoerr.AmbiguousIndexKeyPattern, "index keyPattern %s matches several indexes, must use index name. Conflicting indexes:%s, %s", key, found[0].Def.Spec, found[1].Def.Spec)
	}
}

// findIndex is the index that collMod means, nil for none.
func findIndex(c *storage.Collection, spec bsonval.Doc) *storage.Index {
	if name := spec.Get("name"); name.Type() == bsonval.String {
		return c.Index(name.Str())
	}
	if found := indexesByKey(c, spec.Get("keyPattern")); found != nil {
		return found[0]
	}
	return nil
}

func indexesByKey(c *storage.Collection, key bsonval.Value) (found []*storage.Index) {
	for _, ix := range c.Indexes {
		if bsonval.Compare(bsonval.DocValue(ix.Def.Pattern), key) == 0 {
			found = append(found, ix)
		}
	}
	return found
}

// indexChange is an index's specification on its way from the old to the new one.
type indexChange struct {
	def     *index.Def
	spec    bsonval.Doc
	changed bool
	reply   *bsonval.Builder
}

// set replaces a field of the specification; a missing value takes it out.
func (m *indexChange) set(field string, v bsonval.Value) {
	m.spec, m.changed = lacking(m.spec, field), true
	if !v.IsMissing() {
		m.spec = bsonval.BuilderOf(m.spec).Set(field, v).Doc()
	}
}

func (m *indexChange) flag(field string, on bool) {
	if on {
		m.set(field, bsonval.BoolValue(true))
		return
	}
	m.set(field, bsonval.Value{})
}

// expire changes a TTL index's span, or makes a TTL index of another one.
func (m *indexChange) expire(v bsonval.Value) error {
	switch {
	case v.IsMissing():
		return nil
	case v.Long() < 0:
		return mongoerr.New(mongoerr.InvalidOptions, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %d", v.Long())
	case m.def.Expire >= 0:
		m.reply.Set("expireAfterSeconds_old", m.def.Spec.Get("expireAfterSeconds"))
	case m.def.Name == "_id_" || m.def.Clustered:
		return mongoerr.New(mongoerr.InvalidOptions, "the _id field does not support TTL indexes")
	case len(m.def.Fields) != 1:
		return mongoerr.New(mongoerr.InvalidOptions, "TTL indexes are single-field indexes, compound indexes do not support TTL")
	}
	m.reply.Set("expireAfterSeconds_new", v)
	m.set("expireAfterSeconds", v)
	return nil
}

// ofSystem tells a collection of the server's own, whose indexes can't be hidden.
func ofSystem(ns storage.NS) bool {
	return strings.HasPrefix(ns.Coll, "system.") && !strings.HasPrefix(ns.Coll, "system.buckets.")
}

func errHideSystem() error {
	return mongoerr.New(mongoerr.BadValue, "Can't hide index on system collection")
}

func (m *indexChange) hide(c *storage.Collection, v bsonval.Value) error {
	on := v.Truth()
	switch {
	case v.IsMissing():
		return nil
	case ofSystem(c.NS):
		return errHideSystem()
	case m.def.Name == "_id_" || m.def.Clustered:
		return mongoerr.New(mongoerr.BadValue, "can't hide _id index")
	case m.def.Hidden == on:
		return nil
	}
	m.reply.Bool("hidden_old", m.def.Hidden).Bool("hidden_new", on)
	m.flag("hidden", on)
	return nil
}

// prepare lets an index refuse new duplicates, before it can become unique.
func (m *indexChange) prepare(v bsonval.Value) {
	if v.IsMissing() || m.def.Unique || m.def.PrepareUnique == v.Truth() {
		return
	}
	m.reply.Bool("prepareUnique_old", m.def.PrepareUnique).Bool("prepareUnique_new", v.Truth())
	m.flag("prepareUnique", v.Truth())
}

func (m *indexChange) unique(ix *storage.Index, c *storage.Collection, v bsonval.Value) error {
	switch {
	case v.IsMissing() || m.def.Unique:
		return nil
	case !m.def.PrepareUnique:
		return mongoerr.New(mongoerr.InvalidOptions, "Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.")
	}
	if violations := violations(ix, c); violations != nil {
		e := mongoerr.New(mongoerr.CannotConvertIndexToUnique, "Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.")
		return e.With(bsonval.D(bsonval.E("violations", bsonval.ArrayValue(violations))))
	}
	m.reply.Bool("unique_new", true)
	m.flag("prepareUnique", false)
	m.flag("unique", true)
	return nil
}

// manyfold lets a unique index have duplicates.
func (m *indexChange) manyfold(v bsonval.Value) {
	if v.IsMissing() || !m.def.Unique || m.def.Name == "_id_" {
		return
	}
	m.reply.Bool("forceNonUnique_new", true)
	m.flag("unique", false)
}

// maxViolations is how many bytes of the error tell which documents have the same key.
const maxViolations = 8 << 20

// violations lists the _ids of the documents that share a key; nil where none do.
func violations(ix *storage.Index, c *storage.Collection) bsonval.Doc {
	b := bsonval.NewBuilder(64)
	var records []int64
	last, found, size := "", false, 0
	end := func() {
		if len(records) > 1 {
			found = true
			ids := bsonval.NewBuilder(64)
			for _, r := range records {
				d, _ := c.Get(r)
				ids.Item(d.Get("_id"))
			}
			size += len(ids.Doc())
			b.ItemDoc(bsonval.D(bsonval.E("ids", ids.Array())))
		}
		records = records[:0]
	}
	cur := ix.Keys()
	for ok := cur.First(); ok && size < maxViolations; ok = cur.Next() {
		key, record := index.SplitEntry(cur.Key())
		if key != last {
			end()
		}
		last, records = key, append(records, record)
	}
	end()
	if !found {
		return nil
	}
	return b.Doc()
}
