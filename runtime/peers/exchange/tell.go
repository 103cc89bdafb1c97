package exchange

import (
	"encoding/binary"

	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
	"hapax/runtime/varint"
)

// Write appends what is to be sent, up to about room bytes and as many changes as are told at once; more tells that there
// is more.
func (s *Session) Write(dst []byte, room int) (out []byte, more bool) {
	s.calls++
	dst = append(dst, s.reply...)
	s.reply = s.reply[:0]
	if s.state != running {
		return dst, false
	}
	p := s.peer
	if p.flags&beating != 0 {
		p.flags &^= beating
		p.Counts.SentBeats++
		dst = append(dst, classControl, heartbeat)
	}
	switch {
	case p.learn == Assigned && p.Local:
		p.learn = Processing
	case p.learn == Assigned:
		p.learn = Processing
		dst = append(dst, classControl, resyncRequest)
	}
	w := writer{s, dst, room, s.group.MostUpdates}
	if !w.tables() {
		return w.out, true
	}
	if p.flags&lesson == teaching {
		kind := byte(resyncPartial)
		if s.group.resync() == resyncDone {
			kind = resyncFinished
		}
		w.out = append(w.out, classControl, kind)
		p.flags |= taught
	}
	for ; p.confirm > 0; p.confirm-- {
		w.out = append(w.out, classControl, resyncConfirm)
	}
	return w.out, false
}

// writer writes what a session has to tell of tables.
type writer struct {
	*Session
	out  []byte
	room int
	left int // changes that may still be told
}

func (w *writer) full() bool { return len(w.out) >= w.room || w.left == 0 }

// tables goes round through all tables, from behind the last one that was told of; false: it was interrupted.
func (w *writer) tables() bool {
	p := w.peer
	if len(p.Tables) == 0 {
		return true
	}
	if w.at < 0 {
		w.end = 0
		for i, st := range p.Tables {
			if st == w.local {
				w.end = i
			}
		}
		w.at = (w.end + 1) % len(p.Tables)
	}
	for {
		st := p.Tables[w.at]
		if st.got != st.acked {
			w.ack(st)
		}
		if !w.table(st) {
			w.end = w.at // the round ends here: others have their turn first
			w.at = (w.at + 1) % len(p.Tables)
			return false
		}
		if w.at == w.end {
			w.at = -1
			return true
		}
		w.at = (w.at + 1) % len(p.Tables)
	}
}

// table tells what is to be told of one table; false: it was interrupted.
func (w *writer) table(st *Shared) bool {
	p := w.peer
	switch {
	case p.flags&teaching == 0:
		if p.learn != NotAssigned || st.pushed >= st.Table.LastLocal() {
			return true
		}
		return w.changes(st)
	case p.flags&taught == 0 && !st.walked:
		return w.all(st)
	}
	return true
}

// changes tells of the changes that the peer was not told of.
func (w *writer) changes(st *Shared) bool {
	w.define(st)
	last := int64(-1)
	for !w.full() {
		number, ok := st.Table.Next(st.pushed, func(e *table.Entry) { last = w.entry(st, e, last, false) })
		if !ok {
			st.pushed = st.Table.LastLocal()
			return true
		}
		st.pushed = number
	}
	return false
}

// all tells of all entries, with what they have left to live.
func (w *writer) all(st *Shared) bool {
	w.define(st)
	last := int64(-1)
	timed := w.peer.flags&downgraded == 0
	for !w.full() {
		if !st.Table.Walk(&st.place, func(e *table.Entry) { last = w.entry(st, e, last, timed) }) {
			st.walked, st.pushed = true, st.Table.LastLocal()
			return true
		}
	}
	return false
}

// entry tells of an entry, if it is for the peer. last is the number that was told before, -1: there was none; it returns
// the one that is told now.
func (w *writer) entry(st *Shared, e *table.Entry, last int64, timed bool) int64 {
	t := st.Table
	if shard := w.peer.Shard; shard > 0 && e.Shard() != shard {
		return -1
	}
	w.left--
	number := e.Number()
	follows := last >= 0 && uint32(last)+1 == number
	b := w.body[:0]
	if !follows {
		b = binary.BigEndian.AppendUint32(b, number)
	}
	if timed {
		b = binary.BigEndian.AppendUint32(b, e.Left())
	}
	switch key := e.Key(); t.Type {
	case sample.Str:
		b = varint.AppendText(b, key)
	case sample.Int:
		b = binary.BigEndian.AppendUint32(b, binary.LittleEndian.Uint32(key))
	default:
		b = append(b, key...)
	}
	w.body = w.data(b, e, t)
	w.out = appendMessage(w.out, updateKind(follows, timed), w.body)
	return int64(number)
}

func updateKind(follows, timed bool) byte {
	switch {
	case follows && timed:
		return tableNextTimedUpdate
	case follows:
		return tableNextUpdate
	case timed:
		return tableTimedUpdate
	}
	return tableUpdate
}

// data appends what an entry stores.
func (w *writer) data(b []byte, e *table.Entry, t *table.Table) []byte {
	for d := range table.Types {
		for i := range t.Elements(d) {
			if d == table.ServerKey {
				b = w.sent.appendText(b, e.ServerKey())
				continue
			}
			v := e.Tell(d, uint(i))
			b = varint.Append(b, v[0])
			if d.Rate() {
				b = varint.Append(varint.Append(b, v[1]), v[2])
			}
		}
	}
	return b
}

// define tells which table the next entries are of, if that is not known.
func (w *writer) define(st *Shared) {
	if w.local == st {
		return
	}
	w.local = st
	t := st.Table
	b := varint.Append(w.body[:0], uint64(st.LocalID))
	b = varint.AppendText(b, t.WireName)
	b = varint.Append(b, keyTypes[t.Type])
	b = varint.Append(b, uint64(t.KeySize))
	var data uint64
	for d := range table.Types {
		if t.Stores(d) {
			data |= 1 << d
		}
	}
	b = varint.Append(b, data)
	b = varint.Append(b, uint64(t.Expire))
	for d := range table.Types {
		if data>>d&1 == 0 || !d.Array() && !d.Rate() {
			continue
		}
		b = varint.Append(b, uint64(d))
		if d.Array() {
			b = varint.Append(b, uint64(t.Elements(d)))
		}
		if d.Rate() {
			b = varint.Append(b, uint64(t.Period(d)))
		}
	}
	w.body = b
	w.out = appendMessage(w.out, tableDefine, b)
}

// ack acknowledges what the peer has told of a table.
func (w *writer) ack(st *Shared) {
	b := varint.Append(w.body[:0], uint64(st.RemoteID))
	w.body = binary.BigEndian.AppendUint32(b, st.got)
	w.out = appendMessage(w.out, tableAck, w.body)
	st.acked = st.got
}
