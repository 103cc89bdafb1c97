package engine

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/cookie"
	"hapax/runtime/h1"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/peers"
	"hapax/runtime/queue"
)

// Engine runs one configuration.
type Engine struct {
	Config  *runtime.Config
	Options Options

	workers   []*worker
	byName    atomic.Pointer[map[string]*runtime.Proxy] // replaced as a whole when a backend comes or goes
	sockets   []int                                     // descriptors by Listener.Slot, -1: not bound
	waiting   atomic.Int32                              // ports that are full
	stopping  atomic.Bool                               // soft stop: no new connections
	spreadEnd atomic.Int64                              // soft stop: when the time of "close-spread-time" is over, loop clock
	stopOnce  sync.Once
	done      chan struct{} // closed when the last connection is gone after a stop
	running   sync.WaitGroup
	begin     chan struct{}  // closed by Run
	open      []atomic.Int32 // loops that accept, by Listener.Slot
	accepts   atomic.Int32   // the sum of open
	queued    atomic.Int32   // accepted connections that wait for a place

	applets   *runtime.Server // stands for all services of the program
	h1Options h1.Options
	h2Servers h2.Config    // of connections to servers
	h2Clients h2.Config    // of those of clients
	promised  atomic.Int64 // streams that clients may have beyond one for each connection: see tune.streams-elasticity

	// Those of connections whose sides were swapped: what the settings said before goes on.
	h2Attached, h2Called h2.Config
	observe              func(srv *runtime.Server, what Observation)
}

// Options of New; the zero value is good.
type Options struct {
	Loop string // loop.Auto, loop.Uring or loop.Epoll

	// Observe is told what traffic shows of a server's health ("observe",
	// section 5.2). nil: nobody listens.
	Observe func(srv *runtime.Server, what Observation)

	// Say is told what the terminal is to know of. nil: nobody listens.
	Say func(severity diag.Severity, text string)

	// Stats makes the pages of the statistics. nil: none is served.
	Stats runtime.StatsService
}

// Observation is what traffic shows of a server's health.
type Observation uint8

const (
	obsConnect Observation = iota // the connection failed
	obsUp                         // the connection stands
	obsOK                         // a sound response
	obsStatus                     // a status that tells of an error in the server
	obsInvalid                    // no HTTP
	obsTimeout                    // no response in time
	obsBroken                     // the connection ended before a response
)

// Layer4 tells whether the observation concerns the connection alone.
func (o Observation) Layer4() bool { return o == obsConnect || o == obsUp }

// Good tells whether the observation speaks for the server.
func (o Observation) Good() bool { return o == obsUp || o == obsOK }

// String is the reason as logs give it.
func (o Observation) String() string {
	return [...]string{"L4 unsuccessful connection", "L4 successful connection", "L7 valid response", "L7 wrong status", "L7 invalid response", "L7 response timeout", "L7 broken connection"}[o]
}

// observation is what a response's status shows.
func observation(status int) Observation {
	if status < 500 || status == 501 || status == 505 {
		return obsOK
	}
	return obsStatus
}

