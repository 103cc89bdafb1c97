package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// parseSSL is the word "ssl".
func parseSSL(l *config.Loader, _ *config.Words, b *runtime.Bind) error {
	s, d := lineOf(b), &of(l).bind
	s.on = true
	s.inherit(d)
	s.choose.strict = s.choose.strict || d.strictSNI
	return nil
}

// parseCrt is "crt <file>" and "default-crt <file>". Section 5.1.
func parseCrt(explicit bool) func(*config.Loader, *config.Words, *runtime.Bind) error {
	word := "crt"
	if explicit {
		word = "default-crt"
	}
	return func(l *config.Loader, w *config.Words, b *runtime.Bind) error {
		path := w.Take()
		if path == "" {
			return fmt.Errorf("'%s' : missing certificate location", word)
		}
		g, s := of(l), lineOf(b)
		if path[0] == '@' && l.Awaken("section crt-store") {
			s.loaded++
			return nil
		}
		if path[0] != '/' && path[0] != '@' && g.crtBase != "" {
			path = g.crtBase + "/" + path
		}
		dir, reason := found(path)
		switch {
		case dir:
			l.Missing(w.Pos(), "bind "+word+" <directory>")
			s.loaded++
			return nil
		case reason != "" && bundled(path):
			l.Missing(w.Pos(), "bind "+word+" <bundle>")
			s.loaded++
			return nil
		case reason != "":
			return fmt.Errorf("unable to stat SSL certificate from file '%s' : %s.\n", path, reason)
		}
		c, fault := loadCertificate(path, g.skipRoots)
		if fault != nil {
			if fault.encrypted {
				l.List.Add(passphraseWanted)
			}
			return fault
		}
		for _, suffix := range []string{".ocsp", ".issuer", ".sctl"} {
			if _, reason := found(path + suffix); reason == "" {
				l.Missing(w.Pos(), "bind "+word+" with a "+suffix+" file")
			}
		}
		if explicit || s.choose.empty() {
			s.choose.fallback = append(s.choose.fallback, c)
			s.explicit = s.explicit || explicit
		}
		s.choose.add(c)
		s.loaded++
		return nil
	}
}

// bundled tells whether a name stands for several files, one for each type of key.
func bundled(path string) bool {
	for _, key := range []string{"rsa", "ecdsa", "dsa"} {
		if _, reason := found(path + "." + key); reason == "" {
			return true
		}
	}
	return false
}

// parseALPN is "alpn <protocols>". A protocol that is not spoken here is Missing.
func parseALPN(l *config.Loader, w *config.Words, b *runtime.Bind) error {
	value := w.Take()
	protocols, err := protocolList("alpn", value)
	if err != nil {
		return err
	}
	s := lineOf(b)
	s.ownALPN, s.protocols = true, nil
	for _, protocol := range protocols {
		switch protocol {
		case "":
		case "h2", "h3":
			l.Missing(w.Pos(), "bind alpn "+protocol)
		default:
			s.protocols = append(s.protocols, protocol)
		}
	}
	return nil
}

// protocolList reads a list of protocols of ALPN.
func protocolList(word, value string) ([]string, error) {
	if value == "" {
		return nil, fmt.Errorf("'%s' : missing the comma-delimited ALPN protocol suite", word)
	}
	list := strings.Split(value, ",")
	for _, protocol := range list {
		if len(protocol) > 255 {
			return nil, fmt.Errorf("'%s' : ALPN protocol name too long : '%s'", word, protocol)
		}
	}
	return list, nil
}

// parseText is a word with one argument that is looked at when the whole configuration is
// checked.
func parseText(word, what string, target func(*line) *string) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(_ *config.Loader, w *config.Words, b *runtime.Bind) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing %s", word, what)
		}
		*target(lineOf(b)) = value
		return nil
	}
}

// parseVersionBound is "ssl-min-ver" and "ssl-max-ver".
func parseVersionBound(word string) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(_ *config.Loader, w *config.Words, b *runtime.Bind) error {
		return lineOf(b).versions.bound(word, w.Take())
	}
}

