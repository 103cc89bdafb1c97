package ssl

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Verdicts on a certificate, with the numbers that OpenSSL gives them (X509_V_ERR_*).
const (
	verifyOK                 = 0
	unspecified              = 1 // refused for what is no verdict on a certificate
	unableToGetIssuer        = 2
	unableToGetCRL           = 3
	signatureFailure         = 7
	crlSignatureFailure      = 8
	notYetValid              = 9
	hasExpired               = 10
	crlNotYetValid           = 11
	crlHasExpired            = 12
	selfSignedLeaf           = 18
	selfSignedInChain        = 19
	unableToGetIssuerLocally = 20
	unableToVerifyLeaf       = 21
	revokedCertificate       = 23
	invalidCA                = 79
	pathTooLong              = 25
	invalidPurpose           = 26
	unhandledCritical        = 34
	leafKeyTooSmall          = 66
	authorityKeyTooSmall     = 67
	digestTooWeak            = 68
)

// maxVerdict is the last number that "crt-ignore-err" takes.
const maxVerdict = 94

// maxDepth is how long a chain may be.
const maxDepth = 100

// judge is asked about each fault of a chain, at its place (0: the certificate itself), and
// tells whether verification goes on.
type judge func(verdict, depth int) bool

// verification is the look at one chain.
type verification struct {
	given  []*x509.Certificate // what the other side has sent, its own first
	roots  []*anchors
	lists  *anchors // revoked certificates; nil: they are not asked for
	level  securityLevel
	usage  x509.ExtKeyUsage
	now    time.Time
	judge  judge
	chain  []*x509.Certificate
	rooted int // from where on the chain is made of certificates that are trusted; len: nowhere
}

// run verifies the chain in the order of OpenSSL, so that the same fault is met first. It
// tells whether the chain is accepted.
func (v *verification) run() bool {
	v.chain = v.given[:1]
	if keyBits(v.given[0]) < v.level.bits() && !v.judge(leafKeyTooSmall, 0) {
		return false
	}
	return v.build() && v.extensions() && v.strength() && v.revocation() && v.signatures()
}

// build looks for the issuer of the last certificate of the chain until there is a root:
// among those that are trusted first.
func (v *verification) build() bool {
	v.chain = []*x509.Certificate{v.given[0]}
	v.rooted = 1
	if v.isTrusted(v.given[0]) && selfSigned(v.given[0]) {
		v.rooted = 0
		return true
	}
	for len(v.chain) < maxDepth {
		last := v.chain[len(v.chain)-1]
		if selfSigned(last) {
			break
		}
		if next := v.issuer(last); next != nil {
			v.chain = append(v.chain, next)
			if selfSigned(next) {
				return true
			}
			continue
		}
		if v.rooted < len(v.chain) {
			break // the root is missing among those that are trusted
		}
		next := v.sent(last)
		if next == nil {
			break
		}
		v.chain = append(v.chain, next)
		v.rooted++
	}
	n := len(v.chain)
	switch {
	case selfSigned(v.chain[n-1]) && v.isTrusted(v.chain[n-1]):
		v.rooted = n - 1
		return true
	case selfSigned(v.chain[n-1]) && n == 1:
		return v.judge(selfSignedLeaf, n-1)
	case selfSigned(v.chain[n-1]):
		return v.judge(selfSignedInChain, n-1)
	case v.rooted < n:
		return v.judge(unableToGetIssuer, n-1)
	}
	return v.judge(unableToGetIssuerLocally, n-1)
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && issued(c, c)
}

func (v *verification) isTrusted(c *x509.Certificate) bool {
	key := canonical(c.RawSubject)
	for _, a := range v.roots {
		for _, t := range a.subject[key] {
			if t.Equal(c) {
				return true
			}
		}
	}
	return false
}

// issuer finds who has issued a certificate among those that are trusted.
func (v *verification) issuer(c *x509.Certificate) *x509.Certificate {
	return v.best(c, func(yield func(*x509.Certificate)) {
		for _, a := range v.roots {
			for _, t := range a.subject[canonical(c.RawIssuer)] {
				yield(t)
			}
		}
	})
}

// sent finds it among what was sent.
func (v *verification) sent(c *x509.Certificate) *x509.Certificate {
	return v.best(c, func(yield func(*x509.Certificate)) {
		for _, s := range v.given[1:] {
			if !slices.ContainsFunc(v.chain, s.Equal) {
				yield(s)
			}
		}
	})
}

