package wasi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWriteThenRead(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("file.txt", "Hello World"), "write")
	if got, e := g.readFile("file.txt"); got != "Hello World" || e != 0 {
		t.Errorf("read %q, errno %d", got, e)
	}
	if b, _ := os.ReadFile(filepath.Join(g.home, "file.txt")); string(b) != "Hello World" {
		t.Errorf("on the host: %q", b)
	}
	if s, _ := g.stat("file.txt"); s.size != 11 || s.kind != filetypeRegular || s.links != 1 || s.inode == 0 || time.Since(time.Unix(0, int64(s.changed))) > time.Minute {
		t.Errorf("stat %+v", s)
	}
}

func TestSeekAppendAndPositions(t *testing.T) {
	g := newGuest(t, &Quota{Bytes: 1000, Files: 10})
	const minus3 = 1<<64 - 3
	fd := g.mustOpen("a", oflagCreate, read|write)
	g.write(fd, "0123456789")
	g.ok(g.call("fd_seek", fd, minus3, 2, atOut), "seek")
	if got := g.read(fd, 10); got != "789" {
		t.Errorf("after seek: %q", got)
	}
	p, n := g.put(atData, "AB")
	g.iovec(p, n)
	g.ok(g.call("fd_pwrite", fd, atIovec, 1, 2, atOut), "pwrite")
	g.iovec(atData+100, 4)
	g.ok(g.call("fd_pread", fd, atIovec, 1, 1, atOut), "pread")
	if got := string(g.m[atData+100 : atData+104]); got != "1AB4" {
		t.Errorf("pread %q", got)
	}
	g.ok(g.call("fd_tell", fd, atOut), "tell")
	if g.u64(atOut) != 10 {
		t.Errorf("pread and pwrite moved the position to %d", g.u64(atOut))
	}
	again, e := g.openAt(homeFD, "a", 0, write, fdflagAppend)
	g.ok(e, "open to append")
	g.write(again, "!")
	g.ok(g.call("fd_seek", again, 0, 0, atOut), "seek")
	g.write(again, "!")
	if got, _ := g.readFile("a"); got != "01AB456789!!" {
		t.Errorf("appended: %q", got)
	}
	g.want(g.call("fd_seek", fd, ^uint64(0), 0, atOut), errnoInval, "seek before the start")
	g.want(g.call("fd_seek", 1, 0, 0, atOut), errnoSpipe, "seek of stdout")
	if _, e := g.write(g.mustOpen("a", 0, read), "x"); e != errnoBadf {
		t.Errorf("write to a file opened to read: errno %d", e)
	}
}

func TestOpenFlags(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("f", "x"), "write")
	g.ok(g.mkdir("d"), "mkdir")
	for _, c := range []struct {
		path   string
		oflags uint64
		rights uint64
		want   errno
	}{
		{"missing", 0, read, errnoNoent},
		{"f", oflagCreate | oflagExclusive, write, errnoExist},
		{"f", oflagDirectory, read, errnoNotdir},
		{"f/", 0, read, errnoNotdir},
		{"f/x", 0, read, errnoNotdir},
		{"d", 0, write, errnoIsdir},
		{"d/", oflagCreate, read | write, errnoIsdir},
		{"new/", oflagCreate, write, errnoIsdir},
		{"no/new", oflagCreate, write, errnoNoent},
		{"", 0, read, errnoNoent},
		{strings.Repeat("a", 300), oflagCreate, write, errnoNametoolong},
		{strings.Repeat("a/", 2500), oflagCreate, write, errnoNametoolong},
		{"nul\x00", oflagCreate, write, errnoInval},
	} {
		if _, e := g.openAt(homeFD, c.path, c.oflags, c.rights, 0); e != c.want {
			t.Errorf("open %.20q with %d: errno %d, want %d", c.path, c.oflags, e, c.want)
		}
	}
	if _, e := g.openAt(99, "f", 0, read, 0); e != errnoBadf {
		t.Errorf("descriptor 99: errno %d", e)
	}
	if _, e := g.openAt(g.mustOpen("f", 0, read), "f", 0, read, 0); e != errnoNotdir {
		t.Errorf("a file as folder: errno %d", e)
	}
}

func TestDescriptorsAreBounded(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("f", ""), "write")
	var fds []uint64
	for {
		fd, e := g.openAt(homeFD, "f", 0, read, 0)
		if e != 0 {
			g.want(e, errnoMfile, "one too many")
			break
		}
		fds = append(fds, fd)
	}
	if len(fds) != 40-7 {
		t.Errorf("%d files were open", len(fds))
	}
	g.close(fds[3])
	if fd := g.mustOpen("f", 0, read); fd != fds[3] {
		t.Errorf("descriptor %d, want the lowest free one, %d", fd, fds[3])
	}
}

