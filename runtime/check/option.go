package check

import (
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// begin is what all options start with: false when the line is refused.
func begin(l *config.Loader, line *ast.Line, most int) bool {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(1), "")
	return !l.TooMany(line, 2, most)
}

// parseOptionTCP reads "option tcp-check".
func parseOptionTCP(l *config.Loader, line *ast.Line) {
	if !begin(l, line, 0) {
		return
	}
	s := settingsOf(l.Proxy)
	if s.tcp == nil {
		s.tcp = &ruleset{kind: kindTCP}
	}
	s.choose(s.tcp)
	s.idleTCP = false
}

// parseOptionHTTP reads `option httpchk [[<method>] <uri> [<version> [<host>]]]`.
func parseOptionHTTP(l *config.Loader, line *ast.Line) {
	if !begin(l, line, 4) {
		return
	}
	s := settingsOf(l.Proxy)
	if s.http == nil {
		s.http = &ruleset{kind: kindHTTP}
	}
	s.choose(s.http)
	s.idleHTTP = false
	refuse := func(text string) {
		l.Alert(line.Pos, "'option %s' : %s.", line.Arg(1), text)
	}
	q := &request{fromOption: true, uri: line.Arg(3), version: line.Arg(4)}
	if q.uri == "" {
		q.uri = line.Arg(2)
	} else {
		q.method = line.Arg(2)
	}
	if strings.Contains(q.version, "\r\n") {
		refuse("hiding headers or body at the end of the version string is unsupported.Use 'http-check send' directive instead.")
		return
	}
	if host := line.Arg(5); host != "" {
		if err := q.addHeader(l, "host", host); err != nil {
			refuse(err.Error())
			return
		}
	}
	s.http.addOption(&rule{do: q})
}

// protocol makes the rule set of a built-in protocol out of lines as "tcp-check" has
// them, and puts it in force.
func protocol(l *config.Loader, line *ast.Line, lines [][]string, custom ...func(*Check, *rule, bool) verdict) {
	set := &ruleset{kind: kindProtocol}
	for i, words := range lines {
		made := &ast.Line{Pos: line.Pos, Words: []ast.Word{{Text: "tcp-check"}}}
		for _, w := range words {
			made.Words = append(made.Words, ast.Word{Text: w})
		}
		rd := &reader{Words: config.NewWords(made, 1), l: l, set: set, line: "tcp-check"}
		var r *rule
		var err error
		switch words[0] {
		case "connect":
			r, err = rd.connect()
		case "expect":
			r, err = rd.expect()
		default:
			r, err = rd.send()
		}
		if err != nil {
			l.Alert(line.Pos, "%s", err)
			return
		}
		r.index = i
		if e, ok := r.do.(*expect); ok && e.kind == matchCustom {
			e.custom, custom = custom[0], custom[1:]
		}
		set.rules = append(set.rules, r)
	}
	settingsOf(l.Proxy).choose(set)
}

// parseRedis reads "option redis-check".
func parseRedis(l *config.Loader, line *ast.Line) {
	if begin(l, line, 0) {
		protocol(l, line, [][]string{
			{"send", "*1\r\n$4\r\nPING\r\n"},
			{"expect", "string", "+PONG\r\n", "error-status", "L7STS", "on-error", "%[res.payload(0,0),cut_crlf]", "on-success", "Redis server is ok"},
		})
	}
}

// parseSSLHello reads "option ssl-hello-chk": an SSLv3 hello (RFC 6101, appendix A)
// with the ciphers that were common then.
func parseSSLHello(l *config.Loader, line *ast.Line) {
	const hello = "16" + "0300" + "0079" + // handshake, SSLv3, length
		"01" + "000075" + "0300" + // client hello, length, SSLv3
		"%[date(),htonl,hex]" + "%[str(HAPROXYSSLCHK\nHAPROXYSSLCHK\n),hex]" + // time and 28 bytes of a random number
		"00" + "004E" + // no session, length of ciphers
		"000100020003000400050006000700080009000A000B000C000D000E000F0010" +
		"001100120013001400150016001700180019001A001B002F0030003100320033" +
		"0034003500360037" + "00380039003A" +
		"01" + "00" // one compression: none
	if begin(l, line, 0) {
		protocol(l, line, [][]string{
			{"send-binary-lf", hello},
			{"expect", "rbinary", "^1[56]", "min-recv", "5", "ok-status", "L6OK", "error-status", "L6RSP", "tout-status", "L6TOUT"},
		})
	}
}

