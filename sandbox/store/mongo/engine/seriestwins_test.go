package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// seriesTwins are a time series and a plain collection that get the same commands: but
// for the order of fields no reply may tell them apart.
type seriesTwins struct {
	*rand.Rand
	db
	next int // _id
}

func TestATimeSeriesAnswersAsAPlainCollectionDoes(t *testing.T) {
	for seed := range uint64(25) {
		checkSeriesTwins(t, seed)
	}
}

// FuzzSeriesTwins does so with random seeds.
func FuzzSeriesTwins(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkSeriesTwins)
}

func checkSeriesTwins(t *testing.T, seed uint64) {
	w := &seriesTwins{Rand: rand.New(rand.NewPCG(seed, 11)), db: newDB(t, Options{})}
	w.run(`{"create":"series","timeseries":{"timeField":"t","metaField":"m"` + w.pick(`,"granularity":"seconds"`, `,"granularity":"hours"`, `,"bucketMaxSpanSeconds":900,"bucketRoundingSeconds":900`) + `}}`)
	if w.IntN(3) == 0 {
		w.run(`{"dropIndexes":"series","index":"*"}`)
	}
	if w.IntN(2) == 0 {
		w.run(`{"createIndexes":"series","indexes":[{"key":{"m.x":1,"t":-1},"name":"a"},{"key":{"t":1},"name":"b"}]}`)
	}
	for range 60 {
		w.step()
	}
	w.compare("{}")
	if out := w.run(`{"validate":"series"}`); !out.Get("valid").Truth() {
		t.Error(seed, out)
	}
}

func (w *seriesTwins) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w *seriesTwins) date() string {
	switch w.IntN(20) {
	case 0:
		return w.pick(`{"$date":"1969-12-31T23:59:59Z"}`, `{"$date":"1960-01-01T00:00:00Z"}`, `{"$date":{"$numberLong":"9223372036854775807"}}`, `{"$date":{"$numberLong":"-9223372036854775808"}}`, `{"$date":"2150-01-01T00:00:00Z"}`)
	case 1:
		return `{"$date":"2021-05-18T00:00:00Z"}`
	}
	return fmt.Sprintf(`{"$date":{"$numberLong":"%d"}}`, 1621296000000+w.IntN(4)*3600_000+w.IntN(3600)*1000+w.IntN(2)*500)
}

func (w *seriesTwins) meta() string {
	return w.pick("1", "2.0", "2", `"a"`, `{"x":1,"y":2}`, `{"x":2}`, `{"x":[1,2]}`, "null", "[1,2]", `[{"x":1}]`)
}

func (w *seriesTwins) scalar() string {
	return w.pick("1", "2", "3", "2.5", `"s"`, "null", `{"a":1}`, `{"a":{"b":2}}`, "[1,3]", "[]", "true")
}

func (w *seriesTwins) document() string {
	w.next++
	var b strings.Builder
	fmt.Fprintf(&b, `{"_id":%d,"t":%s`, w.next, w.date())
	if w.IntN(6) > 0 {
		b.WriteString(`,"m":` + w.meta())
	}
	for _, f := range []string{"v", "w"} {
		if w.IntN(3) > 0 {
			b.WriteString(`,"` + f + `":` + w.scalar())
		}
	}
	return b.String() + "}"
}

func (w *seriesTwins) ofMeta() string {
	return w.pick(`{"m":`+w.meta()+`}`, `{"m.x":`+w.pick("1", "2", `{"$gt":1}`, `{"$exists":true}`)+`}`, `{"m":{"$in":[`+w.meta()+","+w.meta()+`]}}`, `{"m":{"$ne":`+w.meta()+`}}`, `{"m":{"$exists":false}}`)
}

func (w *seriesTwins) filter(depth int) string {
	switch n := w.IntN(9); {
	case n < 2:
		return w.ofMeta()
	case n < 5:
		return `{"t":` + w.pick(w.date(), `{"$gte":`+w.date()+`}`, `{"$gt":`+w.date()+`,"$lte":`+w.date()+`}`, `{"$lt":`+w.date()+`}`, `{"$in":[`+w.date()+","+w.date()+`]}`, `{"$ne":`+w.date()+`}`, `{"$gt":5}`, `{"$in":[]}`) + `}`
	case n < 7 || depth > 2:
		return `{"` + w.pick("v", "w", "v.a", "_id") + `":` + w.pick(w.scalar(), `{"$gte":`+w.scalar()+`}`, `{"$exists":`+w.pick("true", "false")+`}`) + `}`
	case n == 7:
		return `{"$and":[` + w.filter(depth+1) + "," + w.filter(depth+1) + `]}`
	}
	return `{"` + w.pick("$or", "$nor") + `":[` + w.filter(depth+1) + "," + w.filter(depth+1) + `]}`
}

