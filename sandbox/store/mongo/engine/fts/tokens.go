// Package fts is full text search as the server's text indexes do it: words, stop words
// and stems, the score of a word in a document, and what $text asks for. Package index
// makes keys of it, package plan searches with it.
package fts

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// sensitivity is what tells words apart besides their letters.
type sensitivity struct{ toCase, toMarks bool }

// fold takes away what a search doesn't mind: case, and marks on letters.
func (l Language) fold(s string, by sensitivity) string {
	if l.basic {
		by.toMarks = true
	}
	if !by.toCase {
		s = l.lower(s)
	}
	if by.toMarks || ascii(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// lower is s in lower case; Turkish has an i with and one without a dot.
func (l Language) lower(s string) string {
	if l.basic {
		return strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, s)
	}
	if l.stem == turkish {
		return strings.ToLowerSpecial(unicode.TurkishCase, s)
	}
	return strings.ToLower(s)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// basicDelimiters end words in text indexes of version 1 and 2.
const basicDelimiters = " \f\v\t\r\n'~`!@#$%^&*()-=+[]{}|\\;:\"<>,./?"

// delimits tells what stands between words: the characters with Unicode's properties
// for blanks, dashes, quotation marks, ends of sentences and syntax. English keeps the
// apostrophe of don't.
func (l Language) delimits(r rune) bool {
	if r == '\'' && l.stem == english {
		return false
	}
	if l.basic {
		return strings.ContainsRune(basicDelimiters, r)
	}
	return unicode.In(r, unicode.White_Space, unicode.Dash, unicode.Hyphen, unicode.Quotation_Mark,
		unicode.Terminal_Punctuation, unicode.Pattern_Syntax, unicode.STerm)
}

// words yields the words of a text as they stand.
func (l Language) words(s string, yield func(word string)) {
	start := -1
	for i, r := range s {
		switch in := !l.delimits(r); {
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

// terms yields the stems of a text's words but for the stop words. Words are stemmed
// with their marks on, as stemmers and lists of stop words want them.
func (l Language) terms(s string, by sensitivity, yield func(term string)) {
	stem := l.stemmer()
	l.words(s, func(w string) {
		low := l.lower(w)
		if l.stopWord(low) {
			return
		}
		if !by.toCase {
			w = low
		}
		if w = l.fold(stem(w), sensitivity{true, by.toMarks}); w != "" {
			yield(w)
		}
	})
}
