// Package mailer holds the sections of mail servers and the lines that say who is to be
// told of the state of servers by mail. They are read and checked, for Lua scripts: as on
// the reference the program itself sends no mail, and says so.
package mailer

import (
	"slices"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of mailers sections and of alerts by mail.
var Domain = config.Domain{
	Name: "mailer",
	Sections: []config.Section{{
		Doc: keyword.Doc{Name: "mailers", Ref: "12.3", Summary: "mail servers", Status: keyword.Inert, Note: note,
			Examples: []keyword.Example{{Config: example}}},
		Kind: config.Mailers, Start: start,
	}},
	Keywords: []config.Keyword{
		row(config.Mailers, "mailer", "12.3", "a mail server",
			[]keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr}}, mailer),
		row(config.Mailers, "timeout", "12.3", "how long a mail may take",
			[]keyword.Arg{{Name: "mail", Type: keyword.Time, Joined: true}}, timeout),
		row(config.Proxies, "email-alert", "4.2", "mails about the state of servers",
			[]keyword.Arg{{Name: "setting", Type: keyword.Enum, Enum: settings}, {Name: "value", Type: keyword.Str}}, emailAlert),
	},
	CheckLines: checkAlerts,
	Check:      checkUnused,
}

const (
	note    = "mails are sent by a Lua script, here as on the reference: without one they are not, which a warning tells"
	example = "mailers m\n  timeout mail 20s\n  mailer smtp1 127.0.0.1:25\nbackend b\n  email-alert mailers m\n  email-alert from a@example.org\n" +
		"  email-alert to b@example.org\n  email-alert level notice\n  email-alert myhostname lb\n"
)

func row(in config.Sections, name, ref, summary string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: ref, Summary: summary, Status: keyword.Inert, Note: note, Args: args,
		Examples: []keyword.Example{{Config: example}}}, In: in, Parse: parse}
}

var settings = []string{"from", "level", "mailers", "myhostname", "to"}

// levels are those of syslog.
var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// sections are the mailers sections.
type sections struct {
	names []string // in the order of the files
	used  map[string]bool
}

func start(l *config.Loader, line *ast.Line) {
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	l.KnowFirst(config.Mailers, line)
	all := config.State[sections](l)
	all.names = append(all.names, name)
}

func mailer(l *config.Loader, line *ast.Line) {
	name := line.Arg(1)
	if line.Arg(2) == "" {
		l.Alert(line.Pos, "'%s' expects <name> and <addr>[:<port>] as arguments.", line.Arg(0))
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in server name '%s'.", c, name)
		return
	}
	a, err := l.Address(line.Arg(2), config.AddrResolve|config.AddrPort|config.AddrNeedPort|config.AddrStream|config.AddrConnect, "")
	switch {
	case err != nil:
		l.Alert(line.Pos, "'%s %s' : %s", line.Arg(0), name, err)
	case a.Family != runtime.FamilyIPv4 && a.Family != runtime.FamilyIPv6 || a.MPTCP || a.Quic:
		l.Alert(line.Pos, "'%s %s' : TCP not supported for this address family.", line.Arg(0), name)
	}
}

func timeout(l *config.Loader, line *ast.Line) {
	switch event, value := line.Arg(1), line.Arg(2); {
	case event == "":
		l.Alert(line.Pos, "'%s' expects 'mail' and <time> as arguments.", line.Arg(0))
	case event != "mail":
		l.Alert(line.Pos, "'%s' expects 'mail' and <time> as arguments got '%s'.", line.Arg(0), event)
	case value == "":
		l.Alert(line.Pos, "'%s %s' expects <time> as argument.", line.Arg(0), event)
	default:
		l.SectionTime(line.Pos, value, value, line.Arg(0)+" "+event)
	}
}

// alerts is what the lines of a proxy say. What is said to be nothing is said all the same.
type alerts struct {
	mailers        *string
	hasFrom, hasTo bool
}

// extAlerts is where they stand in Proxy.Ext.
const extAlerts = "email-alert"

func emailAlert(l *config.Loader, line *ast.Line) {
	set := alerts{}
	if old, ok := l.Proxy.Ext[extAlerts].(alerts); ok {
		set = old
	}
	switch word, value := line.Arg(1), line.Arg(2); word {
	case "":
		l.Alert(line.Pos, "missing argument after '%s'.", line.Arg(0))
		return
	case "from":
		set.hasFrom = true
	case "to":
		set.hasTo = true
	case "mailers":
		set.mailers = &value
	case "myhostname":
	case "level":
		if !slices.Contains(levels, value) {
			l.Alert(line.Pos, "unknown log level '%s' after '%s'", word, value) // in this order, as ever
			return
		}
	default:
		l.Alert(line.Pos, "email-alert: unknown argument '%s'.", word)
		return
	}
	l.Extend(l.Proxy, extAlerts, set)
}

// checkAlerts looks at the lines of a proxy as a whole.
func checkAlerts(l *config.Loader, px *runtime.Proxy) {
	set, ok := px.Ext[extAlerts].(alerts)
	if !ok {
		return
	}
	if set.mailers == nil || !set.hasFrom || !set.hasTo {
		l.List.Warnf(px.Pos, "'email-alert' will be ignored for %s '%s' (the presence any of "+
			"'email-alert from', 'email-alert level' 'email-alert mailers', "+
			"'email-alert myhostname', or 'email-alert to' "+
			"requires each of 'email-alert from', 'email-alert mailers' and 'email-alert to' "+
			"to be present).", px.Kind, px.Name)
		return
	}
	all := config.State[sections](l)
	if !l.Known(config.Mailers, *set.mailers) {
		l.List.Alertf(px.Pos, "Proxy '%s': unable to find mailers '%s'.", px.Name, *set.mailers)
		return
	}
	if all.used == nil {
		all.used = map[string]bool{}
	}
	all.used[*set.mailers] = true
}

// checkUnused leaves out the sections that no proxy refers to, the last one first, and tells that nobody sends the mails of
// the last one of the others.
func checkUnused(l *config.Loader) {
	all := config.State[sections](l)
	last := ""
	for _, name := range slices.Backward(all.names) {
		switch {
		case !all.used[name]:
			l.List.Warnf(ast.Pos{}, "Removing incomplete section 'mailers %s'.", name)
		case last == "":
			last = name
		}
	}
	if last != "" && l.Starting() {
		l.List.Warnf(ast.Pos{}, "mailers '%s' is referenced on at least one proxy but Lua mailers are not configured so the setting will be ignored. "+
			"Use 'examples/lua/mailers.lua' file for basic mailers support.", last)
	}
}
