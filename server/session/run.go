package session

import (
	"context"
	"time"

	"storeroom/sandbox"
)

// run is a run that is going on or ended a short while ago, with the events that a
// connection may still ask for. Its session's lock guards it.
type run struct {
	id, cell string
	frames   [][]byte // the newest events, encoded
	dropped  int64    // events that are not kept any more: frames[0] is event dropped+1
	bytes    int64    // of frames
	ended    time.Time
	to       *conn // who gets the events; nil while nobody is connected
	cancel   context.CancelFunc
}

// seq is the number of the run's last event.
func (r *run) seq() int64 { return r.dropped + int64(len(r.frames)) }

func (r *run) going() bool { return r.ended.IsZero() }

// add numbers and keeps an event. Nothing follows an End.
func (r *run) add(event sandbox.Event, now time.Time) (frameOf []byte, ok bool) {
	if !r.going() {
		return nil, false
	}
	event.Run, event.Seq = r.id, r.seq()+1
	encoded := frame(eventMessage{Type: "event", Event: event})
	r.frames = append(r.frames, encoded)
	r.bytes += int64(len(encoded))
	if event.Kind == sandbox.End {
		r.ended = now
	}
	return encoded, true
}

// dropOldest forgets the oldest event and tells how many bytes that freed.
func (r *run) dropOldest() int64 {
	freed := int64(len(r.frames[0]))
	r.frames[0] = nil
	r.frames = r.frames[1:]
	r.dropped++
	r.bytes -= freed
	return freed
}

// attach makes c the one that gets the events, beginning with those after a number.
func (r *run) attach(c *conn, after int64) {
	r.to = c
	if after < r.dropped {
		c.send(frame(goneMessage{Type: "gone", Run: r.id, Seq: r.dropped}))
		after = r.dropped
	}
	if after > r.seq() {
		return
	}
	for _, kept := range r.frames[after-r.dropped:] {
		c.send(kept)
	}
}
