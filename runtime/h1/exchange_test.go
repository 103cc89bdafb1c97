package h1

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"hapax/runtime/message"
)

// exchange is one request and its answer as HAProxy 3.4.0 passed them on. Strings hold one byte a rune.
type exchange struct {
	Name     string
	Global   string // lines of the global section
	Conf     string // lines of the proxy's section
	Request  string // as the client sent it
	Response string // as the server sent it, once the request was there
	SrvClose bool   // the server closed behind its response
	Got      string // what the server received
	Client   string // what the client received
	Closed   bool   // the client's connection was closed
	Closes   bool   `json:"srvclosed"` // the server's connection was closed

	Bad      string // "request" or "response": what "show errors" captured
	ErrPos   int    // and where
	ErrState string
}

func readExchanges(t testing.TB) []exchange {
	t.Helper()
	raw, err := os.ReadFile("testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		x := &all[i]
		for _, s := range []*string{&x.Request, &x.Response, &x.Got, &x.Client} {
			*s = string(latin1(*s))
		}
	}
	return all
}

func latin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// relay passes an exchange on as a proxy does and tells what came out.
type relay struct {
	options     Options
	front, back Mode
	pretend     bool
	server      string // field that names the server
	rules       []func(req *message.Message) error
	after       []func(res *message.Message) error
	deny        int

	client, got string
	closed      bool // the client side
	closes      bool // the server side

	bad      string
	errPos   int
	errState State
}

func newMessage(bytes string) *message.Message {
	m := new(message.Message)
	m.Reset(append(make([]byte, 0, DefaultLimits.Buffer), bytes...), make([]message.Field, 0, 2*DefaultLimits.Headers))
	return m
}

func (r *relay) run(x *exchange) {
	var p Parser
	req := newMessage(x.Request)
	input := len(req.Buf)
	p.Request(r.options, DefaultLimits)
	if HasPreface(req.Buf) {
		r.client, r.closed = ReplyFor(405).Raw, true
		return
	}
	result := p.Parse(req)
	r.capture("request", &p)
	switch result {
	case More:
		r.client = "incomplete"
		return
	case Invalid:
		r.client, r.closed = ReplyFor(p.Status).Raw, true
		return
	}
	clientWant := KeepAlive.AfterRequest(req.Flags, false)
	request11 := req.Flags&message.Version11 != 0
	if !r.bodyOK("request", req, input) {
		r.client, r.closed = ReplyFor(400).Raw, true
		return
	}
	var d Decoder
	d.Start(req)
	body, _, trailers, _ := drain(&d, req.Buf[req.HeadLen:input], r.options)
	if string(req.MethodName()) == "PRI" { // kept for the HTTP/2 preface
		r.deny = 400
	}
	if r.deny != 0 {
		r.refuse(req, clientWant, r.deny)
		return
	}
	for _, rule := range r.rules {
		if err := rule(req); err != nil {
			panic(err)
		}
	}
	e := Encoder{Front: r.front, Back: r.back, Pretend: r.pretend, KeepInsecure: r.options&KeepInsecure != 0}
	if r.server != "" {
		e.ServerHeader, e.ServerName = r.server, "s"
	}
	out, err := e.AppendRequest(make([]byte, 0, DefaultLimits.Buffer), req)
	if err != nil {
		r.refuse(req, clientWant, 502)
		return
	}
	r.got = string(out) + framed(&e, body, trailers)
	serverWant := e.Want

	left := x.Response
	for {
		res := newMessage(left)
		input := len(res.Buf)
		p.Response(req.Method, r.options, DefaultLimits)
		p.ExpectKey(e.Key)
		result := p.Parse(res)
		r.capture("response", &p)
		if result != Complete || !Agreed(res.Status, req.Flags, res.Flags) || !r.bodyOK("response", res, input) {
			r.refuse(req, clientWant, 502)
			return
		}
		for _, rule := range r.after {
			if err := rule(res); err != nil {
				panic(err)
			}
		}
		serverWant = serverWant.AfterResponse(res.Method, res.Status, res.Flags, false)
		e := Encoder{Want: clientWant, Front: r.front, Request11: request11, KeepInsecure: r.options&KeepInsecure != 0}
		out, err := e.AppendResponse(make([]byte, 0, DefaultLimits.Buffer), res)
		if err != nil {
			r.client = err.Error()
			return
		}
		r.client += string(out)
		clientWant = e.Want
		d.Start(res)
		if e.Framing == OtherBytes {
			d.StartTunnel()
		}
		body, rest, trailers, ok := drain(&d, res.Buf[res.HeadLen:input], r.options)
		r.client += framed(&e, body, trailers)
		if !ok {
			r.closed = true
		}
		left = rest
		if !Informational(res.Status) {
			if rest != "" { // bytes that no request asked for
				r.closes = true
			}
			break
		}
	}
	r.closed = clientWant == Close || clientWant == TunnelMode && x.SrvClose
	r.closes = r.closes || serverWant == Close
}

