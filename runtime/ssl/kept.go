package ssl

import (
	"container/list"
	"crypto/rand"
	"crypto/tls"
	"sync"

	"hapax/runtime"
)

// keptSessions are sessions that the process keeps for clients where tickets must not hold
// them ("no-tls-tickets"): such a client is given a key in place of a ticket. All loops share
// them. When there is no room, those go first that were used least lately.
type keptSessions struct {
	stats *runtime.GlobalStats

	mu    sync.Mutex // of all that follows
	room  int        // blocks that are free ("tune.ssl.cachesize")
	byKey map[sessionKey]*list.Element
	order list.List // of *keptSession, the one that was used last first
}

type sessionKey [32]byte

// keptSession is one of them. It is resumed on the line alone that it began on.
type keptSession struct {
	key  sessionKey
	of   *Context
	text []byte
}

// sessionBlock is how many bytes a block holds.
const sessionBlock = 200

func (s *keptSession) blocks() int { return (len(s.text) + sessionBlock - 1) / sessionBlock }

func newKeptSessions(blocks int, stats *runtime.GlobalStats) *keptSessions {
	return &keptSessions{stats: stats, room: blocks, byKey: map[sessionKey]*list.Element{}}
}

// put keeps a session, if there is so much room at all, and returns its key.
func (k *keptSessions) put(of *Context, text []byte) []byte {
	s := &keptSession{of: of, text: text}
	rand.Read(s.key[:])
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.room < s.blocks() && k.order.Len() > 0 {
		k.drop(k.order.Back())
	}
	if k.room >= s.blocks() {
		k.room -= s.blocks()
		k.byKey[s.key] = k.order.PushFront(s)
	}
	return s.key[:]
}

func (k *keptSessions) drop(e *list.Element) {
	s := k.order.Remove(e).(*keptSession)
	delete(k.byKey, s.key)
	k.room += s.blocks()
}

// get finds a session by its key; nil: it is not there any more, or of another line.
func (k *keptSessions) get(of *Context, key []byte) []byte {
	k.stats.TLSLookups.Inc()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(key) == len(sessionKey{}) {
		if e := k.byKey[sessionKey(key)]; e != nil && e.Value.(*keptSession).of == of {
			k.order.MoveToFront(e)
			return e.Value.(*keptSession).text
		}
	}
	k.stats.TLSMisses.Inc()
	return nil
}

// resumption is where the sessions of a listener are.
type resumption interface {
	seal(state tls.ConnectionState, session *tls.SessionState) (ticket []byte, err error)
	open(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) // nil: a full handshake follows
}

// resumption of the line; nil: sessions are not resumed.
func (x *Context) resumption(g *settings) resumption {
	switch {
	case x.line.noTickets && g.kept == nil:
		return nil
	case x.line.noTickets:
		return atHome{g.kept, x}
	case x.line.ticketKeys != nil:
		return x.line.ticketKeys
	}
	return ownKeys{x.config}
}

// atHome is the resumption of a line whose sessions are kept.
type atHome struct {
	kept *keptSessions
	of   *Context
}

func (h atHome) seal(_ tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	text, err := session.Bytes()
	if err != nil {
		return nil, err
	}
	return h.kept.put(h.of, text), nil
}

func (h atHome) open(key []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	if text := h.kept.get(h.of, key); text != nil {
		return tls.ParseSessionState(text)
	}
	return nil, nil
}
