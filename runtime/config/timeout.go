package config

import (
	"time"

	"hapax/parser/ast"
	"hapax/runtime"
)

// timeoutKeywords are the 12 timeouts of a proxy. Section 4.2 "timeout".
func timeoutKeywords() []Keyword {
	const (
		fe   = runtime.CapFront
		be   = runtime.CapBack
		both = runtime.CapListen
	)
	return []Keyword{
		timeout("client", "longest inactivity of the client", fe, func(t *runtime.Timeouts) *time.Duration { return &t.Client }),
		timeout("client-fin", "longest inactivity of a half-closed client", fe, func(t *runtime.Timeouts) *time.Duration { return &t.ClientFin }),
		timeout("client-hs", "longest time of a client's handshakes", fe, func(t *runtime.Timeouts) *time.Duration { return &t.ClientHandshake }),
		timeout("http-keep-alive", "longest wait for the next request", both, func(t *runtime.Timeouts) *time.Duration { return &t.KeepAlive }),
		timeout("http-request", "longest wait for a complete request head", both, func(t *runtime.Timeouts) *time.Duration { return &t.Request }),
		timeout("tarpit", "how long tarpitted requests are held", both, func(t *runtime.Timeouts) *time.Duration { return &t.Tarpit }),
		timeout("server", "longest inactivity of the server", be, func(t *runtime.Timeouts) *time.Duration { return &t.Server }),
		timeout("server-fin", "longest inactivity of a half-closed server", be, func(t *runtime.Timeouts) *time.Duration { return &t.ServerFin }),
		timeout("connect", "longest time of a connection attempt", be, func(t *runtime.Timeouts) *time.Duration { return &t.Connect }),
		timeout("check", "longest time of a health check past the connection", be, func(t *runtime.Timeouts) *time.Duration { return &t.Check }),
		timeout("queue", "longest wait for a free slot of a server", be, func(t *runtime.Timeouts) *time.Duration { return &t.Queue }),
		timeout("tunnel", "longest inactivity of a tunnel", be, func(t *runtime.Timeouts) *time.Duration { return &t.Tunnel }),
		onProxy("timeout", "4.2", "a timeout", nil, unknownTimeout),
	}
}

func unknownTimeout(l *Loader, line *ast.Line) {
	switch line.Arg(1) {
	case "clitimeout", "srvtimeout", "contimeout":
		event := map[string]string{"clitimeout": "client", "srvtimeout": "server", "contimeout": "connect"}[line.Arg(1)]
		l.Alert(line.Pos, "the '%s' directive is not supported anymore since HAProxy 2.1. Use 'timeout %s'.", line.Arg(1), event)
		return
	}
	l.Alert(line.Pos, "'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'handshake', 'http-keep-alive', "+
		"'http-request', 'tunnel', 'tarpit', 'client-fin' and 'server-fin' (got '%s')", line.Arg(1))
}
