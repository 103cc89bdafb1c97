package ssl

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// ticketKeyCount is how many keys a ring of them holds.
const ticketKeyCount = 3

// ticketKey encrypts the tickets that sessions are resumed by: a name of 16 bytes that stands
// in the ticket, a key of AES and one of HMAC (RFC 5077, 4).
type ticketKey struct {
	text []byte // as it was given, decoded
	aes  cipher.Block
	mac  []byte
}

// ticketKeyName is the length of the name.
const ticketKeyName = 16

// newTicketKey reads a key of 48 bytes (AES of 128 bits) or 80 (of 256).
func newTicketKey(text []byte) (k ticketKey, ok bool) {
	size := 0
	switch len(text) {
	case ticketKeyName + 2*16:
		size = 16
	case ticketKeyName + 2*32:
		size = 32
	default:
		return k, false
	}
	k.text, k.mac = text, text[ticketKeyName+size:]
	k.aes, _ = aes.NewCipher(text[ticketKeyName : ticketKeyName+size])
	return k, true
}

// ticketKeys are the keys of a file ("tls-ticket-keys"). Tickets are made with one of them and
// taken with all. The set is replaced as a whole ("set ssl tls-key").
type ticketKeys struct {
	id   int
	file string
	now  atomic.Pointer[keyRing]
}

type keyRing struct {
	keys [ticketKeyCount]ticketKey
	at   int // that tickets are made with; the one behind it is the next
}

// readTicketKeys reads a file of keys in base64, one a line, of which the last three count.
func readTicketKeys(file string) (*ticketKeys, error) {
	text, err := contents(file)
	if err != nil {
		return nil, fmt.Errorf("'%s' : unable to load ssl tickets keys file", file)
	}
	ring, n, size := &keyRing{}, 0, 0
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); n++ {
		der, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(in.Bytes(), []byte("\r"))))
		if err != nil || len(der) > ticketKeyName+2*32 {
			return nil, fmt.Errorf("'%s' : unable to decode base64 key on line %d", file, n+1)
		}
		key, ok := newTicketKey(der)
		if !ok || size != 0 && size != len(der) {
			return nil, fmt.Errorf("'%s' : wrong sized key on line %d", file, n+1)
		}
		size = len(der)
		ring.keys[n%ticketKeyCount] = key
	}
	if n < ticketKeyCount {
		return nil, fmt.Errorf("'%s' : please supply at least %d keys in the tls-tickets-file", file, ticketKeyCount)
	}
	ring.at = (n - 2) % ticketKeyCount
	t := &ticketKeys{id: -1, file: file}
	t.now.Store(ring)
	return t, nil
}

// rotate makes a key the last one. It tells whether it is of the same size as the others.
func (t *ticketKeys) rotate(key ticketKey) bool {
	old := t.now.Load()
	if len(key.text) != len(old.keys[0].text) {
		return false
	}
	ring := *old
	ring.keys[(ring.at+2)%ticketKeyCount] = key
	ring.at = (ring.at + 1) % ticketKeyCount
	t.now.Store(&ring)
	return true
}

func (t *ticketKeys) seal(_ tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	text, err := session.Bytes()
	if err != nil {
		return nil, err
	}
	return t.encrypt(text), nil
}

func (t *ticketKeys) open(ticket []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	if text := t.decrypt(ticket); text != nil {
		return tls.ParseSessionState(text)
	}
	return nil, nil
}

// encrypt makes a ticket: the name of the key, an initial vector, the session, and a digest of
// all that.
func (t *ticketKeys) encrypt(session []byte) []byte {
	ring := t.now.Load()
	k := &ring.keys[ring.at]
	head := ticketKeyName + aes.BlockSize
	out := make([]byte, head, head+len(session)+aes.BlockSize+sha256.Size)
	copy(out, k.text[:ticketKeyName])
	rand.Read(out[ticketKeyName:])
	pad := aes.BlockSize - len(session)%aes.BlockSize
	out = append(out, session...)
	out = append(out, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(k.aes, out[ticketKeyName:head]).CryptBlocks(out[head:], out[head:])
	return k.digest(out, out)
}

func (k *ticketKey) digest(out, text []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(text)
	return h.Sum(out)
}

// decrypt reads a ticket; nil when it is not of these keys.
func (t *ticketKeys) decrypt(ticket []byte) []byte {
	const head = ticketKeyName + aes.BlockSize
	body := len(ticket) - sha256.Size
	if body < head+aes.BlockSize || (body-head)%aes.BlockSize != 0 {
		return nil
	}
	ring := t.now.Load()
	for i := range ring.keys {
		k := &ring.keys[i]
		if !bytes.Equal(ticket[:ticketKeyName], k.text[:ticketKeyName]) {
			continue
		}
		if !hmac.Equal(k.digest(nil, ticket[:body]), ticket[body:]) {
			return nil
		}
		session := bytes.Clone(ticket[head:body])
		cipher.NewCBCDecrypter(k.aes, ticket[ticketKeyName:head]).CryptBlocks(session, session)
		pad := int(session[len(session)-1])
		if pad == 0 || pad > aes.BlockSize {
			return nil
		}
		return session[:len(session)-pad]
	}
	return nil
}

// ownKeys are those of a line without a file: crypto/tls makes and changes them.
type ownKeys struct{ config *tls.Config }

func (k ownKeys) seal(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	return k.config.EncryptTicket(state, session)
}

func (k ownKeys) open(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
	return k.config.DecryptTicket(ticket, state)
}

// resume makes sessions of a configuration resumable, for the lifetime only
// ("tune.ssl.lifetime"): the moment when a session began goes with it.
func resume(c *tls.Config, by resumption, lifetime time.Duration) {
	c.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if !state.DidResume || birth(session) == 0 {
			session.Extra = append(session.Extra, binary.BigEndian.AppendUint64([]byte(birthMark), uint64(time.Now().Unix())))
		}
		return by.seal(state, session)
	}
	c.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := by.open(ticket, state)
		if err != nil || session == nil || time.Now().Unix()-birth(session) >= int64(lifetime/time.Second) {
			return nil, nil // a full handshake follows
		}
		return session, nil
	}
}

// birthMark begins the entry of a session's Extra that holds when it began, unix seconds.
const birthMark = "begun"

// birth is that moment; 0: it is not known.
func birth(session *tls.SessionState) int64 {
	for _, extra := range session.Extra {
		if len(extra) == len(birthMark)+8 && string(extra[:len(birthMark)]) == birthMark {
			return int64(binary.BigEndian.Uint64(extra[len(birthMark):]))
		}
	}
	return 0
}
