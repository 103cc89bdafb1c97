package h1

import (
	"encoding/binary"
	"math/bits"

	"hapax/runtime/message"
)

// Parser reads one message head, or one trailer section, from the buffer of a message.Message. It may
// be called again with more bytes in that buffer, any number of times: it goes on where it stood.
// A Parser must be started with Request, Response or Trailers.
type Parser struct {
	State State

	// Status is, after Invalid on a request, the status to answer: 400, 413, 414, 422 or 431. After
	// Invalid on a response it is 502. For a trailer section, which does not tell the side, it is 400.
	Status int
	// ErrPos is the offset in the buffer of the first error, -1 without one. After Complete it may
	// tell of an error that AcceptUnsafe let pass; such a message is worth a capture too.
	// ErrState is then where the message goes on.
	ErrPos   int
	ErrState State
	// Glitches is how much in the message was wrong, tolerated or not.
	Glitches int

	opts     Options
	limits   Limits
	response bool
	trailers bool
	method   message.Method // that a response answers
	key      WebSocketKey   // that was made for the request, if any
	cgi      bool           // a response without a status line: see CGI
	cgi11    bool           // its version is that of HTTP/1.1

	at    uint32 // next byte to look at
	start uint32 // first byte of the current line or word
	colon uint32 // of the current field
	value uint32 // first byte of its value
	end   uint32 // first byte after the value
	host  int    // index of the first Host field, or -1
}

// Request makes the parser ready for a request.
func (p *Parser) Request(opts Options, limits Limits) {
	*p = Parser{State: RequestBefore, ErrPos: -1, opts: opts, limits: limits, host: -1}
}

// Response makes the parser ready for a response to a request of the given method.
func (p *Parser) Response(method message.Method, opts Options, limits Limits) {
	*p = Parser{State: ResponseBefore, ErrPos: -1, opts: opts, limits: limits, host: -1, response: true, method: method}
}

// ExpectKey makes the parser of a response check the answer to a WebSocket key that an Encoder made.
func (p *Parser) ExpectKey(key WebSocketKey) { p.key = key }

// Trailers makes the parser ready for the trailer section of a chunked body.
func (p *Parser) Trailers(opts Options, limits Limits) {
	*p = Parser{State: HeaderFirst, ErrPos: -1, opts: opts, limits: limits, host: -1, trailers: true}
}

// Started tells whether a first byte of the message was seen, empty lines before it apart.
func (p *Parser) Started() bool {
	return p.State > RequestBeforeCR && p.State != ResponseBefore && p.State != ResponseBeforeCR
}

// Parse looks at what m.Buf holds beyond what it has seen. m must be the same message, with the same
// bytes before, at every call until the result is not More.
func (p *Parser) Parse(m *message.Message) Result {
	r := p.scan(m)
	switch r {
	case Complete:
		return p.finish(m)
	case More:
		if len(m.Buf) >= p.limits.Buffer-bufferOverhead {
			return p.overflow()
		}
	}
	return r
}

