package stats

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hapax/runtime"
	"hapax/stats/counter"
)

func testConfig() *runtime.Config {
	cfg := &runtime.Config{Global: runtime.Global{NbThread: 2, MaxConn: 100, Node: "here"}}
	cfg.Stats.Started = time.Now().Add(-90 * time.Minute)
	px := &runtime.Proxy{ID: 2, Name: "web", Caps: runtime.CapListen, Mode: runtime.ModeHTTP, Desc: `<b>"quotes" & tags</b>`,
		Stats: &runtime.StatsPage{URI: "/stats", Refresh: 7 * time.Second, ShowLegends: true, ShowModules: true, ShowNode: true, ShowDesc: true, Desc: "<i>d</i>"}}
	px.LiveMaxConn.Store(100)
	px.Live.MakeCounters(2)
	for i := range px.Live.Front {
		px.Live.Front[i].Sess.Add(1000)
		px.Live.Front[i].H1Sess.Add(600)
		px.Live.Front[i].H1Req.Add(1234567)
		px.Live.Back[i].Times.Show(&counter.Sample{counter.QueueTime: 10})
	}
	px.Live.Back[1].Times.Show(&counter.Sample{counter.QueueTime: 40})
	srv := &runtime.Server{ID: 1, Name: "a", Proxy: px, Weight: 1, Rise: 2, Fall: 3, PoolMax: -1, CheckOn: true, Cookie: "c,'\"<"}
	srv.MakeCounters(2)
	srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.MustParseAddrPort("127.0.0.1:80")})
	srv.LastCheck.Store(&runtime.CheckResult{Status: runtime.CheckL7Status, Code: 500, Duration: 3 * time.Millisecond, Desc: "it said \"no\",\n<script>alert(1)</script>"})
	srv.State.Store(int32(runtime.ServerRunning))
	srv.Health.Store(3)
	srv.UserWeight.Store(1)
	px.Servers = []*runtime.Server{srv}
	other := &runtime.Proxy{ID: 3, Name: "other", Caps: runtime.CapBack}
	other.Live.MakeCounters(2)
	cfg.Proxies = []*runtime.Proxy{px, other}
	return cfg
}

// The order of columns is what tools rely on.
func TestColumns(t *testing.T) {
	if len(allColumns) != 212 || fixed != 118 {
		t.Errorf("%d columns, %d of them fixed; want 212 and 118", len(allColumns), fixed)
	}
	seen := map[string]bool{}
	for _, c := range allColumns {
		if seen[c.Name] || c.Name == "" || c.Desc == "" || c.On == 0 || c.Get == nil && c.Front == nil && c.Back == nil {
			t.Errorf("column %q: twice or incomplete", c.Name)
		}
		seen[c.Name] = true
	}
}

func TestValues(t *testing.T) {
	cfg := testConfig()
	scan := Scan{Config: cfg, Legends: true}
	got := map[string]string{}
	var r Row
	for scan.Next(&r) {
		for _, name := range []string{"svname", "stot", "sess_other", "req_tot", "qtime", "status", "check_status", "check_code", "check_duration", "cookie", "lastsess", "slim"} {
			f := byName[name].Value(&r)
			got[r.Proxy.Name+"/"+colSvname(&r).Str+"."+name] = string(f.append(nil))
		}
	}
	for key, want := range map[string]string{
		"web/FRONTEND.stot": "2000", "web/FRONTEND.sess_other": "800", "web/FRONTEND.req_tot": "2469134", "web/FRONTEND.slim": "100",
		"web/BACKEND.qtime": "20", "web/a.status": "UP 2/3", "web/a.check_status": "L7STS", "web/a.check_code": "500", "web/a.check_duration": "3",
		"web/a.lastsess": "-1", "web/a.cookie": "c,'\"<", "web/a.slim": "", "other/BACKEND.req_tot": "",
	} {
		if got[key] != want {
			t.Errorf("%s = %q, want %q", key, got[key], want)
		}
	}
}

