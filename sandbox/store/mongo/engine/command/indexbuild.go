package command

import (
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// leastBuild is how many documents a collection must have for its index to be built
// beside the writers; with fewer they don't notice.
const leastBuild = 500

// buildIndexes builds the indexes of a collection that is there, while others write. One
// that exists, or may not, gives nil: who has the writer's turn finds that out again.
func (r *Request) buildIndexes(ns storage.NS, defs []*index.Def) ([]*storage.Build, error) {
	builds := make([]*storage.Build, len(defs))
	state := r.Server.store.State()
	c := state.Collection(ns)
	if r.Tx != nil || c == nil || c.IsView() || c.Count() < leastBuild {
		return builds, nil
	}
	for i, def := range defs {
		if there, err := hasIndex(c, def, false); there || err != nil {
			continue
		}
		build := r.Server.store.BeginBuild(state, ns, def)
		if err := build.Run(r.Op); err != nil {
			return nil, err
		}
		builds[i] = build
	}
	return builds, nil
}
