package archive

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// WriteOptions say what goes into an archive; the zero value is all, uncompressed.
type WriteOptions struct {
	Gzip   bool
	Keep   func(storage.NS) bool // nil: every collection
	Server string                // the version that the archive names as its server's
}

// Write writes a state as an archive. The state is one moment: what is written while
// it goes on is not in it. A failed Write leaves a part of an archive in w, which
// Restore refuses.
func Write(ctx context.Context, w io.Writer, s *storage.State, o WriteOptions) (Summary, error) {
	var packed *gzip.Writer
	if o.Gzip {
		packed = gzip.NewWriter(w)
		w = packed
	}
	out := &writer{ctx: ctx, to: bufio.NewWriterSize(w, 64<<10)}
	sum, err := out.all(s, o)
	if err == nil {
		err = out.to.Flush()
	}
	if err == nil && packed != nil {
		err = packed.Close()
	}
	if err != nil {
		return sum, fmt.Errorf("write archive: %w", err)
	}
	return sum, nil
}

type writer struct {
	ctx context.Context
	to  *bufio.Writer // keeps its first error
}

func (w *writer) all(s *storage.State, o WriteOptions) (sum Summary, err error) {
	var keep []source
	for _, c := range s.Collections("") {
		if !theirOwn(c.NS) && (o.Keep == nil || o.Keep(c.NS)) {
			keep = append(keep, sourceOf(s, c))
		}
	}
	if err := w.prelude(keep, o.Server); err != nil {
		return sum, err
	}
	for _, c := range keep {
		if err := w.collection(c.data); err != nil {
			return sum, err
		}
		sum.Collections++
		sum.Documents += int64(c.data.Count())
	}
	return sum, nil
}

func (w *writer) number(n uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], n)
	w.to.Write(b[:]) //nolint:errcheck // Flush tells
}

func (w *writer) prelude(all []source, server string) error {
	w.number(magic)
	var b bsonval.Builder
	b.Int32("concurrent_collections", 1).Str("version", formatVersion).Str("server_version", server).Str("tool_version", toolVersion)
	w.to.Write(b.Doc()) //nolint:errcheck // Flush tells
	for _, c := range all {
		meta, err := metadata(c)
		if err != nil {
			return err
		}
		b.Reset()
		b.Str("db", c.ns.DB).Str("collection", c.ns.Coll).Str("metadata", meta).Int32("size", 0).Str("type", c.kind)
		w.to.Write(b.Doc()) //nolint:errcheck // Flush tells
	}
	w.number(terminator)
	return nil
}

func (w *writer) head(ns storage.NS, eof bool, sum uint64) {
	var b bsonval.Builder
	b.Str("db", ns.DB).Str("collection", ns.Coll).Bool("EOF", eof).Int64("CRC", int64(sum))
	w.to.Write(b.Doc()) //nolint:errcheck // Flush tells
}

// collection writes a collection as one block and its end. A view has no documents.
func (w *writer) collection(c *storage.Collection) error {
	sum := crc64.New(sums())
	w.head(c.NS, false, 0)
	at := c.Natural()
	for ok := at.First(); ok; ok = at.Next() {
		if err := w.ctx.Err(); err != nil {
			return context.Cause(w.ctx)
		}
		sum.Write(at.Value()) //nolint:errcheck // never fails
		if _, err := w.to.Write(at.Value()); err != nil {
			return err
		}
	}
	w.number(terminator)
	w.head(c.NS, true, sum.Sum64())
	w.number(terminator)
	return nil
}
