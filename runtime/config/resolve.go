package config

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"strings"

	"hapax/acl"
	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
)

// resolve turns names into objects and makes the checks of the whole configuration,
// in the reference's order. The first proxy with an error is the last one that is
// looked at. It returns false when the configuration is refused.
func (l *Loader) resolve() bool {
	l.Proxy = nil
	l.settleCPUs()
	if n := l.threads(); l.threadGroups > n {
		l.List.Alertf(ast.Pos{}, "More unassigned thread-groups (%d) than threads (%d). Please reduce thread-groups", l.threadGroups, n)
		return false
	}
	l.tellThreads()
	l.checkLargeBuf()
	if !l.resolveUsers() {
		return false
	}
	for _, f := range l.later[nil] {
		f()
	}
	for _, px := range l.defaults.all {
		l.runLater(px)
		l.resolveArguments(px)
		l.resolveErrors(px)
	}
	taken := map[int]bool{}
	for _, px := range l.Config.Proxies {
		taken[px.ID] = true
	}
	next := 2 // number 1 is skipped for the sake of those who know the numbers of their proxies
	for _, px := range l.Config.Proxies {
		if px.ID == 0 {
			for taken[next] {
				next++
			}
			px.ID = next
			next++
		}
		if px.Disabled {
			continue
		}
		l.finalize(px)
		if l.List.Fatal() > l.passed {
			return false
		}
	}
	if l.List.Fatal() > 0 {
		return false
	}
	l.nextID = next
	for _, px := range l.Config.Proxies {
		numberListeners(px)
		l.refuseQUIC(px)
	}
	l.Config.Patterns.Number()
	for _, d := range l.Tables.Domains {
		if d.Check != nil {
			d.Check(l)
		}
	}
	if l.experimentOn && !l.experimented {
		l.List.Warnf(ast.Pos{}, "Option 'expose-experimental-directives' is set in the global section but is "+
			"no longer used. It is strongly recommended to remove it in order to avoid "+
			"using an experimental directive by accident in the future.")
	}
	if l.List.Fatal() > 0 || !l.checkServers() {
		return false
	}
	l.checkThreads()
	l.bindThreads()
	l.loadStates()
	l.loadCounters()
	l.reportMissing()
	if l.List.Fatal() > 0 {
		return false
	}
	l.Config.Loader = l
	l.tellSockets()
	return l.placeServers()
}

// tellSockets puts the addresses of the stats sockets into the environment.
func (l *Loader) tellSockets() {
	var names []string
	for _, li := range l.Config.Global.StatsSocks {
		if name := li.Addr.Typed(); name != "" {
			names = append(names, name)
		}
	}
	if l.Config.Global.StatsSocks != nil {
		l.Env.Set("HAPROXY_CLI", strings.Join(names, ";"))
	}
}

// refuseQUIC tells of bind lines that want QUIC, once each, in the words of a reference
// whose library lacks it.
func (l *Loader) refuseQUIC(px *runtime.Proxy) {
	var last *runtime.Bind
	for _, li := range px.Listeners {
		if b := li.Bind; l.datagrams[li] && b != last && !l.global.limitedQUIC {
			last = b
			l.List.Alertf(b.Pos, "Binding [%s:%d] for %s %s: this SSL library does not support the QUIC protocol. "+
				"A limited compatibility layer may be enabled using the \"limited-quic\" global option if desired.",
				b.Pos.File, b.Pos.Line, px.Kind, px.Name)
		}
	}
}

func (l *Loader) runLater(px *runtime.Proxy) {
	l.Proxy = px
	for _, f := range l.later[px] {
		f()
	}
}

// resolveArguments finds the objects that expressions of the proxy name.
func (l *Loader) resolveArguments(px *runtime.Proxy) {
	st, d := l.state(px), directory{l, px}
	st.unresolved = append(st.unresolved, l.Samples.Take()...)
	var errs []string
	for i := range st.unresolved {
		if err := st.unresolved[i].Resolve(d); err != nil {
			errs = append(errs, err.Error())
		}
	}
	switch len(errs) {
	case 0:
		for _, text := range px.ACLs.CheckGroups(px.Name) {
			l.List.Alertf(px.Pos, "%s", text)
		}
	case 1:
		l.List.Alertf(px.Pos, "%s", errs[0])
	default:
		l.List.Alertf(px.Pos, "multiple argument resolution errors:%s", indent(strings.Join(errs, "\n"), 8))
	}
}

