package resolver

import (
	"container/heap"
	"sync"
	"time"

	"hapax/parser/ast"
	"hapax/runtime"
)

// Section is a resolvers section: its name servers and all names that they are asked for. Section 5.3.2.
// Once it runs, one goroutine owns what it knows; others reach it by do.
type Section struct {
	Name     string
	pos      ast.Pos
	servers  []*nameserver
	declared map[string]ast.Pos // name servers, and where they are
	streams  *runtime.Proxy     // those that are asked over TCP

	hold           map[string]time.Duration // by what was answered
	resolve, retry time.Duration
	retries        int
	payload        int // bytes of an answer

	control  Control
	families func() families
	known    map[wanted]*resolution
	plan     schedule
	byID     map[uint16]*resolution
	answers  chan answer
	asks     chan func()
	stop     chan struct{}
	stopped  sync.Once
}

// Defaults of a section.
const (
	defaultTimeout = time.Second
	defaultRetries = 3
	defaultPayload = 512
	leastPayload   = 12
	mostPayload    = 65535
)

func newSection(name string, pos ast.Pos) *Section {
	const bad = 30 * time.Second
	return &Section{
		Name: name, pos: pos, declared: map[string]ast.Pos{},
		streams: &runtime.Proxy{Name: name, Kind: "proxy", Caps: runtime.CapListen, Pos: pos},
		hold: map[string]time.Duration{
			"valid": 10 * time.Second, "obsolete": 0, "nx": bad, "refused": bad, "timeout": bad, "other": bad,
		},
		resolve: defaultTimeout, retry: defaultTimeout, retries: defaultRetries, payload: defaultPayload,
		known: map[wanted]*resolution{}, byID: map[uint16]*resolution{}, answers: make(chan answer, 64), asks: make(chan func(), 16), stop: make(chan struct{}),
	}
}

// Control changes servers as answers want it. Its methods may be called from any goroutine.
type Control interface {
	// Resolved gives a server the address that was found, and tells by whom; "" does not tell.
	Resolved(srv *runtime.Server, to runtime.Resolved, by string)
	// Unresolved puts a server without an address into maintenance.
	// Its port goes too, unless it was configured.
	Unresolved(srv *runtime.Server, why string, port bool)
	// Renamed tells that a server has another host name.
	Renamed(srv *runtime.Server, host, by string)
	// RenameText is how that is told.
	RenameText(srv *runtime.Server, was, host, by string) string
	// SetWeight changes the weight of a server.
	SetWeight(srv *runtime.Server, weight int)
}

// run resolves what is asked for until the section is stopped.
func (s *Section) run() {
	for _, ns := range s.servers {
		ns.listen(s)
	}
	timer := time.NewTimer(0)
	for {
		select {
		case a := <-s.answers:
			s.take(a)
		case f := <-s.asks:
			f()
		case <-timer.C:
		case <-s.stop:
			for _, ns := range s.servers {
				ns.close()
			}
			return
		}
		timer.Reset(time.Until(s.work(time.Now())))
	}
}

// do lets the section's goroutine do something, and does not wait for it.
func (s *Section) do(f func()) {
	select {
	case s.asks <- f:
	case <-s.stop:
	}
}

// idle is how long a section without anything to do sleeps.
const idle = time.Hour

// work begins what is due and gives up what took too long; it tells when there is more to do.
func (s *Section) work(now time.Time) time.Time {
	for len(s.plan) > 0 && !s.plan[0].at.After(now) {
		s.plan[0].wake(now)
	}
	if len(s.plan) == 0 {
		return now.Add(idle)
	}
	return s.plan[0].at
}

// take reads what a name server has sent.
func (s *Section) take(a answer) {
	m, err := parse(a.data, s.payload)
	r := s.byID[m.id]
	switch {
	case err != nil && r == nil:
		a.from.count.Invalid.Add(1)
	case r == nil || !r.running:
		a.from.count.Outdated.Add(1)
	default:
		r.answer(a.from, m, err)
	}
}

// find gives the resolution of a name by the kind of record that is wanted first; all who want the same share one.
func (s *Section) find(name string, kind kind) *resolution {
	what := wanted{name, kind}
	r := s.known[what]
	if r == nil {
		r = &resolution{sec: s, name: name, wanted: kind, place: -1}
		s.known[what] = r
	}
	return r
}

// forget ends a resolution that nobody waits for.
func (s *Section) forget(r *resolution) {
	delete(s.byID, r.id)
	delete(s.known, wanted{r.name, r.wanted})
	if r.place >= 0 {
		heap.Remove(&s.plan, r.place)
	}
}

// wanted is a name and the kind of record that is wanted first.
type wanted struct {
	name string
	kind kind
}

// schedule holds the resolutions by the time at which they have something to do: a heap.
type schedule []*resolution

func (p schedule) Len() int           { return len(p) }
func (p schedule) Less(i, j int) bool { return p[i].at.Before(p[j].at) }
func (p schedule) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].place, p[j].place = i, j
}

// Push is called by container/heap.
func (p *schedule) Push(r any) {
	r.(*resolution).place = len(*p)
	*p = append(*p, r.(*resolution))
}

// Pop is called by container/heap.
func (p *schedule) Pop() any {
	last := len(*p) - 1
	r := (*p)[last]
	(*p)[last], r.place = nil, -1
	*p = (*p)[:last]
	return r
}

// sleep lets a resolution wait until its time comes.
func (s *Section) sleep(r *resolution, until time.Time) {
	r.at = until
	if r.place < 0 {
		heap.Push(&s.plan, r)
		return
	}
	heap.Fix(&s.plan, r.place)
}

// in is how messages name who has changed a server.
func (ns *nameserver) in(s *Section) string { return s.Name + "/" + ns.name }
