package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox/store/mongo/engine"
)

// code is the server's code of a driver's error, the first write error's where it has
// several; 0 for none.
func code(err error) int {
	var command mongo.CommandError
	var write mongo.WriteException
	var bulk mongo.BulkWriteException
	switch {
	case errors.As(err, &command):
		return int(command.Code)
	case errors.As(err, &write) && len(write.WriteErrors) > 0:
		return write.WriteErrors[0].Code
	case errors.As(err, &bulk) && len(bulk.WriteErrors) > 0:
		return bulk.WriteErrors[0].Code
	}
	return 0
}

func TestTheDriverKeepsATimeSeries(t *testing.T) {
	ctx := context.Background()
	client := serve(t, engine.Options{})
	db := client.Database("d")
	err := db.CreateCollection(ctx, "s", options.CreateCollection().SetExpireAfterSeconds(1<<30).
		SetTimeSeriesOptions(options.TimeSeries().SetTimeField("at").SetMetaField("m").SetGranularity("minutes")))
	if err != nil {
		t.Fatal(err)
	}
	s := db.Collection("s")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var docs []bson.D
	for i := range 3000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i}, {Key: "at", Value: start.Add(time.Duration(i) * time.Minute)}, {Key: "m", Value: i % 3}, {Key: "v", Value: i}})
	}
	if _, err := s.InsertMany(ctx, docs); err != nil {
		t.Fatal(err)
	}
	for want, filter := range map[int64]bson.D{
		1000: {{Key: "m", Value: 1}},
		1440: {{Key: "at", Value: bson.D{{Key: "$lt", Value: start.Add(24 * time.Hour)}}}},
		10:   {{Key: "v", Value: bson.D{{Key: "$gte", Value: 2990}}}},
	} {
		if n, err := s.CountDocuments(ctx, filter); err != nil || n != want {
			t.Error(filter, n, err)
		}
	}
	specs, err := db.ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: "s"}})
	if err != nil || len(specs) != 1 || specs[0].Type != "timeseries" || specs[0].ReadOnly {
		t.Error(specs, err)
	}
	if name, err := s.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "m", Value: 1}, {Key: "at", Value: -1}}}); err != nil || name != "m_1_at_-1" {
		t.Error(name, err)
	}
	if res, err := s.DeleteOne(ctx, bson.D{{Key: "_id", Value: 7}}); err != nil || res.DeletedCount != 1 {
		t.Error(res, err)
	}
	if res, err := s.UpdateMany(ctx, bson.D{{Key: "m", Value: 2}}, bson.D{{Key: "$set", Value: bson.D{{Key: "m", Value: "two"}}}}); err != nil || res.ModifiedCount != 1000 {
		t.Error(res, err)
	}
	// A driver retries these, which the server can't do on a time series.
	if err := s.FindOneAndDelete(ctx, bson.D{}).Err(); code(err) != 7308305 {
		t.Error(err)
	}
	if err := s.FindOneAndUpdate(ctx, bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "m", Value: 1}}}}).Err(); code(err) != 7314600 {
		t.Error(err)
	}
	if _, err := s.UpdateOne(ctx, bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "m", Value: 1}}}}); code(err) != 72 {
		t.Error(err)
	}
	if _, err := s.InsertOne(ctx, bson.D{{Key: "at", Value: "today"}}); code(err) != 2 {
		t.Error(err)
	}
}

