package engine

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/proxyproto/header"
	"hapax/runtime/transport"
)

var timeUnit = keyword.Arg{Name: "unit", Type: keyword.Str, Opt: true, Default: "ms", Doc: "us or ms"}

// counterArg is taken by counters of TCP for no reason but that it always was.
var counterArg = keyword.Arg{Name: "unit", Type: keyword.Str, Opt: true, Doc: "without meaning"}

var connectionFetches = []sample.Fetch{
	{Doc: doc("fc_err", "7.3.3", "the number of the error of the client's connection, 0 without", ""),
		Out: sample.Int, From: sample.ClientAddr, Eval: faultNumber(clientEnd)},
	{Doc: doc("fc_err_name", "7.3.3", "the name of the error of the client's connection", ""),
		Out: sample.Str, From: sample.ClientAddr, Eval: faultText(clientEnd, func(f fault) string { return f.name })},
	{Doc: doc("fc_err_str", "7.3.3", "the error of the client's connection in words", ""),
		Out: sample.Str, From: sample.ClientAddr, Eval: faultText(clientEnd, func(f fault) string { return f.text })},
	{Doc: doc("bc_err", "7.3.3", "the number of the error of the connection to the server, 0 without", ""),
		Out: sample.Int, From: sample.ServerAddr, Eval: faultNumber(serverEnd)},
	{Doc: doc("bc_err_name", "7.3.3", "the name of the error of the connection to the server", ""),
		Out: sample.Str, From: sample.ServerAddr, Eval: faultText(serverEnd, func(f fault) string { return f.name })},
	{Doc: doc("bc_err_str", "7.3.3", "the error of the connection to the server in words", ""),
		Out: sample.Str, From: sample.ServerAddr, Eval: faultText(serverEnd, func(f fault) string { return f.text })},

	{Doc: doc("fc_nb_streams", "7.3.3", "streams on the client's connection now", ""),
		Out: sample.Int, From: sample.ClientAddr, Eval: streamsOf(hasClient, clientMux, func(m *mux) int { return m.h2.Streams() })},
	{Doc: doc("bc_nb_streams", "7.3.3", "streams on the connection to the server now", ""),
		Out: sample.Int, From: sample.ServerConn, Eval: streamsOf(hasServer, serverMux, func(m *mux) int { return m.h2.Streams() })},
	{Doc: doc("fc_settings_streams_limit", "7.3.3", "how many streams the client's connection may carry at once", ""),
		Out: sample.Int, From: sample.ClientConn, Eval: streamsOf(hasClient, clientMux, func(m *mux) int { return m.h2.Offered() })},
	{Doc: doc("bc_settings_streams_limit", "7.3.3", "how many streams the connection to the server may carry at once", ""),
		Out: sample.Int, From: sample.ServerConn, Eval: streamsOf(hasServer, serverMux, func(m *mux) int { return m.h2.Limit() })},
	{Doc: doc("fc_glitches", "7.3.3", "what the client did that is odd or wrong, on its connection", ""),
		Out: sample.Int, From: sample.ClientAddr, Eval: glitches(func(ctx *sample.Context) (*stream, bool) { st := running(ctx); return st, st != nil }, clientMux, func(st *stream) int { return int(st.c.glitches) })},
	{Doc: doc("bc_glitches", "7.3.3", "what the server did that is odd or wrong, on its connection", ""),
		Out: sample.Int, From: sample.ServerAddr, Eval: glitches(hasServer, serverMux, func(st *stream) int { return st.srvGlitches })},
	{Doc: doc("fs.id", "7.3.4", "the number of the stream on the client's connection, from 0", ""),
		Out: sample.Str, From: sample.ClientConn, Eval: clientStreamID},
	{Doc: doc("bs.id", "7.3.4", "the number of the stream on the connection to the server, from 0", ""),
		Out: sample.Int, From: sample.ServerConn, Eval: serverStreamID},
	{Doc: doc("fs.aborted", "7.3.4", "whether the client reset the stream alone: never in HTTP/1", "0"),
		Out: sample.Int, From: sample.ClientConn, Eval: wasReset(clientReset)},
	{Doc: doc("bs.aborted", "7.3.4", "whether the server reset the stream alone: never in HTTP/1", "0"),
		Out: sample.Int, From: sample.ServerConn, Eval: wasReset(serverReset)},
	{Doc: doc("fs.rst_code", "7.3.4", "the code with which the client reset the stream: there is none in HTTP/1", ""),
		Out: sample.Int, From: sample.ClientConn, Eval: resetCode(clientReset)},
	{Doc: doc("bs.rst_code", "7.3.4", "the code with which the server reset the stream: there is none in HTTP/1", ""),
		Out: sample.Int, From: sample.ServerConn, Eval: resetCode(serverReset)},

	{Doc: doc("fc_saved_syn", "7.3.3", "the first packet of the client's connection, kept by the bind option tcp-ss", ""),
		Out: sample.Bin, From: sample.ClientAddr, Eval: savedSYN},
	{Doc: doc("fc_rtt", "7.3.3", "the round trip time of the client's connection", "", timeUnit),
		Check: checkTimeUnit, Out: sample.Int, From: sample.ClientAddr, Eval: kernelTime(clientSocket, func(i *unix.TCPInfo) uint32 { return i.Rtt })},
	{Doc: doc("fc_rttvar", "7.3.3", "how much the round trip time of the client's connection varies", "", timeUnit),
		Check: checkTimeUnit, Out: sample.Int, From: sample.ClientAddr, Eval: kernelTime(clientSocket, func(i *unix.TCPInfo) uint32 { return i.Rttvar })},
	{Doc: doc("bc_rtt", "7.3.3", "the round trip time of the connection to the server", "", timeUnit),
		Check: checkTimeUnit, Out: sample.Int, From: sample.ClientAddr, Eval: kernelTime(serverSocket, func(i *unix.TCPInfo) uint32 { return i.Rtt })},
	{Doc: doc("bc_rttvar", "7.3.3", "how much the round trip time of the connection to the server varies", "", timeUnit),
		Check: checkTimeUnit, Out: sample.Int, From: sample.ClientAddr, Eval: kernelTime(serverSocket, func(i *unix.TCPInfo) uint32 { return i.Rttvar })},
	{Doc: doc("fc_unacked", "7.3.3", "segments of the client's connection that were not acknowledged", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Unacked })},
	{Doc: doc("fc_sacked", "7.3.3", "segments of the client's connection that were acknowledged out of order", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Sacked })},
	{Doc: doc("fc_lost", "7.3.3", "segments of the client's connection that were lost", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Lost })},
	{Doc: doc("fc_retrans", "7.3.3", "segments of the client's connection that were sent again", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Retrans })},
	{Doc: doc("fc_fackets", "7.3.3", "forward acknowledgements of the client's connection", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Fackets })},
	{Doc: doc("fc_reordering", "7.3.3", "how far segments of the client's connection were reordered", "", counterArg),
		Check: checkCounter, Out: sample.Int, From: sample.ClientAddr, Eval: kernelCount(func(i *unix.TCPInfo) uint32 { return i.Reordering })},
}

