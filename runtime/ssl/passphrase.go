package ssl

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"github.com/youmark/pkcs8"

	"hapax/parser/diag"
)

// Errors of private keys, with the texts that follow the name of their file.
var (
	errNoKey     = errors.New("error:1E08010C:DECODER routines::unsupported")
	errBadSecret = errors.New("error:1C800064:Provider routines::bad decrypt")
	errNoSecret  = errors.New("error:04800068:PEM routines::bad password read")
)

// passphraseWanted is told about a private key that is encrypted.
var passphraseWanted = diag.Diagnostic{Severity: diag.Alert, Text: "Trying to load a passphrase-protected private key without an 'ssl-passphrase-cmd' defined."}

// passphrases are the words that encrypted keys were read with, and the program that tells
// them ("ssl-passphrase-cmd").
type passphrases struct {
	command []string // a program and its arguments; the name of the file goes in front of these
	known   []string
}

// findKey reads the first private key of a text.
func (c *certificate) findKey(g *settings, path string, text []byte) error {
	c.encrypted = false
	for {
		var block *pem.Block
		if block, text = nextPEM(text); block == nil {
			return errNoKey
		}
		var key any
		err := errNoKey
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] == "" {
				key, err = parseTraditional(block.Type, block.Bytes)
				break
			}
			key, err = g.decrypt(c, path, func(word string) (any, error) {
				der, err := x509.DecryptPEMBlock(block, []byte(word))
				if err != nil {
					return nil, err
				}
				return parseTraditional(block.Type, der)
			})
		case "ENCRYPTED PRIVATE KEY":
			key, err = g.decrypt(c, path, func(word string) (any, error) { return pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(word)) })
		default:
			continue
		}
		if err == nil {
			c.key, _ = key.(crypto.Signer)
			return nil
		}
		if c.encrypted {
			return err
		}
	}
}

// parseTraditional reads a key, whatever it is called.
func parseTraditional(kind string, der []byte) (any, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if kind == "EC PRIVATE KEY" {
		return x509.ParseECPrivateKey(der)
	}
	return x509.ParsePKCS1PrivateKey(der)
}

// decrypt reads an encrypted key with the words that are known, and else asks for another
// one.
func (g *settings) decrypt(c *certificate, path string, parse func(word string) (any, error)) (any, error) {
	c.encrypted = true
	p := &g.passphrases
	if p.command == nil {
		if g.list != nil {
			g.list.Add(passphraseWanted)
		}
		return nil, errNoSecret
	}
	for _, word := range p.known {
		if key, err := parse(word); err == nil {
			return key, nil
		}
	}
	word, err := p.ask(path)
	if err != nil {
		if g.list != nil {
			g.list.Add(diag.Diagnostic{Severity: diag.Alert, Text: err.Error()})
		}
		return nil, errNoSecret
	}
	p.known = append(p.known, word)
	key, err := parse(word)
	if err != nil {
		return nil, errBadSecret
	}
	return key, nil
}

// ask runs the program for a file.
func (p *passphrases) ask(path string) (string, error) {
	out, err := exec.Command(p.command[0], slices.Insert(slices.Clone(p.command[1:]), 0, path)...).Output()
	if err == nil {
		return string(out), nil
	}
	status := 1
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	return "", fmt.Errorf("ssl_sock_passwd_cb: external tool error (%d)", status)
}
