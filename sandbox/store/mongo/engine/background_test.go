package engine

import (
	"strings"
	"testing"
	"time"
)

// A parameter that shortens the pause between rounds has effect at once.
func TestTheTTLMonitorsPauseCanBeShortened(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"s","indexes":[{"key":{"at":1},"name":"at_1","expireAfterSeconds":1}]}`)
	d.run(`{"insert":"s","documents":[{"_id":1,"at":{"$date":"2020-01-01T00:00:00Z"}}]}`)
	d.admin(`{"setParameter":1,"ttlMonitorSleepSecs":1}`)
	for end := time.Now().Add(30 * time.Second); d.docs(`{"find":"s"}`) != "[]"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the document is still there: ", d.docs(`{"find":"s"}`))
		}
	}
}

// What would be kept and not obeyed is refused.
func TestRefusedRatherThanAnsweredWrongly(t *testing.T) {
	d := newDB(t, Options{})
	for command, want := range map[string]string{
		`{"find":"c","collation":{"locale":"zh@collation=unihan"}}`: "code: 238",
		`{"insert":"c","documents":[{"_id":1}],"$db":"local","lsid":{"id":{"$uuid":"00000000-0000-4000-8000-000000000001"}},"txnNumber":{"$numberLong":"1"},"startTransaction":true,"autocommit":false}`: "code: 263",
	} {
		if out := d.try(command).String(); !strings.Contains(out, want) {
			t.Errorf("%s: %s", command, out)
		}
	}
}
