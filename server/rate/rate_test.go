package rate

import (
	"strconv"
	"testing"
	"time"
)

func TestBucketAllowsABurstAndThenARate(t *testing.T) {
	now := time.Unix(1000, 0)
	b := Bucket{PerSecond: 2, Burst: 3}
	for i := range 3 {
		if !b.Take(now) {
			t.Fatalf("refused number %d of a burst of 3", i+1)
		}
	}
	if b.Take(now) {
		t.Error("allowed a fourth at once")
	}
	now = now.Add(500 * time.Millisecond)
	if !b.Take(now) || b.Take(now) {
		t.Error("half a second at 2 a second is one more")
	}
	if b.Take(now.Add(-time.Hour)) {
		t.Error("a clock that goes back must not fill the bucket")
	}
}

func TestLimiterKeepsKeysApartAndItsMemoryBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewLimiter(1)
	if !l.Take("a", now) || l.Take("a", now) || !l.Take("b", now) {
		t.Fatal("each key has one a minute")
	}
	for i := range mostKeys + 100 {
		l.Take(strconv.Itoa(i), now)
	}
	if len(l.buckets) > mostKeys {
		t.Errorf("%d keys are remembered", len(l.buckets))
	}
	if l.Take("one more", now) {
		t.Error("a new key was allowed though all are busy")
	}
	if !l.Take("one more", now.Add(2*time.Minute)) {
		t.Error("rested keys must make room")
	}
}

func TestGiveTakesATakeBack(t *testing.T) {
	l, now := NewLimiter(2), time.Now()
	for range 10 {
		if !l.Take("a", now) {
			t.Fatal("what was given back still counts")
		}
		l.Give("a")
	}
	l.Give("a")
	l.Give("never seen")
	if !l.Take("a", now) || !l.Take("a", now) || l.Take("a", now) {
		t.Error("giving back more than was taken made room")
	}
}
