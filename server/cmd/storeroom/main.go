// Command storeroom is the whole program: the server of the pages, the one-time
// preparation, and the tools around a sandbox. main knows the subcommands; each is a file
// beside it. The hidden ones are how the program starts itself: `sandbox` is the process
// of one sandbox, and a child that confine has marked restricts itself before it becomes
// anything else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"storeroom/sandbox/confine"
	"storeroom/sandbox/host"
	"storeroom/sandbox/worker"
)

func main() {
	if confine.IsChild() {
		confine.Main()
	}
	if len(os.Args) > 1 && os.Args[1] == host.Subcommand {
		os.Exit(worker.Main())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}, os.Args[1:]))
}

// terminal is what a subcommand has of the world around it.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

// errFailed ends the program with status 1 and without a message: everything is said.
var errFailed = errors.New("failed")

// run does what the arguments say and answers the exit status: 0 when all went well, 1
// when something failed, 2 when the arguments make no sense.
func run(ctx context.Context, t terminal, args []string) int {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	command, ok := commands()[name]
	if !ok {
		if name != "help" && name != "-h" && name != "--help" {
			fmt.Fprintf(t.err, "storeroom: there is no command %q\n\n%s", name, usage)
			return 2
		}
		fmt.Fprint(t.out, usage)
		return 0
	}
	err := command(ctx, t, args)
	var wrong *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errFailed):
		return 1
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(t.err, "storeroom %s: stopped\n", name)
		return 1
	case errors.As(err, &wrong):
		fmt.Fprintf(t.err, "storeroom %s: %v\nrun `storeroom %s --help` to see what it takes\n", name, err, name)
		return 2
	}
	fmt.Fprintf(t.err, "storeroom %s: %v\n", name, err)
	return 1
}

func commands() map[string]func(context.Context, terminal, []string) error {
	return map[string]func(context.Context, terminal, []string) error{
		"serve":   serve,
		"prepare": prepare,
		"exec":    execute,
		"stores":  stores,
		"mongo":   mongo,
		"verify":  verify,
		"clean":   clean,
	}
}

const usage = `storeroom is a playground for learning data storage: pages whose Python really runs.

  storeroom serve      serve the course; prints the address to open
  storeroom prepare    fetch and prepare what serve needs, once
  storeroom exec       run files in a fresh sandbox and print what a page would
  storeroom stores     offer one sandbox's stores on ports of this machine
  storeroom mongo      serve the MongoDB engine alone; mongo dump, mongo restore: its data
  storeroom verify     run every cell of every lesson and compare
  storeroom clean      remove the data and the prepared parts

storeroom COMMAND --help lists the options of a command. Those of all but mongo can also be
given by the environment: --listen as STOREROOM_LISTEN, --tls-cert as STOREROOM_TLS_CERT.
`
