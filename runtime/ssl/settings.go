package ssl

import (
	"slices"
	"time"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// settings are what the global section says about TLS (section 3.1).
type settings struct {
	crtBase, caBase string
	bind, server    defaults // ssl-default-bind-*, ssl-default-server-*
	trustServers    bool     // ssl-server-verify none, -dV
	maxRecord       int      // tune.ssl.maxrecord; 0: no limit
	hardRecord      int      // tune.ssl.hard-maxrecord; 0: no limit
	lifetime        time.Duration
	cacheBlocks     int           // "tune.ssl.cachesize"
	kept            *keptSessions // nil: no line needs them
	capture         int           // tune.ssl.capture-buffer-size
	keylog          bool          // tune.ssl.keylog
	tokens          tokens
	skipRoots       bool // ssl-skip-self-issued-ca
	keyBase         string
	extra           extra // "ssl-load-extra-files"
	noExtension     bool  // "ssl-load-extra-del-ext": of what stands beside x.crt
	issuers         issuers
	passphrases     passphrases
	update          updates
	shortDH         bool // "tune.ssl.default-dh-param 1024"
	dhFile          int  // "ssl-dh-param-file": the size of its group in bits; 0: none
	generated       int  // certificates that are made and kept ("tune.ssl.ssl-ctx-cache-size")
	store           *store
	tickets         []*ticketKeys
	section         crtStore
	frontUses       []frontUse // "ssl-f-use" of the section that is read
	missing         []string   // that lists use
	list            *diag.List // while a configuration is read
	pos             ast.Pos    // of the line that is read
	experimental    func(what string) error
}

// defaults are what "ssl" on a line takes up where the line says nothing itself.
type defaults struct {
	ciphers, suites13, curves string
	sigalgs, clientSigalgs    string
	versions                  filter
	noTickets, strictSNI      bool
	clientsOrder              bool
	renegotiation             renegotiation
}

// defaultLifetime is that of a session without "tune.ssl.lifetime", which the manual says to be
// 300 seconds: it is OpenSSL's own.
const defaultLifetime = 2 * time.Hour

// of finds the settings of the configuration being read.
func of(l *config.Loader) *settings {
	g := &l.Config.Global
	s, _ := g.SSL.(*settings)
	if s == nil {
		s = &settings{trustServers: l.TrustsServers(), lifetime: defaultLifetime, extra: extraAll, generated: 1000, cacheBlocks: 20000, update: updates{min: 300, max: 3600}, store: newStore(), list: l.List}
		g.SSL = s
	}
	s.list, s.pos, s.experimental = l.List, l.Pos(), l.Experimental
	return s
}

// common is what the words of "bind" and "server" lines share.
type common struct {
	on        bool // "ssl"
	versions  filter
	ciphers   string
	suites13  string
	curves    string
	sigalgs   string
	protocols []string // of ALPN
	noTickets bool

	clientSigalgs string // what the own certificate signs with
	renegotiation renegotiation
}

// line is what the words of a "bind" line say about TLS.
type line struct {
	options
	on           bool // "ssl"
	strict       bool
	noTickets    bool
	clientsOrder bool // "prefer-client-ciphers"
	generate     bool // "generate-certificates"
	signer       signerConf
	ticketKeys   *ticketKeys // nil: keys of its own

	ignoreLeaf, ignoreAuthority ignored // "crt-ignore-err", "ca-ignore-err"

	context *Context // being made
}

// ordersGroups tells whether the line names the groups of key exchanges.
func (s *line) ordersGroups() bool { return s.curves != "" || s.ecdhe != "" }

// Encrypts tells whether the line's connections are TLS.
func (s *line) Encrypts() bool { return s.on }

// lineOf finds what was read of a bind line so far.
func lineOf(b *runtime.Bind) *line {
	s, _ := b.SSL.(*line)
	if s == nil {
		s = &line{}
		s.context = &Context{pos: b.Pos, line: s}
		b.SSL = s
	}
	return s
}

// inherit takes up the defaults of the global section.
func (s *line) inherit(d *defaults) {
	take := func(own *string, default_ string) {
		if *own == "" {
			*own = default_
		}
	}
	take(&s.ciphers, d.ciphers)
	take(&s.suites13, d.suites13)
	take(&s.curves, d.curves)
	take(&s.sigalgs, d.sigalgs)
	s.versions.inherit(&d.versions)
	s.noTickets = s.noTickets || d.noTickets
	s.strict = s.strict || d.strictSNI
	s.clientsOrder = s.clientsOrder || d.clientsOrder
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
	take(&s.sigalgs, d.sigalgs)
	take(&s.clientSigalgs, d.clientSigalgs)
	if s.renegotiation == renegotiationUnsaid {
		s.renegotiation = d.renegotiation
	}
	s.versions.inherit(&d.versions)
	s.noTickets = s.noTickets || d.noTickets
}

func (f *filter) inherit(d *filter) {
	for v, not := range d.not {
		f.not[v] = f.not[v] || not
	}
	if f.min == 0 {
		f.min = d.min
	}
	if f.max == 0 {
		f.max = d.max
	}
}

// serverLine is what the words of a "server" line say about TLS.
type serverLine struct {
	common
	check          bool     // "check-ssl"
	clearChecks    bool     // "no-check-ssl"
	checkName      string   // "check-sni"
	noCheckSNI     bool     // "no-check-sni-auto"
	checkProtocols []string // "check-alpn"; nil: those of the traffic
	revoked        *trusted // "crl-file"
	verify         verify
	host           string // "verifyhost"
	roots          *trusted
	crt            string // the client's certificate
	noAutoSNI      bool
	noReuse        bool // of sessions
	never          bool // "no-ssl"
	byDefault      bool // the default-server line says "ssl": it is checked even behind "no-ssl"
}

// verify is how a certificate of the other side is looked at.
type verify uint8

const (
	verifyDefault verify = iota // as "ssl-server-verify" says
	verifyNone
	verifyOptional // of clients only
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
	dst.SNI = src.SNI
	if s, _ := src.SSL.(*serverLine); s != nil {
		c := *s
		c.protocols = slices.Clone(s.protocols)
		c.byDefault = s.on
		dst.SSL = &c
	}
}
