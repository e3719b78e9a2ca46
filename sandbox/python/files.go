package python

import (
	"errors"
	"fmt"
	"os"

	"storeroom/sandbox/python/wasi"
)

// Paths in the guest.
const (
	Home = "/home/learner" // the learner's folder and first working directory
	Tmp  = "/tmp"

	guestRoot       = "/"
	guestStdlib     = "/usr/local/lib"
	guestMatplotlib = "/usr/local/lib/python315.zip/matplotlib/mpl-data"
	guestSite       = "/site"
	guestGuest      = "/guest"
)

// FilesConfig says what of the host's files a guest may write.
type FilesConfig struct {
	Home   *os.Root // seen as Home
	Tmp    *os.Root // seen as Tmp
	Quota  *wasi.Quota
	Output func(fd int, p []byte) error // what is written to 1 or 2; p is good during the call
}

// Files makes a guest's file system: the engine's own folders, read-only, and the
// learner's. Descriptors do not survive the image, so every guest has the same mounts
// in the same order as the interpreter that was booted.
func (e *Engine) Files(c FilesConfig) (*wasi.FS, error) {
	m := []wasi.Mount{
		{Guest: Home, Root: c.Home, Writable: true, Quota: c.Quota},
		{Guest: Tmp, Root: c.Tmp, Writable: true, Quota: c.Quota},
	}
	for i, path := range readOnly {
		m = append(m, wasi.Mount{Guest: path, Root: e.roots[i]})
	}
	return wasi.NewFS(wasi.Config{Mounts: m, Args: []string{"python"}, Env: environment, Output: c.Output})
}

// readOnly and environment are the same in every guest.
var (
	readOnly    = []string{guestStdlib, guestMatplotlib, guestSite, guestGuest, guestRoot}
	environment = []string{
		"HOME=" + Home, "PWD=" + Home, "TMPDIR=" + Tmp, "USER=learner", "LOGNAME=learner", "LANG=C.UTF-8",
		"PYTHONTZPATH=", "PYTHON_COLORS=0", "NO_COLOR=1", "MPLCONFIGDIR=" + Tmp + "/matplotlib", "MPLBACKEND=Agg",
	}
)

// openRoots opens the folders of readOnly, in its order.
func openRoots(c Config) ([]*os.Root, error) {
	var roots []*os.Root
	for _, dir := range []string{c.Stdlib, c.Matplotlib, c.Site, c.Guest, c.Root} {
		r, err := os.OpenRoot(dir)
		if err != nil {
			for _, r := range roots {
				err = errors.Join(err, r.Close())
			}
			return nil, fmt.Errorf("open a folder of the guest's: %w", err)
		}
		roots = append(roots, r)
	}
	return roots, nil
}
