package engine

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/h2"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
)

// h2Client is what a client connection that speaks HTTP/2 has beside its client: many requests run on it, each of which
// is to its stream a client of its own.
type h2Client struct {
	mux
	c       *client
	n       int   // requests that are not over
	extra   int   // streams that it may have beyond one: see tune.streams-elasticity
	streams int   // those that have a stream
	prev    int64 // when the last request began; 0: none did
	idle    int64 // since when there is no request
	asks    bool  // the timer is that of a question whether the client lives
	away    bool  // the client takes no more answers to new requests
	half    bool  // the client sends nothing more, and may still listen
	parting bool  // the client was told that the connection ends

	attach *runtime.Attachment // what becomes of it when the settings came; nil: it stays

	unread loop.Timer // resets what the client still sends behind complete answers
}

// glitched implements muxOwner.
func (m *h2Client) glitched(n int) { sticktable.CountGlitches(&m.c.Session, n) }

// speaksH2 tells whether the client is known to speak HTTP/2 before it says anything.
func (c *client) speaksH2() bool {
	switch c.Listener.Bind.Proto {
	case runtime.ProtoH2:
		return true
	case runtime.ProtoAny:
		return c.TLS != nil && c.TLS.ALPN() == "h2"
	}
	return false
}

// startH2 makes the connection carry many requests from now on, or become one to a server if to is not nil.
func (c *client) startH2(to *runtime.Attachment) *h2Client {
	m := c.newH2(to)
	m.mux.start()
	return m
}

// newH2 makes the part of a connection that carries many requests.
func (c *client) newH2(to *runtime.Attachment) *h2Client {
	m := &h2Client{c: c, attach: to}
	c.endH1()
	m.unread.Init(c.w.loop, m)
	c.h2 = m
	m.mux.init(c.w, &c.sock, m.settings(), m)
	c.sock.SetHandler(m)
	c.trace(trace.H2ConnNew, trace.State, "new H2 connection", 0)
	fe := c.Counters(c.w.id)
	fe.H2Sess.Inc()
	if to == nil {
		fe.H2.Conns.Inc()
		fe.H2.Open.Inc()
	}
	m.idle = c.w.loop.Now()
	m.watch()
	return m
}

// settings are those of all clients, but for the number of streams where tune.streams-elasticity limits that.
func (m *h2Client) settings() *h2.Config {
	e := m.c.w.engine
	t := &e.Config.Global.Tune
	if t.H2.Elasticity == 0 {
		return &e.h2Clients
	}
	cfg := e.h2Clients
	n := t.H2.Elastic(int(e.Config.Stats.Conns.Load()), e.Config.Global.HardMaxConn, int(e.promised.Load()))
	cfg.MaxStreams, cfg.Receive = uint32(n), max(t.H2.Front.Receive, n*t.BufSize)
	m.extra = n - 1
	e.promised.Add(int64(m.extra))
	return &cfg
}

// mayUpgrade tells whether the first bytes of the connection, if they are the preface of HTTP/2, make it speak that.
func (s *stream) mayUpgrade() bool {
	c := s.c
	return !c.kept && s.Front.Options&runtime.OptDisableH2Upgrade == 0 && c.Listener.Bind.Proto != runtime.ProtoH1 && s.SwitchProto != runtime.ProtoH1
}

// upgradeH2 makes an HTTP/2 connection of one whose first bytes, which the stream has, are the preface.
func (s *stream) upgradeH2() {
	c, w := s.c, s.w
	s.noH1()
	held := [...]*loop.Buffer{s.in, s.more}
	s.in, s.more = nil, nil
	s.dead = true
	c.st = nil
	w.bury(s)
	m := c.startH2(nil)
	for _, b := range held {
		if b != nil {
			m.Received(b, nil)
		}
	}
}

func (m *h2Client) tell(e trace.Event, level trace.Level, text string, n int) {
	m.c.tell(e, level, text, n)
}

// Connected is never called: the connection stands.
func (m *h2Client) Connected(error) {}

