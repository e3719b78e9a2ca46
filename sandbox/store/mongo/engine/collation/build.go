package collation

import (
	"fmt"
	"slices"
)

// node is a weight while a locale's rules are read: one of the root, which begins a list,
// or one that stands after it.
type node struct {
	prev, next *node
	head       *node // of its list
	root       uint32
	place      uint32 // once all rules are read
}

// draft is an element whose weights still move.
type draft struct {
	p, s, t, q *node // p nil: no primary weight
	c          letterCase
}

// level of a relation between strings.
type level int

const (
	primary level = iota + 1
	secondary
	tertiary
	quaternary
	identical
)

// context tells which weights are compared with each other.
type context struct {
	p, s, t *node
	root    uint32
	at      level
}

// builder reads a locale's rules into a mapping, by the way of ICU: each string gets a
// weight right after what stands before it in its rule.
// https://www.unicode.org/reports/tr35/tr35-collation.html#Rules
type builder struct {
	root    *rootOrder
	lists   map[context]*node
	tails   map[*node]*node // of a list that begins with the node
	m       mapping[draft]
	current []draft
	room    []element
	ordered []uint32 // the root's primary weights, once they are asked for
	early   bool     // something stands before the usual weights
}

func newBuilder(o *rootOrder) *builder {
	b := &builder{root: o, lists: map[context]*node{}, tails: map[*node]*node{}}
	b.m = mapping[draft]{single: map[rune][]draft{}, sequences: map[rune][]sequence[draft]{}, plain: map[rune]bool{}}
	b.m.root = func(r rune) []draft { return b.drafts(b.of(r)) }
	for r, list := range o.sequences {
		for _, q := range list {
			b.m.sequences[r] = append(b.m.sequences[r], sequence[draft]{chars: q.chars, elements: b.drafts(q.elements)})
		}
	}
	return b
}

func (b *builder) of(r rune) []element {
	b.room = b.root.append(b.room[:0], r)
	return b.room
}

// before answers the greatest primary weight of the root that is less.
func (b *builder) before(p uint32) uint32 {
	if b.ordered == nil {
		b.ordered = b.root.primaries()
	}
	i, _ := slices.BinarySearch(b.ordered, p)
	if i == 0 {
		return 0
	}
	return b.ordered[i-1]
}

func (b *builder) list(c context) *node {
	n := b.lists[c]
	if n == nil {
		n = &node{root: c.root}
		n.head = n
		b.lists[c], b.tails[n] = n, n
	}
	return n
}

// lower are the nodes below one at level at, with the weights that most have.
func (b *builder) lower(d draft, at level) draft {
	if at < secondary {
		d.s = b.list(context{p: d.p, at: secondary, root: commonSecondary})
	}
	if at < tertiary {
		d.t = b.list(context{p: d.p, s: d.s, at: tertiary, root: commonTertiary})
	}
	if at < quaternary {
		d.q = b.list(context{p: d.p, s: d.s, t: d.t, at: quaternary})
	}
	return d
}

func (b *builder) drafts(es []element) []draft {
	out := make([]draft, len(es))
	for i, e := range es {
		d := draft{c: e.c}
		if e.p > 0 {
			d.p = b.list(context{root: e.p, at: primary})
		}
		d.s = b.list(context{p: d.p, root: uint32(e.s), at: secondary})
		d.t = b.list(context{p: d.p, s: d.s, root: uint32(e.t), at: tertiary})
		d.q = b.list(context{p: d.p, s: d.s, t: d.t, at: quaternary})
		out[i] = d
	}
	return out
}

func (d draft) strength() level {
	switch {
	case d.p != nil:
		return primary
	case d.s.root > 0 || d.s.prev != nil:
		return secondary
	case d.t.root > 0 || d.t.prev != nil:
		return tertiary
	}
	return identical
}

// expand answers what a string weighs so far.
func (b *builder) expand(s []rune) []draft {
	var out []draft
	b.m.each(slices.Clone(s), func(ds []draft) { out = append(out, ds...) })
	return out
}

// reset begins a rule after a string.
func (b *builder) reset(ds []draft) { b.current = slices.Clone(ds) }

// resetBefore begins a rule before a string, at a level.
func (b *builder) resetBefore(at level, ds []draft) error {
	b.current = stronger(ds, at)
	if len(b.current) == 0 {
		return fmt.Errorf("nothing to stand before")
	}
	last := &b.current[len(b.current)-1]
	b.early = true
	switch at {
	case primary:
		last.p = b.previous(last.p, func(root uint32) context { return context{root: b.before(root), at: primary} })
	case secondary:
		last.s = b.previous(last.s, func(root uint32) context { return context{p: last.p, root: root - 1, at: secondary} })
	case tertiary:
		last.t = b.previous(last.t, func(root uint32) context { return context{p: last.p, s: last.s, root: root - 1, at: tertiary} })
	}
	*last = b.lower(*last, at)
	return nil
}

