package wire

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Compressor is one way to compress messages.
type Compressor interface {
	// Name is what hello negotiates: "snappy", "zlib", "zstd".
	Name() string
	id() byte
	compress(b []byte) ([]byte, error)
	// decompress answers exactly n bytes or an error, and never needs much more.
	decompress(b []byte, n int) ([]byte, error)
}

// Compressors are all that the server knows.
func Compressors() []Compressor { return []Compressor{snappyCoder{}, zstdCoder{}, zlibCoder{}} }

// CompressorNamed answers the compressor with that name, nil for one that isn't known.
func CompressorNamed(name string) Compressor {
	for _, c := range Compressors() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

func compressorOf(id byte) Compressor {
	if id == 0 {
		return noopCoder{}
	}
	for _, c := range Compressors() {
		if c.id() == id {
			return c
		}
	}
	return nil
}

func parseCompressed(id int32, b []byte) (*Message, error) {
	if len(b) < 9 {
		return nil, broken("OP_COMPRESSED of %d bytes", len(b))
	}
	op := int32(binary.LittleEndian.Uint32(b))
	size := int64(int32(binary.LittleEndian.Uint32(b[4:])))
	if size < 0 || size > MaxMessage {
		return nil, broken("compressed message of %d bytes", size)
	}
	c := compressorOf(b[8])
	if c == nil {
		return nil, broken("unknown compressor %d", b[8])
	}
	body, err := c.decompress(b[9:], int(size))
	if err != nil {
		return nil, broken("decompress: %v", err)
	}
	if op == opCompressed {
		return nil, broken("compressed twice")
	}
	m, err := parse(nil, op, id, body)
	if m != nil {
		m.Compressor = c
	}
	return m, err
}

// compressible tells the commands whose replies may be compressed: those with secrets
// and the handshake may not.
func (m *Message) compressible() bool {
	switch m.Body.First().Name {
	case "hello", "isMaster", "ismaster", "saslStart", "saslContinue", "getnonce", "authenticate",
		"createUser", "updateUser", "copydbSaslStart", "copydbgetnonce", "copydb":
		return false
	}
	return true
}

func (m *Message) compressed(replyID, op int32, body []byte) ([]byte, error) {
	packed, err := m.Compressor.compress(body)
	if err != nil {
		return nil, err
	}
	b := make([]byte, headerSize, headerSize+9+len(packed))
	b = binary.LittleEndian.AppendUint32(b, uint32(op))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = append(append(b, m.Compressor.id()), packed...)
	putHeader(b, len(b), replyID, m.ID, opCompressed)
	return b, nil
}

type noopCoder struct{}

func (noopCoder) Name() string                      { return "noop" }
func (noopCoder) id() byte                          { return 0 }
func (noopCoder) compress(b []byte) ([]byte, error) { return b, nil }
func (noopCoder) decompress(b []byte, n int) ([]byte, error) {
	if len(b) != n {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

type snappyCoder struct{}

func (snappyCoder) Name() string                      { return "snappy" }
func (snappyCoder) id() byte                          { return 1 }
func (snappyCoder) compress(b []byte) ([]byte, error) { return snappy.Encode(nil, b), nil }
func (snappyCoder) decompress(b []byte, n int) ([]byte, error) {
	if said, err := snappy.DecodedLen(b); err != nil || said != n {
		return nil, io.ErrUnexpectedEOF
	}
	return snappy.Decode(nil, b)
}

type zlibCoder struct{}

func (zlibCoder) Name() string { return "zlib" }
func (zlibCoder) id() byte     { return 2 }
func (zlibCoder) compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func (zlibCoder) decompress(b []byte, n int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return exactly(r, n)
}

func exactly(r io.Reader, n int) ([]byte, error) {
	out, err := readBody(io.LimitReader(r, int64(n)), n)
	if err != nil {
		return nil, err
	}
	var one [1]byte
	if more, _ := r.Read(one[:]); more != 0 {
		return nil, io.ErrShortBuffer
	}
	return out, nil
}

type zstdCoder struct{}

func (zstdCoder) Name() string { return "zstd" }
func (zstdCoder) id() byte     { return 3 }
func (zstdCoder) compress(b []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(b, nil), w.Close()
}

func (zstdCoder) decompress(b []byte, n int) ([]byte, error) {
	r, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxMessage*2))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return exactly(r, n)
}
