package dial

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/runtime"
)

// SourceError tells that a socket could not be given the address that its connections are to come from.
type SourceError struct {
	Foreign bool // the address is somebody else's
	Err     error
}

func (e *SourceError) Error() string {
	if e.Foreign {
		return "Cannot bind to tproxy source address before connect()"
	}
	return "Cannot bind to source address before connect()"
}

// Unwrap is the error of the system.
func (e *SourceError) Unwrap() error { return e.Err }

// sourceOf is where connections to a server come from; nil: the kernel decides.
func sourceOf(srv *runtime.Server) *runtime.SourceAddr {
	if srv.Source != nil {
		return srv.Source
	}
	return srv.Proxy.Source
}

// Foreign is the address that a stream's connection to a server is to come from although it is not this machine's
// ("usesrc"); not valid: there is none. ok is false when it cannot be told.
func Foreign(s *runtime.Stream, srv *runtime.Server) (from netip.AddrPort, ok bool) {
	src := sourceOf(srv)
	if src == nil {
		return from, true
	}
	switch src.Use {
	case runtime.UseAddr:
		return src.UseAddr, true
	case runtime.UseClient:
		return s.Ctx.Src, true
	case runtime.UseClientIP:
		if !s.Ctx.Src.IsValid() {
			return from, true
		}
		return netip.AddrPortFrom(s.Ctx.Src.Addr(), 0), true
	case runtime.UseHeader:
		return inHeader(&s.Ctx, src)
	}
	return from, true
}

// FollowsClient tells whether connections to a server come from an address that depends on its client.
func FollowsClient(srv *runtime.Server) bool {
	src := sourceOf(srv)
	return src != nil && (src.Use == runtime.UseClient || src.Use == runtime.UseClientIP || src.Use == runtime.UseHeader)
}

// inHeader finds the IPv4 address that a request names.
func inHeader(ctx *sample.Context, src *runtime.SourceAddr) (from netip.AddrPort, ok bool) {
	if src.Occurrence == 0 || ctx.Req == nil {
		return from, false
	}
	value, ok := ctx.Req.Occurrence(src.Header, src.Occurrence)
	if !ok {
		return from, false
	}
	return netip.AddrPortFrom(leadingIPv4(value), 0), true
}

// leadingIPv4 reads the address that a text begins with. What is not there is zero, as the header may be anybody's: the
// kernel decides then.
func leadingIPv4(text []byte) netip.Addr {
	var ip [4]byte
	for i := range ip {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			ip[i] = ip[i]*10 + text[n] - '0'
			n++
		}
		if n == len(text) || text[n] != '.' {
			break
		}
		text = text[n+1:]
	}
	return netip.AddrFrom4(ip)
}

// bind gives a socket its local address, before it connects.
func bind(fd int, srv *runtime.Server, family uint16, from netip.AddrPort) error {
	src := sourceOf(srv)
	if src == nil {
		return nil
	}
	if src.Interface != "" {
		unix.BindToDevice(fd, src.Interface) // without the right to, the socket goes its usual way
	}
	if named(from) {
		return bindForeign(fd, family, from)
	}
	if src.PortLow == 0 || src.PortLow == src.PortHigh {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		return bindLocal(fd, src.Addr.IP)
	}
	const attempts = 10
	var err error
	for range attempts {
		port := uint16(src.PortLow + int(src.Next.Add(1))%(src.PortHigh-src.PortLow+1))
		if err = bindLocal(fd, netip.AddrPortFrom(src.Addr.IP.Addr(), port)); err == nil {
			return nil
		}
	}
	return err
}

// named tells whether a is an address of somebody. One that is not is never bound to, whatever its port.
func named(a netip.AddrPort) bool { return a.IsValid() && !a.Addr().IsUnspecified() }

// bindLocal binds to an address of this machine.
func bindLocal(fd int, a netip.AddrPort) error {
	if !named(a) {
		return nil
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(fd, sockaddr(a)); err != nil {
		return &SourceError{Err: err}
	}
	return nil
}

// bindForeign binds to an address that may be anybody's.
func bindForeign(fd int, family uint16, a netip.AddrPort) error {
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	var err error
	if family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
	} else {
		err = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1)
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(a))
	}
	if err != nil {
		return &SourceError{Foreign: true, Err: err}
	}
	return nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}
