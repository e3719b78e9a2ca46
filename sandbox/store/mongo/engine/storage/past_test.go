package storage

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
)

// text makes no difference between no document and an empty one.
func text(d bsonval.Doc) string {
	if len(d) <= 5 {
		return ""
	}
	return d.String()
}

// The history after a restart is what it was before, whether it comes from the log, a
// checkpoint or both, and knows as well where it begins.
func TestHistoryOutlivesARestart(t *testing.T) {
	for name, opts := range map[string]Options{
		"log":        {},
		"checkpoint": {MinCompact: 20_000},
		"bounded":    {MinCompact: 20_000, History: 30_000},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, opts)
			begin := s.State().TS
			createTest(t, s)
			for i := range 100 {
				must(t, write(t, s, func(tx *Tx) error { return put(tx, i%7, i) }))
			}
			must(t, write(t, s, func(tx *Tx) error {
				record, _ := tx.Collection(testNS).ByID(bsonval.IntValue(3))
				tx.ForTransaction(number(1, 1), 17)
				if err := tx.Update(testNS, record, number(3, 55), Update, diff.Edit{Path: []string{"n"}}); err != nil {
					return err
				}
				tx.MarkModified(tx.Collection(testNS), nil, number(2, 2))
				if err := tx.Delete(testNS, record); err != nil {
					return err
				}
				if err := tx.Drop(testNS); err != nil {
					return err
				}
				tx.MarkDropped("test")
				tx.Remember(Retry{Session: "s"})
				return nil
			}))
			for range 3 {
				gone := s.history.gone
				before, lost := s.After(gone)
				if lost || len(before) == 0 {
					t.Fatalf("lost %t, %d commits", lost, len(before))
				}
				if _, lost = s.After(begin - 2); !lost {
					t.Error("what was before the store began is not lost")
				}
				s = reopened(t, s, dir, opts)
				after, _ := s.After(gone)
				if s.history.gone != gone {
					t.Errorf("the history begins at %d, before %d", s.history.gone, gone)
				}
				if d := cmp.Diff(before, after, cmpopts.IgnoreUnexported(Commit{}), cmpopts.EquateApproxTime(time.Millisecond), cmp.Transformer("text", text)); d != "" {
					t.Fatal(d[:min(len(d), 2000)])
				}
			}
			s.Close()
		})
	}
}

// Commits that were answered stay whole when the history forgets them.
func TestAnsweredCommitsStayWhole(t *testing.T) {
	s := open(t, "", Options{History: 20_000})
	defer s.Close()
	createTest(t, s)
	got, _ := s.After(s.history.gone)
	for i := range 500 {
		must(t, write(t, s, func(tx *Tx) error { return put(tx, i, i) }))
	}
	if len(got) != 1 || len(got[0].Ops) != 2 {
		t.Error("a commit became empty:", fmt.Sprint(got))
	}
}
