package check

import (
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// response is the answer to the request of an HTTP check, as far as it came. Its head
// lies in Check.in.
type response struct {
	parser  h1.Parser
	decoder h1.Decoder
	msg     message.Message
	fields  []message.Field
	body    []byte
	fed     int // bytes of Check.in that were looked at
	started bool
	head    bool    // complete
	broken  bool    // the framing of the body is wrong, or was cut
	want    h1.Want // what the request wanted of the connection
}

func (h *response) reset() {
	h.started, h.head, h.broken, h.fed, h.body = false, false, false, 0, h.body[:0]
}

// feed looks at what came. It reports whether the rules have something to look at:
// a head, more of a body, or the end.
func (h *response) feed(ck *Check) bool {
	if !h.started {
		t := &ck.checks.cfg.Global.Tune
		h.begin(ck)
		h.parser.Response(message.GET, 0, h1.Limits{Buffer: t.BufSize, Headers: t.MaxHdr})
	}
	h.msg.Buf = ck.in
	if !h.head {
		switch h.parser.Parse(&h.msg) {
		case h1.More:
			return ck.eof
		case h1.Invalid:
			ck.connectionFailed(nil, false)
			ck.finish()
			return false
		}
		h.head, h.fed = true, int(h.msg.HeadLen)
		h.decoder.Start(&h.msg)
		if h.msg.Status == 101 {
			h.decoder.StartTunnel() // whatever follows is its body
		}
	}
	for {
		payload, n, ev := h.decoder.Next(ck.in[h.fed:])
		h.fed += n
		h.body = append(h.body, payload...)
		switch ev {
		case h1.Payload:
			continue
		case h1.TrailerPart:
			h.decoder.TrailersDone() // no rule looks at trailers
		case h1.BadBody:
			h.broken = true
		}
		break
	}
	if ck.eof && h.msg.Flags&message.Chunked != 0 && !h.decoder.Finished() {
		h.broken = true
	}
	return true
}

// begin makes room for a head.
func (h *response) begin(ck *Check) {
	if n := ck.checks.cfg.Global.Tune.MaxHdr; cap(h.fields) < n {
		h.fields = make([]message.Field, 0, n)
	}
	h.msg.Reset(nil, h.fields)
	h.started = true
}

// blank is the message that a head of HTTP/2 is read into.
func (h *response) blank(ck *Check) *message.Message {
	t := &ck.checks.cfg.Global.Tune
	if cap(h.fields) < t.MaxHdr {
		h.fields = make([]message.Field, 0, t.MaxHdr)
	}
	h.msg.Reset(make([]byte, 0, t.BufSize), h.fields)
	return &h.msg
}

// framed begins the body behind a head of HTTP/2.
func (h *response) framed(ck *Check) {
	h.head = true
	h.decoder.StartFramed()
	ck.fresh = true
}

// extend keeps as much of a part of the body as there is room for.
func (h *response) extend(ck *Check, part []byte) {
	part = part[:min(max(ck.checks.cfg.Global.Tune.BufSize-len(h.body), 0), len(part))]
	h.body, ck.in = append(h.body, part...), append(ck.in, part...)
	ck.fresh = true
}

// lost tells the rules that nothing more comes. An error of the system is told of.
func (ck *Check) lost(err error) {
	ck.eof = true
	if isErrno(err) {
		ck.err = err
	}
	if h := ck.http; h.head && !h.decoder.Finished() {
		h.broken = true
	}
}

// keeps tells whether the exchange is over and the connection is good for another one.
func (h *response) keeps(ck *Check) bool {
	want := h.want.AfterResponse(message.GET, h.msg.Status, h.msg.Flags, false)
	return h.head && h.decoder.Finished() && h.fed == len(ck.in) && want == h1.KeepAlive
}

// complete tells that the whole response is there. A tunnel has no end: it is what came with its head.
func (h *response) complete() bool {
	return h.broken || h.head && (h.decoder.Finished() || h.msg.Status == 101)
}

// expose shows expressions the response.
func (h *response) expose(ck *Check) {
	ctx := &ck.stream.Ctx
	ctx.Back.HTTP = 1
	if !h.head {
		ctx.Res, ctx.ResBody.Data = nil, nil
		return
	}
	ctx.Res = &h.msg
	ctx.ResBody.Data, ctx.ResBody.Complete, ctx.ResBody.Size = h.body, h.complete(), -1
	if h.msg.Flags&message.ContentLength != 0 {
		ctx.ResBody.Size = int64(h.msg.BodyLength)
	}
}
