package command

import (
	"strings"
	"testing"
)

// A bucket begins where the one before ends, at the server's bounds.
func TestLatencyBuckets(t *testing.T) {
	for i := 1; i < latencyBuckets; i++ {
		from := bucketFrom(i)
		if bucketOf(from) != i || bucketOf(from-1) != i-1 {
			t.Errorf("bucket %d from %d µs: %d and %d", i, from, bucketOf(from-1), bucketOf(from))
		}
	}
	for micros, from := range map[int64]int64{0: 0, 1: 0, 2: 2, 1024: 1024, 2047: 1024, 2048: 2048, 3072: 3072, 5000: 4096, 100_000: 98_304} {
		if got := bucketFrom(bucketOf(micros)); got != from {
			t.Errorf("%d µs count from %d, want %d", micros, got, from)
		}
	}
}

func TestTheLogKeepsItsNewestLines(t *testing.T) {
	var g ring
	for i := range 2*keptLines + 5 {
		g.add(strings.Repeat("x", i%7))
	}
	lines, total := g.all()
	if len(lines) != keptLines || total != 2*keptLines+5 || len(lines[keptLines-1]) != (2*keptLines+4)%7 || len(lines[0]) != (keptLines+5)%7 {
		t.Errorf("%d lines of %d, the last of %d", len(lines), total, len(lines[keptLines-1]))
	}
}
