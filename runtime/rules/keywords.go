package rules

import (
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Sets of rules that share actions.
const (
	requests   = runtime.HTTPReqRules
	responses  = runtime.HTTPResRules | runtime.HTTPAfterRules
	messages   = requests | responses
	tcpRequest = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules
	tcp        = tcpRequest | runtime.TCPResRules
)

// Domain is all that rules do with messages and connections.
var Domain = config.Domain{
	Name:       "rules",
	Converters: captureConverters,
	Actions:    actions(),
	Fetches:    variableFetches,
	Keywords:   processKeywords(),
	Commands:   commands,
	Options:    []config.Option{optionForwarded()},
	CheckProxy: compileForwarded,
	CheckEnd:   checkForwarded,
}

type reader = func(*config.Loader, *config.ActionLine) (runtime.Exec, error)

func actions() []config.Action {
	var all []config.Action
	for _, some := range [][]config.Action{answers(), rewrites(), variables(), settings(), connections()} {
		all = append(all, some...)
	}
	return all
}

// row makes the row of an action. example is the words behind "http-request", or a whole rule line when it begins
// with "http-" or "tcp-".
func row(name, summary string, in runtime.RulesetKind, parse reader, example string, args ...keyword.Arg) config.Action {
	return config.Action{Doc: keyword.Doc{Name: name, Ref: "4.4", Summary: summary, Args: args,
		Examples: []keyword.Example{{Config: inFrontend(example)}}}, In: in, Parse: parse}
}

// inFrontend makes a proxy of a rule line, as examples are whole sections.
func inFrontend(rule string) string {
	return "listen l\n  mode http\n  bind 127.0.0.1:65500\n  declare capture request len 8\n  server s 127.0.0.1:1\n  " + rule + "\n"
}

func final(a config.Action) config.Action {
	a.Final = true
	return a
}

func arg(name string, t keyword.ArgType) keyword.Arg { return keyword.Arg{Name: name, Type: t} }

func opt(a keyword.Arg) keyword.Arg {
	a.Opt = true
	return a
}

func joined(name string, t keyword.ArgType) keyword.Arg {
	return keyword.Arg{Name: name, Type: t, Opt: true, Joined: true}
}

func flag(name string) keyword.Arg { return keyword.Arg{Name: name, Type: keyword.Flag, Opt: true} }

// replyArgs are the words that describe an answer.
func replyArgs() []keyword.Arg {
	return []keyword.Arg{
		joined("status", keyword.Code), joined("content-type", keyword.Str), flag("default-errorfiles"), joined("errorfile", keyword.File),
		joined("errorfiles", keyword.Name), joined("file", keyword.File), joined("lf-file", keyword.File), joined("string", keyword.Str),
		joined("lf-string", keyword.LogFormat), {Name: "hdr", Type: keyword.Opaque, Opt: true, Many: true, Joined: true, Doc: "name and format"},
	}
}

func answers() []config.Action {
	denial := append([]keyword.Arg{joined("deny_status", keyword.Code)}, replyArgs()...)
	return []config.Action{
		final(row("allow", "end the rule set", messages, parseAllow, "http-request allow if TRUE")),
		final(row("deny", "refuse the message with an error", requests|runtime.HTTPResRules, parseDeny, "http-request deny deny_status 429", denial...)),
		final(row("tarpit", "refuse the request after a time", requests, parseDeny, "http-request tarpit deny_status 429", denial...)),
		final(row("return", "answer in place of the server", requests|runtime.HTTPResRules, parseReturn,
			"http-request return status 200 content-type text/plain lf-string \"%[path]\" hdr x-by me", replyArgs()...)),
		row("redirect", "send the client elsewhere", requests|runtime.HTTPResRules, parseRedirect, "http-request redirect scheme https code 301",
			keyword.Arg{Name: "type", Type: keyword.Enum, Enum: []string{"location", "prefix", "scheme"}}, arg("target", keyword.LogFormat),
			joined("code", keyword.Code), flag("drop-query"), flag("keep-query"), flag("append-slash"), flag("ignore-empty"),
			joined("set-cookie", keyword.Str), joined("set-cookie-fmt", keyword.LogFormat), joined("clear-cookie", keyword.Str)),
		final(row("auth", "ask the client for a user and a password", requests, parseAuth, "http-request auth realm private", joined("realm", keyword.Str))),
		row("reject", "end the connection without an answer", requests, parseReject, "http-request reject if FALSE"),
		row("silent-drop", "end the connection without telling the client", requests|runtime.HTTPResRules|tcp, parseSilentDrop,
			"http-request silent-drop rst-ttl 3", keyword.Arg{Name: "rst-ttl", Type: keyword.Int, Opt: true, Joined: true, Doc: "1 to 255 hops"}),
		row("early-hint", "tell the client what it will need, before the response", requests, parseEarlyHint,
			"http-request early-hint link \"</style.css>; rel=preload; as=style\"", arg("name", keyword.Header), arg("value", keyword.LogFormat)),
		row("wait-for-body", "wait until the body is there, or some of it", requests|runtime.HTTPResRules, parseWaitForBody, "http-request wait-for-body time 1s at-least 1k",
			keyword.Arg{Name: "time", Type: keyword.Time, Joined: true}, joined("at-least", keyword.Size), flag("use-large-buffer")),
		row("pause", "wait", requests|runtime.HTTPResRules, parsePause, "http-request pause 10ms", keyword.Arg{Name: "delay", Type: keyword.Time, Doc: "or an expression in milliseconds"}),
	}
}

func rewrites() []config.Action {
	header := []keyword.Arg{arg("name", keyword.Header), arg("value", keyword.LogFormat)}
	replacement := []keyword.Arg{arg("match", keyword.Regex), arg("value", keyword.LogFormat)}
	replaceHeader := append([]keyword.Arg{arg("name", keyword.Header)}, replacement...)
	value := arg("value", keyword.LogFormat)
	normalize := row("normalize-uri", "bring the URI into a normal form", requests, parseNormalize, "http-request normalize-uri path-merge-slashes",
		keyword.Arg{Name: "normalizer", Type: keyword.Enum, Enum: []string{"fragment-encode", "fragment-strip", "path-merge-slashes", "path-strip-dot", "path-strip-dotdot",
			"percent-decode-unreserved", "percent-to-uppercase", "query-sort-by-name"}}, flag("full"), flag("strict"))
	normalize.Experimental = true
	normalize.Examples = []keyword.Example{{Config: "global\n  expose-experimental-directives\n" + inFrontend("http-request normalize-uri path-merge-slashes")}}
	return []config.Action{
		row("set-header", "replace all headers of this name by one", messages, parseSetHeader, "http-request set-header x-src %[src]", header...),
		row("add-header", "add a header", messages, parseSetHeader, "http-request add-header x-path %[path]", header...),
		row("del-header", "remove all headers of this name", messages, parseDelHeader, "http-request del-header x- -m beg",
			arg("name", keyword.Header), keyword.Arg{Name: "-m", Type: keyword.Enum, Opt: true, Joined: true, Enum: []string{"str", "beg", "end", "sub", "reg"}}),
		row("set-headers-bin", "replace headers by those of a list in the form of req.hdrs_bin", messages, parseSetHeadersBin,
			"http-request set-headers-bin var(txn.list) prefix x-", arg("list", keyword.Sample), joined("prefix", keyword.Str)),
		row("add-headers-bin", "add the headers of a list in the form of req.hdrs_bin", messages, parseSetHeadersBin,
			"http-request add-headers-bin var(txn.list)", arg("list", keyword.Sample), joined("prefix", keyword.Str)),
		row("del-headers-bin", "remove the headers that a list names", messages, parseDelHeadersBin, "http-request del-headers-bin var(txn.names) -m beg",
			arg("list", keyword.Sample), keyword.Arg{Name: "-m", Type: keyword.Enum, Opt: true, Joined: true, Enum: []string{"str", "beg", "end", "sub"}}),
		row("replace-header", "replace headers that match", messages, parseReplaceHeader, "http-request replace-header cookie foo=([^;]*);(.*) foo=\\1;ip=%[src];\\2", replaceHeader...),
		row("replace-value", "replace the comma-separated values of a header that match", messages, parseReplaceHeader, "http-request replace-value x-forwarded-for ^192\\.168\\.(.*)$ 172.16.\\1", replaceHeader...),
		row("replace-path", "replace the path if it matches", requests, parseReplaceLine, "http-request replace-path /old/(.*) /new/\\1", replacement...),
		row("replace-pathq", "replace path and query if they match", requests, parseReplaceLine, "http-request replace-pathq /old/(.*) /new/\\1", replacement...),
		row("replace-uri", "replace the URI if it matches", requests, parseReplaceLine, "http-request replace-uri ^http://(.*) https://\\1", replacement...),
		row("set-method", "replace the method", requests, parseSetLine, "http-request set-method GET", value),
		row("set-path", "replace the path", requests, parseSetLine, "http-request set-path /%[hdr(host)]%[path]", value),
		row("set-pathq", "replace path and query", requests, parseSetLine, "http-request set-pathq /x?y=1", value),
		row("set-query", "replace the query", requests, parseSetLine, "http-request set-query a=1", value),
		row("set-uri", "replace the URI", requests, parseSetLine, "http-request set-uri /x", value),
		row("set-status", "replace the status of the response", responses, parseSetStatus, "http-response set-status 503 reason \"Slow Down\"",
			arg("status", keyword.Code), joined("reason", keyword.Str)),
		normalize,
	}
}

func variables() []config.Action {
	prefix := func(a config.Action) config.Action {
		a.Prefix = true
		return a
	}
	const all = messages | tcp
	return []config.Action{
		prefix(row("set-var", "give a variable the value of an expression", all, parseSetVar, "http-request set-var(txn.host,ifnotexists) hdr(host)", arg("expr", keyword.Sample))),
		prefix(row("set-var-fmt", "give a variable a text", all, parseSetVarFmt, "http-request set-var-fmt(txn.from) %[src]:%[src_port]", arg("format", keyword.LogFormat))),
		prefix(row("unset-var", "take the value of a variable away", all, parseUnsetVar, "http-request unset-var(txn.host)")),
	}
}

func settings() []config.Action {
	nice := row("set-nice", "priority among streams", requests|runtime.HTTPResRules|runtime.TCPReqRules|runtime.TCPResRules, parseNice, "http-request set-nice 10", arg("nice", keyword.Int))
	nice.Status, nice.Note = keyword.Inert, "streams of a loop take turns"
	return []config.Action{
		row("set-log-level", "log the request at another level, or not at all", messages|runtime.TCPReqRules|runtime.TCPResRules, parseLogLevel, "http-request set-log-level silent",
			keyword.Arg{Name: "level", Type: keyword.Enum, Enum: append(append([]string{}, logLevels...), "silent")}),
		nice,
		row("set-retries", "how often a connection is tried again", requests|runtime.TCPReqRules, parseRetries, "http-request set-retries 2", keyword.Arg{Name: "retries", Type: keyword.Int, Doc: "0 to 100, or an expression"}),
		row("set-timeout", "a timeout of this stream", requests|runtime.HTTPResRules, parseTimeout, "http-request set-timeout server 5s",
			keyword.Arg{Name: "timeout", Type: keyword.Enum, Enum: []string{"client", "connect", "queue", "server", "tarpit", "tunnel"}},
			keyword.Arg{Name: "value", Type: keyword.Time, Doc: "or an expression in milliseconds"}),
		row("disable-l7-retry", "do not send the request again but for a failed connection", requests, parseNoRetry, "http-request disable-l7-retry if METH_POST"),
		row("strict-mode", "whether a failed rewrite is an error", messages, parseStrictMode, "http-request strict-mode off", keyword.Arg{Name: "mode", Type: keyword.Bool}),
		row("capture", "keep a value for the log", messages|tcpRequest, parseCapture, "http-request capture req.hdr(user-agent) len 64",
			arg("expr", keyword.Sample), joined("len", keyword.Int), joined("id", keyword.Int)),
	}
}

func connections() []config.Action {
	address := arg("expr", keyword.Sample)
	mark := keyword.Arg{Name: "mark", Type: keyword.Int, Doc: "or an expression"}
	const anyTCP = requests | runtime.HTTPResRules | tcp
	return []config.Action{
		row("set-fc-mark", "mark what is sent to the client, for routing", anyTCP, parseMark, "http-request set-fc-mark 0x10", mark),
		row("set-fc-tos", "the type of service of what is sent to the client", anyTCP, parseMark, "http-request set-fc-tos 0x20", mark),
		row("set-mark", "the same as set-fc-mark, deprecated", anyTCP, parseMark, "http-request set-mark 0x10", mark),
		row("set-tos", "the same as set-fc-tos, deprecated", anyTCP, parseMark, "http-request set-tos 0x20", mark),
		row("set-bc-mark", "mark what is sent to the server, for routing", requests|runtime.TCPReqRules, parseMark, "http-request set-bc-mark 0x10", mark),
		row("set-bc-tos", "the type of service of what is sent to the server", requests|runtime.TCPReqRules, parseMark, "http-request set-bc-tos 0x20", mark),
		final(row("accept", "end the rule set", tcp, parseAllow, "tcp-request connection accept if TRUE")),
		row("switch-mode", "go on in HTTP mode", runtime.TCPReqRules, parseSwitchMode, "tcp-request content switch-mode http if HTTP",
			keyword.Arg{Name: "mode", Type: keyword.Enum, Enum: []string{"http"}}, opt(joined("proto", keyword.Str))),
		final(row("reject", "refuse the connection", tcp, parseReject, "tcp-request connection reject if FALSE")),
		final(row("close", "close the connection to the server", runtime.TCPResRules, parseClose, "tcp-response content close if FALSE")),
		row("set-src", "the client's address", requests|tcpRequest, parseAddress, "http-request set-src req.hdr_ip(x-forwarded-for)", address),
		row("set-src-port", "the client's port", requests|tcpRequest, parseAddress, "http-request set-src-port int(1024)", address),
		row("set-dst", "the address that the client connected to", requests|tcpRequest, parseAddress, "http-request set-dst ipv4(192.0.2.1)", address),
		row("set-dst-port", "the port that the client connected to", requests|tcpRequest, parseAddress, "http-request set-dst-port int(443)", address),
	}
}

func optionForwarded() config.Option {
	return config.Option{Doc: keyword.Doc{Name: "forwarded", Ref: "4.2", Summary: "tell servers by the Forwarded header where requests came from",
		Args: []keyword.Arg{flag("proto"), flag("host"), joined("host-expr", keyword.Sample), flag("by"), joined("by-expr", keyword.Sample), flag("by_port"),
			joined("by_port-expr", keyword.Sample), flag("for"), joined("for-expr", keyword.Sample), flag("for_port"), joined("for_port-expr", keyword.Sample)},
		Examples: []keyword.Example{{Config: inFrontend("option forwarded for proto host")}}},
		No: true, Parse: parseForwarded}
}
