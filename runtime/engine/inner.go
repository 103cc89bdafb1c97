package engine

import (
	"math"
	"net/netip"

	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
)

// JoinInner takes in a proxy that serves requests of the program's own: see config.Loader.Inner.
func (c Control) JoinInner(px *runtime.Proxy) {
	prepareProxy(px, len(c.e.workers), math.MaxInt32)
	px.Plan = makePlan(px, c.e.Config)
	logger.JoinInner(c.e.Config, px)
}

// Serve serves what comes over a socket as if a client had connected to dst by a listener of such a proxy. No limit
// holds for it, and it stands for no connection. A proxy learns the whole of a URL, servers its path alone.
func (c Control) Serve(ln *runtime.Listener, fd int, dst netip.AddrPort, proxy bool) {
	c.e.Config.Stats.CumConns.Inc()
	w := c.e.lightest(c.e.workers[0], nil)
	w.loop.PostFunc(func() { w.open(&port{w: w, ln: ln, dst: dst, inner: true, proxied: proxy}, fd, &loop.Addr{}) })
}
