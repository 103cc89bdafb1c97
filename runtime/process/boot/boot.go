// Package boot keeps the limits of descriptors that the process was started
// with: Go raises the soft one before main begins.
//
// It works because it imports nothing that needs the package syscall: packages
// without unmet imports are initialized in the order of their paths, so this one
// comes before syscall, whose initialization changes the limit.
package boot

import (
	goruntime "runtime"
	"unsafe"
)

// Limits are a soft and a hard limit of open descriptors.
type Limits struct{ Soft, Hard uint64 }

// Descriptors is RLIMIT_NOFILE as it was at exec; zero where it cannot be told.
var Descriptors = read()

// nofile is RLIMIT_NOFILE.
const nofile = 7

// prlimit64 is the number of the system call by architecture; the newer ones share a table.
func prlimit64() uintptr {
	switch goruntime.GOARCH {
	case "amd64":
		return 302
	case "386":
		return 340
	case "arm":
		return 369
	case "ppc64le":
		return 325
	case "s390x":
		return 334
	case "arm64", "riscv64", "loong64":
		return 261
	}
	return 0
}

func read() (l Limits) {
	if n := prlimit64(); n != 0 {
		rawSyscall6(n, 0, nofile, 0, uintptr(unsafe.Pointer(&l)), 0, 0)
	}
	return l
}

//go:linkname rawSyscall6 syscall.RawSyscall6
//go:noescape
func rawSyscall6(number, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr)
