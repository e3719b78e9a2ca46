package confine

import "golang.org/x/sys/unix"

const arch = unix.AUDIT_ARCH_AARCH64

// kernelCallsHere add to kernelCalls what arm64 alone has.
var kernelCallsHere = []uint32{unix.SYS_KEXEC_FILE_LOAD}

// forksHere are the calls besides clone that make a process: none.
var forksHere []uint32
