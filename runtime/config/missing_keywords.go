package config

// knownKeywords are the words that start a line of each section in HAProxy 3.4.0, in the order in which it compares
// them with a misspelt one: of two words that are equally close, the first is suggested. Names of sections are among
// them. The words in unlisted are never suggested.
var knownKeywords = []struct {
	in        Sections
	suggested []string
	unlisted  []string
}{
	{Global, []string{
		"tune.epoll.mask-events", "cpu-policy", "cpu-set", "cpu-affinity", "ocsp-update.disable",
		"tune.ssl.ocsp-update.maxdelay", "ocsp-update.maxdelay", "tune.ssl.ocsp-update.mindelay",
		"ocsp-update.mindelay", "ocsp-update.mode", "ocsp-update.httpproxy", "ca-base", "crt-base", "key-base",
		"issuers-chain-path", "maxsslconn", "ssl-default-bind-options", "ssl-default-server-options",
		"ssl-dh-param-file", "ssl-mode-async", "ssl-engine", "ssl-propquery", "ssl-provider",
		"ssl-provider-path", "ssl-security-level", "ssl-skip-self-issued-ca", "tune.ssl.cachesize",
		"tune.ssl.certificate-compression", "tune.ssl.default-dh-param", "tune.ssl.force-private-cache",
		"tune.ssl.lifetime", "tune.ssl.maxrecord", "tune.ssl.hard-maxrecord", "tune.ssl.ssl-ctx-cache-size",
		"tune.ssl.capture-cipherlist-size", "tune.ssl.capture-buffer-size", "tune.ssl.keylog",
		"ssl-default-bind-ciphers", "ssl-default-server-ciphers", "ssl-default-bind-curves",
		"ssl-default-server-curves", "ssl-default-bind-sigalgs", "ssl-default-server-sigalgs",
		"ssl-default-bind-client-sigalgs", "ssl-default-server-client-sigalgs",
		"ssl-default-bind-ciphersuites", "ssl-default-server-ciphersuites", "ssl-load-extra-files",
		"ssl-load-extra-del-ext", "ssl-passphrase-cmd", "acme.scheduler", "jwt.decrypt_alg_list",
		"jwt.decrypt_enc_list", "lua-prepend-path", "lua-load", "lua-load-per-thread",
		"tune.lua.session-timeout", "tune.lua.task-timeout", "tune.lua.service-timeout",
		"tune.lua.burst-timeout", "tune.lua.forced-yield", "tune.lua.maxmem", "tune.lua.log.loggers",
		"tune.lua.log.stderr", "tune.lua.bool-sample-conversion", "tune.lua.openlibs", "setcap",
		"tune.h2.be.glitches-threshold", "tune.h2.be.initial-window-size", "tune.h2.be.max-concurrent-streams",
		"tune.h2.be.max-frames-at-once", "tune.h2.be.rxbuf", "tune.h2.fe.glitches-threshold",
		"tune.h2.fe.initial-window-size", "tune.h2.fe.max-concurrent-streams", "tune.h2.fe.max-frames-at-once",
		"tune.h2.fe.max-rst-at-once", "tune.h2.fe.max-total-streams", "tune.h2.fe.rxbuf",
		"tune.h2.header-table-size", "tune.h2.initial-window-size", "tune.h2.log-errors",
		"tune.h2.max-concurrent-streams", "tune.h2.max-frame-size", "tune.h2.zero-copy-fwd-send",
		"h1-accept-payload-with-any-method", "h1-case-adjust", "h1-case-adjust-file",
		"tune.h1.be.glitches-threshold", "tune.h1.fe.glitches-threshold", "tune.h1.zero-copy-fwd-recv",
		"tune.h1.zero-copy-fwd-send", "tune.idle-pool.shared", "tune.pool-high-fd-ratio",
		"tune.pool-low-fd-ratio", "tune.stick-counters", "profiling.tasks", "default-path",
		"tune.peers.max-updates-at-once", "stats", "tune.cli.max-payload-size", "pp2-never-send-local",
		"dns-accept-family", "grace", "hard-stop-after", "close-spread-time", "tune.max-checks-per-thread",
		"tune.listener.default-shards", "tune.listener.multi-queue", "tune.applet.zero-copy-forwarding",
		"httpclient.resolvers.disabled", "httpclient.resolvers.id", "httpclient.resolvers.prefer",
		"httpclient.retries", "httpclient.timeout.connect", "httpclient.ssl.verify", "httpclient.ssl.ca-file",
		"set-var", "set-var-fmt", "tune.vars.global-max-size", "tune.vars.proc-max-size",
		"tune.vars.sess-max-size", "tune.vars.txn-max-size", "tune.vars.reqres-max-size",
		"tune.vars.check-max-size", "tune.events.max-events-at-once", "tune.fail-alloc",
		"tune.memory.hot-size", "no-memory-trimming", "chroot", "daemon", "expose-deprecated-directives",
		"expose-experimental-directives", "force-cfg-parser-pause", "harden.reject-privileged-ports.quic",
		"harden.reject-privileged-ports.tcp", "localpeer", "master-worker", "nbproc", "noepoll", "noevports",
		"nokqueue", "noktls", "nopoll", "pidfile", "prealloc-fd", "presetenv", "quiet", "resetenv", "setenv",
		"shm-stats-file", "shm-stats-file-max-objects", "stress-level", "tune.bufsize", "tune.chksize",
		"tune.comp.maxlevel", "tune.defaults.purge", "tune.disable-fast-forward",
		"tune.disable-zero-copy-forwarding", "tune.glitches.kill.cpu-usage", "tune.http.cookielen",
		"tune.http.logurilen", "tune.http.maxhdr", "tune.idletimer", "tune.max-rules-at-once",
		"tune.maxaccept", "tune.maxpollevents", "tune.maxrewrite", "tune.notsent-lowat.client",
		"tune.notsent-lowat.server", "tune.pattern.cache-size", "tune.pipesize", "tune.rcvbuf.client",
		"tune.rcvbuf.server", "tune.recv_enough", "tune.renice.runtime", "tune.renice.startup",
		"tune.runqueue-depth", "tune.sndbuf.client", "tune.sndbuf.server", "tune.streams-elasticity",
		"tune.takeover-other-tg-connections", "unsetenv", "zero-warning", "tune.pt.zero-copy-forwarding",
		"h1-do-not-close-on-insecure-transfer-encoding", "tune.fd.edge-triggered", "tune.sched.low-latency",
		"mworker-max-reloads", "tune.ring.queues", "thread-hard-limit", "nbthread", "thread-group",
		"thread-groups", "max-threads-per-group", "http-err-codes", "http-fail-codes", "tune.buffers.limit",
		"tune.buffers.reserve", "tune.bufsize.large", "tune.bufsize.small", "warn-blocked-traffic-after",
		"tune.rcvbuf.backend", "tune.rcvbuf.frontend", "tune.sndbuf.backend", "tune.sndbuf.frontend",
		"tune.quic.listen", "tune.quic.mem.tx-max", "tune.quic.zero-copy-fwd-send",
		"tune.quic.fe.cc.cubic-min-losses", "tune.quic.fe.cc.hystart", "tune.quic.fe.cc.max-frame-loss",
		"tune.quic.fe.cc.max-win-size", "tune.quic.fe.cc.reorder-ratio", "tune.quic.fe.max-idle-timeout",
		"tune.quic.fe.sec.glitches-threshold", "tune.quic.fe.sec.retry-threshold", "tune.quic.fe.sock-per-conn",
		"tune.quic.fe.stream.data-ratio", "tune.quic.fe.stream.max-concurrent", "tune.quic.fe.stream.max-total",
		"tune.quic.fe.stream.rxbuf", "tune.quic.fe.tx.pacing", "tune.quic.fe.tx.udp-gso",
		"tune.quic.be.cc.cubic-min-losses", "tune.quic.be.cc.hystart", "tune.quic.be.cc.max-frame-loss",
		"tune.quic.be.cc.max-win-size", "tune.quic.be.cc.reorder-ratio", "tune.quic.be.max-idle-timeout",
		"tune.quic.be.sec.glitches-threshold", "tune.quic.be.stream.data-ratio",
		"tune.quic.be.stream.max-concurrent", "tune.quic.be.stream.rxbuf", "tune.quic.be.tx.pacing",
		"tune.quic.be.tx.udp-gso", "tune.quic.cc-hystart", "tune.quic.cc.cubic.min-losses",
		"tune.quic.disable-tx-pacing", "tune.quic.disable-udp-gso", "tune.quic.frontend.default-max-window-size",
		"tune.quic.frontend.glitches-threshold", "tune.quic.frontend.max-data-size",
		"tune.quic.frontend.max-idle-timeout", "tune.quic.frontend.max-streams-bidi",
		"tune.quic.frontend.max-tx-mem", "tune.quic.frontend.stream-data-ratio", "tune.quic.max-frame-loss",
		"tune.quic.reorder-ratio", "tune.quic.retry-threshold", "tune.quic.socket-owner",
		"global",
		"busy-polling", "set-dumpable", "insecure-fork-wanted", "insecure-setuid-wanted", "nosplice",
		"nogetaddrinfo", "noreuseport", "uid", "gid", "external-check", "user", "group", "maxconn",
		"ssl-server-verify", "maxconnrate", "maxsessrate", "maxsslrate", "maxcomprate", "maxpipes",
		"maxzlibmem", "maxcompcpuusage", "ulimit-n", "description", "node", "unix-bind", "log",
		"log-send-hostname", "server-state-base", "server-state-file", "log-tag", "spread-checks",
		"max-spread-checks", "cpu-map", "strict-limits", "numa-cpu-mapping", "defaults", "listen", "frontend",
		"backend", "peers", "resolvers", "cluster-secret", "limited-quic", "stats-file",
	}, []string{
		"h2-workaround-bogus-websocket-clients", "fd-hard-limit", "quick-exit", "anonkey",
	}},
	{Proxies, []string{
		"ssl-f-use", "log-steps", "http-check", "tcp-check", "timeout", "clitimeout", "contimeout",
		"srvtimeout", "rate-limit", "max-keep-alive-queue", "declare", "retry-on", "hash-preserve-affinity",
		"clitcpka-cnt", "srvtcpka-cnt", "clitcpka-idle", "srvtcpka-idle", "clitcpka-intvl", "srvtcpka-intvl",
		"force-be-switch", "guid", "errorloc", "errorloc302", "errorloc303", "errorfile", "errorfiles",
		"http-error", "tcp-request", "tcp-response", "filter", "filter-sequence", "compression",
		"use-fcgi-app", "external-check", "listen", "frontend", "backend", "defaults", "server",
		"default-server", "server-template", "bind", "monitor-net", "monitor-uri", "mode", "id", "description",
		"disabled", "enabled", "acl", "dynamic-cookie-key", "cookie", "email-alert", "persist", "appsession",
		"load-server-state-from-file", "server-state-file-name", "max-session-srv-conns", "capture", "retries",
		"http-request", "http-response", "http-after-response", "http-send-name-header", "block", "redirect",
		"use_backend", "use-server", "force-persist", "ignore-persist", "stick-table", "stick", "stats",
		"option", "default_backend", "http-reuse", "monitor", "transparent", "maxconn", "backlog", "fullconn",
		"dispatch", "balance", "hash-type", "hash-balance-factor", "unique-id-format", "unique-id-header", "quic-initial",
		"log-format", "log-format-sd", "log-tag", "log", "source", "usesrc", "error-log-format",
	}, []string{
		"bind-process", "redispatch", "redisp", "grace", "cliexp", "reqrep", "reqdel", "reqdeny", "reqpass",
		"reqallow", "reqtarpit", "reqirep", "reqidel", "reqideny", "reqipass", "reqiallow", "reqitarpit",
		"reqadd", "srvexp", "rsprep", "rspdel", "rspdeny", "rspirep", "rspidel", "rspideny", "rspadd",
	}},
	{Userlist, nil, []string{
		"group", "user",
	}},
	{Peers, nil, []string{
		"bind", "default-bind", "default-server", "log", "peer", "server", "shards", "table", "disabled",
		"enabled",
	}},
	{Resolvers, nil, []string{
		"nameserver", "parse-resolv-conf", "hold", "accepted_payload_size", "resolution_pool_size",
		"resolve_retries", "timeout",
	}},
	{Mailers, nil, []string{
		"mailer", "timeout",
	}},
	{Cache, nil, []string{
		"total-max-size", "max-age", "max-object-size", "process-vary", "max-secondary-entries",
	}},
	{Ring, nil, []string{
		"size", "backing-file", "server", "timeout", "format", "maxlen", "description",
	}},
	{LogForward, []string{
		"maxconn", "backlog", "bind", "dgram-bind", "log", "timeout", "option",
	}, nil},
	{LogProfile, nil, []string{
		"log-tag", "on",
	}},
	{FCGIApp, nil, []string{
		"docroot", "path-info", "index", "acl", "set-param", "pass-header",
		"option", "log-stderr",
	}},
	{HTTPErrors, nil, []string{
		"errorfile",
	}},
	{CrtStore, []string{
		"crt-base", "key-base", "load",
	}, nil},
	{ACME, []string{
		"directory", "contact", "account-key", "challenge", "keytype", "bits", "curves", "map", "profile",
		"reuse-key", "challenge-ready", "dns-delay", "dns-timeout", "eab-key-id", "eab-mac-key", "eab-mac-alg",
		"acme-vars", "provider-name",
	}, nil},
	{Traces, []string{
		"trace",
	}, nil},
	{Healthcheck, nil, []string{
		"type", "tcp-check", "http-check",
	}},
	{NamespaceList, nil, []string{
		"namespace",
	}},
}

