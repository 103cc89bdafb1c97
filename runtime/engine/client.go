package engine

import (
	"net/netip"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/peers"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
	"hapax/runtime/transport"
)

// linger is how long a closed connection may go on sending what is queued.
const linger = 10 * time.Second

// client is one client connection: a runtime.Session on a socket. While a
// stream runs (st is not nil), all events are the stream's.
type client struct {
	runtime.Session
	w     *worker
	sock  transport.Conn
	timer loop.Timer
	task  loop.Task // begins with the request in ahead
	port  *port
	sess  *runtime.Session // the connection's: its own, unless it is one request of an HTTP/2 connection
	h2    *h2Client        // the requests that it carries; nil: it carries one at a time
	via   *h2Request       // that it is; nil: it is a connection
	ask   *ask             // that it is; nil: somebody else's
	mail  *mail            // it sends log messages; nil: it does not
	st    *stream
	ahead *loop.Buffer // bytes of the next request, received during this one
	end   error        // why receiving ended; nil: it did not

	next, prev *client
	owned      *link               // connections to servers that only this client may use, in the order in which they came
	idleSince  int64               // end of the previous response
	h1         *runtime.H1Counters // what it counts in; nil: it is no connection of HTTP/1

	// An idle connection is little else than this object: what is small stands together.
	idleOwned int32 // how many of owned are idle
	sticks    bool  // prefers servers that it has connections to: an authentication is bound to one
	glitches  int32 // that the client is responsible for; of HTTP/1
	tired     bool  // they are too many: the connection ends with the response
	killed    bool  // at once: the client is told nothing any more
	closed    bool
	http      bool  // requests are read from it: the frontend's mode, or that of a backend it was given to
	kept      bool  // waits for another request after a response
	silent    bool  // the connection is to vanish without a word
	shakes    bool  // a header or a handshake precedes the session
	more      bool  // bytes came behind the header
	guest     bool  // somebody else looks after it: a peer
	dropTTL   uint8 // hops that its reset may go; 0: none is sent
}

// newClient makes the client of a connection of the listener.
func (w *worker) newClient(p *port) *client {
	c := w.idle
	if c == nil {
		c = &client{w: w}
		c.timer.Init(w.loop, c)
		c.task.Init(c)
	} else {
		w.idle = c.next
		c.next = nil
	}
	c.port = p
	c.Session = runtime.Session{
		ID: w.number(&w.madeSessions), Front: p.ln.Proxy, Listener: p.ln, Loop: int32(w.id),
		Unix: p.unix, Expect: p.ln.Bind.Prologue,
		Tracked: c.Tracked, // they are empty: the memory is used again
	}
	c.sess = &c.Session
	c.glitches, c.tired, c.killed = 0, false, false
	c.closed, c.kept, c.http, c.silent, c.end, c.sticks, c.guest = false, false, false, false, nil, false, false
	c.Vars.Init(sample.SessScope, &w.cfg.VarLimits, w.cfg.ProcVars)
	return c
}

// accepted notes the moment of the connection, and has it among the others from now on.
func (c *client) accepted(fd int, peer netip.AddrPort) {
	c.Accepted, c.AcceptedWall = c.w.loop.Now(), c.w.loop.Wall()/1e3
	c.Handshake, c.Fd, c.Src = c.Accepted, int32(fd), peer
	c.w.clients.add(c)
	c.trace(trace.SessionNew, trace.State, "new session", 0)
}

// open starts a connection that the listener accepted and counted.
func (w *worker) open(p *port, fd int, peer *loop.Addr) {
	c := w.newClient(p)
	c.accepted(fd, peer.AddrPort())
	if p.dst.IsValid() {
		c.Dst = p.dst
	} else if !p.unix {
		if a, err := loop.LocalAddr(fd); err == nil {
			c.Dst = a.AddrPort()
		}
	}
	px := p.ln.Proxy
	fe := c.Counters(w.id)
	if p.ln.Bind.TLS != nil {
		w.countTLS()
	}
	if _, ok := c.admitted(px.TCPConn, connPoint); !ok {
		if c.silent {
			fe.DeniedReq.Inc() // as the reference counts them
			vanish(fd, c.Src.Addr(), c.dropTTL)
		} else {
			fe.DeniedConn.Inc()
		}
		c.refuse(fd)
		return
	}
	c.sock.Open(w.loop, fd, c, nil)
	c.shakes = c.Expect != 0 || p.ln.Bind.TLS != nil
	if c.shakes {
		c.setTimer(px.Timeout.ClientHandshake, px.Timeout.Client)
	}
	if c.Expect != 0 {
		c.sock.Receive()
		return
	}
	c.secure(nil)
}

