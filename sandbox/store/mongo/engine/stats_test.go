package engine

import (
	"strings"
	"testing"
)

// validate counts what the validator doesn't want, and what BSON's rules don't.
func TestValidateCountsDocuments(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","validator":{"a":{"$gt":0}}}`)
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1},{"_id":2,"a":-1},{"_id":3,"a":1,"s":{"$symbol":"old"}},{"_id":4,"a":1,"r":{"$regularExpression":{"pattern":"x","options":"i"}}}],"bypassDocumentValidation":true}`)
	out := d.run(`{"validate":"c"}`)
	if out.Get("nNonCompliantDocuments").Long() != 1 || !out.Get("valid").Truth() || out.Get("warnings").Doc().Len() != 1 || out.Get("nInvalidDocuments").Long() != 0 {
		t.Errorf("%s", out)
	}
	for _, option := range []string{"checkBSONConformance", "full"} {
		if out := d.run(`{"validate":"c","` + option + `":true}`); out.Get("nNonCompliantDocuments").Long() != 2 || out.Get("warnings").Doc().Len() != 2 {
			t.Errorf("%s: %s", option, out)
		}
	}
	for options, code := range map[string]int64{
		`"full":true,"background":true`: 72, `"metadata":true,"full":true`: 72, `"repair":true`: 72, `"fixMultikey":true`: 72, `"repair":true,"background":true`: 72, `"background":true`: 0, `"metadata":true`: 0,
	} {
		if out := d.try(`{"validate":"c",` + options + `}`); out.Get("code").Long() != code {
			t.Errorf("%s: %s", options, out)
		}
	}
}

// dbStats tells of the disk that holds the folder.
func TestDatabaseStatsTellOfTheDisk(t *testing.T) {
	d := openDB(t, t.TempDir(), Options{})
	out := d.run(`{"dbStats":1}`)
	used, total := out.Get("fsUsedSize").Double(), out.Get("fsTotalSize").Double()
	if used <= 0 || total < used {
		t.Errorf("%v of %v bytes", used, total)
	}
	if scaled := d.run(`{"dbStats":1,"scale":1024}`).Get("fsTotalSize").Double(); scaled != total/1024 {
		t.Errorf("%v KiB of %v bytes", scaled, total)
	}
	if none := newDB(t, Options{}).run(`{"dbStats":1,"scale":1024}`); none.Get("fsTotalSize").Double() != -1 {
		t.Errorf("%s", none)
	}
}

// serverStatus, hostInfo and the like tell what clients look for, and what has happened.
func TestTheServerTellsOfItself(t *testing.T) {
	d := openDB(t, t.TempDir(), Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1},{"_id":2,"a":2}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1},"name":"ab","unique":true}]}`)
	d.run(`{"update":"c","updates":[{"q":{},"u":{"$set":{"n":1}},"multi":true},{"q":{"_id":3},"u":{"$set":{"a":3}},"upsert":true}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{"_id":1},"limit":1}]}`)
	d.run(`{"find":"c","sort":{"n":1}}`)
	const txn = `"lsid":{"id":{"$binary":{"base64":"AAAAAAAAQACAAAAAAAAAAA==","subType":"04"}}},"autocommit":false,"txnNumber":{"$numberLong":"%"}`
	at := func(cmd, n string) string { return strings.ReplaceAll(cmd+txn+"}", "%", n) }
	d.run(at(`{"insert":"t","documents":[{}],"startTransaction":true,`, "1"))
	d.adm(at(`{"commitTransaction":1,`, "1"))
	d.run(at(`{"insert":"t","documents":[{}],"startTransaction":true,`, "2"))
	d.adm(at(`{"abortTransaction":1,`, "2"))
	d.run(at(`{"insert":"t","documents":[{}],"startTransaction":true,`, "3"))
	d.e.Sweep(t.Context())
	status := d.adm(`{"serverStatus":1}`)
	for path, want := range map[string]string{
		"metrics.document.inserted": "6", "metrics.document.updated": "2", "metrics.document.deleted": "1", "metrics.operation.scanAndOrder": "1", "metrics.ttl.passes": "1",
		"indexStats.features.unique.count": "1", "indexStats.features.compound.count": "1", "indexStats.features.id.count": "2",
		"transactions.totalStarted": "3", "transactions.totalCommitted": "1", "transactions.totalAborted": "1", "transactions.currentInactive": "1", "transactions.currentOpen": "1",
		"repl.isWritablePrimary": "true", "repl.ismaster": "true", "repl.secondary": "false", "storageEngine.persistent": "true", "defaultRWConcern.defaultWriteConcern.w": `"majority"`,
	} {
		if got := status.Path(path).String(); got != want {
			t.Errorf("serverStatus' %s is %s, want %s", path, got, want)
		}
	}
	for cmd, fields := range map[string]string{
		`{"serverStatus":1}`:   "host version process service pid uptime uptimeMillis uptimeEstimate localTime asserts catalogStats connections.threaded connections.totalCreated extra_info.page_faults flowControl globalLock.activeClients.readers logicalSessionRecordCache network.physicalBytesIn opLatencies.reads opWorkingTime.reads opcounters.insert opcountersRepl.insert repl.lastWrite.opTime.ts repl.topologyVersion scramCache security.authentication.mechanisms transportSecurity trafficRecording mem.resident",
		`{"hostInfo":1}`:       "system.currentTime system.hostname system.cpuAddrSize system.memSizeMB system.memLimitMB system.numCores system.numCoresAvailableToProcess system.numPhysicalCores system.numCpuSockets system.cpuArch system.numaEnabled system.numNumaNodes os.type os.name os.version extra.kernelVersion extra.cpuFeatures extra.pageSize extra.numPages extra.maxOpenFiles",
		`{"buildInfo":1}`:      "version gitVersion modules allocator javascriptEngine sysInfo versionArray openssl.running buildEnvironment.distarch buildEnvironment.cc buildEnvironment.target_arch buildEnvironment.target_os bits debug maxBsonObjectSize storageEngines",
		`{"getCmdLineOpts":1}`: "argv parsed.storage.dbPath parsed.replication.replSet",
		`{"listCommands":1}`:   "commands.find.help commands.find.requiresAuth commands.find.secondaryOk commands.find.adminOnly commands.find.apiVersions.0 commands.find.deprecatedApiVersions",
	} {
		out := d.adm(cmd)
		for field := range strings.FieldsSeq(fields) {
			if out.Path(field).IsMissing() {
				t.Errorf("%s: no %s", cmd, field)
			}
		}
	}
}

