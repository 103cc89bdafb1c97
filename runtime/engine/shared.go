package engine

import (
	"io"
	"time"

	"hapax/runtime"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
)

// shared is a connection to a server that carries many exchanges: HTTP/2. Pools and clients
// hold its link, streams one exchange each.
type shared struct {
	mux
	k     *link
	be    *runtime.Proxy // of its server
	live  *exchange      // those that streams have
	check *probe         // that of a health check; nil: none
	n     int            // exchanges that are not over
	away  bool           // GOAWAY came, or the server was told of what is no HTTP/2: it takes nothing new

	shunned bool // so it was told, and is left to end the connection

	timer loop.Timer // asks the server, while nothing is asked for, whether the connection lives
}

// share makes a link whose connection stands, or is on its way, a shared one.
func (k *link) share() *shared {
	m := &shared{k: k, be: k.srv.Proxy}
	m.timer.Init(k.w.loop, m)
	k.shared = m
	k.sock.SetHandler(m)
	m.mux.init(k.w, &k.sock, &k.w.engine.h2Servers, m)
	h2 := m.counters()
	h2.Conns.Inc()
	h2.Open.Inc()
	if k.up {
		m.mux.start()
	} else {
		m.mux.startEarly()
	}
	return m
}

// attach implements carrier.
func (m *shared) attach(s *stream) {
	w := m.w
	x := w.exchanges
	if x == nil {
		x = &exchange{}
		x.ch.init(x)
		x.part, x.ex, x.w = x, x, w
		x.timer.Init(w.loop, x)
	} else {
		w.exchanges, x.next = x.next, nil
	}
	x.of, x.srv, x.st, x.fresh = m, m.k.srv, s, false
	x.up = x.stands()
	x.ch.open(&m.mux, x)
	x.sock.Carry(&x.ch)
	if x.next = m.live; x.next != nil {
		x.next.prev = x
	}
	m.live = x
	m.enter()
	s.link = &x.link
}

// enter counts an exchange in.
func (m *shared) enter() {
	h2 := m.counters()
	h2.Streams.Inc()
	h2.OpenStreams.Inc()
	if m.n++; m.n == 1 {
		m.k.use()
		m.timer.Stop()
	}
}

// more implements carrier.
func (m *shared) more() bool {
	srv := m.k.srv
	return m.speaks() && !m.away && m.n < m.h2.Limit() && m.h2.CanOpen() && (srv.MaxReuse < 0 || m.k.served <= srv.MaxReuse)
}

// Connected ends the attempt to connect: it was made for the exchanges that wait.
func (m *shared) Connected(err error) {
	k := m.k
	if err == nil && k.fresh && k.introduce(m) {
		return
	}
	if err == nil && k.mayTurnH2() && !k.speaksH2() {
		err = errGone
	}
	if err != nil {
		m.unmade(err)
		return
	}
	k.up = true
	for x := m.live; x != nil; x = x.next {
		x.st.meet(k)
	}
	m.mux.stand()
}

// unmade ends the exchanges, and lets logs tell why.
func (m *shared) unmade(err error) {
	m.k.srv.Negotiated.Store(nil)
	state, secure := m.k.sock.Layer().(runtime.TLSState)
	for x := m.live; x != nil; x = x.next {
		s := x.st
		s.linkErr, s.Reused = err, false // what was never used is not used again
		if secure {
			s.Ctx.Back.TLS = state.Info()
		}
	}
	m.end(err)
}

// begin lets those exchanges begin that can by now.
func (m *shared) begin() {
	for x := m.live; x != nil; {
		next := x.next
		if !x.up && x.stands() {
			x.up = true
			x.st.connected(nil)
		}
		x = next
	}
}

// head reads a response.
func (m *shared) head(ch *channel, end bool) {
	x, ok := ch.owner.(*exchange)
	if !ok {
		ch.owner.(*probe).head(end)
		return
	}
	if x.st == nil {
		m.h2.Refuse(h2.Cancel)
		return
	}
	s, id := x.st, ch.st.ID
	s.renewServer()
	if s.resHead {
		m.h2.Refuse(h2.ProtocolError)
		return
	}
	ch.readAt = m.reads
	out := m.w.loop.Buffer()
	s.Res.Reset(out.Data, s.resFields)
	s.Res.Method = s.requestMethod()
	s.out = out
	switch m.h2.ReadHead(&ch.st, &s.Res, false) {
	case h2.Good:
		s.out.Data = s.Res.Buf
		s.answerTunnel(x)
		if s.Res.Status >= 200 && !end {
			x.fresh = true
			m.w.freshResponses = append(m.w.freshResponses, x)
			return
		}
		s.startResponse()
		if end && ch.st.ID == id { // else it is another exchange by now
			ch.finish()
		}
	case h2.Short:
		s.out.Data = s.Res.Buf
		s.startResponse()
		if ch.st.ID == id {
			ch.fail(brokenRules)
		}
	case h2.Broken:
		m.end(muxError(h2.CompressionError))
	default:
		s.badResponse()
	}
}

// came begins the responses whose heads came. Rules see as much of a body as came with its head, and malformed trailers
// that came with it make it no response at all.
func (m *shared) came() {
	w := m.w
	for i := 0; i < len(w.freshResponses); i++ {
		if x := w.freshResponses[i]; x.fresh && x.st != nil {
			x.begin()
		}
	}
	clear(w.freshResponses)
	w.freshResponses = w.freshResponses[:0]
	if p := m.check; p != nil && p.fresh {
		p.begin()
	}
}

