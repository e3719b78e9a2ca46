package command

import (
	"slices"
	"strings"
	"sync/atomic"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Spec is one command.
type Spec struct {
	Name    string
	Aliases []string
	Fields  string // the names of its own fields, with spaces between; "*" takes any
	Run     func(r *Request) (bsonval.Doc, error)
	Admin   bool // only on the admin database
	Legacy  bool // may come as OP_QUERY
	Write   bool // it writes: a txnNumber without autocommit makes it retryable
	InTxn   bool // may run in a transaction
	NoAuth  bool // may run before authentication
	OwnTime bool // maxTimeMS isn't a deadline of the command: getMore, hello
	// NoSession leaves lsid alone, which these commands speak of themselves.
	NoSession bool
	Help      string

	runs, failures atomic.Int64 // how often it was run, and failed
}

// tables are the commands, one table a file.
func (s *Server) tables() [][]Spec {
	return [][]Spec{
		s.handshakeCommands(),
		s.writeCommands(),
		s.bulkCommands(),
		s.queryCommands(),
		s.cursorCommands(),
		s.aggregateCommands(),
		s.collectionCommands(),
		s.modifyCommands(),
		s.indexCommands(),
		s.sessionCommands(),
		s.transactionCommands(),
		s.diagnosticCommands(),
		s.hostCommands(),
		s.logCommands(),
		s.fsyncCommands(),
		s.operationCommands(),
		s.parameterCommands(),
		s.clusterParameterCommands(),
		s.writeBlockCommands(),
		s.failPointCommands(),
		s.userCommands(),
		s.roleCommands(),
		s.applyCommands(),
		s.authCommands(),
		s.explainCommands(),
		s.planCacheCommands(),
		s.refusedCommands(),
		s.profileCommands(),
		s.cappedCommands(),
	}
}

// commandNames are the commands in order, without their other names.
func (s *Server) commandNames() []string {
	names := make([]string, 0, len(s.specs))
	for name, sp := range s.specs {
		if name == sp.Name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// mayWrite tells the commands that have a write concern.
func (sp *Spec) mayWrite() bool {
	switch sp.Name {
	case "create", "drop", "dropDatabase", "createIndexes", "dropIndexes", "renameCollection", "collMod", "aggregate",
		"commitTransaction", "abortTransaction", "createUser", "dropUser", "updateUser":
		return true
	}
	return sp.Write
}

// help answers the option help: true.
func (r *Request) help() (bsonval.Doc, error) {
	return bsonval.D(bsonval.E("help", bsonval.StringValue("help for: "+r.Spec.Name+" "+r.Spec.help()))), nil
}

func (sp *Spec) help() string {
	if sp.Help == "" {
		return "no help defined"
	}
	return sp.Help
}

// secret tells the commands that carry passwords, which nobody else is shown.
func (sp *Spec) secret() bool {
	switch sp.Name {
	case "createUser", "updateUser", "saslStart", "saslContinue", "hello", "isMaster":
		return true
	}
	return false
}

func (sp *Spec) knows(field string, body bsonval.Doc) bool {
	if sp.Fields == "*" || field == body.First().Name {
		return true
	}
	for f := range strings.FieldsSeq(sp.Fields) {
		if f == field {
			return true
		}
	}
	return false
}
