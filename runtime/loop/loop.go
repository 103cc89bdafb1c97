// Package loop is the completion loop: one per thread, no goroutine per connection. Its users say what they want (receive, send,
// close) and are called back when it has happened. Two engines stand behind it and pass the same tests: io_uring, and epoll
// where the kernel or a seccomp profile refuses io_uring.
//
// # Threads
//
// A Loop is created by New on the goroutine that will call Run, locked to its thread (runtime.LockOSThread) before New. Every method of
// Loop, Socket, Listener, Watch, Timer and Buffer is called on that goroutine only, that is from a callback or before Run; Post, PostFunc, Stop
// and the counters (Stats) alone may be used from anywhere. GOMAXPROCS must be at least the number of loops + 1, because a waiting
// loop keeps its P until the runtime asks for it.
//
// # Callbacks
//
// No method ever calls back: intents are recorded, all of them become system calls (or one io_uring_enter) at the end of the turn,
// and callbacks come only from Run. After Socket.Close or Abort no callback of that socket comes any more, and the Socket may be reused at once.
// The same holds for Watch.Close and Timer.Stop.
//
// # Who owns bytes
//
//   - Received hands its Buffer over to the handler, for good: the handler ends it with exactly one Release or Send.
//   - Loop.Buffer hands over an empty Buffer under the same rule.
//   - Send takes the Buffer back: the caller must not touch it after that. The loop releases it when its bytes are sent or dropped.
//   - SendStatic borrows bytes that nobody changes until they are sent (constants, configured files): in practice for ever.
//   - Buffer.Slice makes a second Buffer over some of the same memory; each one is released or sent on its own, and the memory
//     is free when the last one is gone.
//
// A connection that neither has received bytes in its handler's hands nor bytes to send holds no buffer memory.
package loop

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hapax/stats/counter"
)

// Names of the engines, as Options.Engine takes them and Loop.Name returns them. Auto is no engine: it takes io_uring where the kernel
// lets it and epoll elsewhere.
const (
	Auto  = "auto"
	Uring = "io_uring"
	Epoll = "epoll"
)

// Options of New; the zero value is good.
type Options struct {
	Engine    string // Auto (or ""), Uring or Epoll; Uring fails where Auto would take Epoll
	BufSize   int    // bytes of a Buffer (tune.bufsize); 0: 16384
	MaxMemory int64  // bytes of buffers handed out above which nothing more is received until some come back; 0: no limit
	MaxEvents int    // events handled before a turn ends (tune.maxpollevents); 0: 200
	MaxAccept int    // connections accepted per listener and turn (tune.maxaccept) by epoll; 0: 64
	Pipes     int    // pipes that Relay may use at once; 0: it always declines
	PipeSize  int    // bytes that one holds (tune.pipesize); 0: the system's default
	Ring      int    // buffers that the io_uring engine keeps ready for the kernel, a power of two; 0: 256
}

// Loop is one event loop. See the package comment for what may be called from where.
type Loop struct {
	eng  engine
	opts Options

	now  int64 // monotonic nanoseconds, see Now
	wall int64 // nanoseconds since 1970, 0: not asked for in this turn

	pool    pool
	wheel   wheel
	conns   connTable
	dirty   *conn // connections whose intents changed in this turn, a stack by conn.nextDirty
	later   taskQueue
	posted  postbox
	stopped atomic.Bool

	pipes pipes

	coroutines coroutines

	starved []connRef // connections that could not receive for want of a buffer
	fed     bool      // a buffer came back since

	listeners        slotTable[Listener]
	touchedListeners []slot
	watches          slotTable[Watch]
	touchedWatches   []slot
	spareTouched     []slot  // takes the place of the list that is being worked off
	lingering        *linger // free list
	lingers          int     // closed sockets that go on sending
	addrs            addrPool
	peer             Addr // of the connection being accepted

	warning  error
	stats    Stats
	sample   idleSample
	syscalls int64 // in this turn
	events   int64 // in this turn
	sent     int64 // bytes, in this turn
}

