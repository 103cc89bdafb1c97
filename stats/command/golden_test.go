package command

import (
	"bytes"
	"encoding/csv"
	"flag"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/balance"
)

var (
	haproxy = flag.String("haproxy", "", "replay the cases against this HAProxy instead")
	update  = flag.Bool("update", false, "with -haproxy: record its answers")
)

const cases = "../../compat-tests/testdata/cli"

// TestGolden sends what the cases say to stats sockets and compares the answers with those of HAProxy.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(cases, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", cases, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := bytes.ReplaceAll(a.Files[0].Data, []byte("$DIR"), []byte(dir))
	if *haproxy != "" {
		startHAProxy(t, dir, conf)
	} else {
		serve(t, dir)
	}
	for i := 1; i+1 < len(a.Files); i += 2 {
		in, out := a.Files[i], &a.Files[i+1]
		level := in.Name[strings.LastIndexByte(in.Name, ' ')+1:]
		input := bytes.TrimSuffix(in.Data, []byte("\n"))
		got := normal(ask(t, filepath.Join(dir, level+".sock"), append(input, '\n')), dir)
		if *haproxy != "" && *update {
			out.Data = []byte(got)
			continue
		}
		if want := string(out.Data); got != want {
			t.Errorf("%s: %q: (-HAProxy +got)\n%s", in.Name, input, cmp.Diff(fields(want), fields(got)))
		}
	}
	if *haproxy != "" && *update {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fields splits wide lines, so that a difference shows as one field.
func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == ',' && len(s) > 500 })
}

// ask sends all of input and half-closes, as socat does.
func ask(t *testing.T, socket string, input []byte) string {
	t.Helper()
	nc, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := nc.Write(input); err != nil {
		t.Fatal(err)
	}
	nc.(*net.UnixConn).CloseWrite()
	out, err := io.ReadAll(nc)
	if err != nil {
		t.Fatalf("%q: %v", input, err)
	}
	return string(out)
}

