package expr

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// texts are the operators on strings.
func texts(name string) builder {
	switch name {
	case "$concat":
		return concat
	case "$toLower":
		return recase(lower)
	case "$toUpper":
		return recase(upper)
	case "$strcasecmp":
		return ofTwo(strcasecmp)
	case "$strLenBytes":
		return strLen(34473, func(s string) int { return len(s) })
	case "$strLenCP":
		return strLen(34471, utf8.RuneCountInString)
	case "$split":
		return ofTwo(split)
	case "$trim", "$ltrim", "$rtrim":
		return trim
	case "$replaceOne":
		return replace(1)
	case "$replaceAll":
		return replace(-1)
	case "$substr", "$substrBytes":
		return ofMany(3, 3, substrBytes)
	case "$substrCP":
		return ofMany(3, 3, substrCP)
	case "$indexOfBytes", "$indexOfCP":
		return indexOf
	}
	return nil
}

func concat(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		var b strings.Builder
		for _, e := range es {
			v, err := e.Eval(f)
			switch {
			case err != nil:
				return v, err
			case v.IsNullish():
				return null, nil
			case v.Type() != bsonval.String:
				return null, mongoerr.New(16702, "$concat only supports strings, not %s", v.Type())
			}
			if err := tooLarge(b.Len() + len(v.Str())); err != nil {
				return null, err
			}
			b.WriteString(v.Str())
		}
		return bsonval.StringValue(b.String()), nil
	}), nil
}

// asText is a value where a string is expected: numbers, dates and the like are
// written out, null is empty.
func asText(v bsonval.Value) (string, error) {
	switch v.Type() {
	case bsonval.String, bsonval.Symbol, bsonval.Code:
		return v.Str(), nil
	case bsonval.Missing, bsonval.Null, bsonval.Undefined:
		return "", nil
	case bsonval.Int32, bsonval.Int64, bsonval.Decimal128, bsonval.Timestamp:
		return v.String(), nil
	case bsonval.Double:
		return shortDouble(v.Double()), nil
	case bsonval.Date:
		return isoDate(v)
	}
	return "", mongoerr.New(16007, "can't convert from BSON type %s to String", v.Type())
}

// lower and upper know ASCII alone, as the server's do.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func mapBytes(s string, fn func(byte) byte) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = fn(c)
	}
	return string(b)
}

func recase(fn func(byte) byte) builder {
	return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
		s, err := asText(v)
		return bsonval.StringValue(mapBytes(s, fn)), err
	})
}

func strcasecmp(_ *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	x, err := asText(a)
	if err != nil {
		return null, err
	}
	y, err := asText(b)
	return bsonval.IntValue(int32(strings.Compare(mapBytes(x, upper), mapBytes(y, upper)))), err
}

func strLen(code mongoerr.Code, count func(string) int) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			if v.Type() != bsonval.String {
				return null, mongoerr.New(code, "%s requires a string argument, found: %s", name, v.Type())
			}
			return bsonval.IntValue(int32(count(v.Str()))), nil
		})(s, name, arg)
	}
}

func split(f *Frame, text, sep bsonval.Value) (bsonval.Value, error) {
	switch {
	case text.IsNullish() || sep.IsNullish():
		return null, nil
	case text.Type() != bsonval.String:
		return null, mongoerr.New(40085, "$split requires an expression that evaluates to a string as a first argument, found: %s", text.Type())
	case sep.Type() != bsonval.String:
		return null, mongoerr.New(40086, "$split requires an expression that evaluates to a string as a second argument, found: %s", sep.Type())
	case sep.Str() == "":
		return null, mongoerr.New(40087, "$split requires a non-empty separator")
	}
	b := bsonval.NewBuilder(text.Size())
	for part := range strings.SplitSeq(text.Str(), sep.Str()) {
		if err := cmp.Or(f.Op.Check(), tooLarge(b.Len())); err != nil {
			return null, err
		}
		b.ItemStr(part)
	}
	return b.Array(), nil
}

// trimSpace is what $trim removes when chars isn't given: the server's list.
const trimSpace = "\x00 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"

func trim(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(50696, "%s only supports an object as an argument, found %s", name, arg.Type())
	}
	args, err := namedArgs(s, name, arg, namedCodes{unknown: 50694, lacks: 50695}, []string{"input"}, []string{"chars"})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		input, err := args.eval(f, "input")
		if err != nil || input.IsNullish() {
			return null, err
		}
		if input.Type() != bsonval.String {
			return null, mongoerr.New(50699, "%s requires its input to be a string, got %s (of type %s) instead.", name, input, input.Type())
		}
		cut := trimSpace
		if args.has("chars") {
			chars, err := args.eval(f, "chars")
			if err != nil || chars.IsNullish() {
				return null, err
			}
			if chars.Type() != bsonval.String {
				return null, mongoerr.New(50700, "%s requires 'chars' to be a string, got %s (of type %s) instead.", name, chars, chars.Type())
			}
			cut = chars.Str()
		}
		text := input.Str()
		if name != "$rtrim" {
			text = strings.TrimLeft(text, cut)
		}
		if name != "$ltrim" {
			text = strings.TrimRight(text, cut)
		}
		return bsonval.StringValue(text), nil
	}), nil
}

