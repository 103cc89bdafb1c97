// Package transport is what lies between a socket and a protocol: nothing for
// clear connections, a record layer for TLS.
//
// A Conn offers what loop.Socket offers. On a clear connection its methods are
// those of the socket and callbacks go straight to the owner; with a Layer, the
// layer is the socket's handler and the owner sees clear bytes only; with a Channel,
// there is no socket: the bytes are those of one stream among others of a connection.
package transport

import (
	"errors"
	"time"

	"hapax/runtime/loop"
	"hapax/stats/counter"
)

// Carrier is what takes the bytes of a Conn in place of a bare socket. It is driven by the
// loop thread alone and keeps the promises of loop.Socket: no method of its own calls back.
type Carrier interface {
	// SetHandler gives the connection another owner.
	SetHandler(up loop.Handler)
	// Receive makes clear bytes come until Pause; see loop.Socket.
	Receive()
	// Pause stops them.
	Pause()
	// Send takes a buffer of clear bytes.
	Send(b *loop.Buffer)
	// SendStatic takes clear bytes that nobody changes.
	SendStatic(p []byte)
	// Queued is the number of bytes that the carrier holds back: of a Layer, beside those of the socket.
	Queued() int
	// Shutdown ends the sending direction. A Layer hands all bytes to the socket, with a goodbye
	// (close_notify) behind them: the socket is shut down or closed next.
	Shutdown()
}

// Layer is a Carrier that transforms the bytes of one socket and calls its owner's loop.Handler
// with clear bytes.
type Layer interface {
	loop.Handler
	Carrier
	// Start begins: the handshake runs as bytes come. up receives what loop.Handler
	// promises; its Connected tells the end of the handshake.
	Start(sock *loop.Socket, l *loop.Loop, up loop.Handler)
	// Drop gives everything back: the socket is closed. Nothing is called after it.
	Drop()
	// Moved tells that the same connection, with the same owner, is another Socket from now on.
	Moved(sock *loop.Socket)
	// Lift makes an open layer hold nothing that belongs to its loop: it goes to another one. What is to be sent, it sends.
	Lift()
	// Land goes on there.
	Land(sock *loop.Socket, l *loop.Loop, up loop.Handler)
}

// Channel is a Carrier without a socket of its own: one stream of a connection that carries
// many. Its methods do for the stream what those of loop.Socket do for a connection.
type Channel interface {
	Carrier
	// Fd is the descriptor of the connection, -1 when it is gone.
	Fd() int
	// NotifySent asks for one Sent(nil) when at most low bytes of the stream are queued.
	NotifySent(low int)
	// Close ends the stream behind what is queued.
	Close()
	// Abort ends it at once.
	Abort()
}

// Conn is a connection on a loop. The zero Conn is closed.
type Conn struct {
	sock    loop.Socket
	via     Carrier // a Layer over the socket, or a Channel in its place; nil: clear bytes on a socket
	carried bool    // via is a Channel

	Sent *counter.Own // counts the bytes of Send; nil: nobody does
}

// Open puts a connected descriptor on the loop. layer is nil for clear
// connections; with one, h.Connected tells when the handshake is over.
func (c *Conn) Open(l *loop.Loop, fd int, h loop.Handler, layer Layer) {
	if layer == nil {
		c.sock.Open(l, fd, h)
		return
	}
	c.via = layer
	c.sock.Open(l, fd, layer)
	layer.Start(&c.sock, l, h)
}

// Connect starts to connect; h.Connected tells the end, of the handshake too.
func (c *Conn) Connect(l *loop.Loop, fd int, to *loop.Addr, h loop.Handler, layer Layer) {
	if layer == nil {
		c.sock.Connect(l, fd, to, h)
		return
	}
	c.via = layer
	c.sock.Connect(l, fd, to, layer)
	layer.Start(&c.sock, l, h)
}

