// Package peers holds the sections that name the processes which exchange stick tables: it reads them, connects to the
// peers and takes their connections. What is said on these is package peers/exchange.
//
// All of a section lives on one of the loops: its sessions, its timer, and the order in which changes of its tables are
// told. So there is no lock.
package peers

import (
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
)

// Domain holds the keywords of peers sections.
var Domain = config.Domain{
	Name:     "peers",
	Commands: commands(),
	Sections: []config.Section{{
		Doc: keyword.Doc{Name: "peers", Ref: "11.2", Summary: "processes that exchange stick tables", Args: []keyword.Arg{{Name: "name", Type: keyword.Name}},
			Examples: []keyword.Example{{Config: example("")}}},
		Kind: config.Peers, Start: start,
	}},
	Keywords: []config.Keyword{
		row("bind", "the address where peers connect", "bind 127.0.0.1:10000\n server me", addressed, bind),
		row("default-bind", "options of the bind line", "default-bind v4v6", options, func(l *config.Loader, line *ast.Line) {
			s := current(l)
			l.BindOptions(s.proxy, line, 1, s.bindOf(l, line), nil)
		}),
		row("server", "a peer", "server other 127.0.0.1:10001", optional, peer),
		row("default-server", "options of the server lines", "default-server verify none", options, func(l *config.Loader, line *ast.Line) {
			s := current(l)
			s.begun = true
			l.DefaultServerLine(s.proxy, line)
		}),
		row("peer", "a peer", "peer me 127.0.0.1:10000\n peer other 127.0.0.1:10001", named, peer),
		log(),
		row("shards", "over how many kinds of peers entries are spread", "shards 2", []keyword.Arg{{Name: "number", Type: keyword.Int}}, shards),
		row("table", "a stick table that all peers have", "table t type ip size 10k store gpc0", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "arguments", Type: keyword.Opaque, Many: true, Doc: "as of stick-table"}}, table),
		row("disabled", "exchange nothing", "disabled", nil, func(l *config.Loader, line *ast.Line) { current(l).disabled = true }),
		row("enabled", "exchange stick tables", "enabled", nil, func(l *config.Loader, line *ast.Line) { current(l).disabled = false }),
		{Doc: keyword.Doc{Name: "tune.peers.max-updates-at-once", Ref: "3.2", Summary: "changes of stick tables that a peer is told of at once",
			Args: []keyword.Arg{{Name: "number", Type: keyword.Int, Default: "200"}}, Examples: []keyword.Example{{Config: "global\n tune.peers.max-updates-at-once 100\n"}}},
			In: config.Global, Parse: mostUpdates},
	},
	ServerWords: []config.ServerWord{{
		Doc: keyword.Doc{Name: "shard", Ref: "5.2", Summary: "the kind of entries that a peer is told of, 1 to the number of `shards`; 0: all", Args: []keyword.Arg{{Name: "number", Type: keyword.Int}},
			Examples: []keyword.Example{{Config: example("shards 2\n server me\n server other 127.0.0.1:10001 shard 1")}}},
		Parse: func(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
			srv.Shard = config.Atol(w.Take())
			return nil
		},
	}},
	CheckProxy: checkTable,
	Check:      check,
}

var (
	options   = []keyword.Arg{{Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}
	addressed = append([]keyword.Arg{{Name: "address", Type: keyword.Addr}}, options...)
	named     = append([]keyword.Arg{{Name: "name", Type: keyword.Name}}, addressed...)
	optional  = append([]keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr, Opt: true, Doc: "this process has none: that of the bind line is meant"}}, options...)
)

// example is a section with a line.
func example(line string) string {
	return "global\n localpeer me\npeers p\n " + line + "\nfrontend f\n bind :80\n"
}

func row(name, summary, line string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "11.2", Summary: summary, Args: args, Examples: []keyword.Example{{Config: example(line)}}},
		In: config.Peers, Parse: parse}
}

func log() config.Keyword {
	k := row("log", "where is logged what happens to peers that connect", "log 127.0.0.1:514 local0", []keyword.Arg{{Name: "target", Type: keyword.Opaque, Many: true}}, func(l *config.Loader, line *ast.Line) {
		s := current(l)
		s.begun, s.frontPos = true, line.Pos
		logger.ReadTarget(l, line, s.proxy)
	})
	k.No = true
	return k
}