// parseSMTP reads `option smtpchk [HELO|EHLO <name>]`.
func parseSMTP(l *config.Loader, line *ast.Line) {
	if !begin(l, line, 2) {
		return
	}
	hello := "HELO localhost"
	if word, name := line.Arg(2), line.Arg(3); name != "" && (word == "EHLO" || word == "HELO") {
		hello = word + " " + name
	}
	answer := func(regex string, more ...string) []string {
		return append([]string{"expect", "rstring", regex, "error-status", "L7STS", "on-error", "%[res.payload(4,0),ltrim(' '),cut_crlf]",
			"status-code", "res.payload(0,3)"}, more...)
	}
	good := []string{"on-success", "%[res.payload(4,0),ltrim(' '),cut_crlf]"}
	protocol(l, line, [][]string{
		{"connect", "default", "linger"},
		{"expect", "rstring", "^[0-9]{3}[ \r]", "min-recv", "4", "error-status", "L7RSP", "on-error", "%[res.payload(0,0),cut_crlf]"},
		answer("^2[0-9]{2}[ \r]", "min-recv", "4"),
		{"send", hello + "\r\n"},
		answer("^(2[0-9]{2}-[^\r]*\r\n)*2[0-9]{2}[ \r]", good...),
		{"send", "QUIT\r\n"},
		answer("^2[0-9]{2}[- \r]", append(good, "min-recv", "4")...),
	})
}

// parsePostgres reads `option pgsql-check user <name>`: a start-up message, and an
// answer that asks for some authentication.
func parsePostgres(l *config.Loader, line *ast.Line) {
	if !begin(l, line, 2) {
		return
	}
	user := line.Arg(3)
	switch {
	case user == "":
		l.Alert(line.Pos, "'option %s' expects 'user <username>' as argument.", line.Arg(1))
		return
	case line.Arg(2) != "user":
		l.Alert(line.Pos, "'option %s' only supports optional values: 'user'.", line.Arg(1))
		return
	}
	protocol(l, line, [][]string{
		{"connect", "default", "linger"},
		{"send-binary", hexOf(startUp(user))},
		{"expect", "!rstring", "^E", "min-recv", "5", "error-status", "L7RSP", "on-error", "%[res.payload(6,0)]"},
		{"expect", "rbinary", "^52000000[A-Z0-9]{2}000000(00|02|03|04|05|06|07|09|0A)", "min-recv", "9", "error-status", "L7STS",
			"on-success", "PostgreSQL server is ok", "on-error", "PostgreSQL unknown error"},
	})
}

// parseLDAP reads "option ldap-check": an anonymous bind.
func parseLDAP(l *config.Loader, line *ast.Line) {
	if begin(l, line, 0) {
		protocol(l, line, [][]string{
			{"send-binary", "300C020101600702010304008000"},
			{"expect", "rbinary", "^30", "min-recv", "14", "on-error", "Not LDAPv3 protocol"},
			{"expect", "custom"},
		}, ldapAnswer)
	}
}

// parseSPOP reads "option spop-check".
func parseSPOP(l *config.Loader, line *ast.Line) {
	if begin(l, line, 0) {
		protocol(l, line, [][]string{{"connect", "default"}, {"send-binary", spopHello()}, {"expect", "custom"}}, spopAnswer)
	}
}

// parseMySQL reads `option mysql-check [user <name> [pre-41|post-41|post-80]]`.
func parseMySQL(l *config.Loader, line *ast.Line) {
	if !begin(l, line, 3) {
		return
	}
	what, user, version := line.Arg(2), line.Arg(3), line.Arg(4)
	switch {
	case what == "":
		protocol(l, line, [][]string{{"connect", "default", "linger"}, {"expect", "custom"}}, mysqlGreeting)
		return
	case what != "user":
		l.Abort(line.Pos, "'option %s' only supports optional values: 'user' (got '%s').", line.Arg(1), what)
		return
	case user == "":
		l.Abort(line.Pos, "'option %s %s' expects <username> as argument.", line.Arg(1), what)
		return
	}
	login, ok := mysqlLogin(user, version)
	if !ok {
		l.Abort(line.Pos, "keyword '%s' only supports 'post-41', 'pre-41' and 'post-80' (got '%s').", what, version)
		return
	}
	protocol(l, line, [][]string{
		{"connect", "default", "linger"},
		{"send-binary", hexOf(login)},
		{"expect", "custom"},
		{"expect", "custom"},
	}, mysqlGreeting, mysqlAnswer)
}
