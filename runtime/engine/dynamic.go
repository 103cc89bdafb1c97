package engine

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/cookie"
	"hapax/runtime/logger"
	"hapax/runtime/queue"
)

// JoinProxy takes in a backend that was made while the engine runs.
func (c Control) JoinProxy(px *runtime.Proxy) {
	prepareProxy(px, len(c.e.workers), 0)
	px.Plan = makePlan(px, c.e.Config)
	px.Live.LastChange.Store(time.Now().Unix())
	logger.Join(c.e.Config, px)
	c.e.Config.Join(px)
	c.e.index()
}

// LeaveProxy forgets a backend that has no server and no stream.
func (c Control) LeaveProxy(px *runtime.Proxy) {
	c.e.Config.Leave(px)
	c.e.index()
}

// JoinServer puts a server that was made while the engine runs into its backend. Its
// state is set.
func (c Control) JoinServer(srv *runtime.Server) {
	px := srv.Proxy
	makePools(srv, len(c.e.workers))
	queue.Join(srv)
	px.Mu.Lock()
	defer px.Mu.Unlock()
	cookie.Refresh(srv)
	balance.Join(srv)
	px.Join(srv)
}

// LeaveServer takes a server that nothing uses any more out of its backend.
func (c Control) LeaveServer(srv *runtime.Server) {
	px := srv.Proxy
	px.Mu.Lock()
	defer px.Mu.Unlock()
	balance.Leave(srv)
	px.Leave(srv)
}

// CloseIdle closes all idle connections to a server. It returns at once and may be
// called from a loop.
func (e *Engine) CloseIdle(srv *runtime.Server) {
	for _, w := range e.workers {
		w.loop.PostFunc(func() { w.closeIdleLinks(srv) })
	}
}
