// Package timeseries is the form in which time series are kept: measurements of one
// source and one span of time lie together in a bucket, a document whose data holds a
// column for each field. It makes buckets and takes them apart, and translates
// filters, updates and indexes on measurements into ones on buckets.
//
// Packages crud and agg write and read through it. It knows no collections and no
// storage: what it is given and answers are documents.
package timeseries

import (
	"math"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Prefix begins the name of the collection that holds a time series' buckets.
const Prefix = "system.buckets."

// Unpack is the stage that makes measurements of buckets.
const Unpack = "$_internalUnpackBucket"

// maxSeconds is the longest that a bucket may span: a year.
const maxSeconds = 365 * 86400

// Options are what create takes as timeseries. The zero Options are of no collection.
type Options struct {
	Time        string // the field with the measurement's date
	Meta        string // the field that names its source; "" for none
	Granularity string // "seconds", "minutes", "hours"; "" when the two below are given
	MaxSpan     int64  // what a bucket spans at most, in seconds
	Rounding    int64  // a bucket's least date is a multiple of that, in seconds
}

// step is what a granularity stands for.
type step struct{ span, rounding int64 }

func stepOf(granularity string) (step, bool) {
	switch granularity {
	case "seconds":
		return step{3600, 60}, true
	case "minutes":
		return step{86400, 3600}, true
	case "hours":
		return step{30 * 86400, 86400}, true
	}
	return step{}, false
}

// Of answers the options of a collection made with those of create, and whether it is
// a time series or the buckets of one.
func Of(create bsonval.Doc) (Options, bool) {
	v := create.Get("timeseries")
	if v.Type() != bsonval.Object {
		return Options{}, false
	}
	o, err := Parse(v.Doc(), "")
	return o, err == nil
}

// Parse checks the options as create and $out take them. prefix is what the server's
// messages begin with before a field's name.
func Parse(d bsonval.Doc, prefix string) (Options, error) {
	var o Options
	err := o.read(d, prefix, true)
	if err != nil {
		return o, err
	}
	if d.Get("timeField").IsMissing() {
		return o, mongoerr.New(40414, "BSON field '%stimeField' is missing but a required field", prefix)
	}
	return o, o.complete()
}

// read takes the fields; all of them, or those that collMod may change.
func (o *Options) read(d bsonval.Doc, prefix string, all bool) error {
	for name, v := range d.All() {
		text, number := (*string)(nil), (*int64)(nil)
		switch name {
		case "timeField":
			text = &o.Time
		case "metaField":
			text = &o.Meta
		case "granularity":
			text = &o.Granularity
		case "bucketMaxSpanSeconds":
			number = &o.MaxSpan
		case "bucketRoundingSeconds":
			number = &o.Rounding
		}
		switch {
		case text == nil && number == nil || !all && (text == &o.Time || text == &o.Meta):
			return mongoerr.New(40415, "BSON field '%s%s' is an unknown field.", prefix, name)
		case text != nil && v.Type() != bsonval.String:
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s%s' is the wrong type '%s', expected type 'string'", prefix, name, v.Type())
		case text != nil:
			*text = v.Str()
		case !v.IsNumber():
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s%s' is the wrong type '%s', expected types '[long, int, decimal, double]'", prefix, name, v.Type())
		case v.Long() < 1:
			return mongoerr.New(mongoerr.BadValue, "BSON field '%s' value must be >= 1, actual value '%d'", name, v.Long())
		case v.Long() > maxSeconds:
			return mongoerr.New(mongoerr.BadValue, "BSON field '%s' value must be <= %d, actual value '%d'", name, int64(maxSeconds), v.Long())
		default:
			*number = v.Long()
		}
	}
	if _, ok := stepOf(o.Granularity); !ok && !d.Get("granularity").IsMissing() {
		return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field '%sgranularity' is not a valid value.", o.Granularity, prefix)
	}
	return nil
}

// CheckNames refuses fields that can't be the time or the source; ns is the collection.
func (o Options) CheckNames(ns string) error {
	top := func(field string) error {
		return mongoerr.New(mongoerr.InvalidOptions, "%s: '%s' must be a top-level field and not contain a '.'", ns, field)
	}
	switch {
	case strings.ContainsRune(o.Time, '.'):
		return top("timeField")
	case strings.ContainsRune(o.Time, 0):
		return mongoerr.New(mongoerr.BadValue, "'timeField' cannot contain a null byte")
	case strings.ContainsRune(o.Meta, 0):
		return mongoerr.New(mongoerr.BadValue, "'metaField' cannot contain a null byte")
	case o.Meta == "_id":
		return mongoerr.New(mongoerr.InvalidOptions, "'metaField' cannot be \"_id\"")
	case o.Meta != "" && o.Meta == o.Time:
		return mongoerr.New(mongoerr.InvalidOptions, "'metaField' cannot be the same as 'timeField'")
	case strings.ContainsRune(o.Meta, '.'):
		return top("metaField")
	}
	return nil
}

// complete fills what follows from the rest.
func (o *Options) complete() error {
	st, ok := stepOf(o.Granularity)
	switch {
	case ok && o.MaxSpan != 0 && o.MaxSpan != st.span:
		return mongoerr.New(mongoerr.InvalidOptions, "Time-series 'bucketMaxSpanSeconds' cannot be set to a value other than the default of %d for the provided granularity", st.span)
	case ok && o.Rounding != 0:
		return mongoerr.New(mongoerr.InvalidOptions, "Time-series 'bucketRoundingSeconds' cannot be set alongside the granularity parameter")
	case !ok && o.MaxSpan != o.Rounding:
		return mongoerr.New(mongoerr.InvalidOptions, "Time-series 'bucketRoundingSeconds' must be equal to 'bucketMaxSpanSeconds'")
	case !ok && o.MaxSpan == 0:
		o.Granularity = "seconds"
		st, ok = stepOf(o.Granularity)
	}
	if ok {
		o.MaxSpan, o.Rounding = st.span, st.rounding
	}
	return nil
}

// Doc is the options as listCollections shows them.
func (o Options) Doc() bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.Str("timeField", o.Time)
	if o.Meta != "" {
		b.Str("metaField", o.Meta)
	}
	if o.Granularity != "" {
		b.Str("granularity", o.Granularity)
	} else {
		b.Int32("bucketRoundingSeconds", int32(o.Rounding))
	}
	return b.Int32("bucketMaxSpanSeconds", int32(o.MaxSpan)).Doc()
}

