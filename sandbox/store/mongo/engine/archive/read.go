package archive

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"hash"
	"hash/crc64"
	"io"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// reader reads an archive's parts and knows which collections it may hold.
type reader struct {
	in   *bufio.Reader
	open map[storage.NS]hash.Hash64 // of the prelude's collections that haven't ended yet
}

// newReader reads the magic number; gzip is undone where it is found.
func newReader(r io.Reader) (*reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if head, err := in.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		packed, err := gzip.NewReader(in)
		if err != nil {
			return nil, corrupt("%w", err)
		}
		in = bufio.NewReaderSize(packed, 64<<10)
	}
	var b [4]byte
	if _, err := io.ReadFull(in, b[:]); err != nil || binary.LittleEndian.Uint32(b[:]) != magic {
		return nil, ErrNotArchive
	}
	return &reader{in: in, open: map[storage.NS]hash.Hash64{}}, nil
}

// next answers the next document, nil at a terminator, io.EOF where the file ends.
// The document is new: it may be kept.
func (r *reader) next() (bsonval.Doc, error) {
	var head [4]byte
	if n, err := io.ReadFull(r.in, head[:]); err != nil {
		if n == 0 && err == io.EOF {
			return nil, io.EOF
		}
		return nil, corrupt("it ends early")
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size == terminator {
		return nil, nil
	}
	if size < 5 || size > maxDocument {
		return nil, corrupt("a document of %d bytes", size)
	}
	doc := make(bsonval.Doc, size)
	copy(doc, head[:])
	if _, err := io.ReadFull(r.in, doc[4:]); err != nil {
		return nil, corrupt("it ends early")
	}
	if err := bsonval.Validate(doc); err != nil {
		return nil, corrupt("%w", err)
	}
	return doc, nil
}

// must is next where the file may not end.
func (r *reader) must() (bsonval.Doc, error) {
	doc, err := r.next()
	if err == io.EOF {
		err = corrupt("it ends early")
	}
	return doc, err
}

// prelude answers the collections of the archive.
func (r *reader) prelude() ([]*described, error) {
	head, err := r.must()
	if err != nil {
		return nil, err
	}
	if v := text(head, "version"); v != formatVersion {
		return nil, corrupt("its format is %q, not %s", v, formatVersion)
	}
	var all []*described
	for {
		doc, err := r.must()
		if err != nil || doc == nil {
			return all, err
		}
		d, err := describe(doc)
		if err != nil {
			return nil, err
		}
		if _, twice := r.open[d.data()]; twice {
			return nil, corrupt("it holds %s twice", d.ns)
		}
		r.open[d.data()] = crc64.New(sums())
		all = append(all, d)
	}
}

// blocks calls each with every document of the archive. Checksums are compared.
func (r *reader) blocks(each func(storage.NS, bsonval.Doc) error) error {
	for {
		head, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := r.block(head, each); err != nil {
			return err
		}
	}
	for ns := range r.open {
		return corrupt("the end of %s is missing", ns)
	}
	return nil
}

func (r *reader) block(head bsonval.Doc, each func(storage.NS, bsonval.Doc) error) error {
	if head == nil {
		return corrupt("a block has no head")
	}
	ns := storage.NS{DB: text(head, "db"), Coll: text(head, "collection")}
	sum := r.open[ns]
	if sum == nil {
		return corrupt("documents of %s, which it doesn't announce or has ended", ns)
	}
	end := head.Get("EOF").Truth()
	for {
		doc, err := r.must()
		switch {
		case err != nil:
			return err
		case doc == nil && !end:
			return nil
		case doc == nil:
			delete(r.open, ns)
			if crc := head.Get("CRC").Long(); uint64(crc) != sum.Sum64() {
				return corrupt("the checksum of %s differs", ns)
			}
			return nil
		case end:
			return corrupt("documents after the end of %s", ns)
		}
		sum.Write(doc) //nolint:errcheck // never fails
		if err := each(ns, doc); err != nil {
			return err
		}
	}
}
