// Package changestream makes change events of the commits that the storage remembers,
// for aggregate's $changeStream. Package command opens them and keeps their cursors.
package changestream

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// position is a place between events: that of an event within its commit, or after all
// of a commit.
type position struct {
	ts    uint64
	index uint32
	kind  byte

	fragment uint32 // of a split event, how many of its fragments have been given; else 0
}

// What a position is of.
const (
	before = iota // the event is still to come
	ofEvent
	ofInvalidate
	ofCommit // the whole commit has been read
)

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.ts, q.ts), cmp.Compare(p.index, q.index), cmp.Compare(p.kind, q.kind))
}

func afterCommit(ts uint64) position { return position{ts: ts, index: math.MaxUint32, kind: ofCommit} }

// mark begins every token, as it does the server's.
const mark = 0x82

// The lengths of a token, in bytes: one with a fragment ends with that.
const (
	tokenSize    = 14
	fragmentSize = tokenSize + 4
)

// token is the resume token of a position: { _data: "82…" }.
func (p position) token() bsonval.Value {
	b := binary.BigEndian.AppendUint64([]byte{mark}, p.ts)
	b = append(binary.BigEndian.AppendUint32(b, p.index), p.kind)
	if p.fragment > 0 {
		b = binary.BigEndian.AppendUint32(b, p.fragment)
	}
	return bsonval.DocValue(bsonval.D(bsonval.E("_data", bsonval.StringValue(strings.ToUpper(hex.EncodeToString(b))))))
}

// parseToken reads a token that a client brings back in the named option.
func parseToken(option string, v bsonval.Value) (position, error) {
	if v.Type() != bsonval.Object {
		return position{}, wrongType(option, v, "object")
	}
	data := v.Doc().Get("_data")
	if data.Type() != bsonval.String {
		return position{}, mongoerr.New(40647, "Bad resume token: _data of missing or of wrong type. Expected string, got %s", v)
	}
	b, err := hex.DecodeString(data.Str())
	switch {
	case err != nil:
		return position{}, mongoerr.New(mongoerr.FailedToParse, "resume token string was not a valid hex string")
	case len(b) == 0:
		return position{}, mongoerr.New(40649, "invalid empty resume token")
	case len(b) != tokenSize && len(b) != fragmentSize || b[0] != mark || b[13] == before || b[13] > ofCommit:
		return position{}, mongoerr.New(mongoerr.InvalidResumeToken, "the resume token is not one of this server: %s", v)
	}
	p := position{ts: binary.BigEndian.Uint64(b[1:]), index: binary.BigEndian.Uint32(b[9:]), kind: b[13]}
	if len(b) == fragmentSize {
		p.fragment = binary.BigEndian.Uint32(b[tokenSize:])
	}
	return p, nil
}
