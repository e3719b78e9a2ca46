package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// explainSeriesWrite explains a change of measurements: how the buckets are found, and
// what is then asked of each measurement.
func (s *Server) explainSeriesWrite(r *Request, b *bsonval.Builder, c *storage.Collection, o timeseries.Options, stage string, ch crud.Change, verbosity string) error {
	res, err := r.tryChange(c.NS, stage, ch) // refuses what can't be done at every verbosity
	if err != nil {
		return err
	}
	var filter, rest bsonval.Doc
	if stage == "DELETE" {
		filter, rest = o.Split(ch.Filter, r.Op.Collator != nil)
		if !ch.Multi {
			rest = ch.Filter
		}
	} else if filter, err = o.UpdateFilter(ch.Filter); err != nil {
		return err
	}
	buckets := r.State().Collection(crud.BucketsNS(c.NS))
	m, err := match.Compile(filter, s.matchEnv(r.Op, buckets))
	if err != nil {
		return err
	}
	hint, err := (&source{r: r}).bucketHint(c.NS, ch.Hint)
	if err != nil {
		return err
	}
	p, err := plan.Choose(r.Op, buckets, plan.Query{NS: crud.BucketsNS(c.NS).String(), Filter: m, Hint: hint, Frame: expr.NewFrame(r.Op), Explain: true})
	if err != nil {
		return err
	}
	if stage == "UPDATE" || ch.Multi && rest.IsEmpty() {
		p.Wrap(stage, func(b *bsonval.Builder, done bool) { describeChange(b, stage, ch, res, done) })
		return r.written(p, b, verbosity)
	}
	kind := "deleteMany"
	if !ch.Multi {
		kind = "deleteOne"
	}
	p.Wrap("TS_MODIFY", func(b *bsonval.Builder, done bool) {
		b.Str("opType", kind).SetDoc("bucketFilter", filter).SetDoc("residualFilter", rest)
		if done {
			b.Number("nMeasurementsDeleted", res.Matched)
		}
	})
	return r.written(p, b, verbosity)
}
