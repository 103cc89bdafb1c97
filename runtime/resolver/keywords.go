// Package resolver asks name servers for the addresses of servers, again and again, and for names that rules
// want to know. Sections 5.3 and 4.4 "do-resolve".
package resolver

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of resolvers sections and those that refer to them.
var Domain = config.Domain{
	Name: "resolver",
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "resolvers", Ref: "5.3.2", Summary: "name servers, and how they are asked"},
		Kind: config.Resolvers, Start: start, End: end,
	}},
	Keywords: []config.Keyword{
		row("nameserver", "a name server", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr}}, nameServer),
		row("parse-resolv-conf", "the name servers of the system", nil, parseResolvConf),
		row("hold", "how long an answer is kept", []keyword.Arg{{Name: "status", Type: keyword.Enum, Enum: holds}, {Name: "time", Type: keyword.Time}}, hold),
		row("accepted_payload_size", "most bytes of an answer", []keyword.Arg{{Name: "bytes", Type: keyword.Int}}, payloadSize),
		row("resolution_pool_size", "not supported anymore", nil, func(l *config.Loader, line *ast.Line) {
			l.Alert(line.Pos, "'%s' directive is not supported anymore (it never appeared in a stable release).", line.Arg(0))
		}),
		row("resolve_retries", "how often a question is sent", []keyword.Arg{{Name: "number", Type: keyword.Int}}, func(l *config.Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects <nb> as argument.", line.Arg(0))
				return
			}
			config.State[sections](l).current.retries = config.Atol(line.Arg(1))
		}),
		row("timeout", "how long an answer is waited for", []keyword.Arg{{Name: "event", Type: keyword.Enum, Enum: []string{"resolve", "retry"}}, {Name: "time", Type: keyword.Time}}, timeout),
	},
	ServerWords: serverWords,
	Actions:     []config.Action{doResolve()},
	Commands:    commands,
	CopyServer:  copyServer,
	Check:       check,
}

func row(name, summary string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "5.3.2", Summary: summary, Args: args}, In: config.Resolvers, Parse: parse}
}

// holds are the answers that may be kept for a while.
var holds = []string{"nx", "other", "refused", "timeout", "valid", "obsolete"}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	all     []*Section
	current *Section // nil behind the last one
}

func (s *sections) find(name string) *Section {
	for _, one := range s.all {
		if one.Name == name {
			return one
		}
	}
	return nil
}

func start(l *config.Loader, line *ast.Line) {
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	all := config.State[sections](l)
	if known := all.find(name); known != nil {
		l.Clash(line.Pos, true, "resolvers '%s' has same name as another resolvers (declared at %s:%d).", name, known.pos.File, known.pos.Line)
		return
	}
	all.current = newSection(name, line.Pos)
	all.all = append(all.all, all.current)
	l.Know(config.Resolvers, name, line.Pos)
}

func end(l *config.Loader) { config.State[sections](l).current = nil }

func nameServer(l *config.Loader, line *ast.Line) {
	s, name := config.State[sections](l).current, line.Arg(1)
	if line.Arg(2) == "" {
		l.Alert(line.Pos, "'%s' expects <name> and <addr>[:<port>] as arguments.", line.Arg(0))
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in server name '%s'.", c, name)
		return
	}
	if at, known := s.declared[name]; known {
		l.Clash(line.Pos, false, "nameserver '%s' has same name as another nameserver (declared at %s:%d).", name, at.File, at.Line)
		return
	}
	const use = config.AddrResolve | config.AddrPort | config.AddrNeedPort | config.AddrDgram | config.AddrStream | config.AddrDgramFirst
	a, err := l.Address(line.Arg(2), use, "")
	if err != nil {
		l.Alert(line.Pos, "'%s %s' : %s", line.Arg(0), name, err)
		return
	}
	if !a.Dgram {
		before := l.List.Fatal()
		l.ServerLine(s.streams, line)
		if l.List.Fatal() > before {
			l.List.Stop()
			return
		}
		if word := line.Arg(3); word != "" {
			l.Missing(line.Pos, "nameserver "+word)
		}
	}
	s.declared[name] = line.Pos
	s.servers = append(s.servers, &nameserver{name: name, addr: a.Addr.IP, stream: !a.Dgram})
}

// resolvConf is where the system keeps its name servers.
const resolvConf = "/etc/resolv.conf"

const domainPort = 53

func parseResolvConf(l *config.Loader, line *ast.Line) {
	data, err := os.ReadFile(resolvConf)
	if err != nil {
		l.AlertTight(line.Pos, "failed to open %s.", resolvConf)
		return
	}
	if warnings := config.State[sections](l).current.addSystem(string(data)); len(warnings) > 0 {
		l.WarnTight(line.Pos, "%s", config.Indent(strings.Join(warnings, "\n")+"\n", 8))
	}
}

