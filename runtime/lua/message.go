package lua

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
)

// httpMessage is what scripts know as an HTTPMessage: a message in the hands of a filter.
type httpMessage struct {
	*txn
	side   int
	filter *filtering
}

// pushMessage pushes an object with its channel.
func (c call) pushMessage(h *httpMessage) {
	c.object("HTTPMessage", h)
	c.object("Channel", &channel{txn: h.txn, side: h.side})
	c.SetField(-2, "channel")
}

// pushHTTPMessage makes the field of a transaction that stands for a message: filters find it there.
func pushHTTPMessage(side int) func(c call) {
	return func(c call) {
		if x := self[*txn](c, 1, "TXN"); x.filter != nil && x.s.Ctx.Req != nil {
			c.pushMessage(&httpMessage{txn: x, side: side, filter: x.filter})
			return
		}
		c.PushNil()
	}
}

// message is nil before there is one.
func (h *httpMessage) message() *message.Message {
	if h.side == runtime.Upload {
		return h.s.Ctx.Req
	}
	return h.s.Ctx.Res
}

func (h *httpMessage) engine() runtime.Channels { return h.s.Engine.(runtime.Channels) }

func checkMessage(c call) *httpMessage {
	h := self[*httpMessage](c, 1, "HTTPMessage")
	if h.t.s != h.s {
		c.Errorf("this transaction is over")
	}
	return h
}

// headOf gives the head of a message for a method that reads or changes it.
func headOf(c call) (*httpMessage, *message.Message) {
	h := checkMessage(c)
	m := h.message()
	if m == nil {
		c.PushNil()
		c.Raise()
	}
	return h, m
}

// bodyOf gives what a method on the payload works on.
func bodyOf(c call) (*httpMessage, view) {
	h := checkMessage(c)
	if h.filter == nil {
		c.PushNil()
		c.Raise()
	}
	return h, h.filter.payload(c, h.side)
}

func messageMethods() []method {
	state := func(name string, push func(c call, h *httpMessage)) method {
		return method{name, func(c call) int {
			c.wants(1, name)
			push(c, checkMessage(c))
			return 1
		}}
	}
	head := func(name string, args int, run func(c call, m *message.Message) int) method {
		return method{name, func(c call) int {
			c.wants(args, name)
			_, m := headOf(c)
			return run(c, m)
		}}
	}
	// The request's own parts: there is an error on a response.
	line := func(name string, set func(m *message.Message, text []byte) error) method {
		return head(name, 2, func(c call, m *message.Message) int {
			text := c.CheckString(2)
			if m.Flags&message.Response != 0 {
				c.PushNil()
				c.Raise()
			}
			c.PushBool(set(m, []byte(text)) == nil)
			return 1
		})
	}
	all := []method{
		state("is_resp", func(c call, h *httpMessage) { c.PushBool(h.side == runtime.Download) }),
		state("is_full", func(c call, h *httpMessage) { c.PushBool(h.engine().Room(h.side) == 0) }),
		state("eom", func(c call, h *httpMessage) { c.PushBool(h.engine().Complete(h.side)) }),
		state("may_recv", func(c call, h *httpMessage) {
			c.PushBool(!h.engine().Complete(h.side) && !h.engine().Ended(h.side))
		}),
		state("input", func(c call, h *httpMessage) {
			n := h.engine().Input(h.side)
			if h.filter != nil && h.filter.in != nil {
				n = len(h.filter.in.data())
			}
			c.PushInt(int64(n))
		}),
		state("output", func(c call, h *httpMessage) {
			n := 0
			if h.filter != nil && h.filter.in != nil {
				n = h.filter.in.output()
			}
			c.PushInt(int64(n))
		}),
		{"get_stline", func(c call) int { c.wants(1, "get_stline"); return startLine(c) }},
		head("get_headers", 1, func(c call, m *message.Message) int { c.pushHeaders(m); return 1 }),
		head("del_header", 2, delHeader),
		head("add_header", 3, addHeader),
		head("set_header", 3, func(c call, m *message.Message) int {
			delHeader(c, m)
			return addHeader(c, m)
		}),
		head("rep_header", 4, func(c call, m *message.Message) int { return replace(c, m, (*message.Message).Lines) }),
		head("rep_value", 4, func(c call, m *message.Message) int { return replace(c, m, (*message.Message).Values) }),
		line("set_method", (*message.Message).SetMethod),
		line("set_path", (*message.Message).SetPath),
		line("set_query", setQuery),
		line("set_uri", (*message.Message).SetURI),
		{"set_status", func(c call) int {
			h, m := headOf(c)
			return h.setStatus(c, m)
		}},
		head("set_body_len", 2, setBodyLength),
		// What is the end of a message is the protocol's, and no script's.
		state("set_eom", func(c call, _ *httpMessage) {}),
		state("unset_eom", func(c call, _ *httpMessage) {}),

		{"body", func(c call) int {
			if n := c.Top(); n < 1 || n > 3 {
				return c.Errorf("'data' expects at most 2 arguments")
			}
			return body(c)
		}},
		{"append", func(c call) int {
			c.wants(2, "append")
			text := c.CheckString(2)
			_, v := bodyOf(c)
			return insert(c, v, text, len(v.data()))
		}},
		{"prepend", func(c call) int {
			c.wants(2, "prepend")
			text := c.CheckString(2)
			_, v := bodyOf(c)
			return insert(c, v, text, 0)
		}},
		{"send", func(c call) int {
			c.wants(2, "send")
			text := c.CheckString(2)
			_, v := bodyOf(c)
			n := len(text)
			if !v.send([]byte(text)) {
				n = -1
			}
			c.PushInt(int64(n))
			return 1
		}},
		{"forward", func(c call) int {
			c.wants(2, "forward")
			n := c.CheckInt(2)
			_, v := bodyOf(c)
			n = max(0, min(n, int64(len(v.data()))))
			v.forward(int(n))
			c.PushInt(n)
			return 1
		}},
	}
	return append(all, edits(func(c call) view { _, v := bodyOf(c); return v })...)
}

