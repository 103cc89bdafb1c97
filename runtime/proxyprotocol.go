package runtime

import (
	"hapax/acl/logformat"
)

// Prologue is what clients are expected to send before anything else: bits.
type Prologue uint8

const (
	ExpectCIP   Prologue = 1 << iota // NetScaler's client IP header, the first
	ExpectPROXY                      // a PROXY protocol header
)

// SendProxy is what the PROXY protocol tells a server: bits.
type SendProxy uint16

const (
	SendProxyV1 SendProxy = 1 << iota
	SendProxyV2

	// Extensions of version 2.
	SendProxySSL       // how the client speaks TLS
	SendProxyCN        // the common name of its certificate
	SendProxyKeyAlg    // the algorithm of our key
	SendProxySigAlg    // that our certificate is signed with
	SendProxyCipher    // the cipher
	SendProxyAuthority // the name that the client asked for
	SendProxyChecksum
	SendProxyUniqueID

	SendProxyAny = SendProxyV1 | SendProxyV2
)

// ProxyTLV is an extension that "set-proxy-v2-tlv-fmt" adds.
type ProxyTLV struct {
	Type   byte
	Text   string
	Format *logformat.Format // Text compiled, when the line is read
}
