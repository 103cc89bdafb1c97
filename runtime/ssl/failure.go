package ssl

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/runtime/transport"
)

// failure words why a handshake failed as the reference's logs do: with the code and the
// reason of OpenSSL, which monitoring looks for. Clients that refuse a certificate tell so in
// TLS 1.3 by an alert in clear, where crypto/tls expects it encrypted.
func (c *Conn) failure() error {
	err := c.err
	var own *fault
	var errno unix.Errno
	var record tls.RecordHeaderError
	switch {
	case c.alerted && c.alert == alertCloseNotify:
		return transport.ErrHandshakeClosed
	case err == io.EOF, err == io.ErrUnexpectedEOF, c.first.wait && c.inEnd == io.EOF:
		if c.client || c.first.whole && c.first.body >= 0 { // it has begun
			return errBroken
		}
		return transport.ErrHandshakeClosed
	case c.fault != nil:
		return c.fault
	case errors.As(err, &own):
		return own
	case errors.As(err, &errno):
		return errBroken
	case errors.As(err, &record) && strings.Contains(record.Msg, "oversized"):
		return handshakeError(tooLong)
	case errors.As(err, &record) && c.begun() && record.RecordHeader[1] != 3:
		return handshakeError(wrongVersion)
	case errors.As(err, &record):
		return handshakeError(recordReason(record.RecordHeader[:]))
	}
	if r, told := alerted(err); told {
		return handshakeError(r)
	}
	if name, known := alertReasons[int(c.alert)]; c.alerted && known {
		return handshakeError(reason{alertBase + int(c.alert), name})
	}
	text := err.Error()
	if strings.Contains(text, "error decoding message") && !c.client && c.first.body >= 2 {
		return handshakeError(lengthMismatch)
	}
	for _, r := range reasons {
		if strings.Contains(text, r.text) {
			return handshakeError(r.reason)
		}
	}
	return fmt.Errorf("SSL handshake failure (%s)", strings.TrimPrefix(text, "tls: "))
}

// alerted finds the alert of the other side that an error of crypto/tls is about.
func alerted(err error) (r reason, told bool) {
	var remote *net.OpError
	if errors.As(err, &remote) && remote.Op == "remote error" {
		return alertReason(remote.Err.Error()), true
	}
	return reason{}, false
}

// broken is the fault of a connection that stood.
func broken(err error) *fault {
	r, told := alerted(err)
	if !told {
		r = unexpectedMessage
		for _, known := range reasons {
			if strings.Contains(err.Error(), known.text) {
				r = known.reason
				break
			}
		}
	}
	return &fault{reason: r}
}

// Faults in certificates: of clients, of who signed those, and of servers, or in their names.
var (
	errClientCertificate = &fault{text: "SSL client certificate not trusted", reason: verifyFailed}
	errClientAuthority   = &fault{text: "SSL client CA chain cannot be verified", reason: verifyFailed}
	errServerCertificate = &fault{reason: verifyFailed}
	errOtherSuite        = &fault{reason: reason{alertBase + 40, alertReasons[40]}, alert: alertBadCertificate}
	errOtherCurve        = &fault{reason: reason{0x17A, "wrong curve"}, alert: alertIllegalParameter}
	errOtherHost         = &fault{text: "Server presented an SSL certificate different from the configured one", reason: verifyFailed}
	errOtherName         = &fault{text: "Server presented an SSL certificate different from the expected one", reason: verifyFailed}
)

// fault is an error of a handshake that OpenSSL has a number for.
type fault struct {
	text   string // that the reference has for it; "": OpenSSL's own
	reason reason
	alert  byte // that the other side is told by, where crypto/tls leaves it to us
}

func (f *fault) Error() string {
	if f.text != "" {
		return f.text
	}
	return "SSL handshake failure (" + f.reason.String() + ")"
}

// over is the fault as it is told to who has shown a certificate with this verdict.
func (f *fault) over(verdict int) *fault {
	told := *f
	told.alert = alertOf(verdict)
	return &told
}

// reason is an error of OpenSSL's TLS: its number, and what it is called.
type reason struct {
	code int
	text string
}

func (r reason) String() string {
	return fmt.Sprintf("error:%08X:SSL routines::%s", r.number(), r.text)
}

// number is the reason with that of the library before it.
func (r reason) number() int {
	const library = 20
	return library<<23 | r.code
}

func handshakeError(r reason) error { return &fault{reason: r} }

