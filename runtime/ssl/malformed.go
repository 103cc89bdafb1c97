package ssl

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
	"strings"
)

// What a client is refused for whose hello cannot be read.
var (
	errNoVersion       = &fault{reason: wrongVersion} // which OpenSSL tells nobody
	errHelloLength     = &fault{reason: lengthMismatch, alert: alertDecodeError}
	errHelloSuites     = &fault{reason: reason{0x97, "error in received cipher list"}, alert: alertDecodeError}
	errHelloExtension  = &fault{reason: badExtension, alert: alertDecodeError}
	errHelloRepetition = &fault{reason: badExtension, alert: alertIllegalParameter}
)

// longestSession is how long the id of a session may be.
const longestSession = 32

// malformed tells what is wrong with the parts of a client's hello; nil: they are all there. What
// stands in its extensions is looked at later.
func malformed(body []byte) *fault {
	r := pieces{b: body}
	r.take(2 + 32)
	id := r.list(1)
	r.list(2) // suites
	r.list(1) // compression
	if r.broken || len(id) > longestSession {
		return errHelloLength
	}
	if len(r.b) == 0 {
		return nil
	}
	extensions := pieces{b: r.list(2)}
	if r.broken || len(r.b) > 0 {
		return errHelloLength
	}
	for seen := uint64(0); len(extensions.b) > 0; {
		kind := extensions.take(2)
		if extensions.list(2); extensions.broken {
			return errHelloExtension
		}
		n := binary.BigEndian.Uint16(kind)
		bit := knownExtension(n)
		if seen&bit != 0 || n == extPreSharedKey && len(extensions.b) > 0 {
			return errHelloRepetition
		}
		seen |= bit
	}
	return nil
}

// knownExtension is the bit of an extension that OpenSSL knows, and takes no two of; 0: of another.
func knownExtension(n uint16) uint64 {
	const known = 1<<0 | 1<<1 | 1<<5 | 1<<extGroups | 1<<extFormats | 1<<12 | 1<<extSchemes | 1<<14 | 1<<extProtocols | 1<<18 | 1<<21 | 1<<22 | 1<<23 |
		1<<35 | 1<<extPreSharedKey | 1<<42 | 1<<extVersions | 1<<44 | 1<<45 | 1<<47 | 1<<49 | 1<<50 | 1<<extKeyShare
	const next, renegotiation = 13172, 0xFF01
	switch {
	case n == next:
		return 1 << 62
	case n == renegotiation:
		return 1 << 63
	case n > extKeyShare:
		return 0
	}
	return known & (1 << n)
}

// misread tells why a hello is refused that crypto/tls cannot read, though its parts are there.
func (c *Conn) misread(body []byte) *fault {
	hello, intelligible := looseHello(body)
	if hello == nil {
		return errHelloLength
	}
	if !intelligible {
		return errUnknownName
	}
	if c.site = c.of.sites.Load().choose(hello); c.site == nil {
		c.info.SNI = []byte(strings.ToLower(hello.ServerName))
		return errUnknownName
	}
	if _, f := c.beforeExtensions(hello, c.site.profile); f != nil {
		return f
	}
	return errHelloExtension
}

// looseHello is as much of a hello as can be read; nil: not even its parts. What certificates are
// chosen by has to be intelligible.
func looseHello(body []byte) (hello *tls.ClientHelloInfo, intelligible bool) {
	r := pieces{b: body}
	version := r.take(2)
	r.take(32)
	r.list(1)
	suites := r.list(2)
	r.list(1)
	if r.broken {
		return nil, false
	}
	hello, intelligible = &tls.ClientHelloInfo{}, true
	if len(suites)%2 == 0 {
		hello.CipherSuites = numbers[uint16](suites)
	}
	for v := uint16(tls.VersionTLS12); v >= tls.VersionTLS10; v-- {
		if v <= binary.BigEndian.Uint16(version) {
			hello.SupportedVersions = append(hello.SupportedVersions, v)
		}
	}
	for extensions := (pieces{b: r.list(2)}); len(extensions.b) > 0; {
		number := extensions.take(2)
		one := pieces{b: extensions.list(2)}
		if extensions.broken {
			break
		}
		kind := binary.BigEndian.Uint16(number)
		hello.Extensions = append(hello.Extensions, kind)
		switch kind {
		case extName:
			names := pieces{b: one.list(2)}
			isHost := slices.Equal(names.take(1), []byte{0})
			name := names.list(2)
			hello.ServerName = string(name)
			intelligible = intelligible && !one.broken && len(one.b) == 0 && isHost && !names.broken && len(name) > 0 && !slices.Contains(name, 0)
		case extSchemes:
			list := one.list(2)
			hello.SignatureSchemes = numbers[tls.SignatureScheme](list)
			intelligible = intelligible && !one.broken && len(one.b) == 0 && len(list)%2 == 0
		case extGroups:
			hello.SupportedCurves = numbers[tls.CurveID](one.list(2))
		case extVersions:
			hello.SupportedVersions = numbers[uint16](one.list(1))
		}
	}
	signsOnCurve := slices.ContainsFunc(hello.SignatureSchemes, func(scheme tls.SignatureScheme) bool { return scheme&0xFF == 3 })
	return hello, intelligible && (len(suites)%2 == 0 || !signsOnCurve)
}

func numbers[T ~uint16](list []byte) (all []T) {
	for ; len(list) >= 2; list = list[2:] {
		all = append(all, T(binary.BigEndian.Uint16(list)))
	}
	return all
}
