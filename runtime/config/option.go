package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// optionKeyword is the row of "option", whose words have a table of their own.
func optionKeyword() Keyword {
	return withNo(onProxy("option", "4.2", "a switch", []keyword.Arg{{Name: "option", Type: keyword.Opaque}}, readOption))
}

func readOption(l *Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
		return
	}
	row := l.Tables.Options.Get(name)
	if row == nil {
		l.unknownOption(line)
		return
	}
	if row.Parse != nil {
		if line.Modifier != ast.Plain && !row.No {
			l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", name)
			return
		}
		row.Parse(l, line)
	} else if row.Flag != 0 || row.Status != keyword.Missing {
		l.plainOption(row, line)
	}
	if row.Status == keyword.Missing && line.Modifier == ast.Plain {
		l.Missing(line.Pos, "option "+name)
	}
}

func (l *Loader) unknownOption(line *ast.Line) {
	name := line.Arg(1)
	if line.Modifier != ast.Plain {
		l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", name)
		return
	}
	hint := "."
	if best := keyword.Suggest(name, suggestedOptions); best != "" {
		hint = fmt.Sprintf("; did you mean '%s' maybe ?", best)
	}
	l.Alert(line.Pos, "unknown option '%s'%s", name, hint)
}

// plainOption sets or clears a switch.
func (l *Loader) plainOption(row *Option, line *ast.Line) {
	if l.TooMany(line, 2, 0) {
		return
	}
	if l.IgnoredWithout(row.Caps, line.Pos, line.Arg(1), "") {
		l.unknownOption(line) // the reference goes on looking for it
		return
	}
	px := l.Proxy
	px.Options &^= row.Flag
	px.NoOptions &^= row.Flag
	switch line.Modifier {
	case ast.Plain:
		px.Options |= row.Flag
	case ast.No:
		px.NoOptions |= row.Flag
	}
}

// plain is the row of a switch.
func plain(name, summary string, caps runtime.Cap, flag runtime.Option) Option {
	return Option{Doc: doc(name, "4.2", summary), Caps: caps, Flag: flag}
}

// plainHTTP is the row of a switch that has no meaning outside of HTTP.
func plainHTTP(name, summary string, caps runtime.Cap, flag runtime.Option) Option {
	o := plain(name, summary, caps, flag)
	o.HTTP = true
	return o
}

