package expr

import (
	"math/rand/v2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// others are the operators that belong to no family.
func others(name string) builder {
	switch name {
	case "$rand":
		return randomNumber
	case "$meta":
		return meta
	case "$bsonSize":
		return ofOne(bsonSize)
	case "$binarySize":
		return ofOne(binarySize)
	case "$toHashedIndexKey":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			if v.IsMissing() {
				v = null
			}
			return bsonval.LongValue(HashedKey(v)), nil
		})
	case "$sampleRate":
		return sampleRate
	case "$function", "$accumulator", "$where":
		return func(*Scope, string, bsonval.Value) (Expr, error) { return nil, NoJavaScript(name) }
	}
	return nil
}

// NoJavaScript is the error of everything that would run a client's JavaScript.
func NoJavaScript(name string) error {
	return mongoerr.New(31264, "%s not allowed: this server runs with its JavaScript engine disabled; write it with aggregation expressions instead", name)
}

func randomNumber(_ *Scope, _ string, arg bsonval.Value) (Expr, error) {
	if empty := arg.Type() == bsonval.Object || arg.Type() == bsonval.Array; !empty || !arg.Doc().IsEmpty() {
		return nil, mongoerr.New(3040501, "$rand does not currently accept arguments")
	}
	return Func(func(*Frame) (bsonval.Value, error) { return bsonval.DoubleValue(rand.Float64()), nil }), nil
}

// sampleRate is true for that share of the documents.
func sampleRate(_ *Scope, _ string, arg bsonval.Value) (Expr, error) {
	rate := arg.Float()
	if !arg.IsNumber() || !(rate >= 0 && rate <= 1) {
		return nil, mongoerr.New(mongoerr.BadValue, "numeric argument to $sampleRate must be in [0, 1]")
	}
	return Func(func(*Frame) (bsonval.Value, error) { return bsonval.BoolValue(rand.Float64() < rate), nil }), nil
}

func meta(_ *Scope, _ string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.String {
		return nil, mongoerr.New(17307, "$meta only supports string arguments")
	}
	name := arg.Str()
	if _, ok := metaValue(&Frame{}, name); !ok {
		return nil, mongoerr.New(17308, "Unsupported argument to $meta: %s", name)
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, _ := metaValue(f, name)
		return v, nil
	}), nil
}

// metaValue is what is known about the row under that name; Missing when it isn't.
func metaValue(f *Frame, name string) (v bsonval.Value, known bool) {
	m := f.Row.Meta
	switch name {
	case "recordId":
		if f.Row.Record == 0 {
			return missing, true
		}
		if m != nil && m.RecordID != nil {
			return m.RecordID(f.Row.Doc), true
		}
		return bsonval.LongValue(f.Row.Record), true
	case "textScore", "geoNearDistance", "geoNearPoint", "sortKey", "indexKey", "randVal", "searchScore",
		"searchHighlights", "vectorSearchScore", "searchScoreDetails", "score", "scoreDetails", "searchSequenceToken", "timeseriesBucketMinTime", "timeseriesBucketMaxTime":
	default:
		return missing, false
	}
	if m == nil {
		return missing, true
	}
	switch name {
	case "textScore":
		return m.TextScore, true
	case "geoNearDistance":
		return m.GeoDistance, true
	case "geoNearPoint":
		return m.GeoPoint, true
	case "sortKey":
		return m.SortKey, true
	case "indexKey":
		return m.IndexKey, true
	case "randVal":
		return m.Random, true
	}
	return m.Extra[name], true
}

func bsonSize(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish():
		return null, nil
	case v.Type() != bsonval.Object:
		return null, mongoerr.New(31393, "$bsonSize requires a document input, found: %s", v.Type())
	}
	return bsonval.IntValue(int32(v.Size())), nil
}

func binarySize(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish():
		return null, nil
	case v.Type() == bsonval.String:
		return bsonval.IntValue(int32(len(v.Str()))), nil
	case v.Type() == bsonval.Binary:
		_, data := v.Binary()
		return bsonval.IntValue(int32(len(data))), nil
	}
	return null, mongoerr.New(51276, "$binarySize requires a string or BinData argument, found: %s", v.Type())
}
