package ssl

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"slices"
)

// opening is what is kept of the first messages of a handshake: crypto/tls does not tell.
type opening struct {
	clientRandom, serverRandom [32]byte
	sessionID                  [32]byte // of TLS 1.2, as the server has told
	sessionIDLen               int
	told                       [serverHello + 1]bool   // which messages have been seen
	parts                      []byte                  // of a hello of a client that is not there as a whole
	shares                     []tls.CurveID           // groups that a client has chosen a key in, when the listener orders them
	hello                      *hello                  // of a client, when it is captured
	suite                      uint16                  // that the server has chosen
	ticket                     *tls.ClientSessionState // of a server, the last one
	secrets                    *secrets
}

// Parts of the TLS protocol.
const (
	changeCipherSpecRecord = 20
	alertRecord            = 21
	handshakeRecord        = 22
	applicationDataRecord  = 23

	clientHello      = 1
	serverHello      = 2
	newSessionTicket = 4

	extPreSharedKey = 41
	extKeyShare     = 51

	extName      = 0
	extGroups    = 10
	extFormats   = 11
	extSchemes   = 13
	extProtocols = 16
	extVersions  = 43
)

// observe looks at a record of the handshake, for what is kept of its first messages. One
// that comes again, after a first that did not suit, takes the place of the former.
func (c *Conn) observe(record []byte) {
	const least = messageHead + 2 + 32 + 1 // up to the length of the session's id
	if len(record) < recordHead || record[0] != handshakeRecord {
		return
	}
	message := c.whole(record[recordHead:])
	if len(message) < least {
		return
	}
	kind, body := message[0], message[messageHead:]
	n := messageSize(message)
	if kind > serverHello || c.seen.told[kind] && n != len(body) {
		return // what is encrypted may look like anything
	}
	c.seen.told[kind] = true
	body = body[:min(n, len(body))]
	if len(body) < least-messageHead {
		return
	}
	switch kind {
	case clientHello:
		copy(c.seen.clientRandom[:], body[2:])
		if !c.client && c.site == nil {
			c.hello.raw = slices.Clone(body)
			if f := malformed(body); f != nil {
				c.refuse(f)
			}
		}
		if !c.client && c.of.line.ordersGroups() {
			c.seen.shares = keyShares(body)
		}
		if size := c.of.capture; size > 0 && !c.client {
			if h := readHello(body, size); h != nil {
				c.seen.hello = h
			}
		}
	case serverHello:
		copy(c.seen.serverRandom[:], body[2:])
		r := pieces{b: body[2+32:]}
		id := r.list(1)
		if suite := r.take(2); !r.broken {
			c.seen.sessionIDLen = copy(c.seen.sessionID[:], id)
			c.seen.suite = binary.BigEndian.Uint16(suite)
			if !c.client && string(c.info.Version) == versionNames[tlsv13] {
				c.info.Cipher = []byte(suiteNames[c.seen.suite]) // settled so early
			}
		}
	}
}

// whole puts the hello of a client together that comes in several records; nil while parts are
// missing.
func (c *Conn) whole(part []byte) []byte {
	if c.client || c.seen.told[clientHello] || len(part) == 0 || c.seen.parts == nil && part[0] != clientHello {
		return part
	}
	message := part
	if c.seen.parts != nil {
		message = append(c.seen.parts, part...)
	}
	if n := messageSize(message); n < 0 || n > len(message)-messageHead && n < maxHello {
		c.seen.parts = slices.Clone(message)
		return nil
	}
	c.seen.parts = nil
	return message
}

// messageHead is the length of what stands before each message: its type and its length.
const messageHead = 4

// maxHello is how long a hello may be that crypto/tls reads.
const maxHello = 1 << 16

// messageSize is how long a message is behind its head, which may not be there as a whole: -1.
func messageSize(message []byte) int {
	if len(message) < messageHead {
		return -1
	}
	return int(message[1])<<16 | int(message[2])<<8 | int(message[3])
}

// lastRecord is the last of whole records.
func lastRecord(p []byte) []byte {
	for {
		n := recordHead + int(p[3])<<8 + int(p[4])
		if n >= len(p) {
			return p
		}
		p = p[n:]
	}
}

// begun tells whether a hello was seen.
func (c *Conn) begun() bool { return c.seen.told != [serverHello + 1]bool{} }

// firstRecord is what the first record of a client looks like, whatever it is.
type firstRecord struct {
	kind    byte
	version uint16
	body    int  // bytes of its message
	whole   bool // it is there, and nothing of it is looked at any more
	strange bool // it is no hello
	huge    bool // a message that crypto/tls does not take, for its size
	wait    bool // it has the form of SSL 2 and is not there as a whole, or is empty
}

// look notes what the first bytes tell: head has up to two of them behind the head of a
// record, have is how many there are.
func (f *firstRecord) look(head []byte, have int) {
	const oldHead = 2
	f.wait = have > oldHead && head[0]&0x80 != 0 && head[oldHead] == clientHello && have < oldHead+int(head[0]&0x7F)<<8+int(head[1])
	if f.wait || have < recordHead || head[1] != 3 {
		return
	}
	n := int(head[3])<<8 | int(head[4])
	f.kind = head[0]
	f.version = uint16(head[1])<<8 | uint16(head[2])
	f.body = n - 4
	f.wait = n == 0 && f.readAsTLS12() && have == recordHead
	f.huge = have > recordHead+1 && head[recordHead+1] != 0
	f.strange = head[0] != handshakeRecord || have > recordHead && n > 0 && head[recordHead] != clientHello
}

// readAsTLS12 tells whether the record is one that OpenSSL looks into, which it does after
// it has taken up TLS 1.2, whatever version the record has.
func (f *firstRecord) readAsTLS12() bool {
	return f.kind == handshakeRecord || f.kind == changeCipherSpecRecord
}

// refusal is the alert that answers a record that is no hello. crypto/tls takes no notice of
// most of them, or falls silent.
func (f *firstRecord) refusal() []byte {
	version := min(f.version, tls.VersionTLS12)
	if f.readAsTLS12() {
		version = tls.VersionTLS12
	}
	return alertRecordOf(version, alertUnexpectedMessage)
}

// sessionIdentity is what tells a session from others: with a server, a digest of its ticket. One
// with a client has no name on the wire in TLS 1.3: it gets one that is made of what only this
// connection has.
func (c *Conn) sessionIdentity() []byte {
	switch {
	case c.client && c.err != nil:
		return nil
	case c.client && c.seen.ticket != nil:
		ticket, _, err := c.seen.ticket.ResumptionState()
		if err != nil {
			return nil
		}
		digest := sha256.Sum256(ticket)
		return digest[:]
	case c.client && string(c.info.Version) == versionNames[tlsv13]:
		return nil
	}
	if string(c.info.Version) == versionNames[tlsv13] {
		both := sha256.Sum256(append(c.seen.clientRandom[:], c.seen.serverRandom[:]...))
		return both[:]
	}
	return c.seen.sessionID[:c.seen.sessionIDLen]
}
