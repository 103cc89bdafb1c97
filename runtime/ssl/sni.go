package ssl

import (
	"crypto/tls"
	"slices"
	"strings"
)

// siteName is a name that a certificate is for, or (not) is no certificate for.
type siteName struct {
	text     string // in small letters, without the star
	wildcard bool
	not      bool
}

// siteNames reads names and filters. "!" before a name excludes it, "*" alone is for clients
// that ask for no known name. unsupported is called for filters that mean nothing.
func siteNames(filters []string, unsupported func(text string)) (names []siteName) {
	for _, text := range filters {
		var n siteName
		if text, n.not = strings.CutPrefix(text, "!"); n.not && text == "" {
			continue
		}
		text, n.wildcard = strings.CutPrefix(text, "*")
		if n.not && n.wildcard {
			if text != "" {
				unsupported(text)
			}
			continue
		}
		if text == "" && !n.wildcard {
			continue
		}
		n.text = strings.ToLower(text)
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// sites find the certificate for the name that a client asks for. They do not change: when
// a certificate does, a listener gets others.
type sites struct {
	exact     map[string][]*site
	wildcard  map[string][]*site // by what follows the star: ".example.com", "" for any name
	strict    bool               // unknown names are refused
	profile   *profile           // of the line itself
	generator *generator         // nil: certificates are not made
}

// site is a certificate as it is served at a place.
type site struct {
	use     *use
	cert    *certificate
	shown   tls.Certificate
	kind    keyKind
	curve   tls.CurveID // of a key of ECDSA; else 0
	away    bool        // operations of its key run beside the loop
	profile *profile
}

func newSites(strict bool, p *profile) *sites {
	return &sites{exact: map[string][]*site{}, wildcard: map[string][]*site{}, strict: strict, profile: p}
}

// add enters a certificate under all of its names.
func (s *sites) add(x *site) {
	for _, n := range x.use.names {
		switch {
		case n.not:
		case n.wildcard:
			s.wildcard[n.text] = append(s.wildcard[n.text], x)
		default:
			s.exact[n.text] = append(s.exact[n.text], x)
		}
	}
}

// find looks for a name: as it is first, then by its wildcard. What is found first of a kind
// of keys is kept; of the kinds the client decides.
func (s *sites) find(name string, rsa, ecdsa bool) *site {
	var of [3]*site
	for _, x := range s.exact[name] {
		if of[x.kind] == nil {
			of[x.kind] = x
		}
	}
	dot := strings.IndexByte(name, '.')
	if name == "" {
		dot = 0
	}
	if dot >= 0 {
		for _, x := range s.wildcard[name[dot:]] {
			if of[x.kind] == nil && !x.use.excludes(name) {
				of[x.kind] = x
			}
		}
	}
	switch {
	case ecdsa && of[ecdsaKey] != nil:
		return of[ecdsaKey]
	case rsa && of[rsaKey] != nil:
		return of[rsaKey]
	case of[otherKey] != nil:
		return of[otherKey]
	case of[ecdsaKey] != nil:
		return of[ecdsaKey]
	}
	return of[rsaKey]
}

// excludes tells whether the line of a list excludes a name from its wildcards.
func (u *use) excludes(name string) bool {
	for i := range u.names {
		if n := &u.names[i]; n.not && n.text == name {
			return true
		}
	}
	return false
}

// choose finds the certificate of a handshake; nil when there is none.
func (s *sites) choose(hello *tls.ClientHelloInfo) *site {
	rsa, ecdsa := s.verifies(hello)
	if hello.ServerName != "" {
		name := strings.ToLower(hello.ServerName)
		if x := s.find(name, rsa, ecdsa); x != nil {
			return x
		}
		if s.generator != nil {
			if x := s.generator.site(name, s); x != nil {
				return x
			}
		}
	}
	if s.strict {
		return nil
	}
	return s.find("", rsa, ecdsa)
}

// verifies tells which signatures a client can verify.
func (s *sites) verifies(hello *tls.ClientHelloInfo) (rsa, ecdsa bool) {
	if len(hello.SignatureSchemes) == 0 {
		return true, false // older than TLS 1.2
	}
	for _, scheme := range hello.SignatureSchemes {
		hash, sign := scheme>>8, scheme&0xff
		switch {
		case sign == 1, hash == 8 && (sign >= 4 && sign <= 6 || sign >= 9 && sign <= 11):
			rsa = true
		case sign == 3:
			ecdsa = true
		}
	}
	return rsa, ecdsa && s.profile.takesECDSA(hello.CipherSuites)
}
