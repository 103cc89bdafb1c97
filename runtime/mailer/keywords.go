// Package mailer holds the sections of mail servers and the lines that send mails
// through them. They are read and checked; no mail is sent.
package mailer

import (
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of mailers sections and of alerts by mail.
var Domain = config.Domain{
	Name: "mailer",
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "mailers", Ref: "12.3", Summary: "mail servers", Status: keyword.Missing},
		Kind: config.Mailers, Dormant: true, Start: start,
	}},
	Keywords: []config.Keyword{
		config.MissingRow(config.Mailers, "mailer", "12.3", "a mail server",
			[]keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr}}, mailer),
		config.MissingRow(config.Mailers, "timeout", "12.3", "how long a mail may take",
			[]keyword.Arg{{Name: "mail", Type: keyword.Time, Joined: true}}, timeout),
		config.MissingRow(config.Proxies, "email-alert", "4.2", "mails about the state of servers",
			[]keyword.Arg{{Name: "setting", Type: keyword.Enum, Enum: settings}, {Name: "value", Type: keyword.Str}}, emailAlert),
	},
	CheckLines: checkAlerts,
	Check:      checkUnused,
}

var settings = []string{"from", "level", "mailers", "myhostname", "to"}

// levels are those of syslog.
var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// sections are the mailers sections.
type sections struct {
	names  []string // in the order of the files
	places map[string]ast.Pos
	used   map[string]bool
}

func start(l *config.Loader, line *ast.Line) {
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	all := config.State[sections](l)
	if at, known := all.places[name]; known {
		l.Clash(line.Pos, false, "mailers section '%s' has the same name as another mailers section declared at %s:%d.", name, at.File, at.Line)
	}
	if all.places == nil {
		all.places, all.used = map[string]ast.Pos{}, map[string]bool{}
	}
	all.names = append(all.names, name)
	all.places[name] = line.Pos
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

// alerts is what the lines of a proxy say.
type alerts struct {
	mailers, from, to string
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
		set.from = value
	case "to":
		set.to = value
	case "mailers":
		set.mailers = value
	case "myhostname":
	case "level":
		if !isLevel(value) {
			l.Alert(line.Pos, "unknown log level '%s' after '%s'", word, value) // in this order, as ever
			return
		}
	default:
		l.Alert(line.Pos, "email-alert: unknown argument '%s'.", word)
		return
	}
	l.Extend(l.Proxy, extAlerts, set)
}

func isLevel(word string) bool {
	for _, level := range levels {
		if level == word {
			return true
		}
	}
	return false
}

// checkAlerts looks at the lines of a proxy as a whole.
func checkAlerts(l *config.Loader, px *runtime.Proxy) {
	set, ok := px.Ext[extAlerts].(alerts)
	if !ok {
		return
	}
	if set.mailers == "" || set.from == "" || set.to == "" {
		l.List.Warnf(px.Pos, "'email-alert' will be ignored for %s '%s' (the presence any of "+
			"'email-alert from', 'email-alert level' 'email-alert mailers', "+
			"'email-alert myhostname', or 'email-alert to' "+
			"requires each of 'email-alert from', 'email-alert mailers' and 'email-alert to' "+
			"to be present).", px.Kind, px.Name)
		return
	}
	all := config.State[sections](l)
	if _, known := all.places[set.mailers]; !known {
		l.List.Alertf(px.Pos, "Proxy '%s': unable to find mailers '%s'.", px.Name, set.mailers)
		return
	}
	all.used[set.mailers] = true
}

// checkUnused leaves out the sections that no proxy refers to, the last one first.
func checkUnused(l *config.Loader) {
	all := config.State[sections](l)
	for i := len(all.names) - 1; i >= 0; i-- {
		if !all.used[all.names[i]] {
			l.List.Warnf(ast.Pos{}, "Removing incomplete section 'mailers %s'.", all.names[i])
		}
	}
}
