package fts

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Language is how words of a text are found and stemmed.
type Language string

// The languages that the server has in its free edition. None takes words as they are.
const (
	Danish     Language = "danish"
	Dutch      Language = "dutch"
	English    Language = "english"
	Finnish    Language = "finnish"
	French     Language = "french"
	German     Language = "german"
	Hungarian  Language = "hungarian"
	Italian    Language = "italian"
	None       Language = "none"
	Norwegian  Language = "norwegian"
	Portuguese Language = "portuguese"
	Romanian   Language = "romanian"
	Russian    Language = "russian"
	Spanish    Language = "spanish"
	Swedish    Language = "swedish"
	Turkish    Language = "turkish"
)

// ParseLanguage reads a language's name or its ISO 639-1 code, in any case.
func ParseLanguage(name string) (Language, error) {
	low := strings.ToLower(name)
	if code := languageOf(low); code != "" {
		return code, nil
	}
	switch l := Language(low); l {
	case Danish, Dutch, English, Finnish, French, German, Hungarian, Italian, None, Norwegian, Portuguese, Romanian, Russian, Spanish, Swedish, Turkish:
		return l, nil
	}
	return "", mongoerr.New(17262, "unsupported language: \"%s\" for text index version 3", name)
}

func languageOf(code string) Language {
	switch code {
	case "da":
		return Danish
	case "nl":
		return Dutch
	case "en":
		return English
	case "fi":
		return Finnish
	case "fr":
		return French
	case "de":
		return German
	case "hu":
		return Hungarian
	case "it":
		return Italian
	case "nb":
		return Norwegian
	case "pt":
		return Portuguese
	case "ro":
		return Romanian
	case "ru":
		return Russian
	case "es":
		return Spanish
	case "sv":
		return Swedish
	case "tr":
		return Turkish
	}
	return ""
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
	switch l {
	case Danish:
		return danish.Stem
	case Dutch:
		return dutch.Stem
	case English:
		return english.Stem
	case Finnish:
		return finnish.Stem
	case French:
		return french.Stem
	case German:
		return german.Stem
	case Hungarian:
		return hungarian.Stem
	case Italian:
		return italian.Stem
	case Norwegian:
		return norwegian.Stem
	case Portuguese:
		return portuguese.Stem
	case Romanian:
		return romanian.Stem
	case Russian:
		return russian.Stem
	case Spanish:
		return spanish.Stem
	case Swedish:
		return swedish.Stem
	case Turkish:
		return turkish.Stem
	}
	return nil
}
