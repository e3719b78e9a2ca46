package wasi

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// held is what the folder really holds, each file counted once.
func held(t *testing.T, dirs ...string) (bytes int64, files int) {
	t.Helper()
	seen := map[identity]bool{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
			if err != nil || p == dir {
				return err
			}
			s, err := os.Lstat(p)
			if err != nil {
				return err
			}
			files++
			if !s.IsDir() && !seen[identify(s)] {
				seen[identify(s)] = true
				bytes += s.Size()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return bytes, files
}

func (g *guest) agrees(q *Quota, what string) {
	g.t.Helper()
	bytes, files := q.Used()
	realBytes, realFiles := held(g.t, g.home)
	if bytes != realBytes || files != realFiles {
		g.t.Errorf("after %s: counted %d bytes in %d files, there are %d in %d", what, bytes, files, realBytes, realFiles)
	}
}

func TestQuotaOfBytes(t *testing.T) {
	q := &Quota{Bytes: 100, Files: 50}
	g := newGuest(t, q)
	g.ok(g.writeFile("a", strings.Repeat("a", 60)), "write")
	fd := g.mustOpen("b", oflagCreate, read|write)
	if n, e := g.write(fd, strings.Repeat("b", 60)); e != 0 || n != 40 {
		t.Errorf("wrote %d, errno %d: want what fits", n, e)
	}
	if _, e := g.write(fd, "b"); e != errnoNospc {
		t.Errorf("write over the quota: errno %d", e)
	}
	g.agrees(q, "a full disk")
	if q.Refused() == 0 {
		t.Error("nobody learns that the quota was reached")
	}
	// What does not grow goes on.
	g.ok(g.call("fd_seek", fd, 0, 0, atOut), "seek")
	if n, e := g.write(fd, "BBBB"); n != 4 || e != 0 {
		t.Errorf("overwriting: %d, errno %d", n, e)
	}
	g.ok(g.call("fd_filestat_set_size", fd, 10), "truncate")
	g.agrees(q, "truncating")
	g.want(g.call("fd_filestat_set_size", fd, 41), errnoNospc, "growing by truncate")
	g.ok(g.call("fd_filestat_set_size", fd, 40), "growing to the brim")
	g.ok(g.unlink("a"), "unlink")
	g.agrees(q, "deleting")
	p, n := g.put(atData, "x")
	g.iovec(p, n)
	g.want(g.call("fd_pwrite", fd, atIovec, 1, 1<<40, atOut), errnoNospc, "a hole of a terabyte")
	g.want(g.call("fd_pwrite", fd, atIovec, 1, 1<<63-1, atOut), errnoFbig, "at the end of all numbers")
	g.want(g.call("fd_pwrite", fd, atIovec, 1, 100, atOut), errnoNospc, "a hole up to the quota")
	g.ok(g.call("fd_pwrite", fd, atIovec, 1, 99, atOut), "a hole to the brim")
	g.agrees(q, "holes")
	if bytes, _ := q.Used(); bytes != 100 {
		t.Errorf("%d bytes in use", bytes)
	}
	// Opening to truncate makes room before the write.
	g.ok(g.writeFile("b", "new"), "write")
	g.agrees(q, "truncating at open")
}

func TestQuotaOfFiles(t *testing.T) {
	q := &Quota{Bytes: 1000, Files: 4}
	g := newGuest(t, q)
	g.ok(g.writeFile("f", "x"), "write")
	g.ok(g.mkdir("d"), "mkdir")
	g.ok(g.symlink("f", "l"), "symlink")
	g.ok(g.link("f", "d/h"), "link")
	g.want(g.writeFile("g", "x"), errnoNospc, "a fifth file")
	g.want(g.mkdir("e"), errnoNospc, "a fifth folder")
	g.want(g.symlink("f", "m"), errnoNospc, "a fifth link")
	g.want(g.link("f", "i"), errnoNospc, "a fifth hard link")
	g.ok(g.writeFile("f", "again"), "write to what is there")
	g.agrees(q, "four names")
	g.ok(g.unlink("l"), "unlink")
	g.ok(g.writeFile("g", "x"), "write")
	g.ok(g.rename("g", "f"), "rename over")
	g.agrees(q, "rename over a hard link")
	g.ok(g.unlink("d/h"), "unlink")
	g.ok(g.rmdir("d"), "rmdir")
	g.agrees(q, "deleting")
}

func TestQuotaWithHardLinksAndOpenFiles(t *testing.T) {
	q := &Quota{Bytes: 100, Files: 50}
	g := newGuest(t, q)
	g.ok(g.writeFile("a", strings.Repeat("a", 80)), "write")
	g.ok(g.link("a", "b"), "link")
	g.ok(g.unlink("a"), "unlink")
	g.agrees(q, "unlinking one of two names")
	g.ok(g.link("b", "c"), "link")
	g.ok(g.rename("b", "c"), "rename of two names of one file")
	g.agrees(q, "renaming two names of one file")
	if _, files := q.Used(); files != 2 {
		t.Errorf("%d names, want both", files)
	}
	fd := g.mustOpen("b", 0, read|write)
	g.ok(g.unlink("b"), "unlink")
	g.ok(g.unlink("c"), "unlink")
	if bytes, files := q.Used(); bytes != 80 || files != 0 {
		t.Errorf("an open file without a name counts as %d bytes in %d files", bytes, files)
	}
	g.want(g.writeFile("new", strings.Repeat("x", 30)), errnoSuccess, "write")
	if s, _ := g.stat("new"); s.size != 20 {
		t.Errorf("%d bytes were written beside an open file without a name", s.size)
	}
	g.close(fd)
	g.agrees(q, "closing it")
	g.ok(g.mkdir("d"), "mkdir")
	g.ok(g.mkdir("e"), "mkdir")
	g.ok(g.writeFile("d/f", "12345"), "write")
	g.ok(g.rename("d", "e"), "rename of a folder over an empty one")
	g.agrees(q, "renaming a folder")
}

func TestQuotaCountsWhatIsThere(t *testing.T) {
	q := &Quota{Bytes: 10, Files: 2}
	g := newGuest(t, &Quota{Bytes: 1000, Files: 1000})
	g.ok(g.mkdir("d"), "mkdir")
	for i := range 5 {
		g.ok(g.writeFile(fmt.Sprintf("d/f%d", i), "12345"), "write")
	}
	g.ok(g.symlink("/etc", "out"), "symlink")
	g.ok(g.link("d/f0", "h"), "link")
	again, err := NewFS(Config{Mounts: []Mount{{Guest: "/home/learner", Root: root(t, g.home), Writable: true, Quota: q}}})
	if err != nil {
		t.Fatal(err)
	}
	g.fs = again
	g.agrees(q, "opening")
	// Over the quota, what makes room works and nothing else.
	g.want(g.writeFile("new", "x"), errnoNospc, "write")
	fd := g.mustOpen("d/f0", 0, write)
	g.want(g.call("fd_filestat_set_size", fd, 6), errnoNospc, "grow")
	g.ok(g.call("fd_filestat_set_size", fd, 1), "truncate")
	g.ok(g.unlink("d/f1"), "unlink")
	g.ok(g.rename("d/f2", "d/f3"), "rename over")
	g.agrees(q, "making room")
}

// Two mounts of one root, and mounts that share a quota.
func TestSharedQuota(t *testing.T) {
	q := &Quota{Bytes: 100, Files: 10}
	g := newGuest(t, q)
	g.ok(g.writeFile("a", strings.Repeat("a", 60)), "write")
	fd, e := g.openAt(tmpFD, "b", oflagCreate, write, 0)
	g.ok(e, "open in /tmp")
	if n, _ := g.write(fd, strings.Repeat("b", 60)); n != 40 {
		t.Errorf("%d bytes went to /tmp", n)
	}
	both := root(t, g.home)
	shared, err := NewFS(Config{Mounts: []Mount{{Guest: "/home/learner", Root: both, Writable: true, Quota: q}, {Guest: "/same", Root: both, Writable: true, Quota: q}}})
	if err != nil {
		t.Fatal(err)
	}
	g.fs = shared
	g.agrees(q, "opening the same folder twice")
	g.ok(g.renameTo("a", 4, "c"), "rename between mounts of one root")
	g.agrees(q, "renaming")
}

func TestQuotaOfASecondFS(t *testing.T) {
	q := &Quota{Bytes: 100, Files: 10}
	g := newGuest(t, q)
	fd := g.mustOpen("a", oflagCreate, write)
	g.write(fd, "12345")
	again, err := NewFS(Config{Mounts: []Mount{{Guest: "/home/learner", Root: root(t, g.home), Writable: true, Quota: q}}})
	if err != nil {
		t.Fatal(err)
	}
	g.fs.Close() // late: must not take anything away
	g.fs = again
	g.agrees(q, "closing the first late")
}
