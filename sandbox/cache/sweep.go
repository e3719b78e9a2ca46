package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What is kept of a version of Storeroom that no process uses now. A change of Storeroom
// makes an image of about 120 MB, and who changes it often should not pay for each.
const (
	KeepFor    = 14 * 24 * time.Hour // after its last use
	KeepNewest = 3                   // versions, the running ones counted too
	justUsed   = time.Hour           // keeps a version beyond these
)

// gone begins the names, in usesFolder, of entries that are being removed.
const gone = "gone-"

// use is a version's file in usesFolder.
type use struct {
	path    string
	last    time.Time
	running bool
	needs   []string
}

// Sweep removes what no version of Storeroom uses that is running or was used lately, and
// answers how many bytes that has freed. An entry that no version lists stays for KeepFor.
// While another process fetches or prepares nothing is removed.
func Sweep(dir string, now time.Time) (freed int64, err error) {
	folder := filepath.Join(dir, usesFolder)
	lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // nobody has held it yet
	}
	if err != nil {
		return 0, fmt.Errorf("sweep the cache: %w", err)
	}
	defer lock.Close()
	if own(lock) != nil {
		return 0, nil
	}
	uses, err := readUses(folder)
	if err != nil {
		return 0, fmt.Errorf("sweep the cache: %w", err)
	}
	listed, old := map[string]bool{}, []use{}
	for i, u := range uses {
		age := now.Sub(u.last)
		live := u.running || age < justUsed || i < KeepNewest && age < KeepFor
		for _, name := range u.needs {
			listed[name] = listed[name] || live
		}
		if !live {
			old = append(old, u)
		}
	}
	freed, err = sweep(dir, listed, now)
	for _, u := range old {
		err = errors.Join(err, os.Remove(u.path))
	}
	if err != nil {
		return freed, fmt.Errorf("sweep the cache: %w", err)
	}
	return freed, nil
}

// sweep removes the entries that are not listed as needed.
func sweep(dir string, listed map[string]bool, now time.Time) (freed int64, err error) {
	left, _ := filepath.Glob(filepath.Join(dir, usesFolder, gone+"*")) // of a sweep that was killed
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		for _, path := range found {
			name, _ := filepath.Rel(dir, path)
			needed, known := listed[beside(filepath.ToSlash(name))]
			info, failed := os.Lstat(path)
			if needed || failed != nil || !known && now.Sub(info.ModTime()) < KeepFor {
				continue
			}
			bytes, failed := remove(dir, path)
			freed, err = freed+bytes, errors.Join(err, failed)
		}
	}
	return freed, err
}

// remove takes an entry out of its place whole before its files go: half an entry would
// pass for one.
func remove(dir, path string) (bytes int64, err error) {
	bytes = size(path)
	to := filepath.Join(dir, usesFolder, gone+filepath.Base(path))
	if err := os.Rename(path, to); err != nil {
		return 0, err
	}
	return bytes, os.RemoveAll(to)
}

// readUses answers the versions' files, the one that was used last first.
func readUses(folder string) ([]use, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var uses []use
	for _, file := range files {
		if file.Name() == lockName || strings.HasPrefix(file.Name(), gone) {
			continue
		}
		u, err := readUse(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		uses = append(uses, u)
	}
	slices.SortFunc(uses, func(a, b use) int { return b.last.Compare(a.last) })
	return uses, nil
}

func readUse(path string) (use, error) {
	u := use{path: path}
	f, err := os.Open(path)
	if err != nil {
		return u, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return u, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return u, err
	}
	u.last, u.needs, u.running = info.ModTime(), strings.Fields(string(text)), own(f) != nil
	return u, nil
}

// InUse tells whether a process uses the cache folder, or prepares it, right now.
func InUse(dir string) bool {
	folder := filepath.Join(dir, usesFolder)
	if lock, err := os.Open(filepath.Join(folder, lockName)); err == nil {
		defer lock.Close()
		if own(lock) != nil {
			return true
		}
	}
	uses, _ := readUses(folder) // a folder that can't be read holds nobody's lock that we could see
	return slices.ContainsFunc(uses, func(u use) bool { return u.running })
}

// size adds up what an entry takes on disk, in bytes. Images have holes.
func size(path string) (total int64) {
	filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what can't be looked at counts nothing
		}
		if info, err := entry.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				total += stat.Blocks * 512
			}
		}
		return nil
	})
	return total
}
