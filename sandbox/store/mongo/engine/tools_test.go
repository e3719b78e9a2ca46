package engine

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/archive"
)

// listening serves an engine on a loopback port and answers its address.
func listening(t *testing.T, e *Engine) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "mongodb://" + l.Addr().String()
}

// tool runs one of MongoDB's own tools; MONGO_TOOLS is the folder that has them, if
// they are not on PATH.
func tool(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	program := name
	if dir := os.Getenv("MONGO_TOOLS"); dir != "" {
		program = filepath.Join(dir, name)
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs MongoDB's database tools (%s) on PATH or in the folder MONGO_TOOLS", name)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, said.Bytes())
	}
	return out.Bytes()
}

// differ answers the first lines that differ.
func differ(got, want string) (string, string) {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i], b[i]
		}
	}
	return got[min(len(got), len(want)):], want[min(len(got), len(want)):]
}

// The real mongodump and mongorestore work against the engine, read its archives, and
// it reads theirs.
func TestTheRealToolsAgree(t *testing.T) {
	from := newDB(t, Options{})
	furnish(t, from)
	want := inventory(t, from.e)
	agree := func(what string, e *Engine) {
		t.Helper()
		if line, wanted := differ(inventory(t, e), want); line != wanted {
			t.Errorf("%s: %s\nwant %s", what, line, wanted)
		}
	}
	for _, packed := range []bool{false, true} {
		args := func(uri string) []string {
			all := []string{"--quiet", "--archive", "--uri", uri}
			if packed {
				all = append(all, "--gzip")
			}
			return all
		}
		theirs := tool(t, nil, "mongodump", args(listening(t, from.e))...)
		to := newDB(t, Options{})
		if _, err := to.e.Undump(context.Background(), bytes.NewReader(theirs), archive.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		agree("mongodump's archive, restored by us", to.e)

		ours := dumped(t, from.e, archive.WriteOptions{Gzip: packed})
		to = newDB(t, Options{})
		tool(t, ours, "mongorestore", append(args(listening(t, to.e)), "--bypassDocumentValidation")...)
		agree("our archive, restored by mongorestore", to.e)
	}
}

// An archive that mongodump 100.18.0 made of furnish's database, as it stays readable
// where the tools are not at hand.
func TestAnArchiveOfMongodumpIsRead(t *testing.T) {
	b, err := os.ReadFile("testdata/mongodump-100.18.0.archive.gz")
	if err != nil {
		t.Fatal(err)
	}
	to := newDB(t, Options{})
	sum, err := to.e.Undump(context.Background(), bytes.NewReader(b), archive.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (archive.Summary{Collections: 12, Documents: 16}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
	from := newDB(t, Options{})
	furnish(t, from)
	for _, d := range []db{from, to} {
		if n := d.run(`{"count": "weather"}`).Get("n").Long(); n != 2 {
			t.Errorf("%d measurements", n)
		}
		d.run(`{"delete": "weather", "deletes": [{"q": {}, "limit": 0}]}`) // buckets' ids are new each time
		d.run(`{"dropAllUsersFromDatabase": 1}`)                           // so are salts
	}
	if line, wanted := differ(inventory(t, to.e), inventory(t, from.e)); line != wanted {
		t.Errorf("restored %s\nwant %s", line, wanted)
	}
}