func options() []Option {
	const (
		fe   = runtime.CapFront
		be   = runtime.CapBack
		both = runtime.CapListen
	)
	inertly := func(o Option, note string) Option { o.Status, o.Note = keyword.Inert, note; return o }
	return []Option{
		plain("abortonclose", "drop requests of clients that have gone", both, runtime.OptAbortOnClose),
		plain("allbackups", "use all backup servers at once", be, runtime.OptAllBackups),
		plainHTTP("checkcache", "refuse responses whose cookies could be cached", be, runtime.OptCheckCache),
		plain("clitcpka", "TCP keep-alive towards clients", fe, runtime.OptCliTCPKA),
		inertly(plain("contstats", "count bytes while they pass", fe, runtime.OptContStats), "bytes are always counted while they pass"),
		plain("dontlognull", "do not log connections without data", fe, runtime.OptDontLogNull),
		plainHTTP("http-buffer-request", "wait for the body before the rules", both, runtime.OptBufferRequest),
		plainHTTP("http-drop-request-trailers", "drop trailers of requests", be, runtime.OptDropRequestTrailers),
		plainHTTP("http-drop-response-trailers", "drop trailers of responses", fe, runtime.OptDropResponseTrailers),
		plainHTTP("http-ignore-probes", "neither log nor answer connections without a request", fe, runtime.OptIgnoreProbes),
		plainHTTP("idle-close-on-response", "close idle connections only with a response while stopping", fe, runtime.OptIdleCloseOnResponse),
		plainHTTP("prefer-last-server", "send requests of a connection to the same server", be, runtime.OptPreferLastServer),
		plain("logasap", "log before the data is transferred", fe, runtime.OptLogAsap),
		plain("nolinger", "reset connections instead of closing them", both, runtime.OptNoLinger),
		plain("persist", "use the server of the cookie though it is down", be, runtime.OptPersist),
		plain("srvtcpka", "TCP keep-alive towards servers", be, runtime.OptSrvTCPKA),
		plain("splice-request", "let the kernel pass on what clients send", both, runtime.OptSpliceRequest),
		plain("splice-response", "let the kernel pass on what servers send", both, runtime.OptSpliceResponse),
		plain("splice-auto", "let the kernel pass on what comes in bulk", both, runtime.OptSpliceAuto),
		plainHTTP("accept-unsafe-violations-in-http-request", "accept malformed requests", fe, runtime.OptAcceptUnsafeRequest),
		plainHTTP("accept-unsafe-violations-in-http-response", "accept malformed responses", be, runtime.OptAcceptUnsafeResponse),
		plain("dontlog-normal", "log only what went wrong", fe, runtime.OptDontLogNormal),
		plain("log-separate-errors", "log errors at a higher level", fe, runtime.OptLogSeparateErrors),
		plain("log-health-checks", "log changes of the results of checks", be, runtime.OptLogHealth),
		plain("socket-stats", "statistics of each listener", fe, runtime.OptSocketStats),
		inertly(plain("tcp-smart-accept", "delay the first acknowledgement of a client", fe, runtime.OptTCPSmartAccept), "acknowledgements are left to the kernel"),
		inertly(plain("tcp-smart-connect", "delay the first acknowledgement towards a server", be, runtime.OptTCPSmartConnect), "acknowledgements are left to the kernel"),
		plain("independent-streams", "data of one direction does not refresh the other's timeout", both, runtime.OptIndependent),
		plainHTTP("http-use-proxy-header", "obey Proxy-Connection", fe, runtime.OptUseProxyHeader),
		plainHTTP("http-pretend-keepalive", "announce keep-alive to servers and close", be, runtime.OptPretendKeepAlive),
		inertly(plainHTTP("http-no-delay", "send headers and chunks at once", both, runtime.OptNoDelay), "what there is to send always leaves at once"),
		plainHTTP("disable-h2-upgrade", "do not switch to HTTP/2 on its preface", fe, runtime.OptDisableH2Upgrade),
		plain("h1-case-adjust-bogus-client", "header names with capitals, as h1-case-adjust says, towards clients", fe, runtime.OptH1AdjustClients),
		plain("h1-case-adjust-bogus-server", "header names with capitals, as h1-case-adjust says, towards servers", be, runtime.OptH1AdjustServers),

		httpModeOption("httpclose", "close connections after each response", runtime.CloseBoth),
		httpModeOption("http-server-close", "close server connections after each response", runtime.ServerClose),
		httpModeOption("http-keep-alive", "keep connections on both sides", runtime.KeepAlive),
		{Doc: doc("redispatch", "4.2", "let a request leave a server that cannot be reached"), No: true, Parse: redispatch},
		{Doc: doc("tcpka", "4.2", "TCP keep-alive on both sides"), Parse: tcpKeepalive},
		{Doc: doc("forwardfor", "4.2", "tell servers the client's address"), Parse: forwardFor},
		{Doc: doc("originalto", "4.2", "tell servers the address that the client connected to"), Parse: originalTo},
		{Doc: doc("http-restrict-req-hdr-names", "4.2", "what happens to requests with unusual header names"), Parse: restrictNames},
		{Doc: doc("accept-invalid-http-request", "4.2", "former name of accept-unsafe-violations-in-http-request"), Parse: acceptInvalid(fe, runtime.OptAcceptUnsafeRequest, "request")},
		{Doc: doc("accept-invalid-http-response", "4.2", "former name of accept-unsafe-violations-in-http-response"), Parse: acceptInvalid(be, runtime.OptAcceptUnsafeResponse, "response")},
		{Doc: doc("transparent", "4.2", "connect to where the client wanted to"), Caps: be, No: true, Parse: func(l *Loader, line *ast.Line) {
			if l.TooMany(line, 2, 0) {
				return
			}
			if l.IgnoredWithout(be, line.Pos, line.Arg(1), "") {
				l.unknownOption(line)
				return
			}
			l.state(l.Proxy).transparent = line.Modifier == ast.Plain
			l.warnTransparent(line.Pos, "option '"+line.Arg(1)+"'")
		}},
		logOption("assume-rfc6587-ntf", "messages end with a line feed"),
		logOption("dont-parse-log", "pass messages on as they are"),
		{Doc: keyword.Doc{Name: "use-small-buffers", Ref: "4.2", Summary: "take smaller buffers where they do", Status: keyword.Inert, Note: "buffers have one size"}, No: true, Parse: smallBuffers},
	}
}

