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
// it selects. Their order has no meaning here: crypto/tls has its own. As in OpenSSL,
// words that name nothing are skipped.
func cipherList(text string) []*suite {
	var in, never [1 << 8]bool
	for i, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(": ;,", r) }) {
		word, _, _ = strings.Cut(word, "@") // a security level, or an order
		if word == "" {
			continue
		}
		op := word[0]
		switch op {
		case '!', '-', '+':
			word = word[1:]
		}
		match := selector(word)
		if i == 0 && word == "DEFAULT" { // it means nothing elsewhere
			match = func(s *suite) bool { return s.def }
		}
		if match == nil {
			continue
		}
		for i := range suites {
			if !match(&suites[i]) {
				continue
			}
			switch op {
			case '!':
				in[i], never[i] = false, true
			case '-':
				in[i] = false
			case '+': // it only moves to the end
			default:
				in[i] = in[i] || !never[i]
			}
		}
	}
	var list []*suite
	for i := range suites {
		if in[i] {
			list = append(list, &suites[i])
		}
	}
	return list
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

// usable splits a list into what crypto/tls takes and the names of the rest.
func usable(list []*suite) (ids []uint16, rest []string) {
	ids = []uint16{} // nil would mean a default
	for _, s := range list {
		if offered[s.id] {
			ids = append(ids, s.id)
		} else {
			rest = append(rest, s.name)
		}
	}
	return ids, rest
}

// suites13 are the suites of TLS 1.3 by name, and whether crypto/tls has them. It
// offers all of its own, always.
var suites13 = map[string]bool{
	"TLS_AES_128_GCM_SHA256":       true,
	"TLS_AES_256_GCM_SHA384":       true,
	"TLS_CHACHA20_POLY1305_SHA256": true,
	"TLS_AES_128_CCM_SHA256":       false,
	"TLS_AES_128_CCM_8_SHA256":     false,
}

// suiteList13 reads a list of suites of TLS 1.3. ok tells that it names one at least, and
// left which of those of crypto/tls it leaves out.
func suiteList13(text string) (left []string, ok bool) {
	words := strings.Split(text, ":")
	for name, have := range suites13 {
		named := slices.Contains(words, name)
		ok = ok || named
		if have && !named {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left, ok
}

// suiteNames are the names of suites as OpenSSL has them, which stand in logs.
var suiteNames = func() map[uint16]string {
	m := map[uint16]string{}
	for i := range suites {
		m[suites[i].id] = suites[i].name
	}
	for _, s := range tls.CipherSuites() {
		if !offered[s.ID] {
			m[s.ID] = s.Name
		}
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
