package ssl

import (
	"slices"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

const (
	noteOffered = "suites that crypto/tls does not have are not offered: those with Diffie-Hellman over finite fields, CAMELLIA, ARIA, CCM or DSS"
	noteDH      = "crypto/tls has no Diffie-Hellman over finite fields: suites of that kind are not offered"
	noteNoEarly = "crypto/tls has no early data over TCP: what clients send so they send again behind the handshake, as they have to"
	noteKTLS    = "the kernel is left out of it, as on the reference where it cannot encrypt"
	noteSSLv3   = "SSL 3 is never spoken"
	noteKept    = "clients are given a key in place of a ticket: those that know no tickets do not resume in TLS 1.2"
	noteCache   = "no process shares its sessions with another one"
	noteALPN    = "h3 is not spoken yet; without the word a listener in HTTP mode offers h2 and http/1.1"
	noteCerts   = "a file, or a directory; or the name of a bundle, or of a certificate of a crt-store"
)

// Domain holds the keywords of TLS.
var Domain = config.Domain{
	Name:     "ssl",
	Sections: []config.Section{{Doc: keyword.Doc{Name: "crt-store", Ref: "3.11", Summary: "certificates with names and options"}, Kind: config.CrtStore, Strict: true, Start: startStore}},
	Keywords: slices.Concat(absentKeywords(), tokenKeywords(), []config.Keyword{
		global("crt-base", "directory of certificates whose names are relative", keyword.File, "", parseBase(func(s *settings) *string { return &s.crtBase }), "crt-base /etc/ssl/private"),
		global("ssl-default-bind-ciphers", "ciphers of TLS 1.2 and older of listeners that do not say", keyword.Str, noteOffered,
			parseDefault("a cipher suite as an argument", func(s *settings) *string { return &s.bind.ciphers }), "ssl-default-bind-ciphers ECDHE+AESGCM:!aNULL"),
		global("ssl-default-bind-ciphersuites", "suites of TLS 1.3 of listeners that do not say", keyword.Str, "",
			parseDefault("a cipher suite as an argument", func(s *settings) *string { return &s.bind.suites13 }),
			"ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
		global("ssl-default-bind-curves", "groups of listeners that do not say", keyword.Str, "",
			parseDefault("a curves suite as an arguments", func(s *settings) *string { return &s.bind.curves }), "ssl-default-bind-curves X25519:P-256"),
		global("ssl-default-bind-options", "words that hold for all listeners with TLS", keyword.Opaque, "", parseBindOptions, "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets"),
		global("ca-base", "directory of authorities whose names are relative", keyword.File, "", parseBase(func(s *settings) *string { return &s.caBase }), "ca-base /etc/ssl/certs"),
		global("ssl-default-server-ciphers", "ciphers of TLS 1.2 and older of servers that do not say", keyword.Str, noteOffered,
			parseDefault("a cipher suite as an argument", func(s *settings) *string { return &s.server.ciphers }), "ssl-default-server-ciphers ECDHE+AESGCM:!aNULL"),
		global("ssl-default-server-ciphersuites", "suites of TLS 1.3 of servers that do not say", keyword.Str, "",
			parseDefault("a cipher suite as an argument", func(s *settings) *string { return &s.server.suites13 }),
			"ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
		global("ssl-default-server-curves", "groups of servers that do not say", keyword.Str, "",
			parseDefault("a curves suite as an arguments", func(s *settings) *string { return &s.server.curves }), "ssl-default-server-curves X25519:P-256"),
		global("ssl-default-server-options", "words that hold for all servers with TLS", keyword.Opaque, "", parseServerOptions, "ssl-default-server-options ssl-min-ver TLSv1.2"),
		global("ssl-default-server-sigalgs", "signature algorithms of servers that do not say", keyword.Str, noteSigalgs,
			parseDefault("a curves suite as an arguments", func(s *settings) *string { return &s.server.sigalgs }), "ssl-default-server-sigalgs "+allSigalgs),
		global("ssl-default-server-client-sigalgs", "signature algorithms of own certificates where servers do not say", keyword.Str, "",
			parseDefault("signature algorithms as an arguments", func(s *settings) *string { return &s.server.clientSigalgs }), "ssl-default-server-client-sigalgs RSA+SHA256:ECDSA+SHA256"),
		global("ssl-server-verify", "whether certificates of servers are verified when they do not say", keyword.Str, "", parseServerVerifyDefault, "ssl-server-verify none"),
		global("tune.ssl.hard-maxrecord", "most bytes of clear text in a record", keyword.Int, "", parseCount(func(s *settings, n int) { s.hardRecord = n }), "tune.ssl.hard-maxrecord 1200"),
		global("tune.ssl.maxrecord", "bytes of clear text in a record", keyword.Int, "", parseCount(func(s *settings, n int) { s.maxRecord = n }), "tune.ssl.maxrecord 1419"),
		global("tune.ssl.capture-buffer-size", "bytes that are kept of what each client offers, for ssl_fc_cipherlist_bin and its like", keyword.Int, "", parseCapture, "tune.ssl.capture-buffer-size 256"),
		global("tune.ssl.capture-cipherlist-size", "the old name of tune.ssl.capture-buffer-size", keyword.Int, "", func(l *config.Loader, line *ast.Line) {
			l.WarnTight(line.Pos, "'%s' is deprecated and will be removed in version 2.7. Please use 'tune.ssl.capture-buffer-size' instead.", line.Arg(0))
			parseCapture(l, line)
		}, "tune.ssl.capture-cipherlist-size 256"),
		global("tune.ssl.keylog", "whether the secrets of connections are kept, for ssl_fc_client_traffic_secret_0 and its like", keyword.Str, "", parseKeylog, "tune.ssl.keylog on"),
		global("tune.ssl.lifetime", "how long a session may be resumed", keyword.Time, "", parseLifetime, "tune.ssl.lifetime 10m"),
		global("key-base", "directory of private keys of a crt-store whose names are relative", keyword.File, "", parseBase(func(s *settings) *string { return &s.keyBase }), "key-base /etc/ssl/private"),
		global("issuers-chain-path", "directory of chains for certificates whose files have none", keyword.File, "", parseIssuers, "issuers-chain-path ."),
		global("ssl-default-bind-sigalgs", "signature algorithms of listeners that do not say", keyword.Str, "",
			parseDefault("a curves suite as an arguments", func(s *settings) *string { return &s.bind.sigalgs }), "ssl-default-bind-sigalgs RSA+SHA256:ECDSA+SHA256"),
		global("ssl-default-bind-client-sigalgs", "signature algorithms of certificates of clients where listeners do not say", keyword.Str,
			"the reference reads it and uses it nowhere, and so does hapax",
			parseDefault("signature algorithms as an arguments", func(s *settings) *string { return &s.bind.clientSigalgs }), "ssl-default-bind-client-sigalgs RSA+SHA256:ECDSA+SHA256"),
		global("ssl-load-extra-files", "which files are looked for beside a certificate", keyword.Opaque, "", parseExtraFiles, "ssl-load-extra-files bundle key"),
		globalFlag("ssl-load-extra-del-ext", "files beside x.crt are called x.key and the like", func(l *config.Loader, line *ast.Line) { of(l).noExtension = true }),
		global("ssl-passphrase-cmd", "a program that prints the password of a private key", keyword.Opaque, "", parsePassphrase, "ssl-passphrase-cmd /usr/bin/pass"),
		global("tune.ssl.ssl-ctx-cache-size", "made certificates that are kept", keyword.Int, "", parseCount(func(s *settings, n int) { s.generated = n }), "tune.ssl.ssl-ctx-cache-size 1000"),
		inert(global("ssl-dh-param-file", "parameters of Diffie-Hellman", keyword.File, noteDH, parseDHFile, "ssl-dh-param-file dh.pem")),
		global("maxsslconn", "most connections with TLS, to clients and to servers", keyword.Int, "", parseMaxConns, "maxsslconn 10000"),
		global("ocsp-update.mode", "whether responses of authorities are fetched where certificates do not say", keyword.Str, "",
			parseUpdateSwitch(func(u *updates, yes bool) {
				u.mode = off
				if yes {
					u.mode = on
				}
			}), "ocsp-update.mode on"),
		global("ocsp-update.disable", "whether responses are never fetched", keyword.Str, "", parseUpdateSwitch(func(u *updates, yes bool) { u.disabled = yes }), "ocsp-update.disable on"),
		global("ocsp-update.mindelay", "seconds between two fetches of a response at least", keyword.Int, "", parseUpdateDelay(false), "ocsp-update.mindelay 300"),
		global("ocsp-update.maxdelay", "seconds between two fetches of a response at most", keyword.Int, "", parseUpdateDelay(true), "ocsp-update.maxdelay 3600"),
		global("tune.ssl.ocsp-update.mindelay", "the same as ocsp-update.mindelay", keyword.Int, "", parseUpdateDelay(false), "tune.ssl.ocsp-update.mindelay 300"),
		global("tune.ssl.ocsp-update.maxdelay", "the same as ocsp-update.maxdelay", keyword.Int, "", parseUpdateDelay(true), "tune.ssl.ocsp-update.maxdelay 3600"),
		global("ocsp-update.httpproxy", "the proxy that responses are fetched through", keyword.Addr, "", parseUpdateProxy, "ocsp-update.httpproxy 127.0.0.1:3128"),
		globalFlag("ssl-skip-self-issued-ca", "leave roots out of the certificates that are sent", func(l *config.Loader, line *ast.Line) {
			of(l).skipRoots = true
		}),
		inert(global("tune.ssl.default-dh-param", "bits of Diffie-Hellman", keyword.Int, noteDH, parseDHParam, "tune.ssl.default-dh-param 2048")),
		global("tune.ssl.cachesize", "blocks of 200 bytes for the sessions that are kept where tickets do not hold them", keyword.Int, "", parseCount(func(s *settings, n int) { s.cacheBlocks = n }), "tune.ssl.cachesize 20000"),
		storeKeyword("crt-base", "directory of certificates whose names are relative", "crt-base .", parseStoreBase(func(s *crtStore) *string { return &s.crtBase })),
		storeKeyword("key-base", "directory of private keys whose names are relative", "key-base .", parseStoreBase(func(s *crtStore) *string { return &s.keyBase })),
		storeKeyword("load", "a certificate: crt, key, ocsp, issuer, sctl, ocsp-update, jwt, alias", "load crt site.pem alias site", parseLoad),
		{Doc: keyword.Doc{Name: "ssl-f-use", Ref: "4.2", Summary: "a certificate for all listeners with TLS of the frontend",
			Note:     "alpn, verify and no-ca-names hold as the manual has it; the reference forgets them",
			Args:     []keyword.Arg{{Name: "option", Type: keyword.Opaque, Many: true}},
			Examples: []keyword.Example{{Config: "frontend web\n  mode http\n  bind 127.0.0.1:443 ssl\n  ssl-f-use crt site.pem ssl-min-ver TLSv1.3\n  http-request return status 200\n"}}},
			In: config.Proxies, Parse: parseFrontUse},
		inert(globalFlag("tune.ssl.force-private-cache", "one cache for each process", func(l *config.Loader, line *ast.Line) { l.TooMany(line, 1, 0) })),
	}),
	Fetches:      fetches(),
	Actions:      []config.Action{waitForHandshake},
	Converters:   slices.Concat(verdictConverters, tokenConverters()),
	BindWords:    bindWords(),
	ServerWords:  serverWords(),
	Commands:     commands(),
	CopyServer:   copyServer,
	EndFrontend:  endFrontend,
	FinishServer: finishServer,
	LeaveServer:  leaveServer,
	Check:        check,
}

// bindWords are the rows of section 5.1.
func bindWords() []config.BindWord {
	return []config.BindWord{
		flag("ssl", "the connections are TLS", "", parseSSL),
		word("crt", "a PEM file with a certificate, those that lead to its root, and its private key", keyword.File, noteCerts, parseCrt("crt", noFallback)),
		word("default-crt", "a certificate for clients that ask for no known name", keyword.File, noteCerts, parseCrt("default-crt", explicitFallback)),
		word("crt-list", "a file that lists certificates, their options and the names that they are for", keyword.File, "", parseCrtList),
		word("alpn", "the protocols that are offered", keyword.Str, noteALPN, onBind("alpn")),
		flag("no-alpn", "offer no protocols", "", onBind("no-alpn")),
		inertWord(flag("allow-0rtt", "data of clients is taken with their hello", noteNoEarly, onBind("allow-0rtt"))),
		missingWord(word("npn", "the protocols that are offered, as a draft had it", keyword.Str, "no TLS library of today speaks it", onBind("npn"))),
		word("ciphers", "ciphers of TLS 1.2 and older, the best first", keyword.Str, noteOffered, onBind("ciphers")),
		word("ciphersuites", "suites of TLS 1.3, the best first", keyword.Str, "", onBind("ciphersuites")),
		exposedWord(inertWord(word("ktls", "the kernel encrypts", keyword.Str, noteKTLS, onBind("ktls")))),
		word("curves", "groups of the key exchange", keyword.Str, "", onBind("curves")),
		word("ecdhe", "the curve of the key exchange", keyword.Str, "", onBind("ecdhe")),
		word("sigalgs", "signature algorithms that are signed with", keyword.Str, "", onBind("sigalgs")),
		word("client-sigalgs", "signature algorithms of certificates of clients", keyword.Str, noteSigalgs, onBind("client-sigalgs")),
		word("ssl-min-ver", "the oldest version", keyword.Str, "", onBind("ssl-min-ver")),
		word("ssl-max-ver", "the newest version", keyword.Str, "", onBind("ssl-max-ver")),
		versionWord("no-sslv3", noteSSLv3), versionWord("no-tlsv10", ""), versionWord("no-tlsv11", ""), versionWord("no-tlsv12", ""), versionWord("no-tlsv13", ""),
		versionWord("force-sslv3", noteSSLv3), versionWord("force-tlsv10", ""), versionWord("force-tlsv11", ""), versionWord("force-tlsv12", ""), versionWord("force-tlsv13", ""),
		verifyWord(),
		word("ca-file", "the authorities that certificates of clients must lead to", keyword.File, "", onBind("ca-file")),
		word("ca-verify-file", "the same for authorities that clients are not told", keyword.File, "", onBind("ca-verify-file")),
		word("crl-file", "certificates that are revoked", keyword.File, "", onBind("crl-file")),
		word("crt-ignore-err", "faults of certificates of clients that do not matter", keyword.Str, "", parseIgnored("crt-ignore-err", func(s *line) *ignored { return &s.ignoreLeaf })),
		word("ca-ignore-err", "faults of those that lead to their roots that do not matter", keyword.Str, "", parseIgnored("ca-ignore-err", func(s *line) *ignored { return &s.ignoreAuthority })),
		flag("no-ca-names", "do not tell clients the authorities", "", onBind("no-ca-names")),
		flag("generate-certificates", "make certificates for names that none is there for", "", setting(func(s *line) { s.generate = true })),
		word("ca-sign-file", "the authority that signs them, with its key", keyword.File, "", parseSigner("ca-sign-file", "CAfile path", func(c *signerConf) *string { return &c.file })),
		word("ca-sign-pass", "the password of that key", keyword.Str, "", parseSigner("ca-sign-pass", "CAkey password", func(c *signerConf) *string { return &c.pass })),
		word("tls-ticket-keys", "a file of keys that tickets are encrypted with", keyword.File, "", parseTicketKeys),
		flag("no-tls-tickets", "sessions are kept here, and not in tickets", noteKept, setting(func(s *line) { s.noTickets = true })),
		flag("tls-tickets", "sessions are kept in tickets", "", setting(func(s *line) { s.noTickets = false })),
		flag("strict-sni", "refuse clients that ask for no known name", "", setting(func(s *line) { s.strict = true })),
		flag("no-strict-sni", "serve clients that ask for no known name", "", setting(func(s *line) { s.strict = false })),
		flag("prefer-client-ciphers", "the client's order of ciphers decides", "", setting(func(s *line) { s.clientsOrder = true })),
	}
}

// serverWords are the rows of section 5.2.
func serverWords() []config.ServerWord {
	rows := []config.ServerWord{
		serverWord("ssl", "the connections are TLS", nil, "ssl verify none", withDefaults(func(s *serverLine) { s.on, s.never = true, false })),
		serverWord("no-ssl", "the connections are clear", nil, "no-ssl", serverSetting(func(s *serverLine) { s.on, s.never = false, true })),
		serverWord("verify", "whether the server's certificate is verified", []keyword.Arg{{Name: "method", Type: keyword.Enum, Enum: []string{"none", "required"}}}, "ssl verify none", parseServerVerify),
		serverWord("verifyhost", "the name that the certificate must have", value(keyword.Str), "ssl verify required ca-file site.pem verifyhost site.test",
			serverText("verifyhost", "hostname to verify against", func(s *serverLine) *string { return &s.host })),
		serverWord("ca-file", "the authorities that certificates must lead to", value(keyword.File), "ssl verify required ca-file site.pem", parseServerAuthorities),
		serverWord("crt", "the certificate that the server is shown", value(keyword.File), "ssl verify none crt site.pem", parseServerCrt),
		serverWord("sni", "the name that the server is asked for", value(keyword.Sample), "ssl verify none sni req.hdr(host)", parseSNI),
		serverWord("sni-auto", "ask for the name in the Host header", nil, "ssl verify none sni-auto", serverSetting(func(s *serverLine) { s.noAutoSNI = false })),
		serverWord("no-sni-auto", "ask for no name unless one is given", nil, "ssl verify none no-sni-auto", serverSetting(func(s *serverLine) { s.noAutoSNI = true })),
		serverWord("alpn", "the protocols that are offered", value(keyword.Str), "ssl verify none alpn http/1.1", parseServerALPN("alpn", func(s *serverLine) *[]string { return &s.protocols })),
		serverWord("ciphers", "ciphers of TLS 1.2 and older", value(keyword.Str), "ssl verify none ciphers ECDHE+AESGCM", serverText("ciphers", "cipher suite", func(s *serverLine) *string { return &s.ciphers })),
		exposedServer(inertServer(serverWord("ktls", "the kernel encrypts", value(keyword.Str), "ssl verify none ktls on", func(l *config.Loader, w *config.Words, _ *runtime.Server) error {
			return checkKTLS(l.Experimental, "ktls", w.Take())
		}), noteKTLS)),
		inertServer(serverWord("allow-0rtt", "the first request is sent with the hello", nil, "ssl verify none allow-0rtt", serverSetting(func(*serverLine) {})), noteNoEarly),
		noteServer(serverWord("ciphersuites", "suites of TLS 1.3", value(keyword.Str), "ssl verify none ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
			serverText("ciphersuites", "cipher suite", func(s *serverLine) *string { return &s.suites13 })), noteServerSuites),
		serverWord("curves", "groups of the key exchange", value(keyword.Str), "ssl verify none curves X25519", serverText("curves", "curves list", func(s *serverLine) *string { return &s.curves })),
		serverWord("ssl-min-ver", "the oldest version", value(keyword.Str), "ssl verify none ssl-min-ver TLSv1.3", parseServerBound("ssl-min-ver")),
		serverWord("ssl-max-ver", "the newest version", value(keyword.Str), "ssl verify none ssl-max-ver TLSv1.2", parseServerBound("ssl-max-ver")),
		serverWord("no-tls-tickets", "sessions are not resumed by tickets", nil, "ssl verify none no-tls-tickets", serverSetting(func(s *serverLine) { s.noTickets = true })),
		serverWord("tls-tickets", "sessions are resumed by tickets", nil, "ssl verify none tls-tickets", serverSetting(func(s *serverLine) { s.noTickets = false })),
		serverWord("no-ssl-reuse", "sessions are not resumed", nil, "ssl verify none no-ssl-reuse", serverSetting(func(s *serverLine) { s.noReuse = true })),
		serverWord("ssl-reuse", "sessions are resumed", nil, "ssl verify none ssl-reuse", serverSetting(func(s *serverLine) { s.noReuse = false })),
		serverWord("check-ssl", "health checks are TLS", nil, "check check-ssl verify none", withDefaults(func(s *serverLine) { s.check, s.clearChecks = true, false })),
		serverWord("no-check-ssl", "health checks are clear", nil, "check no-check-ssl", serverSetting(func(s *serverLine) { s.check, s.clearChecks = false, true })),
		serverWord("check-sni", "the name that health checks ask for", value(keyword.Str), "check check-ssl verify none check-sni a.test", serverText("check-sni", "SNI", func(s *serverLine) *string { return &s.checkName })),
		serverWord("check-sni-auto", "health checks in HTTP ask for the host of their request", nil, "check check-ssl verify none check-sni-auto", serverSetting(func(s *serverLine) { s.noCheckSNI = false })),
		serverWord("no-check-sni-auto", "health checks ask for no name unless one is given", nil, "check check-ssl verify none no-check-sni-auto", serverSetting(func(s *serverLine) { s.noCheckSNI = true })),
		serverWord("check-alpn", "the protocols that health checks offer", value(keyword.Str), "check check-ssl verify none check-alpn http/1.1", parseServerALPN("check-alpn", func(s *serverLine) *[]string { return &s.checkProtocols })),
		serverWord("crl-file", "certificates that are revoked", value(keyword.File), "ssl verify required ca-file site.pem crl-file site.crl", parseServerRevoked),
		serverWord("client-sigalgs", "signature algorithms of the own certificate", value(keyword.Str), "ssl verify none client-sigalgs RSA+SHA256:ECDSA+SHA256",
			serverText("client-sigalgs", "signature algorithm list", func(s *serverLine) *string { return &s.clientSigalgs })),
		noteServer(serverWord("sigalgs", "signature algorithms of servers", value(keyword.Str), "ssl verify none sigalgs "+allSigalgs,
			serverText("sigalgs", "signature algorithm list", func(s *serverLine) *string { return &s.sigalgs })), noteSigalgs),
		serverWord("renegotiate", "the server may ask for a new handshake, which it may without the word too", nil, "ssl verify none renegotiate",
			serverSetting(func(s *serverLine) { s.renegotiation = renegotiationAllowed })),
		noteServer(serverWord("no-renegotiate", "the server may not ask for a new handshake", nil, "ssl verify none no-renegotiate",
			serverSetting(func(s *serverLine) { s.renegotiation = renegotiationRefused })), "the connection of one that does ends: crypto/tls cannot go on behind its refusal"),
	}
	for _, name := range []string{"no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13"} {
		example := "ssl verify none " + name
		if name == "force-sslv3" {
			example = name
		}
		row := serverWord(name, versionSummary(name), nil, example, serverSetting(func(s *serverLine) { s.versions.exclude(name) }))
		row.NotDefault = name[0] == 'n'
		rows = append(rows, row)
	}
	return rows
}

func inertServer(w config.ServerWord, note string) config.ServerWord {
	w.Status, w.Note = keyword.Inert, note
	return w
}

func noteServer(w config.ServerWord, note string) config.ServerWord {
	w.Note = note
	return w
}

// allSigalgs are those that crypto/tls has.
const allSigalgs = "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256:ed25519:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA384:ECDSA+SHA512"

const noteSigalgs = "crypto/tls asks for all that it has: a list without one of these is not supported yet"

const noteServerSuites = "crypto/tls offers all three: a server that chooses another one than these is refused"

func value(t keyword.ArgType) []keyword.Arg { return []keyword.Arg{{Name: "value", Type: t}} }

func serverWord(name, summary string, args []keyword.Arg, example string, parse parseServer) config.ServerWord {
	return config.ServerWord{Doc: keyword.Doc{Name: name, Ref: "5.2", Summary: summary, Args: args,
		Examples: []keyword.Example{{Config: "backend b\n  mode http\n  server s1 127.0.0.1:443 " + example + "\n"}}}, Parse: parse}
}

func versionSummary(name string) string {
	if name[0] == 'f' {
		return "speak this version alone"
	}
	return "leave a version out"
}

func global(name, summary string, t keyword.ArgType, note string, parse func(*config.Loader, *ast.Line), example string) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "3.1", Summary: summary, Note: note,
		Args:     []keyword.Arg{{Name: "value", Type: t, Many: t == keyword.Opaque}},
		Examples: []keyword.Example{{Config: "global\n  " + example + "\n"}}}, In: config.Global, Parse: parse}
}

