package config

// removedKeywords are words that HAProxy knew once: they are refused with a text that tells what to use instead.
// tight leaves the space before the colon behind the place out.
var removedKeywords = []struct {
	in    Sections
	name  string
	tight bool
	text  string
}{
	{Proxies, "appsession", false, "'appsession' is not supported anymore since HAProxy 1.6."},
	{Proxies, "block", false, "The 'block' directive is not supported anymore since HAProxy 2.1. Use 'http-request deny' which uses the exact same syntax."},
	{Proxies, "redispatch", false, "keyword 'redispatch' directive is not supported anymore since HAProxy 2.1. Use 'option redispatch'."},
	{Proxies, "redisp", false, "keyword 'redisp' directive is not supported anymore since HAProxy 2.1. Use 'option redispatch'."},
	{Proxies, "grace", true, "the 'grace' keyword is not supported any more since HAProxy version 2.5."},
	{Proxies, "bind-process", true, "'bind-process' is not supported anymore."},
	{Proxies, "cliexp", false, "The 'cliexp' directive is not supported anymore since HAProxy 2.1. Use 'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header' instead."},
	{Proxies, "reqrep", false, "The 'reqrep' directive is not supported anymore since HAProxy 2.1. Use 'http-request replace-path', 'http-request replace-uri' or 'http-request replace-header' instead."},
	{Proxies, "reqdel", false, "The 'reqdel' directive is not supported anymore since HAProxy 2.1. Use 'http-request del-header' instead."},
	{Proxies, "reqdeny", false, "The 'reqdeny' not supported anymore since HAProxy 2.1. Use 'http-request deny' instead."},
	{Proxies, "reqpass", false, "The 'reqpass' not supported anymore since HAProxy 2.1."},
	{Proxies, "reqallow", false, "The 'reqallow' directive is not supported anymore since HAProxy 2.1. Use 'http-request allow' instead."},
	{Proxies, "reqtarpit", false, "The 'reqtarpit' directive is not supported anymore since HAProxy 2.1. Use 'http-request tarpit' instead."},
	{Proxies, "reqirep", false, "The 'reqirep' directive is not supported anymore since HAProxy 2.1. Use 'http-request replace-header' instead."},
	{Proxies, "reqidel", false, "The 'reqidel' directive is not supported anymore since HAProxy 2.1. Use 'http-request del-header' instead."},
	{Proxies, "reqideny", false, "The 'reqideny' directive is not supported anymore since HAProxy 2.1. Use 'http-request deny' instead."},
	{Proxies, "reqipass", false, "The 'reqipass' directive is not supported anymore since HAProxy 2.1."},
	{Proxies, "reqiallow", false, "The 'reqiallow' directive is not supported anymore since HAProxy 2.1. Use 'http-request allow' instead."},
	{Proxies, "reqitarpit", false, "The 'reqitarpit' directive is not supported anymore since HAProxy 2.1. Use 'http-request tarpit' instead."},
	{Proxies, "reqadd", false, "The 'reqadd' directive is not supported anymore since HAProxy 2.1. Use 'http-request add-header' instead."},
	{Proxies, "srvexp", false, "The 'srvexp' directive is not supported anymore since HAProxy 2.1. Use 'http-response replace-header' instead."},
	{Proxies, "rsprep", false, "The 'rsprep' directive is not supported anymore since HAProxy 2.1. Use 'http-response replace-header' instead."},
	{Proxies, "rspdel", false, "The 'rspdel' directive is not supported anymore since HAProxy 2.1. Use 'http-response del-header' ."},
	{Proxies, "rspdeny", false, "The 'rspdeny' directive is not supported anymore since HAProxy 2.1. Use 'http-response deny' instead."},
	{Proxies, "rspirep", false, "The 'rspirep' directive is not supported anymore since HAProxy 2.1. Use 'http-response replace-header' instead."},
	{Proxies, "rspidel", false, "The 'rspidel' directive is not supported anymore since HAProxy 2.1. Use 'http-response del-header' instead."},
	{Proxies, "rspideny", false, "The 'rspideny' directive is not supported anymore since HAProxy 2.1. Use 'http-response deny' instead."},
	{Proxies, "rspadd", false, "The 'rspadd' directive is not supported anymore since HAProxy 2.1. Use 'http-response add-header' instead."},
	{Proxies, "clitimeout", false, "the 'clitimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout client'."},
	{Proxies, "srvtimeout", false, "the 'srvtimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout server'."},
	{Proxies, "contimeout", false, "the 'contimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout connect'."},
	{Global, "nbproc", false, "nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on multi-processor machines if available."},
	{Global, "tune.chksize", false, "option 'tune.chksize' is not supported any more (tune.bufsize is used instead)."},
}

// removedOptions are the same behind "option"; all are tight.
var removedOptions = []struct{ name, text string }{
	{"forceclose", "option 'forceclose' is not supported any more since HAProxy 2.0, please just remove it, or use 'option httpclose' if absolutely needed."},
	{"http-tunnel", "option 'http-tunnel' is not supported any more since HAProxy 2.1, please just remove it, it shouldn't be needed."},
	{"http_proxy", "option 'http_proxy' is not supported any more since HAProxy 2.5. This option stopped working in HAProxy 1.9 and usually had nasty side effects. It can be more reliably implemented with combinations of 'http-request set-dst' and 'http-request set-uri', and even 'http-request do-resolve' if DNS resolution is desired."},
}
