package check

import (
	"io"
	"sync/atomic"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
	"hapax/runtime/transport"
)

// Check is the health check of one server. It is what runtime.Server.Check holds.
type Check struct {
	checks *Checks
	srv    *runtime.Server
	agent  *runtime.Agent // whose answers decide; nil: the server itself is checked
	rules  *ruleset
	lane   atomic.Pointer[lane] // nil before Start; changed on its loop only

	// The last result, guarded by Checks.changes.
	status   runtime.CheckStatus
	code     int
	desc     string
	duration time.Duration // below 0: of no meaning

	hasty atomic.Bool // the next interval is fastinter, whatever the health

	// The rest is touched on the loop only.
	timer    loop.Timer // the next check, or the time limit of the one under way
	running  bool
	stopped  bool
	conn     *transport.Conn // own, or one of the pool
	own      transport.Conn
	loan     Loan            // the use of that; nil: there is none
	greeting bool            // the connection is to begin with a PROXY header
	behind   transport.Layer // what comes behind it; nil: clear
	up       bool            // the connection stands
	inet     bool            // it is no UNIX one
	process  *process        // that the check waits for; nil: none
	began    int64           // loop clock
	at       int             // index of the rule to go on with
	current  *rule           // the last one that did something on the connection
	result   *result
	noted    *result // before the last one: see note
	answer   int     // the code that the rule being evaluated has found

	in       []byte // received and not consumed: sends and connects empty it
	mustRead bool   // an expect rule wants more than what it was evaluated on
	fresh    bool   // something came since
	eof      bool
	err      error               // why receiving ended, nil at the end of the stream
	http     *response           // of HTTP checks
	speaker  speaker             // of HTTP/2; nil: the connection carries other bytes
	h1       *runtime.H1Counters // what the connection counts in; nil: it is none of HTTP/1

	stream  runtime.Stream // what expressions of rules are evaluated on
	session runtime.Session
	vars    sample.Vars
	text    []byte // of a format
}

func newCheck(c *Checks, srv *runtime.Server) *Check {
	ck := &Check{checks: c, srv: srv, status: runtime.CheckInit, duration: -1}
	ck.conn = &ck.own
	px := srv.Proxy
	if rules, ok := srv.CheckRules.(*ruleset); ok {
		ck.rules = rules
	} else {
		ck.rules = connectOnly()
	}
	srv.LiveCheckPort.Store(int32(srv.CheckPort))
	ck.vars.Init(sample.CheckScope, &c.cfg.VarLimits, c.cfg.ProcVars)
	ck.session.Front = px
	ck.session.Vars.Init(sample.SessScope, &c.cfg.VarLimits, c.cfg.ProcVars)
	s := &ck.stream
	s.Config, s.Session, s.Front, s.Back, s.Server = c.cfg, &ck.session, px, px, srv
	s.Ctx = sample.Context{Owner: s, Dir: sample.Response, Final: true, Checkpoint: sample.CheckRule, NotHTTP: true}
	s.Ctx.Vars[sample.ProcScope] = c.cfg.ProcVars
	s.Ctx.Vars[sample.SessScope] = &ck.session.Vars
	s.Ctx.Vars[sample.CheckScope] = &ck.vars
	if ck.rules.kind == kindHTTP {
		ck.http = &response{}
	}
	return ck
}

// startOn sets the time of the first check, and where it runs.
func (ck *Check) startOn(ln *lane, wait time.Duration) {
	ck.lane.Store(ln)
	ck.post(func() {
		ck.settle()
		ck.timer.After(wait)
	})
}

// settle makes the check one of its loop, on which it is called.
func (ck *Check) settle() {
	ln := ck.lane.Load()
	ck.timer.Init(ln.loop, ck)
	ck.stream.Loop, ck.stream.Ctx.Scratch = ln.id, ln.scratch
}

// loop is the one that the check is on.
func (ck *Check) loop() *loop.Loop { return ck.lane.Load().loop }

// post runs f on the loop that the check is on, if it was started. Any goroutine may call it.
func (ck *Check) post(f func()) {
	ln := ck.lane.Load()
	if ln == nil {
		return
	}
	ln.loop.PostFunc(func() {
		if ck.lane.Load() != ln {
			ck.post(f) // it has left meanwhile
			return
		}
		f()
	})
}

func (ck *Check) stop() {
	ck.stopped = true
	ck.timer.Remove()
	ck.conn.Abort()
	ck.leave()
	if ck.process != nil {
		ck.process.kill()
	}
}

// interval is the time to the next check: it depends on whether the server is well,
// down, or between the two.
func (ck *Check) interval() time.Duration {
	srv := ck.srv
	if ck.agent != nil {
		if ck.agent.Inter > 0 {
			return ck.agent.Inter
		}
		return srv.Inter
	}
	health := int(srv.Health.Load())
	switch {
	case health == srv.Rise+srv.Fall-1 && !ck.hasty.Load():
		return srv.Inter
	case health == 0 && stateOf(srv) == runtime.ServerStopped:
		if srv.DownInter > 0 {
			return srv.DownInter
		}
	case srv.FastInter > 0:
		return srv.FastInter
	}
	return srv.Inter
}