var (
	httpsProxyRequest = reason{0x9B, "https proxy request"}
	httpRequest       = reason{0x9C, "http request"}
	wrongVersion      = reason{0x10B, "wrong version number"}
	tooLong           = reason{0xC6, "packet length too long"}
	unexpectedMessage = reason{0xF4, "unexpected message"}
	verifyFailed      = reason{0x86, "certificate verify failed"}
	lengthMismatch    = reason{0x9F, "length mismatch"}
	badExtension      = reason{0x6E, "bad extension"}
)

// recordReason tells what came in place of the first record.
func recordReason(head []byte) reason {
	for _, method := range []string{"GET ", "POST", "HEAD", "PUT "} {
		if bytes.HasPrefix(head, []byte(method)) {
			return httpRequest
		}
	}
	if bytes.HasPrefix(head, []byte("CONNE")) {
		return httpsProxyRequest
	}
	if head[1] == 3 {
		return unexpectedMessage
	}
	return wrongVersion
}

// reasons are the errors of crypto/tls by a part of their texts.
var reasons = []struct {
	text   string
	reason reason
}{
	{"no cipher suite supported by both", reason{0xC1, "no shared cipher"}},
	{"no supported versions satisfy", reason{0x102, "unsupported protocol"}},
	{"error decoding message", reason{0xA0, "length too short"}},
	{"unexpected message", unexpectedMessage},
	{"does not support uncompressed", errNoCompression.reason},
	{"illegal compression methods", errOtherCompression.reason},
	{"invalid client key share", reason{0x6C, "bad key share"}},
	{"unmarshal", lengthMismatch},
	{"exceeds maximum", reason{0x98, "excessive message size"}},
	{"bad record MAC", reason{0x119, "decryption failed or bad record mac"}},
	{"client didn't provide a certificate", reason{0xC7, "peer did not return a certificate"}},
	{"failed to verify certificate", reason{0x86, "certificate verify failed"}},
	{"no mutually supported", reason{0x76, "no suitable signature algorithm"}},
}

// alertReasons are what OpenSSL calls an alert of the peer.
var alertReasons = map[int]string{
	10: "sslv3 alert unexpected message", 20: "sslv3 alert bad record mac", 21: "tlsv1 alert decryption failed",
	22: "tlsv1 alert record overflow", 30: "sslv3 alert decompression failure", 40: "sslv3 alert handshake failure",
	41: "sslv3 alert no certificate", 42: "sslv3 alert bad certificate", 43: "sslv3 alert unsupported certificate",
	44: "sslv3 alert certificate revoked", 45: "sslv3 alert certificate expired", 46: "sslv3 alert certificate unknown",
	47: "sslv3 alert illegal parameter", 48: "tlsv1 alert unknown ca", 49: "tlsv1 alert access denied",
	50: "tlsv1 alert decode error", 51: "tlsv1 alert decrypt error", 60: "tlsv1 alert export restriction",
	70: "tlsv1 alert protocol version", 71: "tlsv1 alert insufficient security", 80: "tlsv1 alert internal error",
	86: "tlsv1 alert inappropriate fallback", 90: "tlsv1 alert user cancelled", 100: "tlsv1 alert no renegotiation",
	109: "tlsv13 alert missing extension", 110: "tlsv1 unsupported extension", 111: "tlsv1 certificate unobtainable",
	112: "tlsv1 unrecognized name", 113: "tlsv1 bad certificate status response", 114: "tlsv1 bad certificate hash value",
	116: "tlsv13 alert certificate required", 120: "tlsv1 alert no application protocol",
}

// alertNumbers are the alerts by the texts of crypto/tls, which does not tell their
// numbers.
var alertNumbers = func() map[string]int {
	m := map[string]int{}
	for n := range alertReasons {
		m[tls.AlertError(n).Error()] = n
	}
	return m
}()

func alertReason(text string) reason {
	n, known := alertNumbers[text]
	if !known {
		return unexpectedMessage
	}
	return reason{alertBase + n, alertReasons[n]}
}

// alertBase is where OpenSSL's numbers of the reasons that are alerts begin.
const alertBase = 1000

// errBroken is the end of a connection in the middle of a handshake: OpenSSL has no reason for it.
var errBroken = errors.New("SSL handshake failure")

// errTooMany refuses a connection to a server beyond "maxsslconn".
var errTooMany = errors.New("Too many SSL connections")
