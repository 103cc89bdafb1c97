package check

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// reader reads one rule of a check.
type reader struct {
	config.Words
	l    *config.Loader
	set  *ruleset
	line string // the keyword: "tcp-check" or "http-check"
}

// actions are the rules that both keywords have in common with rules on messages, as
// messages list them.
const actions = "'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'"

// parseTCPCheck reads a "tcp-check" line.
func parseTCPCheck(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	s := settingsOf(l.Proxy)
	if s.tcp == nil {
		s.tcp = &ruleset{kind: kindTCP}
	}
	rd := &reader{Words: config.NewWords(line, 1), l: l, set: s.tcp, line: line.Arg(0)}
	var r *rule
	var err error
	switch word := rd.Peek(); word {
	case "connect":
		r, err = rd.connect()
	case "send", "send-lf", "send-binary", "send-binary-lf":
		r, err = rd.send()
	case "expect":
		r, err = rd.expect()
	case "comment":
		r, err = rd.remark()
	default:
		if r, err = rd.action(); r == nil && err == nil {
			l.Alert(line.Pos, "'%s' only supports 'comment', 'connect', 'send', 'send-binary', 'expect', %s. but got '%s'", line.Arg(0), actions, word)
			return
		}
	}
	if err != nil {
		rd.refuse(err)
		return
	}
	r.index = s.tcp.nextIndex()
	s.tcp.rules = append(s.tcp.rules, r)
	if s.use != nil && s.use.kind == kindTCP {
		s.use, s.idleTCP = s.tcp, false
	} else {
		s.idleTCP = true
	}
}

// parseHTTPCheck reads an "http-check" line.
func parseHTTPCheck(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	s := settingsOf(l.Proxy)
	if s.http == nil {
		s.http = &ruleset{kind: kindHTTP}
	}
	rd := &reader{Words: config.NewWords(line, 1), l: l, set: s.http, line: line.Arg(0)}
	var r *rule
	var err error
	switch word := rd.Peek(); word {
	case "disable-on-404", "send-state":
		if extra := rd.PeekAt(1); extra != "" {
			l.Alert(line.Pos, "'%s' cannot handle unexpected argument '%s'.", line.Arg(0), extra)
			return
		}
		s.http.disable404 = s.http.disable404 || word == "disable-on-404"
		s.http.sendState = s.http.sendState || word == "send-state"
		return
	case "connect":
		r, err = rd.connect()
	case "send":
		r, err = rd.request()
	case "expect":
		r, err = rd.expect()
	case "comment":
		r, err = rd.remark()
	default:
		if r, err = rd.action(); r == nil && err == nil {
			l.Alert(line.Pos, "'%s' only supports 'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', %s. but got '%s'",
				line.Arg(0), actions, word)
			return
		}
	}
	if err != nil {
		rd.refuse(err)
		return
	}
	r.index = s.http.nextIndex()
	if s.use == nil || s.use.kind != kindHTTP {
		s.idleHTTP = true
		s.http.rules = append(s.http.rules, r)
		return
	}
	s.use, s.idleHTTP = s.http, false
	if err := s.http.add(r); err != nil {
		s.use = nil
		rd.refuse(fmt.Errorf("%w.", err))
	}
}

// refuse reports an error in the line.
func (rd *reader) refuse(err error) {
	rd.l.Alert(rd.Line.Pos, "'%s %s' : %s.", rd.line, rd.Line.Arg(1), err)
}

// add puts a rule of an HTTP check behind the others when the order makes sense. The
// first request takes up what "option httpchk" says.
func (s *ruleset) add(r *rule) error {
	last := s.last()
	refuse := func(what, missing string) error {
		return fmt.Errorf("unable to add http-check %s rule at step %d (missing %s rule)", what, r.index+1, missing)
	}
	if last != nil && !fromOption(last) {
		_, afterRequest := last.do.(*request)
		_, afterExpect := last.do.(*expect)
		switch r.do.(type) {
		case *request:
			if !isConnect(last) {
				return refuse("send", "connect")
			}
		case *expect:
			if !afterRequest && !afterExpect {
				return refuse("expect", "send")
			}
		case *connect:
			if !afterExpect {
				return refuse("connect", "expect")
			}
		}
	}
	if q, sends := r.do.(*request); sends {
		if first := s.first(0); first != nil && fromOption(first) {
			old := first.do.(*request)
			old.merge(q)
			old.fromOption = false
			s.remove(s.position(first))
			r = first
		}
	}
	s.rules = append(s.rules, r)
	return nil
}