func TestServerStatus(t *testing.T) {
	px := &runtime.Proxy{Name: "b"}
	tests := []struct {
		state  runtime.ServerState
		admin  runtime.Admin
		health int32
		checks bool
		want   string
	}{
		{runtime.ServerRunning, 0, 0, false, "no check"},
		{runtime.ServerRunning, 0, 4, true, "UP"},
		{runtime.ServerRunning, 0, 2, true, "UP 1/3"},
		{runtime.ServerRunning, 0, 0, true, "UP -1/3"},
		{runtime.ServerStarting, 0, 4, true, "UP"},
		{runtime.ServerStopped, 0, 0, true, "DOWN"},
		{runtime.ServerStopped, 0, 1, true, "DOWN 1/2"},
		{runtime.ServerStopped, 0, 0, false, "DOWN"},
		{runtime.ServerStopping, 0, 4, true, "NOLB"},
		{runtime.ServerStopping, 0, 3, true, "NOLB 2/3"},
		{runtime.ServerRunning, runtime.ForcedDrain, 4, true, "DRAIN"},
		{runtime.ServerRunning, runtime.ForcedDrain, 3, true, "DRAIN 2/3"},
		{runtime.ServerRunning, runtime.ForcedDrain, 0, false, "DRAIN"},
		{runtime.ServerStopped, runtime.ForcedMaint, 4, true, "MAINT"},
		{runtime.ServerStopped, runtime.ResolverMaint, 0, true, "MAINT (resolution)"},
		{runtime.ServerRunning, runtime.ConfigMaint, 4, true, "UP"},
	}
	for _, tt := range tests {
		srv := &runtime.Server{Name: "s", Proxy: px, Rise: 2, Fall: 3, CheckOn: tt.checks}
		srv.State.Store(int32(tt.state))
		srv.AdminState.Store(uint32(tt.admin))
		srv.Health.Store(tt.health)
		if got := ServerStatus(srv); got != tt.want {
			t.Errorf("state %d, admin %#x, health %d: %q, want %q", tt.state, tt.admin, tt.health, got, tt.want)
		}
	}
	ref := &runtime.Server{Name: "ref", Proxy: px, Rise: 2, Fall: 3, CheckOn: true}
	srv := &runtime.Server{Name: "s", Proxy: px, Rise: 2, Fall: 3, Track: ref}
	srv.AdminState.Store(uint32(runtime.InheritedMaint))
	if got, want := ServerStatus(srv), "MAINT (via b/ref)"; got != want {
		t.Errorf("tracking: %q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	cfg := testConfig()
	d := Dump{Scan: Scan{Config: cfg, Legends: true}, Style: JSON}
	var b []byte
	for done := false; !done; {
		b, done = d.Next(b)
	}
	var rows [][]struct {
		Field struct{ Name string }
		Value struct{ Value any }
	}
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Errorf("%d rows, want 4", len(rows))
	}
	if err := json.Unmarshal((&Info{Config: cfg, Style: JSON, Float: true}).Append(nil), new(any)); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal([]byte(Schema), new(any)); err != nil {
		t.Error(err)
	}
}

func TestCSVQuotes(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "a,b": `"a,b"`, "x\r\ny  ": `"x y"`, `say "no"`: `"say ""no"""`, "end  ": "end"} {
		f := text(output, in)
		if got := string(f.appendCSV(nil)); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	cfg := testConfig()
	page := Page(cfg, nil)
	serve := func(px *runtime.Proxy, uri []byte) runtime.StatsAnswer {
		return page(runtime.StatsRequest{Proxy: px, URI: uri, Admin: px.Stats.Admin != nil})
	}
	px := cfg.Proxies[0]
	tests := []struct {
		uri, kind string
		refresh   int
		has, not  string
	}{
		{"/stats", "text/html", 7, "href=\"/stats;up\">Hide 'DOWN'", "<script>alert"},
		{"/stats", "text/html", 7, "L7STS/500 in 3ms", "<i>d</i>"},
		{"/stats", "text/html", 7, "HAProxy version " + runtime.Version + ", released 2026/06/03", `<b>"quotes`},
		{"/stats;norefresh;up", "text/html", 0, "Show all servers", "Disable refresh"},
		{"/stats;norefresh?scope=oth", "text/html", 0, "scope=oth\">Refresh now", "web/Frontend"},
		{"/stats?scope=%22%3E", "text/html", 7, "web/Frontend", "%22"},
		{"/stats;csv", "text/plain", 7, "\nweb,FRONTEND,", "<tr"},
		{"/stats;csv;norefresh?scope=OTHER", "text/plain", 0, "\nother,BACKEND,", "web,"},
		{"/stats;typed", "text/plain", 7, "F.2.0.0.pxname.1:KNSV:str:web\n", ""},
		{"/stats;json", "application/json", 7, `"value":"web"`, ""},
		{"/stats;json-schema", "application/json", 7, `"title":"InfoItem"`, ""},
		{"/stats;st=DENY", "text/html", 7, "Action denied.", ""},
	}
	for _, tt := range tests {
		a := serve(px, []byte(tt.uri))
		if a.Status != 200 || a.Type != tt.kind || a.Refresh != tt.refresh {
			t.Errorf("%s: %d %s refresh %d", tt.uri, a.Status, a.Type, a.Refresh)
		}
		body := whole(a.Parts)
		if !bytes.Contains(body, []byte(tt.has)) {
			t.Errorf("%s: no %q", tt.uri, tt.has)
		}
		if tt.not != "" && bytes.Contains(body, []byte(tt.not)) {
			t.Errorf("%s: has %q", tt.uri, tt.not)
		}
		if tt.kind == "text/html" {
			wellFormed(t, tt.uri, body)
		}
	}
	px.Stats.Scope = []string{"."}
	if csv := whole(serve(px, []byte("/stats;csv")).Parts); bytes.Contains(csv, []byte("\nother,")) || !bytes.Contains(csv, []byte("\nweb,")) {
		t.Error("the scope \".\" must show the page's own proxy alone")
	}
	px.Stats.HideVersion = true
	if page := whole(serve(px, []byte("/stats")).Parts); bytes.Contains(page, []byte(runtime.Version)) {
		t.Error("hide-version shows the version")
	}
	if file := os.Getenv("HAPAX_PAGE"); file != "" {
		os.WriteFile(file, whole(serve(px, []byte("/stats")).Parts), 0o644)
	}
}

// whole is an answer that is made piece by piece.
func whole(parts runtime.Parts) []byte {
	var all []byte
	for last := false; !last; {
		all, last = parts(all)
	}
	return all
}

var scripts = regexp.MustCompile(`(?s)<script>.*</script>`)

// wellFormed checks that all elements are closed in order, and that every row of a table is as wide as its head.
func wellFormed(t *testing.T, uri string, page []byte) {
	t.Helper()
	if !strings.HasPrefix(string(page), "<!DOCTYPE html>") {
		t.Errorf("%s: no document type", uri)
	}
	page = scripts.ReplaceAll(page, nil) // a script is no XML
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(page, []byte("<!DOCTYPE html>"))))
	d.AutoClose, d.Entity, d.Strict = []string{"meta", "link", "br", "hr", "input"}, xml.HTMLEntity, false
	tables, width := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch {
			case e.Name.Local == "table":
				tables++
			case e.Name.Local == "tr" && tables == 1:
				width = 0
			case e.Name.Local == "td" && tables == 1:
				width += span(e)
			}
		case xml.EndElement:
			switch {
			case e.Name.Local == "table":
				tables--
			case e.Name.Local == "tr" && tables == 1 && width > 4 && width != 1+len(heads)+len(modules):
				t.Errorf("%s: a row of %d columns", uri, width)
			}
		}
	}
}

