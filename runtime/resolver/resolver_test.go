package resolver

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"hapax/parser/ast"
	"hapax/runtime"
)

// zone is a name server of a test: what it answers can be changed at any time.
type zone struct {
	t    *testing.T
	conn net.PacketConn
	mu   sync.Mutex
	data map[string][]string // "name kind" -> addresses, or "priority weight port target"; nil: NXDOMAIN
	code map[string]dnsmessage.RCode
	// asked counts questions by "name kind".
	asked map[string]int
}

func newZone(t *testing.T) *zone {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{t: t, conn: conn, data: map[string][]string{}, code: map[string]dnsmessage.RCode{}, asked: map[string]int{}}
	t.Cleanup(func() { conn.Close() })
	go z.serve()
	return z
}

func (z *zone) set(question string, answers ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.code, question)
	z.data[question] = answers
}

func (z *zone) refuse(question string, code dnsmessage.RCode) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.data, question)
	z.code[question] = code
}

func (z *zone) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := z.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var p dnsmessage.Parser
		h, err := p.Start(buf[:n])
		if err != nil {
			z.t.Error(err)
			return
		}
		q, err := p.Question()
		if err != nil {
			z.t.Error(err)
			return
		}
		out, err := z.answer(h, q)
		if err != nil {
			z.t.Error(err)
			return
		}
		z.conn.WriteTo(out, from)
	}
}

func (z *zone) answer(h dnsmessage.Header, q dnsmessage.Question) ([]byte, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name := strings.TrimSuffix(q.Name.String(), ".")
	key := name + " " + strings.TrimPrefix(q.Type.String(), "Type")
	z.asked[key]++
	records, known := z.data[key]
	code := z.code[key]
	if !known && code == 0 {
		code = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: h.ID, Response: true, RCode: code})
	b.EnableCompression()
	b.StartQuestions()
	b.Question(q)
	b.StartAnswers()
	rh := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
	for _, r := range records {
		switch q.Type {
		case dnsmessage.TypeA:
			b.AResource(rh, dnsmessage.AResource{A: netip.MustParseAddr(r).As4()})
		case dnsmessage.TypeAAAA:
			b.AAAAResource(rh, dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(r).As16()})
		case dnsmessage.TypeSRV:
			var v dnsmessage.SRVResource
			var target string
			fmt.Sscanf(r, "%d %d %d %s", &v.Priority, &v.Weight, &v.Port, &target)
			v.Target = dnsmessage.MustNewName(target + ".")
			b.SRVResource(rh, v)
		}
	}
	return b.Finish()
}

// recorder notes what servers become, as runtime/check would do it.
type recorder struct {
	news chan string
}

func (c *recorder) Resolved(srv *runtime.Server, to runtime.Resolved, by string) {
	a := *srv.Addr.Load()
	port := a.IP.Port()
	if to.Port != 0 {
		port = to.Port
	}
	ip := to.IP
	if !ip.IsValid() {
		ip = a.IP.Addr()
	}
	a.IP = netip.AddrPortFrom(ip, port)
	srv.Addr.Store(&a)
	srv.AdminState.Store(srv.AdminState.Load() &^ uint32(runtime.ResolverMaint))
	if !to.Quiet {
		c.news <- fmt.Sprintf("%s is %s by %s", srv.Name, a.IP, by)
	}
}

func (c *recorder) Unresolved(srv *runtime.Server, why string, port bool) {
	srv.AdminState.Store(srv.AdminState.Load() | uint32(runtime.ResolverMaint))
	a := *srv.Addr.Load()
	a.IP = netip.AddrPortFrom(netip.Addr{}, a.IP.Port())
	srv.Addr.Store(&a)
	c.news <- fmt.Sprintf("%s is down: %s", srv.Name, why)
}

func (c *recorder) Renamed(srv *runtime.Server, host, by string) {
	srv.LiveHost.Store(&host)
	if host != "" {
		c.news <- fmt.Sprintf("%s is named %s by %s", srv.Name, host, by)
	}
}

func (c *recorder) RenameText(srv *runtime.Server, was, host, by string) string { return host }

func (c *recorder) SetWeight(srv *runtime.Server, weight int) {
	if int(srv.UserWeight.Swap(int32(weight))) != weight {
		c.news <- fmt.Sprintf("%s weighs %d", srv.Name, weight)
	}
}

// rig is a section that resolves the servers of one backend.
type rig struct {
	t       *testing.T
	zone    *zone
	control *recorder
	cfg     *runtime.Config
}

