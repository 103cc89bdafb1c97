package check

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/queue"
)

// cause is why a server changed, as messages tell it; the zero cause says nothing.
type cause struct {
	text  string // "changed from CLI"
	check *Check // whose result it was
}

func stateOf(srv *runtime.Server) runtime.ServerState { return runtime.ServerState(srv.State.Load()) }
func adminOf(srv *runtime.Server) runtime.Admin       { return runtime.Admin(srv.AdminState.Load()) }

// inMaint tells whether the server is in maintenance.
func inMaint(a runtime.Admin) bool      { return a&runtime.Maint != 0 }
func inDrain(a runtime.Admin) bool      { return a&runtime.Drain != 0 }
func checking(srv *runtime.Server) bool { return srv.CheckOn && !srv.HealthOff.Load() }

// setStopped takes a server down, and those that track it. The caller holds changes,
// as for all functions of this file.
func (c *Checks) setStopped(srv *runtime.Server, why cause) {
	if inMaint(adminOf(srv)) || stateOf(srv) == runtime.ServerStopped {
		return
	}
	c.operate(srv, runtime.ServerStopped, why)
	for _, t := range srv.Trackers {
		c.setStopped(t, cause{})
	}
}

// setRunning brings a server up, slowly with slowstart.
func (c *Checks) setRunning(srv *runtime.Server, why cause) {
	if inMaint(adminOf(srv)) {
		return
	}
	switch stateOf(srv) {
	case runtime.ServerStarting, runtime.ServerRunning:
		return
	}
	c.operate(srv, upState(srv), why)
	for _, t := range srv.Trackers {
		c.setRunning(t, cause{})
	}
}

// setStopping keeps a server for persistent requests only.
func (c *Checks) setStopping(srv *runtime.Server, why cause) {
	if inMaint(adminOf(srv)) || stateOf(srv) == runtime.ServerStopping {
		return
	}
	c.operate(srv, runtime.ServerStopping, why)
	for _, t := range srv.Trackers {
		c.setStopping(t, cause{})
	}
}

func upState(srv *runtime.Server) runtime.ServerState {
	if srv.SlowStart > 0 {
		return runtime.ServerStarting
	}
	return runtime.ServerRunning
}

// before is what a change of a server is compared with afterwards.
type before struct {
	state  runtime.ServerState
	admin  runtime.Admin
	usable bool // the backend had a server
}

func remember(srv *runtime.Server) before {
	act, bck := balance.Counts(srv.Proxy)
	return before{stateOf(srv), adminOf(srv), act+bck > 0}
}

// quiet tells that the server took no new requests already, so that its end is no
// reason for an alert.
func (b before) quiet() bool { return b.state == runtime.ServerStopping || inDrain(b.admin) }

// place stores a new state and tells the balancer.
func place(srv *runtime.Server, state runtime.ServerState, admin runtime.Admin) {
	px := srv.Proxy
	px.Mu.Lock()
	defer px.Mu.Unlock()
	was := stateOf(srv)
	srv.State.Store(int32(state))
	srv.AdminState.Store(uint32(admin))
	if was != state {
		now := time.Now().Unix()
		if was == runtime.ServerStopped {
			srv.DownTime.Add(max(now-srv.LastChange.Load(), 0))
		} else if state == runtime.ServerStopped {
			srv.DownTrans.Inc()
		}
		srv.LastChange.Store(now) // before the balancer looks: a slow start begins now
	}
	if px.LB != nil {
		px.LB.Update(srv)
	}
}

// settle follows up what a change of a server means for its backend.
func (c *Checks) settle(srv *runtime.Server, was before) {
	px := srv.Proxy
	act, bck := balance.Counts(px)
	now := time.Now().Unix()
	switch usable := act+bck > 0; {
	case was.usable && !usable:
		px.Live.LastChange.Store(now)
		px.Live.DownTrans.Inc()
		c.alertBackend(px)
	case !was.usable && usable:
		px.Live.DownTime.Add(max(now-px.Live.LastChange.Load(), 0))
		px.Live.LastChange.Store(now)
	}
	if srv.MarkedDownShut && was.state != runtime.ServerStopped && stateOf(srv) == runtime.ServerStopped {
		c.opt.Shutdown(srv, false) // behind the messages, which count the sessions that end
	}
}

// operate gives a server another operational state: checks, traffic or the
// administrator found it so.
func (c *Checks) operate(srv *runtime.Server, next runtime.ServerState, why cause) {
	was := remember(srv)
	place(srv, next, was.admin)
	moved := 0
	switch next {
	case runtime.ServerStopped:
		moved = queue.Redistribute(srv)
		level := levelAlert
		if was.quiet() {
			level = levelNotice
		}
		c.report(srv, level, title(srv)+" is DOWN"+why.String()+more(srv, moved, false))
	case runtime.ServerStopping:
		moved = queue.Redistribute(srv)
		c.report(srv, levelNotice, title(srv)+" is stopping"+why.String()+more(srv, moved, false))
	default:
		if next == runtime.ServerStarting {
			c.warmUp(srv)
		}
		c.shutBackups(srv)
		moved = queue.Process(srv)
		c.report(srv, levelNotice, title(srv)+" is UP"+why.String()+more(srv, moved, false))
	}
	c.tellState(srv, was, runtime.StateChange{Cause: why.text, Check: why.report(), Requeued: moved})
	c.settle(srv, was)
}

// shutBackups ends the streams of backup servers when a server that wants it
// ("on-marked-up") may be used again.
func (c *Checks) shutBackups(srv *runtime.Server) {
	if !srv.MarkedUpShut || srv.Backup || srv.Effective.Load() == 0 {
		return
	}
	for _, other := range srv.Proxy.AllServers() {
		if other.Backup {
			c.opt.Shutdown(other, true)
		}
	}
}

