package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func (n *And) matches(r *run, d bsonval.Doc) (bool, error) {
	for _, x := range n.Nodes {
		if ok, err := x.matches(r, d); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (n *Or) matches(r *run, d bsonval.Doc) (bool, error) {
	for _, x := range n.Nodes {
		if ok, err := x.matches(r, d); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (n *Nor) matches(r *run, d bsonval.Doc) (bool, error) {
	ok, err := (&Or{n.Nodes}).matches(r, d)
	return !ok && err == nil, err
}

func (*Never) matches(*run, bsonval.Doc) (bool, error) { return false, nil }

func (n *Expr) matches(r *run, d bsonval.Doc) (bool, error) { return r.truth(n.e, d) }

func (n *Where) matches(r *run, d bsonval.Doc) (bool, error) { return r.truth(n.e, d) }

// truth evaluates an expression over the document, in the frame that it came with.
func (r *run) truth(e expr.Expr, d bsonval.Doc) (bool, error) {
	if r.frame == nil {
		r.frame = expr.NewFrame(r.op)
	}
	row := r.row
	row.Doc = d
	r.frame.Reset(row)
	v, err := e.Eval(r.frame)
	return v.Truth(), err
}

func (n *Text) matches(_ *run, d bsonval.Doc) (bool, error) {
	if n.Match == nil {
		return false, mongoerr.New(mongoerr.IndexNotFound, "text index required for $text query")
	}
	return n.Match(d)
}

// matches follows the path. A negation asks whether nothing on the path satisfies.
func (n *Field) matches(r *run, d bsonval.Doc) (bool, error) {
	if not, ok := n.Pred.(*Not); ok {
		inner := Field{Path: n.Path, Pred: not.Pred, path: n.path}
		index := r.index
		ok, err := inner.matches(r, d)
		r.index = index
		return !ok && err == nil, err
	}
	if _, ok := n.Pred.(*BucketGeo); ok {
		return true, nil
	}
	if both, ok := n.Pred.(*Both); ok { // each may be satisfied elsewhere on the path
		for _, p := range both.Preds {
			inner := Field{Path: n.Path, Pred: p, path: n.path}
			if ok, err := inner.matches(r, d); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return r.follow(bsonval.DocValue(d), n.path, n.Pred, -1)
}

// follow asks p of everything at path below v, an object. index is the place in the
// outermost array crossed so far, -1 for none.
func (r *run) follow(v bsonval.Value, path []string, p Pred, index int) (bool, error) {
	for i, part := range path {
		v = v.Doc().Get(part)
		last := i == len(path)-1
		switch {
		case last:
			return r.leaf(v, p, index)
		case v.Type() == bsonval.Array:
			if _, ok := p.(*ExprCmp); ok {
				return true, nil
			}
			return r.spread(v.Doc(), path[i+1:], p, index)
		case v.Type() != bsonval.Object:
			return r.accept(bsonval.Value{}, p, index)
		}
	}
	return false, nil
}

// spread goes on with path in each element that is a document, and in the one whose
// place the path names.
func (r *run) spread(a bsonval.Doc, path []string, p Pred, index int) (bool, error) {
	place, named := bsonval.ArrayIndex(path[0])
	i := 0
	for v := range a.Values() {
		at := index
		if at < 0 {
			at = i
		}
		if v.Type() == bsonval.Object {
			if ok, err := r.follow(v, path, p, at); ok || err != nil {
				return ok, err
			}
		}
		if named && i == place { // a place that the filter names is none that $ stands for
			if ok, err := r.at(v, path[1:], p, index); ok || err != nil {
				return ok, err
			}
		}
		i++
	}
	return false, nil
}

func (r *run) at(v bsonval.Value, path []string, p Pred, index int) (bool, error) {
	switch {
	case len(path) == 0:
		return r.leaf(v, p, index)
	case v.Type() == bsonval.Object:
		return r.follow(v, path, p, index)
	case v.Type() == bsonval.Array:
		return r.spread(v.Doc(), path, p, index)
	}
	return false, nil
}

// leaf asks p of the value at the path's end: of an array's elements first, unless p
// speaks of the array alone.
func (r *run) leaf(v bsonval.Value, p Pred, index int) (bool, error) {
	if v.Type() == bsonval.Array && p.traversal() == leafAndArray {
		i := 0
		for e := range v.Doc().Values() {
			at := index
			if at < 0 {
				at = i
			}
			if ok, err := r.accept(e, p, at); ok || err != nil {
				return ok, err
			}
			i++
		}
	}
	return r.accept(v, p, index)
}

func (r *run) accept(v bsonval.Value, p Pred, index int) (bool, error) {
	ok, err := p.accepts(r, v)
	if _, own := p.(*ElemMatch); ok && index >= 0 && !own {
		r.index = index
	}
	return ok, err
}

func (*Cmp) traversal() traversal       { return leafAndArray }
func (*In) traversal() traversal        { return leafAndArray }
func (*Not) traversal() traversal       { return arrayOnly }
func (*Both) traversal() traversal      { return arrayOnly }
func (*Exists) traversal() traversal    { return arrayOnly }
func (*Type) traversal() traversal      { return leafAndArray }
func (*Mod) traversal() traversal       { return leafAndArray }
func (*Size) traversal() traversal      { return arrayOnly }
func (*ElemMatch) traversal() traversal { return arrayOnly }
func (*Bits) traversal() traversal      { return leafAndArray }
func (*Geo) traversal() traversal       { return leafAndArray }
func (*Regex) traversal() traversal     { return leafAndArray }

// accepts compares within the value's own type; only null means missing too, and
// MinKey and MaxKey are below and above all.
func (p *Cmp) accepts(r *run, v bsonval.Value) (bool, error) {
	if v.Type().Order() != p.Value.Type().Order() || v.IsMissing() {
		switch p.Value.Type() {
		case bsonval.Null:
			return v.IsMissing() && (p.Op == EQ || p.Op == GTE || p.Op == LTE), nil
		case bsonval.MinKey:
			return !v.IsMissing() && (p.Op == GT || p.Op == GTE), nil
		case bsonval.MaxKey:
			return !v.IsMissing() && (p.Op == LT || p.Op == LTE), nil
		}
		return false, nil
	}
	if v.IsNaN() || p.Value.IsNaN() {
		return v.IsNaN() && p.Value.IsNaN() && p.Op != GT && p.Op != LT, nil
	}
	return p.Op.holds(bsonval.CompareWith(v, p.Value, r.coll)), nil
}

// holds tells whether a comparison's outcome, as Compare answers it, is what is asked.
func (o CmpOp) holds(c int) bool {
	switch o {
	case EQ:
		return c == 0
	case GT:
		return c > 0
	case GTE:
		return c >= 0
	case LT:
		return c < 0
	}
	return c <= 0
}

func (p *In) accepts(r *run, v bsonval.Value) (bool, error) {
	if v.IsMissing() {
		return p.null, nil
	}
	var buf [64]byte
	if len(p.Values) > 0 && p.keys[string(bsonval.AppendKey(buf[:0], v, r.coll))] {
		return true, nil
	}
	for _, re := range p.Regexes {
		if ok, err := re.accepts(r, v); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// accepts of a Not is only reached inside $elemMatch, for one value.
func (p *Not) accepts(r *run, v bsonval.Value) (bool, error) {
	ok, err := p.Pred.accepts(r, v)
	return !ok && err == nil, err
}

func (p *Both) accepts(r *run, v bsonval.Value) (bool, error) {
	for _, x := range p.Preds {
		if ok, err := x.accepts(r, v); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (*Exists) accepts(_ *run, v bsonval.Value) (bool, error) { return !v.IsMissing(), nil }

func (p *Type) accepts(_ *run, v bsonval.Value) (bool, error) {
	if p.Number && v.IsNumber() {
		return true, nil
	}
	for _, t := range p.Types {
		if v.Type() == t {
			return !v.IsMissing(), nil
		}
	}
	return false, nil
}

func (p *Mod) accepts(_ *run, v bsonval.Value) (bool, error) {
	if !v.IsNumber() || v.IsNaN() || v.IsInf() {
		return false, nil
	}
	if p.Divisor == -1 {
		return p.Remainder == 0, nil
	}
	return v.Long()%p.Divisor == p.Remainder, nil
}

func (p *Size) accepts(_ *run, v bsonval.Value) (bool, error) {
	return v.Type() == bsonval.Array && int64(v.Doc().Len()) == p.N, nil
}

func (p *ElemMatch) accepts(r *run, v bsonval.Value) (bool, error) {
	if v.Type() != bsonval.Array {
		return false, nil
	}
	i := -1
	for e := range v.Doc().Values() {
		i++
		var ok bool
		var err error
		switch {
		case p.Node == nil:
			ok, err = p.Pred.accepts(r, e) // as a whole: an array within isn't entered
		case e.Type() == bsonval.Object || e.Type() == bsonval.Array:
			index := r.index
			ok, err = p.Node.matches(r, e.Doc())
			r.index = index
		}
		if err != nil {
			return false, err
		}
		if ok {
			r.index = i
			return true, nil
		}
	}
	return false, nil
}

func (p *Bits) accepts(_ *run, v bsonval.Value) (bool, error) {
	var bit func(uint) bool
	switch {
	case v.Type() == bsonval.Binary:
		_, data := v.Binary()
		bit = func(i uint) bool { return i/8 < uint(len(data)) && data[i/8]>>(i%8)&1 != 0 }
	case v.IsNumber():
		n, ok := v.ExactLong()
		if !ok {
			return false, nil
		}
		bit = func(i uint) bool { return n>>min(i, 63)&1 != 0 }
	default:
		return false, nil
	}
	set := 0
	for _, i := range p.Bits {
		if bit(i) {
			set++
		}
	}
	switch p.Op {
	case "$bitsAllSet":
		return set == len(p.Bits), nil
	case "$bitsAllClear":
		return set == 0, nil
	case "$bitsAnySet":
		return set > 0, nil
	}
	return set < len(p.Bits), nil
}

func (p *Geo) accepts(_ *run, v bsonval.Value) (bool, error) {
	if p.Test == nil || v.IsMissing() {
		return false, nil
	}
	return p.Test(v)
}

func (p *Regex) accepts(_ *run, v bsonval.Value) (bool, error) {
	switch v.Type() {
	case bsonval.String, bsonval.Symbol:
		return p.Match(v.Str())
	case bsonval.Regex:
		return bsonval.Equal(v, p.Value), nil
	}
	return false, nil
}
