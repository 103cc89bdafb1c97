package peers

import (
	"slices"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/peers/exchange"
	"hapax/runtime/sticktable"
)

// checkTable looks for the section that a proxy's table names.
func checkTable(l *config.Loader, px *runtime.Proxy) {
	for _, d := range sticktable.All(l) {
		if d.Of != px || d.Peers == "" {
			continue
		}
		switch s := config.State[sections](l).find(d.Peers); {
		case s == nil:
			l.List.Alertf(d.Pos, "Proxy '%s': unable to find sync peers '%s'.", px.Name, d.Peers)
		case !s.disabled && !s.begun:
			l.List.Alertf(d.Pos, "Proxy '%s': unable to find local peer '%s' in peers section '%s'.", px.Name, l.Config.Global.Localpeer, s.name)
		}
	}
}

// find gives the section of a name, nil when there is none.
func (all *sections) find(name string) *section {
	for _, s := range all.all {
		if s.name == name {
			return s
		}
	}
	return nil
}

// check completes the sections, the last one first, and leaves out those in which this process has no name.
func check(l *config.Loader) {
	all := config.State[sections](l)
	for _, s := range slices.Backward(all.all) {
		switch {
		case s.disabled:
		case s.proxy.Name == nameless:
			l.List.Warnf(ast.Pos{}, "Removing incomplete section 'peers %s' (no peer named '%s').", s.name, l.Config.Global.Localpeer)
		default:
			s.checkNames(l)
			l.FinishServers(s.proxy)
			s.checkTLS(l)
			s.checkShards(l)
			s.proxy.MaxConn = 3 * len(s.proxy.Servers)
			s.proxy.Peers = s.assemble(l, all.mostUpdates)
			l.Config.Peers = append(l.Config.Peers, s.proxy)
		}
	}
}

// checkNames refuses two peers of one name, the last one first.
func (s *section) checkNames(l *config.Loader) {
	peers := s.proxy.Servers
	for i := len(peers) - 1; i >= 0; i-- {
		for j := len(peers) - 1; j > i; j-- {
			if a, b := peers[i], peers[j]; a.Name == b.Name {
				l.List.Alertf(a.Pos, "Peer section '%s' [%s:%d]: another peer named '%s' was already defined at line %s:%d, please use distinct names.",
					s.proxy.Name, a.Pos.File, a.Pos.Line, b.Name, b.Pos.File, b.Pos.Line)
				break
			}
		}
	}
}

// local is the server line of this process.
func (s *section) local(l *config.Loader) *runtime.Server {
	for _, srv := range s.proxy.Servers {
		if srv.Name == l.Config.Global.Localpeer {
			return srv
		}
	}
	return nil
}

// checkTLS warns of a section whose own process could not connect to itself.
func (s *section) checkTLS(l *config.Loader) {
	srv := s.local(l)
	if len(s.proxy.Binds) == 0 || srv == nil {
		return
	}
	pos := srv.Pos
	if s.bound && s.boundPos.Line < pos.Line {
		pos = s.boundPos
	}
	with, _ := s.proxy.Binds[0].SSL.(interface{ Encrypts() bool })
	switch here, there := with != nil && with.Encrypts(), srv.TLS != nil; {
	case there && !here:
		l.List.Warnf(pos, "Peers section '%s': local peer have a non-SSL listener and a SSL server configured at line %s:%d.", s.proxy.Name, pos.File, pos.Line)
	case here && !there:
		l.List.Warnf(pos, "Peers section '%s': local peer have a SSL listener and a non-SSL server configured at line %s:%d.", s.proxy.Name, pos.File, pos.Line)
	}
}

// checkShards leaves out what has no meaning, the last peer first.
func (s *section) checkShards(l *config.Loader) {
	for _, srv := range slices.Backward(s.proxy.Servers) {
		switch {
		case srv.Shard == 0:
		case srv.Name == l.Config.Global.Localpeer:
			l.List.Warnf(srv.Pos, "Peers section '%s': shard ignored for '%s' local peer", s.name, srv.Name)
			srv.Shard = 0
		case srv.Shard > s.shards:
			l.List.Warnf(srv.Pos, "Peers section '%s': shard ignored for '%s' local peer because %d shard value is greater than the section number of shards (%d)", s.name, srv.Name, srv.Shard, s.shards)
			srv.Shard = 0
		}
	}
}

// assemble makes the section as it runs, and its tables known to it: those that are declared in it first.
func (s *section) assemble(l *config.Loader, mostUpdates int) *Section {
	g := &l.Config.Global
	run := &Section{name: s.name, config: l.Config, proxy: s.proxy, servers: map[*exchange.Peer]*runtime.Server{}}
	run.group = exchange.Group{Name: s.name, Local: g.Localpeer, Largest: g.Tune.BufSize, MostUpdates: 200,
		Active: &l.Config.Stats.ActivePeers, Connected: &l.Config.Stats.ConnectedPeers}
	if mostUpdates > 0 {
		run.group.MostUpdates = mostUpdates
	}
	for _, srv := range s.inOrder(g.Localpeer) {
		p := &exchange.Peer{Name: srv.Name, Local: srv.Name == g.Localpeer, Shard: srv.Shard}
		run.servers[p] = srv
		run.group.Join(p)
	}
	for _, d := range tablesOf(l, s.name) {
		d.Shards = s.shards
		d.Share(run.changed)
		run.group.Add(d.Table)
	}
	return run
}

// inOrder are the peers in the order of the file; a bind line counts as the place of this process.
func (s *section) inOrder(local string) []*runtime.Server {
	all := slices.Clone(s.proxy.Servers)
	i := slices.IndexFunc(all, func(srv *runtime.Server) bool { return srv.Name == local })
	if s.bound && s.boundAt < i {
		srv := all[i]
		all = slices.Insert(slices.Delete(all, i, i+1), s.boundAt, srv)
	}
	return all
}

// tablesOf are the tables of a section: those that are declared in it, the last one first, then those of proxies.
func tablesOf(l *config.Loader, section string) (all []*sticktable.Declared) {
	for _, d := range sticktable.All(l) {
		switch {
		case d.Peers != section || d.Of != nil && d.Of.Disabled:
		case d.Of == nil:
			all = slices.Insert(all, 0, d)
		default:
			all = append(all, d)
		}
	}
	return all
}
