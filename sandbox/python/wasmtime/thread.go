package wasmtime

import (
	"fmt"
	"sync"
)

// ThreadStack is the stack of a guest's thread in bytes. WebAssembly runs on the
// stack of the thread that calls it, and Go's threads have 8 MiB as a rule, which is
// all that a guest may use: the host functions it calls would end the process.
const ThreadStack = 48 << 20

// threadPool keeps threads between turns. Each runs one Go function, called from C,
// that takes jobs until the process ends.
type threadPool struct {
	mu      sync.Mutex
	idle    []chan func()
	waiting sync.Map // id (uintptr) -> chan func(), until the thread has started
}

// Run calls f on a thread with a large stack and returns when f does. Guests may run
// nowhere else. A thread is made when none is idle, and kept.
func (l *Library) Run(f func()) error {
	jobs, err := l.takeThread()
	if err != nil {
		return err
	}
	done := make(chan struct{})
	jobs <- func() {
		defer close(done)
		f()
	}
	<-done
	l.threads.mu.Lock()
	l.threads.idle = append(l.threads.idle, jobs)
	l.threads.mu.Unlock()
	return nil
}

func (l *Library) takeThread() (chan func(), error) {
	t := &l.threads
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.idle); n > 0 {
		jobs := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return jobs, nil
	}
	jobs := make(chan func())
	return jobs, l.startThread(jobs)
}

func (l *Library) startThread(jobs chan func()) error {
	const attrSize, detached = 64, 1
	attr, thread := l.calloc(attrSize), l.calloc(word)
	defer l.free(attr)
	defer l.free(thread)
	id := l.lastID.Add(1)
	l.threads.waiting.Store(id, jobs)
	l.c("pthread_attr_init", attr)
	defer l.c("pthread_attr_destroy", attr)
	l.c("pthread_attr_setstacksize", attr, ThreadStack)
	l.c("pthread_attr_setdetachstate", attr, detached)
	if errno := l.c("pthread_create", thread, attr, l.threadCallback, id); errno != 0 {
		l.threads.waiting.Delete(id)
		return fmt.Errorf("start a guest's thread: errno %d", errno)
	}
	return nil
}

// onThread is the start routine of guest threads.
func (l *Library) onThread(id uintptr) uintptr {
	jobs, _ := l.threads.waiting.LoadAndDelete(id)
	for f := range jobs.(chan func()) {
		f()
	}
	return 0
}
