package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/parts"
)

// usageError is about arguments that make no sense.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

// newFlags makes the flags of a subcommand; about is its form and what it does.
func newFlags(t terminal, name, about string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run says what is wrong
	flags.Usage = func() {
		fmt.Fprintf(t.out, "usage: storeroom %s %s\n\n", name, about)
		flags.VisitAll(func(f *flag.Flag) {
			kind, text := flag.UnquoteUsage(f)
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
				text += " (" + f.DefValue + ")"
			}
			fmt.Fprintf(t.out, "  %-34s %s\n", strings.TrimSpace("--"+f.Name+" "+kind), text)
		})
	}
	return flags
}

// parse reads the environment and then the arguments, which win.
func parse(t terminal, flags *flag.FlagSet, args []string) error {
	var wrong error
	flags.VisitAll(func(f *flag.Flag) {
		variable := "STOREROOM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := t.env(variable); value != "" {
			if err := flags.Set(f.Name, value); err != nil && wrong == nil {
				wrong = &usageError{fmt.Sprintf("the environment's %s=%q: %v", variable, value, err)}
			}
		}
	})
	if wrong != nil {
		return wrong
	}
	usage := flags.Usage
	flags.Usage = func() {} // it is called for what is wrong, too, and would hide what run says
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		usage()
		return err
	} else if err != nil {
		return &usageError{plainer(err.Error())}
	}
	return leastLimits(flags)
}

// plainer is what package flag says, in words for who has written the arguments.
func plainer(said string) string {
	if name, ok := strings.CutPrefix(said, "flag provided but not defined: -"); ok {
		return "there is no option --" + name
	}
	said = strings.Replace(strings.Replace(said, ": -", ": --", 1), "for flag -", "for --", 1)
	return strings.Replace(said, ": parse error", ": it must be a whole number", 1)
}

// leastLimits finds limits under which nothing works. Python alone needs 120 MiB of memory
// for its libraries, and a new PostgreSQL 30 of disk.
func leastLimits(flags *flag.FlagSet) error {
	var wrong error
	if flags.Lookup("run-time") == nil {
		return nil // it takes no limits: mongo's --memory is another
	}
	for name, least := range map[string]int64{
		"run-time": int64(100 * time.Millisecond), "grace": 0, "answer-time": int64(time.Second), "memory": 160 << 20, "output": 1 << 10, "events": 10,
		"snippet": 1 << 10, "postgres-disk": 64 << 20, "postgres-connections": 3, "redis-memory": 4 << 20, "mongo-memory": 4 << 20,
		"file-bytes": 64 << 10, "files": 10, "connections": 4, "runs-per-core": 1, "sleep-disk": 0, "seats-per-minute": 1, "replay": 64 << 10,
		"replay-time": 0, "idle-time": int64(time.Second), "rest-time": int64(time.Second), "awake": 0, "pool": 0,
	} {
		f := flags.Lookup(name)
		if f == nil {
			continue
		}
		if value := reflect.ValueOf(f.Value).Elem(); value.Int() < least {
			value.SetInt(least)
			wrong = &usageError{fmt.Sprintf("--%s must be at least %s", name, f.Value)}
		}
	}
	return wrong
}

// folders are where Storeroom keeps things.
type folders struct{ cache, data, run string }

// folderFlags are --cache, --data and --run.
func folderFlags(flags *flag.FlagSet, f *folders, names ...string) {
	for _, one := range []struct {
		name    string
		to      *string
		initial string
		about   string
	}{
		{"cache", &f.cache, parts.CacheDir(), "`folder` for the parts that are fetched and prepared once"},
		{"data", &f.data, dataFolder(), "`folder` for what learners make"},
		{"run", &f.run, runFolder(), "short `folder` for sockets"},
	} {
		if slices.Contains(names, one.name) {
			flags.StringVar(one.to, one.name, one.initial, one.about)
		}
	}
}

// check makes the folders' paths absolute and finds those that can't be used.
func (f *folders) check() error {
	for name, path := range map[string]*string{"cache": &f.cache, "data": &f.data, "run": &f.run} {
		if *path == "" {
			return &usageError{fmt.Sprintf("this user has no home folder: say where things go with --%s", name)}
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("find the folder --%s: %w", name, err)
		}
		*path = absolute
	}
	return nil
}

func dataFolder() string {
	if os.Geteuid() == 0 {
		return "/var/lib/storeroom"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "storeroom")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "storeroom")
	}
	return ""
}