// addSystem adds the name servers of a file in the form of resolv.conf(5), and tells what is wrong with it.
func (s *Section) addSystem(file string) (warnings []string) {
	warn := func(n int, format string, args ...any) {
		warnings = append(warnings, fmt.Sprintf("parsing [%s:%d] : ", resolvConf, n)+fmt.Sprintf(format, args...))
	}
	for i, text := range strings.Split(file, "\n") {
		rest, found := strings.CutPrefix(text, "nameserver")
		if !found || strings.TrimLeft(rest, " \t\r") == rest && rest != "" {
			continue
		}
		words := strings.Fields(rest)
		if len(words) == 0 {
			warn(i+1, "nameserver line is missing address.")
			continue
		}
		address := words[0]
		if at, known := s.declared[address]; known {
			warnings = append(warnings, fmt.Sprintf("Parsing [%s:%d] : generated name for %s nameserver '%s' conflicts with another nameserver "+
				"(declared at %s:%d), it appears to be a duplicate and will be excluded.", resolvConf, i+1, resolvConf, address, at.File, at.Line))
			continue
		}
		ip, err := netip.ParseAddr(address)
		if err != nil {
			warn(i+1, "address '%s' could not be recognized, nameserver will be excluded.", address)
			continue
		}
		s.declared[address] = ast.Pos{File: resolvConf, Line: i + 1}
		s.servers = append(s.servers, &nameserver{name: address, addr: netip.AddrPortFrom(ip, domainPort)})
	}
	return warnings
}

func hold(l *config.Loader, line *ast.Line) {
	event, value := line.Arg(1), line.Arg(2)
	if value == "" {
		l.Alert(line.Pos, "'%s' expects an <event> and a <time> as arguments.", line.Arg(0))
		l.List.Complainf(line.Pos, "<event> can be either 'valid', 'nx', 'refused', 'timeout', or 'other'")
		return
	}
	d, ok := l.SectionTime(line.Pos, value, event, line.Arg(0))
	if !ok {
		return
	}
	for _, known := range holds {
		if event == known {
			config.State[sections](l).current.hold[event] = d
			warnSmall(l, line, d.Milliseconds())
			return
		}
	}
	l.Alert(line.Pos, "'%s' unknown <event>: '%s', expects either 'nx', 'timeout', 'valid', 'obsolete' or 'other'.", line.Arg(0), event)
}

// warnSmall is printed as an alert and refuses nothing.
func warnSmall(l *config.Loader, line *ast.Line, ms int64) {
	if config.SuspiciouslySmall(line.Arg(2)) {
		l.Complain(line.Pos, "'%s %s %d' looks suspiciously small for a value in milliseconds."+
			" Please use an explicit unit ('%dms') if that was the intent.", line.Arg(0), line.Arg(1), ms, ms)
	}
}

func payloadSize(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects <nb> as argument.", line.Arg(0))
		return
	}
	if n := config.Atol(line.Arg(1)); n < leastPayload || n > mostPayload {
		l.Alert(line.Pos, "'%s' must be between %d and %d inclusive (was %s).", line.Arg(0), leastPayload, mostPayload, line.Arg(1))
	} else {
		config.State[sections](l).current.payload = n
	}
}

func timeout(l *config.Loader, line *ast.Line) {
	switch event, value := line.Arg(1), line.Arg(2); {
	case event == "":
		l.Alert(line.Pos, "'%s' expects 'retry' or 'resolve' and <time> as arguments.", line.Arg(0))
	case event != "retry" && event != "resolve":
		l.Alert(line.Pos, "'%s' expects 'retry' or 'resolve' and <time> as arguments got '%s'.", line.Arg(0), event)
	case value == "":
		l.Alert(line.Pos, "'%s %s' expects <time> as argument.", line.Arg(0), event)
	default:
		if d, ok := l.SectionTime(line.Pos, value, value, line.Arg(0)+" "+event); ok {
			s := config.State[sections](l).current
			if event == "retry" {
				s.retry = d
			} else {
				s.resolve = d
			}
			warnSmall(l, line, d.Milliseconds())
		}
	}
}

func check(l *config.Loader) {
	all := config.State[sections](l)
	for _, s := range all.all {
		if len(s.servers) == 0 {
			l.List.Warnf(s.pos, "resolvers '%s' [%s:%d] has no nameservers configured!", s.Name, s.pos.File, s.pos.Line)
		}
	}
	for _, px := range l.Config.Proxies {
		if px.Disabled {
			continue
		}
		for _, srv := range px.Servers {
			checkServer(l, srv)
		}
	}
	l.Config.Resolvers = withDefault(all.all)
}

// checkServer looks for the section that a server names.
func checkServer(l *config.Loader, srv *runtime.Server) {
	if srv.Resolvers == "" || srv.Resolvers == defaultSection || l.Known(config.Resolvers, srv.Resolvers) {
		return
	}
	px := srv.Proxy
	l.List.Alertf(srv.Pos, "%s '%s', server '%s': unable to find required resolvers '%s'", px.Kind, px.Name, srv.Name, srv.Resolvers)
}

// defaultSection is the section that is there in any case, with the name servers of the system.
const defaultSection = "default"

func withDefault(all []*Section) []*Section {
	for _, s := range all {
		if s.Name == defaultSection {
			return all
		}
	}
	data, err := os.ReadFile(resolvConf)
	if err != nil {
		return all
	}
	own := newSection(defaultSection, ast.Pos{})
	own.addSystem(string(data))
	if len(own.servers) == 0 {
		return all
	}
	return append(all, own)
}
