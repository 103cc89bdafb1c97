package check

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"hapax/acl/logformat"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// request sends an HTTP request.
type request struct {
	fromOption bool   // of "option httpchk": the first "http-check send" is merged into it
	method     string // "" OPTIONS
	uri        string // "" the slash
	uriFormat  *logformat.Format
	version    string // "" HTTP/1.0
	headers    []header
	body       []byte
	bodyFormat *logformat.Format
}

// header is one header field of a request.
type header struct {
	name  string // lower case
	value *logformat.Format
}

// merge takes over what another request says.
func (q *request) merge(o *request) {
	if o.method != "" {
		q.method = o.method
	}
	if o.uri != "" || o.uriFormat != nil {
		q.uri, q.uriFormat = o.uri, o.uriFormat
	}
	if o.version != "" {
		q.version = o.version
	}
	if len(o.headers) > 0 {
		q.headers = o.headers
	}
	if o.body != nil || o.bodyFormat != nil {
		q.body, q.bodyFormat = o.body, o.bodyFormat
	}
}

func (q *request) run(ck *Check, r *rule) verdict {
	ck.current = r
	var out []byte
	m, body, err := q.build(ck)
	if err == nil && ck.speaker == nil {
		// Headers are written and the encoder adds few: twice the room is always enough.
		var e h1.Encoder
		if ck.srv.Proxy.HTTP != runtime.KeepAlive {
			e.Back = h1.ModeServerClose
		}
		if ck.srv.Proxy.Options&runtime.OptH1AdjustServers != 0 {
			e.Cases = ck.checks.cfg.Global.HeaderCases
		}
		out, err = e.AppendRequest(make([]byte, 0, 2*ck.checks.cfg.Global.Tune.BufSize), m)
		ck.http.want = e.Want
		out = append(out, body...)
	}
	if err == nil && ck.speaker != nil {
		ck.forget()
		if err = ck.speaker.ask(ck, m, body); err == nil {
			ck.conn.Receive()
			return proceed
		}
	}
	if err != nil {
		return ck.decide(runtime.CheckL7Response, fmt.Sprintf("tcp-check send : failed to build HTTP request at step %d", ck.stepOf(r)))
	}
	ck.forget()
	return ck.transmit(out)
}

// build makes the request.
func (q *request) build(ck *Check) (*message.Message, []byte, error) {
	g := &ck.checks.cfg.Global
	m := &message.Message{}
	m.Reset(make([]byte, 0, g.Tune.BufSize), make([]message.Field, 0, g.Tune.MaxHdr))
	method, uri, version := q.method, q.uri, q.version
	if method == "" {
		method = "OPTIONS"
	}
	if q.uriFormat != nil {
		uri = string(ck.write(q.uriFormat))
	}
	if uri == "" {
		uri = "/"
	}
	if version == "" {
		version = "HTTP/1.0"
	}
	if err := m.SetRequestLine(method, uri, version); err != nil {
		return nil, nil, err
	}
	m.NoteScheme()
	m.Flags |= message.LengthKnown
	if atLeast11(version) {
		m.Flags |= message.Version11
	}
	closes := true
	for _, h := range q.headers {
		value := ck.write(h.value)
		if len(value) == 0 {
			continue
		}
		if err := m.Add(h.name, value); err != nil {
			return nil, nil, err
		}
		if h.name == "connection" {
			closes = false
		}
	}
	if ck.rules.sendState {
		if err := m.AddString("x-haproxy-server-state", ck.serverState()); err != nil {
			return nil, nil, err
		}
	}
	body := q.body
	if q.bodyFormat != nil {
		body = ck.write(q.bodyFormat)
	}
	if closes {
		if err := m.AddString("connection", "close"); err != nil {
			return nil, nil, err
		}
	}
	if len(body) > 0 || mayHaveBody(m.Method) {
		if err := m.AddString("content-length", strconv.Itoa(len(body))); err != nil {
			return nil, nil, err
		}
		m.Flags |= message.ContentLength
		m.BodyLength = uint64(len(body))
	} else {
		m.Flags |= message.Bodyless
	}
	return m, body, nil
}

// mayHaveBody tells whether a request of this method announces even an empty body.
func mayHaveBody(m message.Method) bool {
	switch m {
	case message.OPTIONS, message.GET, message.HEAD, message.DELETE:
		return false
	}
	return true
}

func atLeast11(version string) bool {
	switch len(version) {
	case 6:
		return version[5] == '2'
	case 8:
		return version[5] > '1' || version[5] == '1' && version[7] >= '1'
	}
	return false
}

// serverState is what "http-check send-state" tells the server about itself.
func (ck *Check) serverState() string {
	srv := ck.srv
	health, top := int(srv.Health.Load()), srv.Rise+srv.Fall-1
	state := stateOf(srv)
	word := "DOWN"
	switch {
	case !checking(srv):
		word = "no check"
	case state == runtime.ServerStopped:
		if health > 0 {
			word = fmt.Sprintf("DOWN %d/%d", health, srv.Rise)
		}
	default:
		word = "UP"
		if state == runtime.ServerStopping {
			word = "NOLB"
		}
		if health != top {
			word += fmt.Sprintf(" %d/%d", health-srv.Rise+1, srv.Fall)
		}
	}
	addr, port := "unix", ""
	if a := srv.Addr.Load(); a.IP.IsValid() {
		addr, port = a.IP.Addr().String(), strconv.Itoa(int(a.IP.Port()))
	}
	px := srv.Proxy
	text := fmt.Sprintf("%s; address=%s; port=%s; name=%s/%s; node=%s; weight=%d/%d; scur=%d/%d; qcur=%d",
		word, addr, port, px.Name, srv.Name, ck.checks.cfg.Global.NodeName(), balance.Weight(srv), balance.TotalWeight(px),
		srv.Current.Load(), px.Live.BackConns.Load()-px.Live.Queued.Load(), srv.Queued.Load())
	if slow := int64(srv.SlowStart / time.Second); state == runtime.ServerStarting && slow > 0 {
		if since := time.Now().Unix() - srv.LastChange.Load(); since >= 0 && since < slow {
			text += fmt.Sprintf("; throttle=%d%%", max(1, 100*since/slow))
		}
	}
	return text
}

// withPort is an address with a port that comes from elsewhere.
func withPort(a runtime.Addr, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.IP.Addr(), port)
}
