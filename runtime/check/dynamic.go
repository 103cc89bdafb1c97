package check

import (
	"slices"
	"time"

	"hapax/runtime"
)

// Join takes in a server that the runtime API made. It is in maintenance, and its checks
// are off until somebody switches them on. place puts it into its backend.
func (c *Checks) Join(srv *runtime.Server, place func(*runtime.Server)) {
	c.changes.Lock()
	defer c.changes.Unlock()
	srv.StaticMaxConn = srv.MinConn == int(srv.MaxConn.Load())
	srv.UserWeight.Store(int32(srv.Weight))
	srv.LastChange.Store(time.Now().Unix())
	srv.Fresh.Store(!srv.Disabled)
	admin := runtime.ForcedMaint
	if t := srv.Track; t != nil {
		t.Trackers = slices.Insert(slices.Clone(t.Trackers), 0, srv)
		if adminOf(t)&(runtime.Maint|runtime.ConfigMaint) != 0 {
			admin |= runtime.InheritedMaint
		}
		if inDrain(adminOf(t)) {
			admin |= runtime.InheritedDrain
		}
	}
	srv.AdminState.Store(uint32(admin))
	srv.State.Store(int32(runtime.ServerStopped))
	srv.HealthOff.Store(srv.CheckOn)
	if srv.CheckOn {
		srv.Check = newCheck(c, srv)
	}
	if srv.Agent.On {
		srv.Agent.Check = newAgent(c, srv)
		srv.Agent.Off.Store(true)
	}
	if srv.SlowStart > 0 {
		c.warmup[srv] = c.newWarmup(srv)
	}
	place(srv)
	c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerAdded})
	for _, ck := range checksOf(srv) {
		c.all = append(c.all, ck)
		if len(c.loops) > 0 {
			ck.startOn(c.loops[len(c.all)%len(c.loops)], ck.interval())
		}
	}
}

// checksOf are the health check and the agent check of a server.
func checksOf(srv *runtime.Server) []*Check {
	var all []*Check
	for _, any := range []any{srv.Check, srv.Agent.Check} {
		if ck, ok := any.(*Check); ok {
			all = append(all, ck)
		}
	}
	return all
}

func (c *Checks) newWarmup(srv *runtime.Server) *warmup {
	w := &warmup{checks: c, srv: srv}
	if len(c.loops) > 0 {
		w.loop = c.loops[len(c.warmup)%len(c.loops)].loop
		w.timer.Init(w.loop, w)
	}
	return w
}

// Leave forgets a server that leaves its backend for good; take takes it out there.
func (c *Checks) Leave(srv *runtime.Server, take func(*runtime.Server)) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerRemoved})
	if t := srv.Track; t != nil {
		t.Trackers = slices.DeleteFunc(slices.Clone(t.Trackers), func(o *runtime.Server) bool { return o == srv })
	}
	for _, ck := range checksOf(srv) {
		c.all = slices.DeleteFunc(c.all, func(o *Check) bool { return o == ck })
		ck.post(ck.stop)
	}
	delete(c.warmup, srv)
	take(srv)
}
