package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// conversions are $convert, its shorthands, and the questions about types.
func conversions(name string) builder {
	switch name {
	case "$convert":
		return convert
	case "$toBool":
		return convertTo(target{t: bsonval.Bool})
	case "$toDate":
		return convertTo(target{t: bsonval.Date})
	case "$toDecimal":
		return convertTo(target{t: bsonval.Decimal128})
	case "$toDouble":
		return convertTo(target{t: bsonval.Double})
	case "$toInt":
		return convertTo(target{t: bsonval.Int32})
	case "$toLong":
		return convertTo(target{t: bsonval.Int64})
	case "$toObjectId":
		return convertTo(target{t: bsonval.ObjectID})
	case "$toString":
		return convertTo(target{t: bsonval.String, format: "auto"})
	case "$toUUID":
		return convertTo(target{t: bsonval.Binary, subtype: 4, format: "uuid"})
	case "$type":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			return bsonval.StringValue(v.Type().String()), nil
		})
	case "$isNumber":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) { return bsonval.BoolValue(v.IsNumber()), nil })
	}
	return nil
}

// target is what a value is converted to.
type target struct {
	t       bsonval.Type
	subtype byte   // of binary data
	format  string // how binary data stands in strings
	big     bool   // byteOrder
}

func convertTo(to target) builder {
	return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
		if v.IsNullish() {
			return null, nil
		}
		return to.convert(v)
	})
}

func convert(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.FailedToParse, "$convert expects an object of named arguments but found: %s", arg.Type())
	}
	args := named{}
	for field, v := range arg.Doc().All() {
		if !contains([]string{"input", "to", "onError", "onNull", "format", "byteOrder"}, field) {
			return nil, mongoerr.New(mongoerr.FailedToParse, "$convert found an unknown argument: %s", field)
		}
		if field == "to" && v.Type() == bsonval.Object && !isOperator(v.Doc()) {
			v = bsonval.DocValue(bsonval.D(bsonval.E("$literal", v)))
		}
		e, err := Compile(v, s)
		if err != nil {
			return nil, err
		}
		args[field] = e
	}
	for _, field := range []string{"input", "to"} {
		if !args.has(field) {
			return nil, mongoerr.New(mongoerr.FailedToParse, "Missing '%s' parameter to $convert", field)
		}
	}
	return Func(func(f *Frame) (bsonval.Value, error) { return convertEval(f, args) }), nil
}

func convertEval(f *Frame, args named) (bsonval.Value, error) {
	v, err := args.eval(f, "input")
	if err != nil {
		return null, err
	}
	to, ok, err := targetOf(f, args)
	if err != nil {
		return null, err
	}
	if v.IsNullish() {
		return onNull(f, args)
	}
	if !ok {
		return null, nil
	}
	if err := to.formatGiven(v); err != nil {
		return null, err
	}
	out, err := to.convert(v)
	if err != nil && args.has("onError") {
		return args.eval(f, "onError")
	}
	return out, err
}

// targetOf evaluates to, format and byteOrder; ok is false when to is null.
func targetOf(f *Frame, args named) (to target, ok bool, err error) {
	var subtype bsonval.Value
	v, err := args.eval(f, "to")
	if err != nil || v.IsNullish() {
		return to, false, err
	}
	if v.Type() == bsonval.Object {
		subtype = v.Doc().Get("subtype")
		v = v.Doc().Get("type")
	}
	switch {
	case v.Type() == bsonval.String:
		if to.t, ok = bsonval.TypeOfName(v.Str()); !ok && v.Str() != "missing" {
			return to, false, mongoerr.New(mongoerr.BadValue, "Unknown type name: %s", v.Str())
		}
	case v.IsNumber():
		code, whole := v.ExactLong()
		if !whole {
			return to, false, mongoerr.New(mongoerr.FailedToParse, "In $convert, numeric 'to' argument is not an integer")
		}
		if to.t, ok = bsonval.TypeOfCode(code); !ok {
			return to, false, mongoerr.New(mongoerr.FailedToParse, "In $convert, numeric value for 'to' does not correspond to a BSON type: %d", code)
		}
	default:
		return to, false, mongoerr.New(mongoerr.FailedToParse, "$convert's 'to' argument must be a string or number, but is %s", v.Type())
	}
	if to.t == bsonval.Binary {
		if to.subtype, err = subtypeOf(subtype); err != nil {
			return to, false, err
		}
	}
	if to.format, err = formatOf(f, args); err != nil {
		return to, false, err
	}
	order, err := args.eval(f, "byteOrder")
	to.big = order.Type() == bsonval.String && order.Str() == "big"
	return to, err == nil, err
}

// subtypeOf reads the subtype of binary data, 0 where none is given.
func subtypeOf(v bsonval.Value) (byte, error) {
	if v.IsMissing() {
		return 0, nil
	}
	n, whole := v.ExactLong()
	switch {
	case !v.IsNumber():
		return 0, mongoerr.New(4341108, "For BinData, $convert's 'subtype' argument must be a number, but is %s", v.Type())
	case !whole:
		return 0, mongoerr.New(4341106, "In $convert, numeric 'subtype' argument is not an integer")
	case n < 0 || n > 8 && n < 128 || n > 255:
		return 0, mongoerr.New(4341107, "In $convert, numeric value for 'subtype' does not correspond to a BinData type: %d", n)
	}
	return byte(n), nil
}

// formatOf evaluates how binary data stands in strings; "" where nothing is said.
func formatOf(f *Frame, args named) (string, error) {
	v, err := args.eval(f, "format")
	switch {
	case err != nil || v.IsNullish():
		return "", err
	case v.Type() != bsonval.String:
		return "", mongoerr.New(4341114, "$convert requires that 'format' be a string, found: %s with value %s", v.Type(), v)
	case !contains([]string{"base64", "base64url", "hex", "utf8", "uuid", "auto"}, v.Str()):
		return "", mongoerr.New(4341125, "Invalid 'format' argument for $convert: %s", v.Str())
	}
	return v.Str(), nil
}

// formatGiven refuses to turn strings into binary data, or it into them, by guess.
func (to target) formatGiven(v bsonval.Value) error {
	if to.format == "" && (v.Type() == bsonval.String && to.t == bsonval.Binary || v.Type() == bsonval.Binary && to.t == bsonval.String) {
		return mongoerr.New(4341115, "Format must be speficied when converting from '%s' to '%s'", v.Type(), to.t)
	}
	return nil
}

func failed(format string, args ...any) error {
	return mongoerr.New(mongoerr.ConversionFailure, format, args...)
}

func (to target) unsupported(v bsonval.Value) error {
	return failed("Unsupported conversion from %s to %s in $convert with no onError value", v.Type(), to.t)
}

// convert converts a value that isn't null.
func (to target) convert(v bsonval.Value) (bsonval.Value, error) {
	switch to.t {
	case bsonval.Bool:
		return bsonval.BoolValue(v.Truth()), nil
	case bsonval.Double:
		return to.toDouble(v)
	case bsonval.Int32, bsonval.Int64:
		return to.toInteger(v)
	case bsonval.Decimal128:
		return to.toDecimal(v)
	case bsonval.String:
		return to.toString(v)
	case bsonval.Date:
		return to.toDate(v)
	case bsonval.ObjectID:
		return to.toObjectID(v)
	case bsonval.Binary:
		return to.toBinary(v)
	}
	if v.Type() == to.t {
		return v, nil
	}
	return null, to.unsupported(v)
}
