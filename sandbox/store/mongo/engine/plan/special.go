package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
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
	if err := bind(pl.cond, true); err != nil || found == nil {
		return nil, err
	}
	c, err := pl.text(found)
	return []*candidate{c}, err
}

// wildcards are the keys of a wildcard index for the paths that are asked.
func (pl *planner) wildcards(ix *storage.Index, conds []*condition) []func() *scan {
	var out []func() *scan
	seen := map[string]bool{}
	for _, t := range terms(conds) {
		if seen[t.path] || numeric(t.path) || !ix.Def.Wild(t.path) {
			continue
		}
		seen[t.path] = true
		out = append(out, func() *scan { return wildScan(ix, t.path) })
	}
	return out
}

// wildScan reads a wildcard index's keys of one path.
func wildScan(ix *storage.Index, path string) *scan {
	f := ix.Def.Fields[0]
	many := false
	for at := 0; at <= len(path); at++ {
		if at == len(path) || path[at] == '.' {
			many = many || ix.Arrays[path[:at]]
		}
	}
	return &scan{ix: ix, fields: []scanField{
		{path: "$_path", bounds: intervals{point(bsonval.StringValue(path))}},
		{path: path, desc: f.Desc, coll: ix.Def.Collator, many: many, wild: true, bounds: everything()},
	}}
}
