package config

import (
	"slices"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
)

func (l *Loader) resolveDefaultBackend(px *runtime.Proxy) {
	if px.DefaultName == "" {
		return
	}
	to := l.target(px, px.DefaultName)
	switch {
	case to == nil:
		l.List.Alertf(px.Pos, "Proxy '%s': unable to find required default_backend: '%s'.", px.Name, px.DefaultName)
	case to == px:
		l.List.Alertf(px.Pos, "Proxy '%s': loop detected for default_backend: '%s'.", px.Name, px.DefaultName)
	case !compatible(px.Mode, to.Mode):
		l.List.Alertf(px.Pos, "%s %s '%s' (%s) tries to use incompatible %s %s '%s' (%s) as its default backend (see 'mode').",
			modeName(px.Mode), px.Kind, px.Name, placeOf(px), modeName(to.Mode), to.Kind, to.Name, placeOf(to))
	default:
		px.DefaultBack, to.Pinned = to, true
		if len(px.Servers) > 0 {
			l.List.Warnf(px.Pos, "In proxy '%s', the 'default_backend' rule always has precedence over the servers, which will never be used.", px.Name)
		}
		if to.Mode == runtime.ModeHTTP {
			px.Options |= runtime.OptHTTPUpgrade
		}
	}
}

func (l *Loader) resolveSwitch(px *runtime.Proxy, rule *runtime.SwitchRule) {
	format, err := l.ruleFormat(sample.InUseBackend, rule.Name, rule.Pos)
	if err != nil {
		l.List.Add(parsingAlert(rule.Pos, false, "failed to parse use_backend rule '%s' : %s.", rule.Name, err))
		return
	}
	if format != nil {
		rule.Dynamic = format
		px.Options |= runtime.OptHTTPUpgrade // any backend may be meant
		return
	}
	to := l.target(px, rule.Name)
	switch {
	case to == nil:
		l.List.Alertf(rule.Pos, "Proxy '%s': unable to find required use_backend: '%s'.", px.Name, rule.Name)
	case to == px:
		l.List.Alertf(rule.Pos, "Proxy '%s': loop detected for use_backend: '%s'.", px.Name, rule.Name)
	case !compatible(px.Mode, to.Mode):
		l.List.Alertf(rule.Pos, "%s %s '%s' (%s) tries to use incompatible %s %s '%s' (%s) in a 'use_backend' rule (see 'mode').",
			modeName(px.Mode), px.Kind, px.Name, placeOf(px), modeName(to.Mode), to.Kind, to.Name, placeOf(to))
	default:
		rule.Backend, to.Pinned = to, true
		if to.Mode == runtime.ModeHTTP {
			px.Options |= runtime.OptHTTPUpgrade
		}
	}
	l.WarnRawInHTTP(px, rule.Cond)
}

// ruleFormat compiles the name in a switching rule; nil when it is a plain name.
func (l *Loader) ruleFormat(use sample.Use, text string, pos ast.Pos) (*runtime.LineFormat, error) {
	if !strings.Contains(text, "%") {
		return nil, nil
	}
	l.pos, l.Samples.Pos = pos, pos
	l.For(use)
	f, err := l.Format(text, 0, sample.FrontReqHeaders)
	if err != nil {
		return nil, err
	}
	if _, plain := f.Literal(); plain {
		return nil, nil
	}
	return &runtime.LineFormat{Text: text, File: pos.File, Line: pos.Line, Format: f}, nil
}

func (l *Loader) resolveServerRule(px *runtime.Proxy, rule *runtime.ServerRule) {
	format, err := l.ruleFormat(sample.InUseServer, rule.Name, rule.Pos)
	if err != nil {
		l.List.Alertf(rule.Pos, "Parsing [%s:%d]; use-server rule failed to parse log-format '%s' : %s.", rule.Pos.File, rule.Pos.Line, rule.Name, err)
		return
	}
	if format != nil {
		rule.Dynamic = format
		return
	}
	rule.Server = findServer(px, rule.Name)
	l.WarnRawInHTTP(px, rule.Cond)
	if rule.Server == nil {
		l.List.Alertf(rule.Pos, "%s '%s' : unable to find server '%s' referenced in a 'use-server' rule.", px.Kind, px.Name, rule.Name)
		return
	}
	rule.Server.Pinned = true
}

// checkSwitchMode notes that streams of the proxy may become HTTP by "switch-mode".
func (l *Loader) checkSwitchMode(px *runtime.Proxy) {
	if !slices.ContainsFunc(px.TCPReq, func(r *runtime.Rule) bool { return r.Action == "switch-mode" }) {
		return
	}
	px.Options |= runtime.OptHTTPUpgrade
	if px.Mode == runtime.ModeTCP && px.DefaultName == "" && len(px.Switching) == 0 && len(px.Servers) > 0 {
		l.List.Warnf(px.Pos, "Proxy '%s' : 'switch-mode http' configured for a %s %s with no backend. "+
			"Incoming connections upgraded to HTTP cannot be routed to TCP servers", px.Name, modeName(px.Mode), px.Kind)
	}
}

// modeName is how messages about clashing modes call them.
func modeName(m runtime.Mode) string {
	return [...]string{"tcp", "http", "cli", "syslog", "spop"}[m]
}

// compatible tells whether requests of one proxy may go to the other.
func compatible(from, to runtime.Mode) bool {
	return from == to || from == runtime.ModeTCP && to == runtime.ModeHTTP
}

// target finds the backend that requests of px may go to. Where the system has name
// servers the reference makes a TCP proxy of its own called "default", which may hide
// a backend of that name from HTTP proxies.
func (l *Loader) target(px *runtime.Proxy, name string) *runtime.Proxy {
	to := l.find(name, runtime.CapBack)
	if name == "default" && px.Mode == runtime.ModeHTTP && (to == nil || l.atRoot(name)) && hasNameServers() {
		return &runtime.Proxy{Name: name, Kind: "proxy", Pos: ast.Pos{File: "<internal>"}}
	}
	return to
}