// countTLS counts a client that is to speak TLS, whatever becomes of it.
func (w *worker) countTLS() {
	stats := &w.cfg.Stats
	stats.CumTLSConns.Inc()
	stats.TLSRateMax.Show(uint64(stats.TLSRate.Add(w.ms(), 1)))
}

// secure begins with TLS, if the listener speaks it, or with the session. first is what
// came behind a header, if anything did.
func (c *client) secure(first *loop.Buffer) {
	with := c.Listener.Bind.TLS
	c.more = first != nil && with == nil
	if with == nil {
		c.established()
		switch {
		case first == nil:
		case c.closed:
			first.Release()
		default:
			c.Received(first, nil)
		}
		return
	}
	layer := with.(transport.Maker).Server()
	c.TLS, _ = layer.(runtime.TLSState)
	c.trace(trace.SSLNew, trace.State, "new SSL connection", 0)
	c.sock.Insert(c.w.loop, layer, c)
	c.sock.Receive()
	if first != nil {
		layer.Received(first, nil)
	}
}

// refuse closes a connection that never came onto the loop.
func (c *client) refuse(fd int) {
	c.sock.Open(c.w.loop, fd, c, nil)
	c.abort()
}

// Connected tells the end of the TLS handshake.
func (c *client) Connected(err error) {
	if err != nil {
		c.handshakeFailed(err)
		return
	}
	c.Handshake = c.w.loop.Now()
	c.trace(trace.SSLHandshake, trace.State, "SSL handshake done", 0)
	if c.Listener.Stats != nil {
		c.Listener.TLSStats.Sess.Inc()
		if c.TLS.Resumed() {
			c.Listener.TLSStats.Reused.Inc()
		}
	}
	c.established()
}

// enter runs the rules on sessions and counts this one: ok, unless they end it. It is to become a connection to a server if
// to is not nil.
func (c *client) enter() (to *runtime.Attachment, ok bool) {
	px, w := c.Front, c.w
	fe := c.Counters(w.id)
	if to, ok = c.admitted(px.TCPSess, sessPoint); !ok {
		if c.silent {
			fe.DeniedReq.Inc()
			vanish(c.sock.Fd(), c.Src.Addr(), c.dropTTL)
		} else {
			fe.DeniedSess.Inc()
		}
		c.rejected()
		return nil, false
	}
	if px.Options&(runtime.OptSpliceRequest|runtime.OptSpliceAuto) != 0 {
		c.sock.Sparing(true)
	}
	fe.Sess.Inc()
	sticktable.Accepted(&c.Session)
	px.Live.SessRate.Inc(&px.Live.Front[w.id].SessRate, w.ms())
	if !c.port.inner && px.Peers == nil {
		w.cfg.Stats.SessRate.Inc(&w.counts.SessRate, w.ms())
	}
	c.sock.Receive()
	c.http = px.Mode == runtime.ModeHTTP
	return to, true
}

// established begins the session: the connection can carry requests.
func (c *client) established() {
	px, w := c.Front, c.w
	to, ok := c.enter()
	if !ok {
		return
	}
	if c.http && c.speaksH2() {
		c.startH2(to)
		return
	}
	if to != nil {
		c.close(0) // only HTTP/2 can be turned
		return
	}
	if c.http {
		c.beginH1()
		c.setTimer(px.Timeout.Request, px.Timeout.Client)
		return
	}
	c.trace(trace.PTConnNew, trace.State, "new connection", 0)
	if px.Peers != nil {
		c.guest = true
		c.timer.Stop()
		peers.Accept(px, &c.sock, func() { c.close(linger) })
		return
	}
	if px.Forward != nil {
		c.mail = &mail{c: c}
		c.setTimer(px.Timeout.Client)
		return
	}
	s := w.takeStream(c)
	c.st = s
	s.startTCP()
}

// conn is the connection: the client itself, unless it is one request of an HTTP/2 connection.
func (c *client) conn() *client {
	if c.via != nil {
		return c.via.of.c
	}
	return c
}

// setTimer sets the client timer to the first of the durations that is set, from now on.
func (c *client) setTimer(ds ...time.Duration) {
	for _, d := range ds {
		if d > 0 {
			c.timer.Set(c.w.loop.Now() + int64(d))
			return
		}
	}
	c.timer.Stop()
}

// Received is all that a client sends.
func (c *client) Received(b *loop.Buffer, err error) {
	if c.Expect != 0 {
		c.prologue(b, err)
		return
	}
	if b == nil {
		c.end = err
		if c.st != nil {
			c.st.clientEnd(err)
			return
		}
		c.idleEnd()
		return
	}
	if c.h1 != nil {
		c.h1.In.Add(uint64(len(b.Data)))
		c.trace(trace.H1ConnRecv, trace.Data, "data received", len(b.Data))
	} else {
		c.trace(trace.PTRxData, trace.Data, "data received", len(b.Data))
	}
	switch {
	case c.st != nil:
		c.st.fromClient(b)
	case c.mail != nil:
		c.mail.received(b)
	default:
		c.request(b)
	}
}

