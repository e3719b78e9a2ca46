package column

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func decode(data []byte, most int) ([]bsonval.Value, error) {
	budget := int64(1 << 20)
	d := New(data, &budget)
	var out []bsonval.Value
	for len(out) < most {
		v, ok, err := d.Next()
		if err != nil || !ok {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

func list(vs []bsonval.Value) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.String())
	}
	return strings.Join(out, " ")
}

// The columns are ones that MongoDB's own tests hold, as the server writes them.
func TestTheServersColumnsAreRead(t *testing.T) {
	for data, want := range map[string]string{
		"AA==":                             "",
		"BwBk3UrposROddEVEoUA":             "ObjectId('64dd4ae9a2c44e75d1151285')",
		"CQAVoWwAigEAAAA=":                 "new Date(1692224233749)",
		"AgALAAAAcHJlVXBncmFkZQAA":         `"preUpgrade"`,
		"CQAYhggUjQEAAIAOAAAAAAAAAAA=":     "new Date(1705438119448) new Date(1705438119448)",
		"AQAAAAAAAAAAAJAuAAAAAAAAAAA=":     "0.0 1.0",
		"BwBlpuun5tLoSOCMN1CALgAAAAAAAAAA": "ObjectId('65a6eba7e6d2e848e08c3750') ObjectId('65a6eba7e6d2e848e08c3751')",
		"AQAAAAAAAAAAQJN/AAAAAAAAAAIAAAAAAAAABwAAAAAAAAAOAAAAAAAAAAA=": "",
	} {
		raw, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(raw, 1<<20)
		if want == "" && data != "AA==" {
			if err != nil || len(got) < 2 {
				t.Error(data, list(got), err)
			}
			continue
		}
		if err != nil || list(got) != want {
			t.Errorf("%s is %s, %v; want %s", data, list(got), err, want)
		}
	}
}

func TestBrokenColumnsAreRefused(t *testing.T) {
	one := bsonval.IntValue(1).Append([]byte{byte(bsonval.Int32), 0})
	block := func(control byte, blocks ...byte) []byte {
		out := append(append([]byte(nil), one...), control)
		for _, b := range blocks {
			out = append(out, b, 0, 0, 0, 0, 0, 0, 0)
		}
		return append(out, end)
	}
	form := bsonval.D(bsonval.E("a", bsonval.IntValue(1)))
	for name, data := range map[string][]byte{
		"empty":                  {},
		"no end":                 one,
		"after the end":          append(append([]byte(nil), one...), end, end),
		"unknown type":           {0x14, 0, end},
		"named":                  {byte(bsonval.Null), 'a', 0, end},
		"cut literal":            {byte(bsonval.Int64), 0, 1, 2, end},
		"cut blocks":             block(sameBits|1, 0x0e),
		"no such selector":       block(sameBits, 0),
		"no such extension":      block(sameBits, 0xa7),
		"no such extension of 8": block(sameBits, 0xe8),
		"scale of an int":        block(0x90, 0x0e),
		"no such control":        block(0xe0, 0x0e),
		"delta of a null":        append([]byte{byte(bsonval.Null), 0}, block(sameBits, 0x2e)[len(one):]...),
		"empty run":              append(append([]byte{objectsArrays}, form...), end, end),
		"run without fields":     append(append([]byte{objectsArrays}, bsonval.EmptyDoc()...), one...),
		"cut form":               append([]byte{objectsOnly}, form[:8]...),
		"run without end":        append(append([]byte{objectsArrays}, form...), one...),
	} {
		var want *Broken
		if got, err := decode(data, 1<<20); !errors.As(err, &want) {
			t.Errorf("%s: %s, %v", name, list(got), err)
		}
	}
}

func TestAColumnThatUnfoldsWithoutEndStopsAtItsBudget(t *testing.T) {
	big := bsonval.StringValue(strings.Repeat("x", 1000)).Append([]byte{byte(bsonval.String), 0})
	for range 1000 {
		big = append(big, sameBits, 0xff, 0, 0, 0, 0, 0, 0, 0)
	}
	budget := int64(1 << 20)
	d := New(append(big, end), &budget)
	n := 0
	for {
		_, ok, err := d.Next()
		if errors.Is(err, ErrTooLarge) {
			break
		}
		if err != nil || !ok {
			t.Fatal("the end came after", n, err)
		}
		n++
	}
	if n > 1100 || n < 900 {
		t.Error(n)
	}
}

// value is a random value near was, or another one.
func (e encoder) value(was bsonval.Value) bsonval.Value {
	switch e.IntN(20) {
	case 0:
		return bsonval.Value{}
	case 1:
		was = e.any()
	case 2, 3, 4:
		return was
	}
	by := e.Int64N(100) - 50
	switch was.Type() {
	case bsonval.Int32:
		return bsonval.IntValue(was.Int32() + int32(by))
	case bsonval.Int64:
		return bsonval.LongValue(was.Int64() + by)
	case bsonval.Date:
		return bsonval.DateValue(was.Int64() + by)
	case bsonval.Timestamp:
		return bsonval.TimestampValue(uint32(was.Timestamp()>>32), uint32(was.Timestamp())+uint32(by))
	case bsonval.Double:
		return bsonval.DoubleValue(math.Round(was.Double()*100+float64(by)) / 100)
	case bsonval.String:
		return bsonval.StringValue(fmt.Sprint("host-", by))
	case bsonval.Bool:
		return bsonval.BoolValue(by < 0)
	case bsonval.ObjectID:
		id := was.ObjectID()
		id[11] += byte(by)
		return bsonval.ObjectIDValue(id)
	case bsonval.Binary:
		return bsonval.BinaryValue(4, []byte{1, 2, byte(by), 4, 5, 6, 7, 8, 9})
	case bsonval.Decimal128:
		return bsonval.DecimalValue(0x3040000000000000, uint64(by+50))
	}
	return was
}

