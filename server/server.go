// Package server owns the program that a browser talks to: its address, pages, cookies,
// headers and the door. It wires the course, the sandboxes' host and the sessions
// together. `storeroom serve` calls it; it never runs a learner's code itself and never
// logs it.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"storeroom/lessons"
	"storeroom/sandbox"
	"storeroom/server/rate"
	"storeroom/server/seat"
	"storeroom/server/session"
)

// DefaultListen is where Storeroom is found when no flag says otherwise.
const DefaultListen = "127.0.0.1:7070"

// Host is what the server needs of the sandboxes' host.
type Host interface {
	session.Sandboxes
	Delete(ctx context.Context, id string) error
	Health(ctx context.Context) (Counts, error)
}

// Counts is what the host says of itself.
type Counts struct {
	Awake  int      `json:"awake"`  // sandboxes with a process
	Asleep int      `json:"asleep"` // sandboxes on disk alone
	Ready  int      `json:"ready"`  // data folders in the pool
	Lacks  []string `json:"lacks"`  // what this machine can't do, in words
}

// Config is what a Server works with.
type Config struct {
	Listen          string // address and port; port 0 takes a free one
	TLSCert, TLSKey string // files; both or none
	Proxy           bool   // a reverse proxy stands before us: believe its X-Forwarded headers
	Word            string // asked for at the door; "" for none
	Data            string // folder for seats
	Limits          sandbox.Limits
	Course          *lessons.Course
	Host            Host
	Log             *slog.Logger
	Now             func() time.Time // nil: time.Now
}

// Server serves pages and sessions.
type Server struct {
	Config
	seats    *seat.Store
	codes    *seat.Codes
	sessions *session.Sessions
	door     *door
	health   *health
	newSeats *rate.Limiter // by address
	guesses  *rate.Limiter // at seat codes, by address
	http     *http.Server
	listener net.Listener

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// Times and sizes of HTTP itself.
const (
	headerWithin = 10 * time.Second
	bodyWithin   = 30 * time.Second
	idleFor      = 2 * time.Minute
	headerBytes  = 16 << 10
	sweepEvery   = time.Minute
	seatLife     = 180 * 24 * time.Hour // of an unused seat, and of its cookie
	guessesAMin  = 30                   // at a seat code or the door's word, per address
)

// New makes a Server; Listen and Serve start it.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, errors.New("--tls-cert and --tls-key belong together: give both")
	}
	seats, err := seat.Open(filepath.Join(c.Data, "seats"), c.Now)
	if err != nil {
		return nil, err
	}
	door, err := openDoor(c)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, seats: seats, codes: seat.NewCodes(c.Now), door: door, health: newHealth(c),
		newSeats: rate.NewLimiter(c.Limits.SeatsPerMin), guesses: rate.NewLimiter(guessesAMin)}
	s.sessions = session.New(session.Config{Sandboxes: c.Host, Seats: seats, Limits: c.Limits, Cell: s.cellName, Log: c.Log, Now: c.Now})
	s.http = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: headerWithin, ReadTimeout: bodyWithin, WriteTimeout: bodyWithin,
		IdleTimeout: idleFor, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// cellName answers the file's name of a lesson's cell.
func (s *Server) cellName(id string) (string, bool) {
	cell, ok := s.Course.Cell(id)
	if !ok {
		return "", false
	}
	return cell.Name, true
}

// Listen takes the address. Its error says what to do when that is not possible.
func (s *Server) Listen(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Config.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program, perhaps another Storeroom: stop that one, or choose another port with --listen, for example --listen 127.0.0.1:7171", s.Config.Listen)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: choose a port above 1023 with --listen", s.Config.Listen)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine: choose one with --listen, for example --listen %s", s.Config.Listen, DefaultListen)
	case err != nil:
		return fmt.Errorf("listen on %q (the form is --listen ADDRESS:PORT): %w", s.Config.Listen, err)
	}
	if s.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			listener.Close()
			return fmt.Errorf("read --tls-cert and --tls-key: %w", err)
		}
		// HTTP/1.1 alone: a websocket needs its connection for itself.
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	}
	s.listener = listener
	return nil
}

// URL is the address of the first page, once Listen has succeeded.
func (s *Server) URL() string {
	scheme := "http"
	if s.TLSCert != "" {
		scheme = "https"
	}
	at, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		return scheme + "://" + s.listener.Addr().String()
	}
	if at.IP.IsUnspecified() {
		return fmt.Sprintf("%s://localhost:%d", scheme, at.Port)
	}
	return scheme + "://" + at.String()
}

// Serve answers requests until Close. It answers nil after that.
func (s *Server) Serve() error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.tasks.Go(func() { s.sweep(ctx) })
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// sweep forgets what nobody came back for.
func (s *Server) sweep(ctx context.Context) {
	if n, err := s.seats.Prune(seatLife, s.Host.Exists); err != nil || n > 0 {
		s.Log.Info("forgot old seats", "seats", n, "error", err)
	}
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sessions.Sweep()
		case <-ctx.Done():
			return
		}
	}
}

// Close drains: no new connection is taken, every run ends with Shutdown, what was to be
// sent is sent, and the sockets are closed. The host is its owner's to close.
func (s *Server) Close(ctx context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	drained := s.sessions.Drain(ctx)
	stopped := s.http.Shutdown(ctx)
	s.health.close(ctx)
	s.tasks.Wait()
	return errors.Join(drained, stopped)
}

// routes is every address of the server.
func (s *Server) routes() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = s.fail
	s.guard(e)
	e.GET("/", s.firstPage)
	e.GET("/lesson/:id", s.lessonPage)
	e.GET("/seat", s.seatPage)
	e.POST("/seat/code", s.makeCode)
	e.POST("/seat/take", s.takeCode)
	e.POST("/seat/delete", s.deleteSeat)
	e.GET("/door", s.doorPage)
	e.POST("/door", s.enter)
	e.GET("/ws", s.socket)
	e.GET("/healthz", s.healthz)
	e.GET("/assets/*", assets())
	return e
}
