package ssl

import (
	"crypto/tls"
	"slices"
	"strings"
)

// selectors are the words of a list of ciphers that stand for more than one suite.
var selectors = map[string]func(*suite) bool{
	"ALL":             func(s *suite) bool { return s.enc != "None" },
	"COMPLEMENTOFALL": func(s *suite) bool { return s.enc == "None" },
	"COMPLEMENTOFDEFAULT": func(s *suite) bool {
		return !s.def && s.enc != "None"
	},
	"HIGH":   func(s *suite) bool { return s.bits >= 128 && s.enc != "SEED" && s.enc != "IDEA" && s.enc != "RC4" },
	"MEDIUM": func(s *suite) bool { return s.enc == "SEED" || s.enc == "IDEA" || s.enc == "RC4" || s.enc == "3DES" },
	"eNULL":  func(s *suite) bool { return s.enc == "None" },
	"NULL":   func(s *suite) bool { return s.enc == "None" },
	"aNULL":  func(s *suite) bool { return s.au == "None" },

	"kRSA": exchange("RSA"), "RSA": exchange("RSA"),
	"kDHE": exchange("DH"), "kEDH": exchange("DH"), "DH": exchange("DH"),
	"kECDHE": exchange("ECDH"), "kEECDH": exchange("ECDH"), "ECDH": exchange("ECDH"),
	"DHE": ephemeral("DH"), "EDH": ephemeral("DH"), "ECDHE": ephemeral("ECDH"), "EECDH": ephemeral("ECDH"),
	"ADH":   func(s *suite) bool { return s.kx == "DH" && s.au == "None" },
	"AECDH": func(s *suite) bool { return s.kx == "ECDH" && s.au == "None" },
	"kPSK":  exchange("PSK"), "kECDHEPSK": exchange("ECDHEPSK"), "kDHEPSK": exchange("DHEPSK"), "kRSAPSK": exchange("RSAPSK"),
	"kSRP": exchange("SRP"), "SRP": exchange("SRP"),
	"PSK": func(s *suite) bool { return strings.HasSuffix(s.kx, "PSK") },

	"aRSA": signed("RSA"), "aECDSA": signed("ECDSA"), "ECDSA": signed("ECDSA"), "aDSS": signed("DSS"), "DSS": signed("DSS"),
	"aPSK": signed("PSK"), "aSRP": signed("SRP"),

	"AES":    func(s *suite) bool { return strings.HasPrefix(s.enc, "AES") },
	"AES128": func(s *suite) bool { return strings.HasPrefix(s.enc, "AES") && s.bits == 128 },
	"AES256": func(s *suite) bool { return strings.HasPrefix(s.enc, "AES") && s.bits == 256 },
	"AESGCM": func(s *suite) bool { return s.enc == "AESGCM" },
	"AESCCM": func(s *suite) bool { return strings.HasPrefix(s.enc, "AESCCM") },
	"AESCCM8": func(s *suite) bool {
		return s.enc == "AESCCM8"
	},
	"ARIA":        func(s *suite) bool { return s.enc == "ARIAGCM" },
	"ARIAGCM":     func(s *suite) bool { return s.enc == "ARIAGCM" },
	"ARIA128":     func(s *suite) bool { return s.enc == "ARIAGCM" && s.bits == 128 },
	"ARIA256":     func(s *suite) bool { return s.enc == "ARIAGCM" && s.bits == 256 },
	"CAMELLIA":    func(s *suite) bool { return s.enc == "Camellia" },
	"CAMELLIA128": func(s *suite) bool { return s.enc == "Camellia" && s.bits == 128 },
	"CAMELLIA256": func(s *suite) bool { return s.enc == "Camellia" && s.bits == 256 },
	"CHACHA20":    func(s *suite) bool { return s.enc == "CHACHA20/POLY1305" },

	"MD5": hashed("MD5"), "SHA1": hashed("SHA1"), "SHA": hashed("SHA1"), "SHA256": hashed("SHA256"), "SHA384": hashed("SHA384"),

	"TLSv1.2": since("TLSv1.2"), "TLSv1.0": since("TLSv1"), "TLSv1": since("TLSv1"), "SSLv3": since("SSLv3"),
}

func exchange(kx string) func(*suite) bool { return func(s *suite) bool { return s.kx == kx } }
func signed(au string) func(*suite) bool   { return func(s *suite) bool { return s.au == au } }
func hashed(mac string) func(*suite) bool  { return func(s *suite) bool { return s.mac == mac } }
func since(min string) func(*suite) bool   { return func(s *suite) bool { return s.min == min } }

func ephemeral(kx string) func(*suite) bool {
	return func(s *suite) bool { return s.kx == kx && s.au != "None" }
}

