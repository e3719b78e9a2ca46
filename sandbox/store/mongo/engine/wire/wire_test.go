package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func frame(op int32, body []byte) []byte {
	b := make([]byte, headerSize, headerSize+len(body))
	putHeader(b, headerSize+len(body), 7, 0, op)
	return append(b, body...)
}

func ping() bsonval.Doc {
	return bsonval.D(bsonval.E("ping", bsonval.IntValue(1)), bsonval.E("$db", bsonval.StringValue("admin")))
}

func msg(flags uint32, sections ...[]byte) []byte {
	return append(flagBytes(flags), bytes.Join(sections, nil)...)
}

func body(d bsonval.Doc) []byte { return append([]byte{0}, d...) }

func sequence(name string, docs ...bsonval.Doc) []byte {
	in := append([]byte(name), 0)
	for _, d := range docs {
		in = append(in, d...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte{1}, uint32(len(in)+4)), in...)
}

func TestMessagesAreRead(t *testing.T) {
	two := []bsonval.Doc{bsonval.EmptyDoc(), bsonval.D(bsonval.E("a", bsonval.IntValue(1)))}
	m, err := Read(bytes.NewReader(frame(opMsg, msg(exhaustAllowed|moreToCome, sequence("documents", two...), body(ping())))))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != 7 || !m.Exhaust || !m.NoReply || !m.Body.Same(ping()) || len(m.Sequences["documents"]) != 2 {
		t.Fatalf("%+v", m)
	}
	query := append([]byte{0, 0, 0, 0}, "admin.$cmd\x00\x00\x00\x00\x00\xff\xff\xff\xff"...)
	m, err = Read(bytes.NewReader(frame(opQuery, append(query, ping()...))))
	if err != nil || !m.Legacy || m.Namespace != "admin.$cmd" || !m.Body.Same(ping()) {
		t.Fatalf("%+v, %v", m, err)
	}
}

func TestChecksumIsCheckedAndAnswered(t *testing.T) {
	b := frame(opMsg, append(msg(checksumPresent, body(ping())), 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	m, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := m.Reply(1, bsonval.EmptyDoc(), false)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Read(bytes.NewReader(reply)); err != nil || !back.Checksum {
		t.Fatalf("%+v, %v", back, err)
	}
	b[20] ^= 1
	if _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrProtocol) {
		t.Fatalf("a wrong checksum: %v", err)
	}
}

func TestCompressorsBringBackTheMessage(t *testing.T) {
	big := bsonval.D(bsonval.E("find", bsonval.StringValue(strings.Repeat("ab", 40_000))))
	for _, c := range append(Compressors(), noopCoder{}) {
		m := &Message{ID: 3, Body: big, Compressor: c}
		b, err := m.Reply(1, big, false)
		if err != nil {
			t.Fatal(err)
		}
		if c.Name() != "noop" && len(b) > len(big)/2 {
			t.Errorf("%s: %d bytes of %d", c.Name(), len(b), len(big))
		}
		back, err := Read(bytes.NewReader(b))
		if err != nil || !back.Body.Same(big) || back.Compressor.Name() != c.Name() {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}
}

func TestBrokenMessagesAreErrors(t *testing.T) {
	bad := ping()
	bad = append(bad[:len(bad)-1:len(bad)-1], 9)
	bomb := make([]byte, 9)
	binary.LittleEndian.PutUint32(bomb, opMsg)
	binary.LittleEndian.PutUint32(bomb[4:], 100)
	bomb[8] = 2
	packed, err := zlibCoder{}.compress(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"too short":        {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"too long":         {255, 255, 255, 127, 0, 0, 0, 0, 0, 0, 0, 0, 221, 7, 0, 0},
		"unknown opcode":   frame(2010, []byte{1, 2, 3, 4}),
		"cut":              frame(opMsg, msg(0, body(ping())))[:30],
		"no body":          frame(opMsg, msg(0)),
		"two bodies":       frame(opMsg, msg(0, body(ping()), body(ping()))),
		"unknown section":  frame(opMsg, msg(0, []byte{7})),
		"unknown flag":     frame(opMsg, msg(4, body(ping()))),
		"bad bson":         frame(opMsg, msg(0, body(bad))),
		"same sequence":    frame(opMsg, msg(0, body(ping()), sequence("a"), sequence("a"))),
		"compressed twice": frame(opCompressed, append([]byte{0xdc, 7, 0, 0, 1, 0, 0, 0, 0}, 1)),
		"a bomb":           frame(opCompressed, append(bomb, packed...)),
	} {
		if m, err := Read(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
	if _, err := Read(bytes.NewReader(nil)); err != io.EOF {
		t.Errorf("end of stream: %v", err)
	}
}

// No bytes make the reader fail in any other way than by an error.
func FuzzRead(f *testing.F) {
	f.Add(frame(opMsg, msg(0, body(ping()), sequence("documents", ping()))))
	f.Add(frame(opMsg, append(msg(checksumPresent, body(ping())), 1, 2, 3, 4)))
	f.Add(frame(opQuery, append(append([]byte{0, 0, 0, 0}, "admin.$cmd\x00\x00\x00\x00\x00\xff\xff\xff\xff"...), ping()...)))
	for _, c := range Compressors() {
		m := &Message{Body: ping(), Compressor: c}
		if b, err := m.Reply(1, bsonval.D(bsonval.E("ok", bsonval.IntValue(1))), false); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(b))
		if err == nil {
			if _, err := m.Reply(1, m.Body, false); err != nil {
				t.Fatal(err)
			}
		}
	})
}