// logOption is an option of what receives syslog messages. Other frontends take it too, and it
// means nothing there.
func logOption(name, summary string) Option {
	return Option{Doc: keyword.Doc{Name: name, Ref: "10.1", Summary: summary, Status: keyword.Inert, Note: "frontends receive no messages"}, No: true, Parse: func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 2, 0) && l.IgnoredWithout(runtime.CapFront, line.Pos, name, "") {
			l.unknownOption(line)
		}
	}}
}

// httpModeOption is one of the ways to keep connections: they override each other,
// and "no" goes back to the default only from the same one.
func httpModeOption(name, summary string, m runtime.HTTPMode) Option {
	return Option{Doc: doc(name, "4.2", summary), No: true, Parse: func(l *Loader, line *ast.Line) {
		switch {
		case l.TooMany(line, 2, 0):
		case line.Modifier == ast.Plain:
			l.Proxy.HTTP = m
		case line.Modifier == ast.No:
			if l.Proxy.HTTP == m {
				l.Proxy.HTTP = runtime.KeepAlive
			}
		default:
			l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", name)
		}
	}}
}

func redispatch(l *Loader, line *ast.Line) {
	if l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(1), "") {
		return
	}
	px := l.Proxy
	px.NoOptions &^= runtime.OptRedispatch
	px.Options &^= runtime.OptRedispatch
	switch line.Modifier {
	case ast.Plain:
		px.Options |= runtime.OptRedispatch
		px.RedispatchAfter = -1
		if line.Arg(2) != "" {
			if px.RedispatchAfter = atol(line.Arg(2)); px.RedispatchAfter == 0 {
				px.Options &^= runtime.OptRedispatch
			}
		}
	case ast.No:
		px.NoOptions |= runtime.OptRedispatch
		px.RedispatchAfter = 0
	}
}

func tcpKeepalive(l *Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapListen, line.Pos, line.Arg(1), "")
	if l.TooMany(line, 2, 0) {
		return
	}
	if l.Proxy.Caps&runtime.CapFront != 0 {
		l.Proxy.Options |= runtime.OptCliTCPKA
	}
	if l.Proxy.Caps&runtime.CapBack != 0 {
		l.Proxy.Options |= runtime.OptSrvTCPKA
	}
}

func forwardFor(l *Loader, line *ast.Line) {
	l.addressHeader(line, &l.Proxy.ForwardedFor, "x-forwarded-for", true)
}

func originalTo(l *Loader, line *ast.Line) {
	l.addressHeader(line, &l.Proxy.OriginalTo, "x-original-to", false)
}

