//go:build libcrypto

package libcrypto

/*
#cgo LDFLAGS: -lcrypto
#include <stdlib.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

// hapax_sign signs a digest: with PSS and a salt of so many bytes, or (-1) as PKCS #1 v1.5 has
// it. It returns the length of the signature, or 0.
static size_t hapax_sign(EVP_PKEY *key, const char *hash, int salt, const unsigned char *digest, size_t n, unsigned char *sig, size_t room) {
	const EVP_MD *md = EVP_get_digestbyname(hash);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int padding = salt < 0 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING;
	if (!md || !ctx || EVP_PKEY_sign_init(ctx) <= 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0 ||
	    (salt >= 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) <= 0) ||
	    EVP_PKEY_sign(ctx, sig, &room, digest, n) <= 0)
		room = 0;
	EVP_PKEY_CTX_free(ctx);
	return room;
}
*/
import "C"

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	goruntime "runtime"
	"unsafe"
)

// Signer is a key that libcrypto signs with. Decrypting, the key exchange of old, is left to
// crypto/rsa, which does not tell by its time what was wrong.
type Signer struct {
	*rsa.PrivateKey
	key *C.EVP_PKEY
}

// New makes the Signer of a key; it is given back to libcrypto when nothing refers to it.
func New(key *rsa.PrivateKey) (*Signer, error) {
	der := x509.MarshalPKCS1PrivateKey(key)
	text := (*C.uchar)(C.CBytes(der))
	defer C.free(unsafe.Pointer(text))
	at := text // which is moved on
	native := C.d2i_PrivateKey(C.EVP_PKEY_RSA, nil, &at, C.long(len(der)))
	if native == nil {
		return nil, errors.New("libcrypto does not take the key")
	}
	s := &Signer{key, native}
	goruntime.AddCleanup(s, func(k *C.EVP_PKEY) { C.EVP_PKEY_free(k) }, native)
	return s, nil
}

var errSign = errors.New("libcrypto does not sign")

// hashes are the names that libcrypto has for them.
var hashes = map[crypto.Hash]string{
	crypto.SHA1: "SHA1", crypto.SHA224: "SHA224", crypto.SHA256: "SHA256", crypto.SHA384: "SHA384", crypto.SHA512: "SHA512", crypto.MD5SHA1: "MD5-SHA1",
}

// Sign is crypto.Signer.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := opts.HashFunc()
	name, known := hashes[hash]
	if !known || len(digest) != hash.Size() {
		return nil, errSign
	}
	salt := -1
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		if salt = pss.SaltLength; salt == rsa.PSSSaltLengthEqualsHash || salt == rsa.PSSSaltLengthAuto {
			salt = hash.Size()
		}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	sig := make([]byte, s.Size())
	n := C.hapax_sign(s.key, text, C.int(salt), (*C.uchar)(&digest[0]), C.size_t(len(digest)), (*C.uchar)(&sig[0]), C.size_t(len(sig)))
	goruntime.KeepAlive(s)
	if n == 0 {
		return nil, errSign
	}
	return sig[:n], nil
}
