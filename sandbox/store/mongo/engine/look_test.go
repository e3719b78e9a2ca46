package engine_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// request is a command as OP_MSG.
func request(t *testing.T, id int32, cmd bson.D) []byte {
	t.Helper()
	doc, err := bson.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(21+len(doc)))
	b = binary.LittleEndian.AppendUint32(b, uint32(id))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, 2013)
	return append(append(b, 0, 0, 0, 0, 0), doc...)
}

// endless works far longer than a test waits.
func endless(coll string) bson.D {
	all := d("from", coll, "pipeline", bson.A{}, "as", "x")
	return d("aggregate", coll, "cursor", d(), "$db", "d", "pipeline", bson.A{
		d("$lookup", all), d("$unwind", "$x"), d("$lookup", all), d("$match", d("x.none", 1)),
	})
}

// running counts the aggregates that go on.
func running(t *testing.T, e *engine.Engine) (n int) {
	t.Helper()
	reply := command(t, e, "admin", d("currentOp", 1, "command.aggregate", "c"))
	return len(reply["inprog"].(bson.A))
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("after 20 s: not ", what)
		}
	}
}

func TestAClientThatGoesEndsItsCommand(t *testing.T) {
	e := memory(t, engine.Options{})
	docs := bson.A{}
	for i := range 2000 {
		docs = append(docs, d("_id", i))
	}
	command(t, e, "d", d("insert", "c", "documents", docs))
	for name, before := range map[string]time.Duration{"at once": 0, "when it has run for long": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			client, server := net.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				e.ServeConn(context.Background(), server, "localhost:27017") //nolint:errcheck // the client's end is what is tested
			}()
			if _, err := client.Write(request(t, 1, endless("c"))); err != nil {
				t.Fatal(err)
			}
			until(t, "running", func() bool { return running(t, e) == 1 })
			time.Sleep(before)
			client.Close()
			until(t, "ended", func() bool { return running(t, e) == 0 })
			<-ended
		})
	}
}

// A message that comes while a command runs waits for it, and none is lost.
func TestMessagesSentAheadAreAnsweredInOrder(t *testing.T) {
	e := memory(t, engine.Options{})
	client, server := net.Pipe()
	defer client.Close()
	go e.ServeConn(context.Background(), server, "localhost:27017") //nolint:errcheck // ends with the test
	first := command(t, e, "admin", d("hello", 1))
	hello := d("hello", 1, "maxAwaitTimeMS", 150, "$db", "admin", "topologyVersion", first["topologyVersion"])
	go func() {
		var all []byte
		for i := range 6 {
			all = append(all, request(t, int32(10+i), hello)...)
			all = append(all, request(t, int32(20+i), d("ping", 1, "$db", "admin"))...)
		}
		for len(all) > 0 { // in pieces that end within messages
			n := min(len(all), 150)
			if _, err := client.Write(all[:n]); err != nil {
				return
			}
			all = all[n:]
			time.Sleep(5 * time.Millisecond)
		}
	}()
	client.SetReadDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // a pipe has deadlines
	for i := range 12 {
		id := int32(10 + i/2 + 10*(i%2))
		if got := answered(t, client); got != id {
			t.Fatalf("reply %d answers %d, not %d", i, got, id)
		}
	}
}

// answered reads a reply and tells which request it answers.
func answered(t *testing.T, conn net.Conn) int32 {
	t.Helper()
	var head [16]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, binary.LittleEndian.Uint32(head[:])-16)); err != nil {
		t.Fatal(err)
	}
	return int32(binary.LittleEndian.Uint32(head[8:]))
}
