package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// openChangeStream starts a pipeline that begins with $changeStream and sets c's Rows,
// Tailable, Await and PostBatch.
func (s *Server) openChangeStream(*Request, storage.NS, bsonval.Doc, *cursor.Cursor) error {
	return mongoerr.New(mongoerr.NotImplemented, "$changeStream is not implemented yet")
}
