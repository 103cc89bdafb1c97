package ssl

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// profile is how handshakes are made: with what a "bind" line says, or a line of a crt-list
// for its certificate alone.
type profile struct {
	own          *options    // nil: the line's
	config       *tls.Config // with the protocols of ALPN
	plain        *tls.Config // without
	protocols    []string
	min, max     version
	suites       []*suite              // of TLS 1.2 and older, the best first
	suites13     []uint16              // of TLS 1.3
	level        securityLevel         // of what is signed
	clientsOrder bool                  // "prefer-client-ciphers"
	schemes      []tls.SignatureScheme // that are signed with; nil: all
	trusted      []*trusted            // that certificates of clients must lead to; nil: none are asked for
	revoked      *trusted              // lists of those that are not
	missing      []string              // lists of which nothing is left
	without      []string              // what is left out of lists, with the word in front
}

// profile makes the profile for what a line of a list says, or, with nil, of the line itself.
// line is the line's own, which others begin from. The errors are told in the form
// `Proxy 'f': error for bind ...`.
func (x *Context) profile(g *settings, own *options, line *profile) (*profile, []error) {
	o := own.over(&x.line.options)
	o.curves, o.ecdhe = x.line.curves, x.line.ecdhe // those of a list mean nothing in the reference
	p := &profile{own: own, clientsOrder: x.line.clientsOrder}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	if own == nil {
		p.min, p.max = x.span.min, x.span.max
	} else {
		f := filter{min: own.versions.min, max: own.versions.max}
		if f.min == 0 {
			f.min = line.min
		}
		if f.max == 0 {
			f.max = line.max
		}
		sp := f.span()
		if p.min, p.max = sp.min, sp.max; p.min == 0 {
			fault(fmt.Errorf("all SSL/TLS versions are disabled"))
		}
	}
	c := &tls.Config{
		GetCertificate: certificateOf, DynamicRecordSizingDisabled: true,
		MinVersion: versionIDs[p.min], MaxVersion: versionIDs[p.max],
	}
	fault(p.clients(c, &o))
	faults = append(faults, p.algorithms(c, &o)...)
	p.config, p.plain = c, c
	if by := x.resumption(g); by != nil {
		resume(c, by, x.lifetime)
	} else {
		c.SessionTicketsDisabled = true
	}
	p.protocols = o.protocols
	if !o.ownALPN {
		p.protocols = x.spoken
	}
	if len(p.protocols) > 0 {
		// A client that offers only others is served without one: crypto/tls would
		// refuse it.
		p.config = c.Clone()
		p.config.NextProtos = p.protocols
	}
	return p, faults
}

// smallestBuffer is the size of buffers from which on HTTP/2 can be spoken: that of a frame.
const smallestBuffer = 16384

