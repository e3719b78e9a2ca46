package python

import (
	"encoding/binary"
	"errors"
	"time"

	"storeroom/sandbox/python/wasi"
	"storeroom/sandbox/python/wasmtime"
)

const wasiModule = "wasi_snapshot_preview1"

// defineImports gives the module all that it imports: WASI, and the door host.call.
func defineImports(k *wasmtime.Linker) error {
	for _, f := range wasi.Functions() {
		call := f.Call
		err := k.Define(wasiModule, f.Name, f.Params, "i", func(s *wasmtime.Store, a []uint64) (uint32, error) {
			g := s.Data.(*Guest)
			return call(g.files, g.memory, a), nil
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(
		k.Define(wasiModule, "poll_oneoff", "iiii", "i", pollOneoff),
		k.Define(wasiModule, "proc_exit", "i", "", procExit),
		k.Define("host", "call", "iiii", "i", hostCall),
	)
}

// procExit ends the guest, as os._exit asks.
func procExit(_ *wasmtime.Store, a []uint64) (uint32, error) {
	return 0, exited{int(uint32(a[0]))}
}

// The answers of host.call. The guest raises an OSError at a refusal.
const (
	callDone    = 0
	callRefused = 1<<32 - 1
)

// hostCall is Python's _host.call(frame): frame's first byte chooses the service. The
// arguments are the frame's place and length, and where to write the answer's.
func hostCall(s *wasmtime.Store, a []uint64) (uint32, error) {
	g := s.Data.(*Guest)
	frame := g.memory.Bytes(uint32(a[0]), uint32(a[1]))
	if len(frame) == 0 {
		return callRefused, nil
	}
	answer, known, err := g.serve(frame[0], frame[1:])
	if err != nil || !known {
		return callRefused, err
	}
	// A wait in the service may have outlasted the turn's grace.
	if err := g.due(); err != nil {
		return 0, err
	}
	p, err := g.put(answer)
	if errors.Is(err, errNoRoom) {
		return callRefused, nil
	}
	if err != nil {
		return 0, err
	}
	where, length := g.memory.Bytes(uint32(a[2]), 4), g.memory.Bytes(uint32(a[3]), 4)
	if where == nil || length == nil {
		return callRefused, nil
	}
	binary.LittleEndian.PutUint32(where, p)
	binary.LittleEndian.PutUint32(length, uint32(len(answer)))
	return callDone, nil
}

func (g *Guest) serve(service byte, frame []byte) (answer []byte, known bool, err error) {
	switch service {
	case 't':
		answer, err := g.onTurn()
		return answer, true, err
	case 'e':
		return nil, true, g.onEnd(frame)
	case 'm':
		if len(g.marks) > 0 {
			mark := g.marks[0]
			g.marks = g.marks[1:]
			mark()
		}
		return nil, true, nil
	case 'i':
		if g.immortals == nil {
			return nil, false, nil
		}
		answer, err := g.immortals.add(g, frame)
		return answer, true, err
	case 'k':
		return passwordKey(frame), true, nil
	}
	f, known := g.services[service]
	if !known {
		return nil, false, nil
	}
	if service == LineService {
		defer g.clock.pauseForLine()()
	}
	return f(frame, g), true, nil
}

// Layout and values of poll_oneoff, from WASI preview 1's witx.
const (
	subscriptionSize = 48
	eventSize        = 32
	eventClock       = 0
	absoluteTime     = 1
	mostSubscribed   = 1024
	errnoSuccess     = 0
	errnoFault       = 21
	errnoInval       = 28
)

// pollOneoff serves time.sleep, with relative and absolute clocks. Descriptors are
// always ready. A stopped sleep answers success early: wasi-libc makes OSError 58 of
// every error, and the KeyboardInterrupt is in the guest already.
func pollOneoff(s *wasmtime.Store, a []uint64) (uint32, error) {
	g := s.Data.(*Guest)
	n := uint32(a[2])
	if n == 0 || n > mostSubscribed {
		return errnoInval, nil
	}
	in, out := g.memory.Bytes(uint32(a[0]), subscriptionSize*n), g.memory.Bytes(uint32(a[1]), eventSize*n)
	count := g.memory.Bytes(uint32(a[3]), 4)
	if in == nil || out == nil || count == nil {
		return errnoFault, nil
	}
	ready, first, wait := g.subscriptions(in)
	if len(ready) == 0 {
		g.Wait(wait, nil)
		ready = append(ready, first)
	}
	for i, k := range ready {
		sub, event := in[subscriptionSize*k:], out[eventSize*i:][:eventSize]
		clear(event)
		copy(event, sub[:8]) // userdata
		event[10] = sub[8]   // type
		event[16] = 1        // bytes ready, for descriptors
	}
	binary.LittleEndian.PutUint32(count, uint32(len(ready)))
	return errnoSuccess, g.due()
}

// subscriptions reads what the guest waits for: the descriptors, which are ready, and
// the clock that comes first with how long it takes.
func (g *Guest) subscriptions(in []byte) (ready []int, first int, wait time.Duration) {
	wait = never
	for k := range len(in) / subscriptionSize {
		sub := in[subscriptionSize*k:][:subscriptionSize]
		if sub[8] != eventClock {
			ready = append(ready, k)
			continue
		}
		clock, t := binary.LittleEndian.Uint32(sub[16:]), binary.LittleEndian.Uint64(sub[24:])
		d := time.Duration(min(t, uint64(never)))
		if binary.LittleEndian.Uint16(sub[40:])&absoluteTime != 0 {
			if clock == wasi.ClockRealtime {
				d = time.Until(time.Unix(0, int64(d)))
			} else {
				d -= time.Duration(g.files.Monotonic())
			}
		}
		if d = max(d, 0); d < wait {
			first, wait = k, d
		}
	}
	return ready, first, wait
}