func replace(times int) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		codes := namedCodes{notObject: 51751, unknown: 51750, lack: map[string]mongoerr.Code{"input": 51749, "find": 51748, "replacement": 51747}}
		args, err := namedArgs(s, name, arg, codes, []string{"input", "find", "replacement"}, nil)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			texts, isNull := [3]string{}, false
			for i, part := range [...]string{"input", "find", "replacement"} {
				v, err := args.eval(f, part)
				switch {
				case err != nil:
					return null, err
				case v.IsNullish():
					isNull = true
				case v.Type() != bsonval.String:
					return null, mongoerr.New(mongoerr.Code(51746-i), "%s requires that '%s' be a string, found: %s", name, part, v)
				default:
					texts[i] = v.Str()
				}
			}
			if isNull {
				return null, nil
			}
			if n := strings.Count(texts[0], texts[1]); n > 0 {
				if err := tooLarge(len(texts[0]) + n*len(texts[2])); err != nil {
					return null, err
				}
			}
			return bsonval.StringValue(strings.Replace(texts[0], texts[1], texts[2], times)), nil
		}), nil
	}
}

func continuation(s string, i int) bool { return i < len(s) && !utf8.RuneStart(s[i]) }

func substrBytes(_ *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	text, err := asText(vs[0])
	if err != nil {
		return null, err
	}
	switch {
	case !vs[1].IsNumber():
		return null, mongoerr.New(16034, "$substrBytes:  starting index must be a numeric type (is BSON type %s)", vs[1].Type())
	case !vs[2].IsNumber():
		return null, mongoerr.New(16035, "$substrBytes:  length must be a numeric type (is BSON type %s)", vs[2].Type())
	}
	from, n := vs[1].Long(), vs[2].Long()
	if from < 0 {
		return null, mongoerr.New(50752, "$substrBytes:  starting index must be non-negative (got: %d)", from)
	}
	if from >= int64(len(text)) {
		return bsonval.StringValue(""), nil
	}
	if continuation(text, int(from)) {
		return null, mongoerr.New(28656, "$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.")
	}
	if n < 0 || n > int64(len(text))-from {
		n = int64(len(text)) - from
	}
	if continuation(text, int(from+n)) {
		return null, mongoerr.New(28657, "$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.")
	}
	return bsonval.StringValue(text[from : from+n]), nil
}

func substrCP(_ *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	text, err := asText(vs[0])
	if err != nil {
		return null, err
	}
	from, ok := int32Of(vs[1])
	n, ok2 := int32Of(vs[2])
	switch {
	case !vs[1].IsNumber():
		return null, mongoerr.New(34450, "$substrCP: starting index must be a numeric type (is BSON type %s)", vs[1].Type())
	case !ok:
		return null, mongoerr.New(34451, "$substrCP: starting index cannot be represented as a 32-bit integral value: %s", vs[1])
	case !vs[2].IsNumber():
		return null, mongoerr.New(34452, "$substrCP: length must be a numeric type (is BSON type %s)", vs[2].Type())
	case !ok2:
		return null, mongoerr.New(34453, "$substrCP: length cannot be represented as a 32-bit integral value: %s", vs[2])
	case n < 0:
		return null, mongoerr.New(34454, "$substrCP: length must be a nonnegative integer.")
	case from < 0:
		return null, mongoerr.New(34455, "$substrCP: the starting index must be nonnegative integer.")
	}
	start := byteOffset(text, from)
	return bsonval.StringValue(text[start : start+byteOffset(text[start:], n)]), nil
}

// byteOffset is where the n-th code point begins, or the end.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

func indexOf(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	points := name == "$indexOfCP"
	first := mongoerr.Code(40091)
	if points {
		first = 40093
	}
	return ofMany(2, 4, func(_ *Frame, vs []bsonval.Value) (bsonval.Value, error) {
		switch {
		case vs[0].IsNullish():
			return null, nil
		case vs[0].Type() != bsonval.String:
			return null, mongoerr.New(first, "%s requires a string as the first argument, found: %s", name, vs[0].Type())
		case vs[1].Type() != bsonval.String:
			return null, mongoerr.New(first+1, "%s requires a string as the second argument, found: %s", name, vs[1].Type())
		}
		text, part := vs[0].Str(), vs[1].Str()
		n := len(text)
		if points {
			n = utf8.RuneCountInString(text)
		}
		from, to, ok, err := searchRange(name, vs[2:], n)
		if err != nil || !ok {
			return bsonval.IntValue(-1), err
		}
		low, high := from, to
		if points {
			low, high = byteOffset(text, from), byteOffset(text, to)
		}
		at := strings.Index(text[low:high], part)
		if at < 0 {
			return bsonval.IntValue(-1), nil
		}
		if points {
			return bsonval.IntValue(int32(from + utf8.RuneCountInString(text[low:low+at]))), nil
		}
		return bsonval.IntValue(int32(low + at)), nil
	})(s, name, arg)
}

// searchRange reads where an $indexOf… begins and ends in n things; ok is false when
// that range is empty.
func searchRange(name string, vs []bsonval.Value, n int) (from, to int, ok bool, err error) {
	to = n
	for i, v := range vs {
		which := "starting"
		if i == 1 {
			which = "ending"
		}
		at, whole := int32Of(v)
		switch {
		case !whole:
			return 0, 0, false, mongoerr.New(40096, "%s requires an integral %s index, found a value of type: %s, with value: \"%s\"", name, which, v.Type(), v)
		case at < 0:
			return 0, 0, false, mongoerr.New(40097, "%s requires a nonnegative %s index, found: %d", name, which, at)
		case i == 0:
			from = at
		default:
			to = min(at, n)
		}
	}
	return from, to, from <= n && from <= to, nil
}