// administer adds and takes administrative flags of a server, and gives those that
// track it the inherited ones. why is the cause, "" when there is none to tell.
func (c *Checks) administer(srv *runtime.Server, flag runtime.Admin, on bool, why string) {
	admin := adminOf(srv)
	if (admin&flag != 0) == on {
		return
	}
	group, passed := runtime.Maint, runtime.InheritedMaint
	if flag&runtime.Drain != 0 {
		group, passed = runtime.Drain, runtime.InheritedDrain
	}
	next := admin &^ flag
	if on {
		next = admin | flag
	}
	c.change(srv, next, why)
	if next&^flag&group != 0 {
		return // in that mode before and after
	}
	for _, t := range srv.Trackers {
		c.administer(t, passed, on, "")
	}
}

// change gives a server another administrative state.
func (c *Checks) change(srv *runtime.Server, next runtime.Admin, why string) {
	was := remember(srv)
	moved := 0
	switch {
	case !inMaint(was.admin) && inMaint(next):
		moved = c.enterMaint(srv, was, next, why)
	case inMaint(was.admin) && !inMaint(next):
		moved = c.leaveMaint(srv, was, next)
	default:
		place(srv, was.state, next)
		if inMaint(next) {
			c.stayInMaint(srv, was, next)
		}
	}
	if !inMaint(next) {
		moved += c.changeDrain(srv, was, next)
	}
	c.tellAdmin(srv, was, why, moved)
	c.settle(srv, was)
}

// enterMaint takes the server down. It gives how many requests left its queue, as the functions below do.
func (c *Checks) enterMaint(srv *runtime.Server, was before, next runtime.Admin, why string) int {
	defer c.opt.CloseIdle(srv)
	if why != "" {
		why = " (" + why + ")"
	}
	srv.Health.Store(0)
	forced := next&runtime.ForcedMaint != 0
	place(srv, runtime.ServerStopped, next)
	if was.state == runtime.ServerStopped {
		c.report(srv, levelNotice, title(srv)+" was DOWN and now enters maintenance"+why+via(srv, forced))
		return 0
	}
	moved := queue.Redistribute(srv)
	level := levelAlert
	if was.quiet() {
		level = levelNotice
	}
	c.report(srv, level, title(srv)+" is going DOWN for maintenance"+why+more(srv, moved, forced))
	return moved
}

// leaveMaint brings a server back: up at once, unless what it tracks is down. Its
// checks go on, and the first that fails takes it down again.
func (c *Checks) leaveMaint(srv *runtime.Server, was before, next runtime.Admin) int {
	srv.Fresh.Store(false)
	if checking(srv) {
		srv.Health.Store(int32(srv.Rise))
	}
	state := was.state
	if srv.InitState != runtime.InitNone {
		var health int
		state, health = initial(srv)
		srv.Health.Store(int32(health))
	} else if (srv.Track == nil || stateOf(srv.Track) != runtime.ServerStopped) && agentWell(srv) {
		state = upState(srv)
		if srv.Track != nil && stateOf(srv.Track) == runtime.ServerStopping {
			state = runtime.ServerStopping
		}
	}
	place(srv, state, next)
	if state == runtime.ServerStarting {
		c.warmUp(srv)
	}
	side, ready := "UP", "READY"
	if state == runtime.ServerStopped {
		side = "DOWN"
	}
	if inDrain(next) {
		ready = "DRAIN"
	}
	left := was.admin &^ next
	switch {
	case left&runtime.InheritedMaint != 0:
		c.report(srv, levelNotice, title(srv)+" is "+side+"/"+ready+" (leaving maintenance)")
	case left&runtime.ResolverMaint != 0:
		c.report(srv, levelNotice, title(srv)+" ('"+srv.HostName()+"') is "+side+"/"+ready+" (resolves again)")
	default:
		c.report(srv, levelNotice, title(srv)+" is "+side+"/"+ready+" (leaving forced maintenance)")
	}
	c.shutBackups(srv)
	return queue.Process(srv)
}

func (c *Checks) stayInMaint(srv *runtime.Server, was before, next runtime.Admin) {
	left := was.admin &^ next
	if left&runtime.ForcedMaint != 0 {
		c.report(srv, levelNotice, title(srv)+" is leaving forced maintenance but remains in maintenance"+via(srv, false))
	}
	switch {
	case left&runtime.ResolverMaint != 0:
		c.report(srv, levelNotice, title(srv)+" ('"+srv.HostName()+"') resolves again but remains in maintenance"+via(srv, false))
	case left&runtime.InheritedMaint != 0:
		c.report(srv, levelNotice, title(srv)+" remains in forced maintenance")
	}
}

func (c *Checks) changeDrain(srv *runtime.Server, was before, next runtime.Admin) (moved int) {
	switch {
	case !inDrain(was.admin) && inDrain(next):
		moved = queue.Redistribute(srv)
		c.report(srv, levelNotice, title(srv)+" enters drain state"+more(srv, moved, next&runtime.ForcedDrain != 0))
	case inDrain(was.admin) && !inDrain(next):
		side := "UP"
		if stateOf(srv) == runtime.ServerStopped {
			side = "DOWN"
		}
		if was.admin&runtime.ForcedDrain != 0 {
			c.report(srv, levelNotice, title(srv)+" is "+side+" (leaving forced drain)")
		} else {
			c.report(srv, levelNotice, title(srv)+" is "+side+" (leaving drain)"+via(srv, false))
		}
	case inDrain(next) && next&runtime.ForcedDrain == 0:
		c.report(srv, levelNotice, title(srv)+" remains in drain mode"+via(srv, false))
	case inDrain(next):
		c.report(srv, levelNotice, title(srv)+" remains in forced drain mode")
	}
	return moved
}
