package ssl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// parseSSL is the word "ssl".
func parseSSL(l *config.Loader, _ *config.Words, b *runtime.Bind) error {
	s, d := lineOf(b), &of(l).bind
	s.on = true
	s.inherit(d)
	return nil
}

// parseCrt is "crt <file>" and "default-crt <file>". Section 5.1.
func parseCrt(word string, fb fallback) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(l *config.Loader, w *config.Words, b *runtime.Bind) error {
		path := w.Take()
		if path == "" {
			return fmt.Errorf("'%s' : missing certificate location", word)
		}
		g, x := of(l), lineOf(b).context
		before := len(x.uses)
		err := g.crt(x, based(g.crtBase, path), fb)
		g.reportMissing(l)
		if warning := g.warnDH(x.uses[before:]); err == nil && warning != "" {
			return warning
		}
		return err
	}
}

// parseCrtList is "crt-list <file>".
func parseCrtList(l *config.Loader, w *config.Words, b *runtime.Bind) error {
	path := w.Take()
	if path == "" {
		return errors.New("'crt-list' : missing certificate location")
	}
	g, x := of(l), lineOf(b).context
	before := len(x.uses)
	err := g.crtList(x, path, false)
	g.reportMissing(l)
	warning, ok := err.(config.Warning)
	if err != nil && !ok {
		return fmt.Errorf("'crt-list' : %w", err)
	}
	if warning += g.warnDH(x.uses[before:]); warning != "" {
		return "'crt-list' : " + warning
	}
	return nil
}

// reportMissing hands what lists use and is not supported to the loader.
func (g *settings) reportMissing(l *config.Loader) {
	for _, what := range g.missing {
		l.Missing(g.pos, what)
	}
	g.missing = nil
}

// parseSigner is "ca-sign-file" and "ca-sign-pass".
func parseSigner(word, what string, target func(*signerConf) *string) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(l *config.Loader, w *config.Words, b *runtime.Bind) error {
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'%s' : missing %s", word, what)
		}
		if word == "ca-sign-file" {
			value = based(of(l).caBase, value)
		}
		*target(&lineOf(b).signer) = value
		return nil
	}
}

// parseIgnored is "crt-ignore-err" and "ca-ignore-err".
func parseIgnored(word string, target func(*line) *ignored) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(_ *config.Loader, w *config.Words, b *runtime.Bind) error {
		return target(lineOf(b)).read(word, w.Take())
	}
}

// parseTicketKeys is "tls-ticket-keys <file>". Lines with the same file share its keys.
func parseTicketKeys(l *config.Loader, w *config.Words, b *runtime.Bind) (err error) {
	file := w.Take()
	if file == "" {
		return errors.New("'tls-ticket-keys' : missing TLS ticket keys file path")
	}
	g := of(l)
	for _, keys := range g.tickets {
		if keys.file == file {
			lineOf(b).ticketKeys = keys
			return nil
		}
	}
	keys, err := readTicketKeys(file)
	if err != nil {
		return err
	}
	g.tickets = slices.Insert(g.tickets, 0, keys)
	lineOf(b).ticketKeys = keys
	return nil
}

