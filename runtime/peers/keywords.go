// Package peers holds the sections that name the processes which exchange stick tables.
// They are read and checked; nothing is exchanged.
package peers

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/runtime/sticktable"
)

// Domain holds the keywords of peers sections.
var Domain = config.Domain{
	Name:     "peers",
	Commands: commands(),
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "peers", Ref: "11.2", Summary: "processes that exchange stick tables", Status: keyword.Missing},
		Kind: config.Peers, Dormant: true, Start: start,
	}},
	Keywords: []config.Keyword{
		row("bind", "the address where peers connect", addressed, bind),
		row("default-bind", "options of the bind line", options, func(l *config.Loader, line *ast.Line) {
			l.BindOptions(current(l).proxy, line, 1)
		}),
		row("server", "a peer", named, peer),
		row("default-server", "options of the server lines", options, func(l *config.Loader, line *ast.Line) {
			l.DefaultServerLine(current(l).proxy, line)
		}),
		row("peer", "a peer", named, peer),
		log(),
		row("shards", "over how many peers entries are spread", []keyword.Arg{{Name: "number", Type: keyword.Int}}, shards),
		row("table", "a stick table", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "arguments", Type: keyword.Opaque, Many: true, Doc: "as of stick-table"}}, table),
		row("disabled", "exchange nothing", nil, func(l *config.Loader, line *ast.Line) { current(l).disabled = true }),
		row("enabled", "exchange stick tables", nil, func(l *config.Loader, line *ast.Line) { current(l).disabled = false }),
	},
	Check: check,
}

var (
	options   = []keyword.Arg{{Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}
	addressed = append([]keyword.Arg{{Name: "address", Type: keyword.Addr}}, options...)
	named     = append([]keyword.Arg{{Name: "name", Type: keyword.Name}}, addressed...)
)

func row(name, summary string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.MissingRow(config.Peers, name, "11.2", summary, args, parse)
}

func log() config.Keyword {
	k := row("log", "where is logged what peers do", []keyword.Arg{{Name: "target", Type: keyword.Opaque, Many: true}}, func(l *config.Loader, line *ast.Line) {
		logger.ReadTarget(l, line, current(l).proxy)
	})
	k.No = true
	return k
}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	places  map[string]ast.Pos
	all     []*section
	current *section
	shards  int // of the last line that gave a number, whatever its section
}

type section struct {
	name          string
	proxy         *runtime.Proxy // has the peers as servers, and the listener
	bound, listed bool           // a bind line, a peer line
	disabled      bool
	local         bool // the peer that this process is
	localNamed    bool
	localPos      ast.Pos
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
	all := config.State[sections](l)
	if at, known := all.places[name]; known {
		l.Clash(line.Pos, false, "peers section '%s' has the same name as another peers section declared at %s:%d.", name, at.File, at.Line)
	}
	if all.places == nil {
		all.places = map[string]ast.Pos{}
	}
	all.places[name] = line.Pos
	all.current = &section{name: name, proxy: &runtime.Proxy{Name: nameless, Kind: "proxy", Caps: runtime.CapListen, Pos: line.Pos}}
	all.all = append(all.all, all.current)
	l.Know(config.Peers, name)
}

const mixed = `mixing "peer" and "bind" line is forbidden`

func bind(l *config.Loader, line *ast.Line) {
	s := current(l)
	if s.listed {
		l.Alert(line.Pos, mixed)
		return
	}
	if n := len(s.proxy.Binds); s.bound && n > 0 {
		at := s.proxy.Binds[n-1].Pos
		l.Alert(line.Pos, "One listener per \"peers\" section is authorized but another is already configured at [%s:%d].", at.File, at.Line)
	}
	if listeners := l.BindLine(s.proxy, line); len(listeners) > 1 {
		l.Alert(line.Pos, "Only one listener per \"peers\" section is authorized. Multiple listening addresses or port range are not supported.")
		return
	}
	s.bound, s.local = true, true
}

// peer reads `peer <name> <address>` and `server <name> [<address>] [options]`.
func peer(l *config.Loader, line *ast.Line) {
	s, name := current(l), line.Arg(1)
	isPeer, local := line.Arg(0) == "peer", name != "" && name == l.Config.Global.Localpeer
	if isPeer {
		if s.bound {
			l.Alert(line.Pos, mixed)
			return
		}
		s.listed = true
	}
	if local && s.localNamed {
		l.Alert(line.Pos, "'%s %s' : local peer name already referenced at %s:%d. %s", line.Arg(0), name, s.localPos.File, s.localPos.Line, name)
		return
	}
	if local {
		s.local, s.localNamed, s.localPos = true, true, line.Pos
		s.proxy.Name = name
	}
	if !(local && !isPeer) && line.Arg(2) == "" || !l.PeerLine(s.proxy, line, local && !isPeer) {
		if isPeer {
			l.Warn(line.Pos, "'%s %s' : ignoring invalid peer definition (missing address:port)", line.Arg(0), name)
		} else {
			l.List.Diagf(line.Pos, "parsing [%s:%d] : '%s %s' : ignoring server (not a local peer, valid address:port is expected)", line.Pos.File, line.Pos.Line, line.Arg(0), name)
		}
		if local {
			s.local, s.localNamed = false, false
			s.proxy.Name = nameless
		}
		return
	}
	srv := s.proxy.Servers[len(s.proxy.Servers)-1]
	if len(srv.InitAddr) > 0 || srv.CheckOn {
		l.Warn(line.Pos, "'%s %s' : init_addr, resolvers, check and agent are ignored for peers.", line.Arg(0), name)
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
		config.State[sections](l).shards = int(n)
	}
}

func table(l *config.Loader, line *ast.Line) {
	s := current(l)
	name := line.Arg(1)
	sticktable.Declare(l, line, 2, s.name+"/"+name, name, fmt.Sprintf("peers '%s'", s.name), true)
}

// check leaves out the sections in which this process has no name, the last one first.
func check(l *config.Loader) {
	all := config.State[sections](l).all
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		switch {
		case s.disabled:
		case s.proxy.Name == nameless:
			l.List.Warnf(ast.Pos{}, "Removing incomplete section 'peers %s' (no peer named '%s').", s.name, l.Config.Global.Localpeer)
		default:
			s.checkNames(l)
			if l.PeersUsed(s.name) {
				l.Awaken("section peers") // nothing is exchanged: who relies on it is told so
			}
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