// runFolder is short: the path of a socket may have 107 bytes.
func runFolder() string {
	if os.Geteuid() == 0 {
		return "/run/storeroom"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && len(dir) < 40 {
		return filepath.Join(dir, "storeroom")
	}
	return filepath.Join(os.TempDir(), "storeroom-"+strconv.Itoa(os.Geteuid()))
}

// limitFlags makes a flag of every limit. The figures themselves stand in sandbox.Defaults.
func limitFlags(flags *flag.FlagSet, l *sandbox.Limits) {
	*l = sandbox.Defaults()
	flags.Var((*span)(&l.Run), "run-time", "`time` that a run may take, without waiting in the queue or in input()")
	flags.Var((*span)(&l.Grace), "grace", "`time` between the soft stop of a run and the hard one")
	flags.Var((*span)(&l.Answer), "answer-time", "`time` that input() waits for a line")
	flags.Var((*size)(&l.Memory), "memory", "`bytes` of memory of a Python")
	flags.Var((*size)(&l.Output), "output", "`bytes` that a run may print")
	flags.Int64Var(&l.Events, "events", l.Events, "`number` of pieces in which a run may print")
	flags.Var((*size)(&l.Snippet), "snippet", "`bytes` of a cell")
	flags.Var((*size)(&l.Postgres), "postgres-disk", "`bytes` of disk of a PostgreSQL")
	flags.IntVar(&l.PGConns, "postgres-connections", l.PGConns, "`number` of connections to a PostgreSQL")
	flags.Var((*size)(&l.Redis), "redis-memory", "`bytes` of keys and values in a Redis")
	flags.Var((*size)(&l.Mongo), "mongo-memory", "`bytes` of documents and indexes in a MongoDB")
	flags.Var((*size)(&l.FileBytes), "file-bytes", "`bytes` in a home folder")
	flags.IntVar(&l.Files, "files", l.Files, "`number` of files and folders in a home folder")
	flags.IntVar(&l.Conns, "connections", l.Conns, "`number` of open connections of a Python")
	flags.IntVar(&l.PerCore, "runs-per-core", l.PerCore, "`number` of runs that go on at once, for each core")
	flags.Var((*size)(&l.SleepDisk), "sleep-disk", "`bytes` of disk that sleeping sandboxes may hold")
	flags.IntVar(&l.SeatsPerMin, "seats-per-minute", l.SeatsPerMin, "`number` of new learners a minute from one address")
	flags.Var((*size)(&l.Replay), "replay", "`bytes` of a seat's runs that are kept for a page that comes back")
	flags.Var((*span)(&l.ReplayFor), "replay-time", "`time` for which they are kept after a run's end")
	flags.Var((*span)(&l.Idle), "idle-time", "`time` after which a store without connections is stopped")
	flags.Var((*span)(&l.Rest), "rest-time", "`time` after which a sandbox without runs is put to sleep")
}

// size is a number of bytes as people write it: 64KiB, 256MiB, 10GiB, or plain. MB means
// MiB, as in the names of most limits that learners meet.
type size int64

func (s *size) String() string {
	units := []string{"", "KiB", "MiB", "GiB"}
	n, unit := int64(*s), 0
	for unit < len(units)-1 && n >= 1024 && n%1024 == 0 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + units[unit]
}

func (s *size) Set(text string) error {
	digits := strings.TrimRight(text, "KMGiB ")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift, known := map[string]int{"": 0, "B": 0, "K": 10, "KB": 10, "KiB": 10, "M": 20, "MB": 20, "MiB": 20, "G": 30, "GB": 30, "GiB": 30}[strings.TrimSpace(text[len(digits):])]
	if err != nil || !known || n < 0 || n > 1<<62>>shift {
		return errors.New("a size is a number such as 64KiB, 256MiB or 10GiB")
	}
	*s = size(n << shift)
	return nil
}

// span is a time as people write it: 20s, 5m, 1h30m.
type span time.Duration

func (s *span) String() string {
	text := time.Duration(*s).String() // such as 1h0m0s
	for _, zero := range []string{"m0s", "h0m"} {
		if short, ok := strings.CutSuffix(text, zero); ok {
			text = short + zero[:1]
		}
	}
	return text
}

func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("a time is a number with its unit, such as 200ms, 20s or 5m")
	}
	*s = span(d)
	return nil
}
