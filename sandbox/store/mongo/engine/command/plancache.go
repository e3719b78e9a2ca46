package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

const shapeFields = "query sort projection collation"

// planCacheCommands are those of remembered plans and of index filters.
func (s *Server) planCacheCommands() []Spec {
	return []Spec{
		{Name: "planCacheClear", Fields: shapeFields, Run: s.planCacheClear},
		{Name: "planCacheSetFilter", Fields: shapeFields + " indexes", Run: s.planCacheSetFilter},
		{Name: "planCacheClearFilters", Fields: shapeFields, Run: s.planCacheClearFilters},
		{Name: "planCacheListFilters", Run: s.planCacheListFilters},
	}
}

func (s *Server) planCacheClear(r *Request) (bsonval.Doc, error) {
	c, shape, err := s.shapeOf(r)
	if err != nil || c == nil {
		return nil, err
	}
	s.plans.Clear(c, shape)
	return nil, nil
}

// shapeOf answers the collection that a command names and the shape of the query that
// it holds, "" for none. The collection is nil when it isn't there.
func (s *Server) shapeOf(r *Request) (*storage.Collection, string, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, "", err
	}
	c := r.State().Collection(ns)
	if c == nil {
		return nil, "", nil
	}
	if r.Body.Get("query").IsMissing() {
		for _, name := range []string{"sort", "projection", "collation"} {
			if !r.Body.Get(name).IsMissing() {
				return nil, "", mongoerr.New(mongoerr.BadValue, "sort, projection or collation provided without query")
			}
		}
		return c, "", nil
	}
	f := finding{ns: ns}
	if f.filter, err = r.Doc("query"); err != nil {
		return nil, "", err
	}
	if f.query.Sort, err = r.Doc("sort"); err != nil {
		return nil, "", err
	}
	if f.projection, err = r.Doc("projection"); err != nil {
		return nil, "", err
	}
	if v := r.Body.Get("collation"); v.Type() == bsonval.Object && v.Doc().IsEmpty() {
		return nil, "", mongoerr.New(mongoerr.BadValue, "optional field collation cannot be empty")
	}
	if err := r.collate(r.Body, c); err != nil {
		return nil, "", err
	}
	f.query.Explain = true
	p, _, err := s.planFind(r, f, c)
	if err != nil {
		return nil, "", err
	}
	return c, p.Shape(), nil
}

func (s *Server) planCacheStage(state *storage.State, ns storage.NS) ([]bsonval.Doc, error) {
	c := state.Collection(ns)
	if c == nil {
		return nil, nil
	}
	return s.plans.Stats(c, s.opts.SetName), nil
}

// planCacheSetFilter says which indexes alone the planner may use for a query's shape.
func (s *Server) planCacheSetFilter(r *Request) (bsonval.Doc, error) {
	if r.Body.Get("query").IsMissing() {
		return nil, mongoerr.New(mongoerr.BadValue, "required field query missing")
	}
	list := r.Body.Get("indexes")
	switch {
	case list.IsMissing():
		return nil, mongoerr.New(mongoerr.BadValue, "required field indexes missing")
	case list.Type() != bsonval.Array:
		return nil, mongoerr.New(mongoerr.BadValue, "required field indexes must be an array")
	case list.Doc().IsEmpty():
		return nil, mongoerr.New(mongoerr.BadValue, "required field indexes must contain at least one index")
	}
	for v := range list.Doc().Values() {
		if v.Type() != bsonval.String && (v.Type() != bsonval.Object || v.Doc().IsEmpty()) {
			return nil, mongoerr.New(mongoerr.BadValue, "each item in indexes must be either an object or a string")
		}
	}
	c, shape, err := s.shapeOf(r)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, mongoerr.New(mongoerr.BadValue, "no such collection")
	}
	var f bsonval.Builder
	f.SetDoc("query", r.Body.Get("query").Doc())
	for _, name := range []string{"sort", "projection", "collation"} {
		if v := r.Body.Get(name); v.Type() == bsonval.Object && name == "collation" {
			f.SetDoc(name, collation.Complete(v.Doc()))
		} else if v.Type() == bsonval.Object {
			f.Set(name, v)
		} else if name != "collation" {
			f.SetDoc(name, bsonval.EmptyDoc())
		}
	}
	s.plans.SetFilter(c, shape, plan.IndexFilter{Spec: f.Set("indexes", list).Doc(), Indexes: list.Doc().Clone()})
	return nil, nil
}

func (s *Server) planCacheClearFilters(r *Request) (bsonval.Doc, error) {
	c, shape, err := s.shapeOf(r)
	if err != nil || c == nil {
		return nil, err
	}
	s.plans.ClearFilters(c, shape)
	return nil, nil
}

func (s *Server) planCacheListFilters(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	var b bsonval.Builder
	b.OpenArray("filters")
	if c := r.State().Collection(ns); c != nil {
		for _, f := range s.plans.Filters(c) {
			b.ItemDoc(f)
		}
	}
	b.Close()
	return b.Doc(), nil
}
