package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// viewGraph is which views of a database read which namespaces.
type viewGraph struct {
	db      string
	options map[string]bsonval.Doc // of the views
	deep    map[string]int         // how many views stand below each other from a view on, itself included
	busy    map[string]bool        // on the way that is being followed
}

// checkViewGraph refuses a view that would stand on itself, directly or by a stage of
// its pipeline, one too many on another, or one of another collation.
func (r *Request) checkViewGraph(ns storage.NS, options bsonval.Doc) error {
	g := r.viewGraph(ns.DB)
	g.options[ns.Coll] = options
	below := g.reads(ns.Coll)
	for name, o := range g.options {
		joined := slices.Contains(below, name) || slices.Contains(g.reads(name), ns.Coll)
		if joined && !sameCollation(options.Get("collation"), o.Get("collation")) {
			return mongoerr.New(mongoerr.OptionNotSupportedOnView, "View %s has a collation that does not match the collation of view %s.%s", ns, ns.DB, name)
		}
	}
	if way := g.way(ns.Coll, ns.Coll, map[string]bool{}); way != nil {
		return mongoerr.New(mongoerr.GraphContainsCycle, "View cycle detected: %s", strings.Join(way, " => "))
	}
	if g.below(ns.Coll)+g.above(ns.Coll) > maxViewDepth {
		return mongoerr.New(mongoerr.ViewDepthLimitExceeded, "View depth limit exceeded; maximum depth is %d", maxViewDepth)
	}
	return nil
}

func (r *Request) viewGraph(db string) *viewGraph {
	g := &viewGraph{db: db, options: map[string]bsonval.Doc{}, deep: map[string]int{}, busy: map[string]bool{}}
	for _, c := range r.State().Collections(db) {
		if c.IsView() {
			g.options[c.NS.Coll] = c.Options
		}
	}
	return g
}

// reads are the names that a view stands on, and that its pipeline's stages read.
func (g *viewGraph) reads(name string) []string {
	o, ok := g.options[name]
	if !ok {
		return nil
	}
	out := []string{stringOr(o.Get("viewOn"), "")}
	if p := o.Get("pipeline"); p.Type() == bsonval.Array {
		for _, n := range pipelineNeeds(p.Doc(), g.db, 0) {
			if n.action == "find" && n.ns.DB == g.db {
				out = append(out, n.ns.Coll)
			}
		}
	}
	return out
}

// way is how a view comes to another, nil if it doesn't.
func (g *viewGraph) way(from, to string, seen map[string]bool) []string {
	for _, name := range g.reads(from) {
		if name == to {
			return []string{g.db + "." + from, g.db + "." + to}
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		if way := g.way(name, to, seen); way != nil {
			return append([]string{g.db + "." + from}, way...)
		}
	}
	return nil
}

func (g *viewGraph) below(name string) int {
	if n, ok := g.deep[name]; ok || g.options[name] == nil || g.busy[name] {
		return n
	}
	g.busy[name] = true
	n := 0
	for _, next := range g.reads(name) {
		n = max(n, g.below(next))
	}
	g.busy[name] = false
	g.deep[name] = n + 1
	return n + 1
}

// above is how many views stand on a view, one on the other.
func (g *viewGraph) above(name string) int {
	deep, busy := map[string]int{}, map[string]bool{}
	on := map[string][]string{}
	for view := range g.options {
		for _, read := range g.reads(view) {
			on[read] = append(on[read], view)
		}
	}
	var climb func(string) int
	climb = func(name string) int {
		if n, ok := deep[name]; ok || busy[name] {
			return n
		}
		busy[name] = true
		n := 0
		for _, view := range on[name] {
			n = max(n, 1+climb(view))
		}
		busy[name] = false
		deep[name] = n
		return n
	}
	return climb(name)
}

// joinsFit refuses a pipeline that joins a view of another collation than its own, or
// one that stands on too many others.
func (r *Request) joinsFit(ns storage.NS, stages bsonval.Doc) error {
	state := r.State()
	var g *viewGraph
	var own bsonval.Value
	for _, n := range pipelineNeeds(stages, ns.DB, 0) {
		c := state.Collection(n.ns)
		if n.action != "find" || c == nil || !c.IsView() {
			continue
		}
		if g == nil {
			g, own = r.viewGraph(ns.DB), r.Body.Get("collation")
			if c := state.Collection(ns); own.IsMissing() && c != nil {
				own = c.Options.Get("collation")
			}
		}
		if g.below(ns.Coll)+g.below(n.ns.Coll) > maxViewDepth {
			return mongoerr.New(mongoerr.ViewDepthLimitExceeded, "View depth too deep or view cycle detected; maximum depth is %d", maxViewDepth)
		}
		if !sameCollation(own, c.Options.Get("collation")) {
			return mongoerr.New(mongoerr.OptionNotSupportedOnView, "Cannot run the pipeline over view %s with another collation than the view's", n.ns)
		}
	}
	return nil
}
