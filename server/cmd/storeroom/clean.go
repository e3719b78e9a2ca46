package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"storeroom/sandbox/cache"
)

// clean is the subcommand that removes what Storeroom has put on the machine.
func clean(ctx context.Context, t terminal, args []string) error {
	var f folders
	var yes, keepData, keepCache bool
	flags := newFlags(t, "clean", "[OPTIONS]\n\nRemove the data of all learners and the prepared parts, after asking.")
	flags.BoolVar(&yes, "yes", false, "do not ask")
	flags.BoolVar(&keepData, "keep-data", false, "keep what learners made")
	flags.BoolVar(&keepCache, "keep-cache", false, "keep the prepared parts")
	folderFlags(flags, &f, "cache", "data")
	if err := parse(t, flags, args); err != nil {
		return err
	}
	f.run = f.data // not used here
	if err := f.check(); err != nil {
		return err
	}
	var going []doomed
	if !keepData {
		going = append(going, doomed{f.data, "what learners made", []string{"sandboxes", "seats"}})
	}
	if !keepCache {
		going = append(going, doomed{f.cache, "prepared parts; fetched and made again when needed", []string{"parts", "python", "uses"}})
	}
	return remove(ctx, t, going, yes)
}

// doomed is a folder that clean removes.
type doomed struct {
	path  string
	what  string
	signs []string // what stands in it if it is ours
}

func remove(ctx context.Context, t terminal, going []doomed, yes bool) error {
	var there []doomed
	for _, d := range going {
		if _, err := os.Stat(d.path); err != nil {
			fmt.Fprintf(t.out, "%s is not there\n", d.path)
			continue
		}
		if err := d.check(); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%8s  %s (%s)\n", wholeSize(d.path), d.path, d.what)
		there = append(there, d)
	}
	if len(there) == 0 {
		return nil
	}
	if !yes && !confirmed(t) {
		fmt.Fprintln(t.out, "nothing was removed")
		return errFailed
	}
	for _, d := range there {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.RemoveAll(d.path); err != nil {
			return fmt.Errorf("remove %s: %w", d.path, err)
		}
	}
	fmt.Fprintln(t.out, "removed")
	return nil
}

// check refuses a folder that is not ours or in use. A mistyped --data must not cost
// somebody their home.
func (d doomed) check() error {
	ours := false
	for _, sign := range d.signs {
		if _, err := os.Stat(filepath.Join(d.path, sign)); err == nil {
			ours = true
		}
	}
	if entries, err := os.ReadDir(d.path); err == nil && len(entries) == 0 {
		ours = true
	}
	if !ours {
		return fmt.Errorf("%s does not look like a folder of Storeroom's: it holds none of %s; remove it yourself if it is one", d.path, strings.Join(d.signs, ", "))
	}
	if cache.InUse(d.path) {
		return fmt.Errorf("a Storeroom that runs uses %s: stop it first", d.path)
	}
	lock, err := os.Open(filepath.Join(d.path, "lock"))
	if err != nil {
		return nil
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return fmt.Errorf("a Storeroom that runs uses %s: stop it first", d.path)
	}
	return nil
}

func confirmed(t terminal) bool {
	fmt.Fprint(t.out, "remove all of this? It can't be taken back. Type yes: ")
	answer, _ := bufio.NewReader(t.in).ReadString('\n')
	return strings.TrimSpace(strings.ToLower(answer)) == "yes"
}

// wholeSize adds up the files of a folder, for a person to read.
func wholeSize(dir string) string {
	var total int64
	// What can't be read counts nothing; the figure is for orientation.
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return readable(total)
}

// readable is a number of bytes for a person.
func readable(total int64) string {
	switch {
	case total >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(total)/(1<<30))
	case total >= 1<<20:
		return fmt.Sprintf("%d MiB", total>>20)
	}
	return fmt.Sprintf("%d KiB", total>>10)
}
