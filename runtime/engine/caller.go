package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/h2"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
)

// caller keeps up the connections of a listener of reverse HTTP: it makes them to a server, which sends its requests through
// them. It lives on the first loop; each call runs on the loop that has the fewest connections. Section 5.1 "nbconn".
type caller struct {
	e       *Engine
	ln      *runtime.Listener
	timer   loop.Timer
	calling bool
	said    callerState // what logs know
	stopped atomic.Bool
}

// callerState is what was last said of a listener. Each is said again only behind a later one.
type callerState uint8

const (
	callerSilent callerState = iota
	callerBegun
	callerFailed
	callerFull
)

// callAgain is how long a failed call is not repeated, and how long a call may take without "timeout connect".
const callAgain = time.Second

// newCaller prepares the caller of a listener, on its loop.
func newCaller(e *Engine, ln *runtime.Listener) *caller {
	r := &caller{e: e, ln: ln}
	r.timer.Init(r.home().loop, r)
	return r
}

// home is the first worker that takes connections of the listener.
func (r *caller) home() *worker {
	return r.e.workers[max(slices.IndexFunc(r.e.workers, func(w *worker) bool { return w.accepts(r.ln) }), 0)]
}

func (r *caller) wanted() int64 { return int64(max(r.ln.Bind.Wanted, 1)) }

// makeCallers makes those of all listeners that need one, before the loops run.
func (e *Engine) makeCallers() {
	for ln := range e.Config.Listeners() {
		if ln.Target == nil {
			continue
		}
		r := newCaller(e, ln)
		for _, w := range e.workers {
			w.ports[ln.Slot].calls = r
		}
	}
}

// Target finds the server that a listener of reverse HTTP is to call; a *BindError tells why it cannot.
func Target(cfg *runtime.Config, ln *runtime.Listener) error {
	target := ln.Bind.Reverse
	backend, name, _ := strings.Cut(target, "/")
	srv, fault := callee(cfg, backend, name, target)
	if fault != "" {
		return &BindError{Listener: ln, Starting: true, Text: fault}
	}
	ln.Target = srv
	return nil
}

func callee(cfg *runtime.Config, backend, name, target string) (srv *runtime.Server, fault string) {
	if name == "" {
		return nil, fmt.Sprintf("Invalid server name: '%s'.", target)
	}
	be := cfg.Proxy(backend)
	if be == nil || be.Caps&runtime.CapBack == 0 {
		return nil, fmt.Sprintf("No such backend: '%s'.", backend)
	}
	srv = be.ServerByName([]byte(name))
	switch {
	case srv == nil:
		return nil, fmt.Sprintf("No such server: '%s'.", target)
	case srv.Reversed:
		return nil, fmt.Sprintf("Cannot use reverse HTTP server '%s' as target to a reverse bind.", target)
	case srv.MapPorts || srv.Addr.Load().IP.Addr().IsUnspecified():
		return nil, fmt.Sprintf("Cannot use transparent server '%s' as target to a reverse bind.", target)
	case srv.Proto != runtime.ProtoH2 && !(srv.Encrypted() && len(srv.ALPN) == 1 && srv.ALPN[0] == "h2"):
		return nil, fmt.Sprintf("Cannot reverse connect with server '%s' unless HTTP/2 is activated on it with either proto or alpn keyword.", target)
	case dial.FollowsClient(srv):
		return nil, fmt.Sprintf("Cannot reverse connect with server '%s' which uses dynamic source address setting.", target)
	}
	return srv, ""
}

// begin makes the first call.
func (r *caller) begin() {
	r.say(callerBegun, logger.Info, "Initiating.")
	r.next()
}

func (r *caller) say(what callerState, level int, format string, args ...any) {
	if r.said != what && (what == callerFailed || r.said < what) {
		px := r.ln.Proxy
		logger.Server(level, px, "preconnect "+px.Name+"::"+r.ln.Bind.Reverse+": "+format, args...)
		r.said = what
	}
}

// next makes one more call if there are too few connections.
func (r *caller) next() {
	switch {
	case r.calling || r.stopped.Load() || r.e.stopping.Load():
	case r.ln.Conns.Load() >= r.wanted():
		r.say(callerFull, logger.Info, "Running with nbconn %d reached.", r.wanted())
	default:
		r.calling = true
		to := r.e.lightest(r.home(), r.ln)
		to.loop.PostFunc(func() { to.call(r) })
	}
}

// Expired calls again.
func (r *caller) Expired(*loop.Timer) { r.next() }

// answered tells the caller, from the loop of the call, what became of it; "": it stands.
func (r *caller) answered(fault string) {
	r.home().loop.PostFunc(func() {
		r.calling = false
		if fault == "" {
			r.next()
			return
		}
		r.say(callerFailed, logger.Err, "%s", fault)
		r.timer.After(callAgain)
	})
}

