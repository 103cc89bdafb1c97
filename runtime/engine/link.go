package engine

import (
	"io"
	"net/netip"
	"time"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
	"hapax/runtime/transport"
)

// link is one connection to a server. It belongs to a stream, or lies idle in a pool. One that
// carries many exchanges belongs to no stream: each of its exchanges is a link of its own.
type link struct {
	w        *worker
	srv      *runtime.Server
	sock     transport.Conn
	st       *stream   // nil while idle, and when it carries many exchanges
	shared   carrier   // the exchanges that it carries; nil: one alone, itself
	part     part      // of a shared connection that it is; nil: it is a connection
	ex       *exchange // the same, of HTTP/2
	to       loop.Addr
	protocol string // what TLS offers for a WebSocket; "": what it always does
	origin
	fresh       bool    // the PROXY header is still to be sent
	served      int     // requests answered on it
	glitches    int     // that the server is responsible for; of HTTP/1
	killed      bool    // for their number
	idleAt      int64   // since when it is idle
	owner       *client // that alone uses it, idle or not: see client.owned
	private     bool    // nobody else may ever use it: see reserve
	safe        bool    // has been reused: see pool
	nextOwned   *link
	resting     bool           // it is idle
	used        bool           // counted among those in use
	list        *linkList      // of its pool, in which it stands; nil: none
	up          bool           // the connection stands
	met         bool           // local and peer are known
	local, peer netip.AddrPort // its addresses; not valid on UNIX sockets

	h1         *runtime.H1Counters // what it counts in; nil: it is no connection of HTTP/1
	prev, next *link
}

// carrier is a connection that carries many exchanges, as its link knows it.
type carrier interface {
	// attach gives the stream a new exchange.
	attach(s *stream)
	// more tells whether the connection can carry one more.
	more() bool
	// close ends the use of the socket, which is closed next: behind what was said, or not.
	close(say bool)
}

// part is one exchange on such a connection.
type part interface {
	// conn is the connection.
	conn() *link
	// close leaves the exchange to itself: the server still gets the end of the request.
	close()
	// abort ends it.
	abort()
	// bare tells whether the end of the response came alone, behind all of the body.
	bare() bool
}

// origin is what a connection was made for, and the parts of that: see identity.
type origin struct {
	made             string
	name, head, from int
}

// newLink takes a link out of the free list.
func (w *worker) newLink(srv *runtime.Server) *link {
	k := w.links
	if k == nil {
		k = &link{w: w}
	} else {
		w.links = k.next
		k.next = nil
	}
	k.srv, k.st, k.origin, k.fresh = srv, nil, origin{}, false
	k.served, k.safe, k.up, k.met = 0, false, false, false
	k.glitches, k.killed = 0, false
	k.local = netip.AddrPort{}
	k.owner, k.private = nil, false
	w.cfg.Stats.ServerConns.Inc()
	if srv.StrictMaxConn {
		srv.Conns.Add(1)
	}
	k.use()
	if reuse(srv) == runtime.ReuseNever || srv.Hidden {
		k.reserve()
	}
	return k
}

// reserve makes the connection one that nobody but its client may ever use. Those do not count among the ones in use.
func (k *link) reserve() {
	k.private = true
	k.unuse()
}

// use counts the connection among those that carry something.
func (k *link) use() {
	if k.used || k.private {
		return
	}
	k.used = true
	k.srv.Used.Enter(&k.srv.Stats[k.w.id].Used)
}

// unuse ends that.
func (k *link) unuse() {
	if k.used {
		k.used = false
		k.srv.Used.Leave(&k.srv.Stats[k.w.id].Used)
	}
}

// attach gives the stream the connection, or a new exchange on it.
func (k *link) attach(s *stream) {
	k.safe = true
	if k.shared != nil {
		k.shared.attach(s)
		return
	}
	k.st, s.link = s, k
	s.srvGlitches = k.glitches
	if k.h1 != nil {
		k.h1.Streams.Inc()
	}
	k.use()
	k.sock.SetHandler(k)
}

// conn is the connection that the exchange goes over.
func (k *link) conn() *link {
	if k.part != nil {
		return k.part.conn()
	}
	return k
}

// release gives the link back after a complete exchange, to the pool or to the kernel.
func (k *link) release(keep bool) {
	if k.part != nil {
		k.part.close()
		return
	}
	c := k.st.c.conn()
	k.st = nil
	if k.h1 != nil {
		k.h1.StreamsOver.Inc()
	}
	k.unuse()
	k.served++
	switch {
	case !keep || !k.sock.IsOpen():
		k.abort()
	case !k.private:
		k.w.give(k)
	default:
		c.keepOwn(k)
	}
}

// rest leaves a shared connection whose last exchange is over to its client, or to the pool.
func (k *link) rest() {
	c := k.owner
	switch {
	case !k.private:
		k.disown()
		k.safe = true
		k.w.give(k)
	case c == nil:
		k.abort()
	default:
		k.disown()
		c.keepOwn(k)
	}
}

