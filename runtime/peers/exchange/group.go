package exchange

import (
	"math/rand/v2"

	"hapax/runtime/sticktable/table"
	"hapax/stats/counter"
)

// Times, in ms.
const (
	resyncWithin    = 5000 // a lesson is waited for
	reconnectEvery  = 5000
	handoverRetries = 500 // between attempts to reach the new process
	heartbeatEvery  = 3000
)

// resync are the steps in which a process that has just started comes to know what others do, and what happened on the
// way, as "show peers" prints them.
type resync uint32

const (
	localDone  resync = 1 << iota // the old process has taught, or there is none
	remoteDone                    // some other peer has, or none can
	assigned                      // a peer teaches
)

const resyncDone = localDone | remoteDone

const (
	localTimeout resync = 1 << (20 + iota)
	remoteTimeout
	localAbort
	remoteAbort
	localFinished
	remoteFinished
	localPartial
	remotePartial
	localAssigned
	remoteAssigned
)

// Group are the peers of one section. Its exported fields are set before it runs.
type Group struct {
	Name   string
	Local  string  // the name of this process
	Peers  []*Peer // the one that was declared last first
	Tables []*table.Table

	Reloaded    bool // there is a process that this one replaces
	Largest     int  // bytes of a message
	MostUpdates int  // changes that are told at once

	Clock             func() int64 // ms, of a clock that is positive and never goes back
	Dial              func(*Session)
	Gone              func() // the new process knows what this one knows, or cannot be told
	Active, Connected *counter.Gauge

	local    *Peer
	flags    resync
	timeout  int64 // of the current step; 0: none
	next     int64 // see Run
	stopping bool
	busy     bool // Gone is still to be called
	Runs     uint32
}

// Join adds a peer, and Add a table, which all peers share.
func (g *Group) Join(p *Peer) {
	g.Peers = append([]*Peer{p}, g.Peers...)
	if p.Local {
		g.local = p
	}
}

func (g *Group) Add(t *table.Table) {
	g.Tables = append(g.Tables, t)
	for _, p := range g.Peers {
		p.Tables = append([]*Shared{{Table: t, LocalID: len(p.Tables) + 1}}, p.Tables...)
	}
}

