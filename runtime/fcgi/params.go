package fcgi

import (
	"errors"
	"net/netip"
	"strconv"

	"hapax/acl/sample"
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// Request is what the parameters of a request are made of.
type Request struct {
	Head       *message.Message
	Src, Dst   netip.AddrPort // of the client; not valid: it came through a UNIX socket
	NoSrc      bool           // nobody knows where it came from
	Secure     bool           // through TLS
	Body       int            // bytes of the body that are there
	ServerName string         // what the field of "http-send-name-header" tells
	SendName   string         // that field, in lower case; "": none
	Software   string
}

// What may be wrong with a request.
var (
	errPath = errors.New("the path of the request names no script")
	errLong = errors.New("the parameters of the request are too long")
)

// mask tells which parameters were set by rules, or by fields of the request.
type mask uint32

const (
	gatewayInterface mask = 1 << iota
	documentRoot
	scriptName
	pathInfo
	requestURI
	requestMethod
	queryString
	serverName
	serverPort
	serverProtocol
	remoteAddr
	remotePort
	scriptFilename
	pathTranslated
	contentLength
	serverSoftware
	https

	fromURI = scriptName | pathInfo | queryString
)

// rulePrefix is what the names of the fields begin with that rules keep parameters in.
const rulePrefix = ":fcgi-"

// settable finds the parameter with a default value that a rule means by a name; 0: there is none. The reference looks for the
// method under a name that no rule can mean.
func settable(name []byte) mask {
	switch string(name) {
	case "gateway_interface":
		return gatewayInterface
	case "document_root":
		return documentRoot
	case "script_name":
		return scriptName
	case "path_info":
		return pathInfo
	case "request_uri":
		return requestURI
	case "request_meth":
		return requestMethod
	case "query_string":
		return queryString
	case "server_name":
		return serverName
	case "server_port":
		return serverPort
	case "server_protocol":
		return serverProtocol
	case "remote_addr":
		return remoteAddr
	case "remote_port":
		return remotePort
	case "script_filename":
		return scriptFilename
	case "path_translated":
		return pathTranslated
	case "https":
		return https
	case "server_software":
		return serverSoftware
	}
	return 0
}

// values are those that parameters are made of.
type values struct {
	set                                             mask
	docroot, script, info, uri, query, name, length []byte
}

// encoder writes parameters, as long as there is room.
type encoder struct {
	app  *App
	req  Request
	out  []byte
	text []byte // a value that is made
	path []byte // of the request, decoded
	full bool
}

// upper is what a byte of a parameter's name becomes.
var upper = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z':
			t[c] = byte(c - 'a' + 'A')
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			t[c] = byte(c)
		default:
			t[c] = '_'
		}
	}
	return t
}()

// pair writes a parameter, whose name is in two parts.
func (e *encoder) pair(prefix string, name, value []byte) {
	n := len(prefix) + len(name)
	const lengths = 8 // bytes of two of them
	if e.full = e.full || len(e.out)+lengths+n+len(value) > cap(e.out); e.full {
		return
	}
	e.out = append(appendLength(appendLength(e.out, n), len(value)), prefix...)
	for _, c := range name {
		e.out = append(e.out, upper[c])
	}
	e.out = append(e.out, value...)
}

// word writes a parameter, unless it is set or has no value.
func (e *encoder) word(v *values, which mask, name string, value []byte) {
	if v.set&which == 0 && len(value) > 0 {
		e.pair(name, nil, value)
	}
}

// AppendParams appends the parameters of a request in a record, and the empty one behind them. All of it has to find room
// in dst. room is memory for what is made meanwhile; what became of it is given back.
func (a *App) AppendParams(dst, room []byte, id uint16, req *Request) (out, left []byte, err error) {
	at := len(dst)
	most := min(cap(dst), at+RecordHead+MaxContent)
	e := encoder{app: a, req: *req, out: appendHead(dst[:at:most], params, id, 0), text: room[:0]}
	v := values{docroot: a.docroot}
	e.fields(&v)
	if err := e.defaults(&v); err != nil {
		return dst, e.text, err
	}
	if e.full || cap(dst)-len(e.out) < RecordHead {
		return dst, e.text, errLong
	}
	setContent(e.out, at)
	return appendHead(dst[:len(e.out)], params, id, 0), e.text, nil
}

// fields writes what rules have set, and the fields of the request.
func (e *encoder) fields(v *values) {
	m := e.req.Head
	for i := range m.Fields {
		name, value := m.Name(i), m.Value(i)
		switch m.Fields[i].ID {
		case message.ContentLengthHeader:
			v.set |= contentLength
			e.pair("CONTENT_LENGTH", nil, value)
			continue
		case message.ContentType:
			e.pair("CONTENT_TYPE", nil, value)
			continue
		case message.Host:
			v.name = value
		case message.TE:
			if !h1.AcceptsTrailers(value) {
				continue
			}
			value = trailersWord
		case message.Other:
			if len(name) > len(rulePrefix) && string(name[:len(rulePrefix)]) == rulePrefix {
				name = name[len(rulePrefix):]
				v.take(name, value)
				e.pair("", name, value)
				continue
			}
		}
		if e.req.SendName == "" || string(name) != e.req.SendName {
			e.pair("HTTP_", name, value)
		}
	}
	if e.req.SendName != "" {
		e.text = append(e.text[:0], e.req.SendName...)
		e.pair("HTTP_", e.text, []byte(e.req.ServerName))
	}
}

var trailersWord = []byte("trailers")

