package ssl

import (
	"cmp"
	"crypto/rsa"
	"crypto/tls"
	"slices"
)

// What a client is refused for before it is shown anything, with the alert that it gets.
var (
	errUnknownName      = &fault{reason: reason{0xEA, "callback failed"}, alert: alertUnrecognizedName}
	errOldVersion       = &fault{reason: reason{0x102, "unsupported protocol"}, alert: alertProtocolVersion}
	errVersionTooLow    = &fault{reason: reason{0x18C, "version too low"}, alert: alertProtocolVersion}
	errFallback         = &fault{reason: reason{0x175, "inappropriate fallback"}, alert: alertInappropriateFallback}
	errNoSharedSuite    = &fault{reason: reason{0xC1, "no shared cipher"}, alert: alertHandshakeFailure}
	errLegacyVersion    = &fault{reason: reason{0x124, "bad legacy version"}, alert: alertProtocolVersion}
	errNoCompression    = &fault{reason: reason{0xBB, "no compression specified"}, alert: alertDecodeError}
	errOtherCompression = &fault{reason: reason{0x155, "invalid compression algorithm"}, alert: alertIllegalParameter}
	errMissingShare     = &fault{reason: errNoKeyShare.reason, alert: alertMissingExtension}
	errNoSuites         = &fault{reason: reason{0xB7, "no ciphers specified"}, alert: alertIllegalParameter}
	errMissingGroups    = &fault{reason: reason{0xD1, "missing supported groups extension"}, alert: alertMissingExtension}
	errNoKeyShare       = &fault{reason: reason{0x65, "no suitable key share"}, alert: alertHandshakeFailure}
	errMissingSchemes   = &fault{reason: reason{0x70, "missing sigalgs extension"}, alert: alertMissingExtension}
	errNoSharedScheme   = &fault{reason: reason{0x178, "no shared signature algorithms"}, alert: alertHandshakeFailure}
	errNoSuitableScheme = &fault{reason: reason{0x76, "no suitable signature algorithm"}, alert: alertHandshakeFailure}
	errNoLegacyScheme   = &fault{reason: errNoSuitableScheme.reason, alert: alertInternalError}
)

// refuse ends the handshake: the alert that crypto/tls sends is the one of the fault then.
func (c *Conn) refuse(f *fault) error {
	if c.records == 0 {
		c.records = tls.VersionTLS12
	}
	c.fault = f
	return f
}

// agree finds what the handshake will have, in the order of OpenSSL, so that the same is found
// missing first, and arranges the hello for that.
func (c *Conn) agree(hello *tls.ClientHelloInfo) *fault {
	p, s := c.site.profile, c.site
	v, f := c.beforeExtensions(hello, p)
	switch {
	case f != nil:
		return f
	case v == tlsv13:
		return c.agree13(hello, p, s)
	case v == tlsv12 && len(hello.SignatureSchemes) > 0 && !slices.ContainsFunc(hello.SignatureSchemes, p.signsWith):
		return errNoSharedScheme
	}
	suite := p.best(hello, v, s)
	switch {
	case suite == 0:
		return errNoSharedSuite
	case v < tlsv12 && p.level > 0, v == tlsv12 && len(hello.SignatureSchemes) == 0:
		return errNoLegacyScheme // all that is left is signed with SHA-1
	case v == tlsv12 && !p.signs(hello, v, s):
		return errNoSuitableScheme
	}
	c.info.ALPN = []byte(p.protocol(hello))
	p.ordered(hello)
	c.hello.leaveSuite(hello, suite)
	return nil
}

// beforeExtensions finds what is looked at before the extensions: the version, and how a client
// encrypts and compresses.
func (c *Conn) beforeExtensions(hello *tls.ClientHelloInfo, p *profile) (version, *fault) {
	v, legacy := p.version(hello), c.hello.legacy()
	switch {
	case legacy <= tls.VersionSSL30 && slices.Contains(hello.Extensions, extVersions):
		return 0, c.unversed(legacy, errLegacyVersion)
	case v == 0 && legacy == tls.VersionSSL30:
		return 0, c.unversed(legacy, errVersionTooLow)
	case v == 0:
		return 0, c.unversed(legacy, errOldVersion)
	}
	c.info.Version, c.records = []byte(versionName(versionIDs[v])), min(versionIDs[v], tls.VersionTLS12)
	compressions := c.hello.compressions()
	switch {
	case len(hello.CipherSuites) == 0 && c.hello.withoutSuites():
		return v, errNoSuites
	case len(hello.CipherSuites) == 0:
		c.site = nil
		return v, errHelloSuites
	case v < p.max && slices.Contains(hello.CipherSuites, fallbackSignal):
		return v, errFallback
	case v == tlsv13 && p.best13(hello.CipherSuites) == 0:
		return v, errNoSharedSuite
	case !slices.Contains(compressions, 0):
		return v, errNoCompression
	}
	c.info.SNI = []byte(hello.ServerName)
	if v == tlsv13 && len(compressions) > 1 {
		return v, errOtherCompression
	}
	return v, nil
}

