package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// bucketStages are the stages that make measurements of a time series' buckets. A time
// series is a view that begins with one.
func bucketStages(name string) compiler {
	switch name {
	case timeseries.Unpack, "$_unpackBucket":
		return compileUnpack
	}
	return nil
}

type unpack struct {
	opts timeseries.Options
	drop map[string]bool // exclude
	keep map[string]bool // include; nil: all
}

func compileUnpack(_ *Env, name string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(5346500, "%s specification must be an object, got: %s", name, arg.Type())
	}
	u := &unpack{}
	for field, v := range arg.Doc().All() {
		if err := u.option(name, field, v); err != nil {
			return nil, err
		}
	}
	switch {
	case u.opts.Time == "":
		return nil, mongoerr.New(5346508, "The %s stage requires a timeField parameter", name)
	case u.drop != nil && u.keep != nil:
		return nil, mongoerr.New(5408000, "The %s stage expects at most one of include/exclude parameters to be specified", name)
	}
	return u, nil
}

func (u *unpack) option(name, field string, v bsonval.Value) (err error) {
	text := func(code mongoerr.Code) (string, error) {
		if v.Type() != bsonval.String {
			return "", mongoerr.New(code, "%s field must be a string, got: %s", field, v.Type())
		}
		return v.Str(), nil
	}
	switch field {
	case "timeField":
		u.opts.Time, err = text(5346504)
	case "metaField":
		u.opts.Meta, err = text(5346505)
	case "bucketMaxSpanSeconds":
		if !v.IsNumber() || v.Long() <= 0 {
			return mongoerr.New(5510600, "bucketMaxSpanSeconds field must be a number greater than zero, got: %s", v)
		}
		u.opts.MaxSpan = v.Long()
	case "exclude", "include":
		names, err := fieldNames(field, v)
		if err != nil {
			return err
		}
		if field == "include" {
			u.keep = names
		} else if len(names) > 0 {
			u.drop = names
		}
	default:
		return mongoerr.New(5346506, "unrecognized parameter to %s: %s", name, field)
	}
	return err
}

func fieldNames(field string, v bsonval.Value) (map[string]bool, error) {
	if v.Type() != bsonval.Array {
		return nil, mongoerr.New(5346501, "include or exclude field must be an array, got: %s", v.Type())
	}
	names := map[string]bool{}
	for x := range v.Doc().Values() {
		if x.Type() != bsonval.String || x.Str() == "" {
			return nil, mongoerr.New(5346502, "%s field element must be a single-element field path, got: %s", field, x)
		}
		names[x.Str()] = true
	}
	return names, nil
}

// Start implements Stage.
func (u *unpack) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return &unpacking{Iterator: in, env: env, unpack: u}, nil
}

type unpacking struct {
	stream.Iterator
	env    *Env
	unpack *unpack
	reader *timeseries.Reader // of the bucket at hand; nil: none
}

// Next implements stream.Iterator.
func (u *unpacking) Next() (stream.Row, bool, error) {
	for {
		if err := u.env.Op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		if u.reader != nil {
			d, ok, err := u.reader.Next()
			if err != nil {
				return stream.Row{}, false, err
			}
			if ok {
				return stream.Row{Doc: u.unpack.wanted(d)}, true, nil
			}
		}
		bucket, ok, err := u.Iterator.Next()
		if !ok || err != nil {
			return stream.Row{}, false, err
		}
		if u.reader, err = timeseries.Read(u.unpack.opts.Time, u.unpack.opts.Meta, bucket.Doc); err != nil {
			return stream.Row{}, false, err
		}
	}
}

// wanted keeps the fields that include names, or leaves out those of exclude.
func (u *unpack) wanted(d bsonval.Doc) bsonval.Doc {
	if u.drop == nil && u.keep == nil {
		return d
	}
	b := bsonval.NewBuilder(len(d))
	for it := d.Iter(); it.Next(); {
		if name := it.Name(); !u.drop[name] && (u.keep == nil || u.keep[name]) {
			b.Raw(it.Raw())
		}
	}
	return b.Doc()
}

// leadingBuckets is Leading of a pipeline that unpacks buckets: what the $match after
// that asks of whole buckets is asked of the collection, the rest of each measurement.
func (p *Pipeline) leadingBuckets(q Query, u *unpack) (Query, *Pipeline) {
	if u.opts.MaxSpan == 0 || u.drop != nil || u.keep != nil {
		return q, p
	}
	rest := *p
	rest.Stages = []Named{p.Stages[0]}
	var asked []bsonval.Doc
	at := 1
	for ; at < len(p.Stages); at++ {
		if _, ok := p.Stages[at].Stage.(matchStage); !ok {
			break
		}
		bucket, more := u.opts.Split(p.Stages[at].Arg.Doc(), p.env.Op.Collator != nil)
		if !bucket.IsEmpty() {
			asked = append(asked, bucket)
		}
		if more.IsEmpty() {
			continue
		}
		arg := bsonval.DocValue(more)
		st, err := compileMatch(p.env, "$match", arg)
		if err != nil {
			return q, p // it compiled whole: the parts can't fail
		}
		rest.Stages = append(rest.Stages, Named{"$match", arg, st})
	}
	rest.Stages = append(rest.Stages, p.Stages[at:]...)
	q.Filter = allOf(asked)
	return q, &rest
}

// explained is the stage with the $match stages that follow it, of which the server
// makes one: at is the first stage that is no part of it.
func (u *unpack) explained(stages []Named) (arg bsonval.Value, at int) {
	b := bsonval.BuilderOf(stages[0].Arg.Doc())
	b.Bool("assumeNoMixedSchemaData", true)
	var filters []bsonval.Doc
	for at = 1; at < len(stages); at++ {
		m, ok := stages[at].Stage.(matchStage)
		if !ok {
			break
		}
		filters = append(filters, m.m.Describe())
	}
	if len(filters) > 0 {
		b.SetDoc("eventFilter", allOf(filters))
		if whole := u.opts.Whole(filters); whole != nil {
			b.SetDoc("wholeBucketFilter", whole)
		}
	}
	return b.Value(), at
}
