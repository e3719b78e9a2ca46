package command

import (
	"context"
	"time"
)

// Start begins the server's background work, which ends with ctx. It sleeps nearly
// all the time: an idle server costs nothing.
func (s *Server) Start(ctx context.Context) {
	const every = time.Minute
	var tick func()
	tick = func() {
		if ctx.Err() != nil {
			return
		}
		s.sweep(ctx)
		time.AfterFunc(every, tick)
	}
	time.AfterFunc(every, tick)
}

// sweep forgets what nobody has used for long, and documents whose time has come.
func (s *Server) sweep(ctx context.Context) {
	s.cursors.Expire(time.Duration(s.Parameter("cursorTimeoutMillis").Long()) * time.Millisecond)
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