func TestFolders(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.mkdir("d/"), "mkdir")
	g.want(g.mkdir("d"), errnoExist, "mkdir twice")
	want := map[string]byte{"sub": filetypeDirectory, "link": filetypeSymlink}
	g.ok(g.mkdir("d/sub"), "mkdir")
	g.ok(g.symlink("sub", "d/link"), "symlink")
	for i := range 30 {
		name := fmt.Sprintf("file%02d", i)
		g.ok(g.writeFile("d/"+name, "x"), "write")
		want[name] = filetypeRegular
	}
	if got := g.names(g.mustOpen("d", oflagDirectory, read)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("names %v", got)
	}
	g.want(g.rmdir("d"), errnoNotempty, "rmdir of a full folder")
	g.want(g.rmdir("d/file01"), errnoNotdir, "rmdir of a file")
	g.want(g.unlink("d/sub"), errnoIsdir, "unlink of a folder")
	g.want(g.rmdir("."), errnoBusy, "rmdir of the home")
	g.ok(g.rmdir("d/sub"), "rmdir")
}

func TestRename(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("a", "1"), "write")
	g.ok(g.writeFile("b", "2"), "write")
	g.ok(g.rename("a", "b"), "rename over")
	if got, _ := g.readFile("b"); got != "1" {
		t.Errorf("b holds %q", got)
	}
	g.want(g.rename("a", "c"), errnoNoent, "rename of what is gone")
	g.want(g.renameTo("b", tmpFD, "b"), errnoXdev, "rename to another mount")
	g.want(g.renameTo("b", siteFD, "b"), errnoRofs, "rename to a read-only mount")
	g.ok(g.mkdir("d"), "mkdir")
	g.want(g.rename("d", "d/e"), errnoInval, "rename into itself")
	g.want(g.rename(".", "d"), errnoBusy, "rename of the home")
	g.want(g.rename("b", "d"), errnoIsdir, "rename of a file over a folder")
	g.want(g.rename("d", "b"), errnoNotdir, "rename of a folder over a file")
	g.ok(g.mkdir("d/e"), "mkdir")
	g.ok(g.mkdir("f"), "mkdir")
	g.want(g.rename("d", "d/e"), errnoInval, "rename into itself")
	g.want(g.rename("f", "d"), errnoNotempty, "rename over a full folder")
	g.ok(g.rename("d", "f"), "rename over an empty folder")
	g.ok(g.rename("f", "f"), "rename to itself")
	if _, e := g.stat("f/e"); e != 0 {
		t.Errorf("the folder's contents: errno %d", e)
	}
}

func TestTimes(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("f", "x"), "write")
	g.ok(g.symlink("f", "l"), "symlink")
	p, n := g.put(atPath, "l")
	g.ok(g.call("path_filestat_set_times", homeFD, lookupFollow, p, n, 1e9, 2e9, setAccessed|setModified), "set times")
	if s, _ := g.stat("f"); s.accessed != 1e9 || s.modified != 2e9 {
		t.Errorf("times %d %d", s.accessed, s.modified)
	}
	g.put(atPath, "l")
	g.ok(g.call("path_filestat_set_times", homeFD, 0, p, n, 0, 3e9, setModified), "set times of a link")
	if s, _ := g.lstat("l"); s.modified != 3e9 {
		t.Errorf("the link's time %d", s.modified)
	}
	fd := g.mustOpen("f", 0, read)
	g.ok(g.call("fd_filestat_set_times", fd, 0, 5e9, setModified), "set times of a file")
	if s, _ := g.stat("f"); s.accessed != 1e9 || s.modified != 5e9 {
		t.Errorf("times %d %d", s.accessed, s.modified)
	}
	g.ok(g.call("fd_filestat_set_times", homeFD, 0, 7e9, setModified), "set times of the home")
	if s, _ := g.stat("."); s.modified != 7e9 {
		t.Errorf("the home's time %d", s.modified)
	}
}

