package storage

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

var testNS = NS{"test", "c"}

const childFolder = "MONGO_STORAGE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		writeForEver(dir)
		return
	}
	os.Exit(m.Run())
}

func open(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func idIndex(t testing.TB) *index.Def {
	t.Helper()
	d, err := index.Parse(bsonval.D(
		bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))),
		bsonval.E("name", bsonval.StringValue("_id_")), bsonval.E("unique", bsonval.BoolValue(true))))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t testing.TB, s *Store, do func(tx *Tx) error) error {
	t.Helper()
	tx, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func createTest(t testing.TB, s *Store) {
	t.Helper()
	err := write(t, s, func(tx *Tx) error {
		if _, err := tx.Create(testNS, nil, nil); err != nil {
			return err
		}
		return tx.CreateIndex(nil, testNS, idIndex(t))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func number(id, n int) bsonval.Doc {
	return bsonval.D(bsonval.E("_id", bsonval.IntValue(int32(id))), bsonval.E("n", bsonval.IntValue(int32(n))),
		bsonval.E("pad", bsonval.StringValue(strings.Repeat("x", 100))))
}

// put inserts or updates document id.
func put(tx *Tx, id, n int) error {
	doc := number(id, n)
	if record, ok := tx.Collection(testNS).ByID(doc.Get("_id")); ok {
		return tx.Update(testNS, record, doc, Replace)
	}
	_, err := tx.Insert(testNS, doc)
	return err
}

// writeForEver is the child: it puts documents, says which are acknowledged, and waits
// to be killed. A small MinCompact makes checkpoints happen all the time.
func writeForEver(dir string) {
	s, err := Open(dir, Options{MinCompact: 20_000})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for n := 0; ; n++ {
		tx, _ := s.Begin(context.Background())
		id := rand.IntN(50)
		if err := put(tx, id, n); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		if err := tx.Commit(); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(id, n)
	}
}

// A process that is killed at any moment loses nothing that it acknowledged.
func TestKilledProcessLosesNoAcknowledgedWrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	createTest(t, s)
	s.Close()
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	for round := range rounds {
		acked := killWriter(t, dir, time.Duration(rand.IntN(8000))*time.Microsecond)
		s := open(t, dir, Options{})
		c := s.State().Collection(testNS)
		for id, n := range acked {
			record, ok := c.ByID(bsonval.IntValue(int32(id)))
			doc, _ := c.Get(record)
			if !ok || doc.Get("n").Int64() < int64(n) {
				t.Fatalf("round %d: document %d is %v, acknowledged was %d", round, id, doc, n)
			}
		}
		// numbers begin anew in the next round
		err := write(t, s, func(tx *Tx) error {
			for id := range acked {
				if err := put(tx, id, -1); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func killWriter(t *testing.T, dir string, after time.Duration) map[int]int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[int]int{}
	lines := bufio.NewScanner(out)
	killed := false
	for lines.Scan() {
		id, n, ok := strings.Cut(lines.Text(), " ")
		i, err := strconv.Atoi(id)
		if !ok || err != nil {
			if killed {
				break // half a line
			}
			t.Fatal(lines.Text())
		}
		v, err := strconv.Atoi(n)
		if err == nil {
			acked[i] = v
		}
		if !killed {
			killed = true
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait() //nolint:errcheck // it was killed
	return acked
}

func TestTornTailIsCut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	createTest(t, s)
	for i := range 10 {
		if err := write(t, s, func(tx *Tx) error { return put(tx, i, i) }); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	path := filepath.Join(dir, "log-00000001")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for cut := len(whole); cut > len(magic)+400; cut -= 37 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{})
		n := s.State().Collection(testNS).Count()
		seen[n] = true
		if err := write(t, s, func(tx *Tx) error { return put(tx, 100, 1) }); err != nil {
			t.Fatal(err)
		}
		s.Close()
		s = open(t, dir, Options{})
		if got := s.State().Collection(testNS).Count(); got != n+1 {
			t.Fatalf("after a cut at %d: %d documents, want %d", cut, got, n+1)
		}
		s.Close()
	}
	if len(seen) < 5 {
		t.Fatalf("only %d different counts seen", len(seen))
	}
}

func TestFolderIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	defer s.Close()
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("second open: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFullStoreRefusesAndStillDeletes(t *testing.T) {
	s := open(t, "", Options{Memory: 1 << 20})
	defer s.Close()
	createTest(t, s)
	var err error
	n := 0
	for ; err == nil; n++ {
		err = write(t, s, func(tx *Tx) error { return put(tx, n, n) })
	}
	if !mongoerr.Is(err, mongoerr.OutOfDiskSpace) || n < 1000 {
		t.Fatalf("after %d: %v", n, err)
	}
	must(t, write(t, s, func(tx *Tx) error {
		record, _ := tx.Collection(testNS).ByID(bsonval.IntValue(0))
		return tx.Delete(testNS, record)
	}))
	must(t, write(t, s, func(tx *Tx) error { return put(tx, n, n) }))
	must(t, write(t, s, func(tx *Tx) error { return tx.Drop(testNS) }))
	if b := s.State().Bytes; b != 0 {
		t.Fatalf("%d bytes counted in an empty store", b)
	}
}

func TestTransactionsConflict(t *testing.T) {
	s := open(t, "", Options{})
	defer s.Close()
	createTest(t, s)
	must(t, write(t, s, func(tx *Tx) error { return put(tx, 1, 1) }))
	a, b := s.BeginAt(s.State()), s.BeginAt(s.State())
	must(t, put(a, 1, 10))
	must(t, put(b, 2, 20))
	must(t, a.Claim(testNS, 1))
	if err := b.Claim(testNS, 1); !mongoerr.Is(err, mongoerr.WriteConflict) {
		t.Fatalf("second claim: %v", err)
	}
	must(t, a.Commit())
	must(t, b.Commit()) // another document: no conflict
	c := s.State().Collection(testNS)
	if c.Count() != 2 {
		t.Fatalf("%d documents", c.Count())
	}
	d, e := s.BeginAt(s.State()), s.BeginAt(s.State())
	must(t, put(d, 1, 11))
	must(t, put(e, 1, 12))
	must(t, d.Commit())
	if err := e.Commit(); !mongoerr.Is(err, mongoerr.WriteConflict) {
		t.Fatalf("second commit: %v", err)
	}
}
