package storage

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
)

// maybeCompact starts a checkpoint when the log is much larger than what it makes.
// The writer calls it with the newest state; later commits go to a new log, which is
// the one that the checkpoint is followed by.
func (l *log) maybeCompact(s *State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy || l.size < l.store.opts.MinCompact || l.size < 2*s.Bytes {
		return
	}
	old := l.file
	size := l.size
	l.size = 0
	if err := l.openFile(l.number + 1); err != nil {
		l.file, l.size = old, size
		l.store.opts.Logger.Warn("log not compacted", "error", err)
		return
	}
	old.Close()
	l.busy, l.since = true, s.Seq
	n, h := l.number, l.store.remembered()
	l.compacts.Go(func() {
		err := l.checkpoint(n, s, h)
		l.mu.Lock()
		l.busy = false
		l.mu.Unlock()
		if err != nil {
			l.store.opts.Logger.Warn("log not compacted", "error", err)
			return
		}
		l.sweep(n)
	})
}

// restart makes s all that the folder holds. The writer calls it.
func (l *log) restart(s *State, h history) error {
	l.compacts.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.number + 1
	if err := l.checkpoint(n, s, h); err != nil {
		return err
	}
	l.file.Close()
	l.size, l.since = 0, s.Seq
	if err := l.openFile(n); err != nil {
		l.broken = err
		return err
	}
	l.sweep(n)
	return nil
}

// checkpoint writes a file that makes s and the history before it, under its final name only when it is whole.
func (l *log) checkpoint(n uint64, s *State, h history) error {
	path := l.path("checkpoint", n)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	w := &checkpointer{out: bufio.NewWriterSize(f, 1<<20), state: s}
	w.history(h)
	w.all()
	err = w.err
	if err == nil {
		err = w.out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		os.Remove(path + ".new")
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

type checkpointer struct {
	out   *bufio.Writer
	state *State
	ops   []Op
	bytes int
	err   error
}

func (w *checkpointer) history(h history) {
	_, w.err = w.out.WriteString(magic)
	w.add(Op{Kind: horizon, Record: int64(h.gone)})
	w.flush()
	for i := range h.commits {
		w.record(appendPast(nil, &h.commits[i]))
	}
}

func (w *checkpointer) all() {
	for _, c := range w.state.Collections("") {
		w.add(Op{Kind: Create, Coll: c.ID, NS: c.NS, UUID: c.UUID, After: c.Options})
		for _, ix := range c.Indexes {
			w.add(Op{Kind: CreateIndex, Coll: c.ID, After: ix.Def.Spec})
		}
		cur := c.Records()
		for ok := cur.First(); ok && w.err == nil; ok = cur.Next() {
			w.add(Op{Kind: Insert, Coll: c.ID, Record: cur.Key(), After: cur.Value()})
		}
	}
	turns := w.state.retries.turns.Cursor()
	for ok := turns.First(); ok; ok = turns.Next() {
		w.add(Op{Kind: remember, Retry: w.state.Retry(turns.Value())})
	}
	w.flush()
}

func (w *checkpointer) add(op Op) {
	w.ops = append(w.ops, op)
	if w.bytes += len(op.After) + 32; w.bytes >= chunk {
		w.flush()
	}
}

func (w *checkpointer) flush() {
	if w.err != nil {
		return
	}
	w.record(appendCommit(nil, &Commit{TS: w.state.TS, Seq: w.state.Seq, Ops: w.ops}))
	w.ops, w.bytes = w.ops[:0], 0
}

func (w *checkpointer) record(payload []byte) {
	if w.err != nil {
		return
	}
	var head [recordHead]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(head[4:], crc(payload))
	if _, w.err = w.out.Write(head[:]); w.err == nil {
		_, w.err = w.out.Write(payload)
	}
}