// addressHeader reads the arguments of forwardfor and originalto.
func (l *Loader) addressHeader(line *ast.Line, ff *runtime.ForwardFor, name string, ifNone bool) {
	*ff = runtime.ForwardFor{On: true, Header: name, Name: name}
	what := "option " + line.Arg(1)
	w := NewWords(line, 2)
	for !w.Done() {
		switch word := w.Take(); {
		case word == "except":
			net, ok := l.network(w.Take())
			if !ok {
				l.Alert(line.Pos, "'%s except' expects <address>[/mask] as argument.", what)
				return
			}
			ff.Except = net
		case word == "header":
			if ff.Name = w.Take(); ff.Name == "" {
				l.Alert(line.Pos, "'%s header' expects <header_name> as argument.", what)
				return
			}
			ff.Header = strings.ToLower(ff.Name)
		case word == "if-none" && ifNone:
			ff.IfNone = true
		case ifNone:
			l.Alert(line.Pos, "'%s' only supports optional values: 'except', 'header' and 'if-none'.", what)
			return
		default:
			l.Alert(line.Pos, "'%s' only supports optional values: 'except' and 'header'.", what)
			return
		}
	}
}

// network reads an address, or the name of one, with an optional mask, written as a
// length or dotted.
func (l *Loader) network(text string) (netip.Prefix, bool) {
	host, mask, masked := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(host)
	if err != nil {
		var found bool
		if ip, found = l.lookUpOnce(host, runtime.FamilyIPv4); !found {
			return netip.Prefix{}, false
		}
	}
	if ip.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := ip.BitLen()
	if masked {
		n, err := strconv.Atoi(mask)
		if err != nil {
			dotted, err := netip.ParseAddr(mask)
			if err != nil || !dotted.Is4() || !ip.Is4() {
				return netip.Prefix{}, false
			}
			n = 0
			for _, b := range dotted.AsSlice() {
				for ; b&0x80 != 0; b <<= 1 {
					n++
				}
			}
		}
		bits = n
	}
	p, err := ip.Prefix(bits)
	return p, err == nil
}

func restrictNames(l *Loader, line *ast.Line) {
	if l.TooMany(line, 1, 2) {
		return
	}
	names := map[string]runtime.HeaderNames{"preserve": runtime.HeaderNamesPreserve, "reject": runtime.HeaderNamesReject, "delete": runtime.HeaderNamesDelete}
	value := line.Arg(2)
	if value == "" {
		l.Alert(line.Pos, "missing parameter. option '%s' expects 'preserve', 'reject' or 'delete' option.", line.Arg(1))
		return
	}
	l.Proxy.HeaderNames = names[value]
	if names[value] == runtime.HeaderNamesUnset {
		l.Alert(line.Pos, "invalid parameter '%s'. option '%s' expects 'preserve', 'reject' or 'delete' option.", value, line.Arg(1))
	}
}

func acceptInvalid(caps runtime.Cap, flag runtime.Option, direction string) func(*Loader, *ast.Line) {
	return func(l *Loader, line *ast.Line) {
		if l.TooMany(line, 2, 0) || l.IgnoredWithout(caps, line.Pos, line.Arg(1), "") {
			return
		}
		l.WarnTight(line.Pos, "option '%s' is deprecated. please use 'option accept-unsafe-violations-in-http-%s' if absolutely needed.", line.Arg(1), direction)
		l.Proxy.NoOptions &^= flag
		l.Proxy.Options |= flag
	}
}

func smallBuffers(l *Loader, line *ast.Line) {
	if l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(1), "") {
		return
	}
	for _, word := range line.Texts(nil, 2) {
		switch word {
		case "queue", "l7-retries", "check":
		default:
			l.Alert(line.Pos, "invalid parameter '%s'. option '%s' expects 'queue', 'l7-retries' or 'check' value.", word, line.Arg(1))
			return
		}
	}
}

// warnTransparent is said of the option and of the keyword.
func (l *Loader) warnTransparent(pos ast.Pos, what string) {
	if l.Deprecated() {
		l.WarnTight(pos, "%s is deprecated in 3.3 and will be removed in 3.5. "+
			"The modern way to do the same is to create a server with address 0.0.0.0. It is "+
			"still possible to silence this warning by setting 'expose-deprecated-directives' "+
			"in the 'global' section, but do not wait to fix your configuration!", what)
	}
}
