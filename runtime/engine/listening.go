package engine

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/loop"
)

// Listen makes the socket that Bind gave a listener accept connections. A *BindError with Warning set tells what the
// kernel would not do.
func Listen(g *runtime.Global, ln *runtime.Listener) (err error) {
	raw, err := ln.Sock.SyscallConn()
	if ln.Bind.Datagrams {
		if err == nil && (ln.Addr.Family == runtime.FamilyIPv4 || ln.Addr.Family == runtime.FamilyIPv6) {
			raw.Control(func(fd uintptr) { dial.Buffers(int(fd), g.Tune.SndBufDgram, g.Tune.RcvBufDgram, 0) })
		}
		return nil
	}
	if err == nil {
		raw.Control(func(fd uintptr) { err = listenOn(g, ln, int(fd)) })
	}
	if fault, ok := err.(*BindError); ok && !fault.Warning {
		ln.Sock.Close()
		ln.Sock = nil
	}
	return err
}

func listenOn(g *runtime.Global, ln *runtime.Listener, fd int) error {
	var refused []string
	fatal := false
	where := addrText(&ln.Addr)
	if protocol, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); protocol == unix.IPPROTO_TCP {
		if bound, err := loop.LocalAddr(fd); err == nil {
			where = bound.AddrPort().Addr().String() + fmt.Sprint(":", bound.AddrPort().Port())
			refused, fatal = setOptions(g, ln, fd, bound.AddrPort())
		}
	}
	err := unix.Listen(fd, backlog(ln))
	if err != nil {
		refused, fatal = append(refused, "cannot listen to socket: ("+errText(err)+")"), true
	}
	if len(refused) == 0 {
		return nil
	}
	return &BindError{Listener: ln, Starting: true, Warning: !fatal, Err: err, Text: strings.Join(refused, ", ") + " for [" + where + "]"}
}

// setOptions sets what the connections of a TCP socket inherit, so that it takes no system call for each of them. A socket
// that another process had loses what that one set. It tells what the kernel refused, and whether that is fatal.
func setOptions(g *runtime.Global, ln *runtime.Listener, fd int, bound netip.AddrPort) (refused []string, fatal bool) {
	b, px := ln.Bind, ln.Proxy
	set := func(level, option, value int, what string) {
		if err := unix.SetsockoptInt(fd, level, option, value); err != nil && what != "" {
			refused = append(refused, what+", ("+errText(err)+")")
		}
	}
	tcp := func(option, value int, what string) { set(unix.IPPROTO_TCP, option, value, what) }
	tcp(unix.TCP_NODELAY, 1, "")
	dial.Buffers(fd, g.Tune.SndBufClient, g.Tune.RcvBufClient, g.Tune.NotSentClient)
	if px.Options&runtime.OptCliTCPKA != 0 {
		dial.Keepalive(fd, &px.Keepalive[0])
	}
	linger := unix.Linger{}
	if px.Options&runtime.OptNoLinger != 0 {
		linger.Onoff = 1
	}
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
	if b.MSS > 0 {
		tcp(unix.TCP_MAXSEG, b.MSS, fmt.Sprintf("cannot set MSS to %d", b.MSS))
	} else {
		tcp(unix.TCP_MAXSEG, 0, "")
	}
	if b.Congestion != "" {
		if err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, b.Congestion); err != nil {
			refused = append(refused, "cannot set TCP congestion control algorithm, ("+errText(err)+")")
		}
	}
	if b.MD5Key != "" {
		if err := dial.Sign(fd, bound, b.MD5Key); err != nil {
			refused, fatal = append(refused, "cannot set TCP MD5 signature, ("+errText(err)+")"), true
		}
	}
	tcp(unix.TCP_SAVE_SYN, b.SaveSYN, told(b.SaveSYN > 0, "cannot set TCP Save SYN"))
	tcp(unix.TCP_USER_TIMEOUT, b.TCPUserTimeout, told(b.TCPUserTimeout > 0, "cannot set TCP User Timeout"))
	deferred := 0
	if b.DeferAccept {
		deferred = 1 // seconds
	}
	tcp(unix.TCP_DEFER_ACCEPT, deferred, told(b.DeferAccept, "cannot enable DEFER_ACCEPT"))
	if b.TFO {
		tcp(unix.TCP_FASTOPEN, backlog(ln), "cannot enable TCP_FASTOPEN")
	} else if n, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN); err == nil && n != 0 {
		tcp(unix.TCP_FASTOPEN, 0, "cannot disable TCP_FASTOPEN")
	}
	return refused, fatal
}

// told is what is said of an option that the kernel refuses; nothing of one that nobody has asked for.
func told(wanted bool, what string) string {
	if !wanted {
		return ""
	}
	return what
}

// backlog is the bind line's, the proxy's, or what fits the maxconn of one of them.
func backlog(ln *runtime.Listener) int {
	px := ln.Proxy
	switch {
	case ln.Bind.Backlog > 0:
		return ln.Bind.Backlog
	case px.Backlog > 0:
		return px.Backlog
	case ln.Bind.MaxConn > 0:
		return ln.Bind.MaxConn
	case px.MaxConn > 0:
		return px.MaxConn
	}
	return 1024
}
