package resolver

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"hapax/acl/hash"
)

// status is what came of a resolution the last time.
type status uint8

const (
	unknown status = iota
	valid
	nonexistent
	timedOut
	denied
	other
)

// resolution is a name that is asked for again and again, for all who want to know. Section 5.3.1.
type resolution struct {
	sec    *Section
	name   string
	wanted kind // asked for first
	askers []asker
	at     time.Time // when there is something to do
	place  int       // in the plan of the section; -1: nowhere

	status    status
	lastValid time.Time
	lastEnd   time.Time // when the last round was over; zero: there was none

	running       bool
	id            uint16
	asked         kind
	tries         int // that are left
	sent, replied int // in this try

	records []*record // by their keys
	cursor  *record   // the search for an address begins here
}

// record is one answer that was heard lately.
type record struct {
	found
	key      uint32
	extra    netip.Addr // of the target, told with the record
	lastSeen time.Time
	users    []*lookup // servers that have its address, or its target
}

// asker is whoever wants to know what a name stands for.
type asker interface {
	// resolved tells that records were heard; by is who has told them, nil when another asker was told first.
	resolved(r *resolution, by *nameserver)
	// failed tells that nothing was heard, and returns whether the records of earlier rounds are to be kept.
	failed(r *resolution) (keep bool)
}

// join makes somebody one of those who want to know.
func (r *resolution) join(who asker) {
	r.askers = append(r.askers, who)
	if r.place < 0 {
		r.sec.sleep(r, time.Now())
	}
}

// leave takes somebody off those who want to know. What nobody wants to know any more is kept for a while for those
// who will.
func (r *resolution) leave(who asker) {
	r.askers = slices.DeleteFunc(r.askers, func(a asker) bool { return a == who })
	if len(r.askers) == 0 && !r.running {
		r.sec.sleep(r, r.lastEnd.Add(r.sec.hold["valid"]))
	}
}

// wake begins a round, or goes on with one when answers are late.
func (r *resolution) wake(now time.Time) {
	switch {
	case len(r.askers) == 0:
		r.sec.forget(r)
	case !r.running:
		r.start()
	case r.tries <= 0:
		if r.replied == 0 {
			r.status = timedOut
		}
		r.giveUp(now)
	case r.replied > 0 && r.fallBack():
	default:
		r.asked = r.wanted
		r.send()
	}
}

func (r *resolution) start() {
	r.running, r.tries, r.asked = true, r.sec.retries, r.wanted
	r.newID()
	r.send()
}

// newID gives the round a number that no other one has.
func (r *resolution) newID() {
	delete(r.sec.byID, r.id)
	for {
		r.id = uint16(rand.Uint32())
		if r.sec.byID[r.id] == nil {
			r.sec.byID[r.id] = r
			return
		}
	}
}

// send asks all name servers.
func (r *resolution) send() {
	if r.asked == r.wanted {
		r.tries--
	}
	r.sent, r.replied = 0, 0
	r.sec.sleep(r, time.Now().Add(r.sec.retry))
	message, err := question(r.id, r.name, r.asked, r.sec.payload)
	if err != nil {
		return
	}
	for _, ns := range r.sec.servers {
		ns.ask(r.sec, message)
		r.sent++
	}
}

func (r *resolution) otherKind() kind {
	if r.wanted == kindA {
		return kindAAAA
	}
	return kindA
}

// accepts tells whether records of a kind may be asked for.
func (r *resolution) accepts(k kind) bool {
	f := r.sec.families()
	switch k {
	case kindA:
		return f.v4
	case kindAAAA:
		return f.v6
	}
	return true
}

// fallBack asks for the other kind of address, if there is one; false: there is none.
func (r *resolution) fallBack() bool {
	if r.wanted == kindSRV || r.asked != r.wanted || !r.accepts(r.otherKind()) {
		return false
	}
	r.asked = r.otherKind()
	r.newID()
	r.send()
	return true
}

