package engine_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox/store/mongo/engine"
)

// as connects to an engine over TCP as a user of the database admin, "" for nobody.
func as(t *testing.T, e *engine.Engine, user string) *mongo.Client {
	t.Helper()
	dial := dialFunc(func(context.Context) (net.Conn, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		go func() {
			if server, err := l.Accept(); err == nil {
				e.ServeConn(context.Background(), server, "localhost:27017") //nolint:errcheck // ends with the client
			}
		}()
		return net.Dial("tcp", l.Addr().String())
	})
	opts := options.Client().SetHosts([]string{"localhost:27017"}).SetDialer(dial).SetServerSelectionTimeout(5 * time.Second)
	if user != "" {
		opts.SetAuth(options.Credential{Username: user, Password: "p", AuthSource: "admin"})
	}
	c, err := mongo.Connect(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(context.Background()) }) //nolint:errcheck // the engine goes too
	return c
}

// extended reads a command written as extended JSON.
func extended(t *testing.T, json string) (cmd bson.D) {
	t.Helper()
	if err := bson.UnmarshalExtJSON([]byte(json), false, &cmd); err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return cmd
}

// ask runs a command as a client and answers the reply as extended JSON, or the error's
// name and text.
func ask(t *testing.T, c *mongo.Client, db, json string) string {
	t.Helper()
	raw, err := c.Database(db).RunCommand(context.Background(), extended(t, json)).Raw()
	if ce, ok := err.(mongo.CommandError); ok {
		return ce.Name + " " + ce.Message
	}
	if err != nil {
		return err.Error()
	}
	return raw.String()
}

// askCases are commands with what their answer contains.
func askCases(t *testing.T, c *mongo.Client, cases [][3]string) {
	t.Helper()
	for _, q := range cases {
		if got := ask(t, c, q[0], q[1]); !strings.Contains(got, q[2]) {
			t.Errorf("%s %s: %.1500s, want %s", q[0], q[1], got, q[2])
		}
	}
}

