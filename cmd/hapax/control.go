package main

import (
	"net"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/engine"
	"hapax/stats/cli"
	"hapax/stats/command"
)

// commandTable is every command of the stats socket.
func commandTable(domains []*config.Domain) (*cli.Table, error) {
	sets := [][]cli.Command{command.Commands()}
	for _, d := range domains {
		sets = append(sets, d.Commands)
	}
	return command.Assemble(sets...)
}

// bindStats opens the stats sockets. Section 3.1 "stats socket".
func bindStats(cfg *runtime.Config, list *diag.List, from engine.Inherited) bool {
	ok := true
	for _, ln := range cfg.Global.StatsSocks {
		ok = report(engine.Bind(ln, from), ln, list) && ok
	}
	return ok
}

// serveStats answers on the stats sockets, which are bound.
func serveStats(p *command.Process, table *cli.Table) (*cli.Server, error) {
	sockets := map[net.Listener]*runtime.Listener{}
	server := command.NewServer(p, table, sockets)
	for _, ln := range p.Config.Global.StatsSocks {
		l, err := net.FileListener(ln.Sock)
		if err != nil {
			return nil, err
		}
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false) // the path may be a newer process's by then
		}
		sockets[l] = ln
	}
	for l := range sockets {
		go server.Serve(l)
	}
	return server, nil
}
