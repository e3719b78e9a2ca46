package collation

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

func sign(n int) int { return min(max(n, -1), 1) }

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		json, a, b string
		want       int
	}{
		{`{"locale":"en"}`, "a-b", "ab", -1},
		{`{"locale":"en","alternate":"shifted"}`, "a-b", "ab", 0},
		{`{"locale":"en","alternate":"shifted"}`, "a b", "a-b", 0},
		{`{"locale":"en","alternate":"shifted"}`, "9", "1-0", 1},
		{`{"locale":"en","alternate":"shifted"}`, "a-b", "A-B", -1},
		{`{"locale":"en","alternate":"shifted","strength":1}`, "a-b", "ÄB", 0},
		{`{"locale":"en","alternate":"shifted","strength":1}`, "a", "b", -1},
		{`{"locale":"en","alternate":"shifted","maxVariable":"space"}`, "a b", "ab", 0},
		{`{"locale":"en","alternate":"shifted","maxVariable":"space"}`, "a-b", "ab", -1},
		{`{"locale":"en","alternate":"shifted"}`, "-\u0301", "", 0},
		{`{"locale":"en","alternate":"shifted"}`, "$", "", 1},
		{`{"locale":"fr"}`, "coté", "côte", -1},
		{`{"locale":"fr","backwards":true}`, "coté", "côte", 1},
		{`{"locale":"fr_CA"}`, "coté", "côte", 1},
		{`{"locale":"fr_CA","backwards":false}`, "coté", "côte", -1},
	} {
		coll, err := Parse(bsontest.Doc(t, c.json))
		if err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		if got := sign(coll.Compare(c.a, c.b)); got != c.want {
			t.Errorf("%s: %q to %q is %d, want %d", c.json, c.a, c.b, got, c.want)
		}
		if got := bytes.Compare(coll.AppendKey(nil, c.a), coll.AppendKey(nil, c.b)); got != c.want {
			t.Errorf("%s: keys of %q to %q are %d, want %d", c.json, c.a, c.b, got, c.want)
		}
	}
}

// What ICU answered for strings of each locale's letters, with all kinds of options:
// testdata/icu.txt has a collation, two strings and the sign of their order a line.
func TestOrderIsICUs(t *testing.T) {
	file, err := os.ReadFile("testdata/icu.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	for _, line := range lines {
		f := strings.Split(line, "\t")
		want, err := strconv.Atoi(f[3])
		if err != nil {
			t.Fatal(line)
		}
		coll, err := Parse(bsontest.Doc(t, f[0]))
		if err != nil {
			t.Fatalf("%s: %v", f[0], err)
		}
		if got := sign(coll.Compare(f[1], f[2])); got != want {
			t.Errorf("%s: %q to %q is %d, want %d", f[0], f[1], f[2], got, want)
		}
		if got := sign(coll.Compare(f[2], f[1])); got != -want {
			t.Errorf("%s: %q to %q is %d, want %d", f[0], f[2], f[1], got, -want)
		}
	}
	if len(lines) < 1000 {
		t.Errorf("%d lines only", len(lines))
	}
}

