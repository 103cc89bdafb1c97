package resolver

import (
	"net/netip"
	"slices"
	"strings"

	"hapax/runtime"
)

// options are what a server line says of how its name is resolved. Section 5.2 "resolve-opts", "resolve-prefer", "resolve-net".
type options struct {
	v4           bool // IPv4 is preferred
	networks     []netip.Prefix
	sameAddress  bool // several servers of a backend may have one address
	ignoreWeight bool // of SRV records
	lookup       *lookup
}

// optionsOf gives a server's options, made when need be.
func optionsOf(srv *runtime.Server) *options {
	o, ok := srv.Resolve.(*options)
	if !ok {
		o = &options{}
		srv.Resolve = o
	}
	return o
}

// lookup follows the address of one server. It belongs to the goroutine of its section.
type lookup struct {
	srv     *runtime.Server
	o       *options
	sec     *Section
	res     *resolution // nil: there is no name to resolve
	of      *service    // that names it; nil: the configuration or the administrator does
	address *record     // whose address the server has
	target  *record     // of its service
}

// kind is the kind of record that is wanted first.
func (l *lookup) kind() kind { return l.sec.prefers(l.o.v4) }

// prefers is the kind of address record that is asked for first.
func (s *Section) prefers(v4 bool) kind {
	f := s.families()
	if v4 && f.v4 || !f.v6 {
		return kindA
	}
	return kindAAAA
}

// follow begins to resolve a name for the server; "" ends that.
func (l *lookup) follow(name string) {
	l.unfollow()
	if name == "" {
		return
	}
	l.res = l.sec.find(strings.ToLower(strings.TrimSuffix(name, ".")), l.kind())
	l.res.join(l)
}

func (l *lookup) unfollow() {
	r := l.res
	if r == nil {
		return
	}
	l.leaveAddress()
	l.res = nil
	r.leave(l)
}

func (l *lookup) leaveAddress() {
	if l.address != nil {
		l.address.users = slices.DeleteFunc(l.address.users, func(u *lookup) bool { return u == l })
		l.address = nil
	}
}

// lost tells that a record is gone that the server has its address or its name of.
func (l *lookup) lost(rec *record) {
	if l.address == rec {
		l.address = nil
	}
	if l.target == rec {
		l.target = nil
		l.of.release(l)
	}
}

// resolved gives the server an address out of the records.
func (l *lookup) resolved(r *resolution, by *nameserver) {
	addr, verdict := l.choose(r)
	switch verdict {
	case another:
		who := "DNS cache"
		if by != nil {
			who = by.in(l.sec)
			by.count.Update.Add(1)
		}
		l.sec.control.Resolved(l.srv, runtime.Resolved{IP: addr}, who)
	case nothing:
		l.down(r)
	}
}

// choice is what was found for a server.
type choice uint8

const (
	same choice = iota // it keeps its address
	another
	nothing
)

// choose finds an address for the server: one that it has stays, else the best record counts.
func (l *lookup) choose(r *resolution) (netip.Addr, choice) {
	if l.address != nil {
		return netip.Addr{}, same
	}
	var current netip.Addr
	if a := l.srv.Addr.Load(); a != nil {
		current = a.IP.Addr()
	}
	best := r.best(l.o, current, l)
	if best == nil {
		return netip.Addr{}, nothing
	}
	l.address = best
	best.users = append(best.users, l)
	if best.addr == current {
		return current, same
	}
	return best.addr, another
}

// Weights of what makes a record the better one. Section 5.2 "resolve-net".
const (
	ofCurrent = 1 << iota
	ofFree
	ofNetwork
	ofFamily
)

// best finds the record that suits most; searches begin behind what the one before has found, so that askers share the
// records. l is nil for those who want to know an address and are no server.
func (r *resolution) best(o *options, current netip.Addr, l *lookup) *record {
	if len(r.records) == 0 {
		return nil
	}
	rec := r.cursor
	if rec == nil {
		rec = r.records[0]
	}
	var found *record
	most := -1
	for range r.records {
		if score, ok := r.score(rec, o, current, l); ok && score > most {
			found, most = rec, score
			r.cursor = r.next(rec)
			if score == ofCurrent|ofFree|ofNetwork|ofFamily {
				break
			}
		}
		rec = r.next(rec)
	}
	return found
}

func (r *resolution) score(rec *record, o *options, current netip.Addr, l *lookup) (score int, ok bool) {
	is4 := rec.addr.Is4()
	if f := r.sec.families(); !rec.addr.IsValid() || is4 && !f.v4 || !is4 && !f.v6 {
		return 0, false
	}
	if is4 == o.v4 {
		score |= ofFamily
	}
	for _, network := range o.networks {
		if network.Addr().Is4() != is4 {
			return 0, false
		}
		if network.Contains(rec.addr) {
			score |= ofNetwork
			break
		}
	}
	taken := false
	if l != nil {
		taken = slices.ContainsFunc(rec.users, func(u *lookup) bool { return u.srv.Proxy == l.srv.Proxy })
	}
	switch {
	case !taken:
		score |= ofFree
	case !o.sameAddress:
		return 0, false
	}
	if rec.addr == current {
		score |= ofCurrent
	}
	return score, true
}

// failed puts the server into maintenance when its name is unknown for long enough.
func (l *lookup) failed(r *resolution) (keep bool) { return !l.down(r) }

// Why a server has no address, as messages tell it.
const (
	noAddress   = "No IP for server "
	noEntry     = "entry removed from SRV record"
	whyNoName   = "DNS NX status"
	whyTimeout  = "DNS timeout status"
	whyRefused  = "DNS refused status"
	whyUnstated = "unspecified DNS error"
)

// down puts the server into maintenance, unless it was resolved a short time ago; it tells whether it did.
func (l *lookup) down(r *resolution) bool {
	if l.srv.AdminState.Load()&uint32(runtime.ResolverMaint) != 0 {
		return false
	}
	why, patient := r.reason()
	if patient {
		return false
	}
	l.leaveAddress()
	l.sec.control.Unresolved(l.srv, why, false)
	return true
}

// reason is why nothing was found; patient tells that the last valid answer is too young for it to matter.
func (r *resolution) reason() (why string, patient bool) {
	switch r.status {
	case unknown:
		return "", true
	case valid:
		return noAddress, false
	case nonexistent:
		return whyNoName, r.within("nx")
	case timedOut:
		return whyTimeout, r.within("timeout")
	case denied:
		return whyRefused, r.within("refused")
	}
	return whyUnstated, r.within("other")
}
