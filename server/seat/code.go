package seat

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// CodeLife is how long a seat code is good.
const CodeLife = 10 * time.Minute

const (
	codeLetters = "ABCDEFGHJKMNPQRSTVWXYZ23456789" // without those that are misread: I L O U 0 1
	codeLength  = 8
	mostCodes   = 10_000
)

// Codes are the short codes that take a seat to another browser. They live in memory
// alone, each for CodeLife and one use.
type Codes struct {
	now func() time.Time

	mu    sync.Mutex
	codes map[[sha256.Size]byte]handover
}

type handover struct {
	token string
	until time.Time
}

// NewCodes has no codes yet.
func NewCodes(now func() time.Time) *Codes {
	return &Codes{now: now, codes: map[[sha256.Size]byte]handover{}}
}

// New makes a code for a seat, such as "QX4K-8M2P". An earlier one of the seat is void.
// It answers "" when too many codes are about.
func (c *Codes) New(s Seat) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, h := range c.codes {
		if h.token == s.Token || c.now().After(h.until) {
			delete(c.codes, key)
		}
	}
	if len(c.codes) >= mostCodes {
		return ""
	}
	code := make([]byte, 0, codeLength)
	for len(code) < codeLength {
		var b [1]byte
		rand.Read(b[:])
		// 240 is a multiple of 30: every letter is as likely as the others.
		if b[0] < 240 {
			code = append(code, codeLetters[int(b[0])%len(codeLetters)])
		}
	}
	c.codes[sha256.Sum256(code)] = handover{token: s.Token, until: c.now().Add(CodeLife)}
	return string(code[:codeLength/2]) + "-" + string(code[codeLength/2:])
}

// Take answers the seat for a code as a person types it, and makes the code void.
func (c *Codes) Take(typed string) (Seat, bool) {
	typed = strings.ToUpper(strings.NewReplacer("-", "", " ", "", "–", "").Replace(typed))
	key := sha256.Sum256([]byte(typed))
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.codes[key]
	delete(c.codes, key)
	if !ok || c.now().After(h.until) {
		return Seat{}, false
	}
	return FromToken(h.token)
}
