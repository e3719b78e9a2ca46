package index

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/fts"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// text is what a text index keeps: the fields that its keys begin with and end with
// besides the word and its score.
type text struct {
	spec          *fts.Spec
	before, after []Field
}

// Text answers what a text index reads, and the fields before the words in its keys;
// nil for other indexes.
func (d *Def) Text() (spec *fts.Spec, before []Field) {
	t, ok := d.Extra.(*text)
	if !ok {
		return nil, nil
	}
	return t.spec, t.before
}

// parseText checks a text index and gives it the key pattern that the server gives it.
func (d *Def) parseText(spec bsonval.Doc) error {
	t := &text{}
	var words []string
	ended := false
	for _, f := range d.Fields {
		switch {
		case f.Path == "_fts" && (spec.Get("weights").Type() != bsonval.Object || spec.Get("weights").Doc().IsEmpty()):
			return mongoerr.New(mongoerr.CannotCreateIndex, "text index option 'weights' must specify fields or the wildcard")
		case f.Path == "_fts" || f.Path == "_ftsx":
		case f.Kind == Text && ended:
			return mongoerr.New(mongoerr.CannotCreateIndex, "'text' fields in index must all be adjacent")
		case f.Kind == Text:
			words = append(words, f.Path)
			continue
		case f.Kind != Ordered:
			return mongoerr.New(mongoerr.CannotCreateIndex, "compound text index key suffix fields must have value 1 or -1")
		case len(words) == 0 && len(t.after) == 0 && !d.wordsBefore(f.Path):
			t.before = append(t.before, f)
			continue
		default:
			t.after = append(t.after, f)
		}
		ended = ended || len(words) > 0
	}
	if d.Expire >= 0 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "text indexes cannot expire documents")
	}
	if d.Collator != nil {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type 'text' does not support collation: %s", d.Pattern)
	}
	var err error
	if t.spec, err = fts.NewSpec(words, spec); err != nil {
		return err
	}
	d.Extra = t
	d.textPattern(t)
	return nil
}

// wordsBefore tells whether the words of a pattern that is normal already, _fts, stand
// before path.
func (d *Def) wordsBefore(path string) bool {
	for name := range d.Pattern.All() {
		switch name {
		case "_fts":
			return true
		case path:
			return false
		}
	}
	return false
}

func (d *Def) textPattern(t *text) {
	given := d.Pattern
	d.Fields = append(append([]Field(nil), t.before...), Field{Path: "_fts", Kind: Text}, Field{Path: "_ftsx"})
	d.Fields = append(d.Fields, t.after...)
	var b bsonval.Builder
	for _, f := range d.Fields {
		switch f.Path {
		case "_fts":
			b.Str("_fts", "text")
		case "_ftsx":
			b.Int32("_ftsx", 1)
		default:
			b.Set(f.Path, given.Get(f.Path))
		}
	}
	d.Pattern = b.Doc()
}

// words answers a key for each word of the document.
func (d *Def) words(doc bsonval.Doc) (Keys, error) {
	t := d.Extra.(*text)
	terms, err := t.spec.Terms(doc)
	if err != nil || len(terms) == 0 {
		return Keys{}, err
	}
	before, err := fixed(t.before, doc)
	if err != nil {
		return Keys{}, err
	}
	after, err := fixed(t.after, doc)
	if err != nil {
		return Keys{}, err
	}
	var out Keys
	for _, x := range terms {
		k := bsonval.AppendKey(append([]byte(nil), before...), bsonval.StringValue(x.Text), nil)
		k = bsonval.AppendKey(k, bsonval.DoubleValue(x.Score), nil)
		out.Keys = append(out.Keys, string(append(k, after...)))
	}
	return out, nil
}

// alone is the one value at a path, which may name places of arrays. ok is false when
// an array stands there or is to be crossed.
func alone(v bsonval.Value, path string) (at bsonval.Value, ok bool) {
	for rest := path; rest != ""; {
		part, after, _ := strings.Cut(rest, ".")
		switch v.Type() {
		case bsonval.Object:
			v = v.Doc().Get(part)
		case bsonval.Array:
			if !isPlace(part) {
				return v, false
			}
			v = v.Doc().Get(part)
		default:
			return bsonval.Value{}, true
		}
		rest = after
	}
	return v, v.Type() != bsonval.Array
}

// fixed are the keys of fields beside the words, which must hold no arrays.
func fixed(fields []Field, doc bsonval.Doc) ([]byte, error) {
	var out []byte
	for _, f := range fields {
		v, ok := alone(bsonval.DocValue(doc), f.Path)
		if !ok {
			return nil, mongoerr.New(mongoerr.CannotBuildIndexKeys, "Field '%s' of text index contains an array in document: %s", f.Path, doc)
		}
		if v.IsMissing() {
			v = bsonval.NullValue()
		}
		from := len(out)
		out = bsonval.AppendKey(out, v, nil)
		if f.Desc {
			bsonval.InvertKey(out[from:])
		}
	}
	return out, nil
}