// left tells that one of the connections is gone.
func (r *caller) left() { r.home().loop.PostFunc(r.next) }

// What becomes of a call.
const (
	callNotBegun = "Error on conn allocation."
	callFailed   = "Error encountered."
)

// call is one connection on its way: made, then secured, then agreed upon as HTTP/2, whose sides are swapped in the end.
type call struct {
	mux
	r     *caller
	c     *client // that it becomes
	k     *link
	peer  netip.AddrPort
	timer loop.Timer
	over  bool
}

// call makes a connection.
func (w *worker) call(r *caller) {
	ln := r.ln
	srv := ln.Target
	x := &call{r: r, c: w.newClient(w.ports[ln.Slot]), k: w.newLink(srv)}
	x.timer.Init(w.loop, x)
	x.mux.init(w, &x.k.sock, &w.engine.h2Servers, x)
	if !x.dial(srv) {
		x.end(callNotBegun)
		return
	}
	timeout := srv.Proxy.Timeout.Connect
	if timeout == 0 {
		timeout = callAgain
	}
	x.timer.After(timeout)
}

// dial connects to the server as a stream would, of a client that nothing is known of yet.
func (x *call) dial(srv *runtime.Server) bool {
	s := x.w.takeStream(x.c)
	defer x.w.putStream(s)
	s.Back, s.Server = srv.Proxy, srv
	id, ok := s.identify(srv)
	if !ok || s.reach(x.k, &id, x) != nil {
		return false
	}
	x.peer = s.ServerAddr
	return true
}

// Connected goes on to TLS, and to HTTP/2.
func (x *call) Connected(err error) {
	switch {
	case err != nil:
		x.end(callFailed)
	case x.k.fresh && x.k.introduce(x):
	case x.k.srv.Proto != runtime.ProtoH2 && !x.k.speaksH2():
		x.end(callFailed)
	default:
		x.mux.start()
	}
}

// Received is what the server sends: its settings, at first.
func (x *call) Received(b *loop.Buffer, err error) {
	x.mux.Received(b, err)
	if x.turning && !x.over {
		x.turn()
	}
}

// Expired is the end of the time for all that.
func (x *call) Expired(*loop.Timer) { x.end(callFailed) }

// end gives up.
func (x *call) end(fault string) {
	if x.over {
		return
	}
	x.over = true
	x.timer.Remove()
	x.mux.close(false)
	x.k.abort()
	x.c.forget()
	x.r.answered(fault)
}

// turn makes the connection one of a client, which sends its requests from now on.
func (x *call) turn() {
	c, k := x.c, x.k
	if !c.port.enter() {
		x.end(callFailed)
		return
	}
	x.over = true
	x.timer.Remove()
	x.push()
	if a, err := loop.LocalAddr(k.sock.Fd()); err == nil {
		c.Dst = a.AddrPort()
	}
	k.sock.MoveTo(&c.sock)
	k.unuse()
	k.free()
	c.TLS, _ = c.sock.Layer().(runtime.TLSState)
	c.accepted(c.sock.Fd(), x.peer)
	x.r.answered("")
	x.serve(c)
	x.gone = true
	if x.beyond != nil {
		x.beyond.Release()
	}
}

// serve begins the session of the client, whose rules may end it.
func (x *call) serve(c *client) {
	if _, ok := c.admitted(c.Front.TCPConn, connPoint); !ok {
		c.Counters(c.w.id).DeniedConn.Inc()
		c.abort()
		return
	}
	if _, ok := c.enter(); !ok {
		return
	}
	m := c.newH2(nil)
	m.h2.Take(&x.h2)
	m.h2.Turn(&c.w.engine.h2Called)
	m.touch()
	if b := x.beyond; b != nil {
		x.beyond = nil
		m.Received(b, nil)
	}
}

// settled swaps the sides.
func (x *call) settled() { x.turning = true }

// ended tells that the connection was lost, or broke the protocol.
func (x *call) ended(error) { x.end(callFailed) }

// goAway tells that the server wants no connection.
func (x *call) goAway(uint32, h2.Code) { x.end(callFailed) }

func (x *call) tell(e trace.Event, level trace.Level, text string, n int) {
	x.k.tell(e, level, text, n)
}

// There are no streams as long as it is a call.
func (x *call) head(*channel, bool) {}
func (x *call) trailers(*channel)   {}
func (x *call) unwanted(*channel)   {}
func (x *call) refused()            {}
func (x *call) violated()           {}
func (x *call) glitched(int)        {}
func (x *call) left(*channel)       {}
func (x *call) came()               {}