// addOption puts the request of an "option httpchk" line into an HTTP check.
func (s *ruleset) addOption(r *rule) {
	first := s.first(0)
	if first != nil && isConnect(first) {
		first = s.first(s.position(first) + 1)
	}
	switch {
	case first == nil:
		s.insert(0, r)
	case fromOption(first):
		s.remove(s.position(first))
		s.insert(0, r)
	default:
		if old, sends := first.do.(*request); sends {
			old.merge(r.do.(*request))
			return
		}
		s.insert(0, r)
	}
}

// comment reads the argument of "comment".
func (rd *reader) comment(r *rule, end string) error {
	word := rd.Take()
	if rd.Done() {
		return fmt.Errorf("'%s' expects a string as argument%s", word, end)
	}
	r.comment = rd.Take()
	return nil
}

func (rd *reader) remark() (*rule, error) {
	rd.Skip(1)
	if rd.Done() {
		return nil, errors.New("expects a string as argument")
	}
	return &rule{comment: rd.Take(), do: remark{}}, nil
}

// action reads set-var and its kin by their rows; nil without an error: there is no
// such action.
func (rd *reader) action() (*rule, error) {
	word := rd.Peek()
	name, _, _ := strings.Cut(word, "(")
	for _, known := range []string{"set-var-fmt", "set-var", "unset-var"} {
		if !strings.HasPrefix(word, known) {
			continue
		}
		row := rd.l.Tables.Actions(runtime.HTTPReqRules).Get(name)
		if row == nil || row.Parse == nil {
			rd.l.Missing(rd.Line.Pos, rd.line+" "+known)
			return &rule{do: remark{}}, nil
		}
		rd.Skip(1)
		rd.l.For(sample.InTCPCheck)
		a := &config.ActionLine{Words: rd.Words, Name: word, Kind: runtime.HTTPReqRules, Proxy: rd.l.Proxy, Rule: &runtime.Rule{}, At: sample.CheckRule}
		exec, err := row.Parse(rd.l, a)
		if err != nil {
			return nil, fmt.Errorf("'%s' : %w", known, err)
		}
		return &rule{do: &action{exec}}, nil
	}
	return nil, nil
}

// connect reads `connect [default] [addr <a>] [port <p>] ...`.
func (rd *reader) connect() (*rule, error) {
	for _, r := range rd.set.rules {
		if isConnect(r) {
			break
		}
		if r.onWire() && !fromOption(r) {
			return nil, errors.New("first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or a 'comment', " +
				"when there is a 'connect' step in the tcp-check ruleset")
		}
	}
	c := &connect{}
	r := &rule{do: c}
	rd.Skip(1)
	for !rd.Done() {
		word, value := rd.Peek(), rd.PeekAt(1)
		if value == "" {
			switch word {
			case "addr":
				return nil, fmt.Errorf("'%s' expects <ipv4|ipv6> as argument.", word)
			case "port":
				return nil, fmt.Errorf("'%s' expects a port number or a sample expression as argument.", word)
			case "proto":
				return nil, fmt.Errorf("'%s' expects a MUX protocol as argument.", word)
			case "sni":
				return nil, fmt.Errorf("'%s' expects a string as argument.", word)
			}
		}
		switch word {
		case "default":
			c.useServer = true
		case "linger":
			c.linger = true
		case "send-proxy":
			c.sendProxy = true
		case "via-socks4":
			c.socks = true
		case "ssl":
			c.tls = true
		case "sni":
			c.hello.Name = value
			rd.Skip(1)
		case "alpn":
			var err error
			if c.hello.Protocols, err = config.ProtocolNames(word, value); err != nil {
				return nil, fmt.Errorf("%w.", err)
			}
			rd.Skip(1)
		case "addr":
			a, err := rd.l.Address(value, config.AddrResolve|config.AddrPort|config.AddrStream|config.AddrConnect, "")
			if err != nil {
				return nil, fmt.Errorf("'%s' : %w.", word, err)
			}
			c.addr = a.Addr
			rd.Skip(1)
		case "port":
			if err := rd.port(c, value); err != nil {
				return nil, err
			}
			rd.Skip(1)
		case "proto":
			if err := rd.proto(c, value); err != nil {
				return nil, err
			}
			rd.Skip(1)
		case "comment":
			if err := rd.comment(r, "."); err != nil {
				return nil, err
			}
			continue
		default:
			return nil, fmt.Errorf("expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger', 'default' but got '%s' as argument.", word)
		}
		rd.Skip(1)
	}
	return r, nil
}

