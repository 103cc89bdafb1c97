package exchange

import (
	"encoding/binary"

	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
)

// treat takes a message. What it returns is running, unless the session is to end.
func (s *Session) treat(m message) state {
	switch m.class {
	case classControl:
		return s.control(m.kind)
	case classReserved:
		return failed
	case classTable:
		r := reader{left: m.body}
		switch m.kind {
		case tableDefine:
			s.define(&r)
		case tableSwitch:
			s.remote = s.peer.byRemoteID(r.number())
		case tableUpdate, tableNextUpdate, tableTimedUpdate, tableNextTimedUpdate:
			s.update(&r, m.kind == tableUpdate || m.kind == tableTimedUpdate, m.kind >= tableTimedUpdate)
		case tableAck:
			s.acknowledge(&r)
		}
		if r.failed {
			return failed
		}
	}
	return running
}

func (s *Session) control(kind byte) state {
	p, g := s.peer, s.group
	switch kind {
	case resyncRequest:
		for _, st := range p.Tables {
			st.begin()
		}
		p.flags = p.flags&^lesson | teaching | wantedResync
	case resyncFinished, resyncPartial:
		if p.learn == Processing {
			p.learn = Finished
			if kind == resyncPartial {
				p.flags |= notUpToDate
			}
			g.settle(p)
		}
		p.confirm++
	case resyncConfirm:
		if g.stopping {
			p.flags |= handedOver
			return over
		}
		for _, st := range p.Tables {
			st.update = st.origin
			st.begin()
		}
		p.flags &^= lesson
	case heartbeat:
		p.reconnect = g.Clock() + reconnectEvery
		p.Counts.Beats++
	}
	return running
}

func (p *Peer) byRemoteID(id uint64) *Shared {
	for _, st := range p.Tables {
		if uint64(st.RemoteID) == id {
			return st
		}
	}
	return nil
}

// keyTypes are the types of keys as definitions tell them.
var keyTypes = map[sample.Type]uint64{sample.Int: 2, sample.IPv4: 4, sample.IPv6: 5, sample.Str: 6, sample.Bin: 7}

const mostKeyTypes = 8

// define takes the definition of a table: entries that follow are for the one of that name here, if its keys are alike.
func (s *Session) define(r *reader) {
	id, length := int(int32(r.number())), r.number()
	if r.failed || length == 0 || length >= uint64(len(r.left)) {
		r.failed = true
		return
	}
	name := string(r.bytes(length))
	var st *Shared
	for _, known := range s.peer.Tables {
		if known.RemoteID == id {
			known.RemoteID = 0
		}
		if st == nil && known.Table.WireName == name {
			st = known
		}
	}
	s.remote = nil
	if st == nil {
		return
	}
	kind := r.number()
	if r.failed || kind >= mostKeyTypes {
		return
	}
	size, data := r.number(), r.number()
	if r.failed || kind != keyTypes[st.Table.Type] || size != uint64(st.Table.KeySize) {
		return
	}
	elements, ok := parameters(r, data)
	if ok {
		st.data, st.elements, st.RemoteID = data, elements, id
		s.remote = st
	}
}

// parameters takes what follows the types of data in a definition: the life of entries, then the number of the type with
// the elements of arrays and the periods of rates. Old peers leave all of it out. It reports false when something is
// missing that the entries cannot be read without.
func parameters(r *reader, data uint64) (elements [table.Types]uint32, ok bool) {
	in := *r
	r.left = nil
	in.number()
	old := in.failed
	for d := range table.Types {
		switch {
		case data>>d&1 == 0:
		case old && d.Array():
			return elements, false
		case old || !d.Array() && !d.Rate():
		default:
			if in.number() != uint64(d) {
				return elements, false
			}
			if d.Array() {
				elements[d] = uint32(in.number())
			}
			if d.Rate() {
				in.number()
			}
			if in.failed {
				return elements, false
			}
		}
	}
	return elements, true
}

// datum is an element that an entry is told to have.
type datum struct {
	kind    table.Data
	element uint
	value   table.Told
	text    string // in the place of the value
}

// update takes an entry.
func (s *Session) update(r *reader, numbered, timed bool) {
	st := s.remote
	if st == nil {
		return
	}
	t := st.Table
	number := st.got + 1
	if numbered {
		number = r.word()
	}
	if s.peer.learn != Processing && !r.failed {
		st.got = number
	}
	left := t.Expire
	if timed {
		left = min(r.word(), left)
	}
	key := readKey(r, t)
	if r.failed || !t.Reserve() {
		return
	}
	s.data(r, st)
	if r.failed {
		t.Unreserve()
		return
	}
	e := t.Settle(key)
	hear(&e, s.values, left, !t.RecvOnly, false)
	e.Unlock()
	if t.WriteTo == nil {
		return
	}
	if e, ok := t.WriteTo.Make(key); ok {
		hear(&e, s.values, left, !t.WriteTo.RecvOnly, true)
		e.Unlock()
	}
}

// readKey takes a key in the form of the table.
func readKey(r *reader, t *table.Table) []byte {
	switch t.Type {
	case sample.Str:
		return r.bytes(r.number())
	case sample.Int:
		var key [4]byte
		binary.LittleEndian.PutUint32(key[:], r.word())
		return key[:]
	}
	return r.bytes(uint64(t.KeySize))
}

// data takes the data of an entry.
func (s *Session) data(r *reader, st *Shared) {
	s.values = s.values[:0]
	for d := range table.Types {
		if st.data>>d&1 == 0 {
			continue
		}
		if d == table.ServerKey {
			if text := s.heard.read(r); text != "" {
				s.values = append(s.values, datum{kind: d, text: text})
			}
			continue
		}
		elements := uint32(1)
		if d.Array() {
			elements = st.elements[d]
		}
		for i := range elements {
			v := datum{kind: d, element: uint(i)}
			v.value[0] = r.number()
			if d.Rate() {
				v.value[1], v.value[2] = r.number(), r.number()
			}
			if r.failed {
				return
			}
			s.values = append(s.values, v)
		}
	}
}

// hear gives an entry what a peer tells of it: local data are left alone, and where it is written to another table all
// that is counted there.
func hear(e *table.Entry, values []datum, left uint32, local, elsewhere bool) {
	for _, v := range values {
		switch {
		case local && v.kind.LocalOnly(), elsewhere && v.kind.Counts():
		case v.kind == table.ServerKey:
			e.SetServerKey(v.text)
		default:
			e.Hear(v.kind, v.element, v.value)
		}
	}
	e.Live(left)
	e.Learned()
}

// acknowledge takes the number up to which the peer knows the changes of a table.
func (s *Session) acknowledge(r *reader) {
	if s.peer.flags&teaching != 0 {
		return
	}
	id, number := r.number(), r.word()
	if r.failed {
		return
	}
	for _, st := range s.peer.Tables {
		if uint64(st.LocalID) == id {
			st.acknowledged(number)
			return
		}
	}
}
