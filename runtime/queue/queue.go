// Package queue holds the requests that wait for a server: each server with a maxconn
// has a queue of its own for those that need this one (persistence), and each backend
// one for those that any server may take (manual section 4.2 "maxconn", "timeout
// queue", 5.2 "maxqueue").
//
// The package owns the numbers of taken slots (Server.Served, ProxyStats.Served) and
// of waiting requests.
package queue

import (
	"sync"

	"hapax/runtime"
)

// Waker is a stream that waits. Wake is called from any goroutine with the lock of the
// backend's queues held: it may only post to the loop of its stream.
type Waker interface{ Wake() }

// Result tells what became of the wish for a slot.
type Result uint8

const (
	Ready  Result = iota // the slot is taken
	Queued               // Wake will be called
	Full                 // the server's queue is full too (maxqueue)
)

// State is where a ticket is.
type State uint8

const (
	Idle    State = iota // in no queue, or told already
	Waiting              // in a queue
	Granted              // Server has a slot for it
	Moved                // taken out of the queue of a server that went down, without a slot: to be balanced again
)

// Ticket is the place of a stream in a queue. Streams embed one; the zero Ticket is
// ready. It must not be copied.
type Ticket struct {
	q      *queues // of the last Reserve: only the stream's own goroutine touches it
	state  State   // guarded by the lock of q, as all below
	line   *line
	at     int // index in its line
	key    key
	entry  uint64 // how many had left the line when it came
	stream *runtime.Stream
	waker  Waker
	server *runtime.Server // that granted a slot
}

// key orders a line: by class, then by the time of arrival moved by the offset, then
// by arrival. Section 4.2 "set-priority-class".
type key struct {
	class int32
	time  int64 // ms
	seq   uint64
}

func (k key) before(o key) bool {
	if k.class != o.class {
		return k.class < o.class
	}
	if k.time != o.time {
		return k.time < o.time
	}
	return k.seq < o.seq
}

// queues are all the lines of one backend. It is what runtime.Proxy.Queue holds.
type queues struct {
	mu  sync.Mutex // guards all lines and the tickets in them
	seq uint64
	any line // those that any server may take
}

// line is one queue: a heap of tickets.
type line struct {
	items []*Ticket
	left  uint64 // tickets that were served from it
	srv   *runtime.Server
	px    *runtime.Proxy
}

// Build makes the queues of a backend and its servers.
func Build(px *runtime.Proxy) {
	px.Queue = &queues{any: line{px: px}}
	for _, srv := range px.Servers {
		srv.Queue = &line{px: px, srv: srv}
	}
}

// Join makes the queue of a server that comes while the program runs.
func Join(srv *runtime.Server) { srv.Queue = &line{px: srv.Proxy, srv: srv} }

func of(px *runtime.Proxy) *queues { return px.Queue.(*queues) }

// Reserve takes a slot of srv for a stream, or puts its ticket into the server's
// queue. Without srv (the balancer found all full) the ticket waits in the queue of the
// stream's backend.
func Reserve(t *Ticket, s *runtime.Stream, srv *runtime.Server, w Waker) Result {
	if srv == nil {
		return waitForAny(t, s, w)
	}
	if srv.MaxConn.Load() == 0 || srv.Queued.Load() == 0 {
		if takeSlot(srv) {
			taken(srv)
			return Ready
		}
	}
	if srv.MaxQueue > 0 && srv.Queued.Load() >= int64(srv.MaxQueue) {
		return Full
	}
	q := of(srv.Proxy)
	q.mu.Lock()
	srv.QueuedMax.Show(uint64(srv.Queued.Inc()))
	q.enter(t, s, srv.Queue.(*line), w)
	// The last stream of the server may have left between the look at its slots and
	// now: nobody else would serve the ticket.
	n := 0
	if srv.Served.Load() < int64(DynamicMaxConn(srv)) {
		n = q.serve(srv)
	}
	q.mu.Unlock()
	if n > 0 {
		taken(srv)
	}
	return Queued
}

func waitForAny(t *Ticket, s *runtime.Stream, w Waker) Result {
	px := s.Back
	q := of(px)
	q.mu.Lock()
	px.Live.QueuedMax.Show(uint64(px.Live.Queued.Inc()))
	q.enter(t, s, &q.any, w)
	// When no stream holds a slot any more, none will leave one: look for a server now.
	var by *runtime.Server
	if px.Live.Served.Load() == 0 {
		for _, srv := range px.AllServers() {
			if q.serve(srv) > 0 {
				by = srv
				break
			}
		}
	}
	q.mu.Unlock()
	if by != nil {
		taken(by)
	}
	return Queued
}

// taken tells the balancer that a server's load rose.
func taken(srv *runtime.Server) {
	if lb := srv.Proxy.LB; lb != nil {
		lb.Taken(srv)
	}
}

