package timeseries

import (
	"math"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Split takes a filter on measurements apart: bucket is what can be asked of whole
// buckets before they are unpacked, rest what must be asked of each measurement. All
// measurements that satisfy the filter lie in buckets that satisfy bucket.
func (o Options) Split(filter bsonval.Doc) (bucket, rest bsonval.Doc) {
	var s splitter
	s.opts = o
	s.split(filter)
	return conjunction(s.bucket), conjunction(s.rest)
}

type splitter struct {
	opts         Options
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
		case name == s.opts.Time:
			s.bucket = append(s.bucket, s.opts.dates(v)...)
			s.rest = append(s.rest, one)
		default:
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

// dates are the conditions on buckets that follow from one on the measurements' date.
func (o Options) dates(v bsonval.Value) []bsonval.Doc {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	least := func(ms int64) { from = max(from, ms) }
	most := func(ms int64) { to = min(to, ms) }
	ask := func(op string, x bsonval.Value) {
		if x.Type() != bsonval.Date {
			return
		}
		switch op {
		case "$eq":
			least(x.Int64())
			most(x.Int64())
		case "$gt", "$gte":
			least(x.Int64())
		case "$lt", "$lte":
			most(x.Int64())
		}
	}
	switch v.Type() {
	case bsonval.Date:
		ask("$eq", v)
	case bsonval.Object:
		for op, x := range v.Doc().All() {
			ask(op, x)
			if op == "$in" {
				if a, b, ok := span(x); ok {
					least(a)
					most(b)
				}
			}
		}
	}
	return o.between(from, to)
}

// span is the least and the greatest date of a list that holds only dates.
func span(v bsonval.Value) (from, to int64, ok bool) {
	if v.Type() != bsonval.Array || v.Doc().IsEmpty() {
		return 0, 0, false
	}
	from, to = math.MaxInt64, math.MinInt64
	for x := range v.Doc().Values() {
		if x.Type() != bsonval.Date {
			return 0, 0, false
		}
		from, to = min(from, x.Int64()), max(to, x.Int64())
	}
	return from, to, true
}

func (o Options) between(from, to int64) []bsonval.Doc {
	var out []bsonval.Doc
	add := func(path, op string, v bsonval.Value) {
		out = append(out, bsonval.D(bsonval.E(path, bsonval.DocValue(bsonval.D(bsonval.E(op, v))))))
	}
	lo, hi := o.IDRange(from, to)
	if from != math.MinInt64 {
		add("_id", "$gte", lo)
		add("control.max."+o.Time, "$gte", bsonval.DateValue(from))
		if d := from - o.MaxSpan*1000; d < from {
			add("control.min."+o.Time, "$gte", bsonval.DateValue(d))
		}
	}
	if to != math.MaxInt64 {
		add("_id", "$lte", hi)
		add("control.min."+o.Time, "$lte", bsonval.DateValue(to))
		if d := to + o.MaxSpan*1000; d > to {
			add("control.max."+o.Time, "$lte", bsonval.DateValue(d))
		}
	}
	return out
}
