// Package wire is MongoDB's wire protocol: framing, OP_MSG with its sections and
// checksum, OP_COMPRESSED, and what is left of OP_QUERY. It turns bytes into Messages
// and replies into bytes, trusts nothing that it reads, and runs nothing.
//
// The protocol: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Opcodes.
const (
	opReply      = 1
	opQuery      = 2004
	opCompressed = 2012
	opMsg        = 2013
)

// Flags of OP_MSG.
const (
	checksumPresent = 1 << 0
	moreToCome      = 1 << 1
	exhaustAllowed  = 1 << 16
	knownRequired   = checksumPresent | moreToCome
)

// MaxMessage is the largest message, header included, in bytes.
const MaxMessage = 48_000_000

const headerSize = 16

// maxSequences is how many document sequences a message may have.
const maxSequences = 2

// Message is a request, taken apart and checked: every document is valid BSON.
type Message struct {
	ID         int32
	Body       bsonval.Doc
	Sequences  map[string][]bsonval.Doc // OP_MSG's sections of kind 1; nil: none
	NoReply    bool                     // moreToCome was set
	Exhaust    bool                     // the client takes several replies
	Checksum   bool                     // the request had one: so has the reply
	Legacy     bool                     // OP_QUERY
	Namespace  string                   // OP_QUERY's collection
	Compressor Compressor               // that the request came in; the reply goes in it too
	Bad        error                    // why there is no Body: the content was not in order
}

// ErrProtocol says that the peer broke the protocol: the connection can't go on.
var ErrProtocol = errors.New("protocol error")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// BadMessage is a message whose frame is in order and whose content isn't: it can be
// answered with an error, and the connection goes on.
type BadMessage struct {
	Message *Message
	Err     error
}

func (b *BadMessage) Error() string { return b.Err.Error() }
func (b *BadMessage) Unwrap() error { return b.Err }

// Read reads one message. io.EOF says that the peer closed between two of them.
func Read(r io.Reader) (*Message, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.LittleEndian.Uint32(head[:])))
	if size < headerSize || size > MaxMessage {
		return nil, broken("message of %d bytes", size)
	}
	body, err := readBody(r, int(size)-headerSize)
	if err != nil {
		return nil, err
	}
	id := int32(binary.LittleEndian.Uint32(head[4:]))
	op := int32(binary.LittleEndian.Uint32(head[12:]))
	return parse(head[:], op, id, body)
}

// readBody reads n bytes, without trusting a large n before the bytes are there.
func readBody(r io.Reader, n int) ([]byte, error) {
	const first = 1 << 20
	b := make([]byte, min(n, first))
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, unexpected(err)
	}
	for len(b) < n {
		more := make([]byte, min(n, 4*len(b)))
		copy(more, b)
		if _, err := io.ReadFull(r, more[len(b):]); err != nil {
			return nil, unexpected(err)
		}
		b = more
	}
	return b, nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func parse(head []byte, op, id int32, body []byte) (*Message, error) {
	switch op {
	case opMsg:
		return parseMsg(head, id, body)
	case opQuery:
		return parseQuery(id, body)
	case opCompressed:
		return parseCompressed(id, body)
	}
	return nil, broken("unsupported opcode %d", op)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parseMsg parses OP_MSG. head is nil when it came compressed, without a checksum.
func parseMsg(head []byte, id int32, b []byte) (*Message, error) {
	if len(b) < 4 {
		return nil, broken("OP_MSG of %d bytes", len(b))
	}
	flags := binary.LittleEndian.Uint32(b)
	m := &Message{ID: id, NoReply: flags&moreToCome != 0, Exhaust: flags&exhaustAllowed != 0}
	if flags&0xffff&^knownRequired != 0 {
		return nil, &BadMessage{m, mongoerr.New(mongoerr.IllegalOpMsgFlag, "Message contains illegal flags value: Ob%032b", flags)}
	}
	b = b[4:]
	if flags&checksumPresent != 0 {
		if len(b) < 4 {
			return nil, broken("OP_MSG too short for its checksum")
		}
		n := len(b) - 4
		if head != nil {
			sum := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, flagBytes(flags))
			if sum = crc32.Update(sum, castagnoli, b[:n]); sum != binary.LittleEndian.Uint32(b[n:]) {
				return nil, broken("OP_MSG checksum does not match contents")
			}
			m.Checksum = true
		}
		b = b[:n]
	}
	if err := m.sections(b); err != nil {
		return nil, &BadMessage{m, err}
	}
	return m, nil
}

func flagBytes(flags uint32) []byte { return binary.LittleEndian.AppendUint32(nil, flags) }

