package command

import (
	"context"
	"sync"
	"time"
)

// background is the timer of the work that nobody asks for.
type background struct {
	mu    sync.Mutex // of timer
	timer *time.Timer
	busy  sync.Mutex // held while the work is done
}

// Start begins the server's background work, which ends with ctx. It sleeps nearly
// all the time: an idle server costs nothing.
func (s *Server) Start(ctx context.Context) {
	s.background.mu.Lock()
	defer s.background.mu.Unlock()
	s.background.timer = time.AfterFunc(s.pause(), func() {
		if ctx.Err() != nil {
			return
		}
		s.sweep(ctx)
		s.retime()
	})
}

// retime begins the pause until the next work anew, since a parameter may have changed it.
func (s *Server) retime() {
	s.background.mu.Lock()
	defer s.background.mu.Unlock()
	if s.background.timer != nil {
		s.background.timer.Reset(s.pause())
	}
}

// pause is the time between two rounds: a minute, or less where a parameter asks for it.
func (s *Server) pause() time.Duration {
	const longest, least = time.Minute, time.Second
	pause := min(longest, time.Duration(s.Parameter("ttlMonitorSleepSecs").Long())*time.Second,
		time.Duration(s.Parameter("transactionLifetimeLimitSeconds").Long())*time.Second,
		time.Duration(s.Parameter("cursorTimeoutMillis").Long())*time.Millisecond)
	return max(pause, least)
}

// sweep forgets what nobody has used for long, and documents whose time has come.
func (s *Server) sweep(ctx context.Context) {
	s.background.busy.Lock()
	defer s.background.busy.Unlock()
	s.counters.timedOut.Add(int64(s.cursors.Expire(time.Duration(s.Parameter("cursorTimeoutMillis").Long()) * time.Millisecond)))
	for _, sess := range s.sessions.Expire() {
		s.endSession(sess.ID)
	}
	s.forgetOld(ctx)
	s.expireTransactions()
	if s.Parameter("ttlMonitorEnabled").Truth() {
		s.expireDocuments(ctx)
	}
}

// Sweep does the background work now, for tests and for who brings a clock along.
func (s *Server) Sweep(ctx context.Context) { s.sweep(ctx) }
