package logger

import (
	"bufio"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/message"
	"hapax/stats/counter"
)

// golden is one line of HAProxy 3.4.0; see record_test.go. The message of the datagram
// is written by everything, so that the stream can be built again from it, and its
// structured data by the format that is tested.
type golden struct {
	Name     string
	HTTP     bool
	Asap     bool // option logasap
	Format   string
	Line     string   // request line; empty when it could not be read
	ReqCaps  []string // captured; "" for a header that was not there
	ResCaps  []string
	Unix     bool // the client came by a UNIX socket
	Datagram string
}

// everything lists aliases that tell all about a stream.
var everything = strings.Fields("ci cp fi fp bi bp si sp Ts ms f b s Th Ti TR Tq Tw Tc Tr Td Ta Tt Tu ST B U CC CS tsc ac fc bc sc rc sq bq rt lc pid")

// everythingFormat writes them.
func everythingFormat() string {
	return "%" + strings.Join(everything, "^%")
}

// build makes the stream that a message tells of.
func (g *golden) build(t testing.TB, cfg *runtime.Config, message string) *runtime.Stream {
	values := strings.Split(message, "^")
	if len(values) != len(everything) {
		t.Fatalf("%s: %d values in %q", g.Name, len(values), message)
	}
	v := map[string]string{}
	for i, name := range everything {
		v[name] = values[i]
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(strings.TrimPrefix(v[name], "+"), 10, 64)
		return n
	}
	addr := func(ip, port string) netip.AddrPort {
		a, err := netip.ParseAddr(v[ip])
		if err != nil {
			return netip.AddrPort{}
		}
		return netip.AddrPortFrom(a, uint16(number(port)))
	}
	front := cfg.Proxies[0]
	front.Name = v["f"]
	back := front
	if v["b"] != v["f"] {
		back = &runtime.Proxy{Name: v["b"], Mode: front.Mode}
	}
	if c := v["tsc"]; c[2] != '-' {
		back.Cookie = &runtime.CookieConfig{Name: "x", Mode: runtime.CookieInsert}
	}
	s := &runtime.Stream{Config: cfg, Front: front, Back: back, LogLevel: -1}
	s.Session = &runtime.Session{Unix: g.Unix, Listener: &runtime.Listener{ID: int(number("cp"))}}
	s.Ctx.Owner, s.Ctx.Scratch = s, sample.NewScratch(0)
	s.Ctx.Src, s.Ctx.Dst = addr("ci", "cp"), addr("fi", "fp")
	s.LocalAddr, s.ServerAddr = addr("bi", "bp"), addr("si", "sp")
	switch {
	case v["s"] == "<NOSRV>":
	case v["s"][0] == '<':
		s.Service = v["s"]
	default:
		s.Server = &runtime.Server{Name: v["s"], Proxy: back}
		enter(&s.Server.Current, number("sc"))
		if v["si"] == "unix" {
			s.Server.Addr.Store(&runtime.Addr{Family: runtime.FamilyUnix})
		}
	}
	const accept = int64(1e9)
	at := func(base int64, name string) int64 {
		n := number(name)
		if n < 0 || base <= 0 {
			return -1
		}
		return base + n*1e6
	}
	s.Time.Accept = accept
	s.Time.AcceptWall = number("Ts")*1e6 + number("ms")*1e3
	s.Time.Handshake = at(accept, "Th")
	s.Time.First = at(s.Time.Handshake, "Ti")
	s.Time.Request = at(accept, "Tq")
	if tw := number("Tw"); tw >= 0 {
		s.Time.Queue = accept + (tw+number("Tq"))*1e6
	}
	s.Time.Connect = at(s.Time.Queue, "Tc")
	s.Time.Response = at(s.Time.Connect, "Tr")
	s.Time.Close = at(accept, "Tt")
	s.Status = int(number("ST"))
	s.ResFromServer, s.BytesIn = number("B"), number("U")
	s.CookieReq, s.CookieRes = noDash(v["CC"]), noDash(v["CS"])
	s.End = runtime.Termination{Cause: v["tsc"][0], State: v["tsc"][1]}
	s.CookieIn, s.CookieOut = v["tsc"][2], v["tsc"][3]
	cfg.Stats.Conns.Store(number("ac"))
	front.Live.FrontConns.Store(number("fc"))
	front.Live.MakeCounters(1)
	enter(&back.Live.BackConns, number("bc"))
	front.Live.Front[0].Logged.Add(uint64(number("lc")))
	s.RetriesDone = int(number("rc"))
	s.Redispatched = strings.HasPrefix(v["rc"], "+")
	s.ServerQueue, s.BackendQueue = int(number("sq")), int(number("bq"))
	s.ID = uint64(number("rt")) + 1
	s.URI = []byte(g.Line)
	s.ReqCaps, s.ResCaps = caps(g.ReqCaps), caps(g.ResCaps)
	front.Capture.Req = make([]runtime.CaptureSlot, len(g.ReqCaps))
	front.Capture.Res = make([]runtime.CaptureSlot, len(g.ResCaps))
	return s
}

