// Package refuse starts a program on a system that refuses it io_uring, as the
// seccomp profiles of container runtimes do.
package refuse

import (
	"fmt"
	"os"
	goruntime "runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// variable marks the process that is to become the program.
const variable = "COMPAT_REFUSE_IO_URING"

// Command returns what to execute, and with which additional variable, so that
// program runs with io_uring refused. The executable that calls it must call Become
// first of all in its main function.
func Command(program string, args []string) (path string, argv []string, env string, err error) {
	self, err := os.Executable()
	return self, append([]string{program}, args...), variable + "=1", err
}

// Become turns the process into the program that Command was asked for. It returns
// at once in any other process.
func Become() {
	if os.Getenv(variable) == "" {
		return
	}
	os.Unsetenv(variable)
	goruntime.LockOSThread() // the filter is the thread's, and the thread that executes is the one that stays
	err := install()
	if err == nil {
		err = unix.Exec(os.Args[0], os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "refuse:", err)
	os.Exit(3)
}

// install refuses io_uring_setup to the calling thread and what it executes.
func install() error {
	const returnErrno, returnAllow = 0x00050000, 0x7fff0000
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number is the first word of seccomp_data
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_IO_URING_SETUP},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnErrno | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnAllow},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
}
