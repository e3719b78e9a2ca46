package storage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"
)

// The folder holds at most one finished checkpoint, checkpoint-N, and the logs from
// log-N on. A checkpoint is written as a log that makes the whole state; when it is
// finished, older files are removed. Each file begins with magic and holds records:
// length, CRC-32C of the payload, payload; integers are little-endian.
const (
	magic      = "SRMONGO1"
	recordHead = 8
	maxRecord  = 1 << 30
	chunk      = 256 << 10 // bytes of documents a record of a checkpoint
)

type log struct {
	dir   string
	store *Store
	lock  *os.File
	// While replaying:
	names   map[uint64]NS     // what each collection is called
	saved   map[uint64]*State // the states that are gone back to, by number
	wall    time.Time         // of the commit
	horizon bool              // it is known how far the history goes

	asides []Aside // found while replaying

	since uint64 // number of the state of the newest checkpoint that was begun

	again    weak.Pointer[State] // a state from before that, which was gone back to
	againSeq uint64              // the number of the state with the same content

	mu       sync.Mutex // file and sizes, between the writer and the compaction
	file     *os.File
	number   uint64
	size     int64 // bytes of the current log
	buf      []byte
	broken   error // a failed write that could not be undone
	compacts sync.WaitGroup
	busy     bool
}

func crc(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// openLog reads the folder and answers the state that it holds.
func openLog(dir string, s *Store) (*log, *State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open data folder: %w", err)
	}
	lock, err := lockFolder(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, err
	}
	l := &log{dir: dir, store: s, lock: lock, names: map[uint64]NS{}}
	s.log = l
	state, err := l.load()
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	l.names, l.saved = nil, nil
	return l, state, nil
}

// load replays the newest checkpoint and the logs after it, and opens the last log.
func (l *log) load() (*State, error) {
	checkpoints, logs, err := l.files()
	if err != nil {
		return nil, err
	}
	// The quota must not keep what is there from being read.
	opts := l.store.opts
	l.store.opts.Memory, l.store.opts.Collections = 0, 0
	defer func() { l.store.opts = opts }()
	empty := &State{nextID: 1, store: l.store}
	tx := &Tx{store: l.store, base: empty, cur: empty.copy()}
	from := uint64(1)
	if n := len(checkpoints); n > 0 {
		from = checkpoints[n-1]
	}
	logs = slices.DeleteFunc(logs, func(n uint64) bool { return n < from })
	if err := l.findUndone(logs); err != nil {
		return nil, err
	}
	if len(checkpoints) > 0 {
		if _, err := l.read(tx, l.path("checkpoint", from), false); err != nil {
			return nil, err
		}
		l.since = tx.cur.Seq
	}
	l.number = from
	for _, n := range logs {
		size, err := l.read(tx, l.path("log", n), true)
		if err != nil {
			return nil, err
		}
		l.number, l.size = n, size
	}
	if err := l.openFile(l.number); err != nil {
		return nil, err
	}
	l.sweep(from)
	return l.begin(tx.cur)
}

// begin writes where the history starts when no file says it: in a new folder.
func (l *log) begin(s *State) (*State, error) {
	if l.horizon {
		return s, nil
	}
	s.TS = l.store.tick(s.TS + 1)
	l.store.history.clear(s.TS - 1)
	return s, l.append(s, &Commit{Ops: []Op{{Kind: horizon, Record: int64(s.TS - 1)}}})
}

func (l *log) path(kind string, n uint64) string {
	return filepath.Join(l.dir, fmt.Sprintf("%s-%08d", kind, n))
}

func (l *log) files() (checkpoints, logs []uint64, err error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read data folder: %w", err)
	}
	for _, e := range entries {
		kind, number, _ := strings.Cut(e.Name(), "-")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			continue
		}
		switch kind {
		case "checkpoint":
			checkpoints = append(checkpoints, n)
		case "log":
			logs = append(logs, n)
		}
	}
	slices.Sort(checkpoints)
	slices.Sort(logs)
	return checkpoints, logs, nil
}

