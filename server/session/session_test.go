package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
)

func text(events []sandbox.Event) string {
	var out strings.Builder
	for _, e := range events {
		out.WriteString(e.Text)
	}
	return out.String()
}

func TestARunStreamsItsEventsAndThenTheShelves(t *testing.T) {
	b := newBench(t)
	p, hello := b.open("ada")
	if hello.Type != "hello" || hello.Seat != "K7-Heron" || !hello.Idle || len(hello.Runs) != 0 || hello.Longest < 128<<10 {
		t.Errorf("greeted with %+v", hello)
	}
	p.run("r1", "print a\nprint <b>\n")
	events := p.events("r1", 0)
	if len(events) != 4 || events[0].Kind != sandbox.Started || text(events) != "a\n<b>\n" || events[3].Reason != sandbox.OK {
		t.Errorf("events %+v", events)
	}
	if shelves := p.until("shelves"); shelves.Run != "r1" || shelves.Shelves[0].Detail != "box1" || shelves.Now != b.clock.Now().UnixMilli() {
		t.Errorf("shelves %+v", shelves)
	}
}

func TestTwoTabsShareASandboxAndARunShowsWhereItBegan(t *testing.T) {
	b := newBench(t)
	one, _ := b.open("ada")
	two, _ := b.open("ada")
	one.run("r1", "print a")
	one.events("r1", 0)
	if shelves := two.next(); shelves.Type != "shelves" || shelves.Run != "r1" {
		t.Errorf("the other tab got %+v, not the shelves alone", shelves)
	}
	two.run("r2", "print b")
	two.events("r2", 0)
	if b.host.made != 1 {
		t.Errorf("%d sandboxes were made for one seat", b.host.made)
	}
}

func TestSeatsHaveSandboxesOfTheirOwn(t *testing.T) {
	b := newBench(t)
	ada, _ := b.open("ada")
	bob, _ := b.open("bob")
	ada.run("same", "wait")
	ada.until("event")
	bob.run("same", "print bob's")
	bob.events("same", 0)
	if got := bob.until("shelves").Shelves[0].Detail; got == b.seats.Sandbox("ada") {
		t.Errorf("bob saw the shelves of %s", got)
	}
	bob.say(`{"type":"stop","run":"same"}`)
	bob.say(`{"type":"resume","run":"other","after":0}`)
	bob.until("gone")
	close(b.host.release)
	if events := ada.events("same", 1); events[0].Reason != sandbox.OK {
		t.Errorf("ada's run ended with %v after bob pressed Stop", events[0].Reason)
	}
}

func TestARunSurvivesADroppedConnection(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "print before\nwait\nprint after")
	for seen := p.until("event"); seen.Event.Seq < 2; seen = p.until("event") {
	}
	p.socket.CloseNow()

	again, hello := b.open("ada")
	if hello.Idle || len(hello.Runs) != 1 || hello.Runs[0] != (knownRun{Run: "r1", Cell: "scratch", Seq: 2}) {
		t.Fatalf("greeted with %+v", hello)
	}
	again.say(`{"type":"resume","run":"r1","after":2}`)
	close(b.host.release)
	if events := again.events("r1", 2); text(events) != "after\n" {
		t.Errorf("the rest was %q", text(events))
	}

	third, hello := b.open("ada")
	if !hello.Idle || len(hello.Runs) != 1 || hello.Runs[0].Seq != 4 {
		t.Fatalf("greeted with %+v", hello)
	}
	third.say(`{"type":"resume","run":"r1","after":0}`)
	if events := third.events("r1", 0); text(events) != "before\nafter\n" {
		t.Errorf("from the beginning it was %q", text(events))
	}
}

func TestARunSentTwiceRunsOnce(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "print once")
	p.events("r1", 0)
	p.run("r1", "print twice")
	if events := p.events("r1", 0); text(events) != "once\n" {
		t.Errorf("got %q", text(events))
	}
}

