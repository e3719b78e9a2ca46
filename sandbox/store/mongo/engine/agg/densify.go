package agg

import (
	"bytes"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// densify is $densify.
type densify struct {
	field  []string
	name   string
	parts  []string
	paths  [][]string
	step   bsonval.Value
	unit   expr.Unit // empty: numbers
	bounds string    // "full", "partition" or "" with low and high
	low    bsonval.Value
	high   bsonval.Value
}

// maxDensified is how many documents $densify may make: the server's bound.
const maxDensified = 500_000

func compileDensify(_ *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(5946800, "The $densify stage specification must be an object, found %s", arg.Type())
	}
	d := &densify{}
	var rng bsonval.Value
	for name, v := range arg.Doc().All() {
		var err error
		switch {
		case name == "field" && v.Type() == bsonval.String:
			d.name = v.Str()
			d.field, err = expr.SplitPath(d.name)
		case name == "partitionByFields" && v.Type() == bsonval.Array:
			err = d.partitions(v.Doc())
		case name == "range" && v.Type() == bsonval.Object:
			rng = v
		case name == "field" || name == "partitionByFields" || name == "range":
			err = mongoerr.New(mongoerr.TypeMismatch, "BSON field '$densify.%s' is the wrong type '%s'", name, v.Type())
		default:
			err = mongoerr.New(40415, "BSON field '$densify.%s' is an unknown field.", name)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case d.field == nil:
		return nil, mongoerr.New(40414, "BSON field '$densify.field' is missing but a required field")
	case rng.IsMissing():
		return nil, mongoerr.New(40414, "BSON field '$densify.range' is missing but a required field")
	case slices.Contains(d.parts, d.name):
		return nil, mongoerr.New(8993000, "BSON field '$densify.partitionByFields' contains the field that is being densified")
	}
	return d, d.readRange(rng.Doc())
}

func (d *densify) partitions(fields bsonval.Doc) error {
	for v := range fields.Values() {
		if v.Type() != bsonval.String {
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$densify.partitionByFields' must be an array of strings")
		}
		path, err := expr.SplitPath(v.Str())
		if err != nil {
			return err
		}
		d.parts, d.paths = append(d.parts, v.Str()), append(d.paths, path)
	}
	return nil
}

func (d *densify) readRange(rng bsonval.Doc) error {
	var bounds bsonval.Value
	for name, v := range rng.All() {
		switch name {
		case "step":
			d.step = v
		case "unit":
			if v.Type() != bsonval.String {
				return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$densify.range.unit' is the wrong type '%s', expected type 'string'", v.Type())
			}
			var err error
			if d.unit, err = expr.ParseUnit(v.Str()); err != nil {
				return err
			}
		case "bounds":
			bounds = v
		default:
			return mongoerr.New(40415, "BSON field '$densify.range.%s' is an unknown field.", name)
		}
	}
	switch {
	case d.step.IsMissing():
		return mongoerr.New(40414, "BSON field '$densify.range.step' is missing but a required field")
	case !d.step.IsNumber():
		return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$densify.range.step' is the wrong type '%s'", d.step.Type())
	case !(d.step.Float() > 0):
		return mongoerr.New(5733401, "the step parameter in a range statement must be a strictly positive numeric value")
	}
	if _, whole := d.step.ExactLong(); d.unit != "" && !whole {
		return mongoerr.New(6586400, "The step parameter in a range satement must be a whole number when densifying a date range")
	}
	return d.readBounds(bounds)
}

func (d *densify) readBounds(v bsonval.Value) error {
	switch v.Type() {
	case bsonval.Missing:
		return mongoerr.New(40414, "BSON field '$densify.range.bounds' is missing but a required field")
	case bsonval.String:
		if d.bounds = v.Str(); d.bounds != "full" && d.bounds != "partition" {
			return mongoerr.New(5946802, "Bounds string must either be 'full' or 'partition'")
		}
		if d.bounds == "partition" && len(d.parts) == 0 {
			return mongoerr.New(5733408, "one may not specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.")
		}
		return nil
	case bsonval.Array:
	default:
		return mongoerr.New(5733405, "The $densify 'bounds' must be an array or a string")
	}
	if n := v.Doc().Len(); n != 2 {
		return mongoerr.New(5733403, "a bounding array in a range statement must have exactly two elements")
	}
	d.low, d.high = v.Doc().At(0), v.Doc().At(1)
	dates := d.low.Type() == bsonval.Date && d.high.Type() == bsonval.Date
	switch {
	case bsonval.Compare(d.low, d.high) > 0:
		return mongoerr.New(5733402, "the bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates")
	case d.unit != "" && d.low.IsNumber() && d.high.IsNumber():
		return mongoerr.New(5733409, "numeric bounds may not have unit parameter")
	case d.unit != "" && !dates, d.unit == "" && (!d.low.IsNumber() || !d.high.IsNumber()):
		return mongoerr.New(5733406, "a bounding array must contain either both dates or both numeric types, and dates need a unit")
	}
	return nil
}

// dense is one row with where it stands.
type dense struct {
	part []byte
	v    bsonval.Value // of the field; Missing when it has none
	row  stream.Row
}

// Start implements Stage.
func (d *densify) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in)
		if err != nil {
			return nil, err
		}
		points := make([]dense, len(rows))
		for i, r := range rows {
			if points[i], err = d.place(env, r); err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(points, func(a, b dense) int {
			if c := bytes.Compare(a.part, b.part); c != 0 {
				return c
			}
			return bsonval.Compare(a.v, b.v)
		})
		m := &densifier{d: d, env: env, held: env.Op.Hold(func(limit int64) error {
			return mongoerr.New(mongoerr.ExceededMemoryLimit, "$densify exceeded memory limit of %d bytes", limit)
		})}
		err = m.all(points)
		return stream.Slice(m.out), err
	}), nil
}

