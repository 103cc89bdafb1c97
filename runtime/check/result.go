package check

import (
	"time"

	"hapax/runtime"
)

// result is what a check found out.
type result struct {
	status runtime.CheckStatus
	code   int
	desc   string
}

// descSize is how much is kept of a description, its final zero included.
const descSize = 128

// setResult notes the result of a check and what it does to the server's health. The
// caller holds changes.
func (ck *Check) setResult(r result, took time.Duration) {
	srv := ck.srv
	report := r.status != ck.status
	if len(r.desc) >= descSize {
		r.desc = r.desc[:descSize-1]
	}
	ck.status, ck.code, ck.desc, ck.duration = r.status, r.code, r.desc, took
	live, last, rise, fall := &srv.Health, &srv.LastCheck, srv.Rise, srv.Fall
	if ck.agent != nil {
		live, last, rise, fall = &ck.agent.Health, &ck.agent.Last, agentRise, agentFall
	}
	last.Store(&runtime.CheckResult{Status: r.status, Code: r.code, Duration: max(took, 0), Desc: r.desc})
	health := int(live.Load())
	switch r.status.Result() {
	case runtime.OutcomeFailed:
		if health > 0 && (ck.agent == nil || r.status.HasCode()) {
			srv.FailedChecks.Inc()
			report = true
			if health--; health < rise {
				health = 0
			}
		}
	case runtime.OutcomePassed, runtime.OutcomeConditional:
		if top := rise + fall - 1; health < top {
			report = true
			if health++; health >= rise {
				health = top
			}
		}
		srv.Errors.Store(0)
	default:
		return
	}
	live.Store(int32(health))
	if !report {
		return
	}
	ck.tellCheck()
	if srv.Proxy.Options&runtime.OptLogHealth != 0 {
		ck.reportCheck()
	}
}

// notify makes the server follow its health. The caller holds changes.
func (ck *Check) notify() {
	srv, c := ck.srv, ck.checks
	why := cause{}
	if srv.Track == nil && srv.Proxy.Options&runtime.OptLogHealth == 0 {
		why.check = ck
	}
	health := srv.Health.Load()
	if ck.agent != nil {
		health = ck.agent.Health.Load()
	}
	if ck.status.Result() == runtime.OutcomeFailed {
		if health == 0 && (ck.agent == nil || ck.status == runtime.CheckL7Status) {
			c.setStopped(srv, why)
		}
		return
	}
	if inMaint(adminOf(srv)) || srv.Track != nil && stateOf(srv.Track) == runtime.ServerStopped ||
		checking(srv) && int(srv.Health.Load()) < srv.Rise || !agentWell(srv) ||
		ck.agent != nil && stateOf(srv) == runtime.ServerStopping {
		return
	}
	switch ck.status.Result() {
	case runtime.OutcomePassed:
		c.setRunning(srv, why)
	case runtime.OutcomeConditional:
		c.setStopping(srv, why)
	}
}
