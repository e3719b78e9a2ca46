package wasi

import (
	"io/fs"
	"os"
	"path"
	"sync"
)

// Quota is how much the folders that share it may hold together. What is there when an
// FS opens is counted by walking it; from then on every change is. Beyond the quota
// growth answers ENOSPC ("No space left on device"), while deleting, truncating and
// overwriting in place go on. The counts may be read from any goroutine.
type Quota struct {
	Bytes int64 // sum of the files' lengths, holes included
	Files int   // names: files, folders and links

	mu      sync.Mutex
	bytes   int64
	files   int
	refused int64
	inodes  map[identity]*charge
}

// identity is a file, whatever it is called.
type identity struct{ device, inode uint64 }

// charge is what one file costs: as long as it has a name or is open.
type charge struct {
	id    identity
	size  int64
	names int
	open  int
}

// Used is what is held now.
func (q *Quota) Used() (bytes int64, files int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes, q.files
}

// Refused counts the changes that were refused because the quota was reached, since
// it was made: compare before and after a run.
func (q *Quota) Refused() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refused
}

func (q *Quota) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes, q.files, q.inodes = 0, 0, map[identity]*charge{}
}

// countFolder adds all that dir holds. Entries that vanish meanwhile are left out.
func (q *Quota) countFolder(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	list, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return err
	}
	for _, e := range list {
		name := path.Join(dir, e.Name())
		s, err := root.Lstat(name)
		if err != nil {
			continue
		}
		q.named(s)
		if s.IsDir() {
			if err := q.countFolder(root, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// admit tells whether one more name fits, with size bytes of its own.
func (q *Quota) admit(size int64) bool {
	if q == nil {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.files >= q.Files || size > 0 && q.bytes+size > q.Bytes {
		q.refused++
		return false
	}
	return true
}

// named counts a name that s was given.
func (q *Quota) named(s fs.FileInfo) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.chargeOf(s)
	c.names++
	q.files++
}

// chargeOf is the charge of s, a new one without a name when s is not known yet, with the
// length that s has now.
func (q *Quota) chargeOf(s fs.FileInfo) *charge {
	id := identify(s)
	c := q.inodes[id]
	if c == nil {
		c = &charge{id: id}
		q.inodes[id] = c
	}
	if !s.IsDir() {
		q.bytes += s.Size() - c.size
		c.size = s.Size()
	}
	return c
}

// unnamed takes back a name of s.
func (q *Quota) unnamed(s fs.FileInfo) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.inodes[identify(s)]; c != nil && c.names > 0 {
		c.names--
		q.files--
		q.drop(c)
	}
}

// opened counts a descriptor of s. A file that nobody has counted yet was made by the
// very call that opened it.
func (q *Quota) opened(s fs.FileInfo) *charge {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.chargeOf(s)
	if c.names == 0 && c.open == 0 {
		c.names++
		q.files++
	}
	c.open++
	return c
}

func (q *Quota) closed(c *charge) {
	if q == nil || c == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	c.open--
	q.drop(c)
}

// drop forgets a file without names and descriptors. The disk has its room back.
func (q *Quota) drop(c *charge) {
	if c.names > 0 || c.open > 0 || q.inodes[c.id] != c {
		return
	}
	delete(q.inodes, c.id)
	q.bytes -= c.size
}

// grow makes room for c to be size bytes long, as far as the quota goes, and answers
// the length that it may have. It never shrinks c.
func (q *Quota) grow(c *charge, size int64) int64 {
	if q == nil || c == nil {
		return size
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if size <= c.size {
		return size
	}
	if room := max(0, q.Bytes-q.bytes); size-c.size > room {
		q.refused++
		size = c.size + room
	}
	q.bytes += size - c.size
	c.size = size
	return size
}

// settle says how long c really is.
func (q *Quota) settle(c *charge, size int64) {
	if q == nil || c == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes += size - c.size
	c.size = size
}

// length is how long c is taken to be.
func (q *Quota) length(c *charge) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return c.size
}