// best is the first issuer that is valid now, or else the one that is valid longest.
func (v *verification) best(c *x509.Certificate, each func(yield func(*x509.Certificate))) (found *x509.Certificate) {
	each(func(t *x509.Certificate) {
		switch {
		case !issued(t, c):
		case found == nil, !v.valid(found) && t.NotAfter.After(found.NotAfter):
			found = t
		}
	})
	return found
}

func (v *verification) valid(c *x509.Certificate) bool {
	return !v.now.Before(c.NotBefore) && !v.now.After(c.NotAfter)
}

// extensions looks whether certificates may be used for what they are used for.
func (v *verification) extensions() bool {
	path := 0
	for depth, c := range v.chain {
		if len(c.UnhandledCriticalExtensions) > 0 && !v.judge(unhandledCritical, depth) {
			return false
		}
		if depth > 0 && !authority(c) && !v.judge(invalidCA, depth) {
			return false
		}
		if !v.suits(c) && !v.judge(invalidPurpose, depth) {
			return false
		}
		if depth > 1 && c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLenZero) && path > c.MaxPathLen+1 &&
			!v.judge(pathTooLong, depth) {
			return false
		}
		if !selfSigned(c) || depth == 0 {
			path++
		}
	}
	return true
}

// strength looks whether keys and signatures are worth what they have to be.
func (v *verification) strength() bool {
	for depth, c := range v.chain {
		if depth > 0 && keyBits(c) < v.level.bits() && !v.judge(authorityKeyTooSmall, depth) {
			return false
		}
		if depth+1 < len(v.chain) && digestBits(c) < v.level.bits() && !v.judge(digestTooWeak, depth) {
			return false
		}
	}
	return true
}

// authority tells whether a certificate may issue others: one of old, without extensions, may
// when it is a root.
func authority(c *x509.Certificate) bool {
	switch {
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return false
	case c.BasicConstraintsValid:
		return c.IsCA
	}
	return c.Version < 3 && selfSigned(c) || c.KeyUsage&x509.KeyUsageCertSign != 0
}

// suits tells whether a certificate may be used by a client, or by a server.
func (v *verification) suits(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(c.ExtKeyUsage, v.usage) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// revocation looks for each certificate in the lists of who has issued it.
func (v *verification) revocation() bool {
	if v.lists == nil {
		return true
	}
	for depth, c := range v.chain {
		issuer := c
		if depth+1 < len(v.chain) {
			issuer = v.chain[depth+1]
		}
		if verdict := v.listed(c, issuer); verdict != verifyOK && !v.judge(verdict, depth) {
			return false
		}
	}
	return true
}

// listed looks for a certificate in the newest list of its issuer.
func (v *verification) listed(c, issuer *x509.Certificate) int {
	var newest *revocations
	for _, a := range append([]*anchors{v.lists}, v.roots...) {
		for _, r := range a.issuer[canonical(c.RawIssuer)] {
			if newest == nil || r.list.TBSCertList.ThisUpdate.After(newest.list.TBSCertList.ThisUpdate) {
				newest = r
			}
		}
	}
	if newest == nil {
		return unableToGetCRL
	}
	list := &newest.list.TBSCertList
	switch {
	case v.now.Before(list.ThisUpdate):
		return crlNotYetValid
	case !list.NextUpdate.IsZero() && v.now.After(list.NextUpdate):
		return crlHasExpired
	case issuer.CheckCRLSignature(newest.list) != nil:
		return crlSignatureFailure
	case newest.has(c.SerialNumber):
		return revokedCertificate
	}
	return verifyOK
}

// signatures checks them from the root down, and whether certificates are valid now.
func (v *verification) signatures() bool {
	n := len(v.chain)
	if n == 1 && !selfSigned(v.chain[0]) && v.rooted == n && !v.judge(unableToVerifyLeaf, 0) {
		return false
	}
	for depth := n - 1; depth >= 0; depth-- {
		c := v.chain[depth]
		if depth+1 < n {
			by := v.chain[depth+1]
			if by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil && !v.judge(signatureFailure, depth) {
				return false
			}
		}
		switch {
		case v.now.Before(c.NotBefore):
			if !v.judge(notYetValid, depth) {
				return false
			}
		case v.now.After(c.NotAfter):
			if !v.judge(hasExpired, depth) {
				return false
			}
		}
	}
	return true
}

// ignored is a set of verdicts that do not matter ("crt-ignore-err", "ca-ignore-err").
type ignored [maxVerdict + 1]bool

// read reads numbers or names, or "all".
func (g *ignored) read(word, value string) error {
	if value == "" {
		return fmt.Errorf("'%s' : missing error IDs list", word)
	}
	if value == "all" {
		for i := range g {
			g[i] = true
		}
		return nil
	}
	for _, id := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' }) {
		code := 0
		if id[0] >= '0' && id[0] <= '9' {
			digits := strings.IndexFunc(id, func(r rune) bool { return r < '0' || r > '9' })
			if digits < 0 {
				digits = len(id)
			}
			if code, _ = strconv.Atoi(id[:digits]); code <= 0 || code > maxVerdict {
				return fmt.Errorf("'%s' : ID '%d' out of range (1..%d) in error IDs list '%s'", word, code, maxVerdict, value)
			}
		} else if code = slices.Index(verdictNames[:], id); code < 0 {
			return fmt.Errorf("'%s' : error constant '%s' unknown in error IDs list '%s'", word, id, value)
		}
		g[code] = true
	}
	return nil
}

