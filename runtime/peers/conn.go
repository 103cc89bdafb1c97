package peers

import (
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/loop"
	"hapax/runtime/peers/exchange"
	"hapax/runtime/transport"
)

// conn carries a session over a connection.
type conn struct {
	section  *Section
	session  *exchange.Session
	sock     *transport.Conn
	own      transport.Conn // of a connection that was made here
	timer    loop.Timer
	task     loop.Task // writes what there is to write
	out      []byte
	closed   func() // tells who has accepted the connection of its end; nil: it was made here
	over     bool
	standing bool
}

func (s *Section) newConn(session *exchange.Session, sock *transport.Conn) *conn {
	c := &conn{section: s, session: session, sock: sock}
	c.timer.Init(s.loop, c)
	c.task.Init(c)
	session.Wake = func() { s.loop.RunLater(&c.task) }
	s.conns[session] = c
	s.config.Stats.OpenStream()
	return c
}

// state is what "show peers" calls what the connection does.
func (c *conn) state() string {
	if c.standing {
		return "EST"
	}
	return "CON"
}

// Accept takes a connection that has come to a peers section: closed is called when it has ended.
func Accept(px *runtime.Proxy, sock *transport.Conn, closed func()) {
	s := px.Peers.(*Section)
	c := s.newConn(s.group.Accept(), sock)
	c.closed = closed
	sock.SetHandler(c)
	c.timer.After(silence)
}

// dial connects to a peer.
func (s *Section) dial(session *exchange.Session) {
	srv := s.servers[session.Peer()]
	c := s.newConn(session, nil)
	c.sock = &c.own
	c.timer.After(connectWithin)
	to, err := s.target(srv)
	var fd int
	if err == nil {
		fd, err = dial.Socket(s.config, srv, &to, &dial.Wish{})
	}
	if err != nil {
		s.loop.PostFunc(func() { c.Connected(err) })
		return
	}
	c.sock.Connect(s.loop, fd, &to, c, s.layer(srv))
}

// layer is TLS, if the peer is to be spoken to so; nil: it is not.
func (s *Section) layer(srv *runtime.Server) transport.Layer {
	if !srv.Encrypted() {
		return nil
	}
	with := srv.TLS.(transport.Maker)
	return with.Client(string(with.Name(&s.stream)), "")
}

// target is where to connect to. The local peer is where this process listens, or did.
func (s *Section) target(srv *runtime.Server) (loop.Addr, error) {
	if srv.Name == s.group.Local {
		return s.here, nil
	}
	return dial.Target(srv.Addr.Load())
}

// Connected begins the greeting.
func (c *conn) Connected(err error) {
	if c.over {
		return
	}
	if err != nil {
		c.close(false)
		return
	}
	c.standing = true
	c.timer.After(silence)
	c.sock.Receive()
	c.session.Connected()
	c.write()
}

// Received takes what the peer says.
func (c *conn) Received(b *loop.Buffer, err error) {
	if b == nil {
		c.close(false)
		return
	}
	c.timer.After(silence)
	c.session.Feed(b.Data)
	b.Release()
	c.write()
	c.section.run()
}

// Sent goes on to write.
func (c *conn) Sent(err error) {
	if err != nil {
		c.close(false)
		return
	}
	c.write()
}

// Expired ends a connection on which nothing comes.
func (c *conn) Expired(*loop.Timer) { c.close(false) }

// RunTask writes.
func (c *conn) RunTask(*loop.Task) { c.write() }

// most is how many bytes may be queued before no more are written.
const most = 64 << 10

// write sends what the session has to say, so much at once that others have their turn, and ends it when it is over.
func (c *conn) write() {
	if c.over {
		return
	}
	if c.sock.IsOpen() && c.sock.Queued() < most {
		var more bool
		c.out, more = c.session.Write(c.out[:0], c.section.loop.BufSize())
		c.send(c.out)
		if more {
			c.section.loop.RunLater(&c.task)
		}
	} else if c.sock.IsOpen() {
		c.sock.NotifySent(most / 2)
	}
	if c.session.Over() {
		c.close(true)
	}
}

func (c *conn) send(p []byte) {
	for len(p) > 0 {
		b := c.section.loop.Buffer()
		n := copy(b.Room(), p)
		b.Grow(n)
		c.sock.Send(b)
		p = p[n:]
	}
}

// close ends the connection; politely tells that what was written is to arrive.
func (c *conn) close(politely bool) {
	if c.over {
		return
	}
	c.over = true
	delete(c.section.conns, c.session)
	c.section.config.Stats.CloseStream()
	c.timer.Remove()
	switch {
	case c.closed != nil:
		c.closed()
	case politely:
		c.sock.Close(connectWithin)
	default:
		c.sock.Close(0)
	}
	c.session.Close()
	c.section.run()
}
