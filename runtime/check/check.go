// Package check decides which servers are up: it runs their health checks, follows
// what traffic shows of them (observe) and what the administrator wants, and makes
// every change of a server's state (manual sections 4.2 "option httpchk",
// "tcp-check", 5.2 "check", "track", "observe").
//
// All checks, plain connections as well as those of protocols, are lists of rules
// over one engine: connect, send, expect. A check lives on one loop and takes no
// goroutine.
package check

import (
	"math/rand/v2"
	"sync"
	"time"

	"hapax/acl/sample"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
)

// Options tell how changes reach the world.
type Options struct {
	// Log sends a message to the log targets of a proxy. level is a syslog severity.
	Log func(level int, px *runtime.Proxy, text string)

	// Print writes a message where the process prints its own; one call at a time.
	Print func(severity diag.Severity, text string)

	// Shutdown ends all streams of a server: because it went down, or with up because
	// a preferred one came back. It is called from any goroutine and must not wait.
	Shutdown func(srv *runtime.Server, up bool)

	// Kill ends all streams of a server because the administrator wants it. It is called from any goroutine and must
	// not wait.
	Kill func(srv *runtime.Server)

	// CloseIdle closes the idle connections to a server that is not to be used any more,
	// or is elsewhere now. It is called from any goroutine and must not wait.
	CloseIdle func(srv *runtime.Server)
}

// Severities of log messages.
const (
	levelEmerg  = 0
	levelAlert  = 1
	levelNotice = 5
)

// Checks are the health checks and the states of all servers of one configuration.
// It implements the ServerControl of the stats socket.
type Checks struct {
	cfg  *runtime.Config
	opt  Options
	all  []*Check // in the order of the files; guarded by changes once they run
	pool Pool     // nil: checks make all their connections

	// changes is held for a change of a server's state, so that what tracks the server
	// changes with it, and guards the results of checks. It is taken before a
	// backend's Mu. Nothing waits while it is held, but for the messages.
	changes sync.Mutex

	loops  []*lane
	traces *trace.Set
	warmup map[*runtime.Server]*warmup // of servers with slowstart; guarded by changes once they run
}

// lane is one loop with what its checks share.
type lane struct {
	id      int // of the loop, among those of the process
	loop    *loop.Loop
	scratch *sample.Scratch
	running int      // checks under way
	most    int      // of them; 0: no limit (tune.max-checks-per-thread)
	waiting []*Check // for their turn
}

// New prepares the servers of a configuration: their first state, weight and check.
// It comes before the balancers are built. Nothing runs before Start.
func New(cfg *runtime.Config, opt Options) *Checks {
	c := &Checks{cfg: cfg, opt: opt, traces: trace.Of(cfg), warmup: map[*runtime.Server]*warmup{}}
	if c.opt.Log == nil {
		c.opt.Log = func(int, *runtime.Proxy, string) {}
	}
	if c.opt.Print == nil {
		c.opt.Print = func(diag.Severity, string) {}
	}
	if c.opt.Shutdown == nil {
		c.opt.Shutdown = func(*runtime.Server, bool) {}
	}
	if c.opt.Kill == nil {
		c.opt.Kill = func(*runtime.Server) {}
	}
	if c.opt.CloseIdle == nil {
		c.opt.CloseIdle = func(*runtime.Server) {}
	}
	now := time.Now().Unix()
	for _, px := range cfg.Proxies {
		if px.Disabled || px.Caps&runtime.CapBack == 0 {
			continue
		}
		for _, srv := range px.Servers {
			prepare(srv, now)
			if srv.CheckOn {
				ck := newCheck(c, srv)
				srv.Check = ck
				c.all = append(c.all, ck)
			}
			if srv.Agent.On {
				ck := newAgent(c, srv)
				srv.Agent.Check = ck
				c.all = append(c.all, ck)
			}
			if srv.SlowStart > 0 {
				c.warmup[srv] = &warmup{checks: c, srv: srv}
			}
		}
		px.Live.LastChange.Store(now)
	}
	for _, px := range cfg.Proxies {
		for _, srv := range px.Servers {
			if srv.Track == nil {
				inherit(srv)
			}
		}
	}
	return c
}

