package stats

import "hapax/runtime"

func colCheckStatus(r *Row) Field {
	if !reporting(r.Server) {
		return Field{}
	}
	s := lastCheck(r.Server).Status.String()
	if r.Server.CheckRunning.Load() {
		s = "* " + s
	}
	return text(output, s)
}

func colCheckCode(r *Row) Field {
	if c := lastCheck(r.Server); reporting(r.Server) && c.Status.HasCode() {
		return u32(output, int64(c.Code))
	}
	return Field{}
}

func colCheckDuration(r *Row) Field {
	if c := lastCheck(r.Server); reporting(r.Server) && c.Status.Ended() {
		return u64(lasting, uint64(max(c.Duration.Milliseconds(), 0)))
	}
	return Field{}
}

func colCheckDesc(r *Row) Field {
	if r.On != Server || !reporting(r.Server) {
		return Field{}
	}
	return text(output, lastCheck(r.Server).Status.Text())
}

func colLastChk(r *Row) Field {
	if r.On != Server || !reporting(r.Server) {
		return Field{}
	}
	if r.Server.CheckRunning.Load() {
		return text(output, "") // as long as there is no new one
	}
	return text(output, lastCheck(r.Server).Desc)
}

func colCheckRise(r *Row) Field {
	if r.On != Server || !reporting(r.Server) {
		return Field{}
	}
	return u32(setting, int64(checked(r.Server).Rise))
}

func colCheckFall(r *Row) Field {
	if r.On != Server || !reporting(r.Server) {
		return Field{}
	}
	return u32(setting, int64(checked(r.Server).Fall))
}

func colCheckHealth(r *Row) Field {
	if r.On != Server || !reporting(r.Server) {
		return Field{}
	}
	return u32(setting, int64(checked(r.Server).Health.Load()))
}

// ofAgent is a column about the agent of a server, empty when none is asked.
func ofAgent(get func(*runtime.Agent, runtime.CheckResult) Field) func(*Row) Field {
	return func(r *Row) Field {
		if r.On != Server || !r.Server.Agent.Asked() {
			return Field{}
		}
		last := runtime.CheckResult{Status: runtime.CheckInit}
		if l := r.Server.Agent.Last.Load(); l != nil {
			last = *l
		}
		return get(&r.Server.Agent, last)
	}
}

var (
	colAgentStatus = ofAgent(func(a *runtime.Agent, last runtime.CheckResult) Field {
		if a.Running.Load() {
			return text(output, "* "+last.Status.String())
		}
		return text(output, last.Status.String())
	})
	colAgentCode = ofAgent(func(_ *runtime.Agent, last runtime.CheckResult) Field {
		if !last.Status.HasCode() {
			return Field{}
		}
		return u32(output, int64(last.Code))
	})
	colAgentDuration = ofAgent(func(_ *runtime.Agent, last runtime.CheckResult) Field {
		return u64(lasting, uint64(max(last.Duration.Milliseconds(), 0)))
	})
	colAgentDesc = ofAgent(func(_ *runtime.Agent, last runtime.CheckResult) Field { return text(output, last.Status.Text()) })
	colLastAgt   = ofAgent(func(a *runtime.Agent, last runtime.CheckResult) Field {
		if a.Running.Load() {
			last.Desc = "" // as long as there is no new one
		}
		return text(output, last.Desc)
	})
	colAgentRise   = ofAgent(func(*runtime.Agent, runtime.CheckResult) Field { return u32(setting, 1) })
	colAgentHealth = ofAgent(func(a *runtime.Agent, _ runtime.CheckResult) Field { return u32(setting, int64(a.Health.Load())) })
)
