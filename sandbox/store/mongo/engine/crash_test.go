package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"storeroom/sandbox/store/mongo/engine"
)

// workload are what the clients of one folder have been told, over all its processes.
type workload struct {
	batches   map[int]int // the batches of documents, and how often each was updated
	batch     int         // the newest one begun
	transfers int         // transactions that were committed
	round     int         // of collections made and dropped
	step      int         // how far the round came
	readings  map[int]int // the batches of measurements, and what they were marked with
	reading   int         // the newest one begun
}

// The documents of a batch, and how many measurements come with its first step.
const (
	batchSize = 5
	firstStep = 3
)

// A process that is killed at any moment, while drivers write to it in every way, has at
// its next start all that it acknowledged, nothing of half a transaction, and indexes
// that are those of the documents.
func TestAKilledServerKeepsWhatDriversWereTold(t *testing.T) {
	const folders = 4
	kills := 50
	if testing.Short() {
		kills = 5
	}
	for folder := range folders {
		t.Run(fmt.Sprint(folder), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := &workload{batches: map[int]int{}, readings: map[int]int{}}
			w.begin(t, dir)
			for range kills {
				cmd, addr := child(t, dir, 0)
				w.run(t, addr, func() {
					time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
					cmd.Process.Kill() //nolint:errcheck // it lives
					cmd.Wait()         //nolint:errcheck // it was killed
				})
				w.check(t, dir)
			}
			if !testing.Short() && (w.batch == 0 || w.transfers == 0 || w.round == 0 || len(w.readings) == 0) {
				t.Errorf("next to nothing was done: %+v", w)
			}
		})
	}
}

