package h2

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"hapax/runtime/message"
)

// Verdict is what is to be done with a head.
type Verdict uint8

const (
	Good       Verdict = iota
	Malformed          // the stream was reset
	Short              // and so it was: these are the trailers of a message that is shorter than announced
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

// beginHeaders judges a HEADERS frame by its stream.
func (c *Conn) beginHeaders() Event {
	f := &c.frame
	st := c.streams[f.id]
	switch {
	case st != nil && st.RecvEnded():
		return c.protocolError()
	case st != nil || c.wasReset(f.id):
	case c.cfg.Client:
		if c.idle(f.id) {
			return c.protocolError()
		}
	case f.id&1 == 0:
		c.Counts.Headers++
		return c.protocolError()
	case f.id <= c.lastID:
		c.Glitch(1)
		return unlogged(c.fail(StreamClosed))
	case c.cfg.MaxTotal > 0 && c.opened >= c.cfg.MaxTotal+c.cfg.MaxStreams:
		c.Glitch(1)
		c.Counts.Headers++
		c.Counts.ConnErrors++
		return c.fail(EnhanceYourCalm)
	}
	return Event{}
}

// headers takes the payload of a HEADERS frame.
func (c *Conn) headers(p []byte) Event {
	f := &c.frame
	if f.flags&flagPadded != 0 {
		if len(p) == 0 || int(p[0]) >= len(p) {
			return c.protocolError()
		}
		p = p[1 : len(p)-int(p[0])]
	}
	c.Counts.Headers++
	c.opening = *f
	if f.flags&flagPriority != 0 {
		if len(p) < 5 {
			c.Glitch(1)
			return c.fail(FrameSizeError)
		}
		if parseUint31(p) == f.id {
			return c.protocolError()
		}
		p = p[5:]
	}
	if f.flags&flagEndHeaders == 0 {
		c.fragments = append(c.fragments[:0], p...)
		c.count = 0
		return Event{}
	}
	return c.complete(p)
}

func parseUint31(p []byte) uint32 {
	return (uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])) & maxStreamID
}

// continuation takes the payload of a CONTINUATION frame. Many small ones are the mark of an attack.
func (c *Conn) continuation(p []byte) Event {
	c.fragments = append(c.fragments, p...)
	c.count++
	if c.frame.flags&flagEndHeaders == 0 {
		return Event{}
	}
	if c.count > 4 && c.count > len(c.fragments)/1024 && c.Glitch((c.count+15)/16) {
		return c.fail(EnhanceYourCalm)
	}
	return c.complete(c.fragments)
}

// complete tells the owner of a complete header block, or drops one of a stream that is over.
func (c *Conn) complete(block []byte) Event {
	if block == nil {
		block = []byte{}
	}
	c.block = block
	f := c.opening
	end := f.flags&flagEndStream != 0
	st := c.streams[f.id]
	switch {
	case st == nil && (c.cfg.Client || f.id <= c.lastID):
		return c.drop()
	case st == nil && f.id > c.sentLast: // it was told that this one is not served
		c.Glitch(1)
		return c.drop()
	case st == nil:
		c.opened++
		if len(c.streams) >= int(c.cfg.MaxStreams) && c.cfg.MaxStreams > 0 {
			c.lastID = f.id
			c.Glitch(1)
			if ev := c.drop(); ev.Kind == Failed {
				return ev
			}
			c.Counts.ResetsSent++
			c.sayReset(f.id, RefusedStream)
			c.renew()
			return Event{Kind: Refused, ID: f.id}
		}
	case st.state&headDone != 0:
		if !end {
			return c.protocolError()
		}
		return Event{Kind: Trailers, Stream: st, ID: f.id, End: true}
	}
	return Event{Kind: Head, Stream: st, ID: f.id, End: end}
}

// renew tells a client that had its share of streams to come again with another connection.
func (c *Conn) renew() {
	if c.cfg.MaxTotal > 0 && c.opened >= c.cfg.MaxTotal {
		c.Drain()
	}
}

