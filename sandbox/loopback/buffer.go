package loopback

// buffer is a queue of bytes that its owner keeps bounded.
type buffer struct {
	bytes []byte // bytes[from:] are held
	from  int
}

func (b *buffer) len() int { return len(b.bytes) - b.from }

func (b *buffer) add(p []byte) {
	if b.from > 0 && len(b.bytes)+len(p) > cap(b.bytes) {
		b.bytes = b.bytes[:copy(b.bytes, b.bytes[b.from:])]
		b.from = 0
	}
	b.bytes = append(b.bytes, p...)
}

// peek is the first n bytes, or what there is, valid until the next change.
func (b *buffer) peek(n int) []byte { return b.bytes[b.from : b.from+min(n, b.len())] }

func (b *buffer) drop(n int) {
	if b.from += n; b.from < len(b.bytes) {
		return
	}
	b.bytes, b.from = b.bytes[:0], 0
	if cap(b.bytes) > keepBuffer {
		b.bytes = nil
	}
}

const (
	maxBuffer  = 128 << 10 // bytes held of one direction of one connection
	keepBuffer = 8 << 10   // room that an empty buffer keeps
)