// New prepares the engine: nothing runs before Start.
func New(cfg *runtime.Config, o Options) *Engine {
	e := &Engine{Config: cfg, Options: o, observe: o.Observe, done: make(chan struct{}), begin: make(chan struct{})}
	if e.observe == nil {
		e.observe = func(*runtime.Server, Observation) {}
	}
	if e.Options.Say == nil {
		e.Options.Say = func(diag.Severity, string) {}
	}
	cfg.Global.NbThread = cfg.Global.Loops()
	if cfg.Global.Tune.AnyMethodPayload {
		e.h1Options |= h1.AnyMethodPayload
	}
	if cfg.Global.Tune.KeepInsecure {
		e.h1Options |= h1.KeepInsecure
	}
	e.h2Clients = h2ClientConfig(cfg)
	n := cfg.Global.NbThread
	cfg.Stats.MakeCounters(n)
	for _, all := range [...][]*runtime.Proxy{cfg.Proxies, cfg.Forwards, cfg.Peers, cfg.Agents} {
		for _, px := range all {
			prepareProxy(px, n, cmp.Or(cfg.Global.MaxConn, math.MaxInt32))
		}
	}
	e.applets = newAppletServer(n)
	e.index()
	slot := 0
	for ln := range cfg.Listeners() {
		ln.Slot = slot
		slot++
	}
	e.open = make([]atomic.Int32, slot)
	cfg.Global.LiveMaxConn.Store(int64(cfg.Global.MaxConn))
	cfg.Stats.ConnRateLimit.Store(int64(cfg.Global.MaxConnRate))
	cfg.Stats.SessRateLimit.Store(int64(cfg.Global.MaxSessRate))
	cfg.Stats.TLSRateLimit.Store(int64(cfg.Global.MaxTLSRate))
	cfg.Stats.CompRateLimit.Store(cfg.Global.MaxCompRate)
	cfg.Stats.Clock = func() int64 { return loop.Clock() / 1e6 }
	cfg.Stats.Idle, cfg.Stats.Splicing, cfg.Stats.Sent = e.idle, e.splicing, e.sent
	e.h2Servers = h2ServerConfig(cfg)
	e.h2Attached, e.h2Called = e.h2Clients, e.h2Servers
	e.h2Attached.Client, e.h2Called.Client = true, false
	for _, px := range slices.Concat(cfg.Proxies, cfg.Agents) {
		px.Plan = makePlan(px, cfg)
	}
	return e
}

// prepareProxy makes what a proxy counts in and what its servers are chosen with, for n loops. A frontend without a limit
// of its own takes most connections.
func prepareProxy(px *runtime.Proxy, n, most int) {
	px.Live.MakeCounters(n)
	px.LiveMaxConn.Store(int64(cmp.Or(px.MaxConn, most)))
	for _, srv := range px.Servers {
		makePools(srv, n)
	}
	if px.Dispatch != nil {
		makePools(px.Dispatch, n)
	}
	for _, ln := range px.Listeners {
		if px.Options&runtime.OptSocketStats != 0 {
			ln.Stats = make([]runtime.FrontCounters, n)
		}
	}
	if px.Stats != nil && px.Stats.Users != nil {
		px.Stats.Challenge = challenge(px.Stats)
	}
	if px.Caps&runtime.CapBack != 0 {
		queue.Build(px)
		balance.Build(px)
		cookie.Build(px)
	}
}

// index makes the table of all proxies by name.
func (e *Engine) index() {
	byName := map[string]*runtime.Proxy{}
	for _, px := range e.Config.AllProxies() {
		byName[px.Name] = px
	}
	e.byName.Store(&byName)
}

// servers are those of all backends, as they are now.
func (e *Engine) servers() iter.Seq[*runtime.Server] {
	return func(yield func(*runtime.Server) bool) {
		for _, px := range e.Config.AllProxies() {
			for _, srv := range px.AllServers() {
				if !yield(srv) {
					return
				}
			}
		}
	}
}

// idle is the mean of how much all loops waited lately, in percent.
func (e *Engine) idle() int {
	sum := 0
	for _, w := range e.workers {
		if w != nil {
			sum += int(w.loop.Stats().IdlePct.Load())
		}
	}
	return sum / max(len(e.workers), 1)
}

// pipes is how many pipes each loop may use.
func (e *Engine) pipes() int {
	g := &e.Config.Global
	if g.NoSplice || g.MaxPipes <= 0 {
		return 0
	}
	return max(g.MaxPipes/max(g.NbThread, 1), 1)
}

// splicing sums up what the loops let the kernel do.
func (e *Engine) sent() (total, perSecond uint64) {
	for _, w := range e.workers {
		if w != nil {
			st := w.loop.Stats()
			total += uint64(st.Sent.Load())
			perSecond += loop.RateUnit * uint64(st.SentRate.PerSecond(loop.Clock()/1e6))
		}
	}
	return total, perSecond
}

func (e *Engine) splicing() runtime.Splicing {
	var sum runtime.Splicing
	for _, w := range e.workers {
		if w != nil {
			st := w.loop.Stats()
			sum.PipesUsed += st.PipesUsed.Load()
			sum.PipesFree += st.PipesIdle.Load()
			sum.Bytes += uint64(st.Spliced.Load())
		}
	}
	return sum
}

