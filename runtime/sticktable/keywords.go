// Package sticktable holds what rules, expressions and commands do with stick tables: they track clients by them, count
// in them and keep clients on their servers. The entries themselves are those of package sticktable/table.
//
// What is counted when, as the reference does it:
//
//	session accepted         tcp-request connection and session rules track for the whole connection: conn_cnt, conn_cur,
//	                         conn_rate; then sess_cnt and sess_rate of what they track
//	request received         http_req_* of what the session or tcp-request content rules track
//	http-request track-sc    conn_* and one more http_req_*, for the rest of the request
//	request refused          http_err_*: deny, tarpit, auth; requests that are no HTTP, for what the session tracks
//	response received        http_err_* and http_fail_* by its status (http-err-codes, http-fail-codes)
//	server failed            http_fail_*: 502 and 504 that are made here
//	end of the stream        bytes_*, then conn_cur is given back
//
// A stream looks at its own tracker of a number first, then at its session's: a rule that finds either does nothing.
// Looking at an entry (fetches, converters) leaves its life as it is; all else touches it.
//
// "stick" rules keep the number and the name of the server. A request's rules reserve the place of the entry that they
// are to store, so that a full table makes room then; it is made when the server has answered.
package sticktable

import (
	"fmt"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable/table"
)

// Domain holds the keywords of stick tables.
var Domain = config.Domain{
	Name: "stick-table",
	Keywords: []config.Keyword{
		{Doc: keyword.Doc{Name: "stick-table", Ref: "11.1", Summary: "a table of what was seen of clients", Args: tableArgs, Examples: []keyword.Example{{Config: declaration}}},
			In: config.Proxies, Parse: stickTable},
		{Doc: keyword.Doc{Name: "stick", Ref: "4.2", Summary: "persistence by a stick table", Args: []keyword.Arg{
			{Name: "when", Type: keyword.Enum, Enum: []string{"on", "match", "store", "store-request", "store-response"}},
			{Name: "key", Type: keyword.Sample},
			{Name: "table", Type: keyword.StickTable, Joined: true, Opt: true},
			{Name: "condition", Type: keyword.Condition, Opt: true}}, Examples: []keyword.Example{{Config: "backend b\n  stick-table type ip size 10k expire 1h\n  stick on src\n  server s 127.0.0.1:80\n"}}},
			In: config.Proxies, Parse: stick},
		statuses("http-err-codes", "statuses that stick tables count as errors", "+500-503", func(g *runtime.Global) *runtime.Statuses { return &g.ErrCodes }),
		statuses("http-fail-codes", "statuses that stick tables count as failures", "-502", func(g *runtime.Global) *runtime.Statuses { return &g.FailCodes }),
		{Doc: keyword.Doc{Name: "tune.stick-counters", Ref: "3.2", Summary: "how many entries a connection and each of its requests may track",
			Args:     []keyword.Arg{{Name: "number", Type: keyword.Int, Default: "3", Doc: "0-100"}},
			Examples: []keyword.Example{{Config: "global\n  tune.stick-counters 5\n"}}},
			In: config.Global, Parse: stickCounters},
	},
	Actions:    actions,
	Fetches:    fetches(),
	Converters: converters(),
	Check:      checkTables,
	Commands:   commands(),
}

// declaration is the example of a table that all examples of rows may use.
const declaration = "backend seen\n  stick-table type ip size 10k expire 1h store conn_cnt,http_req_rate(10s),gpc(2),gpt(2)\n"

