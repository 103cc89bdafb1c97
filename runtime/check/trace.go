package check

import (
	"hapax/runtime"
	"hapax/runtime/trace"
)

// trace tells of an event of the check: a load and a branch while nothing is traced.
func (ck *Check) trace(e trace.Event, level trace.Level, text string) {
	if ck.checks.traces.Any() {
		ck.tell(e, level, text, 0)
	}
}

// tell is the rest of it; n is how many bytes the event is about.
func (ck *Check) tell(e trace.Event, level trace.Level, text string, n int) {
	if !ck.checks.traces.On(e) {
		return
	}
	a := trace.About{Loop: ck.stream.Loop, Side: 'H', Back: ck.srv.Proxy, Server: ck.srv, Own: ck, Value: n}
	if r := ck.result; r != nil {
		a.Note = "last=" + r.status.String()
	}
	ck.checks.traces.Emit(e, level, text, &a)
}

// tellRule tells that a rule is evaluated.
func (ck *Check) tellRule(r *rule) {
	what := "rule"
	switch r.do.(type) {
	case *connect:
		what = "connect rule"
	case *send, *request, agentSend:
		what = "send rule"
	case *expect:
		what = "expect rule"
	}
	ck.tell(trace.CheckRule, trace.Proto, "eval "+what, 0)
}

// tellEnd tells how the check ended.
func (ck *Check) tellEnd() {
	e, text := trace.CheckSuccess, "health-check succeeded"
	if ck.result.status.Result() == runtime.OutcomeFailed {
		e, text = trace.CheckError, "health-check failed"
	}
	ck.tell(trace.CheckEnd|e, trace.User, text, 0)
}