// enter makes a number of things exist.
func enter(l *counter.Level, n int64) {
	var one counter.LevelShard
	l.Init(1, func(int) *counter.LevelShard { return &one })
	for range n {
		l.Enter(&one)
	}
}

func noDash(v string) []byte {
	if v == "-" {
		return nil
	}
	return []byte(v)
}

func caps(values []string) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		if v != "" {
			out[i] = []byte(v)
		}
	}
	return out
}

// compile compiles a format without sample expressions.
func compile(t testing.TB, text string) *logformat.Format {
	table, err := keyword.NewTable(aliases)
	if err != nil {
		t.Fatal(err)
	}
	fetches, _ := keyword.NewTable([]sample.Fetch{})
	converters, _ := keyword.NewTable([]sample.Converter{})
	c := logformat.Compiler{Aliases: table, Samples: &sample.Compiler{Fetches: fetches, Converters: converters}}
	f, err := c.Compile(text, logformat.ForLog, sample.LogEnd)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// listen opens the socket that logs go to.
func listen(t testing.TB) (*net.UnixConn, *runtime.LogTarget) {
	path := filepath.Join(t.TempDir(), "log")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, &runtime.LogTarget{FD: -1, Text: path, Addr: runtime.Addr{Family: runtime.FamilyUnix, Path: path}, Facility: 16, Level: Debug, MaxLen: 8192}
}

// header is the part of a message of RFC 5424 that differs from run to run.
var header = regexp.MustCompile(`^(<\d+>1 )\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d ([^ ]+) ([^ ]+) \d+ - `)

func TestGoldens(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "lines.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := compile(t, everythingFormat())
	cases := 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var g golden
		if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		cases++
		t.Run(g.Name+" "+g.Format[:min(len(g.Format), 20)], func(t *testing.T) {
			g.run(t, all)
		})
	}
	if cases == 0 {
		t.Fatal("no goldens")
	}
}

func (g *golden) run(t *testing.T, all *logformat.Format) {
	conn, target := listen(t)
	target.Format = runtime.LogRFC5424
	front := &runtime.Proxy{Logs: []*runtime.LogTarget{target}}
	if g.HTTP {
		front.Mode = runtime.ModeHTTP
	}
	if g.Asap {
		front.Options |= runtime.OptLogAsap
	}
	front.LogFormat.Format = all
	front.FormatNeeds = front.LogFormat.Format.Need()
	front.LogFormatSD.Format = compile(t, g.Format)
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{front}}
	cfg.Global.LogTag = "haproxy"
	want := header.FindStringSubmatch(g.Datagram)
	if want == nil {
		t.Fatalf("no header in %q", g.Datagram)
	}
	cfg.Global.LogHost = strings.Trim(want[2], "-")
	if err := Start(cfg, 1, nil); err != nil {
		t.Fatal(err)
	}
	defer Stop(cfg)
	values := g.Datagram[strings.LastIndexByte(g.Datagram, ' ')+1:]
	s := g.build(t, cfg, strings.TrimSuffix(values, "\n"))
	pid := everyValue(g.Datagram, "pid")
	cfg.Logger.(*Logger).process = int(pid)
	cfg.Logger.(*Logger).host = "box"
	if g.Asap {
		s.Res.Reset(make([]byte, 0, 256), make([]message.Field, 0, 10))
		s.Res.SetStatusLine("HTTP/1.1", 200, "OK")
		s.Res.AddString("content-length", "2")
		s.Res.AddString("x-b", "v|{}")
		s.Res.AddString("set-cookie", "SID=zz; path=/")
		s.Ctx.ResBody.Data = []byte("ok")
		Responded(s)
	} else {
		s.LogWait = 1
		Log(s)
	}
	b := make([]byte, 1<<16)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	mask := func(line string) string { return header.ReplaceAllString(line, "$1 $2 $3 - ") }
	if diff := cmp.Diff(mask(g.Datagram), mask(string(b[:n]))); diff != "" {
		t.Error(diff)
	}
}

