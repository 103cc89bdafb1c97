package logger

import (
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Log-forward sections receive syslog messages and send them on.

const forwardExample = "log-forward logs\n  bind 127.0.0.1:65500\n  dgram-bind 127.0.0.1:65500\n  backlog 10\n  maxconn 100\n  timeout client 10s\n" +
	"  option assume-rfc6587-ntf\n  option host append\n  log stdout local0\n"

// forwardMaxConn is how many connections a section takes unless it says how many.
const forwardMaxConn = 10

func forwardSection() config.Section {
	return config.Section{
		Doc: keyword.Doc{Name: "log-forward", Ref: "12.6", Summary: "receive syslog messages and send them on",
			Examples: []keyword.Example{{Config: forwardExample}}},
		Kind: config.LogForward, Start: startForward,
		Unknown: func(l *config.Loader, line *ast.Line) {
			l.Abort(line.Pos, "unknown keyword '%s' in log-forward section.", line.Arg(0))
		},
	}
}

func forwardKeywords() []config.Keyword {
	row := func(name, summary string, args []keyword.Arg, parse func(l *config.Loader, line *ast.Line, px *runtime.Proxy)) config.Keyword {
		return config.Keyword{
			Doc: keyword.Doc{Name: name, Ref: "12.6", Summary: summary, Args: args, Examples: []keyword.Example{{Config: forwardExample}}},
			In:  config.LogForward, No: name == "log" || name == "option",
			Parse: func(l *config.Loader, line *ast.Line) { parse(l, line, l.Config.Forwards[len(l.Config.Forwards)-1]) },
		}
	}
	count := func(name, summary string, set func(px *runtime.Proxy, n int)) config.Keyword {
		return row(name, summary, []keyword.Arg{{Name: "number", Type: keyword.Int}}, func(l *config.Loader, line *ast.Line, px *runtime.Proxy) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects an integer argument.", name)
				return
			}
			set(px, config.Atol(line.Arg(1)))
			l.TooMany(line, 1, 1)
		})
	}
	address := []keyword.Arg{{Name: "address", Type: keyword.Addr}, {Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}
	return []config.Keyword{
		count("maxconn", "most connections", func(px *runtime.Proxy, n int) { px.MaxConn = n }),
		count("backlog", "connections that wait to be accepted", func(px *runtime.Proxy, n int) { px.Backlog = n }),
		row("bind", "addresses of stream sockets", address, func(l *config.Loader, line *ast.Line, px *runtime.Proxy) { l.BindLine(px, line) }),
		row("dgram-bind", "addresses of datagram sockets", address, func(l *config.Loader, line *ast.Line, px *runtime.Proxy) { l.DatagramLine(px, line) }),
		row("log", "where messages go", []keyword.Arg{{Name: "target", Type: keyword.Opaque, Many: true}}, func(l *config.Loader, line *ast.Line, px *runtime.Proxy) {
			ReadTarget(l, line, px)
		}),
		row("timeout", "how long a client may say nothing", []keyword.Arg{{Name: "client", Type: keyword.Time, Joined: true}}, forwardTimeout),
		row("option", "a switch", []keyword.Arg{{Name: "option", Type: keyword.Enum, Enum: []string{"assume-rfc6587-ntf", "dont-parse-log", "host"}},
			{Name: "value", Type: keyword.Enum, Enum: []string{"replace", "fill", "keep", "append"}, Opt: true}}, forwardOption),
	}
}

func startForward(l *config.Loader, line *ast.Line) {
	name, earlier := line.Arg(1), l.Config.Forwards
	// Even where its header is refused there is a section for the lines that follow.
	l.Config.Forwards = append(earlier, &runtime.Proxy{Name: name, Kind: "frontend", Caps: runtime.CapFront, Mode: runtime.ModeSyslog,
		Pos: line.Pos, MaxConn: forwardMaxConn, Forward: &runtime.LogForward{Host: runtime.HostFill}})
	if l.TooMany(line, 1, 1) {
		return
	}
	if _, ok := l.SectionName(line); !ok {
		return
	}
	for _, other := range earlier {
		if other.Name == name {
			l.Clash(line.Pos, false, "log-forward section '%s' has the same name as another log-forward section declared at %s:%d.", name, other.Pos.File, other.Pos.Line)
			return
		}
	}
	if other := l.ProxyNamed(name); other != nil {
		l.Clash(line.Pos, false, "log forward section '%s' has the same name as %s '%s' declared at %s:%d.", name, other.Kind, other.Name, other.Pos.File, other.Pos.Line)
	}
}

func forwardTimeout(l *config.Loader, line *ast.Line, px *runtime.Proxy) {
	switch {
	case line.Arg(1) != "client":
		l.Alert(line.Pos, "unknown keyword '%s %s' in log-forward section.", line.Arg(0), line.Arg(1))
		return
	case line.Arg(2) == "":
		l.Alert(line.Pos, "missing timeout client value.")
		return
	}
	d, fault := l.Time(line.Arg(2), time.Millisecond)
	if fault != nil {
		l.Alert(line.Pos, "%s : %s", line.Arg(0), fault.About(line.Arg(2), "timeout client"))
		return
	}
	px.Timeout.Client = d
}

var hostRules = map[string]runtime.HostRule{"replace": runtime.HostReplace, "fill": runtime.HostFill, "keep": runtime.HostKeep, "append": runtime.HostAppend}

func forwardOption(l *config.Loader, line *ast.Line, px *runtime.Proxy) {
	on := line.Modifier == ast.Plain
	switch name := line.Arg(1); name {
	case "":
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
	case "assume-rfc6587-ntf":
		px.Forward.Lines = on
		l.TooMany(line, 2, 0)
	case "dont-parse-log":
		px.Forward.Bare = on
		l.TooMany(line, 2, 0)
	case "host":
		rule, ok := hostRules[line.Arg(2)]
		switch {
		case !ok:
			l.Abort(line.Pos, "option 'host' expects {replace|fill|keep|append}.")
		case on:
			px.Forward.Host = rule
		default:
			px.Forward.Host = runtime.HostKeep
		}
	default:
		l.Abort(line.Pos, "unknown option '%s' in log-forward section.", name)
	}
}

// checkForwards warns about sections that receive nothing, the last one first.
func checkForwards(l *config.Loader) {
	for i := len(l.Config.Forwards) - 1; i >= 0; i-- {
		if px := l.Config.Forwards[i]; len(px.Listeners) == 0 {
			l.List.Warnf(px.Pos, "%s '%s' has no 'bind' directive. Please declare it as a backend if this was intended.", px.Kind, px.Name)
		}
	}
}
