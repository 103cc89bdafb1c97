package main

import (
	"errors"
	"net"
	"strings"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/config"
	"hapax/runtime/lua"
	"hapax/runtime/process"
	"hapax/stats"
	"hapax/stats/cli"
	"hapax/stats/command"
)

// services are what processes offer besides traffic.
func services() process.Services {
	return process.Services{Table: commandTable, Pages: statsPages, Preload: stats.Preload, Control: control, Socket: masterSocket, Greeting: greeting}
}

// statsPages makes the service of the statistics pages.
func statsPages(cfg *runtime.Config, checks *check.Checks) runtime.StatsService {
	return stats.Page(cfg, checks)
}

// commandTable is every command of the command sockets, with those of the process itself.
func commandTable(more []cli.Command) (*cli.Table, error) {
	sets := [][]cli.Command{command.Commands(), more}
	for _, d := range domains() {
		sets = append(sets, d.Commands)
	}
	return command.Assemble(sets...)
}

// control makes the server of command sockets. Section 3.1 "stats socket".
func control(c process.Controlled, table *cli.Table, sockets map[net.Listener]*runtime.Listener) *cli.Server {
	p := &command.Process{Config: c.Config, StartLog: c.StartLog, Link: c.Link}
	if c.Env != nil {
		p.Env = c.Env.Entries
	}
	if c.Engine != nil {
		p.Listeners, p.Streams = c.Engine.Control(), c.Engine.Streams()
	}
	if c.Checks != nil {
		p.Servers = c.Checks
	}
	if c.Engine != nil {
		lua.Attach(c.Config, &lua.Host{
			Checks: c.Checks, Listeners: c.Engine.Control(), Run: func(line string) string { return p.Run(table, line) },
			Fields: func(object any) []lua.Field { return stats.ScriptFields(c.Config, object) },
		})
	}
	return command.NewServer(p, table, sockets)
}

// masterSocket reads an address and bind options as -S has them: a "stats socket"
// line with commas for spaces, whose level is admin.
func masterSocket(text string) (*runtime.Listener, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' })
	if len(words) == 0 {
		return nil, errors.New("an address is expected")
	}
	quote := func(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
	line := "stats socket " + quote(words[0]) + " level admin"
	for _, word := range words[1:] {
		line += " " + quote(word)
	}
	tables, err := config.NewTables(domains())
	if err != nil {
		return nil, err
	}
	var list diag.List
	file := parser.Parse("master-socket", "global\n"+line+"\n")
	cfg, ok := config.Load(tables, []*ast.File{file}, parser.NewEnv(nil), &list, config.Options{})
	if !ok {
		for _, d := range list.All() {
			if _, text, found := strings.Cut(d.Text, "'stats socket' : "); found {
				return nil, errors.New(text)
			}
		}
		return nil, errors.New(list.String())
	}
	return cfg.Global.StatsSocks[0], nil
}
