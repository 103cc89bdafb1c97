package logger

import (
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/runtime"
)

var lineFeed = [1]byte{'\n'}

// gather is the argument of one system call that writes several pieces.
type gather struct {
	parts [4]unix.Iovec
	msg   unix.Msghdr
}

// fill takes the parts of a message, cut so that it fits into limit bytes with its line feed.
func (g *gather) fill(limit int, parts ...[]byte) {
	limit--
	n := 0
	for _, p := range parts {
		p = p[:min(len(p), limit)]
		if len(p) > 0 {
			g.parts[n].Base = &p[0]
			g.parts[n].SetLen(len(p))
			limit -= len(p)
			n++
		}
	}
	g.parts[n].Base = &lineFeed[0]
	g.parts[n].SetLen(1)
	g.msg.Iov = &g.parts[0]
	g.msg.SetIovlen(n + 1)
}

// newSender opens a target.
func (l *Logger) newSender(t *runtime.LogTarget) (runtime.LogSender, error) {
	switch {
	case t.IsRing:
		return ringSender(sinksOf(l.config).named(t.Ring)), nil
	case t.Backend != nil:
		return l.newBackendSender(t.Backend), nil
	case t.FD >= 0:
		return newStream(t.FD)
	}
	return l.newDatagram(&t.Addr)
}

// outlet is what a loop sends datagrams with. The sockets are not connected: a log daemon
// that restarts is found again, and a path is looked up at each message, within a chroot
// where there is one.
type outlet struct {
	ip4, ip6, unix int // sockets; -1: nobody has asked for one
	gather
}

// socket is the one of a family.
func (o *outlet) socket(family int) *int {
	switch family {
	case unix.AF_INET:
		return &o.ip4
	case unix.AF_INET6:
		return &o.ip6
	}
	return &o.unix
}

// open makes the socket of a family, unless it is there.
func (o *outlet) open(family, buffer int) error {
	to := o.socket(family)
	if *to >= 0 {
		return nil
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0) // nothing is ever read
	if buffer > 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, buffer)
	}
	*to = fd
	return nil
}

func (o *outlet) close() {
	for _, fd := range [...]int{o.ip4, o.ip6, o.unix} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// datagram sends each message as one datagram to an address.
type datagram struct {
	outlets []outlet // by loop; the last one is of calls from outside the loops
	family  int
	addr    [128]byte // a sockaddr
	addrLen uint32
}

func (l *Logger) newDatagram(to *runtime.Addr) (*datagram, error) {
	d := &datagram{outlets: l.outlets}
	d.family, d.addrLen = sockaddr(to, &d.addr)
	for i := range l.outlets {
		if err := l.outlets[i].open(d.family, l.config.Global.Tune.SndBufLog); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// sockaddr writes an address as the kernel takes it.
func sockaddr(a *runtime.Addr, to *[128]byte) (family int, n uint32) {
	switch a.Family {
	case runtime.FamilyIPv4:
		ip := a.IP.Addr().As4()
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(to))
		sa.Family, sa.Addr = unix.AF_INET, ip
		putPort(&sa.Port, a.IP.Port())
		return unix.AF_INET, unix.SizeofSockaddrInet4
	case runtime.FamilyIPv6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(to))
		sa.Family, sa.Addr = unix.AF_INET6, a.IP.Addr().As16()
		putPort(&sa.Port, a.IP.Port())
		return unix.AF_INET6, unix.SizeofSockaddrInet6
	}
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(to))
	sa.Family = unix.AF_UNIX
	path := (*[108]byte)(unsafe.Pointer(&sa.Path))
	n = unix.SizeofSockaddrUnix
	switch a.Family {
	case runtime.FamilyAbstract:
		copy(path[1:], a.Path) // the name fills the whole address
	case runtime.FamilyAbstractZ:
		copy(path[1:], a.Path)
		n = uint32(2 + 1 + len(a.Path))
	default:
		copy(path[:107], a.Path)
	}
	return unix.AF_UNIX, n
}

func putPort(to *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(to))
	b[0], b[1] = byte(port>>8), byte(port)
}

// Send implements runtime.LogSender.
func (d *datagram) Send(loop, limit int, head, sd, body []byte) unix.Errno {
	if loop < 0 {
		loop = len(d.outlets) - 1
	}
	o := &d.outlets[loop]
	o.fill(limit, head, sd, body)
	o.msg.Name, o.msg.Namelen = &d.addr[0], d.addrLen
	_, _, err := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(*o.socket(d.family)), uintptr(unsafe.Pointer(&o.msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return err
}

// stream writes each message as a line to a descriptor that others may share: standard
// output, a pipe, a terminal, a file. O_NONBLOCK belongs to the open file, not to the
// descriptor: switched on here it would break whoever shares a terminal. So what can
// block is opened once more by its number, and only that one does not block.
type stream struct {
	fd     int
	own    bool // fd is ours
	socket bool
	poll   bool // fd may block: it is asked first

	mu sync.Mutex // lines do not mix
	gather
}

func newStream(to int) (*stream, error) {
	s := &stream{fd: to}
	var st unix.Stat_t
	if err := unix.Fstat(to, &st); err != nil {
		return s, nil // as the reference: a closed descriptor loses its messages, and nothing else happens
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFSOCK:
		s.socket = true
	default:
		fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(to), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != nil {
			s.poll = true // a terminal of another user, or no /proc
			break
		}
		s.fd, s.own = fd, true
	}
	return s, nil
}

// Send implements runtime.LogSender.
func (s *stream) Send(_, limit int, head, sd, body []byte) unix.Errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(limit, head, sd, body)
	var err unix.Errno
	switch {
	case s.socket:
		_, _, err = unix.RawSyscall(unix.SYS_SENDMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	case s.poll && !s.ready():
		err = unix.EAGAIN
	default:
		// A file may take its time: the scheduler is told.
		_, _, err = unix.Syscall(unix.SYS_WRITEV, uintptr(s.fd), uintptr(unsafe.Pointer(&s.parts[0])), uintptr(s.msg.Iovlen))
	}
	return err
}

// ready tells whether at least a page can be written without waiting.
func (s *stream) ready() bool {
	p := [1]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(p[:], 0)
	return err == nil && n == 1 && p[0].Revents&unix.POLLOUT != 0
}

func (s *stream) close() {
	if s.own {
		unix.Close(s.fd)
	}
}
