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
	head    bool // complete
	broken  bool // the framing of the body is wrong, or was cut
}

func (h *response) reset() {
	h.started, h.head, h.broken, h.fed, h.body = false, false, false, 0, h.body[:0]
}

// feed looks at what came. It reports whether the rules have something to look at:
// a head, more of a body, or the end.
func (h *response) feed(ck *Check) bool {
	if !h.started {
		t := &ck.checks.cfg.Global.Tune
		if cap(h.fields) < t.MaxHdr {
			h.fields = make([]message.Field, 0, t.MaxHdr)
		}
		h.msg.Reset(nil, h.fields)
		h.parser.Response(message.GET, 0, h1.Limits{Buffer: t.BufSize, Headers: t.MaxHdr})
		h.started = true
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

// complete tells that the whole response is there.
func (h *response) complete() bool { return h.broken || h.head && h.decoder.Finished() }

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
