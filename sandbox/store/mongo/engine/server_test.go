package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox/store/mongo/engine"
)

func memory(t testing.TB, opts engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Open("", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// A retryable write that comes twice is done once, and answered alike.
func TestRetriedWriteIsDoneOnce(t *testing.T) {
	e := memory(t, engine.Options{})
	id := bson.D{{Key: "id", Value: bson.Binary{Subtype: 4, Data: make([]byte, 16)}}}
	command(t, e, "d", bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{{Key: "_id", Value: 1}, {Key: "n", Value: 0}}}}})
	inc := func(number int64) bson.M {
		return command(t, e, "d", bson.D{{Key: "update", Value: "c"}, {Key: "updates", Value: bson.A{bson.D{
			{Key: "q", Value: bson.D{}}, {Key: "u", Value: bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}}}}}},
			{Key: "lsid", Value: id}, {Key: "txnNumber", Value: number}})
	}
	for _, number := range []int64{1, 1, 2} {
		if got := inc(number)["nModified"]; got != int32(1) {
			t.Fatalf("number %d: modified %v", number, got)
		}
	}
	if got := inc(1)["codeName"]; got != "TransactionTooOld" {
		t.Errorf("an older number: %v", got)
	}
	found := command(t, e, "d", bson.D{{Key: "find", Value: "c"}})["cursor"].(bson.D)
	var doc struct{ N int32 }
	raw, _ := bson.Marshal(found[0].Value.(bson.A)[0])
	if bson.Unmarshal(raw, &doc); doc.N != 2 {
		t.Errorf("n is %d, want 2", doc.N)
	}
}

// maxTimeMS ends a query that would take for ever, also one that is all expression.
func TestMaxTimeEndsALongQuery(t *testing.T) {
	e := memory(t, engine.Options{})
	docs := bson.A{}
	for i := range 2000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i}})
	}
	command(t, e, "d", bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: docs}})
	cross := bson.D{{Key: "$lookup", Value: bson.D{{Key: "from", Value: "c"}, {Key: "pipeline", Value: bson.A{}}, {Key: "as", Value: "x"}}}}
	start := time.Now()
	got := command(t, e, "d", bson.D{{Key: "aggregate", Value: "c"}, {Key: "cursor", Value: bson.D{}}, {Key: "maxTimeMS", Value: 30},
		{Key: "pipeline", Value: bson.A{cross, bson.D{{Key: "$unwind", Value: "$x"}}, cross, bson.D{{Key: "$match", Value: bson.D{{Key: "x.none", Value: 1}}}}}}})
	if got["codeName"] != "MaxTimeMSExpired" || time.Since(start) > 10*time.Second {
		t.Fatalf("%v after %v", got["errmsg"], time.Since(start))
	}
}

