package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Role is what a process was started for.
type Role uint8

const (
	First  Role = iota // by the user: it serves, or starts the process that does
	Daemon             // by First, to go on in the background
	Worker             // by a master, to serve
)

// Birth is what the process that started this one says.
type Birth struct {
	Role Role

	Ready *os.File // Daemon: a byte here tells the launcher that all is well
	Link  *os.File // Worker: sockets of connections come and go over it
	Old   *os.File // Worker: the link of the worker before this one; nil: none

	// Earlier is what was printed before this process began, for "show startup-logs".
	Earlier string

	// Log is where a Worker copies what it prints until it serves: its master keeps it.
	Log *os.File

	// Links is how many descriptors of links the master held, which count in the
	// computation of maxconn as they do on the reference.
	Links int
}

// birthVariable holds a Birth on its way to a new process.
const birthVariable = "HAPAX_BIRTH"

// What a new process is handed; its environment has their numbers. They are
// high: the user may have opened low ones, which the configuration names (fd@3).
const (
	birthReady = iota
	birthLink
	birthOld
	birthEarlier
	birthLog
	births
)

// birthFloors are the lowest numbers of handed descriptors: the first that the limit
// of descriptors allows.
var birthFloors = [...]int{512, 64, 16}

// Born takes what the parent said out of the environment.
func Born() (b Birth, err error) {
	text, told := os.LookupEnv(birthVariable)
	os.Unsetenv(birthVariable)
	if !told {
		return b, nil
	}
	var fds [births]int // -1: not handed over
	if _, err := fmt.Sscanf(text, "%d %d %d %d %d %d %d", &b.Role, &b.Links, &fds[0], &fds[1], &fds[2], &fds[3], &fds[4]); err != nil {
		return b, fmt.Errorf("%s=%s is not understood", birthVariable, text)
	}
	file := func(what int) *os.File {
		if fds[what] < 0 {
			return nil
		}
		unix.CloseOnExec(fds[what])
		return os.NewFile(uintptr(fds[what]), birthVariable)
	}
	b.Ready, b.Link, b.Old, b.Log = file(birthReady), file(birthLink), file(birthOld), file(birthLog)
	if earlier := file(birthEarlier); earlier != nil {
		text, _ := io.ReadAll(earlier)
		earlier.Close()
		b.Earlier = string(text)
	}
	return b, nil
}

// program is how another process of this one is started.
type program struct {
	path string   // of the executable
	args []string // with the name that the user called it by
	dir  string   // where the user called it
	env  []string // as the user gave it

	// given are the descriptors that the user opened for the program ("fd@"): they
	// are there for all its processes.
	given []int
}

// called finds out how the user started this process. It is asked for before
// the working directory changes.
func called(args []string) program {
	p := program{args: args, env: os.Environ()}
	p.dir, _ = os.Getwd()
	p.path, _ = exec.LookPath(args[0])
	if p.path == "" {
		p.path, _ = os.Executable()
	}
	p.path, _ = filepath.Abs(p.path)
	return p
}

// keepGiven notes the descriptors that stay open on exec. It is asked for while
// those that this process opened for itself do not.
func (p *program) keepGiven() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); fd > 2 && err == nil && flags&unix.FD_CLOEXEC == 0 {
			p.given = append(p.given, fd)
		}
	}
}

// start executes the program again. It inherits what this process inherited;
// files are what Born gives it. One process is started at a time.
func (p *program) start(b Birth, files map[int]*os.File, setsid bool, extraEnv ...string) (pid int, err error) {
	text := fmt.Sprintf("%s=%d %d", birthVariable, b.Role, b.Links)
	for what := range births {
		fd := -1
		if f := files[what]; f != nil {
			if fd, err = dupHigh(descriptor(f)); err != nil {
				return 0, err
			}
			defer unix.Close(fd)
		}
		text += fmt.Sprintf(" %d", fd)
	}
	env := append(slices.Clone(p.env), extraEnv...)
	return syscall.ForkExec(p.path, p.args, &syscall.ProcAttr{
		Dir: p.dir, Env: append(env, text), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: setsid}})
}

// dupHigh gives a descriptor that a new process inherits, out of the way of what
// it inherits anyway.
func dupHigh(of int) (fd int, err error) {
	for _, floor := range birthFloors {
		if fd, err = unix.FcntlInt(uintptr(of), unix.F_DUPFD, floor); err != unix.EINVAL {
			break
		}
	}
	return fd, os.NewSyscallError("fcntl", err)
}

// earlier makes a file from which a new process reads what was printed so far:
// a pipe holds as much as is kept.
func earlier(text string) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	w.WriteString(text)
	w.Close()
	return r
}

// exitStatus is the status of an ended child as a shell tells it.
func exitStatus(s syscall.WaitStatus) int {
	switch {
	case s.Exited():
		return s.ExitStatus()
	case s.Signaled():
		return 128 + int(s.Signal())
	}
	return 255
}

// statusText is what messages call a status.
func statusText(status int) string {
	if status < 128 {
		return "Exit"
	}
	return signalText(syscall.Signal(status - 128))
}

// signalText is the C library's name of a signal.
func signalText(s syscall.Signal) string {
	switch s {
	case syscall.SIGHUP:
		return "Hangup"
	case syscall.SIGKILL:
		return "Killed"
	case syscall.SIGABRT:
		return "Aborted"
	case syscall.SIGUSR1:
		return "User defined signal 1"
	case syscall.SIGUSR2:
		return "User defined signal 2"
	case syscall.SIGFPE:
		return "Floating point exception"
	case syscall.SIGTRAP:
		return "Trace/breakpoint trap"
	}
	text := s.String() // in lower case
	return strings.ToUpper(text[:1]) + text[1:]
}
