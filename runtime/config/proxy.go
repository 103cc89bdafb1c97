package config

import (
	"fmt"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// defaultOwnConns is what max-session-srv-conns is when nothing is said.
const defaultOwnConns = 5

// stateSource is where a backend loads the states of its servers from.
type stateSource uint8

const (
	stateUnset stateSource = iota
	stateNone
	stateGlobal
	stateLocal
)

// proxyKeywords are the plain settings of proxies.
func proxyKeywords() []Keyword {
	const (
		fe = runtime.CapFront
		be = runtime.CapBack
	)
	return []Keyword{
		onProxy("mode", "4.2", "what the proxy speaks", []keyword.Arg{{Name: "mode", Type: keyword.Enum, Enum: []string{"tcp", "http", "log", "spop", "haterm"}, Missing: []string{"log", "haterm"}}}, mode),
		onProxy("id", "4.2", "the number of the proxy", arg("number", keyword.Int), proxyID),
		onProxy("guid", "4.2", "the unique identifier of the proxy", arg("identifier", keyword.Str), proxyGUID),
		onProxy("description", "4.2", "text about the proxy", arg("text", keyword.Str), func(l *Loader, line *ast.Line) {
			if l.InDefaults() {
				l.AlertTight(line.Pos, "'%s' not allowed in 'defaults' section.", line.Arg(0))
				return
			}
			if line.Arg(1) == "" {
				l.AbortTight(line.Pos, "'%s' expects a string argument.", line.Arg(0))
				return
			}
			l.Proxy.Desc = strings.Join(line.Texts(nil, 1), " ")
		}),
		onProxy("disabled", "4.2", "do not start the proxy", nil, func(l *Loader, line *ast.Line) {
			if !l.TooMany(line, 1, 0) {
				l.Proxy.Disabled = true
			}
		}),
		onProxy("enabled", "4.2", "start the proxy though its defaults say no", nil, func(l *Loader, line *ast.Line) {
			if !l.TooMany(line, 1, 0) {
				l.Proxy.Disabled = false
			}
		}),
		proxyInt("maxconn", "most client connections of the proxy", fe, " Maybe you want 'fullconn' instead ?", "expects an integer argument.", func(px *runtime.Proxy) *int { return &px.MaxConn }),
		proxyInt("backlog", "connections that wait to be accepted", fe, "", "expects an integer argument.", func(px *runtime.Proxy) *int { return &px.Backlog }),
		proxyInt("fullconn", "load at which servers reach their maxconn", be, " Maybe you want 'maxconn' instead ?", "expects an integer argument.", func(px *runtime.Proxy) *int { return &px.FullConn }),
		onProxy("http-send-name-header", "4.2", "a header that tells servers their names", arg("header", keyword.Str), sendName),
		onProxy("max-session-srv-conns", "4.2", "idle server connections that a client keeps for itself", arg("number", keyword.Int), func(l *Loader, line *ast.Line) {
			l.IgnoredWithout(fe, line.Pos, line.Arg(0), "")
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects a number. Got no argument", line.Arg(0))
				return
			}
			l.Proxy.MaxOwnConns = atol(line.Arg(1)) // what follows is not looked at
		}),
		onProxy("retries", "4.2", "how often a connection to a server is tried again", arg("number", keyword.Int), func(l *Loader, line *ast.Line) {
			l.IgnoredWithout(be, line.Pos, line.Arg(0), "")
			switch {
			case l.TooMany(line, 1, 1):
			case line.Arg(1) == "":
				l.Alert(line.Pos, "'%s' expects an integer argument (dispatch counts for one).", line.Arg(0))
			default:
				l.Proxy.Retries = atol(line.Arg(1))
			}
		}),
		onProxy("retry-on", "4.2", "after which failures a request is sent again", []keyword.Arg{{Name: "event", Type: keyword.Opaque, Many: true}}, reporting(retryOn)),
		onProxy("rate-limit", "4.2", "a limit per second", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'%s' only supports 'sessions' (got '%s')", line.Arg(0), line.Arg(1))
		}),
		onProxy("rate-limit sessions", "4.2", "most new sessions per second", arg("number", keyword.Int), reporting(rateLimit)),
		onProxy("max-keep-alive-queue", "4.2", "longest queue of a server that a kept connection still waits in", arg("number", keyword.Int), reporting(maxKeepAliveQueue)),
		onProxy("http-reuse", "4.2", "which idle server connections may be used again", []keyword.Arg{{Name: "mode", Type: keyword.Enum, Enum: []string{"never", "safe", "aggressive", "always"}}}, httpReuse),
		onProxy("monitor-uri", "4.2", "a URI that is answered without a server", arg("uri", keyword.Str), func(l *Loader, line *ast.Line) {
			l.IgnoredWithout(fe, line.Pos, line.Arg(0), "")
			switch {
			case l.TooMany(line, 1, 1):
			case line.Arg(1) == "":
				l.Alert(line.Pos, "'%s' expects an URI.", line.Arg(0))
			default:
				l.Proxy.MonitorURI = line.Arg(1)
			}
		}),
		onProxy("monitor", "4.2", "when the monitoring URI reports a failure", []keyword.Arg{{Name: "fail", Type: keyword.Flag}, {Name: "condition", Type: keyword.Condition}}, monitor),
		onProxy("default_backend", "4.2", "where requests go that no rule sends elsewhere", arg("backend", keyword.Backend), func(l *Loader, line *ast.Line) {
			l.IgnoredWithout(fe, line.Pos, line.Arg(0), "")
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects a backend name.", line.Arg(0))
				return
			}
			l.Proxy.DefaultName = line.Arg(1)
			l.TooMany(line, 1, 1)
		}),
		onProxy("source", "4.2", "the local address of connections to servers", []keyword.Arg{{Name: "address", Type: keyword.Addr}, {Name: "interface", Type: keyword.Str, Joined: true, Opt: true}}, source),
		onProxy("load-server-state-from-file", "4.2", "where the states of servers are loaded from", []keyword.Arg{{Name: "from", Type: keyword.Enum, Enum: []string{"global", "local", "none"}}}, loadState),
		onProxy("server-state-file-name", "4.2", "the file with the states of this backend's servers", []keyword.Arg{{Name: "path", Type: keyword.File, Opt: true}}, func(l *Loader, line *ast.Line) {
			l.IgnoredWithout(be, line.Pos, line.Arg(0), "")
			if l.TooMany(line, 1, 1) {
				return
			}
			st := l.state(l.Proxy)
			if st.stateFile = line.Arg(1); st.stateFile == "" || st.stateFile == "use-backend-name" {
				st.stateFile = l.Proxy.Name
			}
		}),
		keepaliveCount("clitcpka-cnt", fe, 0), keepaliveCount("srvtcpka-cnt", be, 1),
		keepaliveTime("clitcpka-idle", fe, func(px *runtime.Proxy) *time.Duration { return &px.Keepalive[0].Idle }),
		keepaliveTime("srvtcpka-idle", be, func(px *runtime.Proxy) *time.Duration { return &px.Keepalive[1].Idle }),
		keepaliveTime("clitcpka-intvl", fe, func(px *runtime.Proxy) *time.Duration { return &px.Keepalive[0].Interval }),
		keepaliveTime("srvtcpka-intvl", be, func(px *runtime.Proxy) *time.Duration { return &px.Keepalive[1].Interval }),
		uniqueIDFormat(),
		onProxy("unique-id-header", "4.2", "the request header that carries the unique id", arg("name", keyword.Header), func(l *Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "%s expects an argument.", line.Arg(0))
				return
			}
			l.Proxy.UniqueIDHeader = line.Arg(1)
		}),
	}
}