// startLine pushes the parts of the first line.
func startLine(c call) int {
	h, m := headOf(c)
	c.NewTable()
	put := func(name string, value []byte) {
		c.PushBytes(value)
		c.SetField(-2, name)
	}
	put("version", m.Version())
	if h.side == runtime.Upload {
		put("method", m.MethodName())
		put("uri", m.URI())
		return 1
	}
	put("code", strconv.AppendInt(nil, int64(m.Status), 10))
	put("reason", m.Reason())
	return 1
}

// setStatus is `set_status(code [, reason])`.
func (h *httpMessage) setStatus(c call, m *message.Message) int {
	status := c.CheckInt(2)
	reason := message.ReasonOf(int(status))
	if c.Type(3) == lua54.TypeString {
		reason = c.Str(3)
	}
	ok := m.Flags&message.Response != 0 && m.SetStatus(int(status), []byte(reason)) == nil
	if ok {
		h.s.Status = int(status)
	}
	c.PushBool(ok)
	return 1
}

// setBodyLength announces another length of the body, or one in chunks.
func setBodyLength(c call, m *message.Message) int {
	const bad = "The 'set_body_len' function expects a positive integer or the string 'chunked' as argument."
	const framing = message.ContentLength | message.TransferEncoding | message.Chunked
	name, value, flags, size := "content-length", "", message.ContentLength, uint64(0)
	switch c.Type(2) {
	case lua54.TypeString:
		if c.Str(2) != "chunked" {
			return c.Errorf(bad)
		}
		if m.Flags&message.Chunked != 0 {
			c.PushBool(true)
			return 1
		}
		name, value, flags = "transfer-encoding", "chunked", message.TransferEncoding|message.Chunked
	case lua54.TypeNumber:
		n, _ := c.Int(2)
		if n < 0 {
			return c.Errorf(bad)
		}
		value, size = strconv.FormatInt(n, 10), uint64(n)
	default:
		return c.Errorf(bad)
	}
	m.RemoveAll("content-length")
	m.RemoveAll("transfer-encoding")
	ok := m.AddString(name, value) == nil
	if ok {
		m.Flags = m.Flags&^(framing|message.Bodyless) | flags | message.LengthKnown | message.Version11
		m.BodyLength = size
	}
	c.PushBool(ok)
	return 1
}

// body is `body([offset [, length]])`: never more than there is.
func body(c call) int {
	h, v := bodyOf(c)
	data := v.data()
	from := at(c, v, 2)
	rest := data[from:]
	if c.Top() == 3 {
		switch n := int(c.CheckInt(3)); {
		case n == -1:
		case n < 0:
			c.outOfRange("length")
		default:
			rest = rest[:min(n, len(rest))]
		}
	}
	if len(rest) == 0 && h.engine().Complete(h.side) {
		c.PushNil()
		return 1
	}
	c.PushBytes(rest)
	return 1
}