// engine is what differs between io_uring and epoll. There is no call per socket operation: turn works off the intents that
// sockets, listeners and watches recorded.
type engine interface {
	name() string
	// turn flushes all intents, waits for events as long as Loop.until allows, and runs their callbacks.
	turn()
	// relayWait makes the relay go on when what it waits for is there.
	relayWait(*relay, relayWait)
	// unwatch forgets a Watch whose owner has closed it.
	unwatch(*Watch)
	// wake ends the wait of turn. It is the one method that is called by other threads.
	wake()
	close()
}

// turnBytes is about how much is received in one turn: what is sent in the end of it should still be in the processor's cache. Receiving
// megabytes in a turn, a proxied megabyte cost 560 us of CPU, with this limit it cost 410.
const turnBytes = 512 << 10

const noDeadline = int64(1<<63 - 1)

// New creates a loop on the calling goroutine, which must be locked to its thread and be the one that calls Run. With Options.Engine Auto, a refused
// io_uring gives epoll without a word, except when the kernel was short of memory to lock: then Warning tells.
func New(o Options) (*Loop, error) {
	if o.BufSize == 0 {
		o.BufSize = 16384
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = 200
	}
	if o.MaxAccept == 0 {
		o.MaxAccept = 64
	}
	if o.Ring == 0 {
		o.Ring = 256
	}
	if o.Ring&(o.Ring-1) != 0 || o.Ring > 1<<15 {
		return nil, fmt.Errorf("a ring of %d buffers: it must be a power of two up to 32768", o.Ring)
	}
	l := &Loop{opts: o}
	l.readClock()
	l.pool.init(l, o.BufSize, o.MaxMemory)
	l.wheel.init(l.now)
	l.pipes.max, l.pipes.size = o.Pipes, o.PipeSize
	l.sample.since = l.now
	l.stats.IdlePct.Store(100)
	switch o.Engine {
	case Uring, Auto, "":
		u, err := newUring(l)
		if err == nil {
			l.eng = u
			return l, nil
		}
		if o.Engine == Uring {
			return nil, fmt.Errorf("io_uring: %w", err)
		}
		if errors.Is(err, unix.ENOMEM) {
			l.warning = fmt.Errorf("io_uring: %w (RLIMIT_MEMLOCK is too low), using epoll", err)
		}
	case Epoll:
	default:
		return nil, fmt.Errorf("unknown event loop engine %q", o.Engine)
	}
	e, err := newEpoll(l)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	l.eng = e
	return l, nil
}

// Name tells the engine that runs: Uring or Epoll.
func (l *Loop) Name() string { return l.eng.name() }

// Warning is not nil when Auto fell back to epoll for a reason that an administrator can mend.
func (l *Loop) Warning() error { return l.warning }

// BufSize returns the capacity of each Buffer, in bytes.
func (l *Loop) BufSize() int { return l.opts.BufSize }

// Now returns the monotonic time of the turn, on the scale of Clock. It is read once per turn, after the wait.
func (l *Loop) Now() int64 { return l.now }

// Wall returns the wall clock in nanoseconds since 1970, read at most once per turn.
func (l *Loop) Wall() int64 {
	if l.wall == 0 {
		l.wall = time.Now().UnixNano()
	}
	return l.wall
}

// epoch is the origin of the monotonic time of all loops, a little in the past: 0 means "no deadline", and rates (of
// one second) that were never counted began longer ago than a period.
var epoch = time.Now().Add(-2 * time.Second)

// Clock reads the monotonic time afresh, for what must be measured within a turn: nanoseconds since an origin that all loops of the process have in
// common, always positive. Any goroutine may call it.
func Clock() int64 { return int64(time.Since(epoch)) }

// Clock is the function Clock.
func (l *Loop) Clock() int64 { return Clock() }

func (l *Loop) readClock() {
	l.now = Clock()
	l.wall = 0
}

// Run runs turns until Stop. A turn is: flush what was asked for and wait, both in one system call; then callbacks of I/O, of timers, posted
// tasks, and the tasks of RunLater.
func (l *Loop) Run() {
	l.readClock()
	for !l.stopped.Load() {
		l.turn()
	}
}