func mode(l *Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	px, word := l.Proxy, line.Arg(1)
	m := runtime.ModeTCP
	switch word {
	case "tcp":
	case "http":
		m = runtime.ModeHTTP
	case "log", "spop":
		m = runtime.ModeSyslog
		if word == "spop" {
			m = runtime.ModeSPOP
		}
		if px.Caps&runtime.CapBack == 0 {
			l.Alert(line.Pos, "mode %s is only applicable on proxies with backend capability.", modeName(m))
			return
		}
	case "haterm":
		if px.Caps&runtime.CapFront == 0 {
			l.Alert(line.Pos, "mode haterm is only applicable on proxies with frontend capability.")
			return
		}
		m = runtime.ModeHTTP
		l.Missing(line.Pos, "mode haterm")
	case "health":
		l.Alert(line.Pos, "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.")
		return
	default:
		l.Alert(line.Pos, "unknown proxy mode '%s'.", word)
		return
	}
	px.Mode = m
	l.state(px).modeSaid = true
}

func proxyID(l *Loader, line *ast.Line) {
	if l.InDefaults() {
		l.AlertTight(line.Pos, "'%s' not allowed in 'defaults' section.", line.Arg(0))
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	if line.Arg(1) == "" {
		l.AlertTight(line.Pos, "'%s' expects an integer argument.", line.Arg(0))
		return
	}
	px := l.Proxy
	px.ID = atol(line.Arg(1))
	px.ForcedID = true
	if px.ID <= 0 {
		l.AlertTight(line.Pos, "custom id has to be > 0.")
		return
	}
	for _, other := range l.Config.Proxies {
		if other != px && other.ID == px.ID {
			l.AlertTight(line.Pos, "%s %s reuses same custom id as %s %s (declared at %s:%d).",
				px.Kind, px.Name, other.Kind, other.Name, other.Pos.File, other.Pos.Line)
			return
		}
	}
}

// retryStatuses are the answers that retry-on may name.
var retryStatuses = []int{401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504}

func retryOn(l *Loader, line *ast.Line) error {
	word := line.Arg(0)
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' needs at least one keyword to specify when to retry", word)
	}
	if l.Proxy.Caps&runtime.CapBack == 0 {
		return fmt.Errorf("'%s' only available in backend or listen section", word)
	}
	on := runtime.RetryOn{Set: true, Status: map[int]bool{}}
	defer func() { l.Proxy.RetryOn = on }()
next:
	for i := 1; line.Arg(i) != ""; i++ {
		switch event := line.Arg(i); event {
		case "conn-failure":
			on.ConnFailure = true
		case "empty-response":
			on.EmptyResponse = true
		case "response-timeout":
			on.ResponseTimeout = true
		case "junk-response":
			on.JunkResponse = true
		case "0rtt-rejected":
			on.Early = true
		case "all-retryable-errors":
			on.ConnFailure, on.EmptyResponse, on.ResponseTimeout, on.Early, on.JunkResponse = true, true, true, true, true
			for _, status := range []int{500, 502, 503, 504} {
				on.Status[status] = true
			}
		case "none":
			if i != 1 || line.Arg(2) != "" {
				return fmt.Errorf("'%s' 'none' keyword only usable alone", word)
			}
		default:
			for _, status := range retryStatuses {
				if event == fmt.Sprint(status) {
					on.Status[status] = true
					continue next
				}
			}
			return fmt.Errorf("'%s': unknown keyword '%s'", word, event)
		}
	}
	return nil
}

