package compat

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// attack is one case of TestH2Attacks.
type attack struct {
	name     string
	alone    bool   // the answer is the frontend's own
	settings []byte // of the client
	frames   []byte
	later    []byte // sent when the first stream was answered
	better   string // what hapax does instead of what was recorded
}

var (
	get  = []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"}
	post = []string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/"}
)

// head is a HEADERS frame with END_HEADERS.
func head(id uint32, end bool, fields ...string) []byte {
	return frameOf(http2.FrameHeaders, 4|bit(end, 1), id, block(fields...))
}

func bit(set bool, f byte) byte {
	if set {
		return f
	}
	return 0
}

func with(base []string, more ...string) []string { return slices.Concat(base, more) }

// without is GET with a pseudo header that says something else, or is not there.
func but(name string, value ...string) []string {
	f := slices.Clone(get)
	i := slices.Index(f, name)
	if len(value) == 0 {
		return slices.Delete(f, i, i+2)
	}
	f[i+1] = value[0]
	return f
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func body(id uint32, end bool, text string) []byte {
	return frameOf(http2.FrameData, bit(end, 1), id, []byte(text))
}

// attacks are all cases.
func attacks() []attack {
	var all []attack
	add := func(name string, frames ...[]byte) { all = append(all, attack{name: name, frames: join(frames...)}) }
	alone := func(name string, frames ...[]byte) {
		all = append(all, attack{name: name, alone: true, frames: join(frames...)})
	}
	// Smuggling: what must not become a line, a target or a length of HTTP/1.
	for _, f := range []struct{ name, field, value string }{
		{"capitals", "X-Foo", "1"}, {"connection", "connection", "close"}, {"keep-alive", "keep-alive", "1"}, {"proxy-connection", "proxy-connection", "1"},
		{"te", "te", "gzip"}, {"te trailers", "te", "trailers"}, {"te more", "te", "trailers, gzip"}, {"upgrade", "upgrade", "h2c"},
		{"crlf in value", "x", "a\r\nb: c"}, {"lf in value", "x", "a\nb"}, {"cr in value", "x", "a\rb"}, {"nul in value", "x", "a\x00b"},
		{"control in value", "x", "a\x01b"}, {"del in value", "x", "a\x7fb"}, {"space before value", "x", " a"}, {"space behind value", "x", "a\t "},
		{"no value", "x", ""}, {"space in name", "x y", "a"}, {"colon in name", "x:y", "a"}, {"control in name", "x\x01", "a"}, {"high byte in name", "x\xe9", "a"},
		{"no name", "", "a"}, {"high bytes in value", "x", "\xe9\xff"}, {"unknown pseudo", ":foo", "1"}, {"status in request", ":status", "200"},
		{"method twice", ":method", "GET"}, {"path twice", ":path", "/x"}, {"authority twice", ":authority", "b"}, {"scheme twice", ":scheme", "http"},
		{"host differs", "host", "other"}, {"protocol in GET", ":protocol", "websocket"}, {"big head", "x", strings.Repeat("a", 14000)}, {"too big head", "x", strings.Repeat("a", 15500)},
	} {
		add(f.name, head(1, true, with(get, f.field, f.value)...))
	}
	for _, f := range []struct{ name, field, value string }{
		{"space in path", ":path", "/a b"}, {"crlf in path", ":path", "/ HTTP/1.1\r\nhost: b"}, {"tab in path", ":path", "/a\tb"}, {"fragment", ":path", "/a#b"},
		{"high byte in path", ":path", "/\xe9"}, {"del in path", ":path", "/\x7f"}, {"path without slash", ":path", "x"}, {"empty path", ":path", ""},
		{"absolute path", ":path", "http://b/"}, {"star", ":path", "*"}, {"space in method", ":method", "GET /x"}, {"small method", ":method", "get"},
		{"empty method", ":method", ""}, {"crlf in method", ":method", "GET / HTTP/1.1\r\nx: y"}, {"space in authority", ":authority", "a b"},
		{"slash in authority", ":authority", "a/b"}, {"user in authority", ":authority", "u@a"}, {"empty authority", ":authority", ""},
		{"crlf in authority", ":authority", "a\r\nx: y"}, {"port", ":authority", "a:80"}, {"bad port", ":authority", "a:8x"}, {"odd scheme", ":scheme", "ht tp"},
		{"empty scheme", ":scheme", ""}, {"scheme with slashes", ":scheme", "http://x"},
	} {
		add(f.name, head(1, true, but(f.field, f.value)...))
	}
	for _, name := range []string{":method", ":scheme", ":path", ":authority"} {
		add("no "+name[1:], head(1, true, but(name)...))
	}
	add("host alone", head(1, true, with(but(":authority"), "host", "h")...))
	add("two hosts", head(1, true, with(but(":authority"), "host", "h", "host", "i")...))
	add("late pseudo", head(1, true, with(but(":path"), "x", "1", ":path", "/")...))
	add("connect that ends at once", head(1, true, ":method", "CONNECT", ":authority", "a:1"))
	add("connect with path", head(1, true, ":method", "CONNECT", ":authority", "a:1", ":path", "/"))
	add("many cookies", head(1, true, with(get, slices.Repeat([]string{"cookie", "a=1"}, 20)...)...))
	add("a cookie in front", head(1, true, with(get, "cookie", "a=1", "x", "y")...))
	add("97 fields", head(1, true, with(get, slices.Repeat([]string{"x", "1"}, 97)...)...))
	add("110 fields", head(1, true, with(get, slices.Repeat([]string{"x", "1"}, 110)...)...))
	// Bodies that do not keep to their lengths, trailers.
	for _, f := range []struct{ name, length string }{
		{"longer", "2"}, {"two equal", "3"}, {"a list", "3, 3"}, {"as it should be", "3"},
	} {
		fields := with(post, "content-length", f.length)
		if f.name == "two equal" {
			fields = with(fields, "content-length", f.length)
		}
		add("content-length: "+f.name, head(1, false, fields...), body(1, true, "abc"))
	}
	for _, value := range []string{"+3", "-3", "99999999999999999999", "", "0x3", "3 4"} {
		add("content-length: "+value, head(1, true, with(post, "content-length", value)...))
	}
	add("content-length: two", head(1, true, with(post, "content-length", "3", "content-length", "4")...))
	add("content-length without body", head(1, true, with(post, "content-length", "5")...))
	add("transfer-encoding", head(1, true, with(post, "transfer-encoding", "chunked")...))
	add("two frames", head(1, false, with(post, "content-length", "6")...), body(1, false, "abc"), body(1, true, "def"))
	all = append(all, attack{name: "trailers", better: "trailers that have to wait are counted once",
		frames: join(head(1, false, post...), body(1, false, "abc"), head(1, true, "x", "y"))})
	add("padding", head(1, false, post...), frameOf(http2.FrameData, 9, 1, []byte("\x03abc\x00\x00\x00")))
	add("empty frames", head(1, false, post...), bytes.Repeat(body(1, false, ""), 1000), body(1, true, ""))
	// Frames that are not as they should be.
	broken := func(name string, frame []byte) {
		all = append(all, attack{name: name, alone: true, frames: head(1, true, get...), later: frame})
	}
	broken("even stream", head(2, true, get...))
	all = append(all, attack{name: "lower stream", alone: true, frames: head(5, true, get...), later: head(3, true, get...)})
	broken("data on idle stream", body(3, true, "x"))
	broken("window of nothing", frameOf(http2.FrameWindowUpdate, 0, 0, make([]byte, 4)))
	broken("window too large", frameOf(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 255, 255, 255}))
	broken("window of idle stream", frameOf(http2.FrameWindowUpdate, 0, 7, []byte{0, 0, 0, 1}))
	broken("push", frameOf(http2.FramePushPromise, 4, 1, []byte{0, 0, 0, 2}))
	broken("unknown frame", frameOf(0x77, 0, 0, []byte("abc")))
	broken("frame too long", body(1, false, strings.Repeat("a", 16385)))
	broken("settings ack with payload", frameOf(http2.FrameSettings, 1, 0, []byte("abcdef")))
	broken("settings of five bytes", frameOf(http2.FrameSettings, 0, 0, []byte("abcde")))
	broken("settings on a stream", frameOf(http2.FrameSettings, 0, 1, nil))
	broken("push enabled twice", frameOf(http2.FrameSettings, 0, 0, []byte{0, 2, 0, 0, 0, 2}))
	broken("window above 2^31", frameOf(http2.FrameSettings, 0, 0, []byte{0, 4, 0x80, 0, 0, 0}))
	broken("small frames", frameOf(http2.FrameSettings, 0, 0, []byte{0, 5, 0, 0, 0, 1}))
	broken("ping of seven bytes", frameOf(http2.FramePing, 0, 0, []byte("abcdefg")))
	broken("ping on a stream", frameOf(http2.FramePing, 0, 1, []byte("abcdefgh")))
	broken("reset of idle stream", frameOf(http2.FrameRSTStream, 0, 5, make([]byte, 4)))
	broken("reset of the connection", frameOf(http2.FrameRSTStream, 0, 0, make([]byte, 4)))
	broken("goaway on a stream", frameOf(http2.FrameGoAway, 0, 1, make([]byte, 8)))
	broken("continuation alone", frameOf(http2.FrameContinuation, 4, 1, nil))
	broken("priority of itself", frameOf(http2.FramePriority, 0, 3, []byte{0, 0, 0, 3, 16}))
	broken("priority of four bytes", frameOf(http2.FramePriority, 0, 3, make([]byte, 4)))
	alone("headers of itself", frameOf(http2.FrameHeaders, 0x25, 1, append([]byte{0, 0, 0, 1, 16}, block(get...)...)))
	alone("headers on stream 0", head(0, true, get...))
	alone("padding longer than headers", frameOf(http2.FrameHeaders, 0xd, 1, append([]byte{255}, block(get...)...)))
	alone("interrupted head", frameOf(http2.FrameHeaders, 1, 1, block(get...)), frameOf(http2.FramePing, 0, 0, make([]byte, 8)))
	alone("continued elsewhere", frameOf(http2.FrameHeaders, 1, 1, block(get...)), frameOf(http2.FrameContinuation, 4, 3, nil))
	alone("head in three", frameOf(http2.FrameHeaders, 1, 1, block(get...)[:9]), frameOf(http2.FrameContinuation, 0, 1, block(get...)[9:20]), frameOf(http2.FrameContinuation, 4, 1, block(get...)[20:]))
	// HPACK.
	for _, f := range []struct{ name, block string }{
		{"index 0", "\x80"}, {"index that is not there", "\xff\x80\x80\x01"}, {"cut", "\x00\x05ab"}, {"table too large", "\x3f\xe1\xff\x03"}, {"integer too long", "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"bad Huffman code", "\x00\x01x\x84\xff\xff\xff\xff"}, {"empty", ""},
	} {
		alone("hpack: "+f.name, frameOf(http2.FrameHeaders, 5, 1, []byte(f.block)))
	}
	alone("hpack: bomb", frameOf(http2.FrameHeaders, 5, 1, append(block(get...), indexed(4000, hpack.HeaderField{Name: "x", Value: strings.Repeat("a", 3800)})...)))
	// Floods.
	var reset, many [][]byte
	for i := range uint32(1000) {
		reset = append(reset, head(2*i+1, true, get...), frameOf(http2.FrameRSTStream, 0, 2*i+1, []byte{0, 0, 0, 8}))
	}
	for i := range uint32(90) {
		many = append(many, head(2*i+1, false, post...))
	}
	alone("rapid reset", reset...)
	add("90 streams and goodbye", join(many...), frameOf(http2.FrameGoAway, 0, 0, make([]byte, 8)), body(1, true, "x"))
	alone("settings flood", bytes.Repeat(frameOf(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 0xff, 0xff}), 2000), head(1, true, get...))
	alone("windows that shrink", bytes.Repeat(frameOf(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 0xff, 0xff, 0, 4, 0, 0, 0, 0}), 200), head(1, true, get...))
	alone("ping flood", bytes.Repeat(frameOf(http2.FramePing, 0, 0, []byte("abcdefgh")), 2000), head(1, true, get...))
	alone("priority flood", bytes.Repeat(frameOf(http2.FramePriority, 0, 1, []byte{0, 0, 0, 0, 16}), 2000), head(1, true, get...))
	alone("window flood", bytes.Repeat(frameOf(http2.FrameWindowUpdate, 0, 0, []byte{0, 0, 0, 1}), 2000), head(1, true, get...))
	all = append(all, attack{name: "continuation flood", alone: true, better: "a head in many frames is counted once", frames: join(frameOf(http2.FrameHeaders, 1, 1, block(get...)), bytes.Repeat(frameOf(http2.FrameContinuation, 0, 1, block("x", strings.Repeat("a", 100))), 200))})
	alone("small continuations", frameOf(http2.FrameHeaders, 1, 1, block(get...)), bytes.Repeat(frameOf(http2.FrameContinuation, 0, 1, block("x", "1")), 60), frameOf(http2.FrameContinuation, 4, 1, nil))
	alone("unknown flood", bytes.Repeat(frameOf(0x77, 0, 0, nil), 1000), head(1, true, get...))
	all = append(all, attack{name: "tiny window", alone: true, settings: []byte{0, 4, 0, 0, 0, 1},
		frames: join(head(1, true, get...), frameOf(http2.FrameWindowUpdate, 0, 1, []byte{0, 0, 0, 1}))})
	all = append(all, attack{name: "no window", alone: true, settings: []byte{0, 4, 0, 0, 0, 0}, frames: head(1, true, get...)})
	return all
}
