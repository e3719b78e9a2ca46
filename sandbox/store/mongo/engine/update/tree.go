package update

import (
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// node is a value that may be changed. It stays raw until something within it is
// asked for.
type node struct {
	raw  bsonval.Value
	open bool
	kids []kid // the fields or elements, once open
	size int   // a guess at the encoded length
}

type kid struct {
	name string // not used in arrays
	node *node
}

func leaf(v bsonval.Value) *node { return &node{raw: v} }

func newObject() *node { return leaf(bsonval.DocValue(bsonval.EmptyDoc())) }

func (n *node) isArray() bool  { return n.raw.Type() == bsonval.Array }
func (n *node) isObject() bool { return n.raw.Type() == bsonval.Object }

// expand takes an object or array apart, one level.
func (n *node) expand() {
	if n.open {
		return
	}
	n.open = true
	n.size = n.raw.Size()
	d := n.raw.Doc()
	nodes := make([]node, d.Len()) // together: an update opens every field of a document
	n.kids = make([]kid, 0, len(nodes)+1)
	for name, v := range d.All() {
		at := &nodes[len(n.kids)]
		at.raw = v
		n.kids = append(n.kids, kid{name, at})
	}
}

// child answers the place of a field or element, -1 where there is none.
func (n *node) child(part string) int {
	n.expand()
	if n.isArray() {
		if i, ok := bsonval.ArrayIndex(part); ok && i < len(n.kids) {
			return i
		}
		return -1
	}
	for i := range n.kids {
		if n.kids[i].name == part {
			return i
		}
	}
	return -1
}

func (n *node) remove(i int) { n.kids = append(n.kids[:i], n.kids[i+1:]...) }

// value builds the node's value.
func (n *node) value() bsonval.Value {
	if !n.open {
		return n.raw
	}
	b := bsonval.NewBuilder(n.size + 64)
	n.fill(b)
	if n.isArray() {
		return b.Array()
	}
	return b.Value()
}

// fill appends the node's fields or elements to b.
func (n *node) fill(b *bsonval.Builder) {
	array := n.isArray()
	for i, k := range n.kids {
		name := k.name
		if array {
			name = strconv.Itoa(i)
		}
		if !k.node.open {
			b.Set(name, k.node.raw)
			continue
		}
		if k.node.isArray() {
			b.OpenArray(name)
		} else {
			b.OpenDoc(name)
		}
		k.node.fill(b)
		b.Close()
	}
}
