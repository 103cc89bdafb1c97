package check

import (
	"net/netip"

	"hapax/runtime"
	"hapax/runtime/cookie"
	"hapax/runtime/queue"
)

// SetMaint puts a server into maintenance.
func (c *Checks) SetMaint(srv *runtime.Server) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.administer(srv, runtime.ForcedMaint, true, "")
	c.administer(srv, runtime.ForcedDrain, false, "")
}

// SetDrain takes a server out of load balancing; requests that belong to it still come.
func (c *Checks) SetDrain(srv *runtime.Server) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.administer(srv, runtime.ForcedDrain, true, "")
	c.administer(srv, runtime.ForcedMaint, false, "")
}

// SetReady ends both.
func (c *Checks) SetReady(srv *runtime.Server) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.administer(srv, runtime.ForcedDrain, false, "")
	c.administer(srv, runtime.ForcedMaint, false, "")
}

// SetAdmin sets or clears one flag of what the administrator wants, without the other one.
func (c *Checks) SetAdmin(srv *runtime.Server, flag runtime.Admin, on bool) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.administer(srv, flag, on, "")
}

// EndStreams ends all streams of a server because somebody wants it.
func (c *Checks) EndStreams(srv *runtime.Server) { c.opt.Kill(srv) }

// SetHealth puts a server into a state as if its checks had found it. by is who wants it: "CLI", "Web interface".
func (c *Checks) SetHealth(srv *runtime.Server, state runtime.ServerState, by string) {
	why := cause{text: "changed from " + by}
	c.changes.Lock()
	defer c.changes.Unlock()
	full := int32(srv.Rise + srv.Fall - 1)
	switch state {
	case runtime.ServerStopped:
		srv.Health.Store(0)
		c.setStopped(srv, why)
	case runtime.ServerStopping:
		srv.Health.Store(full)
		c.setStopping(srv, why)
	default:
		srv.Health.Store(full)
		c.setRunning(srv, why)
	}
}

// SetChecks switches the checks of a server off and on.
func (c *Checks) SetChecks(srv *runtime.Server, on bool) { srv.HealthOff.Store(!on) }

// SetCheckPort changes the port that checks go to.
func (c *Checks) SetCheckPort(srv *runtime.Server, port int) { srv.LiveCheckPort.Store(int32(port)) }

// SetWeight changes the wanted weight of a server.
func (c *Checks) SetWeight(srv *runtime.Server, weight int) {
	c.changes.Lock()
	defer c.changes.Unlock()
	was := remember(srv)
	srv.UserWeight.Store(int32(weight))
	place(srv, was.state, was.admin)
	c.settle(srv, was)
	queue.Process(srv)
}

// SetAddr moves a server. Connections that stand go on; idle ones to the old address
// are not used again.
func (c *Checks) SetAddr(srv *runtime.Server, addr netip.AddrPort, mapped bool) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.move(srv, addr, mapped)
}

func (c *Checks) move(srv *runtime.Server, addr netip.AddrPort, mapped bool) {
	a := &runtime.Addr{IP: addr}
	switch {
	case addr.Addr().Is4():
		a.Family = runtime.FamilyIPv4
	case addr.Addr().Is6():
		a.Family = runtime.FamilyIPv6
	}
	if was := srv.Addr.Load(); was == nil || was.IP != addr || srv.MapPorts != mapped {
		c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerMoved})
	}
	srv.Addr.Store(a)
	c.opt.CloseIdle(srv)
	srv.Proxy.Mu.Lock()
	defer srv.Proxy.Mu.Unlock()
	cookie.Refresh(srv)
	srv.MapPorts = mapped
	if srv.Proxy.LB != nil {
		srv.Proxy.LB.Update(srv) // hash-key addr
	}
}

// SetMaxConn changes the limit of a server and lets those that wait in.
func (c *Checks) SetMaxConn(srv *runtime.Server, limit int) {
	srv.MaxConn.Store(int32(limit))
	queue.Process(srv)
}

// SetTLS makes connections to a server TLS or clear from now on; it has settings of TLS.
func (c *Checks) SetTLS(srv *runtime.Server, on bool) {
	mode := int32(runtime.TLSOff)
	if on {
		mode = runtime.TLSOn
	}
	srv.TLSMode.Store(mode)
	c.opt.CloseIdle(srv)
}
