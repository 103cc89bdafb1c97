package message

import "bytes"

// MethodName gives the method as written.
func (m *Message) MethodName() []byte { return m.Bytes(m.Line[0]) }

// URI gives the request target as it stands.
func (m *Message) URI() []byte { return m.Bytes(m.Line[1]) }

// Target gives the request target as it goes to a server in HTTP/1: without scheme and authority when only HTTP/2 has
// put them there.
func (m *Message) Target() []byte {
	if m.Flags&NormalizedURI == 0 {
		return m.URI()
	}
	u := SplitURI(m.URI())
	if u.Form != AbsoluteForm {
		return m.URI()
	}
	if len(u.Path) == 0 {
		if m.Method == OPTIONS {
			return asterisk
		}
		return rootPath
	}
	return u.Path
}

var asterisk = []byte("*")

// Version gives the version, as HTTP/1.1.
func (m *Message) Version() []byte {
	if m.Flags&Response != 0 {
		return m.Bytes(m.Line[0])
	}
	return m.Bytes(m.Line[2])
}

// VersionNumber gives the version as 1.1; "" for what is no version of HTTP.
func (m *Message) VersionNumber() string {
	v := m.Version()
	if m.Flags&NotHTTP != 0 || len(v) != len("HTTP/1.1") {
		return ""
	}
	switch v = v[len("HTTP/"):]; string(v) {
	case "1.1":
		return "1.1"
	case "1.0":
		return "1.0"
	case "2.0":
		return "2.0"
	}
	return string(v[:1]) + "." + string(v[2:])
}

// Reason gives the reason of a response, perhaps empty.
func (m *Message) Reason() []byte { return m.Bytes(m.Line[2]) }

// Path gives the path of the URI without the query; nil when there is none (asterisk, authority-form).
func (m *Message) Path() []byte {
	p := m.PathQuery()
	if i := bytes.IndexByte(p, '?'); i >= 0 {
		return p[:i]
	}
	return p
}

// PathQuery gives the path of the URI with the query; nil when there is none.
func (m *Message) PathQuery() []byte { return SplitURI(m.URI()).Path }

// Query gives what follows the first question mark of the URI; nil when there is none.
func (m *Message) Query() []byte {
	u := m.URI()
	if i := bytes.IndexByte(u, '?'); i >= 0 {
		return u[i+1:]
	}
	return nil
}

// SetRequestLine fills the start line of a request that is made from nothing.
func (m *Message) SetRequestLine(method, uri, version string) error {
	if !m.room(len(method) + len(uri) + len(version)) {
		return ErrNoRoom
	}
	m.Flags &^= Response
	m.setLine(method, uri, version)
	m.Method = MethodOf(m.Bytes(m.Line[0]))
	return nil
}

// SetStatusLine fills the start line of a response that is made from nothing.
func (m *Message) SetStatusLine(version string, status int, reason string) error {
	if !m.room(len(version) + 3 + len(reason)) {
		return ErrNoRoom
	}
	m.Flags |= Response
	var code [3]byte
	m.setLine(version, string(putStatus(&code, status)), reason)
	m.Status = uint16(status)
	return nil
}

func (m *Message) setLine(words ...string) {
	for i, w := range words {
		at := len(m.Buf)
		m.Buf = append(m.Buf, w...)
		m.Line[i] = Span{uint32(at), uint32(len(w))}
	}
}

func putStatus(code *[3]byte, status int) []byte {
	code[0], code[1], code[2] = byte('0'+status/100%10), byte('0'+status/10%10), byte('0'+status%10)
	return code[:]
}

// SetVersion replaces the version.
func (m *Message) SetVersion(version string) error {
	if !m.room(len(version)) {
		return ErrNoRoom
	}
	word := &m.Line[2]
	if m.Flags&Response != 0 {
		word = &m.Line[0]
	}
	*word = Span{uint32(len(m.Buf)), uint32(len(version))}
	m.Buf = append(m.Buf, version...)
	return nil
}

// NormalizeTarget takes the default port off the authority of an absolute URI and gives it a path when
// it has none (RFC 3986, 6.2.3). When that changes the URI, every Host header gets its authority.
func (m *Message) NormalizeTarget() error {
	uri := m.URI()
	u := SplitURI(uri)
	if u.Form != AbsoluteForm {
		return nil
	}
	host, path := u.Host(), u.Path
	before := uri[:len(u.Scheme)+len(u.Authority)-len(host)]
	changed := false
	if port := HostPort(host); port != nil && DefaultPort(u.Scheme, port) {
		host = host[:len(host)-len(port)-1]
		changed = true
	}
	if path == nil && m.Method != OPTIONS {
		path = rootPath
		changed = true
	}
	if !changed {
		return nil
	}
	if err := m.setTarget(before, host, path); err != nil {
		return err
	}
	return m.hostEverywhere(host)
}

