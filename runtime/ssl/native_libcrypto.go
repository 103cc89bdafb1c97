//go:build libcrypto

package ssl

import (
	"crypto"
	"crypto/rsa"

	"hapax/runtime/ssl/libcrypto"
)

// native hands keys of RSA to the system's library.
func native(key crypto.Signer) crypto.Signer {
	if k, ok := key.(*rsa.PrivateKey); ok {
		if s, err := libcrypto.New(k); err == nil {
			return s
		}
	}
	return key
}
