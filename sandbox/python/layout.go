package python

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"storeroom/sandbox/parts"
)

// guestFiles are the Python files that Storeroom puts into every interpreter.
//
//go:embed all:guest
var guestFiles embed.FS

// layout is where Prepare's work is kept, in cacheDir/python. Names carry what the
// files were made from, so several versions of Storeroom can share a cache.
func layout(set *parts.Set, cacheDir string) (Config, error) {
	if set.Wasmtime == "" || set.PythonWasm == "" {
		return Config{}, errors.New("this platform has no ready package of the WebAssembly engine or of Python")
	}
	code, err := codeKey(set)
	if err != nil {
		return Config{}, err
	}
	guest, err := guestKey()
	if err != nil {
		return Config{}, err
	}
	image, err := imageKey(set, code, guest)
	if err != nil {
		return Config{}, err
	}
	dir := filepath.Join(cacheDir, "python")
	return Config{
		Library:    set.Wasmtime,
		Code:       filepath.Join(dir, "code-"+code+"-"+thisBaseline().name+".cwasm"),
		Image:      filepath.Join(dir, "image-"+image),
		Root:       filepath.Join(dir, "root"),
		Guest:      filepath.Join(dir, "guest-"+guest),
		Stdlib:     set.Stdlib,
		Matplotlib: set.MatplotlibData,
		Site:       set.Site,
	}, nil
}

// Cached answers the configuration for Open when everything is prepared. It looks at
// names and sizes only. The error wraps fs.ErrNotExist when Prepare must run first.
func Cached(set *parts.Set, cacheDir string) (Config, error) {
	c, err := layout(set, cacheDir)
	if err != nil {
		return c, fmt.Errorf("find the prepared python: %w", err)
	}
	for _, path := range []string{c.Root, c.Guest} {
		if _, err := os.Stat(path); err != nil {
			return c, fmt.Errorf("find the prepared python: %w", err)
		}
	}
	if _, err := readWhole(c); err != nil {
		return c, fmt.Errorf("find the prepared python: %w", err)
	}
	return c, nil
}

func key(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// codeKey names what is compiled, and by what.
func codeKey(set *parts.Set) (string, error) {
	h := sha256.New()
	for _, path := range []string{set.Wasmtime, set.PythonWasm} {
		if err := sample(h, path); err != nil {
			return "", err
		}
	}
	return key(h), nil
}

// sample adds a file's size and some of its blocks to h. The parts are pinned by
// hashes where they are fetched; here it only has to tell versions apart, and reading
// 100 MB at every start would be felt.
func sample(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := f.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintln(h, s.Size())
	const blocks, block = 64, 4096
	for i := range int64(blocks) {
		if _, err := io.Copy(h, io.NewSectionReader(f, s.Size()/blocks*i, block)); err != nil {
			return err
		}
	}
	return nil
}

// guestKey names Storeroom's own Python files.
func guestKey() (string, error) {
	h := sha256.New()
	err := eachGuestFile(func(path string, text []byte) error {
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
		return nil
	})
	return key(h), err
}

// imageKey names all that an image is booted from.
func imageKey(set *parts.Set, code, guest string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, imageVersion, code, guest, thisBaseline().name, environment, bootStart, rehearsal)
	for _, dir := range []string{set.Site, set.Stdlib} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			s, err := d.Info()
			if err == nil {
				fmt.Fprintln(h, strings.TrimPrefix(path, dir), s.Size())
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return key(h), nil
}

// imageVersion changes when the host's way of booting does, or what it notes of it.
const imageVersion = 3

// eachGuestFile calls do for each embedded file that belongs into the interpreter, by
// its path below /guest, in a fixed order. Tests and leftovers of a local Python stay
// out.
func eachGuestFile(do func(path string, text []byte) error) error {
	return fs.WalkDir(guestFiles, "guest", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "__pycache__" || name == "tests"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".py") || strings.HasPrefix(name, "test_"):
			return nil
		}
		text, err := guestFiles.ReadFile(path)
		if err != nil {
			return err
		}
		return do(strings.TrimPrefix(path, "guest/"), text)
	})
}
