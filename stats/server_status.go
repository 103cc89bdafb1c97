package stats

import (
	"fmt"

	"hapax/runtime"
)

// ServerStatus is the column "status" of a server's line.
func ServerStatus(srv *runtime.Server) string {
	ref := checked(srv)
	admin := runtime.Admin(srv.AdminState.Load())
	switch {
	case admin&(runtime.ResolverMaint) != 0:
		return "MAINT (resolution)"
	case admin&runtime.InheritedMaint != 0 && srv.Track != nil:
		return "MAINT (via " + srv.Track.Proxy.Name + "/" + srv.Track.Name + ")"
	case admin&runtime.Maint != 0:
		return "MAINT"
	}
	health, top := int(ref.Health.Load()), ref.Rise+ref.Fall-1
	falling := func() string {
		if runtime.ServerState(ref.State.Load()) == runtime.ServerStopped {
			return fmt.Sprintf(" %d/%d", health, ref.Rise)
		}
		return fmt.Sprintf(" %d/%d", health-ref.Rise+1, ref.Fall)
	}
	switch runtime.ServerState(srv.State.Load()) {
	case runtime.ServerRunning, runtime.ServerStarting:
		word := "UP"
		if admin&runtime.Drain != 0 {
			word = "DRAIN"
		}
		switch {
		case word == "DRAIN" && ref.Agent.Asked():
			return "DRAIN (agent)"
		case checking(ref) && health < top:
			return word + falling()
		case word == "UP" && !checking(ref):
			return "no check"
		}
		return word
	case runtime.ServerStopping:
		if !checking(srv) && srv.Track == nil || health == top {
			return "NOLB"
		}
		return "NOLB" + falling()
	}
	switch asked := ref.Agent.Asked(); {
	case asked && ref.Agent.Health.Load() == 0:
		return "DOWN (agent)"
	case checking(ref) && health == 0:
		return "DOWN"
	case asked || checking(ref):
		return "DOWN" + falling()
	}
	return "DOWN"
}

// hiddenByUp tells whether "up" leaves a server out: it is in maintenance, or down and not coming back.
func hiddenByUp(srv *runtime.Server) bool {
	if srv.AdminState.Load()&uint32(runtime.Maint) != 0 {
		return true
	}
	ref := checked(srv)
	return runtime.ServerState(srv.State.Load()) == runtime.ServerStopped && (!checking(ref) || ref.Health.Load() == 0)
}
