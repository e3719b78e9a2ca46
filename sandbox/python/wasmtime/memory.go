package wasmtime

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// PageSize is a WebAssembly page in bytes.
const PageSize = 64 << 10

// Memory is a guest's linear memory. wasmtime reserves 4 GiB of addresses for it, so
// it grows without moving.
type Memory struct {
	i    *Instance
	item uintptr
	base uintptr
	size uintptr // at least; it only grows
}

// Memory finds an exported memory.
func (i *Instance) Memory(name string) (*Memory, error) {
	item, err := i.export(name)
	if err != nil {
		return nil, err
	}
	m := &Memory{i: i, item: item, base: i.t.l.c("wasmtime_memory_data", i.s.ctx, item)}
	m.Size()
	return m, nil
}

// Size is the memory's size in bytes now.
func (m *Memory) Size() int64 {
	m.size, _, _ = purego.SyscallN(m.i.t.l.hot.memorySize, m.i.s.ctx, m.item)
	return int64(m.size)
}

// Bytes is the guest's memory from p on for n bytes, or nil when it does not lie
// wholly inside. It is the memory itself, not a copy, and stays good until the store
// is closed. Only the guest's own goroutine may use it while the guest runs.
func (m *Memory) Bytes(p, n uint32) []byte {
	end := uint64(p) + uint64(n)
	if end > uint64(m.size) && end > uint64(m.Size()) {
		return nil
	}
	if n == 0 {
		return []byte{}
	}
	return memoryAt(m.base+uintptr(p), uintptr(n))
}

// All is the whole memory, as Bytes.
func (m *Memory) All() []byte { return memoryAt(m.base, uintptr(m.Size())) }

// Grow makes the memory at least n bytes. Over the store's limit it is an error.
func (m *Memory) Grow(n int64) error {
	have := m.Size()
	if n <= have {
		return nil
	}
	l := m.i.t.l
	pages := (n - have + PageSize - 1) / PageSize
	err := l.takeError(l.c("wasmtime_memory_grow", m.i.s.ctx, m.item, uintptr(pages), m.i.block+blockTemp))
	if err != nil {
		return fmt.Errorf("grow memory to %d bytes: %w", n, err)
	}
	m.Size()
	return nil
}

// MapPrivate lays n bytes of the file fd over the memory's beginning, copy on write:
// the guest's writes never reach the file. n must not exceed the memory's size.
func (m *Memory) MapPrivate(fd int, n int64) error {
	if n > m.Size() {
		return fmt.Errorf("map an image of %d bytes over a memory of %d", n, m.size)
	}
	at := at[byte](m.base)
	_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(at), uintptr(n),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map an image: %w", err)
	}
	return nil
}