func TestAnEndedRunIsForgottenAfterAWhile(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "print a")
	p.events("r1", 0)
	p.until("shelves")
	b.clock.pass(b.Limits.ReplayFor + time.Second)
	again, hello := b.open("ada")
	if len(hello.Runs) != 0 || hello.Longest < 128<<10 {
		t.Errorf("greeted with %+v", hello)
	}
	again.say(`{"type":"resume","run":"r1","after":0}`)
	if gone := again.until("gone"); gone.Run != "r1" || gone.Seq != 0 {
		t.Errorf("got %+v", gone)
	}
}

func TestWhatIsKeptForAComebackIsBounded(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.Replay = 50_000 })
	p, _ := b.open("ada")
	for i := range 100 {
		p.run(fmt.Sprintf("r%d", i), "flood 20")
		p.events(fmt.Sprintf("r%d", i), 0)
	}
	p.run("long", "flood 200\nwait")
	for seen := p.until("event"); seen.Event.Seq < 201; seen = p.until("event") {
	}
	p.socket.CloseNow()

	one := b.Sessions.open["ada"]
	one.mu.Lock()
	held, sum, runs := one.held, int64(0), len(one.runs)
	for _, r := range one.runs {
		for _, f := range r.frames {
			sum += int64(len(f))
		}
	}
	one.mu.Unlock()
	if held > 50_000 || held != sum || runs != 1 {
		t.Errorf("%d bytes are held (counted as %d) of %d runs", sum, held, runs)
	}

	again, _ := b.open("ada")
	again.say(`{"type":"resume","run":"long","after":3}`)
	gone := again.until("gone")
	if gone.Run != "long" || gone.Seq < 100 || gone.Seq > 200 {
		t.Fatalf("got %+v", gone)
	}
	close(b.host.release)
	again.events("long", gone.Seq)
}

func TestManyShortRunsAreBoundedToo(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	for i := range mostRuns + 20 {
		p.run(fmt.Sprintf("r%d", i), "print a")
		p.events(fmt.Sprintf("r%d", i), 0)
		b.clock.pass(time.Second)
	}
	if _, hello := b.open("ada"); len(hello.Runs) != mostRuns || hello.Runs[mostRuns-1].Run != fmt.Sprintf("r%d", mostRuns+19) {
		t.Errorf("%d runs are kept", len(hello.Runs))
	}
}

func TestStopEndsARun(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "wait")
	p.until("event")
	p.say(`{"type":"stop","run":"r1"}`)
	if events := p.events("r1", 1); events[0].Reason != sandbox.Stopped {
		t.Errorf("ended with %v", events[0].Reason)
	}
	p.say(`{"type":"stop","run":"r1"}`) // once more does no harm
	p.say(`{"type":"ping"}`)
	p.until("pong")
}

func TestInputReachesTheRunThatAsks(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "ask")
	for p.until("event").Event.Kind != sandbox.Input {
	}
	p.say(`{"type":"input","run":"r1","text":"Ada \"the\" first"}`)
	if events := p.events("r1", 2); text(events) != `Ada "the" first` {
		t.Errorf("got %q", text(events))
	}
	p.say(`{"type":"input","run":"r1","text":"too late"}`)
	if got := p.until("error"); got.Run != "r1" || got.Text != "nothing waits for a line now: run the cell again" {
		t.Errorf("got %+v", got)
	}
}

func TestEveryRunEndsOnceWhateverTheHostDoes(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	for _, code := range []string{"silent", "panic"} {
		p.run(code, code)
		if events := p.events(code, 0); events[len(events)-1].Reason != sandbox.Internal || !strings.Contains(text(events), "inside Storeroom") {
			t.Errorf("%s: events %+v", code, events)
		}
	}
	p.run("after", "print a") // the fake says something after its End
	p.events("after", 0)
	p.say(`{"type":"resume","run":"after","after":2}`)
	if events := p.events("after", 2); len(events) != 1 {
		t.Errorf("something followed the end: %+v", events)
	}
}