// schedule sets the time of the next check.
func (ck *Check) schedule() {
	d := ck.interval()
	ck.timer.After(d + spread(d, ck.checks.cfg.Global.SpreadChecks))
	ck.hasty.Store(false)
}

// hurry makes the next interval the fast one. Any goroutine may call it.
func (ck *Check) hurry() {
	ck.hasty.Store(true)
	if ck.srv.FastInter == 0 {
		return
	}
	ck.post(func() {
		if !ck.running && !ck.stopped && ck.loop().Now()+int64(ck.interval()) < ck.timer.Deadline() {
			ck.schedule()
		}
	})
}

// Expired begins the next check, or ends the one under way for lack of time.
func (ck *Check) Expired(*loop.Timer) {
	if ck.running {
		if ck.process != nil {
			ck.process.expire(ck)
		} else {
			ck.connectionFailed(nil, true)
		}
		ck.finish()
		return
	}
	srv := ck.srv
	switch {
	case ck.stopped || runtime.ProxyState(srv.Proxy.State.Load()) == runtime.ProxyStopped:
		return
	case ck.agent != nil && ck.agent.Off.Load(), ck.agent == nil && (srv.HealthOff.Load() || inMaint(adminOf(srv))):
		ck.timer.After(ck.interval())
		return
	}
	if !ck.approach() {
		ck.begin()
	}
}

// begin begins the next check, or makes it wait for its turn on its loop.
func (ck *Check) begin() {
	ln := ck.lane.Load()
	if ln.most > 0 && (ln.running >= ln.most || len(ln.waiting) > 0) {
		ln.waiting = append(ln.waiting, ck)
		return
	}
	ck.run()
}

// run begins a check, which counts as a connection of the process, unless a program makes it.
func (ck *Check) run() {
	ln := ck.lane.Load()
	if ck.rules.kind != kindProgram {
		ck.checks.cfg.Stats.CumConns.Inc()
	}
	ln.running++
	ck.running = true
	ck.working().Store(true)
	ck.began = ln.loop.Clock()
	ck.at, ck.current, ck.result, ck.noted = 0, nil, nil, nil
	ck.vars.Reset()
	ck.session.Vars.Reset()
	ck.stream.Ctx.Now = time.Now()
	ck.trace(trace.CheckStart, trace.State, "init new health-check")
	ck.advance()
}

// working is where it is told that a check is under way.
func (ck *Check) working() *atomic.Bool {
	if ck.agent != nil {
		return &ck.agent.Running
	}
	return &ck.srv.CheckRunning
}

// verdict is what a rule tells the check.
type verdict uint8

const (
	proceed verdict = iota // with the next rule
	await                  // something to happen on the connection
	over                   // the result is known, or the connection has failed
)

// advance goes on with the rules until one has to wait.
func (ck *Check) advance() {
	ck.mustRead = true
	for ck.at < len(ck.rules.rules) {
		r := ck.rules.rules[ck.at]
		ck.answer = 0
		if ck.checks.traces.Any() {
			ck.tellRule(r)
		}
		v := r.do.run(ck, r)
		ck.stream.Ctx.Scratch.Reset()
		switch v {
		case await:
			return
		case over:
			ck.finish()
			return
		}
		ck.at++
	}
	ck.passed()
	ck.finish()
}

// decide notes the result of the check; only the first counts.
func (ck *Check) decide(status runtime.CheckStatus, desc string) verdict {
	if ck.result == nil {
		ck.result = &result{status, ck.answer, desc}
	}
	return over
}

// note has a good result count before the check is over. Two protocols do so with what
// the server says of itself, and since ever each of their checks counts twice for "rise".
func (ck *Check) note(status runtime.CheckStatus, desc string) {
	ck.noted = &result{status, ck.answer, desc}
}

// passed decides after the last rule.
func (ck *Check) passed() {
	var do step
	if ck.current != nil {
		do = ck.current.do
	}
	switch do := do.(type) {
	case *connect:
		desc := "(tcp-check)"
		if do.implicit {
			desc = ""
		}
		status := runtime.CheckL4OK
		if ck.conn.Layer() != nil {
			status = runtime.CheckL6OK
		}
		ck.decide(status, desc)
	case *expect:
		if ck.excused() {
			ck.decide(runtime.CheckL7Conditionally, "")
			return
		}
		status := do.ok
		if status == runtime.CheckUnknown {
			status = runtime.CheckL7OK
		}
		desc := ck.succeeded(do)
		ck.decide(status, desc)
	default:
		ck.decide(runtime.CheckL7OK, "(tcp-check)")
	}
}

// excused tells that the server answered 404 and may do so without being down
// ("http-check disable-on-404").
func (ck *Check) excused() bool {
	return ck.rules.disable404 && ck.answer == 404 && stateOf(ck.srv) != runtime.ServerStopped
}

