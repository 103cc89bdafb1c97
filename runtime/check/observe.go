package check

import (
	"fmt"

	"hapax/runtime"
)

// Observe takes in what traffic shows of a server ("observe", section 5.2): that a
// connection stands or failed (layer4), or that a response was sound or not. After
// error-limit failures in a row "on-error" is done. It costs nothing while all is well.
func (c *Checks) Observe(srv *runtime.Server, layer4, good bool, reason string) {
	ck, _ := srv.Check.(*Check)
	if ck == nil {
		return
	}
	switch srv.Observe {
	case runtime.ObserveNone:
		return
	case runtime.ObserveLayer4:
		if !layer4 {
			return
		}
	case runtime.ObserveLayer7:
		if layer4 && good { // a connection alone is no sign of health there, its failure is one of disease
			return
		}
	}
	if good {
		if srv.Errors.Load() != 0 {
			srv.Errors.Store(0)
		}
		return
	}
	if int(srv.Errors.Add(1)) < srv.ErrorLimit {
		return
	}
	c.changes.Lock()
	defer c.changes.Unlock()
	text := fmt.Sprintf("Detected %d consecutive errors, last one was: %s", srv.Errors.Load(), reason)
	switch srv.OnError {
	case runtime.OnErrorSuddenDeath:
		if int(srv.Health.Load()) > srv.Rise {
			srv.Health.Store(int32(srv.Rise + 1)) // as if one check more failed than has
		}
		ck.failedByTraffic(text)
	case runtime.OnErrorFailCheck:
		ck.failedByTraffic(text)
	case runtime.OnErrorMarkDown:
		srv.Health.Store(int32(srv.Rise))
		ck.failedByTraffic(text)
	}
	srv.Errors.Store(0)
	srv.FailedHana.Inc()
	ck.hurry()
}

// failedByTraffic counts as a failed check. The caller holds changes.
func (ck *Check) failedByTraffic(text string) {
	ck.setResult(result{status: runtime.CheckHana, desc: text}, -1)
	ck.notify()
}
