package ssl

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/transport"
)

type parseServer = func(*config.Loader, *config.Words, *runtime.Server) error

// serverSetting is a word without arguments.
func serverSetting(set func(*serverLine)) parseServer {
	return func(_ *config.Loader, _ *config.Words, srv *runtime.Server) error {
		set(serverLineOf(srv))
		return nil
	}
}

// withDefaults is one that takes up what the global section has said so far.
func withDefaults(set func(*serverLine)) parseServer {
	return func(l *config.Loader, _ *config.Words, srv *runtime.Server) error {
		s := serverLineOf(srv)
		set(s)
		s.inherit(&of(l).server)
		return nil
	}
}

// serverText is a word with one argument that is looked at later.
func serverText(word, what string, target func(*serverLine) *string) parseServer {
	return func(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing %s", word, what)
		}
		*target(serverLineOf(srv)) = value
		return nil
	}
}

// parseServerBound is "ssl-min-ver" and "ssl-max-ver".
func parseServerBound(word string) parseServer {
	return func(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
		return serverLineOf(srv).versions.bound(word, w.Take())
	}
}

// parseServerVerify is "verify <method>".
func parseServerVerify(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	s := serverLineOf(srv)
	switch value := w.Take(); value {
	case "none":
		s.verify = verifyNone
	case "required":
		s.verify = verifyRequired
	case "":
		return errors.New("'verify' : missing verify method")
	default:
		return fmt.Errorf("'verify' : unknown verify method '%s', only 'none' and 'required' are supported", value)
	}
	return nil
}

// parseServerAuthorities is "ca-file <path>".
func parseServerAuthorities(l *config.Loader, w *config.Words, srv *runtime.Server) error {
	path := w.Take()
	if path == "" {
		return errors.New("'ca-file' : missing CAfile path")
	}
	if base := of(l).caBase; base != "" && path[0] != '/' && path[0] != '@' {
		path = base + "/" + path
	}
	r := fileReader(l, w.Pos(), "server")
	if srv.Dynamic {
		r.list = nil // no file is opened
	}
	roots, fault := of(l).store.trusted(r, path, authorityKind)
	if roots == nil {
		refused := fmt.Errorf("'ca-file' : unable to load %s", path)
		if fault == "" {
			return refused
		}
		return errors.Join(errors.New(fault), refused)
	}
	serverLineOf(srv).roots = roots
	return nil
}

// parseServerCrt is "crt <file>": what the servers are shown.
func parseServerCrt(l *config.Loader, w *config.Words, srv *runtime.Server) error {
	path := w.Take()
	if path == "" {
		return errors.New("'crt' : missing certificate file path")
	}
	if base := of(l).crtBase; base != "" && path[0] != '/' && path[0] != '@' {
		path = base + "/" + path
	}
	serverLineOf(srv).crt = path
	return nil
}

// parseServerALPN is "alpn <protocols>".
func parseServerALPN(word string, to func(*serverLine) *[]string) parseServer {
	return func(l *config.Loader, w *config.Words, srv *runtime.Server) error {
		protocols, err := config.ProtocolNames(word, w.Take())
		if err != nil {
			return err
		}
		var spoken []string
		for _, protocol := range protocols {
			switch protocol {
			case "":
			case "h3":
				_ = l.Experimental(word) // counts as a use; the line is refused anyway
				l.Missing(w.Pos(), "server "+word+" "+protocol)
			default:
				spoken = append(spoken, protocol)
			}
		}
		*to(serverLineOf(srv)) = spoken
		return nil
	}
}

// parseSNI is "sni <expression>".
func parseSNI(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	text := w.Take()
	if text == "" {
		return errors.New("'sni' : missing sni expression")
	}
	srv.SNI.Text = text
	return nil
}

