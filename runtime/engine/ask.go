package engine

import (
	"math"
	"net/netip"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/spoe"
	"hapax/runtime/spoe/frame"
	"hapax/runtime/transport"
)

// ask is what a stream wants to know of an agent: the other end of the client of a stream of its own, which carries the
// messages to one of the agent's servers.
type ask struct {
	of     *stream // that waits; nil: it does not any more
	agent  *spoe.Agent
	pipe   transport.Pipe
	port   port
	why    frame.Fault // the server gave no answer
	over   bool
	failed bool // without an answer
	closed bool // its stream is
	next   *ask // in the free list
}

// attachAgents gives the stream its part of the agents of its frontend, attachBackAgents of those of its backend.
func (s *stream) attachAgents() outcome {
	s.join(s.steps.agents)
	return next
}

func (s *stream) attachBackAgents() outcome {
	s.join(planOf(s.Back).agents)
	return next
}

func (s *stream) join(agents []*spoe.Agent) {
	for _, a := range agents {
		s.offloads = append(s.offloads, spoe.Offload{Agent: a})
	}
}

// restartAgents lets agents begin anew: as in the reference, what a client sends in TCP mode is over when it has a server.
func (s *stream) restartAgents() outcome {
	for i := range s.offloads {
		s.offloads[i].Restart()
	}
	return next
}

// leaveAgents ends what agents have to do with the stream.
func (s *stream) leaveAgents() {
	if s.ask != nil {
		s.ask.leave()
		s.ask = nil
	}
	for i := range s.offloads {
		s.offloads[i].Leave()
	}
	s.offloads = s.offloads[:0]
}

// offload makes the step of an event: one agent after the other is told what it wants to know then.
func offload(e spoe.Event) step {
	return step{"spoe", func(s *stream) outcome {
		l := &s.req
		if e == spoe.OnHTTPResponse {
			l = &s.res
		}
		s.point(e.At(), e.Dir())
		for ; l.rule < len(s.offloads); l.rule++ {
			x := &s.offloads[l.rule]
			switch {
			case e == spoe.OnClientSession && x.Session, e == spoe.OnServerSession && x.Server:
				continue
			case !s.inform(x, x.Agent.Events[e], spoe.What{Kind: "EVENT", Name: e.String()}):
				return s.waitForRule()
			}
			x.Session = x.Session || e == spoe.OnClientSession
			x.Server = x.Server || e == spoe.OnServerSession
		}
		if s.waits == forRule {
			s.waits = forNothing
		}
		return next
	}}
}

// SendGroup implements spoe.Asker.
func (s *stream) SendGroup(a *spoe.Agent, g *spoe.Group) runtime.Verdict {
	for i := range s.offloads {
		x := &s.offloads[i]
		if x.Agent != a {
			continue
		}
		if s.inform(x, g.Messages, spoe.What{Kind: "GROUP", Name: g.Name}) {
			return runtime.Continue
		}
		if s.hurries() {
			s.ask.leave()
			s.ask = nil
			x.Interrupt(&s.Stream)
			return runtime.Continue
		}
		return runtime.Wait
	}
	return runtime.Continue
}

// hurries tells whether content rules that run now cannot wait.
func (s *stream) hurries() bool {
	switch s.Ctx.Checkpoint {
	case sample.BackResContent:
		return s.Back.InspectRes == 0
	case sample.FrontReqContent, sample.BackReqContent:
		return s.inspect == 0 || s.w.loop.Now() >= s.inspect
	}
	return false
}

// inform tells an agent what it wants to know, and does what it answers; false: that is to be waited for.
func (s *stream) inform(x *spoe.Offload, messages []*spoe.Message, what spoe.What) bool {
	now := s.w.loop.Now()
	switch a := s.ask; {
	case len(messages) == 0 || x.Off:
		return true
	case a == nil:
		return s.beginAsk(x, messages, what)
	case a.over && a.failed:
		x.End(&s.Stream, what, spoe.SPOP+int(a.fault()), nil, now)
	case a.over:
		answer, _ := a.pipe.In()
		x.End(&s.Stream, what, 0, answer, now)
	case s.c.end != nil && s.abortsAsk():
		x.Interrupt(&s.Stream)
	case s.waits == forRule:
		return false
	default:
		x.End(&s.Stream, what, spoe.Timeout, nil, now)
	}
	s.stopWaiting()
	s.WaitFor = 0
	s.ask.leave()
	s.ask = nil
	return true
}

// beginAsk sends messages to an agent, if there are any.
func (s *stream) beginAsk(x *spoe.Offload, messages []*spoe.Message, what spoe.What) bool {
	w := s.w
	x.Begin(w.loop.Now())
	b, ok := x.Agent.AppendMessages(w.messages[:0], &s.Stream, messages)
	w.messages = b[:0]
	switch {
	case !ok:
		x.End(&s.Stream, what, spoe.TooBig, nil, w.loop.Now())
		return true
	case len(b) == 0:
		x.Skip()
		return true
	}
	if s.WaitFor = x.Agent.Processing; s.WaitFor == 0 {
		s.WaitFor = forever
	}
	s.ask = w.newAsk(s, x.Agent)
	s.ask.send(b)
	return false
}

// forever is longer than anybody waits.
const forever = math.MaxInt32 * time.Millisecond

// abortsAsk tells whether a client that has left is not to be told what comes of its request: then nobody waits for agents.
func (s *stream) abortsAsk() bool {
	return !eof(s.c.end) || s.Back.NoOptions&runtime.OptAbortOnClose == 0
}

// newAsk takes an ask out of the free list.
func (w *worker) newAsk(s *stream, agent *spoe.Agent) *ask {
	a := w.asks
	if a == nil {
		a = &ask{}
	} else {
		w.asks = a.next
		a.next = nil
	}
	a.of, a.agent, a.why, a.over, a.failed, a.closed = s, agent, frame.Fine, false, false, false
	a.pipe.Open(w.loop, a)
	a.port.w, a.port.ln, a.port.inner = w, agent.Front.Listeners[0], true
	return a
}

// send begins the stream that carries the messages.
func (a *ask) send(messages []byte) {
	c := a.of.w.newClient(&a.port)
	c.ask = a
	c.sock.Carry(&a.pipe)
	a.pipe.SetHandler(c)
	c.accepted(-1, netip.AddrPort{})
	a.pipe.Write(messages)
	c.established()
}

// fault is why there is no answer, as the agent, or its server, says.
func (a *ask) fault() frame.Fault {
	if a.why == frame.Fine {
		return frame.IO
	}
	return a.why
}

// Progress tells that the answer came, or that none will.
func (a *ask) Progress() {
	answer, more := a.pipe.In()
	switch {
	case a.pipe.Gone():
		a.closed = true
		a.finish(true)
	case !more && !a.over:
		a.pipe.Finish(true)
		a.finish(len(answer) == 0)
	}
	a.free()
}

// finish lets the stream go on.
func (a *ask) finish(failed bool) {
	if a.over {
		return
	}
	a.over, a.failed = true, failed
	if s := a.of; s != nil {
		s.waits, s.WaitFor = forNothing, 0
		s.timer.Stop()
		s.runWaiting()
	}
}

// leave tells that nobody waits for the answer.
func (a *ask) leave() {
	a.of = nil
	a.pipe.Finish(a.over)
	a.free()
}

// free gives the ask back to the free list when both ends are done with it.
func (a *ask) free() {
	if a.of != nil || !a.closed {
		return
	}
	w := a.port.w
	a.closed = false
	a.next, w.asks = w.asks, a
}
