package engine

import (
	"hapax/runtime/h2"
	"hapax/runtime/message"
	"hapax/runtime/trace"
)

// The functions of this file tell traces of events. Those called trace are small enough to be inlined: a load and a branch
// while nothing is traced. Those called tell are called only when something is.

// trace tells of an event of the stream.
func (s *stream) trace(e trace.Event, level trace.Level, text string) {
	if s.w.traces.Any() {
		s.tell(e, level, text, 0, nil)
	}
}

// traceClient tells of a message that the client has sent or gets, traceServer of one of the server; m may be nil.
func (s *stream) traceClient(e trace.Event, level trace.Level, text string, m *message.Message) {
	if s.w.traces.Any() {
		s.tell(e, level, text, 'F', m)
	}
}

func (s *stream) traceServer(e trace.Event, level trace.Level, text string, m *message.Message) {
	if s.w.traces.Any() {
		s.tell(e, level, text, 'B', m)
	}
}

// tellStep tells that a step is run.
func (s *stream) tellStep(name string) {
	s.tell(trace.StreamStep, trace.State, "running the step "+name, 0, nil)
}

// trace tells of an event of a client's connection; n is how many bytes it is about.
func (c *client) trace(e trace.Event, level trace.Level, text string, n int) {
	if c.w.traces.Any() {
		c.tell(e, level, text, n)
	}
}

// trace tells of an event of a connection to a server.
func (k *link) trace(e trace.Event, level trace.Level, text string, n int) {
	if k.w.traces.Any() {
		k.tell(e, level, text, n)
	}
}

// tell is the rest of the functions above, for those whose events somebody may want.
func (s *stream) tell(e trace.Event, level trace.Level, text string, side byte, m *message.Message) {
	if !s.w.traces.On(e) {
		return
	}
	a := trace.About{Loop: s.w.id, Side: side, Front: s.Front, Back: s.Back, Listener: s.Session.Listener, Server: s.Server, Session: s.Session,
		Stream: &s.Stream, Own: s, Message: m}
	switch {
	case side == 'F':
		a.Conn = s.c.conn()
	case side == 'B' && s.link != nil:
		a.Conn = s.link.conn()
	}
	switch e {
	case trace.StreamFree, trace.StreamErr:
		a.Note = string(s.End.Cause) + string(s.End.State)
		a.Value = s.Status
		if s.Req.HeadLen > 0 {
			a.Message = &s.Req
		}
	}
	s.w.traces.Emit(e, level, text, &a)
}

func (c *client) tell(e trace.Event, level trace.Level, text string, n int) {
	if !c.w.traces.On(e) {
		return
	}
	x := c.conn()
	a := trace.About{Loop: c.w.id, Side: 'F', Front: x.Front, Listener: x.Listener, Session: &x.Session, Conn: x, Value: n}
	if c.st != nil {
		a.Stream, a.Own = &c.st.Stream, c.st
	}
	c.w.traces.Emit(e, level, text, &a)
}

func (k *link) tell(e trace.Event, level trace.Level, text string, n int) {
	if !k.w.traces.On(e) {
		return
	}
	a := trace.About{Loop: k.w.id, Side: 'B', Back: k.srv.Proxy, Server: k.srv, Conn: k.conn(), Value: n}
	if s := k.st; s != nil {
		a.Front, a.Session, a.Stream, a.Own = s.Front, s.Session, &s.Stream, s
	}
	k.w.traces.Emit(e, level, text, &a)
}

// tellHandshake tells that a client's header or TLS handshake did not come to a good end.
func (c *client) tellHandshake(err error) {
	if c.TLS != nil {
		c.tell(trace.SSLError, trace.Error, "SSL handshake error: "+err.Error(), 0)
	}
	c.tell(trace.SessionErr, trace.Error, "session failed before it began: "+err.Error(), 0)
}

// tellLeft tells that a client's connection is over.
func (c *client) tellLeft() {
	if c.TLS != nil {
		c.tell(trace.SSLEnd, trace.State, "SSL connection ended", 0)
	}
	if !c.http {
		c.tell(trace.PTConnEnd, trace.State, "connection ended", 0)
	}
	c.tell(trace.SessionEnd, trace.State, "releasing session", 0)
}

