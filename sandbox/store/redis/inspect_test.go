package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"storeroom/sandbox"
)

func TestInspect(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	at := time.Now().Add(time.Hour).UnixMilli()
	for _, command := range []string{
		"SET foo bar", "SET n 42", fmt.Sprintf("SET gone x PXAT %d", at), "RPUSH list 1 2 3", "HSET hash a 1", "SADD set a b", "ZADD zset 1 a",
		"XADD stream * a 1", "PFADD hll a", "SET long " + strings.Repeat("é", 60), "SELECT 3", "SET far away",
	} {
		if err := do(t.Context(), c, command); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	if err := c.Set(t.Context(), "two lines", "a\nb", 0).Err(); err != nil { // database 3 still: the pool has one connection
		t.Fatal(err)
	}
	shelf, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Item{
		{Name: "foo", Detail: "“bar”"}, {Name: "gone", Detail: "“x”", Expires: at}, {Name: "hash", Detail: "hash · 1 field"},
		{Name: "hll", Detail: "21 bytes"}, {Name: "list", Detail: "list · 3 items"}, {Name: "long", Detail: "“" + strings.Repeat("é", 40) + "…”"},
		{Name: "n", Detail: "“42”"}, {Name: "set", Detail: "set · 2 members"}, {Name: "stream", Detail: "stream · 1 entry"},
		{Name: "zset", Detail: "sorted set · 1 member"}, {Name: "db3:far", Detail: "“away”"}, {Name: "db3:two lines", Detail: "“a b”"},
	}
	if diff := cmp.Diff(want, shelf.Items); diff != "" {
		t.Error(diff)
	}
	if shelf.Title != "Redis" || !strings.HasPrefix(shelf.Detail, "12 keys · ") || !strings.HasSuffix(shelf.Detail, " MB · Valkey 8.1") {
		t.Errorf("%+v", shelf)
	}
}

func TestInspectOfManyKeys(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	pipe := c.Pipeline()
	for i := range 5000 {
		pipe.Set(t.Context(), fmt.Sprintf("key:%04d", i), "x", 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	shelf, err := s.Inspect(t.Context())
	if err != nil || len(shelf.Items) != sandbox.MaxItems || shelf.More != 5000-sandbox.MaxItems {
		t.Errorf("%d items, %d more, %v", len(shelf.Items), shelf.More, err)
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		start string
		size  int64
		want  string
	}{
		{"", 0, "“”"}, {"bar", 3, "“bar”"}, {"a\x00b", 3, "3 bytes"}, {"\xff\xfe", 2, "2 bytes"}, {"x", 1000, "“x…”"},
		{"é\xc3", 100, "“é…”"}, {"a\tb", 3, "“a b”"},
	} {
		if got := text(test.start, test.size); got != test.want {
			t.Errorf("text(%q, %d) = %q, want %q", test.start, test.size, got, test.want)
		}
	}
}
