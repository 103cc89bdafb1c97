package check

import (
	"errors"
	"io"

	"hapax/runtime"
	"hapax/runtime/fcgi"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// records is the FastCGI side of a connection that a check in HTTP made: it carries one request.
type records struct {
	app    *fcgi.App
	reader fcgi.Reader
	later  []byte // the request, which waits until the application has said what it can do
	over   bool   // the connection carries nothing any more
}

// newRecords begins to speak with the application of the server's backend; nil: it has none.
func (ck *Check) newRecords() *records {
	use := fcgi.Of(ck.srv.Proxy)
	if use == nil {
		return nil
	}
	r := &records{app: use.App}
	r.reader.Limit = ck.checks.cfg.Global.Tune.BufSize
	if r.reader.Asked = r.app.GetValues; r.reader.Asked {
		ck.conn.SendStatic(fcgi.AppendAsk(nil))
	}
	return r
}

var errNoApp = errors.New("the backend has no FastCGI application")

// The one request of a connection.
const firstRequest = 1

func (r *records) ask(ck *Check, m *message.Message, body []byte) error {
	if r == nil {
		return errNoApp
	}
	t := &ck.checks.cfg.Global.Tune
	out := fcgi.AppendBegin(make([]byte, 0, 2*t.BufSize), firstRequest, r.app.KeepConn)
	out, _, err := r.app.AppendParams(out, nil, firstRequest, &fcgi.Request{
		Head: m, Dst: ck.stream.ServerAddr, NoSrc: true, Body: len(body),
		SendName: ck.srv.Proxy.SendName, ServerName: ck.srv.Name, Software: runtime.Software(),
	})
	if err != nil {
		return err
	}
	for len(body) > 0 {
		n := min(len(body), fcgi.MaxContent)
		out = append(fcgi.AppendInput(out, firstRequest, n), body[:n]...)
		body = body[n:]
	}
	out = fcgi.AppendInput(out, firstRequest, 0)
	ck.http.awaitCGI(ck, m)
	if r.reader.Asked {
		r.later = out
		return nil
	}
	ck.conn.SendStatic(out)
	return nil
}

// awaitCGI makes the check read a CGI response.
func (h *response) awaitCGI(ck *Check, req *message.Message) {
	t := &ck.checks.cfg.Global.Tune
	h.begin(ck)
	ck.in = h.parser.CGI(ck.in[:0], message.GET, req.Flags&message.Version11 != 0, 0, h1.Limits{Buffer: t.BufSize, Headers: t.MaxHdr})
}

func (r *records) received(ck *Check, b *loop.Buffer, err error) bool {
	if b == nil {
		return r.ended(ck, err)
	}
	news := false
	for at := 0; !r.over; {
		n, ev := r.reader.Next(b.Data[at:])
		at += n
		if ev.Kind == fcgi.More {
			break
		}
		news = r.event(ck, &ev) || news
	}
	b.Release()
	return news
}

func (r *records) event(ck *Check, ev *fcgi.Event) bool {
	h := ck.http
	switch ev.Kind {
	case fcgi.Settled:
		ck.conn.SendStatic(r.later)
		r.later = nil
	case fcgi.Output:
		if ev.ID != firstRequest {
			return false
		}
		ck.in = append(ck.in, ev.Data...)
		ck.fresh = true
		return h.feed(ck)
	case fcgi.OutputEnd, fcgi.Ended:
		if ev.ID != firstRequest {
			return false
		}
		if !h.head {
			return r.ended(ck, io.EOF)
		}
		h.decoder.Finish()
		ck.fresh = true
		return true
	case fcgi.Failed:
		return r.ended(ck, io.EOF)
	}
	return false
}

// end implements speaker: nothing is counted.
func (r *records) end() {}

// ended tells the rules that nothing more comes.
func (r *records) ended(ck *Check, err error) bool {
	r.over = true
	ck.lost(err)
	return true
}