// finishServer makes the Context of a server, when all files are read.
func finishServer(l *config.Loader, srv *runtime.Server) {
	px := srv.Proxy
	s, _ := srv.SSL.(*serverLine)
	if s == nil && srv.ChecksTLS {
		s = serverLineOf(srv)
	}
	if s != nil && s.never {
		srv.TLSMode.Store(runtime.TLSNever)
	}
	if s == nil || !s.on && !s.check && !s.byDefault && !srv.ChecksTLS {
		return
	}
	l.Awaken(serverSettings...)
	g := of(l)
	spoken := false
	say := func(severity diag.Severity, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if !spoken && srv.Pos.Line > 0 { // only the first message names the line, if there is one
			text = diag.AtObject(srv.Pos, "server "+px.Name+"/"+srv.Name, "%s", text)
		}
		spoken = true
		l.List.Add(diag.Diagnostic{Severity: severity, Pos: srv.Pos, Text: text, Fatal: severity == diag.Alert})
	}

	x := &Context{maxRecord: g.recordLimit(), keylog: g.keylog, toServers: true, most: l.Config.Global.MaxTLSConn, stats: &l.Config.Stats, counters: []*runtime.TLSCounters{&srv.TLSStats, &px.Live.TLSBack}, sni: srv.SNI.Expr, checkName: s.checkName, noCheckSNI: s.noCheckSNI}
	// The names and chains of certificates are verified here: crypto/tls would insist on
	// a name.
	c := &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true, NextProtos: s.protocols}
	if s.renegotiation != renegotiationRefused {
		c.Renegotiation = tls.RenegotiateFreelyAsClient
	}
	x.config = c
	x.checkProtocols, x.checksOffer = s.checkProtocols, s.checkProtocols != nil
	if !x.checksOffer {
		x.checkProtocols = s.protocols
	}
	unreadable := x.readSchemes(l, srv, &s.common)
	if s.crt != "" {
		x.ownCertificate(l, srv, s.crt, say)
	}
	sp := s.versions.span()
	if s.versions.min == 0 { // clients of servers have no default of their own
		sp = s.versions.spanFrom(tlsv10)
	}
	if sp.ignored {
		say(diag.Warning, "no-sslv3/no-tlsv1x are ignored for this server. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.")
	}
	for _, hole := range sp.holes {
		say(diag.Warning, "%s '%s': SSL/TLS versions range not contiguous for server '%s'. Hole find for %s. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.",
			px.Kind, px.Name, srv.Name, versionNames[hole])
	}
	if sp.min == 0 {
		say(diag.Alert, "%s '%s': all SSL/TLS versions are disabled for server '%s'.", px.Kind, px.Name, srv.Name)
	}
	c.MinVersion, c.MaxVersion = versionIDs[sp.min], versionIDs[sp.max]
	x.noTickets = s.noTickets
	c.SessionTicketsDisabled = s.noTickets && c.MaxVersion < tls.VersionTLS13 // those of TLS 1.3 are no matter of the option
	if s.verify == verifyRequired || s.verify == verifyDefault && !g.trustServers {
		switch {
		case s.roots != nil:
			x.roots, x.revoked, x.host = s.roots, s.revoked, s.host
		case !g.trustServers:
			say(diag.Alert, "verify is enabled by default but no CA file specified. If you're running on a LAN where you're certain to trust the server's certificate, "+
				"please set an explicit 'verify none' statement on the 'server' line, or use 'ssl-server-verify none' in the global section to disable server-side "+
				"verifications by default.")
		default:
			say(diag.Alert, "verify is enabled but no CA file specified.")
		}
	}
	if unreadable != "" {
		say(diag.Alert, "Proxy '%s': unable to set SSL Signature Algorithm list to '%s' for server '%s'.", px.Name, unreadable, srv.Name)
	}
	for _, err := range x.algorithms(l, srv.Pos, &s.common, sp) {
		text := err.Error()
		if strings.Contains(text, "curves") {
			text = fmt.Sprintf("Proxy '%s': %s for server '%s'", px.Name, text, srv.Name)
		}
		say(diag.Alert, "%s.", text)
	}
	if !s.noReuse {
		x.sessions.empty()
	}
	if x.sni == nil && !s.noAutoSNI && px.Mode == runtime.ModeHTTP {
		x.sni, _ = l.Samples.ParseWord("req.hdr(host),field(1,:)")
	}
	g.store.join(x)
	srv.TLS = x
	srv.ALPN = s.protocols
	if s.on {
		srv.TLSMode.Store(runtime.TLSOn)
	}
	if s.check {
		srv.CheckTLS = x
	}
	srv.ChecksClear = s.clearChecks
}

// leaveServer forgets a server that was deleted.
func leaveServer(cfg *runtime.Config, srv *runtime.Server) {
	x, ok := srv.TLS.(*Context)
	g, known := cfg.Global.SSL.(*settings)
	if !ok || !known {
		return
	}
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	g.store.contexts = slices.DeleteFunc(g.store.contexts, func(c *Context) bool { return c == x })
	for _, u := range x.uses {
		u.entry.uses = slices.DeleteFunc(u.entry.uses, func(other *use) bool { return other == u })
	}
}

