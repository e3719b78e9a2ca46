package wasi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secret puts a file on the host, outside of every mount.
func secret(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(p, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	return p
}

// up is a path that leads from dir on the host to target.
func up(t *testing.T, dir, target string) string {
	t.Helper()
	rel, err := filepath.Rel(dir, target)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

func TestPathsDontLeadOut(t *testing.T) {
	g := newGuest(t, nil)
	file := secret(t)
	g.ok(g.mkdir("d"), "mkdir")
	for _, p := range []string{file, up(t, g.home, file), "/" + up(t, g.home, file), "d/../" + up(t, g.home, file), "../../../../../../../../../../etc/passwd", "/etc/passwd", "//etc/passwd", "d/../../../../../etc/passwd"} {
		if _, e := g.readFile(p); e == 0 {
			t.Errorf("%s was read", p)
		}
		if e := g.writeFile(p, "broken"); e == 0 {
			t.Errorf("%s was written", p)
		}
		if _, e := g.stat(p); e == 0 {
			t.Errorf("%s was looked at", p)
		}
	}
	if b, _ := os.ReadFile(file); string(b) != "secret" {
		t.Errorf("the secret is now %q", b)
	}
}

func TestSymbolicLinksDontLeadOut(t *testing.T) {
	g := newGuest(t, nil)
	file := secret(t)
	for i, target := range []string{file, up(t, g.home, file), filepath.Dir(file), up(t, g.home, filepath.Dir(file)), "/etc", "../../../../../../etc", "/etc/passwd", "/proc/self/root" + file} {
		name := "l" + string(rune('0'+i))
		g.ok(g.symlink(target, name), "symlink to "+target)
		for _, p := range []string{name, name + "/secret", name + "/passwd", name + "/../secret"} {
			if _, e := g.readFile(p); e == 0 {
				t.Errorf("%s -> %s was read", p, target)
			}
			if e := g.writeFile(p, "broken"); e == 0 {
				t.Errorf("%s -> %s was written", p, target)
			}
			if s, e := g.stat(p); e == 0 {
				t.Errorf("%s -> %s was looked at: %+v", p, target, s)
			}
			g.link(p, "hard"+name)
			g.rename(p, "moved"+name)
			q, n := g.put(atPath, p)
			g.call("path_filestat_set_times", homeFD, lookupFollow, q, n, 0, 1e9, setModified)
			g.call("path_link", homeFD, lookupFollow, q, n, homeFD, q, n)
		}
	}
	s, err := os.Stat(file)
	if err != nil || s.ModTime().Unix() == 1 {
		t.Errorf("the secret was touched: %v %v", s, err)
	}
	if b, _ := os.ReadFile(file); string(b) != "secret" {
		t.Errorf("the secret is now %q", b)
	}
}

func TestTimesDontLeadOut(t *testing.T) {
	g := newGuest(t, nil)
	before, err := os.Stat(filepath.Dir(g.home))
	if err != nil {
		t.Fatal(err)
	}
	g.ok(g.symlink(".", "here"), "symlink")
	for _, p := range []string{"here/..", "here/../", "here/here/../.."} {
		q, n := g.put(atPath, p)
		for _, flags := range []uint64{0, lookupFollow} {
			g.call("path_filestat_set_times", homeFD, flags, q, n, 0, 1e9, setModified)
		}
	}
	if after, _ := os.Stat(filepath.Dir(g.home)); !after.ModTime().Equal(before.ModTime()) {
		t.Error("the time of the folder above the home was changed")
	}
}

func TestLinkLoops(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.symlink("b", "a"), "symlink")
	g.ok(g.symlink("a", "b"), "symlink")
	g.ok(g.symlink("/home/learner/d", "c"), "symlink")
	g.ok(g.symlink("/home/learner/c", "d"), "symlink")
	g.ok(g.symlink(strings.Repeat("/home/learner/../", 200)+"c", "e"), "symlink")
	for _, p := range []string{"a", "b/x", "c", "d/x", "e"} {
		if _, e := g.readFile(p); e != errnoLoop && e != errnoNoent {
			t.Errorf("open %s: errno %d", p, e)
		}
	}
	if _, e := g.stat("a"); e != errnoLoop {
		t.Errorf("stat: errno %d", e)
	}
	if _, e := g.stat("c"); e != errnoLoop {
		t.Errorf("stat of an absolute loop: errno %d", e)
	}
}

// Links are followed in the guest's own tree, across its mounts.
func TestLinksInTheGuestsTree(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("f", "mine"), "write")
	g.ok(g.writeFile("/tmp/t", "tmp"), "write")
	g.ok(g.mkdir("d"), "mkdir")
	for name, target := range map[string]string{"abs": "/home/learner/f", "d/rel": "../f", "far": "../../tmp/t", "new": "/tmp/made", "over": "/tmp", "near": "made"} {
		g.ok(g.symlink(target, name), "symlink")
	}
	for p, want := range map[string]string{"abs": "mine", "d/rel": "mine", "far": "tmp", "over/t": "tmp", "../../tmp/t": "tmp", "../learner/f": "mine", "d/../f": "mine", "/home/learner/f": "mine"} {
		if got, e := g.readFile(p); got != want {
			t.Errorf("%s: %q, errno %d", p, got, e)
		}
	}
	g.ok(g.writeFile("new", "x"), "write through a link to nothing")
	g.ok(g.writeFile("near", "y"), "write through a link to nothing")
	if got, _ := g.readFile("/tmp/made"); got != "x" {
		t.Errorf("/tmp/made holds %q", got)
	}
	if got, _ := g.readFile("made"); got != "y" {
		t.Errorf("made holds %q", got)
	}
	p, n := g.put(atPath, "abs")
	g.ok(g.call("path_readlink", homeFD, p, n, atData, 100, atOut), "readlink")
	if got := string(g.m[atData : atData+g.u32(atOut)]); got != "/home/learner/f" {
		t.Errorf("readlink %q", got)
	}
	if _, e := g.openAt(homeFD, "..", oflagDirectory, read, 0); e != 0 {
		t.Errorf("open ..: errno %d", e)
	}
	if s, e := g.lstat("abs"); e != 0 || s.kind != filetypeSymlink {
		t.Errorf("lstat %+v, errno %d", s, e)
	}
	g.ok(g.unlink("abs"), "unlink of a link")
	if _, e := g.stat("f"); e != 0 {
		t.Error("unlink followed the link")
	}
	// A link that was opened without following it is no file.
	if e := g.call("path_open", homeFD, 0, p, 3, 0, read, 0, 0, atOut); e != errnoNoent {
		t.Errorf("open of a removed link: errno %d", e)
	}
	q, qn := g.put(atPath, "far")
	g.want(g.call("path_open", homeFD, 0, q, qn, 0, read, 0, 0, atOut), errnoLoop, "open without following")
}

// A nested mount is found through a descriptor of an outer one.
func TestNestedMount(t *testing.T) {
	g := newGuest(t, nil)
	g.ok(g.writeFile("f", "mine"), "write")
	fd, e := g.openAt(6, "home/learner/f", 0, read, 0)
	g.ok(e, "open from /")
	if got := g.read(fd, 10); got != "mine" {
		t.Errorf("read %q", got)
	}
	if _, e := g.openAt(6, "home/new", oflagCreate, write, 0); e != errnoRofs {
		t.Errorf("create in /home: errno %d", e)
	}
	p, n := g.put(atPath, "home/learner")
	g.want(g.call("path_remove_directory", 6, p, n), errnoBusy, "rmdir of a mount")
}
