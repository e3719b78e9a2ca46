package parts

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// marker is the file that makes a part's folder count: it names every file with its
// size. A part is unpacked in a temporary folder, marked, and renamed, so a folder
// without it was made by hand.
const marker = ".complete"

// mark writes the marker, on disk before the rename that makes the folder count.
func mark(dir *os.Root) error {
	sizes := map[string]int64{}
	err := fs.WalkDir(dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sizes[name] = info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(sizes)
	if err != nil {
		return err
	}
	f, err := dir.Create(marker)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// marked tells whether dir was whole once.
func marked(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, marker))
	return err == nil
}

// whole tells whether all files that the marker names are there in their sizes. A full
// disk, a power cut or a broken copy of the cache cuts files short, and programs that
// are short crash in ways that tell a person nothing. Contents are not read: that would
// be felt at every start, and pip has compared the hashes.
func whole(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, marker))
	if err != nil {
		return false
	}
	var sizes map[string]int64
	if json.Unmarshal(text, &sizes) != nil || sizes == nil {
		return false
	}
	for name, size := range sizes {
		if info, err := os.Lstat(under(dir, name)); err != nil || info.Size() != size {
			return false
		}
	}
	return true
}
