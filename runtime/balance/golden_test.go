package balance

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/message"
)

// The goldens were recorded from HAProxy 3.4.0 with one thread; see record_test.go.

// goldenServers are the servers of hash.txt and their weights.
var goldenWeights = []int{30, 10, 20, 50, 40}

const goldenKeys = 200

// goldenRequest is the i-th request of hash.txt: everything that any algorithm hashes.
type goldenRequest struct {
	Method, URI string
	Host, ID    string
	Src         netip.Addr
	Body        string
	RDP         string
}

func goldenRequestOf(i int) goldenRequest {
	r := goldenRequest{
		Method: "GET",
		URI:    fmt.Sprintf("/d%d/e%d/f%d/page-%d.html?id=u%d&x=%d", i%7, i%13, i%29, i*i, i*37%1000, i),
		Host:   fmt.Sprintf("h%d.site%d.example", i%3, i),
		ID:     strconv.Itoa(i * 7919),
		Src:    netip.AddrFrom4([4]byte{10, byte(i % 5), byte(i), byte(i * 31)}),
		RDP:    fmt.Sprintf("user%d", i*3),
	}
	if i%3 == 0 {
		r.Src = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:%x", i*97, i))
	}
	if i%5 == 0 {
		r.Method, r.Body = "POST", fmt.Sprintf("a=b&id=post%d&z=1", i)
		r.URI = fmt.Sprintf("/form/%d", i)
	}
	if i%11 == 0 {
		r.Host, r.ID = "x", ""
	}
	return r
}

func (r *goldenRequest) stream() *runtime.Stream {
	s := &runtime.Stream{Session: &runtime.Session{}}
	s.Req.Reset(make([]byte, 0, 4096), make([]message.Field, 0, 20))
	if err := s.Req.SetRequestLine(r.Method, r.URI, "HTTP/1.1"); err != nil {
		panic(err)
	}
	for _, f := range [][2]string{{"host", r.Host}, {"x-id", r.ID}} {
		if f[1] != "" {
			s.Req.AddString(f[0], f[1])
		}
	}
	s.Ctx.Req = &s.Req
	s.Ctx.Src = netip.AddrPortFrom(r.Src, 1234)
	s.Ctx.ReqBody.Data = []byte(r.Body)
	s.Ctx.ReqRaw.Data = []byte(rdpHead + "Cookie: mstshash=" + r.RDP + "\r\n")
	s.Ctx.Scratch = sample.NewScratch(0)
	s.Ctx.Owner = s
	return s
}

// rdpHead stands for the TPKT and X.224 headers of a connection request.
const rdpHead = "\x03\x00\x00\x2a\x25\xe0\x00\x00\x00\x00\x00"

// goldenBackend makes a backend of the given weights; a weight with a b is a backup server.
func goldenBackend(weights ...string) *runtime.Proxy {
	px := &runtime.Proxy{Name: "b", Caps: runtime.CapBack}
	px.Live.MakeCounters(1)
	for i, w := range weights {
		n := strings.TrimSuffix(w, "b")
		weight, err := strconv.Atoi(n)
		if err != nil {
			panic(err)
		}
		srv := &runtime.Server{ID: i + 1, Name: fmt.Sprintf("s%d", i+1), Proxy: px, Weight: weight, Backup: n != w, GUID: fmt.Sprintf("guid-%d", i+1)}
		srv.UserWeight.Store(int32(weight))
		srv.State.Store(int32(runtime.ServerRunning))
		srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(11 + i)}), 8999)})
		px.Servers = append(px.Servers, srv)
	}
	return px
}

// goldenExpr stands for the expressions of the recorded configurations.
var goldenExprs = map[string]*sample.Expr{
	"req.hdr(x-id)": {Fetch: &sample.Fetch{Doc: keyword.Doc{Name: "req.hdr"}, Out: sample.Str,
		Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
			v, ok := ctx.Req.Occurrence("x-id", -1)
			out.SetConst(v)
			return ok
		}}},
	"src": {Fetch: &sample.Fetch{Doc: keyword.Doc{Name: "src"}, Out: sample.Addr,
		Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
			return out.SetAddr(ctx.Src.Addr())
		}}},
}

