package match

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// reasons are the server's words for a condition that failed, and for one under a
// negation that did not.
func reasons(op string) (failed, succeeded string) {
	switch op {
	case "$eq", "$ne", "$gt", "$gte", "$lt", "$lte":
		return "comparison failed", "comparison succeeded"
	case "$in", "$nin":
		return "no matching value found in array", "matching value found in array"
	case "$all":
		return "array did not contain all specified values", "array did contain all specified values"
	case "$type":
		return "type did not match", "type did match"
	case "$regex":
		return "regular expression did not match", "regular expression did match"
	case "$size":
		return "array length was not equal to given size", "array length was equal to given size"
	case "$mod":
		return "$mod did not evaluate to expected remainder", "$mod did evaluate to expected remainder"
	case "$elemMatch":
		return "array did not satisfy the child predicate", "array did satisfy the child predicate"
	case "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear":
		return "bitwise operator failed to match", "bitwise operator matched successfully"
	case "$geoIntersects":
		return "none of considered geometries intersected the expression’s geometry", "at least one of considered geometries intersected the expression’s geometry"
	case "$geoWithin", "$within":
		return "none of considered geometries was contained within the expression’s geometry", "at least one of considered geometries was contained within the expression’s geometry"
	}
	return "condition failed", "condition succeeded"
}

// expectedTypes are those that an operator asks, with their names in order; nil: any.
func expectedTypes(op string) (types []bsonval.Type, names []string) {
	numbers := []bsonval.Type{bsonval.Decimal128, bsonval.Double, bsonval.Int32, bsonval.Int64}
	switch {
	case op == "$mod":
		types = numbers
	case strings.HasPrefix(op, "$bits"):
		types = append([]bsonval.Type{bsonval.Binary}, numbers...)
	case op == "$regex":
		types = []bsonval.Type{bsonval.Regex, bsonval.String, bsonval.Symbol}
	case op == "$size" || op == "$elemMatch":
		types = []bsonval.Type{bsonval.Array}
	case strings.HasPrefix(op, "$geo") || op == "$within":
		types = []bsonval.Type{bsonval.Array, bsonval.Object}
	}
	for _, t := range types {
		names = append(names, t.String())
	}
	return types, names
}
