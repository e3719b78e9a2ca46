package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

func TestOpenSaysWhichFolderToMove(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]host.Config{
		"choose another with --data":      {Data: filepath.Join(file, "data"), Run: filepath.Join(dir, "run")},
		"choose another with --run":       {Data: filepath.Join(dir, "data"), Run: filepath.Join(file, "run")},
		"choose a shorter one with --run": {Data: filepath.Join(dir, "data"), Run: "/tmp/" + strings.Repeat("x", 90)},
	} {
		c.Limits = sandbox.Defaults()
		if _, err := host.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