func stickTable(l *config.Loader, line *ast.Line) {
	if l.InDefaults() {
		l.Alert(line.Pos, "'stick-table' is not supported in 'defaults' section.")
		return
	}
	px := l.Proxy
	Declare(l, line, 1, px.Name, px.Name, fmt.Sprintf("%s '%s'", capability(px), px.Name), px)
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
	var rule runtime.StickRule
	switch line.Arg(1) {
	case "on":
		rule.Match, rule.Store = true, true
	case "match":
		rule.Match = true
	case "store", "store-request":
		rule.Store = true
	case "store-response":
		response, rule.Store = true, true
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
	name := ""
	if w.TakeIf("table") {
		name = w.Take()
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
	rule.Key, rule.Cond = e, cond
	px, pos := l.Proxy, line.Pos
	l.Later(func() {
		if rule.Table = resolveStick(l, px, pos, e, name); rule.Table == nil {
			return
		}
		if response {
			px.StickRes = append(px.StickRes, rule)
		} else {
			px.StickReq = append(px.StickReq, rule)
			l.WarnRawInHTTP(px, cond)
		}
	})
}

// resolveStick finds the table of a rule, which keeps servers from then on.
func resolveStick(l *config.Loader, px *runtime.Proxy, pos ast.Pos, e *sample.Expr, name string) *table.Table {
	if name == "" {
		name = px.Name
	}
	t := l.Table(name)
	switch {
	case t == nil:
		l.List.Alertf(pos, "Proxy '%s': unable to find stick-table '%s'.", px.Name, name)
		return nil
	case !Accepts(t, e):
		l.List.Alertf(pos, "Proxy '%s': type of fetch not usable with type of stick-table '%s'.", px.Name, name)
		return nil
	}
	t.Store(table.ServerID, 1, 0)
	t.Store(table.ServerKey, 1, 0)
	return t
}

// checkTables looks for the tables that others are written to: those of peers sections
// first.
func checkTables(l *config.Loader) {
	all := config.State[declarations](l).all
	for _, d := range all {
		if err := d.checkTarget(l); err != nil && d.Of == nil {
			l.List.Alertf(d.Pos, "Parsing [%s:%d]: failed to initialize '%s' stick-table: %s.", d.Pos.File, d.Pos.Line, d.Name, err)
		}
	}
	for _, d := range all {
		if err := d.checkTarget(l); err != nil && d.Of != nil {
			l.List.Alertf(d.Pos, "Proxy '%s': failed to initialize stick-table: %s.", d.Name, err)
		}
	}
}

func (d *Declared) checkTarget(l *config.Loader) error {
	if d.writeTo == "" {
		return nil
	}
	to := declared(l, d.writeTo)
	switch {
	case to == nil:
		return fmt.Errorf("write-to: table '%s' doesn't exist", d.writeTo)
	case to != d && to.writeTo != "":
		return fmt.Errorf("write-to: table '%s' is already used as a source table", to.Name)
	case to.Type != d.Type:
		return fmt.Errorf("write-to: cannot mix table types ('%s' has '%s' type and '%s' has '%s' type)", to.Name, TypeName(to.Table), d.Name, TypeName(d.Table))
	case to.KeySize != d.KeySize:
		return fmt.Errorf("write-to: cannot mix key sizes ('%s' has '%d' key_size and '%s' has '%d' key_size)", to.Name, to.KeySize, d.Name, d.KeySize)
	}
	d.WriteTo = to.Table
	return nil
}

func stickCounters(l *config.Loader, line *ast.Line) {
	word, value := line.Arg(0), line.Arg(1)
	n, rest := config.Strtol(value, 10)
	switch {
	case rest != "":
		l.Report(line.Pos, fmt.Errorf("%s: '%s' is an invalid number", word, value))
	case int32(n) < 0 || int32(n) > 100:
		l.Report(line.Pos, fmt.Errorf("%s: the number of stick-counters must be between 1 and 100 (was %d)", word, int32(n)))
	default:
		l.Config.Global.Tune.StickCounters = int(n)
	}
}

// statuses is the row of a set of HTTP statuses.
func statuses(name, summary, example string, set func(*runtime.Global) *runtime.Statuses) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "3.1", Summary: summary,
			Args:     []keyword.Arg{{Name: "range", Type: keyword.Opaque, Many: true, Doc: "`[+-]{low[-{high}]}[,...]`: added, taken out, or in the place of the others"}},
			Examples: []keyword.Example{{Config: "global\n  " + name + " " + example + "\n"}}},
		In: config.Global,
		Parse: func(l *config.Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Report(line.Pos, fmt.Errorf("Missing status codes range for '%s'.", name))
				return
			}
			for i := 1; line.Arg(i) != ""; i++ {
				if err := readStatuses(set(&l.Config.Global), line.Arg(i), name); err != nil {
					l.Report(line.Pos, err)
					return
				}
			}
		},
	}
}

// readStatuses reads a list of ranges. Without a sign each of them takes the place of all before it.
func readStatuses(set *runtime.Statuses, list, word string) error {
	at, op := 0, byte(0)
	if list[0] == '+' || list[0] == '-' {
		at, op = 1, list[0]
	}
	number := func() (n int, ok bool) {
		start := at
		for ; at < len(list) && list[at]-'0' <= 9; at++ {
			n = min(n*10+int(list[at]-'0'), 1000)
		}
		return n, at > start
	}
	for {
		low, ok := number()
		high := low
		if ok && at < len(list) && list[at] == '-' {
			at++
			high, ok = number()
		}
		switch {
		case !ok || at < len(list) && list[at] != ',':
			return fmt.Errorf("Invalid status codes range '%s' in '%s' at position %d. Ranges must be in the form [+-]{low[-{high}]}[,...].", list, word, at)
		case high < low || low < 100 || high > 599:
			return fmt.Errorf("Invalid status codes range '%s' in '%s'.\n Codes must be between 100 and 599 and ranges in ascending order.", list, word)
		}
		if op == 0 {
			*set = runtime.Statuses{}
		}
		set.Put(low, high, op != '-')
		if at == len(list) {
			return nil
		}
		at++
	}
}
