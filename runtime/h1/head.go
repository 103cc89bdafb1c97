package h1

import (
	"bytes"
	"encoding/binary"

	"hapax/runtime/message"
)

// field takes in the header field whose line is complete; p.at is the begin of the next one. It gives
// the offset of an error, or -1.
func (p *Parser) field(m *message.Message) int {
	b := m.Buf
	for p.value < p.end && isLWS(b[p.value]) {
		p.value++
	}
	for p.end > p.value+1 && isLWS(b[p.end-1]) {
		p.end--
	}
	f := message.Field{
		Name:  message.Span{Off: p.start, Len: p.colon - p.start},
		Value: message.Span{Off: p.value, Len: p.end - p.value},
	}
	if len(m.Fields) >= p.limits.Headers || len(m.Fields) == cap(m.Fields) {
		return int(p.at)
	}
	name := b[p.start:p.colon]
	if p.ErrPos >= 0 && !isToken(name) {
		return -1 // such a field is left out
	}
	f.ID = message.FieldID(name)
	switch f.ID {
	case message.TransferEncodingHeader:
		if bad, fatal := transferEncoding(m, b[p.value:p.end]); bad {
			if fatal || !p.response || !p.tolerate(HeaderL2LWS, p.at) {
				return int(p.value)
			}
		}
	case message.ContentLengthHeader:
		first := m.Flags&message.ContentLength == 0
		v, ok := m.ReadContentLength(f.Value)
		if !ok {
			return int(p.value)
		}
		if !first {
			return -1
		}
		f.Value = v
	case message.Connection:
		if p.trailers || p.opts&Stored != 0 {
			break
		}
		f.Value = connectionTokens(m, b, f.Value)
		if f.Value.Len == 0 {
			return -1
		}
	case message.Upgrade:
		f.Value = upgradeTokens(m, b, f.Value)
		if f.Value.Len == 0 {
			return -1
		}
	case message.Host:
		if p.response {
			break
		}
		v := m.Bytes(f.Value)
		if p.host >= 0 {
			if !message.EqualFold(v, m.Value(p.host)) {
				return int(p.value)
			}
			return -1 // said twice
		}
		if !message.ValidAuthority(v) {
			return int(p.value)
		}
		p.host = len(m.Fields)
	}
	m.Fields = append(m.Fields, f)
	return -1
}

// transferEncoding reads one Transfer-Encoding value. bad tells of an error that AcceptUnsafe may let
// pass in a response, fatal of one that nothing does: a coding behind "chunked" in a request would hide
// where the message ends.
func transferEncoding(m *message.Message, v []byte) (bad, fatal bool) {
	if len(v) == 0 {
		return true, false
	}
	m.Flags |= message.TransferEncoding
	for at := 0; at < len(v); at++ {
		if isLWS(v[at]) {
			continue
		}
		n := at + message.ValueEnd(v[at:])
		if n+1 == len(v) {
			bad = true // nothing behind the last comma
		}
		word := trimRight(v[at:n])
		m.Flags &^= message.Chunked
		switch {
		case len(word) == 0:
			bad = true
		case message.EqualFold(word, "chunked"):
			if m.Flags&message.ChunkedOnce != 0 {
				bad = true
			}
			m.Flags |= message.ChunkedOnce | message.Chunked
		case m.Flags&(message.Response|message.ChunkedOnce) == message.ChunkedOnce:
			return true, true
		default:
			m.Flags |= message.OtherCoding
		}
		at = n
	}
	return bad, false
}

// connectionTokens notes what a Connection value asks for and takes "close" and "keep-alive", which
// concern this connection only, out of it, in place.
func connectionTokens(m *message.Message, b []byte, v message.Span) message.Span {
	return filterList(b, v, func(word []byte) bool {
		switch {
		case message.EqualFold(word, "keep-alive"):
			m.Flags |= message.ConnKeepAlive
			return false
		case message.EqualFold(word, "close"):
			m.Flags |= message.ConnClose
			return false
		case message.EqualFold(word, "upgrade"):
			m.Flags |= message.ConnUpgrade
		}
		return true
	})
}

// upgradeTokens notes what an Upgrade value asks for and takes h2 and h2c out of it, in place: an
// upgrade to HTTP/2 is never made.
func upgradeTokens(m *message.Message, b []byte, v message.Span) message.Span {
	v = filterList(b, v, func(word []byte) bool {
		if message.EqualFold(word, "websocket") {
			m.Flags |= message.UpgradeWebSocket
		}
		return !message.EqualFold(word, "h2c") && !message.EqualFold(word, "h2")
	})
	if v.Len > 0 {
		m.Flags |= message.UpgradeHeader
	}
	return v
}

