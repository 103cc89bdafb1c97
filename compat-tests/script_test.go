package compat

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A script is a list of steps, one a line. Steps before "start":
//
//	listen NAME...         sockets that the program accepts from, as "fd@${NAME}", at "${NAME_addr}"
//	server NAME...         servers of the script, at "${NAME}", their port alone at "${NAME_port}"
//	dead NAME...           addresses where nobody listens, at "${NAME}"
//	start [FLAG...]        runs the program with "-f haproxy.cfg" and -db or these flags; without
//	                       this step it starts before the first of the steps below
//
// Connections:
//
//	client C NAME          C connects to a listener (or to a unix socket in the folder)
//	accept C NAME          C is the next connection to a server
//	send C TEXT            see text below
//	recv C                 one HTTP message (to its end, or to the end of the connection)
//	recv C head            its head only
//	recv C N               N bytes
//	recv C plain           one HTTP message, its body without chunks and compression
//	skip C N, skip C eof   N bytes, or everything, whatever they are and however they end
//	recv C eof             everything up to the end of the connection
//	silent C DURATION      nothing comes for that time
//	tls C [WORD...]        begins TLS on C, and tells what it is or why not: sni=NAME,
//	                       alpn=NAMES, min=1.2, max=1.2, cert=FILE (of "${TLS}"), suite=NAME,
//	                       as=C (goes on with the session of another one)
//	probe NAME [ARG...]    what "openssl s_client" agrees upon with a listener, or why nothing
//	ticket NAME [ARG...]   for how long it may go on with its session, if the listener ends it at once
//	renegotiate NAME ...   what that comes to when it begins another handshake
//	shut C                 no more is sent to C (FIN)
//	close C, reset C       FIN or RST, nothing more is read
//	refuse NAME            the server stops listening
//
// HTTP/2, once "h2" has said what comes first on a connection:
//
//	h2 C [NAME=VALUE...]   C speaks HTTP/2 with these settings: table, push, max, window, frame, connect
//	headers C ID [end] LIST     a head or trailers: "name: value | name: value"
//	data C ID [end] TEXT
//	rst C ID CODE, goaway C LAST CODE, window C ID N, ping C, settings C NAME=VALUE...
//	hold C, flush C        what C says in between is sent at once
//	pinged C, pong C       waits for the next PING, and answers it
//	frame C                the next frame that is no SETTINGS, WINDOW_UPDATE or PING
//	body C [N]             DATA frames up to the end of the stream, or N bytes
//
// The rest:
//
//	log [DURATION]         the next line that came to "${LOG}", waited for no longer than that
//	cli LINE               what the runtime API answers; "${NAME}" is an address of the script
//	vars                   the variables of the process that the configuration sets, behind their expressions
//	stat PX SV FIELD...    fields of "show stat"
//	await PX SV FIELD VALUE   waits until a field has that value
//	mark                   the moment that the next step counts from
//	within MIN MAX         tells whether now is that long after it
//	signal NAME            TERM, INT, USR1, USR2, HUP
//	status                 of the process, once it has ended
//	run ARG...             runs the program once more: its status and what it prints
//	exits ARG...           the same, its status only
//	printed REGEXP         waits for a line of standard error
//
// In a TEXT, " | " ends a line and " ||" ends a head (what follows is the body);
// escapes are those of Go.
type script struct {
	*program
	conns map[string]*peer
	mark  time.Time
	out   strings.Builder
}

// peer is one end of a connection, with what was received and not yet asked for.
type peer struct {
	net.Conn
	r        *bufio.Reader
	accepted bool
	h2       *frames
	session  tls.ClientSessionCache // of TLS
}

// errScript is a mistake in the script itself.
var errScript = errors.New("bad step")

// run executes all steps and returns the transcript.
func (s *script) run(text string) (string, error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := s.step(line); err != nil {
			return s.out.String(), fmt.Errorf("%s: %w\n%s%s", line, err, s.stdout.String(), s.stderr.String())
		}
	}
	return s.out.String(), nil
}

// say adds the result of a step to the transcript.
func (s *script) say(line, result string) {
	if result != "" && !strings.HasSuffix(result, "\n") {
		result += "\n"
	}
	fmt.Fprintf(&s.out, "> %s\n%s", line, result)
}