// request starts a stream with the first bytes of a request.
func (c *client) request(b *loop.Buffer) {
	s := c.w.takeStream(c)
	c.st = s
	if c.h1 != nil {
		c.h1.Streams.Inc()
		s.inH1 = true
		c.trace(trace.H1StreamNew, trace.State, "created new H1 front stream", 0)
	}
	if c.kept {
		c.setTimer(c.Front.Timeout.Request, c.Front.Timeout.Client)
	}
	s.startHTTP(b)
}

// idleEnd ends a connection that shut down between requests, or before the first.
func (c *client) idleEnd() {
	px := c.Front
	if c.kept || c.Requests > 0 || !c.http {
		c.close(0)
		return
	}
	// Nothing was ever received: a probe, or a browser's spare connection.
	if px.Options&runtime.OptIgnoreProbes != 0 {
		c.close(0)
		return
	}
	s := c.w.takeStream(c)
	c.st = s
	s.startBroken()
	s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InRequest}
	if px.Options&runtime.OptDontLogNull != 0 {
		s.LogLevel = silent
	}
	s.refuseRequest(400)
}

// Expired is the end of the client's time.
func (c *client) Expired(*loop.Timer) {
	if s := c.st; s != nil {
		s.clientTimeout()
		return
	}
	px := c.sess.Front
	switch {
	case c.Expect != 0:
		c.handshakeFailed(c.prologueLate())
	case c.h2 != nil:
		c.h2.expired()
	case c.TLS != nil && c.Handshake == c.Accepted:
		c.handshakeFailed(transport.ErrHandshakeTimeout)
	case c.kept, !c.http:
		c.close(0)
	case px.Options&runtime.OptIgnoreProbes != 0:
		c.close(0)
	default:
		s := c.w.takeStream(c)
		c.st = s
		s.startBroken()
		s.End = runtime.Termination{Cause: runtime.EndClientTO, State: runtime.InRequest}
		if px.Options&runtime.OptDontLogNull != 0 {
			s.LogLevel = silent
		}
		s.refuseRequest(408)
	}
}

// Sent tells that the queue fell to what was asked for, or that sending failed.
func (c *client) Sent(err error) {
	if c.st != nil {
		c.st.clientSent(err)
		return
	}
	if err != nil {
		c.close(0)
	}
}

// again makes the connection wait for its next request, which may have come already.
func (c *client) again() {
	c.kept = true
	c.st = nil
	px := c.Front
	if c.end != nil {
		c.close(linger)
		return
	}
	if c.ahead != nil {
		c.timer.Stop() // its time may be over before the task runs
		c.w.loop.RunLater(&c.task)
		return
	}
	if c.mayPart() {
		c.close(linger)
		return
	}
	c.setTimer(px.Timeout.KeepAlive, px.Timeout.Request, px.Timeout.Client)
	c.waitSpread()
	c.sock.Receive()
}

// RunTask begins with a request that came during the previous one.
func (c *client) RunTask(*loop.Task) {
	if b := c.ahead; b != nil && c.st == nil {
		c.ahead = nil
		c.sock.Receive()
		c.request(b)
	}
}

// close ends the connection and gives its place back.
func (c *client) close(linger time.Duration) {
	if c.closed {
		return
	}
	c.closed = true
	c.timer.Stop()
	if c.h2 != nil {
		c.h2.shut(linger > 0)
	}
	if c.ahead != nil {
		c.ahead.Release()
		c.ahead = nil
	}
	if linger > 0 && c.h2 != nil && c.h2.leaves() {
		c.w.part(&c.sock)
	} else {
		c.sock.Close(linger)
	}
	c.left()
}

// abort ends the connection by a reset.
func (c *client) abort() {
	if c.h2 != nil {
		c.h2.shut(false)
	}
	c.sock.Abort()
	c.close(0)
}

// left gives the connection's place back, once.
func (c *client) left() {
	w := c.w
	if w.traces.Any() {
		c.tellLeft()
	}
	c.endH1()
	c.dropOwned()
	w.clients.remove(c)
	c.port.leave(w)
	c.forget()
}

// forget makes the object good for another connection.
func (c *client) forget() {
	c.Vars.Reset()
	sticktable.LeaveSession(&c.Session)
	c.st, c.TLS, c.h2, c.mail, c.ask = nil, nil, nil, nil, nil
	c.next, c.w.idle = c.w.idle, c
}
