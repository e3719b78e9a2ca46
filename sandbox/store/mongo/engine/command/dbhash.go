package command

import (
	"crypto/md5"
	"encoding/hex"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// dbHash answers a hash of each collection's documents in the order of _id.
func (s *Server) dbHash(r *Request) (bsonval.Doc, error) {
	start := r.Op.Now
	all := md5.New()
	named, err := arrayField(r.Body, "collections", r.field("collections"))
	if err != nil {
		return nil, err
	}
	var b, capped, uuids bsonval.Builder
	b.Str("host", r.Conn.Addr).OpenDoc("collections")
	for _, c := range r.State().Collections(r.DB) {
		if c.IsView() || len(c.Indexes) == 0 || c.NS.Coll == "system.profile" || named.Len() > 0 && !holds(named, c.NS.Coll) {
			continue
		}
		if c.Options.Get("capped").Truth() {
			capped.ItemStr(c.NS.Coll)
		}
		uuids.Set(c.NS.Coll, bsonval.BinaryValue(4, c.UUID[:]))
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
	b.Close().SetArray("capped", capped.Doc()).SetDoc("uuids", uuids.Doc())
	b.Str("md5", hex.EncodeToString(all.Sum(nil))).Int32("timeMillis", int32(s.opts.Clock().Sub(start).Milliseconds()))
	return b.Doc(), nil
}

// holds tells whether a list has a name.
func holds(list bsonval.Doc, name string) bool {
	for v := range list.Values() {
		if stringOr(v, "") == name {
			return true
		}
	}
	return false
}