func (s *script) step(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	args := strings.Fields(rest)
	switch verb {
	case "listen", "server", "dead":
		for _, name := range args {
			map[string]func(string){"listen": s.listen, "server": s.serve, "dead": s.dead}[verb](name)
		}
		return nil
	case "start":
		if len(args) == 0 {
			args = []string{"-db"}
		}
		s.start(append([]string{"-f", "haproxy.cfg"}, args...)...)
		return s.ready()
	case "run":
		s.say(line, s.runOnce(args))
		return nil
	case "exits":
		status, _, _ := strings.Cut(s.runOnce(args), "\n")
		s.say(line, status)
		return nil
	case "mark":
		s.mark = time.Now()
		return nil
	}
	if s.cmd == nil {
		s.start("-f", "haproxy.cfg", "-db")
		if err := s.ready(); err != nil {
			return err
		}
	}
	switch verb {
	case "status":
		s.say(line, s.status())
	case "signal":
		return s.signal(rest)
	case "log":
		wait := patience
		if rest != "" {
			wait = duration(rest)
		}
		text, err := s.nextLog(wait)
		s.say(line, text)
		return err
	case "cli":
		text, err := s.ask(s.expand(rest))
		s.say(line, s.masked(text))
		return err
	case "vars":
		return s.variables()
	case "stat":
		if len(args) < 3 {
			return errScript
		}
		var values []string
		for _, field := range args[2:] {
			v, err := s.cell(args[0], args[1], field)
			if err != nil {
				return err
			}
			values = append(values, v)
		}
		s.say(line, strings.Join(values, " "))
	case "await":
		if len(args) != 4 {
			return errScript
		}
		return s.await(args[0], args[1], args[2], args[3])
	case "within":
		if len(args) != 2 {
			return errScript
		}
		took, low, high := time.Since(s.mark), duration(args[0]), duration(args[1])
		result := "yes"
		if took < low || took > high {
			result = "no, " + took.String()
		}
		s.say(line, result)
	case "printed":
		text, err := s.printed(rest)
		s.say(line, s.masked(text))
		return err
	case "refuse":
		return s.servers[rest].Close()
	default:
		return s.stepConn(verb, line, args, rest)
	}
	return nil
}

// ready waits until the program serves, if it has a stats socket to tell it.
func (s *script) ready() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "haproxy.cfg"))
	if err != nil || !bytes.Contains(text, []byte("/cli.sock")) {
		return err
	}
	_, err = s.ask("show version")
	return err
}

// expand puts the addresses of the script in a line.
func (s *script) expand(line string) string {
	for _, v := range s.env {
		if name, value, ok := strings.Cut(v, "="); ok {
			line = strings.ReplaceAll(line, "${"+name+"}", value)
		}
	}
	return line
}

