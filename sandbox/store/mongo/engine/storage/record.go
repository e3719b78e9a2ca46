package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// A log record's payload is the commit's cluster time and number, then its operations:
// a kind byte and what that kind needs. Numbers are varints, texts and documents have
// their length before them.

func appendCommit(dst []byte, c *Commit) []byte {
	dst = binary.AppendUvarint(dst, c.TS)
	dst = binary.AppendUvarint(dst, c.Seq)
	if !c.Wall.IsZero() {
		dst = appendOp(dst, &Op{Kind: stamp, Record: c.Wall.UnixMilli()})
	}
	if c.Session != nil {
		dst = appendOp(dst, &Op{Kind: transaction, Record: c.Number, After: c.Session})
	}
	for i := range c.Ops {
		dst = appendOp(dst, &c.Ops[i])
		if c.Ops[i].Edits != nil {
			dst = appendEdits(append(dst, byte(edits), 0), c.Ops[i].Edits)
		}
	}
	return dst
}

func appendOp(dst []byte, op *Op) []byte {
	dst = append(dst, byte(op.Kind))
	dst = binary.AppendUvarint(dst, op.Coll)
	switch op.Kind {
	case Insert, Update, Replace:
		dst = binary.AppendVarint(dst, op.Record)
		dst = append(dst, op.After...)
	case Delete:
		dst = binary.AppendVarint(dst, op.Record)
	case Create:
		dst = append(dst, op.UUID[:]...)
		dst = appendString(appendString(dst, op.NS.DB), op.NS.Coll)
		dst = appendOptions(dst, op.After)
	case SetOptions, CreateIndex:
		dst = appendString(dst, op.Name)
		dst = appendOptions(dst, op.After)
	case Rename:
		dst = appendString(appendString(dst, op.To.DB), op.To.Coll)
	case DropIndex, forget:
		dst = appendString(dst, op.Name)
	case DropDatabase:
		dst = appendString(dst, op.NS.DB)
	case Modify:
		dst = append(appendMaybe(dst, op.Before), op.After...)
	case Note:
		dst = append(dst, op.After...)
	case remember:
		dst = appendRetry(dst, op.Retry)
	case stamp, horizon:
		dst = binary.AppendVarint(dst, op.Record)
	case transaction:
		dst = append(binary.AppendVarint(dst, op.Record), op.After...)
	case undo:
		dst = appendString(binary.AppendVarint(dst, op.Record), op.Name)
	}
	return dst
}

func appendVarints(dst []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendOptions(dst []byte, d bsonval.Doc) []byte {
	if d == nil {
		d = bsonval.EmptyDoc()
	}
	return append(dst, d...)
}

var errShort = errors.New("record ends too early")

// reader reads a payload. The first failure stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uvarint() uint64 {
	u, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return u
}

func (r *reader) varint() int64 {
	i, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return i
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail(errShort)
		return make([]byte, max(0, min(n, 16)))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) string() string { return string(r.bytes(int(min(r.uvarint(), 1<<30)))) }

// doc answers a copy, which outlives the file's buffer.
func (r *reader) doc() bsonval.Doc {
	n := bsonval.Size32(r.b)
	if n < 0 {
		r.fail(errShort)
		return bsonval.EmptyDoc()
	}
	return bsonval.Doc(r.bytes(n)).Clone()
}

// replay applies one record's payload to the Tx, whose ops it leaves for the history.
func (tx *Tx) replay(payload []byte) error {
	r := &reader{b: payload}
	ts, seq := r.uvarint(), r.uvarint()
	if len(r.b) > 0 && Kind(r.b[0]) == past {
		r.bytes(1)
		tx.store.history.add(r.past(ts, seq))
		return r.err
	}
	tx.cur.TS, tx.cur.Seq = ts, seq
	for len(r.b) > 0 {
		if err := tx.replayOp(r); err != nil {
			return err
		}
	}
	return r.err
}

