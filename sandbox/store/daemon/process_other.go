//go:build !linux

package daemon

import (
	"io/fs"
	"net"
	"time"
)

// The wheel's servers run on Linux alone; elsewhere these checks have no counterpart
// and each server's own lock file keeps two of them apart.

func listenedBy(*net.UnixConn, int) error { return nil }

func killIn(string, time.Duration) error { return nil }

func onDisk(info fs.FileInfo) int64 { return info.Size() }

func usedBy(int) (family, bool) { return family{}, false }

func awaitEnd(int) {}
