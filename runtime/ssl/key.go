package ssl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"io"

	"hapax/runtime/loop"
)

// slow tells whether the operations of a private key take so long that they must not
// hold up a loop: those of an RSA key take a thousand microseconds, those of P-256 twenty.
func slow(key crypto.PrivateKey) bool {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return k.Curve.Params().BitSize > 256
	case ed25519.PrivateKey:
		return false
	}
	return true
}

// awayKey is a private key as one handshake uses it: its operations run on a goroutine
// of their own while the handshake yields.
type awayKey struct {
	c   *Conn
	key crypto.Signer
}

// awayRSA is one that decrypts too. crypto/tls refuses keys of other kinds that say so.
type awayRSA struct{ awayKey }

// away is a key for one handshake.
func away(c *Conn, key crypto.Signer) crypto.Signer {
	k := awayKey{c, key}
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return &awayRSA{k}
	}
	return &k
}

// Public is the public key.
func (k *awayKey) Public() crypto.PublicKey { return k.key.Public() }

// Sign signs a digest, which crypto/tls owns and may change when Sign has returned.
func (k *awayKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	digest = bytes.Clone(digest)
	return k.c.away(func() ([]byte, error) { return k.key.Sign(rand, digest, opts) })
}

// Decrypt is what the key exchange of TLS 1.2 without forward secrecy needs.
func (k *awayRSA) Decrypt(rand io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	d, ok := k.key.(crypto.Decrypter)
	if !ok {
		return nil, errors.New("the key cannot decrypt")
	}
	msg = bytes.Clone(msg)
	return k.c.away(func() ([]byte, error) { return d.Decrypt(rand, msg, opts) })
}

// job is an operation of a private key under way. It is of one handshake, which may
// be gone when it is done.
type job struct {
	task loop.Task
	c    *Conn
	done bool
	res  []byte
	err  error
}

// away runs f on a goroutine. It is called by the coroutine of the handshake.
func (c *Conn) away(f func() ([]byte, error)) ([]byte, error) {
	j := &job{c: c}
	j.task.Init(j)
	c.job = j
	c.sock.Pause() // a peer must not fill the memory meanwhile
	l := c.loop
	go func() {
		j.res, j.err = f()
		l.Post(&j.task)
	}()
	for !j.done {
		if !c.run.Yield() {
			return nil, errGone
		}
	}
	c.sock.Receive()
	return j.res, j.err
}

// RunTask goes on with the handshake.
func (j *job) RunTask(*loop.Task) {
	j.done = true
	if c := j.c; c.job == j {
		c.job = nil
		c.step()
	}
}
