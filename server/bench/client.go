package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
)

// learner is one seat with an open page.
type learner struct {
	conn *websocket.Conn
	runs int
}

// took is what one press of Run cost, seen from the page.
type took struct {
	first time.Duration // to the first output
	all   time.Duration // to the end
}

// join opens a page as a new learner and the websocket beside it.
func join(ctx context.Context, address string) (*learner, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/", nil)
	if err != nil {
		return nil, err
	}
	page, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	page.Body.Close()
	if page.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the page answered %s", page.Status)
	}
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(address, "http")+"/ws", &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{"storeroom.v1"}, HTTPHeader: http.Header{"Origin": {address}},
	})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(4 << 20)
	// The page asks for the shelves as soon as it is open.
	return &learner{conn: conn}, conn.Write(ctx, websocket.MessageText, []byte(`{"type":"shelves"}`))
}

func (l *learner) leave() { l.conn.CloseNow() }

type message struct {
	Type  string         `json:"type"`
	Run   string         `json:"run,omitempty"`
	Cell  string         `json:"cell,omitempty"`
	Lang  string         `json:"lang,omitempty"`
	Name  string         `json:"name,omitempty"`
	Code  string         `json:"code,omitempty"`
	Event *sandbox.Event `json:"event,omitempty"`
	Text  string         `json:"text,omitempty"`
}

// run presses Run and waits for the end. A run that does not end well is an error.
func (l *learner) run(ctx context.Context, code string) (took, error) {
	l.runs++
	m := message{Type: "run", Run: fmt.Sprintf("b%d", l.runs), Cell: "scratch", Lang: "python", Name: "bench.py", Code: code}
	said, err := json.Marshal(m)
	if err != nil {
		return took{}, err
	}
	began := time.Now()
	if err := l.conn.Write(ctx, websocket.MessageText, said); err != nil {
		return took{}, err
	}
	var t took
	var errors strings.Builder
	for {
		_, said, err := l.conn.Read(ctx)
		if err != nil {
			return took{}, err
		}
		now := time.Since(began)
		var got message
		if err := json.Unmarshal(said, &got); err != nil {
			return took{}, err
		}
		if got.Type == "error" {
			return took{}, fmt.Errorf("the server says: %s", got.Text)
		}
		if got.Type != "event" || got.Event.Run != m.Run {
			continue
		}
		switch e := got.Event; e.Kind {
		case sandbox.Stdout:
			if t.first == 0 {
				t.first = now
			}
		case sandbox.Stderr:
			errors.WriteString(e.Text)
		case sandbox.End:
			t.all = now
			if e.Reason != sandbox.OK {
				return t, fmt.Errorf("a run ended with %s: %s %s", e.Reason, e.Text, errors.String())
			}
			return t, nil
		}
	}
}

// ping asks for an answer that costs the server nothing.
func (l *learner) ping(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := l.conn.Write(ctx, websocket.MessageText, []byte(`{"type":"ping"}`)); err != nil {
		return 0, err
	}
	for {
		_, said, err := l.conn.Read(ctx)
		took := time.Since(began)
		if err != nil {
			return 0, err
		}
		var got message
		if err := json.Unmarshal(said, &got); err != nil {
			return 0, err
		}
		if got.Type == "pong" {
			return took, nil
		}
	}
}