// Insert puts a layer between an open connection in clear and its owner, who is told of
// the end of the handshake by h.Connected. What he has received already goes to
// layer.Received.
func (c *Conn) Insert(l *loop.Loop, layer Layer, h loop.Handler) {
	c.via = layer
	c.sock.SetHandler(layer)
	layer.Start(&c.sock, l, h)
}

// Carry makes the closed Conn one of a channel.
func (c *Conn) Carry(ch Channel) { c.via, c.carried = ch, true }

// channel is what takes the bytes in the place of a socket; nil: there is a socket.
func (c *Conn) channel() Channel {
	if !c.carried {
		return nil
	}
	return c.via.(Channel)
}

// Carried tells whether it is one of a channel.
func (c *Conn) Carried() bool { return c.carried }

// Layer is what transforms the bytes; nil on a clear connection.
func (c *Conn) Layer() Layer {
	if c.via == nil || c.carried {
		return nil
	}
	return c.via.(Layer)
}

// IsOpen tells whether the connection was not closed by its owner.
func (c *Conn) IsOpen() bool { return c.sock.IsOpen() || c.carried }

// Fd is the descriptor, for socket options and names only.
func (c *Conn) Fd() int {
	if ch := c.channel(); ch != nil {
		return ch.Fd()
	}
	return c.sock.Fd()
}

// SetHandler gives the connection another owner.
func (c *Conn) SetHandler(h loop.Handler) {
	if c.via != nil {
		c.via.SetHandler(h)
		return
	}
	c.sock.SetHandler(h)
}

// Receive makes bytes come until Pause.
func (c *Conn) Receive() {
	if c.via != nil {
		c.via.Receive()
		return
	}
	c.sock.Receive()
}

// Pause stops Received; see loop.Socket.
func (c *Conn) Pause() {
	if c.via != nil {
		c.via.Pause()
		return
	}
	c.sock.Pause()
}

// Send queues the bytes of b and takes it over.
func (c *Conn) Send(b *loop.Buffer) {
	if c.Sent != nil {
		c.Sent.Add(uint64(len(b.Data)))
	}
	if c.via != nil {
		c.via.Send(b)
		return
	}
	c.sock.Send(b)
}

// SendStatic queues bytes that nobody changes.
func (c *Conn) SendStatic(p []byte) {
	if c.Sent != nil {
		c.Sent.Add(uint64(len(p)))
	}
	if c.via != nil {
		c.via.SendStatic(p)
		return
	}
	c.sock.SendStatic(p)
}

// Relay passes the next n bytes that come on to another connection within the kernel, if both are clear and have sockets of their
// own; see loop.Socket.
func (c *Conn) Relay(to *Conn, n int64, r loop.Relayer) bool {
	return c.via == nil && to.via == nil && c.sock.Relay(&to.sock, n, r)
}

// Sparing leaves in the kernel what is not received yet, or no longer; see loop.Socket.
func (c *Conn) Sparing(on bool) {
	if c.via == nil {
		c.sock.Sparing(on)
	}
}

// Relaying tells whether a relay from this connection goes on.
func (c *Conn) Relaying() bool { return c.sock.Relaying() }

// Queued is the number of bytes that the kernel did not take yet.
func (c *Conn) Queued() int {
	switch {
	case c.via == nil:
		return c.sock.Queued()
	case c.carried:
		return c.via.Queued()
	}
	return c.sock.Queued() + c.via.Queued()
}

// NotifySent asks for one Sent(nil) when at most low bytes are queued.
func (c *Conn) NotifySent(low int) {
	if ch := c.channel(); ch != nil {
		ch.NotifySent(low)
		return
	}
	c.sock.NotifySent(low)
}

// Shutdown ends the sending direction behind what is queued.
func (c *Conn) Shutdown() {
	if c.via != nil {
		c.via.Shutdown()
		if c.carried {
			return
		}
	}
	c.sock.Shutdown()
}

