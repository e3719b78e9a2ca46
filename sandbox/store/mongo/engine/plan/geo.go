package plan

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// cover answers the cells of a geospatial index that may satisfy p.
func (f field) cover(p match.Pred) (intervals, tightness, bool) {
	g, ok := p.(*match.Geo)
	b, bucket := p.(*match.BucketGeo)
	if bucket {
		g = &b.Geo
	}
	if !ok && !bucket || bucket != f.geo.Buckets {
		return nil, 0, false
	}
	q, err := geo.Compile(g.Op, g.Source)
	if err != nil {
		return nil, 0, false
	}
	if f.geo.Kind == index.Flat {
		rs, ok := q.CoverFlat(f.geo.Grid())
		return f.cells(rs), byFetch, ok
	}
	rs, ok := q.Cover()
	return f.cells(rs), byFetch, ok
}

func (f field) cells(rs []geo.Range) intervals {
	out := make(intervals, 0, len(rs))
	for _, r := range rs {
		out = append(out, interval{bsonval.LongValue(r.Lo), bsonval.LongValue(r.Hi), true, true})
	}
	return f.union(out)
}

// isNear tells $near and $nearSphere, which only an index answers.
func isNear(p match.Pred) bool {
	g, ok := p.(*match.Geo)
	return ok && (strings.HasPrefix(g.Op, "$near") || g.Op == "$geoNear")
}

// nearCondition is the query's $near, nil for none. It may only stand at the top.
func nearCondition(c *condition, top bool) (*condition, error) {
	if c.pred != nil && isNear(c.pred) {
		if !top {
			return nil, mongoerr.New(mongoerr.BadValue, "geoNear must be top-level expr")
		}
		return c, nil
	}
	var found *condition
	for _, k := range c.kids {
		n, err := nearCondition(k, top && c.rank == rankAnd)
		if err != nil {
			return nil, err
		}
		if n != nil && found != nil {
			return nil, mongoerr.New(mongoerr.BadValue, "Too many geoNear expressions")
		}
		if n != nil {
			found = n
		}
	}
	return found, nil
}

// near is the plan of a search for what is nearest; nil when the query asks for none.
func (pl *planner) near() (*candidate, error) {
	if pl.query.Near != nil {
		return pl.nearStage(*pl.query.Near)
	}
	c, err := nearCondition(pl.cond, true)
	if err != nil || c == nil {
		return nil, err
	}
	g := c.pred.(*match.Geo)
	q, err := geo.Compile(g.Op, g.Source)
	if err != nil {
		return nil, err
	}
	return pl.nearest(c.path, q.Near, c)
}

// nearest is the plan of a search at a path, by an index that serves it. c is the
// condition that asks for it, nil for that of a stage.
func (pl *planner) nearest(path string, n *geo.Near, c *condition) (*candidate, error) {
	for _, kind := range []index.Kind{index.Sphere, index.Flat} {
		for _, ix := range pl.coll.Indexes {
			i := geoField(ix, path)
			if i < 0 || ix.Def.Kind != kind || !pl.serves(ix, n) {
				continue
			}
			if found := pl.nearBy(ix, i, path, n, c); found != nil {
				return found, nil
			}
		}
	}
	return nil, pl.noPlan("unable to find index for $geoNear query")
}

// serves tells whether the index is of the kind that the search needs.
func (pl *planner) serves(ix *storage.Index, n *geo.Near) bool {
	d := ix.Def
	if d.Hidden || pl.hint != nil && pl.hint.Def != d || d.Filter != nil && !pl.implies(d) {
		return false
	}
	if d.Kind == index.Flat {
		return !n.Wraps()
	}
	return d.Kind == index.Sphere && n.Spherical
}

func geoField(ix *storage.Index, path string) int {
	return slices.IndexFunc(ix.Def.Fields, func(f index.Field) bool {
		return !ix.Def.Buckets && (f.Kind == index.Sphere || f.Kind == index.Flat) && (path == "" || f.Path == path)
	})
}

// nearStage is the plan of the stage $geoNear. Without a key its place is that of the
// only 2d index, else of the only 2dsphere index.
func (pl *planner) nearStage(arg bsonval.Doc) (*candidate, error) {
	n, err := geo.ParseNear(arg)
	if err != nil {
		return nil, err
	}
	if v := arg.Get("key"); v.Type() == bsonval.String {
		return pl.nearest(v.Str(), n, nil)
	}
	for _, kind := range []index.Kind{index.Flat, index.Sphere} {
		var found []*storage.Index
		for _, ix := range pl.coll.Indexes {
			if ix.Def.Kind == kind && !ix.Def.Hidden && !ix.Def.Buckets {
				found = append(found, ix)
			}
		}
		if len(found) > 1 {
			return nil, mongoerr.New(mongoerr.IndexNotFound, "There is more than one %s index on %s; unsure which to use for $geoNear", kind, pl.coll.NS)
		}
		if len(found) == 1 {
			return pl.nearest(found[0].Def.Fields[geoField(found[0], "")].Path, n, nil)
		}
	}
	return nil, mongoerr.New(mongoerr.IndexNotFound, "$geoNear requires a 2d or 2dsphere index, but none were found")
}

