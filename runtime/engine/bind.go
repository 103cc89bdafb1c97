package engine

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/runtime"
)

// Inherited are listening sockets that an earlier process hands over, by the
// name that SocketName gives them. Bind takes what it uses out of it.
type Inherited map[string]*os.File

// SocketName is the name under which a listener's socket is handed over: its
// address, and what else makes a socket a different one.
func SocketName(ln *runtime.Listener) string {
	name := addrText(&ln.Addr)
	if ln.Bind.Datagrams {
		name = "dgram+" + name
	}
	if ln.Bind.Interface != "" {
		name += "%" + ln.Bind.Interface
	}
	if ln.Bind.Namespace != nil {
		name += "\x00" + ln.Bind.Namespace.Name
	}
	return name
}

// BindError is why a listener could not be bound, in the words of the reference.
type BindError struct {
	Listener *runtime.Listener
	Text     string
	Starting bool  // the socket was there
	Warning  bool  // the listener serves all the same
	Err      error // of the system
}

// Unwrap is the error of the system.
func (e *BindError) Unwrap() error { return e.Err }

func (e *BindError) Error() string {
	ln := e.Listener
	doing := "Binding"
	if e.Starting {
		doing = "Starting"
	}
	return fmt.Sprintf("%s [%s:%d] for %s %s: protocol %s: %s", doing, ln.Bind.Pos.File, ln.Bind.Pos.Line, ln.Proxy.Side(), ln.Proxy.Name,
		ln.Protocol(), e.Text)
}

// addrText is an address as messages print it.
func addrText(a *runtime.Addr) string {
	switch a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		return a.IP.Addr().String() + ":" + strconv.Itoa(int(a.IP.Port()))
	case runtime.FamilyAbstract:
		return "abns@" + a.Path
	case runtime.FamilyAbstractZ:
		return "abnsz@" + a.Path
	case runtime.FamilyFD, runtime.FamilySockpair:
		return "fd@" + strconv.Itoa(a.FD)
	}
	return a.Path
}

// Bind gives a listener its socket, for Listen: an inherited one, the descriptor
// that the address names, or a new one. A *BindError with Warning set tells of
// something that was left out.
func Bind(g *runtime.Global, ln *runtime.Listener, from Inherited) error {
	if f := from[SocketName(ln)]; f != nil {
		delete(from, SocketName(ln))
		ln.Sock = f
		return nil
	}
	a := &ln.Addr
	var fd int
	var err error
	switch a.Family {
	case runtime.FamilyFD, runtime.FamilySockpair:
		fd = a.FD
		unix.CloseOnExec(fd)
	case runtime.FamilyUnix:
		fd, err = bindUnix(ln)
	case runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		fd, err = bindAbstract(ln)
	default:
		fd, err = bindIP(g, ln)
	}
	var w *BindError
	if err != nil && !(errors.As(err, &w) && w.Warning) {
		return err
	}
	unix.SetNonblock(fd, true)
	ln.Sock = os.NewFile(uintptr(fd), addrText(a))
	return err
}

// errText is the C library's text of a system error.
func errText(err error) string {
	var e unix.Errno
	if !errors.As(err, &e) {
		return err.Error()
	}
	if t, ok := errnoTexts[e]; ok {
		return t
	}
	text := e.Error()
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		text = string(text[0]-'a'+'A') + text[1:]
	}
	return text
}

// errnoTexts are those that differ from Go's by more than their first letter.
var errnoTexts = map[unix.Errno]string{
	unix.EADDRNOTAVAIL: "Cannot assign requested address",
	unix.EAFNOSUPPORT:  "Address family not supported by protocol",
}

// socketType is that of the listener's socket.
func socketType(ln *runtime.Listener) int {
	if ln.Bind.Datagrams {
		return unix.SOCK_DGRAM
	}
	return unix.SOCK_STREAM
}

