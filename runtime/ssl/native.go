//go:build !libcrypto

package ssl

import "crypto"

// native is the key that signs; built with the tag "libcrypto", those of RSA are handed to the
// system's library.
func native(key crypto.Signer) crypto.Signer { return key }
