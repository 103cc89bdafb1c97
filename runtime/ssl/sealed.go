package ssl

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealing is how a suite of TLS 1.3 encrypts.
type sealing struct {
	hash func() hash.Hash
	key  int // bytes
	aead func(key []byte) (cipher.AEAD, error)
}

var sealings = map[uint16]sealing{
	tls.TLS_AES_128_GCM_SHA256:       {sha256.New, 16, newGCM},
	tls.TLS_AES_256_GCM_SHA384:       {sha512.New384, 32, newGCM},
	tls.TLS_CHACHA20_POLY1305_SHA256: {sha256.New, chacha20poly1305.KeySize, chacha20poly1305.New},
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealedAlert is the size of the record of an encrypted alert: what it says, the type that it has
// inside, and what proves that nobody has changed it.
const sealedAlert = recordHead + 2 + 1 + 16

// resealAlert writes another alert into an encrypted record, the first one under its secret: a
// server has none before it under that of its traffic, nor a client under that of the handshake.
func resealAlert(record []byte, suite uint16, secret []byte, alert byte) bool {
	s, known := sealings[suite]
	if !known || len(record) != sealedAlert {
		return false
	}
	key, err := expandLabel(s.hash, secret, "key", s.key)
	if err != nil {
		return false
	}
	aead, err := s.aead(key)
	if err != nil {
		return false
	}
	nonce, err := expandLabel(s.hash, secret, "iv", aead.NonceSize()) // of record 0
	if err != nil {
		return false
	}
	const fatal = 2
	aead.Seal(record[:recordHead], nonce, []byte{fatal, alert, alertRecord}, record[:recordHead])
	return true
}

// expandLabel is HKDF-Expand-Label of TLS 1.3 without a context (RFC 8446, 7.1).
func expandLabel(h func() hash.Hash, secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	return hkdf.Expand(h, secret, string([]byte{byte(n >> 8), byte(n), byte(len(label))})+label+"\x00", n)
}

// alertSecret is what an alert about the other side's certificate is encrypted with in TLS 1.3.
func (c *Conn) alertSecret() []byte {
	label := 4
	if c.client {
		label = 1
	}
	if c.seen.secrets == nil {
		return nil
	}
	b, _ := hex.DecodeString(string(c.seen.secrets[label]))
	return b
}
