package process

import (
	"time"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/engine"
	"hapax/runtime/logger"
	"hapax/runtime/peers"
)

// stop is the way of a server out of service: after the grace time its listeners
// close, idle connections end, the others when they are done or when
// "hard-stop-after" is over. Management guide, section 4.
type stop struct {
	s        *server
	begun    bool
	killed   bool
	grace    <-chan time.Time // the listeners close
	deadline <-chan time.Time // the connections are cut
	peers    <-chan struct{}  // the process that takes the place of this one knows all stick tables
	over     chan struct{}    // nothing is left
}

func newStop(s *server) *stop { return &stop{s: s, over: make(chan struct{})} }

// begin starts a soft stop; further signals change nothing.
func (p *stop) begin() {
	if p.begun {
		return
	}
	p.begun = true
	p.s.cfg.Stats.Stopping.Store(true)
	if d := p.s.cfg.Global.Grace; d > 0 {
		p.s.say(diag.Notice, sprintf("Scheduling a soft-stop in %d ms.", d.Milliseconds()))
		logger.Server(logger.Warning, nil, "Scheduling a soft-stop in %d ms.", d.Milliseconds())
		p.grace = time.After(d)
		return
	}
	p.now()
}

// now closes the listeners.
func (p *stop) now() {
	s := p.s
	if p.grace != nil {
		p.grace = nil
		s.say(diag.Notice, "Grace period expired, proceeding with soft-stop now.")
		logger.Server(logger.Notice, nil, "Grace period expired, proceeding with soft-stop now.")
	}
	if d := s.cfg.Global.HardStopAfter; d > 0 {
		p.deadline = time.After(d)
	}
	s.engine.SoftStop()
	p.peers = peers.Stop(s.cfg)
	s.count(-1)
	for _, px := range append(s.frontends(), s.backends()...) {
		if runtime.ProxyState(px.State.Swap(int32(runtime.ProxyStopped))) != runtime.ProxyStopped {
			s.announce(logger.Warning, px, engine.Farewell(px))
		}
	}
	for _, ln := range s.cfg.Global.StatsSocks {
		ln.State.Store(int32(runtime.ListenerClosed))
		ln.Sock.Close()
	}
	go p.wait()
}

// wait notes when the last connection is gone, those to stats sockets included.
func (p *stop) wait() {
	p.s.control.StopAccepting()
	<-p.s.engine.Stopped()
	<-p.peers
	p.s.control.Wait()
	close(p.over)
}

// hard cuts the connections that are left; asked again, it tells that some would not go.
func (p *stop) hard() (exit bool) {
	s := p.s
	report := func(px *runtime.Proxy, format string, args ...any) {
		s.announce(logger.Warning, px, sprintf(format, args...))
	}
	if p.killed {
		report(nil, "Some tasks resisted to hard-stop, exiting now.")
		return true
	}
	p.killed = true
	report(nil, "soft-stop running for too long, performing a hard-stop.")
	for _, px := range s.cfg.AllProxies() {
		if n := px.Live.FrontConns.Load(); px.Caps&runtime.CapFront != 0 && n > 0 {
			report(px, "Proxy %s hard-stopped (%d remaining conns will be closed).", px.Name, n)
		}
	}
	s.engine.EndAll()
	p.deadline = time.After(time.Second)
	return false
}
