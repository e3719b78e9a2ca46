package fts

import "strings"

// stemEnglish cuts a lower-case English word to its stem by the Snowball project's
// English algorithm (https://snowballstem.org/algorithms/english/stemmer.html), as the
// server does.
func stemEnglish(word string) string {
	if len(word) <= 2 || !ascii(word) {
		return word
	}
	if s, ok := exceptional(word); ok {
		return s
	}
	w := &stemmer{b: []byte(strings.TrimPrefix(word, "'"))}
	w.markY()
	w.regions()
	w.step0()
	w.step1a()
	if invariantAfter1a(string(w.b)) {
		return string(w.b)
	}
	w.step1b()
	w.step1c()
	w.step2()
	w.step3()
	w.step4()
	w.step5()
	return strings.ToLower(string(w.b)) // the consonant y back to lower case
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func exceptional(w string) (string, bool) {
	switch w {
	case "skis":
		return "ski", true
	case "skies":
		return "sky", true
	case "dying":
		return "die", true
	case "lying":
		return "lie", true
	case "tying":
		return "tie", true
	case "idly":
		return "idl", true
	case "gently":
		return "gentl", true
	case "ugly":
		return "ugli", true
	case "early":
		return "earli", true
	case "only":
		return "onli", true
	case "singly":
		return "singl", true
	case "sky", "news", "howe", "atlas", "cosmos", "bias", "andes":
		return w, true
	}
	return "", false
}

func invariantAfter1a(w string) bool {
	switch w {
	case "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed":
		return true
	}
	return false
}

type stemmer struct {
	b      []byte
	r1, r2 int
}

func vowel(c byte) bool { return strings.IndexByte("aeiouy", c) >= 0 }

// markY writes a y that is a consonant as Y: at the beginning and after a vowel.
func (w *stemmer) markY() {
	for i, c := range w.b {
		if c == 'y' && (i == 0 || vowel(w.b[i-1])) {
			w.b[i] = 'Y'
		}
	}
}

func (w *stemmer) regions() {
	w.r1 = w.after(0)
	for _, p := range []string{"gener", "commun", "arsen"} {
		if strings.HasPrefix(string(w.b), p) {
			w.r1 = len(p)
		}
	}
	w.r2 = w.after(w.r1)
}

// after is behind the first consonant that follows a vowel, from a place on.
func (w *stemmer) after(from int) int {
	for i := from + 1; i < len(w.b); i++ {
		if !vowel(w.b[i]) && vowel(w.b[i-1]) {
			return i + 1
		}
	}
	return len(w.b)
}

func (w *stemmer) has(suffix string) bool { return strings.HasSuffix(string(w.b), suffix) }

// inR1 and inR2 tell whether the last n letters stand in the region.
func (w *stemmer) inR1(n int) bool { return len(w.b)-n >= w.r1 }
func (w *stemmer) inR2(n int) bool { return len(w.b)-n >= w.r2 }

// cut takes n letters off the end and puts others there.
func (w *stemmer) cut(n int, put string) { w.b = append(w.b[:len(w.b)-n], put...) }

func (w *stemmer) hasVowel(n int) bool {
	for _, c := range w.b[:n] {
		if vowel(c) {
			return true
		}
	}
	return false
}

// shortSyllable tells whether the first n letters end in one.
func (w *stemmer) shortSyllable(n int) bool {
	if n == 2 {
		return vowel(w.b[0]) && !vowel(w.b[1])
	}
	return n > 2 && !vowel(w.b[n-1]) && strings.IndexByte("wxY", w.b[n-1]) < 0 && vowel(w.b[n-2]) && !vowel(w.b[n-3])
}

func (w *stemmer) step0() {
	for _, s := range []string{"'s'", "'s", "'"} {
		if w.has(s) {
			w.cut(len(s), "")
			return
		}
	}
}

func (w *stemmer) step1a() {
	n := len(w.b)
	switch {
	case w.has("sses"):
		w.cut(2, "")
	case w.has("ied"), w.has("ies"):
		if n > 4 {
			w.cut(2, "")
		} else {
			w.cut(1, "")
		}
	case w.has("us"), w.has("ss"):
	case w.has("s"):
		if n >= 2 && w.hasVowel(n-2) {
			w.cut(1, "")
		}
	}
}

func (w *stemmer) step1b() {
	for _, s := range []string{"eedly", "eed"} {
		if w.has(s) {
			if w.inR1(len(s)) {
				w.cut(len(s), "ee")
			}
			return
		}
	}
	for _, s := range []string{"ingly", "edly", "ing", "ed"} {
		if !w.has(s) {
			continue
		}
		if !w.hasVowel(len(w.b) - len(s)) {
			return
		}
		w.cut(len(s), "")
		w.after1b()
		return
	}
}

func (w *stemmer) after1b() {
	n := len(w.b)
	switch {
	case w.has("at"), w.has("bl"), w.has("iz"):
		w.b = append(w.b, 'e')
	case n > 1 && w.b[n-1] == w.b[n-2] && strings.IndexByte("bdfgmnprt", w.b[n-1]) >= 0:
		w.cut(1, "")
	case w.r1 >= n && w.shortSyllable(n):
		w.b = append(w.b, 'e')
	}
}

func (w *stemmer) step1c() {
	n := len(w.b)
	if n > 2 && (w.b[n-1] == 'y' || w.b[n-1] == 'Y') && !vowel(w.b[n-2]) {
		w.b[n-1] = 'i'
	}
}

// replace puts to in the place of the first suffix that fits, if it stands in R1.
func (w *stemmer) replace(pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		if w.has(pairs[i]) {
			if w.inR1(len(pairs[i])) {
				w.cut(len(pairs[i]), pairs[i+1])
			}
			return
		}
	}
}

