package python

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"storeroom/sandbox/parts"
)

// fork starts a guest whose output the function answers and forgets.
func fork(t *testing.T) (g *Guest, said func() string) {
	t.Helper()
	c, err := Prepare(t.Context(), parts.ForTest(t), parts.CacheDir(), func(p Progress) { t.Log(p) })
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	home, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { home.Close() })
	var out strings.Builder
	files, err := e.Files(FilesConfig{Home: home, Tmp: home, Output: func(_ int, p []byte) error {
		out.Write(p)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if g, err = e.Guest(GuestConfig{Files: files}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g, func() string {
		defer out.Reset()
		return out.String()
	}
}

func runIn(t *testing.T, g *Guest, source string) {
	t.Helper()
	if r, err := g.Turn(t.Context(), Turn{Source: source, Name: "cell.py", Run: time.Minute, Grace: time.Second}); err != nil {
		t.Fatal(r, err)
	}
}

// ownPages counts the pages of memory that a guest does not share with its image.
func ownPages(t *testing.T, g *Guest) int {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	memory, page := g.memory.All(), os.Getpagesize()
	entries := make([]byte, 8*(len(memory)/page))
	if _, err := f.ReadAt(entries, int64(uintptr(unsafe.Pointer(&memory[0]))/uintptr(page)*8)); err != nil {
		t.Fatal(err)
	}
	const present, swapped, fromFile = 1 << 63, 1 << 62, 1 << 61
	own := 0
	for at := 0; at < len(entries); at += 8 {
		if e := binary.LittleEndian.Uint64(entries[at:]); e&(present|swapped) != 0 && e&fromFile == 0 {
			own++
		}
	}
	return own
}

// Reading what is in the image must not copy it: with counted references, going
// through all modules would leave next to no page shared.
func TestForksShareTheImage(t *testing.T) {
	g, _ := fork(t)
	runIn(t, g, `import sys
def touch():
    kept = []
    for module in list(sys.modules.values()):
        for value in list(vars(module).values()):
            kept.append(value)
            if isinstance(value, type):
                kept.extend(vars(value).values())
touch()`)
	const most = 6 << 20
	if own := ownPages(t, g) * os.Getpagesize(); own > most {
		t.Errorf("after reading all modules, %d KiB are the guest's own, want at most %d", own>>10, most>>10)
	}
}

func TestWhatLearnersMakeIsMortal(t *testing.T) {
	g, said := fork(t)
	runIn(t, g, `import sys, json, weakref, storeroom.failure
class Mine: pass
mine = Mine()
for one in json, json.dumps, json.dumps.__code__.co_names[0], sys.modules, sys.stdout, ValueError:
    assert sys._is_immortal(one), one
for one in Mine, mine, [1], 'a' * 99, 10**9, storeroom.failure.reserve[0]:
    assert not sys._is_immortal(one), one
gone = weakref.ref(mine)
del mine
assert gone() is None
json.mine = Mine()
gone = weakref.ref(json.mine)
del json.mine
print(gone())`)
	if got := said(); got != "None\n" {
		t.Errorf("it said %s", got)
	}
}

func TestForksCanNotMakeObjectsImmortal(t *testing.T) {
	g, said := fork(t)
	runIn(t, g, "import _host\ntry: _host.call(b'i' + id([]).to_bytes(4, 'little'))\nexcept OSError: print('refused')")
	if got := said(); got != "refused\n" {
		t.Errorf("it said %s", got)
	}
}

func TestOnlyObjectsBecomeImmortal(t *testing.T) {
	g, _ := fork(t)
	i := &immortals{seen: map[uint32]bool{}}
	for _, at := range []uint32{0, 2, uint32(g.Memory()) - 4, uint32(g.Memory()), 1<<32 - 4} {
		if _, err := i.add(g, binary.LittleEndian.AppendUint32(nil, at)); err == nil {
			t.Errorf("%#x was taken for an object", at)
		}
	}
	if _, err := i.add(g, []byte{1, 2, 3}); err == nil {
		t.Error("three bytes were taken for an address")
	}
}