// spoken are the protocols that a listener offers when nothing says which.
func spoken(mode runtime.Mode, proto runtime.Proto, bufsize int) []string {
	switch {
	case mode != runtime.ModeHTTP || bufsize < smallestBuffer:
		return nil
	case proto == runtime.ProtoH1:
		return []string{"http/1.1"}
	case proto == runtime.ProtoH2:
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}

// algorithms sets what may be chosen, and tells of each list that cannot be read.
func (p *profile) algorithms(c *tls.Config, o *options) (faults []error) {
	fault := func(what, list string) { faults = append(faults, fmt.Errorf("unable to set %s to '%s'", what, list)) }
	list := "DEFAULT"
	if o.ciphers != "" {
		list = o.ciphers
	}
	if p.suites, p.level = cipherList(list); len(p.suites) == 0 {
		fault("SSL cipher list", o.ciphers)
	}
	c.CipherSuites = usable(p.suites)
	p.leaveOut("ciphers", o.ciphers, func(name string) bool {
		at := slices.IndexFunc(suites, func(s suite) bool { return s.name == name })
		return at >= 0 && !offered[suites[at].id]
	})
	p.leaveOut("ciphersuites", o.suites13, func(name string) bool { id := suites13[name]; return id == aes128CCM || id == aes128CCM8 })
	p.leaveOut("curves", o.curves, func(name string) bool { return curves[name] == 0 })
	p.leaveOut("sigalgs", o.sigalgs, func(name string) bool { return schemes[name] == 0 })
	if len(p.suites) > 0 && len(c.CipherSuites) == 0 && p.min < tlsv13 {
		p.missing = append(p.missing, "ciphers "+o.ciphers)
	}
	p.suites13 = defaultSuites13
	if o.suites13 != "" {
		var ok bool
		if p.suites13, ok = suiteList13(o.suites13); !ok {
			fault("TLS 1.3 cipher suites", o.suites13)
		} else if len(p.suites13) == 0 && p.max == tlsv13 {
			p.missing = append(p.missing, "ciphersuites "+o.suites13)
		}
	}
	word, groups, what := "curves", o.curves, "SSL curves list"
	if groups == "" && o.ecdhe != "" {
		word, groups, what = "ecdhe", o.ecdhe, "elliptic named curve"
	}
	if groups != "" {
		list, ok := curveList(groups)
		if !ok {
			fault(what, groups)
		} else if len(list) == 0 {
			p.missing = append(p.missing, word+" "+groups)
		}
		c.CurvePreferences = list
	}
	if o.sigalgs != "" {
		var ok bool
		if p.schemes, ok = schemeList(o.sigalgs); !ok {
			fault("SSL Signature Algorithm list", o.sigalgs)
		} else if len(p.schemes) == 0 {
			p.missing = append(p.missing, "sigalgs "+o.sigalgs)
		}
	}
	if o.clientSigalgs != "" {
		list, ok := schemeList(o.clientSigalgs)
		if !ok {
			fault("SSL Signature Algorithm list", o.clientSigalgs)
			return faults
		}
		for _, s := range schemesAsked {
			if !slices.Contains(list, s) {
				p.missing = append(p.missing, "client-sigalgs without "+s.String())
				break
			}
		}
	}
	return faults
}

// leaveOut notes the names in a list that crypto/tls does not have. Lists that are copied from
// guides name some, and what stands behind them serves: it is told with -dD alone.
func (p *profile) leaveOut(word, list string, lacks func(name string) bool) {
	for name := range strings.SplitSeq(list, ":") {
		if name != "" && lacks(name) {
			p.without = append(p.without, word+" '"+name+"'")
		}
	}
}

// tellLeftOut tells it. where is the line.
func (p *profile) tellLeftOut(l *config.Loader, pos ast.Pos, where string) {
	for _, what := range p.without {
		l.List.Diagf(pos, "%s left out for %s: crypto/tls does not have it.", what, where)
	}
}

// takesECDSA tells whether a suite of a client can be chosen with a certificate that has a
// key of ECDSA.
func (p *profile) takesECDSA(offered []uint16) bool {
	for _, id := range offered {
		if p.max == tlsv13 && slices.Contains(p.suites13, id) {
			return true
		}
		for _, s := range p.suites {
			if s.id == id && s.au == "ECDSA" {
				return true
			}
		}
	}
	return false
}

// configFor is the configuration that crypto/tls goes on with.
func (p *profile) configFor(c *Conn, hello *tls.ClientHelloInfo) *tls.Config {
	config := p.plain
	for _, theirs := range hello.SupportedProtos {
		if slices.Contains(p.protocols, theirs) {
			config = p.config
			break
		}
	}
	if p.trusted != nil {
		return p.verifying(config, c)
	}
	return config
}

// arranged is the hello of a client while crypto/tls chooses from it. crypto/tls has an order of
// its own for suites and groups, and the client's for groups of TLS 1.2 and signatures, but looks at
// the very lists that it shows: of suites, and of groups of TLS 1.3, that is left which the reference
// would choose, and the others are put into its order. A second hello is compared with the first
// one, so the lists are put back when the answer to that goes out.
type arranged struct {
	raw                []byte // as it came
	suites, suitesWere []uint16
	groups, groupsWere []tls.CurveID
}

// legacy is the version that it names first, which no longer is the newest.
func (a *arranged) legacy() uint16 { return binary.BigEndian.Uint16(a.raw) }

// withoutSuites tells whether its list of suites is empty.
func (a *arranged) withoutSuites() bool {
	r := pieces{b: a.raw[2+32:]}
	r.list(1)
	return len(r.list(2)) == 0
}

// compressions are the ways to compress that it offers.
func (a *arranged) compressions() []byte {
	r := pieces{b: a.raw[2+32:]}
	r.list(1)
	r.list(2)
	return r.list(1)
}

// leaveSuite leaves one suite.
func (a *arranged) leaveSuite(hello *tls.ClientHelloInfo, chosen uint16) {
	a.suites, a.suitesWere = hello.CipherSuites, slices.Clone(hello.CipherSuites)
	for i, id := range a.suites {
		if id != chosen && id != fallbackSignal {
			a.suites[i] = 0
		}
	}
}

// leaveGroup leaves one group.
func (a *arranged) leaveGroup(hello *tls.ClientHelloInfo, chosen tls.CurveID) {
	a.groups, a.groupsWere = hello.SupportedCurves, slices.Clone(hello.SupportedCurves)
	for i, id := range a.groups {
		if id != chosen {
			a.groups[i] = 0
		}
	}
}

// restore puts back what was taken out.
func (a *arranged) restore() {
	if a.suites != nil {
		copy(a.suites, a.suitesWere)
		copy(a.groups, a.groupsWere)
		*a = arranged{}
	}
}

// group is the one that a handshake of TLS 1.3 has: the first that the client has chosen a key in,
// or else the first of the line; 0: what crypto/tls chooses.
func (p *profile) group(theirs, shares []tls.CurveID) tls.CurveID {
	for _, id := range shares {
		if slices.Contains(p.config.CurvePreferences, id) {
			return id
		}
	}
	for _, id := range p.config.CurvePreferences {
		if slices.Contains(theirs, id) {
			return id
		}
	}
	return 0
}

// ordered puts the groups of a hello into the order in which they are chosen up to TLS 1.2; in
// TLS 1.3 the client has made its share already.
func (p *profile) ordered(hello *tls.ClientHelloInfo) {
	order := p.config.CurvePreferences
	if len(order) == 0 {
		order = defaultGroups
	}
	if !p.clientsOrder {
		toFront(hello.SupportedCurves, order)
	}
}

// signed puts the signatures of a hello into the order in which they are chosen.
func (p *profile) signed(hello *tls.ClientHelloInfo) {
	order := p.schemes
	if order == nil {
		order = defaultSchemes
	}
	if !p.clientsOrder {
		toFront(hello.SignatureSchemes, order)
	}
}

// toFront puts what list has of order to its front, in that order.
func toFront[T comparable](list, order []T) {
	at := 0
	for _, x := range order {
		if i := slices.Index(list[at:], x); i >= 0 {
			list[at], list[at+i] = x, list[at]
			at++
		}
	}
}

// defaultGroups are the groups that crypto/tls has in the order of OpenSSL.
var defaultGroups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP521, tls.CurveP384}

