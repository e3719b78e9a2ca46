// Package daemon owns the one server process of a learner's store: it is started once
// for however many ask, answered on a unix socket, stopped in good order or killed with
// everything that it forked, and started again after a crash.
//
// store/postgres and store/redis call it. It knows no protocol and never touches data.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"storeroom/sandbox/store"
)

// Times that hold for every server process.
const (
	startTime = 30 * time.Second       // from exec to ready; crash recovery counts in
	poll      = 500 * time.Microsecond // between two looks whether it is ready
	stopTime  = 5 * time.Second        // from the signal to the end, then it is killed
	killTime  = 5 * time.Second        // until the kernel has taken every process away
	lastWords = 200 * time.Millisecond // from a failed start's end to the end of its log
	deafTime  = time.Second            // a process that is up and takes no connection is killed
)

// Config describes the process. Its functions are called by one goroutine at a time.
type Config struct {
	Name   string // "PostgreSQL", for errors
	Dir    string // the process's working folder, which no other program works in
	Socket string // where it listens; at most 107 bytes
	Signal os.Signal

	// Prepare makes the folder ready for a start: nothing runs in it now.
	Prepare func(ctx context.Context) error
	// Command is what to execute. It is not started yet; its output is taken here.
	Command func(ctx context.Context) (*exec.Cmd, error)
	// Ready tells whether the process that was just started takes connections now.
	Ready func(ctx context.Context) bool
	// Accepts, which may be nil, tells before each connection whether a process that
	// was ready once still takes them: it may be recovering from a crash of its own.
	Accepts func() bool
	// Watch, which may be nil, hears now and then of what the process and its children
	// use, whenever they have worked since it last did. One goroutine calls it, until
	// ctx ends with the process.
	Watch func(ctx context.Context, u Usage)
}

// Daemon is the process, up or not.
type Daemon struct {
	Config

	mu     sync.Mutex
	now    *process    // the last one started; it may have ended
	change *transition // a start or a stop that is going on
	closed bool
}

// process is one life of the server.
type process struct {
	cmd  *exec.Cmd
	log  *tail
	said chan struct{} // closed when nobody can write to the log any more
	done chan struct{} // closed when it has ended and was waited for
	err  error         // of Wait, valid after done
}

// transition is a start or a stop, which others wait for.
type transition struct {
	done chan struct{}
	err  error // valid after done
}

// New makes a Daemon that does not run yet.
func New(c Config) *Daemon { return &Daemon{Config: c} }

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Running tells whether the process is up.
func (d *Daemon) Running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now != nil && d.now.alive()
}

// PID is the process's id, 0 when it does not run.
func (d *Daemon) PID() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil || !d.now.alive() {
		return 0
	}
	return d.now.cmd.Process.Pid
}

// Log answers the last lines that the process wrote.
func (d *Daemon) Log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil {
		return ""
	}
	return d.now.log.String()
}