// bindIP makes a TCP or UDP socket and binds it.
func bindIP(g *runtime.Global, ln *runtime.Listener) (int, error) {
	a, b := &ln.Addr, ln.Bind
	family := unix.AF_INET
	if a.Family == runtime.FamilyIPv6 {
		family = unix.AF_INET6
	}
	fail := func(what string, err error) error {
		return &BindError{Listener: ln, Err: err, Text: fmt.Sprintf("%s (%s) for [%s]", what, errText(err), addrText(a))}
	}
	protocol := 0
	if ln.MPTCP {
		protocol = unix.IPPROTO_MPTCP
	}
	fd, err := b.Namespace.Socket(family, socketType(ln)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return 0, fail("cannot create receiving socket", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if !g.NoReusePort {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if family == unix.AF_INET6 {
		v6only := 0
		if b.V6Only || !b.V4V6 && !a.IP.Addr().IsUnspecified() {
			v6only = 1
		}
		if b.V6Only || b.V4V6 {
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6only)
		}
	}
	if b.Transparent {
		if family == unix.AF_INET {
			unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		} else {
			unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
		}
	}
	var warning error
	if b.Interface != "" {
		if err := unix.BindToDevice(fd, b.Interface); err != nil {
			warning = &BindError{Listener: ln, Warning: true,
				Text: fmt.Sprintf("cannot bind receiver to device '%s' (%s) for [%s]", b.Interface, errText(err), addrText(a))}
		}
	}
	if err := unix.Bind(fd, sockaddr(a)); err != nil {
		unix.Close(fd)
		return 0, fail("cannot bind socket", err)
	}
	return fd, warning
}

// sockaddr is the address in the kernel's form.
func sockaddr(a *runtime.Addr) unix.Sockaddr {
	port := int(a.IP.Port())
	if a.Family == runtime.FamilyIPv6 {
		return &unix.SockaddrInet6{Port: port, Addr: a.IP.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: port, Addr: a.IP.Addr().As4()}
}

// bindUnix binds a UNIX socket under a temporary name and moves it over the
// old one: at no moment is there no socket, and a process that fails to start
// leaves the old one in its place.
func bindUnix(ln *runtime.Listener) (int, error) {
	path := ln.Addr.Path
	fail := func(what string, err error) error {
		return &BindError{Listener: ln, Err: err, Text: fmt.Sprintf("%s (%s) [%s]", what, errText(err), path)}
	}
	suffix := "." + strconv.Itoa(os.Getpid())
	temporary, backup := path+suffix+".tmp", path+suffix+".bak"
	for _, old := range []string{temporary, backup} {
		if err := unix.Unlink(old); err != nil && err != unix.ENOENT {
			return 0, fail("error when trying to unlink previous UNIX socket", err)
		}
	}
	linked := true
	if err := unix.Link(path, backup); err != nil {
		if err != unix.ENOENT {
			return 0, fail("error when trying to preserve previous UNIX socket", err)
		}
		linked = false
	}
	undo := func() {
		unix.Unlink(temporary)
		if linked {
			unix.Unlink(backup)
		}
	}
	fd, err := ln.Bind.Namespace.Socket(unix.AF_UNIX, socketType(ln)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		undo()
		return 0, fail("cannot create receiving socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: temporary}); err != nil {
		unix.Close(fd)
		undo()
		return 0, fail("cannot bind UNIX socket", err)
	}
	b := ln.Bind
	if b.UID >= 0 || b.GID >= 0 {
		if err := unix.Chown(temporary, b.UID, b.GID); err != nil {
			unix.Close(fd)
			undo()
			return 0, fail("cannot change UNIX socket ownership", err)
		}
	}
	if b.Mode != 0 {
		if err := unix.Chmod(temporary, b.Mode); err != nil {
			unix.Close(fd)
			undo()
			return 0, fail("cannot change UNIX socket ownership", err)
		}
	}
	if err := unix.Rename(temporary, path); err != nil {
		unix.Close(fd)
		undo()
		return 0, fail("cannot switch final and temporary UNIX sockets", err)
	}
	if linked {
		unix.Unlink(backup)
	}
	return fd, nil
}

// bindAbstract binds an abstract UNIX socket.
func bindAbstract(ln *runtime.Listener) (int, error) {
	fail := func(what string, err error) error {
		return &BindError{Listener: ln, Err: err, Text: fmt.Sprintf("%s (%s) [%s]", what, errText(err), ln.Addr.Path)}
	}
	fd, err := ln.Bind.Namespace.Socket(unix.AF_UNIX, socketType(ln)|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, fail("cannot create receiving socket", err)
	}
	var sa unix.RawSockaddrUnix // x/sys refuses names of the full length
	sa.Family = unix.AF_UNIX
	for i, c := range []byte(ln.Addr.Path[:min(len(ln.Addr.Path), len(sa.Path)-1)]) {
		sa.Path[1+i] = int8(c)
	}
	size := unsafe.Sizeof(sa) // abns@ names have all bytes of the address, the zeroes behind the text too
	if ln.Addr.Family == runtime.FamilyAbstractZ {
		size = unsafe.Offsetof(sa.Path) + 1 + uintptr(min(len(ln.Addr.Path), len(sa.Path)-1))
	}
	if _, _, err := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa)), size); err != 0 {
		unix.Close(fd)
		return 0, fail("cannot bind UNIX socket", err)
	}
	return fd, nil
}

// abstractName is the kernel's name of an abns@ socket: the reference gives all
// bytes of the address, the trailing zeroes too.
func abstractName(name string) string {
	var full [108]byte
	copy(full[1:], name)
	return string(full[:])
}
