package postgres

import "context"

// Looks in a row at work that nobody waits for, until it is interrupted, and until its
// sessions are ended: a function can catch the interruption.
const (
	interruptAfter = 3
	endAfter       = 6
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
	switch {
	case c.unwanted >= endAfter:
		return c.signal(ctx, "pg_terminate_backend", "state = 'active'")
	case c.unwanted >= interruptAfter:
		return c.signal(ctx, "pg_cancel_backend", "state = 'active'")
	}
	return nil
}
