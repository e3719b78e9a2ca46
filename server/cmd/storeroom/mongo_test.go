package main

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// served runs `storeroom mongo` until the test ends, and answers the address printed.
func served(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var out, err screen
	status := make(chan int)
	go func() {
		status <- run(ctx, terminal{out: &out, err: &err, env: func(string) string { return "" }}, append([]string{"mongo"}, args...))
	}()
	t.Cleanup(func() {
		cancel()
		if got := <-status; got != 0 {
			t.Errorf("storeroom mongo ended with %d: %s", got, err.String())
		}
	})
	return out.find(t, `(mongodb://\S+)`, &err)
}

// client is a driver's with nothing set but the address, and a login if any.
func client(t *testing.T, uri string, login *options.Credential) *driver.Database {
	t.Helper()
	o := options.Client().ApplyURI(uri).SetServerSelectionTimeout(10 * time.Second)
	if login != nil {
		o.SetAuth(*login)
	}
	c, err := driver.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(context.Background()) }) //nolint:errcheck // the server goes too
	return c.Database("admin")
}

func TestMongoAloneIsAReplicaSetAtThePrintedAddress(t *testing.T) {
	uri := served(t, "--listen", "localhost:0", "--test-commands")
	db := client(t, uri, nil)
	if err := db.Client().UseSession(t.Context(), func(ctx context.Context) error {
		s := driver.SessionFromContext(ctx)
		_, err := s.WithTransaction(ctx, func(ctx context.Context) (any, error) {
			return db.Client().Database("d").Collection("c").InsertOne(ctx, bson.D{{Key: "a", Value: 1}})
		})
		return err
	}); err != nil {
		t.Error("a transaction:", err)
	}
	var hello struct{ Me string }
	if err := db.RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil || "mongodb://"+hello.Me+"/" != uri {
		t.Errorf("hello tells me: %s, %v; %s was printed", hello.Me, err, uri)
	}
	off := bson.D{{Key: "configureFailPoint", Value: "failCommand"}, {Key: "mode", Value: "off"}}
	if err := db.RunCommand(t.Context(), off).Err(); err != nil {
		t.Error("--test-commands:", err)
	}
}

func TestMongoAloneDemandsPasswordsWithAuth(t *testing.T) {
	uri := served(t, "--listen", "127.0.0.1:0", "--auth")
	db := client(t, uri, nil)
	list := bson.D{{Key: "listDatabases", Value: 1}}
	if err := db.RunCommand(t.Context(), list).Err(); err == nil {
		t.Error("nobody may list the databases")
	}
	user := bson.D{{Key: "createUser", Value: "ann"}, {Key: "pwd", Value: "apple"}, {Key: "roles", Value: bson.A{"root"}}}
	if err := db.RunCommand(t.Context(), user).Err(); err != nil {
		t.Fatal("the first user:", err)
	}
	user[0].Value = "bob"
	if err := db.RunCommand(t.Context(), user).Err(); err == nil {
		t.Error("nobody made a second user")
	}
	ann := client(t, uri, &options.Credential{Username: "ann", Password: "apple"})
	if err := ann.RunCommand(t.Context(), list).Err(); err != nil {
		t.Error("ann:", err)
	}
	wrong := client(t, uri, &options.Credential{Username: "ann", Password: "pear"})
	if err := wrong.RunCommand(t.Context(), list).Err(); err == nil {
		t.Error("a wrong password was taken")
	}
}
