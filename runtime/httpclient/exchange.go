package httpclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// Request is what is to be asked for.
type Request struct {
	Method string
	URL    string
	Header string // further lines, whose names are in lower case; they may replace the usual ones
	Body   string
	Conn   net.Conn       // to where it is sent, which takes it over; nil: the engine finds the way
	Via    netip.AddrPort // a proxy; none: it is sent to where the URL leads
}

// Why nothing is sent.
var (
	errMethod  = errors.New("the method is not known")
	errURL     = errors.New("the URL has no scheme or no host")
	errTooLong = errors.New("the head of the request does not fit into a buffer")
	errNoTLS   = errors.New("TLS was disabled by what is said of all servers")
	errStopped = errors.New("the engine does not run")
)

// Exchange is a request that was sent, and its response as it comes. It belongs to one goroutine.
type Exchange struct {
	conn     net.Conn // to the engine
	response message.Message
	parser   h1.Parser
	body     h1.Decoder
	in       []byte // what came and was not given out
	limits   h1.Limits
	begun    bool // the head was given out
	over     bool // nothing comes any more
}

// Part is what came of a response.
type Part uint8

const (
	Later Part = iota // nothing, yet
	Head              // its head: see Response
	Body              // a piece of its body
	End               // it is complete
)

// Send sends a request. Whoever gets an Exchange closes it.
func (c *Client) Send(r *Request) (*Exchange, error) {
	method := message.MethodOf([]byte(r.Method))
	to, ok := parse(r.URL)
	tune := &c.cfg.Global.Tune
	text := ""
	if ok {
		text = r.text(&to)
	}
	switch {
	case c.engine == nil:
		return nil, errStopped
	case method == message.OtherMethod:
		return nil, errMethod
	case !ok:
		return nil, errURL
	case to.secret && !c.encrypts():
		return nil, errNoTLS
	case len(text)-len(r.Body) > tune.BufSize:
		return nil, errTooLong
	}
	ln := c.px.Listeners[0]
	if to.secret {
		c.trust()
		ln = c.px.Listeners[1]
	}
	if r.Conn != nil {
		return c.exchange(r.Conn, method, text)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	own := os.NewFile(uintptr(pair[0]), "exchange")
	conn, err := net.FileConn(own)
	own.Close()
	if err != nil {
		unix.Close(pair[1])
		return nil, err
	}
	if r.Via.IsValid() {
		to.to = r.Via
	}
	c.engine.Serve(ln, pair[1], to.to, r.Via.IsValid())
	return c.exchange(conn, method, text)
}

// exchange sends a request over a connection.
func (c *Client) exchange(conn net.Conn, method message.Method, text string) (*Exchange, error) {
	tune := &c.cfg.Global.Tune
	x := &Exchange{conn: conn, limits: h1.Limits{Buffer: tune.BufSize, Headers: tune.MaxHdr}}
	x.response.Reset(nil, make([]message.Field, 0, tune.MaxHdr))
	x.parser.Response(method, 0, x.limits)
	if _, err := io.WriteString(conn, text); err != nil {
		conn.Close()
		return nil, err
	}
	return x, nil
}

// text is the request as it is sent. A body goes as one chunk, as the reference has it.
func (r *Request) text(to *target) string {
	uri := r.URL
	if r.Conn != nil { // the engine makes that itself of what it sends on
		_, path, _ := strings.Cut(uri[strings.Index(uri, "://")+3:], "/")
		uri = "/" + path
	}
	head := fmt.Sprintf("%s %s HTTP/1.1\r\n", r.Method, uri)
	for _, usual := range [...][2]string{{"host", to.authority}, {"accept", "*/*"}, {"user-agent", "HAProxy"}} {
		if !strings.Contains("\n"+r.Header, "\n"+usual[0]+":") {
			head += usual[0] + ": " + usual[1] + "\r\n"
		}
	}
	head += r.Header
	if r.Body == "" {
		return head + "\r\n"
	}
	return fmt.Sprintf("%stransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(r.Body), r.Body)
}

// Close ends the exchange, complete or not.
func (x *Exchange) Close() { x.conn.Close() }

// Response is the head of the response, until Next is called again.
func (x *Exchange) Response() *message.Message { return &x.response }

// Next waits a while for the next part of the response; data is a piece of its body, until Next is called again. An
// error tells that there is no more to come, although the response is not complete.
func (x *Exchange) Next(patience time.Duration) (part Part, data []byte, err error) {
	for {
		if part, data, err = x.look(); part != Later || err != nil {
			return part, data, err
		}
		if x.over {
			return Later, nil, io.ErrUnexpectedEOF
		}
		x.conn.SetReadDeadline(time.Now().Add(patience))
		room := max(x.limits.Buffer-len(x.in), 1)
		at := len(x.in)
		x.in = append(x.in, make([]byte, room)...)
		n, err := x.conn.Read(x.in[at:])
		x.in = x.in[:at+n]
		switch {
		case n > 0:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return Later, nil, nil
		default:
			x.over = true
		}
	}
}

// look takes the next part out of what came.
func (x *Exchange) look() (Part, []byte, error) {
	if !x.begun {
		return x.lookForHead()
	}
	for {
		data, n, event := x.body.Next(x.in)
		x.in = x.in[n:]
		switch event {
		case h1.Payload:
			return Body, data, nil
		case h1.End, h1.TrailerPart: // nobody asks for trailers
			return End, nil, nil
		case h1.BadBody:
			return Later, nil, io.ErrUnexpectedEOF
		}
		if x.over && x.body.UntilClose() {
			return End, nil, nil
		}
		return Later, nil, nil
	}
}

// lookForHead reads heads up to that of the final response. A protocol that is switched to is of no use.
func (x *Exchange) lookForHead() (Part, []byte, error) {
	m := &x.response
	for {
		m.Buf = x.in
		switch x.parser.Parse(m) {
		case h1.More:
			return Later, nil, nil
		case h1.Invalid:
			return Later, nil, io.ErrUnexpectedEOF
		}
		x.in = x.in[m.HeadLen:]
		if m.Status >= 200 {
			x.begun = true
			x.body.Start(m)
			return Head, nil, nil
		}
		if m.Status == 101 {
			return Later, nil, io.ErrUnexpectedEOF
		}
		method := m.Method
		m.Reset(nil, m.Fields)
		x.parser.Response(method, 0, x.limits)
	}
}
