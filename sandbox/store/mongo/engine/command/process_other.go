//go:build !unix

package command

import "storeroom/sandbox/store/mongo/engine/bsonval"

// openFiles can't be told on this system.
func openFiles() int64 { return 0 }

// statusProcess can't tell on this system what the process has used.
func (s *Server) statusProcess(_ *Request, b *bsonval.Builder) {
	b.Str("note", "fields vary by platform")
}