// previous is the node before n: in its list, or the last of the list before.
func (b *builder) previous(n *node, before func(root uint32) context) *node {
	if n.prev != nil {
		return n.prev
	}
	return b.tails[b.list(before(n.root))]
}

// stronger drops the elements at the end that have no weight at a level or above.
func stronger(ds []draft, at level) []draft {
	ds = slices.Clone(ds)
	for len(ds) > 0 && ds[len(ds)-1].strength() > at {
		ds = ds[:len(ds)-1]
	}
	return ds
}

// relate puts a string after the current place, with what an expansion adds to it.
func (b *builder) relate(at level, before, s, expansion []rune) {
	if at < identical {
		b.current = stronger(b.current, at)
		if len(b.current) == 0 {
			b.current = b.drafts([]element{{}})
		}
		last := &b.current[len(b.current)-1]
		switch at {
		case primary:
			if last.p == nil {
				last.p = b.list(context{at: primary})
			}
			last.p = b.insert(last.p)
		case secondary:
			last.s = b.insert(last.s)
		case tertiary:
			last.t = b.insert(last.t)
		case quaternary:
			last.q = b.insert(last.q)
		}
		*last = b.lower(*last, at)
	}
	es := slices.Clone(b.current)
	b.setCase(es, s)
	b.put(before, s, append(es, b.expand(expansion)...))
}

func (b *builder) insert(after *node) *node {
	n := &node{prev: after, next: after.next, head: after.head, root: after.root}
	if after.next == nil {
		b.tails[n.head] = n
	} else {
		after.next.prev = n
	}
	after.next = n
	return n
}

func (b *builder) put(before, s []rune, es []draft) {
	if len(s) == 1 && len(before) == 0 {
		b.m.single[s[0]] = es
		return
	}
	list := b.m.sequences[s[0]]
	same := func(q sequence[draft]) bool { return slices.Equal(q.chars, s) && slices.Equal(q.before, before) }
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i].elements = es
		return
	}
	list = append(slices.Clone(list), sequence[draft]{before: before, chars: s, elements: es})
	slices.SortStableFunc(list, func(x, y sequence[draft]) int {
		return len(y.chars) + len(y.before) - len(x.chars) - len(x.before)
	})
	b.m.sequences[s[0]] = list
}

// setCase gives the elements of a string the case of its letters. Where there are fewer
// elements the last one stands for several.
func (b *builder) setCase(es []draft, s []rune) {
	var cases []letterCase
	for _, r := range s {
		for _, e := range b.of(r) {
			if e.p > 0 {
				cases = append(cases, e.c)
			}
		}
	}
	have := 0
	for _, e := range es {
		if e.p != nil {
			have++
		}
	}
	if len(cases) > have && have > 0 {
		last := cases[have-1]
		for _, c := range cases[have:] {
			if c != last {
				last = mixed
			}
		}
		cases[have-1] = last
	}
	i := 0
	for k := range es {
		switch {
		case es[k].strength() == tertiary:
			es[k].c = upper
		case es[k].p == nil:
			es[k].c = lower
		case i < len(cases) && i < have:
			es[k].c = cases[i]
			i++
		default:
			es[k].c = lower
		}
	}
}

// suppress forgets the sequences that begin with a character.
func (b *builder) suppress(r rune) {
	delete(b.m.sequences, r)
	b.m.plain[r] = true
}

// finish numbers the weights and answers the mapping with elements.
func (b *builder) finish() mapping[element] {
	for _, head := range b.lists {
		place := uint32(0)
		for n := head; n != nil; n = n.next {
			n.place = place
			place++
		}
	}
	out := mapping[element]{single: make(map[rune][]element, len(b.m.single)), sequences: map[rune][]sequence[element]{}, plain: b.m.plain}
	for r, ds := range b.m.single {
		out.single[r] = finished(ds)
	}
	for r, list := range b.m.sequences {
		for _, q := range list {
			out.sequences[r] = append(out.sequences[r], sequence[element]{before: q.before, chars: q.chars, elements: finished(q.elements)})
		}
	}
	return out
}

func finished(ds []draft) []element {
	out := make([]element, 0, len(ds))
	for _, d := range ds {
		e := element{s: uint16(d.s.root), ss: uint16(d.s.place), t: uint16(d.t.root), ts: uint16(d.t.place), q: uint16(d.q.place), c: d.c}
		if d.p != nil {
			e.p, e.ps = d.p.root, d.p.place
		}
		out = append(out, e)
	}
	return out
}
