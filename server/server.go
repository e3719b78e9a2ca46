// Package server owns the program that a browser talks to: its address, pages, cookies,
// headers and the door. It wires the course, the sandboxes' host and the sessions
// together. `storeroom serve` calls it; it never runs a learner's code itself and never
// logs it.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"storeroom/lessons"
	"storeroom/sandbox"
	"storeroom/server/rate"
	"storeroom/server/seat"
	"storeroom/server/session"
)

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
	Listener net.Listener // from Listen
	TLS      bool         // the listener encrypts
	Proxy    bool         // a reverse proxy stands before us: believe its X-Forwarded headers
	Word     string       // asked for at the door; "" for none
	Data     string       // folder for seats
	Limits   sandbox.Limits
	Course   *lessons.Course
	Host     Host
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
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

	until context.Context // of what Serve does beside serving
	stop  context.CancelFunc
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

// New makes a Server; Serve starts it.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
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
	s.until, s.stop = context.WithCancel(context.Background())
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

// URL is the address of the first page.
func (s *Server) URL() string {
	scheme := s.scheme()
	at, ok := s.Listener.Addr().(*net.TCPAddr)
	if !ok {
		return scheme + "://" + s.Listener.Addr().String()
	}
	if at.IP.IsUnspecified() {
		return fmt.Sprintf("%s://localhost:%d", scheme, at.Port)
	}
	return scheme + "://" + at.String()
}

// Links are addresses of the first page for others in the network: none on loopback, on
// one address alone, which URL says, and behind a proxy, which has an address of its own.
func (s *Server) Links() []string {
	at, ok := s.Listener.Addr().(*net.TCPAddr)
	if !ok || s.Proxy || !at.IP.IsUnspecified() {
		return nil
	}
	machine, err := net.InterfaceAddrs()
	if err != nil {
		return nil // URL is enough to go on
	}
	return links(s.scheme(), at.Port, machine)
}

func links(scheme string, port int, machine []net.Addr) []string {
	var found []string
	for _, addr := range machine {
		// Addresses of IPv4 can be said aloud in a class, and every network has them.
		if n, ok := addr.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			found = append(found, fmt.Sprintf("%s://%s:%d", scheme, n.IP, port))
		}
	}
	return found
}

func (s *Server) scheme() string {
	if s.TLS {
		return "https"
	}
	return "http"
}

// Serve answers requests until Close. It answers nil after that.
func (s *Server) Serve() error {
	var tasks sync.WaitGroup
	tasks.Go(func() { s.sweep(s.until) })
	defer tasks.Wait()
	defer s.stop()
	if err := s.http.Serve(s.Listener); !errors.Is(err, http.ErrServerClosed) {
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
	s.stop()
	drained := s.sessions.Drain(ctx)
	stopped := s.http.Shutdown(ctx)
	s.health.close(ctx)
	return errors.Join(drained, stopped)
}

// routes is every address of the server.
func (s *Server) routes() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = s.fail
	s.guard(e)
	read := []string{http.MethodGet, http.MethodHead}
	e.Match(read, "/", s.firstPage)
	e.Match(read, "/lesson/:id", s.lessonPage)
	e.Match(read, "/seat", s.seatPage)
	e.POST("/seat/code", s.makeCode)
	e.POST("/seat/take", s.takeCode)
	e.POST("/seat/delete", s.deleteSeat)
	e.Match(read, "/door", s.doorPage)
	e.POST("/door", s.enter)
	e.GET("/ws", s.socket)
	e.Match(read, "/healthz", s.healthz)
	e.Match(read, "/assets/*", assets())
	return e
}