func rateLimit(l *Loader, line *ast.Line) error {
	px, what := l.Proxy, "rate-limit sessions"
	if line.Arg(2) == "" {
		return fmt.Errorf("'%s' expects expects an integer value (in sessions/second)", what)
	}
	n, rest := strtol(line.Arg(2), 0)
	if rest != "" {
		return fmt.Errorf("'%s' : unexpected character '%c' in integer value '%s'", what, rest[0], line.Arg(2))
	}
	var result error
	if px.Caps&runtime.CapFront == 0 {
		result = Warning(fmt.Sprintf("%s will be ignored because %s '%s' has no frontend capability", what, px.Kind, px.Name))
	} else if base := l.defaults.current; base != nil && px.RateLimit != base.RateLimit {
		result = Warning(fmt.Sprintf("overwriting %s which was already specified", what))
	}
	px.RateLimit = int(n)
	return result
}

// sendName is "http-send-name-header <header>".
func sendName(l *Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	switch name := strings.ToLower(line.Arg(1)); name {
	case "":
		l.Alert(line.Pos, "'%s' requires a header string.", line.Arg(0))
	case "host", "content-length", "transfer-encoding", "connection":
		l.Alert(line.Pos, "'%s' cannot be used as header name for '%s' directive.", line.Arg(1), line.Arg(0))
	default:
		l.Proxy.SendName = name
	}
}

func maxKeepAliveQueue(l *Loader, line *ast.Line) error {
	px, word := l.Proxy, line.Arg(0)
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects expects an integer value (or -1 to disable)", word)
	}
	n, rest := strtol(line.Arg(1), 0)
	if rest != "" {
		return fmt.Errorf("'%s' : unexpected character '%c' in integer value '%s'", word, rest[0], line.Arg(1))
	}
	px.MaxKeepAliveQueue = int(n)
	return sideless(px, runtime.CapBack, word)
}

// sideless is the warning about a setting that has no meaning on this side.
func sideless(px *runtime.Proxy, caps runtime.Cap, word string) error {
	if px.Caps&caps != 0 {
		return nil
	}
	side := "frontend"
	if caps == runtime.CapBack {
		side = "backend"
	}
	return Warning(fmt.Sprintf("%s will be ignored because %s '%s' has no %s capability", word, px.Kind, px.Name, side))
}

