package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"storeroom/server/session"
)

// socket is the page's websocket.
type socket struct{ *websocket.Conn }

func (b *browser) dial(headers ...string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{"Origin": {b.site.URL()}}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	// The client's timeout would end the connection as well.
	client := &http.Client{Jar: b.http.Jar, Transport: b.http.Transport}
	return websocket.Dial(b.t.Context(), "ws"+strings.TrimPrefix(b.site.URL(), "http")+"/ws", &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: header, Subprotocols: []string{session.Subprotocol}})
}

func (b *browser) connect(headers ...string) socket {
	b.t.Helper()
	conn, _, err := b.dial(headers...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.CloseNow() })
	return socket{conn}
}

// read answers the next message's fields.
func (s socket) read(t *testing.T) (message map[string]any, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := s.Read(ctx)
	if err != nil {
		return nil, err
	}
	return message, json.Unmarshal(text, &message)
}

func (s socket) run(t *testing.T, code string) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"type": "run", "run": "r1", "cell": "redis/one", "lang": "python", "name": "one.py", "code": code})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), websocket.MessageText, text); err != nil {
		t.Fatal(err)
	}
	for {
		message, err := s.read(t)
		if err != nil {
			t.Fatal(err)
		}
		if event, ok := message["event"].(map[string]any); ok && event["kind"] == "end" {
			return
		}
	}
}

// closed reads on until the connection ends with a code.
func (s socket) closed(t *testing.T, want websocket.StatusCode) {
	t.Helper()
	for {
		if _, err := s.read(t); err != nil {
			if got := websocket.CloseStatus(err); got != want {
				t.Errorf("closed with %v (%v), want %v", got, err, want)
			}
			return
		}
	}
}

func (s socket) refused(t *testing.T, code websocket.StatusCode, text string) {
	t.Helper()
	message, err := s.read(t)
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := message["text"].(string); message["type"] != "error" || !strings.Contains(said, text) {
		t.Errorf("got %v, want an error with %q", message, text)
	}
	s.closed(t, code)
}

func TestTheSocketGreetsTheSeat(t *testing.T) {
	s := open(t)
	b := s.browser()
	page := b.get("/")
	hello, err := b.connect().read(t)
	if err != nil || hello["type"] != "hello" || !strings.Contains(page.text, `data-seat="`+hello["seat"].(string)+`"`) {
		t.Errorf("greeted with %v, %v", hello, err)
	}
}

func TestTheSocketIsForOurOwnPages(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.get("/")
	for name, headers := range map[string][]string{
		"another site":      {"Origin", "https://evil.example"},
		"another port":      {"Origin", "http://127.0.0.1:1"},
		"another scheme":    {"Origin", "https" + strings.TrimPrefix(s.URL(), "http")},
		"a sandboxed frame": {"Origin", "null"},
		"the browser says":  {"Sec-Fetch-Site", "cross-site"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, response, err := b.dial(headers...)
			if err == nil {
				conn.CloseNow()
				t.Fatal("it connected")
			}
			if response == nil || response.StatusCode != http.StatusForbidden {
				t.Errorf("refused with %v", err)
			}
		})
	}
	b.connect().run(t, "print(6*7)")
}

func TestTheSocketSaysWhyItRefuses(t *testing.T) {
	t.Run("no cookie", func(t *testing.T) {
		open(t).browser().connect().refused(t, session.CloseReload, "allow cookies")
	})
	t.Run("the word has changed", func(t *testing.T) {
		s := open(t, func(c *Config) { c.Word = "heron" })
		s.browser().connect("Cookie", seatCookie+"=AAAAAAAAAAAAAAAAAAAAAA").refused(t, session.CloseReload, "reload the page")
	})
	t.Run("another protocol", func(t *testing.T) {
		s := open(t)
		conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL(), "http")+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		socket{conn}.closed(t, websocket.StatusPolicyViolation)
	})
}

func TestNewSeatsAreLimitedAndOldOnesAreNot(t *testing.T) {
	s := open(t, func(c *Config) { c.Limits.SeatsPerMin = 3 })
	var browsers []*browser
	for range 3 {
		b := s.browser()
		b.get("/")
		b.connect().run(t, "print(6*7)")
		browsers = append(browsers, b)
	}
	late := s.browser()
	late.get("/").wants(t, 200)
	late.connect().refused(t, session.CloseLater, "many new learners")
	browsers[0].connect().run(t, "print(6*7)")
	s.clock.pass(20 * time.Second)
	late.connect().run(t, "print(6*7)")
}

func TestASeatOutlivesTheServer(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.get("/")
	b.connect().run(t, "print(6*7)")
	token := b.cookie(seatCookie)

	again := open(t, func(c *Config) { c.Data, c.Host, c.Limits.SeatsPerMin = s.Data, s.host, 0 })
	other := again.browser()
	other.connect("Cookie", seatCookie+"="+token).run(t, "print(6*7)")
	if s.host.made != 1 {
		t.Errorf("%d sandboxes were made for one seat", s.host.made)
	}
}
