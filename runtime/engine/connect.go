package engine

import (
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/trace"
	"hapax/runtime/transport"
)

// connect takes an idle connection to the server or starts a new one.
func (s *stream) connect() outcome {
	switch {
	case s.link != nil && s.link.up:
		return next
	case s.link != nil || s.loan != nil || s.waits == forRetry:
		return wait
	}
	srv, be := s.Server, s.Back
	if srv.Redir != "" && s.http && (s.Method == message.GET || s.Method == message.HEAD) {
		return s.redirectTo(srv)
	}
	id, ok := s.identify(srv)
	if !ok {
		s.enterServer(srv)
		s.back().FailedConn.Inc()
		srv.Stats[s.w.id].FailedConn.Inc()
		s.End = runtime.Termination{Cause: runtime.EndInternal, State: runtime.InConnect}
		return s.fail(500)
	}
	if be.Mode == runtime.ModeHTTP || be.Mode == runtime.ModeSPOP {
		k := s.reuse(srv, id.key())
		if k != nil {
			s.enterServer(srv)
			s.occupy(srv)
			k.attach(s)
			if k.shared != nil {
				s.claim(k, false)
			}
			s.Reused, s.dialed = true, true
			s.trace(trace.StreamState, trace.State, "using a connection to the server again")
			s.countConnection(srv)
			if !s.link.up {
				s.awaitConnection()
				return wait
			}
			return s.goOn()
		}
		if !s.lent && s.http && s.borrow(srv, id.key()) {
			return wait
		}
	}
	s.lent = false
	s.w.relieve(srv)
	if srv.StrictMaxConn && !claimPlace(srv) {
		return s.crowdedOut(srv)
	}
	if srv.Reversed {
		s.enterServer(srv)
		return s.unattached()
	}
	s.trace(trace.StreamState, trace.State, "connecting to the server")
	s.countConnection(srv)
	return s.dial(srv, &id)
}

// countConnection counts an attempt to send the request. Behind one on a connection that was there
// already, the others count like it.
func (s *stream) countConnection(srv *runtime.Server) {
	if s.Reused {
		s.back().Reuses.Inc()
		srv.Stats[s.w.id].Reuses.Inc()
		return
	}
	s.back().Connects.Inc()
	srv.Stats[s.w.id].Connects.Inc()
}

// occupy counts the stream among those that a server has now.
func (s *stream) occupy(srv *runtime.Server) {
	s.counted = srv
	srv.Current.Enter(&srv.Stats[s.w.id].Active)
}

// enterServer counts a stream that goes to a server.
func (s *stream) enterServer(srv *runtime.Server) {
	w := s.w
	st := &srv.Stats[w.id]
	st.Sess.Inc()
	srv.Rate.Inc(&st.Rate, w.ms())
	now := w.loop.Wall() / 1e9
	remember(&srv.LastSess, now)
	remember(&s.Back.Live.LastSess, now)
}

// remember stores the second of an event, once: all loops read it.
func remember(last *atomic.Int64, now int64) {
	if last.Load() != now {
		last.Store(now)
	}
}

// redirectTo sends the client to a server that it can reach itself ("redir").
func (s *stream) redirectTo(srv *runtime.Server) outcome {
	s.Time.Connect = 0
	s.End = runtime.Termination{Cause: runtime.EndLocal, State: runtime.InConnect}
	raw := "HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + srv.Redir + string(s.Req.PathQuery()) + "\r\n\r\n"
	return s.answerWith(&runtime.Reply{Status: 302, Kind: runtime.ReplyLocal, Raw: []byte(raw)})
}

// reuse takes a connection that is there already, nil when there is none for the stream.
func (s *stream) reuse(srv *runtime.Server, key []byte) *link {
	if s.isWebSocket() && !reusesForWebSocket(srv) {
		return nil
	}
	if k := s.ownLink(srv, key); k != nil {
		return k
	}
	return s.w.take(srv, reuse(srv), s.risky(), key)
}

// reuse is which requests may take a connection to the server that is there already. Those that came from the server are
// there for all: none can be made.
func reuse(srv *runtime.Server) runtime.Reuse {
	if srv.Reversed {
		return runtime.ReuseAlways
	}
	return srv.Proxy.Reuse
}

