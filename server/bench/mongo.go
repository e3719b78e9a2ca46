package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox/store/mongo/engine"
)

// ours is `storeroom mongo`, a process of its own, reached by MongoDB's driver over TCP.
type ours struct {
	server *server // nil: another's
	client *mongo.Client
	db     *mongo.Database
	folder string
}

func openMongo(ctx context.Context, program, folder string) (contender, error) {
	args := []string{"mongo", "--listen", "127.0.0.1:0"}
	if folder != "" {
		args = append(args, "--data", folder)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	s, err := launch(cmd)
	if err != nil {
		return nil, err
	}
	o, err := connectMongo(s.address, folder)
	if err != nil {
		s.stop()
		return nil, err
	}
	o.server = s
	return o, nil
}

func connectMongo(address, folder string) (*ours, error) {
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	if err != nil {
		return nil, err
	}
	return &ours{client: client, db: client.Database("bench"), folder: folder}, nil
}

func (o *ours) name() string {
	if o.folder == "" {
		return "ours, in memory"
	}
	return "ours, in a folder"
}

func (o *ours) close() error {
	err := o.client.Disconnect(context.Background())
	if o.server != nil {
		err = errors.Join(err, o.server.stop())
	}
	return err
}

func (o *ours) clear(ctx context.Context, coll string) error {
	if err := o.db.Collection(coll).Drop(ctx); err != nil {
		return err
	}
	return o.db.CreateCollection(ctx, coll)
}

func (o *ours) insert(ctx context.Context, coll string, docs []person) error {
	if len(docs) == 1 {
		_, err := o.db.Collection(coll).InsertOne(ctx, docs[0])
		return err
	}
	_, err := o.db.Collection(coll).InsertMany(ctx, docs)
	return err
}

func (o *ours) index(ctx context.Context, coll string) error {
	_, err := o.db.Collection(coll).Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "key", Value: 1}}, Options: options.Index().SetUnique(true)})
	return err
}

func (o *ours) find(ctx context.Context, coll, key string) (p person, err error) {
	return p, o.db.Collection(coll).FindOne(ctx, bson.D{{Key: "key", Value: key}}).Decode(&p)
}

func (o *ours) update(ctx context.Context, coll string, id int32) error {
	_, err := o.db.Collection(coll).UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "amount", Value: 1}}}})
	return err
}

func (o *ours) remove(ctx context.Context, coll string, id int32) error {
	_, err := o.db.Collection(coll).DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
	return err
}

// from is the filter on amounts.
func from(least int) bson.D {
	return bson.D{{Key: "amount", Value: bson.D{{Key: "$gte", Value: least}}}}
}

func (o *ours) count(ctx context.Context, coll string, least int) (int64, error) {
	return o.db.Collection(coll).CountDocuments(ctx, from(least))
}

func (o *ours) group(ctx context.Context, coll string, least int) (all []total, err error) {
	pipeline := mongo.Pipeline{{{Key: "$group", Value: bson.D{
		{Key: "_id", Value: "$city"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}},
		{Key: "sum", Value: bson.D{{Key: "$sum", Value: "$amount"}}}, {Key: "most", Value: bson.D{{Key: "$max", Value: "$amount"}}},
	}}}}
	if least > 0 {
		pipeline = mongo.Pipeline{{{Key: "$match", Value: from(least)}}, pipeline[0], {{Key: "$sort", Value: bson.D{{Key: "sum", Value: -1}}}}}
	}
	cursor, err := o.db.Collection(coll).Aggregate(ctx, pipeline)
	if err != nil {
		return nil, err
	}
	return all, cursor.All(ctx, &all)
}

func (o *ours) join(ctx context.Context, left, right string) (pairs int, err error) {
	cursor, err := o.db.Collection(left).Aggregate(ctx, mongo.Pipeline{{{Key: "$lookup", Value: bson.D{
		{Key: "from", Value: right}, {Key: "localField", Value: "friend"}, {Key: "foreignField", Value: "key"}, {Key: "as", Value: "friends"},
	}}}})
	if err != nil {
		return 0, err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		friends, err := cursor.Current.Lookup("friends").Array().Values()
		if err != nil {
			return 0, err
		}
		pairs += len(friends)
	}
	return pairs, cursor.Err()
}

func (o *ours) ping(ctx context.Context) error {
	return o.db.RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err()
}

// instances is how many empty ones are measured together.
const instances = 100

// idle is the memory that an engine in this process takes: heap and stacks in use.
func (o *ours) idle(context.Context) (int64, error) {
	before := inUse()
	var all []*engine.Engine
	for i := range instances {
		folder := ""
		if o.folder != "" {
			folder = fmt.Sprintf("%s-idle-%d", o.folder, i)
		}
		e, err := engine.Open(folder, engine.Options{})
		if err != nil {
			return 0, err
		}
		defer e.Close()
		all = append(all, e)
	}
	each := (inUse() - before) / instances
	runtime.KeepAlive(all)
	return each, nil
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
