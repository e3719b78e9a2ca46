package ptree

import "cmp"

// least is how few items a node that isn't the root may hold.
const least = degree / 4

// Delete removes k and answers what it had.
func (t *Tree[K, V]) Delete(k K) (old V, had bool) {
	if _, ok := t.Get(k); !ok {
		return old, false
	}
	if t.owner == nil {
		t.owner = new(owner)
	}
	t.root = t.own(t.root)
	old = t.remove(t.root, k)
	t.len--
	if len(t.root.keys) == 0 {
		if t.root.kids == nil {
			t.root = nil
		} else {
			t.root = t.root.kids[0]
		}
	}
	return old, true
}

// remove takes k, which is there, out of the tree below n.
func (t *Tree[K, V]) remove(n *node[K, V], k K) V {
	i, found := n.find(k)
	if n.kids == nil {
		old := n.vals[i]
		n.keys, n.vals = removeAt(n.keys, i), removeAt(n.vals, i)
		return old
	}
	kid := t.own(n.kids[i])
	n.kids[i] = kid
	if found { // its place is taken by the item before it
		old := n.vals[i]
		n.keys[i], n.vals[i] = t.removeLast(kid)
		t.mend(n, i)
		return old
	}
	old := t.remove(kid, k)
	t.mend(n, i)
	return old
}

func (t *Tree[K, V]) removeLast(n *node[K, V]) (K, V) {
	last := len(n.keys) - 1
	if n.kids == nil {
		k, v := n.keys[last], n.vals[last]
		n.keys, n.vals = removeAt(n.keys, last), removeAt(n.vals, last)
		return k, v
	}
	kid := t.own(n.kids[last+1])
	n.kids[last+1] = kid
	k, v := t.removeLast(kid)
	t.mend(n, last+1)
	return k, v
}

// mend fills child i of n from a neighbour, or merges the two, when it holds too few.
func (t *Tree[K, V]) mend(n *node[K, V], i int) {
	if len(n.kids[i].keys) >= least {
		return
	}
	if i == len(n.keys) {
		i--
	}
	if i < 0 {
		return
	}
	a, b := t.own(n.kids[i]), t.own(n.kids[i+1])
	n.kids[i], n.kids[i+1] = a, b
	if len(a.keys)+len(b.keys) < degree {
		a.keys = append(append(a.keys, n.keys[i]), b.keys...)
		a.vals = append(append(a.vals, n.vals[i]), b.vals...)
		a.kids = append(a.kids, b.kids...)
		n.keys, n.vals, n.kids = removeAt(n.keys, i), removeAt(n.vals, i), removeAt(n.kids, i+1)
		return
	}
	for len(a.keys) < least {
		a.keys, a.vals = append(a.keys, n.keys[i]), append(a.vals, n.vals[i])
		n.keys[i], n.vals[i] = b.keys[0], b.vals[0]
		b.keys, b.vals = removeAt(b.keys, 0), removeAt(b.vals, 0)
		if a.kids != nil {
			a.kids = append(a.kids, b.kids[0])
			b.kids = removeAt(b.kids, 0)
		}
	}
	for len(b.keys) < least {
		last := len(a.keys) - 1
		b.keys, b.vals = insertAt(b.keys, 0, n.keys[i]), insertAt(b.vals, 0, n.vals[i])
		n.keys[i], n.vals[i] = a.keys[last], a.vals[last]
		a.keys, a.vals = removeAt(a.keys, last), removeAt(a.vals, last)
		if a.kids != nil {
			b.kids = insertAt(b.kids, 0, a.kids[last+1])
			a.kids = removeAt(a.kids, last+1)
		}
	}
}

// Cursor walks a tree in either direction. It sees the tree as it was when the cursor
// was made, if that was a clone.
type Cursor[K cmp.Ordered, V any] struct {
	root  *node[K, V]
	path  []step[K, V]
	valid bool
}

type step[K cmp.Ordered, V any] struct {
	n *node[K, V]
	i int
}

// Cursor answers a cursor that stands nowhere yet.
func (t *Tree[K, V]) Cursor() Cursor[K, V] { return Cursor[K, V]{root: t.root} }

// Seek goes to the first item whose key is not below k and tells whether there is one.
func (c *Cursor[K, V]) Seek(k K) bool {
	c.path = c.path[:0]
	for n := c.root; n != nil; {
		i, found := n.find(k)
		c.path = append(c.path, step[K, V]{n, i})
		if found || n.kids == nil {
			break
		}
		n = n.kids[i]
	}
	return c.settle()
}

// SeekBelow goes to the last item whose key is below k.
func (c *Cursor[K, V]) SeekBelow(k K) bool {
	if c.Seek(k) {
		return c.Prev()
	}
	return c.Last()
}

// settle climbs from past the end of a leaf to the item that follows.
func (c *Cursor[K, V]) settle() bool {
	for len(c.path) > 0 {
		top := &c.path[len(c.path)-1]
		if top.i < len(top.n.keys) {
			c.valid = true
			return true
		}
		c.path = c.path[:len(c.path)-1]
	}
	c.valid = false
	return false
}

// First and Last go to the ends.
func (c *Cursor[K, V]) First() bool {
	c.path = c.path[:0]
	c.descend(c.root, false)
	return c.settle()
}

func (c *Cursor[K, V]) Last() bool {
	c.path = c.path[:0]
	c.descend(c.root, true)
	c.valid = len(c.path) > 0
	return c.valid
}

// descend pushes the way to the first or last item below n.
func (c *Cursor[K, V]) descend(n *node[K, V], last bool) {
	for n != nil {
		i := 0
		if last {
			i = len(n.keys)
		}
		if n.kids == nil {
			if last {
				i--
			}
			c.path = append(c.path, step[K, V]{n, i})
			return
		}
		c.path = append(c.path, step[K, V]{n, i})
		n = n.kids[i]
	}
}

// Next goes to the item after this one.
func (c *Cursor[K, V]) Next() bool {
	if !c.valid {
		return false
	}
	top := &c.path[len(c.path)-1]
	top.i++
	if top.n.kids != nil {
		c.descend(top.n.kids[top.i], false)
	}
	return c.settle()
}

// Prev goes to the item before this one.
func (c *Cursor[K, V]) Prev() bool {
	if !c.valid {
		return false
	}
	top := &c.path[len(c.path)-1]
	if top.n.kids != nil {
		c.descend(top.n.kids[top.i], true)
		return true
	}
	top.i--
	for c.path[len(c.path)-1].i < 0 {
		c.path = c.path[:len(c.path)-1]
		if len(c.path) == 0 {
			c.valid = false
			return false
		}
		c.path[len(c.path)-1].i--
	}
	return true
}

// Key and Value are the item's where the cursor stands; Valid tells whether it does.
func (c *Cursor[K, V]) Key() K      { s := c.path[len(c.path)-1]; return s.n.keys[s.i] }
func (c *Cursor[K, V]) Value() V    { s := c.path[len(c.path)-1]; return s.n.vals[s.i] }
func (c *Cursor[K, V]) Valid() bool { return c.valid }