var rootPath = []byte("/")

// hostEverywhere gives every Host header the same value.
func (m *Message) hostEverywhere(host []byte) error {
	for i := m.FindID(Host, 0); i >= 0; i = m.FindID(Host, i+1) {
		if !m.room(len(host)) {
			return ErrNoRoom
		}
		m.Fields[i].Value = m.put(host)
	}
	return nil
}

// SetMethod replaces the method on the wire. Method stays that of the request as it was received, which conditions and
// the framing of the answer to the client go by.
func (m *Message) SetMethod(name []byte) error {
	if !m.room(len(name)) {
		return ErrNoRoom
	}
	m.Line[0] = m.put(name)
	return nil
}

// Forget drops what a request asks for; its version and a method that has a number stay known.
func (m *Message) Forget() {
	if m.Method == OtherMethod {
		m.Line[0].Len = 0
	}
	m.Line[1].Len = 0
	m.Fields = m.Fields[:0]
}

// SetURI replaces the whole URI. When the new one holds an authority, every Host header follows it.
func (m *Message) SetURI(uri []byte) error {
	if !m.room(len(uri)) {
		return ErrNoRoom
	}
	m.Line[1] = m.put(uri)
	return m.followURI()
}

// SetPath replaces the path and keeps authority and query. A URI without path is replaced up to its query.
func (m *Message) SetPath(path []byte) error {
	before, old := m.splitPath()
	if i := bytes.IndexByte(old, '?'); i >= 0 {
		return m.setTarget(before, path, old[i:])
	}
	return m.setTarget(before, path, nil)
}

// SetPathQuery replaces path and query and keeps the authority.
func (m *Message) SetPathQuery(path []byte) error {
	before, _ := m.splitPath()
	return m.setTarget(before, path, nil)
}

// SetQuery replaces the query by what follows the first byte of query, which is a question mark; with
// nothing after it the old query goes, and a question mark already present stays.
func (m *Message) SetQuery(query []byte) error {
	uri := m.URI()
	i := bytes.IndexByte(uri, '?')
	switch {
	case i >= 0:
		return m.setTarget(uri[:i+1], query[1:], nil)
	case len(query) > 1:
		return m.setTarget(uri, query, nil)
	}
	return nil
}

// splitPath cuts the URI before its path; a URI without path counts as path.
func (m *Message) splitPath() (before, path []byte) {
	uri := m.URI()
	path = SplitURI(uri).Path
	if path == nil {
		return nil, uri
	}
	return uri[:len(uri)-len(path)], path
}

func (m *Message) setTarget(a, b, c []byte) error {
	s, err := m.put3(a, b, c)
	if err == nil {
		m.Line[1] = s
	}
	return err
}

// SetStatus replaces the status code, and the reason unless it is nil.
func (m *Message) SetStatus(status int, reason []byte) error {
	if !m.room(3 + len(reason)) {
		return ErrNoRoom
	}
	var code [3]byte
	m.Line[1] = m.put(putStatus(&code, status))
	m.Status = uint16(status)
	if reason != nil {
		m.Line[2] = m.put(reason)
	}
	return nil
}

// SetReason replaces the reason.
func (m *Message) SetReason(reason []byte) error {
	if !m.room(len(reason)) {
		return ErrNoRoom
	}
	m.Line[2] = m.put(reason)
	return nil
}

// followHost puts a changed Host into the authority of the URI, where it has one.
func (m *Message) followHost(host []byte) error {
	if m.Flags&HasAuthority == 0 {
		return nil
	}
	uri := m.URI()
	authority := SplitURI(uri).Host()
	if len(authority) == 0 {
		return ErrNoAuthority
	}
	if bytes.Equal(authority, host) {
		return nil
	}
	at := bytes.Index(uri, authority)
	return m.setTarget(uri[:at], host, uri[at+len(authority):])
}

// followURI puts the authority of a changed URI into every Host header.
func (m *Message) followURI() error {
	uri := m.URI()
	parts := SplitURI(uri)
	if parts.Form != AbsoluteForm && parts.Form != AuthorityForm {
		m.Flags &^= HasAuthority
		return nil
	}
	m.Flags |= HasAuthority
	host := uri
	if m.Method != CONNECT {
		m.NoteScheme()
		if host = parts.Host(); len(host) == 0 {
			return ErrNoAuthority
		}
	}
	return m.hostEverywhere(host)
}

// NoteScheme sets the flags of a URI that holds a scheme.
func (m *Message) NoteScheme() {
	m.Flags |= HasScheme
	if uri := m.URI(); len(uri) > 4 && uri[0]|0x20 == 'h' {
		if uri[4] == ':' {
			m.Flags |= SchemeHTTP
		} else {
			m.Flags |= SchemeHTTPS
		}
	}
}
