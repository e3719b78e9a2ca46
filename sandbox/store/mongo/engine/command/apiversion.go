package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// apiVersion checks what a client that declares the Stable API may use. There is one
// version of it.
func (r *Request) apiVersion() error {
	version, strict := r.Body.Get("apiVersion"), r.Body.Get("apiStrict").Truth()
	if version.IsMissing() {
		if !r.Body.Get("apiStrict").IsMissing() || !r.Body.Get("apiDeprecationErrors").IsMissing() {
			return mongoerr.New(4886600, "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion")
		}
		return nil
	}
	if version.Type() != bsonval.String {
		return wrongType(r.field("apiVersion"), version, "string")
	}
	for _, name := range [...]string{"apiStrict", "apiDeprecationErrors"} {
		if v := r.Body.Get(name); !v.IsMissing() && v.Type() != bsonval.Bool {
			return wrongType(r.field(name), v, "bool")
		}
	}
	if version.Str() != "1" {
		return mongoerr.New(mongoerr.APIVersionError, "API version must be \"1\"")
	}
	if r.Spec.Name == "testDeprecation" && r.Body.Get("apiDeprecationErrors").Truth() {
		return mongoerr.New(mongoerr.APIDeprecationError, "Provided apiDeprecationErrors:true, but the command testDeprecation is deprecated in API Version 1.")
	}
	if !strict {
		return nil
	}
	if !stable(r.Spec.Name) {
		return mongoerr.New(mongoerr.APIStrictError, "Provided apiStrict:true, but the command %s is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api", r.Spec.Name)
	}
	if stages := r.Body.Get("pipeline"); stages.Type() == bsonval.Array {
		for v := range stages.Doc().Values() {
			if v.Type() == bsonval.Object && !stableStage(v.Doc().First().Name) {
				return mongoerr.New(mongoerr.APIStrictError, "stage %s is not allowed with 'apiStrict: true' in API Version 1", v.Doc().First().Name)
			}
		}
	}
	return nil
}

// sameAPI refuses a getMore that declares another version than the command that opened
// the cursor.
func (r *Request) sameAPI(opened bsonval.Doc) error {
	mine, first := declaredAPI(r.Body), declaredAPI(opened)
	if bsonval.Compare(bsonval.DocValue(mine), bsonval.DocValue(first)) == 0 {
		return nil
	}
	return mongoerr.New(mongoerr.APIMismatchError, "API parameter mismatch: getMore used params %s, the cursor-creating command used %s", mine, first)
}

// declaredAPI is what a command says of the Stable API.
func declaredAPI(body bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	for _, name := range [...]string{"apiVersion", "apiStrict", "apiDeprecationErrors"} {
		b.Set(name, body.Get(name))
	}
	return b.Doc()
}

// stable tells the commands of version 1.
func stable(name string) bool {
	switch name {
	case "abortTransaction", "aggregate", "bulkWrite", "collMod", "commitTransaction", "count", "create", "createIndexes", "delete", "drop",
		"dropDatabase", "dropIndexes", "endSessions", "explain", "find", "findAndModify", "getMore", "hello", "insert", "killCursors",
		"listCollections", "listDatabases", "listIndexes", "ping", "refreshSessions", "saslStart", "saslContinue", "testDeprecation", "update":
		return true
	}
	return false
}

func stableStage(name string) bool {
	switch name {
	case "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions", "$planCacheStats", "$search", "$searchMeta":
		return false
	}
	return true
}
