// Package sticktable holds the tables that remember what was seen of clients, the rules
// that keep clients on their servers by them, and the counters that track entries. They
// are read and checked; nothing is remembered.
package sticktable

import (
	"fmt"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of stick tables.
var Domain = config.Domain{
	Name: "stick-table",
	Keywords: []config.Keyword{
		config.MissingRow(config.Proxies, "stick-table", "11.1", "a table of what was seen of clients", tableArgs, stickTable),
		config.MissingRow(config.Proxies, "stick", "4.2", "persistence by a stick table", []keyword.Arg{
			{Name: "when", Type: keyword.Enum, Enum: []string{"on", "match", "store", "store-request", "store-response"}},
			{Name: "key", Type: keyword.Sample},
			{Name: "table", Type: keyword.StickTable, Joined: true, Opt: true},
			{Name: "condition", Type: keyword.Condition, Opt: true}}, stick),
	},
	Actions:  actions,
	Check:    checkTables,
	Commands: commands(),
}

func stickTable(l *config.Loader, line *ast.Line) {
	if l.InDefaults() {
		l.Alert(line.Pos, "'stick-table' is not supported in 'defaults' section.")
		return
	}
	px := l.Proxy
	t := Declare(l, line, 1, px.Name, px.Name, fmt.Sprintf("%s '%s'", capability(px), px.Name), false)
	if t == nil || t.peers == "" {
		return
	}
	l.Later(func() {
		if !l.Known(config.Peers, t.peers) {
			l.List.Alertf(line.Pos, "Proxy '%s': unable to find sync peers '%s'.", px.Name, t.peers)
		}
	})
}

// capability is what messages about tables call the kind of a proxy.
func capability(px *runtime.Proxy) string {
	switch px.Caps {
	case runtime.CapListen:
		return "proxy"
	case runtime.CapFront:
		return "frontend"
	}
	return "backend"
}

// stick reads `stick on|match|store-request|store-response <expression> [table <name>] [condition]`.
func stick(l *config.Loader, line *ast.Line) {
	word := line.Arg(0)
	if l.InDefaults() {
		l.Alert(line.Pos, "'%s' not allowed in 'defaults' section.", word)
		return
	}
	if l.IgnoredWithout(runtime.CapBack, line.Pos, word, "") {
		return
	}
	response := false
	switch line.Arg(1) {
	case "store", "store-request", "match", "on":
	case "store-response":
		response = true
	default:
		l.Alert(line.Pos, "'%s' expects 'on', 'match', or 'store'.", word)
		return
	}
	if line.Arg(2) == "" {
		l.Alert(line.Pos, "'%s' expects a fetch method.", word)
		return
	}
	at, when := sample.SetServer, "during request"
	if response {
		at, when = sample.StickStore, "for 'store-response'"
	}
	w := config.NewWords(line, 2)
	l.For(sample.InStick)
	e, err := l.Expr(&w)
	if err != nil {
		l.Alert(line.Pos, "'%s': %s", word, err)
		return
	}
	if e.ValidAt()&at == 0 {
		l.Alert(line.Pos, "'%s': fetch method '%s' extracts information from '%s', none of which is available %s.", word, e.Fetch.Name, e.From(), when)
		return
	}
	table := ""
	if w.TakeIf("table") {
		table = w.Take()
	}
	var cond *acl.Cond
	if w.AtCond() {
		if cond, err = l.Cond(&w); err != nil {
			l.Alert(line.Pos, "'%s': error detected while parsing sticking condition : %s.", word, err)
			return
		}
	} else if !w.Done() {
		l.Alert(line.Pos, "'%s': unknown keyword '%s'.", word, w.Peek())
		return
	}
	l.WarnConflict(line.Pos, cond, at)
	px, pos := l.Proxy, line.Pos
	l.Later(func() { resolveStick(l, px, pos, e, table) })
}

func resolveStick(l *config.Loader, px *runtime.Proxy, pos ast.Pos, e *sample.Expr, name string) {
	if name == "" {
		name = px.Name
	}
	t, ok := l.Table(name).(*Table)
	switch {
	case !ok:
		l.List.Alertf(pos, "Proxy '%s': unable to find stick-table '%s'.", px.Name, name)
	case !t.Accepts(e):
		l.List.Alertf(pos, "Proxy '%s': type of fetch not usable with type of stick-table '%s'.", px.Name, name)
	}
}

// checkTables looks for the tables that others are written to: those of peers sections
// first.
func checkTables(l *config.Loader) {
	var ofProxies []*Table
	for _, name := range l.TableNames() {
		t, ok := l.Table(name).(*Table)
		switch {
		case !ok || t.writeTo == "":
		case !t.ofPeers:
			ofProxies = append(ofProxies, t)
		default:
			if err := t.checkTarget(l); err != nil {
				l.List.Alertf(t.Pos, "Parsing [%s:%d]: failed to initialize '%s' stick-table: %s.", t.Pos.File, t.Pos.Line, t.Name, err)
			}
		}
	}
	for _, t := range ofProxies {
		if err := t.checkTarget(l); err != nil {
			l.List.Alertf(t.Pos, "Proxy '%s': failed to initialize stick-table: %s.", t.Name, err)
		}
	}
}

func (t *Table) checkTarget(l *config.Loader) error {
	to, ok := l.Table(t.writeTo).(*Table)
	switch {
	case !ok:
		return fmt.Errorf("write-to: table '%s' doesn't exist", t.writeTo)
	case to.writeTo != "":
		return fmt.Errorf("write-to: table '%s' is already used as a source table", to.Name)
	case to.Type != t.Type:
		return fmt.Errorf("write-to: cannot mix table types ('%s' has '%s' type and '%s' has '%s' type)", to.Name, to.typeName(), t.Name, t.typeName())
	case to.keySize != t.keySize:
		return fmt.Errorf("write-to: cannot mix key sizes ('%s' has '%d' key_size and '%s' has '%d' key_size)", to.Name, to.keySize, t.Name, t.keySize)
	}
	return nil
}

func (t *Table) typeName() string {
	for _, k := range keyTypes {
		if k.t == t.Type {
			return k.name
		}
	}
	return ""
}
