package cookie

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// golden is one exchange through HAProxy 3.4.0; see record_test.go.
type golden struct {
	Lines   []string // of the backend
	Method  string
	Use     string   // server that use-server gave
	Persist string   // "force", "ignore" or empty
	Cookies []string // Cookie headers of the request
	Set     string   // Set-Cookie header of the server's response
	ETag    bool     // it has an entity tag
	Now     int64

	Server  string   // that was chosen
	Seen    []string // Cookie headers that it was sent
	Headers []string // Set-Cookie and Cache-Control headers that the client was sent
	Log     string   // %tsc %CC %CS
}

func goldens(t testing.TB) (all []golden) {
	f, err := os.Open(filepath.Join("testdata", "exchanges.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var g golden
		if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

const captured = "APP"

// backend has five servers: s3 without a cookie, s4 a backup with the cookie of s1, s5 in maintenance.
func (g *golden) backend(t testing.TB) *runtime.Proxy {
	px := &runtime.Proxy{Name: "b", Cookie: &runtime.CookieConfig{}}
	px.Capture.Cookie, px.Capture.CookieLen = captured, 12
	for i, cookie := range []string{"A", "B", "", "A", "E"} {
		srv := &runtime.Server{Name: "s" + string(rune('1'+i)), Proxy: px, Cookie: cookie, Backup: i == 3}
		srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(31 + i)}), 8997)})
		srv.State.Store(int32(runtime.ServerRunning))
		if i == 4 {
			srv.State.Store(int32(runtime.ServerStopped))
		}
		px.Servers = append(px.Servers, srv)
	}
	for _, line := range g.Lines {
		w := strings.Fields(line)
		switch w[0] {
		case "cookie":
			setCookie(t, px.Cookie, w)
		case "dynamic-cookie-key":
			px.Cookie.DynamicKey = w[1]
		case "option":
			px.Options |= runtime.OptPersist
		}
	}
	Build(px)
	return px
}

func setCookie(t testing.TB, c *runtime.CookieConfig, w []string) {
	c.Name = w[1]
	for i := 2; i < len(w); i++ {
		switch w[i] {
		case "insert":
			c.Mode = runtime.CookieInsert
		case "rewrite":
			c.Mode = runtime.CookieRewrite
		case "prefix":
			c.Mode = runtime.CookiePrefix
		case "indirect":
			c.Indirect = true
		case "nocache":
			c.NoCache = true
		case "postonly":
			c.PostOnly = true
		case "preserve":
			c.Preserve = true
		case "httponly":
			c.HTTPOnly = true
		case "secure":
			c.Secure = true
		case "dynamic":
			c.Dynamic = true
		case "domain":
			i++
			c.Domain += "; domain=" + w[i]
		case "attr":
			i++
			c.Attr += "; " + w[i]
		case "maxidle", "maxlife":
			d, err := time.ParseDuration(w[i+1])
			if err != nil {
				t.Fatal(err)
			}
			if w[i] == "maxidle" {
				c.MaxIdle = d
			} else {
				c.MaxLife = d
			}
			i++
		default:
			t.Fatalf("unknown word %q", w[i])
		}
	}
}

func newStream(px *runtime.Proxy) *runtime.Stream {
	s := &runtime.Stream{Front: px, Back: px, CookieIn: '-', CookieOut: '-'}
	s.CookieReq, s.CookieRes = make([]byte, 0, 64), make([]byte, 0, 64)
	s.Ctx.Scratch, s.Ctx.Owner = sample.NewScratch(0), s
	return s
}

func (g *golden) request(s *runtime.Stream, buf []byte, fields []message.Field) {
	s.Req.Reset(buf, fields)
	s.Req.SetRequestLine(g.Method, "/", "HTTP/1.1")
	s.Method = s.Req.Method
	for _, c := range g.Cookies {
		s.Req.AddString("cookie", strings.TrimSpace(c))
	}
}

func (g *golden) response(s *runtime.Stream, buf []byte, fields []message.Field) {
	s.Res.Reset(buf, fields)
	s.Res.SetStatusLine("HTTP/1.1", 200, "OK")
	if g.Set != "" {
		s.Res.AddString("set-cookie", g.Set)
	}
	if g.ETag {
		s.Res.AddString("etag", "x")
	}
}

