package engine

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// loan is an idle server connection on its way from one worker to a stream of
// another, which has none. One of HTTP/1 in clear is as good as new: the descriptor is duplicated there and opened here,
// so that the connection outlives the socket that it leaves. Others take along what both sides know of them.
type loan struct {
	task             loop.Task
	to               *worker
	from             *worker
	srv              *runtime.Server
	mode             runtime.Reuse
	first            bool
	key              string  // what it must have been made for
	stream           *stream // nil: it has ended meanwhile
	left             int     // lenders that were not asked yet
	fd               int     // -1: there was none
	peer             loop.Addr
	origin           origin
	served, glitches int
	luggage
	back bool // on its way back
	next *loan
}

// luggage is what a connection of HTTP/2, or with a layer, takes along.
type luggage struct {
	h2     *h2.Conn        // nil: it is none of HTTP/2
	fcgi   *fcgiState      // nil: it is none to an application
	layer  transport.Layer // nil: it is clear
	held   []byte          // that came while it was lifted
	remote netip.AddrPort
	local  netip.AddrPort
}

// borrow asks another worker for an idle connection to the server; false: none
// has any that this stream may take, or those that are idle are few: see "pool-low-conn". The stream waits for the answer.
func (s *stream) borrow(srv *runtime.Server, key []byte) bool {
	w, mode := s.w, reuse(srv)
	if len(w.engine.workers) == 1 || w.cfg.Global.Tune.OwnPools || mode == runtime.ReuseNever || mode == runtime.ReuseSafe && s.risky() {
		return false
	}
	if idle, _ := srv.Idle(); idle < int64(srv.PoolLow) && !w.crowded(w.cfg.Global.PoolLow) && !srv.Reversed {
		return false
	}
	l := w.loans
	if l == nil {
		l = &loan{}
		l.task.Init(l)
	} else {
		w.loans = l.next
	}
	l.to, l.from, l.srv, l.mode, l.first, l.stream, l.back = w, w, srv, mode, s.risky(), s, false
	l.left, l.key = len(w.engine.workers)-1, string(key)
	if !l.ask() {
		l.next, w.loans = w.loans, l
		return false
	}
	s.loan = l
	return true
}

// ask goes to the next worker that has idle connections; false: there is none.
func (l *loan) ask() bool {
	all := l.to.engine.workers
	for l.left > 0 {
		l.left--
		if l.from = all[(l.from.id+1)%len(all)]; l.from == l.to {
			l.from = all[(l.from.id+1)%len(all)]
		}
		if l.from.pool(l.srv).count.Load() > 0 {
			l.from.loop.Post(&l.task)
			return true
		}
	}
	return false
}

// RunTask runs at the lender first, then at the borrower.
func (l *loan) RunTask(*loop.Task) {
	if l.back {
		l.arrive()
		return
	}
	l.fd, l.luggage = -1, luggage{}
	k := l.from.takeIdle(l.srv, l.mode, l.first, []byte(l.key))
	switch {
	case k == nil && l.ask():
		return
	case k == nil:
	case k.shared != nil || k.sock.Layer() != nil:
		l.lift(k)
		return
	default:
		l.pack(k)
		if fd, err := unix.FcntlInt(uintptr(k.sock.Fd()), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			l.fd = fd
			k.countH1(nil) // it goes on to count there
		}
		k.close()
	}
	l.bring()
}

func (l *loan) bring() {
	l.back = true
	l.to.loop.Post(&l.task)
}

// pack notes what is known of a connection.
func (l *loan) pack(k *link) {
	l.peer, l.origin, l.served, l.glitches = k.to, k.origin, k.served, k.glitches
}

// lift takes a connection off its loop.
func (l *loan) lift(k *link) {
	l.pack(k)
	l.local, l.remote = k.local, k.peer
	switch m := k.shared.(type) {
	case *shared:
		m.push()
		l.h2 = &h2.Conn{}
		l.h2.Take(&m.h2)
	case *fcgiConn:
		m.push()
		l.fcgi = &m.fcgiState
	}
	k.countH1(nil)
	l.layer = k.sock.Lift(l)
	k.leave(false)
	k.free()
}

// Lifted is told when that is done.
func (l *loan) Lifted(fd int, held []byte, end error) {
	l.fd, l.held = fd, held
	if end != nil {
		closeFd(fd)
		l.fd = -1
	}
	l.bring()
}

// arrive gives the connection to the stream, which dials when there is none.
func (l *loan) arrive() {
	w, s, k := l.to, l.stream, l.land()
	srv := l.srv
	l.stream, l.luggage = nil, luggage{}
	l.next, w.loans = w.loans, l
	if s == nil {
		if k != nil {
			k.sock.Receive()
			k.unuse()
			w.give(k)
		}
		return
	}
	s.loan = nil
	s.lent = true
	if k != nil {
		s.occupy(srv)
		k.attach(s)
		if k.shared != nil {
			s.claim(k, false)
		}
		s.Reused, s.dialed = true, true
		s.countConnection(srv)
		s.established()
	}
	s.run(&s.req)
}

// land opens the connection on the loop of the borrower; nil: there is none.
func (l *loan) land() *link {
	if l.fd < 0 {
		if l.layer != nil {
			l.layer.Drop()
		}
		return nil
	}
	w := l.to
	k := w.newLink(l.srv)
	k.to, k.origin, k.served, k.glitches, k.safe, k.up = l.peer, l.origin, l.served, l.glitches, true, true
	switch {
	case l.fcgi != nil:
		return l.landFCGI(k)
	case l.h2 == nil:
		k.countH1(&l.srv.Proxy.Live.Back[w.id].H1)
		return l.open(k)
	}
	k.met, k.local, k.peer = true, l.local, l.remote
	m := k.carry(l.h2)
	k.sock.Land(w.loop, l.fd, m, l.layer, l.held)
	switch {
	case m.gone: // by what had come
		return nil
	case !m.more():
		m.leaveServer()
		return nil
	}
	return k
}

// landFCGI is land for a connection to an application.
func (l *loan) landFCGI(k *link) *link {
	k.met, k.local, k.peer = true, l.local, l.remote
	m := k.carryFCGI(l.fcgi)
	k.sock.Land(l.to.loop, l.fd, m, l.layer, l.held)
	if m.gone { // by what had come
		return nil
	}
	return k
}

// open is land for a connection of HTTP/1.
func (l *loan) open(k *link) *link {
	if l.layer == nil {
		k.sock.Open(l.to.loop, l.fd, k, nil)
		return k
	}
	k.met, k.local, k.peer = true, l.local, l.remote
	k.sock.Land(l.to.loop, l.fd, k, l.layer, l.held)
	if !k.sock.IsOpen() { // what had come was its end, or what nobody asked for
		return nil
	}
	return k
}

// forgo makes the answer to a request for a loan go to nobody.
func (s *stream) forgo() {
	if s.loan != nil {
		s.loan.stream, s.loan = nil, nil
	}
}
