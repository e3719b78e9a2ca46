package index

import "storeroom/sandbox/store/mongo/engine/bsonval"

// Values answers the fields and values of doc that made one of its keys, as errors
// about that key name them: { a: 1, "b.c": null } without quotes.
func (d *Def) Values(doc bsonval.Doc, key string) bsonval.Doc {
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
