// Package ptree is an ordered map as a B-tree whose copies are free: Clone takes O(1),
// and the two then share every node until one of them changes it. Snapshots of whole
// collections and their indexes are such clones.
//
// A Tree may be read by many goroutines while none writes it; a clone may be written
// while the other is read.
package ptree

import "cmp"

// degree is the most items that a node holds.
const degree = 64

// Tree is an ordered map from K to V. The zero Tree is empty and ready.
type Tree[K cmp.Ordered, V any] struct {
	root  *node[K, V]
	owner *owner
	len   int
}

// owner marks the nodes that a tree alone has and may change in place.
type owner struct{ _ byte }

type node[K cmp.Ordered, V any] struct {
	owner *owner
	keys  []K
	vals  []V
	kids  []*node[K, V] // nil in a leaf, else len(keys)+1
}

// Clone answers a copy in O(1). Both may be written independently.
func (t *Tree[K, V]) Clone() Tree[K, V] {
	t.owner = nil // neither may change a shared node now
	return Tree[K, V]{root: t.root, len: t.len}
}

// Snapshot is Clone for a tree that others may be reading at the same time: t itself
// is not touched, so it must not be written any more.
func (t *Tree[K, V]) Snapshot() Tree[K, V] { return Tree[K, V]{root: t.root, len: t.len} }

// Len is the number of items.
func (t *Tree[K, V]) Len() int { return t.len }

// find answers the first place whose key is not below k, and whether it is k.
func (n *node[K, V]) find(k K) (int, bool) {
	lo, hi := 0, len(n.keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if n.keys[mid] < k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(n.keys) && n.keys[lo] == k
}

// Get answers the value of k.
func (t *Tree[K, V]) Get(k K) (v V, ok bool) {
	for n := t.root; n != nil; {
		i, found := n.find(k)
		if found {
			return n.vals[i], true
		}
		if n.kids == nil {
			break
		}
		n = n.kids[i]
	}
	return v, false
}

// Set gives k the value v and answers what it had.
func (t *Tree[K, V]) Set(k K, v V) (old V, had bool) {
	if t.owner == nil {
		t.owner = new(owner)
	}
	if t.root == nil {
		t.root = &node[K, V]{owner: t.owner}
	}
	t.root = t.own(t.root)
	if t.root.full() {
		left := t.root
		t.root = &node[K, V]{owner: t.owner, kids: []*node[K, V]{left}}
		t.split(t.root, 0, false)
	}
	n, last := t.root, true
	for {
		i, found := n.find(k)
		if found {
			old, n.vals[i] = n.vals[i], v
			return old, true
		}
		last = last && i == len(n.keys)
		if n.kids == nil {
			n.keys = insertAt(n.keys, i, k)
			n.vals = insertAt(n.vals, i, v)
			t.len++
			return old, false
		}
		kid := t.own(n.kids[i])
		n.kids[i] = kid
		if kid.full() {
			t.split(n, i, last)
			if n.keys[i] < k {
				i++
				n.kids[i] = t.own(n.kids[i])
			} else if n.keys[i] == k {
				old, n.vals[i] = n.vals[i], v
				return old, true
			}
			kid = n.kids[i]
		}
		n = kid
	}
}

func (n *node[K, V]) full() bool { return len(n.keys) >= degree }

// own answers n if the tree may change it, else a copy that it may.
func (t *Tree[K, V]) own(n *node[K, V]) *node[K, V] {
	if n.owner == t.owner {
		return n
	}
	c := &node[K, V]{owner: t.owner}
	c.keys = append(make([]K, 0, min(degree, len(n.keys)+8)), n.keys...)
	c.vals = append(make([]V, 0, min(degree, len(n.vals)+8)), n.vals...)
	if n.kids != nil {
		c.kids = append(make([]*node[K, V], 0, min(degree+1, len(n.kids)+8)), n.kids...)
	}
	return c
}

// split cuts the full child i of parent in two. At the right edge the cut leaves the
// left part full: keys that only grow then pack the nodes.
func (t *Tree[K, V]) split(parent *node[K, V], i int, edge bool) {
	n := parent.kids[i]
	mid := degree / 2
	if edge {
		mid = degree - 2
	}
	right := &node[K, V]{owner: t.owner}
	right.keys = append(make([]K, 0, degree), n.keys[mid+1:]...)
	right.vals = append(make([]V, 0, degree), n.vals[mid+1:]...)
	if n.kids != nil {
		right.kids = append(make([]*node[K, V], 0, degree+1), n.kids[mid+1:]...)
		clear(n.kids[mid+1:])
		n.kids = n.kids[:mid+1]
	}
	k, v := n.keys[mid], n.vals[mid]
	clear(n.keys[mid:])
	clear(n.vals[mid:])
	n.keys, n.vals = n.keys[:mid], n.vals[:mid]
	parent.keys = insertAt(parent.keys, i, k)
	parent.vals = insertAt(parent.vals, i, v)
	parent.kids = insertAt(parent.kids, i+1, right)
}

func insertAt[T any](s []T, i int, v T) []T {
	var zero T
	s = append(s, zero)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

func removeAt[T any](s []T, i int) []T {
	var zero T
	copy(s[i:], s[i+1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}
