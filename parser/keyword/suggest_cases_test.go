package keyword

import "strings"

// suggestions are misspelt words and what HAProxy 3.4.0 says was meant, recorded from it; candidates stand in the
// order in which it tries them.
var suggestions = []struct {
	place      string
	candidates []string
	want       map[string]string
}{
	{"listen", strings.Fields(`ssl-f-use log-steps http-check tcp-check timeout clitimeout contimeout srvtimeout rate-limit max-keep-alive-queue declare retry-on
hash-preserve-affinity clitcpka-cnt srvtcpka-cnt clitcpka-idle srvtcpka-idle clitcpka-intvl srvtcpka-intvl force-be-switch guid errorloc errorloc302 errorloc303
errorfile errorfiles http-error tcp-request tcp-response filter filter-sequence compression use-fcgi-app external-check listen frontend
backend defaults server default-server server-template bind monitor-net monitor-uri mode id description disabled
enabled acl dynamic-cookie-key cookie email-alert persist appsession load-server-state-from-file server-state-file-name max-session-srv-conns capture retries
http-request http-response http-after-response http-send-name-header block redirect use_backend use-server force-persist ignore-persist stick-table stick
stats option default_backend http-reuse monitor transparent maxconn backlog fullconn dispatch balance hash-type
hash-balance-factor unique-id-format unique-id-header log-format log-format-sd log-tag log source usesrc error-log-format`), map[string]string{
		"bindd":           "bind",
		"serveur":         "server",
		"server-":         "server",
		"balence":         "balance",
		"use-backend":     "use_backend",
		"usebackend":      "use_backend",
		"defaultbackend":  "default_backend",
		"default-backend": "default_backend",
		"timout":          "timeout",
		"timeouts":        "timeout",
		"optoin":          "option",
		"http-reqest":     "http-request",
		"http_request":    "http-request",
		"httprequest":     "http-request",
		"stik":            "stick",
		"acls":            "acl",
		"cooki":           "cookie",
		"redir":           "redirect",
		"modee":           "mode",
		"monitor-url":     "monitor-uri",
		"stat":            "stats",
		"filtre":          "filter",
		"x":               "",
		"xy":              "",
		"foo":             "",
		"defualt-server":  "default-server",
		"retry":           "retry-on",
		"maxcon":          "maxconn",
		"loglevel":        "",
		"tcp-reqest":      "tcp-request",
		"tcp-respons":     "tcp-response",
		"compresion":      "compression",
		"erorfile":        "errorfile",
		"email-alerts":    "email-alert",
	}},
	{"global", strings.Fields(`tune.epoll.mask-events cpu-policy cpu-set cpu-affinity ocsp-update.disable tune.ssl.ocsp-update.maxdelay ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay ocsp-update.mindelay ocsp-update.mode ocsp-update.httpproxy ca-base
crt-base key-base issuers-chain-path maxsslconn ssl-default-bind-options ssl-default-server-options ssl-dh-param-file ssl-mode-async ssl-engine ssl-propquery ssl-provider ssl-provider-path
ssl-security-level ssl-skip-self-issued-ca tune.ssl.cachesize tune.ssl.certificate-compression tune.ssl.default-dh-param tune.ssl.force-private-cache tune.ssl.lifetime tune.ssl.maxrecord tune.ssl.hard-maxrecord tune.ssl.ssl-ctx-cache-size tune.ssl.capture-cipherlist-size tune.ssl.capture-buffer-size
tune.ssl.keylog ssl-default-bind-ciphers ssl-default-server-ciphers ssl-default-bind-curves ssl-default-server-curves ssl-default-bind-sigalgs ssl-default-server-sigalgs ssl-default-bind-client-sigalgs ssl-default-server-client-sigalgs ssl-default-bind-ciphersuites ssl-default-server-ciphersuites ssl-load-extra-files
ssl-load-extra-del-ext ssl-passphrase-cmd acme.scheduler jwt.decrypt_alg_list jwt.decrypt_enc_list lua-prepend-path lua-load lua-load-per-thread tune.lua.session-timeout tune.lua.task-timeout tune.lua.service-timeout tune.lua.burst-timeout
tune.lua.forced-yield tune.lua.maxmem tune.lua.log.loggers tune.lua.log.stderr tune.lua.bool-sample-conversion tune.lua.openlibs setcap tune.h2.be.glitches-threshold tune.h2.be.initial-window-size tune.h2.be.max-concurrent-streams tune.h2.be.max-frames-at-once tune.h2.be.rxbuf
tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size tune.h2.fe.max-concurrent-streams tune.h2.fe.max-frames-at-once tune.h2.fe.max-rst-at-once tune.h2.fe.max-total-streams tune.h2.fe.rxbuf tune.h2.header-table-size tune.h2.initial-window-size tune.h2.log-errors tune.h2.max-concurrent-streams tune.h2.max-frame-size
tune.h2.zero-copy-fwd-send h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send tune.idle-pool.shared tune.pool-high-fd-ratio tune.pool-low-fd-ratio tune.stick-counters
profiling.tasks default-path tune.peers.max-updates-at-once stats tune.cli.max-payload-size pp2-never-send-local dns-accept-family grace hard-stop-after close-spread-time tune.max-checks-per-thread tune.listener.default-shards
tune.listener.multi-queue tune.applet.zero-copy-forwarding httpclient.resolvers.disabled httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries httpclient.timeout.connect httpclient.ssl.verify httpclient.ssl.ca-file set-var set-var-fmt tune.vars.global-max-size
tune.vars.proc-max-size tune.vars.sess-max-size tune.vars.txn-max-size tune.vars.reqres-max-size tune.vars.check-max-size tune.events.max-events-at-once tune.fail-alloc tune.memory.hot-size no-memory-trimming chroot daemon expose-deprecated-directives
expose-experimental-directives force-cfg-parser-pause harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp localpeer master-worker nbproc noepoll noevports nokqueue noktls nopoll
pidfile prealloc-fd presetenv quiet resetenv setenv shm-stats-file shm-stats-file-max-objects stress-level tune.bufsize tune.chksize tune.comp.maxlevel
tune.defaults.purge tune.disable-fast-forward tune.disable-zero-copy-forwarding tune.glitches.kill.cpu-usage tune.http.cookielen tune.http.logurilen tune.http.maxhdr tune.idletimer tune.max-rules-at-once tune.maxaccept tune.maxpollevents tune.maxrewrite
tune.notsent-lowat.client tune.notsent-lowat.server tune.pattern.cache-size tune.pipesize tune.rcvbuf.client tune.rcvbuf.server tune.recv_enough tune.renice.runtime tune.renice.startup tune.runqueue-depth tune.sndbuf.client tune.sndbuf.server
tune.streams-elasticity tune.takeover-other-tg-connections unsetenv zero-warning tune.pt.zero-copy-forwarding h1-do-not-close-on-insecure-transfer-encoding tune.fd.edge-triggered tune.sched.low-latency mworker-max-reloads tune.ring.queues thread-hard-limit nbthread
thread-group thread-groups max-threads-per-group http-err-codes http-fail-codes tune.buffers.limit tune.buffers.reserve tune.bufsize.large tune.bufsize.small warn-blocked-traffic-after tune.rcvbuf.backend tune.rcvbuf.frontend
tune.sndbuf.backend tune.sndbuf.frontend global busy-polling set-dumpable insecure-fork-wanted insecure-setuid-wanted nosplice nogetaddrinfo noreuseport uid gid
external-check user group maxconn ssl-server-verify maxconnrate maxsessrate maxsslrate maxcomprate maxpipes maxzlibmem maxcompcpuusage
ulimit-n description node unix-bind log log-send-hostname server-state-base server-state-file log-tag spread-checks max-spread-checks cpu-map
strict-limits numa-cpu-mapping defaults listen frontend backend peers resolvers cluster-secret limited-quic stats-file`), map[string]string{
		"maxcon":                  "maxconn",
		"nbthreads":               "nbthread",
		"nbproc2":                 "nbproc",
		"deamon":                  "daemon",
		"chrot":                   "chroot",
		"logg":                    "log",
		"statss":                  "stats",
		"tune.bufsiz":             "tune.bufsize",
		"tune.buffers.limt":       "tune.buffers.limit",
		"tune.ssl.cachesiz":       "tune.ssl.cachesize",
		"usr":                     "user",
		"grop":                    "group",
		"stat":                    "stats",
		"pid-file":                "pidfile",
		"setnv":                   "setenv",
		"ulimitn":                 "ulimit-n",
		"x":                       "",
		"quit":                    "quiet",
		"ssl-default-bind-cipher": "ssl-default-bind-ciphers",
		"ca-bse":                  "ca-base",
		"nosplic":                 "nosplice",
		"hard-stop":               "hard-stop-after",
		"insecure-fork":           "insecure-fork-wanted",
		"spread-check":            "spread-checks",
	}},
	{"server", strings.Fields(`allow-0rtt alpn ca-file check-alpn check-sni check-sni-auto check-ssl ciphers ciphersuites client-sigalgs crl-file curves
crt force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 ktls no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn
no-sni-auto no-ssl no-ssl-reuse no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-tls-tickets npn renegotiate send-proxy-v2-ssl
send-proxy-v2-ssl-cn sigalgs sni sni-auto ssl ssl-min-ver ssl-max-ver ssl-reuse tls-tickets verify verifyhost backup
cookie disabled enabled error-limit guid ws hash-key id idle-ping init-addr init-state log-bufsize
log-proto maxconn maxqueue max-reuse minconn namespace no-backup no-send-proxy no-send-proxy-v2 no-tfo non-stick observe
on-error on-marked-down on-marked-up pool-conn-name pool-low-conn pool-max-conn pool-purge-delay proto proxy-v2-options redir resolve-net resolve-opts
resolve-prefer resolvers send-proxy send-proxy-v2 set-proxy-v2-tlv-fmt shard slowstart source stick strict-maxconn tfo track
socks4 usesrc weight healthcheck addr agent-addr agent-check agent-inter agent-port agent-send check check-pool-conn-name
check-proto check-reuse-pool check-send-proxy check-via-socks4 no-agent-check no-check no-check-reuse-pool no-check-send-proxy rise fall inter fastinter
downinter port cc tcp-md5sig tcp-ut`), map[string]string{
		"chek":         "check",
		"checks":       "check",
		"inetr":        "inter",
		"wieght":       "weight",
		"weigth":       "weight",
		"backups":      "backup",
		"max-conn":     "maxconn",
		"maxcon":       "maxconn",
		"sslv":         "ssl",
		"ca_file":      "ca-file",
		"sendproxy":    "send-proxy",
		"send-proxyv2": "send-proxy-v2",
		"resolver":     "resolvers",
		"track2":       "track",
		"cooki":        "cookie",
		"addres":       "addr",
		"x":            "",
		"riseup":       "rise",
		"fal":          "fall",
		"disable":      "disabled",
		"init-adr":     "init-addr",
		"pool-max":     "pool-max-conn",
		"redirect":     "redir",
	}},
	{"action", strings.Fields(`wait-for-handshake set-retries set-log-level set-nice use-service sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 do-resolve
cache-use send-spoe-group add-acl add-header add-headers-bin allow auth capture del-acl del-header del-headers-bin del-map
deny disable-l7-retry do-log early-hint normalize-uri pause redirect reject replace-header replace-path replace-pathq replace-uri
replace-value return set-header set-headers-bin set-map set-method set-path set-pathq set-query set-uri strict-mode tarpit
track-sc set-timeout wait-for-body set-var-fmt set-var unset-var set-bc-mark set-bc-tos set-dst set-dst-port set-fc-mark set-fc-tos
set-mark set-src set-src-port set-tos silent-drop set-bandwidth-limit set-priority-class set-priority-offset`), map[string]string{
		"denny":         "deny",
		"alow":          "allow",
		"set_header":    "set-header",
		"setheader":     "set-header",
		"del-hdr":       "del-header",
		"add-headers":   "add-header",
		"redirct":       "redirect",
		"tarpitt":       "tarpit",
		"returns":       "return",
		"capture-req":   "capture",
		"set-pth":       "set-path",
		"replace-vlaue": "replace-value",
		"auht":          "auth",
		"silentdrop":    "silent-drop",
		"set-srcip":     "set-src",
		"x":             "",
		"lua.foo":       "",
	}},
}