// knownSections are all sections. Those that only configure what nothing may refer to are Dormant when Missing.
var knownSections = []struct {
	name    string
	kind    Sections
	dormant bool
}{
	{"crt-store", CrtStore, true},
	{"acme", ACME, true},
	{"log-profile", LogProfile, true},
	{"log-forward", LogForward, false},
	{"healthcheck", Healthcheck, true},
	{"traces", Traces, false},
	{"namespace_list", NamespaceList, true},
	{"mailers", Mailers, true},
	{"userlist", Userlist, false},
	{"global", Global, false},
	{"defaults", Defaults, false},
	{"backend", Backend, false},
	{"frontend", Frontend, false},
	{"listen", Listen, false},
	{"resolvers", Resolvers, true},
	{"cache", Cache, true},
	{"http-errors", HTTPErrors, false},
	{"ring", Ring, true},
	{"fcgi-app", FCGIApp, true},
	{"peers", Peers, true},
}

// suggestedOptions are the words that a misspelt one behind "option" is compared with, in this order.
// "original-to" is among them though it is no option.
var suggestedOptions = []string{
	"abortonclose", "allbackups", "checkcache", "clitcpka", "contstats", "dontlognull", "http-buffer-request",
	"http-drop-request-trailers", "http-drop-response-trailers", "http-ignore-probes",
	"idle-close-on-response", "prefer-last-server", "logasap", "nolinger", "persist", "srvtcpka",
	"transparent", "splice-request", "splice-response", "splice-auto",
	"accept-unsafe-violations-in-http-request", "accept-unsafe-violations-in-http-response", "dontlog-normal",
	"log-separate-errors", "log-health-checks", "socket-stats", "tcp-smart-accept", "tcp-smart-connect",
	"independent-streams", "http-use-proxy-header", "http-pretend-keepalive", "http-no-delay",
	"h1-case-adjust-bogus-client", "h1-case-adjust-bogus-server", "disable-h2-upgrade", "assume-rfc6587-ntf",
	"dont-parse-log", "httpclose", "http-server-close", "http-keep-alive", "redispatch", "httplog", "tcplog",
	"tcpka", "httpchk", "ssl-hello-chk", "smtpchk", "pgsql-check", "redis-check", "mysql-check", "ldap-check",
	"spop-check", "tcp-check", "external-check", "forwardfor", "original-to", "forwarded",
}

// knownOptions are the options that suggestedOptions has not.
var knownOptions = []string{
	"originalto", "httpslog", "use-small-buffers", "http-restrict-req-hdr-names",
	"accept-invalid-http-request", "accept-invalid-http-response", "forceclose", "http-tunnel", "http_proxy",
}