// sections reads a body of kind 0, and document sequences of kind 1.
func (m *Message) sections(b []byte) error {
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		n := bsonval.Size32(b)
		switch {
		case kind > 1:
			return mongoerr.New(40432, "Unknown section kind %d", kind)
		case kind == 0:
			if n < 0 {
				return errors.New("invalid length of the body")
			}
			if m.Body != nil {
				return mongoerr.New(40430, "Multiple body sections in message")
			}
			if err := bsonval.Validate(b[:n]); err != nil {
				return err
			}
			m.Body, b = bsonval.Doc(b[:n:n]), b[n:]
		default:
			rest, err := m.sequence(b)
			if err != nil {
				return err
			}
			b = rest
		}
	}
	if m.Body == nil {
		return mongoerr.New(40587, "OP_MSG messages must have a body")
	}
	for name := range m.Sequences {
		if !atPath(m.Body, name).IsMissing() {
			return mongoerr.New(40433, "Duplicate field between body and document sequence %s", name)
		}
	}
	return nil
}

// atPath is a field of a document, or one of a document within.
func atPath(d bsonval.Doc, path string) bsonval.Value {
	name, rest, deeper := strings.Cut(path, ".")
	v := d.Get(name)
	if !deeper || v.Type() != bsonval.Object {
		return d.Get(path)
	}
	return atPath(v.Doc(), rest)
}

func (m *Message) sequence(b []byte) ([]byte, error) {
	if len(b) < 5 {
		return nil, errors.New("document sequence is too short")
	}
	if len(m.Sequences) == maxSequences {
		return nil, mongoerr.New(mongoerr.TooManyDocumentSequences, "Too many document sequences in OP_MSG")
	}
	size := int64(int32(binary.LittleEndian.Uint32(b)))
	if size < 5 || size > int64(len(b)) {
		return nil, errors.New("invalid length of a document sequence")
	}
	in, rest := b[4:size], b[size:]
	end := 0
	for end < len(in) && in[end] != 0 {
		end++
	}
	if end == len(in) {
		return nil, errors.New("document sequence has no name")
	}
	name := string(in[:end])
	if _, twice := m.Sequences[name]; twice {
		return nil, mongoerr.New(40431, "Duplicate document sequence: %s", name)
	}
	docs := []bsonval.Doc{}
	for in = in[end+1:]; len(in) > 0; {
		n := bsonval.Size32(in)
		if n < 0 {
			return nil, errors.New("invalid length of a document in a sequence")
		}
		if err := bsonval.Validate(in[:n]); err != nil {
			return nil, err
		}
		docs = append(docs, bsonval.Doc(in[:n:n]))
		in = in[n:]
	}
	if m.Sequences == nil {
		m.Sequences = map[string][]bsonval.Doc{}
	}
	m.Sequences[name] = docs
	return rest, nil
}

// parseQuery parses OP_QUERY, which only hello still comes in.
func parseQuery(id int32, b []byte) (*Message, error) {
	if len(b) < 4+1+8 {
		return nil, broken("OP_QUERY of %d bytes", len(b))
	}
	b = b[4:]
	end := 0
	for end < len(b) && b[end] != 0 {
		end++
	}
	if end+9 > len(b) {
		return nil, broken("OP_QUERY runs out of its message")
	}
	m := &Message{ID: id, Legacy: true, Namespace: string(b[:end])}
	b = b[end+9:]
	n := bsonval.Size32(b)
	if n < 0 {
		return nil, broken("OP_QUERY without a query")
	}
	if err := bsonval.Validate(b[:n]); err != nil {
		return nil, &BadMessage{m, err}
	}
	m.Body = bsonval.Doc(b[:n:n])
	return m, nil
}

// Reply answers the bytes of the reply to m. more says that another one follows.
func (m *Message) Reply(replyID int32, doc bsonval.Doc, more bool) ([]byte, error) {
	b := make([]byte, headerSize, headerSize+len(doc)+40)
	op := int32(opMsg)
	if m.Legacy {
		op = opReply
		b = binary.LittleEndian.AppendUint32(b, 8) // AwaitCapable
		b = append(b, make([]byte, 8+4)...)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = append(b, doc...)
	} else {
		flags := uint32(0)
		if more {
			flags |= moreToCome
		}
		if m.Checksum {
			flags |= checksumPresent
		}
		b = binary.LittleEndian.AppendUint32(b, flags)
		b = append(append(b, 0), doc...)
	}
	if m.Compressor != nil && m.compressible() {
		return m.compressed(replyID, op, b[headerSize:])
	}
	size := len(b)
	if m.Checksum {
		size += 4
	}
	putHeader(b, size, replyID, m.ID, op)
	if m.Checksum {
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	}
	return b, nil
}

func putHeader(b []byte, size int, id, to, op int32) {
	binary.LittleEndian.PutUint32(b, uint32(size))
	binary.LittleEndian.PutUint32(b[4:], uint32(id))
	binary.LittleEndian.PutUint32(b[8:], uint32(to))
	binary.LittleEndian.PutUint32(b[12:], uint32(op))
}
