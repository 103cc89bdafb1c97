package check

import (
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// settings are the lines about checks of one proxy. They are what runtime.Proxy.Check
// holds.
type settings struct {
	use       *ruleset // in force; nil: a plain connection
	tcp, http *ruleset // made of the "tcp-check" and "http-check" lines of the section itself
	idleTCP   bool     // there are such lines, and no option that uses them
	idleHTTP  bool
	program   program
}

// settingsOf gives the settings of a section, for its lines to add to.
func settingsOf(px *runtime.Proxy) *settings {
	s, ok := px.Check.(*settings)
	if !ok {
		s = &settings{}
		px.Check = s
	}
	return s
}

// choose makes the last option about checks count; nil: that for checks by a program.
func (s *settings) choose(use *ruleset) {
	s.use, s.program.on = use, use == nil
}

// inheritSettings makes a proxy use the check of its defaults section. Rules are not
// mixed: with its first line of rules a section starts anew.
func inheritSettings(px, from *runtime.Proxy) {
	if s, ok := from.Check.(*settings); ok {
		px.Check = &settings{use: s.use, program: s.program}
	}
}

// checkLines tells which lines about checks do not go together.
func checkLines(l *config.Loader, px *runtime.Proxy) {
	s, ok := px.Check.(*settings)
	if !ok {
		return
	}
	if s.idleHTTP {
		l.List.Warnf(ast.Pos{}, "%s '%s' uses http-check rules without 'option httpchk', so the rules are ignored.", px.Kind, px.Name)
	}
	s.program.check(l, px)
}

// checkProxy completes the rule set of a proxy and makes sure that its servers can be
// checked.
func checkProxy(l *config.Loader, px *runtime.Proxy) {
	s, ok := px.Check.(*settings)
	if ok && s.idleTCP {
		l.List.Warnf(ast.Pos{}, "%s '%s' uses tcp-check rules without 'option tcp-check', so the rules are ignored.", px.Kind, px.Name)
	}
	if px.Caps&runtime.CapBack == 0 {
		return
	}
	if ok && s.use != nil {
		s.use.settle()
	}
}

// finishServer gives a server the rules of the section that its line names, or those of its proxy.
func finishServer(l *config.Loader, srv *runtime.Server) {
	s, _ := srv.Proxy.Check.(*settings)
	if srv.Healthcheck != "" {
		px := config.State[sections](l).proxies[srv.Healthcheck]
		if px == nil {
			l.List.Alertf(srv.Pos, "%s", diag.AtTight(srv.Pos, "healthcheck section '*healthcheck-%s' not found for server '%s'.", srv.Healthcheck, srv.Name))
			return
		}
		s, _ = px.Check.(*settings)
	}
	switch {
	case s == nil:
		return
	case s.program.on:
		srv.CheckRules = s.program.rules()
		return
	case s.use == nil:
		return
	}
	srv.CheckRules, srv.ChecksTLS = s.use, s.use.tls()
}

// checkServer refuses a server whose checks speak what its rules do not, or have no port to go to.
func checkServer(l *config.Loader, srv *runtime.Server) {
	if !srv.CheckOn {
		return
	}
	rules, _ := srv.CheckRules.(*ruleset)
	if p := srv.CheckProto; p != runtime.ProtoAny && (p != runtime.ProtoNone) != (rules != nil && rules.kind == kindHTTP) {
		l.List.Alertf(srv.Pos, "config: %s '%s': server '%s' uses an incompatible MUX protocol for the selected check type", srv.Proxy.Kind, srv.Proxy.Name, srv.Name)
		return
	}
	if !hasPort(srv) {
		checkConnectPorts(l, srv)
	}
}

// hasPort tells whether a port is known for a server's check, or not needed.
func hasPort(srv *runtime.Server) bool {
	inet := func(a *runtime.Addr) bool {
		return (a.Family == runtime.FamilyIPv4 || a.Family == runtime.FamilyIPv6) && !a.IP.Addr().IsUnspecified()
	}
	named := func(a *runtime.Addr) bool {
		return a.Family != runtime.FamilyNone && a.Family != runtime.FamilyIPv4 && a.Family != runtime.FamilyIPv6
	}
	switch {
	case srv.CheckPort > 0 || srv.CheckAddr.IP.Port() > 0:
		return true
	case !inet(&srv.CheckAddr) && (named(&srv.CheckAddr) || !inet(srv.Addr.Load())):
		return true
	}
	return !srv.MapPorts && srv.Addr.Load().IP.Port() > 0
}

func checkConnectPorts(l *config.Loader, srv *runtime.Server) {
	px := srv.Proxy
	refuse := func(text string) {
		l.List.Alertf(srv.Pos, "config: %s '%s': server '%s' has neither service port nor check port%s.", px.Kind, px.Name, srv.Name, text)
	}
	rules, ok := srv.CheckRules.(*ruleset)
	if !ok {
		refuse(" nor tcp_check rule 'connect' with port information")
		return
	}
	if rules.plain() {
		refuse("")
		return
	}
	given := func(r *rule) bool {
		c, ok := r.do.(*connect)
		return ok && (c.port != 0 || c.addr.IP.Port() != 0)
	}
	if r := rules.first(0); r == nil || !given(r) {
		refuse(" nor tcp_check rule 'connect' with port information")
		return
	}
	for _, r := range rules.rules {
		if isConnect(r) && !given(r) {
			refuse(", and a tcp_check rule 'connect' with no port information")
			return
		}
	}
}
