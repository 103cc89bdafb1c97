// Package mailer holds the sections of mail servers and the lines that say who is to be
// told of the state of servers by mail. As on the reference the program itself sends no mail: a script in Lua does,
// which follows what happens to servers and asks for these settings (`Proxy.get_mailers`). Without one, a warning says so.
package mailer

import (
	"os"
	"slices"
	"strconv"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of mailers sections and of alerts by mail.
var Domain = config.Domain{
	Name: "mailer",
	Sections: []config.Section{{
		Doc: keyword.Doc{Name: "mailers", Ref: "12.3", Summary: "mail servers", Note: note,
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
	note    = "mails are sent by a Lua script (examples/lua/mailers.lua of the reference): without one they are not, which a warning tells"
	example = "mailers m\n  timeout mail 20s\n  mailer smtp1 127.0.0.1:25\nbackend b\n  email-alert mailers m\n  email-alert from a@example.org\n" +
		"  email-alert to b@example.org\n  email-alert level notice\n  email-alert myhostname lb\n"
)

func row(in config.Sections, name, ref, summary string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: ref, Summary: summary, Note: note, Args: args,
		Examples: []keyword.Example{{Config: example}}}, In: in, Parse: parse}
}

var settings = []string{"from", "level", "mailers", "myhostname", "to"}

// levels are those of syslog.
var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// Servers is a section of mail servers.
type Servers struct {
	Timeout time.Duration // of a mail
	List    []Server

	name string
	used bool // by a proxy
}

// Server is a mail server.
type Server struct {
	Name, Addr string // Addr: address and port
}

// sections are the mailers sections.
type sections struct {
	all     []*Servers // in the order of the files
	reading *Servers   // the lines of which are read: none of all when its header was refused
	scripts bool       // a script sends mails
}

func (all *sections) named(name string) *Servers {
	for _, s := range all.all {
		if s.name == name {
			return s
		}
	}
	return nil
}

// ServeScripts notes that a script asks for the settings.
func ServeScripts(l *config.Loader) { config.State[sections](l).scripts = true }

func start(l *config.Loader, line *ast.Line) {
	all := config.State[sections](l)
	all.reading = &Servers{Timeout: defaultTimeout}
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	l.KnowFirst(config.Mailers, line)
	all.reading.name = name
	all.all = append(all.all, all.reading)
}

// defaultTimeout is that of a mail.
const defaultTimeout = 10 * time.Second

func reading(l *config.Loader) *Servers { return config.State[sections](l).reading }

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
	default:
		s := reading(l)
		s.List = append(s.List, Server{name, a.IP.Addr().String() + ":" + strconv.Itoa(a.Port)})
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
		if d, ok := l.SectionTime(line.Pos, value, value, line.Arg(0)+" "+event); ok {
			reading(l).Timeout = d
		}
	}
}

// alerts is what the lines of a proxy say. What is said to be nothing is said all the same.
type alerts struct {
	mailers, from, to, hostname *string
	level                       int
}

// Alerts are the mails about the servers of a proxy.
type Alerts struct {
	Level              int // of syslog: the last one that a mail is worth
	From, To, Hostname string
	Servers            *Servers
}

// Of gives the mails that a proxy wants; nil for none.
func Of(px *runtime.Proxy) *Alerts {
	a, _ := px.Ext[extMails].(*Alerts)
	return a
}

// Where they stand in Proxy.Ext: the lines, and what came of them.
const (
	extAlerts = "email-alert"
	extMails  = "mails"
)

// levelAlert is what a mail is worth where nothing is said.
const levelAlert = 1

func emailAlert(l *config.Loader, line *ast.Line) {
	set := alerts{level: levelAlert}
	if old, ok := l.Proxy.Ext[extAlerts].(alerts); ok {
		set = old
	}
	switch word, value := line.Arg(1), line.Arg(2); word {
	case "":
		l.Alert(line.Pos, "missing argument after '%s'.", line.Arg(0))
		return
	case "from":
		set.from = &value
	case "to":
		set.to = &value
	case "mailers":
		set.mailers = &value
	case "myhostname":
		set.hostname = &value
	case "level":
		set.level = slices.Index(levels, value)
		if set.level < 0 {
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
	if set.mailers == nil || set.from == nil || set.to == nil {
		l.List.Warnf(px.Pos, "'email-alert' will be ignored for %s '%s' (the presence any of "+
			"'email-alert from', 'email-alert level' 'email-alert mailers', "+
			"'email-alert myhostname', or 'email-alert to' "+
			"requires each of 'email-alert from', 'email-alert mailers' and 'email-alert to' "+
			"to be present).", px.Kind, px.Name)
		return
	}
	servers := config.State[sections](l).named(*set.mailers)
	if servers == nil {
		l.List.Alertf(px.Pos, "Proxy '%s': unable to find mailers '%s'.", px.Name, *set.mailers)
		return
	}
	servers.used = true
	mails := &Alerts{Level: set.level, From: *set.from, To: *set.to, Servers: servers}
	if set.hostname != nil {
		mails.Hostname = *set.hostname
	} else {
		mails.Hostname, _ = os.Hostname()
	}
	l.Extend(px, extMails, mails)
}

// checkUnused leaves out the sections that no proxy refers to, the last one first, and tells that nobody sends the mails of
// the last one of the others.
func checkUnused(l *config.Loader) {
	all := config.State[sections](l)
	last := ""
	for _, s := range slices.Backward(all.all) {
		switch {
		case !s.used:
			l.List.Warnf(ast.Pos{}, "Removing incomplete section 'mailers %s'.", s.name)
		case last == "":
			last = s.name
		}
	}
	if last != "" && !all.scripts && l.Starting() {
		l.List.Warnf(ast.Pos{}, "mailers '%s' is referenced on at least one proxy but Lua mailers are not configured so the setting will be ignored. "+
			"Use 'examples/lua/mailers.lua' file for basic mailers support.", last)
	}
}
