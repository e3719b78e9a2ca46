package diff

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func TestADifferenceIsWrittenInSections(t *testing.T) {
	long := fmt.Sprintf("%0128d", 0)
	before := bsontest.Doc(t, `{"_id":1,"gone":1,"n":1,"s":{"f":"`+long+`","x":1},"l":["`+long+`",{"f":"`+long+`","y":1},3]}`)
	after := bsontest.Doc(t, `{"_id":1,"n":2,"s":{"f":"`+long+`","x":2},"l":["`+long+`",{"f":"`+long+`","y":2}],"new":{"z":1}}`)
	want := `{ $v: 2, diff: { d: { gone: false }, u: { n: 2 }, i: { new: { z: 1 } }, ss: { u: { x: 2 } }, sl: { a: true, l: 2, s1: { u: { y: 2 } } } } }`
	if got := Between(before, after).Entry().String(); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	edits := []Edit{{Path: []string{"z"}}, {Path: []string{"l", "0", "b"}}, {Path: []string{"l", "3"}}, {Path: []string{"a"}}}
	got := Edited(bsontest.Doc(t, `{"z":1,"a":1,"l":[{"a":1}]}`), bsontest.Doc(t, `{"z":2,"a":2,"l":[{"a":1,"b":1},null,null,7]}`), edits).Entry().String()
	if want := `{ $v: 2, diff: { u: { a: 2, z: 2 }, sl: { a: true, s0: { i: { b: 1 } }, u3: 7 } } }`; got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

func TestADifferenceIsAppliedAsTheServerDoes(t *testing.T) {
	for _, c := range []struct{ doc, delta, want string }{
		{`{"_id":1,"a":1,"b":2}`, `{"d":{"a":false},"u":{"b":3},"i":{"c":4}}`, `{ _id: 1, b: 3, c: 4 }`},
		{`{"_id":1,"a":1,"b":2}`, `{"i":{"a":5}}`, `{ _id: 1, b: 2, a: 5 }`},
		{`{"_id":1}`, `{"u":{"b":3}}`, `{ _id: 1, b: 3 }`},
		{`{"_id":1}`, `{"sgone":{"u":{"b":3}}}`, `{ _id: 1 }`},
		{`{"s":{"x":1,"":{"y":1}}}`, `{"ss":{"u":{"x":2},"s":{"u":{"y":2}}}}`, `{ s: { x: 2, : { y: 2 } } }`},
		{`{"s":1}`, `{"ss":{"u":{"x":2}}}`, `{ s: null }`},
		{`{"s":[1]}`, `{"ss":{"u":{"x":2}}}`, `{ s: null }`},
		{`{"l":[1,2,3]}`, `{"sl":{"a":true,"l":2,"u0":9}}`, `{ l: [ 9, 2 ] }`},
		{`{"l":[1]}`, `{"sl":{"a":true,"u3":9}}`, `{ l: [ 1, null, null, 9 ] }`},
		{`{"l":[1]}`, `{"sl":{"a":true,"l":3}}`, `{ l: [ 1, null, null ] }`},
		{`{"l":[{"x":1},[1]]}`, `{"sl":{"a":true,"s0":{"u":{"x":2}},"s1":{"a":true,"u0":2},"s2":{"u":{"x":1}}}}`, `{ l: [ { x: 2 }, [ 2 ], null ] }`},
		{`{"l":{"x":1}}`, `{"sl":{"a":true,"u0":9}}`, `{ l: null }`},
	} {
		got, err := Apply(bsontest.Doc(t, c.doc), bsontest.Doc(t, c.delta))
		if err != nil || got.String() != c.want {
			t.Errorf("%s with %s: %s %v, want %s", c.doc, c.delta, got, err, c.want)
		}
	}
}

func TestAMalformedDifferenceIsRefused(t *testing.T) {
	on := bsontest.Doc(t, `{"_id":1,"a":1,"l":[1],"s":{"x":1}}`)
	for delta, code := range map[string]mongoerr.Code{
		`{}`:                                4770500,
		`{"":1}`:                            4770505,
		`{"x":{}}`:                          4770503,
		`{"u":{"a":1},"d":{"a":1}}`:         4770503,
		`{"u":1}`:                           4770507,
		`{"ss":1}`:                          4770507,
		`{"ss":{"u":{}},"sa":1}`:            470510,
		`{"ss":{"u":{}},"u":{"a":1}}`:       4770514,
		`{"u":{"a":1},"i":{"a":1}}`:         4728000,
		`{"ss":{}}`:                         4770500,
		`{"sl":{"a":1}}`:                    4770519,
		`{"sl":{"a":false}}`:                4770520,
		`{"sl":{"a":true,"l":"x"}}`:         4770507,
		`{"sl":{"a":true,"u":1}}`:           4770521,
		`{"sl":{"a":true,"ux":1}}`:          4770512,
		`{"sl":{"a":true,"s0":1}}`:          4770501,
		`{"sl":{"a":true,"x0":1}}`:          4770502,
		`{"sl":{"a":true,"l":1,"u4":1}}`:    4770512,
		`{"sl":{"a":true,"l":2000000000}}`:  mongoerr.CannotBackfillArray,
		`{"sl":{"a":true,"u2000000000":1}}`: mongoerr.CannotBackfillArray,
		`{"b":{"a":{"o":0,"d":1}}}`:         mongoerr.CommandNotSupported,
	} {
		if got, err := Apply(on, bsontest.Doc(t, delta)); mongoerr.From(err).Code != code {
			t.Errorf("%s: %s %v, want %d", delta, got, err, code)
		}
	}
}

// What Between tells of two documents makes the second of the first.
func TestADifferenceMakesTheSecondOfTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		before := random(r, 3)
		after := changed(r, before)
		entry := Between(before, after).Entry().Get("diff").Doc()
		if entry.IsEmpty() != before.Same(after) {
			t.Fatalf("%s to %s is %s", before, after, entry)
		}
		if entry.IsEmpty() {
			continue
		}
		got, err := Apply(before, entry)
		if err != nil || !got.Same(after) {
			t.Fatalf("%s with %s: %s %v, want %s", before, entry, got, err, after)
		}
	}
}