// stepConn is a step of a connection.
func (s *script) stepConn(verb, line string, args []string, rest string) error {
	if len(args) == 0 {
		return errScript
	}
	name := args[0]
	switch verb {
	case "client":
		c, err := s.dial(args[1])
		switch {
		case errors.Is(err, syscall.ECONNRESET): // refused by a rule before the handshake was seen to end
		case err != nil:
			return err
		default:
			s.add(name, c, false)
		}
		return nil
	case "probe":
		s.say(line, s.probe(args[0], args[1:]))
		return nil
	case "ticket":
		s.say(line, s.ticket(args[0], args[1:]))
		return nil
	case "renegotiate":
		text, err := s.renegotiate(args[0], args[1:])
		s.say(line, text)
		return err
	case "accept":
		l := s.servers[args[1]].(*net.TCPListener)
		l.SetDeadline(time.Now().Add(patience))
		c, err := l.Accept()
		if err != nil {
			return err
		}
		s.add(name, c, true)
		return nil
	}
	c := s.conns[name]
	if c == nil {
		return errScript
	}
	rest = strings.TrimSpace(strings.TrimPrefix(rest, name))
	switch verb {
	case "send":
		b, err := text(rest)
		if err != nil {
			return err
		}
		c.SetWriteDeadline(time.Now().Add(patience))
		c.Write(b) // what became of it shows in what is received
	case "recv":
		c.SetReadDeadline(time.Now().Add(patience))
		got, err := c.receive(rest)
		result := visible(got)
		if rest == "eof" && err == nil || err != nil && len(got) == 0 || err != nil {
			result += ending(err)
		}
		s.say(line, s.masked(result))
	case "tls":
		result, err := s.secure(c, args[1:])
		if err != nil {
			return err
		}
		s.say(line, result)
	case "skip":
		c.SetReadDeadline(time.Now().Add(patience))
		c.receive(rest)
	case "silent":
		c.SetReadDeadline(time.Now().Add(duration(rest)))
		b, err := c.r.Peek(1)
		result := "yes"
		if !isTimeout(err) {
			result = "no: " + visible(b) + ending(err)
		}
		s.say(line, result)
	case "shut":
		return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
	case "close":
		return c.Close()
	case "reset":
		c.Conn.(*net.TCPConn).SetLinger(0)
		return c.Close()
	case "h2", "headers", "data", "rst", "goaway", "window", "ping", "pinged", "pong", "hold", "flush", "settings", "frame", "body":
		return s.stepH2(c, verb, line, args[1:], rest)
	case "record", "request", "fcgi":
		return s.stepFCGI(c, verb, line, args[1:], rest)
	default:
		return errScript
	}
	return nil
}

func (s *script) add(name string, c net.Conn, accepted bool) {
	s.conns[name] = &peer{Conn: c, r: bufio.NewReader(c), accepted: accepted}
	s.t.Cleanup(func() { c.Close() })
}

// receive reads what the argument of "recv" asks for.
func (c *peer) receive(what string) ([]byte, error) {
	switch {
	case what == "eof":
		return io.ReadAll(c.r)
	case what == "head":
		return c.head()
	case what == "plain":
		return c.plain()
	case what != "":
		n, err := strconv.Atoi(what)
		if err != nil {
			return nil, err
		}
		b := make([]byte, n)
		got, err := io.ReadFull(c.r, b)
		return b[:got], err
	}
	head, err := c.head()
	if err != nil {
		return head, err
	}
	body, err := c.body(string(head))
	return append(head, body...), err
}

// plain gives a message with what its body says, whatever form that came in, and its trailers behind that.
func (c *peer) plain() ([]byte, error) {
	head, err := c.head()
	if err != nil {
		return head, err
	}
	var body io.Reader = c.r
	switch length := contentLength.FindSubmatch(head); {
	case chunked.Match(head):
		body = httputil.NewChunkedReader(c.r)
	case length != nil:
		n, _ := strconv.ParseInt(string(length[1]), 10, 64)
		body = io.LimitReader(c.r, n)
	case !bytes.HasPrefix(head, []byte("HTTP/")):
		return head, nil
	}
	b, err := io.ReadAll(body)
	if coding := contentCoding.FindSubmatch(head); err == nil && coding != nil {
		b, err = inflate(string(coding[1]), b)
	}
	for end := !chunked.Match(head); err == nil && !end; {
		var line []byte
		line, err = c.r.ReadSlice('\n') // of the trailers
		end = string(line) == "\r\n"
		b = append(b, bytes.TrimSuffix(line, []byte("\r\n"))...)
	}
	return append(head, b...), err
}