func keepaliveCount(word string, caps runtime.Cap, side int) Keyword {
	return onProxy(word, "4.2", "TCP keep-alive probes before a connection is dead", arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
		if line.Arg(1) == "" {
			return fmt.Errorf("'%s' expects an integer value", word)
		}
		n, rest := strtol(line.Arg(1), 0)
		if rest != "" {
			return fmt.Errorf("'%s' : unexpected character '%c' in integer value '%s'", word, rest[0], line.Arg(1))
		}
		l.Proxy.Keepalive[side].Count = int(n)
		return sideless(l.Proxy, caps, word)
	}))
}

func keepaliveTime(word string, caps runtime.Cap, target func(*runtime.Proxy) *time.Duration) Keyword {
	return onProxy(word, "4.2", "time before or between TCP keep-alive probes", arg("time", keyword.Time), reporting(func(l *Loader, line *ast.Line) error {
		if line.Arg(1) == "" {
			return fmt.Errorf("'%s' expects an integer value", word)
		}
		d, fault := l.Time(line.Arg(1), time.Second)
		if fault != nil {
			return timeError(fault, line.Arg(1), word, fmt.Sprintf("unexpected character '%c' in argument to <%s>.\n", fault.Char, word))
		}
		*target(l.Proxy) = d
		return sideless(l.Proxy, caps, word)
	}))
}

func httpReuse(l *Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	modes := map[string]runtime.Reuse{"never": runtime.ReuseNever, "safe": runtime.ReuseSafe, "aggressive": runtime.ReuseAggressive, "always": runtime.ReuseAlways}
	m, ok := modes[line.Arg(1)]
	if !ok {
		l.Alert(line.Pos, "'%s' only supports 'never', 'safe', 'aggressive', 'always'.", line.Arg(0))
		return
	}
	l.Proxy.Reuse = m
	l.TooMany(line, 2, 0)
}

func loadState(l *Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	from := map[string]stateSource{"global": stateGlobal, "local": stateLocal, "none": stateNone}[line.Arg(1)]
	if from == stateUnset {
		l.Alert(line.Pos, "'%s' expects 'global', 'local' or 'none'. Got '%s'", line.Arg(0), line.Arg(1))
		return
	}
	l.state(l.Proxy).state = from
}

// monitor reads `monitor fail { if | unless } <condition>`.
func monitor(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapFront, line.Pos, line.Arg(0), "")
	if line.Arg(1) != "fail" {
		l.Alert(line.Pos, "'%s' only supports 'fail'.", line.Arg(0))
		return
	}
	w := NewWords(line, 2)
	if !w.AtCond() {
		l.Alert(line.Pos, "'monitor fail' requires either 'if' or 'unless' followed by a condition.")
		return
	}
	l.warnMisplaced(line.Pos, atMonitor, "monitor fail")
	cond, err := l.Cond(&w)
	if err != nil {
		l.Alert(line.Pos, "error detected while parsing a 'monitor fail' condition : %s.", err)
		return
	}
	l.Proxy.Monitor = append(l.Proxy.Monitor, cond)
}

// source reads `source <address> [interface <name>] [usesrc ...]` of a proxy.
func source(l *Loader, line *ast.Line) {
	word := line.Arg(0)
	l.IgnoredWithout(runtime.CapBack, line.Pos, word, "")
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'source' expects <addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>.")
		return
	}
	a, err := l.Address(line.Arg(1), AddrResolve|AddrPort|AddrStream|AddrConnect, "")
	if err != nil {
		l.Alert(line.Pos, "'%s %s' : %s", word, line.Arg(1), err)
		return
	}
	src := &runtime.SourceAddr{Addr: a.Addr, PortLow: a.Low, PortHigh: a.High}
	l.Proxy.Source = src
	w := NewWords(line, 2)
	for !w.Done() {
		switch w.Take() {
		case "usesrc":
			if w.Done() {
				l.Alert(line.Pos, "'usesrc' expects <addr>[:<port>], 'client', or 'clientip' as argument.")
				return
			}
			if err := l.useSource(src, w.Take()); err != nil {
				l.Alert(line.Pos, "%s", err)
				return
			}
		case "interface":
			l.Config.Global.NeedsNetAdmin = true
			if src.Interface = w.Take(); src.Interface == "" {
				l.Alert(line.Pos, "'%s' : missing interface name.", word)
				return
			}
		default:
			l.Alert(line.Pos, "'%s' only supports optional keywords 'interface' and 'usesrc'.", word)
			return
		}
	}
}

