package loop

import (
	"fmt"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childEnv makes the test binary, run by a test, refuse itself something and report which engine it gets.
const childEnv = "HAPAX_LOOP_CHILD"

func runChild(what string) int {
	goruntime.LockOSThread()
	var err error
	switch what {
	case "seccomp EPERM":
		err = refuse(unix.SYS_IO_URING_SETUP, unix.EPERM)
	case "seccomp ENOSYS":
		err = refuse(unix.SYS_IO_URING_SETUP, unix.ENOSYS)
	case "seccomp register":
		err = refuse(unix.SYS_IO_URING_REGISTER, unix.EPERM)
	case "seccomp enter":
		err = refuse(unix.SYS_IO_URING_ENTER, unix.EPERM)
	case "memlock":
		err = lockNoMemory()
	}
	if err != nil {
		fmt.Println("cannot refuse:", err)
		return 3
	}
	if _, err := New(Options{Engine: Uring}); err == nil {
		fmt.Println("io_uring is not refused")
		return 3
	}
	l, err := New(Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	l.PostFunc(l.Stop)
	l.Run()
	fmt.Printf("%s, warning: %v\n", l.Name(), l.Warning())
	l.Close()
	return 0
}

// refuse makes one system call fail on the calling thread.
func refuse(nr uint32, e unix.Errno) error {
	const returnErrno, returnAllow = 0x00050000, 0x7fff0000
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number is the first word of seccomp_data
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnErrno | uint32(e)},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnAllow},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
}

// lockNoMemory makes the calling thread one that may not lock memory, as those of unprivileged users on systems with low limits.
func lockNoMemory() error {
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{}); err != nil {
		return err
	}
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&h, &none[0])
}

func TestRefused(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, want string }{
		{"seccomp EPERM", "epoll, warning: <nil>\n"},
		{"seccomp ENOSYS", "epoll, warning: <nil>\n"},
		{"seccomp register", "epoll, warning: <nil>\n"},
		{"seccomp enter", "epoll, warning: <nil>\n"},
		{"memlock", "epoll, warning: io_uring: cannot allocate memory (RLIMIT_MEMLOCK is too low), using epoll\n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), childEnv+"="+c.what)
			out, err := cmd.CombinedOutput()
			if strings.Contains(string(out), "not refused") {
				t.Skipf("this kernel does not refuse io_uring for %s", c.what)
			}
			if err != nil || string(out) != c.want {
				t.Errorf("%v: %q, want %q", err, out, c.want)
			}
		})
	}
}
