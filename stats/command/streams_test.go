package command

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/stats/cli"
)

// crowd is a number of streams on two loops.
type crowd struct {
	cfg    *runtime.Config
	n      int
	killed []uint64
}

func (s *crowd) Loops() int { return 2 }

func (s *crowd) List(loop int, after uint64, limit int) []runtime.StreamInfo {
	be := s.cfg.Proxies[1]
	var list []runtime.StreamInfo
	for id := uint64(1 + loop); id <= uint64(s.n) && len(list) < limit; id += 2 {
		if id <= after {
			continue
		}
		i := runtime.StreamInfo{ID: id, Loop: loop, Listener: s.cfg.Proxies[0].Listeners[0], Front: s.cfg.Proxies[0], ClientFD: 9, ServerFD: -1,
			Src: netip.MustParseAddrPort("192.0.2.1:4000"), Age: time.Duration(id) * time.Minute, Accepted: time.Unix(1700000000, 0),
			Expire: 5 * time.Second, HTTP: true, Method: "GET", URI: "/x", RequestStep: "queue"}
		if id%2 == 0 {
			i.Back, i.Server, i.ServerFD, i.ServerAddr = be, be.Servers[0], 10, netip.MustParseAddrPort("127.0.0.1:1")
		}
		list = append(list, i)
	}
	return list
}

func (s *crowd) Kill(id uint64) bool {
	s.killed = append(s.killed, id)
	return id <= uint64(s.n)
}

func (s *crowd) Activity(loop int) runtime.Activity {
	return runtime.Activity{Turns: int64(loop) + 1, Idle: 40}
}

func (s *crowd) Spin(time.Duration, bool) {}
func (s *crowd) Profile(bool)             {}
func (s *crowd) Descriptors() []runtime.Descriptor {
	return []runtime.Descriptor{{FD: 9, Front: s.cfg.Proxies[0], Mux: runtime.MuxPass}}
}

func (s *crowd) Efforts() []runtime.Effort {
	return []runtime.Effort{{Step: "queue", Calls: 2, Busy: 5000, Late: 0}, {Step: "use_backend", Calls: 7, Busy: 70, Late: 21e6}}
}

func (s *crowd) KillServer(srv *runtime.Server) { s.killed = append(s.killed, uint64(srv.ID)) }

// run gives the answer to one line.
func run(t *testing.T, p *Process, line string) string {
	t.Helper()
	table, err := Assemble(Commands())
	if err != nil {
		t.Fatal(err)
	}
	c := p.conn(table, &runtime.Bind{Level: runtime.LevelAdmin})
	c.Feed([]byte(line + "\n"))
	var out strings.Builder
	for c.Advance(); len(c.Output()) > 0; c.Advance() {
		out.Write(c.Output())
		c.Sent(len(c.Output()))
	}
	c.Close()
	return out.String()
}

func TestShowSess(t *testing.T) {
	cfg := testConfig(t.TempDir())
	s := &crowd{cfg: cfg, n: 1000}
	p := &Process{Config: cfg, Streams: s}
	for _, tt := range []struct {
		line  string
		lines int // that start with a number of a stream
		has   string
	}{
		{"show sess", 1000, "\n0x3e8: proto=unix_stream src=192.0.2.1:4000 fe=fe be=be srv=s1 ts=00 "},
		{"show sess", 1000, "0x1: proto=unix_stream src=192.0.2.1:4000 fe=fe be=<NONE> srv=<none> ts=00 epoch=0 age=1m calls=0 "},
		{"show sess show-uri", 1000, " uri=\"/x\"\n"},
		{"show sess all", 1000, "  server=s1 (id=1) addr=127.0.0.1:1\n"},
		{"show sess 0x10", 1, "0x10: ["},
		{"show sess 16 show-uri", 1, "txn method=GET status=0 uri=\"/x\""},
		{"show sess 0x1000", 0, "Session not found.\n"},
		{"show sess older 990m", 11, "0x3de: ["},
		{"show sess backend be", 500, ""},
		{"show sess server be/s1", 500, ""},
		{"show sess server be/s2", 0, ""},
		{"show sess frontend fe", 1000, ""},
		{"show sess susp", 0, ""},
	} {
		got := run(t, p, tt.line)
		if n := strings.Count("\n"+got, "\n0x"); n != tt.lines {
			t.Errorf("%s: %d streams, want %d", tt.line, n, tt.lines)
		}
		if !strings.Contains("\n"+got, tt.has) {
			t.Errorf("%s: no %q in %.300q", tt.line, tt.has, got)
		}
	}
	run(t, p, "shutdown session 0x5")
	run(t, p, "shutdown sessions server be/s2")
	if fmt.Sprint(s.killed) != "[5 2]" {
		t.Errorf("killed %v", s.killed)
	}
	if live := &cfg.Stats; live.CurStreams.Load() != 0 || live.CumConns.Load() == 0 {
		t.Error("connections to the stats socket are not counted, or never end")
	}
}

