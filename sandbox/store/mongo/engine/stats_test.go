package engine

import (
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
