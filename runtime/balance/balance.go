// Package balance chooses the server of a stream: the algorithms of "balance", the
// hash types, and the weights they work with (manual section 4.2 "balance",
// "hash-type").
//
// Each algorithm is a runtime.Balancer in a file of its own. What changes only when
// a server changes (maps and rings) is an immutable table behind an atomic pointer;
// what changes with every choice (roundrobin, leastconn) lies under one short mutex.
package balance

import (
	"slices"
	"sync/atomic"

	"hapax/runtime"
)

// Algorithms, by the name that "balance" gives them.
const (
	RoundRobin = "roundrobin"
	StaticRR   = "static-rr"
	LeastConn  = "leastconn"
	First      = "first"
	Random     = "random"
	Sticky     = "sticky"
	Source     = "source"
	URI        = "uri"
	URLParam   = "url_param"
	Header     = "hdr"
	RDPCookie  = "rdp-cookie"
	Hash       = "hash"
	LogHash    = "log-hash"
)

// Build makes the balancer of a backend from its configuration and gives every
// server its weight. It is called once, when the servers are known and before
// traffic; without "balance" the choice is random.
func Build(px *runtime.Proxy) {
	m := &members{px: px, mult: 1, div: 1}
	params, _ := px.Balance.Args.(*Params)
	if params == nil {
		params = &Params{}
	}
	kind, _ := px.Balance.HashType.(HashType)
	switch px.Balance.Algo {
	case RoundRobin:
		px.LB = newRoundRobin(m)
	case StaticRR:
		px.LB = newStaticRR(m)
	case LeastConn:
		px.LB = newLeastConn(m)
	case First:
		px.LB = newFirst(m)
	case Sticky:
		px.LB = newSticky(m)
	case "", Random:
		px.LB = newRandom(m, params.Draws)
	default:
		key := keyOf(px.Balance.Algo, params, kind.Func)
		if kind.Consistent {
			px.LB = newHashRing(m, key, kind)
		} else {
			px.LB = newHashMap(m, key, kind)
		}
	}
}

// Any tells whether at least one server takes part: when none does, a request has
// no server to wait for.
func Any(px *runtime.Proxy) bool {
	m := membersOf(px)
	return m != nil && m.totals.Load().weight != 0
}

// Used is the number of servers that take part: the active ones, else the backup
// server that is used, or all of them.
func Used(px *runtime.Proxy) int {
	m := membersOf(px)
	if m == nil {
		return 0
	}
	return m.totals.Load().used
}

// Counts gives the number of usable active and backup servers.
func Counts(px *runtime.Proxy) (active, backup int) {
	m := membersOf(px)
	if m == nil {
		return 0, 0
	}
	t := m.totals.Load()
	return t.active, t.backup
}

// Weight is the effective weight of a server in the scale of the configuration,
// rounded up, as statistics show it.
func Weight(srv *runtime.Server) int {
	m := membersOf(srv.Proxy)
	if m == nil {
		return int(srv.UserWeight.Load())
	}
	return m.shown(int(srv.Effective.Load()))
}

// TotalWeight is the sum of the weights of the servers that take part now.
func TotalWeight(px *runtime.Proxy) int {
	m := membersOf(px)
	if m == nil {
		return 0
	}
	return m.shown(m.totals.Load().weight)
}

// Dynamic tells whether weights may change while the program runs; else "set weight"
// only switches a server off and on.
func Dynamic(px *runtime.Proxy) bool {
	m := membersOf(px)
	return m != nil && m.dynamic
}

// Join takes in a server that was made while the program runs. It must be in maintenance:
// it takes part once Update has seen it leave that. The caller holds the backend's Mu.
func Join(srv *runtime.Server) {
	m := membersOf(srv.Proxy)
	mb := m.member(srv, m.full(srv))
	mb.seat.out = true
	m.all = append(m.all, mb)
}

// Leave forgets a server, which must be in maintenance. The caller holds the backend's Mu.
func Leave(srv *runtime.Server) {
	m := membersOf(srv.Proxy)
	m.all = slices.DeleteFunc(m.all, func(mb *member) bool { return mb.srv == srv })
}

// NeedsBody tells whether the choice looks into the body of POST requests, which
// must then be waited for.
func NeedsBody(px *runtime.Proxy) bool { return px.Balance.Algo == URLParam }

// Hashes tells whether the choice depends on the request: then the same server is
// tried again rather than another one.
func Hashes(px *runtime.Proxy) bool {
	switch px.Balance.Algo {
	case Source, URI, URLParam, Header, RDPCookie, Hash:
		return true
	}
	return false
}

