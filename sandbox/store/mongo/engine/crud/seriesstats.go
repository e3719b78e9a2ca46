package crud

import (
	"sync"

	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// maxSeriesStats bounds the time series that are counted at a time.
const maxSeriesStats = 10_000

// SeriesStats count what was written into the buckets of each time series since the
// start. Goroutines may share it.
type SeriesStats struct {
	mu sync.Mutex
	of map[[16]byte]*SeriesCounts
}

// SeriesCounts is what was written into one time series' buckets.
type SeriesCounts struct {
	Inserts, Updates int64 // of buckets
	ForSource        int64 // buckets begun because their source had none
	Reopened         int64 // stored buckets that were gone on with
	Measurements     int64
	Closed           map[timeseries.Reason]int64 // buckets begun because the last one took no more
}

func newCounts() *SeriesCounts { return &SeriesCounts{Closed: map[timeseries.Reason]int64{}} }

func (c *SeriesCounts) add(d *SeriesCounts) {
	c.Inserts += d.Inserts
	c.Updates += d.Updates
	c.ForSource += d.ForSource
	c.Reopened += d.Reopened
	c.Measurements += d.Measurements
	for why, n := range d.Closed {
		c.Closed[why] += n
	}
}

// Of answers the counts of a time series by its collection of buckets.
func (s *SeriesStats) Of(buckets *storage.Collection) SeriesCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newCounts()
	if c := s.of[buckets.UUID]; c != nil {
		out.add(c)
	}
	return *out
}

// Committed counts what the Writer has done; its transaction is committed.
func (w *Writer) Committed() {
	if w.Series == nil || len(w.counts) == 0 {
		return
	}
	s := w.Series
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) > maxSeriesStats {
		s.of = map[[16]byte]*SeriesCounts{}
	}
	for id, c := range w.counts {
		if s.of[id] == nil {
			s.of[id] = newCounts()
		}
		s.of[id].add(c)
	}
	w.counts = nil
}

// count is where the Writer counts what it does with a time series' buckets in c, nil
// for no collection.
func (w *Writer) count(c *storage.Collection) *SeriesCounts {
	if c == nil {
		return newCounts()
	}
	if w.counts == nil {
		w.counts = map[[16]byte]*SeriesCounts{}
	}
	if w.counts[c.UUID] == nil {
		w.counts[c.UUID] = newCounts()
	}
	return w.counts[c.UUID]
}
