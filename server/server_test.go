package server

import (
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestThePagesAreTheCourse(t *testing.T) {
	b := open(t).browser()
	b.get("/").wants(t, 200, "<h1>The start</h1>", "<p>Welcome <em>all</em>.</p>", `href="/lesson/all"`)
	page := b.get("/lesson/redis")
	page.wants(t, 200, "<h1>About Redis</h1>", `data-cell="redis/one"`, "print(&#39;&lt;/script&gt;&#39;)", `href="/lesson/files"`, "All of it", "1 of 2")
	if strings.Contains(page.text, "</script>')") {
		t.Error("a cell's text stands in the page unescaped")
	}
	b.get("/lesson/files").wants(t, 200, "2 of 2")
	b.do("HEAD", "/lesson/redis", "").wants(t, 200)
	b.get("/lesson/oracle").wants(t, 404, "There is no such lesson", `href="/lesson/redis"`)
	b.get("/nowhere").wants(t, 404, "There is no such page")
	b.do("POST", "/lesson/redis", "").wants(t, 405, "can&#39;t be used like that")
	b.get("/assets/../server.go").wants(t, 404)
	b.get("/assets/nothing.js").wants(t, 404)
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	b := open(t).browser()
	for _, path := range []string{"/", "/seat", "/nowhere", "/healthz", "/assets/none", "/door"} {
		h := b.get(path).Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		policy := h.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestEachAnswerHasANonceOfItsOwn(t *testing.T) {
	b := open(t).browser()
	nonce := regexp.MustCompile(`'nonce-([^']{20,})'`)
	one, two := b.get("/"), b.get("/")
	first, second := nonce.FindStringSubmatch(one.Header.Get("Content-Security-Policy")), nonce.FindStringSubmatch(two.Header.Get("Content-Security-Policy"))
	if first == nil || second == nil || first[1] == second[1] {
		t.Errorf("nonces %q and %q", first, second)
	}
}

func TestTheSeatIsACookieThatScriptsCantRead(t *testing.T) {
	s := open(t)
	b := s.browser()
	cookies := b.get("/").Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if c.Name != seatCookie || len(c.Value) != 22 || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.MaxAge < 86400 || c.Path != "/" {
		t.Errorf("cookie %v", c)
	}
	seat := regexp.MustCompile(`data-seat="([^"]+)"`)
	name := seat.FindStringSubmatch(b.get("/").text)[1]
	if again := seat.FindStringSubmatch(b.get("/lesson/redis").text)[1]; again != name || name == "" {
		t.Errorf("the seat was %q and then %q", name, again)
	}
	if b.cookie(seatCookie) != c.Value {
		t.Error("the seat changed between two pages")
	}
	if s.browser().get("/").Cookies()[0].Value == c.Value {
		t.Error("two browsers have one seat")
	}
	if got := b.get("/", "Cookie", seatCookie+"=guess").Cookies()[0].Value; got == "guess" {
		t.Error("a token that nobody made was taken")
	}
}

func TestReadingMakesNoSandboxAndNoFile(t *testing.T) {
	s := open(t)
	for range 100 {
		s.browser().get("/").wants(t, 200)
	}
	if s.host.made != 0 {
		t.Errorf("%d sandboxes were made", s.host.made)
	}
}

func TestBehindAProxyCookiesAreSecureAndNamesThePublicOnes(t *testing.T) {
	s := open(t, func(c *Config) { c.Proxy = true })
	b := s.browser()
	page := b.get("/", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "learn.example.org", "X-Forwarded-For", "6.6.6.6, 192.0.2.7")
	page.wants(t, 200)
	if c := page.Cookies()[0]; !c.Secure || c.Name != "__Host-"+seatCookie {
		t.Errorf("cookie %v", c)
	}
	form := func(origin string) answer {
		return b.do("POST", "/seat/take", "code=x", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "learn.example.org", "Origin", origin)
	}
	form("https://learn.example.org").wants(t, 403, "That code is not good")
	form("http://learn.example.org").wants(t, 403, "a page of another site")
	form("https://example.org").wants(t, 403, "a page of another site")
}

func TestOnlyTheProxysOwnWordCountsForTheAddress(t *testing.T) {
	s := open(t, func(c *Config) { c.Proxy = true })
	b := s.browser()
	try := func(forwarded string) int {
		return b.do("POST", "/seat/take", "code=x", "X-Forwarded-For", forwarded).StatusCode
	}
	for i := range guessesAMin {
		if got := try("10.0.0." + string(rune('0'+i%10)) + ", 192.0.2.7"); got != 403 {
			t.Fatalf("try %d: status %d", i, got)
		}
	}
	if got := try("10.1.1.1, 192.0.2.7"); got != 429 {
		t.Errorf("a made-up first hop gave a new count: status %d", got)
	}
	if got := try("192.0.2.8"); got != 403 {
		t.Errorf("another address was counted as well: status %d", got)
	}
}

func TestOtherSitesCantSendForms(t *testing.T) {
	b := open(t).browser()
	b.get("/")
	for name, headers := range map[string][]string{
		"another origin":     {"Origin", "https://evil.example"},
		"no origin at all":   {"Origin", "null"},
		"the browser says":   {"Sec-Fetch-Site", "cross-site"},
		"a neighbouring one": {"Sec-Fetch-Site", "same-site"},
		"another port":       {"Origin", "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			b.do("POST", "/seat/delete", "a=b", headers...).wants(t, 403, "a page of another site")
		})
	}
	b.post("/seat/delete").wants(t, 200, "Everything was deleted")
}

func TestOnLoopbackOtherNamesAreRefused(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.get("/", "Host", "evil.example:7070").wants(t, 421, "localhost only", "--proxy")
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	b.get("/", "Host", "localhost:"+port).wants(t, 200)
	b.get("/", "Host", "[::1]:"+port).wants(t, 200)
}

func TestALargeFormIsRefused(t *testing.T) {
	b := open(t).browser()
	b.post("/seat/take", "code", strings.Repeat("x", 20_000)).wants(t, 413)
}

func TestTheDoorAsksForTheWord(t *testing.T) {
	s := open(t, func(c *Config) { c.Word = "heron" })
	b := s.browser()
	first := b.get("/lesson/redis")
	if first.wants(t, 303); first.Header.Get("Location") != "/door?next=%2Flesson%2Fredis" {
		t.Errorf("sent to %q", first.Header.Get("Location"))
	}
	b.get("/door?next=%2Flesson%2Fredis").wants(t, 200, `value="/lesson/redis"`, `name="word"`)
	b.post("/door", "word", "stork", "next", "/lesson/redis").wants(t, 403, "That is not the word")
	b.get("/").wants(t, 303)
	entered := b.post("/door", "word", " heron ", "next", "/lesson/redis")
	if entered.wants(t, 303); entered.Header.Get("Location") != "/lesson/redis" {
		t.Errorf("sent to %q", entered.Header.Get("Location"))
	}
	b.get("/lesson/redis").wants(t, 200)
	b.get("/door").wants(t, 303)

	b.get("/", "Cookie", doorCookie+"=heron").wants(t, 303)
	s.browser().get("/healthz").wants(t, 200)
	again := open(t, func(c *Config) { c.Word, c.Data = "stork", s.Data }).browser()
	again.get("/", "Cookie", doorCookie+"="+b.cookie(doorCookie)).wants(t, 303)
	same := open(t, func(c *Config) { c.Word, c.Data = "heron", s.Data }).browser()
	same.get("/", "Cookie", doorCookie+"="+b.cookie(doorCookie)).wants(t, 200)
}

func TestTheDoorSendsNobodyElsewhere(t *testing.T) {
	b := open(t, func(c *Config) { c.Word = "heron" }).browser()
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert", ""} {
		if to := b.post("/door", "word", "heron", "next", next).Header.Get("Location"); to != "/" {
			t.Errorf("%q leads to %q", next, to)
		}
	}
}

func TestGuessesAtTheDoorAreLimited(t *testing.T) {
	s := open(t, func(c *Config) { c.Word = "heron" })
	b := s.browser()
	for range guessesAMin {
		b.post("/door", "word", "stork").wants(t, 403)
	}
	b.post("/door", "word", "heron").wants(t, 429, "Wait a minute")
	s.clock.pass(time.Minute)
	b.post("/door", "word", "heron").wants(t, 303)
}

// A class sits behind one address.
func TestTheRightWordIsNoGuess(t *testing.T) {
	s := open(t, func(c *Config) { c.Word = "heron" })
	for range 3 * guessesAMin {
		s.browser().post("/door", "word", "heron").wants(t, 303)
	}
}

var shownCode = regexp.MustCompile(`<output>([A-Z0-9]{4}-[A-Z0-9]{4})</output>`)

func TestASeatCodeTakesTheSeatToAnotherBrowserOnce(t *testing.T) {
	s := open(t)
	one, two, three := s.browser(), s.browser(), s.browser()
	one.get("/")
	shown := shownCode.FindStringSubmatch(one.post("/seat/code").text)
	if shown == nil {
		t.Fatal("no code is shown")
	}
	two.get("/")
	typed := strings.ToLower(strings.ReplaceAll(shown[1], "-", " "))
	two.post("/seat/take", "code", typed).wants(t, 303)
	if two.cookie(seatCookie) != one.cookie(seatCookie) {
		t.Error("the other browser has another seat")
	}
	three.post("/seat/take", "code", shown[1]).wants(t, 403, "That code is not good")
	if three.cookie(seatCookie) == one.cookie(seatCookie) {
		t.Error("a code was good twice")
	}
}

func TestASeatCodeIsGoodForTenMinutes(t *testing.T) {
	s := open(t)
	one, two := s.browser(), s.browser()
	one.get("/")
	code := shownCode.FindStringSubmatch(one.post("/seat/code").text)[1]
	s.clock.pass(10*time.Minute + time.Second)
	two.post("/seat/take", "code", code).wants(t, 403)
	older := shownCode.FindStringSubmatch(one.post("/seat/code").text)[1]
	newer := shownCode.FindStringSubmatch(one.post("/seat/code").text)[1]
	two.post("/seat/take", "code", older).wants(t, 403)
	two.post("/seat/take", "code", newer).wants(t, 303)
}

func TestDeletingRemovesTheSandboxAndGivesANewSeat(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.get("/")
	before := b.cookie(seatCookie)
	page := b.connect()
	page.run(t, "print(6*7)")
	if s.host.made != 1 || len(s.host.boxes) != 1 {
		t.Fatalf("%d sandboxes", len(s.host.boxes))
	}
	b.post("/seat/delete").wants(t, 200, "Everything was deleted")
	if len(s.host.boxes) != 0 {
		t.Error("the sandbox is still there")
	}
	if b.cookie(seatCookie) == before {
		t.Error("the browser has the same seat")
	}
	page.closed(t, 4001)
}

func TestHealthRunsASnippetNowAndThen(t *testing.T) {
	s := open(t)
	b := s.browser()
	var report struct {
		OK      bool     `json:"ok"`
		Millis  float64  `json:"millis"`
		Lacks   []string `json:"lacks"`
		Problem string   `json:"problem"`
	}
	for range 10 {
		answer := b.get("/healthz")
		answer.wants(t, 200)
		if err := json.Unmarshal([]byte(answer.text), &report); err != nil || !report.OK || report.Millis != 1 || len(report.Lacks) != 1 {
			t.Fatalf("%s %v", answer.text, err)
		}
	}
	if s.host.runs != 1 || s.host.made != 1 {
		t.Errorf("%d runs in %d sandboxes for ten requests at once", s.host.runs, s.host.made)
	}
	s.host.mu.Lock()
	s.host.print = "41\n"
	s.host.mu.Unlock()
	s.clock.pass(healthKept + time.Second)
	b.get("/healthz").wants(t, 503, `"ok":false`, "and printed")
	if s.host.made != 1 {
		t.Error("a second sandbox was made for the health check")
	}
}

func TestListenSaysWhatToDo(t *testing.T) {
	taken, err := Listen(t.Context(), "127.0.0.1:0", "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct{ address, cert, key, want string }{
		"taken":          {taken.Addr().String(), "", "", "is taken by another program, perhaps another Storeroom: stop that one, or choose another port with --listen"},
		"not ours":       {"192.0.2.1:7070", "", "", "is no address of this machine"},
		"nonsense":       {"here", "", "", "the form is --listen ADDRESS:PORT"},
		"half a pair":    {"127.0.0.1:0", "cert.pem", "", "give both"},
		"no certificate": {"127.0.0.1:0", "cert.pem", "key.pem", "--tls-cert names a file that can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := Listen(t.Context(), c.address, c.cert, c.key)
			if err == nil {
				listener.Close()
				t.Fatal("it listens")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
		})
	}
}
