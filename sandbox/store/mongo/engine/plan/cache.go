package plan

import (
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// maxEntries bounds the plans that are remembered.
const maxEntries = 5000

// replanAfter is how many times the remembered work a plan may take before the
// competition is held anew.
const replanAfter = 10

// Cache remembers which plan won for a query's shape. Goroutines may share it.
type Cache struct {
	mu      sync.Mutex
	all     map[string]*entry
	filters map[filterKey]*IndexFilter
}

// entry is one remembered plan. It is used once a second competition agrees.
type entry struct {
	coll      [16]byte
	indexes   string // the collection's, as they were
	plan      string // the winner's signature
	works     int64
	active    bool
	filtered  bool // an index filter was in force
	shape     string
	key       string
	created   time.Time
	query     bsonval.Doc
	sort      bsonval.Doc
	proj      bsonval.Doc
	collation bsonval.Doc // nil: the simple one
	stages    bsonval.Doc
	candidate []float64
}

// NewCache makes an empty cache.
func NewCache() *Cache { return &Cache{all: map[string]*entry{}} }

// Shape is what queries have in common that one plan serves.
func (p *Plan) Shape() string {
	var b strings.Builder
	p.cond.shape(&b)
	b.Write(p.query.Sort)
	b.WriteByte('|')
	b.Write(p.query.Projection)
	c, ok := p.x.op.Collator.(interface{ Spec() string })
	switch {
	case p.x.op.CollatorInherited:
	case ok:
		b.WriteString(c.Spec())
	case p.coll != nil && !p.coll.Options.Get("collation").IsMissing():
		b.WriteString("simple")
	}
	return b.String()
}

// collation is the query's; nil for the simple one.
func (p *Plan) collation() bsonval.Doc {
	c, ok := p.x.op.Collator.(interface{ Document() bsonval.Doc })
	if !ok {
		return nil
	}
	return c.Document()
}

// QueryHash and PlanKey name the query's shape, and the shape with the indexes there.
func (p *Plan) QueryHash() string { return hash32(p.Shape()) }
func (p *Plan) PlanKey() string   { return hash32(p.keyText()) }

// keyText is what one remembered plan is for: a count's plan isn't a find's.
func (p *Plan) keyText() string {
	count := ""
	if p.query.Count {
		count = "c"
	}
	return p.Shape() + count + p.indexText()
}

func (p *Plan) indexText() string {
	var b strings.Builder
	if p.coll == nil {
		return ""
	}
	pl := &planner{op: p.x.op, coll: p.coll, query: &p.query, cond: p.cond}
	for _, ix := range p.coll.Indexes {
		b.WriteString(ix.Def.Name)
		if pl.usable(ix) {
			b.WriteByte('+')
		}
		fmt.Fprintf(&b, "%x,", ix.Multikey)
	}
	return b.String()
}

// indexSpecs are the collection's indexes as they are defined: plans that were chosen
// among others are forgotten.
func indexSpecs(coll *storage.Collection) string {
	var b strings.Builder
	for _, ix := range coll.Indexes {
		b.Write(ix.Def.Spec)
	}
	return b.String()
}

func hash32(s string) string {
	h := fnv.New32a()
	h.Write([]byte(s))
	return fmt.Sprintf("%08X", h.Sum32())
}

func (p *Plan) cacheKey() string { return string(p.coll.UUID[:]) + p.keyText() }

// signature tells candidates of one query apart, whatever their bounds are.
func (c *candidate) signature() string {
	var b strings.Builder
	c.root.walk(func(n *node) {
		b.WriteString(n.kind)
		if n.scan != nil {
			fmt.Fprintf(&b, " %s %t", n.scan.ix.Def.Name, n.scan.back)
			for _, f := range n.scan.fields {
				if f.from != nil {
					fmt.Fprintf(&b, " %s:%d", f.path, f.from.rank)
				}
			}
		}
		b.WriteByte('/')
	})
	return b.String()
}

func (p *Plan) mayCache() bool {
	return p.query.Cache != nil && !p.query.Explain && p.query.Hint.IsMissing() && p.query.Min == nil && p.query.Max == nil
}

// fromCache answers the candidate that is remembered for the query's shape.
func (p *Plan) fromCache(all []*candidate) *candidate {
	if !p.mayCache() {
		return nil
	}
	c := p.query.Cache
	c.mu.Lock()
	e := c.all[p.cacheKey()]
	c.mu.Unlock()
	if e == nil || !e.active {
		return nil
	}
	for _, k := range all {
		if k.signature() == e.plan {
			p.entry = e
			return k
		}
	}
	return nil
}

// remember notes the winner of a competition.
func (p *Plan) remember(best *candidate) {
	if !p.mayCache() {
		return
	}
	c := p.query.Cache
	key := p.cacheKey()
	works := p.works()
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.all[key]
	e := &entry{
		coll: p.coll.UUID, indexes: indexSpecs(p.coll), plan: best.signature(), works: works, shape: p.Shape(), filtered: p.filter != nil, key: p.PlanKey(), created: p.x.op.Now,
		query: p.query.Filter.Source.Clone(), sort: p.query.Sort.Clone(), proj: p.query.Projection.Clone(), collation: p.collation(), stages: best.root.describe(false),
	}
	e.candidate = append(e.candidate, best.score)
	for _, r := range p.rejected {
		e.candidate = append(e.candidate, r.score)
	}
	switch {
	case old == nil:
		if len(c.all) >= maxEntries {
			clear(c.all)
		}
	case works <= old.works:
		e.active = true
	default: // worth more work than was thought: wait for a query that needs no more
		e.works, e.active = max(old.works*2, 1), old.active
	}
	c.all[key] = e
}

// learn forgets a remembered plan that took far more work than it had when it won.
func (p *Plan) learn() {
	if p.entry == nil || p.works() <= replanAfter*max(p.entry.works, 10) {
		return
	}
	c := p.query.Cache
	c.mu.Lock()
	defer c.mu.Unlock()
	p.entry.active = false
}

// Clear forgets the plans of a collection, or those of one query's shape.
func (c *Cache) Clear(coll *storage.Collection, shape string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.all {
		if e.coll == coll.UUID && (shape == "" || e.shape == shape) {
			delete(c.all, k)
		}
	}
}

// Stats are the entries of a collection as $planCacheStats shows them.
func (c *Cache) Stats(coll *storage.Collection, host string) []bsonval.Doc {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []bsonval.Doc
	now := indexSpecs(coll)
	for k, e := range c.all {
		if e.coll != coll.UUID {
			continue
		}
		if e.indexes != now {
			delete(c.all, k)
			continue
		}
		b := bsonval.NewBuilder(512)
		hash := hash32(e.shape)
		b.Str("version", "1").Str("queryHash", hash).Str("planCacheShapeHash", hash).Str("planCacheKey", e.key)
		b.Bool("isActive", e.active).Number("works", e.works).Str("worksType", "works").Set("timeOfCreation", bsonval.TimeValue(e.created))
		b.OpenDoc("createdFromQuery").SetDoc("query", e.query).SetDoc("sort", orEmpty(e.sort)).SetDoc("projection", orEmpty(e.proj))
		if e.collation != nil {
			b.SetDoc("collation", e.collation)
		}
		b.Close()
		b.SetDoc("cachedPlan", e.stages).OpenArray("creationExecStats").Close().OpenArray("candidatePlanScores")
		for _, f := range e.candidate {
			b.Item(bsonval.DoubleValue(f))
		}
		b.Close().Bool("indexFilterSet", e.filtered).Number("estimatedSizeBytes", int64(len(e.stages)+len(e.query)+512)).Str("host", host)
		out = append(out, b.Doc())
	}
	return out
}

func orEmpty(d bsonval.Doc) bsonval.Doc {
	if len(d) <= 5 {
		return bsonval.EmptyDoc()
	}
	return d
}
