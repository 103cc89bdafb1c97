package check

import (
	"io"

	"hapax/runtime"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// frames is the HTTP/2 side of a connection that a check in HTTP made: one request at a time.
type frames struct {
	conn   h2.Conn
	stream h2.Stream
	body   []byte // of the request, which waits for the server's windows
	over   bool   // the connection carries nothing any more
}

// speaksH2 tells whether the rules speak HTTP/2 on the connection that stands: TLS has settled
// on it, or the server line says so for checks, or for all that goes where its traffic goes.
func (ck *Check) speaksH2() bool {
	if ck.http == nil {
		return false
	}
	c, ok := ck.current.do.(*connect)
	if ok && c.proto != runtime.ProtoAny {
		return c.proto == runtime.ProtoH2
	}
	if state, ok := ck.conn.Layer().(runtime.TLSState); ok && state.ALPN() == "h2" {
		return true
	}
	return ok && c.useServer && ck.proto() == runtime.ProtoH2
}

// proto is what the server line says of checks, or else of the server.
func (ck *Check) proto() runtime.Proto {
	if p := ck.srv.CheckProto; p != runtime.ProtoAny {
		return p
	}
	return ck.srv.Proto
}

// startFrames begins to speak HTTP/2.
func (ck *Check) startFrames() {
	t := &ck.checks.cfg.Global.Tune
	f := &frames{}
	f.conn.Init(&h2.Config{
		Client: true, HeaderTable: t.H2.HeaderTable, InitialWindow: t.BufSize, Receive: t.BufSize, MaxStreams: 1, MaxFrame: t.BufSize,
		Buffer: t.BufSize, Rewrite: t.MaxRewrite, Headers: t.MaxHdr, ExtendedConnect: true,
	})
	ck.frames = f
	f.conn.Start()
	ck.conn.Receive()
}

// say sends what HTTP/2 has to say.
func (f *frames) say(ck *Check) {
	said := f.conn.Out
	f.conn.Out = nil
	for len(said) > 0 && ck.conn.IsOpen() {
		b := ck.lane.loop.Buffer()
		n := copy(b.Room(), said)
		b.Grow(n)
		said = said[n:]
		ck.conn.Send(b)
	}
}

// ask sends a request.
func (f *frames) ask(ck *Check, m *message.Message, body []byte) error {
	f.conn.Open(&f.stream)
	f.conn.Out = append(make([]byte, 0, len(f.conn.Out)+2*ck.checks.cfg.Global.Tune.BufSize), f.conn.Out...)
	if err := f.conn.WriteHead(&f.stream, m, len(body) == 0); err != nil {
		return err
	}
	f.body = append(f.body[:0], body...)
	f.goOn()
	f.say(ck)
	return nil
}

// goOn sends as much of the body as the server's windows let through.
func (f *frames) goOn() {
	for len(f.body) > 0 {
		n := min(f.conn.Room(&f.stream), len(f.body))
		if n <= 0 {
			return
		}
		f.conn.DataHead(&f.stream, n, n == len(f.body))
		f.conn.Out = append(f.conn.Out, f.body[:n]...)
		f.body = f.body[n:]
	}
}

// received takes what the server sent. It reports whether the rules have something to look at.
func (f *frames) received(ck *Check, b *loop.Buffer, err error) bool {
	news := false
	if b == nil {
		return f.ended(ck, err)
	}
	for at := 0; !f.over; {
		n, ev := f.conn.Next(b.Data[at:])
		at += n
		if ev.Kind == h2.More {
			break
		}
		news = f.event(ck, &ev) || news
	}
	b.Release()
	f.say(ck)
	return news
}

func (f *frames) event(ck *Check, ev *h2.Event) bool {
	h := ck.http
	switch ev.Kind {
	case h2.Head:
		t := &ck.checks.cfg.Global.Tune
		if h.head {
			f.conn.Refuse(h2.ProtocolError)
			return false
		}
		if cap(h.fields) < t.MaxHdr {
			h.fields = make([]message.Field, 0, t.MaxHdr)
		}
		h.msg.Reset(make([]byte, 0, t.BufSize), h.fields)
		switch f.conn.ReadHead(ev.Stream, &h.msg, false) {
		case h2.Good:
		case h2.Broken:
			return f.ended(ck, io.EOF)
		default:
			return f.ended(ck, io.EOF)
		}
		if h.msg.Status < 200 {
			return false
		}
		h.head = true
		h.decoder.StartFramed()
		if ev.End {
			h.decoder.Finish()
		}
		ck.fresh = true
		return true
	case h2.Data:
		room := max(ck.checks.cfg.Global.Tune.BufSize-len(h.body), 0)
		part := ev.Data[:min(room, len(ev.Data))]
		h.body, ck.in = append(h.body, part...), append(ck.in, part...)
		f.conn.Consumed(ev.Stream, len(ev.Data))
		if ev.End {
			h.decoder.Finish()
		}
		ck.fresh = true
		return true
	case h2.Trailers:
		var m message.Message
		m.Reset(make([]byte, 0, ck.checks.cfg.Global.Tune.BufSize), nil)
		f.conn.ReadTrailers(ev.Stream, &m)
		h.decoder.Finish()
		ck.fresh = true
		return true
	case h2.Window, h2.Settings:
		f.goOn()
	case h2.Reset, h2.Aborted, h2.Failed:
		return f.ended(ck, io.EOF)
	}
	return false
}

// ended tells the rules that nothing more comes.
func (f *frames) ended(ck *Check, err error) bool {
	f.over = true
	ck.eof = true
	if err != io.EOF {
		ck.err = err
	}
	if h := ck.http; h.head && !h.decoder.Finished() {
		h.broken = true
	}
	return true
}
