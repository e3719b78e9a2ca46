package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// A cursor is its user's, and a view shows nobody more than they may see without it.
func TestWhatAUserMayReachThroughCursorsAndViews(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	for db, cmds := range map[string][]string{
		"shop": {`{"insert":"secret","documents":[{"_id":1},{"_id":2}]}`, `{"insert":"open","documents":[{"_id":1},{"_id":2}]}`},
		"admin": {
			`{"createRole":"maker","privileges":[{"resource":{"db":"shop","collection":"open"},"actions":["find"]},{"resource":{"db":"shop","collection":"v"},"actions":["find","createCollection","collMod"]}],"roles":[]}`,
			`{"createRole":"lister","privileges":[{"resource":{"cluster":true},"actions":["listDatabases"]}],"roles":[]}`,
			`{"createUser":"maker","pwd":"p","roles":["maker","lister"]}`, `{"createUser":"reader","pwd":"p","roles":[{"role":"read","db":"shop"}]}`, `{"createUser":"root","pwd":"p","roles":["root"]}`,
		},
		"other": {`{"insert":"x","documents":[{"_id":1}]}`},
	} {
		for _, cmd := range cmds {
			if got := command(t, e, db, extended(t, cmd)); got["ok"] != 1.0 {
				t.Fatalf("%s: %v", cmd, got)
			}
		}
	}
	maker, reader, root := as(t, e, "maker"), as(t, e, "reader"), as(t, e, "root")
	const ok, no = `"ok": {"$numberDouble":"1.0"}`, `Unauthorized`
	askCases(t, maker, [][3]string{
		{"shop", `{"create":"v","viewOn":"secret","pipeline":[]}`, no},
		{"shop", `{"create":"v","viewOn":"secret"}`, no},
		{"shop", `{"create":"v","viewOn":"open","pipeline":[{"$facet":{"f":[{"$lookup":{"from":"secret","pipeline":[],"as":"s"}}]}}]}`, no},
		{"shop", `{"create":"v","viewOn":"open","pipeline":[{"$unionWith":"secret"}]}`, no},
		{"shop", `{"create":"v","viewOn":"open","pipeline":[]}`, ok},
		{"shop", `{"collMod":"v","viewOn":"secret","pipeline":[]}`, no},
		{"shop", `{"collMod":"v","viewOn":"secret"}`, `InvalidOptions`},
		{"shop", `{"collMod":"v","pipeline":[]}`, `InvalidOptions`},
		{"shop", `{"find":"v"}`, ok},
		{"admin", `{"listDatabases":1,"nameOnly":true}`, `{"name": "other"}`},
		{"admin", `{"listDatabases":1,"nameOnly":true,"authorizedDatabases":true}`, `"databases": [{"name": "shop"}]`},
		{"admin", `{"connPoolSync":1}`, no},
		{"admin", `{"aggregate":1,"pipeline":[{"$listLocalSessions":{"users":[{"user":"maker","db":"admin"}]}}],"cursor":{}}`, ok},
		{"admin", `{"aggregate":1,"pipeline":[{"$listLocalSessions":{"users":[{"user":"root","db":"admin"}]}}],"cursor":{}}`, no},
		{"shop", `{"logout":1}`, ok}, // who logged in elsewhere stays
		{"shop", `{"find":"open"}`, ok},
	})
	open := func() int64 {
		var got struct{ Cursor struct{ ID int64 } }
		if err := maker.Database("shop").RunCommand(context.Background(), extended(t, `{"find":"open","batchSize":1}`)).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return got.Cursor.ID
	}
	id := open()
	if got := ask(t, reader, "shop", fmt.Sprintf(`{"getMore":{"$numberLong":"%d"},"collection":"open"}`, id)); !strings.Contains(got, "was not created by the authenticated user") {
		t.Error("getMore by another: " + got)
	}
	kill := fmt.Sprintf(`{"killCursors":"open","cursors":[{"$numberLong":"%d"}]}`, id)
	if got := ask(t, reader, "shop", kill); !strings.Contains(got, no) {
		t.Error("killCursors by another: " + got)
	}
	if got := ask(t, root, "shop", kill); !strings.Contains(got, `"cursorsKilled": [{`) {
		t.Error("killCursors by root: " + got)
	}
	if got := command(t, e, "admin", bson.D{{Key: "createUser", Value: "x"}, {Key: "pwd", Value: ""}, {Key: "roles", Value: bson.A{}}}); got["code"] != int32(2) {
		t.Errorf("an empty password: %v", got)
	}
}
