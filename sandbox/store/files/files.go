// Package files owns what a learner's home folder starts with and how it is listed.
// The files themselves belong to the learner's Python (sandbox/python/wasi), which
// keeps their quota. sandbox/host calls it, with more rights than the learner has: it
// follows no link and never leaves the folder.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"storeroom/sandbox"
)

// seeds are the files of a new home. The document's first snippet reads file.txt before
// it overwrites it.
var seeds = []struct{ name, text string }{
	{"file.txt", "This text was here before you.\nRead it while it lasts: the next lines of the program replace it.\n"},
	{"notes.md", "# Notes\nYour own folder. Keep what you like here.\n"},
}

// Seed puts the first files into a new home folder, owned by uid (0: by this process's
// user).
func Seed(home *os.Root, uid int) error {
	for _, s := range seeds {
		if err := home.WriteFile(s.name, []byte(s.text), 0o644); err != nil {
			return fmt.Errorf("seed the home folder: %w", err)
		}
		if uid != 0 {
			if err := home.Lchown(s.name, uid, uid); err != nil {
				return fmt.Errorf("seed the home folder: %w", err)
			}
		}
	}
	return nil
}

// mostEntries bounds how many names one look reads; the quota keeps a home below it.
const mostEntries = 20_000

// look is what a walk over a home has found.
type look struct {
	shelf        sandbox.Shelf
	files, names int
	bytes        int64
}

var errTooMany = errors.New("too many names")

// Inspect lists the files below home by their paths, in the order of their names. A
// link is listed as one and not followed.
func Inspect(ctx context.Context, home string) (sandbox.Shelf, error) {
	l := look{shelf: sandbox.Shelf{Store: "files", Title: "Files", Items: []sandbox.Item{}}}
	root, err := os.OpenRoot(home)
	if err != nil {
		return l.shelf, fmt.Errorf("look at the home folder: %w", err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || name == ".":
			return nil // it went away meanwhile, or can't be read: what is left is listed
		case l.names == mostEntries:
			return errTooMany
		}
		l.names++
		l.add(root, name, d)
		return nil
	})
	if err != nil && !errors.Is(err, errTooMany) {
		return l.shelf, fmt.Errorf("look at the home folder: %w", err)
	}
	l.shelf.Detail = fmt.Sprintf("%s · %s", count(l.files, "file"), Size(l.bytes))
	return l.shelf, nil
}

func (l *look) add(root *os.Root, name string, d fs.DirEntry) {
	item := sandbox.Item{Name: filepath.ToSlash(name)}
	switch {
	case d.IsDir():
		if !empty(root, name) {
			return // its files say that it is there
		}
		item.Name, item.Detail = path.Clean(item.Name)+"/", "empty folder"
	case d.Type()&fs.ModeSymlink != 0:
		item.Detail = "link"
	default:
		info, err := d.Info()
		if err != nil {
			return
		}
		l.files++
		l.bytes += info.Size()
		item.Detail = Size(info.Size())
	}
	if len(l.shelf.Items) == sandbox.MaxItems {
		l.shelf.More++
		return
	}
	l.shelf.Items = append(l.shelf.Items, item)
}

func empty(root *os.Root, name string) bool {
	d, err := root.Open(name)
	if err != nil {
		return false
	}
	defer d.Close()
	names, _ := d.Readdirnames(1)
	return len(names) == 0
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Size writes a number of bytes as a person reads it: "34 B", "1.2 kB", "3.0 MB".
func Size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