func (g *Group) find(name string) *Peer {
	for _, p := range g.Peers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (g *Group) resync() resync { return g.flags & resyncDone }

func (g *Group) count(c *counter.Gauge, n int64) {
	if c != nil {
		c.Add(n)
	}
}

// passed tells whether a time has come; 0 never does.
func passed(at, now int64) bool { return at > 0 && now >= at }

// soon is a random time after which a peer is connected to again whose connection was cut: so that both ends do not cut
// the other one's for ever.
func soon(now int64) int64 { return now + 50 + rand.Int64N(2000) }

// wait notes a time at which the group wants to run.
func (g *Group) wait(at int64) {
	if at > 0 && (g.next == 0 || at < g.next) {
		g.next = at
	}
}

// Run does what is due, and tells when it wants to run again; 0: when something happens: a session began, got a message or
// ended, or tables have changed.
func (g *Group) Run() (next int64) {
	g.Runs++
	g.next = 0
	for _, t := range g.Tables {
		t.Collect()
	}
	now := g.Clock()
	if g.stopping {
		g.handOver(now)
	} else {
		g.serve(now)
	}
	return g.next
}

// settle follows the beginning and the end of a peer's session, and of its lesson.
func (g *Group) settle(p *Peer) {
	if p.learn == Finished {
		g.learned(p)
	}
	switch p.app {
	case Stopping:
		g.unlearn(p)
		p.app = Stopped
	case Starting:
		g.unlearn(p)
		p.app = Running
		from := resync(0)
		if !p.Local {
			from = localDone
		}
		if g.resync() == from && !(p.Local && p.session.out) {
			g.assign(p)
		}
		p.session.Wake()
	}
}

// assign makes a peer the one that teaches, if there is none.
func (g *Group) assign(p *Peer) {
	if g.flags&assigned != 0 {
		return
	}
	p.learn = Assigned
	g.flags |= assigned | which(p, localAssigned, remoteAssigned)
}

func which(p *Peer, local, remote resync) resync {
	if p.Local {
		return local
	}
	return remote
}

// unlearn gives up the lesson of a peer whose session has ended, or that nobody is to learn from any more.
func (g *Group) unlearn(p *Peer) {
	if p.learn != NotAssigned {
		g.flags = g.flags&^assigned | which(p, localAbort, remoteAbort)
		g.timeout = g.Clock() + resyncWithin
		p.learn = NotAssigned
	}
	p.flags &^= notUpToDate
}

// learned notes that a peer has told all that it knows.
func (g *Group) learned(p *Peer) {
	var flags resync
	done := p.flags&notUpToDate == 0
	if !done {
		flags = which(p, localPartial, remotePartial)
	} else if p.Shard > 0 {
		flags |= remotePartial
		p.flags |= notUpToDate
		done = g.shardsKnown(p.Shard)
	}
	if done {
		flags |= resyncDone | which(p, localFinished, remoteFinished)
	} else {
		g.timeout = g.Clock() + resyncWithin
	}
	p.learn = NotAssigned
	g.flags = g.flags&^assigned | flags
	if p.session != nil {
		p.session.Wake()
	}
}

// shardsKnown notes that the entries of a shard are known, and tells whether those of all others are.
func (g *Group) shardsKnown(shard int) bool {
	all := true
	for _, p := range g.Peers {
		switch {
		case p.Shard == shard:
			p.flags |= notUpToDate
		case p.Shard > 0 && p.flags&notUpToDate == 0:
			all = false
		}
	}
	return all
}

// serve connects to peers, tells them of changes, and gives up those that are silent.
func (g *Group) serve(now int64) {
	if g.timeout == 0 {
		g.timeout = now + resyncWithin
	}
	if g.resync() == 0 && g.flags&assigned == 0 && (!g.Reloaded || passed(g.timeout, now)) {
		g.flags |= localDone | localTimeout
		g.timeout = now + resyncWithin
	}
	for _, p := range g.Peers {
		switch {
		case p.Local:
		case p.session == nil:
			g.reach(p, now)
		case p.status == accepted:
			g.keep(p, now)
		}
	}
	if g.resync() == localDone && g.flags&assigned == 0 && (passed(g.timeout, now) || len(g.Peers) == 1) {
		g.flags |= remoteDone | remoteTimeout
	}
	if g.resync() != resyncDone && !passed(g.timeout, now) {
		g.wait(g.timeout)
	}
}

// reach connects to a peer when it is time to: it did not refuse to talk the last time.
func (g *Group) reach(p *Peer, now int64) {
	again := p.status == connecting || p.status == greeted || p.status == accepted
	switch {
	case p.status == 0, again && passed(p.reconnect, now):
		g.dial(p, now, reconnectEvery)
		g.wait(p.reconnect)
	case again:
		g.wait(p.reconnect)
	}
}

func (g *Group) dial(p *Peer, now, retry int64) {
	p.Counts.Connects++
	p.reconnect, p.heartbeat, p.handshake = now+retry, 0, now
	p.status = connecting
	s := g.dialed(p)
	p.session = s
	g.count(g.Active, 1)
	g.Dial(s)
}

// keep looks after a session that exchanges messages.
func (g *Group) keep(p *Peer, now int64) {
	if g.resync() == localDone && g.flags&assigned == 0 && p.flags&notUpToDate == 0 {
		g.assign(p)
		p.session.Wake()
		return
	}
	if p.behind() { // changes stand for a heartbeat
		p.flags &^= beating
		p.heartbeat = now + heartbeatEvery
		if passed(p.reconnect, now) {
			p.reconnect = now + reconnectEvery
		}
		p.session.Wake()
	} else if passed(p.reconnect, now) {
		if p.flags&alive == 0 {
			p.reconnect, p.heartbeat = soon(now), 0
			p.Counts.NoBeats++
			p.session.cut()
			g.wait(p.reconnect)
			return
		}
		p.flags &^= alive
		p.reconnect = now + reconnectEvery
	} else if passed(p.heartbeat, now) {
		p.heartbeat = now + heartbeatEvery
		p.flags |= beating
		p.session.Wake()
	}
	g.wait(p.reconnect)
	g.wait(p.heartbeat)
}

// behind tells whether there are changes that the peer was not told of.
func (p *Peer) behind() bool {
	for _, st := range p.Tables {
		if st.pushed < st.Table.LastLocal() {
			return true
		}
	}
	return false
}

// collide gives up the session of a peer that has connected at the same time.
func (g *Group) collide(p *Peer) {
	p.reconnect, p.heartbeat = soon(g.Clock()), 0
	p.Counts.Collisions++
	p.session.cut()
}

// Stop ends all sessions: the process leaves, and tells what it knows to the one that takes its place. Gone is called
// when that is done.
func (g *Group) Stop() {
	if g.stopping {
		return
	}
	now := g.Clock()
	for _, p := range g.Peers {
		p.reconnect = soon(now)
		if p.session != nil {
			p.session.cut()
		}
	}
	g.stopping, g.busy = true, true
	g.timeout = now + resyncWithin
	g.local.reconnect = now
}

// handOver tells the new process what this one knows.
func (g *Group) handOver(now int64) {
	p := g.local
	switch {
	case !g.busy:
	case p.flags&handedOver != 0:
		g.gone()
	case p.session != nil:
		if p.status == accepted {
			g.timeout = 0
		}
	default:
		if g.timeout == 0 {
			g.timeout = now + resyncWithin
		}
		willing := p.status == 0 || p.status == accepted || p.status == greeted || p.status == tryAgain
		switch {
		case g.resync() != resyncDone || passed(g.timeout, now) || !willing:
			g.gone()
		case passed(p.reconnect, now):
			g.dial(p, now, handoverRetries)
			g.wait(p.reconnect)
		default:
			g.wait(p.reconnect)
		}
	}
}

func (g *Group) gone() {
	g.busy = false
	g.Gone()
}
