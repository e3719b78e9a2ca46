package mongo

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, sandbox.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func connect(t *testing.T, s *Store) *mongo.Client {
	t.Helper()
	dial := func(ctx context.Context) (net.Conn, error) { return s.Dial(ctx, "localhost:27017") }
	c, err := mongo.Connect(options.Client().SetHosts([]string{"localhost:27017"}).SetDialer(dialer(dial)).SetServerSelectionTimeout(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(context.Background()) })
	return c
}

func TestShelfListsCollectionsOfAllDatabases(t *testing.T) {
	s := open(t, "")
	defer s.Close()
	ctx := context.Background()
	look := func() sandbox.Shelf {
		t.Helper()
		shelf, err := Inspect(ctx, func(ctx context.Context) (net.Conn, error) { return s.Dial(ctx, "localhost:27017") })
		if err != nil {
			t.Fatal(err)
		}
		return shelf
	}
	if diff := cmp.Diff(sandbox.Shelf{Store: "mongo", Title: "MongoDB"}, look()); diff != "" {
		t.Fatal(diff)
	}
	c := connect(t, s)
	insert := func(db, coll string, n int) {
		t.Helper()
		for range n {
			if _, err := c.Database(db).Collection(coll).InsertOne(ctx, bson.D{{Key: "name", Value: "John"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	insert("database_name", "collection_name", 1)
	insert("database_name", "users", 3)
	want := sandbox.Shelf{Store: "mongo", Title: "MongoDB", Detail: "database_name", Items: []sandbox.Item{
		{Name: "collection_name", Detail: "1 document"}, {Name: "users", Detail: "3 documents"}}}
	if diff := cmp.Diff(want, look()); diff != "" {
		t.Fatal(diff)
	}
	insert("other", "things", 2)
	want.Detail = "2 databases"
	want.Items = []sandbox.Item{{Name: "database_name.collection_name", Detail: "1 document"},
		{Name: "database_name.users", Detail: "3 documents"}, {Name: "other.things", Detail: "2 documents"}}
	if diff := cmp.Diff(want, look()); diff != "" {
		t.Fatal(diff)
	}
}

func TestDataIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := context.Background()
	if _, err := connect(t, s).Database("d").Collection("c").InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	n, err := connect(t, s).Database("d").Collection("c").EstimatedDocumentCount(ctx)
	if err != nil || n != 1 {
		t.Fatalf("%d documents, %v", n, err)
	}
}

func TestQuotaRefusesAndDeletingStillWorks(t *testing.T) {
	limits := sandbox.Defaults()
	limits.Mongo = 1 << 20
	s, err := Open("", limits)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	coll := connect(t, s).Database("d").Collection("c")
	for i := 0; ; i++ {
		_, err := coll.InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "pad", Value: make([]byte, 10_000)}})
		if err == nil {
			continue
		}
		var we mongo.WriteException
		if we, _ = err.(mongo.WriteException); len(we.WriteErrors) != 1 || we.WriteErrors[0].Code != 14031 || i < 50 {
			t.Fatalf("after %d: %v", i, err)
		}
		break
	}
	if _, err := coll.DeleteMany(ctx, bson.D{}); err != nil {
		t.Fatal(err)
	}
	if _, err := coll.InsertOne(ctx, bson.D{}); err != nil {
		t.Fatal(err)
	}
}
