// Package libcrypto signs with keys of RSA by the libcrypto of the system, whose arithmetic is
// faster than that of crypto/rsa. It is empty unless the program is built with the tag
// "libcrypto", which takes cgo and the headers of OpenSSL 3.
package libcrypto