func TestWithoutASandboxARunEndsInternal(t *testing.T) {
	b := newBench(t)
	b.host.fail = errors.New("the disk is full")
	p, _ := b.open("ada")
	p.run("r1", "print a")
	if events := p.events("r1", 0); events[0].Reason != sandbox.Internal || strings.Contains(text(events), "disk") {
		t.Errorf("events %+v", events)
	}
	if got := p.until("error").Text; !strings.Contains(got, "your shelves can't be shown now") {
		t.Errorf("got %q", got)
	}
}

func TestASandboxThatHadToGoIsReplaced(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "print a")
	p.until("shelves")
	b.host.mu.Lock()
	clear(b.host.boxes)
	b.host.mu.Unlock()
	p.run("r2", "print b")
	p.until("reset")
	p.events("r2", 0)
	if b.seats.Sandbox("ada") != "box2" {
		t.Errorf("the seat has %q", b.seats.Sandbox("ada"))
	}
}

func TestResetTellsAllTabs(t *testing.T) {
	b := newBench(t)
	one, _ := b.open("ada")
	two, _ := b.open("ada")
	one.say(`{"type":"reset"}`)
	for _, p := range []*page{one, two} {
		p.until("reset")
		p.until("shelves")
	}
	for range 20 {
		one.say(`{"type":"reset"}`)
		one.say(`{"type":"ping"}`)
		one.until("pong")
	}
	if b.host.resets > 6 {
		t.Errorf("%d resets were let through", b.host.resets)
	}
}

func TestAskingForShelvesWithoutEndCostsLittle(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	for range 100 {
		p.say(`{"type":"shelves"}`)
	}
	p.until("shelves")
	p.until("shelves") // the second look answers all that asked during the first
	b.host.mu.Lock()
	defer b.host.mu.Unlock()
	if b.host.looks > 10 {
		t.Errorf("%d looks", b.host.looks)
	}
}

func TestFramesThatAreNoMessagesAreAnsweredAndChangeNothing(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	for _, refused := range fixtures(t).RefusedByServer {
		p.say(refused)
		if got := p.next(); got.Type != "error" || got.Text != errNotUnderstood.Error() {
			t.Errorf("%s was answered with %+v", refused, got)
		}
	}
	p.say(`{"type":"run","run":"r1","cell":"lesson/unknown","lang":"python","name":"x.py","code":""}`)
	if got := p.next(); got.Type != "error" || !strings.Contains(got.Text, "reload the page") {
		t.Errorf("an unknown cell was answered with %+v", got)
	}
	if b.host.made != 0 {
		t.Error("a sandbox was made")
	}
}

