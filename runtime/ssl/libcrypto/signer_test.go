//go:build libcrypto

package libcrypto

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// TestSigner: what libcrypto signs, crypto/rsa verifies.
func TestSigner(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	for hash := range hashes {
		digest := make([]byte, hash.Size())
		rand.Read(digest)
		sig, err := s.Sign(rand.Reader, digest, hash)
		if err == nil {
			err = rsa.VerifyPKCS1v15(&key.PublicKey, hash, digest, sig)
		}
		if err != nil {
			t.Errorf("%v: %v", hash, err)
		}
		if hash == crypto.MD5SHA1 {
			continue
		}
		opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		sig, err = s.Sign(rand.Reader, digest, opts)
		if err == nil {
			err = rsa.VerifyPSS(&key.PublicKey, hash, digest, sig, opts)
		}
		if err != nil {
			t.Errorf("%v, PSS: %v", hash, err)
		}
	}
	if _, err := s.Sign(rand.Reader, make([]byte, 3), crypto.SHA256); err == nil {
		t.Error("signs what is no digest")
	}
}

func BenchmarkSign(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(key)
	if err != nil {
		b.Fatal(err)
	}
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	for _, k := range []struct {
		name string
		key  crypto.Signer
	}{{"libcrypto", s}, {"crypto-rsa", key}} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := k.key.Sign(rand.Reader, make([]byte, 32), opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