func (w *seriesTwins) step() {
	switch n := w.IntN(10); {
	case n < 4:
		docs := make([]string, 1+w.IntN(12))
		for i := range docs {
			docs[i] = w.document()
		}
		w.both(`{"insert":"$C","documents":[` + strings.Join(docs, ",") + `]}`)
	case n == 4:
		w.both(`{"delete":"$C","deletes":[{"q":` + w.filter(1) + `,"limit":0}]}`)
	case n == 5:
		w.both(fmt.Sprintf(`{"delete":"$C","deletes":[{"q":{"_id":%d},"limit":1}]}`, 1+w.IntN(w.next+1)))
	case n == 6:
		w.both(`{"update":"$C","updates":[{"q":` + w.ofMeta() + `,"u":` + w.pick(`{"$set":{"m":`+w.meta()+`}}`, `{"$unset":{"m":1}}`) + `,"multi":true}]}`)
	default:
		w.compare(w.filter(0))
	}
}

// both gives a command to each and compares how many documents it was about.
func (w *seriesTwins) both(cmd string) {
	w.t.Helper()
	a, b := w.run(strings.ReplaceAll(cmd, "$C", "series")), w.run(strings.ReplaceAll(cmd, "$C", "plain"))
	if a.Get("n").Long() != b.Get("n").Long() || !a.Get("writeErrors").IsMissing() {
		w.t.Fatalf("%s:\n%s\n%s", cmd, a, b)
	}
}

func (w *seriesTwins) compare(filter string) {
	w.t.Helper()
	const show = `{"$sort":{"_id":1}},{"$replaceWith":{"_id":"$_id","t":"$t","m":"$m","v":"$v","w":"$w"}}`
	cmd := `{"aggregate":"$C","cursor":{"batchSize":100000},"pipeline":[{"$match":` + filter + `},` + show + `]}`
	a, b := w.docs(strings.ReplaceAll(cmd, "$C", "series")), w.docs(strings.ReplaceAll(cmd, "$C", "plain"))
	if a != b {
		w.t.Fatalf("%s:\n%s\n%s", filter, a, b)
	}
	w.both(`{"count":"$C","query":` + filter + `}`)
}

// clusteredTwins are a clustered and a plain collection.
func TestAClusteredCollectionAnswersAsAPlainOneDoes(t *testing.T) {
	for seed := range uint64(25) {
		w := &seriesTwins{Rand: rand.New(rand.NewPCG(seed, 13)), db: newDB(t, Options{})}
		w.run(`{"create":"series","clusteredIndex":{"key":{"_id":1},"unique":true}` + w.pick("", `,"collation":{"locale":"en","strength":2}`) + `}`)
		if w.IntN(2) == 0 {
			w.run(`{"createIndexes":"series","indexes":[{"key":{"v":1},"name":"v"},{"key":{"w":1,"_id":-1},"name":"w"}]}`)
		}
		w.run(`{"create":"plain"}`)
		id := func() string {
			return w.pick(fmt.Sprint(w.IntN(40)), fmt.Sprint(w.IntN(40)), `"s`+fmt.Sprint(w.IntN(9))+`"`, `{"a":`+fmt.Sprint(w.IntN(5))+`}`, "null", fmt.Sprint(w.IntN(20))+".5", w.date())
		}
		cond := func() string {
			return w.pick(`{"_id":`+id()+`}`, `{"_id":{"$gt":`+id()+`}}`, `{"_id":{"$lte":`+id()+`}}`, `{"_id":{"$gte":`+id()+`,"$lt":`+id()+`}}`,
				`{"_id":{"$in":[`+id()+","+id()+`]}}`, `{"_id":{"$ne":`+id()+`}}`, `{"_id":{"$type":"number"}}`, `{"v":`+w.scalar()+`}`)
		}
		for range 60 {
			switch w.IntN(6) {
			case 0, 1:
				w.twice(`{"insert":"$C","ordered":false,"documents":[{"_id":` + id() + `,"v":` + w.scalar() + `},{"_id":` + id() + `,"w":` + w.scalar() + `}]}`)
			case 2:
				w.twice(`{"delete":"$C","deletes":[{"q":` + cond() + `,"limit":0}]}`)
			case 3:
				w.twice(`{"update":"$C","updates":[{"q":{"$or":[` + cond() + "," + cond() + `]},"u":{"$set":{"v":` + w.scalar() + `}},"multi":true}]}`)
			default:
				filter := w.pick(cond(), `{"$or":[`+cond()+","+cond()+`]}`, `{"$and":[`+cond()+","+cond()+`]}`)
				sort := w.pick(`{"_id":1}`, `{"_id":-1}`, `{"v":1,"_id":-1}`)
				cmd := `{"find":"$C","filter":` + filter + `,"sort":` + sort + `,"batchSize":1000}`
				a, b := w.docs(strings.ReplaceAll(cmd, "$C", "series")), w.docs(strings.ReplaceAll(cmd, "$C", "plain"))
				if a != b {
					t.Fatalf("seed %d: %s:\n%s\n%s", seed, cmd, a, b)
				}
				w.twice(`{"count":"$C","query":` + filter + `}`)
			}
		}
	}
}

// twice gives a command to each, which may have failed statements.
func (w *seriesTwins) twice(cmd string) {
	w.t.Helper()
	a, b := w.run(strings.ReplaceAll(cmd, "$C", "series")), w.run(strings.ReplaceAll(cmd, "$C", "plain"))
	if a.Get("n").Long() != b.Get("n").Long() || a.Get("nModified").Long() != b.Get("nModified").Long() {
		w.t.Fatalf("%s:\n%s\n%s", cmd, a, b)
	}
}