// inflate reads a compressed body. What has no header of zlib is taken for raw.
func inflate(coding string, body []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch {
	case len(body) == 0:
		return nil, nil
	case coding == "gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case bytes.HasPrefix(body, []byte{0x78, 0x01}):
		r, err = zlib.NewReader(bytes.NewReader(body))
	default:
		r = flate.NewReader(bytes.NewReader(body))
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (c *peer) head() ([]byte, error) {
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := c.r.ReadSlice('\n')
		head = append(head, line...)
		if err != nil {
			return head, err
		}
	}
	return head, nil
}

var (
	contentLength = regexp.MustCompile(`(?i)\r\ncontent-length: *(\d+)`)
	contentCoding = regexp.MustCompile(`(?i)\r\ncontent-encoding: *(gzip|deflate)`)
	chunked       = regexp.MustCompile(`(?i)\r\ntransfer-encoding: *chunked`)
	noBody        = regexp.MustCompile(`^HTTP/1\.. (1\d\d|204|304)`)
)

func (c *peer) body(head string) ([]byte, error) {
	switch {
	case noBody.MatchString(head):
		return nil, nil
	case chunked.MatchString(head):
		return c.chunks()
	case contentLength.MatchString(head):
		n, _ := strconv.Atoi(contentLength.FindStringSubmatch(head)[1])
		b := make([]byte, n)
		got, err := io.ReadFull(c.r, b)
		return b[:got], err
	case !strings.HasPrefix(head, "HTTP/"):
		return nil, nil
	}
	b, err := io.ReadAll(c.r)
	if err == nil {
		err = io.EOF
	}
	return b, err
}

// chunks reads a chunked body and joins the data of its chunks: how a proxy cuts it
// is its own affair. The sizes are left out, the trailers are not.
func (c *peer) chunks() ([]byte, error) {
	var all []byte
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return append(all, line...), err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return append(all, line...), err
		}
		if n == 0 {
			all = append(all, "\r\n0\r\n"...)
			break
		}
		data := make([]byte, n+2)
		got, err := io.ReadFull(c.r, data)
		all = append(all, data[:min(got, int(n))]...)
		if err != nil {
			return all, err
		}
	}
	for {
		line, err := c.r.ReadString('\n')
		all = append(all, line...)
		if err != nil || line == "\r\n" {
			return all, err
		}
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// ending tells in the transcript how a connection ended.
func ending(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "END\n"
	case isTimeout(err):
		return "NOTHING MORE\n"
	case errors.Is(err, syscall.ECONNRESET):
		return "RESET\n"
	}
	return "NOT READABLE: " + err.Error() + "\n"
}

// text is the bytes that a TEXT of a script stands for.
func text(t string) ([]byte, error) {
	if head, ok := strings.CutSuffix(t, " ||"); ok {
		t = head + `\r\n\r\n`
	}
	t = strings.ReplaceAll(t, " || ", `\r\n\r\n`)
	t = strings.ReplaceAll(t, " | ", `\r\n`)
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(t, `"`, `\"`) + `"`)
	if rep := repeated.FindStringSubmatchIndex(u); rep != nil {
		n, _ := strconv.Atoi(u[rep[4]:rep[5]])
		u = u[:rep[0]] + strings.Repeat(u[rep[2]:rep[3]], n) + u[rep[1]:]
	}
	return []byte(u), err
}

// repeated is a piece of a TEXT that stands for many: {{x*1000}}.
var repeated = regexp.MustCompile(`(?s)\{\{(.+?)\*(\d+)\}\}`)

var many = regexp.MustCompile(`(a{50,}|b{50,})`)

// visible is bytes as lines: an end of line that is not CRLF, and what is not
// printable, are escaped; a last line without an end is marked by a backslash.
func visible(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '\r' && i+1 < len(b) && b[i+1] == '\n':
			out.WriteByte('\n')
			i++
		case ch == '\n':
			out.WriteString("\\n\n")
		case ch >= 32 && ch < 127:
			out.WriteByte(ch)
		default:
			q := strconv.QuoteToASCII(string(rune(ch)))
			if ch >= 128 {
				q = fmt.Sprintf(`"\x%02x"`, ch)
			}
			out.WriteString(strings.Trim(q, `"`))
		}
	}
	if b[len(b)-1] != '\n' {
		out.WriteString("\\\n")
	}
	return shortened(out.String())
}

// shortened counts bytes that are many.
func shortened(text string) string {
	return many.ReplaceAllStringFunc(text, func(m string) string { return fmt.Sprintf("{{%c*%d}}", m[0], len(m)) })
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (s *script) signal(name string) error {
	sig := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "HUP": syscall.SIGHUP}[name]
	if sig == 0 {
		return errScript
	}
	return s.cmd.Process.Signal(sig)
}

func (s *script) nextLog(wait time.Duration) (string, error) {
	s.logs.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 65536)
	n, err := s.logs.Read(buf)
	if isTimeout(err) {
		return "no log\n", nil
	}
	return s.masked(maskedLog(strings.TrimSuffix(string(buf[:n]), "\n"))), err
}