func startHAProxy(t *testing.T, dir string, conf []byte) {
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, conf, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(*haproxy, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	socket := filepath.Join(dir, "user.sock")
	for end := time.Now().Add(10 * time.Second); ; {
		nc, err := net.Dial("unix", socket)
		if err == nil {
			nc.Close()
			if strings.Contains(ask(t, socket, []byte("show stat\n")), "L4CON") {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatal("HAProxy did not check its server:", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// What differs from run to run, or from build to build.
var volatile = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`3\.4\.0-[0-9a-f]+`), "3.4.0"},
	{regexp.MustCompile(`\[\d\d/\w{3}/\d{4}:[\d:.]+\]`), "[DATE]"},
	{regexp.MustCompile(`(?m)^((?:\d+\.)?(?:Pid|Uptime|Uptime_sec|Start_time_sec|PoolAlloc_\w+|PoolUsed_\w+|Ulimit-n|Maxsock|CumConns|CumReq|Tasks|Idle_pct|Jobs|TotalBytesOut|BytesOutRate|BootTime_ms|CurrStreams|CumStreams|TotalWarnings|PatternsAdded|ConnRate|SessRate|MaxConnRate|MaxSessRate|Run_queue|Niced_tasks|CurrConns)(?:\.1:[\w]+:\w+:|: ))[^"\n]*?(:".*)?$`), "${1}N$2"},
	{regexp.MustCompile(`("name":"(?:Pid|Uptime|Uptime_sec|Start_time_sec|PoolAlloc_\w+|PoolUsed_\w+|Ulimit-n|Maxsock|CumConns|CumReq|Tasks|Idle_pct|Jobs|TotalBytesOut|BytesOutRate|BootTime_ms|CurrStreams|CumStreams|TotalWarnings|PatternsAdded|ConnRate|SessRate|MaxConnRate|MaxSessRate|Run_queue|Niced_tasks|CurrConns|lastchg|downtime)"[^}]*\}[^}]*\}[^}]*"value":)"?[^"}]*"?\}`), "${1}N}"},
	{regexp.MustCompile(`(?m)(\.(?:lastchg|downtime)\.1:\w+:\w+:)\d+`), "${1}N"},
	{regexp.MustCompile(`(?m)^(\d+ \S+ \d+ \S+ \S+ \d+ \d+ \d+ \d+) \d+ `), "$1 N "},
}

// normal takes out what cannot be equal: times, process numbers, memory, and the columns of modules that a build of
// HAProxy may lack.
func normal(answer, dir string) string {
	answer = strings.ReplaceAll(answer, dir, "$DIR")
	for _, v := range volatile {
		answer = v.re.ReplaceAllString(answer, v.with)
	}
	answer = moduleJSON.ReplaceAllString(answer, "")
	answer = modulePosition.ReplaceAllString(answer, "${1}N$2")
	answer = moduleTyped.ReplaceAllString(answer, "")
	answer = moduleNumber.ReplaceAllString(answer, "${1}N$2")
	if strings.HasPrefix(answer, "# pxname") {
		answer = normalCSV(answer)
	}
	if answer != "" && !strings.HasSuffix(answer, "\n") {
		answer += "\n\\ no line feed at the end\n"
	}
	return answer
}

var (
	moduleTyped    = regexp.MustCompile(`(?m)^\w\.\d+\.\d+\.\d+\.(h3|quic|qpack|pack)_.*\n`)
	moduleNumber   = regexp.MustCompile(`(?m)^(\w\.\d+\.\d+\.)\d+(\.(?:ssl|h1|h2)_)`)
	moduleJSON     = regexp.MustCompile(`,\{"objType":"\w+","proxyId":\d+,"id":\d+,"field":\{"pos":\d+,"name":"(?:h3|quic|qpack|pack)_[^{]*\{[^}]*\},"value":\{[^}]*\}\}`)
	modulePosition = regexp.MustCompile(`("pos":)\d+(,"name":"(?:ssl|h1|h2)_)`)
)

func normalCSV(answer string) string {
	body := strings.TrimSuffix(answer, "\n")
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "# ")))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		return answer
	}
	head := slices.Clone(lines[0])
	var b strings.Builder
	b.WriteString("# ")
	for n, line := range lines {
		for i, field := range line {
			if i >= len(head) || module(head[i]) {
				continue
			}
			if n > 0 && field != "" && (head[i] == "lastchg" || head[i] == "downtime") {
				field = "N"
			}
			b.WriteString(field + ",")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

func module(column string) bool {
	for _, p := range []string{"h3_", "quic_", "qpack_", "pack_"} {
		if strings.HasPrefix(column, p) {
			return true
		}
	}
	return false
}

// serve listens on the sockets of the cases' configuration.
func serve(t *testing.T, dir string) {
	cfg := testConfig(dir)
	table, err := Assemble(Commands())
	if err != nil {
		t.Fatal(err)
	}
	owner := &Process{Config: cfg, Servers: direct{}, Listeners: direct{}, Streams: direct{}}
	sockets := map[net.Listener]*runtime.Listener{}
	for _, sock := range cfg.Global.StatsSocks {
		l, err := net.Listen("unix", sock.Addr.Path)
		if err != nil {
			t.Fatal(err)
		}
		sockets[l] = sock
	}
	s := NewServer(owner, table, sockets)
	for l := range sockets {
		go s.Serve(l)
	}
	t.Cleanup(s.Close)
}

// testConfig is what the configuration of the cases says.
func testConfig(dir string) *runtime.Config {
	cfg := &runtime.Config{Vars: &sample.VarNames{}, Global: runtime.Global{NbThread: 1, MaxSock: 1000, Tune: runtime.Tune{BufSize: 16384}, MaxConn: 100, HardMaxConn: 100, Node: "here", Desc: "a test", StatsConns: 10, CLITimeout: 10 * time.Second}}
	cfg.Stats.Started = time.Now()
	cfg.Stats.Listeners.Store(4)
	for i, name := range []string{"admin", "operator", "user"} {
		level := runtime.LevelAdmin - runtime.Level(i)
		cfg.Global.StatsSocks = append(cfg.Global.StatsSocks, &runtime.Listener{ID: i + 1, Bind: &runtime.Bind{Level: level},
			Addr: runtime.Addr{Family: runtime.FamilyUnix, Path: filepath.Join(dir, name+".sock")}})
	}
	fe := &runtime.Proxy{ID: 2, Name: "fe", Caps: runtime.CapFront, Mode: runtime.ModeHTTP}
	fe.LiveMaxConn.Store(int64(cfg.Global.MaxConn))
	fe.Live.MakeCounters(1)
	fe.Listeners = []*runtime.Listener{{ID: 1, Proxy: fe, Bind: &runtime.Bind{}, Stats: make([]runtime.FrontCounters, 1),
		Addr: runtime.Addr{Family: runtime.FamilyUnix, Path: filepath.Join(dir, "fe.sock")}}}
	be := &runtime.Proxy{ID: 3, Name: "be", Caps: runtime.CapBack, Mode: runtime.ModeHTTP, FullConn: 10, Pinned: true,
		Balance: runtime.BalanceConfig{Algo: "roundrobin"}, Cookie: &runtime.CookieConfig{Name: "SRV"}}
	be.Live.MakeCounters(1)
	tcp1 := &runtime.Proxy{ID: 4, Name: "tcp1", Caps: runtime.CapBack, Mode: runtime.ModeTCP, FullConn: 1,
		Balance: runtime.BalanceConfig{Algo: "static-rr"}}
	tcp1.Live.MakeCounters(1)
	cfg.Proxies = []*runtime.Proxy{fe, be, tcp1}

	add := func(px *runtime.Proxy, id int, name string, port uint16, weight int) *runtime.Server {
		srv := &runtime.Server{ID: id, Name: name, Proxy: px, Weight: weight, Rise: 2, Fall: 3, PoolMax: -1,
			PoolPurge: 5 * time.Second}
		srv.MakeCounters(1)
		srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)})
		srv.UserWeight.Store(int32(weight))
		srv.State.Store(int32(runtime.ServerRunning))
		px.Servers = append(px.Servers, srv)
		return srv
	}
	s1 := add(be, 1, "s1", 1, 1)
	s1.CheckOn = true
	s1.State.Store(int32(runtime.ServerStopped))
	s1.LastCheck.Store(&runtime.CheckResult{Status: runtime.CheckL4Conn, Desc: "ECONNREFUSED returned by OS (Connection refused)"})
	s1.DownTrans.Inc()
	s1.Used.Show(1)
	s2 := add(be, 2, "s2", 2, 50)
	s2.Cookie, s2.MaxQueue = "c2", 5
	s2.MaxConn.Store(10)
	s3 := add(be, 7, "s3", 3, 1)
	s3.Backup, s3.Disabled, s3.ForcedID = true, true, true
	s3.State.Store(int32(runtime.ServerStopped))
	s3.AdminState.Store(uint32(runtime.ForcedMaint | runtime.ConfigMaint))
	s4 := add(be, 4, "s4", 4, 0)
	s4.Track = s1
	s4.State.Store(int32(runtime.ServerStopped))
	add(tcp1, 1, "t1", 5, 1)
	for _, px := range []*runtime.Proxy{be, tcp1} {
		balance.Build(px)
		for _, srv := range px.Servers {
			px.LB.Update(srv)
		}
	}
	return cfg
}

