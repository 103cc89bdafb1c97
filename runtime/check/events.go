package check

import "hapax/runtime"

// tellState publishes what a change of a server made of its operational state.
func (c *Checks) tellState(srv *runtime.Server, was before, change runtime.StateChange) {
	now := stateOf(srv)
	if now == was.state {
		return
	}
	switch {
	case was.state == runtime.ServerStopped:
		c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerUp})
	case now == runtime.ServerStopped:
		c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerDown})
	}
	change.Old, change.New = was.state, now
	c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerChanged, State: change})
}

// tellAdmin publishes another administrative state of a server, and the operational one that came of it.
func (c *Checks) tellAdmin(srv *runtime.Server, was before, why string, moved int) {
	change := runtime.AdminChange{Old: was.admin, New: adminOf(srv), Cause: why, Requeued: moved}
	c.tell(srv, runtime.ServerEvent{Kind: runtime.ServerAdminister, Admin: change})
	c.tellState(srv, was, runtime.StateChange{ByAdmin: true, Cause: why, Requeued: moved})
}

func (c *Checks) tell(srv *runtime.Server, e runtime.ServerEvent) {
	srv.Publish(&c.cfg.ServerEvents, e)
}

// tellCheck publishes the result of a check.
func (ck *Check) tellCheck() {
	ck.checks.tell(ck.srv, runtime.ServerEvent{Kind: runtime.ServerChecked, Check: ck.snapshot()})
}

// snapshot is the last result with the health that it left.
func (ck *Check) snapshot() runtime.CheckReport {
	r := runtime.CheckReport{
		CheckResult: runtime.CheckResult{Status: ck.status, Code: ck.code, Duration: ck.duration, Desc: ck.desc},
		Health:      int(ck.srv.Health.Load()), Rise: ck.srv.Rise, Fall: ck.srv.Fall,
	}
	if ck.agent != nil {
		r.Agent, r.Health, r.Rise, r.Fall = true, int(ck.agent.Health.Load()), agentRise, agentFall
	}
	return r
}

// report is the result that was the cause of a change; nil when none was.
func (w cause) report() *runtime.CheckReport {
	if w.check == nil {
		return nil
	}
	r := w.check.snapshot()
	return &r
}
