package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// node is one stage of a plan: what it is to do, and what it has done.
type node struct {
	kind     string // the stage's name in explain
	kids     []*node
	filter   *condition // asked of each row; nil: none
	scan     *scan      // IXSCAN, COUNT_SCAN and the express ones
	sort     *sorter    // SORT and SORT_MERGE
	n        int64      // LIMIT, SKIP, and SORT's and COUNT's limit; 0: none
	skip     int64      // COUNT: how many to leave out
	back     bool       // COLLSCAN from the end
	cluster  *cluster   // CLUSTERED_IXSCAN
	keysOnly bool       // a SORT orders an index's keys, not documents
	gives    int64      // how many documents a stage that writes answers
	answer   bool       // it gives what such a stage answers
	writes   string     // EXPRESS_UPDATE, EXPRESS_DELETE: the name of an express plan that writes
	spec     bsonval.Doc
	extra    func(b *bsonval.Builder, done bool) // fields of its own for explain
	begin    func(x *execution, n *node) stage   // makes the stage of a kind that only its file knows

	stats stats
	run   stage
}

// stats count a stage's work as the server does.
type stats struct {
	works, advanced, needTime    int64
	eof                          bool
	keys, docs, seeks            int64
	dupsTested, dupsDropped      int64
	sorted                       int64 // bytes
	counted, skipped, hadAlready int64
}

// status is what one step of a stage came to.
type status int

const (
	advanced status = iota // a row is in the member
	needTime               // nothing yet
	ended
)

// member is a row on its way through the stages.
type member struct {
	row     stream.Row
	entry   string // the index's entry that it came from
	scan    *scan
	fetched bool
}

// stage does the work of a node, one step a call.
type stage interface {
	work(m *member) (status, error)
}

// execution is what the stages of a running plan share.
type execution struct {
	op    *opctx.Op
	coll  *storage.Collection
	frame *expr.Frame
	asker match.Asker
	asked asked
	tally *opctx.Work // where examined keys and documents are counted
}

// work takes one step and counts it.
func (n *node) work(m *member) (status, error) {
	n.stats.works++
	s, err := n.run.work(m)
	if err != nil {
		return ended, err
	}
	switch s {
	case advanced:
		n.stats.advanced++
	case needTime:
		n.stats.needTime++
	default:
		n.stats.eof = true
	}
	return s, nil
}

// accepts asks the node's filter of a row.
func (x *execution) accepts(filter *condition, m *member) (bool, error) {
	if filter == nil {
		return true, nil
	}
	row := m.row
	row.Doc = x.doc(m)
	return x.asker.Ask(filter.node, x.frame, row)
}

// doc answers the member's document without counting it as examined: what an index
// key says of it is read here too, since the key doesn't tell an int from a double.
func (x *execution) doc(m *member) bsonval.Doc {
	if m.row.Doc == nil {
		m.row.Doc, _ = x.coll.Get(m.row.Record)
	}
	return m.row.Doc
}

// start makes the stages of the tree below n ready.
func (x *execution) start(n *node) {
	for _, k := range n.kids {
		x.start(k)
	}
	if n.begin != nil {
		n.run = n.begin(x, n)
		return
	}
	switch n.kind {
	case "COLLSCAN":
		n.run = &collScan{x: x, n: n}
	case "EXPRESS_IXSCAN", "IDHACK":
		n.run = &expressStage{keys: n.scan.start(x, n).(*scanner), n: n}
	case "RECORD_STORE_FAST_COUNT":
		n.run = fastCountStage{n}
	case "IXSCAN", "COUNT_SCAN":
		n.run = n.scan.start(x, n)
	case "FETCH":
		n.run = &fetch{x: x, n: n}
	case "SORT":
		n.run = &sortStage{x: x, n: n}
	case "SORT_MERGE":
		n.run = newMerge(x, n)
	case "OR":
		n.run = &orStage{n: n, seen: map[int64]bool{}}
	case "LIMIT":
		n.run = &limitStage{n: n, left: n.n}
	case "SKIP":
		n.run = &skipStage{n: n, left: n.n}
	case "COUNT":
		n.run = countStage{n}
	case "RETURN_KEY":
		n.run = &returnKey{x: x, n: n}
	case "EOF":
		n.run = nothing{}
	default: // PROJECTION_*, SUBPLAN, UPDATE, DELETE: the caller does what they are
		n.run = pass{n.kids[0]}
	}
}

type nothing struct{}

func (nothing) work(*member) (status, error) { return ended, nil }

type pass struct{ kid *node }

func (p pass) work(m *member) (status, error) { return p.kid.work(m) }

// walk calls yield for n and all below it.
func (n *node) walk(yield func(*node)) {
	yield(n)
	for _, k := range n.kids {
		k.walk(yield)
	}
}

// examined are the keys and documents that the whole tree has looked at.
func (n *node) examined() (keys, docs int64) {
	n.walk(func(k *node) {
		keys += k.stats.keys
		docs += k.stats.docs
	})
	return keys, docs
}
