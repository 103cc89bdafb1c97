package logger

import (
	"slices"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of logs and the aliases of log formats.
var Domain = config.Domain{
	Name:     "log",
	Commands: commands(),
	Aliases:  aliases,
	Fetches:  fetches,
	Sections: []config.Section{ringSection(), forwardSection(), profileSection()},
	Actions:  []config.Action{doLog()},
	Keywords: slices.Concat(ringKeywords(), forwardKeywords(), profileKeywords(), []config.Keyword{
		{
			Doc: keyword.Doc{Name: "log", Ref: "4.2", Summary: "where logs go",
				Args: []keyword.Arg{
					{Name: "target", Type: keyword.Addr, Doc: "an address, stdout, stderr, fd@<n>, ring@<name>, backend@<name>; in a proxy also global, which takes those of the global section"},
					{Name: "len", Type: keyword.Int, Opt: true, Joined: true, Default: "1024", Doc: "bytes of a message: 80 to 65535"},
					{Name: "format", Type: keyword.Enum, Opt: true, Joined: true,
						Enum: []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"}},
					{Name: "sample", Type: keyword.Opaque, Opt: true, Joined: true, Doc: "<range>[,<range>...]:<size>: which of every size messages are sent"},
					{Name: "facility", Type: keyword.Enum, Enum: facilities},
					{Name: "level", Type: keyword.Enum, Opt: true, Enum: levels, Default: "debug", Doc: "the least severe one that is sent"},
					{Name: "minlevel", Type: keyword.Enum, Opt: true, Enum: levels, Default: "emerg", Doc: "the most severe one that is shown"},
				},
				Examples: []keyword.Example{
					{Config: "global\n  log 127.0.0.1:514 local0\n"},
					{Config: "global\n  log stdout format raw local0 info\n"},
					{Config: "global\n  log /dev/log len 4096 format rfc5424 sample 1,3-4:10 local0 notice err\n"},
					{Config: "global\n  log stderr local0\ndefaults\n  log global\n"},
					{Config: "frontend f\n  bind :8080\n  log backend@logs local0\nbackend logs\n  mode log\n  balance roundrobin\n  server a udp@127.0.0.1:514\n  server b udp@127.0.0.1:515\n"},
				}},
			In: config.Global | config.Proxies, No: true, Parse: parseLog,
		},
		{
			Doc: keyword.Doc{Name: "log-format", Ref: "8.2", Summary: "what is logged about each request or connection",
				Args:     []keyword.Arg{{Name: "format", Type: keyword.LogFormat}},
				Examples: []keyword.Example{{Config: "frontend f\n  log stderr local0\n  bind :8080\n  mode http\n  log-format \"%ci %HM %HU %ST\"\n"}}},
			In: config.Proxies, Parse: parseFormat,
		},
		{
			Doc: keyword.Doc{Name: "log-format-sd", Ref: "8.2", Summary: "structured data of log messages in the format rfc5424",
				Args:     []keyword.Arg{{Name: "format", Type: keyword.LogFormat}},
				Examples: []keyword.Example{{Config: "frontend f\n  log stderr format rfc5424 local0\n  bind :8080\n  log-format \"%ci\"\n  log-format-sd \"%{+Q,+E}o[x@1 ip=%ci]\"\n"}}},
			In: config.Proxies, Parse: parseFormat,
		},
		{
			Doc: keyword.Doc{Name: "error-log-format", Ref: "8.2.5", Summary: "what is logged about connections that failed before a request was read",
				Args:     []keyword.Arg{{Name: "format", Type: keyword.LogFormat}},
				Examples: []keyword.Example{{Config: "frontend f\n  log stderr local0\n  bind :8080\n  error-log-format \"%ci failed\"\n"}}},
			In: config.Proxies, Parse: parseFormat,
		},
		{
			Doc: keyword.Doc{Name: "log-tag", Ref: "4.2", Summary: "the tag in syslog headers",
				Args:     []keyword.Arg{{Name: "tag", Type: keyword.Str, Default: "the one of the global section"}},
				Examples: []keyword.Example{{Config: "frontend f\n  log stderr local0\n  log-tag web\n  bind :8080\n"}}},
			In: config.Proxies, Parse: parseTag,
		},
	}),
	Options: []config.Option{
		formatOption("httplog", "log requests with all that is known of them", HTTPFormat, HTTPCLFFormat),
		formatOption("tcplog", "log connections with all that is known of them", TCPFormat, TCPCLFFormat),
		formatOption("httpslog", "log requests with what is known of their TLS connections", HTTPSFormat, ""),
	},
	ServerWords: serverWords(),
	CheckMode:   checkMode,
	CheckEnd:    checkBackend,
	Check: func(l *config.Loader) {
		checkForwards(l)
		resolveTargets(l)
		finishRings(l)
	},
}

func parseLog(l *config.Loader, line *ast.Line) {
	if l.Proxy == nil {
		readTarget(l, line, &l.Config.Global.Logs, true)
	} else {
		readTarget(l, line, &l.Proxy.Logs, false)
	}
}

// ReadTarget reads a "log" line of a section that is no proxy; px has the logs.
func ReadTarget(l *config.Loader, line *ast.Line, px *runtime.Proxy) {
	readTarget(l, line, &px.Logs, false)
}

func readTarget(l *config.Loader, line *ast.Line, logs *[]*runtime.LogTarget, global bool) {
	switch {
	case line.Modifier == ast.No:
		if line.Arg(1) != "" {
			l.Alert(line.Pos, "%s : 'no log' does not expect arguments", line.Arg(0))
			return
		}
		*logs = nil
	case line.Arg(1) == "global" && line.Arg(2) == "":
		if global {
			l.Alert(line.Pos, "%s : 'global' is not supported for a global syslog server", line.Arg(0))
			return
		}
		for _, t := range l.Config.Global.Logs {
			if !contains(*logs, t) {
				*logs = append(*logs, t)
			}
		}
	default:
		t, err := parseTarget(line.Texts(nil, 1), global, func(text string) (runtime.Addr, bool, error) {
			a, err := l.Address(text, config.AddrResolve|config.AddrPort|config.AddrRawFD|config.AddrDgram|config.AddrStream|config.AddrDgramFirst, "")
			return a.Addr, !a.Dgram, err
		})
		if err != nil {
			l.Alert(line.Pos, "%s : %s", line.Arg(0), err)
			return
		}
		t.File, t.Line = line.Pos.File, line.Pos.Line
		*logs = append(*logs, t)
	}
}

func contains(logs []*runtime.LogTarget, t *runtime.LogTarget) bool {
	for _, x := range logs {
		if x == t {
			return true
		}
	}
	return false
}

func parseFormat(l *config.Loader, line *ast.Line) {
	px, word := l.Proxy, line.Arg(0)
	switch {
	case line.Arg(1) == "":
		l.Alert(line.Pos, "%s expects an argument.", word)
		return
	case line.Arg(2) != "":
		l.Alert(line.Pos, "%s expects only one argument, don't forget to escape spaces!", word)
		return
	}
	f := runtime.LineFormat{Text: line.Arg(1), File: line.Pos.File, Line: line.Pos.Line}
	switch word {
	case "log-format":
		warnOverride(l, line, word)
		px.LogFormat = f
	case "log-format-sd":
		px.LogFormatSD = f
	default:
		if px.ErrorFormat.Text != "" && l.InDefaults() {
			l.WarnTight(line.Pos, "'%s' overrides previous '%s' in 'defaults' section.", word, word)
		}
		px.ErrorFormat = f
	}
	warnBackend(l, line, word)
}

// warnOverride warns about a format that replaces another one of the same defaults section.
func warnOverride(l *config.Loader, line *ast.Line, what string) {
	if old := l.Proxy.LogFormat.Text; old != "" && l.InDefaults() {
		l.WarnTight(line.Pos, "'%s' overrides previous '%s' in 'defaults' section.", what, lineOf(old))
	}
}

func warnBackend(l *config.Loader, line *ast.Line, what string) {
	if l.Proxy.Caps&(runtime.CapDefaults|runtime.CapFront) == 0 {
		l.Warn(line.Pos, "backend '%s' : '%s' directive is ignored in backends.", l.Proxy.Name, what)
	}
}

// formatOption is the row of an option that sets the format; clf is the one of its
// argument "clf", empty when it has none.
func formatOption(name, summary, format, clf string) config.Option {
	o := config.Option{
		Doc: keyword.Doc{Name: name, Ref: "4.2", Summary: summary,
			Examples: []keyword.Example{{Config: "frontend f\n  log stderr local0\n  bind :8080\n  mode http\n  option " + name + "\n"}}},
		Caps: runtime.CapFront,
	}
	if clf != "" {
		o.Args = []keyword.Arg{{Name: "clf", Type: keyword.Flag, Opt: true, Doc: "in the Common Log Format"}}
	}
	o.Parse = func(l *config.Loader, line *ast.Line) {
		f, what := format, "option "+name
		if arg := line.Arg(2); arg != "" && clf != "" {
			if arg != "clf" {
				l.Alert(line.Pos, "keyword '%s' only supports option 'clf'.", name)
				return
			}
			f, what = clf, what+" clf"
			if l.TooMany(line, 2, 1) {
				return
			}
		}
		warnOverride(l, line, what)
		l.Proxy.LogFormat = runtime.LineFormat{Text: f, File: line.Pos.File, Line: line.Pos.Line}
		warnBackend(l, line, "option "+name)
	}
	return o
}

func parseTag(l *config.Loader, line *ast.Line) {
	switch {
	case line.Arg(1) == "":
		l.Alert(line.Pos, "'log-tag' expects a tag for use in syslog.")
	default:
		l.Proxy.LogTag = line.Arg(1)
	}
}

// checkMode takes back formats that need HTTP mode.
func checkMode(l *config.Loader, px *runtime.Proxy) {
	if px.Mode == runtime.ModeHTTP {
		return
	}
	f := &px.LogFormat
	to := TCPFormat
	switch f.Text {
	case HTTPCLFFormat:
		to = TCPCLFFormat
	case HTTPFormat, HTTPSFormat:
	default:
		return
	}
	l.Warn(ast.Pos{File: f.File, Line: f.Line}, "'%s' not usable with %s '%s' (needs 'mode http'). Falling back to '%s'.",
		lineOf(f.Text), px.Kind, px.Name, lineOf(to))
	f.Text = to
}