func setAlgorithm(t testing.TB, px *runtime.Proxy, words string) {
	algo, params, err := parseAlgorithm(strings.Fields(words))
	if err != nil {
		t.Fatal(err)
	}
	if algo == Hash {
		params.Expr = goldenExprs[params.Text]
	}
	px.Balance.Algo, px.Balance.Args = algo, params
}

// hashTypeOf reads the words of a hash-type line.
func hashTypeOf(words string) HashType {
	f := append(strings.Fields(words), "", "", "")
	t := HashType{Consistent: f[0] == "consistent", Avalanche: f[2] == "avalanche"}
	switch f[1] {
	case "":
		t.Avalanche = t.Consistent
	case "djb2":
		t.Func = DJB2
	case "wt6":
		t.Func = WT6
	case "crc32":
		t.Func = CRC32
	case "none":
		t.Func = None
	}
	return t
}

var hashKeys = map[string]runtime.HashKey{"": runtime.HashKeyID, "id": runtime.HashKeyID, "id32": runtime.HashKeyID32,
	"guid": runtime.HashKeyGUID, "addr": runtime.HashKeyAddr, "addr-port": runtime.HashKeyAddrPort}

// TestHashGoldens: the same 200 requests choose the same server as the reference, for
// every algorithm, hash type and function.
func TestHashGoldens(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "hash.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if strings.HasPrefix(sc.Text(), "#") {
			continue
		}
		col := strings.Split(sc.Text(), "|")
		algo, kind, key, want := col[0], col[1], col[2], col[3]
		cases++
		weights := make([]string, len(goldenWeights))
		for i, w := range goldenWeights {
			weights[i] = strconv.Itoa(w)
		}
		px := goldenBackend(weights...)
		for _, srv := range px.Servers {
			srv.HashKey = hashKeys[key]
		}
		setAlgorithm(t, px, algo)
		px.Balance.HashType = hashTypeOf(kind)
		Build(px)
		var got strings.Builder
		for i := range goldenKeys {
			r := goldenRequestOf(i)
			s := r.stream()
			got.WriteString(strings.TrimPrefix(px.LB.Pick(s, nil).Name, "s"))
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("balance %s, hash-type %s, hash-key %s:\n%s", algo, kind, key, diff)
		}
	}
	if cases == 0 {
		t.Fatal("no cases")
	}
}

// scenario is one script of sequences.txt: a configuration, then steps with what the
// reference did.
type scenario struct {
	name    string
	balance string
	lines   []string // further lines of the backend
	servers []string // weight and options of each server
	steps   []string
	want    []string
}

