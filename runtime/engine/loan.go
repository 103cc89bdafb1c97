package engine

import (
	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// loan is an idle server connection on its way from one worker to a stream of
// another, which has none: the descriptor is duplicated there and opened here,
// so that the connection outlives the socket that it leaves.
type loan struct {
	task   loop.Task
	to     *worker
	from   *worker
	srv    *runtime.Server
	mode   runtime.Reuse
	first  bool
	stream *stream // nil: it has ended meanwhile
	fd     int     // -1: there was none
	peer   loop.Addr
	served int
	back   bool // on its way back
	next   *loan
}

// borrow asks another worker for an idle connection to the server; false: none
// has any that this stream may take, or it must have been made for something in particular.
// The stream waits for the answer.
func (s *stream) borrow(srv *runtime.Server, key []byte) bool {
	w, mode := s.w, s.Back.Reuse
	if len(w.engine.workers) == 1 || srv.Encrypted() || len(key) > 0 || srv.Proto == runtime.ProtoH2 ||
		mode == runtime.ReuseNever || mode == runtime.ReuseSafe && s.FirstRequest {
		return false
	}
	for i := 1; i < len(w.engine.workers); i++ {
		from := w.engine.workers[(w.id+i)%len(w.engine.workers)]
		if from.pool(srv).count.Load() == 0 {
			continue
		}
		l := w.loans
		if l == nil {
			l = &loan{}
			l.task.Init(l)
		} else {
			w.loans = l.next
		}
		l.to, l.from, l.srv, l.mode, l.first, l.stream, l.back = w, from, srv, mode, s.FirstRequest, s, false
		s.loan = l
		from.loop.Post(&l.task)
		return true
	}
	return false
}

// RunTask runs at the lender first, then at the borrower.
func (l *loan) RunTask(*loop.Task) {
	if l.back {
		l.arrive()
		return
	}
	l.fd = -1
	if k := l.from.take(l.srv, l.mode, l.first, nil); k != nil {
		if fd, err := unix.FcntlInt(uintptr(k.sock.Fd()), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			l.fd, l.peer, l.served = fd, k.to, k.served
		}
		k.close()
	}
	l.back = true
	l.to.loop.Post(&l.task)
}

// arrive gives the connection to the stream, which dials when there is none.
func (l *loan) arrive() {
	w, s, fd := l.to, l.stream, l.fd
	l.stream = nil
	l.next, w.loans = w.loans, l
	if s == nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return
	}
	s.loan = nil
	s.lent = true
	if fd >= 0 {
		k := w.newLink(l.srv, s)
		k.to, k.served, k.safe, k.up = l.peer, l.served, true, true
		k.st, s.link = s, k
		k.sock.Open(w.loop, fd, k, nil)
		s.Reused, s.dialed = true, true
		s.back().Reuses.Inc()
		l.srv.Stats[w.id].Reuses.Inc()
		s.established()
	}
	s.run(&s.req)
}

// forgo makes the answer to a request for a loan go to nobody.
func (s *stream) forgo() {
	if s.loan != nil {
		s.loan.stream, s.loan = nil, nil
	}
}
