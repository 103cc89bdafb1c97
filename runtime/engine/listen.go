package engine

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/stats/counter"
)

// port is one listener on one worker: all workers accept from the same socket.
type port struct {
	loop.Listener
	w       *worker
	ln      *runtime.Listener
	unix    bool
	inner   bool           // the program itself sends: see Control.Serve
	proxied bool           // to a proxy
	dst     netip.AddrPort // where clients connected to; invalid: the socket listens on any address
	wait    []accepted     // beyond a limit: they are served as soon as there is room
	held    bool           // counted in Engine.waiting: to be told when there is room
	timer   loop.Timer
	calls   *caller // that makes the connections; nil: they are accepted
}

// accepted is a connection that waits for a place.
type accepted struct {
	fd   int
	peer loop.Addr
}

// newPort prepares a listener for a worker.
func newPort(w *worker, ln *runtime.Listener) *port {
	p := &port{w: w, ln: ln}
	p.timer.Init(w.loop, p)
	switch ln.Addr.Family {
	case runtime.FamilyUnix, runtime.FamilyAbstract, runtime.FamilyAbstractZ, runtime.FamilySockpair:
		p.unix = true
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		if !ln.Addr.IP.Addr().IsUnspecified() {
			p.dst = ln.Addr.IP
		}
	}
	return p
}

// open starts to accept.
func (p *port) open() {
	if p.ln.Bind.Datagrams {
		p.w.openMailbox(p.ln)
		return
	}
	p.w.loop.Listen(&p.Listener, p.w.engine.sockets[p.ln.Slot], p)
}

// Accepted takes a new connection, here or on the worker that has the fewest.
func (p *port) Accepted(fd int, peer *loop.Addr) {
	e := p.w.engine
	if e.Config.Global.RejectPrivileged && privileged(peer.AddrPort().Port()) {
		unix.Close(fd)
		return
	}
	if len(e.workers) > 1 {
		if to := e.lightest(p.w, p.ln); to != p.w {
			to.adopt(p, fd, peer)
			return
		}
	}
	p.take(fd, peer)
}

// privileged tells whether only administrators may use a port. RFC 6335, section 6.
func privileged(port uint16) bool { return port > 0 && port < 1024 }

// take counts a connection and opens it, or keeps it for later when a limit is reached.
func (p *port) take(fd int, peer *loop.Addr) {
	if len(p.wait) > 0 || !p.enter() {
		p.wait = append(p.wait, accepted{fd, *peer})
		p.w.engine.queued.Add(1)
		p.full()
		return
	}
	p.w.open(p, fd, peer)
}

// enter takes a place in the process, the frontend and the listener; false: one of them is full.
func (p *port) enter() bool {
	w, px, ln := p.w, p.ln.Proxy, p.ln
	if px.Peers != nil {
		return p.enterPeer()
	}
	stats := &w.cfg.Stats
	ms := w.ms()
	if limit := stats.ConnRateLimit.Load(); limit > 0 && stats.ConnRate.Left(ms, uint32(limit)) == 0 {
		return false
	}
	if limit := stats.SessRateLimit.Load(); limit > 0 && stats.SessRate.Left(ms, uint32(limit)) == 0 ||
		px.RateLimit > 0 && px.Live.SessRate.Left(ms, uint32(px.RateLimit)) == 0 {
		return false
	}
	if ln.Bind.TLS != nil && w.tlsFull(ms) {
		return false
	}
	if px.Live.FrontConns.Load() >= px.LiveMaxConn.Load() || isFull(&ln.Conns, int64(ln.Bind.MaxConn)) {
		return false
	}
	_, ok := enterBelow(&stats.Conns, w.cfg.Global.LiveMaxConn.Load())
	if !ok {
		return false
	}
	here, ok := enterBelow(&px.Live.FrontConns, px.LiveMaxConn.Load())
	if !ok {
		stats.Conns.Dec()
		return false
	}
	own, ok := enterBelow(&ln.Conns, int64(ln.Bind.MaxConn))
	if !ok {
		px.Live.FrontConns.Dec()
		stats.Conns.Dec()
		return false
	}
	px.Live.FrontConnsMax.Show(uint64(here))
	ln.ConnsMax.Show(uint64(own))
	stats.CumConns.Inc()
	stats.ConnRate.Inc(&w.counts.ConnRate, ms)
	ln.Counters(w.id).Conns.Inc()
	px.Live.ConnRate.Inc(&px.Live.Front[w.id].ConnRate, ms)
	return true
}

// enterPeer takes a place for a connection of a peer, which no limit of the process counts.
func (p *port) enterPeer() bool {
	px, ln := p.ln.Proxy, p.ln
	if _, ok := enterBelow(&px.Live.FrontConns, px.LiveMaxConn.Load()); !ok {
		return false
	}
	ln.Conns.Inc()
	ln.Counters(p.w.id).Conns.Inc()
	return true
}

// tlsFull tells whether a limit of connections with TLS is reached.
func (w *worker) tlsFull(ms int64) bool {
	stats := &w.cfg.Stats
	limit := stats.TLSRateLimit.Load()
	return isFull(&stats.TLSConns, int64(w.cfg.Global.MaxTLSConn)) || limit > 0 && stats.TLSRate.Left(ms, uint32(limit), 0) == 0
}