// Dial connects, and starts the process when it is not up.
func (d *Daemon) Dial(ctx context.Context) (*net.UnixConn, error) {
	const attempts = 3 // it may be stopped or crash between the start and the connect
	var err error
	for range attempts {
		var p *process
		if p, err = d.up(ctx); err != nil {
			return nil, err
		}
		var c *net.UnixConn
		if c, err = d.connect(ctx, p); err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("connect to %s: %w", d.Name, err)
}

// ErrResting answers a Connect to a process that does not run.
var ErrResting = errors.New("it does not run")

// Connect connects to the process if it is up, and does not start it.
func (d *Daemon) Connect(ctx context.Context) (*net.UnixConn, error) {
	d.mu.Lock()
	p, t := d.now, d.change
	d.mu.Unlock()
	if p == nil || !p.alive() || t != nil {
		return nil, fmt.Errorf("connect to %s: %w", d.Name, ErrResting)
	}
	c, err := d.connect(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", d.Name, err)
	}
	return c, nil
}

// connect waits until the running process is ready, which it may cease to be for a
// moment when it recovers from a crash of its own, and connects.
func (d *Daemon) connect(ctx context.Context, p *process) (*net.UnixConn, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var deaf time.Time // since when it claims to be ready and takes no connection
	for {
		if d.Accepts == nil || d.Accepts() {
			c, err := dial(ctx, d.Socket, p.cmd.Process.Pid)
			switch {
			case err == nil || ctx.Err() != nil:
				return c, err
			case deaf.IsZero():
				deaf = time.Now()
			case time.Since(deaf) > deafTime && !errors.Is(err, syscall.EAGAIN): // EAGAIN: too many wait to be accepted
				return nil, errors.Join(err, d.destroy(p))
			}
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("it has ended (%s)", p.cmd.ProcessState)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(poll):
		}
	}
}

// dial connects to the socket and makes sure that pid answers there. A broken server
// could put a link to another learner's socket into its own folder, and we would carry
// the connection across.
func dial(ctx context.Context, socket string, pid int) (*net.UnixConn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	u := c.(*net.UnixConn)
	if err := listenedBy(u, pid); err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

// up answers the running process, started if need be.
func (d *Daemon) up(ctx context.Context) (*process, error) {
	for {
		d.mu.Lock()
		p, t := d.now, d.change
		switch {
		case t != nil:
		case d.closed:
			d.mu.Unlock()
			return nil, store.ErrClosed
		case p != nil && p.alive():
			d.mu.Unlock()
			return p, nil
		default:
			// The start belongs to all who wait for it, so it does not end with
			// the one who asked first.
			t = d.begin(context.WithoutCancel(ctx), d.start)
		}
		d.mu.Unlock()
		if err := t.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// begin runs work as the transition of this moment. d.mu is held and none goes on.
func (d *Daemon) begin(ctx context.Context, work func(context.Context) error) *transition {
	t := &transition{done: make(chan struct{})}
	d.change = t
	go func() {
		t.err = work(ctx)
		d.mu.Lock()
		d.change = nil
		d.mu.Unlock()
		close(t.done)
	}()
	return t
}

func (t *transition) wait(ctx context.Context) error {
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// start executes the process and waits until it is ready.
func (d *Daemon) start(ctx context.Context) error {
	life := ctx // the process's own; ctx below ends when the start took too long
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("not ready after %s", startTime))
	defer cancel()
	if err := d.clear(ctx); err != nil {
		return fmt.Errorf("start %s: %w", d.Name, err)
	}
	p, err := d.launch(life)
	if err != nil {
		return fmt.Errorf("start %s: %w", d.Name, err)
	}
	d.mu.Lock()
	d.now = p
	d.mu.Unlock()
	if err := d.awaitReady(ctx, p); err != nil {
		d.destroy(p)
		return fmt.Errorf("start %s: %w", d.Name, err)
	}
	if d.Watch != nil {
		go d.watch(life, p)
	}
	return nil
}

// clear removes what a crash has left: the working folder is this daemon's alone, so
// whatever runs in it is a forked child that outlived its server.
func (d *Daemon) clear(ctx context.Context) error {
	if err := killIn(d.Dir, killTime); err != nil {
		return err
	}
	if d.Prepare == nil {
		return nil
	}
	return d.Prepare(ctx)
}

func (d *Daemon) launch(ctx context.Context) (*process, error) {
	cmd, err := d.Command(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: &tail{}, said: make(chan struct{}), done: make(chan struct{})}
	// A pipe of our own: Wait must answer as soon as the process has ended, though
	// children that outlive it still hold its output.
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	go func() {
		p.log.ReadFrom(out)
		out.Close()
		close(p.said)
	}()
	go func() {
		awaitEnd(cmd.Process.Pid)
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (d *Daemon) awaitReady(ctx context.Context, p *process) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !d.Ready(ctx) {
		select {
		case <-p.done:
			select {
			case <-p.said:
			case <-time.After(lastWords): // a child of it holds the log open
			}
			return fmt.Errorf("it ended at once (%s): %s", p.cmd.ProcessState, p.log)
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), p.log)
		case <-tick.C:
		}
	}
	return nil
}

// Stop ends the process in good order, else by force. What it has acknowledged is kept
// either way.
func (d *Daemon) Stop(ctx context.Context) error {
	for {
		d.mu.Lock()
		t := d.change
		if t == nil {
			if d.now == nil || !d.now.alive() {
				d.mu.Unlock()
				return nil
			}
			t = d.begin(ctx, d.halt)
			d.mu.Unlock()
			<-t.done // halt obeys ctx and leaves nothing half done
			return t.err
		}
		d.mu.Unlock()
		select {
		case <-t.done:
		case <-ctx.Done():
			return d.Kill()
		}
	}
}

func (d *Daemon) halt(ctx context.Context) error {
	p := d.now // only transitions write it
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	p.cmd.Process.Signal(d.Signal) // an error means that it has ended already
	select {
	case <-p.done:
		return killIn(d.Dir, killTime)
	case <-ctx.Done():
		return d.destroy(p)
	}
}

// Kill ends the process at once.
func (d *Daemon) Kill() error {
	d.mu.Lock()
	p := d.now
	d.mu.Unlock()
	if p == nil {
		return nil
	}
	return d.destroy(p)
}

// destroy kills the server first, so that it can fork no more, then its children: they
// are no process group, since PostgreSQL's make sessions of their own.
func (d *Daemon) destroy(p *process) error {
	p.cmd.Process.Kill()
	err := killIn(d.Dir, killTime)
	select {
	case <-p.done:
		return err
	case <-time.After(killTime):
		return errors.Join(err, fmt.Errorf("%s does not end", d.Name))
	}
}

// Close kills the process and lets none start again.
func (d *Daemon) Close() error {
	d.mu.Lock()
	d.closed = true
	t := d.change
	d.mu.Unlock()
	err := d.Kill()
	if t == nil {
		return err
	}
	// A start that was between its first and its last step ends by itself, at the
	// latest with the process that it has made meanwhile.
	<-t.done
	return d.Kill()
}