// Every locale's rules can be read.
func TestEveryLocaleIsKnown(t *testing.T) {
	for name, rules := range eachLocale {
		if same, ok := strings.CutPrefix(rules, "="); ok {
			if tailorings()[same] == nil {
				t.Errorf("%s is as %s, which is not there", name, same)
			}
		} else if _, err := readRules(rulesOf(name)); err != nil && rules != unknownRules {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(tailorings()); n < 400 {
		t.Errorf("%d locales", n)
	}
}

func TestCollationsThatAreRefused(t *testing.T) {
	for json, want := range map[string]string{
		`{}`:                                               "BSON field 'collation.locale' is missing but a required field",
		`{"locale":""}`:                                    `Field 'locale' cannot be the empty string in: { locale: "" }`,
		`{"locale":"tlh"}`:                                 `Field 'locale' is invalid in: { locale: "tlh" }`,
		`{"locale":"en_GB"}`:                               `Field 'locale' is invalid in: { locale: "en_GB" }. Did you mean 'en'?`,
		`{"locale":"en-US"}`:                               `Field 'locale' is invalid in: { locale: "en-US" }. Did you mean 'en_US'?`,
		`{"locale":"de@collation=x"}`:                      `Field 'locale' is invalid in: { locale: "de@collation=x" }. Did you mean 'de'?`,
		`{"locale":"simple","strength":1}`:                 `If locale=simple, no other fields should be present in: { locale: "simple", strength: 1 }`,
		`{"locale":"en","version":"58"}`:                   `Requested collation version 58 but the only available collator version was 57.1. Requested collation spec: { locale: "en", version: "58" }`,
		`{"locale":"en","x":1}`:                            "BSON field 'collation.x' is an unknown field.",
		`{"locale":"fr_CA","strength":1}`:                  `'backwards' is invalid with 'strength' of 1 in: { locale: "fr_CA", caseLevel: false, caseFirst: "off", strength: 1, numericOrdering: false, alternate: "non-ignorable", maxVariable: "punct", normalization: false, backwards: true, version: "57.1" }`,
		`{"locale":"en","caseFirst":"upper","strength":2}`: `'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2 in: { locale: "en", caseLevel: false, caseFirst: "upper", strength: 2, numericOrdering: false, alternate: "non-ignorable", maxVariable: "punct", normalization: false, backwards: false, version: "57.1" }`,
		`{"locale":"zh@collation=unihan"}`:                 `the collation of the locale zh@collation=unihan is not supported; take another one, such as "en", which orders every script`,
	} {
		if _, err := Parse(bsontest.Doc(t, json)); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", json, err, want)
		}
	}
}

// A locale's own settings show where the document has none.
func TestCompleteCollationsHaveTheirLocalesSettings(t *testing.T) {
	for locale, want := range map[string]string{
		"da":    `caseFirst: "upper"`,
		"mt":    `caseFirst: "upper"`,
		"fr_CA": `backwards: true`,
		"th":    `alternate: "shifted"`,
		"vi":    `normalization: true`,
	} {
		if got := Complete(bsontest.Doc(t, `{"locale":"`+locale+`"}`)).String(); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", locale, got, want)
		}
	}
}

// A long string orders as its parts do.
func TestLongStringsAreWeighedInParts(t *testing.T) {
	for _, json := range []string{`{"locale":"en","strength":4}`, `{"locale":"cs"}`, `{"locale":"fr_CA"}`, `{"locale":"ja"}`, `{"locale":"en","alternate":"shifted","strength":4}`, `{"locale":"da","numericOrdering":true}`} {
		coll, err := Parse(bsontest.Doc(t, json))
		if err != nil {
			t.Fatal(err)
		}
		c := coll.(*Collator)
		long := strings.Repeat("Chléb, côté 12 カー 日本 ", 2000)
		w := newWeigher(c)
		got := w.key(nil, long)
		if len(w.parts) < 3 {
			t.Fatalf("%d parts", len(w.parts))
		}
		w.parts = nil
		w.elements(long)
		if whole := w.levels(nil, long); !bytes.Equal(got, whole) {
			t.Errorf("%s: in parts it weighs something else", json)
		}
		if c.Compare(long+"a", long+"b") != -1 || c.Compare(long+"é", long+"e") != 1 {
			t.Errorf("%s: not ordered", json)
		}
	}
}

// Marks without end cost no more than other characters.
func TestManyMarksAreOrderedInTime(t *testing.T) {
	coll, err := Parse(bsontest.Doc(t, `{"locale":"vi"}`))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a"+strings.Repeat("\u0f71\u0302\u0323", 1000), 100)
	if coll.Compare(long, long+"b") != -1 {
		t.Error("not ordered")
	}
}