// finish makes the Context of a bind line, when all files are read.
func finish(l *config.Loader, px *runtime.Proxy, b *runtime.Bind) {
	s, _ := b.SSL.(*line)
	if s == nil {
		return
	}
	at := fmt.Sprintf("bind '%s' at [%s:%d]", b.Text, b.Pos.File, b.Pos.Line)
	g, x := of(l), s.context
	say := func(severity diag.Severity, format string, args ...any) {
		l.List.Add(diag.Diagnostic{Severity: severity, Fatal: severity == diag.Alert, Text: fmt.Sprintf("Proxy '%s': ", px.Name) + fmt.Sprintf(format, args...)})
	}
	if !s.on {
		return
	}
	l.Awaken(bindSettings...)
	if len(x.uses) == 0 {
		if !s.strict || s.generate {
			say(diag.Alert, "no SSL certificate specified for %s (use 'crt').", at)
			return
		}
		say(diag.Warning, "no SSL certificate specified for %s, ssl connections will fail (use 'crt').", at)
	}
	if s.strict && slices.ContainsFunc(x.uses, func(u *use) bool { return u.fallback == explicitFallback }) {
		say(diag.Warning, "both 'default-crt' and 'strict-sni' keywords are used in %s, certificates won't be used as fallback (use 'crt' instead).", at)
	}
	x.capture, x.keylog, x.lifetime = g.capture, g.keylog, g.lifetime
	x.maxRecord, x.stats, x.counters = g.recordLimit(), &l.Config.Stats, []*runtime.TLSCounters{&px.Live.TLSFront}
	x.proxy, x.bind = px.Name, b.Text
	x.spoken = spoken(px.Mode, b.Proto, l.Config.Global.Tune.BufSize)
	if size := l.Config.Global.Tune.BufSize; px.Mode == runtime.ModeHTTP && size < smallestBuffer && slices.Contains(s.protocols, "h2") {
		l.List.Alertf(ast.Pos{}, "HTTP frontend '%s' enables HTTP/2 via ALPN at [%s:%d], so global.tune.bufsize must be at least 16384 bytes (%d now).", px.Name, b.Pos.File, b.Pos.Line, size)
	}
	x.config = &tls.Config{GetConfigForClient: x.pick, DynamicRecordSizingDisabled: true}

	sp := s.versions.span()
	if sp.ignored {
		say(diag.Warning, "no-sslv3/no-tlsv1x are ignored for %s. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.", at)
	}
	if sp.ambiguous {
		say(diag.Warning, "Ambiguous configuration for %s: the ssl-min-ver value is not configured and the ssl-max-ver value is lower than the "+
			"default ssl-min-ver value (%s). Setting the ssl-min-ver to %s. Use 'ssl-min-ver' to fix this.", at, versionNames[oldest], versionNames[s.versions.max])
	}
	for _, hole := range sp.holes {
		say(diag.Warning, "SSL/TLS versions range not contiguous for %s. Hole find for %s. Use only 'ssl-min-ver' and 'ssl-max-ver' to fix.", at, versionNames[hole])
	}
	if sp.min == 0 {
		say(diag.Alert, "all SSL/TLS versions are disabled for %s.", at)
		return
	}
	x.span = sp
	if s.noTickets && g.kept == nil && g.cacheBlocks > 0 {
		g.kept = newKeptSessions(g.cacheBlocks, x.stats)
	}
	if s.generate {
		var fault string
		if x.generator, fault = newGenerator(g, s.signer, fmt.Sprintf("%s:%d", b.Pos.File, b.Pos.Line)); x.generator == nil {
			say(diag.Alert, "%s", fault)
			return
		}
	}
	if faults := x.faults(l, g); len(faults) > 0 {
		lines := make([]string, len(faults))
		for i, err := range faults {
			lines[i] = fmt.Sprintf("Proxy '%s': %s for %s.", px.Name, err, at)
		}
		l.List.Alertf(ast.Pos{}, "%s", strings.Join(lines, "\n"))
		return
	}
	sites, _ := x.build(g, x.uses, nil)
	x.sites.Store(sites)
	g.store.join(x)
	b.TLS = x
}

// faults are those of the line, and once more of each of its certificates that has a name: that is
// how the reference tells them.
func (x *Context) faults(l *config.Loader, g *settings) []error {
	line, faults := x.profile(g, nil, nil)
	where := fmt.Sprintf("bind '%s' at [%s:%d]", x.bind, x.pos.File, x.pos.Line)
	line.tellLeftOut(l, x.pos, where)
	for _, what := range line.missing {
		l.Missing(x.pos, "bind "+what)
	}
	for _, u := range x.uses {
		if len(u.names) == 0 {
			continue // nobody ever gets it
		}
		p, more := x.profile(g, u.own(), line)
		faults = append(faults, more...)
		if u.line == nil || u.line.own == nil {
			continue
		}
		p.tellLeftOut(l, x.pos, where)
		for _, what := range p.missing {
			l.Missing(x.pos, "crt-list "+what)
		}
	}
	return faults
}

// recordLimit is how many bytes of clear text a record holds at most.
func (s *settings) recordLimit() int {
	limit := maxRecord
	for _, n := range [...]int{s.maxRecord, s.hardRecord} {
		if n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}

// check finishes all bind lines.
func check(l *config.Loader) {
	of(l).numberTicketKeys()
	for _, all := range [...][]*runtime.Proxy{l.Config.Proxies, l.Config.Forwards, l.Config.Peers} {
		for _, px := range all {
			if px.Disabled {
				continue
			}
			for _, b := range px.Binds {
				finish(l, px, b)
			}
		}
	}
	for _, ln := range l.Config.Global.StatsSocks {
		if s, _ := ln.Bind.SSL.(*line); s != nil && s.on {
			l.Missing(ln.Bind.Pos, "stats socket ssl")
		}
	}
}