// risky tells whether a connection that the server may be about to close is too much of a risk: nobody sends a
// first request again, unless "retry-on" has it sent again whatever comes of the connection.
func (s *stream) risky() bool { return s.FirstRequest && !s.Back.RetryOn.Connection() }

// dial opens a connection to the server.
func (s *stream) dial(srv *runtime.Server, id *identity) outcome {
	k := s.w.newLink(srv)
	if srv.StrictMaxConn {
		srv.Conns.Add(-1) // the place that was held: the link has one
	}
	k.st, s.link = s, k
	s.dialed = true
	if err := s.reach(k, id, k); err != nil {
		return s.dialFailed(err)
	}
	s.enterServer(srv)
	s.occupy(srv)
	switch {
	case s.Back.Mode == runtime.ModeSPOP:
		k.st = nil
		k.shareSPOP(s.c.ask.agent).attach(s)
		s.claim(k, true)
	case s.Back.Mode != runtime.ModeHTTP:
	case s.protoFor(srv) == runtime.ProtoH2, k.turnsH2():
		k.st = nil
		k.share().attach(s)
		s.claim(k, true)
		if s.link.up {
			return s.goOn()
		}
	case s.protoFor(srv) == runtime.ProtoFCGI:
		k.st = nil
		k.shareFCGI().attach(s)
		s.claim(k, true)
	case !k.mayTurnH2():
		k.beginExchange(s)
	}
	s.awaitConnection()
	return wait
}

// reach begins to connect to the link's server, as the stream wants it; h is told of the end.
func (s *stream) reach(k *link, id *identity, h loop.Handler) error {
	w, srv := s.w, k.srv
	if !k.address(s) {
		return unix.EADDRNOTAVAIL
	}
	fd, err := dial.Socket(w.cfg, srv, &k.to, &dial.Wish{From: id.source, Namespace: s.Session.NetNamespace(), Marks: s.BackMarks, FastOpen: s.fastOpen(srv)})
	if err != nil {
		return err
	}
	k.origin = origin{string(id.text), id.name, id.head, id.from}
	k.local = id.source
	k.fresh = k.head < len(k.made)
	k.protocol = s.offerFor(srv)
	var layer transport.Layer
	if srv.Encrypted() && !k.fresh {
		layer = k.secure()
	}
	if srv.Socks.IsValid() {
		layer = transport.Via(&k.sock, s.ServerAddr, layer)
		k.to = loop.AddrFrom(srv.Socks)
	}
	k.sock.Connect(w.loop, fd, &k.to, h, layer)
	return nil
}

// awaitConnection bounds the wait for a connection to stand.
func (s *stream) awaitConnection() {
	if d := first(s.Timeouts.Connect, s.Back.Timeout.Connect); d > 0 {
		s.waits = forConnect
		s.timer.After(d)
	}
}

// target is the IP address of a server as the stream reaches it. Section 5: the address of a server may be the one that the
// client wanted, and the port the client's or an offset to it.
func (s *stream) target(srv *runtime.Server) netip.AddrPort {
	ip := srv.Addr.Load().IP
	if !s.Ctx.Dst.IsValid() {
		return ip
	}
	if ip.Addr().IsUnspecified() {
		ip = netip.AddrPortFrom(s.Ctx.Dst.Addr(), ip.Port())
	}
	if srv.MapPorts {
		ip = netip.AddrPortFrom(ip.Addr(), ip.Port()+s.Ctx.Dst.Port())
	}
	return ip
}

// address fills in where the connection goes.
func (k *link) address(s *stream) bool {
	switch a := k.srv.Addr.Load(); a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		s.ServerAddr = s.target(k.srv)
		k.to = loop.AddrFrom(s.ServerAddr)
		return s.ServerAddr.IsValid()
	case runtime.FamilyUnix:
		return k.unix(a.Path)
	case runtime.FamilyAbstract:
		return k.unix(abstractName(a.Path))
	case runtime.FamilyAbstractZ:
		return k.unix("\x00" + a.Path)
	}
	return false
}

