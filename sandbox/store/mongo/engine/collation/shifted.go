package collation

import (
	"strings"
	"unicode"
)

// variable tells the characters that alternate "shifted" leaves out of account: spaces,
// and with maxVariable "punct" also punctuation. x/text's own way to shift takes every
// character for one of them, so that all strings would be equal.
func variable(maxVariable string) func(rune) bool {
	if maxVariable == "space" {
		return unicode.IsSpace
	}
	return func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }
}

// counted is s without what doesn't count: characters to ignore, with the marks on them.
func (c *Collator) counted(s string) string {
	if c.ignore == nil || strings.IndexFunc(s, c.ignore) < 0 {
		return s
	}
	var b strings.Builder
	dropped := false
	for _, r := range s {
		if dropped = c.ignore(r) || dropped && unicode.Is(unicode.Mn, r); !dropped {
			b.WriteRune(r)
		}
	}
	return b.String()
}
