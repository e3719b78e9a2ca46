package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"storeroom/sandbox"
)

// maxScan bounds how many keys are looked at, to list the first MaxItems in order.
const maxScan = 1000

// readKeys lists the first keys of each database.
func readKeys(ctx context.Context, conn *redis.Conn, databases []database) ([]sandbox.Item, error) {
	items := []sandbox.Item{}
	for _, d := range databases {
		if len(items) == sandbox.MaxItems {
			break
		}
		if err := conn.Select(ctx, d.number).Err(); err != nil {
			return nil, err
		}
		names, err := scan(ctx, conn)
		if err != nil {
			return nil, err
		}
		names = names[:min(len(names), sandbox.MaxItems-len(items))]
		found, err := describe(ctx, conn, names)
		if err != nil {
			return nil, err
		}
		for _, item := range found {
			if d.number != 0 {
				item.Name = fmt.Sprintf("db%d:%s", d.number, item.Name)
			}
			items = append(items, item)
		}
	}
	return items, nil
}

// scan answers up to maxScan keys of the chosen database, sorted: the server's own order
// changes with every rehash, and a list that jumps can't be read.
func scan(ctx context.Context, conn *redis.Conn) ([]string, error) {
	var names []string
	var cursor uint64
	for range maxScan / 50 {
		batch, next, err := conn.Scan(ctx, cursor, "", 100).Result()
		if err != nil {
			return nil, err
		}
		names = append(names, batch...)
		if cursor = next; cursor == 0 || len(names) >= maxScan {
			break
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil // SCAN may answer a key twice
}

// describe asks for all keys at once: type and expiry, then what the type needs.
func describe(ctx context.Context, conn *redis.Conn, names []string) ([]sandbox.Item, error) {
	if len(names) == 0 {
		return nil, nil
	}
	types := make([]*redis.StatusCmd, len(names))
	expires := make([]*redis.Cmd, len(names))
	pipe := conn.Pipeline()
	for i, name := range names {
		types[i] = pipe.Type(ctx, name)
		expires[i] = pipe.Do(ctx, "pexpiretime", name)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	values := make([]func() string, len(names))
	pipe = conn.Pipeline()
	for i, name := range names {
		values[i] = preview(ctx, pipe, types[i].Val(), name)
	}
	pipe.Exec(ctx) // a key that has just expired or changed its type answers an error of its own
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var items []sandbox.Item
	for i, name := range names {
		if types[i].Val() == "none" {
			continue
		}
		item := sandbox.Item{Name: printable(name, maxName), Detail: values[i]()}
		if at, err := expires[i].Int64(); err == nil && at > 0 {
			item.Expires = at
		}
		items = append(items, item)
	}
	return items, nil
}

// Lengths of what is shown, in characters.
const (
	maxName    = 80
	maxPreview = 40
)

// preview queues what tells a key's value in a few words, and answers how to read it.
func preview(ctx context.Context, pipe redis.Pipeliner, kind, name string) func() string {
	length := func(cmd *redis.IntCmd, what, one, many string) func() string {
		return func() string { return what + " · " + count(cmd.Val(), one, many) }
	}
	switch kind {
	case "string":
		start := pipe.GetRange(ctx, name, 0, 4*maxPreview)
		size := pipe.StrLen(ctx, name)
		return func() string { return text(start.Val(), size.Val()) }
	case "list":
		return length(pipe.LLen(ctx, name), "list", "item", "items")
	case "hash":
		return length(pipe.HLen(ctx, name), "hash", "field", "fields")
	case "set":
		return length(pipe.SCard(ctx, name), "set", "member", "members")
	case "zset":
		return length(pipe.ZCard(ctx, name), "sorted set", "member", "members")
	case "stream":
		return length(pipe.XLen(ctx, name), "stream", "entry", "entries")
	}
	return func() string { return kind }
}

// text shows a string's value, or its size when it is not text. size is in bytes.
func text(start string, size int64) string {
	whole := int64(len(start)) == size
	if !whole {
		start = strings.TrimRightFunc(start, func(r rune) bool { return r == utf8.RuneError }) // a cut character
	}
	if !utf8.ValidString(start) || strings.ContainsFunc(start, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return count(size, "byte", "bytes")
	}
	shown := printable(start, maxPreview)
	if !whole && !strings.HasSuffix(shown, "…") {
		shown += "…"
	}
	return "“" + shown + "”"
}

// printable makes one line of at most most characters.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
