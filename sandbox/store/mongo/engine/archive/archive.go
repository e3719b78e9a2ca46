// Package archive writes a database as the one file that mongodump --archive makes and
// reads such a file: the real mongorestore reads ours, and we read mongodump's.
//
// An archive is a magic number and then blocks. A block is a head, any number of BSON
// documents, and a terminator of four bytes 0xff. The first block is the prelude: who
// wrote it, then one document for each collection with its options and indexes as
// extended JSON. Each block after it has a collection's name as its head and documents
// of it; the blocks of several collections may be mixed. A collection's last block has
// no documents, and in its head EOF and the CRC-64 of all its documents. The whole may
// be compressed by gzip. Format version 0.1, as mongodump 100.x writes it; see
// https://github.com/mongodb/mongo-tools, common/archive.
//
// The engine calls it. It knows states and a Target, never files, sockets or commands.
package archive

import (
	"errors"
	"fmt"
	"hash/crc64"

	"storeroom/sandbox/store/mongo/engine/storage"
)

const (
	magic         uint32 = 0x8199e26d
	terminator    uint32 = 0xffffffff
	formatVersion        = "0.1"
	// toolVersion is the release of the real tools whose archives these are.
	toolVersion = "100.18.0"
	// maxDocument is how large a document of an archive may be, in bytes: as large as
	// one may be inside the server.
	maxDocument = 16<<20 + 16<<10
)

// ErrNotArchive is the error of a file that is no archive at all.
var ErrNotArchive = errors.New("this is not an archive of mongodump --archive")

// corrupt is the error of an archive that is damaged.
func corrupt(format string, a ...any) error {
	return fmt.Errorf("the archive is damaged: "+format, a...)
}

// sums is the table of the archive's checksums.
func sums() *crc64.Table { return crc64.MakeTable(crc64.ECMA) }

// Summary is what was written or restored.
type Summary struct {
	Collections int
	Documents   int64
	Skipped     int64 // documents not restored: there was one with that key already
}

// theirOwn tells the collections that a server keeps for itself: mongodump leaves them
// out, and a restore does too.
func theirOwn(ns storage.NS) bool {
	switch ns.DB {
	case "", "local", "config":
		return true
	case "admin":
		return ns.Coll == "system.keys" || ns.Coll == "system.profile" || special(ns.Coll)
	}
	return hidden(ns.Coll) && ns.Coll != "system.js" || special(ns.Coll)
}