// cipherList reads a list of ciphers (ciphers(1) of OpenSSL) and returns the suites that
// it selects, the best first, and the level of security that they stand under. As in OpenSSL, words
// that name nothing are skipped; none is selected by a list with a command that cannot be read.
func cipherList(text string) ([]*suite, securityLevel) {
	l := cipherOrder{level: defaultLevel}
	for i := range suites {
		l.out = append(l.out, &suites[i])
	}
	for i, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(": ;,", r) }) {
		word, command, found := strings.Cut(word, "@")
		if word != "" {
			l.word(word, i == 0)
		}
		if found && !l.command(command) {
			return nil, defaultLevel
		}
	}
	return l.in, l.level
}

// cipherOrder is a list of ciphers while its words are read: what is in it, and the rest, both
// in the order in which a word takes them up.
type cipherOrder struct {
	in, out []*suite
	level   securityLevel
}

// word is one of the list; DEFAULT means nothing behind the first one.
func (l *cipherOrder) word(word string, first bool) {
	op := word[0]
	switch op {
	case '!', '-', '+':
		word = word[1:]
	}
	match := selector(word)
	if first && word == "DEFAULT" {
		match = func(s *suite) bool { return s.def }
	}
	if match != nil {
		l.apply(op, match)
	}
}

// command is what follows an "@"; false: there is no such command.
func (l *cipherOrder) command(text string) bool {
	if text == "STRENGTH" {
		slices.SortStableFunc(l.in, func(a, b *suite) int { return b.bits - a.bits })
		return true
	}
	level, found := strings.CutPrefix(text, "SECLEVEL=")
	if !found || len(level) != 1 || level < "0" || level > "5" {
		return false
	}
	l.level = securityLevel(level[0] - '0')
	return true
}

// apply does what a word says with the suites that it selects.
func (l *cipherOrder) apply(op byte, match func(*suite) bool) {
	split := func(list []*suite) (yes, no []*suite) {
		for _, s := range list {
			if match(s) {
				yes = append(yes, s)
			} else {
				no = append(no, s)
			}
		}
		return yes, no
	}
	switch op {
	case '!':
		_, l.in = split(l.in)
		_, l.out = split(l.out)
	case '-':
		gone, rest := split(l.in)
		l.in, l.out = rest, append(gone, l.out...)
	case '+':
		moved, rest := split(l.in)
		l.in = append(rest, moved...)
	default:
		added, rest := split(l.out)
		l.in, l.out = append(l.in, added...), rest
	}
}

// selector is what a word of a list selects: a name, a selector, or several of these
// joined by "+"; nil when it names nothing.
func selector(word string) func(*suite) bool {
	if i := slices.IndexFunc(suites, func(s suite) bool { return s.name == word }); i >= 0 {
		return func(s *suite) bool { return s == &suites[i] }
	}
	var all []func(*suite) bool
	for _, part := range strings.Split(word, "+") {
		f := selectors[part]
		if f == nil {
			return nil
		}
		all = append(all, f)
	}
	return func(s *suite) bool {
		for _, f := range all {
			if !f(s) {
				return false
			}
		}
		return true
	}
}

// offered are the suites of TLS 1.2 and older that crypto/tls has.
var offered = func() map[uint16]bool {
	m := map[uint16]bool{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		m[s.ID] = slices.Contains(s.SupportedVersions, tls.VersionTLS12)
	}
	return m
}()