// Start creates the loops and accepts on all listeners, which must be bound.
func (e *Engine) Start() error {
	if err := e.Prepare(); err != nil {
		return err
	}
	e.Run()
	return nil
}

// Run begins to accept after Prepare.
func (e *Engine) Run() { close(e.begin) }

// Loops are the loops that Prepare made.
func (e *Engine) Loops() []*loop.Loop {
	var all []*loop.Loop
	for _, w := range e.workers {
		all = append(all, w.loop)
	}
	return all
}

// Prepare creates the loops, each on a thread of its own. It comes while the
// process still has the rights that it was started with: what a loop locks in
// memory is limited without them.
func (e *Engine) Prepare() error {
	n := e.Config.Global.NbThread
	goruntime.GOMAXPROCS(n + 1)
	e.workers = make([]*worker, n)
	for ln := range e.Config.Listeners() {
		fd := -1
		if ln.Sock != nil {
			fd = int(ln.Sock.Fd()) // which makes the socket blocking
			unix.SetNonblock(fd, true)
		}
		e.sockets = append(e.sockets, fd)
	}
	failed := make(chan error, n)
	var ready sync.WaitGroup
	ready.Add(n)
	for i := range n {
		e.running.Add(1)
		go func() {
			defer e.running.Done()
			goruntime.LockOSThread()
			e.place(i)
			l, err := loop.New(e.loopOptions())
			if err != nil {
				failed <- err
				ready.Done()
				return
			}
			w := newWorker(e, i, l)
			w.makePorts() // before any worker runs: they hand connections to each other
			e.workers[i] = w
			ready.Done()
			w.idleUntil(e.begin)
			e.workers[i].run()
			close(e.workers[i].over)
			l.Close()
		}()
	}
	ready.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("event loop: %w", err)
	default:
	}
	e.makeCallers()
	e.Config.Stats.Buffers = e.buffers
	for ln := range e.Config.Listeners() {
		switch {
		case ln.Sock == nil:
		case ln.Bind.Datagrams: // one loop receives them all
			e.accepts.Add(1)
		default:
			for _, w := range e.workers {
				if w.accepts(ln) {
					e.open[ln.Slot].Add(1)
					e.accepts.Add(1)
				}
			}
		}
	}
	return nil
}

// place moves the thread of a loop to the CPUs that it has to run on.
func (e *Engine) place(loop int) {
	if all := e.Config.Global.Affinity; loop < len(all) && all[loop].Count() > 0 {
		unix.SchedSetaffinity(0, &all[loop]) // where there is none of these, anywhere will do
	}
}

// EachThread runs f on the thread of every loop, between Prepare and Run, one after the other, until it fails: the kernel
// has some settings for each thread.
func (e *Engine) EachThread(f func() error) error {
	for _, w := range e.workers {
		result := make(chan error)
		w.before <- func() { result <- f() }
		if err := <-result; err != nil {
			return err
		}
	}
	return nil
}

// idleUntil does what EachThread wants until the engine begins.
func (w *worker) idleUntil(begin <-chan struct{}) {
	for {
		select {
		case f := <-w.before:
			f()
		case <-begin:
			return
		}
	}
}

// buffers are the bytes of the buffers that all loops have handed out, and of those
// that they have mapped.
func (e *Engine) buffers() (used, mapped int64) {
	for _, w := range e.workers {
		st := w.loop.Stats()
		used += st.Buffers.Load() * int64(e.Config.Global.Tune.BufSize)
		mapped += st.Memory.Load()
	}
	return used, mapped
}

func (e *Engine) loopOptions() loop.Options {
	t := &e.Config.Global.Tune
	return loop.Options{Engine: e.Options.Loop, BufSize: t.BufSize, MaxEvents: t.MaxPollEvents, MaxAccept: t.MaxAccept, Pipes: e.pipes(), PipeSize: t.PipeSize}
}

// run opens the worker's ports and runs its loop.
func (w *worker) run() {
	w.purge.Init(w.loop, purger{w})
	w.room.Init(w)
	w.digger.Init(digger{w})
	for _, p := range w.ports {
		switch {
		case p.ln.Sock != nil && w.accepts(p.ln):
			p.ln.State.Store(int32(runtime.ListenerListening))
			p.open()
		case p.calls != nil && p.calls.home() == w:
			p.ln.State.Store(int32(runtime.ListenerListening))
			p.calls.begin()
		}
	}
	w.loop.Run()
}

