package storage

import (
	"encoding/binary"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
)

// Change streams resume from commits that were made before the process began. The log
// gives back those since the checkpoint, with what the documents were before; older
// ones that the history still holds are written into the checkpoint.

// appendPast encodes a commit of the history by itself: nothing has to be known of the
// state that it was made on.
func appendPast(dst []byte, c *Commit) []byte {
	dst = binary.AppendUvarint(dst, c.TS)
	dst = binary.AppendUvarint(dst, c.Seq)
	dst = append(dst, byte(past))
	dst = appendVarints(dst, c.Wall.UnixMilli(), c.Number)
	dst = appendMaybe(dst, c.Session)
	for i := range c.Ops {
		op := &c.Ops[i]
		dst = append(dst, byte(op.Kind))
		dst = binary.AppendUvarint(dst, op.Coll)
		dst = binary.AppendVarint(dst, op.Record)
		dst = append(dst, op.UUID[:]...)
		for _, s := range [...]string{op.NS.DB, op.NS.Coll, op.To.DB, op.To.Coll, op.Name} {
			dst = appendString(dst, s)
		}
		dst = appendMaybe(appendMaybe(dst, op.Before), op.After)
		dst = appendEdits(dst, op.Edits)
	}
	return dst
}

// appendMaybe tells no document from an empty one.
func appendMaybe(dst []byte, d bsonval.Doc) []byte {
	if d == nil {
		return append(dst, 0)
	}
	return append(append(dst, 1), d...)
}

func (r *reader) maybe() bsonval.Doc {
	if r.bytes(1)[0] == 0 {
		return nil
	}
	return r.doc()
}

func (r *reader) past(ts, seq uint64) Commit {
	c := Commit{TS: ts, Seq: seq, Wall: time.UnixMilli(r.varint()), Number: r.varint(), Session: r.maybe()}
	for len(r.b) > 0 {
		op := Op{Kind: Kind(r.bytes(1)[0]), Coll: r.uvarint(), Record: r.varint()}
		copy(op.UUID[:], r.bytes(16))
		op.NS = NS{r.string(), r.string()}
		op.To = NS{r.string(), r.string()}
		op.Name = r.string()
		op.Before, op.After = r.maybe(), r.maybe()
		op.Edits = r.edits()
		c.Ops = append(c.Ops, op)
	}
	return c
}

// appendEdits tells no edits, -1, from none at all.
func appendEdits(dst []byte, list []diff.Edit) []byte {
	if list == nil {
		return binary.AppendVarint(dst, -1)
	}
	dst = binary.AppendVarint(dst, int64(len(list)))
	for _, e := range list {
		dst = appendVarints(dst, boolInt(e.Append), int64(len(e.Path)))
		for _, part := range e.Path {
			dst = appendString(dst, part)
		}
	}
	return dst
}

func (r *reader) edits() []diff.Edit {
	n := r.varint()
	if n < 0 {
		return nil
	}
	list := []diff.Edit{}
	for ; n > 0 && r.err == nil; n-- {
		e := diff.Edit{Append: r.varint() != 0}
		for parts := r.varint(); parts > 0 && r.err == nil; parts-- {
			e.Path = append(e.Path, r.string())
		}
		list = append(list, e)
	}
	return list
}