func TestReadOnlyMount(t *testing.T) {
	g := newGuest(t, nil)
	if _, e := g.openAt(siteFD, "module.py", 0, read, 0); e != 0 {
		t.Errorf("read: errno %d", e)
	}
	for _, c := range []struct {
		path   string
		oflags uint64
	}{{"module.py", 0}, {"new", oflagCreate}, {"module.py", oflagTruncate}} {
		if _, e := g.openAt(siteFD, c.path, c.oflags, read|write, 0); e != errnoRofs {
			t.Errorf("open %s to write: errno %d", c.path, e)
		}
	}
	p, n := g.put(atPath, "module.py")
	g.want(g.call("path_unlink_file", siteFD, p, n), errnoRofs, "unlink")
	g.want(g.call("path_create_directory", siteFD, p, n), errnoRofs, "mkdir")
	g.want(g.call("path_symlink", p, n, siteFD, p, n), errnoRofs, "symlink")
	g.want(g.call("path_filestat_set_times", siteFD, 0, p, n, 0, 0, setModifiedNow), errnoRofs, "set times")
	g.want(g.call("fd_filestat_set_times", siteFD, 0, 0, setModifiedNow), errnoRofs, "set times")
	g.ok(g.call("fd_fdstat_get", siteFD, atOut), "fdstat")
	if g.u64(atOut+16)&rightWrite != 0 {
		t.Error("os.access says that /site can be written to")
	}
}

func TestStandardStreams(t *testing.T) {
	g := newGuest(t, nil)
	g.write(1, "out")
	g.write(2, "err")
	if g.out[1] != "out" || g.out[2] != "err" {
		t.Errorf("output %v", g.out)
	}
	if _, e := g.write(0, "x"); e != errnoBadf {
		t.Errorf("write to stdin: errno %d", e)
	}
	if got := g.read(0, 10); got != "" {
		t.Errorf("read of stdin: %q", got)
	}
	for fd := range uint64(3) {
		g.ok(g.call("fd_fdstat_get", fd, atOut), "fdstat")
		if g.m[atOut] == filetypeCharacter {
			t.Errorf("descriptor %d says that it is a terminal", fd)
		}
	}
	for fd := uint64(1); fd < 7; fd++ { // as os.closerange does
		g.ok(g.call("fd_close", fd), "close")
	}
	g.write(1, "!")
	if g.out[1] != "out!" {
		t.Error("stdout was lost")
	}
	g.ok(g.writeFile("still", "there"), "write")
}

func TestArgumentsEnvironmentClocks(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.call("environ_sizes_get", atOut, atOut+4), "sizes")
	if g.u32(atOut) != 2 || g.u32(atOut+4) != uint64(len("HOME=/home/learner")+1+len("LANG=")+1) {
		t.Errorf("sizes %d %d", g.u32(atOut), g.u32(atOut+4))
	}
	g.ok(g.call("environ_get", atOut, atData), "environ")
	if at := g.u32(atOut + 4); string(g.m[at:at+6]) != "LANG=\x00" {
		t.Errorf("second variable %q", g.m[at:at+6])
	}
	g.ok(g.call("args_get", atOut, atData), "args")
	if at := g.u32(atOut); string(g.m[at:at+7]) != "python\x00" {
		t.Errorf("argv[0] %q", g.m[at:at+7])
	}
	g.ok(g.call("clock_time_get", ClockMonotonic, 0, atOut), "clock")
	was := g.u64(atOut)
	g.ok(g.call("clock_time_get", ClockMonotonic, 0, atOut), "clock")
	if now := g.u64(atOut); now < was || now == 0 {
		t.Errorf("the monotonic clock went from %d to %d", was, now)
	}
	g.want(g.call("clock_time_get", 9, 0, atOut), errnoInval, "unknown clock")
	g.ok(g.call("random_get", atData, 32), "random")
	if string(g.m[atData:atData+32]) == string(make([]byte, 32)) {
		t.Error("random_get wrote nothing")
	}
}

func TestPreopens(t *testing.T) {
	g := newGuest(t, nil)
	for fd, want := range map[uint64]string{homeFD: "/home/learner", siteFD: "/site", 6: "/"} {
		g.ok(g.call("fd_prestat_get", fd, atOut), "prestat")
		if g.u32(atOut) != 0 || g.u32(atOut+4) != uint64(len(want)) {
			t.Errorf("prestat of %s: %d %d", want, g.u32(atOut), g.u32(atOut+4))
		}
		g.ok(g.call("fd_prestat_dir_name", fd, atData, uint64(len(want))), "name")
		if got := string(g.m[atData : atData+len(want)]); got != want {
			t.Errorf("name %q, want %q", got, want)
		}
	}
	g.want(g.call("fd_prestat_get", 7, atOut), errnoBadf, "no mount")
	g.want(g.call("sock_shutdown", 1, 0), errnoNotsock, "socket call")
}
