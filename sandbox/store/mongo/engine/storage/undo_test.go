package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// dump is everything that a state holds, as text.
func dump(s *State) string {
	out := ""
	for _, c := range s.Collections("") {
		out += fmt.Sprintf("%s %s", c.NS, c.Options)
		for _, ix := range c.Indexes {
			out += fmt.Sprintf(" %s:%d", ix.Def.Name, ix.Len())
		}
		cur := c.Records()
		for ok := cur.First(); ok; ok = cur.Next() {
			out += fmt.Sprintf(" %d=%s", cur.Key(), cur.Value().Get("n"))
		}
		out += "\n"
	}
	return out + fmt.Sprint(s.Bytes-s.retries.bytes)
}

func byN(t testing.TB) *index.Def {
	t.Helper()
	d, err := index.Parse(bsonval.D(
		bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("n", bsonval.IntValue(1))))), bsonval.E("name", bsonval.StringValue("n_1"))))
	must(t, err)
	return d
}

// reopened is the store after a restart; one in memory stays as it is.
func reopened(t testing.TB, s *Store, dir string, opts Options) *Store {
	t.Helper()
	if dir == "" {
		return s
	}
	must(t, s.Close())
	return open(t, dir, opts)
}

// What was there at a snapshot is there again after a restore and after a restart:
// documents, indexes, collections that had been dropped or were made since, and the
// bytes counted.
func TestRestoreBringsAllBack(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir, Options{})
		createTest(t, s)
		must(t, write(t, s, func(tx *Tx) error {
			for i := range 500 {
				if err := put(tx, i, i); err != nil {
					return err
				}
			}
			return tx.CreateIndex(nil, testNS, byN(t))
		}))
		old := s.State()
		want := dump(old)
		spoil := func(n int) {
			must(t, write(t, s, func(tx *Tx) error {
				for i := range 300 {
					if err := put(tx, i, -n); err != nil {
						return err
					}
				}
				if err := tx.DropIndex(testNS, "n_1"); err != nil {
					return err
				}
				if _, err := tx.Create(NS{"test", fmt.Sprint("new", n)}, nil, nil); err != nil {
					return err
				}
				return tx.Rename(testNS, NS{"test", "moved"})
			}))
		}
		for n := range 3 {
			spoil(n)
			must(t, s.Restore(context.Background(), old, ""))
			if got := dump(s.State()); got != want {
				t.Fatalf("restored:\n%.300s\nwant:\n%.300s", got, want)
			}
		}
		must(t, write(t, s, func(tx *Tx) error { return put(tx, 1000, 1) }))
		want = dump(s.State())
		s = reopened(t, s, dir, Options{})
		if got := dump(s.State()); got != want {
			t.Fatalf("after a restart:\n%.300s\nwant:\n%.300s", got, want)
		}
		s.Close()
	}
}

// A restore is a few bytes in the log, and a checkpoint between it and the snapshot
// does no harm.
func TestRestoreIsSmallInTheLogAndOutlivesCheckpoints(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{MinCompact: 1 << 20})
	createTest(t, s)
	must(t, write(t, s, func(tx *Tx) error {
		for i := range 1000 {
			if err := put(tx, i, i); err != nil {
				return err
			}
		}
		return nil
	}))
	old, want := s.State(), dump(s.State())
	must(t, write(t, s, func(tx *Tx) error { return put(tx, 1, -1) }))
	before := s.log.size
	must(t, s.Restore(context.Background(), old, ""))
	if grown := s.log.size - before; grown > 100 {
		t.Errorf("a restore took %d bytes of log", grown)
	}
	for n := 0; s.log.number == 1; n++ {
		must(t, write(t, s, func(tx *Tx) error { return put(tx, n%10, -n) }))
	}
	must(t, s.Restore(context.Background(), old, "")) // older than the checkpoint
	number := s.log.number
	for n := range 3 {
		must(t, write(t, s, func(tx *Tx) error { return put(tx, 3, -n) }))
		must(t, s.Restore(context.Background(), old, ""))
	}
	if s.log.number != number {
		t.Error("each restore to before a checkpoint wrote another one")
	}
	s = reopened(t, s, dir, Options{MinCompact: 1 << 20})
	if got := dump(s.State()); got != want {
		t.Fatalf("%.300s\nwant:\n%.300s", got, want)
	}
	must(t, write(t, s, func(tx *Tx) error { return put(tx, 2, -2) }))
	newer, wantNewer := s.State(), dump(s.State())
	must(t, write(t, s, func(tx *Tx) error { return tx.Drop(testNS) }))
	must(t, s.Restore(context.Background(), newer, "")) // younger than it
	s = reopened(t, s, dir, Options{})
	if got := dump(s.State()); got != wantNewer {
		t.Fatalf("%.300s\nwant:\n%.300s", got, wantNewer)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "checkpoint-*")); len(files) != 1 {
		t.Errorf("checkpoints: %v", files)
	}
	s.Close()
}

// One database goes back alone, also when a collection of its moved to another.
func TestRestoreOfOneDatabase(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir, Options{})
		createTest(t, s)
		other := NS{"other", "o"}
		must(t, write(t, s, func(tx *Tx) error {
			if _, err := tx.Create(other, nil, nil); err != nil {
				return err
			}
			return put(tx, 1, 1)
		}))
		old := s.State()
		must(t, write(t, s, func(tx *Tx) error {
			if err := put(tx, 1, 2); err != nil {
				return err
			}
			if _, err := tx.Insert(other, number(5, 5)); err != nil {
				return err
			}
			return tx.Rename(testNS, NS{"other", "taken"})
		}))
		must(t, s.Restore(context.Background(), old, "test"))
		must(t, write(t, s, func(tx *Tx) error { return put(tx, 2, 2) }))
		for range 2 {
			state := s.State()
			c, taken := state.Collection(testNS), state.Collection(NS{"other", "taken"})
			if c.Count() != 2 || taken.Count() != 1 || state.Collection(other).Count() != 1 {
				t.Fatal(dump(state))
			}
			if c.UUID == taken.UUID || c.ID == taken.ID {
				t.Error("two collections have one identity")
			}
			s = reopened(t, s, dir, Options{})
			if now := s.State().Collection(testNS); now.UUID != c.UUID {
				t.Error("the collection's UUID changed by a restart")
			}
		}
		s.Close()
	}
}

func TestRestoreRefusesAnotherStoresState(t *testing.T) {
	a, b := open(t, "", Options{}), open(t, "", Options{})
	defer a.Close()
	defer b.Close()
	if err := a.Restore(context.Background(), b.State(), ""); err == nil {
		t.Error("no error")
	}
}