// hasClient tells whether the client's connection carries a stream, which it does not yet where rules on connections
// and sessions are evaluated; hasServer that of the server.
func hasClient(ctx *sample.Context) (st *stream, ok bool) {
	st = running(ctx)
	return st, st != nil && ctx.Checkpoint&sample.WithoutStream == 0
}

func hasServer(ctx *sample.Context) (st *stream, ok bool) {
	st = running(ctx)
	return st, st != nil && st.dialed
}

// clientMux is the HTTP/2 connection of the stream's client, serverMux that to its server; nil: it is none.
func clientMux(st *stream) *mux {
	switch c := st.c; {
	case c.via != nil:
		return &c.via.of.mux
	case c.h2 != nil:
		return &c.h2.mux
	}
	return nil
}

func serverMux(st *stream) *mux {
	if st.link != nil && st.link.ex != nil {
		return &st.link.ex.of.mux
	}
	return nil
}

// streamsOf makes an Eval for a number of streams: 1 where there is one at a time.
func streamsOf(has func(ctx *sample.Context) (*stream, bool), of func(*stream) *mux, count func(*mux) int) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		st, ok := has(ctx)
		if !ok {
			return false
		}
		n := 1
		if m := of(st); m != nil {
			n = count(m)
		}
		out.SetInt(int64(n))
		return true
	}
}

// glitches makes an Eval for the glitches of a connection that speaks HTTP. HTTP/1 counts them itself.
func glitches(has func(ctx *sample.Context) (*stream, bool), of func(*stream) *mux, h1 func(*stream) int) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		st, ok := has(ctx)
		if !ok || !st.http {
			return false
		}
		n := h1(st)
		if m := of(st); m != nil {
			n = m.h2.Glitches
		}
		out.SetInt(int64(n))
		return true
	}
}

// clientReset is why the client has reset the stream, serverReset why the server has; false: it has not.
func clientReset(st *stream) (resetError, bool) {
	if st.c.via == nil {
		return 0, false
	}
	code, ok := st.c.end.(resetError)
	return code, ok
}