// direct makes changes at once, where the program would do all that follows from them.
type direct struct{}

// change puts a server in a state, those that track it too, and tells the balancer.
func change(srv *runtime.Server, state runtime.ServerState, clear, set runtime.Admin) {
	px := srv.Proxy
	px.Mu.Lock()
	defer px.Mu.Unlock()
	srv.AdminState.Store(srv.AdminState.Load()&^uint32(clear) | uint32(set))
	srv.State.Store(int32(state))
	px.LB.Update(srv)
	for _, other := range px.Servers {
		if other.Track != srv {
			continue
		}
		admin := uint32(0)
		if set&runtime.ForcedMaint != 0 {
			admin = uint32(runtime.InheritedMaint)
		}
		other.AdminState.Store(admin)
		other.State.Store(int32(state))
		px.LB.Update(other)
	}
}

func (direct) SetMaint(srv *runtime.Server) {
	change(srv, runtime.ServerStopped, runtime.ForcedDrain, runtime.ForcedMaint)
}

func (direct) SetDrain(srv *runtime.Server) {
	change(srv, runtime.ServerState(srv.State.Load()), runtime.ForcedMaint, runtime.ForcedDrain)
}

func (direct) SetReady(srv *runtime.Server) {
	if srv.CheckOn {
		srv.Health.Store(int32(srv.Rise))
	}
	change(srv, runtime.ServerRunning, runtime.ForcedMaint|runtime.ForcedDrain, 0)
}