// span is how many columns a cell takes.
func span(e xml.StartElement) int {
	for _, a := range e.Attr {
		if n, err := strconv.Atoi(a.Value); err == nil && a.Name.Local == "colspan" {
			return n
		}
	}
	return 1
}

// bigConfig has a backend of n servers, as many of them checked as not.
func bigConfig(n int) *runtime.Config {
	cfg := testConfig()
	px := cfg.Proxies[0]
	px.Stats.ShowLegends, px.Stats.ShowModules = false, false
	for i := range n {
		srv := &runtime.Server{ID: 2 + i, Name: "s" + strconv.Itoa(i), Proxy: px, Weight: 1, Rise: 2, Fall: 3, CheckOn: i%2 == 0, Stats: make([]runtime.BackCounters, 2)}
		srv.State.Store(int32(runtime.ServerRunning))
		srv.Health.Store(4)
		px.Servers = append(px.Servers, srv)
	}
	return cfg
}

// TestPageAllocs makes pages of many and of more servers: what lies between them allocates nothing.
func TestPageAllocs(t *testing.T) {
	allocs := func(n int) float64 {
		cfg := bigConfig(n)
		page, b := Page(cfg, nil), make([]byte, 0, 1<<20)
		return testing.AllocsPerRun(5, func() {
			parts := page(runtime.StatsRequest{Proxy: cfg.Proxies[0], URI: []byte("/stats"), Admin: true}).Parts
			for last := false; !last; {
				_, last = parts(b[:0])
			}
		})
	}
	if few, many := allocs(10), allocs(110); many != few {
		t.Errorf("%.0f allocations for 10 servers, %.0f for 110", few, many)
	}
}

func BenchmarkPage(b *testing.B) {
	cfg := bigConfig(10000)
	page, part := Page(cfg, nil), make([]byte, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		parts := page(runtime.StatsRequest{Proxy: cfg.Proxies[0], URI: []byte("/stats"), Admin: true}).Parts
		for last := false; !last; {
			_, last = parts(part[:0])
		}
	}
}