// enter adds a ticket to a line, whose length the caller has counted.
func (q *queues) enter(t *Ticket, s *runtime.Stream, l *line, w Waker) {
	q.seq++
	t.q = q
	t.key = key{s.PrioClass, now() + int64(s.PrioOffset), q.seq}
	t.state, t.stream, t.waker, t.server = Waiting, s, w, nil
	t.entry = l.left
	l.px.Live.TotalQueued.Inc()
	l.push(t)
}

// leave takes a ticket out of its line and tells the stream how far it had come.
func (q *queues) leave(t *Ticket, state State) {
	l := t.line
	l.remove(t)
	passed := int(l.left-t.entry) + 1
	if l.srv != nil {
		l.srv.Queued.Dec()
		t.stream.ServerQueue += passed
	} else {
		l.px.Live.Queued.Dec()
		t.stream.BackendQueue += passed
	}
	l.px.Live.TotalQueued.Dec()
	t.state = state
}

// serve gives free slots of a server to tickets: the first of the server's own line
// or of the backend's, whichever comes first. It tells how many were served.
func (q *queues) serve(srv *runtime.Server) int {
	own := srv.Queue.(*line)
	open := srv.Proxy.LB == nil || srv.Proxy.LB.Takes(srv)
	n := 0
	for {
		t := own.first()
		if open {
			if other := q.any.first(); other != nil && (t == nil || earlier(other.key, t.key)) {
				t = other
			}
		}
		if t == nil || !takeSlot(srv) {
			return n
		}
		l := t.line
		t.server = srv
		q.leave(t, Granted)
		l.left++
		t.waker.Wake()
		n++
	}
}

// earlier compares tickets of two lines: of equals the server's own goes first.
func earlier(any, own key) bool {
	return any.class < own.class || any.class == own.class && any.time < own.time
}

// State tells where the ticket is. Granted and Moved are told once: with Granted the slot
// of Server has gone to the caller.
func (t *Ticket) State() State {
	if t.q == nil {
		return Idle
	}
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	state := t.state
	if state != Waiting {
		t.state = Idle
	}
	return state
}

// Server is the server that granted a slot.
func (t *Ticket) Server() *runtime.Server { return t.server }

// Cancel takes a ticket out of its queue, for a stream that gives up. A slot that it was
// granted meanwhile goes to the next one. It may be called in any state.
func Cancel(t *Ticket) {
	if t.q == nil {
		return
	}
	t.q.mu.Lock()
	state := t.state
	if state == Waiting {
		t.q.leave(t, Idle)
	}
	t.state = Idle
	t.q.mu.Unlock()
	if state == Granted {
		Release(t.server)
	}
}

// Release gives back the slot of a stream that leaves the server.
func Release(srv *runtime.Server) {
	srv.Served.Dec()
	srv.Proxy.Live.Served.Dec()
	if lb := srv.Proxy.LB; lb != nil {
		lb.Released(srv)
	}
	Process(srv)
}

// Process gives the free slots of a server to those that wait: after one was left,
// and when the server came up or its limit rose. It tells how many were served.
func Process(srv *runtime.Server) int {
	if srv.Queued.Load() == 0 && srv.Proxy.Live.Queued.Load() == 0 {
		return 0
	}
	q := of(srv.Proxy)
	q.mu.Lock()
	n := q.serve(srv)
	q.mu.Unlock()
	if n > 0 {
		taken(srv)
	}
	return n
}

// Redistribute empties the queue of a server that went down, so that its requests are
// balanced again: in maintenance always, else with "option redispatch" and without
// "option persist". When no server is left, those in the backend's queue are told too.
// It tells how many left a queue.
func Redistribute(srv *runtime.Server) (left int) {
	px := srv.Proxy
	q := of(px)
	q.mu.Lock()
	defer q.mu.Unlock()
	maint := srv.AdminState.Load()&uint32(runtime.Maint) != 0
	if maint || px.Options&(runtime.OptRedispatch|runtime.OptPersist) == runtime.OptRedispatch {
		left = q.dismiss(srv.Queue.(*line), false)
	}
	for _, other := range px.AllServers() {
		if other.Usable() {
			return left
		}
	}
	return left + q.dismiss(&q.any, true)
}

// dismiss wakes all tickets of a line without a slot. Streams that insist on a server
// stay in its line unless forced.
func (q *queues) dismiss(l *line, forced bool) (left int) {
	var kept []*Ticket
	for t := l.first(); t != nil; t = l.first() {
		if !forced && t.stream.ForcePersist {
			l.remove(t)
			kept = append(kept, t)
			continue
		}
		q.leave(t, Moved)
		t.waker.Wake()
		left++
	}
	for _, t := range kept {
		l.push(t)
	}
	return left
}
