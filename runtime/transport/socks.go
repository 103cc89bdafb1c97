package transport

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"

	"hapax/runtime/loop"
)

// What may go wrong with a proxy on the way to a server.
var (
	ErrSocksRead    = errors.New("SOCKS4 Proxy read error during handshake")
	ErrSocksDenied  = errors.New("SOCKS4 Proxy deny the request")
	ErrSocksAborted = errors.New("SOCKS4 Proxy handshake aborted by server")
)

// socks asks a SOCKS4 proxy for a connection to a server, and leaves. Section 5.2 "socks4".
type socks struct {
	conn *Conn
	to   netip.AddrPort // the server
	next Layer          // what comes behind it; nil: clear bytes

	loop  *loop.Loop
	up    loop.Handler
	reply []byte
	asked bool
}

const (
	socksReply   = 8 // bytes
	socksGranted = 90
	socksUser    = "HAProxy\x00"
)

// Via makes the layer of a connection that goes through a SOCKS4 proxy to an address; next is the layer behind it, nil for
// none. The connection is made to the proxy.
func Via(c *Conn, to netip.AddrPort, next Layer) Layer { return &socks{conn: c, to: to, next: next} }

// Start begins; see Layer.
func (s *socks) Start(_ *loop.Socket, l *loop.Loop, up loop.Handler) { s.loop, s.up = l, up }

// Connected sends the request.
func (s *socks) Connected(err error) {
	if err != nil {
		s.up.Connected(err)
		return
	}
	const version, connect = 4, 1
	ask := binary.BigEndian.AppendUint16([]byte{version, connect}, s.to.Port())
	ip := s.to.Addr().AsSlice()
	for len(ip) > 4 && binary.BigEndian.Uint32(ip) == 0 {
		ip = ip[4:] // of an address of IPv6 the first word that is not zero, as ever
	}
	ask = append(ask, ip[:min(len(ip), 4)]...)
	s.conn.sock.SendStatic(append(ask, socksUser...))
	s.conn.sock.Receive()
	s.asked = true
}

// Received reads the answer.
func (s *socks) Received(b *loop.Buffer, err error) {
	if b == nil {
		fault := ErrSocksAborted
		if err == io.EOF {
			fault = ErrSocksRead
		}
		s.up.Connected(fault)
		return
	}
	n := min(len(b.Data), socksReply-len(s.reply))
	s.reply = append(s.reply, b.Data[:n]...)
	b.Data = b.Data[n:]
	rest := b
	if len(b.Data) == 0 {
		b.Release()
		rest = nil
	}
	if len(s.reply) < socksReply {
		return
	}
	if s.reply[1] != socksGranted {
		if rest != nil {
			rest.Release()
		}
		s.up.Connected(ErrSocksDenied)
		return
	}
	s.leave(rest)
}

// leave gives the connection to what comes next, with the first bytes of the server, if any.
func (s *socks) leave(rest *loop.Buffer) {
	c := s.conn
	var heir loop.Handler = s.up
	if s.next != nil {
		c.Insert(s.loop, s.next, s.up)
		heir = s.next
	} else {
		c.via = nil
		c.sock.Pause()
		c.sock.SetHandler(s.up)
	}
	heir.Connected(nil)
	switch {
	case rest == nil:
	case c.IsOpen() && c.via == Carrier(s.next) && s.next != nil:
		s.next.Received(rest, nil)
	case c.IsOpen() && s.next == nil:
		heir.Received(rest, nil)
	default:
		rest.Release()
	}
}

// Sent is nothing that anybody waits for.
func (s *socks) Sent(err error) {
	if err != nil {
		s.up.Connected(err)
	}
}

// SetHandler gives the connection another owner.
func (s *socks) SetHandler(up loop.Handler) { s.up = up }

// Receive, Pause, Send and SendStatic come behind Connected alone: the layer is gone by then.
func (s *socks) Receive()            {}
func (s *socks) Pause()              {}
func (s *socks) Send(b *loop.Buffer) { b.Release() }
func (s *socks) SendStatic([]byte)   {}
func (s *socks) Queued() int         { return 0 }
func (s *socks) Shutdown()           {}

// Drop gives everything back.
func (s *socks) Drop() {
	if s.next != nil {
		s.next.Drop()
	}
}

// Asking tells whether a layer waits for the answer of a SOCKS4 proxy.
func Asking(l Layer) bool {
	s, ok := l.(*socks)
	return ok && s.asked
}

// Moved, Lift and Land are never called: it has left before a connection is idle.
func (s *socks) Moved(*loop.Socket) {}

func (s *socks) Lift() {}

func (s *socks) Land(*loop.Socket, *loop.Loop, loop.Handler) {}
