package daemon

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"
)

// How often a running process is looked at, and how little work it may have done for
// its folder to be taken as unchanged: whoever writes much uses the processor.
const (
	watchEvery = 400 * time.Millisecond
	littleWork = 10 * time.Millisecond // the kernel counts in these
)

// Usage is what a server's processes use now.
type Usage struct {
	Disk    int64 // bytes in Dir
	Memory  int64 // bytes that its processes share with nobody
	Largest int   // the child that has most of them, 0: none
}

// watch looks at the process until it ends.
func (d *Daemon) watch(ctx context.Context, p *process) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	worked := -littleWork // so that the first look looks
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.done:
			return
		case <-tick.C:
		}
		f, ok := usedBy(p.cmd.Process.Pid)
		if ok && f.worked-worked < littleWork {
			continue
		}
		worked = f.worked
		d.tell(ctx, p, Usage{Disk: Size(d.Dir), Memory: f.memory, Largest: f.largest})
	}
}

// tell gives the usage to who watches it, who is let go when the process ends meanwhile.
func (d *Daemon) tell(ctx context.Context, p *process, u Usage) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	d.Watch(ctx, u)
}

// family is what the kernel counts of a process and its children.
type family struct {
	worked  time.Duration // processor time of all of them, also of those that have ended
	memory  int64         // bytes that are one process's own
	largest int           // the child with most memory
}

// Size adds up what a folder holds on disk, in bytes. Entries that go away meanwhile
// count nothing; links are not followed.
func Size(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			total += onDisk(info)
		}
		return nil
	})
	return total
}
