package agg_test

import (
	"strconv"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// The outcomes are those of the manual's example: the numbers from 0 to 99 in five
// buckets.
func TestGranularity(t *testing.T) {
	m := &memory{colls: map[string][]bsonval.Doc{}}
	for i := range int32(100) {
		m.colls["c"] = append(m.colls["c"], bsonval.D(bsonval.E("val", bsonval.IntValue(i))))
	}
	type bucket struct{ min, max, n float64 }
	for name, want := range map[string][]bucket{
		"":          {{0, 20, 20}, {20, 40, 20}, {40, 60, 20}, {60, 80, 20}, {80, 99, 20}},
		"R20":       {{0, 20, 20}, {20, 40, 20}, {40, 63, 23}, {63, 90, 27}, {90, 100, 10}},
		"1-2-5":     {{0, 20, 20}, {20, 50, 30}, {50, 100, 50}},
		"E24":       {{0, 20, 20}, {20, 43, 23}, {43, 68, 25}, {68, 91, 23}, {91, 100, 9}},
		"POWERSOF2": {{0, 32, 32}, {32, 64, 32}, {64, 128, 36}},
	} {
		spec := `{"groupBy":"$val","buckets":5`
		if name != "" {
			spec += `,"granularity":` + strconv.Quote(name)
		}
		v, err := run(t, m, parse(t, `[{"$bucketAuto":`+spec+`}}]`).Doc())
		if err != nil {
			t.Fatal(err)
		}
		var got []bucket
		for b := range v.Doc().Values() {
			got = append(got, bucket{b.Doc().Path("_id.min").Float(), b.Doc().Path("_id.max").Float(), b.Doc().Get("count").Float()})
		}
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("granularity %q: got %v, want %v", name, got, want)
				break
			}
		}
	}
}
