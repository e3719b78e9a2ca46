package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/session"
)

// transactionCommands end transactions.
func (s *Server) transactionCommands() []Spec { return nil }

// joinTransaction starts, or goes on with, the transaction that the request names, and
// sets r.Tx. The session is checked out.
func (s *Server) joinTransaction(*Request) error {
	return mongoerr.New(mongoerr.NotImplemented, "transactions are not implemented yet")
}

// leaveTransaction is called after a command in a transaction: an error may end it.
func (s *Server) leaveTransaction(_ *Request, doc bsonval.Doc, err error) (bsonval.Doc, error) {
	return doc, err
}

// labelled adds the error labels that drivers retry by.
func (s *Server) labelled(_ *Request, err error) error { return err }

// abandon ends the session's open transaction, if there is one. The session is
// checked out.
func (s *Server) abandon(*session.Session) {}
