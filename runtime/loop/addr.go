package loop

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Addr is a socket address in the kernel's own form (sockaddr): it is passed on and compared without allocating.
type Addr struct {
	raw unix.RawSockaddrAny
	len uint32 // bytes of raw in use
}

// AddrFrom makes an IPv4 or IPv6 address. A zone must be a number (an interface index) or empty.
func AddrFrom(ap netip.AddrPort) Addr {
	var a Addr
	b := a.bytes()
	binary.BigEndian.PutUint16(b[2:], ap.Port())
	if ip := ap.Addr(); ip.Is4() {
		a.raw.Addr.Family, a.len = unix.AF_INET, unix.SizeofSockaddrInet4
		v := ip.As4()
		copy(b[4:], v[:])
	} else {
		a.raw.Addr.Family, a.len = unix.AF_INET6, unix.SizeofSockaddrInet6
		v := ip.As16()
		copy(b[8:], v[:])
		scope := uint32(0)
		for _, d := range []byte(ip.Zone()) {
			scope = scope*10 + uint32(d-'0')
		}
		binary.NativeEndian.PutUint32(b[24:], scope)
	}
	return a
}

// UnixAddr makes the address of a unix socket; a path that begins with a NUL byte is an abstract one.
func UnixAddr(path string) (Addr, error) {
	var a Addr
	b := a.bytes()[2:unix.SizeofSockaddrUnix]
	if path == "" || len(path) > len(b) || len(path) == len(b) && path[0] != 0 {
		return a, errors.New("unix socket path is empty or too long")
	}
	a.raw.Addr.Family = unix.AF_UNIX
	copy(b, path)
	a.len = uint32(2 + len(path))
	if path[0] != 0 {
		a.len++
	}
	return a, nil
}

// PeerAddr asks the kernel for the other end of a connected socket.
func PeerAddr(fd int) (Addr, error) {
	var a Addr
	err := a.askPeer(fd)
	return a, err
}

// LocalAddr asks the kernel for the own end of a socket.
func LocalAddr(fd int) (Addr, error) {
	var a Addr
	err := a.ask(unix.SYS_GETSOCKNAME, fd)
	return a, err
}

// askPeer asks for the other end, also of a TCP connection that it has reset already: getpeername(2) does not tell that any more.
func (a *Addr) askPeer(fd int) error {
	err := a.ask(unix.SYS_GETPEERNAME, fd)
	if err != unix.ENOTCONN {
		return err
	}
	if err := a.ask(unix.SYS_GETSOCKNAME, fd); err != nil {
		return err
	}
	// SO_PEERNAME fails when there is room for more than the address: as much as the own one needs.
	_, _, e := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERNAME,
		uintptr(unsafe.Pointer(&a.raw)), uintptr(unsafe.Pointer(&a.len)), 0)
	return boxErrno(e)
}

func (a *Addr) ask(trap uintptr, fd int) error {
	a.len = uint32(unsafe.Sizeof(a.raw))
	_, _, e := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(unsafe.Pointer(&a.len)))
	return boxErrno(e)
}

// bytes is the memory of the address, longer than what is in use.
func (a *Addr) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&a.raw)), unsafe.Sizeof(a.raw))
}

// Family is AF_INET, AF_INET6 or AF_UNIX; 0 for the zero Addr.
func (a *Addr) Family() uint16 { return a.raw.Addr.Family }

// AddrPort returns an IPv4 or IPv6 address, or the zero AddrPort.
func (a *Addr) AddrPort() netip.AddrPort {
	b := a.bytes()
	port := binary.BigEndian.Uint16(b[2:])
	switch a.raw.Addr.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), port)
	}
	return netip.AddrPort{}
}

// Path returns the path of a unix socket: "" when it has none, and a leading NUL byte when it is abstract.
func (a *Addr) Path() string {
	if a.raw.Addr.Family != unix.AF_UNIX || a.len <= 2 {
		return ""
	}
	p := a.bytes()[2:a.len]
	if p[0] != 0 {
		for i, c := range p {
			if c == 0 {
				p = p[:i]
				break
			}
		}
	}
	return string(p)
}

// addrPool lends the addresses that Connect copies, until the kernel has read them.
type addrPool struct{ free []*Addr }

func (p *addrPool) take() *Addr {
	if n := len(p.free); n > 0 {
		a := p.free[n-1]
		p.free = p.free[:n-1]
		return a
	}
	return new(Addr)
}

func (p *addrPool) put(a *Addr) { p.free = append(p.free, a) }