func storeKeyword(name, summary, example string, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "3.11", Summary: summary, Args: []keyword.Arg{{Name: "value", Type: keyword.Opaque, Many: true}},
		Examples: []keyword.Example{{Config: "crt-store web\n  " + example + "\n"}}}, In: config.CrtStore, Parse: parse}
}

func globalFlag(name, summary string, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "3.1", Summary: summary,
		Examples: []keyword.Example{{Config: "global\n  " + name + "\n"}}}, In: config.Global, Parse: parse}
}

func inert(k config.Keyword) config.Keyword {
	k.Status = keyword.Inert
	if k.Note == "" {
		k.Note = noteCache
	}
	return k
}

// bindExamples are lines that show a word at work. The file site.pem stands for a
// certificate.
var bindExamples = map[string]string{
	"ssl": "ssl crt site.pem", "crt": "ssl crt site.pem", "default-crt": "ssl default-crt site.pem", "alpn": "ssl crt site.pem alpn http/1.1",
	"ciphers": "ssl crt site.pem ciphers ECDHE+AESGCM", "ciphersuites": "ssl crt site.pem ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
	"curves": "ssl crt site.pem curves X25519:P-256", "ecdhe": "ssl crt site.pem ecdhe secp384r1",
	"ssl-min-ver": "ssl crt site.pem ssl-min-ver TLSv1.3", "ssl-max-ver": "ssl crt site.pem ssl-max-ver TLSv1.2",
	"verify": "ssl crt site.pem verify required ca-file site.pem", "ca-file": "ssl crt site.pem verify optional ca-file site.pem", "ca-verify-file": "ssl crt site.pem verify required ca-verify-file site.pem", "force-sslv3": "crt site.pem force-sslv3", "force-tlsv10": "ssl crt site.pem force-tlsv10",
	"crt-list": "ssl crt-list site.list", "sigalgs": "ssl crt site.pem sigalgs RSA+SHA256", "crl-file": "ssl crt site.pem verify required ca-file site.pem crl-file site.crl",
	"client-sigalgs": "ssl crt site.pem client-sigalgs " + allSigalgs,
	"crt-ignore-err": "ssl crt site.pem verify required ca-file site.pem crt-ignore-err X509_V_ERR_CERT_HAS_EXPIRED,10", "ca-ignore-err": "ssl crt site.pem verify required ca-file site.pem ca-ignore-err all",
	"generate-certificates": "ssl crt site.pem generate-certificates ca-sign-file site.pem", "ca-sign-file": "ssl crt site.pem generate-certificates ca-sign-file site.pem",
	"ca-sign-pass": "ssl crt site.pem generate-certificates ca-sign-file site.pem ca-sign-pass secret", "tls-ticket-keys": "ssl crt site.pem tls-ticket-keys tickets.keys",
	"ktls": "ssl crt site.pem ktls on",
}

