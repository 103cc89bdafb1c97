package engine

import (
	"io"
	"net/netip"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// link is one connection to a server. It belongs to a stream, or lies idle in a pool.
type link struct {
	w           *worker
	srv         *runtime.Server
	sock        transport.Conn
	st          *stream // nil while idle
	to          loop.Addr
	name        string  // what the server was asked for in TLS; "" in clear
	served      int     // requests answered on it
	idleAt      int64   // since when it is idle
	owner       *client // whose own idle connection it is: see client.own
	private     bool    // nobody else may use it
	safe        bool    // has been reused: see pool
	pooled      bool
	up          bool           // the connection stands
	met         bool           // local and peer are known
	local, peer netip.AddrPort // its addresses; not valid on UNIX sockets

	prev, next *link
}

// newLink takes a link out of the free list.
func (w *worker) newLink(srv *runtime.Server, s *stream) *link {
	k := w.links
	if k == nil {
		k = &link{w: w}
	} else {
		w.links = k.next
		k.next = nil
	}
	k.srv, k.st, k.name = srv, s, ""
	k.served, k.safe, k.up, k.pooled, k.met = 0, false, false, false, false
	k.owner, k.private = nil, s.Back.Reuse == runtime.ReuseNever
	p := w.pool(srv)
	p.inUse++
	p.peak = max(p.peak, p.inUse)
	srv.UsedMax.Show(uint64(srv.Used.Inc()))
	return k
}

// attach gives an idle link to a stream.
func (k *link) attach(s *stream) {
	k.st = s
	k.safe = true
	p := k.w.pool(k.srv)
	p.inUse++
	p.peak = max(p.peak, p.inUse)
	k.srv.UsedMax.Show(uint64(k.srv.Used.Inc()))
}

// detach takes the link from its stream.
func (k *link) detach() {
	if k.st != nil {
		k.st = nil
		k.w.pool(k.srv).inUse--
		k.srv.Used.Dec()
	}
}

// release gives the link back after a complete exchange, to the pool or to the kernel.
func (k *link) release(keep bool) {
	c := k.st.c
	k.detach()
	k.served++
	switch {
	case !keep || !k.sock.IsOpen():
		k.abort()
	case !k.private:
		k.w.give(k)
	case c.closed || c.end != nil:
		k.abort()
	default:
		c.dropOwn()
		c.own, k.owner = k, c
	}
}

// close ends the connection behind what is queued: one that the server has ended, that
// never stood, or whose server is still to get the end of a request.
func (k *link) close() {
	k.leave()
	k.sock.Close(linger)
	k.free()
}

// leave takes the link from whoever has it.
func (k *link) leave() {
	k.detach()
	if k.pooled {
		k.w.unpool(k)
	}
	if k.owner != nil {
		k.owner.own, k.owner = nil, nil
	}
}

// abort ends the connection by a reset: the server notices at once, and no local
// port stays in TIME_WAIT.
func (k *link) abort() {
	k.leave()
	k.sock.Abort()
	k.free()
}

func (k *link) free() {
	k.srv = nil
	k.next, k.w.links = k.w.links, k
}

// Connected ends the connection attempt.
func (k *link) Connected(err error) {
	k.up = err == nil
	if k.st != nil {
		k.st.connected(err)
	}
}

// Received is what a server sends.
func (k *link) Received(b *loop.Buffer, err error) {
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
		k.st.serverEnd(err)
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
