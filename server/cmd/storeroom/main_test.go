package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"storeroom/sandbox/host"
	"storeroom/sandbox/host/hosttest"
	"storeroom/sandbox/parts"
)

// asProgram makes the test's binary behave as storeroom itself.
const asProgram = "STOREROOM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" && len(os.Args) > 1 && os.Args[1] != host.Subcommand {
		main()
	}
	hosttest.Main(m)
}

// screen is a terminal whose output the test reads while the command runs.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// find waits until a pattern was printed, and answers its first group.
func (s *screen) find(t *testing.T, pattern string, problems *screen) string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if match := wanted.FindStringSubmatch(s.String()); match != nil {
			return match[1]
		}
	}
	t.Fatalf("%s was not printed: %s %s", pattern, s.String(), problems.String())
	return ""
}

// done is how a command ended.
type done struct {
	status   int
	out, err string
}

// storeroom runs a command to its end.
func storeroom(t *testing.T, input string, args ...string) done {
	t.Helper()
	return storeroomWith(t.Context(), nil, input, args...)
}

func storeroomWith(ctx context.Context, env map[string]string, input string, args ...string) done {
	var out, err screen
	status := run(ctx, terminal{in: strings.NewReader(input), out: &out, err: &err, env: func(name string) string { return env[name] }}, args)
	return done{status, out.String(), err.String()}
}

func (d done) wants(t *testing.T, status int, out, err string) {
	t.Helper()
	if d.status != status || !strings.Contains(d.out, out) || !strings.Contains(d.err, err) {
		t.Errorf("status %d, want %d\nout: %s\n(want %q)\nerr: %s\n(want %q)", d.status, status, d.out, out, d.err, err)
	}
}

// needsParts makes sure that the parts are fetched and Python is prepared, so that the
// command under test need not do it.
func needsParts(t *testing.T) {
	t.Helper()
	hosttest.Config(t)
	if !host.Prepared(parts.CacheDir()) {
		t.Fatal("the parts are not prepared")
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArgumentsThatMakeNoSenseAreNamed(t *testing.T) {
	storeroom(t, "", "brew").wants(t, 2, "", `there is no command "brew"`)
	storeroom(t, "").wants(t, 0, "storeroom serve", "")
	storeroom(t, "", "serve", "--help").wants(t, 0, "--listen address:port", "")
	storeroom(t, "", "serve", "--listne", ":1").wants(t, 2, "", "there is no option --listne\nrun `storeroom serve --help`")
	storeroom(t, "", "serve", "now").wants(t, 2, "", `it takes options only, not "now"`)
	storeroom(t, "", "serve", "--log", "xml").wants(t, 2, "", "text or json")
	storeroom(t, "", "serve", "--memory", "much").wants(t, 2, "", "a size is a number such as 64KiB")
	storeroom(t, "", "exec").wants(t, 2, "", "it needs a file to run")
	storeroom(t, "", "exec", "--lang", "cobol", "-").wants(t, 2, "", `not "cobol"`)
	storeroom(t, "", "exec", "/not/there.py").wants(t, 1, "", "no such file")
	storeroom(t, "", "verify", "oracle").wants(t, 2, "", `there is no lesson "oracle"`)
	storeroom(t, "", "stores", "--redis", "0.0.0.0:0").wants(t, 2, "", "not an address of this machine alone")
	storeroomWith(t.Context(), map[string]string{"STOREROOM_MEMORY": "much"}, "", "serve").wants(t, 2, "", `the environment's STOREROOM_MEMORY="much"`)
	storeroomWith(t.Context(), map[string]string{"STOREROOM_LISTEN": "nowhere"}, "", "serve").wants(t, 1, "", `listen on "nowhere"`)
}
