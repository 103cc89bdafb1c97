package check

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/queue"
)

// warmup raises the weight of a server with "slowstart" after it came up.
type warmup struct {
	checks *Checks
	srv    *runtime.Server
	loop   *loop.Loop // nil before Start
	timer  loop.Timer
}

// warmUp begins the slow start of a server that just came up.
func (c *Checks) warmUp(srv *runtime.Server) {
	if w := c.warmup[srv]; w != nil && w.loop != nil {
		w.loop.PostFunc(func() { w.timer.After(w.step()) })
	}
}

// step is a twentieth of the slow start, so that each takes 5% more, and at least a second.
func (w *warmup) step() time.Duration { return max(time.Second, w.srv.SlowStart/20) }

// Expired takes one step.
func (w *warmup) Expired(*loop.Timer) {
	srv, c := w.srv, w.checks
	c.changes.Lock()
	defer c.changes.Unlock()
	if inMaint(adminOf(srv)) || stateOf(srv) != runtime.ServerStarting {
		return
	}
	if time.Since(time.Unix(srv.LastChange.Load(), 0)) >= srv.SlowStart {
		c.operate(srv, runtime.ServerRunning, cause{})
		return
	}
	place(srv, runtime.ServerStarting, adminOf(srv))
	queue.Process(srv)
	w.timer.After(w.step())
}
