package config

import (
	"net/netip"
	"strings"
	"testing"

	"hapax/parser/diag"
	"hapax/runtime"
)

const stateExample = "3 b 1 s1 127.0.0.1 2 0 5 10 100 6 3 4 6 0 0 0 - 80 - 0 0 - - 0\n"

// stateLoader gives a Loader with a backend of two servers, and what it prints.
func stateLoader() (*Loader, *runtime.Proxy, *strings.Builder) {
	text := &strings.Builder{}
	l := &Loader{Config: &runtime.Config{}, List: &diag.List{Out: &diag.Writer{W: text, PID: 1, Version: "3.4.0", ExecPath: "haproxy", Verbose: true}}}
	px := &runtime.Proxy{Name: "b", Kind: "backend", ID: 3, Caps: runtime.CapBack}
	for _, name := range []string{"s1", "s2"} {
		srv := &runtime.Server{Name: name, Proxy: px, Rise: 2, Fall: 3, Weight: 10, CheckOn: true}
		srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.MustParseAddrPort("127.0.0.1:80")})
		srv.State.Store(int32(runtime.ServerRunning))
		srv.UserWeight.Store(10)
		srv.Health.Store(4)
		px.Servers = append(px.Servers, srv)
	}
	l.Config.Proxies = []*runtime.Proxy{px}
	return l, px, text
}

func exampleFile() *stateFile {
	return &stateFile{path: "st", about: "config:", kind: "global server state file",
		check: func(line []string) (string, bool) { return line[stateBackend] + " " + line[stateServer], true }}
}

func TestParseStates(t *testing.T) {
	for _, test := range []struct {
		name, file, said string
		lines            int
	}{
		{"empty", "", "Empty global server state file 'st'.", 0},
		{"version", "2\n", "Can't get version of the global server state file 'st'.", 0},
		{"cut version", "1", "Can't get version of the global server state file 'st'.", 0},
		{"comments", "1\n# be_id\n\n \n" + stateExample, "", 1},
		{"twice", "1\n" + stateExample + stateExample, "", 1},
		{"cut", "1\n" + strings.TrimSpace(stateExample), "corrupted global server state file 'st' at line 1.", 0},
		{"few fields", "1\n# x\n3 b 1 s1\n", "corrupted global server state file 'st' at line 2.", 0},
		{"long", "1\n3 " + strings.Repeat("x", stateLine) + "\n", "corrupted global server state file 'st' at line 1.", 0},
	} {
		l, _, text := stateLoader()
		table := l.parseStates(exampleFile(), strings.NewReader(test.file))
		lines := 0
		if table != nil {
			lines = len(table.order)
		}
		if lines != test.lines || !strings.Contains(text.String(), test.said) || test.said == "" && text.Len() > 0 {
			t.Errorf("%s: %d lines, printed %q; want %d, %q", test.name, lines, text.String(), test.lines, test.said)
		}
	}
}

