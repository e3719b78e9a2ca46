package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox/store/mongo/engine"
)

// serve answers a client of a fresh engine on a loopback port.
func serve(t testing.TB, opts engine.Options, more ...*options.ClientOptions) *mongo.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.ListenAndServe(ctx, l, "", opts) }()
	uri := options.Client().ApplyURI("mongodb://" + l.Addr().String()).SetServerSelectionTimeout(5 * time.Second)
	c, err := mongo.Connect(append([]*options.ClientOptions{uri}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Disconnect(context.Background()) //nolint:errcheck // the server goes too
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

// The stock driver discovers the replica set and works, in every compression.
func TestDriverWorksInEveryCompression(t *testing.T) {
	for _, compressor := range []string{"", "snappy", "zlib", "zstd"} {
		t.Run(compressor, func(t *testing.T) {
			opts := options.Client()
			if compressor != "" {
				opts.SetCompressors([]string{compressor})
			}
			c := serve(t, engine.Options{}, opts).Database("d").Collection("c")
			ctx := context.Background()
			docs := make([]bson.D, 2500)
			for i := range docs {
				docs[i] = bson.D{{Key: "_id", Value: i}, {Key: "n", Value: i % 10}}
			}
			if _, err := c.InsertMany(ctx, docs); err != nil {
				t.Fatal(err)
			}
			cur, err := c.Find(ctx, bson.D{{Key: "n", Value: 3}}, options.Find().SetBatchSize(7).SetSort(bson.D{{Key: "_id", Value: -1}}))
			if err != nil {
				t.Fatal(err)
			}
			var got []bson.D
			if err := cur.All(ctx, &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != 250 || got[0][0].Value != int32(2493) {
				t.Fatalf("%d documents, first %v", len(got), got[0])
			}
		})
	}
}

func BenchmarkInsertMany1000(b *testing.B) {
	c := serve(b, engine.Options{}).Database("d").Collection("c")
	docs := make([]bson.D, 1000)
	for b.Loop() {
		for i := range docs {
			docs[i] = bson.D{{Key: "name", Value: "somebody"}, {Key: "age", Value: i}, {Key: "city", Value: "Berlin"}, {Key: "score", Value: rand.Float64()}}
		}
		if _, err := c.InsertMany(context.Background(), docs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindByKey(b *testing.B) {
	c := serve(b, engine.Options{}).Database("d").Collection("c")
	ctx := context.Background()
	docs := make([]bson.D, 10_000)
	for i := range docs {
		docs[i] = bson.D{{Key: "_id", Value: i}, {Key: "k", Value: fmt.Sprint("key", i)}}
	}
	if _, err := c.InsertMany(ctx, docs); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "k", Value: 1}}}); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := c.FindOne(ctx, bson.D{{Key: "k", Value: fmt.Sprint("key", rand.IntN(10_000))}}).Err(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}
