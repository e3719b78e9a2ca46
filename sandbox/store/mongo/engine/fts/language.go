package fts

import (
	"slices"
	"strings"

	"github.com/blevesearch/snowballstem"
	danishstem "github.com/blevesearch/snowballstem/danish"
	dutchstem "github.com/blevesearch/snowballstem/dutch"
	englishstem "github.com/blevesearch/snowballstem/english"
	finnishstem "github.com/blevesearch/snowballstem/finnish"
	frenchstem "github.com/blevesearch/snowballstem/french"
	germanstem "github.com/blevesearch/snowballstem/german"
	hungarianstem "github.com/blevesearch/snowballstem/hungarian"
	italianstem "github.com/blevesearch/snowballstem/italian"
	norwegianstem "github.com/blevesearch/snowballstem/norwegian"
	porterstem "github.com/blevesearch/snowballstem/porter"
	portuguesestem "github.com/blevesearch/snowballstem/portuguese"
	romanianstem "github.com/blevesearch/snowballstem/romanian"
	russianstem "github.com/blevesearch/snowballstem/russian"
	spanishstem "github.com/blevesearch/snowballstem/spanish"
	swedishstem "github.com/blevesearch/snowballstem/swedish"
	turkishstem "github.com/blevesearch/snowballstem/turkish"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Language is how words of a text are found and stemmed.
type Language struct {
	stem  algorithm
	stops bool // words that searches leave out are known
	basic bool // as text indexes of version 1 and 2 do: words end at ASCII's marks, and accents count
}

// algorithm is a stemmer of the Snowball project by its name. None takes words as they
// are.
type algorithm string

// The languages that the server has in its free edition.
const (
	danish     algorithm = "danish"
	dutch      algorithm = "dutch"
	english    algorithm = "english"
	finnish    algorithm = "finnish"
	french     algorithm = "french"
	german     algorithm = "german"
	hungarian  algorithm = "hungarian"
	italian    algorithm = "italian"
	none       algorithm = "none"
	norwegian  algorithm = "norwegian"
	portuguese algorithm = "portuguese"
	romanian   algorithm = "romanian"
	russian    algorithm = "russian"
	spanish    algorithm = "spanish"
	swedish    algorithm = "swedish"
	turkish    algorithm = "turkish"

	porter algorithm = "porter" // the old one of English, for version 1 alone
)

// newest is the version that text indexes have if nothing else is asked for.
const newest = 3

// parseLanguage reads a language's name or its ISO 639-1 code as text indexes of a
// version do: in any case, and from version 2 on it must be one of the server's.
func parseLanguage(name string, version int) (Language, error) {
	if version == 1 {
		return oldLanguage(name), nil
	}
	low := strings.ToLower(name)
	for _, l := range languages() {
		if l.stem != porter && (string(l.stem) == low || l.code == low && low != "") {
			return Language{stem: l.stem, stops: true, basic: version < newest}, nil
		}
	}
	return Language{}, mongoerr.New(mongoerr.BadValue, "unsupported language: \"%s\" for text index version %d", name, version)
}

// oldLanguage is what version 1 takes a name for: it knows more names, and stop words
// under the full ones alone. What it doesn't know is none.
func oldLanguage(name string) Language {
	for _, l := range languages() {
		if string(l.stem) == name {
			return Language{stem: l.stem, stops: true, basic: true}
		}
		if name != "" && slices.Contains(strings.Fields(l.old), name) {
			return Language{stem: l.stem, basic: true}
		}
	}
	return Language{stem: none, basic: true}
}

type named struct {
	stem      algorithm
	code, old string // the names that version 1 has for it
}

func languages() []named {
	return []named{
		{danish, "da", "da dan"}, {dutch, "nl", "dut nl nld"}, {english, "en", "en eng"}, {finnish, "fi", "fi fin"},
		{french, "fr", "fr fra fre"}, {german, "de", "de deu ger"}, {hungarian, "hu", "hu hun"}, {italian, "it", "it ita"},
		{none, "", ""}, {norwegian, "nb", "no nor"}, {portuguese, "pt", "por pt"}, {romanian, "ro", "ro ron rum"},
		{russian, "ru", "ru rus"}, {spanish, "es", "es esl spa"}, {swedish, "sv", "sv swe"}, {turkish, "tr", "tr tur"},
		{porter, "", "porter"},
	}
}

// longestWord is how many bytes of a word are cut to a stem at most: the algorithms take
// the square of its length, and what is longer is no word of a language.
const longestWord = 256

// stemmer answers a function that cuts words to their stems by the Snowball project's
// algorithms (https://snowballstem.org/algorithms), as the server does. One goroutine
// may use it.
func (l Language) stemmer() func(word string) string {
	stem := l.algorithm()
	if stem == nil {
		return func(word string) string { return word }
	}
	env := snowballstem.NewEnv("")
	return func(word string) string {
		if len(word) > longestWord {
			return word
		}
		env.SetCurrent(word)
		stem(env)
		return env.Current()
	}
}

func (l Language) algorithm() func(*snowballstem.Env) bool {
	return map[algorithm]func(*snowballstem.Env) bool{
		danish: danishstem.Stem, dutch: dutchstem.Stem, english: englishstem.Stem, finnish: finnishstem.Stem, french: frenchstem.Stem,
		german: germanstem.Stem, hungarian: hungarianstem.Stem, italian: italianstem.Stem, norwegian: norwegianstem.Stem, porter: porterstem.Stem,
		portuguese: portuguesestem.Stem, romanian: romanianstem.Stem, russian: russianstem.Stem, spanish: spanishstem.Stem,
		swedish: swedishstem.Stem, turkish: turkishstem.Stem,
	}[l.stem]
}
