package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"storeroom/lessons"
	"storeroom/sandbox"
)

// played is a host whose snippets print 42.
type played struct {
	mu    sync.Mutex
	boxes map[string]bool
	made  int
	runs  int
	print string
}

func (p *played) Create(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	p.mu.Lock()
	p.runs++
	print := p.print
	p.mu.Unlock()
	sink(sandbox.Event{Kind: sandbox.Stdout, Text: print})
	sink(sandbox.Event{Kind: sandbox.End, Reason: sandbox.OK, Millis: 1})
}

func (p *played) Input(id, run, text string) error { return nil }

func (p *played) Warm(string) {}

func (p *played) Shelves(context.Context, string) ([]sandbox.Shelf, error) { return nil, nil }

func (p *played) Reset(context.Context, string) error { return nil }

func (p *played) Delete(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.boxes, id)
	return nil
}

func (p *played) Health(context.Context) (Counts, error) {
	return Counts{Awake: len(p.boxes), Lacks: []string{"a kernel that can do it"}}, nil
}

// course is two lessons, one below the other.
func course(t *testing.T) *lessons.Course {
	t.Helper()
	page := func(id, title, section string, level int, text string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(fmt.Sprintf("---\nid: %s\ntitle: %s\nsection: %s\nlevel: %d\n---\n%s\n", id, title, section, level, text))}
	}
	course, err := lessons.Load(fstest.MapFS{
		"01-start/page.md": page("start", "The start", "Data Storage and Retrieval", 1, "Welcome *all*."),
		"02-all/page.md":   page("all", "All of it", "Overview of Different Types of Data Storage Systems", 2, "Over."),
		"03-redis/page.md": page("redis", "About Redis", "Interacting with Redis", 3, "Before.\n\n::cell one.py \"Show <it>\"\n"),
		"03-redis/one.py":  {Data: []byte("print('</script>')")},
		"03-redis/one.out": {Data: []byte("</script>\n")},
		"04-files/page.md": page("files", "About files", "Interacting with Redis", 3, "After."),
	})
	if err != nil {
		t.Fatal(err)
	}
	return course
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

// site is a server with a fake host, on a port of its own.
type site struct {
	*Server
	t     *testing.T
	host  *played
	clock *clock
	trust http.RoundTripper // nil for http
}

func open(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	listener, err := Listen(t.Context(), "127.0.0.1:0", "", "")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, host: &played{boxes: map[string]bool{}, print: "42\n"}, clock: &clock{now: time.Now()}}
	config := Config{Listener: listener, Data: t.TempDir(), Limits: sandbox.Defaults(), Course: course(t), Host: s.host, Log: slog.New(slog.DiscardHandler), Now: s.clock.Now}
	for _, c := range change {
		c(&config)
	}
	if s.Server, err = New(config); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

// browser is one learner's browser: it keeps cookies and follows no redirect by itself.
type browser struct {
	t    *testing.T
	site *site
	http *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{t: s.t, site: s, http: &http.Client{Jar: jar, Transport: s.trust, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a response that was read.
type answer struct {
	*http.Response
	text string
}

func (b *browser) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site.URL()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	response, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response, string(text)}
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.do("GET", path, "", headers...)
}

// post sends a form as a page of ours does.
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, form.Encode(), "Origin", b.site.URL(), "Sec-Fetch-Site", "same-origin")
}

func (b *browser) cookie(name string) string {
	at, err := url.Parse(b.site.URL())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range b.http.Jar.Cookies(at) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

func (a answer) wants(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("%s %s lacks %q", a.Request.Method, a.Request.URL.Path, text)
		}
	}
}