// take gets a request out of the free list.
func (m *h2Client) take() *h2Request {
	w, c := m.w, m.c
	x := w.h2Requests
	if x == nil {
		x = &h2Request{}
		x.w, x.via = w, x
		x.timer.Init(w.loop, &x.client)
		x.ch.init(x)
	} else {
		w.h2Requests = x.free
	}
	x.of, x.sess, x.got, x.ended = m, &c.Session, 0, false
	x.end, x.closed, x.http = nil, false, true
	x.ch.open(&m.mux, x)
	x.sock.Carry(&x.ch)
	m.n++
	m.streams++
	h2 := m.counters()
	h2.Streams.Inc()
	h2.OpenStreams.Inc()
	return x
}

// head begins a stream with a request.
//
// The stream begins when all that was received at once is known, as in the reference: rules see as much of the body as
// came with the head, and what is reset in the same breath goes to no server.
func (m *h2Client) head(_ *channel, end bool) {
	w, c := m.w, m.c
	x := m.take()
	s := w.takeStream(&x.client)
	x.st = s
	s.in = w.loop.Buffer()
	s.Req.Reset(s.in.Data, s.reqFields)
	v := m.h2.ReadHead(&x.ch.st, &s.Req, c.Front.Options&runtime.OptAcceptUnsafeRequest != 0)
	s.in.Data = s.Req.Buf
	s.Time.First, s.Time.RequestWall = w.loop.Now(), w.loop.Wall()/1e3
	if m.prev != 0 {
		s.Time.Accept, s.Time.Handshake = m.prev, m.prev
		s.Time.AcceptWall = s.Time.RequestWall - (s.Time.First-m.prev)/1e3
	}
	m.prev = s.Time.First
	c.timer.Stop()
	c.kept = true
	m.part()
	switch v {
	case h2.Good:
		x.sock.Receive()
		x.fresh, x.whole = true, end && x.ch.st.Tunnel()
		w.freshRequests = append(w.freshRequests, x)
	case h2.BadRequest:
		s.badRequest(400)
	default:
		c.Requests++
		m.drop(x)
		if v == h2.Broken {
			m.violated()
			m.end(muxError(h2.CompressionError))
		} else {
			m.refused()
		}
	}
}

// came begins the requests that came.
func (m *h2Client) came() {
	w := m.w
	for i := 0; i < len(w.freshRequests); i++ {
		if x := w.freshRequests[i]; x.fresh {
			x.begin()
		}
	}
	clear(w.freshRequests)
	w.freshRequests = w.freshRequests[:0]
}

// drop takes a request back that has no stream any more: it was refused before it began.
func (m *h2Client) drop(x *h2Request) {
	s := x.st
	x.st = nil
	m.streams--
	m.w.putStream(s)
	x.sock.Abort()
}

// trailers reads the trailers of a request.
func (m *h2Client) trailers(ch *channel) {
	x := ch.owner.(*h2Request)
	if x.st == nil {
		m.h2.Refuse(h2.Cancel)
		return
	}
	t := m.w.newTrailer()
	switch m.h2.ReadTrailers(&ch.st, &t.msg) {
	case h2.Good:
		t.buf.Data = t.msg.Buf
		x.trailers = t
		ch.finish()
		return
	case h2.Broken:
		m.violated()
		m.end(muxError(h2.CompressionError))
	case h2.Short:
		x.trailers = t
		m.refused()
		ch.fail(tooShort)
		return
	default:
		m.refused()
		ch.fail(badTrailers)
	}
	t.buf.Release()
}

// unreadPatience is how long a client may take to see that it need not send the rest of a request that is answered.
const unreadPatience = 100 * time.Millisecond

// unwanted leaves the client a moment to take the answer in: there are clients that drop one behind which they find a
// reset.
func (m *h2Client) unwanted(*channel) {
	if m.unread.Deadline() == 0 {
		m.unread.After(unreadPatience)
	}
}

// Expired resets the streams of requests that are answered and whose clients go on to send.
func (m *h2Client) Expired(*loop.Timer) {
	if !m.speaks() {
		return
	}
	m.h2.Each(func(st *h2.Stream) {
		if ch := st.Owner.(*channel); ch.h == nil && st.SendEnded() {
			ch.reset(h2.NoError)
			ch.over()
		}
	})
}