// begin makes two accounts.
func (w *workload) begin(t *testing.T, dir string) {
	e, err := engine.Open(dir, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	command(t, e, "d", d("insert", "accounts", "documents", bson.A{d("_id", 1, "n", 0), d("_id", 2, "n", 0)}))
	command(t, e, "d", d("createIndexes", "batches", "indexes", bson.A{
		d("key", d("b", 1), "name", "b_1"), d("key", d("tags", 1, "v", -1), "name", "tags"), d("key", d("words", "text"), "name", "words")}))
	command(t, e, "d", d("create", "ledger"))
	command(t, e, "d", d("create", "weather", "timeseries", d("timeField", "at", "metaField", "of")))
	command(t, e, "d", d("createIndexes", "weather", "indexes", bson.A{d("key", d("of.b", 1), "name", "b")}))
}

// run writes through a driver until the process is killed.
func (w *workload) run(t *testing.T, addr string, kill func()) {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + addr + "/?directConnection=true").
		SetWriteConcern(writeconcern.Majority()).SetServerSelectionTimeout(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, write := range []func(context.Context, *mongo.Database) error{w.writeBatch, w.measure, w.transfer, w.catalogue} {
		wg.Go(func() {
			for ctx.Err() == nil && write(ctx, client.Database("d")) == nil {
			}
		})
	}
	kill()
	cancel()
	wg.Wait()
	_ = client.Disconnect(ctx)
}

// writeBatch inserts documents and changes some that are there.
func (w *workload) writeBatch(ctx context.Context, db *mongo.Database) error {
	w.batch++
	docs := make([]any, batchSize)
	for i := range docs {
		docs[i] = d("b", w.batch, "i", i, "v", 0, "tags", bson.A{i, "x", w.batch % 3}, "words", fmt.Sprint("cats and batch ", w.batch))
	}
	if _, err := db.Collection("batches").InsertMany(ctx, docs); err != nil {
		return err
	}
	w.batches[w.batch] = 0
	b := 1 + rand.IntN(w.batch)
	if _, err := db.Collection("batches").UpdateMany(ctx, d("b", b), d("$inc", d("v", 1), "$push", d("tags", w.batch))); err != nil {
		return err
	}
	if _, ok := w.batches[b]; ok {
		w.batches[b]++
	}
	if b%4 != 0 {
		return nil
	}
	delete(w.batches, b) // whether the deletion is acknowledged or not
	_, err := db.Collection("batches").DeleteMany(ctx, d("b", b))
	return err
}

// measure inserts measurements into a bucket of their own in two steps, marks and removes
// some.
func (w *workload) measure(ctx context.Context, db *mongo.Database) error {
	coll := db.Collection("weather")
	w.reading++
	docs := make([]any, batchSize)
	for i := range docs {
		docs[i] = d("at", time.Unix(int64(w.reading*1000+i), 0), "of", d("b", w.reading, "mark", 0), "degrees", rand.Float64())
	}
	for _, part := range [][]any{docs[:firstStep], docs[firstStep:]} {
		if _, err := coll.InsertMany(ctx, part); err != nil {
			return err
		}
	}
	w.readings[w.reading] = 0
	b := 1 + rand.IntN(w.reading)
	if _, err := coll.UpdateMany(ctx, d("of.b", b), d("$inc", d("of.mark", 1))); err != nil {
		return err
	}
	if _, ok := w.readings[b]; ok {
		w.readings[b]++
	}
	if b%4 != 0 {
		return nil
	}
	delete(w.readings, b) // whether the deletion is acknowledged or not
	_, err := coll.DeleteMany(ctx, d("of.b", b))
	return err
}

// transfer moves 1 from an account to the other and writes it down.
func (w *workload) transfer(ctx context.Context, db *mongo.Database) error {
	s, err := db.Client().StartSession()
	if err != nil {
		return err
	}
	if err := s.StartTransaction(); err != nil {
		return err
	}
	in := mongo.NewSessionContext(ctx, s)
	for id, by := range map[int]int{1: -1, 2: 1} {
		if _, err := db.Collection("accounts").UpdateByID(in, id, d("$inc", d("n", by))); err != nil {
			return err
		}
	}
	if _, err := db.Collection("ledger").InsertOne(in, d("by", 1)); err != nil {
		return err
	}
	if err := s.CommitTransaction(in); err != nil {
		return err
	}
	w.transfers++
	s.EndSession(ctx)
	return nil
}

// catalogue makes a collection with an index, fills, renames and drops it, step by step.
func (w *workload) catalogue(ctx context.Context, db *mongo.Database) error {
	w.round, w.step = w.round+1, 0
	coll := db.Collection(fmt.Sprint("round", w.round))
	steps := []func() error{
		func() error { return db.CreateCollection(ctx, coll.Name()) },
		func() error {
			_, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: d("k", 1), Options: options.Index().SetName("k").SetUnique(true)})
			return err
		},
		func() error { _, err := coll.InsertMany(ctx, []any{d("k", 1), d("k", 2)}); return err },
		func() error { return coll.Indexes().DropOne(ctx, "k") },
		func() error { return coll.Drop(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		w.step++
	}
	return nil
}

// check looks at what the folder holds after the process was killed.
func (w *workload) check(t *testing.T, dir string) {
	t.Helper()
	e, err := engine.Open(dir, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	w.checkBatches(t, e)
	w.checkReadings(t, e)
	n := func(coll string, query bson.D) int {
		return int(command(t, e, "d", d("count", coll, "query", query))["n"].(int32))
	}
	moved := n("ledger", d())
	if moved < w.transfers || n("accounts", d("_id", 1, "n", -moved)) != 1 || n("accounts", d("_id", 2, "n", moved)) != 1 {
		t.Fatalf("%d transfers acknowledged, %d written down, and the accounts differ from that", w.transfers, moved)
	}
	w.transfers = moved
	w.checkCatalogue(t, e, n)
	for _, c := range batch(command(t, e, "d", d("listCollections", 1, "nameOnly", true))) {
		name := c.(bson.D)[0].Value.(string)
		if got := command(t, e, "d", d("validate", name, "full", true)); got["valid"] != true {
			t.Fatal(got)
		}
	}
}

// batch are the documents of a reply; none of one that failed.
func batch(reply bson.M) bson.A {
	cursor, _ := reply["cursor"].(bson.D)
	for _, f := range cursor {
		if f.Key == "firstBatch" {
			return f.Value.(bson.A)
		}
	}
	return nil
}

func (w *workload) checkBatches(t *testing.T, e *engine.Engine) {
	t.Helper()
	for b, updates := range w.batches {
		docs := batch(command(t, e, "d", d("find", "batches", "filter", d("b", b), "projection", d("v", 1))))
		if len(docs) != batchSize {
			t.Fatalf("batch %d: %d documents", b, len(docs))
		}
		for _, doc := range docs {
			if v := int(doc.(bson.D)[1].Value.(int32)); v != updates && v != updates+1 {
				t.Fatalf("batch %d was updated %d times, acknowledged were %d", b, v, updates)
			}
			w.batches[b] = int(doc.(bson.D)[1].Value.(int32))
		}
	}
}

// checkReadings finds each batch of measurements whole, with its mark or the next.
func (w *workload) checkReadings(t *testing.T, e *engine.Engine) {
	t.Helper()
	found := map[int]int{}
	for _, doc := range batch(command(t, e, "d", d("aggregate", "weather", "cursor", d("batchSize", 1<<20), "pipeline", bson.A{
		d("$group", d("_id", "$of", "n", d("$sum", 1), "reals", d("$sum", d("$cond", bson.A{d("$isNumber", "$degrees"), 1, 0}))))}))) {
		of := doc.(bson.D)[0].Value.(bson.D)
		b, mark := int(of[0].Value.(int32)), int(of[1].Value.(int32))
		was, told := w.readings[b]
		if n, reals := doc.(bson.D)[1].Value, doc.(bson.D)[2].Value; n != int32(batchSize) && (told || n != int32(firstStep)) || reals != n {
			t.Fatalf("%d measurements in batch %d, %d of them with what was measured", n, b, reals)
		}
		if told && mark != was && mark != was+1 {
			t.Fatalf("measurements %d are marked %d, acknowledged was %d", b, mark, was)
		}
		found[b] = mark
	}
	for b := range w.readings {
		mark, ok := found[b]
		if !ok {
			t.Fatalf("measurements %d are lost", b)
		}
		w.readings[b] = mark
	}
}

// checkCatalogue checks that the newest round is where it was acknowledged to be, or a
// step further.
func (w *workload) checkCatalogue(t *testing.T, e *engine.Engine, n func(string, bson.D) int) {
	t.Helper()
	if w.round == 0 {
		return
	}
	name := fmt.Sprint("round", w.round)
	indexes := batch(command(t, e, "d", d("listIndexes", name)))
	there, hasIndex := len(indexes) > 0, len(indexes) == 2
	var is int
	switch docs := n(name, d()); {
	case !there && w.step < 4:
		is = 0
	case !there:
		is = 5
	case !hasIndex && docs == 0:
		is = 1
	case hasIndex && docs == 0:
		is = 2
	case hasIndex && docs == 2:
		is = 3
	case docs == 2:
		is = 4
	default:
		t.Fatalf("%s has %d documents", name, docs)
	}
	if is != w.step && is != w.step+1 {
		t.Fatalf("%s is at step %d, acknowledged was %d", name, is, w.step)
	}
}
