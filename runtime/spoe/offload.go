package spoe

import (
	"net/netip"
	"unsafe"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/spoe/frame"
	"hapax/runtime/varint"
)

// Why an agent could not be asked, as "set-on-error" tells it. Errors of the protocol are behind SPOP.
const (
	Timeout     = 1
	TooBig      = 3
	Interrupted = 4 // the manual says 5
	SPOP        = 256
)

// Offload is one agent's part in a stream.
type Offload struct {
	Agent   *Agent
	Off     bool // after an error, until Restart
	Busy    bool // messages were sent, and are not answered
	Session bool // OnClientSession is over
	Server  bool // OnServerSession is

	status  int   // of what was done last
	began   int64 // ns of the loop's clock
	process int64 // ms that it took
	total   int64 // ms that all took
}

// Begin notes the start of an event or a group at a moment of the loop's clock.
func (x *Offload) Begin(now int64) {
	x.Busy, x.began, x.status = true, now, 0
}

// Skip ends what had nothing to say.
func (x *Offload) Skip() {
	x.Busy = false
	x.Agent.processed.Add(1)
}

// What is an event, or a group, as the log names it.
type What struct{ Kind, Name string }

// End ends what was begun, with the answer of the agent or with a status that is not 0.
func (x *Offload) End(s *runtime.Stream, what What, status int, answer []byte, now int64) {
	a := x.Agent
	if x.status = status; status == 0 {
		a.apply(s, answer)
	}
	x.process = (now - x.began) / 1e6
	x.total += x.process
	a.note(s, a.ProcessTime, sample.Int, x.process)
	a.note(s, a.TotalTime, sample.Int, x.total)
	x.Busy = false
	processed := a.processed.Add(1)
	if status != 0 {
		a.errors.Add(1)
		x.failed(s)
	}
	if len(a.Front.Logs) == 0 || status == 0 && a.DontLogNormal {
		return
	}
	level := logger.Notice
	if status != 0 {
		level = logger.Warning
	}
	logger.Server(level, a.Front, "SPOE: [%s] <%s:%s> sid=%d st=%d %d %d/%d", a.Name, what.Kind, what.Name, s.Count(), status, x.process, a.errors.Load(), processed)
}

// Interrupt ends what was begun because nobody waits for it any more. That is not logged.
func (x *Offload) Interrupt(s *runtime.Stream) {
	x.Busy, x.status = false, Interrupted
	x.Agent.processed.Add(1)
	x.failed(s)
}

func (x *Offload) failed(s *runtime.Stream) {
	x.Agent.note(s, x.Agent.OnError, sample.Bool, int64(x.status)) // a boolean, says the reference
	x.Off = !x.Agent.ContinueOnError
}

// Restart lets the agent be told of a stream again, and forgets how long it took.
func (x *Offload) Restart() { x.Off, x.total = false, 0 }

// Leave tells that the stream is over. The reference counts that among the errors.
func (x *Offload) Leave() {
	if x.Busy {
		x.Agent.processed.Add(1)
	}
	x.Agent.errors.Add(1)
	*x = Offload{}
}

// note sets one of the agent's own variables.
func (a *Agent) note(s *runtime.Stream, v *sample.Var, t sample.Type, n int64) {
	if v != nil {
		s.Ctx.SetVar(*v, &sample.Value{Type: t, Int: n}, 0)
	}
}

