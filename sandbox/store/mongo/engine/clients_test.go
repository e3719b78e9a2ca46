package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// recording is what a client sent, in order; testdata/clients holds them, with where
// they come from.
type recording struct {
	Client string
	Source string
	Steps  []struct {
		DB    string
		Cmd   json.RawMessage
		Code  int64    // the error that the server answers too; 0: none
		Reads []string // the fields of the reply that the client uses
	}
}

// What mongosh and Compass send from their start on is answered, with the fields that
// they read.
func TestClientsFindWhatTheyRead(t *testing.T) {
	files, err := filepath.Glob("testdata/clients/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	furnished := readRecording(t, "testdata/clients/mongosh.json")
	for _, file := range files {
		rec := readRecording(t, file)
		t.Run(rec.Client, func(t *testing.T) {
			d := newDB(t, Options{})
			if file != "testdata/clients/mongosh.json" {
				for _, step := range furnished.Steps { // its first commands make the collections
					if strings.HasPrefix(string(step.Cmd), `{"usersInfo"`) {
						break
					}
					if strings.HasPrefix(string(step.Cmd), `{"insert"`) || strings.HasPrefix(string(step.Cmd), `{"create`) {
						replay(t, d, step.DB, step.Cmd)
					}
				}
			}
			for _, step := range rec.Steps {
				reply := replay(t, d, step.DB, step.Cmd)
				if code := reply.Get("code").Long(); code != step.Code || (reply.Get("ok").Double() == 1) != (step.Code == 0) {
					t.Errorf("%s: %s", step.Cmd, reply)
					continue
				}
				for _, field := range step.Reads {
					if reply.Path(field).IsMissing() {
						t.Errorf("%s: no %s in %.2000s", step.Cmd, field, reply)
					}
				}
			}
		})
	}
}

func readRecording(t *testing.T, file string) (rec recording) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &rec); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return rec
}

func replay(t *testing.T, d db, name string, cmd []byte) bsonval.Doc {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON(cmd, true, &raw); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	reply, err := d.e.Run(t.Context(), name, bsonval.Doc(raw))
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return reply
}