// prepare gives a server its first state. A checked server is up and goes down with
// the first check that fails; only one that has a default-server line starts with
// the health that "rise" good checks give.
func prepare(srv *runtime.Server, now int64) {
	srv.StaticMaxConn = srv.MinConn == int(srv.MaxConn.Load())
	if srv.Restored {
		return
	}
	srv.UserWeight.Store(int32(srv.Weight))
	srv.LastChange.Store(now)
	admin := runtime.Admin(srv.AdminState.Load())
	health := 0
	if srv.Proxy.DefaultServer != nil {
		health = srv.Rise
	}
	if srv.Disabled {
		admin |= runtime.ConfigMaint | runtime.ForcedMaint
	}
	state := runtime.ServerRunning
	if admin&runtime.Maint != 0 || admin&runtime.ConfigMaint != 0 {
		state, health = runtime.ServerStopped, 0
	} else if srv.InitState != runtime.InitNone {
		state, health = initial(srv)
	}
	srv.AdminState.Store(uint32(admin))
	srv.State.Store(int32(state))
	srv.Health.Store(int32(health))
}

// initial is the state and the health that "init-state" gives a server.
func initial(srv *runtime.Server) (runtime.ServerState, int) {
	switch srv.InitState {
	case runtime.InitFullyUp:
		return runtime.ServerRunning, srv.Rise + srv.Fall - 1
	case runtime.InitUp:
		return runtime.ServerRunning, srv.Rise
	case runtime.InitDown:
		return runtime.ServerStopped, srv.Rise - 1
	}
	return runtime.ServerStopped, 0
}

// inherit gives the servers that track one what its configuration says.
func inherit(srv *runtime.Server) {
	admin := runtime.Admin(srv.AdminState.Load())
	for _, t := range srv.Trackers {
		own := runtime.Admin(t.AdminState.Load())
		if admin&(runtime.Maint|runtime.ConfigMaint) != 0 {
			own |= runtime.InheritedMaint
			t.State.Store(int32(runtime.ServerStopped))
			t.Health.Store(0)
		}
		if admin&runtime.Drain != 0 {
			own |= runtime.InheritedDrain
		}
		t.AdminState.Store(uint32(own))
		inherit(t)
	}
}

// Start begins to check on the given loops, over which the checks are spread. The
// loops may run already. pool has what "check-reuse-pool" is about; nil: there is none.
func (c *Checks) Start(loops []*loop.Loop, pool Pool) {
	if len(loops) == 0 {
		return
	}
	c.pool = pool
	for i, l := range loops {
		c.loops = append(c.loops, &lane{id: i, loop: l, scratch: sample.NewScratch(c.cfg.Global.Tune.BufSize), most: c.cfg.Global.Tune.MaxChecks})
	}
	i := 0
	for _, w := range c.warmup {
		w.loop = loops[i%len(loops)]
		w.timer.Init(w.loop, w)
		i++
	}
	shortest := c.shortest()
	for i, ck := range c.all {
		wait := c.firstWait(ck, shortest, i)
		ck.startOn(c.loops[i%len(c.loops)], wait)
	}
}

// spreadFrom is the interval from which on a check takes part in the common spread
// of first checks: those that come more often do not make all others come together.
const spreadFrom = time.Second

// shortest is the shortest interval among those that are not very short.
func (c *Checks) shortest() (d time.Duration) {
	for _, ck := range c.all {
		if inter := ck.interval(); inter >= spreadFrom && (d == 0 || inter < d) {
			d = inter
		}
	}
	return d
}

// firstWait spreads the first checks over an interval, in the order of the files, so
// that servers are not all checked at once ("spread-checks", "max-spread-checks").
func (c *Checks) firstWait(ck *Check, shortest time.Duration, i int) time.Duration {
	d := max(shortest, ck.interval())
	d += spread(ck.interval(), c.cfg.Global.SpreadChecks)
	if most := c.cfg.Global.MaxSpreadChecks; most > 0 && d > most {
		d = most
	}
	return d * time.Duration(i) / time.Duration(len(c.all))
}

// spread is a random part of an interval, of at most so many percent, either way.
func spread(d time.Duration, percent int) time.Duration {
	if percent <= 0 {
		return 0
	}
	most := d * time.Duration(percent) / 100
	return most - time.Duration(2*float64(most)*rand.Float64())
}

// Stop ends all checks. No check is started any more.
func (c *Checks) Stop() {
	c.changes.Lock()
	defer c.changes.Unlock()
	for _, ck := range c.all {
		ck.post(ck.stop)
	}
}