// The commands for users and roles answer and refuse as the server does.
func TestUsersAndRolesAreLookedAfterAsInTheServer(t *testing.T) {
	c := as(t, memory(t, engine.Options{}), "")
	const resource = `{"resource":{"db":"shop","collection":"c"},"actions":["find"]}`
	askCases(t, c, [][3]string{
		{"shop", `{"createRole":"a","privileges":[` + resource + `,{"resource":{"db":"shop","collection":"c"},"actions":["insert","find"]}],"roles":[]}`, `"ok"`},
		{"shop", `{"rolesInfo":"a","showPrivileges":true}`, `"privileges": [{"resource": {"db": "shop","collection": "c"},"actions": ["find","insert"]}],"roles": [],"inheritedRoles": [],"inheritedPrivileges": [{"resource": {"db": "shop","collection": "c"},"actions": ["find","insert"]}],"isBuiltin": false`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"db":"shop","collection":"c"},"actions":["find","fly","swim"]}],"roles":[]}`, `FailedToParse Unrecognized action privilege strings: fly,swim`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"db":"shop"},"actions":["find"]}],"roles":[]}`, `FailedToParse resource must set both db and collection or neither, but not exactly one.`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"db":"shop","collection":"","cluster":true},"actions":["find"]}],"roles":[]}`, `FailedToParse resource must have exactly db and collection set, or have only cluster set  or have only anyResource set`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"cluster":false},"actions":["find"]}],"roles":[]}`, `FailedToParse cluster must be true when specified`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"db":"","system_buckets":"","collection":"x"},"actions":["find"]}],"roles":[]}`, `FailedToParse system_buckets and collection cannot both be set`},
		{"shop", `{"createRole":"b","privileges":[{"resource":{"cluster":true},"actions":["top"]}],"roles":[]}`, `InvalidRoleModification Roles on the 'shop' database cannot be granted privileges that target other databases or the cluster`},
		{"shop", `{"createRole":"b","privileges":[],"roles":[{"role":"read","db":"other"}]}`, `InvalidRoleModification Roles on the 'shop' database cannot be granted roles from other databases`},
		{"shop", `{"createRole":"b","privileges":[],"roles":["nope"]}`, `RoleNotFound Cannot grant roles to 'b@shop': Could not find role: nope@shop`},
		{"shop", `{"createRole":"read","privileges":[],"roles":[]}`, `BadValue Cannot create roles with the same name as a built-in role`},
		{"shop", `{"createRole":"a","privileges":[],"roles":[]}`, `Role "a@shop" already exists`},
		{"local", `{"createRole":"a","privileges":[],"roles":[]}`, `BadValue Cannot create roles in the local database`},
		{"shop", `{"updateRole":"a"}`, `BadValue Must specify at least one field to update in updateRole`},
		{"shop", `{"updateRole":"x","roles":[]}`, `RoleNotFound Could not find role: x@shop`},
		{"shop", `{"updateRole":"a","roles":["a"]}`, `InvalidRoleModification Cannot grant role a@shop to itself.`},
		{"shop", `{"grantRolesToRole":"a","roles":[]}`, `BadValue grantRolesToRole command requires a non-empty "roles" array`},
		{"shop", `{"grantPrivilegesToRole":"x","privileges":[` + resource + `]}`, `RoleNotFound Role x@shop not found`},
		{"shop", `{"grantPrivilegesToRole":"read","privileges":[` + resource + `]}`, `BadValue read@shop is a built-in role and cannot be modified`},
		{"shop", `{"grantPrivilegesToRole":"a","privileges":[{"resource":{"db":"shop","collection":"c"},"actions":["fly"]}]}`, `FailedToParse Unrecognized action privilege strings: fly`},
		{"admin", `{"createRole":"all","privileges":[{"resource":{"cluster":true},"actions":["top"]},{"resource":{"db":"","system_buckets":"w"},"actions":["find"]},{"resource":{"anyResource":true},"actions":["anyAction"]}],"roles":[]}`, `"ok"`},
		{"admin", `{"rolesInfo":"all","showPrivileges":true}`, `{"resource": {"db": "","system_buckets": "w"},"actions": ["find"]}`},
		{"shop", `{"rolesInfo":1,"showBuiltinRoles":true}`, `"isBuiltin": true`},
		{"shop", `{"rolesInfo":["a",{"role":"userAdmin","db":"x"}],"showPrivileges":"asUserFragment"}`, `"userFragment": {"roles": [{"role": "a","db": "shop"},{"role": "userAdmin","db": "x"}]`},
		{"shop", `{"rolesInfo":1,"showPrivileges":"asUserFragment"}`, `IllegalOperation Cannot get user fragment for all roles in a database`},
		{"shop", `{"createUser":"u","pwd":"p","roles":["a","a"],"customData":{"n":{"$numberInt":"1"}}}`, `"ok"`},
		{"shop", `{"createUser":"u","pwd":"p","roles":[]}`, `User "u@shop" already exists`},
		{"local", `{"createUser":"u","pwd":"p","roles":[]}`, `BadValue Cannot create users in the local database`},
		{"shop", `{"createUser":"v","pwd":"p","roles":["x","y"]}`, `RoleNotFound Could not find roles: x@shop, y@shop`},
		{"shop", `{"createUser":"v","pwd":"p","roles":[5]}`, `BadValue Role name must be either a document or string`},
		{"shop", `{"createUser":"v","pwd":"p","roles":[],"mechanisms":[]}`, `BadValue mechanisms field must not be empty`},
		{"shop", `{"createUser":"v","pwd":"p","roles":[],"digestPassword":false}`, `BadValue Use of SCRAM-SHA-256 requires undigested passwords`},
		{"$external", `{"createUser":"v","roles":[]}`, `"ok"`},
		{"shop", `{"updateUser":"u"}`, `BadValue Must specify at least one field to update in updateUser`},
		{"shop", `{"updateUser":"u","mechanisms":["SCRAM-SHA-256"]}`, `"ok"`},
		{"shop", `{"updateUser":"u","mechanisms":["SCRAM-SHA-1"]}`, `BadValue mechanisms field must be a subset of previously set mechanisms`},
		{"shop", `{"usersInfo":"u"}`, `"customData": {"n": {"$numberInt":"1"}},"roles": [{"role": "a","db": "shop"}],"mechanisms": ["SCRAM-SHA-256"]}]`},
		{"shop", `{"usersInfo":"u","showCustomData":false}`, `"db": "shop","roles"`},
		{"shop", `{"usersInfo":"u","showPrivileges":true}`, `"inheritedRoles": [{"role": "a","db": "shop"}],"inheritedPrivileges": [{"resource": {"db": "shop","collection": "c"},"actions": ["find","insert"]}],"inheritedAuthenticationRestrictions": []}]`},
		{"shop", `{"usersInfo":1,"showPrivileges":true}`, `IllegalOperation Privilege or restriction details require exact-match usersInfo queries`},
		{"admin", `{"usersInfo":{"forAllDBs":true},"filter":{"mechanisms":"SCRAM-SHA-256"}}`, `{"users": [{"_id": "shop.u"`},
		{"shop", `{"grantRolesToUser":"x","roles":["a"]}`, `UserNotFound Could not find user "x" for db "shop"`},
		{"shop", `{"dropUser":"x"}`, `UserNotFound User 'x@shop' not found`},
		{"shop", `{"dropRole":"x"}`, `RoleNotFound Could not find role: x@shop`},
		{"shop", `{"dropRole":"a"}`, `"ok"`},
		{"shop", `{"usersInfo":"u"}`, `"roles": []`},
	})
}

// New passwords are hashed as often as the parameters say.
func TestScramIterationsAreAParameter(t *testing.T) {
	c := as(t, memory(t, engine.Options{}), "")
	askCases(t, c, [][3]string{
		{"admin", `{"setParameter":1,"scramSHA256IterationCount":6000}`, `"was": {"$numberInt":"15000"}`},
		{"admin", `{"setParameter":1,"scramIterationCount":5001}`, `"was": {"$numberInt":"10000"}`},
		{"admin", `{"setParameter":1,"scramIterationCount":4999}`, `BadValue`},
		{"admin", `{"createUser":"u","pwd":"p","roles":["read"]}`, `"ok"`},
		{"admin", `{"usersInfo":"u","showCredentials":true}`, `"SCRAM-SHA-256": {"iterationCount": {"$numberInt":"6000"}`},
		{"admin", `{"usersInfo":"u","showCredentials":true}`, `"SCRAM-SHA-1": {"iterationCount": {"$numberInt":"5001"}`},
	})
}

// A user or a role that is bound to addresses is let in from there alone.
func TestUsersAreBoundToAddresses(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	run := func(json string) {
		t.Helper()
		if got := command(t, e, "admin", extended(t, json)); got["ok"] != 1.0 {
			t.Fatal(json, got)
		}
	}
	run(`{"createUser":"here","pwd":"p","roles":["root"],"authenticationRestrictions":[{"clientSource":["10.0.0.1"]},{"clientSource":["127.0.0.0/8"]}]}`)
	run(`{"createUser":"away","pwd":"p","roles":["root"],"authenticationRestrictions":[{"clientSource":["10.0.0.0/8","::1"]}]}`)
	run(`{"createRole":"bound","privileges":[],"roles":[],"authenticationRestrictions":[{"clientSource":["10.0.0.1"]}]}`)
	run(`{"createUser":"byrole","pwd":"p","roles":["bound"]}`)
	if got := ask(t, as(t, e, "here"), "admin", `{"listDatabases":1}`); !strings.Contains(got, `"ok"`) {
		t.Error(got)
	}
	for _, user := range []string{"away", "byrole"} {
		if got := ask(t, as(t, e, user), "admin", `{"listDatabases":1}`); !strings.Contains(got, "Authentication failed") {
			t.Errorf("%s: %s", user, got)
		}
	}
	run(`{"updateUser":"away","authenticationRestrictions":[]}`)
	if got := ask(t, as(t, e, "away"), "admin", `{"listDatabases":1}`); !strings.Contains(got, `"ok"`) {
		t.Error(got)
	}
	for json, code := range map[string]int32{
		`{"updateUser":"away","authenticationRestrictions":[{"clientSource":["nowhere"]}]}`: 2,
		`{"updateUser":"away","authenticationRestrictions":[{"from":["10.0.0.1"]}]}`:        40415,
	} {
		if got := command(t, e, "admin", extended(t, json)); got["code"] != code {
			t.Errorf("%s: %v", json, got)
		}
	}
}

// Each of the server's own roles allows what it says, and no more.
func TestTheServersOwnRoles(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	command(t, e, "shop", extended(t, `{"insert":"c","documents":[{"_id":1}]}`))
	command(t, e, "shop", extended(t, `{"create":"w","timeseries":{"timeField":"t"}}`))
	const ok, no = `"ok": {"$numberDouble":"1.0"}`, `Unauthorized`
	for role, cases := range map[string][][3]string{
		"root": {
			{"shop", `{"insert":"c","documents":[{}]}`, ok}, {"admin", `{"serverStatus":1}`, ok}, {"admin", `{"createUser":"x","pwd":"x","roles":["root"]}`, ok},
			{"admin", `{"insert":"system.roles","documents":[{}]}`, no}, {"admin", `{"find":"system.users"}`, ok}, {"local", `{"find":"oplog.rs","limit":1}`, ok},
			{"shop", `{"validate":"c"}`, ok}, {"shop", `{"find":"system.buckets.w"}`, ok}, {"admin", `{"fsync":1}`, ok}, {"shop", `{"createRole":"r","privileges":[],"roles":["dbOwner"]}`, ok},
		},
		"readAnyDatabase":      {{"shop", `{"find":"c"}`, ok}, {"shop", `{"insert":"c","documents":[{}]}`, no}, {"config", `{"find":"x"}`, no}, {"local", `{"find":"oplog.rs"}`, no}, {"admin", `{"serverStatus":1}`, no}},
		"readWriteAnyDatabase": {{"shop", `{"update":"c","updates":[{"q":{},"u":{"$set":{"a":1}},"upsert":true}]}`, ok}, {"shop", `{"insert":"c","documents":[{}],"bypassDocumentValidation":true}`, no}, {"shop", `{"collMod":"c"}`, no}},
		"dbAdminAnyDatabase":   {{"shop", `{"collMod":"c"}`, ok}, {"shop", `{"profile":0}`, ok}, {"shop", `{"find":"c"}`, no}, {"shop", `{"find":"system.profile"}`, ok}, {"shop", `{"aggregate":"c","pipeline":[{"$collStats":{"count":{}}}],"cursor":{}}`, ok}},
		"userAdminAnyDatabase": {{"shop", `{"createUser":"y","pwd":"y","roles":["read"]}`, ok}, {"shop", `{"find":"c"}`, no}, {"shop", `{"usersInfo":1}`, ok}, {"admin", `{"usersInfo":{"forAllDBs":true}}`, ok}},
		"clusterMonitor":       {{"admin", `{"serverStatus":1}`, ok}, {"admin", `{"top":1}`, ok}, {"admin", `{"currentOp":1}`, ok}, {"admin", `{"fsync":1}`, no}, {"shop", `{"aggregate":"c","pipeline":[{"$indexStats":{}}],"cursor":{}}`, ok}, {"shop", `{"find":"c"}`, no}},
		"hostManager":          {{"admin", `{"fsync":1}`, ok}, {"admin", `{"setParameter":1,"logLevel":0}`, ok}, {"admin", `{"killAllSessions":[{"user":"nobody","db":"x"}]}`, `Could not find user`}, {"admin", `{"serverStatus":1}`, no}},
		"read":                 {{"admin", `{"createUser":"z","pwd":"z","roles":[]}`, `Unauthorized Not authorized to create users on db: admin`}, {"admin", `{"currentOp":1}`, no}, {"admin", `{"currentOp":1,"$ownOps":true}`, ok}, {"admin", `{"killAllSessions":[]}`, no}, {"admin", `{"killSessions":[]}`, ok}, {"admin", `{"usersInfo":"of-read"}`, ok}, {"admin", `{"usersInfo":1}`, `Not authorized to view users from the admin database`}, {"admin", `{"rolesInfo":"read"}`, ok}, {"admin", `{"rolesInfo":"root"}`, no}},
	} {
		t.Run(role, func(t *testing.T) {
			if got := command(t, e, "admin", extended(t, `{"createUser":"of-`+role+`","pwd":"p","roles":["`+role+`"]}`)); got["ok"] != 1.0 {
				t.Fatal(got)
			}
			askCases(t, as(t, e, "of-"+role), cases)
		})
	}
}

// setUserWriteBlockMode keeps users from writing, but for those that may bypass it and
// the server's own databases; defaultMaxTimeMS bounds their reads.
func TestUserWritesAreBlocked(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	for user, roles := range map[string]string{"writer": `"readWriteAnyDatabase","dbAdminAnyDatabase","userAdminAnyDatabase"`, "boss": `"root"`} {
		if got := command(t, e, "admin", extended(t, `{"createUser":"`+user+`","pwd":"p","roles":[`+roles+`]}`)); got["ok"] != 1.0 {
			t.Fatal(got)
		}
	}
	writer, boss := as(t, e, "writer"), as(t, e, "boss")
	const ok, blocked = `"ok": {"$numberDouble":"1.0"}`, "User writes blocked"
	writes := []string{`{"insert":"c","documents":[{"_id":2}]}`, `{"update":"c","updates":[{"q":{},"u":{"$set":{"x":1}}}]}`, `{"delete":"c","deletes":[{"q":{},"limit":1}]}`,
		`{"findAndModify":"c","update":{"$set":{"y":1}}}`, `{"create":"new"}`, `{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z"}]}`,
		`{"aggregate":"c","pipeline":[{"$out":"o"}],"cursor":{}}`, `{"drop":"o"}`, `{"drop":"c"}`}
	askCases(t, writer, [][3]string{{"shop", `{"insert":"c","documents":[{"_id":1}]}`, ok}, {"admin", `{"setUserWriteBlockMode":1,"global":true}`, "Unauthorized"}})
	askCases(t, boss, [][3]string{{"admin", `{"setUserWriteBlockMode":1,"global":true}`, ok}, {"admin", `{"setUserWriteBlockMode":1,"global":true}`, ok}})
	for _, w := range writes {
		askCases(t, writer, [][3]string{{"shop", w, blocked}})
	}
	askCases(t, writer, [][3]string{{"shop", `{"find":"c"}`, ok}, {"admin", `{"insert":"c","documents":[{}]}`, ok}, {"admin", `{"createUser":"x","pwd":"x","roles":[]}`, ok},
		{"admin", `{"renameCollection":"shop.c","to":"shop.d"}`, blocked}, {"admin", `{"bulkWrite":1,"ops":[{"insert":0,"document":{}}],"nsInfo":[{"ns":"shop.c"}]}`, blocked}})
	for _, w := range writes[:5] {
		askCases(t, boss, [][3]string{{"shop", w, ok}})
	}
	askCases(t, boss, [][3]string{{"admin", `{"setUserWriteBlockMode":1,"global":false}`, ok}})
	askCases(t, writer, [][3]string{{"shop", writes[1], ok}})

	slow := `{"aggregate":"c","pipeline":[{"$match":{"$expr":{"$lt":[{"$reduce":{"input":{"$range":[0,1000000]},"initialValue":0,"in":{"$reduce":{"input":{"$range":[0,1000000]},"initialValue":0,"in":{"$add":["$$value",1]}}}}},0]}}}],"cursor":{}}`
	askCases(t, boss, [][3]string{{"admin", `{"setClusterParameter":{"defaultMaxTimeMS":{"readOperations":50}}}`, ok}})
	askCases(t, writer, [][3]string{{"shop", slow, "MaxTimeMSExpired"}})
}

// The log tells who has come in, and who was refused.
func TestTheLogTellsOfLogins(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	if got := command(t, e, "admin", extended(t, `{"createUser":"ann","pwd":"p","roles":["root"]}`)); got["ok"] != 1.0 {
		t.Fatal(got)
	}
	if got := command(t, e, "admin", extended(t, `{"createUser":"ben","pwd":"other","roles":["root"]}`)); got["ok"] != 1.0 {
		t.Fatal(got)
	}
	ask(t, as(t, e, "ben"), "admin", `{"ping":1}`)
	askCases(t, as(t, e, "ann"), [][3]string{
		{"admin", `{"getLog":"global"}`, `\"msg\":\"Successfully authenticated\"`},
		{"admin", `{"getLog":"global"}`, `\"user\":\"ann\",\"db\":\"admin\",\"result\":0`},
		{"admin", `{"getLog":"global"}`, `\"msg\":\"Failed to authenticate\"`},
		{"admin", `{"getLog":"global"}`, `\"user\":\"ben\",\"db\":\"admin\",\"error\":\"AuthenticationFailed: Authentication failed.\",\"result\":18`},
		{"admin", `{"setParameter":1,"nope":1}`, `InvalidOptions attempted to set unrecognized parameter [nope], use help:true to see options`},
		{"admin", `{"replSetInitiate":{}}`, `AlreadyInitialized already initialized`},
		{"admin", `{"listDatabases":1,"filter":{"name":"none"}}`, `"totalSize": {"$numberLong":"0"}`},
	})
}

// A cursor is its user's: another can neither read on nor end it.
func TestCursorsAreTheirUsers(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	for user, role := range map[string]string{"ann": "readAnyDatabase", "ben": "readAnyDatabase", "boss": "root"} {
		if got := command(t, e, "admin", extended(t, `{"createUser":"`+user+`","pwd":"p","roles":["`+role+`"]}`)); got["ok"] != 1.0 {
			t.Fatal(got)
		}
	}
	command(t, e, "shop", extended(t, `{"insert":"c","documents":[{},{},{}]}`))
	ann, ben, boss := as(t, e, "ann"), as(t, e, "ben"), as(t, e, "boss")
	open := func() string {
		t.Helper()
		var out struct{ Cursor struct{ ID int64 } }
		if err := ann.Database("shop").RunCommand(context.Background(), extended(t, `{"find":"c","batchSize":1}`)).Decode(&out); err != nil || out.Cursor.ID == 0 {
			t.Fatal(err, out)
		}
		return fmt.Sprint(out.Cursor.ID)
	}
	id := open()
	const ok = `"ok": {"$numberDouble":"1.0"}`
	askCases(t, ben, [][3]string{
		{"shop", `{"getMore":{"$numberLong":"` + id + `"},"collection":"c"}`, "Unauthorized cursor id " + id + " was not created by the authenticated user"},
		{"shop", `{"killCursors":"c","cursors":[{"$numberLong":"` + id + `"}]}`, "Unauthorized not authorized to kill cursor on shop.c"},
		{"shop", `{"killCursors":"c","cursors":[{"$numberLong":"1"}]}`, `"cursorsNotFound": [{"$numberLong":"1"}]`},
	})
	askCases(t, boss, [][3]string{{"shop", `{"killCursors":"c","cursors":[{"$numberLong":"` + id + `"}]}`, `"cursorsKilled": [{"$numberLong":"` + id + `"}]`}})
	id = open()
	askCases(t, ann, [][3]string{{"shop", `{"killCursors":"c","cursors":[{"$numberLong":"` + id + `"}]}`, ok}})
}
