package engine

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/archive"
)

// Buckets as a real server of version 8.0 stores and dumps them (from MongoDB's own
// tests), of one and of two measurements.
const (
	oneCompressed = `{"_id":{"$oid":"67cc72e03dc19da48a654135"},"control":{"version":2,
		"min":{"_id":{"$oid":"68f24fb53dc19da48a654135"},"t":{"$date":"2025-03-08T16:40:00Z"}},
		"max":{"_id":{"$oid":"68f24fb53dc19da48a654135"},"t":{"$date":"2025-03-08T16:40:39.239Z"}},"count":1},"meta":{"sensorId":3},
		"data":{"_id":{"$binary":{"base64":"BwBo8k+1PcGdpIplQTUA","subType":"07"}},"t":{"$binary":{"base64":"CQBHVKF2lQEAAAA=","subType":"07"}}}}`
	twoCompressed = `{"_id":{"$oid":"65a6eb806ffc9fa4280ecac4"},"control":{"version":3,
		"min":{"_id":{"$oid":"65a6eba7e6d2e848e08c3750"},"t":{"$date":"2024-01-16T20:48:00Z"},"a":0},
		"max":{"_id":{"$oid":"65a6eba7e6d2e848e08c3751"},"t":{"$date":"2024-01-16T20:48:39.448Z"},"a":1},"count":2},"meta":{"sensorId":4},
		"data":{"t":{"$binary":{"base64":"CQAYhggUjQEAAIAOAAAAAAAAAAA=","subType":"07"}},"a":{"$binary":{"base64":"AQAAAAAAAAAAAJAuAAAAAAAAAAA=","subType":"07"}},
			"_id":{"$binary":{"base64":"BwBlpuun5tLoSOCMN1CALgAAAAAAAAAA","subType":"07"}}}}`
)

func compressedSeries(t *testing.T) db {
	d := newDB(t, Options{})
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	d.run(`{"insert":"system.buckets.s","documents":[` + oneCompressed + `,` + twoCompressed + `]}`)
	return d
}

func TestCompressedBucketsAreRead(t *testing.T) {
	d := compressedSeries(t)
	want := `[ { t: 2024-01-16T20:48:39.448Z, m: { sensorId: 4 }, a: 0.0, _id: ObjectId('65a6eba7e6d2e848e08c3750') },` +
		` { t: 2024-01-16T20:48:39.448Z, m: { sensorId: 4 }, a: 1.0, _id: ObjectId('65a6eba7e6d2e848e08c3751') },` +
		` { t: 2025-03-08T16:40:39.239Z, m: { sensorId: 3 }, _id: ObjectId('68f24fb53dc19da48a654135') } ]`
	if got := d.docs(`{"find":"s","sort":{"_id":1}}`); got != want && got != strings.NewReplacer("2024-01-16T20:48:39.448Z", "new Date(1705438119448)", "2025-03-08T16:40:39.239Z", "new Date(1741452039239)").Replace(want) {
		t.Error(got)
	}
	if n := d.run(`{"count":"s","query":{"a":{"$gt":0}}}`).Get("n").Long(); n != 1 {
		t.Error(n)
	}
	if n := d.run(`{"count":"s","query":{"t":{"$lt":{"$date":"2025-01-01T00:00:00Z"}}}}`).Get("n").Long(); n != 2 {
		t.Error(n)
	}
}

func TestMeasurementsOfCompressedBucketsAreChanged(t *testing.T) {
	d := compressedSeries(t)
	d.run(`{"insert":"s","documents":[{"t":{"$date":"2024-01-16T20:48:50Z"},"m":{"sensorId":4},"a":2,"_id":1}]}`)
	if out := d.run(`{"update":"s","updates":[{"q":{"m.sensorId":4},"u":{"$set":{"m.sensorId":5}},"multi":true}]}`); out.Get("nModified").Long() != 3 {
		t.Error(out)
	}
	if out := d.run(`{"delete":"s","deletes":[{"q":{"a":1},"limit":0}]}`); out.Get("n").Long() != 1 {
		t.Error(out)
	}
	if got := d.docs(`{"find":"s","filter":{"m.sensorId":5},"sort":{"a":1},"projection":{"_id":0,"t":0,"m":0}}`); got != `[ { a: 0.0 }, { a: 2 } ]` && got != `[ { a: 0 }, { a: 2 } ]` {
		t.Error(got)
	}
	if out := d.run(`{"delete":"s","deletes":[{"q":{"m.sensorId":3},"limit":0}]}`); out.Get("n").Long() != 1 {
		t.Error(out)
	}
}

func TestAnArchiveKeepsCompressedBuckets(t *testing.T) {
	from := compressedSeries(t)
	to := newDB(t, Options{})
	sum, err := to.e.Undump(context.Background(), bytes.NewReader(dumped(t, from.e, archive.WriteOptions{})), archive.RestoreOptions{})
	if err != nil || sum.Documents != 2 {
		t.Fatal(sum, err)
	}
	const all = `{"find":"system.buckets.s","sort":{"_id":1}}`
	if got, want := to.docs(all), from.docs(all); got != want {
		t.Errorf("restored\n%s\nwant\n%s", got, want)
	}
}

func TestCompressedBucketsThatLieAreRefused(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	for was, is := range map[string]string{
		`"count":2`:                        `"count":3`,
		`,"count":2`:                       ``,
		`"version":3`:                      `"version":4`,
		`CQAYhggUjQEAAIAOAAAAAAAAAAA=`:     `CQAYhggUjQEAAIAOAAAAAAAAAA==`,
		`AQAAAAAAAAAAAJAuAAAAAAAAAAA=`:     `AQAAAAAAAAAAAJAAAAAAAAAAAAA=`,
		`BwBlpuun5tLoSOCMN1CALgAAAAAAAAAA`: `BwBlpuun5tLoSOCMN1CA/wAAAAAAAAAA`,
		`"t":{"$binary"`:                   `"z":{"$binary"`,
		`2024-01-16T20:48:39.448Z`:         `2024-01-16T20:48:39.447Z`,
	} {
		if out := d.try(`{"insert":"system.buckets.s","documents":[` + strings.Replace(twoCompressed, was, is, 1) + `]}`); out.Get("n").Long() != 0 {
			t.Error(is, out)
		}
	}
}
