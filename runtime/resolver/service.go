package resolver

import (
	"slices"

	"hapax/runtime"
)

// service is a SRV record that names servers of a backend: each of its targets gets one of them. Section 5.3.1.
type service struct {
	sec  *Section
	name string
	px   *runtime.Proxy
	free []*lookup // servers without a target, in their order
	used []*lookup
}

// resolved gives each target a server.
func (v *service) resolved(r *resolution, _ *nameserver) {
	for _, rec := range r.records {
		if l := v.server(rec); l != nil {
			v.assign(l, rec)
		}
	}
}

// server finds the one that serves a target, or one that is free.
func (v *service) server(rec *record) *lookup {
	for _, l := range rec.users {
		if l.of == v {
			return l
		}
	}
	if len(v.free) == 0 {
		return nil
	}
	l := v.free[0]
	// One that a state file gave this target goes on with it.
	for _, other := range v.free {
		if other.srv.HostName() == rec.target && int(other.srv.Addr.Load().IP.Port()) == int(rec.port) {
			l = other
		}
	}
	v.free = slices.DeleteFunc(v.free, func(other *lookup) bool { return other == l })
	v.used = append(v.used, l)
	return l
}

// assign makes a server what the record says: the port, the weight, and the address if that came with it.
func (v *service) assign(l *lookup, rec *record) {
	l.target = rec
	if !slices.Contains(rec.users, l) {
		rec.users = append(rec.users, l)
	}
	c := v.sec.control
	if l.srv.HostName() == "" {
		c.Renamed(l.srv, rec.target, "SRV record")
	}
	to := runtime.Resolved{Port: rec.port, IP: rec.extra}
	if to.IP.IsValid() {
		l.unfollow()
		c.Resolved(l.srv, to, "DNS additional record")
	} else {
		to.Quiet = true
		c.Resolved(l.srv, to, "")
		if l.res == nil {
			l.follow(l.srv.HostName())
		}
	}
	if !l.o.ignoreWeight {
		c.SetWeight(l.srv, (int(rec.weight)+weightStep-1)/weightStep)
	}
}

// weightStep maps the weights of SRV records, up to 65535, to those of servers, up to 256.
const weightStep = 256

// release takes a server back whose target is gone.
func (v *service) release(l *lookup) {
	l.unfollow()
	v.used = slices.DeleteFunc(v.used, func(other *lookup) bool { return other == l })
	v.free = append(v.free, l)
	v.sec.control.Renamed(l.srv, "", "")
	v.sec.control.Unresolved(l.srv, noEntry, true)
}

// failed gives the targets up when the record is unknown for long enough.
func (v *service) failed(r *resolution) (keep bool) {
	if _, patient := r.reason(); patient {
		return true
	}
	for _, rec := range r.records {
		for _, l := range slices.Clone(rec.users) {
			if l.of == v {
				l.target = nil
				v.release(l)
			}
		}
	}
	return false
}
