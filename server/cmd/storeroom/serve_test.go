package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
	"storeroom/server/session"
)

// serving is storeroom serve in a process of its own, so that it can be killed.
type serving struct {
	t       *testing.T
	command *exec.Cmd
	url     string
	log     *screen
	trust   http.RoundTripper // nil for http
	exited  chan error
}

// folder is short and open to the sandboxes' users, which a test's own is not.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "storeroom-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func start(t *testing.T, dir string, args ...string) *serving {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir + "/data", "--run", dir + "/run", "--pool", "1"}, args...)
	s := &serving{t: t, command: exec.Command(self, args...), log: &screen{}, exited: make(chan error, 1)}
	s.command.Env = append(os.Environ(), asProgram+"=1")
	s.command.Stderr = s.log
	out, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(os.Kill) })
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("it printed %q (%v)\n%s", line, err, s.log)
	}
	s.url = url
	go func() {
		io.Copy(io.Discard, out)
		s.exited <- s.command.Wait()
	}()
	return s
}

// end sends a signal and waits for the process to go.
func (s *serving) end(signal os.Signal) error {
	if s.exited == nil {
		return nil
	}
	s.command.Process.Signal(signal)
	select {
	case err := <-s.exited:
		s.exited = nil
		return err
	case <-time.After(30 * time.Second):
		s.command.Process.Kill()
		s.t.Errorf("it did not end\n%s", s.log)
		return nil
	}
}

// learner is a browser with a page open.
type learner struct {
	t      *testing.T
	http   *http.Client
	socket *websocket.Conn
	runs   int
}

func (s *serving) learner(cookies http.CookieJar) *learner {
	s.t.Helper()
	l := &learner{t: s.t, http: &http.Client{Jar: cookies, Transport: s.trust}}
	l.get(s.url + "/")
	l.connect(s)
	return l
}

func jar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

func (l *learner) get(url string) (int, string) {
	l.t.Helper()
	response, err := l.http.Get(url)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (l *learner) connect(s *serving) {
	l.t.Helper()
	socket, _, err := websocket.Dial(l.t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/ws", &websocket.DialOptions{
		HTTPClient: l.http, HTTPHeader: http.Header{"Origin": {s.url}}, Subprotocols: []string{session.Subprotocol}})
	if err != nil {
		l.t.Fatal(err)
	}
	socket.SetReadLimit(8 << 20)
	l.t.Cleanup(func() { socket.CloseNow() })
	l.socket = socket
}

// said is a message of the server.
type said struct {
	Type    string          `json:"type"`
	Event   sandbox.Event   `json:"event"`
	Run     string          `json:"run"`
	Text    string          `json:"text"`
	Shelves []sandbox.Shelf `json:"shelves"`
}

func (l *learner) read() (message said, err error) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 60*time.Second)
	defer cancel()
	_, text, err := l.socket.Read(ctx)
	if err != nil {
		return message, err
	}
	return message, json.Unmarshal(text, &message)
}

func (l *learner) until(is func(said) bool) said {
	l.t.Helper()
	for {
		message, err := l.read()
		if err != nil {
			l.t.Fatal(err)
		}
		if is(message) {
			return message
		}
	}
}

func (l *learner) say(message map[string]any) {
	l.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.socket.Write(l.t.Context(), websocket.MessageText, text); err != nil {
		l.t.Fatal(err)
	}
}

// start begins a run and answers its id.
func (l *learner) start(code string) string {
	l.t.Helper()
	l.runs++
	id := "r" + strings.Repeat("i", l.runs)
	l.say(map[string]any{"type": "run", "run": id, "cell": "scratch", "lang": "python", "name": "scratch.py", "code": code})
	return id
}

// run runs code to its end and answers what it printed.
func (l *learner) run(code string) (stdout string, end sandbox.Event) {
	l.t.Helper()
	id := l.start(code)
	end = l.until(func(m said) bool {
		if m.Event.Run == id && m.Event.Kind == sandbox.Stdout {
			stdout += m.Event.Text
		}
		return m.Event.Run == id && m.Event.Kind == sandbox.End
	}).Event
	return stdout, end
}