// sweep removes what a checkpoint has made superfluous.
func (l *log) sweep(from uint64) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		_, number, ok := strings.Cut(e.Name(), "-")
		n, err := strconv.ParseUint(number, 10, 64)
		if ok && err == nil && n < from || strings.HasSuffix(e.Name(), ".new") {
			os.Remove(filepath.Join(l.dir, e.Name())) //nolint:errcheck // tried again at the next start
		}
	}
}

// read replays one file and answers how many bytes of it are good. Each record of a log
// is a commit; a checkpoint is a state at its end alone.
func (l *log) read(tx *Tx, path string, isLog bool) (int64, error) {
	size, err := scan(path, isLog, func(payload []byte) error {
		l.wall, tx.session, tx.number = time.Time{}, nil, 0
		if err := tx.replay(payload); err != nil {
			return err
		}
		if ops := shown(tx.ops); isLog && len(ops) > 0 {
			l.store.history.add(Commit{TS: tx.cur.TS, Seq: tx.cur.Seq, Wall: l.wall, Ops: ops, Session: tx.session, Number: tx.number})
			tx.ops = nil
		}
		tx.ops = tx.ops[:0]
		if isLog {
			l.save(tx)
		}
		return nil
	})
	if !isLog {
		l.save(tx)
	}
	return size, err
}

// scan gives a file's records and answers how many bytes of it are good. A torn end is
// no error in a log; in a checkpoint, which was renamed when it was whole, it is.
func scan(path string, torn bool, each func(payload []byte) error) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != magic {
		if torn && err != nil {
			return 0, nil
		}
		return 0, fmt.Errorf("%s is not one of this engine's files", path)
	}
	good := int64(len(magic))
	for {
		payload, err := readRecord(in)
		if err == io.EOF {
			return good, nil
		}
		if err != nil {
			if torn {
				return good, nil
			}
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		if err := each(payload); err != nil {
			return 0, fmt.Errorf("replay %s: %w", path, err)
		}
		good += int64(len(payload) + recordHead)
	}
}

var errTorn = errors.New("torn record")

func readRecord(in io.Reader) ([]byte, error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(in, head[:]); err == io.EOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, errTorn
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > maxRecord {
		return nil, errTorn
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, errTorn
	}
	if crc(payload) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	return payload, nil
}

// openFile opens a log for appending, cut to its good part.
func (l *log) openFile(n uint64) error {
	f, err := os.OpenFile(l.path("log", n), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	if l.size < int64(len(magic)) {
		l.size = int64(len(magic))
		if _, err := f.WriteAt([]byte(magic), 0); err != nil {
			f.Close()
			return fmt.Errorf("begin log: %w", err)
		}
	}
	if err := f.Truncate(l.size); err != nil {
		f.Close()
		return fmt.Errorf("cut log: %w", err)
	}
	l.file, l.number = f, n
	return nil
}

// append writes one commit. When it returns nil the record is with the kernel: it
// outlives the process, however that ends.
func (l *log) append(s *State, c *Commit) error {
	c.TS, c.Seq = s.TS, s.Seq
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	l.buf = append(l.buf[:0], make([]byte, recordHead)...)
	l.buf = appendCommit(l.buf, c)
	if err := l.write(); err != nil {
		return err
	}
	if cap(l.buf) > 1<<20 {
		l.buf = nil
	}
	return nil
}

// write sends l.buf, whose head is still empty, to the file.
func (l *log) write() error {
	payload := l.buf[recordHead:]
	if len(payload) > maxRecord {
		return fmt.Errorf("a commit of %d bytes is too large", len(payload))
	}
	binary.LittleEndian.PutUint32(l.buf, uint32(len(payload)))
	binary.LittleEndian.PutUint32(l.buf[4:], crc(payload))
	if _, err := l.file.WriteAt(l.buf, l.size); err != nil {
		if cut := l.file.Truncate(l.size); cut != nil {
			l.broken = fmt.Errorf("%w, and cutting it failed: %w", err, cut)
		}
		return err
	}
	l.size += int64(len(l.buf))
	return nil
}

func (l *log) close() error {
	l.compacts.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	l.lock.Close()
	return err
}