// bound sets the first or the last version.
func (f *filter) bound(word, value string) error {
	if value == "" {
		return fmt.Errorf("'%s' : missing the ssl/tls version", word)
	}
	v := slices.Index(versionNames[1:], value) + 1
	if v == 0 {
		return fmt.Errorf("'%s' : unknown ssl/tls version", value)
	}
	if word == "ssl-min-ver" {
		f.min = version(v)
	} else {
		f.max = version(v)
	}
	return nil
}

// exclude reads "no-tlsv12" or "force-tlsv12".
func (f *filter) exclude(word string) bool {
	op, name, _ := strings.Cut(word, "-")
	v := slices.Index(versionWords[1:], name) + 1
	switch {
	case v == 0:
		return false
	case op == "no":
		f.not[v] = true
	case op == "force":
		f.min, f.max = version(v), version(v)
	default:
		return false
	}
	return true
}

// parseVerify is "verify <method>": whether clients have to show a certificate.
func parseVerify(_ *config.Loader, w *config.Words, b *runtime.Bind) error {
	s := lineOf(b)
	switch value := w.Take(); value {
	case "none":
		s.auth = tls.NoClientCert
	case "optional":
		s.auth = tls.RequestClientCert
	case "required":
		s.auth = tls.RequireAnyClientCert
	case "":
		return errors.New("'verify' : missing verify method")
	default:
		return fmt.Errorf("'verify' : unknown verify method '%s', only 'none', 'optional', and 'required' are supported\n", value)
	}
	return nil
}

// parseAuthorities is "ca-file" and "ca-verify-file".
func parseAuthorities(word string, named bool) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(l *config.Loader, w *config.Words, b *runtime.Bind) error {
		path := w.Take()
		if path == "" {
			return fmt.Errorf("'%s' : missing CAfile path", word)
		}
		if base := of(l).caBase; base != "" && path[0] != '/' && path[0] != '@' {
			path = base + "/" + path
		}
		a, fault := loadAuthorities(l, path)
		if a == nil {
			if fault != "" {
				l.List.Alertf(w.Pos(), "%s.", fault)
			}
			return fmt.Errorf("'%s' : unable to load %s", word, path)
		}
		if s := lineOf(b); named {
			s.authorities = a
		} else {
			s.unnamed = a
		}
		return nil
	}
}

// parseRevoked is "crl-file", of which only the file's place is looked at: the word is
// Missing.
func parseRevoked(l *config.Loader, w *config.Words, _ *runtime.Bind) error {
	path := w.Take()
	if path == "" {
		return errors.New("'crl-file' : missing CRLfile path")
	}
	if base := of(l).caBase; base != "" && path[0] != '/' && path[0] != '@' {
		path = base + "/" + path
	}
	if _, reason := found(path); reason != "" {
		l.List.Alertf(w.Pos(), "Couldn't open the ca-file '%s' (%s).", path, reason)
		return fmt.Errorf("'crl-file' : unable to load %s", path)
	}
	return nil
}

// clients sets how certificates of clients are looked at.
func (x *Context) clients(s *line) error {
	if s.auth == tls.NoClientCert {
		return nil
	}
	if s.authorities == nil && s.unnamed == nil {
		return errors.New("verify is enabled but no CA file specified")
	}
	c := x.config
	c.ClientAuth = s.auth
	if s.authorities != nil && !s.noNames {
		c.ClientCAs = s.authorities.pool
	}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return nil
		}
		for _, a := range []*authorities{s.authorities, s.unnamed} {
			if a != nil && a.verify(state.PeerCertificates, x509.ExtKeyUsageClientAuth) == nil {
				return nil
			}
		}
		if len(state.PeerCertificates) > 1 {
			return errClientAuthority
		}
		return errClientCertificate
	}
	return nil
}