// answer takes what a name server says.
func (r *resolution) answer(ns *nameserver, m reply, err error) {
	r.replied++
	if err == nil && m.fault == sound && (m.name != r.name || m.kind != r.asked) {
		m.fault = invalid
	}
	if err != nil {
		m.fault = invalid
	}
	if m.cname {
		ns.count.CName.Add(1)
	}
	now := time.Now()
	if m.fault == sound {
		ns.count.Valid.Add(1)
		r.status, r.lastValid = valid, now
		r.hear(m, now)
		r.finish(now)
		r.tell(ns)
		return
	}
	r.blame(ns, m.fault)
	if r.replied < r.sent || r.fallBack() {
		return
	}
	if r.tries <= 0 {
		r.giveUp(now)
	}
}

// blame counts a reply that is no answer.
func (r *resolution) blame(ns *nameserver, f fault) {
	r.status = other
	switch c := &ns.count; f {
	case noName:
		r.status = nonexistent
		c.NX.Add(1)
	case refused:
		r.status = denied
		c.Refused.Add(1)
	case empty:
		c.AnyErr.Add(1)
	case badCName:
		c.CNameError.Add(1)
	case cut:
		c.Truncated.Add(1)
	case tooBig:
		c.TooBig.Add(1)
	case invalid:
		c.Invalid.Add(1)
	default:
		c.Other.Add(1)
	}
}

// finish ends a round.
func (r *resolution) finish(now time.Time) {
	delete(r.sec.byID, r.id)
	r.running, r.lastEnd = false, now
	r.sec.sleep(r, now.Add(r.sec.resolve))
}

// giveUp ends a round without an answer.
func (r *resolution) giveUp(now time.Time) {
	r.finish(now)
	keep := false
	for _, a := range slices.Clone(r.askers) {
		if a.failed(r) {
			keep = true
		}
	}
	if !keep {
		r.records, r.cursor = nil, nil
	}
}

// tell hands the records on: the first who asked learns from whom they are.
func (r *resolution) tell(ns *nameserver) {
	for _, a := range slices.Clone(r.askers) {
		a.resolved(r, ns)
		ns = nil
	}
}

// hear notes the records of an answer and forgets those that were not heard for too long.
func (r *resolution) hear(m reply, now time.Time) {
	for _, f := range m.found {
		rec := r.known(f)
		if rec == nil {
			rec = &record{found: f, key: f.key(m.kind)}
			at, _ := slices.BinarySearchFunc(r.records, rec, func(a, b *record) int {
				if a.key <= b.key {
					return -1
				}
				return 1
			})
			r.records = slices.Insert(r.records, at, rec)
		}
		rec.weight, rec.lastSeen = f.weight, now
		if extra, told := m.extras[f.target]; told {
			rec.extra = extra
		}
	}
	obsolete := r.sec.hold["obsolete"]
	r.records = slices.DeleteFunc(r.records, func(rec *record) bool {
		if !rec.lastSeen.Add(obsolete).Before(now) {
			return false
		}
		for _, l := range slices.Clone(rec.users) {
			l.lost(rec)
		}
		if r.cursor == rec {
			r.cursor = nil
		}
		return true
	})
}

func (r *resolution) known(f found) *record {
	for _, rec := range r.records {
		if rec.addr == f.addr && rec.target == f.target && rec.port == f.port {
			return rec
		}
	}
	return nil
}

// key places a record among the others of its name, as the reference does: servers are given addresses in this order.
func (f found) key(k kind) uint32 {
	if k == kindSRV {
		return hash.XXH32(wireName(f.target), uint32(k))
	}
	return hash.XXH32(f.addr.AsSlice(), uint32(k))
}

// wireName is a name as messages have it: each label behind its length.
func wireName(name string) []byte {
	var b []byte
	for len(name) > 0 {
		label := name
		if i := slices.Index([]byte(name), '.'); i >= 0 {
			label, name = name[:i], name[i+1:]
		} else {
			name = ""
		}
		b = append(append(b, byte(len(label))), label...)
	}
	return b
}

// next is the record behind rec, the first one behind the last.
func (r *resolution) next(rec *record) *record {
	i := slices.Index(r.records, rec)
	return r.records[(i+1)%len(r.records)]
}

// within tells whether the last valid answer is younger than what is held of answers of a kind.
func (r *resolution) within(what string) bool {
	return time.Since(r.lastValid) < r.sec.hold[what]
}
