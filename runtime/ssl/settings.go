package ssl

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/config"
)

// settings are what the global section says about TLS (section 3.1).
type settings struct {
	crtBase, caBase string
	bind            defaults // ssl-default-bind-*
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

// line is what the words of a "bind" line say about TLS.
type line struct {
	on        bool // "ssl"
	choose    chooser
	versions  filter
	ciphers   string
	suites13  string
	curves    string
	ecdhe     string
	protocols []string // of ALPN
	ownALPN   bool     // "alpn" or "no-alpn" is given: the default does not hold
	noTickets bool
	explicit  bool // one of "default-crt"
	loaded    int  // certificates
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

// enable is the word "ssl": the defaults of the global section hold from here on.
func (s *line) enable(d *defaults) {
	s.on = true
	inherit := func(own *string, default_ string) {
		if *own == "" {
			*own = default_
		}
	}
	inherit(&s.ciphers, d.ciphers)
	inherit(&s.suites13, d.suites13)
	inherit(&s.curves, d.curves)
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
	s.choose.strict = s.choose.strict || d.strictSNI
}
