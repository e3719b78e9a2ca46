package postgres

import (
	"context"
	"errors"

	"storeroom/sandbox/store/daemon"
)

// Looks in a row at work that nobody waits for, until it is interrupted, and until its
// sessions are ended: a function can catch the interruption. To interrupt is work too,
// which is looked at once more, so it is not done at each look.
const (
	interruptAfter = 3
	endEvery       = 6
)

// endUnwanted bounds what a run has started by the time of the run: a statement that goes
// on without one would take a core from everybody. A session that waits for its next
// statement, in a transaction or not, is left alone.
func (c *Cluster) endUnwanted(ctx context.Context) error {
	if c.cfg.Wanted == nil || c.cfg.Wanted() {
		c.unwanted = 0
		return nil
	}
	c.unwanted++
	var err error
	switch {
	case c.unwanted%endEvery == 0:
		err = c.signal(ctx, "pg_terminate_backend", "state = 'active'")
	case c.unwanted == interruptAfter:
		err = c.signal(ctx, "pg_cancel_backend", "state = 'active'")
	}
	if errors.Is(err, daemon.ErrResting) {
		return nil // it is being stopped
	}
	return err
}