// scan is the state machine. Its labels are the states; the bytes of each are taken in a loop of its own.
func (p *Parser) scan(m *message.Message) Result {
	b := m.Buf
	if full := p.limits.Buffer - bufferOverhead; len(b) > full {
		b = b[:full] // the head may not take more, whatever came behind it
	}
	i, n := p.at, uint32(len(b))
	state := p.State
	for i < n {
		switch state {
		case RequestBefore, ResponseBefore:
			c := b[i]
			switch {
			case class[c]&token != 0:
				p.start = i
				if state == RequestBefore {
					state = RequestMethod
				} else {
					state = ResponseVersion
					m.Flags |= message.Response
				}
				continue
			case c == '\n':
				i++
			case c == '\r':
				state++ // to RequestBeforeCR or ResponseBeforeCR
				i++
			default:
				return p.invalid(state, i)
			}
		case RequestBeforeCR, ResponseBeforeCR:
			if b[i] != '\n' {
				return p.invalid(state, i)
			}
			state--
			i++

		case RequestMethod:
			for i < n && class[b[i]]&token != 0 {
				i++
			}
			if i == n {
				break
			}
			m.Line[0] = message.Span{Off: p.start, Len: i - p.start}
			switch c := b[i]; {
			case class[c]&blank != 0:
				state = RequestMethodSP
				i++
			case class[c]&crlf != 0:
				m.Line[1] = message.Span{Off: i}
				m.Line[2] = message.Span{Off: i}
				i += isCR(c)
				state = RequestLineEnd
			default:
				return p.invalid(state, i)
			}
		case RequestMethodSP:
			for i < n && class[b[i]]&blank != 0 {
				i++
			}
			if i == n {
				break
			}
			if class[b[i]]&crlf != 0 {
				m.Line[1] = message.Span{Off: i}
				m.Line[2] = message.Span{Off: i}
				i += isCR(b[i])
				state = RequestLineEnd
				break
			}
			p.start = i
			state = RequestURI
		case RequestURI:
			i = skipURI(b, i)
			if i == n {
				break
			}
			switch c := b[i]; {
			case class[c]&blank != 0:
				m.Line[1] = message.Span{Off: p.start, Len: i - p.start}
				state = RequestURISP
				i++
			case class[c]&crlf != 0:
				m.Line[1] = message.Span{Off: p.start, Len: i - p.start}
				m.Line[2] = message.Span{Off: i}
				i += isCR(c)
				state = RequestLineEnd
			case c == '#' || c >= 0x80:
				if !p.tolerate(state, i) {
					return p.invalid(state, i)
				}
				i++
			default:
				return p.invalid(state, i)
			}
		case RequestURISP:
			for i < n && class[b[i]]&blank != 0 {
				i++
			}
			if i == n {
				break
			}
			if class[b[i]]&crlf != 0 {
				m.Line[2] = message.Span{Off: i}
				i += isCR(b[i])
				state = RequestLineEnd
				break
			}
			p.start = i
			state = RequestVersion
		case RequestVersion:
			for i < n && class[b[i]]&versionByte != 0 {
				i++
			}
			if i == n {
				break
			}
			if class[b[i]]&crlf == 0 {
				return p.invalid(state, i)
			}
			m.Line[2] = message.Span{Off: p.start, Len: i - p.start}
			i += isCR(b[i])
			state = RequestLineEnd
		case RequestLineEnd, ResponseLineEnd:
			if m.Line[2].Len == 0 && state == RequestLineEnd {
				// No version: HTTP/0.9 has no headers, the LF of this line is the last one.
				state = LastLF
				break
			}
			if b[i] != '\n' {
				return p.invalid(state, i)
			}
			i++
			state = HeaderFirst

		case ResponseVersion:
			for i < n && class[b[i]]&versionByte != 0 {
				i++
			}
			if i == n {
				break
			}
			if class[b[i]]&blank == 0 {
				return p.invalid(state, i)
			}
			m.Line[0] = message.Span{Off: p.start, Len: i - p.start}
			state = ResponseVersionSP
			i++
		case ResponseVersionSP:
			for i < n && class[b[i]]&blank != 0 {
				i++
			}
			if i == n {
				break
			}
			if class[b[i]]&crlf != 0 {
				return p.invalid(state, i)
			}
			p.start = i
			state = ResponseCode
		case ResponseCode:
			for ; i < n && b[i]-'0' <= 9; i++ {
				if i-p.start >= 3 && (!p.tolerate(state, i) || m.Status >= (1<<16-1-9)/10) {
					return p.invalid(state, i)
				}
				m.Status = m.Status*10 + uint16(b[i]-'0')
			}
			if i == n {
				break
			}
			m.Line[1] = message.Span{Off: p.start, Len: i - p.start}
			switch c := b[i]; {
			case class[c]&blank != 0:
				state = ResponseCodeSP
				i++
			case class[c]&crlf != 0:
				p.start = i
				state = ResponseReason
			default:
				return p.invalid(state, i)
			}
		case ResponseCodeSP:
			for i < n && class[b[i]]&blank != 0 {
				i++
			}
			if i == n {
				break
			}
			p.start = i
			state = ResponseReason
		case ResponseReason:
			for i < n && class[b[i]]&crlf == 0 {
				i++
			}
			if i == n {
				break
			}
			m.Line[2] = message.Span{Off: p.start, Len: i - p.start}
			i += isCR(b[i])
			state = ResponseLineEnd

		case HeaderFirst:
			p.start = i
			switch b[i] {
			case '\r':
				i++
				state = LastLF
			case '\n':
				state = LastLF
			default:
				state = HeaderName
			}
		case HeaderName:
			if i == p.start {
				next, ok := p.simpleFields(m, b, i)
				if !ok {
					return p.invalid(HeaderL2LWS, next)
				}
				if next != i {
					i = next
					state = HeaderFirst
					break
				}
			}
			for i < n && class[b[i]]&token != 0 {
				i++
			}
			if i == n {
				break
			}
			if b[i] == ':' {
				if i == p.start {
					return p.invalid(state, i)
				}
				p.colon = i
				i++
				state = HeaderL1SP
				break
			}
			if b[i] == '\n' || !p.tolerate(state, i) {
				return p.invalid(state, i)
			}
			i++
		case HeaderL1SP:
			for i < n && class[b[i]]&blank != 0 {
				i++
			}
			if i == n {
				break
			}
			p.value = i
			switch b[i] {
			case '\r':
				i++
				state = HeaderL1LF
			case '\n':
				state = HeaderL1LF
			default:
				state = HeaderValue
			}
		case HeaderL1LF, HeaderL2LF:
			if b[i] != '\n' {
				return p.invalid(state, i)
			}
			i++
			state++ // to HeaderL1LWS or HeaderL2LWS
		case HeaderL1LWS:
			if class[b[i]]&blank != 0 {
				for j := p.value; j < i; j++ {
					b[j] = ' '
				}
				state = HeaderL1SP
				break
			}
			p.end, p.at = p.value, i
			if at := p.field(m); at >= 0 {
				return p.invalid(HeaderL2LWS, uint32(at))
			}
			state = HeaderFirst
		case HeaderValue:
			i = skipValue(b, i)
			if i == n {
				break
			}
			switch b[i] {
			case '\r':
				p.end = i
				i++
				state = HeaderL2LF
			case '\n':
				p.end = i
				state = HeaderL2LF
			default: // NUL
				if !p.tolerate(state, i) {
					return p.invalid(state, i)
				}
				i++
			}
		case HeaderL2LWS:
			if class[b[i]]&blank != 0 {
				for j := p.end; j < i; j++ {
					b[j] = ' '
				}
				state = HeaderValue
				break
			}
			p.at = i
			if at := p.field(m); at >= 0 {
				return p.invalid(HeaderL2LWS, uint32(at))
			}
			state = HeaderFirst
		case LastLF:
			if b[i] != '\n' {
				return p.invalid(state, i)
			}
			i++
			p.at, p.State = i, LastLF
			if len(m.Fields) >= p.limits.Headers {
				return p.invalid(LastLF, i)
			}
			return Complete
		}
	}
	p.at, p.State = i, state
	return More
}

