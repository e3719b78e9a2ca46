package python

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/parts"
)

func TestStripCustom(t *testing.T) {
	const magic = "\x00asm\x01\x00\x00\x00"
	long := strings.Repeat("x", 200)
	got, err := stripCustom([]byte(magic + "\x01\x02ab" + "\x00\xc8\x01" + long + "\x05\x01c" + "\x00\x00"))
	if want := magic + "\x01\x02ab\x05\x01c"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, bad := range []string{"", "\x7fELF....", magic + "\x01\x05ab", magic + "\x01", magic + "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f"} {
		if _, err := stripCustom([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a module", bad)
		}
	}
}

// borrow is a cache folder of its own with the shared cache's compiled code, so that
// only the image has to be made.
func borrow(t *testing.T) (set *parts.Set, cache string, c Config) {
	t.Helper()
	set, cache = parts.ForTest(t), t.TempDir()
	shared, err := Prepare(t.Context(), set, parts.CacheDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = layout(set, cache); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(c.Code), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shared.Code, c.Code); err != nil {
		t.Fatal(err)
	}
	return set, cache, c
}

func TestPrepareMakesWhatIsMissingOrDamaged(t *testing.T) {
	set, cache, want := borrow(t)
	if _, err := Cached(set, cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty cache: %v", err)
	}
	var stages []Stage
	prepare := func() {
		t.Helper()
		stages = nil
		c, err := Prepare(t.Context(), set, cache, func(p Progress) {
			if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
				stages = append(stages, p.Stage)
			}
		})
		if err != nil || c != want {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	// What a Prepare that was stopped has left takes hundreds of megabytes.
	stopped := filepath.Join(filepath.Dir(want.Code), ".new-1")
	if err := os.WriteFile(stopped, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	prepare()
	if len(stages) != 1 || stages[0] != Booting {
		t.Errorf("stages %v, want the boot alone", stages)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(want.Code), ".new-*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	if c, err := Cached(set, cache); err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
	prepare()
	if len(stages) != 0 {
		t.Errorf("the second time went through %v", stages)
	}
	for name, damage := range map[string]func() error{
		"cut short": func() error { return os.Truncate(want.Image, 1<<20) },
		"zeroes": func() error {
			return errors.Join(os.Truncate(want.Image, 0), os.Truncate(want.Image, imageSize(t, want)))
		},
		"no description": func() error { return os.Remove(describes(want.Image)) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		prepare()
		if len(stages) != 1 {
			t.Errorf("after damage (%s) it went through %v", name, stages)
		}
	}
	// Its own file in place of the borrowed one; making it again would take a minute.
	if err := errors.Join(os.Remove(want.Code), os.WriteFile(want.Code, []byte("cut short"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := Cached(set, cache); err == nil {
		t.Error("compiled code that is cut short counts as prepared")
	}
}

func imageSize(t *testing.T, c Config) int64 {
	t.Helper()
	s, err := os.Stat(c.Image)
	if err != nil {
		t.Fatal(err)
	}
	return s.Size()
}

func TestLockMakesOthersWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, func(Progress) { t.Error("waited for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = lock(ctx, path, func(p Progress) {
		if p.Stage != Waiting {
			t.Errorf("stage %v", p.Stage)
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock: %v", err)
	}
	unlock()
	if unlock, err = lock(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestOpenWithoutPrepare(t *testing.T) {
	set := parts.ForTest(t)
	c, err := layout(set, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil {
		t.Error("opened what is not there")
	}
	// Code that is not code must be an error and not a crash.
	if err := os.MkdirAll(filepath.Dir(c.Code), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Code, bytes.Repeat([]byte("junk"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil {
		t.Error("opened junk")
	}
}

func TestWriteSparse(t *testing.T) {
	memory := make([]byte, 10*pageSize)
	copy(memory[3*pageSize+5:], "data")
	path := filepath.Join(t.TempDir(), "image")
	i := &image{Words: make([]word, interruptWords)}
	if err := i.write(path, memory); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, memory) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if back, err := openImage(path); err != nil || back.Size != int64(len(memory)) || back.close() != nil {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestProgressSaysWhatGoesOn(t *testing.T) {
	for p, want := range map[Progress]string{
		{Waiting, 2 * time.Second}:    "waiting: another storeroom prepares Python (2 s)",
		{Compiling, 30 * time.Second}: "compiling Python for this machine, once, about a minute (30 s)",
		{Booting, 0}:                  "starting Python and its libraries, once (0 s)",
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
