package h2

import "hapax/runtime/message"

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
