// Package regex matches strings against the patterns that clients send, which are
// written for PCRE: by Go's regexp, which can't be made slow, where it understands the
// pattern, else by regexp2 under a time limit.
package regex

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

const (
	maxPattern = 32764                  // bytes, the server's bound
	timeout    = 300 * time.Millisecond // of one match
)

// Pattern is a compiled pattern. Goroutines may share it.
type Pattern struct {
	Source, Options string
	fast            *regexp.Regexp  // nil where Go's can't
	later           *regexp.Regexp  // fast behind some text, where what stands before counts
	full            *regexp2.Regexp // nil until or unless needed
	dollar          bool            // $ may also match before a last newline, which fast's doesn't
}

// Compile compiles a pattern with the options i, m, s, x and u.
func Compile(pattern, options string) (*Pattern, error) {
	switch {
	case len(pattern) > maxPattern:
		return nil, mongoerr.New(51091, "Regular expression is invalid: pattern string is longer than the limit set by the application")
	case strings.IndexByte(pattern, 0) >= 0:
		return nil, mongoerr.New(mongoerr.BadValue, "Regular expression cannot contain an embedded null byte")
	}
	for _, o := range options {
		if !strings.ContainsRune("imsxu", o) {
			return nil, mongoerr.New(51108, "invalid flag in regex options: %c", o)
		}
	}
	p := &Pattern{Source: pattern, Options: options}
	pattern, unicode := withoutVerbs(pattern)
	if !strings.Contains(options, "x") && !unicode {
		p.fast, p.later = compileFast(pattern, options)
		p.dollar = strings.Contains(pattern, "$") && !strings.Contains(options, "m")
	}
	if p.fast != nil && !p.dollar {
		return p, nil
	}
	full, err := compileFull(pattern, options)
	if err != nil {
		if p.fast != nil {
			p.dollar = false
			return p, nil
		}
		return nil, mongoerr.New(51091, "Regular expression is invalid: %s", err)
	}
	p.full = full
	return p, nil
}

// withoutVerbs takes PCRE's verbs off a pattern's start that say what holds here anyway,
// or that bound its work, for which there is the time limit. unicode tells that \w and
// \d mean all scripts. Other verbs stay, and are refused as no valid pattern.
func withoutVerbs(pattern string) (rest string, unicode bool) {
	for strings.HasPrefix(pattern, "(*") {
		verb, after, _ := strings.Cut(pattern[2:], ")")
		name, _, _ := strings.Cut(verb, "=")
		switch name {
		case "UCP":
			unicode = true
		case "UTF", "UTF8", "LF", "NO_START_OPT", "NO_AUTO_POSSESS", "LIMIT_MATCH", "LIMIT_RECURSION", "LIMIT_DEPTH", "LIMIT_HEAP":
		default:
			return pattern, unicode
		}
		pattern = after
	}
	return pattern, unicode
}

// compileFast answers the pattern for Go's regexp, and one that finds it as its first
// group behind at least one character, if the pattern asks what stands before.
func compileFast(pattern, options string) (fast, later *regexp.Regexp) {
	flags := ""
	for _, o := range "ims" {
		if strings.ContainsRune(options, o) {
			flags += string(o)
		}
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	t, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || t == nil {
		return nil, nil
	}
	if fast, err = regexp.Compile(pattern); err != nil {
		return nil, nil
	}
	if !looksBack(t) {
		return fast, nil
	}
	if later, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + pattern + `)`); err != nil {
		return nil, nil
	}
	return fast, later
}

func looksBack(t *syntax.Regexp) bool {
	switch t.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(t.Sub, looksBack)
}

func compileFull(pattern, options string) (*regexp2.Regexp, error) {
	flags := regexp2.None
	for o, f := range map[string]regexp2.RegexOptions{
		"i": regexp2.IgnoreCase, "m": regexp2.Multiline, "s": regexp2.Singleline, "x": regexp2.IgnorePatternWhitespace,
	} {
		if strings.Contains(options, o) {
			flags |= f
		}
	}
	// PCRE's possessive quantifiers and \Q…\E are not known to it: refused, not guessed.
	re, err := regexp2.Compile(pattern, flags)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = timeout
	return re, nil
}

