package main

import (
	"flag"
	"reflect"
	"testing"
	"time"

	"storeroom/sandbox"
)

func TestEveryLimitIsAFlag(t *testing.T) {
	var l sandbox.Limits
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	limitFlags(flags, &l)
	if l != sandbox.Defaults() {
		t.Errorf("without a flag the limits are %+v", l)
	}
	changed := map[string]string{}
	flags.VisitAll(func(f *flag.Flag) {
		before := l
		if _, isTime := reflect.ValueOf(f.Value).Interface().(interface{ Seconds() float64 }); isTime || flags.Set(f.Name, "77") != nil {
			if err := flags.Set(f.Name, "77s"); err != nil {
				t.Errorf("--%s takes neither 77 nor 77s: %v", f.Name, err)
			}
		}
		old, now := reflect.ValueOf(before), reflect.ValueOf(l)
		for i := range old.NumField() {
			if old.Field(i).Interface() != now.Field(i).Interface() {
				changed[old.Type().Field(i).Name] = f.Name
			}
		}
	})
	for i := range reflect.TypeFor[sandbox.Limits]().NumField() {
		if name := reflect.TypeFor[sandbox.Limits]().Field(i).Name; changed[name] == "" {
			t.Errorf("Limits.%s has no flag", name)
		}
	}
	if l.Run != 77*time.Second || l.Memory != 77 || l.Files != 77 {
		t.Errorf("the limits are %+v", l)
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1048576": 1 << 20, "64KiB": 64 << 10, "64 KB": 64 << 10, "256MiB": 256 << 20, "256M": 256 << 20, "10GiB": 10 << 30, "7B": 7} {
		var s size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%q is %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "much", "-1", "1.5MiB", "10TiB", "99999999999GiB", "MiB", "1 Ki"} {
		var s size
		if err := s.Set(text); err == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
	for n, want := range map[int64]string{0: "0", 1000: "1000", 1024: "1KiB", 256 << 20: "256MiB", 10 << 30: "10GiB", 2048 << 30: "2048GiB"} {
		if got := (*size)(&n).String(); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
}

func TestTimesAreWrittenAsPeopleDo(t *testing.T) {
	for d, want := range map[time.Duration]string{20 * time.Second: "20s", 5 * time.Minute: "5m", time.Hour: "1h", 200 * time.Millisecond: "200ms", 90 * time.Minute: "1h30m", 61 * time.Second: "1m1s", 10 * time.Hour: "10h", 0: "0s"} {
		s := span(d)
		if got := s.String(); got != want {
			t.Errorf("%v is written %q", d, got)
		}
		if s = 0; s.Set(want) != nil || s != span(d) {
			t.Errorf("%q is read as %v", want, time.Duration(s))
		}
	}
}
