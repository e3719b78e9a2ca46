package seat

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTokensAreRandomAndNamesComeFromThem(t *testing.T) {
	seen := map[string]bool{}
	names := regexp.MustCompile(`^[A-Z][2-9]-[A-Z][a-z]+$`)
	for range 1000 {
		s := New()
		if seen[s.Token] || !names.MatchString(s.Name) || len(s.ID) != 64 || strings.Contains(s.ID, s.Token) {
			t.Fatalf("seat %+v", s)
		}
		seen[s.Token] = true
		if again, ok := FromToken(s.Token); !ok || again != s {
			t.Fatalf("%+v came back as %+v", s, again)
		}
	}
}

func TestWhatIsNoTokenIsNoSeat(t *testing.T) {
	for _, token := range []string{"", "a", "../../etc/passwd", strings.Repeat("A", 21), strings.Repeat("A", 23), strings.Repeat("A", 21) + "B", strings.Repeat("=", 22)} {
		if s, ok := FromToken(token); ok {
			t.Errorf("%q is %+v", token, s)
		}
	}
}

func store(t *testing.T, dir string, now *time.Time) *Store {
	t.Helper()
	s, err := Open(dir, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASeatOutlivesTheProgram(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "seats"), time.Now()
	one := store(t, dir, &now)
	ada := New()
	if one.Known(ada.ID) {
		t.Error("a seat is known before it sat down")
	}
	if err := one.Assign(ada.ID, "box1"); !errors.Is(err, ErrUnknown) {
		t.Errorf("assigned to a seat that is not known: %v", err)
	}
	if err := errors.Join(one.Sit(ada.ID), one.Assign(ada.ID, "box1")); err != nil {
		t.Fatal(err)
	}
	// A kill in the middle of a write leaves this behind.
	if err := os.WriteFile(filepath.Join(dir, ada.ID+".json.part"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := store(t, dir, &now)
	if !two.Known(ada.ID) || two.Sandbox(ada.ID) != "box1" {
		t.Errorf("known %v with %q", two.Known(ada.ID), two.Sandbox(ada.ID))
	}
	if err := two.Remove(ada.ID); err != nil || two.Known(ada.ID) || two.Sandbox(ada.ID) != "" {
		t.Errorf("still known after it was removed: %v", err)
	}
	if err := two.Remove(ada.ID); err != nil {
		t.Errorf("removed twice: %v", err)
	}
}

func TestFilesAreForTheirOwnerAndHoldNoToken(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := store(t, dir, &now)
	ada := New()
	if err := s.Sit(ada.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	info, err := entries[0].Info()
	text, reading := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil || reading != nil || info.Mode().Perm() != 0o600 || strings.Contains(entries[0].Name()+string(text), ada.Token) {
		t.Errorf("%s %v %s", entries[0].Name(), info.Mode(), text)
	}
}

func TestABrokenFileCountsAsNone(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	ada := New()
	if err := os.WriteFile(filepath.Join(dir, ada.ID+".json"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := store(t, dir, &now)
	if s.Known(ada.ID) {
		t.Error("half a file is a seat")
	}
	if err := s.Sit(ada.ID); err != nil || !s.Known(ada.ID) {
		t.Errorf("the seat can't be taken anew: %v", err)
	}
}

func TestPruneForgetsWhatIsOldAndHasNoSandbox(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := store(t, dir, &now)
	old, kept, fresh := New(), New(), New()
	for _, one := range []Seat{old, kept, fresh} {
		if err := errors.Join(s.Sit(one.ID), s.Assign(one.ID, "box-"+one.ID)); err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range []Seat{old, kept} {
		long := now.Add(-200 * 24 * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, one.ID+".json"), long, long); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Prune(180*24*time.Hour, func(sandbox string) bool { return sandbox == "box-"+kept.ID })
	if err != nil || n != 1 || s.Known(old.ID) || !s.Known(kept.ID) || !s.Known(fresh.ID) {
		t.Errorf("%d forgotten: %v", n, err)
	}
}

func TestACodeIsShortClearAndUsedOnce(t *testing.T) {
	now := time.Now()
	codes := NewCodes(func() time.Time { return now })
	ada := New()
	code := codes.New(ada)
	if !regexp.MustCompile(`^[A-HJKMNP-TV-Z2-9]{4}-[A-HJKMNP-TV-Z2-9]{4}$`).MatchString(code) {
		t.Errorf("code %q", code)
	}
	if _, ok := codes.Take("AAAA-AAAA"); ok {
		t.Error("a made-up code was good")
	}
	if got, ok := codes.Take(" " + strings.ToLower(code)); !ok || got != ada {
		t.Errorf("got %+v %v", got, ok)
	}
	if _, ok := codes.Take(code); ok {
		t.Error("a code was good twice")
	}
	code = codes.New(ada)
	now = now.Add(CodeLife + time.Second)
	if _, ok := codes.Take(code); ok {
		t.Error("an old code was good")
	}
}

func TestCodesAreBounded(t *testing.T) {
	now := time.Now()
	codes := NewCodes(func() time.Time { return now })
	for i := range 20 { // filling it up one by one would sweep it each time
		codes.codes[[32]byte{byte(i)}] = handover{token: "x", until: now.Add(time.Minute)}
	}
	ada := New()
	codes.New(ada)
	codes.New(ada)
	// Those of "x" are gone with nobody asking: only one code a seat, so 20 became at most 21.
	if len(codes.codes) != 21 {
		t.Errorf("%d codes", len(codes.codes))
	}
	now = now.Add(2 * CodeLife)
	codes.New(ada)
	if len(codes.codes) != 1 {
		t.Errorf("%d codes after all have passed", len(codes.codes))
	}
}