func random(r *rand.Rand, depth int) bsonval.Doc {
	var b bsonval.Builder
	for _, name := range []string{"a", "b", "c", "d", "1"} {
		if r.IntN(4) > 0 {
			b.Set(name, randomValue(r, depth))
		}
	}
	return b.Doc()
}

func randomValue(r *rand.Rand, depth int) bsonval.Value {
	switch n := r.IntN(5); {
	case n == 0 && depth > 0:
		return bsonval.DocValue(random(r, depth-1))
	case n == 1 && depth > 0:
		var l []bsonval.Value
		for range r.IntN(4) {
			l = append(l, randomValue(r, depth-1))
		}
		return bsonval.ArrayOf(l...)
	case n == 2:
		return bsonval.StringValue(fmt.Sprintf("%040d", r.IntN(3)))
	}
	return bsonval.IntValue(int32(r.IntN(3)))
}

// changed is a document that differs from d in some places, the order of its fields
// among them.
func changed(r *rand.Rand, d bsonval.Doc) bsonval.Doc {
	all := d.Elements()
	if r.IntN(5) == 0 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	var b bsonval.Builder
	for _, e := range all {
		switch v := e.Value; {
		case r.IntN(6) == 0:
		case v.Type() == bsonval.Object:
			b.SetDoc(e.Name, changed(r, v.Doc()))
		case v.Type() == bsonval.Array && r.IntN(2) == 0:
			l := v.Doc().Slice()
			if r.IntN(2) == 0 {
				l = append(l[:r.IntN(len(l)+1)], randomValue(r, 1))
			}
			b.Set(e.Name, bsonval.ArrayOf(l...))
		case r.IntN(3) == 0:
			b.Set(e.Name, randomValue(r, 1))
		default:
			b.Set(e.Name, v)
		}
	}
	if r.IntN(3) == 0 {
		b.Set("new", randomValue(r, 1))
	}
	return b.Doc()
}