func serverReset(st *stream) (resetError, bool) {
	code, ok := st.srvEnd.(resetError)
	return code, ok
}

// wasReset makes an Eval that tells whether a peer has reset the stream, resetCode one that tells why.
func wasReset(of func(*stream) (resetError, bool)) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		st := running(ctx)
		if ctx.Checkpoint&sample.WithoutStream != 0 {
			return false
		}
		if st == nil {
			out.SetBool(false)
			return true
		}
		_, ok := of(st)
		out.SetBool(ok)
		return true
	}
}

func resetCode(of func(*stream) (resetError, bool)) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		if st := running(ctx); st != nil {
			if code, ok := of(st); ok {
				out.SetInt(int64(code))
				return true
			}
		}
		out.Flags |= sample.MayChange
		return false
	}
}

func clientStreamID(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	st, ok := hasClient(ctx)
	if !ok {
		return false
	}
	id := max(0, int64(st.Session.Requests)-1)
	if x := st.c.via; x != nil {
		id = int64(x.ch.st.ID)
	}
	out.SetInt(id)
	return true
}

func serverStreamID(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	st, ok := hasServer(ctx)
	if !ok {
		return false
	}
	id := int64(st.linkServed)
	if st.link != nil {
		switch x := st.link.part.(type) {
		case *exchange:
			id = int64(x.ch.st.ID)
		case *fcgiRequest:
			id = int64(x.id)
		}
	}
	out.SetInt(id)
	return true
}

// fault is an error of a connection as logs name it.
type fault struct {
	number int64
	name   string
	text   string
}

// faults are the errors that the system reports of connections, the first for those that are not listed.
var faults = [...]struct {
	errno unix.Errno
	fault
}{
	{0, fault{6, "SOCK_ERR", "General socket error"}},
	{unix.ECONNREFUSED, fault{47, "EREFUSED", "ECONNREFUSED returned by OS"}},
	{unix.ECONNRESET, fault{48, "ERESET", "ECONNRESET returned by OS"}},
	{unix.EHOSTUNREACH, fault{49, "EUNREACH", "ENETUNREACH returned by OS"}},
	{unix.ENETUNREACH, fault{49, "EUNREACH", "ENETUNREACH returned by OS"}},
	{unix.ENOMEM, fault{50, "ENOMEM", "ENOMEM returned by OS"}},
	{unix.ENOBUFS, fault{56, "ENOBUFS", "ENOBUFS returned by OS"}},
	{unix.EPIPE, fault{57, "EPIPE", "EPIPE returned by OS"}},
	{unix.EPROTO, fault{43, "SSL_FATAL", "SSL fatal error"}}, // what a TLS connection that stood has ended with
}

// handshakeFaults are the errors of PROXY headers and of TLS handshakes, which begin with their text: details may follow.
var handshakeFaults = [...]fault{
	{11, "PRX_EMPTY", string(header.Empty)},
	{12, "PRX_ABORT", string(header.Aborted)},
	{13, "PRX_TIMEOUT", string(header.Timeout)},
	{14, "PRX_TRUNCATED", string(header.Truncated)},
	{15, "PRX_NOT_HDR", string(header.NotHeader)},
	{16, "PRX_BAD_HDR", string(header.BadHeader)},
	{17, "PRX_BAD_PROTO", string(header.BadProto)},
	{18, "CIP_EMPTY", string(header.CIPEmpty)},
	{19, "CIP_ABORT", string(header.CIPAborted)},
	{20, "CIP_TIMEOUT", string(header.CIPTimeout)},
	{21, "CIP_TRUNCATED", string(header.CIPTruncated)},
	{22, "CIP_BAD_MAGIC", string(header.CIPBadMagic)},
	{23, "CIP_BAD_PROTO", string(header.CIPBadProto)},
	{24, "SSL_EMPTY", "Connection closed during SSL handshake"},
	{26, "SSL_TIMEOUT", "Timeout during SSL handshake"},
	{30, "SSL_CA_FAIL", "SSL client CA chain cannot be verified"},
	{31, "SSL_CRT_FAIL", "SSL client certificate not trusted"},
	{32, "SSL_MISMATCH", "Server presented an SSL certificate different from the configured one"},
	{33, "SSL_MISMATCH_SNI", "Server presented an SSL certificate different from the expected one"},
	{34, "SSL_HANDSHAKE", "SSL handshake failure"},
	{40, "SOCKS4_RECV", transport.ErrSocksRead.Error()},
	{41, "SOCKS4_DENY", transport.ErrSocksDenied.Error()},
	{42, "SOCKS4_ABORT", transport.ErrSocksAborted.Error()},
}

