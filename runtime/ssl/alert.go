package ssl

import (
	"crypto/tls"
	"encoding/binary"
)

// Alerts that tell the other side what is wrong with its certificate.
const (
	alertCloseNotify        = 0
	alertUnexpectedMessage  = 10
	alertBadCertificate     = 42
	alertUnsupported        = 43
	alertHandshakeFailure   = 40
	alertIllegalParameter   = 47
	alertInternalError      = 80
	alertRevoked            = 44
	alertExpired            = 45
	alertCertificateUnknown = 46
	alertUnknownAuthority   = 48
	alertDecodeError        = 50
	alertDecryptError       = 51
	alertProtocolVersion    = 70

	alertInappropriateFallback = 86
	alertMissingExtension      = 109
	alertUnrecognizedName      = 112
)

// alertOf is the alert that OpenSSL sends for a verdict.
func alertOf(verdict int) byte {
	switch verdict {
	case unspecified:
		return alertInternalError
	case notYetValid, crlNotYetValid, leafKeyTooSmall, authorityKeyTooSmall, digestTooWeak:
		return alertBadCertificate
	case hasExpired, crlHasExpired:
		return alertExpired
	case revokedCertificate:
		return alertRevoked
	case signatureFailure, crlSignatureFailure:
		return alertDecryptError
	case invalidPurpose:
		return alertUnsupported
	case selfSignedLeaf, selfSignedInChain, unableToGetCRL, unableToGetIssuer, unableToGetIssuerLocally, unableToVerifyLeaf, invalidCA, pathTooLong:
		return alertUnknownAuthority
	}
	return alertCertificateUnknown
}

// alertRecordOf is an alert in clear that ends a connection.
func alertRecordOf(version uint16, alert byte) []byte {
	const fatal = 2
	return []byte{alertRecord, byte(version >> 8), byte(version), 0, 2, fatal, alert}
}

// reword gives an alert the number that OpenSSL would send: crypto/tls knows only one for what
// others have looked at. So it does with the one about a hello that is too large, and with the
// version of records that refuse a hello: crypto/tls takes the oldest until one is agreed upon.
func (c *Conn) reword(record []byte) {
	if last := lastRecord(record); last[0] == applicationDataRecord {
		switch {
		case c.fault != nil:
			c.resealAlert(last, c.fault.alert)
		case !c.client:
			c.resealTicket(last)
		}
		return
	}
	if len(record) != recordHead+2 || record[0] != alertRecord {
		return
	}
	version := func(v uint16) { binary.BigEndian.PutUint16(record[1:], v) }
	switch alert := &record[recordHead+1]; {
	case c.fault != nil:
		*alert = c.fault.alert
		version(c.records)
	case *alert == alertInternalError && c.first.huge:
		*alert = alertIllegalParameter
		version(tls.VersionTLS12)
	case *alert == alertDecodeError && !c.client && c.site == nil:
		version(tls.VersionTLS12)
		if c.hello.raw != nil {
			c.refuse(c.misread(c.hello.raw))
			*alert = c.fault.alert
			version(c.records)
		}
	}
}
