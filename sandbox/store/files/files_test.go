package files

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"storeroom/sandbox"
)

func home(t *testing.T) (string, *os.Root) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return dir, root
}

func TestANewHomeHasFilesToRead(t *testing.T) {
	dir, root := home(t)
	if err := Seed(root, 0); err != nil {
		t.Fatal(err)
	}
	shelf, err := Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(shelf.Items) != 2 || shelf.Items[0].Name != "file.txt" || shelf.Items[1].Name != "notes.md" {
		t.Errorf("got %+v", shelf.Items)
	}
	if shelf.Detail != fmt.Sprintf("2 files · %d B", len(seeds[0].text)+len(seeds[1].text)) {
		t.Errorf("detail %q", shelf.Detail)
	}
}

func TestLinksAreListedAndNotFollowed(t *testing.T) {
	dir, _ := home(t)
	outside := filepath.Join(t.TempDir(), "secret")
	os.WriteFile(outside, make([]byte, 5000), 0o600)
	os.Symlink(outside, filepath.Join(dir, "link"))
	os.Symlink(filepath.Dir(outside), filepath.Join(dir, "folder"))
	shelf, err := Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if shelf.Detail != "0 files · 0 B" || len(shelf.Items) != 2 || shelf.Items[0].Detail != "link" {
		t.Errorf("got %+v", shelf)
	}
}

func TestALongListIsCutAndCounted(t *testing.T) {
	dir, _ := home(t)
	os.MkdirAll(filepath.Join(dir, "many"), 0o700)
	for i := range sandbox.MaxItems + 7 {
		os.WriteFile(filepath.Join(dir, "many", fmt.Sprintf("%03d", i)), []byte("x"), 0o600)
	}
	shelf, err := Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(shelf.Items) != sandbox.MaxItems || shelf.More != 7 || shelf.Items[0].Name != "many/000" {
		t.Errorf("%d items, %d more, first %q", len(shelf.Items), shelf.More, shelf.Items[0].Name)
	}
}

func TestAMissingHomeIsAnError(t *testing.T) {
	if _, err := Inspect(t.Context(), filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("no error")
	}
}