func (k *link) unix(path string) bool {
	to, err := loop.UnixAddr(path)
	k.to = to
	return err == nil
}

// dialFailed treats an error of the own side like one of the server's.
func (s *stream) dialFailed(err error) outcome {
	if s.link != nil {
		s.link.close()
		s.link = nil
	}
	if src, ok := err.(*dial.SourceError); ok {
		text := src.Error() + " for backend " + s.Back.Name
		s.w.engine.Options.Say(diag.Alert, text+". Aborting.")
		const levelEmerg = 0
		logger.Server(levelEmerg, s.Back, "%s.", text)
	}
	step := s.req.at
	if o := s.retryConnect(failedHere); o != next || s.req.at != step {
		return o
	}
	return s.connect() // to the same server, at once
}

// fastOpen tells whether what the server is sent may go with the first packet: it may have to be sent once more.
func (s *stream) fastOpen(srv *runtime.Server) bool {
	return srv.TFO && s.http && s.RetriesDone == 0 && s.Back.RetryOn.EmptyResponse && s.Back.RetryOn.ResponseTimeout
}

// dialGrace is how long a client that has left waits for a connection that is being made: most
// stand at once, and then the request has reached its server.
const dialGrace = 20 * time.Millisecond

// leaveDialing ends a request whose client left while a connection is being made.
func (s *stream) leaveDialing() {
	if d := s.timer.Deadline(); d == 0 || d > s.w.loop.Now()+int64(dialGrace) {
		s.timer.After(dialGrace)
	}
}

// connected is called when the connection to the server stands or failed.
func (s *stream) connected(err error) {
	if s.abandoned() {
		if err == nil {
			s.established()
		}
		s.clientAbort()
		return
	}
	if err != nil {
		s.trace(trace.StreamState|trace.StreamErr, trace.Error, "connection to the server failed")
		s.linkErr = err
		if state, ok := s.link.sock.Layer().(runtime.TLSState); ok {
			s.Ctx.Back.TLS = state.Info() // logs ask why
		}
		s.link.close()
		s.link = nil
		s.stopWaiting()
		failure := failedThere
		if atOnce(s.Server, err) {
			failure = failedHere
			s.Server.Stats[s.w.id].Sess.Dec()
		}
		if s.retryConnect(failure) == next {
			s.run(&s.req)
		}
		return
	}
	s.established()
	s.run(&s.req)
}

// established goes on with a connection that stands.
func (s *stream) established() {
	w := s.w
	s.stopWaiting()
	s.trace(trace.StreamState, trace.State, "connected to the server")
	s.Time.Connect = w.loop.Now()
	s.missed, s.linkErr = runtime.Termination{}, nil
	s.link.sock.Receive()
	if k := s.link.conn(); k.private {
		s.c.conn().own(k)
	}
	if s.link.conn().up {
		s.meet(s.link)
	}
	if s.http {
		logger.Reached(&s.Stream)
	}
}

// goOn is established in the step that connects, unless the client has left while a rule waited.
func (s *stream) goOn() outcome {
	s.established()
	if s.abandoned() {
		s.clientAbort()
		return end
	}
	return next
}

// meet lets logs and rules know the connection to the server. Its addresses are
// asked for once in its life.
func (s *stream) meet(k *link) {
	k = k.conn()
	if !k.met {
		k.met = true
		k.peer = s.ServerAddr
		if k.local.IsValid() {
			// What "usesrc" wants is told, whatever became of it.
		} else if a, err := loop.LocalAddr(k.sock.Fd()); err == nil {
			k.local = a.AddrPort()
		}
	}
	s.LocalAddr, s.ServerAddr, s.linkServed = k.local, k.peer, k.served
	back := &s.Ctx.Back
	back.Src, back.Dst, back.TLS = k.local, k.peer, nil
	if state, ok := k.sock.Layer().(runtime.TLSState); ok {
		back.TLS = state.Info()
	}
	if s.Back.Mode == runtime.ModeHTTP {
		back.HTTP = 1
		if _, ok := k.shared.(*shared); ok {
			back.HTTP = 2
		}
	}
}
