package timeseries

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Split takes a filter on measurements apart: bucket is what can be asked of whole
// buckets before they are unpacked, rest what must be asked of each measurement. All
// measurements that satisfy the filter lie in buckets that satisfy bucket. collated says
// that strings compare otherwise than buckets keep their least and greatest.
func (o Options) Split(filter bsonval.Doc, collated bool) (bucket, rest bsonval.Doc) {
	s := splitter{looser: looser{o, collated}}
	s.split(filter)
	return conjunction(s.bucket), conjunction(s.rest)
}

type splitter struct {
	looser
	bucket, rest []bsonval.Doc
}

func conjunction(parts []bsonval.Doc) bsonval.Doc {
	switch len(parts) {
	case 0:
		return bsonval.EmptyDoc()
	case 1:
		return parts[0]
	}
	b := bsonval.NewBuilder(256)
	b.OpenArray("$and")
	for _, p := range parts {
		b.ItemDoc(p)
	}
	return b.Doc()
}

func (s *splitter) split(filter bsonval.Doc) {
	for name, v := range filter.All() {
		one := bsonval.D(bsonval.E(name, v))
		switch {
		case name == "$and" && allObjects(v):
			for part := range v.Doc().Values() {
				s.split(part.Doc())
			}
		case s.opts.ofSource(name, v):
			s.bucket = append(s.bucket, s.opts.toBucket(one))
		default:
			s.bucket = append(s.bucket, s.loose(name, v)...)
			s.rest = append(s.rest, one)
		}
	}
}

func allObjects(v bsonval.Value) bool {
	if v.Type() != bsonval.Array {
		return false
	}
	for x := range v.Doc().Values() {
		if x.Type() != bsonval.Object {
			return false
		}
	}
	return true
}

// ofSource tells a part of a filter that speaks of the source alone.
func (o Options) ofSource(name string, v bsonval.Value) bool {
	if o.Meta == "" {
		return false
	}
	switch name {
	case "$and", "$or", "$nor":
		if !allObjects(v) || v.Doc().IsEmpty() {
			return false
		}
		for part := range v.Doc().Values() {
			for n, x := range part.Doc().All() {
				if !o.ofSource(n, x) {
					return false
				}
			}
		}
		return true
	}
	return o.root(name)
}

// root tells a path that begins with the source's field.
func (o Options) root(path string) bool {
	return o.Meta != "" && (path == o.Meta || strings.HasPrefix(path, o.Meta) && path[len(o.Meta)] == '.')
}

// renamed is the path in a bucket of one that begins with the source's field.
func (o Options) renamed(path string) string { return "meta" + path[len(o.Meta):] }

// toBucket is a filter on the source alone as one on buckets.
func (o Options) toBucket(filter bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(filter) + 16)
	for name, v := range filter.All() {
		switch name {
		case "$and", "$or", "$nor":
			b.OpenArray(name)
			for part := range v.Doc().Values() {
				b.ItemDoc(o.toBucket(part.Doc()))
			}
			b.Close()
		default:
			b.Set(o.renamed(name), v)
		}
	}
	return b.Doc()
}
