package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"storeroom/sandbox"
)

const (
	healthKept   = 5 * time.Second // an answer is good for so long
	healthWithin = 10 * time.Second
)

// health runs a real snippet in a sandbox of its own.
type health struct {
	Config

	mu      sync.Mutex
	sandbox string
	at      time.Time
	last    report
}

// report is the answer of /healthz.
type report struct {
	OK      bool    `json:"ok"`
	Problem string  `json:"problem,omitempty"` // why not
	Millis  float64 `json:"millis"`            // what the snippet took
	Counts
	Seats       int `json:"seats"`       // with an open page or a run to come back for
	Connections int `json:"connections"` // of open pages
}

func newHealth(c Config) *health { return &health{Config: c} }

func (s *Server) healthz(c echo.Context) error {
	answer := s.health.check(c.Request().Context())
	answer.Seats, answer.Connections = s.sessions.Counts()
	status := http.StatusOK
	if !answer.OK {
		status = http.StatusServiceUnavailable
	}
	return c.JSON(status, answer)
}

// check answers the last report if it is fresh enough, else a new one. Who asks while
// another one is being made waits for that.
func (h *health) check(ctx context.Context) report {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.Now(); h.at.IsZero() || now.Sub(h.at) > healthKept {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthWithin)
		defer cancel()
		h.last, h.at = h.run(ctx), now
	}
	return h.last
}

func (h *health) run(ctx context.Context) (r report) {
	var err error
	if r.Millis, err = h.snippet(ctx); err != nil {
		r.Problem = err.Error()
	}
	counts, counting := h.Host.Health(ctx)
	if counting != nil && err == nil {
		r.Problem = "the sandboxes can't be counted: " + counting.Error()
	}
	r.Counts, r.OK = counts, r.Problem == ""
	if r.Lacks == nil {
		r.Lacks = []string{}
	}
	return r
}

// snippet runs a line of Python and answers how long that took, in milliseconds.
func (h *health) snippet(ctx context.Context) (float64, error) {
	if h.sandbox == "" || !h.Host.Exists(h.sandbox) {
		id, err := h.Host.Create(ctx)
		if err != nil {
			return 0, fmt.Errorf("no sandbox can be made: %w", err)
		}
		h.sandbox = id
	}
	var output string
	var end sandbox.Event
	h.Host.Run(ctx, h.sandbox, "health", sandbox.Cell{Lang: "python", Name: "health.py", Code: "print(6*7)"}, func(e sandbox.Event) {
		switch e.Kind {
		case sandbox.Stdout:
			output += e.Text
		case sandbox.End:
			end = e
		}
	})
	if end.Reason != sandbox.OK || output != "42\n" {
		return end.Millis, fmt.Errorf("a snippet ended with %q and printed %q", end.Reason, output)
	}
	return end.Millis, nil
}

// close removes the sandbox.
func (h *health) close(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sandbox != "" {
		if err := h.Host.Delete(ctx, h.sandbox); err != nil {
			h.Log.Warn("could not remove the health check's sandbox", "error", err)
		}
		h.sandbox = ""
	}
}
