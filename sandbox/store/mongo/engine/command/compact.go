package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// compact writes the folder anew, without what was overwritten and deleted. That is all
// collections' at once; in memory there is nothing to do.
func (s *Server) compact(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	c := r.State().Collection(ns)
	switch {
	case c == nil:
		return nil, mongoerr.New(mongoerr.NamespaceNotFound, "collection does not exist")
	case c.IsView():
		return nil, mongoerr.New(mongoerr.CommandNotSupportedOnView, "can't compact a view")
	}
	if r.Body.Get("dryRun").Truth() {
		return bsonval.D(bsonval.E("estimatedBytesFreed", bsonval.NumberValue(s.store.Garbage()))), nil
	}
	freed, err := s.store.Compact(r.Op.Context())
	return bsonval.D(bsonval.E("bytesFreed", bsonval.NumberValue(freed))), err
}