func TestShowErrors(t *testing.T) {
	cfg := testConfig(t.TempDir())
	p := &Process{Config: cfg}
	fe, be := cfg.Proxies[0], cfg.Proxies[1]
	cfg.Stats.Captures.Add(2)
	fe.Live.BadRequest.Store(&runtime.Capture{When: time.Unix(1700000000, 0), Event: 1, Src: netip.MustParseAddrPort("127.0.0.1:50924"), Size: 16384,
		Text: []byte("GET /?a#b HTTP/1.1\r\nHost: a\\\x01\r\nX: " + strings.Repeat("y", 100) + "\r\n\r\n"), At: 7, State: "MSG_RQURI"})
	be.Live.BadResponse.Store(&runtime.Capture{When: time.Unix(1700000000, 0), Other: fe, Server: be.Servers[0], Size: 16384, Text: []byte("junk"), State: "MSG_RPBEFORE"})
	got := run(t, p, "show errors")
	date := time.Unix(1700000000, 0).Format(captureDate)
	want := " \n[" + date + `] frontend fe (#2): invalid request
  backend <NONE> (#-1), server <NONE> (#-1), event #1, src 127.0.0.1:50924
  buffer starts at 0 (including 0 out), 16246 free,
  len 138, wraps at 16384, error at position 7
  message state MSG_RQURI
  
  00000  GET /?a#b HTTP/1.1\r\n
  00020  Host: a\\\x01\r\n
  00031  X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
  00101+ yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n
  00136  \r\n
` + " \n[" + date + `] backend be (#3): invalid response
  frontend fe (#2), server s1 (#1), event #0, src unix:0
  buffer starts at 0 (including 0 out), 16380 free,
  len 4, wraps at 16384, error at position 0
  message state MSG_RPBEFORE
  
  00000  junk

`
	if _, got, _ = strings.Cut(got, "] : 2\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := run(t, p, "show errors be request"); strings.Contains(got, "invalid") {
		t.Errorf("requests of the backend: %s", got)
	}
	if got := run(t, p, "show errors fe response"); strings.Count(got, "invalid") != 1 {
		t.Errorf("responses for the frontend: %s", got)
	}
}

func TestWait(t *testing.T) {
	cfg := testConfig(t.TempDir())
	table, err := Assemble(Commands())
	if err != nil {
		t.Fatal(err)
	}
	c := (&Process{Config: cfg}).conn(table, &runtime.Bind{Level: runtime.LevelAdmin})
	c.Feed([]byte("wait 1h\n"))
	c.Advance()
	if d := c.Waiting(); d < 59*time.Minute {
		t.Errorf("waits %v", d)
	}
	c.EndInput()
	c.Advance()
	if got := string(c.Output()); got != "Interrupted. (null)\n\n" {
		t.Errorf("the end of the client gave %q", got)
	}
	c = &cli.Conn{Table: table, Owner: &Process{Config: cfg}, Level: cli.Admin}
	c.Feed([]byte("wait 1us;show version\n"))
	for c.Advance(); c.Waiting() > 0; c.Advance() {
	}
	if got := string(c.Output()); got != "Done.\n\n"+runtime.Version+"\n\n" {
		t.Errorf("a short wait gave %q", got)
	}
}

func TestGetVar(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.ProcVars = sample.NewProcVars(nil)
	set := func(name string, f func(*sample.Value)) {
		v, err := cfg.Vars.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		var value sample.Value
		f(&value)
		cfg.ProcVars.Set(v.ID, &value, 0)
	}
	set("proc.n", func(v *sample.Value) { v.SetInt(5) })
	set("proc.b", func(v *sample.Value) { v.SetBool(true) })
	set("proc.bin", func(v *sample.Value) { v.SetBin([]byte("a\xff\xc3\xa9b")) })
	set("proc.ip", func(v *sample.Value) { v.SetAddr(netip.MustParseAddr("1.2.3.4")) })
	p := &Process{Config: cfg}
	for name, want := range map[string]string{
		"proc.n": "proc.n: type=sint value=<5>\n\n", "proc.b": "proc.b: type=bool value=<1>\n\n", "proc.bin": "proc.bin: type=bin value=<a...b>\n\n",
		"proc.ip": "proc.ip: type=ipv4 value=<1.2.3.4>\n\n", "proc.zz": "Variable not found.\n\n", "txn.n": "Variable not found.\n\n", "nope": "Variable not found.\n\n",
	} {
		if got := run(t, p, "get var "+name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestActivity looks at the forms of "show activity".
func TestActivity(t *testing.T) {
	p := &Process{Config: testConfig(t.TempDir()), Streams: &crowd{}}
	for line, want := range map[string]string{
		"show activity":    "\nloops: 3 [ 1 2 ]\n",
		"show activity -1": "\navg_cpu_pct: 60 [ 60 60 ]\n",
		"show activity 0":  "\nloops: 3\n",
		"show activity 2":  "\nloops: 2\n",
		"show activity 3":  "Thread ID number must be between -1 and nbthread\n",
	} {
		if got := run(t, p, line); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %q", line, want, got)
		}
	}
}