func (s *script) await(proxy, server, field, value string) error {
	var got string
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end) && s.running(); time.Sleep(10 * time.Millisecond) {
		if got, err = s.cell(proxy, server, field); err == nil && got == value {
			return nil
		}
	}
	return fmt.Errorf("%s is %q, %v", field, got, err)
}

func (s *script) printed(pattern string) (string, error) {
	re, err := regexp.Compile(`(?m)^.*` + pattern + `.*$`)
	if err != nil {
		return "", err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if line := re.FindString(s.stderr.String()); line != "" {
			return line, nil
		}
	}
	return "", errors.New("not printed")
}

func (s *script) runOnce(args []string) string {
	cmd := s.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	status := 0
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("exit %d\n%s", status, s.masked(lines("stdout: ", out.String())+lines("stderr: ", errs.String())))
}

func lines(prefix, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(prefix + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

var (
	traced     = regexp.MustCompile(`<0>\d{4}-\S+ \[(\d\d\|\w+\|\d\|)[^]]*\]`) // the date and the place in the source
	portOfAddr = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	portColumn = regexp.MustCompile(` 127\.0\.0\.1 \d+ - `) // of show servers conn
	pid        = regexp.MustCompile(`\((\d+)\) :`)
	worker     = regexp.MustCompile(`worker \(\d+\)`)
	// builtVersion is the version with the commit of a build.
	builtVersion = regexp.MustCompile(`3\.4\.0-[0-9a-f]+`)
	entryID      = regexp.MustCompile(`(?m)^0x[0-9a-f]+: key=`)
	entryLife    = regexp.MustCompile(` exp=[1-9]\d* shard=`)
	checkTime    = regexp.MustCompile(`check duration: \d+ms`)
	metricTime   = regexp.MustCompile(`(_time\w*_seconds\{[^}]*\}) \d+\.\d+`)
	logHead      = regexp.MustCompile(`^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d (\w+)\[\d+\]:`)
	sentOn       = regexp.MustCompile(`^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d 127\.0\.0\.1 `) // a message that came without date or host
	logDate      = regexp.MustCompile(`\[\d\d/\w{3}/\d{4}:[\d:.]+\]`)
	logTimers    = regexp.MustCompile(`(\] \S+ \S+/\S+ )([-+\d]+(?:/[-+\d]+){2,4})`)
	number       = regexp.MustCompile(`(^|/)(\+?)\d+`)
)

// masked leaves out of a transcript what differs from run to run.
func (s *script) masked(text string) string {
	text = strings.ReplaceAll(text, s.path, "haproxy")
	text = strings.ReplaceAll(text, s.dir, "DIR")
	text = strings.ReplaceAll(text, certificates(s.t), "TLS")
	text = traced.ReplaceAllString(text, "<0>DATE [${1}PLACE]")
	text = portOfAddr.ReplaceAllString(text, "127.0.0.1:PORT")
	text = portColumn.ReplaceAllString(text, " 127.0.0.1 PORT - ")
	text = pid.ReplaceAllString(text, "(PID) :")
	text = worker.ReplaceAllString(text, "worker (PID)")
	text = checkTime.ReplaceAllString(text, "check duration: tms")
	text = metricTime.ReplaceAllString(text, "$1 t")
	text = entryID.ReplaceAllString(text, "0xID: key=")
	text = entryLife.ReplaceAllString(text, " exp=t shard=")
	return builtVersion.ReplaceAllString(text, "3.4.0")
}

// maskedLog leaves out dates, the process and the timers: "t" is a time that was
// measured, -1 one that was not.
func maskedLog(line string) string {
	line = logHead.ReplaceAllString(line, "${1}DATE $2[PID]:")
	line = sentOn.ReplaceAllString(line, "${1}DATE 127.0.0.1 ")
	line = logDate.ReplaceAllString(line, "[DATE]")
	return logTimers.ReplaceAllStringFunc(line, func(m string) string {
		parts := logTimers.FindStringSubmatch(m)
		return parts[1] + number.ReplaceAllString(parts[2], "${1}${2}t")
	})
}
