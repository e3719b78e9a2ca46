package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"

	"storeroom/server"
)

func listenAnywhere(t *testing.T, address string) (net.Listener, error) {
	return server.Listen(t.Context(), address, "", "")
}

func TestStoresOffersOneSandboxsStores(t *testing.T) {
	needsParts(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, err screen
	status := make(chan int)
	go func() {
		status <- run(ctx, terminal{out: &out, err: &err, env: func(string) string { return "" }}, []string{"stores"})
	}()
	find := func(pattern string) string { t.Helper(); return out.find(t, pattern, &err) }
	find(`(until you press Ctrl-C)`)

	db, problem := pgx.Connect(ctx, find(`(postgres://postgres:secret@127\.0\.0\.1:\d+/testdb)`))
	if problem != nil {
		t.Fatal(problem)
	}
	var rows int
	if problem := db.QueryRow(ctx, "SELECT count(*) FROM table_name").Scan(&rows); problem != nil || rows == 0 {
		t.Errorf("%d rows, %v", rows, problem)
	}
	db.Close(ctx)

	redis, problem := net.Dial("tcp", find(`redis://(127\.0\.0\.1:\d+)/0`))
	if problem != nil {
		t.Fatal(problem)
	}
	defer redis.Close()
	fmt.Fprint(redis, "PING\r\n")
	if answer, problem := bufio.NewReader(redis).ReadString('\n'); answer != "+PONG\r\n" {
		t.Errorf("Redis said %q, %v", answer, problem)
	}
	find(`(mongodb://127\.0\.0\.1:\d+/)`)

	cancel()
	if got := <-status; got != 0 {
		t.Errorf("status %d: %s", got, err.String())
	}
}

func TestStoresOffersOnlyWhatWasAskedFor(t *testing.T) {
	offers := storeOffers()
	offers[1].address = ":0"
	listeners, err := listenAll(t.Context(), offers)
	if err != nil || len(listeners) != 1 || listeners[offers[1]] == nil {
		t.Fatalf("%v %v", listeners, err)
	}
	taken := listeners[offers[1]]
	defer taken.Close()
	again := storeOffers()
	again[0].address, again[1].address = "0", taken.Addr().String()
	if _, err := listenAll(t.Context(), again); err == nil {
		t.Error("a port was taken twice")
	}
}

func TestAPortOfAStoreThatCantBeTakenIsNamed(t *testing.T) {
	taken, err := listenAnywhere(t, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	storeroom(t, "", "stores", "--redis", port).wants(t, 1, "", "--redis "+port+": another program listens there")
	for _, nonsense := range []string{"here", "99999", "-1"} {
		storeroom(t, "", "stores", "--redis", nonsense).wants(t, 2, "", "it must be a port such as 5432")
	}
}
