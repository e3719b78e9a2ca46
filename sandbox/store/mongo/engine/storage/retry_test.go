package storage

import (
	"fmt"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func remembered(t testing.TB, s *Store, id int, x Retry) {
	t.Helper()
	must(t, write(t, s, func(tx *Tx) error {
		if err := put(tx, id, id); err != nil {
			return err
		}
		tx.Remember(x)
		return nil
	}))
}

func TestWhatIsRememberedOutlivesARestart(t *testing.T) {
	for _, compact := range []int64{0, 10_000} {
		dir := t.TempDir()
		opts := Options{MinCompact: compact}
		s := open(t, dir, opts)
		createTest(t, s)
		for i := range 200 {
			remembered(t, s, i%5, Retry{Session: fmt.Sprint("s", i%10), Number: int64(i), Wall: int64(i), Replies: []Reply{{0, 3, number(i, i)}}})
		}
		remembered(t, s, 1, Retry{Session: "s0", Number: 190, Replies: []Reply{{4, 4, number(4, 4)}}})
		remembered(t, s, 1, Retry{Session: "t", Number: 7, Txn: true})
		must(t, write(t, s, func(tx *Tx) error { tx.Remember(Retry{Session: "nothing written"}); return nil }))
		must(t, s.Forget(t.Context(), []string{"s1", "unknown"}))
		must(t, s.ForgetBefore(t.Context(), 195, func(id string) bool { return id == "s3" }))
		for range 2 {
			st := s.State()
			if x := st.Retry("s0"); x == nil || x.Reply(3).Get("n").Int64() != 190 || x.Reply(4) == nil || x.Reply(5) != nil {
				t.Errorf("s0: %+v", x)
			}
			if x := st.Retry("t"); x == nil || !x.Txn || x.Number != 7 {
				t.Errorf("t: %+v", x)
			}
			for _, id := range []string{"s1", "s2", "s4", "nothing written"} {
				if st.Retry(id) != nil {
					t.Errorf("%s is remembered", id)
				}
			}
			if st.Retry("s3") == nil || st.Retry("s9") == nil {
				t.Error("a session in use is forgotten")
			}
			s = reopened(t, s, dir, opts)
		}
		s.Close()
	}
}

// What is remembered is counted, bounded, and the newest is always kept.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	s := open(t, "", Options{Memory: 2 << 20})
	defer s.Close()
	createTest(t, s)
	large := bsonval.D(bsonval.E("s", bsonval.StringValue(strings.Repeat("x", 10_000))))
	empty := s.State().Bytes
	for i := range 100 {
		id := fmt.Sprint(i)
		remembered(t, s, 1, Retry{Session: id, Replies: []Reply{{0, 0, large}}})
		if s.State().Retry(id) == nil {
			t.Fatal("the newest is gone")
		}
	}
	if n := s.State().Bytes - empty; n < 50_000 || n > 2<<20/retryShare+1000 {
		t.Errorf("%d bytes counted", n)
	}
	if s.State().Retry("1") != nil {
		t.Error("the oldest is there still")
	}
	must(t, write(t, s, func(tx *Tx) error { return tx.Drop(testNS) }))
	for i := range 100 {
		must(t, s.Forget(t.Context(), []string{fmt.Sprint(i)}))
	}
	if b := s.State().Bytes; b != 0 {
		t.Errorf("%d bytes counted in an empty store", b)
	}
}