// Name is the algorithm as statistics print it: those newer than that field have no name there.
func Name(px *runtime.Proxy) string {
	if px.Dispatch != nil {
		return "none"
	}
	switch px.Balance.Algo {
	case "", Random, Sticky, LogHash:
		return "unknown"
	}
	return px.Balance.Algo
}

func membersOf(px *runtime.Proxy) *members {
	if b, ok := px.LB.(interface{ shared() *members }); ok {
		return b.shared()
	}
	return nil
}

// standing is what of a server's state the algorithms look at. Two equal standings
// need no work.
type standing struct {
	state  runtime.ServerState
	admin  runtime.Admin
	weight uint32 // effective, in the scale of the algorithm
}

func (s standing) usable() bool {
	return s.weight != 0 && s.admin&(runtime.Maint|runtime.Drain) == 0 &&
		(s.state == runtime.ServerStarting || s.state == runtime.ServerRunning)
}

// member is one server of the backend. It is what runtime.Server.LB holds.
type member struct {
	srv  *runtime.Server
	now  standing // as the algorithm last saw it; under the backend's Mu
	seat seat     // roundrobin, leastconn
	arc  arc      // random, hashes on a ring
}

// members are the servers of one backend, in the order of the file, and their sums.
type members struct {
	px      *runtime.Proxy
	all     []*member // under the backend's Mu
	mult    uint32    // weight of the configuration = effective weight * mult / div
	div     uint32
	dynamic bool
	totals  atomic.Pointer[totals]
}

// totals are the sums over the usable servers. They are replaced as a whole.
type totals struct {
	active, backup             int
	activeWeight, backupWeight int
	spare                      *member // the one backup server that is used; nil with "option allbackups"

	weight, used int // of the group that takes part: the active servers, else the spare, else all backups
}

func (m *members) shared() *members { return m }

// join creates the members with their first standing.
func (m *members) join(first func(srv *runtime.Server) uint32) {
	m.all = make([]*member, len(m.px.Servers))
	for i, srv := range m.px.Servers {
		m.all[i] = m.member(srv, first(srv))
	}
	m.recount()
}

// member makes the member of a server with its effective weight.
func (m *members) member(srv *runtime.Server, weight uint32) *member {
	mb := &member{srv: srv}
	mb.seat.member, mb.seat.place.seat = mb, &mb.seat
	srv.LB = mb
	srv.Effective.Store(int32(weight))
	mb.now = m.look(srv, weight)
	return mb
}

func (m *members) look(srv *runtime.Server, weight uint32) standing {
	return standing{runtime.ServerState(srv.State.Load()), runtime.Admin(srv.AdminState.Load()), weight}
}

// change recomputes a server's weight and standing after something about it changed.
// The caller holds the backend's Mu.
func (m *members) change(srv *runtime.Server) (mb *member, before standing, changed bool) {
	mb = srv.LB.(*member)
	w := m.effective(srv)
	srv.Effective.Store(int32(w))
	before = mb.now
	mb.now = m.look(srv, w)
	return mb, before, before != mb.now
}

// recount sums up the usable servers.
func (m *members) recount() {
	t := &totals{}
	for _, mb := range m.all {
		if !mb.now.usable() {
			continue
		}
		if !mb.srv.Backup {
			t.active++
			t.activeWeight += int(mb.now.weight)
			continue
		}
		if t.backup == 0 && m.px.Options&runtime.OptAllBackups == 0 {
			t.spare = mb
		}
		t.backup++
		t.backupWeight += int(mb.now.weight)
	}
	switch {
	case t.active > 0:
		t.weight, t.used = t.activeWeight, t.active
	case t.spare != nil:
		t.weight, t.used = int(t.spare.now.weight), 1
	default:
		t.weight, t.used = t.backupWeight, t.backup
	}
	m.totals.Store(t)
}

// Takes implements runtime.Balancer.
func (m *members) Takes(srv *runtime.Server) bool {
	ref := srv
	if srv.Track != nil {
		ref = srv.Track
	}
	if !ref.Usable() {
		return false
	}
	if !srv.Backup {
		return true
	}
	t := m.totals.Load()
	return t.active == 0 && (m.px.Options&runtime.OptAllBackups != 0 || t.spare != nil && t.spare.srv == srv)
}

// Taken implements runtime.Balancer for algorithms that do not look at the load.
func (m *members) Taken(*runtime.Server) {}

// Released implements runtime.Balancer for algorithms that do not look at the load.
func (m *members) Released(*runtime.Server) {}

// crowded tells that a request waits in the backend's queue, which means for the
// algorithms that try every server that all are full. When everything that is on the
// backend waits, there is nobody who would wake it, so that does not count.
func (m *members) crowded() bool {
	live := &m.px.Live
	q := live.Queued.Load()
	return q > 0 && live.Served.Load() > 0 && q != live.BackConns.Load()
}