// trailers reads the trailers of a response.
func (m *shared) trailers(ch *channel) {
	x, ok := ch.owner.(*exchange)
	if !ok {
		ch.owner.(*probe).trailers()
		return
	}
	if x.st == nil {
		m.h2.Refuse(h2.Cancel)
		return
	}
	t := x.st.toCli.newTrailer(m.w)
	switch m.h2.ReadTrailers(&ch.st, &t.msg) {
	case h2.Good:
		ch.finish()
	case h2.Broken:
		m.end(muxError(h2.CompressionError))
	case h2.Short:
		ch.fail(tooShort)
	default:
		ch.fail(badTrailers)
	}
}

// settled goes on with what waited for the server's settings.
func (m *shared) settled() {
	m.begin()
	if !m.gone && m.k.list == &m.k.w.pool(m.k.srv).avail {
		m.k.w.offer(m.k) // it may take less now
	}
}

// goAway ends the exchanges that the server does not answer any more. Others may go on. As
// in the reference, a server that says that it answers none is waited for.
func (m *shared) goAway(last uint32, _ h2.Code) {
	m.away = true
	m.k.w.unlist(m.k)
	for x := m.live; x != nil && last > 0; {
		next := x.next
		if x.ch.st.ID > last {
			x.ch.fail(resetError(h2.RefusedStream))
		}
		x = next
	}
	if p := m.check; p != nil && last > 0 && p.ch.st.ID > last {
		p.ch.fail(resetError(h2.RefusedStream))
	}
	if m.n == 0 && !m.gone {
		m.k.leaveServer()
	}
}

// ended ends the connection.
func (m *shared) ended(err error) {
	if m.k.up {
		err = errGone
	}
	for x := m.live; x != nil; {
		next := x.next
		if x.ch.st.ID == 0 {
			x.st.connected(err) // its request was not sent yet
		}
		x = next
	}
	if p := m.check; p != nil && p.ch.st.ID == 0 {
		p.ch.fail(io.ErrUnexpectedEOF)
	}
	if m.n == 0 && !m.gone {
		m.leaveServer()
	}
}

// leaveServer ends the connection; a server that broke the protocol is told so.
func (m *shared) leaveServer() {
	if _, violation := m.over.(muxError); violation {
		m.push()
	}
	m.k.leaveServer()
}

// refused is never called: servers open no streams.
func (m *shared) refused() {}

func (m *shared) tell(e trace.Event, level trace.Level, text string, n int) {
	m.k.tell(e, level, text, n)
}

// violated is told by the ends of the exchanges.
func (m *shared) violated() {}

// glitched implements muxOwner: nothing tracks servers.
func (m *shared) glitched(int) {}

// unwanted tells the server that its answer is not wanted.
func (m *shared) unwanted(ch *channel) { ch.reset(h2.Cancel) }

// left takes an exchange back that is over. The last one leaves the connection to the pool.
func (m *shared) left(ch *channel) {
	w := m.w
	if x, ok := ch.owner.(*exchange); ok {
		x.unlist()
		x.timer.Stop()
		x.next, w.exchanges = w.exchanges, x
	} else if m.check == ch.owner {
		m.check = nil
	}
	m.counters().OpenStreams.Dec()
	m.n--
	if m.gone {
		return // and its link is perhaps another connection's
	}
	m.k.served++
	if m.n > 0 {
		w.offer(m.k)
		return
	}
	m.k.unuse()
	switch {
	case m.shunned && m.speaks():
		m.asked = true // nothing is asked: the connection ends with its time
		m.timer.After(refusedPatience)
	case !m.more(), !m.k.up:
		m.leaveServer()
	default:
		m.watch()
		m.k.rest()
	}
}

// watch sets the time of the next question whether the idle connection lives. Section 5.2 "idle-ping".
func (m *shared) watch() {
	if ping := m.k.srv.IdlePing; ping > 0 && !m.w.engine.stopping.Load() {
		m.timer.After(ping)
	}
}

// Expired asks the server, or ends the connection that gave no answer.
func (m *shared) Expired(*loop.Timer) {
	if !m.asked {
		m.ping()
		m.watch()
		return
	}
	m.room(0)
	m.h2.Finish(h2.NoError)
	m.k.close()
}

// Received is what the server sends.
func (m *shared) Received(b *loop.Buffer, err error) {
	m.mux.Received(b, err)
	if m.gone {
		return // the link is another connection's by now
	}
	m.counters().Take(&m.h2.Counts)
	if m.n == 0 && m.speaks() {
		m.watch()
	}
}

// close ends the use of the connection.
func (m *shared) close(say bool) {
	if m.gone {
		return
	}
	m.timer.Remove()
	m.counters().Take(&m.h2.Counts)
	m.mux.close(say)
	m.counters().Open.Dec()
}

// counters are those of the backend.
func (m *shared) counters() *runtime.H2Counters { return &m.be.Live.Back[m.w.id].H2 }

// refuse tells the server of a stream that was not opened, as the reference does: by its reset. That is no HTTP/2, so it
// is said on a connection that carries nothing else, and is the last that is said on it.
func (m *shared) refuse(x *exchange) {
	if m.n > 1 || !m.speaks() || !m.h2.CanOpen() {
		return
	}
	m.away, m.shunned = true, true
	m.k.w.unlist(m.k)
	m.room(0)
	m.h2.Open(&x.ch.st)
	m.h2.Reset(&x.ch.st, h2.InternalError)
	m.touch()
}

// refusedPatience is how long a server may take to end a connection on which it was told of what is no HTTP/2.
const refusedPatience = time.Second

// h2ServerConfig is what the process wants of HTTP/2 connections to servers.
func h2ServerConfig(cfg *runtime.Config) h2.Config {
	c := h2Config(cfg, &cfg.Global.Tune.H2.Back)
	c.Client = true
	return c
}
