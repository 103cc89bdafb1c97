package ssl

import (
	"crypto/tls"
	"slices"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// settings are what the global section says about TLS (section 3.1).
type settings struct {
	crtBase, caBase string
	bind, server    defaults // ssl-default-bind-*, ssl-default-server-*
	trustServers    bool     // ssl-server-verify none
	maxRecord       int      // tune.ssl.maxrecord; 0: no limit
	lifetime        time.Duration
	skipRoots       bool // ssl-skip-self-issued-ca
}

// defaults are what "ssl" on a line takes up where the line says nothing itself.
type defaults struct {
	ciphers, suites13, curves string
	versions                  filter
	noTickets, strictSNI      bool
}

// defaultLifetime is that of a session without "tune.ssl.lifetime".
const defaultLifetime = 300 * time.Second

// of finds the settings of the configuration being read.
func of(l *config.Loader) *settings {
	g := &l.Config.Global
	s, _ := g.SSL.(*settings)
	if s == nil {
		s = &settings{lifetime: defaultLifetime}
		g.SSL = s
	}
	return s
}

// common is what the words of "bind" and "server" lines share.
type common struct {
	on        bool // "ssl"
	versions  filter
	ciphers   string
	suites13  string
	curves    string
	protocols []string // of ALPN
	noTickets bool
}

// line is what the words of a "bind" line say about TLS.
type line struct {
	common
	choose   chooser
	ecdhe    string
	ownALPN  bool // "alpn" or "no-alpn" is given: the default does not hold
	explicit bool // one of "default-crt"
	loaded   int  // certificates

	auth                 tls.ClientAuthType // "verify"
	authorities, unnamed *authorities       // "ca-file", "ca-verify-file"
	noNames              bool               // "no-ca-names": clients are not told the authorities
}

// lineOf finds what was read of a bind line so far.
func lineOf(b *runtime.Bind) *line {
	s, _ := b.SSL.(*line)
	if s == nil {
		s = &line{}
		b.SSL = s
	}
	return s
}

// inherit takes up the defaults of the global section.
func (s *common) inherit(d *defaults) {
	take := func(own *string, default_ string) {
		if *own == "" {
			*own = default_
		}
	}
	take(&s.ciphers, d.ciphers)
	take(&s.suites13, d.suites13)
	take(&s.curves, d.curves)
	for v, not := range d.versions.not {
		s.versions.not[v] = s.versions.not[v] || not
	}
	if s.versions.min == 0 {
		s.versions.min = d.versions.min
	}
	if s.versions.max == 0 {
		s.versions.max = d.versions.max
	}
	s.noTickets = s.noTickets || d.noTickets
}

// serverLine is what the words of a "server" line say about TLS.
type serverLine struct {
	common
	check     bool   // "check-ssl"
	checkName string // "check-sni"
	verify    verify
	host      string // "verifyhost"
	roots     *authorities
	crt       string // the client's certificate
	sni       *sample.Expr
	noAutoSNI bool
	noReuse   bool // of sessions
	never     bool // "no-ssl"
	byDefault bool // the default-server line says "ssl": it is checked even behind "no-ssl"
}

// verify is how a certificate of the other side is looked at.
type verify uint8

const (
	verifyDefault verify = iota // as "ssl-server-verify" says
	verifyNone
	verifyRequired
)

// serverLineOf finds what was read of a server line so far.
func serverLineOf(srv *runtime.Server) *serverLine {
	s, _ := srv.SSL.(*serverLine)
	if s == nil {
		s = &serverLine{}
		srv.SSL = s
	}
	return s
}

// copyServer gives a server the words of a default-server line.
func copyServer(dst, src *runtime.Server) {
	if s, _ := src.SSL.(*serverLine); s != nil {
		c := *s
		c.protocols = slices.Clone(s.protocols)
		c.byDefault = s.on
		dst.SSL = &c
	}
}