func (rd *reader) port(c *connect, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		c.port = 0
		c.portExpr, err = rd.expression(text, "port")
		return err
	}
	if n < 1 || n > 65535 {
		return fmt.Errorf("expects a valid TCP port (from range 1 to 65535) or a sample expression, got %s.", text)
	}
	c.port, c.portExpr = n, nil
	return nil
}

// expression reads an expression for a place that messages call what.
func (rd *reader) expression(text, what string) (*sample.Expr, error) {
	rd.l.For(sample.InTCPCheck)
	e, err := rd.l.Samples.ParseWord(text)
	if err != nil {
		return nil, fmt.Errorf("error detected while parsing %s expression : %w", what, err)
	}
	if e.ValidAt()&sample.CheckRule == 0 {
		return nil, fmt.Errorf("error detected while parsing %s expression :  fetch method '%s' extracts information from '%s', none of which is available here.\n", what, text, e.From())
	}
	return e, nil
}

// proto checks the name of a protocol; those of which nothing but the name is known
// are missing.
func (rd *reader) proto(c *connect, name string) error {
	http := map[string]bool{"h1": true, "h2": true, "fcgi": true, "none": false, "spop": false, "quic": true}
	isHTTP, known := http[name]
	switch {
	case !known:
		return fmt.Errorf("'proto' : unknown MUX protocol '%s'.", name)
	case isHTTP != (rd.line == "http-check"):
		return fmt.Errorf("'proto' : invalid MUX protocol '%s' for %s", name, rd.line)
	case name == "h2":
		c.proto = runtime.ProtoH2
	case name == "h1":
		c.proto = runtime.ProtoH1
	case name != "none":
		rd.l.Missing(rd.Line.Pos, rd.line+" connect proto "+name)
	}
	return nil
}

// send reads `send|send-lf|send-binary|send-binary-lf <data> [comment <text>]`.
func (rd *reader) send() (*rule, error) {
	word := rd.Take()
	if rd.Done() {
		kind := "string"
		if word == "send-binary" {
			kind = "binary string"
		}
		return nil, fmt.Errorf("'%s' expects a %s as argument", kind, word) // the other way round, as ever
	}
	text := rd.Take()
	s := &send{binary: word == "send-binary-lf"}
	r := &rule{do: s}
	for !rd.Done() {
		if rd.Peek() != "comment" {
			return nil, fmt.Errorf("expects 'comment' but got '%s' as argument.", rd.Peek())
		}
		if err := rd.comment(r, "."); err != nil {
			return nil, err
		}
	}
	var err error
	switch word {
	case "send":
		s.data = []byte(text)
	case "send-binary":
		if s.data, err = binaryString(text); err != nil {
			return nil, fmt.Errorf("'%s' invalid binary string (%w).\n", text, err)
		}
	default:
		s.format, err = rd.format(text)
	}
	return r, err
}

// binaryString reads hexadecimal digits.
func binaryString(text string) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, errors.New("an even number of hex digit is expected")
	}
	b, err := hex.DecodeString(text)
	var bad hex.InvalidByteError
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("an hex digit is expected (found '%c')", byte(bad))
	}
	return b, nil
}

