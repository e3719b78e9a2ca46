package command

import (
	"crypto/md5"
	"encoding/hex"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// validate checks a collection: each document is whole, and each index holds exactly
// the keys that the documents have.
func (s *Server) validate(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	c := r.State().Collection(ns)
	if c != nil {
		c = bucketsOf(r.State().Collection, c)
		ns = c.NS
	}
	switch {
	case r.Body.Get("full").Truth() && r.Body.Get("background").Truth():
		return nil, mongoerr.New(mongoerr.InvalidOptions, "Running the validate command with both { background: true } and { full: true } is not supported.")
	case c == nil:
		return nil, mongoerr.New(mongoerr.NamespaceNotFound, "Collection '%s' does not exist to validate.", ns)
	case c.IsView():
		return nil, mongoerr.New(mongoerr.CommandNotSupportedOnView, "Cannot validate a view")
	}
	problems, invalid, err := checkCollection(r, c)
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(512)
	b.Str("ns", ns.String()).Set("uuid", bsonval.BinaryValue(4, c.UUID[:])).Number("nInvalidDocuments", invalid).Int32("nNonCompliantDocuments", 0)
	b.Number("nrecords", int64(c.Count())).Int32("nIndexes", int32(len(c.Indexes)))
	b.OpenDoc("keysPerIndex")
	for _, ix := range c.Indexes {
		b.Number(ix.Def.Name, int64(ix.Len()))
	}
	b.Close()
	b.OpenDoc("indexDetails")
	for _, ix := range c.Indexes {
		b.OpenDoc(ix.Def.Name).Bool("valid", len(problems) == 0).Close()
	}
	b.Close()
	b.Bool("valid", len(problems) == 0 && invalid == 0).Bool("repaired", false)
	b.OpenArray("warnings").Close()
	b.OpenArray("errors")
	for _, p := range problems {
		b.ItemStr(p)
	}
	b.Close()
	b.OpenArray("extraIndexEntries").Close().OpenArray("missingIndexEntries").Close().OpenArray("corruptRecords").Close()
	return b.Doc(), nil
}

func checkCollection(r *Request, c *storage.Collection) (problems []string, invalid int64, err error) {
	keys := make([]int, len(c.Indexes))
	cur := c.Records()
	for ok := cur.First(); ok; ok = cur.Next() {
		if err := r.Op.Check(); err != nil {
			return nil, 0, err
		}
		doc := cur.Value()
		if bsonval.Validate(doc) != nil {
			invalid++
			continue
		}
		for i, ix := range c.Indexes {
			ks, err := ix.Def.For(doc)
			if err != nil {
				problems = append(problems, "index "+ix.Def.Name+": "+err.Error())
				continue
			}
			at := ix.Keys()
			for _, k := range ks.Keys {
				entry := index.Entry(k, cur.Key())
				if !at.Seek(entry) || at.Key() != entry {
					problems = append(problems, "index "+ix.Def.Name+" lacks a key of _id "+doc.Get("_id").String())
				}
				keys[i]++
			}
		}
	}
	for i, ix := range c.Indexes {
		if keys[i] != ix.Len() {
			problems = append(problems, "index "+ix.Def.Name+" has keys of no document")
		}
	}
	return problems, invalid, nil
}

// dbHash answers a hash of each collection's documents in the order of _id.
func (s *Server) dbHash(r *Request) (bsonval.Doc, error) {
	start := r.Op.Now
	all := md5.New()
	var b bsonval.Builder
	b.Str("host", r.Conn.Addr).OpenDoc("collections")
	for _, c := range r.State().Collections(r.DB) {
		if c.IsView() || len(c.Indexes) == 0 {
			continue
		}
		h := md5.New()
		at := c.Indexes[0].Keys()
		for ok := at.First(); ok; ok = at.Next() {
			if err := r.Op.Check(); err != nil {
				return nil, err
			}
			_, record := index.SplitEntry(at.Key())
			doc, _ := c.Get(record)
			h.Write(doc)
		}
		sum := h.Sum(nil)
		all.Write(sum)
		b.Str(c.NS.Coll, hex.EncodeToString(sum))
	}
	b.Close()
	b.Str("md5", hex.EncodeToString(all.Sum(nil))).Int32("timeMillis", int32(s.opts.Clock().Sub(start).Milliseconds()))
	return b.Doc(), nil
}