func (direct) SetHealth(srv *runtime.Server, state runtime.ServerState, _ string) {
	srv.Health.Store(int32(srv.Rise + srv.Fall - 1))
	if state == runtime.ServerStopped {
		srv.Health.Store(0)
		srv.DownTrans.Inc()
	}
	change(srv, state, 0, 0)
}

func (direct) SetChecks(srv *runtime.Server, on bool)     { srv.HealthOff.Store(!on) }
func (direct) SetCheckPort(srv *runtime.Server, port int) { srv.CheckPort = port }

func (direct) SetWeight(srv *runtime.Server, weight int) {
	srv.UserWeight.Store(int32(weight))
	change(srv, runtime.ServerState(srv.State.Load()), 0, 0)
}

func (direct) SetAddr(srv *runtime.Server, addr netip.AddrPort, mapped bool) {
	srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: addr})
	srv.PortOffset = mapped
}

func (direct) SetMaxConn(srv *runtime.Server, limit int) { srv.MaxConn.Store(int32(limit)) }

func (direct) Pause(px *runtime.Proxy) bool {
	px.State.Store(int32(runtime.ProxyPaused))
	return true
}

func (direct) Resume(px *runtime.Proxy) bool {
	px.State.Store(int32(runtime.ProxyReady))
	return true
}

func (direct) Stop(px *runtime.Proxy)                       { px.State.Store(int32(runtime.ProxyStopped)) }
func (direct) SetFrontMaxConn(px *runtime.Proxy, limit int) { px.LiveMaxConn.Store(int64(limit)) }
func (direct) SetProcessMaxConn(int)                        {}
func (direct) SetRateLimit(string, int)                     {}
func (direct) Loops() int                                   { return 1 }
func (direct) List(int, uint64, int) []runtime.StreamInfo   { return nil }
func (direct) Kill(uint64) bool                             { return false }
func (direct) Activity(int) runtime.Activity                { return runtime.Activity{} }
func (direct) KillServer(*runtime.Server)                   {}
func (direct) Spin(time.Duration, bool)                     {}
func (direct) Profile(bool)                                 {}
func (direct) Efforts() []runtime.Effort                    { return nil }
func (direct) Descriptors() []runtime.Descriptor            { return nil }
func (direct) SetTLS(*runtime.Server, bool)                 {}
func (direct) JoinServer(*runtime.Server)                   {}
func (direct) LeaveServer(*runtime.Server)                  {}
func (direct) JoinProxy(*runtime.Proxy)                     {}
func (direct) LeaveProxy(*runtime.Proxy)                    {}

func (direct) Join(srv *runtime.Server, place func(*runtime.Server)) { place(srv) }
func (direct) Leave(srv *runtime.Server, take func(*runtime.Server)) { take(srv) }

func (direct) SetAgent(*runtime.Server, bool)               {}
func (direct) SetAgentHealth(*runtime.Server, bool, string) {}