// finalize checks and completes one proxy.
func (l *Loader) finalize(px *runtime.Proxy) {
	l.Proxy = px
	for _, d := range l.Tables.Domains {
		if d.CheckMode != nil {
			d.CheckMode(l, px)
		}
	}
	l.checkBindProtos(px)
	l.resolveThreads(px)
	l.identifyListeners(px)
	if px.Caps&runtime.CapFront != 0 && len(px.Listeners) == 0 {
		l.List.Warnf(px.Pos, "%s '%s' has no 'bind' directive. Please declare it as a backend if this was intended.", px.Kind, px.Name)
	}
	st := l.state(px)
	if px.Caps&runtime.CapBack != 0 && px.Balance.Algo != "" {
		if st.transparent {
			l.List.Alertf(px.Pos, "%s '%s' cannot use both transparent and balance mode.", px.Kind, px.Name)
		} else if st.dispatch != nil {
			l.List.Warnf(px.Pos, "dispatch address of %s '%s' will be ignored in balance mode.", px.Kind, px.Name)
		}
	}
	px.Dispatch = l.dispatchServer(px)
	for _, d := range l.Tables.Domains {
		if d.CheckLines != nil {
			d.CheckLines(l, px)
		}
	}
	l.resolveDefaultBackend(px)
	for _, rule := range px.Switching {
		l.resolveSwitch(px, rule)
	}
	for _, rule := range px.ServerRules {
		l.resolveServerRule(px, rule)
	}
	l.runLater(px)
	l.checkSwitchMode(px)
	for _, rules := range []runtime.Ruleset{px.TCPConn, px.TCPSess, px.TCPReq, px.TCPRes, px.HTTPReq, px.HTTPRes, px.HTTPAfter} {
		for _, rule := range rules {
			l.WarnRawInHTTP(px, rule.Cond)
		}
	}
	if s := px.Stats; s != nil && len(s.Rules) > 0 && (s.Users != nil || s.Realm != "") {
		l.List.Alertf(px.Pos, "proxy '%s': stats 'auth'/'realm' and 'http-request' can't be used at the same time.", px.Name)
	}
	for _, d := range l.Tables.Domains {
		if d.CheckProxy != nil {
			d.CheckProxy(l, px)
		}
		if d.FinishServer != nil {
			for _, srv := range px.Servers {
				d.FinishServer(l, srv)
			}
		}
	}
	l.compileFormats(px)
	l.resolveArguments(px)
	l.checkTimeouts(px)
	if most := l.Config.Global.Tune.CookieLen; px.Capture.CookieLen >= most+1 {
		l.List.Warnf(px.Pos, "truncating capture length to %d bytes for %s '%s'.", most, px.Kind, px.Name)
		px.Capture.CookieLen = most
	}
	if st.state == stateGlobal && l.Config.Global.StateFile == "" && px.Caps&runtime.CapBack != 0 {
		l.List.Warnf(px.Pos, "backend '%s' configured to load server state file from global section 'server-state-file' directive. Unfortunately, 'server-state-file' is not set!", px.Name)
	}
	l.numberServers(px)
	for _, srv := range px.Servers {
		l.checkProto(px, srv)
		l.finishServers(px, srv)
	}
	for _, d := range l.Tables.Domains {
		if d.ServersDone != nil {
			d.ServersDone(l, px)
		}
	}
	if (px.Mode == runtime.ModeTCP || px.Mode == runtime.ModeHTTP) && px.Caps&runtime.CapFront != 0 && !logs(px) &&
		(px.LogFormat.Format != nil || px.LogFormatSD.Format != nil) {
		l.List.Warnf(px.Pos, "log format ignored for %s '%s' since it has no log address.", px.Kind, px.Name)
	}
	l.resolveErrors(px)
	if px.Mode != runtime.ModeHTTP && px.Options&runtime.OptHTTPUpgrade == 0 {
		l.ignoreHTTP(px)
	}
	l.checkServerModes(px)
	for _, d := range l.Tables.Domains {
		if d.CheckFilters != nil {
			d.CheckFilters(l, px)
		}
	}
	l.inheritRules(px)
}

// logs tells whether the proxy has somewhere to log to.
func logs(px *runtime.Proxy) bool { return len(px.Logs) > 0 || px.LogGlobal }

func hasNameServers() bool {
	data, err := os.ReadFile("/etc/resolv.conf")
	return err == nil && strings.Contains(string(data), "nameserver")
}

// atRoot tells whether a proxy's name is at the root of a binary tree of all names in
// the order of the files: of equal names the reference finds the newest one there and
// the oldest one elsewhere. At the root is what first departs from the first name at
// the bit where any name departs from it soonest.
func (l *Loader) atRoot(name string) bool {
	proxies := l.Config.Proxies
	if proxies[0].Name == name {
		return true
	}
	root, soonest := "", math.MaxInt
	for _, px := range proxies[1:] {
		if at := departure(proxies[0].Name, px.Name); at < soonest {
			root, soonest = px.Name, at
		}
	}
	return root == name
}