// capture notes what "show errors" would show.
func (r *relay) capture(what string, p *Parser) {
	if p.ErrPos >= 0 {
		r.bad, r.errPos, r.errState = what, p.ErrPos, p.ErrState
	}
}

// refuse answers in the server's place.
func (r *relay) refuse(req *message.Message, want Want, status int) {
	reply := ReplyFor(status)
	m := newMessage("")
	if err := reply.Fill(m, req.Method); err != nil {
		panic(err)
	}
	e := Encoder{Want: want, Front: r.front, Request11: req.Flags&message.Version11 != 0}
	out, err := e.AppendResponse(make([]byte, 0, 4096), m)
	if err != nil {
		panic(err)
	}
	r.client = string(out)
	if !e.SkipBody {
		r.client += reply.Body
	}
	r.closed = e.Want == Close
	r.closes = true
}

// bodyOK looks at the part of the body that came with the head.
func (r *relay) bodyOK(what string, m *message.Message, input int) bool {
	var d Decoder
	d.Start(m)
	in := m.Buf[m.HeadLen:input]
	n, ev := d.Check(in)
	if ev == TrailerPart {
		var p Parser
		p.Trailers(r.options, DefaultLimits)
		if p.Parse(newMessage(string(in[n:]))) == Invalid {
			ev = BadBody
		}
	}
	if ev != BadBody {
		return true
	}
	r.bad, r.errPos = what, int(m.HeadLen)+n
	for ev := Payload; ev == Payload; {
		_, n, ev = d.Next(in)
		in = in[n:]
	}
	if r.errState = d.State; d.State == Trailers {
		r.errPos = int(m.HeadLen) // the reference does not count further there
	}
	return false
}

// drain decodes a whole body.
func drain(d *Decoder, in []byte, opts Options) (body, rest string, trailers *message.Message, ok bool) {
	for {
		payload, n, ev := d.Next(in)
		in = in[n:]
		switch ev {
		case Payload:
			body += string(payload)
		case TrailerPart:
			var p Parser
			trailers = newMessage(string(in))
			p.Trailers(opts, DefaultLimits)
			if p.Parse(trailers) != Complete {
				return body, "", nil, false
			}
			in = in[trailers.HeadLen:]
			d.TrailersDone()
		case NeedMore:
			return body, "", trailers, true
		case End:
			return body, string(in), trailers, true
		case BadBody:
			return body, "", nil, false
		}
	}
}

