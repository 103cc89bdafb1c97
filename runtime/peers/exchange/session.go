package exchange

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// state is what a session waits for; the numbers are those that "show peers" prints.
type state uint8

const (
	readVersion state = iota + 1 // of who has connected
	readHost
	readPeer
	_
	connect // the connection does not stand yet
	readStatus
	running
	refused
	failed   // the peer has broken the protocol
	tooLarge // one of its messages is too large
	over
)

// Session is one connection with a peer.
type Session struct {
	Wake func() // makes the owner call Write, or end the session if it is Over; set by him

	group *Group
	peer  *Peer // nil: who has connected did not tell yet
	out   bool  // this process has connected
	state state

	minor int    // of the version that the peer speaks
	begun []byte // of a line or a message
	reply []byte // greeting, or last words
	body  []byte // memory for a message

	remote *Shared // that the peer tells of
	local  *Shared // that it was told of last
	at     int     // where telling goes on, an index of tables; -1: it begins anew
	end    int     // the last table of the round

	sent, heard dictionary
	calls       int // of Feed and Write
	values      []datum
}

// Dialed is a session with a peer that this process connects to.
func (g *Group) dialed(p *Peer) *Session {
	return &Session{group: g, peer: p, out: true, state: connect, at: -1, Wake: func() {}}
}

// Accept is a session with who has connected.
func (g *Group) Accept() *Session {
	return &Session{group: g, state: readVersion, at: -1, Wake: func() {}}
}

// Peer is who it is; nil: he did not tell yet.
func (s *Session) Peer() *Peer { return s.peer }

// Over tells that the connection is to be closed behind what Write gives.
func (s *Session) Over() bool { return s.state == over }

// Connected begins the greeting when the connection stands.
func (s *Session) Connected() {
	if s.state != connect {
		return
	}
	minor := minorVersion
	if s.peer.flags&downgraded != 0 {
		minor = 0
	}
	s.reply = fmt.Appendf(s.reply, "%s%d.%d\n%s\n%s %d 1\n", protocol, majorVersion, minor, s.peer.Name, s.group.Local, os.Getpid())
	s.state, s.peer.status = readStatus, greeted
}

const (
	protocol     = "HAProxyS "
	majorVersion = 2
	minorVersion = 1
)

// Feed takes bytes that came.
func (s *Session) Feed(in []byte) {
	s.calls++
	if len(s.begun) > 0 {
		s.begun = append(s.begun, in...)
		in = s.begun
	}
	for s.state != over {
		n := s.take(in)
		if n == 0 {
			break
		}
		in = in[n:]
	}
	s.begun = append(s.begun[:0], in...)
}

// take takes one line or message, and tells how many bytes it has; 0: it has not come as a whole.
func (s *Session) take(in []byte) int {
	if s.state == running {
		m, n, fault := next(in, s.group.Largest)
		if fault == running && n > 0 {
			fault = s.treat(m)
			s.peer.flags |= alive
		}
		if fault != running {
			s.fail(fault)
			return 0
		}
		return n
	}
	end := bytes.IndexByte(in, '\n')
	if end < 0 {
		if len(in) >= s.group.Largest {
			s.state = over
		}
		return 0
	}
	s.line(strings.TrimSuffix(string(in[:end]), "\r"))
	return end + 1
}

// fail ends the session with a message, if the peer has made a mistake.
func (s *Session) fail(fault state) {
	switch fault {
	case failed:
		s.peer.Counts.Errors++
		s.reply = append(s.reply, classError, protocolError)
	case tooLarge:
		s.reply = append(s.reply, classError, sizeError)
	}
	s.leave()
	s.state = over
}

// line takes a line of the greeting.
func (s *Session) line(line string) {
	switch s.state {
	case readVersion:
		s.version(line)
	case readHost:
		if s.state = readPeer; line != s.group.Local {
			s.refuse(wrongLocalName)
		}
	case readPeer:
		s.who(line)
	case readStatus:
		s.answered(line)
	}
}

func (s *Session) version(line string) {
	version, found := strings.CutPrefix(line, protocol)
	if !found {
		s.refuse(noProtocol)
		return
	}
	major, minor, _ := strings.Cut(version, ".")
	m, err := strconv.ParseUint(minor, 10, 32)
	if n, bad := strconv.ParseUint(major, 10, 32); bad != nil || err != nil || n != majorVersion || m > minorVersion {
		s.refuse(wrongVersion)
		return
	}
	s.minor, s.state = int(m), readHost
}

// refuse answers who has connected by a status, which ends the session.
func (s *Session) refuse(status int) {
	s.reply = fmt.Appendf(s.reply, "%d\n", status)
	s.state = over
}

// who takes the name of the peer that has connected: `<name> <process> <number>`. It takes the place of another session
// with him.
func (s *Session) who(line string) {
	name, _, found := strings.Cut(line, " ")
	if !found {
		s.refuse(noProtocol)
		return
	}
	p := s.group.find(name)
	switch {
	case p == nil:
		s.refuse(unknownPeer)
		return
	case p.session != nil && p.Local:
		s.refuse(tryAgain)
		return
	case p.session != nil:
		s.group.collide(p)
	}
	p.flags &^= downgraded
	if s.minor == 0 {
		p.flags |= downgraded
	}
	s.peer, p.session = p, s
	p.flags |= alive
	s.group.count(s.group.Active, 1)
	s.reply = fmt.Appendf(s.reply, "%d\n", accepted)
	p.status = accepted
	s.stand()
}

// answered takes the status that answers the greeting.
func (s *Session) answered(line string) {
	p := s.peer
	p.status = leadingNumber(line)
	p.handshake = s.group.Clock()
	switch p.status {
	case accepted:
		s.stand()
		return
	case wrongVersion:
		p.flags |= downgraded
	}
	s.leave()
	s.state = over
}

// leadingNumber reads the digits at the beginning of a line.
func leadingNumber(line string) (n int) {
	for _, c := range []byte(line) {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// stand begins to exchange messages.
func (s *Session) stand() {
	p, g := s.peer, s.group
	now := g.Clock()
	p.handshake, p.heartbeat, p.confirm = now, now+heartbeatEvery, 0
	p.flags &^= lesson
	for _, st := range p.Tables {
		st.got, st.acked = 0, 0
		st.begin()
	}
	if p.Local && s.out {
		p.flags |= teaching
	}
	s.state, p.app = running, Starting
	g.count(g.Connected, 1)
	g.settle(p)
}

// leave ends what the session is for its peer: another one may take its place.
func (s *Session) leave() {
	p, g := s.peer, s.group
	if p == nil || p.session != s {
		return
	}
	if s.state == running {
		g.count(g.Connected, -1)
	}
	g.count(g.Active, -1)
	p.session, p.app = nil, Stopping
	p.flags &^= lesson
	g.settle(p)
}

// Close ends the session: its connection has ended.
func (s *Session) Close() {
	if p := s.peer; p != nil {
		s.leave()
		p.flags &^= alive
	}
	s.state = over
}

// cut makes the owner end the session.
func (s *Session) cut() {
	s.leave()
	s.state = over
	s.Wake()
}
