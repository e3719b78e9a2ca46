//go:build !unix

package parts

import (
	"context"
	"os"
)

func makeCache(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cacheError(err)
	}
	return nil
}

// lock does nothing here: two first starts at once would do the work twice, and the
// second rename fails with a message.
func lock(context.Context, string, func()) (unlock func(), err error) { return func() {}, nil }
