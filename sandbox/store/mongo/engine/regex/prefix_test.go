package regex

import "testing"

// The cases are those of the server's own tests of what an index can tell of a pattern.
func TestThePrefixOfAPatternIsTheServers(t *testing.T) {
	for _, c := range []struct {
		pattern, options, prefix string
		whole                    bool
	}{
		{"^foo", "", "foo", true},
		{`\Afoo`, "", "foo", true},
		{"^f?oo", "", "", false},
		{"^fz?oo", "", "f", false},
		{"^foo", "m", "", false},
		{`\Afoo`, "m", "foo", true},
		{`\Afoo`, "im", "", false},
		{"\\Af \t\vo\n\ro  \\ \\# #comment", "mx", "foo #", false},
		{`^\Qasdf\E`, "", "asdf", true},
		{`^\Qasdf`, "", "asdf", true},
		{`^\Qasdf\\E`, "", `asdf\`, true},
		{`^\Qas.*df\E`, "", "as.*df", true},
		{`^\Qas\Q[df\E`, "", `as\Q[df`, true},
		{`^\Qas\E\\E\Q$df\E`, "", `as\E$df`, true},
		{"^a(a|$)", "", "", false},
		{`^a\\|b`, "", "", false},
		{`^a\|b`, "", "a|b", true},
		{`^\|1\|2\|\|`, "", "|1|2||", true},
		{`^\Q|\E`, "", "", false},
		{"^[|]", "", "", false},
		{"^foo", "s", "foo", true},
		{"foo", "s", "", false},
		{`^\Qasdf\E.*`, "", "asdf", true},
		{"^abc.*", "", "abc", true},
		{"^abc.*f", "", "abc", false},
		{"^", "", "", false},
		{"^ab{0}c", "", "a", false},
		{"^é?", "", "", false},
		{`^a\d`, "", "a", false},
	} {
		p, err := Compile(c.pattern, c.options)
		if err != nil {
			p = &Pattern{Source: c.pattern, Options: c.options}
		}
		if got, whole := p.Prefix(); got != c.prefix || whole != c.whole {
			t.Errorf("%q %s: %q, %v", c.pattern, c.options, got, whole)
		}
	}
}