// verdict is what came out of looking at the certificates of the other side, as numbers
// of OpenSSL: 0 is good.
type verdict struct {
	result   int  // what counts in the end
	err      int  // of the certificate itself
	caErr    int  // of those that it leads to
	caDepth  int  // where caErr was found
	complete bool // certificates came and were looked at in this handshake
}

// clients sets how certificates of clients are looked at.
func (p *profile) clients(c *tls.Config, o *options) error {
	if o.verify < verifyOptional {
		return nil
	}
	if o.authorities == nil && o.unnamed == nil {
		return errors.New("verify is enabled but no CA file specified")
	}
	c.ClientAuth = tls.RequestClientCert
	if o.verify == verifyRequired {
		c.ClientAuth = tls.RequireAnyClientCert
	}
	if o.authorities != nil && !o.noNames {
		if a := o.authorities.data.Load(); a != nil {
			c.ClientCAs = a.pool()
		}
	}
	p.trusted, p.revoked = []*trusted{o.authorities, o.unnamed}, o.revoked
	return nil
}

// verifying is a configuration of one handshake, which looks at what the client shows.
func (p *profile) verifying(config *tls.Config, c *Conn) *tls.Config {
	config = config.Clone()
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return nil
		}
		c.peers = state.PeerCertificates
		if f := p.judge(c, state); f != nil {
			return c.refuse(f)
		}
		return nil
	}
	return config
}

// judge verifies what a client has shown.
func (p *profile) judge(c *Conn, state tls.ConnectionState) (refused *fault) {
	v := verification{given: state.PeerCertificates, usage: x509.ExtKeyUsageClientAuth, level: p.level, now: time.Now()}
	for _, t := range p.trusted {
		if t != nil {
			v.roots = appendAnchors(v.roots, t)
		}
	}
	if p.revoked != nil {
		v.lists = p.revoked.data.Load()
	}
	c.judged = verdict{complete: true}
	v.judge = func(result, depth int) bool {
		seen, ignore := &c.judged, &c.of.line.ignoreLeaf
		switch {
		case depth > 0:
			ignore = &c.of.line.ignoreAuthority
			if seen.caErr == 0 {
				seen.caErr, seen.caDepth = result, depth
			}
		case seen.err == 0:
			seen.err = result
		}
		seen.result = result // even of a fault that is ignored
		if ignore[result] {
			return true
		}
		refused = errClientCertificate.over(result)
		if depth > 0 {
			refused = errClientAuthority.over(result)
		}
		return false
	}
	v.run()
	if !state.DidResume {
		c.root = v.chain[len(v.chain)-1]
	}
	if refused == nil && onOtherCurve(state, p.config.CurvePreferences) {
		return errOtherCurve
	}
	return refused
}

// onOtherCurve tells whether the key that the other side has shown lies on a curve that is
// not among those of the key exchange, which bound it up to TLS 1.2.
func onOtherCurve(state tls.ConnectionState, groups []tls.CurveID) bool {
	key, isElliptic := state.PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
	if !isElliptic || len(groups) == 0 || state.Version > tls.VersionTLS12 {
		return false
	}
	own := map[elliptic.Curve]tls.CurveID{elliptic.P256(): tls.CurveP256, elliptic.P384(): tls.CurveP384, elliptic.P521(): tls.CurveP521}
	return !slices.Contains(groups, own[key.Curve])
}

func appendAnchors(list []*anchors, t *trusted) []*anchors {
	if a := t.data.Load(); a != nil {
		list = append(list, a)
	}
	return list
}