// simpleFields takes in fields from i on as long as their lines, and the first byte of the next one, are
// there and have nothing special: this is the way of nearly all fields. It gives the offset of the first
// line that the states have to look at, or the offset of an error.
func (p *Parser) simpleFields(m *message.Message, b []byte, i uint32) (next uint32, ok bool) {
	n := uint32(len(b))
	for {
		colon := i
		for _, c := range b[i:] {
			if class[c]&token == 0 {
				break
			}
			colon++
		}
		if colon == i || colon+1 >= n || b[colon] != ':' {
			return i, true
		}
		at := colon + 1
		if b[at] == ' ' {
			at++
		}
		end := skipValue(b, at)
		if end+2 >= n || end == at || b[end] != '\r' || b[end+1] != '\n' || class[b[end+2]]&blank != 0 {
			return i, true
		}
		p.start, p.colon, p.value, p.end, p.at = i, colon, at, end, end+2
		if bad := p.field(m); bad >= 0 {
			return uint32(bad), false
		}
		i = end + 2
	}
}

// isCR is 1 for a CR, to step over it.
func isCR(c byte) uint32 {
	if c == '\r' {
		return 1
	}
	return 0
}

// tolerate notes an error that AcceptUnsafe lets pass.
func (p *Parser) tolerate(state State, at uint32) bool {
	if p.opts&AcceptUnsafe == 0 {
		return false
	}
	if p.ErrPos < 0 {
		p.ErrPos, p.ErrState = int(at), state
	}
	return true
}

func (p *Parser) invalid(state State, at uint32) Result {
	p.State, p.at = state, at
	p.ErrPos, p.ErrState = int(at), state
	p.Glitches = 1
	if p.Status = 502; !p.response {
		p.Status = 400
	}
	return Invalid
}

// overflow says that the buffer is full and the head still not complete.
func (p *Parser) overflow() Result {
	p.invalid(p.State, p.at)
	if !p.response && !p.trailers {
		p.Status = 431
		if p.State < HeaderFirst {
			p.Status = 414
		}
	}
	return Invalid
}

// skipURI gives the offset of the first byte from i on that is not an ordinary byte of a URI: not
// printable ASCII, or a number sign.
func skipURI(b []byte, i uint32) uint32 {
	for _, c := range b[i:] {
		if class[c]&uriByte == 0 {
			break
		}
		i++
	}
	return i
}

// skipValue gives the offset of the first CR, LF or NUL from i on. It looks at eight bytes at a time
// for one below 0x0e, since such bytes are rare in values.
func skipValue(b []byte, i uint32) uint32 {
	const ones = 0x0101010101010101
	n := uint32(len(b))
	for i+8 <= n {
		w := binary.LittleEndian.Uint64(b[i:])
		low := (w - ones*0x0e) &^ w & (ones * 0x80)
		if low == 0 {
			i += 8
			continue
		}
		// The lowest mark is exact; those above may come from its borrow.
		i += uint32(bits.TrailingZeros64(low)) / 8
		if class[b[i]]&valueEnd != 0 {
			return i
		}
		i++
	}
	for i < n && class[b[i]]&valueEnd == 0 {
		i++
	}
	return i
}
