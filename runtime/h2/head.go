package h2

import (
	"hapax/runtime/message"
)

// Verdict is what is to be done with a head.
type Verdict uint8

const (
	Good       Verdict = iota
	Malformed          // the stream was reset
	Short              // and so it was, for the message is shorter than announced: what came of it may be passed on
	BadRequest         // a request that is to be answered 400: its stream is open
	Broken             // the connection is over: GOAWAY was said
)

// decoding is a header block on its way into a message.
type decoding struct {
	m        *message.Message // nil: the block is decoded for the decoder's state alone
	kind     blockKind
	relaxed  bool // section 4.2 "option accept-unsafe-violations-in-http-request"
	extended bool // :protocol is allowed
	broken   bool // a field without a name came: to the reference, that is no header block
	bad      bool // the message is malformed
	unusual  bool // and so is this one, but it can be answered
	regular  bool // a field that is no pseudo header came
	seen     uint8
	pseudo   [pseudos]message.Span
	hosted   bool // a Host is there
	cookies  int
	size     int // of all fields
	fields   int
}

type blockKind uint8

const (
	requestBlock blockKind = iota
	responseBlock
	trailerBlock
)

// Pseudo headers, as bits of decoding.seen are numbered.
const (
	method = iota
	scheme
	authority
	path
	status
	protocol
	pseudos
)

func pseudoOf(name string) int {
	switch name {
	case ":method":
		return method
	case ":scheme":
		return scheme
	case ":authority":
		return authority
	case ":path":
		return path
	case ":status":
		return status
	case ":protocol":
		return protocol
	}
	return pseudos
}

// ReadHead decodes the head of a Head event into m, an empty message over a buffer of tune.bufsize bytes. st is the
// stream of the event, or the one that a request opens. relaxed is "option accept-unsafe-violations-in-http-request".
//
// The URI of a request is in absolute form (message.NormalizedURI) unless it has no authority; m.HeadLen is where a body
// would begin in the buffer: none is there.
func (c *Conn) ReadHead(st *Stream, m *message.Message, relaxed bool) Verdict {
	f := c.opening
	end := f.flags&flagEndStream != 0
	d := &c.decode
	*d = decoding{m: m, relaxed: relaxed, extended: c.cfg.ExtendedConnect}
	if c.cfg.Client {
		d.kind = responseBlock
		m.Flags |= message.Response
	}
	if code := c.decodeBlock(d); code != NoError {
		c.fail(code)
		return Broken
	}
	if !c.cfg.Client {
		c.add(st, f.id)
	}
	if d.kind == responseBlock {
		d.finishResponse(st, end)
	} else {
		d.finishRequest(st, end)
	}
	if len(m.Fields)+1 > c.cfg.Headers || m.Stored()+len(m.Fields)*perStored+perMessage > c.cfg.Buffer-c.cfg.Rewrite {
		d.bad = true
	}
	verdict := Malformed
	if end && m.Flags&message.ContentLength != 0 && m.BodyLength > 0 && m.Flags&message.BodylessResponse == 0 && !d.bad {
		d.bad = true
		if d.kind == responseBlock {
			verdict = Short
		}
	}
	if end && d.kind == responseBlock && m.Status < 200 && m.Status != 101 {
		d.bad = true
	}
	m.HeadLen = uint32(len(m.Buf))
	tooMany := d.bad && c.Glitch(1)
	if !c.cfg.Client {
		c.lastID = f.id
	}
	c.renew()
	if tooMany {
		c.remove(st)
		c.fail(EnhanceYourCalm)
		return Broken
	}
	if d.bad {
		c.Counts.StreamErrors++
		c.Counts.ResetsSent++
		c.Reset(st, ProtocolError)
		return verdict
	}
	if d.kind == requestBlock || m.Status >= 200 || m.Status == 101 {
		st.state |= headDone
	}
	if m.Flags&message.ContentLength != 0 && st.state&tunnel == 0 && m.Status != 204 && m.Status != 304 {
		st.state |= knownLength
		st.length = m.BodyLength
	}
	if end {
		c.endRecv(st)
	} else if st.state&countedInRecv == 0 {
		st.state |= countedInRecv
		c.receiving++
		c.widen(st)
	}
	if d.unusual {
		return BadRequest
	}
	return Good
}

// The reference's own bookkeeping per field and message: with it heads are refused at the same size.
const (
	perStored  = 8
	perMessage = 40 + 28 + 9
)

