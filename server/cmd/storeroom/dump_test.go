package main

import (
	"os"
	"path/filepath"
	"testing"

	"storeroom/sandbox/store/mongo/engine"
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func TestMongoDumpAndRestore(t *testing.T) {
	from, to, file := t.TempDir(), filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "backup.gz")
	e, err := engine.Open(from, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	insert := bsonval.D(bsonval.E("insert", bsonval.StringValue("books")), bsonval.E("documents", bsonval.ArrayOf(bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1)))))))
	if _, err := e.Run(t.Context(), "library", insert); err != nil {
		t.Fatal(err)
	}
	storeroom(t, "", "mongo", "dump", "--data", from, file).wants(t, 1, "", "storeroom mongo: ")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	storeroom(t, "", "mongo", "dump", "--data", from, "--gzip", file).wants(t, 0, "", "written: 1 documents of 1 collections")
	storeroom(t, "", "mongo", "restore", "--data", to, file).wants(t, 0, "", "restored: 1 documents of 1 collections")
	storeroom(t, "", "mongo", "restore", "--data", to, file).wants(t, 0, "", "left out: 1 documents whose key is taken")
	storeroom(t, "", "mongo", "restore", "--data", to, "--drop", file).wants(t, 0, "", "restored: 1 documents of 1 collections")
	storeroom(t, "no archive", "mongo", "restore", "--data", to, "-").wants(t, 1, "", "not an archive of mongodump")

	storeroom(t, "", "mongo", "dump", file).wants(t, 2, "", "say which data with --data")
	storeroom(t, "", "mongo", "dump", "--data", from).wants(t, 2, "", "it takes one FILE")
	storeroom(t, "", "mongo", "dump", "--data", from+"/nothing", file+"2").wants(t, 1, "", "open the data")
	if _, err := os.Stat(file + "2"); !os.IsNotExist(err) {
		t.Error("a file was written for a dump that failed")
	}
}
