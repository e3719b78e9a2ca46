package engine

import (
	"fmt"
	"strings"
	"testing"
)

// The three commands that kill sessions end what they name, and nothing else.
func TestSessionsAreKilledByPattern(t *testing.T) {
	const nobody = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" // SHA-256 of an empty name
	uuid := func(n int) string {
		return fmt.Sprintf(`{"$binary":{"base64":"AAAAAAAAQACAAAAAAAAA%cA==","subType":"04"}}`, 'A'+n)
	}
	lsid := func(n int) string { return `"lsid":{"id":` + uuid(n) + `}` }
	digest := func(base64 string) string { return `{"$binary":{"base64":"` + base64 + `","subType":"00"}}` }
	const stranger = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for cmd, killed := range map[string]string{
		`{"killSessions":[{"id":` + uuid(1) + `}]}`: "1",
		`{"killSessions":[]}`:                       "012",
		`{"killAllSessions":[]}`:                    "012",
		`{"killAllSessionsByPattern":[{"lsid":{"id":` + uuid(2) + `,"uid":` + digest(nobody) + `}}]}`:                                  "2",
		`{"killAllSessionsByPattern":[{"lsid":{"id":` + uuid(2) + `,"uid":` + digest(stranger) + `}}]}`:                                "",
		`{"killAllSessionsByPattern":[{"uid":` + digest(nobody) + `}]}`:                                                                "012",
		`{"killAllSessionsByPattern":[{"uid":` + digest(stranger) + `},{"lsid":{"id":` + uuid(0) + `,"uid":` + digest(nobody) + `}}]}`: "0",
		`{"killAllSessionsByPattern":[]}`: "012",
	} {
		d := newDB(t, Options{})
		var cursors []string
		for n := range 3 {
			d.run(fmt.Sprintf(`{"insert":"c","documents":[{"_id":%d}],%s,"txnNumber":{"$numberLong":"1"},"startTransaction":true,"autocommit":false}`, n, lsid(n)))
			d.run(fmt.Sprintf(`{"insert":"k%d","documents":[{},{},{}]}`, n))
			cursors = append(cursors, d.run(fmt.Sprintf(`{"find":"k%d","batchSize":1,%s}`, n, lsid(n))).Path("cursor.id").String())
		}
		d.run(cmd)
		var got strings.Builder
		for n := range 3 {
			gone := d.try(fmt.Sprintf(`{"getMore":{"$numberLong":"%s"},"collection":"k%d",%s}`, cursors[n], n, lsid(n))).Get("code").Long() == 43
			out, err := d.e.Run(t.Context(), "admin", parseJSON(t, fmt.Sprintf(`{"commitTransaction":1,%s,"txnNumber":{"$numberLong":"1"},"autocommit":false}`, lsid(n))))
			if err != nil {
				t.Fatal(err)
			}
			if aborted := out.Get("code").Long() == 251; aborted != gone {
				t.Errorf("%s: of session %d the cursor is gone: %v, the transaction: %s", cmd, n, gone, out)
			} else if gone {
				fmt.Fprint(&got, n)
			}
		}
		if got.String() != killed {
			t.Errorf("%s killed %q, want %q", cmd, &got, killed)
		}
	}
	d := newDB(t, Options{})
	for cmd, code := range map[string]int64{
		`{"killAllSessions":[{"user":"x","db":"y"}]}`:                            11,
		`{"killAllSessions":[{"user":"x"}]}`:                                     40414,
		`{"killAllSessionsByPattern":[{"lsid":{"id":` + uuid(1) + `}}]}`:         40414,
		`{"killAllSessionsByPattern":[{"nope":1}]}`:                              40415,
		`{"killAllSessionsByPattern":[{"uid":"x"}]}`:                             14,
		`{"killSessions":[{"id":{"$binary":{"base64":"AA==","subType":"04"}}}]}`: 207,
	} {
		if out := d.try(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}
