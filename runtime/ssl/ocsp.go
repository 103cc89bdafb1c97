package ssl

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"
)

// staples are the responses of authorities about certificates, by what these are called in
// them.
type staples struct {
	byKey map[string]*staple
	order []*staple
}

// staple is the response about one certificate, which is sent along with it as long as it is
// valid.
type staple struct {
	key     []byte // the certificate's ID, as it is encoded in a request
	path    string // the entry that it was made for
	uri     string // where responses are; "": it is not known
	issuer  *x509.Certificate
	now     atomic.Pointer[response]
	updates updateState
}

// response is a response as it is sent.
type response struct {
	der    []byte
	expire int64 // unix seconds; no longer sent then
}

// responseSkew is how long a response must still be valid, in seconds.
const responseSkew = 300

// fresh is what is sent along at a time; nil: nothing.
func (t *staple) fresh(now time.Time) []byte {
	r := t.now.Load()
	if r == nil || now.Unix() > r.expire {
		return nil
	}
	return r.der
}

// staple finds or makes the place of the response about a certificate; nil when none is
// there or wanted. A response that came with the certificate is put there.
func (s *store) staple(g *settings, e *entry, cert *certificate) (*staple, error) {
	if cert.staple != nil {
		s.follow(g, e, cert.staple)
		return cert.staple, nil
	}
	update, uri := g.updates(e.conf.update), ""
	if len(cert.leaf.OCSPServer) > 0 {
		uri = cert.leaf.OCSPServer[0]
	}
	if cert.ocsp == nil && (!update || uri == "") {
		return nil, nil
	}
	issuer := cert.issuer
	for _, c := range cert.chain {
		if issued(c, cert.leaf) {
			issuer = c
			break
		}
	}
	if issuer == nil {
		if cert.ocsp != nil {
			return nil, refusal(" '%s.ocsp' is present and activates OCSP but it is impossible to compute the OCSP certificate ID (maybe the issuer could not be found)'.\n", e.name)
		}
		return nil, refusal(" '%s' has an OCSP auto-update set to 'on' but an error occurred (maybe the OCSP URI or the issuer could not be found)'.\n", e.name)
	}
	key := certificateID(issuer, cert.leaf.SerialNumber)
	t := s.staples.byKey[string(key)]
	if t == nil {
		t = &staple{key: key, path: e.name, uri: uri, issuer: issuer}
		if s.staples.byKey == nil {
			s.staples.byKey = map[string]*staple{}
		}
		s.staples.byKey[string(key)] = t
		s.staples.order = append(s.staples.order, t)
	}
	cert.staple = t
	if cert.ocsp != nil {
		if err := t.load(cert.ocsp); err != nil && g.list != nil {
			g.list.Warnf(g.pos, "Loading: %s. Content will be ignored.", err)
		}
	}
	s.follow(g, e, t)
	return t, nil
}

// load reads a response about the certificate.
func (t *staple) load(der []byte) error {
	r, key, err := readResponse(der)
	if err != nil {
		return err
	}
	if !bytes.Equal(key, t.key) {
		return errors.New("OCSP single response: Certificate ID does not match certificate and issuer")
	}
	if r.expire < time.Now().Unix() {
		return fmt.Errorf("OCSP single response: no longer valid. Must be valid during at least %ds.", responseSkew)
	}
	t.now.Store(r)
	return nil
}

// readResponse checks a response, and finds the certificate that it is about.
func readResponse(der []byte) (r *response, key []byte, err error) {
	all, err := readOCSP(der)
	switch {
	case err != nil:
		return nil, nil, errors.New("Unable to parse OCSP response")
	case all.Status != asn1.Enumerated(ocsp.Success):
		return nil, nil, errors.New("OCSP response status not successful")
	case all.basic == nil:
		return nil, nil, errors.New("Failed to get basic response from OCSP Response")
	}
	list := all.basic.TBS.Responses
	if len(list) > 1 {
		return nil, nil, fmt.Errorf("OCSP response ignored because contains multiple single responses (%d)", len(list))
	}
	if len(list) == 0 {
		return nil, nil, errors.New("Failed to get OCSP single response")
	}
	one := &list[0]
	now := time.Now()
	switch {
	case bool(one.Unknown):
		return nil, nil, errors.New("OCSP single response: certificate status is unknown")
	case one.NextUpdate.IsZero():
		return nil, nil, errors.New("OCSP single response: missing nextupdate")
	case one.ThisUpdate.After(now.Add(responseSkew*time.Second)) || one.NextUpdate.Before(now.Add(-responseSkew*time.Second)) ||
		one.NextUpdate.Before(one.ThisUpdate):
		return nil, nil, errors.New("OCSP single response: no longer valid.")
	}
	return &response{der: bytes.Clone(der), expire: one.NextUpdate.Unix() - responseSkew}, one.ID.Raw, nil
}

// The parts of a response (RFC 6960, 4.2.1): golang.org/x/crypto/ocsp reads them, but shows
// too little of them.
type ocspResponse struct {
	ocspEnvelope
	basic *basicResponse // nil: there is none that can be read
}

type ocspEnvelope struct {
	Status asn1.Enumerated
	Bytes  struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	} `asn1:"explicit,tag:0,optional"`
}

type basicResponse struct {
	TBS          responseData
	Algorithm    pkix.AlgorithmIdentifier
	Signature    asn1.BitString
	Certificates []asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

type responseData struct {
	Raw         asn1.RawContent
	Version     int `asn1:"optional,default:0,explicit,tag:0"`
	ResponderID asn1.RawValue
	ProducedAt  time.Time `asn1:"generalized"`
	Responses   []singleResponse
	Extensions  []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type singleResponse struct {
	ID         responseID
	Good       asn1.Flag        `asn1:"tag:0,optional"`
	Revoked    revokedInfo      `asn1:"tag:1,optional"`
	Unknown    asn1.Flag        `asn1:"tag:2,optional"`
	ThisUpdate time.Time        `asn1:"generalized"`
	NextUpdate time.Time        `asn1:"generalized,explicit,tag:0,optional"`
	Extensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type revokedInfo struct {
	At     time.Time       `asn1:"generalized"`
	Reason asn1.Enumerated `asn1:"explicit,tag:0,optional"`
}

type responseID struct {
	Raw       asn1.RawContent
	Algorithm pkix.AlgorithmIdentifier
	NameHash  []byte
	KeyHash   []byte
	Serial    *big.Int
}

func readOCSP(der []byte) (*ocspResponse, error) {
	r := &ocspResponse{}
	if _, err := asn1.Unmarshal(der, &r.ocspEnvelope); err != nil {
		return nil, err
	}
	if len(r.Bytes.Response) == 0 {
		return r, nil
	}
	basic := &basicResponse{}
	if _, err := asn1.Unmarshal(r.Bytes.Response, basic); err == nil {
		r.basic = basic
	}
	return r, nil
}

// certificateID encodes what a certificate is called in requests and responses.
func certificateID(issuer *x509.Certificate, serial *big.Int) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil
	}
	name, key := sha1.Sum(issuer.RawSubject), sha1.Sum(info.Key.RightAlign())
	der, _ := asn1.Marshal(responseID{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, Parameters: asn1.NullRawValue},
		NameHash:  name[:], KeyHash: key[:], Serial: serial,
	})
	return der
}
