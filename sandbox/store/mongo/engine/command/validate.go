package command

import (
	"slices"
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// validate checks a collection: each document is whole and as the validator wants it,
// and each index holds exactly the keys that the documents have.
// https://www.mongodb.com/docs/manual/reference/command/validate/
func (s *Server) validate(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := r.validateOptions(); err != nil {
		return nil, err
	}
	c := r.State().Collection(ns)
	if c != nil {
		c = bucketsOf(r.State().Collection, c)
		ns = c.NS
	}
	switch {
	case c == nil:
		return nil, mongoerr.New(mongoerr.NamespaceNotFound, "Collection '%s' does not exist to validate.", ns)
	case c.IsView():
		return nil, mongoerr.New(mongoerr.CommandNotSupportedOnView, "Cannot validate a view")
	}
	v := &validation{r: r, c: c, conform: r.Body.Get("full").Truth() || r.Body.Get("checkBSONConformance").Truth()}
	if err := v.check(); err != nil {
		return nil, err
	}
	return v.report(), nil
}

// validateOptions refuses options that exclude each other, and those that are for a
// server outside a replica set.
func (r *Request) validateOptions() error {
	on := func(name string) bool { return r.Body.Get(name).Truth() }
	both := func(a, b string) error {
		return mongoerr.New(mongoerr.InvalidOptions, "Running the validate command with both { %s: true } and { %s: true } is not supported.", a, b)
	}
	switch {
	case on("background") && on("full"):
		return both("background", "full")
	case on("background") && on("repair"):
		return both("background", "repair")
	case on("metadata") && (on("background") || on("full") || on("repair") || on("checkBSONConformance") || on("fixMultikey")):
		return mongoerr.New(mongoerr.InvalidOptions, "Running the validate command with { metadata: true } is not supported with any other options")
	case on("repair") && on("checkBSONConformance"):
		return both("checkBSONConformance", "repair")
	}
	for _, name := range [...]string{"repair", "fixMultikey"} {
		if on(name) {
			return mongoerr.New(mongoerr.InvalidOptions, "Running the validate command with { %s: true } can only be performed in standalone mode.", name)
		}
	}
	return nil
}

// validation is one run of validate.
type validation struct {
	r       *Request
	c       *storage.Collection
	conform bool // documents are checked against the rules of BSON too
	schema  *match.Matcher

	invalid      []int64 // records that are no documents
	strange      int64   // documents against the rules of BSON
	noncompliant int64   // documents that the validator doesn't want
	indexes      []indexCheck
}

// indexCheck is what was found of an index.
type indexCheck struct {
	ix             *storage.Index
	keys           int
	failures       []string
	missing, extra []bsonval.Doc
}

func (i *indexCheck) valid() bool {
	return len(i.failures) == 0 && len(i.missing) == 0 && len(i.extra) == 0
}

func (v *validation) check() error {
	if spec := v.c.Options.Get("validator"); spec.Type() == bsonval.Object {
		m, err := match.Compile(spec.Doc(), v.r.Server.matchEnv(v.r.Op, v.c))
		if err != nil {
			return err
		}
		v.schema = m
	}
	for _, ix := range v.c.Indexes {
		v.indexes = append(v.indexes, indexCheck{ix: ix})
	}
	cur := v.c.Records()
	for ok := cur.First(); ok; ok = cur.Next() {
		if err := v.r.Op.Check(); err != nil {
			return err
		}
		if err := v.document(cur.Key(), cur.Value()); err != nil {
			return err
		}
	}
	for i := range v.indexes {
		if err := v.strayKeys(&v.indexes[i]); err != nil {
			return err
		}
	}
	return nil
}

// document checks a document, and that the indexes have its keys.
func (v *validation) document(record int64, doc bsonval.Doc) error {
	if bsonval.Validate(doc) != nil {
		v.invalid = append(v.invalid, record)
		return nil
	}
	if v.conform && !conforms(doc, 0) {
		v.strange++
	}
	if v.schema != nil {
		ok, err := v.schema.Match(v.r.Op, doc)
		if err != nil {
			return err
		}
		if !ok {
			v.noncompliant++
		}
	}
	for i := range v.indexes {
		v.keysOf(&v.indexes[i], record, doc)
	}
	return nil
}

func (v *validation) keysOf(c *indexCheck, record int64, doc bsonval.Doc) {
	ks, err := c.ix.Def.For(doc)
	if err != nil {
		c.failures = append(c.failures, err.Error())
		return
	}
	at := c.ix.Keys()
	for _, k := range ks.Keys {
		entry := index.Entry(k, record)
		if !at.Seek(entry) || at.Key() != entry {
			c.missing = append(c.missing, c.entry(record, doc))
		}
		c.keys++
	}
}

// strayKeys finds the keys that no document has, when there are more than there should
// be.
func (v *validation) strayKeys(c *indexCheck) error {
	if c.keys-len(c.missing) == c.ix.Len() {
		return nil
	}
	at := c.ix.Keys()
	for ok := at.First(); ok; ok = at.Next() {
		if err := v.r.Op.Check(); err != nil {
			return err
		}
		key, record := index.SplitEntry(at.Key())
		doc, found := v.c.Get(record)
		if found {
			if ks, err := c.ix.Def.For(doc); err == nil && slices.Contains(ks.Keys, key) {
				continue
			}
		}
		c.extra = append(c.extra, c.entry(record, doc))
	}
	return nil
}

// entry tells of a key that is missing, or one too many.
func (i *indexCheck) entry(record int64, doc bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	b.Str("indexName", i.ix.Def.Name).Int64("recordId", record).OpenDoc("idKey")
	if doc != nil {
		b.Set("_id", doc.Get("_id"))
	}
	b.Close().OpenDoc("indexKey")
	for _, f := range i.ix.Def.Fields {
		if doc != nil {
			b.Set(f.Path, doc.Path(f.Path))
		}
	}
	return b.Close().Doc()
}

func (v *validation) report() bsonval.Doc {
	c := v.c
	b := bsonval.NewBuilder(1024)
	b.Str("ns", c.NS.String()).Set("uuid", bsonval.BinaryValue(4, c.UUID[:])).Number("nInvalidDocuments", int64(len(v.invalid)))
	b.Number("nNonCompliantDocuments", v.noncompliant+v.strange).Number("nrecords", int64(c.Count())).Int32("nIndexes", int32(len(c.Indexes)))
	b.OpenDoc("keysPerIndex")
	for _, ix := range c.Indexes {
		b.Number(ix.Def.Name, int64(ix.Len()))
	}
	b.Close().OpenDoc("indexDetails")
	for i := range v.indexes {
		v.indexes[i].report(b)
	}
	b.Close()
	failures := v.failures()
	b.Bool("valid", len(failures) == 0).Bool("repaired", false)
	texts(b, "warnings", v.warnings())
	texts(b, "errors", failures)
	b.OpenArray("extraIndexEntries")
	for _, i := range v.indexes {
		for _, d := range i.extra {
			b.ItemDoc(d)
		}
	}
	b.Close().OpenArray("missingIndexEntries")
	for _, i := range v.indexes {
		for _, d := range i.missing {
			b.ItemDoc(d)
		}
	}
	b.Close().OpenArray("corruptRecords")
	for _, record := range v.invalid {
		b.Item(bsonval.LongValue(record))
	}
	b.Close()
	if len(failures) > 0 {
		b.Str("advice", "A corrupt namespace has been detected. See http://dochub.mongodb.org/core/data-recovery for recovery steps.")
	}
	return b.Doc()
}

func (i *indexCheck) report(b *bsonval.Builder) {
	b.OpenDoc(i.ix.Def.Name).Bool("valid", i.valid())
	if len(i.failures) > 0 {
		texts(b, "errors", i.failures)
	}
	b.Close()
}

func texts(b *bsonval.Builder, name string, list []string) {
	b.OpenArray(name)
	for _, text := range list {
		b.ItemStr(text)
	}
	b.Close()
}

func (v *validation) failures() []string {
	var out []string
	if len(v.invalid) > 0 {
		out = append(out, "Detected one or more invalid documents. See logs.")
	}
	for i := range v.indexes {
		if !v.indexes[i].valid() {
			out = append(out, "Index with name '"+v.indexes[i].ix.Def.Name+"' has inconsistencies.")
		}
	}
	return out
}

func (v *validation) warnings() []string {
	var out []string
	missing, extra := 0, 0
	for _, i := range v.indexes {
		missing, extra = missing+len(i.missing), extra+len(i.extra)
	}
	if missing > 0 {
		out = append(out, "Detected "+strconv.Itoa(missing)+" missing index entries.")
	}
	if extra > 0 {
		out = append(out, "Detected "+strconv.Itoa(extra)+" extra index entries.")
	}
	if v.noncompliant > 0 {
		out = append(out, "Detected one or more documents not compliant with the collection's schema. Check logs for log id 5363500.")
	}
	if v.strange > 0 {
		out = append(out, "Detected one or more documents in this collection not conformant to BSON specifications. For more info, see logs with log id 6825900")
	}
	return out
}

// conforms tells whether a document keeps the rules of BSON that the server doesn't ask
// for when it is written: each name once, no types that are given up, options of regular
// expressions in order, and UUIDs and digests as long as they are.
func conforms(d bsonval.Doc, depth int) bool {
	seen := map[string]bool{}
	for name, v := range d.All() {
		if seen[name] || !valueConforms(v, depth) {
			return false
		}
		seen[name] = true
	}
	return true
}

func valueConforms(v bsonval.Value, depth int) bool {
	switch v.Type() {
	case bsonval.Object, bsonval.Array:
		return depth < 200 && conforms(v.Doc(), depth+1)
	case bsonval.Undefined, bsonval.Symbol, bsonval.DBPointer, bsonval.CodeScope:
		return false
	case bsonval.Regex:
		_, options := v.Regex()
		return slices.IsSorted([]byte(options)) && len(slices.Compact([]byte(options))) == len(options)
	case bsonval.Binary:
		sub, data := v.Binary()
		return sub != 3 && sub != 4 && sub != 5 || len(data) == 16
	}
	return true
}
