package plan

import "storeroom/sandbox/store/mongo/engine/storage"

// special answers the plans of queries that only one kind of index serves: text and
// near. It answers none for all others.
func (pl *planner) special() ([]*candidate, error) { return nil, nil }

// wildcards are the keys of a wildcard index for the paths that are asked.
func (pl *planner) wildcards(*storage.Index, []*condition) []func() *scan { return nil }