// accepts tells whether the worker takes connections of a listener: all do, but for those of peers, which are on one, and where
// "thread" says otherwise.
func (w *worker) accepts(ln *runtime.Listener) bool {
	if ln.Proxy.Peers != nil {
		return peers.LoopOf(ln.Proxy, len(w.engine.workers)) == w.id
	}
	return ln.Bind.Loops == nil || ln.Bind.Loops[w.id]
}

// makePorts makes a port of each listener.
func (w *worker) makePorts() {
	for ln := range w.cfg.Listeners() {
		w.ports = append(w.ports, newPort(w, ln))
	}
}

// purger is the alarm of a worker's purge timer.
type purger struct{ w *worker }

func (p purger) Expired(*loop.Timer) { p.w.purgeIdle() }

// lightest is the worker with the fewest connections, or w itself when it has
// hardly more: moving one costs a wake-up. With a listener, it is one of those that take its connections, as w does.
func (e *Engine) lightest(w *worker, ln *runtime.Listener) *worker {
	best, least := w, w.load()
	for _, o := range e.workers {
		if o != w && o != nil && (ln == nil || o.accepts(ln)) {
			if n := o.load(); n < least-1 || n < least*3/4 {
				best, least = o, n
			}
		}
	}
	return best
}

// load is how many connections the worker has or is about to get.
func (w *worker) load() int { return int(w.conns.Load() + w.coming.Load()) }

// roomLeft lets all workers serve what waits.
func (e *Engine) roomLeft() {
	for _, w := range e.workers {
		w.loop.Post(&w.room)
	}
}

// SoftStop stops accepting; connections end when they are idle. done is called
// when the last one is gone.
func (e *Engine) SoftStop() {
	e.spreadEnd.Store(loop.Clock() + int64(max(e.Config.Global.CloseSpread, 0)))
	if e.stopping.Swap(true) {
		return
	}
	for _, w := range e.workers {
		w.loop.PostFunc(w.softStop)
	}
}

// Stopped is closed when nothing is left after SoftStop.
func (e *Engine) Stopped() <-chan struct{} { return e.done }

// softStop detaches the worker's listeners and closes idle connections of clients; those to servers are of use to
// requests that still come.
func (w *worker) softStop() {
	for _, p := range w.ports {
		if p.Listener.IsOpen() {
			p.ln.State.Store(int32(runtime.ListenerClosed))
			p.Listener.Detach()
		}
		if p.calls != nil {
			p.ln.State.Store(int32(runtime.ListenerClosed))
		}
	}
	for _, m := range w.mailboxes {
		m.close()
	}
	w.mailboxes = nil
	for c := w.clients.head; c != nil; {
		next := c.next
		switch {
		case c.h2 != nil:
			c.h2.stop()
		case c.st != nil || c.ahead != nil || c.guest:
		case c.mayPart():
			c.close(linger)
		case c.kept:
			c.waitSpread()
		}
		c = next
	}
	w.engine.checkStopped()
}

// checkStopped notes the end of the last connection.
func (e *Engine) checkStopped() {
	if !e.stopping.Load() || e.accepts.Load() > 0 {
		return
	}
	// In the order in which a connection goes from one of these numbers to the next.
	for _, w := range e.workers {
		if w.coming.Load() > 0 {
			return
		}
	}
	if e.queued.Load() > 0 || e.Config.Stats.Conns.Load() > 0 {
		return
	}
	e.stopOnce.Do(func() { close(e.done) })
}

// Drain waits after Stopped until closed connections have sent their last bytes.
func (e *Engine) Drain() {
	for _, w := range e.workers {
		left := 1
		for left > 0 && w.ask(func() { left = w.loop.Lingering() }) {
			time.Sleep(time.Duration(min(left, 1)) * time.Millisecond)
		}
	}
}

// Close ends all loops at once; connections are cut.
func (e *Engine) Close() {
	for _, w := range e.workers {
		w.loop.Stop()
	}
	e.running.Wait()
}

// Uptime is how long the engine has run.
func (e *Engine) Uptime() time.Duration { return time.Since(e.Config.Stats.Started) }
