package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
)

// played is a host whose runs do what their code says, one word a line:
//
//	print TEXT   one stdout event
//	flood N      N stdout events of 1,000 bytes
//	wait         until the test releases it
//	ask          an input event, and the answer as stdout
//	silent       ends without an End, as no host may
//	panic
type played struct {
	mu      sync.Mutex
	boxes   map[string]bool
	made    int
	looks   int
	resets  int
	fail    error // of Create
	release chan struct{}
	lines   chan string
}

func newPlayed() *played {
	return &played{boxes: map[string]bool{}, release: make(chan struct{}), lines: make(chan string, 1)}
}

func (p *played) Create(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return "", p.fail
	}
	p.made++
	id := fmt.Sprintf("box%d", p.made)
	p.boxes[id] = true
	return id, nil
}

func (p *played) Exists(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.boxes[id]
}

func (p *played) Run(ctx context.Context, id, run string, cell sandbox.Cell, sink func(sandbox.Event)) {
	sink(sandbox.Event{Kind: sandbox.Started})
	reason := sandbox.OK
	for line := range strings.Lines(cell.Code) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "print":
			sink(sandbox.Event{Kind: sandbox.Stdout, Text: rest + "\n"})
		case "flood":
			var n int
			fmt.Sscan(rest, &n)
			for range n {
				sink(sandbox.Event{Kind: sandbox.Stdout, Text: strings.Repeat("x", 1000)})
			}
		case "wait":
			select {
			case <-p.release:
			case <-ctx.Done():
				reason = sandbox.Stopped
			}
		case "ask":
			sink(sandbox.Event{Kind: sandbox.Input})
			sink(sandbox.Event{Kind: sandbox.Stdout, Text: <-p.lines})
		case "silent":
			return
		case "panic":
			panic("as the test wants it")
		}
	}
	sink(sandbox.Event{Kind: sandbox.End, Reason: reason})
	sink(sandbox.Event{Kind: sandbox.Stdout, Text: "after the end"})
}

func (p *played) Input(id, run, text string) error {
	select {
	case p.lines <- text:
		return nil
	default:
		return errors.New("not asking")
	}
}

func (p *played) Warm(string) {}

func (p *played) Shelves(ctx context.Context, id string) ([]sandbox.Shelf, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks++
	return []sandbox.Shelf{{Store: "files", Title: "Files", Detail: id, Items: []sandbox.Item{}}}, nil
}

func (p *played) Reset(context.Context, string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resets++
	return nil
}

// remembered are seats in memory.
type remembered struct {
	mu    sync.Mutex
	boxes map[string]string
}

func (r *remembered) Sandbox(seat string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.boxes[seat]
}

func (r *remembered) Assign(seat, sandbox string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.boxes[seat] = sandbox
	return nil
}

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is Sessions with a fake host behind a real HTTP server. The path of its address
// is the seat.
type bench struct {
	t *testing.T
	*Sessions
	host  *played
	seats *remembered
	clock *clock
	url   string
}

func newBench(t *testing.T, change ...func(*Config)) *bench {
	b := &bench{t: t, host: newPlayed(), seats: &remembered{boxes: map[string]string{}}, clock: &clock{now: time.Unix(1e9, 0)}}
	config := Config{Sandboxes: b.host, Seats: b.seats, Limits: sandbox.Defaults(), Log: slog.New(slog.DiscardHandler), Now: b.clock.Now,
		Cell: func(id string) (string, bool) { return "known.py", id == "lesson/known" || id == "redis/set-and-get" }}
	for _, c := range change {
		c(&config)
	}
	b.Sessions = New(config)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{Subprotocol}})
		if err != nil {
			t.Error(err)
			return
		}
		b.Serve(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), "K7-Heron", socket)
	}))
	b.url = server.URL
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return b
}

// page is the browser's side of a connection.
type page struct {
	t      *testing.T
	socket *websocket.Conn
}

// outgoing is any message of the server, as a page reads it.
type outgoing struct {
	Type    string          `json:"type"`
	Seat    string          `json:"seat"`
	Idle    bool            `json:"idle"`
	Runs    []knownRun      `json:"runs"`
	Event   sandbox.Event   `json:"event"`
	Run     string          `json:"run"`
	Seq     int64           `json:"seq"`
	Text    string          `json:"text"`
	Shelves []sandbox.Shelf `json:"shelves"`
	Now     int64           `json:"now"`
	Longest int64           `json:"longest"`
}

// open connects to a seat and reads the greeting.
func (b *bench) open(seat string) (*page, outgoing) {
	b.t.Helper()
	socket, _, err := websocket.Dial(b.t.Context(), b.url+"/"+seat, &websocket.DialOptions{Subprotocols: []string{Subprotocol}})
	if err != nil {
		b.t.Fatal(err)
	}
	socket.SetReadLimit(8 << 20)
	b.t.Cleanup(func() { socket.CloseNow() })
	p := &page{t: b.t, socket: socket}
	return p, p.next()
}

func (p *page) say(message string) {
	p.t.Helper()
	if err := p.socket.Write(p.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) run(id, code string) {
	p.t.Helper()
	text, err := json.Marshal(incoming{Type: "run", Run: id, Cell: "scratch", Lang: "python", Name: "scratch.py", Code: code})
	if err != nil {
		p.t.Fatal(err)
	}
	p.say(string(text))
}

// next reads a message; the zero message when the connection ends.
func (p *page) next() outgoing {
	message, _ := p.read()
	return message
}

func (p *page) read() (message outgoing, err error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := p.socket.Read(ctx)
	if err != nil {
		return message, err
	}
	if err := json.Unmarshal(text, &message); err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	return message, nil
}

// until reads up to the first message of a type and answers it.
func (p *page) until(kind string) outgoing {
	p.t.Helper()
	for {
		message, err := p.read()
		if err != nil {
			p.t.Fatalf("waiting for %q: %v", kind, err)
		}
		if message.Type == kind {
			return message
		}
	}
}

// events reads a run's events to its End, and checks their numbers.
func (p *page) events(run string, after int64) []sandbox.Event {
	p.t.Helper()
	var events []sandbox.Event
	for {
		message := p.until("event")
		if message.Event.Run != run {
			continue
		}
		if message.Event.Seq != after+1 {
			p.t.Fatalf("event %d follows %d", message.Event.Seq, after)
		}
		after++
		events = append(events, message.Event)
		if message.Event.Kind == sandbox.End {
			return events
		}
	}
}

// closed reads on until the connection ends, and answers the close code.
func (p *page) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		if _, err := p.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}