// wants fails the test unless code ends well and prints this.
func (l *learner) wants(code, stdout string) {
	l.t.Helper()
	if got, end := l.run(code); got != stdout || end.Reason != sandbox.OK {
		l.t.Errorf("%q printed %q and ended with %v %q", code, got, end.Reason, end.Text)
	}
}

const setRedis = "import redis\nr = redis.Redis()\nr.set('foo', 'bar')\nopen('mine.txt', 'w').write('mine')\nprint(r.get('foo'))"
const getRedis = "import redis\nr = redis.Redis()\nprint(r.get('foo'), open('mine.txt').read())"

func TestServeRunsALearnersCode(t *testing.T) {
	needsParts(t)
	s := start(t, folder(t))
	ada := s.learner(jar(t))
	if status, text := ada.get(s.url + "/lesson/redis"); status != 200 || !strings.Contains(text, `data-cell="redis/set-and-get"`) {
		t.Errorf("the lesson's page: status %d", status)
	}
	ada.wants("print(6*7)", "42\n")
	ada.wants(setRedis, "b'bar'\n")
	shelves := ada.until(func(m said) bool { return m.Type == "shelves" && m.Run == "rii" }).Shelves
	items := map[string]string{}
	for _, shelf := range shelves {
		for _, item := range shelf.Items {
			items[shelf.Store+" "+item.Name] = item.Detail
		}
	}
	if items["redis foo"] != "“bar”" || items["files mine.txt"] != "4 B" {
		t.Errorf("the shelves hold %v", items)
	}

	bob := s.learner(jar(t))
	bob.wants("import os, redis\nprint(redis.Redis().get('foo'), os.path.exists('mine.txt'))", "None False\n")

	if status, text := ada.get(s.url + "/healthz"); status != 200 || !strings.Contains(text, `"ok":true`) {
		t.Errorf("/healthz: status %d %s", status, text)
	}
	if log := s.log.String(); strings.Contains(log, "6*7") || strings.Contains(log, "mine.txt") {
		t.Errorf("a learner's code is in the log:\n%s", log)
	}
}

func TestServeStreamsStopsAndAsks(t *testing.T) {
	needsParts(t)
	ada := start(t, folder(t)).learner(jar(t))
	run := ada.start("import time\nprint('first', flush=True)\nwhile True: time.sleep(0.01)")
	ada.until(func(m said) bool { return m.Event.Text == "first\n" })
	ada.say(map[string]any{"type": "stop", "run": run})
	if end := ada.until(func(m said) bool { return m.Event.Kind == sandbox.End }).Event; end.Reason != sandbox.Stopped {
		t.Errorf("ended with %+v", end)
	}
	run = ada.start("print('hello', input())")
	ada.until(func(m said) bool { return m.Event.Kind == sandbox.Input })
	ada.say(map[string]any{"type": "input", "run": run, "text": "Ada"})
	ada.until(func(m said) bool { return m.Event.Text == "hello Ada\n" })
	ada.until(func(m said) bool { return m.Event.Kind == sandbox.End })

	ada.wants("open('mine.txt', 'w').write('x')", "1\n")
	ada.say(map[string]any{"type": "reset"})
	ada.until(func(m said) bool { return m.Type == "reset" })
	ada.wants("import os\nos.path.exists('mine.txt')", "False\n")
}

func TestASignalDrainsTheServer(t *testing.T) {
	needsParts(t)
	dir := folder(t)
	s := start(t, dir)
	cookies := jar(t)
	ada := s.learner(cookies)
	ada.wants(setRedis, "b'bar'\n")
	ada.start("print('on', flush=True)\nwhile True: pass")
	ada.until(func(m said) bool { return m.Event.Text == "on\n" })
	signalled := make(chan error)
	go func() { signalled <- s.end(syscall.SIGTERM) }()
	if end := ada.until(func(m said) bool { return m.Event.Kind == sandbox.End }).Event; end.Reason != sandbox.Shutdown || end.Text == "" {
		t.Errorf("ended with %+v", end)
	}
	for {
		if _, err := ada.read(); err != nil {
			if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
				t.Errorf("closed with %v", err)
			}
			break
		}
	}
	if err := <-signalled; err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log)
	}
	again := start(t, dir)
	// Cookies know no ports: the seat is the same on the new one.
	again.learner(cookies).wants(getRedis, "b'bar' mine\n")
}

