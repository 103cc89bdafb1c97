// Package dial makes the sockets of connections to servers, those of traffic and those of health checks: where they
// come from and what the kernel does with them.
package dial

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/netns"
	"hapax/runtime/transport"
)

// Wish is what one connection wants of its socket, beside what the configuration says.
type Wish struct {
	From      netip.AddrPort   // the address of somebody else that it is to come from ("usesrc"); not valid: its own
	Namespace *netns.Namespace // of the client, for servers whose namespace is "*"
	Marks     transport.Marks
	FastOpen  bool // the first bytes may go with the first packet
}

// Socket makes a socket that is ready to connect to an address of a server. An error of type *SourceError tells that it
// could not be bound.
func Socket(cfg *runtime.Config, srv *runtime.Server, to *loop.Addr, w *Wish) (int, error) {
	family := to.Family()
	space := srv.Namespace
	if srv.ClientNamespace {
		space = w.Namespace
	}
	protocol := 0
	if srv.MPTCP {
		protocol = unix.IPPROTO_MPTCP
	}
	fd, err := space.Socket(int(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, err
	}
	if family != unix.AF_UNIX {
		if err = tune(fd, srv, to, w); err == nil {
			err = bind(fd, srv, family, w.From)
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	t := &cfg.Global.Tune
	Buffers(fd, t.SndBufServer, t.RcvBufServer, t.NotSentServer)
	return fd, nil
}

// tune sets the options of a TCP socket.
func tune(fd int, srv *runtime.Server, to *loop.Addr, w *Wish) error {
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if be := srv.Proxy; be.Options&runtime.OptSrvTCPKA != 0 {
		Keepalive(fd, &be.Keepalive[1])
	}
	if srv.TCPUserTimeout > 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, srv.TCPUserTimeout)
	}
	if srv.Congestion != "" {
		unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, srv.Congestion) // one that is not there leaves the default
	}
	if w.FastOpen {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
	}
	w.Marks.Apply(fd, to.Family() == unix.AF_INET6)
	if srv.MD5Key != "" {
		return Sign(fd, to.AddrPort(), srv.MD5Key)
	}
	return nil
}

// Buffers sets the sizes of a socket's buffers in the kernel, and how much of what is to be sent may lie there unsent;
// 0 leaves them alone.
func Buffers(fd, send, receive, unsent int) {
	if send > 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, send)
	}
	if receive > 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receive)
	}
	if unsent > 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	}
}

// Keepalive switches TCP keep-alive on.
func Keepalive(fd int, k *runtime.Keepalive) {
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if k.Count > 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, k.Count)
	}
	if k.Idle > 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(k.Idle/time.Second))
	}
	if k.Interval > 0 {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(k.Interval/time.Second))
	}
}

// Sign makes the kernel sign all segments to and from an address by a password ("tcp-md5sig", RFC 2385).
func Sign(fd int, peer netip.AddrPort, key string) error {
	md5 := unix.TCPMD5Sig{Keylen: uint16(len(key))}
	copy(md5.Key[:], key)
	if ip := peer.Addr(); ip.Is4() {
		md5.Addr.Family = unix.AF_INET
		copy(md5.Addr.Data[2:], ip.AsSlice()) // behind the port
	} else {
		md5.Addr.Family = unix.AF_INET6
		copy(md5.Addr.Data[6:], ip.AsSlice()) // behind the port and the flow label
	}
	return unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG, &md5)
}

// CanSign tells whether the kernel signs segments for the process.
func CanSign() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return Sign(fd, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0), "key") == nil
}
