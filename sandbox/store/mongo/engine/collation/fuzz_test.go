package collation

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

// Any two strings have one order, in every kind of collation.
func FuzzOrder(f *testing.F) {
	var all []*Collator
	for _, json := range []string{
		`{"locale":"en","strength":5}`, `{"locale":"fr_CA"}`, `{"locale":"ja","strength":4}`, `{"locale":"th","numericOrdering":true,"strength":4}`,
		`{"locale":"vi","caseFirst":"upper"}`, `{"locale":"hu","strength":1,"caseLevel":true}`, `{"locale":"zh","alternate":"shifted","maxVariable":"space"}`,
	} {
		c, err := Parse(bsontest.Doc(f, json))
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, c.(*Collator))
	}
	f.Add("côté 12", "cote\u0301 012")
	f.Add("แกง", "\xffカー\u0f71\u0302")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, c := range all {
			if x, y := c.Compare(a, b), c.Compare(b, a); x != -y {
				t.Errorf("%s: %q and %q: %d, %d", c.Spec(), a, b, x, y)
			}
			if a != b && c.strength < 5 {
				continue
			}
			if a == b && c.Compare(a+"x", b+"x") != 0 {
				t.Errorf("%s: %q differs from itself", c.Spec(), a)
			}
		}
	})
}
