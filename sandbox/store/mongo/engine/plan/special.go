package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// special answers the plans of queries that only one kind of index serves: text and
// near. It answers none for all others.
func (pl *planner) special() ([]*candidate, error) {
	if c, err := pl.near(); c != nil || err != nil {
		return []*candidate{c}, err
	}
	var found *condition
	var bind func(c *condition, top bool) error
	bind = func(c *condition, top bool) error {
		if t, ok := c.node.(*match.Text); ok {
			if top {
				found = c
			}
			return pl.bindText(t)
		}
		for _, k := range c.kids {
			if err := bind(k, top && c.rank == rankAnd); err != nil {
				return err
			}
		}
		return nil
	}
	if err := bind(pl.cond, true); err != nil {
		return nil, err
	}
	if found == nil {
		return pl.textUnderOr()
	}
	a, err := pl.text(found)
	if err != nil {
		return nil, err
	}
	return []*candidate{pl.complete(a)}, nil
}

// wildcards are the keys of a wildcard index for the paths that are asked, and those of
// the fields before the wildcard alone.
func (pl *planner) wildcards(ix *storage.Index, conds []*condition) []func() *scan {
	var out []func() *scan
	seen := map[string]bool{}
	for _, t := range terms(conds) {
		if seen[t.path] || numeric(t.path) || !ix.Def.Wild(t.path) {
			continue
		}
		seen[t.path] = true
		out = append(out, func() *scan { return wildScan(ix, t.path) }, func() *scan { return subtreeScan(ix, t.path) })
	}
	if ix.Def.Fields[0].Kind != index.Wildcard {
		out = append(out, func() *scan { return wildScan(ix, "") })
	}
	return out
}

// subtreeScan reads a wildcard index's keys of one path and of all paths below it, which
// tell the documents that have the path.
func subtreeScan(ix *storage.Index, path string) *scan {
	s := wildScan(ix, path)
	for i := range s.fields {
		if f := &s.fields[i]; f.wild {
			f.subtree, f.many = true, true
			below := interval{lo: bsonval.StringValue(path + "."), hi: bsonval.StringValue(path + "/"), loIn: true}
			s.fields[i-1].bounds = append(s.fields[i-1].bounds, below)
		}
	}
	return s
}

// wildScan reads a wildcard index's keys of one path, or of all with path "".
func wildScan(ix *storage.Index, path string) *scan {
	s := &scan{ix: ix}
	for _, f := range ix.Def.Fields {
		if f.Kind != index.Wildcard {
			s.fields = append(s.fields, scanField{path: f.Path, desc: f.Desc, coll: ix.Def.Collator, sparse: path == "", bounds: everything()})
			continue
		}
		v := scanField{path: path, desc: f.Desc, coll: ix.Def.Collator, wild: true, sparse: true, bounds: everything()}
		names := intervals{point(bsonval.StringValue(path))}
		if path == "" {
			strings, _ := typeRange(bsonval.String)
			v.path, v.many = f.Path, len(ix.Arrays) > 0
			names = intervals{point(bsonval.MinKeyValue()), strings}
		} else {
			v.many = crossesArray(ix, path)
		}
		s.fields = append(s.fields, scanField{path: "$_path", bounds: names}, v)
	}
	return s
}

// crossesArray tells whether a document has an array at the path or above it.
func crossesArray(ix *storage.Index, path string) bool {
	for at := 0; at <= len(path); at++ {
		if (at == len(path) || path[at] == '.') && ix.Arrays[path[:at]] {
			return true
		}
	}
	return false
}