// departure is the first bit at which two names differ.
func departure(a, b string) int {
	a, b = a+"\x00", b+"\x00"
	for i := range min(len(a), len(b)) {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return math.MaxInt
}

// WarnRawInHTTP warns about conditions on raw bytes, which an HTTP proxy never sees.
func (l *Loader) WarnRawInHTTP(px *runtime.Proxy, cond *acl.Cond) {
	if cond != nil && px.Mode == runtime.ModeHTTP && cond.From()&(sample.ReqBuffer|sample.ResBuffer) != 0 {
		l.List.Warnf(cond.Pos, "Proxy '%s': L6 sample fetches ignored on HTTP proxies (declared at %s:%d).", px.Name, cond.Pos.File, cond.Pos.Line)
	}
}

// compileFormats compiles the log formats of the proxy.
func (l *Loader) compileFormats(px *runtime.Proxy) {
	compile := func(lf *runtime.LineFormat, what string, use sample.Use, flags logformat.Flags, at sample.Checkpoint) {
		if lf.Text == "" || lf.Format != nil {
			return
		}
		pos := ast.Pos{File: lf.File, Line: lf.Line}
		l.pos, l.Samples.Pos = pos, pos
		l.For(use)
		f, err := l.Format(lf.Text, flags, at)
		if err != nil {
			l.List.Add(parsingAlert(pos, false, "failed to parse %s : %s.", what, err))
			lf.Format = f // a format all the same for those that ask for one
			return
		}
		lf.Format = f
	}
	if px.Caps&runtime.CapFront == 0 {
		px.LogFormat, px.LogFormatSD = runtime.LineFormat{}, runtime.LineFormat{}
	}
	compile(&px.LogFormat, "log-format", sample.InLogFormat, logformat.ForLog, sample.LogEnd)
	compile(&px.LogFormatSD, "log-format-sd", sample.InLogFormatSD, logformat.ForLog, sample.LogEnd)
	compile(&px.UniqueIDFormat, "unique-id", sample.InUniqueID, logformat.ForHTTP|logformat.MergeSpaces, requestHeaders(px))
	compile(&px.ErrorFormat, "error-log-format", sample.InLogFormat, logformat.ForLog, sample.LogEnd)
}

// checkTimeouts warns about missing timeouts and copies those that others stand in for.
func (l *Loader) checkTimeouts(px *runtime.Proxy) {
	t := &px.Timeout
	front, back := px.Caps&runtime.CapFront != 0, px.Caps&runtime.CapBack != 0
	if px.Mode == runtime.ModeTCP || px.Mode == runtime.ModeHTTP {
		missing := front && t.Client == 0
		if back && len(px.Servers) > 0 {
			missing = missing || t.Connect == 0 || t.Server == 0 && (px.Mode == runtime.ModeHTTP || t.Tunnel == 0)
		}
		if missing {
			l.List.Warnf(px.Pos, "missing timeouts for %s '%s'.\n"+
				"   | While not properly invalid, you will certainly encounter various problems\n"+
				"   | with such a configuration. To fix this, please ensure that all following\n"+
				"   | timeouts are set to a non-zero value: 'client', 'connect', 'server'.", px.Kind, px.Name)
		}
	}
	if t.Tarpit == 0 {
		t.Tarpit = t.Connect
	}
	if back && t.Queue == 0 {
		t.Queue = t.Connect
	}
}

// ignoreHTTP warns about what only HTTP proxies do, and takes it back.
func (l *Loader) ignoreHTTP(px *runtime.Proxy) {
	statement := func(on bool, what string) bool {
		if on {
			l.List.Warnf(px.Pos, "'%s' statement ignored for %s '%s' as it requires HTTP mode.", what, px.Kind, px.Name)
		}
		return on
	}
	if statement(px.Stats != nil, "stats") {
		px.Stats = nil
	}
	statement(px.Capture.Cookie != "", "capture")
	statement(px.MonitorURI != "", "monitor-uri")
	for _, rules := range []struct {
		set  runtime.Ruleset
		what string
	}{{px.HTTPReq, "http-request"}, {px.HTTPRes, "http-response"}, {px.HTTPAfter, "http-after-response"}, {px.Redirects, "redirect"}} {
		if len(rules.set) > 0 {
			l.List.Warnf(px.Pos, "'%s' rules ignored for %s '%s' as they require HTTP mode.", rules.what, px.Kind, px.Name)
		}
	}
	for i := 0; i < l.Tables.Options.Len(); i++ {
		o := l.Tables.Options.Row(i)
		if o.HTTP && px.Caps&o.Caps != 0 && px.Options&o.Flag != 0 {
			l.List.Warnf(px.Pos, "'option %s' ignored for %s '%s' as it requires HTTP mode.", o.Name, px.Kind, px.Name)
			px.Options &^= o.Flag
		}
	}
	if src := px.Source; src != nil && src.Use == runtime.UseHeader && src.Occurrence != 0 {
		l.List.Warnf(px.Pos, "%s '%s' : ignoring use of header %s as source IP in non-HTTP mode.", px.Kind, px.Name, src.Header)
	}
}

// inheritRules puts the rules of the defaults section in front of the proxy's own.
func (l *Loader) inheritRules(px *runtime.Proxy) {
	base := px.Defaults
	if base == nil {
		return
	}
	for _, r := range []struct{ own, from *runtime.Ruleset }{
		{&px.TCPConn, &base.TCPConn}, {&px.TCPSess, &base.TCPSess}, {&px.TCPReq, &base.TCPReq}, {&px.TCPRes, &base.TCPRes},
		{&px.HTTPReq, &base.HTTPReq}, {&px.HTTPRes, &base.HTTPRes}, {&px.HTTPAfter, &base.HTTPAfter},
	} {
		for _, rule := range *r.from {
			rule.Inherited = true
		}
		*r.own = append(slices.Clone(*r.from), *r.own...)
	}
}

// numberListeners gives numbers to the listeners without, and names for statistics.
func numberListeners(px *runtime.Proxy) {
	taken := map[int]bool{}
	for _, li := range px.Listeners {
		taken[li.ID] = true
	}
	next := 1
	for i, li := range px.Listeners {
		if li.ID == 0 {
			if i > 0 {
				next = px.Listeners[i-1].ID + 1
			}
			for taken[next] {
				next++
			}
			li.ID = next
			taken[next] = true
		}
		next++
		if px.Options&runtime.OptSocketStats != 0 && li.Name == "" {
			li.Name = fmt.Sprintf("sock-%d", li.ID)
		}
	}
}

// ignoreAddressHeaders takes back what would tell servers of a proxy that is not in
// HTTP mode about addresses.
func (l *Loader) ignoreAddressHeaders(px *runtime.Proxy) {
	if px.Mode == runtime.ModeHTTP || px.Options&runtime.OptHTTPUpgrade != 0 {
		return
	}
	ignored := func(option string) {
		l.List.Warnf(px.Pos, "'option %s' ignored for %s '%s' as it requires HTTP mode.", option, px.Kind, px.Name)
	}
	if px.Forwarded != nil {
		ignored("forwarded")
		px.Forwarded = nil
	}
	if px.ForwardedFor.On {
		ignored("forwardfor")
		px.ForwardedFor = runtime.ForwardFor{}
	}
	if px.OriginalTo.On {
		ignored("originalto")
		px.OriginalTo = runtime.ForwardFor{}
	}
}

// diagnoseFormats tells with -dD which formats want a proxy in HTTP mode.
func (l *Loader) diagnoseFormats(px *runtime.Proxy) {
	if px.Mode == runtime.ModeHTTP || px.Options&runtime.OptHTTPUpgrade != 0 {
		return
	}
	for _, f := range l.state(px).httpFormats {
		for _, item := range f.items {
			l.List.Diagf(f.pos, "parsing [%s:%d]: %s used from %s '%s' may not work as expected (item depends on HTTP proxy mode).",
				f.pos.File, f.pos.Line, item, px.Kind, px.Name)
		}
	}
}

// reportMissing tells what is known and not supported: an alert for each use, and
// one notice for all lines that only configure what nothing uses.
func (l *Loader) reportMissing() {
	slices.SortStableFunc(l.missing, func(a, b use) int {
		return cmp.Or(cmp.Compare(l.fileOrder[a.pos.File], l.fileOrder[b.pos.File]), cmp.Compare(a.pos.Line, b.pos.Line))
	})
	for _, u := range slices.Compact(l.missing) {
		l.Alert(u.pos, "'%s' is known to HAProxy but not supported by hapax yet", u.what)
	}
	if len(l.missing) > 0 || len(l.dormant) == 0 {
		return
	}
	var b strings.Builder
	for i, u := range l.dormant {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "'%s' [%s:%d]", u.what, u.pos.File, u.pos.Line)
	}
	l.List.Noticef(ast.Pos{}, "what these lines configure is not supported by hapax yet and nothing uses it: %s.", b.String())
}