// format reads a log format.
func (rd *reader) format(text string) (*logformat.Format, error) {
	rd.l.For(sample.InTCPCheck)
	f, err := rd.l.Format(text, 0, sample.CheckRule)
	if err != nil {
		return nil, fmt.Errorf("'%s' invalid log-format string (%w).\n", text, err)
	}
	return f, nil
}

// request reads `send [meth <m>] [uri <u>] ...`.
func (rd *reader) request() (*rule, error) {
	q := &request{}
	r := &rule{do: q}
	var uri, body string
	var uriFormat, bodyFormat, haveBody bool
	var headers [][2]string
	host := ""
	rd.Skip(1)
	for !rd.Done() {
		word, value := rd.Peek(), rd.PeekAt(1)
		switch word {
		case "meth", "uri", "uri-lf", "ver", "body", "body-lf":
			if value == "" {
				return nil, fmt.Errorf("'%s' expects a string as argument.", word)
			}
		}
		switch word {
		case "meth":
			q.method = value
		case "uri", "uri-lf":
			uri, uriFormat = value, word == "uri-lf"
		case "ver":
			q.version = value
		case "body", "body-lf":
			body, bodyFormat, haveBody = value, word == "body-lf", true
		case "hdr":
			text := rd.PeekAt(2)
			if value == "" || text == "" {
				return nil, fmt.Errorf("'%s' expects <name> and <value> as arguments", word)
			}
			rd.Skip(1)
			name := strings.ToLower(value)
			switch name {
			case "host":
				if host != "" {
					return nil, fmt.Errorf("'%s' header already defined (previous value is '%s')", value, host)
				}
				host = text
			case "content-length", "transfer-encoding":
				rd.Skip(2)
				continue
			}
			headers = append(headers, [2]string{name, text})
		case "comment":
			if err := rd.comment(r, "."); err != nil {
				return nil, err
			}
			continue
		default:
			return nil, fmt.Errorf("expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '%s' as argument.", word)
		}
		rd.Skip(2)
	}
	var err error
	if uriFormat {
		if q.uriFormat, err = rd.format(uri); err != nil {
			return nil, err
		}
	} else {
		q.uri = uri
	}
	for _, h := range headers {
		if err := q.addHeader(rd.l, h[0], h[1]); err != nil {
			return nil, err
		}
	}
	if bodyFormat {
		q.bodyFormat, err = rd.format(body)
	} else if haveBody {
		q.body = []byte(body)
	}
	return r, err
}

func (q *request) addHeader(l *config.Loader, name, value string) error {
	l.For(sample.InTCPCheck)
	f, err := l.Format(value, 0, sample.CheckRule)
	if err == nil {
		q.headers = append(q.headers, header{name, f})
	}
	return err
}