// filterList keeps the words of a comma-separated list that keep accepts. What stands before the first
// word that goes stays as it is; the words behind it are joined with bare commas.
func filterList(b []byte, v message.Span, keep func(word []byte) bool) message.Span {
	out := message.Span{Off: v.Off}
	copied := v.Off // up to here the list is unchanged
	end := v.End()
	for at := v.Off; at < end; at++ {
		if isLWS(b[at]) {
			continue
		}
		n := at + uint32(message.ValueEnd(b[at:end]))
		word := trimRight(b[at:n])
		if keep(word) {
			if out.End() == copied {
				out.Len = n - out.Off
			} else {
				if out.Len > 0 {
					b[out.End()] = ','
					out.Len++
				}
				out.Len += uint32(copy(b[out.End():end], word))
			}
		}
		at, copied = n, n
	}
	return out
}

// finish judges the complete head and tells how the message is framed.
func (p *Parser) finish(m *message.Message) Result {
	m.HeadLen = p.at
	if p.cgi {
		p.cgiStatusLine(m)
	}
	if !p.response && !p.trailers {
		m.Method = message.MethodOf(m.MethodName())
		if at, state := p.target(m); at >= 0 {
			return p.invalid(state, uint32(at))
		}
	}
	if m.Flags&message.TransferEncoding != 0 {
		if m.Flags&message.Chunked == 0 && !p.response {
			return p.invalid(Data, p.at)
		}
		if m.Flags&message.ContentLength != 0 {
			if p.opts&KeepInsecure == 0 {
				m.Flags |= message.ConnClose
			}
			m.Flags &^= message.ContentLength
			m.BodyLength = 0
			m.RemoveAllID(message.ContentLengthHeader)
		} else if !p.trailers && !p.version11(m) {
			m.Flags |= message.ConnClose
		}
	}
	if p.trailers {
		p.lowerNames(m)
		p.State = Done
		return Complete
	}
	p.State = Data
	if m.Flags&message.Chunked != 0 {
		p.State = ChunkSize
	}
	if !p.version(m) {
		word := 2
		if p.response {
			word = 0
		}
		return p.invalid(p.State, m.Line[word].Off)
	}
	if p.size(m) > p.limits.Buffer-messageOverhead-p.limits.Rewrite {
		p.invalid(p.State, p.at)
		if !p.response {
			p.Status = 431
		}
		return Invalid
	}
	if p.response {
		p.frameResponse(m)
	} else {
		p.frameRequest(m)
		if p.forbiddenPayload(m) {
			p.invalid(p.State, p.at)
			p.Status = 413
			return Invalid
		}
	}
	if m.Flags&message.OtherCoding != 0 && p.opts&Stored != 0 {
		m.RemoveAllID(message.TransferEncodingHeader)
		m.Flags &^= message.OtherCoding | message.TransferEncoding
	}
	if m.Flags&message.OtherCoding != 0 {
		p.invalid(p.State, p.at)
		if !p.response {
			p.Status = 422
		}
		return Invalid
	}
	if p.ErrPos >= 0 {
		p.Glitches++
	}
	if !p.webSocketKey(m) {
		if !p.tolerate(p.State, p.at) {
			return p.invalid(p.State, p.at)
		}
		p.Glitches++
	}
	p.lowerNames(m)
	if !p.response {
		p.tidyUpgrade(m)
		p.noteAuthority(m)
	}
	p.ErrState = p.State
	return Complete
}

// version11 tells of the version as written, before it is known to be well formed.
func (p *Parser) version11(m *message.Message) bool {
	v := m.Line[2]
	if p.response {
		v = m.Line[0]
	}
	if v.Len != 8 {
		return false
	}
	b := m.Bytes(v)
	return b[5] > '1' || b[5] == '1' && b[7] >= '1'
}

// version checks the form of the version and notes whether it is 1.1 or later.
func (p *Parser) version(m *message.Message) bool {
	word := &m.Line[2]
	if p.response {
		word = &m.Line[0]
	}
	v := m.Bytes(*word)
	formed := len(v) == 8 && string(v[:5]) == "HTTP/" && v[5]-'0' <= 9 && v[6] == '.' && v[7]-'0' <= 9
	if p.version11(m) {
		m.Flags |= message.Version11
	}
	switch {
	case formed:
		return true
	case p.opts&AcceptUnsafe == 0:
		return false
	case len(v) == 0 && !p.response:
		// A bare "GET /uri" of HTTP/0.9 goes on as HTTP/1.0.
		return m.Method == message.GET && m.Line[1].Len > 0 && m.SetVersion("HTTP/1.0") == nil
	}
	m.Flags |= message.NotHTTP
	return true
}

