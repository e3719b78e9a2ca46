package confine

import "golang.org/x/sys/unix"

const arch = unix.AUDIT_ARCH_X86_64

// kernelCallsHere add to kernelCalls what x86_64 alone has.
var kernelCallsHere = []uint32{
	unix.SYS_KEXEC_FILE_LOAD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL,
}

// forksHere are the calls besides clone that make a process.
var forksHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK}