// Match tells whether s contains the pattern. An error says that it took too long.
func (p *Pattern) Match(s string) (bool, error) {
	if p.useFast(s) {
		return p.fast.MatchString(s), nil
	}
	ok, err := p.full.MatchString(s)
	if err != nil {
		return false, mongoerr.New(51156, "Error occurred while executing regular expression: match limit exceeded")
	}
	return ok, nil
}

func (p *Pattern) useFast(s string) bool {
	return p.fast != nil && !(p.dollar && strings.HasSuffix(s, "\n"))
}

// Find answers the byte offsets of the first match at or after from and of its
// groups, as regexp.FindStringSubmatchIndex does; nil where there is none.
func (p *Pattern) Find(s string, from int) ([]int, error) {
	if p.useFast(s) {
		return p.findFast(s, from), nil
	}
	runes := []rune(s)
	at := len([]rune(s[:from]))
	m, err := p.full.FindRunesMatchStartingAt(runes, at)
	if err != nil {
		return nil, mongoerr.New(51156, "Error occurred while executing regular expression: match limit exceeded")
	}
	if m == nil {
		return nil, nil
	}
	var out []int
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			out = append(out, -1, -1)
			continue
		}
		start := len(string(runes[:g.Index]))
		out = append(out, start, start+len(string(runes[g.Index:g.Index+g.Length])))
	}
	return out, nil
}

// findFast is Find with Go's regexp.
func (p *Pattern) findFast(s string, from int) []int {
	var at []int
	if p.later == nil || from == 0 {
		at = p.fast.FindStringSubmatchIndex(s[from:])
	} else {
		_, n := utf8.DecodeLastRuneInString(s[:from])
		from -= n
		if at = p.later.FindStringSubmatchIndex(s[from:]); at != nil {
			at = at[2:]
		}
	}
	for i := range at {
		if at[i] >= 0 {
			at[i] += from
		}
	}
	return at
}

// Groups is the number of capture groups.
func (p *Pattern) Groups() int {
	if p.fast != nil {
		return p.fast.NumSubexp()
	}
	return len(p.full.GetGroupNumbers()) - 1
}

// Prefix is the text that every match must begin the string with, for bounds on an
// index; whole tells that the pattern asks nothing more. It reads patterns as the server
// does, so that explain shows the same bounds.
func (p *Pattern) Prefix() (prefix string, whole bool) {
	s, lines := p.Source, true
	switch {
	case strings.HasPrefix(s, "^"):
		s, lines = s[1:], false
	case strings.HasPrefix(s, `\A`):
		s = s[2:]
	default:
		return "", false
	}
	if strings.ContainsAny(p.Options, "iu") || strings.Contains(p.Options, "m") && !lines || unescapedPipe(s) {
		return "", false
	}
	return readPrefix(s, strings.Contains(p.Options, "x"), lines)
}

// unescapedPipe tells whether the pattern may have alternatives.
func unescapedPipe(s string) bool {
	for i := range len(s) {
		if s[i] == '|' && (i == 0 || s[i-1] != '\\' || i > 1 && s[i-2] == '\\') {
			return true
		}
	}
	return false
}

// readPrefix reads a pattern's characters until one that stands for something else.
func readPrefix(s string, extended, lines bool) (prefix string, whole bool) {
	var out []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '*' || c == '?' || c == '{': // what comes before it may be missing
			return string(withoutLast(out)), false
		case c == '\\' && strings.HasPrefix(s[i:], `\Q`):
			text, _, ended := strings.Cut(s[i+2:], `\E`)
			out = append(out, text...)
			if i += 1 + len(text); ended {
				i += 2
			}
		case c == '\\':
			if i++; i == len(s) || alphanumeric(s[i]) {
				return string(out), false
			}
			out = append(out, s[i])
		case c == '.' && s[i:] == ".*" && !lines:
			return string(out), len(out) > 0
		case strings.IndexByte("^$.[()+|", c) >= 0, extended && c == '#':
			return string(out), false
		case extended && strings.IndexByte(" \t\n\v\f\r", c) >= 0:
		default:
			out = append(out, c)
		}
	}
	return string(out), len(out) > 0
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// withoutLast cuts the last character, of which a prefix may end in the middle.
func withoutLast(b []byte) []byte {
	n := len(b) - 1
	for n > 0 && b[n]&0xc0 == 0x80 {
		n--
	}
	return b[:max(n, 0)]
}
