package rules

import (
	"net/netip"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// forwarded is "option forwarded": the header of RFC 7239 that servers are given. Section 4.2.
type forwarded struct {
	proto          bool
	host           element
	byName, byPort element
	of, ofPort     element // the parameter "for"
	pos            ast.Pos
}

// element is a piece of the header: what the connection or the request says, or an expression.
type element struct {
	on   bool
	text string // of the expression; "" for what the connection says
	expr *sample.Expr
	err  error // of the expression, reported with the checks of each proxy
}

// extForwarded is where the option is found in Proxy.Ext until the proxies are checked.
const extForwarded = "forwarded"

// parseForwarded reads `option forwarded [proto] [host|host-expr <expr>] [by...] [for...]`.
func parseForwarded(l *config.Loader, line *ast.Line) {
	px := l.Proxy
	switch line.Modifier {
	case ast.Default:
		l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", line.Arg(1))
		return
	case ast.No:
		px.Forwarded = nil
		delete(px.Ext, extForwarded)
		return
	}
	if l.IgnoredWithout(runtime.CapBack, line.Pos, "option forwarded", "") {
		return
	}
	f := &forwarded{pos: line.Pos}
	w := config.NewWords(line, 2)
	if w.Done() {
		f.proto, f.of.on = true, true
	}
	for !w.Done() {
		word := w.Take()
		var e *element
		switch word {
		case "proto":
			f.proto = true
			continue
		case "host", "host-expr":
			e = &f.host
		case "by", "by-expr":
			e = &f.byName
		case "by_port", "by_port-expr":
			e = &f.byPort
		case "for", "for-expr":
			e = &f.of
		case "for_port", "for_port-expr":
			e = &f.ofPort
		default:
			l.Alert(line.Pos, "'%s %s' only supports optional values: 'proto', 'host', 'host-expr', 'by', 'by-expr', 'by_port', 'by_port-expr', "+
				"'for', 'for-expr', 'for_port' and 'for_port-expr'.", line.Arg(0), line.Arg(1))
			return
		}
		*e = element{on: true}
		if !strings.HasSuffix(word, "-expr") {
			continue
		}
		if e.text = w.Take(); e.text == "" {
			l.AlertTight(line.Pos, "'%s' expects <expr> as argument.", word)
			return
		}
	}
	f.dropLonePorts(l, line)
	if px.Ext == nil {
		px.Ext = map[string]any{}
	}
	px.Ext[extForwarded] = f
	px.Forwarded = f.add
}

// dropLonePorts ignores ports of nodes that have no name. The message says "-expr" whatever was written.
func (f *forwarded) dropLonePorts(l *config.Loader, line *ast.Line) {
	for _, side := range []struct {
		name       string
		node, port *element
	}{{"by", &f.byName, &f.byPort}, {"for", &f.of, &f.ofPort}} {
		if side.port.on && !side.node.on {
			side.port.on = false
			l.Warn(line.Pos, "'%s %s' : '%s_port-expr' will be ignored because both '%s' and '%s-expr' are unset",
				line.Arg(0), line.Arg(1), side.name, side.name, side.name)
		}
	}
}

// ofBackend gives the option of a proxy that speaks HTTP with servers, nil when it has none.
func ofBackend(px *runtime.Proxy) *forwarded {
	f, _ := px.Ext[extForwarded].(*forwarded)
	if px.Caps&runtime.CapBack == 0 || px.Mode != runtime.ModeHTTP && px.Options&runtime.OptHTTPUpgrade == 0 {
		return nil
	}
	return f
}

// expressions are the pieces that an expression gives.
func (f *forwarded) expressions() []*element {
	var list []*element
	for _, e := range []*element{&f.host, &f.byName, &f.byPort, &f.of, &f.ofPort} {
		if e.on && e.text != "" {
			list = append(list, e)
		}
	}
	return list
}

// compileForwarded compiles the expressions of the option.
func compileForwarded(l *config.Loader, px *runtime.Proxy) {
	f := ofBackend(px)
	if f == nil {
		return
	}
	l.Samples.Pos = f.pos
	l.For(sample.InOption)
	for _, e := range f.expressions() {
		e.expr, e.err = l.Samples.ParseWord(e.text)
	}
}

// checkForwarded reports what is wrong with them.
func checkForwarded(l *config.Loader, px *runtime.Proxy) {
	f := ofBackend(px)
	if f == nil {
		return
	}
	for _, e := range f.expressions() {
		switch {
		case e.err != nil:
			l.List.Alertf(f.pos, "%s '%s' [%s:%d]: failed to parse 'option forwarded' expression '%s' in : %s.",
				px.Kind, px.Name, f.pos.File, f.pos.Line, e.text, e.err)
		case e.expr.ValidAt()&sample.BackReqHeaders == 0:
			l.List.Warnf(f.pos, "%s '%s' [%s:%d]: in 'option forwarded' sample expression '%s' : some args extract information from '%s', none of which is available here.",
				px.Kind, px.Name, f.pos.File, f.pos.Line, e.text, sample.Checkpoint(e.expr.From()))
		}
	}
}

// add makes the header, or adds an element to the one that the client sent when that can be trusted to be well formed.
func (f *forwarded) add(s *runtime.Stream) error {
	ctx := &s.Ctx
	ctx.Scratch.Reset()
	b := f.build(room(s), s)
	m := &s.Req
	valid, last := true, -1
	for values := m.Values("forwarded"); valid && values.Next(); last = values.Field {
		var e message.Forwarded
		valid = len(values.Bytes()) > 0 && message.ParseForwarded(values.Bytes(), &e)
	}
	if !valid || last < 0 {
		return m.Add("forwarded", b)
	}
	joined := append(append(room(s), m.Value(last)...), ',')
	return m.SetValue(last, append(joined, b...))
}

func (f *forwarded) build(b []byte, s *runtime.Stream) []byte {
	semicolon := func() {
		if len(b) > 0 {
			b = append(b, ';')
		}
	}
	if f.proto {
		b = append(b, "proto=http"...)
		if s.Session.TLS != nil {
			b = append(b, 's')
		}
	}
	if f.host.on {
		semicolon()
		b = append(b, `host="`...)
		b = f.appendHost(b, s)
		b = append(b, '"')
	}
	if f.byName.on {
		semicolon()
		b = append(b, "by="...)
		b = appendNode(b, s, s.Ctx.Dst, &f.byName, &f.byPort)
	}
	if f.of.on {
		semicolon()
		b = append(b, "for="...)
		b = appendNode(b, s, s.Ctx.Src, &f.of, &f.ofPort)
	}
	return b
}

func (f *forwarded) appendHost(b []byte, s *runtime.Stream) []byte {
	v := s.Ctx.Scratch.Borrow()
	defer s.Ctx.Scratch.Return()
	var host []byte
	if f.host.text == "" {
		if first := s.Req.Values("host"); first.Next() {
			host = first.Bytes()
		}
	} else if f.host.eval(s, v) && sample.Cast(&s.Ctx, v, sample.Str) {
		host = v.Bytes
	}
	if rest, ok := message.ParseForwardedHost(host, true); ok && len(rest) == 0 {
		b = append(b, host...)
	}
	return b
}

func (e *element) eval(s *runtime.Stream, v *sample.Value) bool {
	s.Ctx.Final = true
	return e.expr != nil && e.expr.Eval(&s.Ctx, v)
}

// appendNode writes a node; one with a port stands between quotes.
func appendNode(b []byte, s *runtime.Stream, addr netip.AddrPort, name, port *element) []byte {
	if port.on {
		b = append(b, '"')
	}
	at := len(b)
	b = appendNodeName(b, s, addr.Addr(), name, port.on)
	if len(b) == at {
		b = append(b, "unknown"...)
	}
	if !port.on {
		return closeLone(b, at)
	}
	b = append(b, ':')
	at = len(b)
	if b = appendNodePort(b, s, addr, port); len(b) == at {
		b = b[:at-1]
	}
	return append(b, '"')
}

// closeLone ends the quotes that an IPv6 address opened.
func closeLone(b []byte, at int) []byte {
	if b[at] == '"' {
		b = append(b, '"')
	}
	return b
}

func appendAddr(b []byte, addr netip.Addr, quoted bool) []byte {
	if addr.Is4() {
		return sample.AppendAddr(b, addr)
	}
	if !quoted {
		b = append(b, '"')
	}
	return append(sample.AppendAddr(append(b, '['), addr), ']')
}

// appendNodeName writes nothing when there is no name that the header can have.
func appendNodeName(b []byte, s *runtime.Stream, addr netip.Addr, name *element, quoted bool) []byte {
	if name.text == "" {
		if addr.IsValid() {
			b = appendAddr(b, addr, quoted)
		}
		return b
	}
	v := s.Ctx.Scratch.Borrow()
	defer s.Ctx.Scratch.Return()
	if !name.eval(s, v) {
		return b
	}
	if v.Type == sample.IPv6 {
		return appendAddr(b, v.IP, quoted)
	}
	if !sample.Cast(&s.Ctx, v, sample.Str) {
		return b
	}
	var n message.Node
	rest, ok := n.ParseName(v.Bytes, true)
	switch {
	case ok && len(rest) == 0 && n.Addr.Is6():
		return appendAddr(b, n.Addr, quoted)
	case ok && len(rest) == 0:
		return append(b, v.Bytes...)
	}
	return appendHidden(b, v.Bytes)
}

// appendHidden writes a text as an obfuscated identifier, if it can be one.
func appendHidden(b, text []byte) []byte {
	if len(text) == 0 || message.Obfuscated(text) != len(text) {
		return b
	}
	return append(append(b, '_'), text...)
}

func appendNodePort(b []byte, s *runtime.Stream, addr netip.AddrPort, port *element) []byte {
	if port.text == "" {
		if addr.IsValid() {
			b = strconv.AppendUint(b, uint64(addr.Port()), 10)
		}
		return b
	}
	v := s.Ctx.Scratch.Borrow()
	defer s.Ctx.Scratch.Return()
	if !port.eval(s, v) || !sample.Cast(&s.Ctx, v, sample.Str) || len(v.Bytes) == 0 {
		return b
	}
	var n message.Node
	if rest, ok := n.ParsePort(v.Bytes); ok && len(rest) == 0 {
		return append(b, v.Bytes...)
	}
	return appendHidden(b, v.Bytes)
}
