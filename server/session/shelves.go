package session

import (
	"context"
	"errors"
	"time"
)

// look sends the shelves to all tabs soon: at once, or again after the look that is being
// taken. run is the one after which they are looked at, "" for none.
func (s *session) look(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if run != "" {
		s.after = run
	}
	if s.looking {
		s.again = true
		return
	}
	s.looking = true
	s.all.tasks.Go(s.lookWhileAsked)
}

// lookWhileAsked looks, rests a moment, and looks again if that was asked for meanwhile.
// So a page that asks without end costs no more than ten looks a second.
func (s *session) lookWhileAsked() {
	for {
		s.lookOnce(s.all.runs)
		select {
		case <-time.After(lookGap):
		case <-s.all.runs.Done():
		}
		s.mu.Lock()
		if !s.again || s.closed {
			s.looking = false
			s.mu.Unlock()
			return
		}
		s.again = false
		s.mu.Unlock()
	}
}

func (s *session) lookOnce(ctx context.Context) {
	s.mu.Lock()
	run := s.after
	s.after = ""
	s.mu.Unlock()
	id, err := s.sandbox(ctx)
	if err == nil {
		if run == "" { // a page was opened, and its reader may press Run soon
			s.all.Sandboxes.Warm(id)
		}
		message := shelvesMessage{Type: "shelves", Run: run}
		if message.Shelves, err = s.all.Sandboxes.Shelves(ctx, id); err == nil {
			message.Now = s.all.Now().UnixMilli()
			s.broadcast(message)
			return
		}
	}
	if ctx.Err() != nil || errors.Is(err, errClosed) {
		return
	}
	s.all.Log.Error("could not look at the shelves", "error", err)
	s.broadcast(errorMessage{Type: "error", Text: "your shelves can't be shown now: run a cell or reload the page to try again"})
}

// reset throws the sandbox's data away and tells all tabs.
func (s *session) reset(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.resetting {
		return
	}
	if !s.resets.Take(s.all.Now()) {
		c.sayError("", "that was a lot of resets: wait a few seconds and press it again")
		return
	}
	s.resetting = true
	s.all.tasks.Go(func() {
		s.resetNow(s.all.runs)
		s.mu.Lock()
		s.resetting = false
		s.mu.Unlock()
	})
}

func (s *session) resetNow(ctx context.Context) {
	id, err := s.sandbox(ctx)
	if err == nil {
		err = s.all.Sandboxes.Reset(ctx, id)
	}
	switch {
	case err == nil:
		s.broadcast(bareMessage{Type: "reset"})
		s.look("")
	case ctx.Err() == nil && !errors.Is(err, errClosed):
		s.all.Log.Error("could not reset a sandbox", "error", err)
		s.broadcast(errorMessage{Type: "error", Text: "the reset did not work: try it once more, and tell whoever runs Storeroom if it stays"})
	}
}