// ownCertificate loads the certificate that servers are shown.
func (x *Context) ownCertificate(l *config.Loader, srv *runtime.Server, path string, say func(diag.Severity, string, ...any)) {
	g := of(l)
	e := g.store.entries[path]
	if e == nil && srv.Dynamic {
		say(diag.Alert, "unable to stat SSL certificate '%s'.", path)
		return
	}
	if e == nil {
		if dir, reason := found(path); reason != "" || dir {
			say(diag.Alert, "unable to stat SSL certificate from file '%s' : %s.", path, cmp.Or(reason, strerror(unix.ENOENT)))
			return
		}
		var err error
		if e, err = g.entry(path); err != nil {
			say(diag.Alert, "%s", strings.TrimSuffix(err.Error(), "\n"))
			return
		}
	}
	if _, err := g.place(e, x, nil, noFallback); err != nil {
		say(diag.Alert, "%s", strings.TrimSuffix(err.Error(), "\n"))
		return
	}
	x.presentToServers(g, e.cert)
	x.config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return x.own.Load(), nil }
}

// readSchemes reads "sigalgs" and "client-sigalgs": the first are those of servers, and of the
// own certificate unless the second are. It gives one that cannot be read.
func (x *Context) readSchemes(l *config.Loader, srv *runtime.Server, s *common) (unreadable string) {
	for _, text := range []string{s.sigalgs, s.clientSigalgs} {
		if text == "" {
			continue
		}
		list, ok := schemeList(text)
		if !ok {
			return text
		}
		x.schemes = list
	}
	if s.sigalgs == "" {
		return ""
	}
	list, _ := schemeList(s.sigalgs)
	for _, scheme := range schemesAsked {
		if !slices.Contains(list, scheme) {
			l.Missing(srv.Pos, "server sigalgs without "+scheme.String())
			break
		}
	}
	return ""
}

// presentToServers makes a certificate the one that servers are shown.
func (x *Context) presentToServers(g *settings, cert *certificate) {
	own := cert.present(g.skipRoots)
	own.SupportedSignatureAlgorithms = x.schemes
	x.own.Store(&own)
}

// Name is what the server is asked for by the stream; see transport.Maker.
func (x *Context) Name(who any) []byte {
	s, ok := who.(*runtime.Stream)
	if !ok || x.sni == nil {
		return nil
	}
	ctx := &s.Ctx
	ctx.Checkpoint, ctx.Dir, ctx.Final = sample.SetServer, sample.Request, true // the request is there still
	ctx.Scratch.Reset()
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	if !x.sni.EvalAs(ctx, sample.Str, v) {
		return nil
	}
	return v.Bytes
}

// Named implements transport.Maker.
func (x *Context) Named() bool { return x.sni != nil }

// CheckName implements transport.Maker.
func (x *Context) CheckName(hello *transport.CheckHello) string {
	switch {
	case hello.Name != "":
		return hello.Name
	case hello.Server && x.checkName != "":
		return x.checkName
	case !x.noCheckSNI:
		return hello.Host
	}
	return ""
}

// ChecksOffer implements transport.Maker.
func (x *Context) ChecksOffer() bool { return x.checksOffer }

// Check makes the layer of a health check; see transport.Maker.
func (x *Context) Check(hello *transport.CheckHello) transport.Layer {
	name, offers := x.CheckName(hello), hello.Protocols
	switch {
	case offers != nil:
	case hello.Server:
		offers = x.checkProtocols
	default:
		offers = x.config.NextProtos
	}
	layer := x.Client(name, "").(*Conn)
	layer.checks, layer.offers = true, offers
	return layer
}

// parseServerRevoked is "crl-file <path>".
func parseServerRevoked(l *config.Loader, w *config.Words, srv *runtime.Server) error {
	r := fileReader(l, w.Pos(), "server")
	if srv.Dynamic {
		r.list = nil // no file is opened
	}
	path := w.Take()
	if path == "" {
		return fmt.Errorf("'crl-file' : missing %s path", revokedKind)
	}
	path = based(of(l).caBase, path)
	list, fault := of(l).store.trusted(r, path, revokedKind)
	if list == nil {
		refused := fmt.Errorf("'crl-file' : unable to load %s", path)
		if fault == "" {
			return refused
		}
		return errors.Join(errors.New(fault), refused)
	}
	serverLineOf(srv).revoked = list
	return nil
}

// parseServerVerifyDefault is "ssl-server-verify".
func parseServerVerifyDefault(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	switch line.Arg(1) {
	case "none":
		of(l).trustServers = true
	case "required":
		of(l).trustServers = false
	case "":
		l.Alert(line.Pos, "'%s' expects an integer argument.", line.Arg(0))
	default:
		l.Alert(line.Pos, "'%s' expects 'none' or 'required' as argument.", line.Arg(0))
	}
}
