package ssl

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime/config"
)

// issuers are chains of issuers for certificates whose files have none ("issuers-chain-path").
type issuers struct {
	dir    string
	chains []issuerChain
}

type issuerChain struct {
	file  string
	certs []*x509.Certificate
}

// chain finds the chain whose first certificate has issued c.
func (s *issuers) chain(c *x509.Certificate) ([]*x509.Certificate, string) {
	if len(c.AuthorityKeyId) == 0 {
		return nil, ""
	}
	for i := range s.chains {
		first := s.chains[i].certs[0]
		if bytes.Equal(first.SubjectKeyId, c.AuthorityKeyId) && issued(first, c) {
			return s.chains[i].certs, s.chains[i].file
		}
	}
	return nil, ""
}

// parseIssuers is "issuers-chain-path".
func parseIssuers(l *config.Loader, line *ast.Line) {
	word, path := line.Arg(0), line.Arg(1)
	if l.TooMany(line, 1, 1) {
		return
	}
	dir, reason := false, "empty"
	if path != "" {
		dir, reason = found(path)
	}
	if reason != "" {
		l.Alert(line.Pos, "global statement '%s' expects a directory path as an argument.\n", word)
		return
	}
	if !dir {
		l.Alert(line.Pos, "global statement '%s': %s is not a directory.\n", word, path)
		return
	}
	s := &of(l).issuers
	path = strings.TrimRight(path, "/")
	if s.dir == path {
		return
	}
	*s = issuers{dir: path}
	entries, err := os.ReadDir(path)
	if err != nil {
		l.Alert(line.Pos, "global statement '%s': unable to scan directory '%s' : %s.\n", word, path, systemReason(err))
		return
	}
	for _, e := range entries {
		file := path + "/" + e.Name()
		st, err := os.Stat(file)
		if err != nil {
			l.List.Warnf(line.Pos, "unable to stat certificate from file '%s' : %s.", file, systemReason(err))
			continue
		}
		if !st.Mode().IsRegular() {
			continue
		}
		if text, err := os.ReadFile(file); err == nil {
			if warning := s.add(file, text); warning != "" {
				l.List.Warnf(line.Pos, "%s", warning)
			}
		}
	}
}

// add reads a chain from a PEM text; warning tells why it is none.
func (s *issuers) add(file string, text []byte) (warning string) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = nextPEM(text); block == nil {
			break
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			certs = append(certs, c)
		}
	}
	switch {
	case len(certs) == 0:
		return fmt.Sprintf("unable to load issuers-chain %s : pem certificate not found.", file)
	case len(certs[0].SubjectKeyId) == 0:
		return fmt.Sprintf("unable to load issuers-chain %s : SubjectKeyIdentifier not found.", file)
	}
	for i := range s.chains {
		first := s.chains[i].certs[0]
		if bytes.Equal(first.SubjectKeyId, certs[0].SubjectKeyId) && canonical(first.RawSubject) == canonical(certs[0].RawSubject) {
			return fmt.Sprintf("duplicate issuers-chain %s: %s already in store", file, s.chains[i].file)
		}
	}
	s.chains = append(s.chains, issuerChain{file, certs})
	return ""
}