// defaultSchemes are the signature algorithms in the order of OpenSSL.
var defaultSchemes = []tls.SignatureScheme{
	tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.Ed25519,
	tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512, tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512,
	tls.ECDSAWithSHA1, tls.PKCS1WithSHA1,
}

// fallbackSignal is no suite: it tells that the client has tried a newer version before.
const fallbackSignal = 0x5600

// version is the one that a handshake will have; 0: none. TLS 1.3 is offered in a list alone.
func (p *profile) version(hello *tls.ClientHelloInfo) version {
	for v := p.max; v >= p.min && v > 0; v-- {
		if slices.Contains(hello.SupportedVersions, versionIDs[v]) && (v < tlsv13 || slices.Contains(hello.Extensions, extVersions)) {
			return v
		}
	}
	return 0
}

func (p *profile) best13(offered []uint16) uint16 {
	list, other := p.suites13, offered
	switch {
	case p.clientsOrder:
		list, other = other, list
	case prefersChaCha(offered) && slices.Contains(list, tls.TLS_CHACHA20_POLY1305_SHA256):
		return tls.TLS_CHACHA20_POLY1305_SHA256
	}
	for _, id := range list {
		if slices.Contains(other, id) {
			return id
		}
	}
	return 0
}

// best chooses a suite of TLS 1.2 or older.
func (p *profile) best(hello *tls.ClientHelloInfo, v version, s *site) uint16 {
	elliptic := p.sharesGroup(hello.SupportedCurves)
	verifies := p.verifiedBy(hello, v, s)
	const none = 1 << 16
	rank, chaCha := none, !p.clientsOrder && prefersChaCha(hello.CipherSuites)
	for _, id := range hello.CipherSuites {
		at := slices.IndexFunc(p.suites, func(s *suite) bool { return s.id == id })
		if at < 0 || !p.suites[at].fits(v, s.kind, elliptic) || p.suites[at].au == "ECDSA" && !verifies {
			continue
		}
		if p.clientsOrder {
			return id
		}
		if chaCha && p.suites[at].enc == chaChaName {
			at -= len(p.suites)
		}
		if at < rank {
			rank = at
		}
	}
	switch {
	case rank == none:
		return 0
	case rank < 0:
		rank += len(p.suites)
	}
	return p.suites[rank].id
}

// verifiedBy tells whether a client that names no suite of RSA can verify the key of a certificate.
func (p *profile) verifiedBy(hello *tls.ClientHelloInfo, v version, s *site) bool {
	if s.curve != 0 && !slices.Contains(hello.SupportedCurves, s.curve) {
		return false
	}
	return v < tlsv12 && s.kind == ecdsaKey || p.signs(hello, v, s)
}

// chaChaName is how the table of suites calls the encryption that is fast without help of the
// processor.
const chaChaName = "CHACHA20/POLY1305"

// prefersChaCha tells whether the first suite of a client is one that is fast without help of
// its processor: then those come first here too.
func prefersChaCha(offered []uint16) bool {
	for _, id := range offered {
		switch id {
		case tls.TLS_CHACHA20_POLY1305_SHA256:
			return true
		case tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, aes128CCM, aes128CCM8:
			return false
		}
		if at := slices.IndexFunc(suites, func(s suite) bool { return s.id == id }); at >= 0 {
			return suites[at].enc == chaChaName
		}
	}
	return false
}

func (p *profile) sharesGroup(theirs []tls.CurveID) bool {
	ours := p.config.CurvePreferences
	for _, id := range theirs {
		if len(ours) > 0 && slices.Contains(ours, id) ||
			len(ours) == 0 && (id == tls.X25519 || id == tls.CurveP256 || id == tls.CurveP384 || id == tls.CurveP521) {
			return true
		}
	}
	return false
}

// fits tells whether a suite can be chosen by crypto/tls.
func (s *suite) fits(v version, kind keyKind, elliptic bool) bool {
	switch {
	case !offered[s.id], v < tlsv12 && s.min == "TLSv1.2":
		return false
	case s.kx == "ECDH":
		return elliptic && (s.au == "RSA") == (kind == rsaKey)
	}
	return s.kx == "RSA" && kind == rsaKey
}
