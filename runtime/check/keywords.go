package check

import (
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the keywords of health checks.
var Domain = config.Domain{
	Name:         "check",
	Inherit:      inheritSettings,
	CheckLines:   checkLines,
	CheckProxy:   checkProxy,
	FinishServer: finishServer,
	CheckServer:  checkServer,
	CheckEnd:     diagnosePools,
	Sections:     []config.Section{healthcheckSection()},
	ServerWords:  serverWords(),
	Keywords: append(append(healthcheckKeywords(), programKeywords()...), []config.Keyword{
		{
			Doc: keyword.Doc{Name: "tcp-check", Ref: "4.2", Summary: "one step of the health check",
				Args: []keyword.Arg{{Name: "step", Type: keyword.Opaque, Many: true,
					Doc: "connect, send, send-lf, send-binary, send-binary-lf, expect, comment, set-var, set-var-fmt, unset-var"}},
				Examples: []keyword.Example{
					{Config: "backend b\n  option tcp-check\n  tcp-check connect port 6379\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG\n  server s 127.0.0.1:6379 check\n"},
					{Config: "backend b\n  option tcp-check\n  tcp-check expect ! rstring ^-ERR\n  tcp-check expect string +OK comment ready\n  server s 127.0.0.1:6379 check\n"},
				}},
			In: config.Proxies, Parse: parseTCPCheck,
		},
		{
			Doc: keyword.Doc{Name: "http-check", Ref: "4.2", Summary: "one step of the HTTP health check",
				Args: []keyword.Arg{{Name: "step", Type: keyword.Opaque, Many: true,
					Doc: "connect, send, expect, comment, disable-on-404, send-state, set-var, set-var-fmt, unset-var"}},
				Examples: []keyword.Example{
					{Config: "backend b\n  mode http\n  option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr host www.example.org\n  http-check expect status 200-299\n  server s 127.0.0.1:80 check\n"},
					{Config: "backend b\n  mode http\n  option httpchk GET /alive\n  http-check disable-on-404\n  http-check expect rstring ^ok\n  server s 127.0.0.1:80 check\n"},
				}},
			In: config.Proxies, Parse: parseHTTPCheck,
		},
		{
			Doc: keyword.Doc{Name: "tune.max-checks-per-thread", Ref: "3.2", Summary: "health checks under way at once on a thread",
				Args:     []keyword.Arg{{Name: "number", Type: keyword.Uint, Default: "0", Doc: "0: no limit"}},
				Examples: []keyword.Example{{Config: "global\n  tune.max-checks-per-thread 100\n"}}},
			In: config.Global, Parse: parseMaxChecks,
		},
	}...),
	Options: append([]config.Option{externalOption()}, []config.Option{
		option("tcp-check", "check by steps of its own, or just a connection", nil, "", parseOptionTCP),
		option("httpchk", "check by an HTTP request", []keyword.Arg{
			{Name: "method", Type: keyword.Str, Opt: true, Default: "OPTIONS"}, {Name: "uri", Type: keyword.Str, Opt: true, Default: "/"},
			{Name: "version", Type: keyword.Str, Opt: true, Default: "HTTP/1.0"}, {Name: "host", Type: keyword.LogFormat, Opt: true},
		}, " GET /health HTTP/1.1 www.example.org", parseOptionHTTP),
		option("ssl-hello-chk", "check by an SSLv3 hello", nil, "", parseSSLHello),
		option("smtpchk", "check by a greeting of SMTP", []keyword.Arg{
			{Name: "hello", Type: keyword.Enum, Enum: []string{"HELO", "EHLO"}, Opt: true}, {Name: "name", Type: keyword.Str, Opt: true},
		}, " EHLO mail.example.org", parseSMTP),
		option("pgsql-check", "check by the start of a PostgreSQL session", []keyword.Arg{{Name: "user", Type: keyword.Str, Joined: true}}, " user haproxy", parsePostgres),
		option("redis-check", "check by a PING of Redis", nil, "", parseRedis),
		option("mysql-check", "check by the start of a MySQL session", []keyword.Arg{
			{Name: "user", Type: keyword.Str, Joined: true, Opt: true},
			{Name: "version", Type: keyword.Enum, Enum: []string{"pre-41", "post-41", "post-80"}, Opt: true, Default: "post-41"},
		}, " user haproxy post-80", parseMySQL),
		option("spop-check", "check by a greeting of SPOP", nil, "", parseSPOP),
		option("ldap-check", "check by an anonymous bind of LDAP", nil, "", parseLDAP),
	}...),
}

func option(name, summary string, args []keyword.Arg, example string, parse func(*config.Loader, *ast.Line)) config.Option {
	return config.Option{
		Doc: keyword.Doc{Name: name, Ref: "4.2", Summary: summary, Args: args,
			Examples: []keyword.Example{{Config: "backend b\n  option " + name + example + "\n  server s 127.0.0.1:80 check\n"}}},
		Caps: runtime.CapBack, Parse: parse,
	}
}

func parseMaxChecks(l *config.Loader, line *ast.Line) {
	if !l.TooMany(line, 1, 1) {
		l.Config.Global.Tune.MaxChecks = int(leading(line.Arg(1)))
	}
}
