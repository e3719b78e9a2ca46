package parts

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// entry is a file of a made-up wheel.
type entry struct {
	name, text string
	mode       os.FileMode
}

// makeWheel writes a wheel that pip accepts into dir and answers its pin.
func makeWheel(t *testing.T, dir, name string, entries ...entry) (pin string) {
	t.Helper()
	file := filepath.Join(dir, name+"-1.0-py3-none-any.whl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	info := name + "-1.0.dist-info/"
	entries = append(entries,
		entry{name: info + "METADATA", text: "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n"},
		entry{name: info + "WHEEL", text: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		entry{name: info + "RECORD"})
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode | 0o600)
		part, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%s==1.0 --hash=sha256:%s\n", name, hex.EncodeToString(sum[:]))
}

// all keeps every file.
func all(p string) (string, bool) { return p, true }

// demoShop is a shop with one part, whose pip looks into the folder index alone.
func demoShop(t *testing.T, index, pin string) shop {
	return shop{
		dir: filepath.Join(t.TempDir(), "parts"), platform: "plan9/mips",
		parts: []part{{
			name: "demo", title: "Demo", pins: pin, bytes: 1000, recipe: "1", place: all,
			tags: map[string]string{everywhere: anyWheel},
			use:  func(set *Set, dir string) { set.Site = dir },
		}},
		pip: pip{python: "python3", env: []string{"PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + index, "PIP_CONFIG_FILE=" + os.DevNull}},
	}
}

func TestAPartIsFetchedOnceAndNeedsNoPythonAfterwards(t *testing.T) {
	index := t.TempDir()
	s := demoShop(t, index, makeWheel(t, index, "demo", entry{name: "demo/run", text: "#!", mode: 0o755}, entry{name: "demo/data", text: "d"}))
	var stages []Stage
	set, err := s.ensure(t.Context(), func(p Progress) { stages = append(stages, p.Stage) })
	if err != nil {
		t.Fatal(err)
	}
	if got := stages[len(stages)-1]; got != Done {
		t.Errorf("the last progress is %v and not Done", got)
	}
	for name, want := range map[string]os.FileMode{"demo/run": 0o755, "demo/data": 0o644, "demo": 0o755 | os.ModeDir} {
		info, err := os.Stat(filepath.Join(set.Site, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	again, err := s.ensure(t.Context(), func(p Progress) { t.Errorf("progress with all there: %v", p) })
	if err != nil || again.Site != set.Site {
		t.Errorf("second call: %v %v", again, err)
	}
}

func TestAnotherFileUnderTheSameNameIsRefused(t *testing.T) {
	index := t.TempDir()
	pin := makeWheel(t, index, "demo", entry{name: "demo/a", text: "good"})
	makeWheel(t, index, "demo", entry{name: "demo/a", text: "evil"})
	s := demoShop(t, index, pin)
	_, err := s.ensure(t.Context(), nil)
	if !errors.Is(err, errDamaged) {
		t.Fatalf("got %v, want %v", err, errDamaged)
	}
	left, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.IsDir() {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestATruncatedDownloadIsRefused(t *testing.T) {
	index := t.TempDir()
	pin := makeWheel(t, index, "demo", entry{name: "demo/a", text: strings.Repeat("a", 9999)})
	if err := os.Truncate(filepath.Join(index, "demo-1.0-py3-none-any.whl"), 300); err != nil {
		t.Fatal(err)
	}
	if _, err := demoShop(t, index, pin).ensure(t.Context(), nil); !errors.Is(err, errDamaged) {
		t.Fatalf("got %v, want %v", err, errDamaged)
	}
}

func TestAVersionThatTheIndexLacksIsNamed(t *testing.T) {
	index := t.TempDir()
	pin := makeWheel(t, index, "demo")
	_, err := demoShop(t, t.TempDir(), pin).ensure(t.Context(), nil)
	if !errors.Is(err, errNoneFound) || !strings.HasPrefix(err.Error(), "Demo: ") {
		t.Fatalf("got %v, want %v", err, errNoneFound)
	}
}

func TestWithoutPythonTheErrorSaysWhatToInstall(t *testing.T) {
	index := t.TempDir()
	s := demoShop(t, index, makeWheel(t, index, "demo"))
	script := func(text string) string {
		name := filepath.Join(t.TempDir(), "python3")
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for python, want := range map[string]error{
		filepath.Join(t.TempDir(), "python3"): errNoPython,
		script("exit 3"):                      errOldPython,
		script("exit 4"):                      errNoPip,
	} {
		s.pip.python = python
		if _, err := s.ensure(t.Context(), nil); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestWhatPipSaysBecomesWhatToDo(t *testing.T) {
	for said, want := range map[string]error{
		"WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip>: Failed to establish a new connection: [Errno -3]')'\nERROR: No matching distribution found for x": errNoNetwork,
		"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.":                                                                 errDamaged,
		"ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device":                                                   errDiskFull,
		"/usr/bin/python3: No module named pip":                                                                                                     errNoPip,
		"ERROR: Could not find a version that satisfies the requirement x==1 (from versions: 0.9)\nERROR: No matching distribution found for x==1":  errNotFound,
		"ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\nERROR: No matching distribution found for x==1": errNoneFound,
	} {
		if err := explain(said, errors.New("exit status 1")); !errors.Is(err, want) {
			t.Errorf("%q became %v, want %v", said, err, want)
		}
	}
	if err := explain("a\nb\nc\nd\n", errors.New("exit status 1")); !strings.HasPrefix(err.Error(), "pip could not fetch it (exit status 1); it said: b / c / d; try again") {
		t.Errorf("an unknown failure became %v", err)
	}
	if err := explain("", errors.New("signal: killed")); !errors.Is(err, errKilled) {
		t.Errorf("a killed pip became %v", err)
	}
}

func TestAnInterruptedFetchLeavesNoPartAndTheNextOneCleansUp(t *testing.T) {
	index := t.TempDir()
	s := demoShop(t, index, makeWheel(t, index, "demo", entry{name: "demo/a", text: "a"}))
	// As a kill would leave it: a temporary folder, and the part's folder without its marker.
	broken := filepath.Join(s.dir, temporary+"1", "tree")
	for _, dir := range []string{broken, s.folder(s.parts[0])} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.cached(); !errors.Is(err, ErrNotFetched) {
		t.Fatalf("a folder without a marker counts: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.ensure(ctx, func(p Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want it cancelled", err)
	}
	if _, err := s.cached(); !errors.Is(err, ErrNotFetched) {
		t.Fatalf("a cancelled fetch counts: %v", err)
	}
	set, err := s.ensure(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(set.Site, "demo", "a")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(broken)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the broken fetch is still there: %v", err)
	}
}

func TestADamagedPartIsFetchedAgain(t *testing.T) {
	index := t.TempDir()
	s := demoShop(t, index, makeWheel(t, index, "demo", entry{name: "demo/a", text: "whole"}, entry{name: "demo/empty"}))
	if _, err := s.ensure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	file, marker := filepath.Join(s.folder(s.parts[0]), "demo", "a"), filepath.Join(s.folder(s.parts[0]), marker)
	good, err := os.ReadFile(marker)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"a marker cut short":  func() error { return os.Truncate(marker, 5) },
		"a marker of nothing": func() error { return os.Truncate(marker, 0) },
		"a file cut short":    func() error { return os.Truncate(file, 2) },
		"a file gone":         func() error { return os.Remove(file) },
	} {
		if err := errors.Join(os.WriteFile(file, []byte("whole"), 0o644), os.WriteFile(marker, good, 0o644)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.cached(); err != nil {
			t.Errorf("a whole part: %v", err)
		}
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.cached(); !errors.Is(err, ErrNotFetched) {
			t.Errorf("%s counts as whole: %v", name, err)
		}
	}
	var said []string
	_, err = s.ensure(t.Context(), func(p Progress) { said = append(said, p.String()) })
	if err != nil || said[0] != "Demo in the cache is damaged: fetching it again" {
		t.Errorf("%v, and it said %q", err, said)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "whole" {
		t.Errorf("afterwards it holds %q, %v", text, err)
	}
}

func TestTwoAtOnceFetchOnce(t *testing.T) {
	index := t.TempDir()
	s := demoShop(t, index, makeWheel(t, index, "demo", entry{name: "demo/a", text: "a"}))
	var mu sync.Mutex
	fetched := 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := s.ensure(t.Context(), func(p Progress) {
				mu.Lock()
				defer mu.Unlock()
				if p.Stage == Done {
					fetched++
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
}

func TestAPartWithoutAWheelIsMissingAndSaysWhy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := newShop(t.TempDir())
	s.platform = "plan9/mips"
	for _, p := range s.parts { // those for every platform count as fetched
		if _, ok := s.tag(p); ok {
			if err := os.MkdirAll(s.folder(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.folder(p), marker), []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	set, err := s.cached()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Missing) != 3 || set.Wasmtime+set.Postgres+set.Valkey != "" {
		t.Fatalf("missing: %+v", set)
	}
	for _, m := range set.Missing {
		if m.Why == "" {
			t.Errorf("%s is missing without a reason", m.Part)
		}
	}
	server := filepath.Join(os.Getenv("PATH"), "redis-server")
	if err := os.WriteFile(server, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if set, err = s.cached(); err != nil || set.Valkey != server || len(set.Missing) != 2 {
		t.Errorf("redis-server on PATH was not taken: %+v %v", set, err)
	}
}

func TestAUserWithoutAHomeIsToldWhatToSet(t *testing.T) {
	if _, err := Ensure(t.Context(), "", nil); err == nil || !strings.Contains(err.Error(), "STOREROOM_CACHE") {
		t.Errorf("got %v", err)
	}
}

func TestACacheThatCanNotBeWrittenIsToBeMoved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), "choose another with --cache") {
		t.Errorf("got %v", err)
	}
	if err := cacheError(syscall.ENOSPC); !errors.Is(err, errDiskFull) {
		t.Errorf("a full disk: %v", err)
	}
}

func TestTheCacheFolderCanBeMoved(t *testing.T) {
	t.Setenv("STOREROOM_CACHE", "/elsewhere")
	if got := CacheDir(); got != "/elsewhere" {
		t.Errorf("got %s", got)
	}
}

func TestProgressReadsWell(t *testing.T) {
	p := Progress{Part: "PostgreSQL 18", Stage: Fetching, N: 4, Of: 5, Bytes: 12 << 20, Total: 24_700_000}
	if got, want := p.String(), "fetching PostgreSQL 18 (4 of 5): 12 of 24 MB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTheRealPartsAreWhole looks at what prepare has fetched on this machine.
func TestTheRealPartsAreWhole(t *testing.T) {
	set := ForTest(t)
	want := map[string][]string{
		filepath.Dir(set.PythonWasm): {"python.wasm", "lib/python315.zip", "mpl-data/matplotlibrc", "mpl-data/fonts/ttf/DejaVuSans.ttf"},
		set.Site:                     {"redis/client.py", "pymongo/__init__.py", "bson/objectid.py", "gridfs/__init__.py", "dns/name.py", "psycopg2/extras.py", "tzdata/zoneinfo/UTC"},
	}
	if set.Wasmtime != "" {
		want[filepath.Dir(set.Wasmtime)] = []string{filepath.Base(set.Wasmtime)}
	}
	if set.Postgres != "" {
		want[set.Postgres] = []string{"bin/postgres", "bin/initdb", "bin/psql", "bin/pg_dump", "share/postgresql/postgres.bki"}
	}
	for dir, names := range want {
		for _, name := range names {
			if _, err := os.Stat(under(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
	native, _ := filepath.Glob(filepath.Join(set.Site, "*", "*.so"))
	if len(native) != 0 {
		t.Errorf("machine code among the guest's libraries: %v", native)
	}
}
