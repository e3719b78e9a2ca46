// Package fts is full text search as the server's text indexes do it: words, stop words
// and stems, the score of a word in a document, and what $text asks for. Package index
// makes keys of it, package plan searches with it.
package fts

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Language is how words of a text are found and stemmed.
type Language string

// The languages there are. None takes words as they are.
const (
	English Language = "english"
	None    Language = "none"
)

// ParseLanguage reads a language's name or code.
func ParseLanguage(name string) (Language, error) {
	switch strings.ToLower(name) {
	case "english", "en":
		return English, nil
	case "none":
		return None, nil
	case "danish", "da", "dutch", "nl", "finnish", "fi", "french", "fr", "german", "de", "hungarian", "hu", "italian", "it", "norwegian", "nb",
		"portuguese", "pt", "romanian", "ro", "russian", "ru", "spanish", "es", "swedish", "sv", "turkish", "tr":
		return "", mongoerr.New(mongoerr.NotImplemented, "text search in the language \"%s\" is not supported: use \"english\", or \"none\" for words as they are", name)
	}
	return "", mongoerr.New(17262, "unsupported language: \"%s\" for text index version 3", name)
}

// fold takes away what a search doesn't mind: case, and marks on letters.
func fold(s string, caseSensitive, markSensitive bool) string {
	if !caseSensitive {
		s = strings.ToLower(s)
	}
	if markSensitive || plainASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

func plainASCII(s string) bool { return ascii(s) }

// words yields the words of a text as they stand.
func (l Language) words(s string, yield func(word string)) {
	start := -1
	for i, r := range s {
		in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == '_' || r == '\'' && l == English
		switch {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			yield(s[start:i])
			start = -1
		}
	}
	if start >= 0 {
		yield(s[start:])
	}
}

// terms yields the stems of a text's words but for the stop words.
func (l Language) terms(s string, caseSensitive, markSensitive bool, yield func(term string)) {
	l.words(s, func(w string) {
		if l == English && stopWord(strings.ToLower(w)) {
			return
		}
		w = fold(w, caseSensitive, markSensitive)
		if l == English {
			w = stemEnglish(w)
		}
		if w != "" {
			yield(w)
		}
	})
}

// stopWord tells the English words that searches leave out.
func stopWord(w string) bool {
	const list = " i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself they them their theirs themselves " +
		"what which who whom this that these those am is are was were be been being have has had having do does did doing would should could ought " +
		"i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll " +
		"isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't shouldn't can't cannot couldn't mustn't let's that's who's what's here's there's when's where's why's how's " +
		"a an the and but if or because as until while of at by for with about against between into through during before after above below to from up down in out on off over under " +
		"again further then once here there when where why how all any both each few more most other some such no nor not only own same so than too very "
	return len(w) < 11 && strings.Contains(list, " "+w+" ")
}
