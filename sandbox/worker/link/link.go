// Package link carries messages between the host and one worker over a socket pair:
// a frame is four bytes of length (big endian) and that many bytes of JSON; open
// descriptors ride along by SCM_RIGHTS. sandbox/host holds one end, sandbox/worker
// the other. Neither end trusts the other's lengths or counts.
package link

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"storeroom/sandbox"
)

// MaxFrame bounds a frame's JSON, in bytes. A cell may be 64 KiB of text, and JSON may
// write each byte of it as six.
const MaxFrame = 1 << 20

const (
	maxFiles = 4       // descriptors a message may carry
	readSize = 4 << 10 // bytes taken at once; the host has such a buffer for each worker
	oobSize  = 256     // room for the control message of maxFiles descriptors
)

// Type tells the kinds of Message apart.
type Type string

// The first five go to the worker, the others come from it.
const (
	Run   Type = "run"   // Run, Cell: run this
	Stop  Type = "stop"  // Run: end it, softly first; Text is the sandbox.Reason
	Input Type = "input" // Run and Text, a line for input(); or Run and EOF
	Conn  Type = "conn"  // ID and one file, or Text: the answer to Dial
	Serve Type = "serve" // Store, Text (the address dialled) and one file: a client of a store that the worker holds

	Ready Type = "ready" // the worker can run cells
	Event Type = "event" // Event: of the run that is going on
	Dial  Type = "dial"  // ID, Store: connect to a store that the host runs
	Shut  Type = "shut"  // Store: a connection that was dialled is closed
	Used  Type = "used"  // Store: the learner's code connected to a store that the worker holds
)

// Message is one message; which fields it has depends on its Type.
type Message struct {
	Type  Type           `json:"type"`
	Run   string         `json:"run,omitempty"`
	Cell  *sandbox.Cell  `json:"cell,omitempty"`
	Event *sandbox.Event `json:"event,omitempty"`
	ID    int64          `json:"id,omitempty"`
	Store string         `json:"store,omitempty"`
	Text  string         `json:"text,omitempty"`
	EOF   bool           `json:"eof,omitempty"`   // the run gets no line any more
	Files int            `json:"files,omitempty"` // how many descriptors come with it

	// Conns are the descriptors that came; the receiver owns them.
	Conns []*os.File `json:"-"`
}

// Link is one end. Send may be called from many goroutines, Receive from one.
type Link struct {
	// Patience is the longest that Send waits for the other end to read; 0: for ever.
	// After that error the link is of no use.
	Patience time.Duration

	conn *net.UnixConn

	sending sync.Mutex

	buf  []byte // read and not yet used
	fds  []int  // arrived and not yet claimed by a message
	data [readSize]byte
	oob  [oobSize]byte
}

// Pair makes a link: the host's end, and the file that becomes the worker's descriptor.
func Pair() (*Link, *os.File, error) {
	host, worker, err := SocketPair()
	if err != nil {
		return nil, nil, err
	}
	l, err := FromFile(host)
	if err != nil {
		worker.Close()
		return nil, nil, err
	}
	return l, worker, nil
}

// SocketPair makes two connected stream sockets, closed on exec.
func SocketPair() (a, b *os.File, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return os.NewFile(uintptr(p[0]), "link"), os.NewFile(uintptr(p[1]), "link"), nil
}

// FromFile makes an end of a socket's file, which it closes.
func FromFile(f *os.File) (*Link, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open the link: %w", err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("open the link: not a unix socket")
	}
	return &Link{conn: u}, nil
}

// Send writes one message, with the descriptors of files, which stay the caller's.
func (l *Link) Send(m Message, files ...*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	return l.send(m, fds)
}

// SendConn writes one message with the descriptor of a connection, which stays the caller's.
func (l *Link) SendConn(m Message, c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	// Not c.File().Fd(): that would make the shared socket blocking.
	if err := raw.Control(func(fd uintptr) { sent = l.send(m, []int{int(fd)}) }); err != nil {
		return err
	}
	return sent
}

func (l *Link) send(m Message, fds []int) error {
	m.Files = len(fds)
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(body) > MaxFrame {
		return fmt.Errorf("send %s: the message has %d bytes, at most %d go", m.Type, len(body), MaxFrame)
	}
	frame := append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...)
	l.sending.Lock()
	defer l.sending.Unlock()
	if l.Patience > 0 {
		l.conn.SetWriteDeadline(time.Now().Add(l.Patience))
	}
	if len(fds) > 0 {
		n, _, err := l.conn.WriteMsgUnix(frame, unix.UnixRights(fds...), nil)
		if err != nil {
			return fmt.Errorf("send %s: %w", m.Type, err)
		}
		frame = frame[n:]
	}
	for len(frame) > 0 {
		n, err := l.conn.Write(frame)
		if err != nil {
			return fmt.Errorf("send %s: %w", m.Type, err)
		}
		frame = frame[n:]
	}
	return nil
}

// Receive reads the next message. An error is final: the other end is gone, or does not
// keep to the format.
func (l *Link) Receive() (Message, error) {
	for {
		if len(l.buf) >= 4 {
			n := int(binary.BigEndian.Uint32(l.buf))
			if n > MaxFrame {
				return Message{}, fmt.Errorf("receive: a frame of %d bytes, at most %d go", n, MaxFrame)
			}
			if len(l.buf) >= 4+n {
				m, err := l.decode(l.buf[4 : 4+n])
				l.buf = l.buf[4+n:]
				return m, err
			}
		}
		if err := l.fill(); err != nil {
			return Message{}, err
		}
	}
}

func (l *Link) decode(body []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("receive: %w", err)
	}
	if m.Files < 0 || m.Files > maxFiles || m.Files > len(l.fds) {
		return m, fmt.Errorf("receive %s: %d descriptors announced, %d came", m.Type, m.Files, len(l.fds))
	}
	for _, fd := range l.fds[:m.Files] {
		m.Conns = append(m.Conns, os.NewFile(uintptr(fd), "received"))
	}
	l.fds = l.fds[m.Files:]
	return m, nil
}

// fill reads what is there. Descriptors that nobody announced are closed at once.
func (l *Link) fill() error {
	n, oobn, _, _, err := l.conn.ReadMsgUnix(l.data[:], l.oob[:])
	if oobn > 0 {
		l.claim(l.oob[:oobn])
	}
	if len(l.fds) > 2*maxFiles && err == nil {
		err = errors.New("receive: too many descriptors")
	}
	if err == nil && n == 0 {
		err = net.ErrClosed
	}
	if err != nil {
		l.drop()
		return err
	}
	l.buf = append(l.buf, l.data[:n]...)
	return nil
}

func (l *Link) drop() {
	for _, fd := range l.fds {
		unix.Close(fd)
	}
	l.fds = nil
}

func (l *Link) claim(oob []byte) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, m := range msgs {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			for _, fd := range fds {
				unix.CloseOnExec(fd)
			}
			l.fds = append(l.fds, fds...)
		}
	}
}

// Close closes this end. Descriptors that no message claimed go when Receive has ended.
func (l *Link) Close() error { return l.conn.Close() }

// Discard closes descriptors that came with a message which nobody wants.
func (m Message) Discard() {
	for _, f := range m.Conns {
		f.Close()
	}
}