// Modified are the options with those of collMod in place. A bucket's span may only
// become longer, so that older buckets stay where their dates say.
func (o Options) Modified(d bsonval.Doc) (Options, error) {
	var to Options
	if err := to.read(d, "collMod.timeseries.", false); err != nil || d.IsEmpty() {
		return o, err
	}
	refuse := func(why string) (Options, error) {
		return o, mongoerr.New(mongoerr.InvalidOptions, "%s", why)
	}
	st, ok := stepOf(to.Granularity)
	switch {
	case ok && to.MaxSpan != 0 && to.MaxSpan != st.span:
		return refuse("Timeseries 'bucketMaxSpanSeconds' is not configurable to a value other than the default for the provided granularity")
	case ok && to.Rounding != 0:
		return refuse("Timeseries 'bucketRoundingSeconds' is not configurable alongside the granularity parameter")
	case !ok && (to.MaxSpan == 0 || to.Rounding == 0):
		return refuse("Timeseries 'bucketMaxSpanSeconds' and 'bucketRoundingSeconds' need to be set alongside each other")
	case !ok && to.MaxSpan != to.Rounding:
		return refuse("Timeseries 'bucketRoundingSeconds' needs to be equal to 'bucketMaxSpanSeconds'")
	case ok:
		to.MaxSpan, to.Rounding = st.span, st.rounding
	}
	switch {
	case to.MaxSpan == o.MaxSpan && to.Rounding == o.Rounding:
		return o, nil
	case ok && o.Granularity != "" && to.MaxSpan < o.MaxSpan:
		return refuse("Invalid transition for timeseries.granularity. Can only transition from 'seconds' to 'minutes' or 'minutes' to 'hours'.")
	case to.MaxSpan < o.MaxSpan:
		return refuse("Timeseries 'bucketMaxSpanSeconds' needs to be equal or greater to transition")
	case to.Rounding < o.Rounding:
		return refuse("Timeseries 'bucketRoundingSeconds' needs to be equal or greater to transition")
	}
	to.Time, to.Meta = o.Time, o.Meta
	return to, nil
}

// Round is the least date of the bucket that a measurement at ms begins, both in
// milliseconds since 1970.
func (o Options) Round(ms int64) int64 {
	by := o.Rounding * 1000
	down := ms - ms%by
	if down > ms { // before 1970
		if down < math.MinInt64+by {
			return math.MinInt64
		}
		down -= by
	}
	return down
}

// Pipeline is the view's: what makes measurements of the buckets.
func (o Options) Pipeline() bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.OpenItem().OpenDoc(Unpack).Str("timeField", o.Time)
	if o.Meta != "" {
		b.Str("metaField", o.Meta)
	}
	return b.Int32("bucketMaxSpanSeconds", int32(o.MaxSpan)).Close().Close().Doc()
}

// Validator is the one that the collection with the buckets has.
func (o Options) Validator() bsonval.Doc {
	b := bsonval.NewBuilder(512)
	strs := func(name string, list ...string) {
		b.OpenArray(name)
		for _, s := range list {
			b.ItemStr(s)
		}
		b.Close()
	}
	typed := func(name, kind string) { b.OpenDoc(name).Str("bsonType", kind).Close() }
	bounds := func(name string) {
		b.OpenDoc(name).Str("bsonType", "object")
		strs("required", o.Time)
		b.OpenDoc("properties")
		typed(o.Time, "date")
		b.Close().Close()
	}
	b.OpenDoc("$jsonSchema").Str("bsonType", "object")
	strs("required", "_id", "control", "data")
	b.OpenDoc("properties")
	typed("_id", "objectId")
	b.OpenDoc("control").Str("bsonType", "object")
	strs("required", "version", "min", "max")
	b.OpenDoc("properties")
	typed("version", "number")
	bounds("min")
	bounds("max")
	typed("closed", "bool")
	b.OpenDoc("count").Str("bsonType", "number").Int32("minimum", 1).Close()
	b.Close().Bool("additionalProperties", false).Close()
	typed("data", "object")
	if o.Meta != "" {
		b.OpenDoc("meta").Close()
	}
	b.Close().Bool("additionalProperties", false).Close()
	return b.Doc()
}

// Shown are the options of a time series as they are kept, without the view that it is
// made of.
func Shown(options bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(options))
	for name, v := range options.All() {
		if name != "viewOn" && name != "pipeline" {
			b.Set(name, v)
		}
	}
	return b.Doc()
}
