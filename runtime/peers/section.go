package peers

import (
	"fmt"
	"time"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable"
)

// sections is what is known of all sections while a configuration is read.
type sections struct {
	all         []*section
	current     *section
	shards      int // of the last line that gave a number, whatever its section
	mostUpdates int // "tune.peers.max-updates-at-once"; 0: the default
}

// section is one as it is read.
type section struct {
	name          string
	proxy         *runtime.Proxy // has the peers as servers, and the listener
	begun         bool           // there is a line that asks for more than tables of this process
	bound, listed bool           // a bind line, a peer line
	boundAt       int            // peers in front of the bind line
	boundPos      ast.Pos
	disabled      bool
	localNamed    bool
	frontPos      ast.Pos // of the last line that is about this process
	shards        int
}

// nameless is how messages call the servers' proxy until the local peer gives it a name.
const nameless = "(null)"

func current(l *config.Loader) *section { return config.State[sections](l).current }

func start(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		l.List.Stop()
		return
	}
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	l.KnowFirst(config.Peers, line)
	all := config.State[sections](l)
	px := &runtime.Proxy{Name: nameless, Kind: "proxy", Caps: runtime.CapListen, Pos: line.Pos}
	px.Timeout = runtime.Timeouts{Connect: connectWithin, Client: silence, Server: silence}
	all.current = &section{name: name, proxy: px}
	all.all = append(all.all, all.current)
}

// Time limits of connections.
const (
	connectWithin = time.Second
	silence       = 5 * time.Second // nothing comes: heartbeats come more often
)

const mixed = `mixing "peer" and "bind" line is forbidden`

// bindOf is the one bind line of the section, whose options several lines give.
func (s *section) bindOf(l *config.Loader, line *ast.Line) *runtime.Bind {
	s.begun, s.frontPos = true, line.Pos
	if len(s.proxy.Binds) > 0 {
		return s.proxy.Binds[0]
	}
	return l.NewBind(s.proxy, line.Pos)
}

func bind(l *config.Loader, line *ast.Line) {
	s := current(l)
	b := s.bindOf(l, line)
	if s.listed {
		l.Alert(line.Pos, mixed)
		return
	}
	listeners, ok := s.listen(l, line, b, 1)
	if !ok {
		return
	}
	if len(s.proxy.Listeners) > 1 {
		l.Alert(line.Pos, "Only one listener per \"peers\" section is authorized. Multiple listening addresses or port range are not supported.")
		return
	}
	s.bound, s.boundAt, s.boundPos = true, len(s.proxy.Servers), line.Pos
	l.BindOptions(s.proxy, line, 2, b, listeners)
}

// listen makes the listener of an address.
func (s *section) listen(l *config.Loader, line *ast.Line, b *runtime.Bind, at int) ([]*runtime.Listener, bool) {
	if len(s.proxy.Listeners) > 0 {
		l.Alert(line.Pos, "One listener per \"peers\" section is authorized but another is already configured at [%s:%d].", b.Pos.File, b.Pos.Line)
	}
	return l.BindAddress(s.proxy, line, b, at)
}

// peer reads `peer <name> <address>` and `server <name> [<address>] [options]`.
func peer(l *config.Loader, line *ast.Line) {
	s, name := current(l), line.Arg(1)
	isPeer, local := line.Arg(0) == "peer", name == l.Config.Global.Localpeer
	if isPeer {
		if s.bound {
			l.Alert(line.Pos, mixed)
			return
		}
		s.listed = true
	}
	s.begun = true
	if local && s.localNamed {
		l.Alert(line.Pos, "'%s %s' : local peer name already referenced at %s:%d. %s", line.Arg(0), name, s.frontPos.File, s.frontPos.Line, name)
		return
	}
	if local {
		s.localNamed, s.frontPos = true, line.Pos
		s.proxy.Name = name
	}
	if !(local && !isPeer) && line.Arg(2) == "" || !l.PeerLine(s.proxy, line, local && !isPeer) {
		if isPeer {
			l.Warn(line.Pos, "'%s %s' : ignoring invalid peer definition (missing address:port)", line.Arg(0), name)
		} else {
			l.List.Diagf(line.Pos, "parsing [%s:%d] : '%s %s' : ignoring server (not a local peer, valid address:port is expected)", line.Pos.File, line.Pos.Line, line.Arg(0), name)
		}
		if local {
			s.localNamed = false
			s.proxy.Name = nameless
		}
		return
	}
	srv := s.proxy.Servers[len(s.proxy.Servers)-1]
	if srv.SendProxy != 0 {
		l.List.Warnf(line.Pos, "[%s:%d] : 'send-proxy*' server option is unsupported there, ignoring it", line.Pos.File, line.Pos.Line)
		srv.SendProxy = 0
	}
	if most := config.State[sections](l).shards; most != 0 && srv.Shard > most {
		l.Warn(line.Pos, "'%s %s' : %d peer shard greater value than %d shards value is ignored.", line.Arg(0), name, srv.Shard, most)
		srv.Shard = 0
	}
	if len(srv.InitAddr) > 0 || srv.Resolvers != "" || srv.CheckOn || srv.Agent.On {
		l.Warn(line.Pos, "'%s %s' : init_addr, resolvers, check and agent are ignored for peers.", line.Arg(0), name)
		srv.CheckOn, srv.Agent.On, srv.Resolvers = false, false, ""
	}
	if local && isPeer {
		s.listen(l, line, s.bindOf(l, line), 2)
	}
}

func shards(l *config.Loader, line *ast.Line) {
	value := line.Arg(1)
	if value == "" {
		l.Alert(line.Pos, "'%s' : missing value", line.Arg(0))
		return
	}
	n, rest := config.Strtol(value, 10)
	switch {
	case rest != "":
		l.Alert(line.Pos, "'%s' : expects an integer argument, found '%s'", line.Arg(0), value)
	case int32(n) == 0:
		l.Alert(line.Pos, "'%s' : expects a strictly positive integer argument", line.Arg(0))
	default:
		current(l).shards, config.State[sections](l).shards = int(int32(n)), int(int32(n))
	}
}

func table(l *config.Loader, line *ast.Line) {
	s := current(l)
	s.begun = true
	name := line.Arg(1)
	if d := sticktable.Declare(l, line, 2, s.name+"/"+name, name, fmt.Sprintf("peers '%s'", s.name), nil); d != nil {
		d.Peers, d.WireName = s.name, "/"+name
	}
}

func mostUpdates(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	n := config.Atol(line.Arg(1))
	if n < 1 || n > 1<<31-1 {
		l.Report(line.Pos, fmt.Errorf("'%s' expects an integer argument greater than 0.", line.Arg(0)))
		return
	}
	config.State[sections](l).mostUpdates = n
}
