package h2

import (
	"errors"

	"hapax/runtime/message"
)

// ErrFull says that a head does not fit into what Out has left: send that, and try again with an empty buffer.
var ErrFull = errors.New("no room left in the output buffer")

// What we send is never kept in the peer's table, as the reference does it: fields whose names it does not know since
// its birth go out as literals. So the encoder has no state, and nothing is allocated.
const (
	literal     = 0x00 // without indexing, 4 bits of index
	indexed     = 0x80
	sizeUpdate  = 0x20
	shortPrefix = 4
)

// Indexes of the static table (RFC 7541, appendix A).
const (
	tableAuthority   = 1
	tableGET         = 2
	tablePOST        = 3
	tableRoot        = 4
	tablePath        = 4
	tableMethod      = 2
	tableHTTP        = 6
	tableHTTPS       = 7
	tableScheme      = 6
	tableStatus      = 8
	perField         = 6 // bytes around a name and a value, at most
	perHead          = 128
	statusWordLength = 3
)

// WriteHead appends the head m to Out: a response (or an informational one) on a stream that the client opened, a request
// on one that we did. end: no body follows. It fails when Out has no room, and when the message cannot be said in HTTP/2.
func (c *Conn) WriteHead(st *Stream, m *message.Message, end bool) error {
	if cap(c.Out)-len(c.Out) < m.Size()+len(m.Fields)*perField+perHead {
		return ErrFull
	}
	at := len(c.Out)
	out := appendFrame(c.Out, frameHeaders, flagEndHeaders, st.ID, 0)
	if c.tableChanged {
		c.tableChanged = false
		out = append(out, sizeUpdate) // our side of the table is empty, and stays so
	}
	var err error
	if m.Flags&message.Response != 0 {
		out, err = c.appendResponse(out, st, m)
	} else {
		out = c.appendRequest(out, st, m)
	}
	if err != nil {
		return err
	}
	c.endHead(st, out, at, end)
	return nil
}

// WriteTrailers appends trailers, which end the stream's sending side. Where nothing is left of them, an empty frame does.
func (c *Conn) WriteTrailers(st *Stream, m *message.Message) error {
	if cap(c.Out)-len(c.Out) < m.Size()+len(m.Fields)*perField+perHead {
		return ErrFull
	}
	at := len(c.Out)
	out := appendFrame(c.Out, frameHeaders, flagEndHeaders, st.ID, 0)
	for i := range m.Fields {
		if name := m.Name(i); !dropped(m.Fields[i].ID, name) && !forbiddenTrailer(m.Fields[i].ID) {
			out = appendField(out, name, m.Value(i))
		}
	}
	if len(out)-at == FrameHeadLen {
		c.DataHead(st, 0, true)
	} else {
		c.endHead(st, out, at, true)
	}
	return nil
}

// endHead completes the frame that begins at an offset of out.
func (c *Conn) endHead(st *Stream, out []byte, at int, end bool) {
	n := len(out) - at - FrameHeadLen
	if end {
		out[at+4] |= flagEndStream
	}
	if n <= c.peerFrame {
		out[at], out[at+1], out[at+2] = byte(n>>16), byte(n>>8), byte(n)
	} else {
		out = c.split(out, at, n)
	}
	c.Out = out
	if end {
		c.endSend(st)
	}
}

// split makes frames that the peer takes of a head that is longer.
func (c *Conn) split(out []byte, at, n int) []byte {
	id := parseFrame(out[at:]).id
	block := append([]byte(nil), out[at+FrameHeadLen:]...)
	flags := out[at+4] &^ flagEndHeaders
	typ := frameHeaders
	out = out[:at]
	for len(block) > 0 {
		part := block[:min(len(block), c.peerFrame)]
		block = block[len(part):]
		if len(block) == 0 {
			flags |= flagEndHeaders
		}
		out = appendFrame(out, typ, flags, id, len(part))
		out = append(out, part...)
		typ, flags = frameContinuation, 0
	}
	return out
}

// errSwitch says that 101 answers no request of HTTP/2.
var errSwitch = errors.New("101 on an HTTP/2 stream")

func (c *Conn) appendResponse(out []byte, st *Stream, m *message.Message) ([]byte, error) {
	code := m.Status
	switch {
	case code == 101 && st.state&extended == 0, code < 100 || code > 999:
		return nil, errSwitch
	case code == 101:
		code = 200
	case code >= 300:
		st.state &^= tunnel
	}
	out = appendStatus(out, code)
	for i := range m.Fields {
		if dropped(m.Fields[i].ID, m.Name(i)) {
			continue
		}
		out = appendField(out, m.Name(i), m.Value(i))
	}
	return out, nil
}

// statusIndex are the answers that the static table holds.
func statusIndex(code uint16) byte {
	switch code {
	case 200:
		return 8
	case 204:
		return 9
	case 206:
		return 10
	case 304:
		return 11
	case 400:
		return 12
	case 404:
		return 13
	case 500:
		return 14
	}
	return 0
}

func appendStatus(out []byte, code uint16) []byte {
	if i := statusIndex(code); i != 0 {
		return append(out, indexed|i)
	}
	return append(out, literal|tableStatus, statusWordLength, byte('0'+code/100), byte('0'+code/10%10), byte('0'+code%10))
}