// drop decodes a block for the decoder's state alone.
func (c *Conn) drop() Event {
	if code := c.decodeBlock(nil); code != NoError {
		return c.fail(code)
	}
	return Event{}
}

// Refuse resets the stream of a Head event.
func (c *Conn) Refuse(code Code) {
	id := c.opening.id
	if ev := c.drop(); ev.Kind == Failed {
		return
	}
	c.lastID = max(c.lastID, id)
	if st := c.streams[id]; st != nil {
		c.Reset(st, code)
		return
	}
	c.sayReset(id, code)
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
	if end && m.Flags&message.ContentLength != 0 && m.BodyLength > 0 && !d.bad {
		d.bad = d.kind == requestBlock || m.Flags&message.BodylessResponse == 0
	}
	if end && d.kind == responseBlock && m.Status < 200 && m.Status != 101 {
		d.bad = true
	}
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
		return Malformed
	}
	m.HeadLen = uint32(len(m.Buf))
	if d.kind == requestBlock || m.Status >= 200 || m.Status == 101 {
		st.state |= headDone
	}
	if m.Flags&message.ContentLength != 0 && st.state&tunnel == 0 {
		st.state |= knownLength
		st.length = m.BodyLength
		if m.Flags&message.BodylessResponse != 0 && d.kind == responseBlock {
			st.length = 0
		}
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

// freshDecoder makes the decoder as good as new.
func (c *Conn) freshDecoder() {
	c.decoder = hpack.NewDecoder(uint32(c.cfg.HeaderTable), c.field)
	c.decoder.SetMaxStringLength(c.cfg.Buffer)
}

// decodeBlock decodes the block that is due into d, or nowhere.
func (c *Conn) decodeBlock(d *decoding) Code {
	block := c.block
	c.block = nil
	if d == nil {
		d = &c.decode
		*d = decoding{}
	}
	if c.decoder == nil {
		c.freshDecoder()
	}
	_, err := c.decoder.Write(block)
	if err == nil {
		err = c.decoder.Close()
	}
	if cap(c.fragments) > keptFragments {
		c.fragments = nil
	}
	if err != nil || d.broken || d.size > c.cfg.Buffer || d.fields > 2*c.cfg.Headers {
		c.Glitch(1)
		return CompressionError
	}
	c.opening.id = 0
	return NoError
}

// keptFragments is how much memory for split header blocks a connection keeps.
const keptFragments = 4096

// field takes a decoded field in.
func (c *Conn) field(f hpack.HeaderField) {
	d := &c.decode
	d.size += len(f.Name) + len(f.Value)
	d.fields++
	d.broken = d.broken || f.Name == ""
	if d.m == nil || d.bad || d.size > c.cfg.Buffer {
		return
	}
	d.bad = !d.take(f.Name, f.Value)
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

// startRequest makes the start line of the pseudo headers, which are complete, and the Host of the authority.
func (d *decoding) startRequest() bool {
	m := d.m
	if d.seen&(1<<status) != 0 || !d.has(method) {
		return false
	}
	connect := string(d.text(method)) == "CONNECT"
	tunnels := connect && d.seen&(1<<protocol) != 0
	switch {
	case tunnels:
		if !d.extended || !d.has(scheme, path, authority) {
			return false
		}
	case connect:
		if d.seen&(1<<scheme|1<<path) != 0 || !d.has(authority) {
			return false
		}
	case !d.has(scheme, path) || d.seen&(1<<protocol) != 0:
		return false
	}
	if d.has(path) {
		if p := d.text(path); len(p) == 0 || p[0] != '/' && string(p) != "*" {
			return false
		}
	}
	if d.has(authority) && !message.ValidAuthority(d.text(authority)) {
		return false
	}
	m.Line[0] = d.pseudo[method]
	if tunnels {
		m.Line[0], _ = d.put("GET")
	}
	m.Method = message.MethodOf(m.MethodName())
	if !d.makeURI() || m.Line[0].Len == 0 || m.Line[1].Len == 0 {
		return false
	}
	d.unusual = d.unusual || !isToken(m.MethodName()) || !plainURI(m.URI()) || message.EqualFold(m.MethodName(), "PRI") // which is the preface's
	var ok bool
	m.Line[2], ok = d.put("HTTP/2.0")
	if !ok {
		return false
	}
	if d.has(authority) {
		d.hosted = true
		n, ok := d.put("host")
		return ok && d.append(message.Field{Name: n, Value: d.pseudo[authority], ID: message.Host})
	}
	return true
}

// makeURI puts the URI together.
func (d *decoding) makeURI() bool {
	m := d.m
	if !d.has(scheme) {
		m.Line[1] = d.pseudo[authority]
		m.Flags |= message.HasAuthority
		return true
	}
	m.Flags |= message.HasScheme
	switch s := d.text(scheme); {
	case message.EqualFold(s, "http"):
		m.Flags |= message.SchemeHTTP
	case message.EqualFold(s, "https"):
		m.Flags |= message.SchemeHTTPS
	case !validScheme(s):
		d.unusual = true
	}
	if !d.has(authority) {
		m.Line[1] = d.pseudo[path]
		return true
	}
	m.Flags |= message.HasAuthority
	if m.Flags&(message.SchemeHTTP|message.SchemeHTTPS) != 0 {
		m.Flags |= message.NormalizedURI
	}
	at := len(m.Buf)
	if int(d.pseudo[scheme].Len+d.pseudo[authority].Len+d.pseudo[path].Len)+len("://") > cap(m.Buf)-at {
		return false
	}
	m.Buf = append(m.Buf, d.text(scheme)...)
	m.Buf = append(m.Buf, "://"...)
	m.Buf = append(m.Buf, d.text(authority)...)
	if p := d.text(path); string(p) != "*" {
		m.Buf = append(m.Buf, p...)
	}
	m.Line[1] = message.Span{Off: uint32(at), Len: uint32(len(m.Buf) - at)}
	return true
}

// finishRequest completes a request whose block was decoded.
func (d *decoding) finishRequest(st *Stream, end bool) {
	m := d.m
	if d.bad = d.bad || !d.regular && !d.startRequest(); d.bad {
		return
	}
	m.Flags |= message.Version11 | message.LengthKnown
	if m.Method == message.HEAD {
		m.Flags |= message.BodylessResponse
		st.state |= bodyless
	}
	tunnels := d.has(protocol)
	switch {
	case tunnels || m.Method == message.CONNECT:
		st.state |= tunnel
		m.Flags = m.Flags&^message.ContentLength | message.Bodyless
		m.BodyLength = 0
	case end:
		m.Flags |= message.Bodyless
	case m.Flags&message.ContentLength == 0:
		m.Flags |= message.Framed
	}
	if tunnels {
		st.state |= extended
		d.bad = !d.addUpgrade()
	}
	switch {
	case d.cookies > 1:
		d.bad = d.bad || !d.mergeCookies()
	case d.cookies == 1:
		d.moveCookie()
	}
	if d.has(scheme) && !d.bad {
		d.bad = m.NormalizeTarget() != nil
	}
}

// addUpgrade makes the extended CONNECT method what HTTP/1.1 says in its place.
func (d *decoding) addUpgrade() bool {
	m := d.m
	p := d.text(protocol)
	if message.EqualFold(p, "h2c") || message.EqualFold(p, "h2") {
		return false
	}
	m.Flags |= message.ConnUpgrade | message.UpgradeHeader
	if message.EqualFold(p, "websocket") {
		m.Flags |= message.UpgradeWebSocket
	}
	n, ok := d.put("upgrade")
	return ok && d.append(message.Field{Name: n, Value: d.pseudo[protocol], ID: message.Upgrade}) && d.add("connection", "upgrade")
}

// moveCookie makes the only Cookie the last field, where the reference has it.
func (d *decoding) moveCookie() {
	m := d.m
	i := m.FindID(message.Cookie, 0)
	f := m.Fields[i]
	m.Remove(i)
	m.Fields = append(m.Fields, f)
}

// mergeCookies makes one Cookie of its crumbs (RFC 9113, 8.2.3), as the last field.
func (d *decoding) mergeCookies() bool {
	m := d.m
	at := len(m.Buf)
	var name message.Span // of the crumb before; empty: there is none
	for i := m.FindID(message.Cookie, 0); i >= 0; i = m.FindID(message.Cookie, i) {
		v := m.Value(i)
		if len(v)+2 > cap(m.Buf)-len(m.Buf) {
			return false
		}
		if name.Len > 0 {
			m.Buf = append(m.Buf, "; "...)
		}
		m.Buf = append(m.Buf, v...)
		name = m.Fields[i].Name
		m.Remove(i)
	}
	return d.append(message.Field{Name: name, Value: message.Span{Off: uint32(at), Len: uint32(len(m.Buf) - at)}, ID: message.Cookie})
}

// finishResponse completes a response whose block was decoded.
func (d *decoding) finishResponse(st *Stream, end bool) {
	m := d.m
	if d.bad || d.seen != 1<<status || !d.statusLine(st) {
		d.bad = true
		return
	}
	m.Flags |= message.Version11 | message.LengthKnown
	code := m.Status
	if st.state&bodyless != 0 {
		m.Method = message.HEAD
	}
	switch {
	case st.state&tunnel != 0 && (code == 101 || code >= 200 && code < 300):
		m.Flags = m.Flags&^message.ContentLength | message.Bodyless
		m.BodyLength = 0
	case code < 200:
		m.Flags |= message.Bodyless
	case code == 204 || code == 304 || m.Method == message.HEAD:
		m.Flags |= message.Bodyless | message.BodylessResponse
	case end || m.Flags&message.ContentLength != 0 && m.BodyLength == 0:
		m.Flags |= message.Bodyless
	case m.Flags&message.ContentLength == 0:
		m.Flags |= message.Framed
	}
	if code >= 200 && m.Flags&message.Bodyless == 0 || code >= 300 {
		st.state &^= tunnel
	}
}

// statusLine makes the start line of a response. What the extended CONNECT method accepts with 200 is 101 in HTTP/1.1.
func (d *decoding) statusLine(st *Stream) bool {
	m := d.m
	s := d.text(status)
	if len(s) != 3 {
		return false
	}
	code := 0
	for _, b := range s {
		if b < '0' || b > '9' {
			return false
		}
		code = code*10 + int(b-'0')
	}
	if code == 101 {
		return false
	}
	if st.state&extended != 0 && code == 200 {
		code = 101
		m.Flags |= message.ConnUpgrade
	}
	return m.SetStatusLine("HTTP/2.0", code, "") == nil
}

// lowerToken tells whether a field name holds nothing but what may stand in one, without capitals.
func lowerToken(name string) bool {
	for i := 0; i < len(name); i++ {
		if token[name[i]] != lowerByte {
			return false
		}
	}
	return true
}

func isToken(p []byte) bool {
	for _, b := range p {
		if token[b] == 0 {
			return false
		}
	}
	return true
}

// plain tells whether a value is free of what ends a line.
func plain(v string) bool {
	for i := 0; i < len(v); i++ {
		if b := v[i]; b <= '\r' && (b == '\r' || b == '\n' || b == 0) {
			return false
		}
	}
	return true
}

// plainURI tells whether a URI is free of blanks and controls.
func plainURI(p []byte) bool {
	for _, b := range p {
		if b <= ' ' || b == 0x7f {
			return false
		}
	}
	return true
}

func validScheme(s []byte) bool {
	for i, b := range s {
		alpha := b|0x20 >= 'a' && b|0x20 <= 'z'
		if !alpha && (i == 0 || (b < '0' || b > '9') && b != '+' && b != '-' && b != '.') {
			return false
		}
	}
	return len(s) > 0
}

// trim takes surrounding blanks off a value.
func trim(v string) string { return strings.Trim(v, " \t") }

const (
	lowerByte = 1
	upperByte = 2
)

// token tells what may stand in a token.
var token = func() (t [256]uint8) {
	for _, b := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		t[b] = lowerByte
	}
	for b := 'A'; b <= 'Z'; b++ {
		t[b] = upperByte
	}
	return t
}()
