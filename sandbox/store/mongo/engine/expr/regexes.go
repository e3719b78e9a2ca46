package expr

import (
	"strings"
	"unicode/utf8"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/regex"
)

// regexes are $regexFind, $regexFindAll and $regexMatch.
func regexes(name string) builder {
	switch name {
	case "$regexMatch":
		return regexOp(func(_ *Frame, p *regex.Pattern, s string) (bsonval.Value, error) {
			ok, err := p.Match(s)
			return bsonval.BoolValue(ok), err
		}, bsonval.BoolValue(false))
	case "$regexFind":
		return regexOp(regexFind, null)
	case "$regexFindAll":
		return regexOp(regexFindAll, bsonval.ArrayOf())
	}
	return nil
}

type regexFunc func(f *Frame, p *regex.Pattern, s string) (bsonval.Value, error)

// regexOp builds one; nothing is the answer for a null input or pattern.
func regexOp(fn regexFunc, nothing bsonval.Value) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		args, err := regexArgs(s, name, arg)
		if err != nil {
			return nil, err
		}
		fixed, err := fixedPattern(name, args)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			input, err := args.eval(f, "input")
			if err != nil {
				return null, err
			}
			p := fixed
			if p == nil {
				if p, err = evalPattern(f, name, args); err != nil {
					return null, err
				}
			}
			switch {
			case input.IsNullish() || p == nil:
				return nothing, nil
			case input.Type() != bsonval.String:
				return null, mongoerr.New(51104, "%s needs 'input' to be of type string", name)
			}
			return fn(f, p, input.Str())
		}), nil
	}
}

func regexArgs(s *Scope, name string, arg bsonval.Value) (named, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(51103, "%s expects an object of named arguments but found: %s", name, arg.Type())
	}
	out := named{}
	for field, v := range arg.Doc().All() {
		if field != "input" && field != "regex" && field != "options" {
			return nil, mongoerr.New(31024, "%s found an unknown option: %s", name, field)
		}
		e, err := Compile(v, s)
		if err != nil {
			return nil, err
		}
		out[field] = e
	}
	switch {
	case !out.has("input"):
		return nil, mongoerr.New(31022, "%s requires 'input' parameter", name)
	case !out.has("regex"):
		return nil, mongoerr.New(31023, "%s requires 'regex' parameter", name)
	}
	return out, nil
}

// fixedPattern compiles the pattern once when it doesn't depend on the document.
func fixedPattern(name string, args named) (*regex.Pattern, error) {
	re, ok := IsConst(args["regex"])
	if !ok {
		return nil, nil
	}
	var options bsonval.Value
	if args.has("options") {
		if options, ok = IsConst(args["options"]); !ok {
			return nil, nil
		}
	}
	return patternOf(name, re, options)
}

func evalPattern(f *Frame, name string, args named) (*regex.Pattern, error) {
	re, err := args.eval(f, "regex")
	if err != nil {
		return nil, err
	}
	options, err := args.eval(f, "options")
	if err != nil {
		return nil, err
	}
	return patternOf(name, re, options)
}

func patternOf(name string, re, options bsonval.Value) (*regex.Pattern, error) {
	text, flags := "", ""
	switch {
	case re.IsNullish():
		return nil, nil
	case re.Type() == bsonval.Regex:
		text, flags = re.Regex()
	case re.Type() == bsonval.String:
		text = re.Str()
	default:
		return nil, mongoerr.New(51105, "%s needs 'regex' to be of type string or regex", name)
	}
	switch {
	case options.IsNullish():
	case options.Type() != bsonval.String:
		return nil, mongoerr.New(51106, "%s needs 'options' to be of type string", name)
	case flags != "":
		return nil, mongoerr.New(51107, "%s: found regex option(s) specified in both 'regex' and 'option' fields", name)
	default:
		flags = options.Str()
	}
	p, err := regex.Compile(text, flags)
	if err != nil {
		e := mongoerr.From(err)
		if e.Code == 51091 { // find's code for it
			return nil, mongoerr.New(51111, "Invalid Regex in %s: %s", name, strings.TrimPrefix(e.Message, "Regular expression is invalid: "))
		}
		return nil, mongoerr.New(e.Code, "%s: %s", name, e.Message)
	}
	return p, nil
}

func regexFind(_ *Frame, p *regex.Pattern, s string) (bsonval.Value, error) {
	at, err := p.Find(s, 0)
	if err != nil || at == nil {
		return null, err
	}
	return found(s, at, utf8.RuneCountInString(s[:at[0]])), nil
}

func regexFindAll(f *Frame, p *regex.Pattern, s string) (bsonval.Value, error) {
	b := bsonval.NewBuilder(64)
	points, counted := 0, 0
	for from := 0; from == 0 || from < len(s); { // the end is no place to begin at
		if err := f.Op.Check(); err != nil {
			return null, err
		}
		at, err := p.Find(s, from)
		if err != nil {
			return null, err
		}
		if at == nil {
			break
		}
		points += utf8.RuneCountInString(s[counted:at[0]])
		counted = at[0]
		b.Item(found(s, at, points))
		if err := tooLarge(b.Len()); err != nil {
			return null, err
		}
		if from = at[1]; at[0] == at[1] {
			_, n := utf8.DecodeRuneInString(s[from:])
			from += max(n, 1)
		}
	}
	return b.Array(), nil
}

// found is what the server says of a match: its text, its place in code points, groups.
func found(s string, at []int, points int) bsonval.Value {
	b := bsonval.NewBuilder(64 + at[1] - at[0])
	b.Str("match", s[at[0]:at[1]]).Int32("idx", int32(points)).OpenArray("captures")
	for i := 2; i+1 < len(at); i += 2 {
		if at[i] < 0 {
			b.Item(null)
			continue
		}
		b.ItemStr(s[at[i]:at[i+1]])
	}
	return b.Value()
}
