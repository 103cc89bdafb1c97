package config

import (
	"fmt"
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

// NewBackend is what "add backend" says.
type NewBackend struct {
	Name     string
	Defaults string // the name of a defaults section
	Mode     string // tcp or http; "": that of the defaults section
	GUID     string // "": none
}

// CheckBackendName tells what is wrong with the name of a backend that is to be added; ""
// is nothing.
func CheckBackendName(name string) string {
	if name == "" {
		return "Require backend name."
	}
	if b, bad := invalidChar(name); bad {
		return fmt.Sprintf("Invalid character '%c' in backend name.", b)
	}
	return ""
}

// MakeBackend makes a backend that inherits all from a defaults section, ready to be
// joined to the running configuration; nil when that cannot be, with what was said. It is
// called by one goroutine at a time. Section 9.3 of the management guide, "add backend".
func MakeBackend(cfg *runtime.Config, want NewBackend) (px *runtime.Proxy, said string) {
	l := cfg.Loader.(*Loader)
	base := l.defaults.byName[want.Defaults]
	switch {
	case base == nil:
		return nil, fmt.Sprintf("Cannot find default proxy '%s'.", want.Defaults)
	case want.Mode == "" && !l.state(base).modeSaid:
		return nil, fmt.Sprintf("Mode is required as '%s' default proxy does not explicitly defines it.", want.Defaults)
	case base.Mode != runtime.ModeTCP && base.Mode != runtime.ModeHTTP:
		return nil, fmt.Sprintf("Dynamic backends only support TCP or HTTP mode, whereas default proxy '%s' uses 'mode %s'.", want.Defaults, modeName(base.Mode))
	}
	const failed = "Error during backend creation"
	other := cfg.Proxy(want.Name)
	if other == nil {
		other = l.defaults.byName[want.Name]
	}
	if other != nil {
		return nil, fmt.Sprintf("%s : name is already used by other proxy '%s %s'.", failed, other.Kind, want.Name)
	}
	list := &diag.List{}
	l.List, l.pos, l.missing = list, ast.Pos{}, nil
	px = l.newProxy(want.Name, runtime.CapBack, "backend", ast.Pos{}, base)
	px.Dynamic = true
	if want.Mode == "tcp" {
		px.Mode = runtime.ModeTCP
	} else if want.Mode == "http" {
		px.Mode = runtime.ModeHTTP
	}
	if want.GUID != "" {
		if err := l.identify(want.GUID, px); err != nil {
			return nil, failed + " : GUID insertion : " + err.Error() + "."
		}
		px.GUID = want.GUID
	}
	if text := l.referDefaults(px, base); text != "" {
		delete(l.guids, want.GUID)
		return nil, failed + " : " + text + "."
	}
	l.finalize(px)
	for _, d := range list.All() {
		said += d.Text + "\n"
	}
	delete(l.states, px)
	if list.Fatal() > 0 {
		delete(l.guids, want.GUID)
		return nil, said + failed + "."
	}
	px.ID = l.nextProxy(cfg)
	l.byName[px.Name] = px
	return px, said
}

// nextProxy is the smallest number that no proxy has, from the one on that was given last.
func (l *Loader) nextProxy(cfg *runtime.Config) int {
	taken := map[int]bool{}
	for _, px := range cfg.AllProxies() {
		taken[px.ID] = true
	}
	for taken[l.nextID] {
		l.nextID++
	}
	return l.nextID
}

// ForgetBackend forgets the name of a backend that was deleted.
func ForgetBackend(cfg *runtime.Config, px *runtime.Proxy) {
	l := cfg.Loader.(*Loader)
	delete(l.byName, px.Name)
	delete(l.guids, px.GUID)
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
	if !l.serverWords(&w, srv, say, false) || !l.finishServer(srv, say) {
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