func readScenarios(t testing.TB) []scenario {
	data, err := os.ReadFile(filepath.Join("testdata", "sequences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []scenario
	for _, line := range strings.Split(string(data), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "case":
			all = append(all, scenario{name: rest})
		case "balance":
			all[len(all)-1].balance = rest
		case "backend":
			all[len(all)-1].lines = append(all[len(all)-1].lines, rest)
		case "server":
			all[len(all)-1].servers = append(all[len(all)-1].servers, rest)
		default:
			step, want, _ := strings.Cut(line, " = ")
			s := &all[len(all)-1]
			s.steps, s.want = append(s.steps, step), append(s.want, want)
		}
	}
	return all
}

// TestSequences: choices one after the other, with weights and states that change in between.
func TestSequences(t *testing.T) {
	for _, sc := range readScenarios(t) {
		t.Run(sc.name, func(t *testing.T) {
			px := sc.backend(t)
			var held []*runtime.Server
			request := 0
			for i, step := range sc.steps {
				f := strings.Fields(step)
				got := ""
				switch f[0] {
				case "pick", "hold":
					n, _ := strconv.Atoi(f[1])
					for range n {
						r := goldenRequestOf(request)
						request++
						s := r.stream()
						px.Live.BackConns.Enter(&px.Live.Back[0].Active)
						srv := px.LB.Pick(s, nil)
						if lc, ok := px.LB.(*leastConn); ok {
							srv = lc.chance(srv, sc.want[i][len(got):])
						}
						if srv == nil {
							px.Live.BackConns.Leave(&px.Live.Back[0].Active)
							got += "-"
							continue
						}
						got += strings.TrimPrefix(srv.Name, "s")
						srv.Served.Inc()
						px.Live.Served.Inc()
						px.LB.Taken(srv)
						if f[0] == "hold" {
							held = append(held, srv)
							continue
						}
						release(px, srv)
					}
				case "free":
					for _, srv := range held {
						release(px, srv)
					}
					held = nil
				case "weight":
					srv := server(px, f[1])
					w, _ := strconv.Atoi(f[2])
					srv.UserWeight.Store(int32(w))
					px.LB.Update(srv)
				case "state":
					srv := server(px, f[1])
					admin := map[string]runtime.Admin{"ready": 0, "drain": runtime.ForcedDrain, "maint": runtime.ForcedMaint}[f[2]]
					srv.AdminState.Store(uint32(admin))
					state := runtime.ServerRunning
					if f[2] == "maint" {
						state = runtime.ServerStopped
					}
					srv.State.Store(int32(state))
					px.LB.Update(srv)
				default:
					t.Fatalf("unknown step %q", step)
				}
				if want := sc.want[i]; want != got {
					t.Errorf("step %d %q:\ngot  %s\nwant %s", i, step, got, want)
				}
			}
		})
	}
}

// chance takes the server that the reference chose when its load is the same as that of
// srv: among equals it draws one.
func (b *leastConn) chance(srv *runtime.Server, want string) *runtime.Server {
	if srv == nil || want[0] == '-' {
		return srv
	}
	other := server(b.px, "s"+want[:1])
	if queueable(other) && loadKey(other, uint32(other.Effective.Load())) == loadKey(srv, uint32(srv.Effective.Load())) {
		return other
	}
	return srv
}

func release(px *runtime.Proxy, srv *runtime.Server) {
	srv.Served.Dec()
	px.Live.Served.Dec()
	px.Live.BackConns.Leave(&px.Live.Back[0].Active)
	px.LB.Released(srv)
}

func server(px *runtime.Proxy, name string) *runtime.Server {
	for _, srv := range px.Servers {
		if srv.Name == name {
			return srv
		}
	}
	panic("no server " + name)
}

func (sc *scenario) backend(t testing.TB) *runtime.Proxy {
	weights := make([]string, len(sc.servers))
	for i, line := range sc.servers {
		f := strings.Fields(line)
		weights[i] = f[0]
		if strings.Contains(line, "backup") {
			weights[i] += "b"
		}
	}
	px := goldenBackend(weights...)
	for i, line := range sc.servers {
		f := strings.Fields(line)
		for j := 1; j+1 < len(f); j++ {
			n, _ := strconv.Atoi(f[j+1])
			switch f[j] {
			case "maxconn":
				px.Servers[i].MaxConn.Store(int32(n))
				px.Servers[i].MinConn = n
			case "id":
				px.Servers[i].ID = n
			}
		}
	}
	setAlgorithm(t, px, sc.balance)
	for _, line := range sc.lines {
		switch f := strings.Fields(line); f[0] {
		case "hash-type":
			px.Balance.HashType = hashTypeOf(strings.Join(f[1:], " "))
		case "hash-balance-factor":
			px.Balance.Factor, _ = strconv.Atoi(f[1])
		case "hash-preserve-affinity":
			px.Balance.Affinity = map[string]runtime.HashAffinity{"always": runtime.AffinityAlways,
				"maxconn": runtime.AffinityMaxConn, "maxqueue": runtime.AffinityMaxQueue}[f[1]]
		case "option":
			px.Options |= runtime.OptAllBackups
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	Build(px)
	return px
}

func TestPickAllocatesNothing(t *testing.T) {
	for _, algo := range []string{"roundrobin", "static-rr", "leastconn", "first", "random(2)", "source", "uri depth 2", "url_param id",
		"hdr(host) use_domain_only", "hash req.hdr(x-id)", "sticky"} {
		for _, kind := range []string{"map-based", "consistent"} {
			px := goldenBackend("3", "1", "2")
			setAlgorithm(t, px, algo)
			px.Balance.HashType = hashTypeOf(kind)
			Build(px)
			r := goldenRequestOf(1)
			s := r.stream()
			if n := testing.AllocsPerRun(100, func() {
				srv := px.LB.Pick(s, nil)
				srv.Served.Inc()
				px.LB.Taken(srv)
				srv.Served.Dec()
				px.LB.Released(srv)
			}); n != 0 {
				t.Errorf("%s %s: %v allocations", algo, kind, n)
			}
		}
	}
}

// TestMovedServer: a server that is placed by its address moves on the ring with it.
func TestMovedServer(t *testing.T) {
	px := goldenBackend("10", "10")
	for _, srv := range px.Servers {
		srv.HashKey = runtime.HashKeyAddr
	}
	setAlgorithm(t, px, "uri")
	px.Balance.HashType = hashTypeOf("consistent")
	Build(px)
	before := px.LB.(*hashRing).circle.Load()
	px.LB.Update(px.Servers[0])
	if px.LB.(*hashRing).circle.Load() != before {
		t.Error("the ring was made again for nothing")
	}
	px.Servers[0].Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.MustParseAddrPort("10.9.8.7:80")})
	px.LB.Update(px.Servers[0])
	if px.LB.(*hashRing).circle.Load() == before {
		t.Error("the server did not move")
	}
}

// TestConcurrentUse: choices while servers come, go and change their weight.
func TestConcurrentUse(t *testing.T) {
	for _, algo := range []string{"roundrobin", "static-rr", "leastconn", "first", "random", "uri", "url_param none", "sticky"} {
		for _, kind := range []string{"map-based", "consistent"} {
			px := goldenBackend("3", "1", "2", "5b")
			px.Balance.Factor = 150
			setAlgorithm(t, px, algo)
			px.Balance.HashType = hashTypeOf(kind)
			Build(px)
			var wg sync.WaitGroup
			for g := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := range 200 {
						r := goldenRequestOf(i)
						if srv := px.LB.Pick(r.stream(), px.Servers[g%4]); srv != nil {
							srv.Served.Inc()
							px.LB.Taken(srv)
							px.LB.Takes(srv)
							srv.Served.Dec()
							px.LB.Released(srv)
						}
					}
				}()
			}
			for i := range 200 {
				srv := px.Servers[i%4]
				px.Mu.Lock()
				srv.UserWeight.Store(int32(i % 7))
				srv.AdminState.Store(uint32(i/4%2) * uint32(runtime.ForcedMaint))
				px.LB.Update(srv)
				px.Mu.Unlock()
			}
			wg.Wait()
			if px.Servers[0].Served.Load() != 0 {
				t.Error("streams are left")
			}
		}
	}
}