// framed writes a body as the encoder decided, in one chunk.
func framed(e *Encoder, body string, trailers *message.Message) string {
	if e.SkipBody {
		return ""
	}
	switch e.Framing {
	case NoBody:
		return ""
	case Chunks:
		var b []byte
		if body != "" {
			b = AppendChunkHead(b, uint64(len(body)))
			b = append(b, body+ChunkEnd...)
		}
		if trailers == nil {
			return string(b) + LastChunk
		}
		b, err := AppendTrailers(append(make([]byte, 0, 4096), b...), trailers, nil)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return body
}

// randomKey finds a key that was made on the way.
var randomKey = regexp.MustCompile(`(Sec-Websocket-Key: )\S{24}`)

// divergences are the cases where we do otherwise, with the reason.
var divergences = map[string]string{
	"te chunk 13 digits": "a chunk that is not there in whole goes out in smaller chunks, not under its own size",
}

func TestExchanges(t *testing.T) {
	for _, x := range readExchanges(t) {
		t.Run(x.Name, func(t *testing.T) {
			r := relayFor(t, &x)
			r.run(&x)
			if reason := divergences[x.Name]; reason != "" {
				if r.got == x.Got && r.client == x.Client {
					t.Errorf("no divergence any more: %s", reason)
				}
				t.Log(reason)
				return
			}
			r.got, x.Got = randomKey.ReplaceAllString(r.got, "$1*"), randomKey.ReplaceAllString(x.Got, "$1*")
			if r.bad != x.Bad || x.Bad != "" && (r.errPos != x.ErrPos || r.errState.String() != x.ErrState) {
				t.Errorf("captured %s at %d %v, reference %s at %d %s\n%q", r.bad, r.errPos, r.errState, x.Bad, x.ErrPos, x.ErrState, x.Request+x.Response)
			}
			if r.got != x.Got {
				t.Errorf("request %q\n to server %q\nreference %q", x.Request, r.got, x.Got)
			}
			if r.client != x.Client {
				t.Errorf("response %q\n to client %q\nreference %q\nrequest %q", x.Response, r.client, x.Client, x.Request)
			}
			if r.closes != x.Closes && x.Got != "" && !x.SrvClose {
				t.Errorf("server side closed: %v, reference %v", r.closes, x.Closes)
			}
			if r.closed != x.Closed {
				t.Errorf("client side closed: %v, reference %v", r.closed, x.Closed)
			}
		})
	}
}

// relayFor sets a relay up from the lines of a section.
func relayFor(t *testing.T, x *exchange) *relay {
	r := new(relay)
	if strings.Contains(x.Global, "h1-do-not-close-on-insecure-transfer-encoding") {
		r.options |= KeepInsecure
	}
	if strings.Contains(x.Global, "h1-accept-payload-with-any-method") {
		r.options |= AnyMethodPayload
	}
	for line := range strings.Lines(x.Conf) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "http-request":
			if strings.HasPrefix(rest, "deny") {
				r.deny = 403
				fmt.Sscanf(rest, "deny deny_status %d", &r.deny)
				continue
			}
			r.rules = append(r.rules, rewrite(t, rest))
			continue
		case "http-response":
			r.after = append(r.after, rewrite(t, rest))
			continue
		case "http-send-name-header":
			r.server = strings.ToLower(rest)
			continue
		case "monitor-uri":
			r.deny = 200
			continue
		}
		switch line {
		case "", "option http-keep-alive", "option disable-h2-upgrade":
		case "option accept-unsafe-violations-in-http-request", "option accept-unsafe-violations-in-http-response":
			r.options |= AcceptUnsafe
		case "option http-server-close":
			r.front, r.back = ModeServerClose, ModeServerClose
		case "option httpclose":
			r.front, r.back = ModeClose, ModeClose
		case "option http-pretend-keepalive":
			r.pretend = true
		default:
			t.Fatal("unknown line ", line)
		}
	}
	return r
}

// rewrite makes the rewriting that a rule's action names.
func rewrite(t *testing.T, rule string) func(*message.Message) error {
	action, args, _ := strings.Cut(rule, " ")
	name, value, _ := strings.Cut(args, " ")
	name = strings.ToLower(name)
	all := []byte(args)
	switch action {
	case "del-header":
		return func(m *message.Message) error { m.RemoveAll(name); return nil }
	case "set-header":
		return func(m *message.Message) error { return m.Set(name, []byte(value)) }
	case "add-header":
		return func(m *message.Message) error { return m.Add(name, []byte(value)) }
	case "replace-header", "replace-value":
		return func(m *message.Message) error {
			v := m.Lines(name)
			if action == "replace-value" {
				v = m.Values(name)
			}
			for v.Next() {
				if err := v.Replace([]byte("<" + string(v.Bytes()) + ">")); err != nil {
					return err
				}
			}
			return nil
		}
	case "set-uri":
		return func(m *message.Message) error { return m.SetURI(all) }
	case "set-path":
		return func(m *message.Message) error { return m.SetPath(all) }
	case "set-pathq":
		return func(m *message.Message) error { return m.SetPathQuery(all) }
	case "set-query":
		query := "?" + strings.TrimSuffix(args, "%[str()]")
		return func(m *message.Message) error { return m.SetQuery([]byte(query)) }
	case "set-method":
		return func(m *message.Message) error { return m.SetMethod(all) }
	case "set-status":
		var status int
		fmt.Sscan(args, &status)
		reason := []byte(message.ReasonOf(status))
		if _, quoted, ok := strings.Cut(args, " reason "); ok {
			reason = []byte(strings.Trim(quoted, `"`))
		}
		return func(m *message.Message) error { return m.SetStatus(status, reason) }
	}
	t.Fatal("unknown action ", action)
	return nil
}