func TestRestore(t *testing.T) {
	fields := func(change map[int]string) []string {
		line := make([]string, stateFields)
		copy(line, strings.Fields(stateExample))
		for field, text := range change {
			line[field] = text
		}
		return line
	}
	for _, test := range []struct {
		name   string
		change map[int]string
		state  runtime.ServerState
		admin  runtime.Admin
		health int32
		weight int32
		port   uint16
		said   string
	}{
		{"as it was", nil, runtime.ServerRunning, 0, 4, 5, 80, ""},
		{"down", map[int]string{stateOp: "0"}, runtime.ServerStopped, 0, 0, 5, 80,
			"Server b/s1 is DOWN, changed from server-state after a reload. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."},
		{"stopping", map[int]string{stateOp: "3"}, runtime.ServerStopping, 0, 2, 5, 80, "Server b/s1 is stopping, changed from server-state after a reload. 1 active and 0 backup servers online."},
		{"maintenance", map[int]string{stateAdmin: "1"}, runtime.ServerStopped, runtime.ForcedMaint, 0, 5, 80, ""},
		{"drain", map[int]string{stateAdmin: "8"}, runtime.ServerRunning, runtime.ForcedDrain, 4, 5, 80, ""},
		{"drain of a weight that is no more", map[int]string{stateAdmin: "8", stateWeight: "0"}, runtime.ServerRunning, 0, 4, 10, 80, ""},
		{"other weight", map[int]string{stateWeight: "7"}, runtime.ServerRunning, 0, 4, 10, 80, ""},
		{"port", map[int]string{statePort: "81"}, runtime.ServerRunning, 0, 4, 5, 81, ""},
		{"check port", map[int]string{stateCheckPort: "99999"}, runtime.ServerRunning, 0, 4, 5, 80, "server-state partially applied for server 'b/s1', provided port is invalid"},
		{"started slowly long ago", map[int]string{stateOp: "1", stateHealth: "1"}, runtime.ServerRunning, 0, 1, 5, 80, ""},
		{"the same in drain", map[int]string{stateOp: "1", stateHealth: "1", stateAdmin: "8"}, runtime.ServerRunning, runtime.ForcedDrain, 1, 5, 80,
			"Server b/s1 is UP. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."},
		{"text for a port", map[int]string{statePort: "-1"}, runtime.ServerRunning, 0, 4, 5, 0, ""},
		{"agent", map[int]string{stateAgentPort: "9"}, runtime.ServerRunning, 0, 4, 5, 80, "server-state partially applied for server 'b/s1', agent checks are not enabled on this server"},
		{"faults", map[int]string{stateOp: "9", stateUserWeight: "300", statePort: "70000"}, runtime.ServerRunning, 0, 4, 10, 80,
			"server-state application failed for server 'b/s1', invalid srv_op_state value '9', invalid srv_uweight value '300', invalid srv_port value '70000'"},
	} {
		l, px, text := stateLoader()
		srv := px.Servers[0]
		l.restore(srv, fields(test.change))
		if got := runtime.ServerState(srv.State.Load()); got != test.state {
			t.Errorf("%s: state %d, want %d", test.name, got, test.state)
		}
		if got := runtime.Admin(srv.AdminState.Load()); got != test.admin {
			t.Errorf("%s: admin state %#x, want %#x", test.name, got, test.admin)
		}
		if srv.Health.Load() != test.health || srv.UserWeight.Load() != test.weight || srv.Addr.Load().IP.Port() != test.port {
			t.Errorf("%s: health %d, weight %d, port %d; want %d, %d, %d", test.name, srv.Health.Load(), srv.UserWeight.Load(), srv.Addr.Load().IP.Port(), test.health, test.weight, test.port)
		}
		if !strings.Contains(text.String(), test.said) || test.said == "" && text.Len() > 0 {
			t.Errorf("%s: printed %q, want %q", test.name, text.String(), test.said)
		}
	}
}

// "disabled" stands in the configuration, and the server was made ready since.
func TestRestoreReady(t *testing.T) {
	l, px, text := stateLoader()
	srv := px.Servers[0]
	srv.State.Store(int32(runtime.ServerStopped))
	srv.AdminState.Store(uint32(runtime.ForcedMaint | runtime.ConfigMaint))
	line := make([]string, stateFields)
	copy(line, strings.Fields(stateExample))
	line[stateAdmin] = "4"
	l.restore(srv, line)
	if want := "Server b/s1 is UP/READY (leaving forced maintenance).\n"; !strings.HasSuffix(text.String(), want) {
		t.Errorf("printed %q", text.String())
	}
	if srv.State.Load() != int32(runtime.ServerRunning) || srv.AdminState.Load() != uint32(runtime.ConfigMaint) || srv.Health.Load() != 2 {
		t.Errorf("state %d, admin state %#x, health %d", srv.State.Load(), srv.AdminState.Load(), srv.Health.Load())
	}
	if last := srv.LastCheck.Load(); last.Result() != runtime.OutcomePassed {
		t.Errorf("result %d", last.Result())
	}
}

func FuzzStates(f *testing.F) {
	f.Add("1\n" + stateExample)
	f.Add("1\n# be_id be_name\n3 b 1 s1 - 3 65 256 1 -5 20 4 99 31 8 1 1 host.example 0 _srv 1 80 ::1 - 0\n")
	f.Add("1\n3 b 2 s2 ::1 x y 0 0 0 0 0 0 0 0 0 0 / 70000 -\n")
	f.Fuzz(func(t *testing.T, file string) {
		l, px, _ := stateLoader()
		l.restoreAll(px, l.parseStates(exampleFile(), strings.NewReader(file)))
		for _, srv := range px.Servers {
			if health := srv.Health.Load(); health < 0 || int(health) >= srv.Rise+srv.Fall {
				t.Errorf("server %s has health %d", srv.Name, health)
			}
		}
	})
}
