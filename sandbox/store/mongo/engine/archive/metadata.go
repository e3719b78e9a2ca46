package archive

import (
	"encoding/hex"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func hidden(coll string) bool  { return strings.HasPrefix(coll, "system.") }
func special(coll string) bool { return strings.Contains(coll, "$") }

// metadata is a collection's options and indexes as extended JSON.
func metadata(c source) (string, error) {
	b := bsonval.NewBuilder(256)
	if len(c.options) > 0 && !c.options.IsEmpty() {
		b.SetDoc("options", c.options)
	}
	b.OpenArray("indexes")
	for _, spec := range c.indexes {
		b.ItemDoc(spec)
	}
	b.Close()
	if c.uuid != nil {
		b.Str("uuid", hex.EncodeToString(c.uuid[:]))
	}
	b.Str("collectionName", c.ns.Coll).Str("type", c.kind)
	json, err := bson.MarshalExtJSON(bson.Raw(b.Doc()), true, false)
	if err != nil {
		return "", fmt.Errorf("describe collection %s: %w", c.ns, err)
	}
	return string(json), nil
}

// described is a collection as the prelude tells of it.
type described struct {
	ns      storage.NS
	kind    string // collection, view, timeseries; empty in old archives
	options bsonval.Doc
	indexes []bsonval.Doc
}

// describe reads a document of the prelude.
func describe(doc bsonval.Doc) (*described, error) {
	d := &described{ns: storage.NS{DB: text(doc, "db"), Coll: text(doc, "collection")}, kind: text(doc, "type"), options: bsonval.EmptyDoc()}
	if d.ns.Coll == "" {
		return nil, corrupt("a collection has no name")
	}
	json := text(doc, "metadata")
	if json == "" {
		return d, nil
	}
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(json), true, &raw); err != nil {
		return nil, corrupt("the options of %s: %w", d.ns, err)
	}
	if err := bsonval.Validate(raw); err != nil {
		return nil, corrupt("the options of %s: %w", d.ns, err)
	}
	meta := bsonval.Doc(raw)
	if v := meta.Get("options"); v.Type() == bsonval.Object {
		d.options = v.Doc()
	}
	if v := meta.Get("indexes"); v.Type() == bsonval.Array {
		for spec := range v.Doc().Values() {
			if spec.Type() != bsonval.Object {
				return nil, corrupt("an index of %s is a %s", d.ns, spec.Type())
			}
			d.indexes = append(d.indexes, spec.Doc())
		}
	}
	return d, nil
}

func text(d bsonval.Doc, name string) string {
	if v := d.Get(name); v.Type() == bsonval.String {
		return v.Str()
	}
	return ""
}