// expect reads `expect [min-recv <n>] [!] <match> <pattern> ...`.
func (rd *reader) expect() (*rule, error) {
	isHTTP := rd.line == "http-check"
	rd.Skip(1)
	if rd.Done() {
		return nil, errors.New("expects at least a matching pattern as arguments")
	}
	e := &expect{minRecv: -1}
	r := &rule{do: e}
	var pattern, onSuccess, onError string
	for !rd.Done() {
		word := rd.Peek()
		inverse := strings.HasPrefix(word, "!")
		if inverse {
			bare := strings.TrimLeft(word, "!")
			if (len(word)-len(bare))%2 == 1 {
				e.not = !e.not
			}
			if word = bare; word == "" {
				rd.Skip(1)
				word = rd.Peek()
			}
		}
		kind, isMatch := matchWords[word]
		if isMatch && isHTTP {
			kind, isMatch = httpMatchWords[word]
		}
		switch {
		case isMatch && (isHTTP || kind < matchStatus):
			if e.kind != matchNone {
				return nil, errors.New("only one pattern expected")
			}
			e.kind = kind
			if kind == matchHeader {
				if err := rd.header(e, word); err != nil {
					return nil, err
				}
				continue
			}
			if rd.PeekAt(1) == "" {
				return nil, fmt.Errorf("'%s' expects a <pattern> as argument", word)
			}
			pattern = rd.PeekAt(1)
			rd.Skip(2)
			continue
		}
		if !optionWords[word] {
			if isHTTP {
				return nil, fmt.Errorf("'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', [!]hdr, [!]fhdr or comment but got '%s' as argument.", word)
			}
			return nil, fmt.Errorf("'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf''[!]rbinary', '[!]binary-lf' or comment but got '%s' as argument.", word)
		}
		if inverse {
			return nil, fmt.Errorf("[!] not supported with '%s'", word)
		}
		if word == "custom" {
			if e.kind != matchNone {
				return nil, errors.New("only one pattern expected")
			}
			e.kind = matchCustom
			rd.Skip(1)
			continue
		}
		value := rd.PeekAt(1)
		if value == "" {
			kind := "a string"
			switch word {
			case "min-recv":
				kind = "a integer"
			case "status-code":
				kind = "an expression"
			}
			return nil, fmt.Errorf("'%s' expects %s as argument", word, kind)
		}
		var err error
		switch word {
		case "min-recv":
			n := leading(value)
			if n < -1 || n > math.MaxInt32 {
				return nil, fmt.Errorf("'%s' expects -1 or an integer from 0 to INT_MAX", word)
			}
			e.minRecv = int(n)
		case "comment":
			r.comment = value
		case "on-success":
			onSuccess = value
		case "on-error":
			onError = value
		case "status-code":
			e.code, err = rd.expression(value, "status-code")
		case "ok-status":
			e.ok, err = status(word, value, "'L4OK', 'L6OK', 'L7OK' or 'L7OKC'",
				runtime.CheckL7OK, runtime.CheckL7Conditionally, runtime.CheckL6OK, runtime.CheckL4OK)
		case "error-status":
			e.bad, err = status(word, value, "'L4CON', 'L6RSP', 'L7RSP' or 'L7STS'",
				runtime.CheckL7Response, runtime.CheckL7Status, runtime.CheckL7Conditionally, runtime.CheckL6Response, runtime.CheckL4Conn)
		case "tout-status":
			e.timeout, err = status(word, value, "'L4TOUT', 'L6TOUT' or 'L7TOUT'",
				runtime.CheckL7Timeout, runtime.CheckL6Timeout, runtime.CheckL4Timeout)
		}
		if err != nil {
			return nil, err
		}
		rd.Skip(2)
	}
	var err error
	if onSuccess != "" {
		if e.onSuccess, err = rd.format(onSuccess); err != nil {
			return nil, err
		}
	}
	if onError != "" {
		if e.onError, err = rd.format(onError); err != nil {
			return nil, err
		}
	}
	if err := rd.pattern(e, pattern); err != nil {
		return nil, err
	}
	e.head = r
	for i := len(rd.set.rules) - 1; i >= 0; i-- {
		previous := rd.set.rules[i]
		if other, ok := previous.do.(*expect); ok {
			if other.not {
				e.head = previous
			}
		} else if previous.onWire() {
			break
		}
	}
	return r, nil
}

var matchWords = map[string]match{
	"string": matchString, "rstring": matchRegex, "string-lf": matchFormat,
	"binary": matchBinary, "rbinary": matchBinaryRegex, "binary-lf": matchBinaryFormat,
	"status": matchStatus, "rstatus": matchStatusRegex, "hdr": matchHeader, "fhdr": matchHeader,
}

var httpMatchWords = map[string]match{
	"string": matchBody, "rstring": matchBodyRegex, "string-lf": matchBodyFormat,
	"status": matchStatus, "rstatus": matchStatusRegex, "hdr": matchHeader, "fhdr": matchHeader,
}

var optionWords = map[string]bool{
	"min-recv": true, "custom": true, "comment": true, "on-success": true, "on-error": true,
	"ok-status": true, "error-status": true, "status-code": true, "tout-status": true,
}

// leading is the number at the start of text, 0 without one.
func leading(text string) int64 {
	n, _ := sample.ReadInt(text)
	return n
}