// finish makes the Context of a bind line, when all files are read.
func finish(l *config.Loader, px *runtime.Proxy, b *runtime.Bind) {
	s, _ := b.SSL.(*line)
	if s == nil {
		return
	}
	at := fmt.Sprintf("bind '%s' at [%s:%d]", b.Text, b.Pos.File, b.Pos.Line)
	if !s.on {
		return
	}
	l.Awaken(bindSettings...)
	if s.loaded == 0 {
		if s.choose.strict {
			l.List.Warnf(ast.Pos{}, "Proxy '%s': no SSL certificate specified for %s, ssl connections will fail (use 'crt').", px.Name, at)
		} else {
			l.List.Alertf(ast.Pos{}, "Proxy '%s': no SSL certificate specified for %s (use 'crt').", px.Name, at)
			return
		}
	}
	if s.choose.strict && s.explicit {
		l.List.Warnf(ast.Pos{}, "Proxy '%s': both 'default-crt' and 'strict-sni' keywords are used in %s, certificates won't be used as fallback (use 'crt' instead).", px.Name, at)
	}
	g := of(l)
	x := &Context{choose: s.choose, maxRecord: recordLimit(g.maxRecord), stats: &l.Config.Stats, counters: []*runtime.TLSCounters{&px.Live.TLSFront}}
	c := &tls.Config{GetCertificate: x.certificate, DynamicRecordSizingDisabled: true, SessionTicketsDisabled: s.noTickets}
	x.config = c

	sp := s.versions.span()
	if sp.ignored {
		l.List.Warnf(ast.Pos{}, "Proxy '%s': no-sslv3/no-tlsv1x are ignored for %s. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.", px.Name, at)
	}
	if sp.ambiguous {
		l.List.Warnf(ast.Pos{}, "Proxy '%s': Ambiguous configuration for %s: the ssl-min-ver value is not configured and the ssl-max-ver value is lower than the "+
			"default ssl-min-ver value (%s). Setting the ssl-min-ver to %s. Use 'ssl-min-ver' to fix this.",
			px.Name, at, versionNames[oldest], versionNames[s.versions.max])
	}
	for _, hole := range sp.holes {
		l.List.Warnf(ast.Pos{}, "Proxy '%s': SSL/TLS versions range not contiguous for %s. Hole find for %s. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.",
			px.Name, at, versionNames[hole])
	}
	if sp.min == 0 {
		l.List.Alertf(ast.Pos{}, "Proxy '%s': all SSL/TLS versions are disabled for %s.", px.Name, at)
		return
	}
	c.MinVersion, c.MaxVersion = versionIDs[sp.min], versionIDs[sp.max]

	faults := []error{x.clients(s), x.algorithms(l, "bind", b.Pos, &s.common, sp)}
	if s.ecdhe != "" {
		var err error
		if c.CurvePreferences, err = x.groups(l, "bind ecdhe", b.Pos, s.ecdhe); err != nil {
			faults = append(faults, fmt.Errorf("unable to set elliptic named curve to '%s'", s.ecdhe))
		}
	}
	var lines []string
	for _, err := range faults {
		if err != nil {
			lines = append(lines, fmt.Sprintf("Proxy '%s': %s for %s.", px.Name, err, at))
		}
	}
	if len(lines) > 0 {
		// The reference says it once for the line and once for each certificate.
		l.List.Alertf(ast.Pos{}, "%s", strings.Join(slices.Repeat(lines, 1+s.loaded), "\n"))
		return
	}
	protocols := s.protocols
	if !s.ownALPN && px.Mode == runtime.ModeHTTP {
		protocols = []string{"http/1.1"}
	}
	if !s.noTickets {
		withLifetime(c, g.lifetime)
	}
	if len(protocols) > 0 {
		withProtocols(c, protocols)
	}
	b.TLS = x
}

// recordLimit is how many bytes of clear text a record holds at most.
func recordLimit(limit int) int {
	if limit <= 0 || limit > maxRecord {
		return maxRecord
	}
	return limit
}

// check finishes all bind lines.
func check(l *config.Loader) {
	for _, px := range l.Config.Proxies {
		if px.Disabled {
			continue
		}
		for _, b := range px.Binds {
			finish(l, px, b)
		}
	}
	for _, ln := range l.Config.Global.StatsSocks {
		if s, _ := ln.Bind.SSL.(*line); s != nil && s.on {
			l.Missing(ln.Bind.Pos, "stats socket ssl")
		}
	}
}