// A user may do what its roles allow, and nothing else.
func TestRolesDeny(t *testing.T) {
	e := memory(t, engine.Options{Auth: true})
	ctx := context.Background()
	connect := func(user, password string) *mongo.Client {
		dial := dialFunc(func(ctx context.Context) (net.Conn, error) {
			client, server := net.Pipe()
			go e.ServeConn(context.Background(), server, "localhost:27017") //nolint:errcheck // ends with the client
			return client, nil
		})
		opts := options.Client().SetHosts([]string{"localhost:27017"}).SetDialer(dial).SetServerSelectionTimeout(5 * time.Second)
		if user != "" {
			opts.SetAuth(options.Credential{Username: user, Password: password, AuthSource: "shop"})
		}
		c, err := mongo.Connect(opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Disconnect(ctx) })
		return c
	}
	for user, role := range map[string]string{"reader": "read", "writer": "readWrite"} {
		if got := command(t, e, "shop", bson.D{{Key: "createUser", Value: user}, {Key: "pwd", Value: "pässword"}, {Key: "roles", Value: bson.A{role}}}); got["ok"] != 1.0 {
			t.Fatal(got)
		}
	}
	insert := func(c *mongo.Client) error {
		_, err := c.Database("shop").Collection("items").InsertOne(ctx, bson.D{})
		return err
	}
	find := func(c *mongo.Client, db string) error {
		_, err := c.Database(db).Collection("items").Find(ctx, bson.D{})
		return err
	}
	reader, writer := connect("reader", "pässword"), connect("writer", "pässword")
	if err := insert(writer); err != nil {
		t.Error(err)
	}
	if err := find(reader, "shop"); err != nil {
		t.Error(err)
	}
	explain := func(c *mongo.Client, db string, inner bson.D) error {
		return c.Database(db).RunCommand(ctx, bson.D{{Key: "explain", Value: inner}}).Err()
	}
	look := bson.D{{Key: "find", Value: "items"}}
	if err := explain(reader, "shop", look); err != nil {
		t.Error(err)
	}
	if names, err := reader.ListDatabaseNames(ctx, bson.D{}); err != nil || strings.Join(names, " ") != "shop" {
		t.Errorf("a reader sees the databases %v, %v", names, err)
	}
	others := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}}
	for name, err := range map[string]error{
		"another database's collections": writer.Database("other").RunCommand(ctx, others).Err(),
		"explain in another database":    explain(reader, "other", look),
		"explain of a write by a reader": explain(reader, "shop", bson.D{{Key: "delete", Value: "items"}, {Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: bson.D{}}, {Key: "limit", Value: 0}}}}}),
		"an index filter by a writer":    writer.Database("shop").RunCommand(ctx, bson.D{{Key: "planCacheSetFilter", Value: "items"}, {Key: "query", Value: bson.D{}}, {Key: "indexes", Value: bson.A{"_id_"}}}).Err(),
		"insert by a reader":             insert(reader), "another database": find(writer, "other"), "nobody": find(connect("", ""), "shop"),
		"$out by a reader": func() error {
			_, err := reader.Database("shop").Collection("items").Aggregate(ctx, bson.A{bson.D{{Key: "$out", Value: "copy"}}})
			return err
		}(),
	} {
		var ce mongo.CommandError
		if !errors.As(err, &ce) || ce.Code != 13 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := find(connect("reader", "wrong"), "shop"); err == nil || !strings.Contains(err.Error(), "Authentication failed") {
		t.Errorf("wrong password: %v", err)
	}
}

type dialFunc func(context.Context) (net.Conn, error)

func (d dialFunc) DialContext(ctx context.Context, _, _ string) (net.Conn, error) { return d(ctx) }

// Whatever bytes come, the connection ends or is answered, and the engine lives.
func TestHostileBytesEndTheConnectionAndNoMore(t *testing.T) {
	e := memory(t, engine.Options{})
	rng := rand.New(rand.NewPCG(5, 6))
	valid := []byte("\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\x1e\x00\x00\x00\x10ping\x00\x01\x00\x00\x00\x02$db\x00\x02\x00\x00\x00a\x00\x00")
	valid[0] = byte(len(valid))
	for range 300 {
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() { e.ServeConn(context.Background(), server, "localhost:27017"); close(done) }() //nolint:errcheck // any end will do
		b := append([]byte(nil), valid...)
		for range rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		client.SetDeadline(time.Now().Add(50 * time.Millisecond))
		client.Write(b)                 //nolint:errcheck // it may be refused
		client.Read(make([]byte, 1000)) //nolint:errcheck // or not answered
		client.Close()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("connection did not end after %q", b)
		}
	}
	if got := command(t, e, "admin", bson.D{{Key: "ping", Value: 1}}); got["ok"] != 1.0 {
		t.Fatal(got)
	}
}

// A snapshot stays as it was, and can be gone back to.
func TestSnapshotAndRestore(t *testing.T) {
	e := memory(t, engine.Options{})
	insert := func(id int) {
		command(t, e, "d", bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{{Key: "_id", Value: id}}}}})
	}
	insert(1)
	snapshot := e.Snapshot()
	insert(2)
	command(t, e, "d", bson.D{{Key: "drop", Value: "c"}})
	if err := e.Restore(context.Background(), snapshot); err != nil {
		t.Fatal(err)
	}
	if got := command(t, e, "d", bson.D{{Key: "count", Value: "c"}})["n"]; got != int32(1) {
		t.Errorf("%v documents after going back, want 1", got)
	}
}