// target checks the form of the URI against the method and the Host header. It gives the offset of an
// error, or -1, and the state to report with it: a form that does not suit the method has that of the
// request line, a host that AcceptUnsafe lets pass that of the end of the head.
func (p *Parser) target(m *message.Message) (int, State) {
	at := int(m.Line[1].Off)
	uri := m.URI()
	u := message.SplitURI(uri)
	switch u.Form {
	case message.OriginForm:
		if m.Method == message.CONNECT {
			return at, RequestMethod
		}
		return -1, 0
	case message.AsteriskForm:
		// "PRI * HTTP/2.0" has to get through to its caller.
		if m.Method != message.OtherMethod && m.Method != message.OPTIONS || len(uri) != 1 {
			return at, RequestMethod
		}
		return -1, 0
	case message.EmptyForm:
		return at, RequestMethod
	}
	host := u.Host()
	if !message.ValidAuthority(host) && !p.tolerate(LastLF, uint32(at)) {
		return at, LastLF
	}
	if (u.Form == message.AuthorityForm) != (m.Method == message.CONNECT) {
		return at, RequestMethod
	}
	if u.Form == message.AuthorityForm {
		return p.connectTarget(m, host), LastLF
	}
	if p.host >= 0 {
		v := m.Value(p.host)
		if !message.EqualFold(host, v) && !sameDefault(u.Scheme, host, v) {
			if at := m.Fields[p.host].Value.Off; !p.tolerate(LastLF, at) {
				return int(at), LastLF
			}
		}
	}
	return -1, 0
}

// connectTarget checks the authority of a CONNECT request, which must name a port, and that the Host
// header says the same; a default port is taken off the latter.
func (p *Parser) connectTarget(m *message.Message, authority []byte) int {
	at := m.Line[1].Off
	name, port := cutPort(authority)
	if len(port) == 0 {
		if !p.tolerate(LastLF, at) {
			return int(at)
		}
		return -1
	}
	if p.host < 0 {
		return -1
	}
	field := &m.Fields[p.host].Value
	host, hostPort := cutPort(m.Bytes(*field))
	same := message.EqualFold(host, name)
	if len(hostPort) > 0 {
		same = same && bytes.Equal(port, hostPort)
	} else {
		same = same && message.DefaultPort(nil, port)
	}
	switch {
	case same && len(hostPort) > 0 && message.DefaultPort(nil, port):
		field.Len = uint32(len(host))
	case !same && !p.tolerate(LastLF, field.Off):
		return int(field.Off)
	}
	return -1
}

// sameDefault tells whether the authority of an absolute URI and a Host header that are not equal
// differ only in a default port that one of them leaves out.
func sameDefault(scheme, authority, host []byte) bool {
	name, port := cutPort(authority)
	hostName, hostPort := cutPort(host)
	switch {
	case port == nil && hostPort == nil:
		return false
	case port != nil && !message.DefaultPort(scheme, port):
		return false
	case hostPort != nil && !message.DefaultPort(scheme, hostPort):
		return false
	}
	return message.EqualFold(name, hostName)
}

// cutPort splits a host before the colon of its port.
func cutPort(host []byte) (name, port []byte) {
	port = message.HostPort(host)
	if port == nil {
		return host, nil
	}
	return host[:len(host)-len(port)-1], port
}

// frameRequest tells how the body of a request ends.
func (p *Parser) frameRequest(m *message.Message) {
	m.Flags |= message.LengthKnown
	switch {
	case m.Method == message.CONNECT:
		m.Flags &^= message.ContentLength | message.Chunked
		m.BodyLength = 0
		p.State = Done
	case m.Method == message.HEAD:
		m.Flags |= message.BodylessResponse
	}
	if m.Flags&message.Chunked == 0 && m.BodyLength == 0 {
		m.Flags |= message.Bodyless
		p.State = Done
	}
}

// tidyUpgrade takes Upgrade away without "connection: upgrade" and that word without Upgrade.
func (p *Parser) tidyUpgrade(m *message.Message) {
	switch m.Flags & (message.ConnUpgrade | message.UpgradeHeader) {
	case message.UpgradeHeader:
		m.RemoveAllID(message.Upgrade)
		m.Flags &^= message.UpgradeHeader
	case message.ConnUpgrade:
		for i := m.FindID(message.Connection, 0); i >= 0; i = m.FindID(message.Connection, i) {
			v := &m.Fields[i].Value
			*v = filterList(m.Buf, *v, func(word []byte) bool { return !message.EqualFold(word, "upgrade") })
			if v.Len == 0 {
				m.Remove(i)
			} else {
				i++
			}
		}
		m.Flags &^= message.ConnUpgrade
	}
}