// usable are those of a list that crypto/tls takes.
func usable(list []*suite) []uint16 {
	ids := []uint16{} // nil would mean a default
	for _, s := range list {
		if offered[s.id] {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// suites13 are the suites of TLS 1.3 by name.
var suites13 = map[string]uint16{
	"TLS_AES_128_GCM_SHA256":       tls.TLS_AES_128_GCM_SHA256,
	"TLS_AES_256_GCM_SHA384":       tls.TLS_AES_256_GCM_SHA384,
	"TLS_CHACHA20_POLY1305_SHA256": tls.TLS_CHACHA20_POLY1305_SHA256,
	"TLS_AES_128_CCM_SHA256":       aes128CCM,
	"TLS_AES_128_CCM_8_SHA256":     aes128CCM8,
}

// Suites of TLS 1.3 that OpenSSL knows and crypto/tls does not.
const aes128CCM, aes128CCM8 = 0x1304, 0x1305

// defaultSuites13 are those that crypto/tls has, the best first.
var defaultSuites13 = []uint16{tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256}

// suiteList13 reads a list of suites of TLS 1.3. ok is false when one is unknown; list has
// those that crypto/tls has.
func suiteList13(text string) (list []uint16, ok bool) {
	for _, name := range strings.Split(text, ":") {
		id, known := suites13[name]
		if !known {
			return nil, false
		}
		if slices.Contains(defaultSuites13, id) {
			list = append(list, id)
		}
	}
	return list, true
}

// suiteNames are the names of suites as OpenSSL has them, which stand in logs.
var suiteNames = func() map[uint16]string {
	m := map[uint16]string{}
	for i := range suites {
		m[suites[i].id] = suites[i].name
	}
	for name, id := range suites13 {
		m[id] = name
	}
	return m
}()

// curves are the groups of OpenSSL by all of their names; 0 is one that crypto/tls does not
// have.
var curves = map[string]tls.CurveID{
	"X25519": tls.X25519, "x25519": tls.X25519,
	"P-256": tls.CurveP256, "prime256v1": tls.CurveP256, "secp256r1": tls.CurveP256,
	"P-384": tls.CurveP384, "secp384r1": tls.CurveP384,
	"P-521": tls.CurveP521, "secp521r1": tls.CurveP521,
	"X448": 0, "x448": 0, "P-192": 0, "prime192v1": 0, "P-224": 0, "secp224r1": 0, "secp256k1": 0, "secp192k1": 0, "secp224k1": 0,
	"brainpoolP256r1": 0, "brainpoolP384r1": 0, "brainpoolP512r1": 0,
	"ffdhe2048": 0, "ffdhe3072": 0, "ffdhe4096": 0, "ffdhe6144": 0, "ffdhe8192": 0,
}

// curveList reads a list of groups. ok is false when one is unknown; list has those that
// crypto/tls has.
func curveList(text string) (list []tls.CurveID, ok bool) {
	for _, name := range strings.Split(text, ":") {
		id, known := curves[name]
		if !known {
			return nil, false
		}
		if id != 0 && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list, true
}

// schemes are the signature algorithms of OpenSSL by all of their names.
var schemes = map[string]tls.SignatureScheme{
	"rsa_pkcs1_sha1": tls.PKCS1WithSHA1, "RSA+SHA1": tls.PKCS1WithSHA1,
	"rsa_pkcs1_sha256": tls.PKCS1WithSHA256, "RSA+SHA256": tls.PKCS1WithSHA256,
	"rsa_pkcs1_sha384": tls.PKCS1WithSHA384, "RSA+SHA384": tls.PKCS1WithSHA384,
	"rsa_pkcs1_sha512": tls.PKCS1WithSHA512, "RSA+SHA512": tls.PKCS1WithSHA512,
	"rsa_pss_rsae_sha256": tls.PSSWithSHA256, "RSA-PSS+SHA256": tls.PSSWithSHA256, "PSS+SHA256": tls.PSSWithSHA256,
	"rsa_pss_rsae_sha384": tls.PSSWithSHA384, "RSA-PSS+SHA384": tls.PSSWithSHA384, "PSS+SHA384": tls.PSSWithSHA384,
	"rsa_pss_rsae_sha512": tls.PSSWithSHA512, "RSA-PSS+SHA512": tls.PSSWithSHA512, "PSS+SHA512": tls.PSSWithSHA512,
	"ecdsa_sha1": tls.ECDSAWithSHA1, "ECDSA+SHA1": tls.ECDSAWithSHA1,
	"ecdsa_secp256r1_sha256": tls.ECDSAWithP256AndSHA256, "ECDSA+SHA256": tls.ECDSAWithP256AndSHA256,
	"ecdsa_secp384r1_sha384": tls.ECDSAWithP384AndSHA384, "ECDSA+SHA384": tls.ECDSAWithP384AndSHA384,
	"ecdsa_secp521r1_sha512": tls.ECDSAWithP521AndSHA512, "ECDSA+SHA512": tls.ECDSAWithP521AndSHA512,
	"ed25519": tls.Ed25519, "ed448": 0,
	"rsa_pss_pss_sha256": 0, "rsa_pss_pss_sha384": 0, "rsa_pss_pss_sha512": 0,
	"ecdsa_sha224": 0, "ECDSA+SHA224": 0, "rsa_pkcs1_sha224": 0, "RSA+SHA224": 0,
	"dsa_sha1": 0, "DSA+SHA1": 0, "dsa_sha224": 0, "DSA+SHA224": 0, "dsa_sha256": 0, "DSA+SHA256": 0,
	"dsa_sha384": 0, "DSA+SHA384": 0, "dsa_sha512": 0, "DSA+SHA512": 0,
}

// schemesAsked are those that crypto/tls asks clients for.
var schemesAsked = []tls.SignatureScheme{
	tls.PSSWithSHA256, tls.ECDSAWithP256AndSHA256, tls.Ed25519, tls.PSSWithSHA384, tls.PSSWithSHA512,
	tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512,
}

// schemeList reads a list of signature algorithms. ok is false when one is unknown; list has
// those that crypto/tls has.
func schemeList(text string) (list []tls.SignatureScheme, ok bool) {
	for _, name := range strings.Split(text, ":") {
		scheme, known := schemes[name]
		if !known {
			return nil, false
		}
		if scheme != 0 {
			list = append(list, scheme)
		}
	}
	return list, true
}