// take notes a parameter that a rule has set.
func (v *values) take(name, value []byte) {
	which := settable(name)
	v.set |= which
	switch which {
	case documentRoot:
		v.docroot = value
	case scriptName:
		v.script = value
	case pathInfo:
		v.info = value
	case requestURI:
		v.uri = value
	}
}

var (
	gatewayVersion = []byte("CGI/1.1")
	on             = []byte("on")
)

// defaults writes what nobody has set.
func (e *encoder) defaults(v *values) error {
	m, req := e.req.Head, &e.req
	if v.set&requestURI == 0 {
		v.uri = m.Target()
	}
	if v.set&fromURI != fromURI {
		if err := e.split(v); err != nil {
			return err
		}
	}
	e.word(v, gatewayInterface, "GATEWAY_INTERFACE", gatewayVersion)
	e.word(v, documentRoot, "DOCUMENT_ROOT", v.docroot)
	e.word(v, scriptName, "SCRIPT_NAME", v.script)
	e.word(v, pathInfo, "PATH_INFO", v.info)
	e.word(v, requestURI, "REQUEST_URI", v.uri)
	e.word(v, requestMethod, "REQUEST_METHOD", m.MethodName())
	e.word(v, queryString, "QUERY_STRING", v.query)
	if len(v.name) == 0 {
		e.word(v, serverName, "SERVER_NAME", e.address(req.Dst))
	} else {
		e.word(v, serverName, "SERVER_NAME", v.name)
	}
	e.word(v, serverPort, "SERVER_PORT", e.number(int(req.Dst.Port())))
	e.word(v, serverProtocol, "SERVER_PROTOCOL", m.Version())
	if !req.NoSrc {
		e.word(v, remoteAddr, "REMOTE_ADDR", e.address(req.Src))
	}
	e.word(v, remotePort, "REMOTE_PORT", e.number(int(req.Src.Port())))
	e.word(v, scriptFilename, "SCRIPT_FILENAME", e.joined(v.docroot, v.script))
	if len(v.info) > 0 {
		e.word(v, pathTranslated, "PATH_TRANSLATED", e.joined(v.docroot, v.info))
	}
	e.word(v, contentLength, "CONTENT_LENGTH", e.number(req.Body))
	e.text = append(e.text[:0], req.Software...)
	e.word(v, serverSoftware, "SERVER_SOFTWARE", e.text)
	if req.Secure {
		e.word(v, https, "HTTPS", on)
	}
	return nil
}

// made gives a value that was made behind the decoded path.
func (e *encoder) made(text []byte) []byte {
	e.text = text
	return text[len(e.path):]
}

func (e *encoder) number(n int) []byte {
	return e.made(strconv.AppendInt(e.text[:len(e.path)], int64(n), 10))
}

func (e *encoder) joined(a, b []byte) []byte {
	return e.made(append(append(e.text[:len(e.path)], a...), b...))
}

func (e *encoder) address(a netip.AddrPort) []byte {
	text := e.text[:len(e.path)]
	if !a.IsValid() {
		return e.made(append(text, "unix"...))
	}
	return e.made(a.Addr().Unmap().AppendTo(text))
}

// split finds the query and the names of the script in the URI. A name that a rule has set leaves nothing to be found
// behind it, and, as in the reference, the software unsaid.
func (e *encoder) split(v *values) error {
	path := message.SplitURI(v.uri).Path
	if len(path) == 0 && v.set&scriptName == 0 {
		return errPath
	}
	for i, c := range path {
		if c == '?' {
			if v.set&queryString == 0 {
				v.query = path[i+1:]
				path = path[:i]
			}
			break
		}
	}
	if v.set&scriptName != 0 {
		v.set |= pathInfo | serverSoftware
		return nil
	}
	var ok bool
	if e.text, ok = appendDecoded(e.text[:0], path); !ok {
		return errPath
	}
	v.script = e.text
	if e.app.pathInfo != nil {
		if err := e.match(v); err != nil {
			return err
		}
	}
	if n := len(v.script); n > 0 && v.script[n-1] == '/' && len(e.app.index) > 0 {
		e.text = append(append(e.text, v.script...), e.app.index...)
		v.script = e.text[len(e.text)-n-len(e.app.index):]
	}
	e.path = e.text
	return nil
}

// match cuts the path in two.
func (e *encoder) match(v *values) error {
	path := v.script
	for _, c := range path {
		if c == '\n' || c == 0 {
			return errPath
		}
	}
	var g sample.Groups
	if !e.app.pathInfo.Find(path, true, &g) || g[2] < 0 {
		return nil
	}
	v.script = path[g[2]:g[3]]
	if v.set&pathInfo == 0 && g[4] >= 0 {
		v.info = path[g[4]:g[5]]
	}
	return nil
}

// appendDecoded appends a path without its percent signs, unless they are wrong. In a query, if one stands behind it still,
// a plus is a blank.
func appendDecoded(dst, path []byte) ([]byte, bool) {
	query := false
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '?':
			query = true
		case c == '+' && query:
			c = ' '
		case c == '%':
			if i+2 >= len(path) || unhex(path[i+1]) > 15 || unhex(path[i+2]) > 15 {
				return dst, false
			}
			c = unhex(path[i+1])<<4 | unhex(path[i+2])
			i += 2
		}
		dst = append(dst, c)
	}
	return dst, true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// equalFold compares a name with one of ours.
func equalFold(name []byte, ours string) bool { return message.EqualFold(name, ours) }

// number reads as many digits as there are.
func number(b []byte) (n int) {
	for _, c := range b {
		if c -= '0'; c > 9 || n > 1<<30 {
			break
		}
		n = n*10 + int(c)
	}
	return n
}