func headers(m *message.Message, names ...string) (all []string) {
	for i := range m.Fields {
		if name := string(m.Name(i)); slices.Contains(names, name) {
			if len(names) > 1 {
				name += ": "
			} else {
				name = ""
			}
			all = append(all, name+string(m.Value(i)))
		}
	}
	return all
}

func TestGoldens(t *testing.T) {
	all := goldens(t)
	if len(all) == 0 {
		t.Fatal("no goldens")
	}
	for _, g := range all {
		px := g.backend(t)
		s := newStream(px)
		s.Ctx.Now = time.Unix(g.Now, 0)
		s.ForcePersist, s.IgnorePersist = g.Persist == "force", g.Persist == "ignore"
		for _, srv := range px.Servers {
			if srv.Name == g.Use {
				s.Server, s.Direct = srv, true
			}
		}
		g.request(s, make([]byte, 0, 2048), make([]message.Field, 0, 20))
		Request(s)
		if s.Server == nil {
			s.Server = px.Servers[0]
		}
		got := g
		got.Server = s.Server.Name
		got.Seen = headers(&s.Req, "cookie")
		g.response(s, make([]byte, 0, 2048), make([]message.Field, 0, 20))
		if err := Response(s); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
		got.Headers = headers(&s.Res, "set-cookie", "cache-control")
		flags := string([]byte{s.CookieIn, s.CookieOut})
		if px.Cookie.Mode == runtime.CookieNone && !px.Cookie.Indirect {
			flags = "--" // logs show them only for modes that do something
		}
		got.Log = "--" + flags + " " + orDash(s.CookieReq) + " " + orDash(s.CookieRes)
		if diff := cmp.Diff(g, got); diff != "" {
			t.Errorf("%q %q:\n%s", g.Lines, g.Cookies, diff)
		}
	}
}

func orDash(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

func TestNoAllocation(t *testing.T) {
	g := golden{Lines: []string{"cookie SRV insert indirect nocache maxidle 30s maxlife 5m"}, Method: "GET",
		Cookies: []string{"x=1; SRV=B|AAAAA; y=2"}, Set: "SRV=x; path=/", ETag: true}
	px := g.backend(t)
	s := newStream(px)
	s.Ctx.Now = time.Unix(1700000000, 0)
	buf, fields := make([]byte, 0, 2048), make([]message.Field, 0, 20)
	out, outFields := make([]byte, 0, 2048), make([]message.Field, 0, 20)
	if n := testing.AllocsPerRun(100, func() {
		s.Server, s.Direct, s.CookieReq, s.CookieRes = nil, false, s.CookieReq[:0], s.CookieRes[:0]
		g.request(s, buf, fields)
		Request(s)
		s.Server = px.Servers[0]
		g.response(s, out, outFields)
		if Response(s) != nil {
			t.Fatal("no room")
		}
		s.Ctx.Scratch.Reset()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCacheable(t *testing.T) {
	px := &runtime.Proxy{Options: runtime.OptCheckCache}
	s := newStream(px)
	s.Method = message.GET
	g := golden{Set: "x=1", ETag: true}
	g.response(s, make([]byte, 0, 2048), make([]message.Field, 0, 20))
	if err := Response(s); err != ErrCacheable {
		t.Errorf("%v", err)
	}
	s.Res.AddString("cache-control", `no-cache="set-cookie"`)
	if err := Response(s); err != nil {
		t.Errorf("%v", err)
	}
}

// FuzzRequest: whatever a Cookie header holds, only bytes are taken out of it.
func FuzzRequest(f *testing.F) {
	for _, g := range goldens(f)[:40] {
		for _, c := range g.Cookies {
			f.Add(c, uint8(0))
			f.Add(c, uint8(1))
		}
	}
	lines := []string{"cookie SRV insert indirect", "cookie SRV prefix", "cookie SRV insert maxidle 30s"}
	f.Fuzz(func(t *testing.T, value string, mode uint8) {
		if len(value) > 1000 || strings.ContainsAny(value, "\r\n\x00") {
			return
		}
		g := golden{Lines: lines[int(mode)%len(lines):][:1], Method: "GET", Cookies: []string{value}}
		s := newStream(g.backend(t))
		g.request(s, make([]byte, 0, 4096), make([]message.Field, 0, 20))
		before := len(s.Req.Get("cookie"))
		Request(s)
		if after := len(s.Req.Get("cookie")); after > before {
			t.Errorf("grew from %d to %d bytes", before, after)
		}
	})
}