func newRig(t *testing.T, servers ...*runtime.Server) *rig {
	z := newZone(t)
	s := newSection("r", ast.Pos{})
	s.resolve, s.retry, s.retries = 10*time.Millisecond, 5*time.Second, 1
	for _, what := range holds {
		s.hold[what] = 0
	}
	s.servers = []*nameserver{{name: "ns", addr: z.conn.LocalAddr().(*net.UDPAddr).AddrPort()}}
	px := &runtime.Proxy{Name: "b"}
	for _, srv := range servers {
		srv.Proxy, srv.Resolvers = px, "r"
		srv.Addr.Store(&runtime.Addr{IP: netip.AddrPortFrom(netip.Addr{}, 80)})
		srv.AdminState.Store(uint32(runtime.ResolverMaint))
		srv.UserWeight.Store(1)
	}
	px.Servers = servers
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{px}, Resolvers: []*Section{s}}
	cfg.Global.Families = []string{"ipv4", "ipv6"}
	return &rig{t, z, &recorder{news: make(chan string, 100)}, cfg}
}

func (r *rig) start() {
	Start(r.cfg, r.control)
	r.t.Cleanup(func() { Stop(r.cfg) })
}

// expect waits for news, in any order.
func (r *rig) expect(want ...string) {
	r.t.Helper()
	open := map[string]bool{}
	for _, w := range want {
		open[w] = true
	}
	for len(open) > 0 {
		select {
		case got := <-r.control.news:
			if !open[got] {
				r.t.Errorf("heard %q, want one of %q", got, want)
				return
			}
			delete(open, got)
		case <-time.After(20 * time.Second):
			r.t.Fatalf("not heard: %v", open)
		}
	}
}

func named(name, host string) *runtime.Server {
	return &runtime.Server{Name: name, Host: host, Resolve: &options{v4: true}}
}

// TestServersShareAddresses gives each server of a name an address of its own; who comes too late has none.
func TestServersShareAddresses(t *testing.T) {
	r := newRig(t, named("a", "web.test"), named("b", "web.test"), named("c", "web.test"))
	r.zone.set("web.test A", "192.0.2.1", "192.0.2.2")
	r.start()
	r.expect("a is 192.0.2.2:80 by r/ns", "b is 192.0.2.1:80 by DNS cache")
	r.zone.set("web.test A", "192.0.2.1", "192.0.2.3")
	r.expect("a is 192.0.2.3:80 by r/ns")
	r.zone.set("web.test A", "192.0.2.1", "192.0.2.3", "192.0.2.4")
	r.expect("c is 192.0.2.4:80 by DNS cache")
	r.zone.set("web.test A", "192.0.2.3", "192.0.2.4")
	r.expect("b is down: No IP for server ")
}

