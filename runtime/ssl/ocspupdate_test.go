package ssl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// TestUpdate: a response is fetched from the responder that the certificate names, and sent to
// clients. One that says something else than a response is not.
func TestUpdate(t *testing.T) {
	t.Chdir(t.TempDir())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	var root, leaf *x509.Certificate
	responder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		der, err := ocsp.CreateResponse(root, root, ocsp.Response{Status: ocsp.Good, SerialNumber: leaf.SerialNumber,
			ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}, key)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		w.Write(der)
	}))
	defer responder.Close()
	root, leaf = issue(t, key, responder.URL)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	if err := os.WriteFile("leaf.pem", text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, said := load(t, configuration("ssl crt leaf.pem", "ocsp-update.mode on"))
	if cfg == nil {
		t.Fatal(said)
	}
	told := make(chan string, 8)
	Start(cfg, overHTTP, func(text string) { told <- text })
	defer Stop(cfg)
	if got := <-told; !strings.Contains(got, `leaf.pem 1 "Update successful" 0 1`) || asked != 1 {
		t.Errorf("asked %d times: %s", asked, got)
	}
	sites := cfg.Proxies[0].Binds[0].TLS.(*Context).sites.Load()
	site := sites.choose(&tls.ClientHelloInfo{CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}})
	if site == nil || site.use.staple == nil || site.use.staple.fresh(time.Now()) == nil {
		t.Error("the response is not sent along")
	}
}

// overHTTP asks an authority.
func overHTTP(q *Question) (*Answer, error) {
	r, err := http.NewRequest(q.Method, q.URL, strings.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return &Answer{Status: answer.StatusCode, Kind: answer.Header.Get("Content-Type"), Body: body}, err
}

// issue makes a root and a certificate whose responder is at a place.
func issue(t *testing.T, key crypto.Signer, responder string) (root, leaf *x509.Certificate) {
	make := func(template, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	root = make(ca, ca)
	return root, make(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf.test"}, NotBefore: from, NotAfter: to,
		OCSPServer: []string{responder}}, root)
}
