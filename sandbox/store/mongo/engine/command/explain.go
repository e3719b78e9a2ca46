package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// explainCommands tell how a command would be run.
func (s *Server) explainCommands() []Spec { return nil }

func (s *Server) explainAggregate(*Request, storage.NS, bsonval.Doc, string) (bsonval.Doc, error) {
	return nil, mongoerr.New(mongoerr.NotImplemented, "explain is not implemented yet")
}