// TestPreference asks for the other family when there is nothing of the preferred one.
func TestPreference(t *testing.T) {
	six := named("six", "both.test")
	six.Resolve = &options{}
	lone := named("lone", "six.test")
	near := named("near", "far.test")
	near.Resolve = &options{v4: true, networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r := newRig(t, named("four", "both.test"), six, lone, near)
	r.zone.set("both.test A", "192.0.2.1")
	r.zone.set("both.test AAAA", "2001:db8::1")
	r.zone.set("six.test A")
	r.zone.set("six.test AAAA", "2001:db8::2")
	r.zone.set("far.test A", "192.0.2.7", "10.1.1.1", "192.0.2.8")
	r.start()
	r.expect("four is 192.0.2.1:80 by r/ns", "six is [2001:db8::1]:80 by r/ns", "lone is [2001:db8::2]:80 by r/ns", "near is 10.1.1.1:80 by r/ns")
}

// TestLost takes servers down whose name is not known any more, and brings them back.
func TestLost(t *testing.T) {
	r := newRig(t, named("a", "web.test"))
	r.zone.set("web.test A", "192.0.2.1")
	r.start()
	r.expect("a is 192.0.2.1:80 by r/ns")
	r.zone.refuse("web.test A", dnsmessage.RCodeNameError)
	r.expect("a is down: DNS NX status")
	r.zone.set("web.test A", "192.0.2.1")
	r.expect("a is 192.0.2.1:80 by r/ns")
	r.zone.refuse("web.test A", dnsmessage.RCodeRefused)
	r.zone.refuse("web.test AAAA", dnsmessage.RCodeRefused)
	r.expect("a is down: DNS refused status")
}

// TestService gives the targets of a SRV record servers.
func TestService(t *testing.T) {
	var servers []*runtime.Server
	for _, name := range []string{"a", "b", "c"} {
		servers = append(servers, &runtime.Server{Name: name, Service: "_http._tcp.test", Resolve: &options{v4: true}})
	}
	r := newRig(t, servers...)
	r.zone.set("one.test A", "192.0.2.1")
	r.zone.set("two.test A", "192.0.2.2")
	r.zone.set("_http._tcp.test SRV", "1 10 8001 one.test", "1 600 8002 two.test")
	r.start()
	r.expect("a is named two.test by SRV record", "a is 192.0.2.2:8002 by r/ns", "a weighs 3",
		"b is named one.test by SRV record", "b is 192.0.2.1:8001 by r/ns")
	r.zone.set("_http._tcp.test SRV", "1 10 8001 one.test")
	r.expect("a is down: entry removed from SRV record")
}

// TestInquiry answers a rule, and asks once for what was heard a short time ago.
func TestInquiry(t *testing.T) {
	r := newRig(t)
	sec := find(r.cfg, "r")
	sec.hold["valid"] = time.Hour
	r.zone.set("x.test A", "192.0.2.9")
	r.start()
	ask := func(name string) netip.Addr {
		told := make(chan struct{})
		q := &inquiry{sec: sec, name: name, o: options{v4: true}}
		q.Begin(func() { close(told) })
		<-told
		addr, done := q.result()
		if !done {
			t.Error("told without a result")
		}
		return addr
	}
	for range 3 {
		if got := ask("x.test"); got != netip.MustParseAddr("192.0.2.9") {
			t.Errorf("resolved to %s", got)
		}
	}
	if got := ask("nobody.test"); got.IsValid() {
		t.Errorf("nobody is at %s", got)
	}
	r.zone.mu.Lock()
	defer r.zone.mu.Unlock()
	if n := r.zone.asked["x.test A"]; n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestForgotten keeps nothing of names that no rule asks for any more.
func TestForgotten(t *testing.T) {
	r := newRig(t)
	sec := find(r.cfg, "r")
	r.start()
	for i := range 100 {
		told := make(chan struct{})
		(&inquiry{sec: sec, name: fmt.Sprintf("n%d.test", i), o: options{v4: true}}).Begin(func() { close(told) })
		<-told
	}
	for end := time.Now().Add(20 * time.Second); ; {
		left := make(chan int)
		sec.do(func() { left <- len(sec.known) + len(sec.plan) + len(sec.byID) })
		n := <-left
		if n == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d things are kept", n)
		}
	}
}

// TestOverTCP asks over a stream.
func TestOverTCP(t *testing.T) {
	r := newRig(t, named("a", "web.test"))
	r.zone.set("web.test A", "192.0.2.1")
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				ns := &nameserver{stream: true}
				for {
					q, err := ns.next(c)
					if err != nil {
						return
					}
					var p dnsmessage.Parser
					h, _ := p.Start(q)
					question, _ := p.Question()
					out, _ := r.zone.answer(h, question)
					c.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
				}
			}()
		}
	}()
	find(r.cfg, "r").servers = []*nameserver{{name: "tcp", addr: ln.Addr().(*net.TCPAddr).AddrPort(), stream: true}}
	r.start()
	r.expect("a is 192.0.2.1:80 by r/tcp")
}

// FuzzParse holds that no message upsets the reader.
func FuzzParse(f *testing.F) {
	z := &zone{data: map[string][]string{"a.test A": {"192.0.2.1"}, "s.test SRV": {"1 2 3 a.test"}}, code: map[string]dnsmessage.RCode{}, asked: map[string]int{}}
	for _, q := range []dnsmessage.Question{
		{Name: dnsmessage.MustNewName("a.test."), Type: kindA, Class: dnsmessage.ClassINET},
		{Name: dnsmessage.MustNewName("s.test."), Type: kindSRV, Class: dnsmessage.ClassINET},
		{Name: dnsmessage.MustNewName("x.test."), Type: kindAAAA, Class: dnsmessage.ClassINET},
	} {
		data, err := z.answer(dnsmessage.Header{ID: 7}, q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data, mostPayload)
		if err == nil && m.fault == sound && len(m.found) == 0 {
			t.Errorf("sound without a record: %+v", m)
		}
	})
}
