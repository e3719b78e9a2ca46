package python

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// interruptWords is how many words of memory a SIGINT sets in CPython 3.15: the
// signal's own flag, "some signal came", and a bit of the evaluation breaker.
const interruptWords = 3

// probe runs one C function between two marks. The deque drains three callables
// without going back to bytecode, so that nothing consumes what the function set.
const probe = `def _probe():
    import _thread, _host, collections, functools, operator
    mark = functools.partial(_host.call, b'm')
    try:
        collections.deque(map(operator.call, (mark, _thread.%s, mark)), 0)
        for _ in range(9): pass
    except KeyboardInterrupt:
        pass
_probe()
del _probe
`

// findWords learns where an interrupt is noted, by comparing memory before and after
// _thread.interrupt_main: the words that gain exactly one low bit every time, and
// never beside a harmless function.
func (g *Guest) findWords() ([]word, error) {
	const rounds = 3
	var found map[word]bool
	for range rounds {
		set, err := g.changedBy("interrupt_main")
		if err != nil {
			return nil, err
		}
		idle, err := g.changedBy("get_ident")
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = set
		}
		for w := range found {
			if !set[w] || idle[w] {
				delete(found, w)
			}
		}
	}
	if len(found) != interruptWords {
		return nil, fmt.Errorf("find where an interrupt is noted: expected %d words, found %v", interruptWords, found)
	}
	words := make([]word, 0, interruptWords)
	for w := range found {
		words = append(words, w)
	}
	slices.SortFunc(words, func(a, b word) int { return int(a.Address) - int(b.Address) })
	return words, nil
}

// changedBy answers the words that gain one bit when the function of module _thread
// is called.
func (g *Guest) changedBy(function string) (map[word]bool, error) {
	var before, after []byte
	copyTo := func(to *[]byte) func() { return func() { *to = slices.Clone(g.memory.All()) } }
	g.marks = []func(){copyTo(&before), copyTo(&after)}
	if err := g.bootTurn(fmt.Sprintf(probe, function)); err != nil {
		return nil, err
	}
	if after == nil {
		return nil, errors.New("find where an interrupt is noted: the marks were not reached")
	}
	const highest = 1 << 7 // the breaker's signal bit and the flags are all lower
	set := map[word]bool{}
	for at := 0; at+4 <= min(len(before), len(after)); at += 4 {
		x, y := binary.LittleEndian.Uint32(before[at:]), binary.LittleEndian.Uint32(after[at:])
		if gained := y &^ x; x|gained == y && x != y && bits.OnesCount32(gained) == 1 && gained <= highest && x&^y == 0 {
			set[word{uint32(at), gained}] = true
		}
	}
	return set, nil
}