func (w *stemmer) step2() {
	switch {
	case w.has("ogi"):
		if n := len(w.b); w.inR1(3) && n > 3 && w.b[n-4] == 'l' {
			w.cut(1, "")
		}
		return
	case w.has("li") && !w.has("abli") && !w.has("entli") && !w.has("ousli") && !w.has("fulli") && !w.has("lessli") && !w.has("alli") && !w.has("bli"):
		if n := len(w.b); w.inR1(2) && n > 2 && strings.IndexByte("cdeghkmnrt", w.b[n-3]) >= 0 {
			w.cut(2, "")
		}
		return
	}
	w.replace([]string{
		"ization", "ize", "ational", "ate", "fulness", "ful", "ousness", "ous", "iveness", "ive", "tional", "tion", "biliti", "ble", "lessli", "less",
		"entli", "ent", "ation", "ate", "alism", "al", "aliti", "al", "ousli", "ous", "iviti", "ive", "fulli", "ful",
		"enci", "ence", "anci", "ance", "abli", "able", "izer", "ize", "ator", "ate", "alli", "al", "bli", "ble",
	})
}

func (w *stemmer) step3() {
	if w.has("ative") {
		if w.inR2(5) {
			w.cut(5, "")
		}
		return
	}
	w.replace([]string{"ational", "ate", "tional", "tion", "alize", "al", "icate", "ic", "iciti", "ic", "ical", "ic", "ful", "", "ness", ""})
}

func (w *stemmer) step4() {
	for _, s := range []string{"ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion", "al", "er", "ic"} {
		if !w.has(s) {
			continue
		}
		n := len(w.b) - len(s)
		if w.inR2(len(s)) && (s != "ion" || n > 0 && (w.b[n-1] == 's' || w.b[n-1] == 't')) {
			w.cut(len(s), "")
		}
		return
	}
}

func (w *stemmer) step5() {
	n := len(w.b)
	switch {
	case w.has("e"):
		if w.inR2(1) || w.inR1(1) && !w.shortSyllable(n-1) {
			w.cut(1, "")
		}
	case w.has("ll") && w.inR2(1):
		w.cut(1, "")
	}
}
