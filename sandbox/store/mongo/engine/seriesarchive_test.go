package engine

import (
	"bytes"
	"context"
	"testing"

	"storeroom/sandbox/store/mongo/engine/archive"
)

func series(t *testing.T) db {
	d := weather(t, Options{})
	d.run(`{"createIndexes": "weather", "indexes": [{"key": {"temp": -1}, "name": "v"}, {"key": {"metadata.sensorId": 1, "timestamp": -1}, "name": "s"}]}`)
	d.run(`{"create": "cold", "viewOn": "weather", "pipeline": [{"$match": {"temp": {"$lt": 12}}}]}`)
	return d
}

func TestAnArchiveCarriesATimeSeries(t *testing.T) {
	from := series(t)
	want := inventory(t, from.e)
	to := newDB(t, Options{})
	for range 2 { // the second time in the place of the first
		sum, err := to.e.Undump(context.Background(), bytes.NewReader(dumped(t, from.e, archive.WriteOptions{})), archive.RestoreOptions{Drop: true})
		if err != nil || sum != (archive.Summary{Collections: 2, Documents: 3}) {
			t.Fatal(sum, err)
		}
		if got := inventory(t, to.e); got != want {
			t.Errorf("restored\n%s\nwant\n%s", got, want)
		}
	}
	if n := to.run(`{"count": "weather"}`).Get("n").Long(); n != 5 {
		t.Error(n)
	}
}