func bindDoc(name, summary, note string) keyword.Doc {
	example := bindExamples[name]
	if example == "" {
		example = "ssl crt site.pem " + name
	}
	return keyword.Doc{Name: name, Ref: "5.1", Summary: summary, Note: note,
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:443 " + example + "\n  http-request return status 200\n"}}}
}

func word(name, summary string, t keyword.ArgType, note string, parse func(*config.Loader, *config.Words, *runtime.Bind) error) config.BindWord {
	doc := bindDoc(name, summary, note)
	doc.Args = []keyword.Arg{{Name: "value", Type: t}}
	return config.BindWord{Doc: doc, Parse: parse}
}

func flag(name, summary, note string, parse func(*config.Loader, *config.Words, *runtime.Bind) error) config.BindWord {
	return config.BindWord{Doc: bindDoc(name, summary, note), Parse: parse}
}

func setting(set func(*line)) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(_ *config.Loader, _ *config.Words, b *runtime.Bind) error {
		set(lineOf(b))
		return nil
	}
}

func versionWord(name, note string) config.BindWord {
	return flag(name, versionSummary(name), note, setting(func(s *line) { s.versions.exclude(name) }))
}

func verifyWord() config.BindWord {
	doc := bindDoc("verify", "whether clients have to show a certificate", "")
	doc.Args = []keyword.Arg{{Name: "method", Type: keyword.Enum, Enum: []string{"none", "optional", "required"}}}
	return config.BindWord{Doc: doc, Parse: onBind("verify")}
}

// exposed goes before the examples of experimental words.
const exposed = "global\n  expose-experimental-directives\n"

func exposedWord(w config.BindWord) config.BindWord {
	w.Examples[0].Config = exposed + w.Examples[0].Config
	return w
}

func exposedServer(w config.ServerWord) config.ServerWord {
	w.Examples[0].Config = exposed + w.Examples[0].Config
	return w
}

func missingWord(w config.BindWord) config.BindWord {
	w.Status, w.Examples = keyword.Missing, nil
	return w
}

func inertWord(w config.BindWord) config.BindWord {
	w.Status = keyword.Inert
	return w
}
