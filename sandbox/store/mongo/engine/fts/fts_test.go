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
	stem := Language{stem: english}.stemmer()
	for i := 0; i < len(words); i += 2 {
		if got := stem(words[i]); got != words[i+1] {
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
	s, err := NewSpec([]string{"t"}, bsonval.EmptyDoc())
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseQuery(bsonval.D(bsonval.E("$search", bsonval.StringValue(`java "coffee shop" -tea -"iced cake" the`))), s)
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

func TestEachLanguageHasItsStemsAndStopWords(t *testing.T) {
	for _, c := range []struct{ language, text, want string }{
		{"da", "ikke indvendingerne", "indvending"},
		{"nl", "de lichamelijkheden", "licham"},
		{"fi", "minä edeltäjistäänkin", "edeltaj"},
		{"fr", "nous continuellement", "continuel"},
		{"de", "aufeinanderfolgende nicht", "aufeinanderfolg"},
		{"hu", "babakocsijáért a", "babakocs"},
		{"it", "abbandonerebbe dalla", "abbandon"},
		{"nb", "havnedistriktene og", "havnedistrikt"},
		{"pt", "boicotando não", "boicot"},
		{"ro", "abruptă pentru", "abrupt"},
		{"ru", "важнейшими было", "важн"},
		{"es", "cheques los", "chequ"},
		{"sv", "jaktkarlarne och", "jaktkarl"},
		{"tr", "kitaplarımızda için", "kitap"},
		{"none", "the Running", "running the"},
		{"SPANISH", "niñas", "nin"},
	} {
		l, err := parseLanguage(c.language, newest)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(l.sorted(c.text, sensitivity{}), " "); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.language, c.text, got, c.want)
		}
	}
	if _, err := parseLanguage("klingon", newest); err == nil {
		t.Error("klingon is no language of the server")
	}
}

func TestCaseAndMarksMatterWhereAsked(t *testing.T) {
	s, err := NewSpec([]string{"t"}, bsonval.D(bsonval.E("default_language", bsonval.StringValue("french"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		search, text string
		cases, marks bool
		want         bool
	}{
		{"FORET", "la forêt noire", false, false, true},
		{"foret", "la forêt noire", false, true, false},
		{"forêt", "la forêt noire", false, true, true},
		{"Café", "un café noir", true, false, false},
		{"Cafe", "Un Café noir", true, false, true},
		{"\"cafe noir\"", "un Café Noir", false, false, true},
		{"\"cafe noir\"", "un Café noir", false, true, false},
		{"noir -CAFE", "un café noir", false, false, false},
		{"noir -CAFE", "un café noir", true, true, true},
		{"noir - café", "un café noir", false, false, true},
		{"noir-café", "un café", false, false, true},
		{"noir -\"café au\"", "un café noir", false, false, true},
		{"\"café", "un café noir", false, false, true},
	} {
		q, err := ParseQuery(bsonval.D(bsonval.E("$search", bsonval.StringValue(c.search)), bsonval.E("$caseSensitive", bsonval.BoolValue(c.cases)), bsonval.E("$diacriticSensitive", bsonval.BoolValue(c.marks))), s)
		if err != nil {
			t.Fatal(err)
		}
		doc := bsonval.D(bsonval.E("t", bsonval.StringValue(c.text)))
		got, err := q.Positive(s, doc)
		if err == nil && got {
			got, err = q.Accepts(s, doc)
		}
		if got != c.want || err != nil {
			t.Errorf("%q in %q (%t, %t): %t, %v", c.search, c.text, c.cases, c.marks, got, err)
		}
	}
}

func TestWordsEndWhereTheServerEndsThem(t *testing.T) {
	for text, want := range map[string]string{
		"don't a_b c-d":       "don't|a_b|c|d",
		"3.14 x@y.org «mot»…": "3|14|x|y|org|mot",
		"naïve—fin":           "naïve|fin",
		"10€ №5":              "10€|№5",
	} {
		var got []string
		Language{stem: english}.words(text, func(w string) { got = append(got, w) })
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %s", text, got, want)
		}
	}
	if !(Language{stem: danish}).delimits('\'') {
		t.Error("only English keeps the apostrophe")
	}
}