// AppendMessages makes the messages whose conditions hold, behind the type of their frame; nothing, if there are none.
// ok is false when they are too many for a frame.
func (a *Agent) AppendMessages(b []byte, s *runtime.Stream, messages []*Message) (out []byte, ok bool) {
	most := len(b) + a.MaxFrame - frame.Overhead
	b = append(b, byte(frame.Notify))
	start := len(b)
	ctx := &s.Ctx
	ctx.Final = true
	for _, m := range messages {
		ctx.Scratch.Reset()
		if m.Cond != nil && m.Cond.Eval(ctx) != acl.Pass {
			continue
		}
		const longest = 2 // bytes of the length of a name
		if len(b)+longest+len(m.Name)+1 > most {
			return b, false
		}
		b = append(varint.AppendText(b, m.Name), byte(len(m.Args)))
		for i := range m.Args {
			b = varint.AppendText(b, m.Args[i].Name)
			ctx.Scratch.Reset()
			v := ctx.Scratch.Borrow()
			if m.Args[i].Expr.Eval(ctx, v) {
				b = appendValue(b, v)
			} else {
				b = append(b, frame.Null)
			}
			ctx.Scratch.Return()
			if len(b) > most {
				return b, false
			}
		}
	}
	if len(b) == start {
		b = b[:start-1]
	}
	return b, true
}

func appendValue(b []byte, v *sample.Value) []byte {
	switch v.Type {
	case sample.Bool:
		if v.Int != 0 {
			return append(b, frame.Bool|frame.True)
		}
		return append(b, frame.Bool)
	case sample.Int:
		return varint.Append(append(b, frame.Int64), uint64(v.Int))
	case sample.IPv4:
		ip := v.IP.As4()
		return append(append(b, frame.IPv4), ip[:]...)
	case sample.IPv6:
		ip := v.IP.As16()
		return append(append(b, frame.IPv6), ip[:]...)
	case sample.Bin:
		return varint.AppendText(append(b, frame.Binary), v.Bytes)
	case sample.Str, sample.Meth:
		return varint.AppendText(append(b, frame.Text), v.Bytes)
	}
	return append(b, frame.Null)
}

// Actions of agents. Section 3.4.
const (
	setVar   = 1
	unsetVar = 2
)

// apply does what an agent answers, up to what cannot be understood.
func (a *Agent) apply(s *runtime.Stream, b []byte) {
	for len(b) >= 3 {
		kind, args, scope := b[0], b[1], b[2]
		if kind != setVar && kind != unsetVar || kind == setVar && args != 3 || kind == unsetVar && args != 2 || scope > byte(sample.ResScope) {
			return
		}
		name, rest, ok := varint.ReadText(b[3:])
		if !ok {
			return
		}
		var v frame.Value
		if kind == setVar {
			if v, rest, ok = frame.ReadValue(rest); !ok {
				return
			}
		}
		b = rest
		a.set(s, sample.Scope(scope), name, &v)
	}
}

// mostName is how long the name of a variable that an agent sets may be.
const mostName = 63

// set gives a variable a value, or takes it away if that is none.
func (a *Agent) set(s *runtime.Stream, scope sample.Scope, name []byte, v *frame.Value) {
	var text [mostName]byte
	full := append(append(append(append(text[:0], scope.String()...), '.'), a.Prefix...), name...)
	if len(full) > mostName {
		return
	}
	id, err := s.Config.Vars.Parse(unsafe.String(&full[0], len(full)))
	if err != nil {
		return
	}
	value := s.Ctx.Scratch.Borrow()
	defer s.Ctx.Scratch.Return()
	if !read(value, v) {
		s.Ctx.UnsetVar(id)
		return
	}
	cond := sample.SetCond(0)
	if scope == sample.ProcScope && !a.ForceSetVar {
		cond = sample.IfExists
	}
	s.Ctx.SetVar(id, value, cond)
}

// read makes a sample of what an agent has sent; false: it is none.
func read(to *sample.Value, v *frame.Value) bool {
	switch v.Kind {
	case frame.Bool:
		to.SetBool(v.Flags == frame.True)
	case frame.Int32, frame.Uint32, frame.Int64, frame.Uint64:
		to.SetInt(int64(v.Number))
	case frame.IPv4, frame.IPv6:
		ip, _ := netip.AddrFromSlice(v.Bytes)
		to.SetAddr(ip)
	case frame.Text:
		if to.SetConst(v.Bytes); v.Flags != 0 {
			to.SetConstBin(v.Bytes)
		}
	case frame.Binary:
		to.SetConstBin(v.Bytes)
	default:
		return false
	}
	return true
}
