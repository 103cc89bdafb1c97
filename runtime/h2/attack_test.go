package h2

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// server is a Conn that has the preface and the settings of a client, with nothing left to say.
func server(t *testing.T, change func(*Config)) *side {
	cfg := serverConfig()
	if change != nil {
		change(cfg)
	}
	s := newSide(cfg)
	s.feed(t, append([]byte(Preface), raw(frameSettings, 0, 0, nil)...))
	s.Out = s.Out[:0]
	return s
}

func raw(typ frameType, flags uint8, id uint32, payload []byte) []byte {
	return append(appendFrame(nil, typ, flags, id, len(payload)), payload...)
}

// feed takes bytes in whole and gives the error that ended the connection, NoError for none.
func (s *side) feed(t *testing.T, in []byte) Code {
	t.Helper()
	for len(in) > 0 {
		n, ev := s.Next(in)
		in = in[n:]
		switch ev.Kind {
		case More:
			if len(in) > 0 && !s.Failed() {
				t.Fatalf("%d bytes were left", len(in))
			}
		case Failed:
			return ev.Code
		default:
			s.event(ev)
			if s.Failed() {
				return EnhanceYourCalm
			}
		}
	}
	return NoError
}

// block encodes fields, given as names and values.
func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

func get(more ...string) []byte {
	return block(append([]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"}, more...)...)
}

// TestRapidReset opens streams and resets them at once (CVE-2023-44487): nothing is left of any, and with a threshold the
// connection ends when there are more than may be open and are odd.
func TestRapidReset(t *testing.T) {
	s := server(t, nil)
	head, code := get(), []byte{0, 0, 0, 8}
	for id := uint32(1); id < 20000; id += 2 {
		s.Arrived()
		if got := s.feed(t, append(raw(frameHeaders, flagEndHeaders|flagEndStream, id, head), raw(frameReset, 0, id, code)...)); got != NoError {
			t.Fatalf("code %d", got)
		}
		if s.Streams() != 0 {
			t.Fatal("a stream is left")
		}
	}
	if len(s.Out) > 0 {
		t.Fatalf("%d bytes were said", len(s.Out))
	}
}

// TestTooManyStreams opens more streams than allowed and is refused, until it is too much.
func TestTooManyStreams(t *testing.T) {
	s := server(t, func(c *Config) { c.MaxStreams, c.Glitches = 10, 100 })
	for id := uint32(1); ; id += 2 {
		code := s.feed(t, raw(frameHeaders, flagEndHeaders|flagEndStream, id, get()))
		if s.Streams() > 10 {
			t.Fatalf("%d streams are open", s.Streams())
		}
		if code == EnhanceYourCalm {
			if s.Glitches != 100 {
				t.Fatalf("ended after %d glitches", s.Glitches)
			}
			return
		}
		if code != NoError || id > 1000 {
			t.Fatalf("stream %d: code %d", id, code)
		}
	}
}

// TestContinuationFlood never ends a head (CVE-2024-27316): empty frames as little as full ones take memory without end.
func TestContinuationFlood(t *testing.T) {
	for _, size := range []int{0, 1, 1000} {
		s := server(t, nil)
		code := s.feed(t, raw(frameHeaders, 0, 1, get()[:1]))
		n := 0
		for ; code == NoError && n < 10000; n++ {
			code = s.feed(t, raw(frameContinuation, 0, 1, make([]byte, size)))
		}
		if code != InternalError || cap(s.fragments) > 2*s.cfg.Buffer {
			t.Errorf("frames of %d bytes: code %d after %d, %d bytes held", size, code, n, cap(s.fragments))
		}
	}
}

// TestFragments counts heads that come in many small pieces as glitches.
func TestFragments(t *testing.T) {
	s := server(t, nil)
	head := get("x", "0123456789")
	s.feed(t, raw(frameHeaders, flagEndStream, 1, head[:1]))
	for _, b := range head[1 : len(head)-1] {
		s.feed(t, raw(frameContinuation, 0, 1, []byte{b}))
	}
	s.feed(t, raw(frameContinuation, flagEndHeaders, 1, head[len(head)-1:]))
	if s.Glitches != (len(head)-1+15)/16 || len(s.open) != 1 {
		t.Fatalf("%d glitches, %q", s.Glitches, s.log)
	}
}

// TestBomb sends a head that grows without end when it is decoded.
func TestBomb(t *testing.T) {
	s := server(t, nil)
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	big := hpack.HeaderField{Name: "x-big", Value: string(bytes.Repeat([]byte("a"), 3000))}
	for _, f := range []string{":method", "GET", ":scheme", "http", ":path", "/"} {
		if f[0] == ':' {
			e.WriteField(hpack.HeaderField{Name: f, Value: map[string]string{":method": "GET", ":scheme": "http", ":path": "/"}[f]})
		}
	}
	for range 2000 {
		e.WriteField(big)
	}
	if code := s.feed(t, raw(frameHeaders, flagEndHeaders|flagEndStream, 1, b.Bytes())); !s.Failed() {
		t.Fatalf("code %d, %q", code, s.log)
	}
	if n := cap(s.m.Buf); n > 16384 {
		t.Fatalf("%d bytes were decoded", n)
	}
}

// TestFloods sends what wants an answer: each gets one, and the owner, who sees them in Out, stops to listen.
func TestFloods(t *testing.T) {
	for _, flood := range [][]byte{raw(framePing, 0, 0, make([]byte, 8)), raw(frameSettings, 0, 0, nil)} {
		s := server(t, nil)
		for n := range 1000 {
			if code := s.feed(t, flood); code != NoError || len(s.Out) > (n+1)*len(flood) {
				t.Fatalf("code %d, %d bytes said", code, len(s.Out))
			}
		}
	}
	s := server(t, func(c *Config) { c.Glitches = 10 })
	code := NoError
	for n := uint32(0); n < 100 && code == NoError; n++ {
		code = s.feed(t, raw(frameSettings, 0, 0, []byte{0, settingInitialWindow, 0, 0, 0xff, byte(200 - n)}))
	}
	if code != EnhanceYourCalm {
		t.Fatalf("windows that shrink and shrink: code %d", code)
	}
}

// TestTinyWindows takes an answer byte by byte, with a window that goes below zero in between.
func TestTinyWindows(t *testing.T) {
	s := server(t, nil)
	s.feed(t, raw(frameSettings, 0, 0, []byte{0, settingInitialWindow, 0, 0, 0, 1}))
	s.feed(t, raw(frameHeaders, flagEndHeaders|flagEndStream, 1, get()))
	st := s.open[0]
	s.WriteHead(st, response(200), false)
	if n := s.sendBody(st, make([]byte, 10), true); n != 1 {
		t.Fatalf("%d bytes were sent", n)
	}
	s.feed(t, raw(frameSettings, 0, 0, []byte{0, settingInitialWindow, 0, 0, 0, 0}))
	if n := s.Room(st); n != -1 {
		t.Fatalf("room for %d", n)
	}
	s.feed(t, raw(frameWindowUpdate, 0, 1, []byte{0, 0, 0, 2}))
	if n := s.sendBody(st, make([]byte, 10), true); n != 1 {
		t.Fatalf("%d bytes were sent", n)
	}
}

// TestPadding counts padding in both windows and keeps it out of bodies.
func TestPadding(t *testing.T) {
	s := server(t, nil)
	s.feed(t, raw(frameHeaders, flagEndHeaders, 1, get("content-length", "4")))
	s.feed(t, raw(frameData, flagPadded, 1, append(append([]byte{200}, "body"...), make([]byte, 200)...)))
	s.feed(t, raw(frameData, flagPadded|flagEndStream, 1, append([]byte{3}, make([]byte, 3)...)))
	if string(s.body[1]) != "body" || !s.open[0].RecvEnded() {
		t.Fatalf("body %q, %q", s.body[1], s.log)
	}
	if code := s.feed(t, raw(frameHeaders, flagEndHeaders, 3, get())); code != NoError {
		t.Fatal(code)
	}
	if code := s.feed(t, raw(frameData, flagPadded, 3, []byte{9, 0})); code != ProtocolError {
		t.Fatalf("more padding than payload: code %d", code)
	}
}

// FuzzServer feeds frames of a client: nothing may panic, and no more may be held than allowed.
func FuzzServer(f *testing.F) {
	f.Add(raw(frameHeaders, flagEndHeaders, 1, get("cookie", "a=1", "cookie", "b=2")), uint8(3))
	f.Add(append(raw(frameHeaders, 0, 1, get()[:3]), raw(frameContinuation, flagEndHeaders, 1, get()[3:])...), uint8(1))
	f.Add(append(raw(frameHeaders, flagEndHeaders, 1, get()), raw(frameData, flagEndStream|flagPadded, 1, []byte{1, 'x', 0})...), uint8(200))
	f.Add(append(raw(framePing, 0, 0, make([]byte, 8)), raw(frameWindowUpdate, 0, 0, []byte{0x7f, 255, 255, 255})...), uint8(9))
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		s := server(t, nil)
		s.Out = make([]byte, 0, 1<<16)
		for len(in) > 0 && !s.Failed() {
			piece := in[:min(len(in), 1+int(cut))]
			in = in[len(piece):]
			s.feed(t, piece)
		}
		if len(s.partial) > s.cfg.MaxFrame || len(s.fragments) > s.cfg.Buffer || s.Streams() > int(s.cfg.MaxStreams) {
			t.Fatal("too much is held")
		}
	})
}

