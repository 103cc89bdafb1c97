package ssl

// Alerts that tell the other side what is wrong with its certificate.
const (
	alertRecord             = 21
	alertBadCertificate     = 42
	alertUnsupported        = 43
	alertIllegalParameter   = 47
	alertInternalError      = 80
	alertRevoked            = 44
	alertExpired            = 45
	alertCertificateUnknown = 46
	alertUnknownAuthority   = 48
	alertDecryptError       = 51
)

// alertOf is the alert that OpenSSL sends for a verdict.
func alertOf(verdict int) byte {
	switch verdict {
	case notYetValid, crlNotYetValid:
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

// reword gives an alert about a certificate that goes out in clear the number that OpenSSL
// would send: crypto/tls knows only one for what others have looked at. Those of TLS 1.3 are
// encrypted. So it does with the one about a hello that is too large.
func (c *Conn) reword(record []byte) {
	if len(record) != recordHead+2 || record[0] != alertRecord {
		return
	}
	switch alert := &record[recordHead+1]; {
	case *alert == alertBadCertificate && c.judged.result != verifyOK:
		*alert = alertOf(c.judged.result)
	case *alert == alertInternalError && c.first.huge:
		*alert = alertIllegalParameter
		record[1], record[2] = 3, 3 // the version, which crypto/tls would have of the hello
	}
}