// isFull tells whether a gauge is at its limit; 0 is no limit.
func isFull(g *counter.Gauge, limit int64) bool { return limit > 0 && g.Load() >= limit }

// enterBelow adds one to a gauge that may not pass limit, not even for a moment: another
// worker would take that for a full one. 0 is no limit.
func enterBelow(g *counter.Gauge, limit int64) (n int64, ok bool) {
	for {
		if n = g.Load(); limit > 0 && n >= limit {
			return 0, false
		}
		if g.CAS(n, n+1) {
			return n + 1, true
		}
	}
}

// full stops accepting until a connection leaves.
func (p *port) full() {
	if p.Listener.IsOpen() && p.Listener.Accepting() {
		p.Listener.Pause()
		p.ln.State.CompareAndSwap(int32(runtime.ListenerListening), int32(runtime.ListenerFull))
	}
	p.hold()
	px := p.ln.Proxy
	if st := &p.w.cfg.Stats; st.ConnRateLimit.Load() > 0 || st.SessRateLimit.Load() > 0 || px.RateLimit > 0 ||
		p.ln.Bind.TLS != nil && (st.TLSRateLimit.Load() > 0 || p.w.cfg.Global.MaxTLSConn > 0) {
		p.timer.After(10 * time.Millisecond)
	}
}

// hold makes connections that leave tell the port. Those that left on other workers
// before they could see that it waits are made up for by one more try.
func (p *port) hold() {
	if !p.held {
		p.held = true
		p.w.engine.waiting.Add(1)
		p.w.loop.Post(&p.w.room)
	}
}

// Expired tries again after a rate limit.
func (p *port) Expired(*loop.Timer) { p.retry() }

// retry serves what waits, as far as there is room, and accepts again when nothing waits.
func (p *port) retry() {
	for len(p.wait) > 0 {
		if !p.enter() {
			p.full()
			return
		}
		a := p.wait[0]
		p.wait = p.wait[:copy(p.wait, p.wait[1:])]
		p.w.engine.queued.Add(-1)
		p.w.open(p, a.fd, &a.peer)
	}
	if p.held {
		p.held = false
		p.w.engine.waiting.Add(-1)
	}
	if p.Listener.IsOpen() && !p.Listener.Accepting() {
		p.ln.State.CompareAndSwap(int32(runtime.ListenerFull), int32(runtime.ListenerListening))
		if runtime.ListenerState(p.ln.State.Load()) == runtime.ListenerListening {
			p.Listener.Resume()
		}
	}
}

// leave gives the place of a closed connection back.
func (p *port) leave(w *worker) {
	if p.inner {
		return
	}
	p.ln.Conns.Dec()
	p.ln.Proxy.Live.FrontConns.Dec()
	if p.ln.Proxy.Peers == nil {
		w.cfg.Stats.Conns.Dec()
	}
	e := w.engine
	if p.calls != nil {
		p.calls.left()
	}
	if e.waiting.Load() > 0 {
		e.roomLeft()
	}
	if e.stopping.Load() {
		e.checkStopped()
	}
}

// AcceptFailed is called when descriptors or memory are short.
func (p *port) AcceptFailed(error) {
	p.ln.State.CompareAndSwap(int32(runtime.ListenerListening), int32(runtime.ListenerFull))
	p.timer.After(100 * time.Millisecond)
}

// Released tells that the loop has let go of the socket. The last loop that does
// takes what still waits in the socket's queue, which close(2) would reset, unless
// another process has the socket too.
func (p *port) Released() {
	e, ln := p.w.engine, p.ln
	if e.open[ln.Slot].Add(-1) == 0 {
		if !ln.Shared.Load() {
			p.drain()
		}
		ln.Sock.Close()
	}
	e.accepts.Add(-1)
	e.checkStopped()
}

// drain accepts all that is queued.
func (p *port) drain() {
	fd := p.w.engine.sockets[p.ln.Slot]
	for {
		conn, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			peer, err := loop.PeerAddr(conn)
			if err != nil {
				closeFd(conn)
				continue
			}
			p.take(conn, &peer)
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return
		}
	}
}

// adopt opens a connection that another worker accepted.
func (w *worker) adopt(p *port, fd int, peer *loop.Addr) {
	a := &handover{to: w.ports[p.ln.Slot], fd: fd, peer: *peer}
	a.task.Init(a)
	w.coming.Add(1)
	w.loop.Post(&a.task)
}

// handover is an accepted connection on its way to another worker.
type handover struct {
	task loop.Task
	to   *port
	fd   int
	peer loop.Addr
}

// RunTask runs on the worker that gets the connection.
func (h *handover) RunTask(*loop.Task) {
	w := h.to.w
	h.to.take(h.fd, &h.peer)
	w.coming.Add(-1)
	if w.engine.stopping.Load() {
		w.engine.checkStopped()
	}
}

// closeFd is for descriptors that never came onto a loop.
func closeFd(fd int) { unix.Close(fd) }
