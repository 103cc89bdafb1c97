package h1

import "hapax/runtime/message"

// What the status line of a CGI response is made of where its fields do not say it.
const (
	cgiVersions = "HTTP/1.0HTTP/1.1"
	cgiWords    = "200OK302Found"
	cgiLine     = len(cgiVersions) + len(cgiWords)
)

var (
	cgiOK    = cgiWord(200, 0, 3, 5)
	cgiFound = cgiWord(302, 5, 8, 13)
)

// cgiStatus is a status with its word and its reason.
type cgiStatus struct {
	code         uint16
	word, reason message.Span
}

func cgiWord(code uint16, word, reason, end uint32) cgiStatus {
	base := uint32(len(cgiVersions))
	return cgiStatus{code, message.Span{Off: base + word, Len: reason - word}, message.Span{Off: base + reason, Len: end - reason}}
}

// CGI makes the parser ready for the response of a CGI program to a request of the given method and version: it has no
// status line, but perhaps a field "status". The words that it is made of in any case go to dst, an empty buffer; what
// the program says is to come behind them. As in the reference, wrong bytes in fields are let pass.
func (p *Parser) CGI(dst []byte, method message.Method, version11 bool, opts Options, limits Limits) []byte {
	*p = Parser{State: HeaderFirst, ErrPos: -1, opts: opts | AcceptUnsafe, limits: limits, host: -1, response: true, method: method, cgi: true, cgi11: version11}
	p.at = uint32(cgiLine)
	return append(append(dst, cgiVersions...), cgiWords...)
}

// Said tells how many bytes of a response's buffer its server has not said.
func (p *Parser) Said() int {
	if p.cgi {
		return cgiLine
	}
	return 0
}

// cgiStatusLine makes the status line of a CGI response of its fields.
func (p *Parser) cgiStatusLine(m *message.Message) {
	const version = uint32(len("HTTP/1.x"))
	m.Line[0] = message.Span{Len: version}
	if p.cgi11 {
		m.Line[0].Off = version
	}
	status := cgiStatus{}
	for i := range m.Fields {
		switch name := m.Name(i); {
		case message.EqualFold(name, "status"):
			status = readCGIStatus(m, m.Fields[i].Value)
		case status.code == 0 && message.EqualFold(name, "location"):
			status = cgiFound
		}
	}
	if status.code == 0 {
		status = cgiOK
	}
	m.Status, m.Line[1], m.Line[2] = status.code, status.word, status.reason
}

// readCGIStatus reads the value of a field "status": a number, and perhaps a reason.
func readCGIStatus(m *message.Message, v message.Span) (s cgiStatus) {
	b, at := m.Buf, v.Off
	for at < v.End() && class[b[at]]&token != 0 {
		at++
	}
	s.word = message.Span{Off: v.Off, Len: at - v.Off}
	for _, c := range m.Bytes(s.word) {
		s.code = s.code*10 + uint16(c) - '0' // whatever it is, as the reference
	}
	for at < v.End() && class[b[at]]&blank != 0 {
		at++
	}
	s.reason = message.Span{Off: at, Len: v.End() - at}
	return s
}