func TestAKilledServerKeepsWhatLearnersMade(t *testing.T) {
	needsParts(t)
	dir := folder(t)
	s := start(t, dir)
	cookies := jar(t)
	s.learner(cookies).wants(setRedis, "b'bar'\n")
	s.end(os.Kill)
	again := start(t, dir)
	again.learner(cookies).wants(getRedis, "b'bar' mine\n")
}

func TestServeSaysWhatKeepsItFromStarting(t *testing.T) {
	needsParts(t)
	dir := folder(t)
	s := start(t, dir)
	address := strings.TrimPrefix(s.url, "http://")
	storeroom(t, "", "serve", "--listen", address, "--data", dir+"/other", "--run", dir+"/run").wants(t, 1, "", "is taken by another program")
	storeroom(t, "", "serve", "--listen", "127.0.0.1:0", "--data", dir+"/data", "--run", dir+"/run").wants(t, 1, "", "another Storeroom uses the data")
}

// A machine that has prepared nothing would fetch and compile for minutes first.
func TestWhatIsWrongIsSaidBeforeTheWorkOfPreparing(t *testing.T) {
	dir := folder(t)
	file := write(t, dir, "file", "")
	for want, args := range map[string][]string{
		"there is a file in its place":                      {"--data", file},
		"longer than":                                       {"--run", "/tmp/" + strings.Repeat("x", 90)},
		"--tls-cert names a file that can't be read":        {"--tls-cert", "/absent.pem", "--tls-key", "/absent.key"},
		"belong together: give both":                        {"--tls-key", "/absent.key"},
		"is no address of this machine":                     {"--listen", "192.0.2.1:7070"},
		"--code needs a word":                               {"--code", " "},
		"a size is a number such as 64KiB":                  {"--memory", "lots"},
		"--memory must be at least 160MiB":                  {"--memory", "1MiB"},
		"--run-time must be at least 100ms":                 {"--run-time", "0s"},
		"--idle-time must be at least 1s":                   {"--idle-time", "0s"},
		"a time is a number with its unit":                  {"--run-time", "20"},
		`invalid value "x" for --files: it must be a whole`: {"--files", "x"},
	} {
		args = append([]string{"serve", "--listen", "127.0.0.1:0", "--cache", dir + "/cache", "--data", dir + "/data", "--run", dir + "/run"}, args...)
		said := storeroom(t, "", args...)
		if said.status == 0 || !strings.Contains(said.err, want) || strings.Contains(said.err, "fetching") {
			t.Errorf("%q: status %d, %q; want %q", args[7:], said.status, said.err, want)
		}
	}
}

func TestServeBeyondLoopbackSaysWhatThatMeans(t *testing.T) {
	var out bytes.Buffer
	tell := func(o serveOptions, address string, lacks ...string) string {
		out.Reset()
		listener, err := listenAnywhere(t, address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		warn(&out, o, listener.Addr(), lacks)
		return out.String()
	}
	open := tell(serveOptions{}, "0.0.0.0:0", "Landlock is missing")
	for _, want := range []string{"open to the network", "--code WORD", "--tls-cert", "people that you trust", "missing on this machine: Landlock is missing"} {
		if !strings.Contains(open, want) {
			t.Errorf("%q is not said:\n%s", want, open)
		}
	}
	if guarded := tell(serveOptions{word: "heron", cert: "c"}, "0.0.0.0:0"); strings.Contains(guarded, "--code") || strings.Contains(guarded, "--tls-cert") {
		t.Errorf("said in vain:\n%s", guarded)
	}
	if proxied := tell(serveOptions{word: "heron", proxy: true}, "0.0.0.0:0"); strings.Contains(proxied, "--tls-cert") || !strings.Contains(proxied, "let the proxy alone reach this port") {
		t.Errorf("behind a proxy it says:\n%s", proxied)
	}
	if quiet := tell(serveOptions{}, "127.0.0.1:0"); quiet != "" {
		t.Errorf("on loopback it says:\n%s", quiet)
	}
}
