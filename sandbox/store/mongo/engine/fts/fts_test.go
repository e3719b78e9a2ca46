package fts

import (
	"math"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Words and their stems from the Snowball project's vocabulary.
func TestStemsAreSnowballs(t *testing.T) {
	const pairs = `consign consign consigned consign consigning consign consignment consign consist consist consisted consist consistency consist
		consistent consist consistently consist consisting consist consists consist consolation consol consolations consol consolatory consolatori
		console consol consoled consol consoles consol consolidate consolid consolidated consolid consoling consol consolingly consol consols consol
		consonant conson consort consort consorted consort consorting consort conspicuous conspicu conspicuously conspicu conspiracy conspiraci
		conspirator conspir conspirators conspir conspire conspir conspired conspir conspiring conspir constable constabl constables constabl
		constance constanc constancy constanc constant constant knack knack knackeries knackeri knacks knack knag knag knave knave knaves knave
		knavish knavish kneaded knead kneading knead knee knee kneel kneel kneeled kneel kneeling kneel kneels kneel knees knee knell knell
		knew knew knick knick knif knif knife knife knight knight knightly knight knights knight knit knit knits knit knitted knit knitting knit
		knives knive knob knob knobs knob knock knock knocked knock knocker knocker knockers knocker knocking knock knocks knock
		knot knot knots knot coffees coffe shopping shop running run generously generous happiness happi cried cri ties tie dogs dog
		hopping hop hoping hope relational relat national nation databases databas skies sky`
	words := strings.Fields(pairs)
	for i := 0; i < len(words); i += 2 {
		if got := stemEnglish(words[i]); got != words[i+1] {
			t.Errorf("%s: %s, want %s", words[i], got, words[i+1])
		}
	}
}

func TestScoresFollowTheServersFormula(t *testing.T) {
	s, err := NewSpec([]string{"t"}, bsonval.EmptyDoc())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]float64{"coffee": 1.0, "Coffee Shop": 0.75, "the coffee coffee": 1.5, "Café": 0} {
		terms, err := s.Terms(bsonval.D(bsonval.E("t", bsonval.StringValue(text))))
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		for _, x := range terms {
			if x.Text == "coffe" {
				got = x.Score
			}
		}
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestASearchIsCutIntoWordsPhrasesAndNegations(t *testing.T) {
	q, err := ParseQuery(bsonval.D(bsonval.E("$search", bsonval.StringValue(`java "coffee shop" -tea -"iced cake" the`))), English)
	if err != nil {
		t.Fatal(err)
	}
	var b bsonval.Builder
	q.Describe(&b)
	const want = `{ parsedTextQuery: { terms: [ "coffe", "java", "shop" ], negatedTerms: [ "tea" ], phrases: [ "coffee shop" ], negatedPhrases: [ "iced cake" ] } }`
	if got := b.Doc().String(); got != want {
		t.Error(got)
	}
}
