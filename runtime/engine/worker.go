package engine

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
)

// worker is one loop and all that lives on it.
type worker struct {
	engine  *Engine
	cfg     *runtime.Config
	id      int
	loop    *loop.Loop
	scratch *sample.Scratch
	counts  *runtime.LoopCounters

	clients        clientList
	streams        streamList // in use, in the order of their birth
	free           *stream
	freeStreams    int
	buried         *stream // ended in this turn
	digger         loop.Task
	before         chan func()   // what its thread is to do before it serves
	over           chan struct{} // closed when the loop has ended
	links          *link         // free list
	exchanges      *exchange     // free list
	fcgiRequests   *fcgiRequest
	spopExchanges  *spopExchange // free list
	asks           *ask          // free list
	messages       []byte        // memory for those of an ask
	loans          *loan         // free list
	partings       int           // closed connections whose clients may still send
	h2Requests     *h2Request    // free list
	freshRequests  []*h2Request  // that came at once and do not run yet
	freshResponses []*exchange
	idle           *client // free list
	limits         struct{ buffer, rewrite int }
	madeStreams    uint64
	madeSessions   uint64

	ports     []*port // by Listener.Slot
	mailboxes []*mailbox
	purge     loop.Timer
	purgeNext int64        // when the pools may be looked at again
	room      loop.Task    // serves the ports that wait for room
	conns     atomic.Int32 // connections
	coming    atomic.Int32 // on their way from other workers
	line      []byte       // memory for one evaluated header or name
	page      []byte       // memory for one evaluated body
	plain     []byte       // payload that is about to be compressed
	// profiling: streams measure what they take; measuring: one of them does it now.
	profiling, measuring bool
	traces               *trace.Set
	efforts              map[string]*runtime.Effort // of the steps that runs began with, while profiling
	tcpInfo              unix.TCPInfo               // memory for what the kernel knows of one connection
}

func newWorker(e *Engine, id int, l *loop.Loop) *worker {
	w := &worker{engine: e, cfg: e.Config, id: id, loop: l, scratch: sample.NewScratch(0), counts: &e.Config.Stats.Loops[id], before: make(chan func()), over: make(chan struct{})}
	w.traces = trace.Of(e.Config)
	w.profiling = e.Config.Global.ProfileTasks == runtime.ProfileOn
	w.limits.buffer = e.Config.Global.Tune.BufSize
	w.limits.rewrite = e.Config.Global.Tune.MaxRewrite
	return w
}

// number gives what a worker has made some of a number, from 1 on, that no other of its kind has in the process.
func (w *worker) number(made *uint64) uint64 {
	n := *made*uint64(len(w.engine.workers)) + uint64(w.id)
	*made++
	return n + 1
}

// ms is the process's clock in milliseconds, the same for all loops: rates take it.
func (w *worker) ms() int64 { return w.loop.Now() / 1e6 }

// takeStream gets a stream for a client out of the free list.
func (w *worker) takeStream(c *client) *stream {
	s := w.free
	if s == nil {
		s = newStream(w)
	} else {
		w.free = s.nextFree
		w.freeStreams--
	}
	s.begin(c)
	w.streams.add(s)
	s.traceClient(trace.StreamNew, trace.User, "new stream", nil)
	return s
}

// putStream takes a stream that was not run back.
func (w *worker) putStream(s *stream) {
	w.streams.remove(s)
	s.reset()
	w.freeStreams++
	s.nextFree, w.free = w.free, s
}

// maxFree is how many streams are kept for reuse.
const maxFree = 256

// bury takes a finished stream out of use. It is reused in another turn only:
// the functions that led to its end still look at it.
func (w *worker) bury(s *stream) {
	s.trace(trace.StreamFree, trace.User, "stream ended")
	w.streams.remove(s)
	s.nextFree, w.buried = w.buried, s
	w.loop.RunLater(&w.digger)
}

// exhume makes the streams that ended in this turn free.
func (w *worker) exhume() {
	for s := w.buried; s != nil; s = w.buried {
		w.buried = s.nextFree
		s.reset()
		if w.freeStreams >= maxFree {
			s.timer.Remove() // a burst is over: the garbage collector gets it
			continue
		}
		w.freeStreams++
		s.nextFree, w.free = w.free, s
	}
}

// digger is the runner of a worker's task for finished streams.
type digger struct{ w *worker }

func (d digger) RunTask(*loop.Task) { d.w.exhume() }

// streamList is a ring of the streams in use.
type streamList struct {
	head, tail *stream
	n          int
}

func (l *streamList) add(s *stream) {
	s.prevLive, s.nextLive = l.tail, nil
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.nextLive = s
	}
	l.tail = s
	l.n++
}

func (l *streamList) remove(s *stream) {
	if s.prevLive == nil {
		l.head = s.nextLive
	} else {
		s.prevLive.nextLive = s.nextLive
	}
	if s.nextLive == nil {
		l.tail = s.prevLive
	} else {
		s.nextLive.prevLive = s.prevLive
	}
	s.prevLive, s.nextLive = nil, nil
	l.n--
}

// clientList is a list of client connections.
type clientList struct {
	head *client
	n    int
}

func (l *clientList) add(c *client) {
	c.w.conns.Add(1)
	c.prev, c.next = nil, l.head
	if l.head != nil {
		l.head.prev = c
	}
	l.head = c
	l.n++
}

func (l *clientList) remove(c *client) {
	c.w.conns.Add(-1)
	if c.prev == nil {
		l.head = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	l.n--
}

// RunTask serves the ports that wait for room.
func (w *worker) RunTask(*loop.Task) {
	for _, p := range w.ports {
		p.retry()
	}
}
