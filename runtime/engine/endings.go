package engine

import (
	"io"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// endings are the events that ended a stream, as far as it has come, on seven levels: connection, protocol and exchange of its
// client, the stream itself, and exchange, protocol and connection of its server. Nothing is noted while a stream runs: what
// the reference notes is made from how the stream stands. Section 7.3.2 "term_events".
type endings struct {
	client, server sideEndings
	strm           events
}

// sideEndings are those of one side.
type sideEndings struct {
	levels            string // the letters of connection, protocol, exchange, stream and TLS
	conn, proto, exch events
	stands            bool // there is a connection
	secure            bool // with TLS
	closes            bool // which ends with the stream
	shut              bool // it is sent no more
}

// events are those of one level, the first four: the letter of a level and the digit of what happened.
type events struct {
	text [8]byte
	n    int
	none bool // there is no such level
}

// add appends an event, but not the same one twice.
func (l *events) add(level, digit byte) {
	if l.n == len(l.text) || l.n > 0 && l.text[l.n-2] == level && l.text[l.n-1] == digit {
		return
	}
	l.text[l.n], l.text[l.n+1] = level, digit
	l.n += 2
}

// has tells whether something has happened.
func (l *events) has(digit byte) bool {
	for i := 1; i < l.n; i += 2 {
		if l.text[i] == digit {
			return true
		}
	}
	return false
}

// appendTo writes the events.
func (l *events) appendTo(b []byte) []byte {
	if l.none {
		return append(b, '-')
	}
	return append(b, l.text[:l.n]...)
}

// What becomes of connection, protocol, exchange and stream when a side sends no more; a dash: nothing.
const (
	endWhole  = "2222" // behind a whole message
	endCut    = "2555"
	errWhole  = "3332"
	errCut    = "3665"
	errUnread = "3--3" // where nothing more was expected
	pipeEnd   = "22-2"
	pipeErr   = "33-5"
	badHTTP   = "--96"

	// The same over HTTP/2, of which what failed may be the stream alone.
	sharedEnd   = "2522"
	sharedErr   = "3632"
	streamWhole = "--22"
	streamCut   = "--55"
	brokenH2    = "-9-3"
)

// read notes why a side sends no more.
func (e *endings) read(d *sideEndings, what string) {
	for i, l := range [...]*events{&d.conn, &d.proto, &d.exch, &e.strm} {
		if what[i] != '-' {
			l.add(d.levels[i], what[i])
		}
	}
	if d.secure && what[0] == '2' {
		d.conn.add(d.levels[4], '2')
	}
}

// note notes an event of the stream.
func (e *endings) note(d *sideEndings, digit byte) { e.strm.add(d.levels[3], digit) }

// end notes that a side is sent no more.
func (e *endings) end(d *sideEndings) {
	if d.shut {
		return
	}
	e.note(d, '1')
	e.endConnection(d)
}

// endConnection is end on all levels but that of the stream.
func (e *endings) endConnection(d *sideEndings) {
	d.shut = true
	if !d.stands {
		return
	}
	d.exch.add(d.levels[2], '1')
	if !d.closes {
		return
	}
	d.proto.add(d.levels[1], '1')
	if d.conn.has('1') || d.conn.has('3') {
		return // what has failed needs no end
	}
	if d.secure {
		d.conn.add(d.levels[4], '1')
	}
	d.conn.add(d.levels[0], '1')
}

// Events of a stream that are the end of neither side.
const (
	timeIsOver  = '7'
	intercepted = '8'
	badMessage  = '9'
	goAway      = '8' // of a connection
)

// ofStream fills in the endings of a stream.
func (e *endings) ofStream(s *stream) {
	e.client = sideEndings{levels: "fmesx", stands: true, secure: s.Session.TLS != nil}
	e.server = sideEndings{levels: "FMESX", stands: s.Time.Connect != 0, secure: s.Ctx.Back.TLS != nil}
	if !s.begun {
		e.unread(s)
		return
	}
	e.client.closes, e.server.closes = s.endsClient(), !s.keepsServer()
	switch {
	case e.server.stands:
	case s.linkErr != nil && s.waits != forRetry:
		e.server.conn.add('F', '7')
	default:
		e.server.proto.none, e.server.conn.none = true, true
	}
	if x := s.c.via; x != nil && x.of.away {
		e.client.proto.add('m', goAway)
	}
	if s.refused() {
		e.note(&e.client, intercepted)
	}
	if s.srvEnd == nil || s.cliDone || s.End.Cause == runtime.EndClient && !s.toCli.done {
		e.ofClient(s)
		e.ofServer(s)
	} else {
		e.ofServer(s)
		e.ofClient(s)
	}
	switch first, then := &e.server, &e.client; {
	case !s.concluded:
	case s.End.Cause == runtime.EndNone:
		first, then = then, first
		fallthrough
	default:
		e.end(first)
		e.end(then)
		if !s.http { // what a pipe reads behind its own end, it ends again
			e.endConnection(first)
			e.endConnection(then)
		}
	}
}

// endsClient tells whether the client's connection ends with the stream.
func (s *stream) endsClient() bool {
	if s.c.via != nil {
		return false
	}
	return !s.http || s.c.end != nil || !s.toCli.done || s.closing && s.toSrv.done
}

// refused tells whether a rule has answered the request, or refused it.
func (s *stream) refused() bool {
	switch s.End.Cause {
	case runtime.EndLocal:
		if !s.replied && !s.monitored {
			return false // what the reply is made of does not see it
		}
	case runtime.EndProxy, runtime.EndClientTO:
	default:
		return false
	}
	return s.End.State == runtime.InRequest || s.End.State == runtime.InTarpit
}

// unread fills in the endings of a connection that brought no request.
func (e *endings) unread(s *stream) {
	c := &e.client
	switch err := s.c.end; {
	case err == nil && s.End.Cause == runtime.EndProxy:
		c.proto.add('m', badMessage)
	case err == nil:
	case eof(err) && s.in == nil:
		e.read(c, endWhole)
	case eof(err):
		e.read(c, endCut)
	case s.in == nil:
		e.read(c, errWhole)
	default:
		e.read(c, errCut)
	}
	e.noStream()
}

// noStream leaves the levels out that only a stream has.
func (e *endings) noStream() {
	for _, l := range [...]*events{&e.client.exch, &e.strm, &e.server.exch, &e.server.proto, &e.server.conn} {
		l.none = true
	}
}

// ofClient adds what the client has brought about.
func (e *endings) ofClient(s *stream) {
	c, err := &e.client, s.c.end
	switch {
	case s.End.Cause == runtime.EndClientTO:
		if s.End.State != runtime.InRequest {
			e.note(c, timeIsOver)
		}
	case err == nil:
	case s.clientLeft() && (!s.http || s.toSrv.dec.Finished()):
		e.read(c, s.clientRead())
		if s.End.State == runtime.InTarpit {
			e.note(c, intercepted)
		}
		if !s.http || s.abortsOnClose() {
			e.end(&e.server)
		}
	default:
		if _, reset := err.(resetError); reset {
			c.exch.add(c.levels[2], '8')
		}
		e.read(c, s.clientRead())
		e.end(c)
		if s.End.State == runtime.InTarpit {
			e.note(c, intercepted)
		}
		e.end(&e.server)
	}
}

// clientRead is what ended the request.
func (s *stream) clientRead() string {
	whole := s.toSrv.dec.Finished()
	if s.c.via != nil {
		return sharedRead(s.c.end, whole)
	}
	switch err := s.c.end; {
	case !s.http && eof(err):
		return pipeEnd
	case !s.http:
		return pipeErr
	case eof(err) && whole:
		return endWhole
	case eof(err):
		return endCut
	case s.opens():
		return errWhole
	case whole:
		return errUnread
	}
	return errCut
}

// sharedRead is what ended a request over HTTP/2.
func sharedRead(err error, whole bool) string {
	switch err.(type) {
	case resetError, violation:
		if whole {
			return streamWhole
		}
		return streamCut
	case muxError:
		return brokenH2
	}
	switch left := err == io.ErrUnexpectedEOF; {
	case left && whole:
		return sharedEnd
	case left:
		return endCut
	case whole:
		return sharedErr
	}
	return errCut
}

// opens tells whether the request has no end: more may follow it.
func (s *stream) opens() bool { return s.tunnel || s.Req.Flags&message.ConnUpgrade != 0 }

// ofServer adds what the server has brought about.
func (e *endings) ofServer(s *stream) {
	srv := &e.server
	ended := s.srvEnd != nil && s.srvEnd != errUnasked && s.srvEnd != errLate
	if ended {
		e.read(srv, s.serverRead())
	}
	switch {
	case s.End.Cause == runtime.EndServerTO:
		if s.http && !s.tunnel && s.opens() && s.abortsOnClose() {
			e.note(&e.client, timeIsOver)
		}
		e.note(srv, timeIsOver)
		if s.tunnel {
			e.end(&e.client)
			if s.c.end == nil {
				e.note(&e.client, timeIsOver)
			}
		}
	case s.End.Cause == runtime.EndClientTO && s.tunnel && !ended:
		e.note(srv, timeIsOver)
	case s.End.Cause == runtime.EndProxy && !s.refused():
		e.ofResponse(s, ended)
	case !ended:
	case !s.http && eof(s.srvEnd):
		e.end(&e.client)
	case s.http && s.toSrv.done:
		e.endConnection(srv)
		e.end(&e.client)
	default:
		e.end(srv)
		e.end(&e.client)
	}
}

// ofResponse adds why a response was not passed on.
func (e *endings) ofResponse(s *stream, ended bool) {
	srv := &e.server
	switch {
	case !s.replied && (s.resHead || s.End.State == runtime.InData):
		e.note(srv, intercepted)
		return
	case !ended && s.ResFromServer == 0:
		e.read(srv, badHTTP)
		e.end(srv)
	}
	e.note(srv, badMessage)
}

// serverRead is what ended the response.
func (s *stream) serverRead() string {
	switch whole := s.tunnel || s.resHead && !s.Internal && (s.toCli.done || s.toCli.dec.UntilClose()); {
	case !s.http && eof(s.srvEnd):
		return pipeEnd
	case !s.http:
		return pipeErr
	case eof(s.srvEnd) && whole:
		return endWhole
	case eof(s.srvEnd):
		return endCut
	case whole:
		return errWhole
	}
	return errCut
}

// termEvents is the text of the endings, of the client's levels first.
func termEvents(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	var e endings
	if s := running(ctx); s != nil {
		e.ofStream(s)
	} else {
		err, _ := clientEnd(ctx)
		e.ofHandshake(err)
	}
	c, srv := &e.client, &e.server
	b := append(ctx.Scratch.Room(), '{')
	for _, l := range [...]*events{&c.conn, &c.proto, &c.exch, &e.strm, &srv.exch, &srv.proto, &srv.conn} {
		b = append(l.appendTo(b), ',')
	}
	b[len(b)-1] = '}'
	out.SetStr(ctx.Scratch.Take(b))
	out.Flags |= sample.MayChange
	return true
}

// ofHandshake fills in the endings of a connection that has not come to a stream.
func (e *endings) ofHandshake(err error) {
	e.client.proto.none = true
	e.noStream()
	switch err {
	case nil, transport.ErrHandshakeTimeout:
	case transport.ErrHandshakeClosed:
		e.client.conn.add('f', '2')
	default:
		e.client.conn.add('h', '6')
	}
}