// unversed refuses a client under the version that it names first.
func (c *Conn) unversed(legacy uint16, f *fault) *fault {
	c.records = min(legacy, tls.VersionTLS12)
	c.info.Version = []byte(cmp.Or(versionName(legacy), "unknown"))
	if legacy == tls.VersionSSL30 { // which has no alert about versions
		f = &fault{reason: f.reason, alert: alertHandshakeFailure}
	}
	return f
}

func (c *Conn) agree13(hello *tls.ClientHelloInfo, p *profile, s *site) *fault {
	if len(hello.SupportedCurves) == 0 {
		return errMissingGroups
	}
	c.info.ALPN = []byte(p.protocol(hello))
	resumes := slices.Contains(hello.Extensions, extPreSharedKey)
	switch {
	case resumes: // crypto/tls sees whether it does
	case !slices.Contains(hello.Extensions, extKeyShare):
		return errMissingShare
	case len(hello.SignatureSchemes) == 0:
		return errMissingSchemes
	case !p.sharesGroup(hello.SupportedCurves):
		return errNoKeyShare
	case !slices.ContainsFunc(hello.SignatureSchemes, p.signsWith):
		return errNoSharedScheme
	case !p.signs(hello, tlsv13, s):
		return errNoSuitableScheme
	}
	c.hello.leaveSuite(hello, p.best13(hello.CipherSuites))
	if len(c.seen.shares) > 0 {
		c.hello.leaveGroup(hello, p.group(hello.SupportedCurves, c.seen.shares))
	}
	return nil
}

// protocol is the one of ALPN that is chosen; "": none.
func (p *profile) protocol(hello *tls.ClientHelloInfo) string {
	for _, ours := range p.protocols {
		if slices.Contains(hello.SupportedProtos, ours) {
			return ours
		}
	}
	return ""
}

// signsWith tells whether a signature algorithm is one of the line, whatever its key is.
func (p *profile) signsWith(scheme tls.SignatureScheme) bool {
	if p.schemes == nil {
		return slices.Contains(strongSchemes, scheme)
	}
	return slices.Contains(p.schemes, scheme)
}

// strongSchemes are the signature algorithms that OpenSSL takes by itself; crypto/tls does not
// have all of them.
var strongSchemes = append(slices.Clone(defaultSchemes[:10]),
	0x0808, 0x0809, 0x080A, 0x080B, // ed448, RSA-PSS with keys of that kind alone
	0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602, // ECDSA, RSA and DSA with SHA-224, DSA
)

// signs tells whether there is a signature algorithm for the key of a certificate.
func (p *profile) signs(hello *tls.ClientHelloInfo, v version, s *site) bool {
	return slices.ContainsFunc(hello.SignatureSchemes, func(scheme tls.SignatureScheme) bool {
		return p.signsWith(scheme) && s.signs(scheme, v)
	})
}

// signs tells whether the key of a certificate can sign in a way. From TLS 1.3 on, a way of ECDSA
// is bound to a curve.
func (s *site) signs(scheme tls.SignatureScheme, v version) bool {
	const pssSalts = 2 // a digest and its salt, of the same size
	switch scheme {
	case tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512:
		return s.kind == rsaKey && v < tlsv13
	case tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512:
		key, ok := s.cert.leaf.PublicKey.(*rsa.PublicKey)
		return ok && key.Size() >= pssSalts*digestSizes[scheme]+2
	case tls.ECDSAWithP256AndSHA256:
		return s.kind == ecdsaKey && (v < tlsv13 || s.curve == tls.CurveP256)
	case tls.ECDSAWithP384AndSHA384:
		return s.kind == ecdsaKey && (v < tlsv13 || s.curve == tls.CurveP384)
	case tls.ECDSAWithP521AndSHA512:
		return s.kind == ecdsaKey && (v < tlsv13 || s.curve == tls.CurveP521)
	case tls.Ed25519:
		return s.kind == otherKey && v >= tlsv12
	}
	return false
}

// digestSizes are the bytes of the digests of RSA-PSS.
var digestSizes = map[tls.SignatureScheme]int{tls.PSSWithSHA256: 32, tls.PSSWithSHA384: 48, tls.PSSWithSHA512: 64}