func (e encoder) any() bsonval.Value {
	all := []bsonval.Value{
		bsonval.IntValue(-7), bsonval.LongValue(math.MaxInt64), bsonval.DateValue(1_700_000_000_000), bsonval.TimestampValue(5, 6), bsonval.DoubleValue(1.25),
		bsonval.DoubleValue(math.NaN()), bsonval.StringValue("host-1"), bsonval.StringValue("a name longer than sixteen bytes"), bsonval.StringValue(""), bsonval.BoolValue(true),
		bsonval.ObjectIDValue([12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), bsonval.BinaryValue(4, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}), bsonval.NullValue(), bsonval.RegexValue("^a", "i"),
		bsonval.MinKeyValue(), bsonval.MaxKeyValue(), bsonval.DecimalValue(0x3040000000000000, 5), bsonval.CodeValue("x"), bsonval.ArrayOf(bsonval.IntValue(1)), bsonval.DoubleValue(math.Copysign(0, -1)),
	}
	return all[e.IntN(len(all))]
}

func (e encoder) values(n int) []bsonval.Value {
	was := e.any()
	var out []bsonval.Value
	for len(out) < n {
		v := e.value(was)
		for range 1 + max(0, e.IntN(400)-397)*200 {
			out = append(out, v)
		}
		if !v.IsMissing() {
			was = v
		}
	}
	return out
}

func same(a, b []bsonval.Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Same(b[i]) {
			return false
		}
	}
	return true
}

func TestWhatAnEncoderWritesComesBack(t *testing.T) {
	for seed := range uint64(3000) {
		e := encoder{rand.New(rand.NewPCG(seed, 1))}
		want := e.values(1 + e.IntN(300))
		got, err := decode(column(e.chunks(bsonval.Value{}, want)), 1<<20)
		if err != nil || !same(got, want) {
			t.Fatalf("seed %d: %v\n%s\nwant\n%s", seed, err, list(got), list(want))
		}
	}
}

// Objects are taken apart into one stream for each field, and put together again.
func TestObjectsAreInterleaved(t *testing.T) {
	at := func(v bsonval.Value, path string) bsonval.Value { return v.Doc().Path(path) }
	for seed := range uint64(500) {
		e := encoder{rand.New(rand.NewPCG(seed, 2))}
		form := bsonval.NewBuilder(64).Set("a", e.any()).OpenDoc("o").Set("x", e.any()).Set("y", e.any()).Close().OpenArray("l").Item(e.any()).Close().Doc()
		rows := 1 + e.IntN(200)
		paths := []string{"a", "o.x", "o.y", "l.0"}
		var fields [][]bsonval.Value
		var streams [][]chunk
		for _, p := range paths {
			vs := e.values(rows)[:rows]
			fields = append(fields, vs)
			streams = append(streams, e.chunks(form.Path(p), vs))
		}
		if form.Path("l.0").Type() == bsonval.Array || form.Get("a").Type() == bsonval.Array || form.Path("o.x").Type() == bsonval.Array || form.Path("o.y").Type() == bsonval.Array {
			continue // such a form has other streams
		}
		data := interleaved(objectsArrays, form, streams, rows)
		data = append(data, sameBits, 0x0e, 0, 0, 0, 0, 0, 0, 0) // and the last one again
		got, err := decode(append(data, end), 1<<20)
		if err != nil || len(got) != rows+1 || !got[rows].Same(got[rows-1]) {
			t.Fatalf("seed %d: %v: %d of %d objects", seed, err, len(got), rows)
		}
		for row, v := range got[:rows] {
			for i, p := range paths {
				if want := fields[i][row]; v.IsMissing() && !want.IsMissing() || !v.IsMissing() && !at(v, p).Same(want) {
					t.Fatalf("seed %d, row %d: %s in %s; want %s", seed, row, p, v, want)
				}
			}
		}
	}
}

// Whatever stands in a column, reading it ends in values that are valid or in an error.
func FuzzColumn(f *testing.F) {
	for seed := range uint64(20) {
		e := encoder{rand.New(rand.NewPCG(seed, 3))}
		f.Add(column(e.chunks(bsonval.Value{}, e.values(20))))
		form := bsonval.D(bsonval.E("a", bsonval.IntValue(1)), bsonval.E("b", bsonval.DateValue(5)))
		streams := [][]chunk{e.chunks(bsonval.IntValue(1), e.values(20)[:20]), e.chunks(bsonval.DateValue(5), e.values(20)[:20])}
		f.Add(interleaved(objectsOnly, form, streams, 20))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		vs, _ := decode(data, 5000)
		for _, v := range vs {
			if err := bsonval.Validate(bsonval.NewBuilder(16).Set("v", v).Doc()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
