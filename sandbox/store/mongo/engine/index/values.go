package index

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Values answers the fields and values of doc that made one of its keys, as errors
// about that key name them: { a: 1, "b.c": null } without quotes.
func (d *Def) Values(doc bsonval.Doc, key string) bsonval.Doc {
	switch d.Kind {
	case Sphere, Flat:
		return d.cellValues(doc, key)
	case Text:
		return d.wordValues(doc, key)
	case Wildcard:
		return d.wildcardValues(doc, key)
	}
	var found []place
	w := walker{def: d, want: key, found: &found}
	fields := make([]place, len(d.Fields))
	for i, f := range d.Fields {
		fields[i] = place{value: bsonval.DocValue(doc), rest: f.Path}
	}
	if err := w.walk(fields); err != nil {
		return bsonval.EmptyDoc()
	}
	var b bsonval.Builder
	for i, p := range found {
		v := p.value
		if v.IsMissing() {
			v = bsonval.NullValue()
		}
		b.Set(d.Fields[i].Path, v)
	}
	return b.Doc()
}

// cellValues takes a geospatial index's key apart: each field has the value whose own
// key comes next.
func (d *Def) cellValues(doc bsonval.Doc, key string) bsonval.Doc {
	var b bsonval.Builder
	for i, f := range d.Fields {
		candidates := []bsonval.Value{bsonval.NullValue()}
		if f.Kind == Ordered {
			one := &Def{Fields: []Field{f}, Collator: d.Collator}
			keys, _ := one.ordered(doc)
			for _, k := range keys.Keys {
				candidates = append(candidates, one.Values(doc, k).Get(f.Path))
			}
		} else {
			cells, _ := d.places(doc, f.Path)
			for _, c := range cells {
				candidates = append(candidates, bsonval.LongValue(c))
			}
		}
		for _, v := range candidates {
			if rest, ok := strings.CutPrefix(key, string(d.AppendField(nil, i, v))); ok {
				b.Set(f.Path, v)
				key = rest
				break
			}
		}
	}
	return b.Doc()
}

// wordValues takes a text index's key apart.
func (d *Def) wordValues(doc bsonval.Doc, key string) bsonval.Doc {
	t := d.Extra.(*text)
	var b bsonval.Builder
	around := func(fields []Field) {
		for _, f := range fields {
			v, _ := alone(bsonval.DocValue(doc), f.Path)
			if v.IsMissing() {
				v = bsonval.NullValue()
			}
			b.Set(f.Path, v)
		}
	}
	around(t.before)
	before, _ := fixed(t.before, doc)
	terms, _ := t.spec.Terms(doc)
	for _, x := range terms {
		k := bsonval.AppendKey(append([]byte(nil), before...), bsonval.StringValue(x.Text), nil)
		if strings.HasPrefix(key, string(k)) {
			b.Str("_fts", x.Text).Double("_ftsx", x.Score)
			break
		}
	}
	around(t.after)
	return b.Doc()
}

// Entry is a key as it stands in an index's tree: with its document's record id.
func Entry(key string, record int64) string {
	b := make([]byte, 0, len(key)+8)
	b = append(b, key...)
	u := uint64(record)
	return string(append(b, byte(u>>56), byte(u>>48), byte(u>>40), byte(u>>32), byte(u>>24), byte(u>>16), byte(u>>8), byte(u)))
}

// SplitEntry takes an entry apart.
func SplitEntry(entry string) (key string, record int64) {
	n := len(entry) - 8
	var u uint64
	for i := n; i < len(entry); i++ {
		u = u<<8 | uint64(entry[i])
	}
	return entry[:n], int64(u)
}
