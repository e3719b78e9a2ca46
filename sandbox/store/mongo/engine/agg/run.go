package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// nesting is what kind of stage holds a pipeline.
type nesting int

const (
	outermost nesting = iota
	inFacet
	inUnion
	inLookup
)

// standsFirst tells the stages that may only begin a pipeline.
func standsFirst(name string) bool {
	return firstStages(name) != nil && name != "$changeStreamSplitLargeEvent"
}

// checkPlaces refuses stages that stand where they may not.
func (p *Pipeline) checkPlaces() error {
	for i, s := range p.Stages {
		writes := writeStages(s.Name) != nil
		streams := s.Name == "$changeStream"
		switch {
		case p.env.within == inFacet && (s.Name == "$match" && uses(s.Arg, "$text") || writes || standsFirst(s.Name) || s.Name == "$facet"):
			return mongoerr.New(40600, "%s is not allowed to be used within a $facet stage", s.Name)
		case p.env.within == inLookup && (writes || streams):
			return mongoerr.New(51047, "%s is not allowed within a $lookup's sub-pipeline", s.Name)
		case p.env.within == inUnion && (writes || streams):
			return mongoerr.New(31441, "%s is not allowed within a $unionWith's sub-pipeline", s.Name)
		case writes && i != len(p.Stages)-1:
			return mongoerr.New(40601, "%s can only be the final stage in the pipeline", s.Name)
		case i > 0 && s.Name == "$match" && uses(s.Arg, "$text"):
			return mongoerr.New(17313, "$match with $text is only allowed as the first pipeline stage")
		case i > 0 && standsFirst(s.Name):
			if s.Name == "$geoNear" { // the server moves it, on time series, before it looks
				return mongoerr.New(40603, "$geoNear was not the first stage in the pipeline after optimization. Is optimization disabled or inhibited?")
			}
			return mongoerr.New(40602, "%s is only valid as the first stage in a pipeline.", s.Name)
		}
	}
	return nil
}

// checkMetas refuses {$meta: …} of what the pipeline's source doesn't tell. A $facet's
// pipelines are part of the one around them.
func (p *Pipeline) checkMetas() error {
	if p.env.Source == nil || p.env.within == inFacet || len(p.Stages) == 0 {
		return nil
	}
	first := p.Stages[0]
	text := first.Name == "$match" && uses(first.Arg, "$text")
	for _, s := range p.Stages {
		if err := expr.MetaAvailable(expr.Metas(s.Arg), text, first.Name == "$geoNear"); err != nil {
			return err
		}
	}
	return nil
}

// joinSortLimit tells a $sort how many rows the $limit after it lets through.
func (p *Pipeline) joinSortLimit() {
	for i := range p.Stages {
		sort, ok := p.Stages[i].Stage.(*sortStage)
		if !ok {
			continue
		}
		skip, rest := int64(0), p.Stages[i+1:]
		if len(rest) > 0 {
			if n, ok := rest[0].Stage.(skipStage); ok {
				skip, rest = int64(n), rest[1:]
			}
		}
		if len(rest) > 0 {
			if n, ok := rest[0].Stage.(limitStage); ok && skip < 1<<40 && n < 1<<40 {
				sort.limit = skip + int64(n)
			}
		}
	}
}

// Run starts the whole pipeline. When the first stage doesn't make rows of its own it
// reads env.Coll through Source, with what Leading found.
func (p *Pipeline) Run() (stream.Iterator, error) {
	it, err := p.run()
	if p.env.Depth > 0 {
		return it, err
	}
	if err != nil {
		return nil, inAggregation(err)
	}
	return &outlet{it}, nil
}

func (p *Pipeline) run() (stream.Iterator, error) {
	if len(p.Stages) > 0 {
		if _, ok := p.Stages[0].Stage.(source); ok {
			if p.Stages[0].Name == "$documents" && p.env.Coll != "" && p.env.Depth == 0 {
				return nil, mongoerr.New(mongoerr.InvalidNamespace, "'$documents' can only be run with {aggregate: 1}")
			}
			return p.Over(stream.Docs(nil))
		}
	}
	if p.env.Coll == "" {
		if len(p.Stages) == 0 {
			return nil, mongoerr.New(mongoerr.InvalidNamespace, "{aggregate: 1} is not valid for an empty pipeline.")
		}
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "{aggregate: 1} is not valid for '%s'; a collection is required.", p.Stages[0].Name)
	}
	q, rest := p.Leading()
	in, err := p.env.Source.Find(p.env.Op, p.env.DB, p.env.Coll, q)
	if err != nil {
		return nil, err
	}
	return rest.Over(in)
}

// source is a stage that makes rows of its own and stands first: $documents.
type source interface {
	Stage
	source()
}

// Over starts the stages over rows that are given.
func (p *Pipeline) Over(in stream.Iterator) (stream.Iterator, error) {
	for _, s := range p.Stages {
		out, err := s.Stage.Start(p.env, in)
		if err != nil {
			in.Close()
			return nil, err
		}
		in = out
	}
	return in, nil
}

// outlet is where a pipeline's rows leave it: errors say where they come from, and no
// document is larger than a reply may hold.
type outlet struct{ stream.Iterator }

// maxOutput is the server's bound for a document that it made itself, in bytes.
const maxOutput = bsonval.MaxDocument + 16<<10

func (o *outlet) Next() (stream.Row, bool, error) {
	row, ok, err := o.Iterator.Next()
	switch {
	case err != nil:
		return row, false, inAggregation(err)
	case ok && len(row.Doc) > maxOutput:
		first := row.Doc.First()
		return row, false, inAggregation(mongoerr.New(mongoerr.BSONObjectTooLarge,
			"BSONObj size: %d (0x%X) is invalid. Size must be between 0 and %d(16MB) First element: %s: ?type=%d", len(row.Doc), len(row.Doc), maxOutput, first.Name, first.Value.Type().Code()))
	}
	return row, ok, nil
}

const aggregationPrefix = "PlanExecutor error during aggregation :: caused by :: "

func inAggregation(err error) error {
	e := *mongoerr.From(err)
	if !strings.HasPrefix(e.Message, aggregationPrefix) {
		e.Message = aggregationPrefix + e.Message
	}
	return &e
}