func TestTooMuchClosesTheConnection(t *testing.T) {
	t.Run("messages", func(t *testing.T) {
		p, _ := newBench(t).open("ada")
		for range messageBurst + 50 {
			if p.socket.Write(t.Context(), websocket.MessageText, []byte(`{"type":"ping"}`)) != nil {
				break
			}
		}
		if got := p.closed(); got != websocket.StatusPolicyViolation {
			t.Errorf("closed with %v", got)
		}
	})
	t.Run("a frame too long", func(t *testing.T) {
		p, _ := newBench(t).open("ada")
		p.run("r1", strings.Repeat("#", 200_000))
		if got := p.closed(); got != websocket.StatusMessageTooBig {
			t.Errorf("closed with %v", got)
		}
	})
	t.Run("a binary frame", func(t *testing.T) {
		p, _ := newBench(t).open("ada")
		if err := p.socket.Write(t.Context(), websocket.MessageBinary, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := p.closed(); got != websocket.StatusUnsupportedData {
			t.Errorf("closed with %v", got)
		}
	})
	t.Run("tabs", func(t *testing.T) {
		b := newBench(t)
		for range mostTabs {
			b.open("ada")
		}
		p, refused := b.open("ada")
		if refused.Type != "error" || p.closed() != CloseLater {
			t.Errorf("one tab more was greeted with %+v", refused)
		}
		b.open("bob")
	})
	t.Run("runs at once", func(t *testing.T) {
		p, _ := newBench(t).open("ada")
		for i := range mostGoing {
			p.run(fmt.Sprintf("r%d", i), "wait")
		}
		p.run("more", "print a")
		if events := p.events("more", 0); events[0].Reason != sandbox.Busy {
			t.Errorf("ended with %v", events[0].Reason)
		}
	})
}

func TestASlowReaderIsDroppedAndComesBack(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "flood 1000")
	p.events("r1", 0)
	// Each resume queues a megabyte and nothing is read: the outbox is full after a few.
	for range 30 {
		if p.socket.Write(t.Context(), websocket.MessageText, []byte(`{"type":"resume","run":"r1","after":0}`)) != nil {
			break
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, connections := b.Counts(); connections > 0; _, connections = b.Counts() {
		if time.Now().After(deadline) {
			t.Fatal("the slow reader was not dropped")
		}
		time.Sleep(10 * time.Millisecond)
	}
	again, _ := b.open("ada")
	again.say(`{"type":"resume","run":"r1","after":990}`)
	again.events("r1", 990)
}

func TestDrainLetsAShortRunFinish(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "ask\nprint done")
	for p.until("event").Event.Kind != sandbox.Input {
	}
	drained := make(chan error)
	go func() { drained <- b.Drain(context.Background()) }()
	for !b.isDraining() {
		time.Sleep(time.Millisecond)
	}
	p.run("r2", "print late")
	if late := p.until("event").Event; late.Run != "r2" || late.Reason != sandbox.Shutdown {
		t.Errorf("a run that came late ended with %+v", late)
	}
	p.say(`{"type":"input","run":"r1","text":"go on"}`)
	last := p.until("event").Event
	for last.Kind != sandbox.End {
		last = p.until("event").Event
	}
	if last.Reason != sandbox.OK {
		t.Errorf("ended with %+v", last)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainEndsRunsAndCloses(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	idle, _ := b.open("bob")
	p.run("r1", "print a\nwait")
	for p.until("event").Event.Kind != sandbox.Stdout {
	}
	drained := make(chan error)
	go func() { drained <- b.Drain(context.Background()) }()
	if events := p.events("r1", 2); events[0].Reason != sandbox.Shutdown || events[0].Text == "" {
		t.Errorf("ended with %+v", events)
	}
	for _, one := range []*page{p, idle} {
		if got := one.closed(); got != websocket.StatusGoingAway {
			t.Errorf("closed with %v", got)
		}
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	late, refused := b.open("ada")
	if refused.Type != "error" || late.closed() != websocket.StatusGoingAway {
		t.Errorf("a late one was greeted with %+v", refused)
	}
}

func TestForgetClosesTheSeatAlone(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	other, _ := b.open("bob")
	p.run("r1", "wait")
	p.until("event")
	b.Forget("ada")
	if events := p.events("r1", 1); events[0].Reason != sandbox.Stopped {
		t.Errorf("ended with %v", events[0].Reason)
	}
	if got := p.closed(); got != CloseReload {
		t.Errorf("closed with %v", got)
	}
	other.say(`{"type":"ping"}`)
	other.until("pong")
}

func TestSweepForgetsSessionsThatNobodyNeeds(t *testing.T) {
	b := newBench(t)
	p, _ := b.open("ada")
	p.run("r1", "print a")
	p.until("shelves")
	p.socket.CloseNow()
	for b.sessionsAfterSweep() == 1 { // until the look after the run has rested
		b.clock.pass(b.Limits.ReplayFor + time.Second)
		time.Sleep(time.Millisecond)
	}
}

func (b *bench) sessionsAfterSweep() int {
	b.Sweep()
	seats, _ := b.Counts()
	return seats
}

// shared are the fixtures that the page's tests read as well.
type shared struct {
	FromPage        []json.RawMessage `json:"from_page"`
	FromServer      []json.RawMessage `json:"from_server"`
	RefusedByServer []string          `json:"refused_by_server"`
}

func fixtures(t *testing.T) (f shared) {
	t.Helper()
	raw, err := os.ReadFile("../../web/fixtures/protocol.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f
}
