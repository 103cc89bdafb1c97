package check

import (
	"io"

	"hapax/runtime"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// speaker speaks for a check what is not HTTP/1: one request at a time.
type speaker interface {
	// ask sends a request.
	ask(ck *Check, m *message.Message, body []byte) error
	// received takes what came. It reports whether the rules have something to look at.
	received(ck *Check, b *loop.Buffer, err error) bool
	// end tells that the check does not use the connection any more.
	end()
}

// frames is the HTTP/2 side of a connection that a check in HTTP made.
type frames struct {
	conn   h2.Conn
	stream h2.Stream
	body   []byte // of the request, which waits for the server's windows
	over   bool   // the connection carries nothing any more
	counts *runtime.H2Counters
}

// spoken is what the rules speak on the connection: what they say, or what TLS has settled on, or what the server line
// says of checks, or of all that goes where its traffic goes.
func (ck *Check) spoken() runtime.Proto {
	c, ok := ck.current.do.(*connect)
	if ok && c.proto != runtime.ProtoAny {
		return c.proto
	}
	if state, ok := ck.conn.Layer().(runtime.TLSState); ok && state.ALPN() == "h2" {
		return runtime.ProtoH2
	}
	if ok && c.useServer {
		return ck.proto()
	}
	return runtime.ProtoAny
}

// proto is what the server line says of checks, or else of the server.
func (ck *Check) proto() runtime.Proto {
	if p := ck.srv.CheckProto; p != runtime.ProtoAny {
		return p
	}
	return ck.srv.Proto
}

// speak makes an HTTP check ready for the protocol of its connection, once: when that is known.
func (ck *Check) speak() {
	if ck.http == nil || ck.h1 != nil || ck.speaker != nil {
		return
	}
	switch proto := ck.spoken(); {
	case proto == runtime.ProtoFCGI:
		ck.speaker = ck.newRecords()
	case proto != runtime.ProtoH2:
		ck.beginH1()
	case ck.loan != nil:
		x := ck.loan.Share(ck)
		ck.use(x)
		ck.speaker = lent{x}
	default:
		ck.speaker = ck.newFrames()
	}
}

// newFrames makes the side of a connection that is the check's own.
func (ck *Check) newFrames() *frames {
	t := &ck.checks.cfg.Global.Tune
	f := &frames{}
	f.conn.Init(&h2.Config{
		Client: true, HeaderTable: t.H2.HeaderTable, InitialWindow: t.BufSize, Receive: t.BufSize, MaxStreams: 1, MaxFrame: t.BufSize,
		Buffer: t.BufSize, Rewrite: t.MaxRewrite, Headers: t.MaxHdr, ExtendedConnect: true,
	})
	f.begin(ck)
	return f
}

// say sends what HTTP/2 has to say.
func (f *frames) say(ck *Check) {
	said := f.conn.Out
	f.conn.Out = nil
	for len(said) > 0 && ck.conn.IsOpen() {
		b := ck.loop().Buffer()
		n := copy(b.Room(), said)
		b.Grow(n)
		said = said[n:]
		ck.conn.Send(b)
	}
}

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
		if h.head {
			f.conn.Refuse(h2.ProtocolError)
			return false
		}
		if f.conn.ReadHead(ev.Stream, h.blank(ck), false) != h2.Good {
			return f.ended(ck, io.EOF)
		}
		if h.msg.Status < 200 {
			return false
		}
		h.framed(ck)
		if ev.End {
			h.decoder.Finish()
		}
		return true
	case h2.Data:
		h.extend(ck, ev.Data)
		f.conn.Consumed(ev.Stream, len(ev.Data))
		if ev.End {
			h.decoder.Finish()
		}
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
	ck.lost(err)
	return true
}