// settled makes the connection one to a server, if a rule wants that.
func (m *h2Client) settled() { m.turning = m.attach != nil }

// goAway tells that the client goes once its requests are answered.
func (m *h2Client) goAway(uint32, h2.Code) { m.away = true }

// violated logs what ended the connection, refused what ended a stream before it began.
func (m *h2Client) violated() {
	m.c.trace(trace.H2ConnError, trace.Error, "the client broke the protocol: the connection ends", 0)
	if m.w.cfg.Global.Tune.H2.LogErrors <= runtime.H2LogConnection {
		m.logBad()
	}
}

func (m *h2Client) refused() {
	m.c.trace(trace.H2StreamErr, trace.Error, "the client broke the protocol: the stream is refused", 0)
	if m.w.cfg.Global.Tune.H2.LogErrors == runtime.H2LogStream {
		m.logBad()
	}
}

// logBad writes the line of a request that could not be read, which makes it one of the process.
func (m *h2Client) logBad() {
	s := m.w.takeStream(m.c)
	s.startBroken()
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InRequest}
	s.Time.First = s.Time.Handshake // no time between requests is told
	s.Time.Close = m.w.loop.Now()
	if logger.Writes(s.Front) {
		s.counts().Reqs.Inc()
	}
	s.Ctx.Scratch.Reset()
	logger.Refuse(&s.Stream)
	m.w.putStream(s)
}

// stop tells the client of a soft stop, and closes when nothing is under way.
func (m *h2Client) stop() {
	if m.speaks() {
		m.part()
		m.rest()
	}
}

// part announces the end of the connection, once, when its time has come.
func (m *h2Client) part() {
	if !m.parting && m.w.parts() {
		m.parting = true
		m.room(0)
		m.h2.Announce()
		m.touch()
	}
}

// left takes a request back that is over.
func (m *h2Client) left(ch *channel) {
	x := ch.owner.(*h2Request)
	if t := x.trailers; t != nil {
		x.trailers = nil
		t.buf.Release()
	}
	m.n--
	m.counters().OpenStreams.Dec()
	x.of = nil
	x.free, m.w.h2Requests = m.w.h2Requests, x
	m.rest()
}

// rest looks after a connection without streams: it is closed when nobody wants it any more, else it waits, for the next
// request or for its client to take the last bytes of the answers.
func (m *h2Client) rest() {
	c := m.c
	px := c.Front
	switch {
	case m.gone || m.streams > 0:
	case m.n > 0:
		c.setTimer(px.Timeout.Client)
	case m.away, m.half, m.over != nil, m.h2.Exhausted():
		c.close(linger)
	default:
		m.idle = m.w.loop.Now()
		m.part()
		m.watch()
	}
}

// watch sets the end of the time of a connection without requests, or when the client is to be asked whether it lives.
// The times that begin with the rest go on whatever the client says; that of a client, and of questions, begins again. A
// client that was told that the connection ends has the time to end it itself.
func (m *h2Client) watch() {
	c, t, now := m.c, &m.c.Front.Timeout, m.w.loop.Now()
	rest := t.Request
	if m.prev != 0 && t.KeepAlive > 0 {
		rest = t.KeepAlive
	}
	silence := t.Client
	if m.parting {
		rest, silence = 0, first(t.ClientFin, t.Client)
	}
	at := m.idle + int64(rest)
	if rest == 0 && silence > 0 {
		at = now + int64(silence)
	}
	ping := c.Listener.Bind.IdlePing
	unlimited := rest == 0 && silence == 0
	m.asks = ping > 0 && ping != t.Client && !m.parting && (unlimited || now+int64(ping) <= at) && !m.w.engine.stopping.Load()
	switch {
	case m.asks:
		c.timer.Set(now + int64(ping))
	case unlimited:
		c.timer.Stop()
	default:
		c.timer.Set(at)
	}
	m.asked = m.asked && m.asks
	c.waitSpread()
}

// goodbye closes an idle connection, which the client is told.
func (m *h2Client) goodbye() {
	if m.speaks() {
		m.room(0)
		m.h2.Finish(h2.NoError)
	}
	m.c.close(linger)
}