// finish ends a check: its connection, its result, and the time of the next one.
func (ck *Check) finish() {
	ck.close()
	if ck.result == nil {
		ck.connectionFailed(ck.err, false)
	}
	c, ln := ck.checks, ck.lane.Load()
	took := time.Duration(ln.loop.Clock() - ck.began)
	c.changes.Lock()
	if ck.noted != nil {
		ck.setResult(*ck.noted, took)
	}
	ck.setResult(*ck.result, took)
	ck.notify()
	c.changes.Unlock()
	if c.traces.Any() {
		ck.tellEnd()
	}
	ck.running = false
	ck.working().Store(false)
	ln.running--
	ck.schedule()
	if len(ln.waiting) > 0 && ln.running < ln.most {
		next := ln.waiting[0]
		ln.waiting = ln.waiting[1:]
		next.run()
	}
}

// close ends the connection. Without a word from the server about the end, or the
// wish to let it know ("linger"), it is reset: nothing of it is left on either side.
func (ck *Check) close() {
	if ck.conn.IsOpen() && !ck.reusable() {
		ck.shut()
	}
	ck.leave()
}

// reusable tells whether the connection is one of HTTP/1 that others may go on with.
func (ck *Check) reusable() bool {
	return ck.loan != nil && ck.speaker == nil && ck.up && !ck.eof && ck.http.keeps(ck)
}

func (ck *Check) shut() {
	linger := false
	for _, r := range ck.rules.rules {
		if c, ok := r.do.(*connect); ok && c.linger {
			linger = true
		}
	}
	if ck.eof && ck.err == nil || linger {
		ck.conn.Close(0)
	} else {
		ck.conn.Abort()
	}
}

// leave gives up the connection: one of the pool that is open goes back.
func (ck *Check) leave() {
	ck.endH1()
	if ck.speaker != nil {
		ck.speaker.end()
		ck.speaker = nil
	}
	ck.giveBack()
}

// Connected implements loop.Handler.
func (ck *Check) Connected(err error) {
	if err != nil {
		ck.connectionFailed(err, false)
		ck.finish()
		return
	}
	if ck.greeting {
		ck.greet()
		return
	}
	ck.up = true
	ck.speak()
	if f, ok := ck.speaker.(*frames); ok {
		f.conn.Start()
		ck.conn.Receive()
	}
	ck.limit()
	ck.at++
	ck.advance()
}

// limit gives the check "timeout check" from now on.
func (ck *Check) limit() {
	if d := ck.srv.Proxy.Timeout.Check; d > 0 {
		ck.timer.After(d)
	}
}

// Received implements loop.Handler.
func (ck *Check) Received(b *loop.Buffer, err error) {
	if ck.speaker != nil {
		if ck.speaker.received(ck, b, err) {
			ck.advance()
		}
		return
	}
	if b != nil {
		if ck.h1 != nil {
			ck.h1.In.Add(uint64(len(b.Data)))
		}
		room := ck.checks.cfg.Global.Tune.BufSize - len(ck.in)
		ck.in = append(ck.in, b.Data[:min(room, len(b.Data))]...)
		if ck.checks.traces.Any() {
			ck.tell(trace.CheckRecv, trace.Data, "data received", len(b.Data))
		}
		b.Release()
		ck.fresh = true
	} else {
		ck.eof = true
		if err != io.EOF {
			ck.err = err
		}
	}
	if ck.http != nil && !ck.http.feed(ck) {
		return
	}
	ck.advance()
}

// full tells that no more bytes fit.
func (ck *Check) full() bool { return len(ck.in) >= ck.checks.cfg.Global.Tune.BufSize }

// Sent implements loop.Handler: it ends a send rule, or the sending of a PROXY header.
func (ck *Check) Sent(err error) {
	if !ck.up {
		ck.Connected(err)
		return
	}
	if err != nil {
		ck.connectionFailed(err, false)
		ck.finish()
		return
	}
	ck.at++
	ck.advance()
}

// receive lets an expect rule look at what came since the last send, and makes it
// wait when nothing did.
func (ck *Check) receive() verdict {
	if !ck.mustRead {
		return proceed
	}
	if !ck.fresh && !ck.eof {
		ck.conn.Receive()
		return await
	}
	if ck.empty() && (ck.err != nil || ck.http != nil) {
		ck.connectionFailed(ck.err, false)
		return over
	}
	ck.mustRead, ck.fresh = false, false
	return proceed
}

// empty tells that the server has said nothing.
func (ck *Check) empty() bool {
	if ck.http != nil {
		return !ck.http.head
	}
	return len(ck.in) == 0
}

// forget empties what was received, before the server is told something.
func (ck *Check) forget() {
	ck.in, ck.fresh = ck.in[:0], false
	if ck.http != nil {
		ck.http.reset()
	}
	if ck.conn.IsOpen() && ck.speaker == nil {
		ck.conn.Pause()
	}
}