func everyValue(datagram, name string) int64 {
	values := strings.Split(strings.TrimSpace(datagram[strings.LastIndexByte(datagram, ' ')+1:]), "^")
	for i, n := range everything {
		if n == name && i < len(values) {
			v, _ := strconv.ParseInt(values[i], 10, 64)
			return v
		}
	}
	return 0
}

// goldenStream is a stream with all that the HTTP format shows.
func goldenStream(cfg *runtime.Config) *runtime.Stream {
	front := cfg.Proxies[0]
	front.Name = "front"
	back := &runtime.Proxy{Name: "back", Mode: runtime.ModeHTTP}
	s := &runtime.Stream{Config: cfg, Front: front, Back: back, LogLevel: -1, Status: 200, URI: []byte("GET /path?x=1 HTTP/1.1"),
		Server: &runtime.Server{Name: "s1", Proxy: back}, End: runtime.Termination{Cause: '-', State: '-'}, BytesIn: 100}
	s.Session = &runtime.Session{Listener: &runtime.Listener{}}
	s.Ctx.Owner, s.Ctx.Scratch = s, sample.NewScratch(0)
	s.Ctx.Src = netip.MustParseAddrPort("192.0.2.7:45678")
	s.Ctx.Dst = netip.MustParseAddrPort("198.51.100.2:80")
	s.Time = runtime.Timing{Accept: 1e9, AcceptWall: 1700000000123456, Handshake: 1e9, First: 1e9, Request: 1e9 + 2e6, Queue: 1e9 + 3e6, Connect: 1e9 + 5e6, Response: 1e9 + 9e6, Close: 1e9 + 12e6}
	front.Capture.Req = make([]runtime.CaptureSlot, 1)
	s.ReqCaps = [][]byte{[]byte("www.example.com")}
	return s
}

func TestLogAllocatesNothing(t *testing.T) {
	for _, format := range []string{HTTPFormat, HTTPCLFFormat, TCPFormat, "%{+json}o %(ip)ci %(uri)HU"} {
		conn, target := listen(t)
		go func() {
			b := make([]byte, 4096)
			for {
				if _, err := conn.Read(b); err != nil {
					return
				}
			}
		}()
		front := &runtime.Proxy{Mode: runtime.ModeHTTP, Logs: []*runtime.LogTarget{target}}
		front.LogFormat.Format = compile(t, format)
		front.FormatNeeds = front.LogFormat.Format.Need()
		front.Live.MakeCounters(1)
		cfg := &runtime.Config{Proxies: []*runtime.Proxy{front}}
		if err := Start(cfg, 1, nil); err != nil {
			t.Fatal(err)
		}
		s := goldenStream(cfg)
		if n := testing.AllocsPerRun(200, func() {
			Accepted(s)
			Requested(s)
			Responded(s)
			Log(s)
			s.Time.AcceptWall += 300000
		}); n != 0 {
			t.Errorf("%s: %v allocations", format, n)
		}
		Stop(cfg)
	}
}

func BenchmarkLog(b *testing.B) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	front := &runtime.Proxy{Mode: runtime.ModeHTTP}
	front.Logs = []*runtime.LogTarget{{FD: -1, Addr: runtime.Addr{Family: runtime.FamilyIPv4, IP: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, Level: Debug, MaxLen: 1024}}
	front.LogFormat.Format = compile(b, HTTPFormat)
	front.FormatNeeds = front.LogFormat.Format.Need()
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{front}}
	if err := Start(cfg, 1, nil); err != nil {
		b.Fatal(err)
	}
	defer Stop(cfg)
	s := goldenStream(cfg)
	b.ReportAllocs()
	for b.Loop() {
		s.LogWait = 1
		Log(s)
	}
}

func BenchmarkLine(b *testing.B) {
	front := &runtime.Proxy{Mode: runtime.ModeHTTP}
	f := compile(b, HTTPFormat)
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{front}}
	if err := Start(cfg, 1, nil); err != nil {
		b.Fatal(err)
	}
	defer Stop(cfg)
	s := goldenStream(cfg)
	line := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		line = f.Append(line[:0], &s.Ctx)
	}
}