func (l *Loop) turn() {
	l.eng.turn()
	l.wheel.advance(l.now)
	l.posted.run()
	l.later.run()
	l.publish()
}

// until returns the time until which the engine may wait, 0 when it must not: there is something to do. It is asked right before the wait, because
// flushing runs callbacks too. After the wait, posted.awake is to be called.
func (l *Loop) until() int64 {
	if l.dirty != nil || l.later.head != nil || len(l.touchedListeners) > 0 || len(l.touchedWatches) > 0 || l.stopped.Load() || !l.posted.sleep() {
		return 0
	}
	return l.wheel.next()
}

// publish makes the counters of the turn visible to other goroutines.
func (l *Loop) publish() {
	s := &l.stats
	s.Turns.Add(1)
	s.Syscalls.Add(l.syscalls)
	s.Events.Add(l.events)
	l.syscalls, l.events = 0, 0
	if l.sent > 0 {
		s.Sent.Add(l.sent)
		s.SentRate.Add(l.now/1e6, uint32(l.sent/RateUnit))
		l.sent = 0
	}
	if n := int64(l.pool.out); n != s.Buffers.Load() {
		s.Buffers.Store(n)
	}
	if n := int64(l.pipes.used); n != s.PipesUsed.Load() {
		s.PipesUsed.Store(n)
	}
	if n := int64(l.pipes.idle); n != s.PipesIdle.Load() {
		s.PipesIdle.Store(n)
	}
}

// Lingering is how many closed sockets still have bytes to send: a loop that stops drops them.
func (l *Loop) Lingering() int { return l.lingers }

// Stop makes Run return at the end of the turn; any goroutine may call it.
func (l *Loop) Stop() {
	l.stopped.Store(true)
	l.eng.wake()
}

// Close gives the memory and the descriptors of the loop back, after Run has returned. Descriptors of sockets and listeners that are still open stay
// open, for their owners to close. A process should Close its loops before it exits: else the kernel may keep the listening ports of an io_uring busy
// for some milliseconds more.
func (l *Loop) Close() {
	l.eng.close()
	l.coroutines.close()
	l.pipes.close()
	l.pool.unmap()
}

// RateUnit is how many bytes Stats.SentRate counts as one.
const RateUnit = 32

// Stats are the counters of a loop. Any goroutine may read them.
type Stats struct {
	Turns    atomic.Int64
	Syscalls atomic.Int64 // made by the loop itself, waits included
	Events   atomic.Int64 // completions or readiness events handled
	Idle     atomic.Int64 // nanoseconds spent waiting
	IdlePct  atomic.Int32 // share of the last half second or more that was spent waiting, 0..100 (Idle_pct of "show info")
	Sent     atomic.Int64 // bytes
	SentRate counter.Rate // in units of RateUnit bytes, by the milliseconds of Clock
	Buffers  atomic.Int64 // buffers handed out and not yet back
	Memory   atomic.Int64 // bytes of address space mapped for buffers

	PipesUsed, PipesIdle atomic.Int64 // of Relay
	Spliced              atomic.Int64 // bytes that relays passed on within the kernel
}

// Stats returns the counters of the loop.
func (l *Loop) Stats() *Stats { return &l.stats }

// idleSample turns waiting times into Stats.IdlePct.
type idleSample struct{ since, idle int64 }

const idlePeriod = int64(500 * time.Millisecond)

// waited accounts for a wait from before to l.now.
func (l *Loop) waited(before int64) {
	idle := l.now - before
	l.stats.Idle.Add(idle)
	l.sample.idle += idle
	if d := l.now - l.sample.since; d >= idlePeriod {
		l.stats.IdlePct.Store(int32(l.sample.idle * 100 / d))
		l.sample = idleSample{since: l.now}
	}
}

// boxErrno turns the result of a raw system call into an error without allocating: the runtime has boxed small integers ready.
func boxErrno(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}