func TestATransactionReadsATimeSeriesAndDoesNotWriteIt(t *testing.T) {
	ctx := context.Background()
	client := serve(t, engine.Options{})
	db := client.Database("d")
	if err := db.CreateCollection(ctx, "s", options.CreateCollection().SetTimeSeriesOptions(options.TimeSeries().SetTimeField("at").SetMetaField("m"))); err != nil {
		t.Fatal(err)
	}
	s := db.Collection("s")
	one := bson.D{{Key: "at", Value: time.Now()}, {Key: "m", Value: 1}}
	if _, err := s.InsertOne(ctx, one); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(ctx context.Context) error{
		"insert": func(ctx context.Context) error { _, err := s.InsertOne(ctx, one); return err },
		"delete": func(ctx context.Context) error { _, err := s.DeleteMany(ctx, bson.D{}); return err },
		"update": func(ctx context.Context) error {
			_, err := s.UpdateMany(ctx, bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "m", Value: 2}}}})
			return err
		},
		"create": func(ctx context.Context) error {
			return db.CreateCollection(ctx, "t", options.CreateCollection().SetTimeSeriesOptions(options.TimeSeries().SetTimeField("at")))
		},
	} {
		session, err := client.StartSession()
		if err != nil {
			t.Fatal(err)
		}
		err = mongo.WithSession(ctx, session, func(ctx context.Context) error {
			if err := session.StartTransaction(); err != nil {
				return err
			}
			if n, err := s.CountDocuments(ctx, bson.D{{Key: "m", Value: 1}}); err != nil || n != 1 {
				t.Error(n, err)
			}
			return write(ctx)
		})
		if code(err) != 263 {
			t.Error(name, err)
		}
		session.EndSession(ctx)
	}
	if n, err := s.CountDocuments(ctx, bson.D{{Key: "m", Value: 1}}); err != nil || n != 1 {
		t.Error(n, err)
	}
}

func TestTheDriverKeepsAClusteredCollection(t *testing.T) {
	ctx := context.Background()
	db := serve(t, engine.Options{}).Database("d")
	clustered := bson.D{{Key: "key", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "unique", Value: true}}
	if err := db.CreateCollection(ctx, "c", options.CreateCollection().SetClusteredIndex(clustered)); err != nil {
		t.Fatal(err)
	}
	c := db.Collection("c")
	if _, err := c.InsertMany(ctx, []bson.D{{{Key: "_id", Value: 3}}, {{Key: "_id", Value: 1}}, {{Key: "_id", Value: 2}}}); err != nil {
		t.Fatal(err)
	}
	cur, err := c.Find(ctx, bson.D{}, options.Find().SetBatchSize(2))
	if err != nil {
		t.Fatal(err)
	}
	var got []struct {
		ID int `bson:"_id"`
	}
	if err := cur.All(ctx, &got); err != nil || len(got) != 3 || got[0].ID != 1 || got[2].ID != 3 {
		t.Error(got, err)
	}
	specs, err := c.Indexes().ListSpecifications(ctx)
	if err != nil || len(specs) != 1 || specs[0].Clustered == nil || !*specs[0].Clustered {
		t.Error(specs, err)
	}
	if err := c.Indexes().DropOne(ctx, "_id_"); code(err) != 5979800 {
		t.Error(err)
	}
}

func TestATimeSeriesOutlivesTheProcessAndKeepsItsQuota(t *testing.T) {
	dir := t.TempDir()
	open := func() *engine.Engine {
		e, err := engine.Open(dir, engine.Options{MemoryLimit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := open()
	command(t, e, "d", d("create", "s", "timeseries", d("timeField", "at", "metaField", "m")))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 20 {
		command(t, e, "d", d("insert", "s", "documents", bson.A{d("at", at.Add(time.Duration(i)*time.Second), "m", 1, "v", i)}))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open()
	defer e.Close()
	command(t, e, "d", d("insert", "s", "documents", bson.A{d("at", at, "m", 1, "v", 20)}))
	count := func(name string) any { return command(t, e, "d", d("count", name))["n"] }
	if n := count("s"); n != int32(21) {
		t.Error(n)
	}
	if n := count("system.buckets.s"); n != int32(1) {
		t.Error(n, "buckets")
	}
	full := bson.A{}
	for i := range 40 {
		full = append(full, d("at", at.Add(time.Duration(i)*time.Second), "m", i, "v", make([]byte, 40_000)))
	}
	if out := command(t, e, "d", d("insert", "s", "documents", full)); out["ok"] != 0.0 || out["code"] != int32(14031) {
		t.Error(out)
	}
	if n := count("s"); n != int32(21) {
		t.Error("a part of an insert that didn't fit is there:", n)
	}
}
