// Package rate owns the counting of how often something may happen: messages of a
// connection, new seats of an address, guesses at a code. The server's packages call it.
// It never sleeps and keeps no clock of its own.
package rate

import (
	"sync"
	"time"
)

// Bucket lets Burst things happen at once and PerSecond of them in the long run. It is
// not safe for use by many goroutines.
type Bucket struct {
	PerSecond float64
	Burst     float64

	spent float64 // of Burst, at the time of last
	last  time.Time
}

// Take tells whether one more may happen now, and counts it if so.
func (b *Bucket) Take(now time.Time) bool {
	b.refill(now)
	if b.spent+1 > b.Burst {
		return false
	}
	b.spent++
	return true
}

func (b *Bucket) refill(now time.Time) {
	if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.spent = max(0, b.spent-passed*b.PerSecond)
		b.last = now
	}
}

// mostKeys bounds what a Limiter remembers.
const mostKeys = 10_000

// Limiter has a Bucket for each key, for example each address.
type Limiter struct {
	perSecond, burst float64

	mu      sync.Mutex
	buckets map[string]*Bucket
}

// NewLimiter allows each key `perMinute` things in the long run and as many at once.
func NewLimiter(perMinute int) *Limiter {
	return &Limiter{perSecond: float64(perMinute) / 60, burst: float64(perMinute), buckets: map[string]*Bucket{}}
}

// Take tells whether one more may happen for key now, and counts it if so. When it knows
// too many keys, new ones are refused until old ones have rested.
func (l *Limiter) Take(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= mostKeys {
			l.sweep(now)
		}
		if len(l.buckets) >= mostKeys {
			return false
		}
		b = &Bucket{PerSecond: l.perSecond, Burst: l.burst, last: now}
		l.buckets[key] = b
	}
	return b.Take(now)
}

// Give takes back a Take that should not have counted.
func (l *Limiter) Give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[key]; b != nil {
		b.spent = max(0, b.spent-1)
	}
}

// sweep drops the buckets that are full again: they say nothing that a new one would not.
func (l *Limiter) sweep(now time.Time) {
	for key, b := range l.buckets {
		if b.refill(now); b.spent == 0 {
			delete(l.buckets, key)
		}
	}
}
