package ssl

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"hash"
	"reflect"
	"slices"
	"time"

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
func (c *Conn) resealAlert(record []byte, alert byte) {
	if aead, nonce := c.sealingFirst(); aead != nil && len(record) == sealedAlert {
		const fatal = 2
		aead.Seal(record[:recordHead], nonce, []byte{fatal, alert, alertRecord}, record[:recordHead])
	}
}

// resealTicket writes the lifetime of sessions into their ticket, if a record holds one:
// crypto/tls promises seven days. In TLS 1.3 it is what a server sends first under the secret of
// its traffic; before, it is in clear, and what follows proves that nobody has changed it.
func (c *Conn) resealTicket(record []byte) {
	aead, nonce := c.sealingFirst()
	if aead == nil {
		return
	}
	message, err := aead.Open(nil, nonce, record[recordHead:], record[:recordHead])
	if err != nil || message[0] != newSessionTicket {
		return
	}
	binary.BigEndian.PutUint32(message[messageHead:], uint32(min(c.of.lifetime, longestLifetime)/time.Second))
	aead.Seal(record[:recordHead], nonce, message, record[:recordHead])
}

// longestLifetime is the one that TLS 1.3 allows.
const longestLifetime = 7 * 24 * time.Hour

// sealingFirst is what the first record under the secret that this side sends with is encrypted
// by; nil where that is not TLS 1.3.
func (c *Conn) sealingFirst() (aead cipher.AEAD, nonce []byte) {
	s, known := sealings[c.seen.suite]
	if !known {
		return nil, nil
	}
	secret := reflect.ValueOf(c.tls).Elem().FieldByIndex(outgoingSecret).Bytes()
	key, err := expandLabel(s.hash, secret, "key", s.key)
	if err != nil {
		return nil, nil
	}
	if aead, err = s.aead(key); err != nil {
		return nil, nil
	}
	if nonce, err = expandLabel(s.hash, secret, "iv", aead.NonceSize()); err != nil {
		return nil, nil
	}
	return aead, nonce
}

// outgoingSecret is where a tls.Conn has the secret that it sends with: crypto/tls tells it to
// logs of keys alone, which need a configuration of their own for each connection.
var outgoingSecret = func() []int {
	out, _ := reflect.TypeFor[tls.Conn]().FieldByName("out")
	secret, _ := out.Type.FieldByName("trafficSecret")
	return slices.Concat(out.Index, secret.Index)
}()

// expandLabel is HKDF-Expand-Label of TLS 1.3 without a context (RFC 8446, 7.1).
func expandLabel(h func() hash.Hash, secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	return hkdf.Expand(h, secret, string([]byte{byte(n >> 8), byte(n), byte(len(label))})+label+"\x00", n)
}