// tellFrame tells of what the engine of HTTP/2 has found in what came.
func (m *mux) tellFrame(ev *h2.Event) {
	e, text := trace.Event(trace.H2RxFrame), "rcvd H2 frame"
	switch ev.Kind {
	case h2.Head, h2.Trailers:
		e, text = trace.H2RxHeaders, "rcvd H2 HEADERS frame"
	case h2.Data:
		e, text = trace.H2RxData, "rcvd H2 DATA frame"
	case h2.Reset:
		e, text = trace.H2RxReset, "rcvd H2 RST_STREAM frame"
	case h2.Aborted, h2.Refused:
		e, text = trace.H2StreamErr, "H2 stream refused"
	case h2.Window:
		e, text = trace.H2RxWindow, "rcvd H2 WINDOW_UPDATE frame"
	case h2.Settings:
		e, text = trace.H2RxSettings, "rcvd H2 SETTINGS frame"
	case h2.Pong:
		e, text = trace.H2RxPing, "rcvd H2 PING frame"
	case h2.GoAway:
		e, text = trace.H2RxGoAway, "rcvd H2 GOAWAY frame"
	case h2.Failed:
		e, text = trace.H2ConnError, "H2 connection failed"
	}
	level := trace.Proto
	if e == trace.H2StreamErr || e == trace.H2ConnError {
		level = trace.Error
	}
	m.owner.tell(e, level, text, len(ev.Data))
}

// tellConnected tells how an attempt to connect to a server ended, where TLS is spoken.
func (k *link) tellConnected(err error) {
	if k.sock.Layer() == nil {
		return
	}
	if err != nil {
		k.trace(trace.SSLError, trace.Error, "SSL handshake error", 0)
		return
	}
	k.trace(trace.SSLHandshake, trace.State, "SSL handshake done", 0)
}

// tellRequest tells of the head of a request, in the words of its protocol.
func (s *stream) tellRequest() {
	if s.c.via != nil {
		s.traceClient(trace.H2RxHeaders|trace.H2StreamNew, trace.User, "rcvd H2 request", &s.Req)
		return
	}
	s.traceClient(trace.H1RxHeaders, trace.User, "rcvd H1 request headers", &s.Req)
}

// tellRequestEnd tells that all of a request is there.
func (s *stream) tellRequestEnd() {
	if s.c.via == nil {
		s.traceClient(trace.H1RxEnd, trace.User, "H1 request fully rcvd", &s.Req)
	}
}

// tellBadRequest tells of a request that is none.
func (s *stream) tellBadRequest() {
	if s.c.via != nil {
		s.traceClient(trace.H2StreamErr, trace.Error, "H2 request parsing error", nil)
		return
	}
	s.traceClient(trace.H1StreamErr, trace.Error, "H1 request parsing error", nil)
}

// tellForwarded tells of the head of a request on its way to the server.
func (s *stream) tellForwarded() {
	if s.link.ex != nil {
		s.traceServer(trace.H2TxHeaders, trace.User, "sent H2 request", &s.Req)
		return
	}
	s.traceServer(trace.H1TxHeaders, trace.User, "sending request headers", &s.Req)
}

// tellResponse tells of the head of a response that a server has sent.
func (s *stream) tellResponse() {
	if s.link.ex != nil {
		s.traceServer(trace.H2RxHeaders, trace.User, "rcvd H2 response", &s.Res)
		return
	}
	s.traceServer(trace.H1RxHeaders, trace.User, "rcvd H1 response headers", &s.Res)
}

// tellAnswer tells of the head of a response on its way to the client.
func (s *stream) tellAnswer() {
	if s.c.via != nil {
		s.traceClient(trace.H2TxHeaders, trace.User, "sent H2 response", &s.Res)
		return
	}
	s.traceClient(trace.H1TxHeaders, trace.User, "sending response headers", &s.Res)
}

// tellAnswered tells that the client was sent all of a response.
func (s *stream) tellAnswered() {
	if s.c.via == nil {
		s.traceClient(trace.H1TxEnd, trace.User, "H1 response fully xferred", &s.Res)
	}
}
