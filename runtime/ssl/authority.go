package ssl

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"hapax/runtime/config"
)

// authorities are the certificates that those of the other side must lead to ("ca-file").
type authorities struct {
	pool *x509.CertPool
}

// systemAuthorities is the name of those that the system trusts.
const systemAuthorities = "@system-ca"

// loadAuthorities reads a PEM file, or all files of a directory. A fault has the text of
// what could not be opened.
func loadAuthorities(l *config.Loader, path string) (a *authorities, fault string) {
	a = &authorities{pool: x509.NewCertPool()}
	if path == systemAuthorities {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Sprintf("Couldn't open the ca-file '%s' (%s)", path, err)
		}
		a.pool = pool
		return a, ""
	}
	dir, reason := found(path)
	if reason != "" {
		return nil, fmt.Sprintf("Couldn't open the ca-file '%s' (%s)", path, reason)
	}
	if !dir {
		if n, reason := a.load(path); n == 0 {
			return nil, fmt.Sprintf("Couldn't open the ca-file '%s' (%s)", path, reason)
		}
		return a, ""
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, ""
	}
	total := 0
	for _, e := range entries {
		if !slices.Contains([]string{".pem", ".crt", ".cer", ".crl"}, filepath.Ext(e.Name())) || e.Name()[0] == '.' {
			continue
		}
		n, reason := a.load(filepath.Join(path, e.Name()))
		if n == 0 {
			l.List.Warnf(l.Pos(), "ca-file: '%s' couldn't load '%s' (%s)", path, path+"/"+e.Name(), reason)
		}
		total += n
	}
	if total == 0 {
		l.List.Warnf(l.Pos(), "ca-file: 0 CA were loaded from '%s'", path)
	}
	return a, ""
}

// load reads one file and tells how many certificates it has.
func (a *authorities) load(path string) (n int, reason string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, "system lib"
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			a.pool.AddCert(c)
			n++
		}
	}
	return n, "no certificate or crl found"
}

// verify checks that a chain, whose first certificate is the other side's own, leads to
// one of the authorities.
func (a *authorities) verify(chain []*x509.Certificate, usage x509.ExtKeyUsage) error {
	options := x509.VerifyOptions{Roots: a.pool, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{usage}}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(options)
	return err
}
