// Package header reads and writes what stands before the bytes of a connection that
// somebody else forwards: the PROXY protocol in both versions, and the client IP header
// of NetScaler. It does no I/O.
package header

import "net/netip"

// Header is what was read.
type Header struct {
	// Src and Dst are the addresses of the connection that is forwarded. They are not
	// valid when it tells none: those of the connection that carries it hold then.
	Src, Dst netip.AddrPort

	// TLVs are the extensions of version 2, in their form on the wire: see Next. They
	// are part of what was read.
	TLVs []byte
}

// Types of extensions.
const (
	TypeALPN      = 0x01
	TypeAuthority = 0x02
	TypeCRC32C    = 0x03
	TypeNoop      = 0x04
	TypeUniqueID  = 0x05
	TypeSSL       = 0x20
	TypeNetNS     = 0x30

	// Within TypeSSL.
	TypeSSLVersion = 0x21
	TypeSSLName    = 0x22
	TypeSSLCipher  = 0x23
	TypeSSLSigAlg  = 0x24
	TypeSSLKeyAlg  = 0x25
)

// Bits of the first byte of TypeSSL.
const (
	ClientTLS      = 0x01 // the client speaks TLS
	ClientCertConn = 0x02 // it has shown a certificate on this connection
	ClientCertSess = 0x04 // or on an earlier one of the same session
)

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	fixedLen  = 16 // of version 2: signature, command, family, length
	tlvHead   = 3

	version2 = 0x20
	local    = version2
	proxied  = version2 | 1

	familyNone = 0
	familyTCP4 = 0x11
	familyTCP6 = 0x21
	lenTCP4    = 12
	lenTCP6    = 36
)

// Next takes the first extension off a list. ok is false at its end.
func Next(list []byte) (kind byte, value, rest []byte, ok bool) {
	if len(list) < tlvHead {
		return 0, nil, nil, false
	}
	n := tlvHead + int(list[1])<<8 + int(list[2])
	if n > len(list) {
		return 0, nil, nil, false
	}
	return list[0], list[tlvHead:n], list[n:], true
}

// Fault is why a header is refused, in the words of the reference's logs.
type Fault string

func (f Fault) Error() string { return string(f) }

// Faults of the PROXY protocol and of NetScaler's header. Those that tell of an end or
// of a timeout are for who receives.
const (
	Empty     Fault = "Connection closed while waiting for PROXY protocol header"
	Aborted   Fault = "Connection error while waiting for PROXY protocol header"
	Timeout   Fault = "Timeout while waiting for PROXY protocol header"
	Truncated Fault = "Truncated PROXY protocol header received"
	NotHeader Fault = "Received something which does not look like a PROXY protocol header"
	BadHeader Fault = "Received an invalid PROXY protocol header"
	BadProto  Fault = "Received an unhandled protocol in the PROXY protocol header"

	CIPEmpty     Fault = "Connection closed while waiting for NetScaler Client IP header"
	CIPAborted   Fault = "Connection error while waiting for NetScaler Client IP header"
	CIPTimeout   Fault = "Timeout while waiting for a NetScaler Client IP header"
	CIPTruncated Fault = "Truncated NetScaler Client IP header received"
	CIPBadMagic  Fault = "Received an invalid NetScaler Client IP magic number"
	CIPBadProto  Fault = "Received an unhandled protocol in the NetScaler Client IP header"

	// Unnamed is the end of a connection for which the reference names no reason: an
	// extension of more than it keeps, or a rule.
	Unnamed Fault = "Success"
)
