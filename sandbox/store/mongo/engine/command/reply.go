package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// success ends a reply: ok, and the cluster's clock.
func (s *Server) success(r *Request, doc bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(doc) + 200)
	if len(doc) > 5 {
		b.Fields(doc)
	}
	if r.writeConcern != nil {
		b.SetDoc("writeConcernError", r.writeConcern)
		if r.warnLabels != nil {
			labels(b, r.warnLabels)
		}
	}
	b.Double("ok", 1)
	s.clock(b)
	return b.Doc()
}

// failure is the reply of a command that failed.
func (s *Server) failure(err error) bsonval.Doc {
	e := mongoerr.From(err)
	b := bsonval.NewBuilder(256)
	if len(e.Labels) > 0 {
		labels(b, e.Labels)
	}
	b.Double("ok", 0).Str("errmsg", e.Message)
	b.Int32("code", int32(e.Code)).Str("codeName", e.Code.String())
	if e.Info != nil {
		b.Fields(e.Info)
	}
	s.clock(b)
	return b.Doc()
}

// withConcern adds to the reply of a write that found nothing to do, since what it asks
// for is there or what it speaks of isn't, that its write concern can't be satisfied.
func (r *Request) withConcern(reply bsonval.Doc, err error) bsonval.Doc {
	if r.writeConcern == nil || !r.Spec.mayWrite() {
		return reply
	}
	switch mongoerr.From(err).Code {
	case mongoerr.NamespaceExists, mongoerr.NamespaceNotFound, mongoerr.IndexNotFound:
		return bsonval.NewBuilder(len(reply)+200).Fields(reply).SetDoc("writeConcernError", r.writeConcern).Doc()
	}
	return reply
}

func labels(b *bsonval.Builder, names []string) {
	b.OpenArray("errorLabels")
	for _, l := range names {
		b.ItemStr(l)
	}
	b.Close()
}

// clock appends $clusterTime and operationTime, as a replica set's members do.
func (s *Server) clock(b *bsonval.Builder) {
	ts := s.now()
	b.OpenDoc("$clusterTime").Set("clusterTime", ts)
	b.OpenDoc("signature").Set("hash", bsonval.BinaryValue(0, make([]byte, 20))).Int64("keyId", 0)
	b.Close().Close()
	b.Set("operationTime", ts)
}

// now is the newest cluster time.
func (s *Server) now() bsonval.Value {
	ts := s.store.State().TS
	if ts == 0 {
		ts = uint64(s.started.Unix())<<32 | 1
	}
	return bsonval.TimestampOf(ts)
}

// opTime is a position in the log that a replica set would have.
func (s *Server) opTime() bsonval.Doc {
	return bsonval.D(bsonval.E("ts", s.now()), bsonval.E("t", bsonval.LongValue(1)))
}