// FuzzKeys: whatever a request holds, a key is found in it or not, the same each time.
func FuzzKeys(f *testing.F) {
	f.Add("/a/b?id=1&x=2", "www.example.com", "id=post&y", "\x03\x00\x00\x2aCookie: mstshash=a\r\n")
	f.Add("?", ".", "=", rdpHead+"Cookie: mstshash=u\r\n")
	f.Add("", "..com", "id=\xff", "")
	f.Fuzz(func(t *testing.T, uri, host, body, raw string) {
		if len(uri)+len(host) > 2000 || strings.ContainsAny(uri+host, "\x00\r\n") {
			return
		}
		r := goldenRequest{Method: "POST", URI: uri, Host: host, Body: body, Src: netip.IPv6Unspecified()}
		s := r.stream()
		s.Ctx.ReqRaw.Data = []byte(raw)
		for _, algo := range []string{"uri len 3 depth 1", "uri path-only whole", "url_param id check_post", "hdr(host) use_domain_only", "rdp-cookie"} {
			name, params, err := parseAlgorithm(strings.Fields(algo))
			if err != nil {
				t.Fatal(err)
			}
			for fn := SDBM; fn <= None; fn++ {
				kind := HashType{Func: fn, Avalanche: true}
				key := keyOf(name, params, fn)
				h1, ok1 := key(s, &kind, false)
				h2, ok2 := key(s, &kind, false)
				if h1 != h2 || ok1 != ok2 {
					t.Errorf("%s: %d %v, then %d %v", algo, h1, ok1, h2, ok2)
				}
			}
		}
	})
}

func BenchmarkPick(b *testing.B) {
	for _, algo := range []string{"roundrobin", "leastconn", "random(2)", "uri"} {
		b.Run(algo, func(b *testing.B) {
			px := goldenBackend("3", "1", "2", "5", "4")
			setAlgorithm(b, px, algo)
			px.Balance.HashType = HashType{Consistent: true, Avalanche: true}
			Build(px)
			r := goldenRequestOf(1)
			s := r.stream()
			b.ReportAllocs()
			for b.Loop() {
				px.LB.Pick(s, nil)
			}
		})
	}
}