func (c *Conn) appendRequest(out []byte, st *Stream, m *message.Message) []byte {
	extends := m.Flags&message.ConnUpgrade != 0
	connects := m.Method == message.CONNECT
	switch name := m.MethodName(); {
	case extends:
		out = appendIndexed(out, tableMethod, "CONNECT")
		st.state |= tunnel | extended
	case string(name) == "GET":
		out = append(out, indexed|tableGET)
	case string(name) == "POST":
		out = append(out, indexed|tablePOST)
	default:
		out = appendIndexed(out, tableMethod, name)
	}
	if m.Method == message.HEAD {
		st.state |= bodyless
	}
	u := message.SplitURI(m.URI())
	host := u.Authority
	if connects && !extends {
		st.state |= tunnel
		host = m.URI()
		out = appendIndexed(out, tableAuthority, host)
	} else {
		if extends {
			host = m.GetID(message.Host)
		}
		out = appendTarget(out, m, u, host)
		if extends {
			out = appendField(out, []byte(":protocol"), FirstWord(m.GetID(message.Upgrade)))
		}
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		name, value := m.Name(i), m.Value(i)
		switch {
		case dropped(f.ID, name), f.ID == message.Host && len(host) > 0:
			continue
		case f.ID == message.TE:
			if !saysTrailers(value) {
				continue
			}
			value = []byte("trailers")
		}
		out = appendField(out, name, value)
	}
	return out
}

// appendTarget appends scheme, authority and path.
func appendTarget(out []byte, m *message.Message, u message.URI, host []byte) []byte {
	switch {
	case len(u.Scheme) > 0:
		s := u.Scheme[:len(u.Scheme)-len("://")]
		switch string(s) {
		case "http":
			out = append(out, indexed|tableHTTP)
		case "https":
			out = append(out, indexed|tableHTTPS)
		default:
			out = appendIndexed(out, tableScheme, s)
		}
	case m.Flags&(message.HasScheme|message.SchemeHTTP) == message.HasScheme|message.SchemeHTTP:
		out = append(out, indexed|tableHTTP)
	default:
		out = append(out, indexed|tableHTTPS)
	}
	if len(host) > 0 {
		out = appendIndexed(out, tableAuthority, host)
	}
	switch p := u.Path; {
	case u.Form == message.AsteriskForm, len(p) == 0 && m.Method == message.OPTIONS:
		return appendIndexed(out, tablePath, "*")
	case len(p) <= 1:
		return append(out, indexed|tableRoot)
	default:
		return appendIndexed(out, tablePath, p)
	}
}

// FirstWord is what stands before the first comma.
func FirstWord(v []byte) []byte {
	for i, b := range v {
		if b == ',' {
			v = v[:i]
			break
		}
	}
	for len(v) > 0 && v[len(v)-1] == ' ' {
		v = v[:len(v)-1]
	}
	return v
}

// saysTrailers tells whether "trailers" is among the words of TE.
func saysTrailers(v []byte) bool {
	const word = "trailers"
	for i := 0; i+len(word) <= len(v); i++ {
		if string(v[i:i+len(word)]) == word {
			return i+len(word) == len(v) || v[i+len(word)] == ','
		}
	}
	return false
}

// dropped tells what does not exist in HTTP/2.
func dropped(id message.HeaderID, name []byte) bool {
	switch id {
	case message.Connection, message.ProxyConnection, message.KeepAlive, message.Upgrade, message.TransferEncodingHeader:
		return true
	}
	return len(name) == 0 || name[0] == ':'
}

// appendField appends a literal field.
func appendField(out, name, value []byte) []byte {
	if i := staticIndex(name); i != 0 {
		return appendIndexed(out, i, value)
	}
	out = append(out, literal)
	out = appendLength(out, len(name))
	out = append(out, name...)
	out = appendLength(out, len(value))
	return append(out, value...)
}

// appendIndexed appends a literal field whose name stands in the static table.
func appendIndexed[T ~string | ~[]byte](out []byte, index byte, value T) []byte {
	const most = 1<<shortPrefix - 1
	if index < most {
		out = append(out, literal|index)
	} else {
		out = append(out, literal|most, index-most)
	}
	out = appendLength(out, len(value))
	return append(out, value...)
}

// appendLength appends the length of a literal that is not compressed: 7 bits of prefix.
func appendLength(out []byte, n int) []byte {
	const most = 1<<7 - 1
	if n < most {
		return append(out, byte(n))
	}
	out = append(out, most)
	for n -= most; n >= 0x80; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(out, byte(n))
}

// staticIndex is the place of a name in the static table, 0 for none.
func staticIndex(name []byte) byte {
	switch string(name) {
	case "accept-charset":
		return 15
	case "accept-encoding":
		return 16
	case "accept-language":
		return 17
	case "accept-ranges":
		return 18
	case "accept":
		return 19
	case "access-control-allow-origin":
		return 20
	case "age":
		return 21
	case "allow":
		return 22
	case "authorization":
		return 23
	case "cache-control":
		return 24
	case "content-disposition":
		return 25
	case "content-encoding":
		return 26
	case "content-language":
		return 27
	case "content-length":
		return 28
	case "content-location":
		return 29
	case "content-range":
		return 30
	case "content-type":
		return 31
	case "cookie":
		return 32
	case "date":
		return 33
	case "etag":
		return 34
	case "expect":
		return 35
	case "expires":
		return 36
	case "from":
		return 37
	case "host":
		return 38
	case "if-match":
		return 39
	case "if-modified-since":
		return 40
	case "if-none-match":
		return 41
	case "if-range":
		return 42
	case "if-unmodified-since":
		return 43
	case "last-modified":
		return 44
	case "link":
		return 45
	case "location":
		return 46
	case "max-forwards":
		return 47
	case "proxy-authenticate":
		return 48
	case "proxy-authorization":
		return 49
	case "range":
		return 50
	case "referer":
		return 51
	case "refresh":
		return 52
	case "retry-after":
		return 53
	case "server":
		return 54
	case "set-cookie":
		return 55
	case "strict-transport-security":
		return 56
	case "transfer-encoding":
		return 57
	case "user-agent":
		return 58
	case "vary":
		return 59
	case "via":
		return 60
	case "www-authenticate":
		return 61
	}
	return 0
}
