package expr

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// compilePath compiles "$a.b", "$$name.a" and the system variables.
func compilePath(text string, s *Scope) (Expr, error) {
	if !strings.HasPrefix(text, "$$") {
		if text == "$" {
			return nil, mongoerr.New(16872, "'$' by itself is not a valid FieldPath")
		}
		parts, err := SplitPath(text[1:])
		if err != nil {
			return nil, err
		}
		if slot, ok := s.Lookup("CURRENT"); ok {
			return follow(variable(slot), parts), nil
		}
		return rootPath{parts}, nil
	}
	name, rest, dotted := strings.Cut(text[2:], ".")
	var parts []string
	if dotted {
		var err error
		if parts, err = SplitPath(rest); err != nil {
			return nil, err
		}
	}
	if slot, ok := s.Lookup(name); ok {
		return follow(variable(slot), parts), nil
	}
	e, err := systemVariable(name)
	if err != nil {
		return nil, err
	}
	return follow(e, parts), nil
}

// SplitPath cuts a field path at its dots and refuses what is none.
func SplitPath(path string) ([]string, error) {
	if path == "" {
		return nil, mongoerr.New(40352, "FieldPath cannot be constructed with empty string")
	}
	parts := strings.Split(path, ".")
	for i, p := range parts {
		switch {
		case p == "" && i == len(parts)-1:
			return nil, mongoerr.New(40353, "FieldPath must not end with a '.'.")
		case p == "":
			return nil, mongoerr.New(15998, "FieldPath field names may not be empty strings.")
		case strings.IndexByte(p, 0) >= 0:
			return nil, mongoerr.New(16411, "FieldPath field names may not contain '\\0'. Consider using $getField or $setField.")
		case strings.HasPrefix(p, "$") && !IsRefField(p):
			return nil, mongoerr.New(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
		}
	}
	return parts, nil
}

// IsRefField tells one of a DBRef's fields, the only names with a $ that paths may hold.
func IsRefField(name string) bool { return name == "$ref" || name == "$id" || name == "$db" }

func systemVariable(name string) (Expr, error) {
	switch name {
	case "ROOT", "CURRENT":
		return Func(func(f *Frame) (bsonval.Value, error) { return f.root, nil }), nil
	case "REMOVE":
		return constant{bsonval.Value{}}, nil
	case "NOW":
		return Func(func(f *Frame) (bsonval.Value, error) { return bsonval.TimeValue(f.Op.Now), nil }), nil
	case "CLUSTER_TIME":
		return Func(func(f *Frame) (bsonval.Value, error) {
			return bsonval.TimestampOf(f.Op.ClusterTime), nil
		}), nil
	case "USER_ROLES":
		return Func(func(f *Frame) (bsonval.Value, error) { return f.Op.Roles, nil }), nil
	}
	if err := checkRead(name); err != nil {
		return nil, err
	}
	return nil, mongoerr.New(17276, "Use of undefined variable: %s", name)
}

// checkRead tells whether a variable of that name could be read: those of the server
// begin with a capital.
func checkRead(name string) error {
	switch {
	case name == "":
		return mongoerr.New(mongoerr.FailedToParse, "empty variable names are not allowed")
	case !(name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z' || name[0] >= 0x80):
		return mongoerr.New(mongoerr.FailedToParse, "'%s' starts with an invalid character for a variable name", name)
	}
	return checkLetters(name)
}

type variable int

func (v variable) Eval(f *Frame) (bsonval.Value, error) { return f.Var(int(v)), nil }

// rootPath is the commonest of all: a field of the document.
type rootPath struct{ parts []string }

func (p rootPath) Eval(f *Frame) (bsonval.Value, error) {
	if len(p.parts) == 1 && f.root.Type() == bsonval.Object {
		return f.root.Doc().Get(p.parts[0]), nil
	}
	return Descend(f.root, p.parts), nil
}

func follow(e Expr, parts []string) Expr {
	if len(parts) == 0 {
		return e
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, err := e.Eval(f)
		if err != nil {
			return v, err
		}
		return Descend(v, parts), nil
	})
}

// Descend follows a path as expressions do: into an object by name, over an array by
// gathering what each of its elements has there. Numbers are no places in arrays.
func Descend(v bsonval.Value, parts []string) bsonval.Value {
	for i, p := range parts {
		switch v.Type() {
		case bsonval.Object:
			v = v.Doc().Get(p)
		case bsonval.Array:
			return gather(v.Doc(), parts[i:])
		default:
			return bsonval.Value{}
		}
	}
	return v
}

func gather(a bsonval.Doc, parts []string) bsonval.Value {
	var b bsonval.Builder
	for v := range a.Values() {
		if v.Type() != bsonval.Object {
			continue // also an array within the array
		}
		if got := Descend(v, parts); !got.IsMissing() {
			b.Item(got)
		}
	}
	return b.Array()
}