// getParameter tells on demand when a parameter can be set.
func TestParametersTellWhenTheyAreSet(t *testing.T) {
	d := newDB(t, Options{})
	if got := d.adm(`{"getParameter":{"showDetails":true},"notablescan":1,"maxBSONDepth":1}`); got.Path("notablescan.settableAtRuntime").String() != "true" || got.Path("notablescan.value").String() != "false" || got.Path("maxBSONDepth.settableAtRuntime").String() != "false" {
		t.Errorf("%s", got)
	}
	runtime := d.adm(`{"getParameter":{"allParameters":true,"setAt":"runtime"}}`)
	if runtime.Get("notablescan").IsMissing() || !runtime.Get("maxBSONDepth").IsMissing() {
		t.Errorf("%s", runtime)
	}
	for cmd, code := range map[string]int64{
		`{"getParameter":1,"nope":1}`: 72, `{"getParameter":{"setAt":"never"}}`: 2, `{"getParameter":{"x":1}}`: 40415,
		`{"setFeatureCompatibilityVersion":"8.0"}`: 7369100, `{"setFeatureCompatibilityVersion":"8.0","confirm":true}`: 0,
		`{"setFeatureCompatibilityVersion":"7.0","confirm":true}`: 115, `{"setFeatureCompatibilityVersion":"9","confirm":true}`: 2, `{"setFeatureCompatibilityVersion":8,"confirm":true}`: 14,
	} {
		if out := d.admin(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}