// status finds a status by its short name, in any case.
func status(word, name, list string, among ...runtime.CheckStatus) (runtime.CheckStatus, error) {
	for _, s := range among {
		if message.EqualFold(s.String(), name) {
			return s, nil
		}
	}
	return 0, fmt.Errorf("'%s' only supports %s status (got '%s').", word, list, name)
}

// pattern reads the text that an expect rule compares with.
func (rd *reader) pattern(e *expect, text string) (err error) {
	switch e.kind {
	case matchNone:
		return errors.New("pattern not found")
	case matchString, matchBody:
		e.data = []byte(text)
	case matchBinary:
		if e.data, err = binaryString(text); err != nil {
			return fmt.Errorf("invalid binary string (%w)", err)
		}
	case matchRegex, matchBinaryRegex, matchStatusRegex, matchBodyRegex:
		e.regex, err = sample.CompileMatcher(text, false)
	case matchFormat, matchBinaryFormat, matchBodyFormat:
		e.format, err = rd.format(text)
	case matchStatus:
		e.codes, err = statusRanges(text)
	}
	return err
}

// statusRanges reads "200,300-399".
func statusRanges(text string) (codes [][2]int, err error) {
	number := func() int {
		n := 0
		for text != "" && text[0] >= '0' && text[0] <= '9' {
			n = min(n*10+int(text[0]-'0'), math.MaxInt32)
			text = text[1:]
		}
		return n
	}
	for whole := text; ; text = text[1:] {
		low := number()
		high := low
		if strings.HasPrefix(text, "-") {
			text = text[1:]
			high = number()
		}
		if low > high {
			return nil, fmt.Errorf("invalid range of status codes '%s'", whole)
		}
		codes = append(codes, [2]int{low, high})
		if text == "" {
			return codes, nil
		}
		if text[0] != ',' {
			return nil, fmt.Errorf("invalid character '%c' in the list of status codes", text[0])
		}
	}
}

// header reads `hdr|fhdr name|name-lf [-m <how>] <name> [value|value-lf [-m <how>] <value>]`.
func (rd *reader) header(e *expect, word string) error {
	m := &headerMatch{whole: word == "fhdr"}
	e.header = m
	name := rd.PeekAt(1)
	if rd.PeekAt(2) == "" || name != "name" && name != "name-lf" {
		return fmt.Errorf("'%s' expects at the name keyword as first argument followed by a pattern", word)
	}
	rd.Skip(2)
	if err := rd.how(&m.name, word, name == "name-lf"); err != nil {
		return err
	}
	if rd.Done() {
		return errors.New("unexpected error, undefined header name pattern")
	}
	if err := rd.text(&m.name, name == "name-lf", true); err != nil {
		return err
	}
	value := rd.Peek()
	if value != "value" && value != "value-lf" {
		m.anyValue = true
		return nil
	}
	rd.Skip(1)
	if err := rd.how(&m.value, word, value == "value-lf"); err != nil {
		return err
	}
	if rd.Done() {
		return fmt.Errorf("'%s' expect a pattern with the value keyword", word)
	}
	return rd.text(&m.value, value == "value-lf", false)
}

// how reads "-m <method>".
func (rd *reader) how(t *textMatch, word string, format bool) error {
	if rd.Peek() != "-m" {
		return nil
	}
	rd.Skip(1)
	switch method := rd.Take(); method {
	case "":
		return fmt.Errorf("'%s' : '-m' expects at a matching pattern ('str', 'beg', 'end', 'sub' or 'reg')", word)
	case "str":
	case "beg":
		t.how = beginning
	case "end":
		t.how = ending
	case "sub":
		t.how = within
	case "reg":
		if format {
			return fmt.Errorf("'%s': log-format string is not supported with a regex matching method", word)
		}
		t.how = byRegex
	default:
		return fmt.Errorf("'%s' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '%s')", word, method)
	}
	return nil
}

func (rd *reader) text(t *textMatch, format, fold bool) (err error) {
	text := rd.Take()
	switch {
	case t.how == byRegex:
		t.regex, err = sample.CompileMatcher(text, fold)
	case format:
		t.format, err = rd.format(text)
	default:
		t.text = []byte(text)
	}
	return err
}
