package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// admin runs a command on the database admin.
func (d db) admin(cmd string) bsonval.Doc {
	d.t.Helper()
	out, err := d.e.Run(d.t.Context(), "admin", parseJSON(d.t, cmd))
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func TestWhatIsDoneWithACollectionIsCounted(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert": "c", "documents": [{"_id": 1}, {"_id": 2}]}`)
	d.run(`{"find": "c", "filter": {"x": 1}}`)
	d.run(`{"find": "c", "filter": {"_id": 1}}`)
	d.run(`{"find": "nowhere"}`)
	d.try(`{"update": "c", "updates": 1}`)
	totals := d.admin(`{"top": 1}`).Get("totals").Doc()
	c := totals.Get("test.c").Doc()
	for field, want := range map[string]int64{"total": 4, "queries": 2, "insert": 1, "update": 1, "readLock": 2, "writeLock": 2, "remove": 0} {
		if got := c.Get(field).Doc().Get("count").Long(); got != want {
			t.Errorf("top's %s: %d, want %d", field, got, want)
		}
	}
	if !totals.Get("test.nowhere").IsMissing() {
		t.Error("top tells of a collection that isn't there")
	}
	stats := d.run(`{"aggregate": "c", "pipeline": [{"$collStats": {"latencyStats": {"histograms": true}, "queryExecStats": {}}}], "cursor": {}}`).Path("cursor.firstBatch").Doc().At(0).Doc()
	if n := stats.Path("latencyStats.reads.ops").Long(); n != 2 {
		t.Errorf("%d reads", n)
	}
	if n := stats.Path("queryExecStats.collectionScans.total").Long(); n != 1 {
		t.Errorf("%d scans of the collection", n)
	}
	status := d.admin(`{"serverStatus": 1, "repl": 0}`)
	if n := status.Path("metrics.commands.update.failed").Long(); n != 1 || status.Path("opcounters.insert").Long() != 2 || !status.Get("repl").IsMissing() {
		t.Errorf("%d failed updates in %s", n, status)
	}
}

func TestFsyncLockKeepsWritersOut(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert": "c", "documents": [{"_id": 1}]}`)
	if out := d.admin(`{"fsyncUnlock": 1}`); out.Get("code").Long() != 20 {
		t.Errorf("unlocked without a lock: %s", out)
	}
	d.admin(`{"fsync": 1, "lock": true}`)
	if n := d.admin(`{"fsync": 1, "lock": true}`).Get("lockCount").Long(); n != 2 {
		t.Errorf("locked %d times", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	out, err := d.e.Run(ctx, "test", parseJSON(t, `{"insert": "c", "documents": [{"_id": 2}]}`))
	if err != nil || out.Get("ok").Double() != 0 && out.Get("writeErrors").IsMissing() {
		t.Errorf("written while locked: %s %v", out, err)
	}
	if got := d.docs(`{"find": "c"}`); got != "[ { _id: 1 } ]" {
		t.Errorf("read %s", got)
	}
	if !d.admin(`{"currentOp": 1}`).Get("fsyncLock").Truth() {
		t.Error("currentOp doesn't tell of the lock")
	}
	d.admin(`{"fsyncUnlock": 1}`)
	d.admin(`{"fsyncUnlock": 1}`)
	d.run(`{"insert": "c", "documents": [{"_id": 2}]}`)
}

func TestRolesAreChangedAndForgotten(t *testing.T) {
	d := newDB(t, Options{})
	role := func() string {
		t.Helper()
		return d.run(`{"rolesInfo": "r", "showPrivileges": true}`).Path("roles.0.privileges").String() + d.run(`{"rolesInfo": "r"}`).Path("roles.0.roles").String()
	}
	d.run(`{"createRole": "r", "privileges": [{"resource": {"db": "test", "collection": "c"}, "actions": ["find"]}], "roles": ["read"]}`)
	d.run(`{"grantPrivilegesToRole": "r", "privileges": [{"resource": {"db": "test", "collection": "c"}, "actions": ["insert", "find"]}]}`)
	d.run(`{"grantRolesToRole": "r", "roles": ["readWrite", "read"]}`)
	if got, want := role(), `[ { resource: { db: "test", collection: "c" }, actions: [ "find", "insert" ] } ][ { role: "read", db: "test" }, { role: "readWrite", db: "test" } ]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	d.run(`{"revokePrivilegesFromRole": "r", "privileges": [{"resource": {"db": "test", "collection": "c"}, "actions": ["find", "insert"]}]}`)
	d.run(`{"revokeRolesFromRole": "r", "roles": ["read"]}`)
	if got, want := role(), `[][ { role: "readWrite", db: "test" } ]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	d.run(`{"createUser": "u", "pwd": "x", "roles": ["r", "read"]}`)
	if out := d.run(`{"dropAllRolesFromDatabase": 1}`); out.Get("n").Long() != 1 {
		t.Errorf("dropped: %s", out)
	}
	if got := d.run(`{"usersInfo": "u"}`).Path("users.0.roles").String(); got != `[ { role: "read", db: "test" } ]` {
		t.Errorf("the user's roles: %s", got)
	}
	if out := d.try(`{"grantRolesToRole": "read", "roles": []}`); out.Get("ok").Double() != 0 {
		t.Error("a built-in role was changed")
	}
	if n := d.run(`{"rolesInfo": 1, "showBuiltinRoles": true}`).Get("roles").Doc().Len(); n != 6 {
		t.Errorf("%d built-in roles", n)
	}
}

func TestTheLogTellsOfTheStartAndOfWhatIsSlow(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	d := newDB(t, Options{Clock: func() time.Time { now = now.Add(time.Second); return now }})
	d.run(`{"find": "slow"}`)
	warnings := d.admin(`{"getLog": "startupWarnings"}`).Get("log").String()
	if !strings.Contains(warnings, "Access control is not enabled") {
		t.Errorf("warnings: %s", warnings)
	}
	if all := d.admin(`{"getLog": "global"}`).Get("log").String(); !strings.Contains(all, "Slow query") || !strings.Contains(all, "test.slow") || !strings.Contains(all, "queryFramework") || !strings.Contains(all, "reslen") {
		t.Errorf("log: %s", all)
	}
	if out := d.admin(`{"getLog": "other"}`); out.Get("ok").Double() != 0 {
		t.Error("a log that isn't there")
	}
}