func (d *densify) place(env *Env, r stream.Row) (dense, error) {
	p := dense{row: r, v: at(r.Doc, d.field)}
	for _, path := range d.paths {
		p.part = bsonval.AppendKey(p.part, orNull(at(r.Doc, path)), env.Op.Collator)
	}
	switch {
	case p.v.IsNullish():
		p.v = bsonval.Value{}
	case d.unit == "" && p.v.Type() == bsonval.Date:
		return p, mongoerr.New(6053600, "Encountered date densify field, but the step is not a date step (it has no unit)")
	case d.unit == "" && !p.v.IsNumber():
		return p, mongoerr.New(5733201, "PlanExecutor error: densify field type must be numeric or null, but found %s", p.v.Type())
	case d.unit != "" && p.v.Type() != bsonval.Date:
		return p, mongoerr.New(6053601, "Encountered non-date value in collection when step has a date unit: %s", p.v.Type())
	}
	return p, nil
}

// value is the k-th value from low on.
func (d *densify) value(low bsonval.Value, k int64) bsonval.Value {
	if d.unit == "" {
		if k == 0 {
			return low
		}
		return bsonval.Add(low, bsonval.Mul(d.step, bsonval.NumberValue(k)))
	}
	n, _ := d.step.ExactLong()
	t, ok := expr.AddDate(low.Time(), d.unit, n*k)
	if !ok {
		return bsonval.MaxKeyValue()
	}
	return bsonval.TimeValue(t)
}

// densifier writes the rows and what is missing between them.
type densifier struct {
	d    *densify
	env  *Env
	out  []stream.Row
	made int
	held *opctx.Holding
}

func (m *densifier) all(points []dense) error {
	low, high, closed := m.d.low, m.d.high, false
	if m.d.bounds == "full" {
		closed = true
		for _, p := range points {
			if p.v.IsMissing() {
				continue
			}
			if low.IsMissing() || bsonval.Compare(p.v, low) < 0 {
				low = p.v
			}
			if high.IsMissing() || bsonval.Compare(p.v, high) > 0 {
				high = p.v
			}
		}
	}
	if len(points) == 0 && m.d.bounds == "" {
		return m.upTo(dense{}, low, new(int64), high, false)
	}
	for from := 0; from < len(points); {
		to := from
		for to < len(points) && bytes.Equal(points[to].part, points[from].part) {
			to++
		}
		if err := m.partition(points[from:to], low, high, closed); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// partition writes one partition from low to high. Rows outside of that, and rows
// without a value, stay as they are.
func (m *densifier) partition(points []dense, low, high bsonval.Value, closed bool) error {
	for len(points) > 0 && points[0].v.IsMissing() {
		m.out = append(m.out, points[0].row)
		points = points[1:]
	}
	if m.d.bounds == "partition" && len(points) > 0 {
		low, high = points[0].v, points[len(points)-1].v
	}
	if len(points) == 0 && m.d.bounds != "" {
		return nil
	}
	k := int64(0)
	var model dense
	if len(points) > 0 {
		model = points[0]
	} else {
		model = dense{row: m.out[len(m.out)-1]}
	}
	for _, p := range points {
		limit := p.v
		if bsonval.Compare(limit, high) > 0 {
			limit = high
		}
		if err := m.upTo(model, low, &k, limit, false); err != nil {
			return err
		}
		if bsonval.Compare(m.d.value(low, k), p.v) == 0 {
			k++
		}
		m.out = append(m.out, p.row)
	}
	return m.upTo(model, low, &k, high, closed)
}

// upTo makes the documents whose values lie before limit, or at it when closed.
func (m *densifier) upTo(model dense, low bsonval.Value, k *int64, limit bsonval.Value, closed bool) error {
	for ; ; *k++ {
		v := m.d.value(low, *k)
		if c := bsonval.Compare(v, limit); c > 0 || c == 0 && !closed {
			return nil
		}
		if err := m.env.Op.Check(); err != nil {
			return err
		}
		if m.made++; m.made > maxDensified {
			return mongoerr.New(5897900, "Generated %d documents in $densify, which is over the limit of %d. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents", m.made, maxDensified)
		}
		doc := bsonval.EmptyDoc()
		for _, path := range m.d.paths {
			if got := at(model.row.Doc, path); !got.IsMissing() {
				doc = setPath(doc, path, got)
			}
		}
		doc = setPath(doc, m.d.field, v)
		if err := m.held.Add(int64(len(doc) + rowCost)); err != nil {
			return err
		}
		m.out = append(m.out, stream.Row{Doc: doc})
	}
}
