package engine

import (
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sys/unix"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/logger"
)

// Control changes what the engine accepts while it runs, for other goroutines.
type Control struct{ e *Engine }

// Control of the engine.
func (e *Engine) Control() Control { return Control{e} }

// eachPort runs f for each of the frontend's ports, on the loop of each.
func (c Control) eachPort(px *runtime.Proxy, f func(p *port)) {
	for _, w := range c.e.workers {
		w.ask(func() {
			for _, p := range w.ports {
				if p.ln.Proxy == px {
					f(p)
				}
			}
		})
	}
}

// Pause stops accepting on all listeners of a frontend. Its TCP ports are released: who connects is refused, and another
// process may have them. Who connects to a UNIX socket waits. It tells whether there was anything to pause.
func (c Control) Pause(px *runtime.Proxy) bool {
	if runtime.ProxyState(px.State.Load()) != runtime.ProxyReady {
		return false
	}
	if slices.ContainsFunc(px.Listeners, func(ln *runtime.Listener) bool { return ln.Target != nil }) {
		logger.Server(logger.Err, px, "cannot disable a reverse-HTTP listener.")
		c.warn(px, fmt.Sprintf("%s %s failed to enter pause mode.", px.Side(), px.Name))
		return false
	}
	px.State.Store(int32(runtime.ProxyPaused))
	c.eachPort(px, func(p *port) {
		p.ln.State.Store(int32(runtime.ListenerPaused))
		if p.Listener.IsOpen() {
			p.Listener.Pause()
		}
	})
	for fd := range c.ports(px) {
		unix.Shutdown(fd, unix.SHUT_RD) // it listens no more
	}
	c.warn(px, fmt.Sprintf("Paused %s %s.", px.Side(), px.Name))
	return true
}

// warn tells the terminal and the proxy's logs.
func (c Control) warn(px *runtime.Proxy, text string) {
	c.e.Options.Say(diag.Warning, text)
	logger.Server(logger.Warning, px, "%s", text)
}

// ports are the sockets of a frontend that have a TCP port which this process alone listens on, with their listeners.
func (c Control) ports(px *runtime.Proxy) iter.Seq2[int, *runtime.Listener] {
	return func(yield func(int, *runtime.Listener) bool) {
		for _, ln := range px.Listeners {
			tcp := ln.Addr.Family == runtime.FamilyIPv4 || ln.Addr.Family == runtime.FamilyIPv6
			if !tcp || ln.Shared.Load() || c.e.sockets[ln.Slot] < 0 {
				continue
			}
			if !yield(c.e.sockets[ln.Slot], ln) {
				return
			}
		}
	}
}

// Resume accepts again after Pause. It fails when another process has one of the ports.
func (c Control) Resume(px *runtime.Proxy) bool {
	if runtime.ProxyState(px.State.Load()) != runtime.ProxyPaused {
		return false
	}
	for fd, ln := range c.ports(px) {
		if unix.Listen(fd, backlog(ln)) != nil {
			return false
		}
	}
	px.State.Store(int32(runtime.ProxyReady))
	c.eachPort(px, func(p *port) {
		p.ln.State.Store(int32(runtime.ListenerListening))
		if p.Listener.IsOpen() {
			p.Listener.Resume()
			p.retry()
		}
	})
	c.warn(px, fmt.Sprintf("Resumed %s %s.", px.Side(), px.Name))
	return true
}

// Stop unbinds a frontend's listeners for good.
func (c Control) Stop(px *runtime.Proxy) {
	px.State.Store(int32(runtime.ProxyStopped))
	c.eachPort(px, func(p *port) {
		p.ln.State.Store(int32(runtime.ListenerClosed))
		if p.calls != nil {
			p.calls.stopped.Store(true)
		}
		if p.Listener.IsOpen() {
			p.Listener.Detach()
		}
	})
	for _, ln := range px.Listeners {
		if ln.Sock != nil {
			c.e.Config.Stats.Listeners.Add(-1)
		}
	}
	c.warn(px, Farewell(px))
}

// Farewell is what is said of a proxy that stops.
func Farewell(px *runtime.Proxy) string {
	return fmt.Sprintf("Proxy %s stopped (cumulated conns: FE: %d, BE: %d).", px.Name, px.Accepted(), px.Served())
}

// SetFrontMaxConn changes how many connections a frontend takes.
func (c Control) SetFrontMaxConn(px *runtime.Proxy, limit int) {
	px.LiveMaxConn.Store(int64(limit))
	c.e.roomLeft()
}

// SetProcessMaxConn changes how many connections the process takes.
func (c Control) SetProcessMaxConn(limit int) {
	c.e.Config.Global.LiveMaxConn.Store(int64(limit))
	c.e.roomLeft()
}

// SetRateLimit limits the connections, sessions or ssl-sessions of the process per second, or the kB that
// http-compression takes in; 0 is no limit.
func (c Control) SetRateLimit(what string, perSecond int) {
	stats := &c.e.Config.Stats
	limit := &stats.SessRateLimit
	switch what {
	case "connections":
		limit = &stats.ConnRateLimit
	case "ssl-sessions":
		limit = &stats.TLSRateLimit
	case "http-compression":
		limit = &stats.CompRateLimit
		perSecond *= 1024
	}
	limit.Store(int64(perSecond))
	c.e.roomLeft()
}
