package logger

import (
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Log-forward sections receive syslog messages and send them on. They are read and
// checked; nothing is received.

func forwardSection() config.Section {
	return config.Section{
		Doc:  keyword.Doc{Name: "log-forward", Ref: "10.1", Summary: "receive syslog messages and send them on", Status: keyword.Missing},
		Kind: config.LogForward, Start: startForward,
		Unknown: func(l *config.Loader, line *ast.Line) {
			l.Abort(line.Pos, "unknown keyword '%s' in log-forward section.", line.Arg(0))
		},
	}
}

func forwardKeywords() []config.Keyword {
	row := func(name, summary string, args []keyword.Arg, parse func(*config.Loader, *ast.Line)) config.Keyword {
		k := config.MissingRow(config.LogForward, name, "10.1", summary, args, parse)
		k.No = name == "log" || name == "option"
		return k
	}
	number := []keyword.Arg{{Name: "number", Type: keyword.Int}}
	address := []keyword.Arg{{Name: "address", Type: keyword.Addr}, {Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}
	return []config.Keyword{
		row("maxconn", "most connections", number, forwardNumber),
		row("backlog", "connections that wait to be accepted", number, forwardNumber),
		row("bind", "addresses of stream sockets", address, func(l *config.Loader, line *ast.Line) {
			l.BindLine(config.State[forwards](l).current, line)
		}),
		row("dgram-bind", "addresses of datagram sockets", address, dgramBind),
		row("log", "where messages go", []keyword.Arg{{Name: "target", Type: keyword.Opaque, Many: true}}, func(l *config.Loader, line *ast.Line) {
			ReadTarget(l, line, config.State[forwards](l).current)
		}),
		row("timeout", "how long a client may say nothing", []keyword.Arg{{Name: "client", Type: keyword.Time, Joined: true}}, forwardTimeout),
		row("option", "a switch", []keyword.Arg{{Name: "option", Type: keyword.Opaque, Many: true}}, forwardOption),
	}
}

// forwards is what is known of all log-forward sections while a configuration is read.
type forwards struct {
	all       []*runtime.Proxy
	current   *runtime.Proxy
	datagrams map[*runtime.Proxy]bool // with a dgram-bind line
}

func startForward(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	all := config.State[forwards](l)
	for _, other := range all.all {
		if other.Name == name {
			l.Clash(line.Pos, false, "log-forward section '%s' has the same name as another log-forward section declared at %s:%d.", name, other.Pos.File, other.Pos.Line)
			return
		}
	}
	if other := l.ProxyNamed(name); other != nil {
		l.Clash(line.Pos, false, "log forward section '%s' has the same name as %s '%s' declared at %s:%d.", name, other.Kind, other.Name, other.Pos.File, other.Pos.Line)
		return
	}
	all.current = &runtime.Proxy{Name: name, Kind: "frontend", Caps: runtime.CapFront, Mode: runtime.ModeSyslog, Pos: line.Pos}
	all.all = append(all.all, all.current)
}

func forwardNumber(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects an integer argument.", line.Arg(0))
		return
	}
	l.TooMany(line, 1, 1)
}

func dgramBind(l *config.Loader, line *ast.Line) {
	all := config.State[forwards](l)
	px := all.current
	if all.datagrams == nil {
		all.datagrams = map[*runtime.Proxy]bool{}
	}
	all.datagrams[px] = true
	for _, text := range strings.Split(line.Arg(1), ",") {
		if text == "" {
			break
		}
		const use = config.AddrResolve | config.AddrPort | config.AddrNeedPort | config.AddrPortRange | config.AddrSocket | config.AddrDgram
		if _, err := l.Address(text, use, ""); err != nil {
			l.Alert(line.Pos, "'%s %s' : %s", line.Arg(0), line.Arg(1), config.Indent(err.Error(), 2))
			return
		}
	}
	l.DatagramOptions(px, line, 2)
}

func forwardTimeout(l *config.Loader, line *ast.Line) {
	switch {
	case line.Arg(1) != "client":
		l.Alert(line.Pos, "unknown keyword '%s %s' in log-forward section.", line.Arg(0), line.Arg(1))
		return
	case line.Arg(2) == "":
		l.Alert(line.Pos, "missing timeout client value.")
		return
	}
	if _, fault := l.Time(line.Arg(2), time.Millisecond); fault != nil {
		l.Alert(line.Pos, "%s : %s", line.Arg(0), fault.About(line.Arg(2), "timeout client"))
	}
}

func forwardOption(l *config.Loader, line *ast.Line) {
	switch name := line.Arg(1); name {
	case "":
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
	case "assume-rfc6587-ntf", "dont-parse-log":
		l.TooMany(line, 2, 0)
	case "host":
		switch line.Arg(2) {
		case "replace", "fill", "keep", "append":
		default:
			l.Abort(line.Pos, "option 'host' expects {replace|fill|keep|append}.")
		}
	default:
		l.Abort(line.Pos, "unknown option '%s' in log-forward section.", name)
	}
}

// checkForwards warns about sections that receive nothing, the last one first.
func checkForwards(l *config.Loader) {
	all := config.State[forwards](l)
	for i := len(all.all) - 1; i >= 0; i-- {
		if px := all.all[i]; len(px.Listeners) == 0 && !all.datagrams[px] {
			l.List.Warnf(px.Pos, "%s '%s' has no 'bind' directive. Please declare it as a backend if this was intended.", px.Kind, px.Name)
		}
	}
}