// uniqueIDFormat compiles its format when the whole configuration is known.
func uniqueIDFormat() Keyword {
	return onProxy("unique-id-format", "4.2", "how the unique id of a request is made", arg("format", keyword.LogFormat), func(l *Loader, line *ast.Line) {
		switch {
		case line.Arg(1) == "":
			l.Alert(line.Pos, "%s expects an argument.", line.Arg(0))
		case line.Arg(2) != "":
			l.Alert(line.Pos, "%s expects only one argument, don't forget to escape spaces!", line.Arg(0))
		default:
			l.Proxy.UniqueIDFormat = runtime.LineFormat{Text: line.Arg(1), File: line.Pos.File, Line: line.Pos.Line}
		}
	})
}

// switching rows send requests to backends and servers.
func switchingKeywords() []Keyword {
	return []Keyword{
		onProxy("force-be-switch", "4.2", "choose backends that are disabled or not published", []keyword.Arg{{Name: "condition", Type: keyword.Condition}}, reporting(forceSwitch)),
		onProxy("use_backend", "4.2", "where requests go under a condition", []keyword.Arg{{Name: "backend", Type: keyword.Backend}, {Name: "condition", Type: keyword.Condition, Opt: true}}, useBackend),
		onProxy("use-server", "4.2", "which server requests go to under a condition", []keyword.Arg{{Name: "server", Type: keyword.Server}, {Name: "condition", Type: keyword.Condition}}, useServer),
		onProxy("acl", "7.1", "a named test", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "test", Type: keyword.Opaque, Many: true}}, namedACL),
	}
}

// forceSwitch reads `force-be-switch {if|unless} <condition>`.
func forceSwitch(l *Loader, line *ast.Line) error {
	word := line.Arg(0)
	w := NewWords(line, 1)
	switch {
	case l.InDefaults():
		return fmt.Errorf("'%s' not allowed in 'defaults' section.", word)
	case l.Proxy.Caps&runtime.CapFront == 0:
		return fmt.Errorf("'%s' only available in frontend or listen section.", word)
	case !w.AtCond():
		return fmt.Errorf("'%s' requires either 'if' or 'unless' followed by a condition.", word)
	}
	cond, err := l.Cond(&w)
	if err != nil {
		return fmt.Errorf("'%s' : %w.", word, err)
	}
	if text := cond.Warning(sample.FrontReqContent); text != "" {
		return fmt.Errorf("'%s' : %s.", word, text)
	}
	l.Proxy.ForceSwitch = append(l.Proxy.ForceSwitch, cond)
	return nil
}

func useBackend(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapFront, line.Pos, line.Arg(0), "")
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects a backend name.", line.Arg(0))
		return
	}
	rule := &runtime.SwitchRule{Name: line.Arg(1), Pos: line.Pos}
	w := NewWords(line, 2)
	if w.AtCond() {
		cond, err := l.Cond(&w)
		if err != nil {
			l.Alert(line.Pos, "error detected while parsing switching rule : %s.", err)
			return
		}
		l.WarnConflict(line.Pos, cond, sample.SetBackend)
		rule.Cond = cond
	} else if !w.Done() {
		l.Alert(line.Pos, "unexpected keyword '%s' after switching rule, only 'if' and 'unless' are allowed.", w.Peek())
		return
	}
	l.Proxy.Switching = append(l.Proxy.Switching, rule)
}

func useServer(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects a server name.", line.Arg(0))
		return
	}
	w := NewWords(line, 2)
	if !w.AtCond() {
		l.Alert(line.Pos, "'%s' requires either 'if' or 'unless' followed by a condition.", line.Arg(0))
		return
	}
	cond, err := l.Cond(&w)
	if err != nil {
		l.Alert(line.Pos, "error detected while parsing switching rule : %s.", err)
		return
	}
	l.WarnConflict(line.Pos, cond, sample.SetServer)
	l.Proxy.ServerRules = append(l.Proxy.ServerRules, &runtime.ServerRule{Cond: cond, Name: line.Arg(1), Pos: line.Pos})
}

func namedACL(l *Loader, line *ast.Line) {
	if l.RefusedInAnonymous(line.Pos, line.Arg(0)) {
		return
	}
	name := line.Arg(1)
	if c, bad := invalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in acl name '%s'.", c, name)
		return
	}
	if strings.EqualFold(name, "or") {
		l.Alert(line.Pos, "acl name '%s' will never match. 'or' is used to express a logical disjunction within a condition.", name)
		return
	}
	l.For(sample.InACL)
	if _, err := l.acls.ACL(l.Proxy.ACLs, name, line.Texts(nil, 2)); err != nil {
		l.Alert(line.Pos, "error detected while parsing ACL '%s' : %s.", name, err)
	}
}