// ended ends the connection: its streams were told.
func (m *h2Client) ended(err error) {
	if !m.gone {
		m.c.close(linger)
	}
}

// leaves tells that we end the connection, not the client: it may still send.
func (m *h2Client) leaves() bool {
	_, violation := m.over.(muxError)
	return violation || m.over == errGone
}

// expired is the end of the time of a connection without streams, of which its client is told, or that of a question.
func (m *h2Client) expired() {
	switch {
	case !m.speaks(), m.parting, m.asked:
		m.goodbye()
	case m.asks:
		m.ping()
		m.watch()
	default:
		m.parting = true
		m.room(0)
		m.h2.Finish(h2.NoError)
		m.touch()
		m.watch()
	}
}

// shut ends the use of the connection.
func (m *h2Client) shut(say bool) {
	if m.gone {
		return
	}
	m.counters().Take(&m.h2.Counts)
	m.c.trace(trace.H2ConnEnd, trace.State, "H2 connection ended", 0)
	m.unread.Remove()
	m.c.w.engine.promised.Add(-int64(m.extra))
	m.extra = 0
	m.mux.close(say)
	if m.attach == nil {
		m.counters().Open.Dec()
	}
}

// Received is what the client sends.
func (m *h2Client) Received(b *loop.Buffer, err error) {
	if eof(err) && m.streams > 0 && m.speaks() {
		m.halfClosed()
		return
	}
	if err != nil && m.speaks() {
		m.unspoken()
	}
	m.mux.Received(b, err)
	m.counters().Take(&m.h2.Counts)
	switch {
	case !m.speaks():
	case m.turning:
		m.turn()
	case m.n == 0 && m.away:
		m.rest() // not before: requests may have come with the GOAWAY
	case m.n == 0:
		m.watch()
	case m.streams == 0:
		m.c.setTimer(m.c.Front.Timeout.Client)
	}
}

// unspoken counts and logs a client that left without having said that it speaks HTTP/2: what probes for ports does so.
func (m *h2Client) unspoken() {
	yes, some := m.h2.Unspoken()
	if !yes {
		return
	}
	opts := m.c.Front.Options
	if some || opts&runtime.OptIgnoreProbes == 0 {
		m.h2.Counts.ConnErrors++
	}
	m.h2.Glitch(1)
	if some || opts&(runtime.OptIgnoreProbes|runtime.OptDontLogNull) == 0 {
		m.h2.Glitch(1)
		m.violated()
	}
	m.tellGlitches()
}

// halfClosed tells the requests that the client sends nothing more: each is answered, or goes on, as its backend wants.
func (m *h2Client) halfClosed() {
	m.half = true
	m.h2.Each(func(st *h2.Stream) { st.Owner.(*channel).left() })
	m.touch()
	m.rest()
}

// Sent implements loop.Handler: the end of receiving has come already when the client has closed half of the connection.
func (m *h2Client) Sent(err error) {
	if err != nil && m.half {
		m.end(err)
		return
	}
	m.mux.Sent(err)
}

// counters are those of the frontend.
func (m *h2Client) counters() *runtime.H2Counters { return &m.c.Front.Live.Front[m.w.id].H2 }

// h2ClientConfig is what the process wants of the HTTP/2 connections of clients.
func h2ClientConfig(cfg *runtime.Config) h2.Config {
	c := h2Config(cfg, &cfg.Global.Tune.H2.Front)
	c.MaxTotal = uint32(cfg.Global.Tune.H2.TotalStreams)
	return c
}

// h2Config is what both sides have in common.
func h2Config(cfg *runtime.Config, side *runtime.H2Side) h2.Config {
	t := &cfg.Global.Tune
	return h2.Config{
		HeaderTable: t.H2.Table(), InitialWindow: t.H2.Window(side, t.BufSize), MaxStreams: uint32(t.H2.Concurrent(side)), MaxFrame: t.H2.Frame(t.BufSize),
		Receive: t.H2.Room(side, t.BufSize), Glitches: side.Glitches, ExtendedConnect: !cfg.Global.NoH2WebSocket,
		Buffer: t.BufSize, Rewrite: t.MaxRewrite, Headers: t.MaxHdr,
	}
}
