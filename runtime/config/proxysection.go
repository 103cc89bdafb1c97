package config

import (
	"maps"
	"slices"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// proxyState is what only the loading needs to know of a proxy.
type proxyState struct {
	explicit, implicit bool        // a defaults section: how it was referred to
	modeSaid           bool        // a defaults section: "mode" stands in it
	previous           ast.Pos     // a defaults section: another one of this name stood there
	rules              bool        // a defaults section whose rules somebody inherited
	side               runtime.Cap // a defaults section: the side of a proxy that its rules are now for
	state              stateSource
	stateFile          string
	errors             []errorRule
	httpFormats        []formatUse
	unresolved         []sample.Unresolved
	dispatch           *runtime.Addr // nil: none is said
	transparent        bool
}

// formatUse is a log format with items that want HTTP mode.
type formatUse struct {
	pos   ast.Pos
	items []string
}

// defaultsState is what is known of defaults sections so far.
type defaultsState struct {
	last    *runtime.Proxy // what a proxy without "from" starts as; nil before the first
	all     []*runtime.Proxy
	byName  map[string]*runtime.Proxy
	current *runtime.Proxy // what the current proxy started as
}

func (l *Loader) state(px *runtime.Proxy) *proxyState {
	st := l.states[px]
	if st == nil {
		st = &proxyState{}
		l.states[px] = st
	}
	return st
}

// proxySections are the rows of the sections that make proxies.
func proxySections() []Section {
	return []Section{
		{Doc: doc("listen", "4", "a frontend and a backend in one"), Kind: Listen, Start: startProxy},
		{Doc: doc("frontend", "4", "sockets that accept connections, and rules for what comes in"), Kind: Frontend, Start: startProxy},
		{Doc: doc("backend", "4", "servers, and how they are chosen"), Kind: Backend, Start: startProxy},
		{Doc: doc("defaults", "4", "settings that the proxies behind it start with"), Kind: Defaults, Start: startProxy},
	}
}

// proxySectionNames are what a proxy's section starts with.
var proxySectionNames = []string{"listen", "frontend", "backend", "defaults"}

func doc(name, ref, summary string) keyword.Doc {
	return keyword.Doc{Name: name, Ref: ref, Summary: summary}
}

// capsOf tells what a section can do, and its kind as messages name it.
func capsOf(section string) (caps runtime.Cap, kind string) {
	switch section {
	case "listen":
		return runtime.CapListen, "proxy"
	case "frontend":
		return runtime.CapFront, "frontend"
	case "backend":
		return runtime.CapBack, "backend"
	}
	return runtime.CapDefaults | runtime.CapListen, "defaults"
}

// startProxy reads `frontend <name> [from <defaults>]` and its kin.
func startProxy(l *Loader, line *ast.Line) {
	section, name := line.Arg(0), line.Arg(1)
	caps, kind := capsOf(section)
	inDefaults := caps&runtime.CapDefaults != 0
	if !inDefaults && !l.checkProxyName(line, caps, kind) {
		return
	}
	if other := l.forward(name); other != nil {
		l.parsing(line.Pos, false, "%s '%s' has the same name as log forward section '%s' declared at %s:%d.",
			kind, name, other.Name, other.Pos.File, other.Pos.Line)
	}
	var previous ast.Pos
	if inDefaults {
		l.defaults.current, l.defaults.last = nil, nil
		if known := l.defaults.byName[name]; name != "" && known != nil {
			if l.state(known).explicit {
				l.parsing(line.Pos, true, "%s '%s' has the same name as another defaults section declared at"+
					" %s:%d which was explicitly referenced hence cannot be replaced. Please remove or"+
					" rename one of the offending defaults section.", kind, name, known.Pos.File, known.Pos.Line)
				return
			}
			previous = known.Pos
			delete(l.defaults.byName, name)
		}
	}
	other := l.named(name)
	if other == nil && !inDefaults {
		other = l.defaults.byName[name]
	}
	if other != nil {
		l.parsing(line.Pos, true, "%s '%s' has the same name as %s '%s' declared at %s:%d."+
			" This is no longer supported as of 3.3. Please rename one or the other.",
			kind, name, other.Kind, other.Name, other.Pos.File, other.Pos.Line)
		return
	}
	from := 2
	if inDefaults && name == "from" && line.Arg(2) != "" && line.Arg(3) == "" {
		from, name = 1, ""
	}
	if !inDefaults {
		if l.defaults.last == nil {
			l.defaults.last = l.newProxy("", runtime.CapDefaults|runtime.CapListen, "defaults", ast.Pos{}, nil)
		}
		l.defaults.current = l.defaults.last
	}
	if line.Arg(from) == "from" {
		if !l.inheritFrom(line, line.Arg(from+1), kind, name) {
			return
		}
	} else if l.defaults.current != nil {
		l.state(l.defaults.current).implicit = true
	}
	base := l.defaults.current
	if base != nil && l.state(base).explicit && l.state(base).implicit {
		l.Warn(line.Pos, "defaults section '%s' (declared at %s:%d) is explicitly referenced by another proxy and implicitly used here."+
			" To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used or always use explicit references.",
			base.Name, base.Pos.File, base.Pos.Line)
	}
	px := l.newProxy(name, caps, kind, line.Pos, base)
	l.state(px).previous = previous
	if base != nil {
		if text := l.referDefaults(px, base); text != "" {
			l.AbortTight(line.Pos, "%s.", text)
		}
	}
	l.Proxy = px
	if inDefaults {
		l.defaults.all = append(l.defaults.all, px)
		if l.defaults.byName == nil {
			l.defaults.byName = map[string]*runtime.Proxy{}
		}
		if name != "" {
			l.defaults.byName[name] = px
		}
		l.defaults.current, l.defaults.last = px, px
		return
	}
	l.byName[name] = px
	l.Config.Proxies = append(l.Config.Proxies, px)
}

// parsing adds an alert in the shape `Parsing [file:line]: text`.
func (l *Loader) parsing(pos ast.Pos, abort bool, format string, args ...any) {
	l.List.Add(parsingAlert(pos, abort, format, args...))
}

// checkProxyName looks at the header of a frontend, backend or listen section.
func (l *Loader) checkProxyName(line *ast.Line, caps runtime.Cap, kind string) bool {
	section, name := line.Arg(0), line.Arg(1)
	if name == "" {
		l.Abort(line.Pos, "'%s' expects an <id> argument", section)
		return false
	}
	extra := line.Arg(2) != "" && (line.Arg(3) == "" || line.Arg(2) != "from")
	// What is wrong with the name alone is printed and forgotten: the reference loses
	// it when it looks at the defaults section.
	say := l.Complain
	if extra || line.Arg(4) != "" {
		say = l.Alert
	}
	if c, bad := invalidChar(name); bad {
		say(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, section, name)
	}
	known := l.named(name)
	if known != nil && known.Caps&caps != 0 {
		l.parsing(line.Pos, false, "%s '%s' has the same name as %s '%s' declared at %s:%d.",
			kind, name, known.Kind, known.Name, known.Pos.File, known.Pos.Line)
	} else {
		known = nil
	}
	if extra || l.TooMany(line, 1, 3) {
		if caps&runtime.CapFront != 0 {
			l.Alert(line.Pos, "please use the 'bind' keyword for listening addresses.")
		}
		l.Proxy = known
		return false
	}
	return true
}

// inheritFrom finds the defaults section that "from" names.
func (l *Loader) inheritFrom(line *ast.Line, want, kind, name string) bool {
	base := l.defaults.byName[want]
	l.defaults.current = base
	if base == nil {
		l.Abort(line.Pos, "defaults section '%s' not found for %s '%s'.", want, kind, name)
		return false
	}
	st := l.state(base)
	if st.previous.IsValid() {
		l.Complain(line.Pos, "ambiguous defaults section name '%s' referenced by %s '%s' exists at least at %s:%d and %s:%d.",
			want, kind, name, base.Pos.File, base.Pos.Line, st.previous.File, st.previous.Line)
	}
	if c, bad := invalidChar(want); bad {
		l.Complain(line.Pos, "character '%c' is not permitted in defaults section name '%s' when designated by its name (section found at %s:%d).",
			c, want, base.Pos.File, base.Pos.Line)
	}
	st.explicit = true
	return true
}

// referDefaults decides whether a proxy may inherit the rules and captures of a
// defaults section. It returns why not.
func (l *Loader) referDefaults(px, base *runtime.Proxy) string {
	at := placeOf(base)
	if px.Caps&runtime.CapBack != 0 && len(base.Capture.Req)+len(base.Capture.Res) > 0 {
		return "backend or defaults sections cannot inherit from a defaults section defining captures (defaults section at " + at + ")"
	}
	if !hasRules(base) {
		return ""
	}
	st, side := l.state(base), px.Caps&runtime.CapListen
	switch {
	case px.Caps&runtime.CapDefaults != 0:
		return "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules (defaults section at " + at + ")"
	case side == runtime.CapListen:
		return "a listen section cannot inherit from a defaults section defining TCP/HTTP rules"
	case st.side != 0 && st.side != side:
		return "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules (defaults section at " + at + ")"
	case side == runtime.CapBack && len(base.TCPConn)+len(base.TCPSess) > 0:
		return "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-request session' rules (defaults section at " + at + ")"
	case side == runtime.CapFront && len(base.TCPRes) > 0:
		return "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules (defaults section at " + at + ")"
	}
	st.side = side
	px.Defaults = base
	return ""
}

func hasRules(px *runtime.Proxy) bool {
	return len(px.HTTPReq)+len(px.HTTPRes)+len(px.HTTPAfter)+len(px.TCPConn)+len(px.TCPSess)+len(px.TCPReq)+len(px.TCPRes) > 0
}

// connRetries is how often a connection is tried again when nothing is said.
const connRetries = 3

// newProxy makes a proxy as a copy of its defaults section, which may be nil.
func (l *Loader) newProxy(name string, caps runtime.Cap, kind string, pos ast.Pos, base *runtime.Proxy) *runtime.Proxy {
	px := &runtime.Proxy{
		Name: name, Kind: kind, Pos: pos, Caps: caps,
		MaxConn:           l.options.MaxConnPerProxy,
		Retries:           connRetries,
		RetryOn:           runtime.RetryOn{ConnFailure: true},
		MaxKeepAliveQueue: -1, MaxOwnConns: defaultOwnConns,
	}
	l.newACLs(px)
	if base == nil {
		return px
	}
	px.Disabled = base.Disabled
	px.Mode, px.Options, px.NoOptions, px.HTTP, px.Reuse = base.Mode, base.Options, base.NoOptions, base.HTTP, base.Reuse
	px.HeaderNames = base.HeaderNames
	px.RetryOn = base.RetryOn
	px.InspectReq, px.InspectRes = base.InspectReq, base.InspectRes
	px.ForwardedFor, px.OriginalTo, px.Forwarded = base.ForwardedFor, base.OriginalTo, base.Forwarded
	px.Stats = base.Stats
	px.Logs, px.LogGlobal, px.LogTag = slices.Clone(base.Logs), base.LogGlobal, base.LogTag
	px.UniqueIDFormat, px.UniqueIDHeader = base.UniqueIDFormat, base.UniqueIDHeader
	px.DefaultServer = base.DefaultServer
	if base.Ext != nil {
		px.Ext = maps.Clone(base.Ext)
	}
	t, b := &px.Timeout, &base.Timeout
	t.Tarpit, t.Request, t.KeepAlive = b.Tarpit, b.Request, b.KeepAlive
	if caps&runtime.CapFront != 0 {
		px.MaxConn, px.Backlog, px.RateLimit, px.MaxOwnConns = base.MaxConn, base.Backlog, base.RateLimit, base.MaxOwnConns
		px.Keepalive[0] = base.Keepalive[0]
		px.Capture = base.Capture
		px.Capture.Req, px.Capture.Res = slices.Clone(base.Capture.Req), slices.Clone(base.Capture.Res)
		t.Client, t.ClientHandshake, t.ClientFin = b.Client, b.ClientHandshake, b.ClientFin
		px.MonitorURI, px.DefaultName = base.MonitorURI, base.DefaultName
		px.LogFormat, px.LogFormatSD, px.ErrorFormat = base.LogFormat, base.LogFormatSD, base.ErrorFormat
	}
	if caps&runtime.CapBack != 0 {
		px.Balance, px.Cookie, px.Check = base.Balance, base.Cookie, base.Check
		px.FullConn, px.Retries, px.RedispatchAfter = base.FullConn, base.Retries, base.RedispatchAfter
		px.MaxKeepAliveQueue, px.SendName = base.MaxKeepAliveQueue, base.SendName
		px.Keepalive[1] = base.Keepalive[1]
		px.Source = base.Source
		t.Connect, t.Server, t.ServerFin = b.Connect, b.Server, b.ServerFin
		t.Check, t.Queue, t.Tunnel = b.Check, b.Queue, b.Tunnel
	}
	for _, d := range l.Tables.Domains {
		if d.Inherit != nil {
			d.Inherit(px, base)
		}
	}
	st, from := l.state(px), l.state(base)
	st.state, st.transparent = from.state, from.transparent
	st.errors = slices.Clone(from.errors)
	return px
}
