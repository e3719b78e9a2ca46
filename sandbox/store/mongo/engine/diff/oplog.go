package diff

import (
	"slices"
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// The sections of a difference in the oplog.
// https://github.com/mongodb/mongo/blob/v8.0/src/mongo/db/update/document_diff_serialization.h
const (
	sectionDelete = "d"
	sectionUpdate = "u"
	sectionInsert = "i"
	sectionBinary = "b"
	prefixWithin  = "s"
	headArray     = "a"
	headLength    = "l"
)

// oplogVersion is the version of differences in the oplog: { $v: 2, diff: … }.
const oplogVersion = 2

// Entry is the difference as an oplog entry's o.
func (d *Delta) Entry() bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.Int32("$v", oplogVersion).OpenDoc("diff")
	d.write(b)
	return b.Close().Doc()
}

func (d *Delta) write(b *bsonval.Builder) {
	if d.array {
		d.writeArray(b)
		return
	}
	if len(d.removed) > 0 {
		b.OpenDoc(sectionDelete)
		for _, name := range d.removed {
			b.Bool(name, false)
		}
		b.Close()
	}
	writeSection(b, sectionUpdate, d.updated)
	writeSection(b, sectionInsert, d.inserted)
	for _, s := range d.within {
		s.write(b)
	}
}

func writeSection(b *bsonval.Builder, name string, fields []field) {
	if len(fields) == 0 {
		return
	}
	b.OpenDoc(name)
	for _, f := range fields {
		b.Set(f.name, f.v)
	}
	b.Close()
}

func (s nested) write(b *bsonval.Builder) {
	b.OpenDoc(prefixWithin + s.name)
	s.d.write(b)
	b.Close()
}

// writeArray tells an array's difference element by element, in their order.
func (d *Delta) writeArray(b *bsonval.Builder) {
	b.Bool(headArray, true)
	if d.length >= 0 {
		b.Int32(headLength, int32(d.length))
	}
	type element struct {
		at    int
		write func()
	}
	var all []element
	for _, f := range d.updated {
		at, _ := strconv.Atoi(f.name)
		all = append(all, element{at, func() { b.Set(sectionUpdate+f.name, f.v) }})
	}
	for _, s := range d.within {
		at, _ := strconv.Atoi(s.name)
		all = append(all, element{at, func() { s.write(b) }})
	}
	slices.SortFunc(all, func(x, y element) int { return x.at - y.at })
	for _, e := range all {
		e.write()
	}
}
