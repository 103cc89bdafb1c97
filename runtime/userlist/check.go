// Package userlist checks passwords against the hashes of userlists. Section 12.2 of the manual: whatever crypt(3)
// of a Linux system takes in practice ($1$, $5$, $6$, $2a$ to $2y$, $y$ and the old hashes by DES).
package userlist

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"sync/atomic"

	"github.com/GehirnInc/crypt"
	"github.com/GehirnInc/crypt/md5_crypt"
	"github.com/GehirnInc/crypt/sha256_crypt"
	"github.com/GehirnInc/crypt/sha512_crypt"
	"golang.org/x/crypto/bcrypt"
)

// Check tells whether the password gives the hash. A slow hash takes milliseconds; one that was checked with success
// is remembered, so that each request of a client does not pay for it again.
func Check(hash string, password []byte) bool {
	if i := bytes.IndexByte(password, 0); i >= 0 {
		password = password[:i] // to crypt(3) it ends there
	}
	if !strings.HasPrefix(hash, "$") {
		return checkDES(hash, password)
	}
	seen := fingerprint(hash, password)
	if recent.holds(&seen) {
		return true
	}
	if !compute(hash, password) {
		return false
	}
	recent.add(seen)
	return true
}

// Same compares a password in clear in a time that tells nothing of it.
func Same(clear string, password []byte) bool {
	a, b := sha256.Sum256([]byte(clear)), sha256.Sum256(password)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// bcryptLimit is how much of a password bcrypt looks at.
const bcryptLimit = 72

func compute(hash string, password []byte) bool {
	method, _, _ := strings.Cut(hash[1:], "$")
	var c crypt.Crypter
	switch method {
	case "1":
		c = md5_crypt.New()
	case "5":
		c = sha256_crypt.New()
	case "6":
		c = sha512_crypt.New()
	case "2a", "2b", "2y":
		return bcrypt.CompareHashAndPassword([]byte(hash), password[:min(len(password), bcryptLimit)]) == nil
	case "y":
		return checkYescrypt(hash, password)
	default:
		return false
	}
	// The library takes what follows a short salt for a part of it when there are rounds before: it gets the salt alone.
	got, err := c.Generate(password, []byte(hash[:strings.LastIndexByte(hash, '$')]))
	return err == nil && subtle.ConstantTimeCompare([]byte(got), []byte(hash)) == 1
}

// checked is a table of recent successes, shared by all loops. What stands in it is a fingerprint under a key of this
// process: no password and no hash can be read back.
type checked struct {
	key  [32]byte
	slot [256]atomic.Pointer[[sha256.Size]byte]
}

var recent = func() *checked {
	c := &checked{}
	rand.Read(c.key[:])
	return c
}()

func fingerprint(hash string, password []byte) [sha256.Size]byte {
	text := make([]byte, 0, 256)
	text = append(text, recent.key[:]...)
	text = append(text, hash...)
	text = append(text, 0)
	return sha256.Sum256(append(text, password...))
}

func (c *checked) holds(f *[sha256.Size]byte) bool {
	p := c.slot[f[0]].Load()
	return p != nil && subtle.ConstantTimeCompare(p[:], f[:]) == 1
}

func (c *checked) add(f [sha256.Size]byte) { c.slot[f[0]].Store(&f) }