// faultOf names the error with which a connection ended. A regular end is none.
func faultOf(err error) fault {
	if err == nil {
		return fault{0, "", "Success"}
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		for _, f := range faults {
			if f.errno == errno {
				return f.fault
			}
		}
		return faults[0].fault
	}
	for _, f := range handshakeFaults {
		if strings.HasPrefix(err.Error(), f.text) {
			return f
		}
	}
	return fault{0, "", "Success"}
}

// clientEnd and serverEnd give how the connection ended, nil while it stands; false: there is no connection.
func clientEnd(ctx *sample.Context) (error, bool) {
	if st := running(ctx); st != nil {
		return st.c.end, true
	}
	s, ok := ctx.Owner.(*runtime.Stream)
	if !ok || s.Session == nil || s.Session.Listener == nil {
		return nil, false
	}
	return s.Session.Failure, s.Session.Failure != header.Unnamed
}

func serverEnd(ctx *sample.Context) (error, bool) {
	st, ok := hasServer(ctx)
	if !ok {
		return nil, false
	}
	if st.link != nil || st.srvEnd != nil {
		return st.srvEnd, true
	}
	return st.linkErr, true
}

func faultNumber(end func(ctx *sample.Context) (error, bool)) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		err, ok := end(ctx)
		if ok {
			out.SetInt(faultOf(err).number)
		}
		return ok
	}
}

func faultText(end func(ctx *sample.Context) (error, bool), part func(f fault) string) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		err, ok := end(ctx)
		if !ok {
			return false
		}
		out.SetText(part(faultOf(err)))
		return true
	}
}

func checkTimeUnit(_ *sample.Compiler, args []sample.Arg) error {
	switch {
	case !args[0].Present, args[0].Str == "ms":
	case args[0].Str == "us":
		args[0].Int = 1
	default:
		return fmt.Errorf("expects 'us' or 'ms', got '%s'", args[0].Str)
	}
	return nil
}

func checkCounter(c *sample.Compiler, args []sample.Arg) error {
	if args[0].Present && c.Warn != nil {
		c.Warn("no argument supported for 'fc_*' sample expressions returning counters.")
	}
	return nil
}

// socket gives the worker and the descriptor of one connection of a stream.
type socket func(ctx *sample.Context) (w *worker, fd int, ok bool)

func clientSocket(ctx *sample.Context) (w *worker, fd int, ok bool) {
	st := running(ctx)
	switch {
	case st == nil:
		return nil, -1, false
	case ctx.Checkpoint == sample.FrontConnection:
		return st.w, int(st.c.Fd), true
	}
	return st.w, st.c.sock.Fd(), st.c.sock.IsOpen()
}

func serverSocket(ctx *sample.Context) (w *worker, fd int, ok bool) {
	st := running(ctx)
	if st == nil || st.link == nil || !st.link.sock.IsOpen() {
		return nil, -1, false
	}
	return st.w, st.link.sock.Fd(), true
}

// kernelNumber asks the kernel for one number of what it knows about a TCP connection.
func kernelNumber(ctx *sample.Context, of socket, get func(i *unix.TCPInfo) uint32) (int64, bool) {
	w, fd, ok := of(ctx)
	if !ok {
		return 0, false
	}
	size := uint32(unsafe.Sizeof(w.tcpInfo))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&w.tcpInfo)), uintptr(unsafe.Pointer(&size)), 0)
	return int64(get(&w.tcpInfo)), errno == 0
}

// savedSYN asks the kernel for the packet, which it gives once.
func savedSYN(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, fd, ok := clientSocket(ctx)
	if !ok {
		return false
	}
	room := ctx.Scratch.Room()
	room = room[:cap(room)]
	size := uint32(len(room))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_SAVED_SYN,
		uintptr(unsafe.Pointer(&room[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return false
	}
	out.SetBin(ctx.Scratch.Take(room[:size]))
	return true
}

// kernelTime makes an Eval of a time that the kernel measures in microseconds.
func kernelTime(of socket, get func(i *unix.TCPInfo) uint32) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		t, ok := kernelNumber(ctx, of, get)
		if args[0].Int == 0 {
			t = (t + 500) / 1000
		}
		out.SetInt(t)
		return ok
	}
}

// kernelCount makes an Eval of what the kernel counts on the client's connection.
func kernelCount(get func(i *unix.TCPInfo) uint32) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		n, ok := kernelNumber(ctx, clientSocket, get)
		out.SetInt(n)
		return ok
	}
}
