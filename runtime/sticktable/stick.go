package sticktable

import (
	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// mostStored is how many entries the rules of one stream may store.
const mostStored = 8

// Match runs the "stick" rules on a request: a server that a table remembers is the stream's, if it has none yet.
func Match(s *runtime.Stream) {
	for i := range s.Back.StickReq {
		r := &s.Back.StickReq[i]
		if r.Store && storing(s.Stored, r.Table) {
			continue
		}
		var room [16]byte
		k, ok := stickKey(s, r, &room)
		if !ok {
			continue
		}
		if r.Match {
			match(s, r.Table, k)
		}
		if r.Store {
			reserve(s, r.Table, k)
		}
	}
}

// Learn runs the "stick store-response" rules, and stores what they and those of the request asked for.
func Learn(s *runtime.Stream) {
	ofRequest := len(s.Stored)
	for i := range s.Back.StickRes {
		r := &s.Back.StickRes[i]
		if storing(s.Stored[ofRequest:], r.Table) {
			continue
		}
		var room [16]byte
		if k, ok := stickKey(s, r, &room); ok {
			reserve(s, r.Table, k)
		}
	}
	srv := s.Chosen()
	if srv == nil || srv.NonStick {
		return // Leave takes the reservations back
	}
	for i := range s.Stored {
		t := s.Stored[i].Table
		e := t.Settle(s.Stored[i].Key)
		e.Set(table.ServerID, 0, int64(srv.ID))
		if name := serverKey(t, srv); name != "" {
			e.SetServerKey(name)
		}
		e.Touch()
		e.Unlock()
	}
	s.Stored = s.Stored[:0]
}

// serverKey is what a table knows a server by.
func serverKey(t *table.Table, srv *runtime.Server) string {
	if !t.ByAddr {
		return srv.Name
	}
	if a := srv.Addr.Load(); a != nil && a.IP.IsValid() {
		return a.IP.String()
	}
	return ""
}

// stickKey is the key of a rule whose condition holds.
func stickKey(s *runtime.Stream, r *runtime.StickRule, room *[16]byte) ([]byte, bool) {
	s.Ctx.Scratch.Reset()
	if r.Cond != nil && r.Cond.Eval(&s.Ctx) != acl.Pass {
		return nil, false
	}
	k, ok, _ := key(&s.Ctx, r.Key, r.Table, room)
	return k, ok
}

// match makes the server that an entry remembers that of the stream.
func match(s *runtime.Stream, t *table.Table, k []byte) {
	e, ok := t.Find(k)
	if !ok {
		return
	}
	name := e.ServerKey()
	id, _ := e.Get(table.ServerID, 0)
	e.Touch()
	e.Unlock()
	if s.Server != nil {
		return
	}
	srv := rememberedServer(s.Back, t, name, int(id))
	if srv != nil && (srv.Up() || s.Back.Options&runtime.OptPersist != 0 || s.ForcePersist) {
		s.Server, s.Direct = srv, true
	}
}

func rememberedServer(px *runtime.Proxy, t *table.Table, name string, id int) *runtime.Server {
	if name != "" {
		for _, srv := range px.AllServers() {
			if serverKey(t, srv) == name {
				return srv
			}
		}
	}
	for _, srv := range px.AllServers() {
		if srv.ID == id {
			return srv
		}
	}
	return nil
}

// storing tells whether a rule has asked to store something in a table already: the first one wins.
func storing(stored []runtime.Stored, t *table.Table) bool {
	for i := range stored {
		if stored[i].Table == t {
			return true
		}
	}
	return false
}

// reserve notes what is to be stored, if there is room.
func reserve(s *runtime.Stream, t *table.Table, k []byte) {
	n := len(s.Stored)
	if n == mostStored || !t.Reserve() {
		return
	}
	if n == cap(s.Stored) {
		s.Stored = append(s.Stored, runtime.Stored{})
	} else {
		s.Stored = s.Stored[:n+1] // the memory of its last key is used again
	}
	s.Stored[n].Table, s.Stored[n].Key = t, append(s.Stored[n].Key[:0], k...)
}

// At are the points where the rules are evaluated.
const (
	AtRequest  = sample.SetServer
	AtResponse = sample.StickStore
)
