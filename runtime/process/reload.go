package process

import (
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/stats/cli"
)

// reload executes the master again. It only returns when that fails.
func (m *master) reload(hard bool) {
	note := ""
	if hard {
		note = " (hard-reload)"
	}
	m.noticef("Reloading HAProxy%s", note)
	m.mu.Lock()
	m.self.reloads++
	for _, w := range m.workers {
		w.reloads++
	}
	m.mu.Unlock()
	if m.Systemd {
		notify("RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC=%d\n", monotonicMicroseconds())
	}
	err := m.reexec(hard)
	m.warnf("Failed to reexecute the master process [%d]: %s", os.Getpid(), err)
}

// reexec replaces the program by the one that its path leads to now. Signals wait
// in the kernel until it listens to them.
func (m *master) reexec(hard bool) error {
	fds := [2]int{-1, -1}
	keep := func(f *os.File) int {
		if f == nil {
			return -1
		}
		fd := descriptor(f)
		unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
		return fd
	}
	for i, f := range m.own {
		fds[i] = keep(f)
	}
	children := m.self.encode('m', fds[0], fds[1])
	args := []string{m.program.args[0]}
	if len(m.workers) > 0 {
		args = append(args, map[bool]string{false: "-sf", true: "-st"}[hard])
	}
	current := -1
	for _, w := range slices.Backward(m.workers) {
		fd := keep(w.link)
		children += w.encode('w', fd, -1)
		args = append(args, strconv.Itoa(w.pid))
		current = fd // of the newest in the end, also after a reload that failed
	}
	switch {
	case m.OldSocket == "/dev/null":
		args = append(args, "-x", m.OldSocket)
	case current >= 0:
		args = append(args, "-x", "sockpair@"+strconv.Itoa(current))
	}
	args = append(args, withoutOld(m.program.args[1:])...)
	for _, fd := range m.program.given {
		unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	}
	env := append(slices.Clone(m.program.env), reexecVariable+"=1", childrenVariable+"="+children)
	os.Chdir(m.program.dir)

	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	var blocked, before unix.Sigset_t
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGTTIN, syscall.SIGTTOU} {
		blocked.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	}
	unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &before)
	err := syscall.Exec(m.program.path, args, env)
	unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	return err
}

// withoutOld leaves out of a command line what names processes and sockets to
// take over from.
func withoutOld(args []string) (left []string) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return append(left, args[i:]...)
		case a == "-sf" || a == "-st":
			for i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
			}
		case a == "-x":
			i++
		case len(a) == 2 && strings.Contains("CnmNLfpS", a[1:]) && i+1 < len(args):
			left = append(left, a, args[i+1])
			i++
		default:
			left = append(left, a)
		}
	}
	return left
}

// answerReload tells the connections that asked for this reload how it goes.
func (m *master) answerReload() {
	if m.own[1] == nil {
		return
	}
	for {
		control := make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := unix.Recvmsg(descriptor(m.own[1]), make([]byte, 2), control, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err != nil || n == 0 {
			return
		}
		conn, err := fileConn(firstRight(control[:n]))
		if err != nil {
			continue
		}
		c := m.control.New(conn, nil)
		c.Feed([]byte("_loadstatus;quit\n"))
		go cli.Serve(conn, c)
	}
}