// nearBy reads the cells around the point, measures the documents and orders them. It
// answers nil when nothing is asked of the fields before the place's.
func (pl *planner) nearBy(ix *storage.Index, i int, path string, n *geo.Near, c *condition) *candidate {
	var rest []*condition
	for _, k := range pl.cond.conjuncts() {
		if k != c {
			rest = append(rest, k)
		}
	}
	s := newScan(ix)
	u := pl.use(ix, s, rest, 0)
	if i > 0 && !u.firstBound() {
		return nil
	}
	rest = u.residual
	f := pl.field(&s.fields[i], ix)
	var rs []geo.Range
	ok := false
	if ix.Def.Kind == index.Flat {
		rs, ok = n.CoverFlat(ix.Def.Grid())
	} else {
		rs, ok = n.Cover()
	}
	if ok {
		s.fields[i].bounds = f.intersect(s.fields[i].bounds, f.cells(rs))
	}
	kind := "GEO_NEAR_2DSPHERE"
	if ix.Def.Kind == index.Flat {
		kind = "GEO_NEAR_2D"
	}
	fetch := &node{kind: "FETCH", kids: []*node{{kind: "IXSCAN", scan: s}}, filter: gather(rest)}
	top := &node{kind: kind, kids: []*node{fetch}}
	run := &nearest{}
	top.begin = func(x *execution, nd *node) stage {
		run = &nearest{x: x, n: nd, near: n, path: path, ix: ix.Def}
		return run
	}
	top.extra = func(b *bsonval.Builder, done bool) {
		b.SetDoc("keyPattern", ix.Def.Pattern).Str("indexName", ix.Def.Name).Int32("indexVersion", 2)
		if done {
			run.interval(b)
		}
	}
	return pl.complete(&access{root: top, fetched: true, sorted: len(pl.query.Sort) <= 5})
}

// nearest orders the documents by their distance.
type nearest struct {
	x     *execution
	n     *node
	near  *geo.Near
	ix    *index.Def
	path  string
	rows  []nearRow
	found int64
	held  *opctx.Holding
	done  bool
}

type nearRow struct {
	distance float64
	m        member
}

func (s *nearest) work(m *member) (status, error) {
	if s.done {
		if len(s.rows) == 0 {
			return ended, nil
		}
		*m = s.rows[0].m
		s.rows = s.rows[1:]
		return advanced, nil
	}
	if s.ix.Kind == index.Flat && s.held == nil {
		if err := s.near.In(s.ix.Grid()); err != nil {
			return ended, err
		}
	}
	st, err := s.n.kids[0].work(m)
	switch {
	case err != nil:
		return ended, err
	case st == ended:
		slices.SortStableFunc(s.rows, func(a, b nearRow) int { return cmp.Compare(a.distance, b.distance) })
		s.done = true
	case st == advanced:
		return needTime, s.measure(m)
	}
	return needTime, nil
}

// interval tells for explain how far was searched: all at once.
func (s *nearest) interval(b *bsonval.Builder) {
	b.OpenArray("searchIntervals")
	if s.near != nil {
		b.OpenItem().Double("minDistance", s.near.Min).Double("maxDistance", s.near.Max).Bool("maxInclusive", true)
		b.Number("nBuffered", s.found).Number("nReturned", s.found-int64(len(s.rows))).Close()
	}
	b.Close()
}

// measure keeps a document whose nearest geometry is within the limits.
func (s *nearest) measure(m *member) error {
	doc := s.x.doc(m)
	best, at := math.Inf(1), bsonval.Value{}
	index.Spread(bsonval.DocValue(doc), s.path, func(v bsonval.Value) {
		try := func(v bsonval.Value) {
			if d, ok := s.near.Distance(v); ok && d < best {
				best, at = d, v
			}
		}
		if v.Type() == bsonval.Array && !v.Doc().At(0).IsNumber() {
			for e := range v.Doc().Values() {
				try(e)
			}
			return
		}
		try(v)
	})
	if at.IsMissing() {
		return nil
	}
	if s.held == nil {
		s.held = s.x.op.Hold(func(limit int64) error {
			return mongoerr.New(mongoerr.ExceededMemoryLimit, "Query plan execution exceeded the memory limit of %d bytes while ordering by distance", limit)
		})
	}
	if err := s.held.Add(int64(len(doc)) + sortOverhead); err != nil {
		return err
	}
	row := nearRow{best, *m}
	row.m.row.Meta = &stream.Meta{GeoDistance: bsonval.DoubleValue(best), GeoPoint: at}
	s.rows = append(s.rows, row)
	s.found++
	return nil
}