// ReadTrailers decodes the trailers of an event into m.
func (c *Conn) ReadTrailers(st *Stream, m *message.Message) Verdict {
	d := &c.decode
	*d = decoding{m: m, kind: trailerBlock}
	if code := c.decodeBlock(d); code != NoError {
		c.fail(code)
		return Broken
	}
	switch {
	case d.bad, len(m.Fields) > c.cfg.Headers:
		c.abort(st, ProtocolError)
		return Malformed
	case st.state&knownLength != 0 && st.length > 0:
		c.abort(st, ProtocolError)
		return Short
	}
	c.endRecv(st)
	return Good
}

// take adds a field to the message; false: the message is malformed.
func (d *decoding) take(name, value string) bool {
	if name == "" {
		return false
	}
	if name[0] == ':' {
		return d.takePseudo(name, value)
	}
	if !lowerToken(name) || !plain(value) {
		return false
	}
	id := message.HeaderIDOf(name)
	if id != message.Cookie || d.kind != requestBlock {
		value = trim(value) // crumbs are joined as they are
	}
	if d.kind == trailerBlock {
		return !forbiddenTrailer(id) && d.add(name, value)
	}
	if !d.regular {
		d.regular = true
		if d.kind == requestBlock && !d.startRequest() {
			return false
		}
	}
	switch id {
	case message.Host:
		if d.kind == requestBlock {
			if d.hosted {
				return true
			}
			d.hosted = true
			if !message.ValidAuthority([]byte(value)) {
				return false
			}
		}
	case message.ContentLengthHeader:
		return d.contentLength(name, value)
	case message.Connection, message.ProxyConnection, message.KeepAlive, message.Upgrade, message.TransferEncodingHeader:
		return false
	case message.TE:
		if d.kind == requestBlock && value != "trailers" {
			return false
		}
	case message.Cookie:
		if d.kind == requestBlock {
			d.cookies++
		}
	}
	return d.add(name, value)
}

// forbiddenTrailer tells what may stand in a head only.
func forbiddenTrailer(id message.HeaderID) bool {
	switch id {
	case message.Host, message.ContentLengthHeader, message.Connection, message.ProxyConnection, message.KeepAlive,
		message.Upgrade, message.TE, message.TransferEncodingHeader:
		return true
	}
	return false
}

// takePseudo notes a pseudo header.
func (d *decoding) takePseudo(name, value string) bool {
	p := pseudoOf(name)
	if p == pseudos || d.kind == trailerBlock || d.regular || d.seen&(1<<p) != 0 {
		return false
	}
	if p == path && !d.relaxed {
		for i := 0; i < len(value); i++ {
			if value[i] <= ' ' || value[i] == '#' {
				return false
			}
		}
	} else if !plain(value) {
		return false
	}
	d.seen |= 1 << p
	var ok bool
	d.pseudo[p], ok = d.put(value)
	return ok
}

// contentLength takes a Content-Length: more than one are fine when they say the same.
func (d *decoding) contentLength(name, value string) bool {
	m := d.m
	first := m.Flags&message.ContentLength == 0
	at, ok := d.put(value)
	if !ok {
		return false
	}
	word, ok := m.ReadContentLength(at)
	if !ok || !first {
		return ok
	}
	n, ok := d.put(name)
	return ok && d.append(message.Field{Name: n, Value: word, ID: message.ContentLengthHeader})
}

func (d *decoding) put(s string) (message.Span, bool) {
	m := d.m
	if len(s) > cap(m.Buf)-len(m.Buf) {
		return message.Span{}, false
	}
	at := len(m.Buf)
	m.Buf = append(m.Buf, s...)
	return message.Span{Off: uint32(at), Len: uint32(len(s))}, true
}

func (d *decoding) append(f message.Field) bool {
	m := d.m
	if len(m.Fields) == cap(m.Fields) {
		return false
	}
	m.Fields = append(m.Fields, f)
	return true
}

func (d *decoding) add(name, value string) bool {
	n, ok := d.put(name)
	v, ok2 := d.put(value)
	return ok && ok2 && d.append(message.Field{Name: n, Value: v, ID: message.HeaderIDOf(name)})
}

// has tells whether all the pseudo headers came.
func (d *decoding) has(which ...int) bool {
	for _, p := range which {
		if d.seen&(1<<p) == 0 {
			return false
		}
	}
	return true
}

func (d *decoding) text(p int) []byte { return d.m.Bytes(d.pseudo[p]) }