// noteAuthority sets the flags of a URI that holds an authority, and normalizes it.
func (p *Parser) noteAuthority(m *message.Message) {
	switch uri := m.URI(); {
	case m.Method == message.CONNECT:
		m.Flags |= message.HasAuthority
	case len(uri) > 0 && uri[0] != '/' && uri[0] != '*':
		m.Flags |= message.HasAuthority
		m.NoteScheme()
		m.NormalizeTarget()
	}
}

// frameResponse tells how the body of a response ends.
func (p *Parser) frameResponse(m *message.Message) {
	m.Flags |= message.Response
	m.Method = p.method
	code := m.Status
	if code != 101 {
		m.Flags &^= message.ConnUpgrade | message.UpgradeWebSocket
	}
	const framing = message.ContentLength | message.Chunked
	dropFraming := func() {
		if m.Flags&message.TransferEncoding != 0 {
			m.RemoveAllID(message.TransferEncodingHeader)
		}
		if m.Flags&message.ContentLength != 0 {
			m.RemoveAllID(message.ContentLengthHeader)
		}
		m.Flags &^= framing
		m.BodyLength = 0
	}
	switch {
	case p.method == message.CONNECT && code >= 200 && code < 300, code == 101:
		dropFraming()
		m.Flags |= message.LengthKnown | message.Bodyless
	case p.method == message.HEAD, code >= 100 && code < 200, code == 204, code == 304:
		if code >= 100 && code < 200 || code == 204 {
			dropFraming()
		}
		m.Flags |= message.LengthKnown | message.Bodyless
		if code >= 200 {
			m.Flags |= message.BodylessResponse
		}
	case m.Flags&framing != 0:
		m.Flags |= message.LengthKnown
		if m.Flags&message.Chunked == 0 && m.BodyLength == 0 {
			m.Flags |= message.Bodyless
		}
	}
	if m.Flags&message.Bodyless != 0 {
		p.State = Done
	}
}

// forbiddenPayload tells of an HTTP/1.0 request whose method has no body and that brings one: an old
// intermediary may take it for another request.
func (p *Parser) forbiddenPayload(m *message.Message) bool {
	if p.opts&AnyMethodPayload != 0 || m.Flags&message.Version11 != 0 || m.Flags&message.Bodyless != 0 {
		return false
	}
	return m.Method == message.GET || m.Method == message.HEAD || m.Method == message.DELETE
}

// What the reference's own bookkeeping takes from a buffer of tune.bufsize: with it heads are refused at
// the same size. A buffer is full when no field could be added to what was received.
const (
	messageOverhead = 40
	bufferOverhead  = messageOverhead + 2*fieldOverhead
)

// The reference's bookkeeping per part of a head, in bytes.
const (
	fieldOverhead = 8
	lineOverhead  = 28
	endOverhead   = 9
)

// size is the room that the head takes in the reference's buffer.
func (p *Parser) size(m *message.Message) int {
	n := lineOverhead + endOverhead + int(m.Line[0].Len+m.Line[1].Len+m.Line[2].Len)
	for i := range m.Fields {
		n += fieldOverhead + int(m.Fields[i].Name.Len+m.Fields[i].Value.Len)
	}
	return n
}

// Room is what is left for a body in the reference's buffer that holds the head.
func (p *Parser) Room(m *message.Message) int {
	return p.limits.Buffer - messageOverhead - p.size(m) - fieldOverhead
}

// lowerNames puts the field names in lower case. It comes last, so that what is captured of a bad
// message is as it was received.
func (p *Parser) lowerNames(m *message.Message) {
	for i := range m.Fields {
		lower(m.Buf, m.Fields[i].Name)
	}
}

// lower puts the letters of a name in lower case, eight bytes at a time where the buffer allows it.
func lower(b []byte, name message.Span) {
	const ones = 0x0101010101010101
	at, end := name.Off, name.End()
	for ; at < end && int(at)+8 <= len(b); at += 8 {
		w := binary.LittleEndian.Uint64(b[at:])
		// Names are ASCII: the high bit of each byte is free to tell 'A' and above from above 'Z'.
		upper := (w + ones*(0x80-'A')) &^ (w + ones*(0x80-'Z'-1)) & (ones * 0x80)
		if left := end - at; left < 8 {
			upper &= 1<<(8*left) - 1 // the value begins here
		}
		if upper != 0 {
			binary.LittleEndian.PutUint64(b[at:], w|upper>>2)
		}
	}
	for ; at < end; at++ {
		if c := b[at]; 'A' <= c && c <= 'Z' {
			b[at] = c | 0x20
		}
	}
}

func isToken(name []byte) bool {
	for _, c := range name {
		if class[c]&token == 0 {
			return false
		}
	}
	return true
}

func trimRight(word []byte) []byte {
	for len(word) > 0 && isLWS(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	return word
}

func isLWS(c byte) bool { return class[c]&(blank|crlf) != 0 }
