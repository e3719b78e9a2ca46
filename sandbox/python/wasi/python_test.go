package wasi_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
	"storeroom/sandbox/python/wasi"
)

// TestFilesInPython runs guest/tests/test_files.py in a guest.
func TestFilesInPython(t *testing.T) {
	source, err := os.ReadFile("../guest/tests/test_files.py")
	if err != nil {
		t.Fatal(err)
	}
	var roots [2]*os.Root
	for i := range roots {
		if roots[i], err = os.OpenRoot(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		defer roots[i].Close()
	}
	e, out := pythontest.ForTest(t), &pythontest.Output{}
	quota := &wasi.Quota{Bytes: 1 << 20, Files: 100}
	files, err := e.Files(python.FilesConfig{Home: roots[0], Tmp: roots[1], Quota: quota, Output: out.Write})
	if err != nil {
		t.Fatal(err)
	}
	g, err := e.Guest(python.GuestConfig{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	r, err := g.Turn(t.Context(), python.Turn{Source: string(source), Name: "test_files.py", Run: time.Minute, Grace: time.Second})
	_, report := out.Take()
	if err != nil || r.End != python.Finished || !strings.HasSuffix(report, "\nOK\n") {
		t.Errorf("%+v %v\n%s", r, err, report)
	}
	if bytes, names := quota.Used(); bytes != 0 || names != 0 {
		t.Errorf("the folders are empty, and %d bytes in %d files are counted", bytes, names)
	}
}
