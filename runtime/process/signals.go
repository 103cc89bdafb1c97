package process

import (
	"cmp"
	"slices"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/logger"
)

// announce says something on standard error and in the logs of a proxy; nil: the global ones.
func (s *server) announce(level int, px *runtime.Proxy, text string) {
	s.say(diag.Warning, text)
	logger.Server(level, px, "%s", text)
}

// dumpServers tells the state of all servers (SIGHUP). Management guide, section 4.
func (s *server) dumpServers() {
	s.say(diag.Warning, "SIGHUP received, dumping servers states.")
	for _, px := range s.cfg.AllProxies() {
		logger.Server(logger.Notice, px, "SIGHUP received, dumping servers states for proxy %s.", px.Name)
		for _, srv := range px.AllServers() {
			state := "UP"
			if runtime.ServerState(srv.State.Load()) == runtime.ServerStopped {
				state = "DOWN"
			}
			var total uint64
			for i := range srv.Stats {
				total += srv.Stats[i].Sess.Load()
			}
			s.announce(logger.Notice, px, sprintf("SIGHUP: Server %s/%s is %s. Conn: %d act, %d pend, %d tot.",
				px.Name, srv.Name, state, srv.Current.Load(), srv.Queued.Load(), total))
		}
		s.announce(logger.Notice, px, "SIGHUP: Proxy "+px.Name+servers(px)+connections(px))
	}
}

// servers is what a proxy has to serve with.
func servers(px *runtime.Proxy) string {
	active, backup := 0, 0
	if px.Caps&runtime.CapBack != 0 {
		active, backup = balance.Counts(px)
	}
	switch {
	case len(px.AllServers()) == 0:
		return " has no servers."
	case active > 0:
		return sprintf(" has %d active servers and %d backup servers available.", active, backup)
	case backup > 0:
		return " is running on backup servers !"
	}
	return " has no server available !"
}

// connections is what a proxy has to do.
func connections(px *runtime.Proxy) string {
	own := px.Live.Queued.Load()
	waiting := own
	for _, srv := range px.AllServers() {
		waiting += srv.Queued.Load()
	}
	return sprintf(" Conn: act(FE+BE): %d+%d, %d pend (%d unass), tot(FE+BE): %d+%d.",
		px.Live.FrontConns.Load(), px.Live.BackConns.Load(), waiting, own, px.Accepted(), px.Served())
}

// pause stops accepting until resume (SIGTTOU).
func (s *server) pause() { s.hold(true, s.engine.Control().Pause) }

// resume accepts again (SIGTTIN).
func (s *server) resume() { s.hold(false, s.engine.Control().Resume) }

// hold pauses or resumes all frontends, that of the stats sockets too.
func (s *server) hold(on bool, change func(*runtime.Proxy) bool) {
	all := s.frontends()
	if socks := s.cfg.Global.StatsSocks; len(socks) > 0 {
		s.control.Hold(on)
		all = append([]*runtime.Proxy{socks[0].Proxy}, all...)
		byLastSocket(all)
	}
	for _, px := range all {
		change(px)
	}
}

// frontends are the proxies with listeners, in the order in which the reference is done with them.
func (s *server) frontends() (list []*runtime.Proxy) {
	for _, px := range s.cfg.AllProxies() {
		if !px.Disabled && len(px.Listeners) > 0 {
			list = append(list, px)
		}
	}
	byLastSocket(list)
	return list
}

// byLastSocket sorts frontends as the reference comes to the last of their sockets: it goes through them by the kind of
// their addresses.
func byLastSocket(list []*runtime.Proxy) {
	kinds := []runtime.Family{runtime.FamilyIPv6, runtime.FamilyIPv4, runtime.FamilyAbstractZ, runtime.FamilyAbstract, runtime.FamilyUnix}
	last := func(px *runtime.Proxy) (at int) {
		for _, ln := range px.Listeners {
			at = max(at, slices.Index(kinds, ln.Addr.Family))
		}
		return at
	}
	slices.SortStableFunc(list, func(a, b *runtime.Proxy) int { return cmp.Compare(last(a), last(b)) })
}

// backends are the proxies without listeners.
func (s *server) backends() (list []*runtime.Proxy) {
	for _, px := range s.cfg.AllProxies() {
		if !px.Disabled && len(px.Listeners) == 0 {
			list = append(list, px)
		}
	}
	return list
}
