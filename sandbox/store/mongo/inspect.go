package mongo

import (
	"context"
	"fmt"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"storeroom/sandbox"
)

// inspectTime bounds one look at the shelf.
const inspectTime = 5 * time.Second

// Inspect lists the collections of all databases but MongoDB's own, through dial.
func Inspect(ctx context.Context, dial func(context.Context) (net.Conn, error)) (sandbox.Shelf, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	shelf := sandbox.Shelf{Store: "mongo", Title: "MongoDB"}
	client, err := mongo.Connect(options.Client().SetHosts([]string{"localhost:27017"}).SetDirect(true).
		SetDialer(dialer(dial)).SetMaxPoolSize(1).SetHeartbeatInterval(time.Hour).
		SetServerMonitoringMode("poll").SetRetryReads(false).SetAppName("storeroom"))
	if err != nil {
		return shelf, fmt.Errorf("inspect mongodb: %w", err)
	}
	defer client.Disconnect(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to do about it
	if err := list(ctx, client, &shelf); err != nil {
		return shelf, fmt.Errorf("inspect mongodb: %w", err)
	}
	return shelf, nil
}

type dialer func(context.Context) (net.Conn, error)

func (d dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) { return d(ctx) }

func list(ctx context.Context, client *mongo.Client, shelf *sandbox.Shelf) error {
	own := bson.D{{Key: "name", Value: bson.D{{Key: "$nin", Value: bson.A{"admin", "config", "local"}}}}}
	names, err := client.ListDatabaseNames(ctx, own)
	if err != nil {
		return err
	}
	switch len(names) {
	case 0:
	case 1:
		shelf.Detail = names[0]
	default:
		shelf.Detail = fmt.Sprintf("%d databases", len(names))
	}
	for _, name := range names {
		prefix := ""
		if len(names) > 1 {
			prefix = name + "."
		}
		if err := listDatabase(ctx, client.Database(name), prefix, shelf); err != nil {
			return err
		}
	}
	return nil
}

func listDatabase(ctx context.Context, db *mongo.Database, prefix string, shelf *sandbox.Shelf) error {
	specs, err := db.ListCollectionSpecifications(ctx, bson.D{})
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if spec.Name == "system.views" { // each view has its own line
			continue
		}
		if len(shelf.Items) == sandbox.MaxItems {
			shelf.More++
			continue
		}
		item := sandbox.Item{Name: prefix + spec.Name, Detail: "view"}
		if spec.Type != "view" {
			n, err := db.Collection(spec.Name).EstimatedDocumentCount(ctx)
			if err != nil {
				return err
			}
			item.Detail = documents(n)
		}
		shelf.Items = append(shelf.Items, item)
	}
	return nil
}

func documents(n int64) string {
	if n == 1 {
		return "1 document"
	}
	return fmt.Sprintf("%d documents", n)
}
