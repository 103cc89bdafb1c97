package stats

import (
	"strings"

	"hapax/runtime"
)

// Selection says which lines are wanted. The zero Selection wants all.
type Selection struct {
	Bound   bool // the three filters hold
	Proxy   int  // number of the proxy; -1: any
	Types   int  // bits by value of the column "type"
	ID      int  // number of the server or listener; -1: any
	NoMaint bool // without servers in maintenance
	Up      bool // without servers that are down and not coming back

	Only  func(*runtime.Proxy) bool // which proxies; nil: all
	Scope string                    // part of the proxy's name, in any case; "": all
}

func (s *Selection) proxy(px *runtime.Proxy) bool {
	switch {
	case px.Disabled || px.ID <= 0 || px.Caps&runtime.CapListen == 0 || px.Mode == runtime.ModeCLI:
		return false
	case s.Only != nil && !s.Only(px):
		return false
	case s.Scope != "" && !strings.Contains(strings.ToLower(px.Name), strings.ToLower(s.Scope)):
		return false
	}
	return !s.Bound || s.Proxy == -1 || s.Proxy == px.ID
}

func (s *Selection) kind(o Objects) bool { return !s.Bound || s.Types&(1<<objectTypes[o]) != 0 }

func (s *Selection) server(srv *runtime.Server) bool {
	switch {
	case s.Bound && s.ID != -1 && s.ID != srv.ID:
		return false
	case s.NoMaint && srv.AdminState.Load()&uint32(runtime.Maint) != 0:
		return false
	}
	return !s.Up || !hiddenByUp(srv)
}

func (s *Selection) listener(l *runtime.Listener) bool {
	return l.Stats != nil && (!s.Bound || s.ID == -1 || s.ID == l.ID)
}

// Scan walks over the lines of a configuration: for each proxy its frontend, its listeners, its servers, its backend.
// It holds only its place, so that a dump may pause between any two lines.
type Scan struct {
	Config  *runtime.Config
	Select  Selection
	Legends bool

	proxies []*runtime.Proxy  // when the walk began
	proxy   int               // index
	part    int               // frontend, listeners, servers, backend
	item    int               // index of the listener or server
	servers []*runtime.Server // of the proxy when its servers began
}

// Next puts the next line in r and tells whether there was one.
func (s *Scan) Next(r *Row) bool {
	if s.proxies == nil {
		s.proxies = s.Config.AllProxies()
	}
	for ; s.proxy < len(s.proxies); s.proxy, s.part, s.item = s.proxy+1, 0, 0 {
		px := s.proxies[s.proxy]
		if !s.Select.proxy(px) {
			continue
		}
		*r = Row{Proxy: px, Legends: s.Legends, Counts: s.Select.NoMaint || s.Select.Up}
		r.at(s.Config)
		if s.next(px, r) {
			return true
		}
	}
	return false
}

// next finds the next line of one proxy.
func (s *Scan) next(px *runtime.Proxy, r *Row) bool {
	if s.part == 0 {
		s.part = 1
		if px.Caps&runtime.CapFront != 0 && s.Select.kind(Frontend) {
			r.On = Frontend
			return true
		}
	}
	if s.part == 1 {
		for s.Select.kind(Listener) && s.item < len(px.Listeners) {
			l := px.Listeners[s.item]
			s.item++
			if s.Select.listener(l) {
				r.On, r.Listener = Listener, l
				return true
			}
		}
		s.part, s.item, s.servers = 2, 0, px.AllServers()
	}
	if s.part == 2 {
		for s.Select.kind(Server) && s.item < len(s.servers) {
			srv := s.servers[s.item]
			s.item++
			if s.Select.server(srv) {
				r.On, r.Server = Server, srv
				return true
			}
		}
		s.part = 3
	}
	if s.part == 3 {
		s.part = 4
		if px.Caps&runtime.CapBack != 0 && s.Select.kind(Backend) {
			r.On = Backend
			return true
		}
	}
	return false
}
