package config

import (
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// MakeServer reads the words behind "add server <backend>/": the name, the address and
// the options of a "server" line. It gives the server, ready to be joined to the backend
// and to all who deal with servers; nil when something is wrong with the words, and what
// was said about them. It is called by one goroutine at a time.
// Section 9.3 of the management guide, "add server".
func MakeServer(px *runtime.Proxy, cfg *runtime.Config, words []string) (*runtime.Server, string) {
	l := cfg.Loader.(*Loader)
	list := &diag.List{}
	l.List, l.Proxy, l.pos, l.missing = list, px, ast.Pos{}, nil
	srv := l.dynamicServer(px, words)
	l.Samples.Take()
	for _, u := range l.missing {
		list.Alertf(ast.Pos{}, "'%s' is known to HAProxy but not supported by hapax yet", u.what)
	}
	var said []string
	for _, d := range list.All() {
		said = append(said, d.Text)
	}
	text := strings.Join(said, "\n")
	if text != "" {
		return nil, text
	}
	return srv, ""
}

func (l *Loader) dynamicServer(px *runtime.Proxy, words []string) *runtime.Server {
	line := &ast.Line{}
	for _, word := range append([]string{"server"}, words...) {
		line.Words = append(line.Words, ast.Word{Text: word})
	}
	say := &serverSpeaker{l: l}
	if !checkServerName(line, say, false) {
		return nil
	}
	srv := newServer(px, ast.Pos{})
	srv.Name, srv.Dynamic = line.Arg(1), true
	a, err := l.Address(line.Arg(2), serverAddr, "")
	if err != nil {
		say.alert("%s", err)
		return nil
	}
	l.placeServer(srv, &a)
	w := NewWords(line, 3)
	if !l.serverWords(&w, srv, say, false) || !finishServer(srv, say) {
		return nil
	}
	if l.checkProto(px, srv); l.List.Fatal() > 0 {
		return nil
	}
	fitMinConn(srv)
	for _, d := range l.Tables.Domains {
		if d.FinishServer != nil {
			d.FinishServer(l, srv)
		}
		if d.CheckServer != nil {
			d.CheckServer(l, srv)
		}
		if l.List.Fatal() > 0 {
			return nil
		}
	}
	l.track(px, srv)
	if srv.ID == 0 {
		srv.ID = freeID(px)
	}
	return srv
}

// LeaveServer tells all domains that a server was deleted.
func LeaveServer(cfg *runtime.Config, srv *runtime.Server) {
	l := cfg.Loader.(*Loader)
	delete(l.guids, srv.GUID)
	for _, d := range l.Tables.Domains {
		if d.LeaveServer != nil {
			d.LeaveServer(cfg, srv)
		}
	}
}

// freeID is the smallest number that no server of the backend has.
func freeID(px *runtime.Proxy) int {
	taken := map[int]bool{}
	for _, srv := range px.AllServers() {
		taken[srv.ID] = true
	}
	id := 1
	for taken[id] {
		id++
	}
	return id
}

// DynamicWords are the options of a "server" line that "add server" takes.
func DynamicWords(cfg *runtime.Config) []string {
	table := cfg.Loader.(*Loader).Tables.ServerWords
	var words []string
	for _, known := range knownServerWords {
		if row := table.Get(known.name); known.inDynamic && row != nil && row.Status != keyword.Missing {
			words = append(words, known.name)
		}
	}
	return words
}