// close ends the connection behind what is queued: one that the server has ended, that
// never stood, or whose server is still to get the end of a request.
func (k *link) close() {
	if k.part == nil && k.srv.Proxy.Options&runtime.OptNoLinger != 0 && k.sock.Queued() == 0 {
		k.abort()
		return
	}
	k.end(linger)
}

// end closes the connection; what is queued may take so long.
func (k *link) end(linger time.Duration) {
	if k.part != nil {
		k.part.close()
		return
	}
	k.leave(k.up)
	k.sock.Close(linger)
	k.free()
}

// leave takes the link from whoever has it.
func (k *link) leave(say bool) {
	if k.st != nil && k.h1 != nil {
		k.h1.StreamsOver.Inc()
	}
	k.st = nil
	k.unuse()
	k.w.unlist(k)
	k.disown()
	if k.shared != nil {
		k.shared.close(say)
	}
}

// abort ends the connection by a reset: the server notices at once, and no local
// port stays in TIME_WAIT.
func (k *link) abort() {
	if k.part != nil {
		k.part.abort()
		return
	}
	k.leave(false)
	k.sock.Abort()
	k.free()
}

// leaveServer ends a shared connection that nobody needs any more: by a reset, unless the
// server is still to get what is queued.
func (k *link) leaveServer() {
	if k.sock.IsOpen() && k.sock.Queued() > 0 {
		k.close()
		return
	}
	k.abort()
}

func (k *link) free() {
	k.endH1()
	k.w.cfg.Stats.ServerConns.Dec()
	if k.srv.StrictMaxConn {
		k.srv.Conns.Add(-1)
	}
	k.srv, k.shared = nil, nil
	k.next, k.w.links = k.w.links, k
}

// key is what requests are compared by: see identity.
func (k *link) key() string { return k.made[k.from:] }

// secure makes the layer of TLS.
func (k *link) secure() transport.Layer {
	return k.srv.TLS.(transport.Maker).Client(k.made[:k.name], k.protocol)
}

// introduce sends the PROXY header, and begins with TLS if the server speaks it: h is told
// when that stands.
func (k *link) introduce(h loop.Handler) (secured bool) {
	k.fresh = false
	counted := k.sock.Sent
	k.sock.Sent = nil // the header is nothing of HTTP/1
	k.sock.SendStatic([]byte(k.made[k.head:]))
	k.sock.Sent = counted
	if !k.srv.Encrypted() {
		return false
	}
	layer := k.secure()
	k.sock.Insert(k.w.loop, layer, h)
	layer.Connected(nil)
	return true
}

// Connected ends the connection attempt.
func (k *link) Connected(err error) {
	if err == nil && k.fresh && k.introduce(k) {
		return
	}
	k.up = err == nil
	if k.w.traces.Any() {
		k.tellConnected(err)
	}
	s := k.st
	if s == nil {
		return
	}
	switch {
	case err != nil || s.Back.Mode != runtime.ModeHTTP:
	case k.speaksH2():
		k.remember()
		k.st = nil
		k.share().attach(s)
		s.claim(k, true)
		if !s.link.up {
			return
		}
	case k.h1 == nil:
		k.beginExchange(s)
	}
	s.connected(err)
}

// mayTurnH2 tells whether TLS is to settle on what is spoken.
func (k *link) mayTurnH2() bool {
	return k.srv.Encrypted() && len(k.srv.ALPN) > 0 && k.srv.Proto == runtime.ProtoAny
}

// remember keeps that the server speaks HTTP/2 on connections that are made for the same.
func (k *link) remember() {
	if k.protocol == "" && !k.turnsH2() {
		made := k.key()
		k.srv.Negotiated.Store(&made)
	}
}

// turnsH2 tells whether TLS is taken to settle on HTTP/2, as it has done before.
func (k *link) turnsH2() bool {
	made := k.srv.Negotiated.Load()
	return made != nil && k.protocol == "" && k.mayTurnH2() && *made == k.key()
}

// speaksH2 tells whether TLS has settled on HTTP/2.
func (k *link) speaksH2() bool {
	if !k.mayTurnH2() {
		return false
	}
	state, ok := k.sock.Layer().(runtime.TLSState)
	return ok && state.ALPN() == "h2"
}

// Received is what a server sends.
func (k *link) Received(b *loop.Buffer, err error) {
	if k.h1 != nil && b != nil {
		k.h1.In.Add(uint64(len(b.Data)))
		k.trace(trace.H1ConnRecv, trace.Data, "data received", len(b.Data))
	}
	switch {
	case k.st == nil:
		// An idle connection: the server closed it, or says what nobody asked for.
		if b != nil {
			b.Release()
		}
		k.close()
	case b != nil:
		k.st.fromServer(b)
	default:
		k.st.linkEnd(err)
	}
}

// Sent tells that the queue fell to what was asked for, or that sending failed.
func (k *link) Sent(err error) {
	if k.st != nil {
		k.st.serverSent(err)
		return
	}
	if err != nil {
		k.close()
	}
}

// eof tells a clean end from an error.
func eof(err error) bool { return err == io.EOF }
