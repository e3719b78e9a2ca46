package column

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// maxFields bounds the fields of the objects in one run, each of which needs a stream.
const maxFields = 1 << 16

// run is a sequence of objects of one form, or of arrays. Each field that is no object
// itself is a stream of its own, and their parts lie in the column in the order in which
// they are needed.
type run struct {
	form    bsonval.Value // an object that has all of the fields
	apart   bool          // arrays are taken apart too
	streams []stream
}

// begin starts a run at its control byte.
func (d *Decoder) begin() error {
	kind := bsonval.Object
	if d.data[d.at] == arrays {
		kind = bsonval.Array
	}
	n, err := bsonval.ValidateValue(kind, d.data[d.at+1:], maxNesting)
	if err != nil {
		return broken("%v", err)
	}
	r := &run{form: bsonval.RawValue(kind, d.data[d.at+1:d.at+1+n]), apart: d.data[d.at] != objectsOnly}
	if !r.discover(r.form.Doc()) {
		return broken("an object in it has more than %d fields", maxFields)
	}
	if len(r.streams) == 0 {
		return broken("a run of objects has no fields")
	}
	d.at += 1 + n
	if d.at >= len(d.data) || d.data[d.at] == end {
		return broken("a run of objects is empty")
	}
	d.run = r
	return d.spend(int64(len(r.streams)))
}

// nested tells a field whose own fields are the streams.
func (r *run) nested(t bsonval.Type) bool {
	return t == bsonval.Object || t == bsonval.Array && r.apart
}

// discover makes the streams; false when there are too many.
func (r *run) discover(form bsonval.Doc) bool {
	for v := range form.Values() {
		if r.nested(v.Type()) {
			if !r.discover(v.Doc()) {
				return false
			}
			continue
		}
		if len(r.streams) == maxFields {
			return false
		}
		r.streams = append(r.streams, stream{})
		r.streams[len(r.streams)-1].reset(v)
	}
	return true
}

// object answers the next object of the run; ok is false at the run's end.
func (d *Decoder) object() (v bsonval.Value, ok bool, err error) {
	m := making{d: d, streams: d.run.streams}
	if err := d.spend(int64(len(m.streams))); err != nil {
		return v, false, err
	}
	var b bsonval.Builder
	some, err := m.fill(&b, d.run.form.Doc())
	if err != nil {
		return v, false, err
	}
	if m.ended {
		return v, false, d.leave()
	}
	if some {
		v = bsonval.RawValue(d.run.form.Type(), b.Doc())
	}
	d.value.reset(v) // what follows the run may repeat its last object
	return v, true, nil
}

// leave ends the run, of which every field must be at its end.
func (d *Decoder) leave() error {
	for i := 1; i < len(d.run.streams); i++ {
		more, err := d.run.streams[i].more()
		if err != nil {
			return err
		}
		if more {
			return broken("the fields of a run of objects end at different places")
		}
	}
	d.run = nil
	return nil
}

// making is an object that is being put together.
type making struct {
	d       *Decoder
	streams []stream
	at      int  // the next of them
	ended   bool // there was no further object
}

// fill adds the fields that are there to b and tells whether there were any. An object
// without fields is there only if the form has it so.
func (m *making) fill(b *bsonval.Builder, form bsonval.Doc) (some bool, err error) {
	some = form.IsEmpty()
	for it := form.Iter(); it.Next(); {
		if !m.d.run.nested(it.Type()) {
			v, err := m.next()
			if err != nil || m.ended {
				return false, err
			}
			some = some || !v.IsMissing()
			b.Set(it.Name(), v)
			continue
		}
		var inner bsonval.Builder
		had, err := m.fill(&inner, it.Value().Doc())
		if err != nil || m.ended {
			return false, err
		}
		if had {
			some = true
			b.Set(it.Name(), bsonval.RawValue(it.Type(), inner.Doc()))
		}
	}
	return some, nil
}

// next is the next value of the next stream.
func (m *making) next() (bsonval.Value, error) {
	s := &m.streams[m.at]
	m.at++
	more, err := s.more()
	switch {
	case err != nil:
		return bsonval.Value{}, err
	case more:
		return s.apply()
	case m.d.at < len(m.d.data) && m.d.data[m.d.at] == end:
		if m.at > 1 {
			return bsonval.Value{}, broken("a run of objects ends within one")
		}
		m.d.at++
		m.ended = true
		return bsonval.Value{}, nil
	}
	return m.d.control(s)
}