// Close closes behind what is queued, waiting no longer than linger.
func (c *Conn) Close(linger time.Duration) {
	if ch := c.channel(); ch != nil {
		c.end()
		ch.Close()
		return
	}
	layer := c.end()
	if layer != nil {
		layer.Shutdown()
	}
	c.sock.Close(linger)
	if layer != nil {
		layer.Drop()
	}
}

// Detach closes the connection but for its socket, which is the caller's: a goodbye of the layer is queued on it.
func (c *Conn) Detach() loop.Socket {
	layer := c.end()
	if layer != nil {
		layer.Shutdown()
		layer.Drop()
	}
	sock := c.sock
	c.sock = loop.Socket{}
	return sock
}

// MoveTo makes the closed Conn to the connection, whose owner stays the same, and c a closed one.
func (c *Conn) MoveTo(to *Conn) {
	to.sock, to.via, to.Sent = c.sock, c.via, c.Sent
	c.sock, c.via, c.Sent = loop.Socket{}, nil, nil
	if layer := to.Layer(); layer != nil {
		layer.Moved(&to.sock)
	}
}

// Lift takes an idle connection, which has a socket, off its loop: see loop.Lifter. The layer, nil without one, goes with
// it to Land.
func (c *Conn) Lift(to loop.Lifter) Layer {
	layer := c.end()
	if layer != nil {
		layer.Lift()
	}
	c.sock.Lift(to)
	return layer
}

// Land goes on with a connection that was lifted off another loop, and receives: first what was held.
func (c *Conn) Land(l *loop.Loop, fd int, h loop.Handler, layer Layer, held []byte) {
	below := h
	if layer != nil {
		c.via, below = layer, layer
	}
	c.sock.Open(l, fd, below)
	if layer != nil {
		layer.Land(&c.sock, l, h)
	}
	c.Receive()
	for len(held) > 0 && c.sock.IsOpen() {
		b := l.Buffer()
		b.Grow(copy(b.Room(), held))
		held = held[len(b.Data):]
		below.Received(b, nil)
	}
}

// Abort closes at once with a reset.
func (c *Conn) Abort() {
	if ch := c.channel(); ch != nil {
		c.end()
		ch.Abort()
		return
	}
	layer := c.end()
	c.sock.Abort()
	if layer != nil {
		layer.Drop()
	}
}

// end takes the layer of an open connection away: it is told of the end once.
func (c *Conn) end() Layer {
	layer := c.Layer()
	c.via, c.carried = nil, false
	return layer
}

// Ends of a handshake that a listener does not log with "option dontlognull": the peer said
// nothing wrong.
var (
	ErrHandshakeClosed  = errors.New("Connection closed during SSL handshake")
	ErrHandshakeTimeout = errors.New("Timeout during SSL handshake")
)

// Maker makes the layers of one bind or server line; a runtime.TLSConfig is one.
type Maker interface {
	// Server makes the layer of a connection that a client opened.
	Server() Layer
	// Name is the name that the server is to be asked for; who is the stream that wants a
	// connection. Connections that asked for another name are none to use again. The bytes
	// are good until the stream evaluates something else.
	Name(who any) []byte
	// Named tells whether requests ask the server for names.
	Named() bool
	// Client makes the layer of a connection to the server that is asked for the name, and
	// for the protocol; "" is those that are configured.
	Client(name, protocol string) Layer
	// Check makes the layer of a health check.
	Check(hello *CheckHello) Layer
	// CheckName is the name that a health check asks for.
	CheckName(hello *CheckHello) string
	// ChecksOffer tells whether health checks offer other protocols than the traffic.
	ChecksOffer() bool
}

// CheckHello is what a health check tells a server in its ClientHello.
type CheckHello struct {
	Name      string   // what the rule asks for, "" when it says nothing
	Protocols []string // what the rule offers by ALPN, nil when it says nothing
	Server    bool     // what the rule does not say is what the server line says of checks
	Host      string   // what to ask for when that says nothing either: what the check's request names
}