// FuzzHead decodes header blocks into messages, as both sides do: spans stay inside, and what is said of a message is
// read as the same.
func FuzzHead(f *testing.F) {
	f.Add(get("host", "b", "x", "y"))
	f.Add(block(":status", "200", "content-length", "5"))
	f.Add(block(":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a", ":path", "/"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 16000 {
			return
		}
		s := server(t, nil)
		s.feed(t, raw(frameHeaders, flagEndHeaders|flagEndStream, 1, b))
		m := s.m
		text(m)
		if s.Streams() == 0 {
			return
		}
		cli := newSide(clientConfig())
		cli.Out = make([]byte, 0, 1<<16)
		var st Stream
		cli.Open(&st)
		if cli.WriteHead(&st, m, true) != nil {
			return
		}
		again := server(t, nil)
		again.feed(t, cli.Out)
		if len(again.log) == 0 {
			t.Fatalf("%q was not read again", text(m))
		}
	})
}

// TestRecycledStream uses a stream again whose DATA frame was still on its way when it was reset: the rest of that is no
// part of the new one.
func TestRecycledStream(t *testing.T) {
	for _, flags := range []uint8{0, flagPadded} {
		s := server(t, nil)
		s.feed(t, raw(frameHeaders, flagEndHeaders, 1, get()))
		payload := append([]byte{3}, "old body\x00\x00\x00"...)
		frame := raw(frameData, flags, 1, payload)
		s.feed(t, frame[:FrameHeadLen+4])
		st := s.open[0]
		s.Reset(st, Cancel)
		s.add(st, 3)
		st.state |= headDone
		if code := s.feed(t, frame[FrameHeadLen+4:]); code != NoError || len(s.body[3]) > 0 {
			t.Errorf("code %d, %q", code, s.body[3])
		}
	}
}