func (tx *Tx) replayOp(r *reader) error {
	op := Op{Kind: Kind(r.bytes(1)[0]), Coll: r.uvarint()}
	switch op.Kind {
	case Insert, Update, Replace:
		op.Record, op.After = r.varint(), r.doc()
	case Delete:
		op.Record = r.varint()
	case Create:
		copy(op.UUID[:], r.bytes(16))
		op.NS = NS{r.string(), r.string()}
		op.After = r.doc()
	case SetOptions, CreateIndex:
		op.Name, op.After = r.string(), r.doc()
	case Rename:
		op.To = NS{r.string(), r.string()}
	case DropIndex, forget:
		op.Name = r.string()
	case DropDatabase:
		op.NS.DB = r.string()
	case Modify:
		op.Before, op.After = r.maybe(), r.doc()
	case Note:
		op.After = r.doc()
	case remember:
		op.Retry = r.retry()
	case stamp, horizon:
		op.Record = r.varint()
	case transaction:
		op.Record, op.After = r.varint(), r.doc()
	case undo:
		op.Record, op.Name = r.varint(), r.string()
	case edits:
		op.Edits = r.edits()
	case Drop:
	default:
		return fmt.Errorf("unknown operation %d", op.Kind)
	}
	if r.err != nil {
		return r.err
	}
	if done, err := tx.replayOwn(op); done {
		return err
	}
	ns, ok := tx.store.log.names[op.Coll]
	if !ok {
		return fmt.Errorf("unknown collection %d", op.Coll)
	}
	op.NS = ns
	if err := tx.redoAt(op); err != nil {
		return err
	}
	switch op.Kind {
	case Rename:
		tx.store.log.names[op.Coll] = op.To
	case Drop:
		delete(tx.store.log.names, op.Coll)
	}
	return nil
}

// replayOwn applies the operations that are on no collection that is there.
func (tx *Tx) replayOwn(op Op) (done bool, err error) {
	switch op.Kind {
	case Create:
		return true, tx.recreate(op)
	case DropDatabase:
		tx.MarkDropped(op.NS.DB)
	case Note:
		tx.MarkNote(op.After)
	case remember:
		tx.remember(*op.Retry)
	case forget:
		tx.forget(op.Name)
	case stamp:
		tx.store.log.wall = time.UnixMilli(op.Record)
	case horizon:
		tx.store.history.clear(uint64(op.Record))
		tx.store.log.horizon = true
	case transaction:
		tx.session, tx.number = op.After, op.Record
	case edits:
		if n := len(tx.ops); n > 0 {
			tx.ops[n-1].Edits = op.Edits
		}
	case undo:
		return true, tx.replayUndo(op)
	default:
		return false, nil
	}
	return true, nil
}

// recreate makes a collection with the number that it had.
func (tx *Tx) recreate(op Op) error {
	op.After = tx.soundOptions(op)
	c := &Collection{NS: op.NS, ID: op.Coll, UUID: op.UUID, Options: op.After, next: 1}
	tx.cur.nextID = max(tx.cur.nextID, op.Coll+1)
	tx.put(c)
	tx.store.log.names[op.Coll] = op.NS
	tx.ops = append(tx.ops, op)
	return nil
}

// redoAt applies an operation whose record ids are given.
func (tx *Tx) redoAt(op Op) error {
	switch op.Kind {
	case Insert, Update, Replace:
		c := tx.own(op.NS)
		before, _ := c.records.Get(op.Record)
		c.next = max(c.next, op.Record+1)
		op.Before, op.UUID = before, c.UUID
		tx.ops = append(tx.ops, op)
		return tx.change(c, op.Record, before, op.After)
	case Delete:
		return tx.Delete(op.NS, op.Record)
	case CreateIndex, DropIndex:
		return tx.redoIndex(op)
	case SetOptions:
		op.After = tx.soundOptions(op)
	}
	return tx.apply(op)
}

// apply does an operation on the catalogue.
func (tx *Tx) apply(op Op) error {
	switch op.Kind {
	case Create:
		_, err := tx.Create(op.NS, op.After, &op.UUID)
		return err
	case Drop:
		return tx.Drop(op.NS)
	case Rename:
		return tx.Rename(op.NS, op.To)
	case SetOptions:
		return tx.SetOptions(op.NS, op.After)
	case DropIndex:
		return tx.DropIndex(op.NS, op.Name)
	case CreateIndex:
		def, err := index.Parse(op.After)
		if err != nil {
			return err
		}
		if op.Name != "" {
			return tx.ReplaceIndexDef(op.NS, def)
		}
		return tx.CreateIndex(nil, op.NS, def)
	case DropDatabase:
		tx.MarkDropped(op.NS.DB)
	case Modify:
		tx.MarkModified(tx.cur.Collection(op.NS), op.Before, op.After)
	case remember:
		tx.Remember(*op.Retry)
	}
	return nil
}
