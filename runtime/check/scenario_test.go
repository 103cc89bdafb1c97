package check_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/check"
	"hapax/runtime/config"
	"hapax/runtime/loop"
	"hapax/runtime/queue"
	"hapax/runtime/rules"
)

var record = flag.String("record", "", "path of the reference: record what it does instead of comparing with it")

// TestMain lets many cases wait at once.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16")
	startLoops()
	os.Exit(m.Run())
}

// TestScenarios runs each case of testdata/*.txtar against a server that follows a
// script, on both loop engines: what is printed and what the server hears must be what
// the reference printed and sent.
//
// The sections of a case are a comment (the script: one line per step), the
// configuration, the messages and the bytes of the first connection.
func TestScenarios(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []scenario
		for i := 0; i+3 < len(a.Files); i += 4 {
			f := a.Files[i : i+4]
			cases = append(cases, scenario{f[0].Name, string(f[0].Data), string(f[1].Data), string(f[2].Data), string(f[3].Data)})
		}
		if *record != "" {
			var out txtar.Archive
			out.Comment = a.Comment
			for _, c := range cases {
				messages, wire := c.runReference(t, *record)
				out.Files = append(out.Files, txtar.File{Name: c.name, Data: []byte(c.script)}, txtar.File{Name: "config", Data: []byte(c.config)},
					txtar.File{Name: "messages", Data: []byte(messages)}, txtar.File{Name: "wire", Data: []byte(wire)})
			}
			if err := os.WriteFile(file, txtar.Format(&out), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, c := range cases {
			for _, engine := range []string{loop.Uring, loop.Epoll} {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+c.name+"/"+engine, func(t *testing.T) {
					t.Parallel()
					c.compare(t, engine)
				})
			}
		}
	}
}

type scenario struct{ name, script, config, messages, wire string }

// text is the configuration around the lines of the case. PORT is the port of the
// scripted server, DEAD one where nobody listens.
func (c *scenario) text(port, dead int) string {
	defaults, lines, found := strings.Cut(c.config, "--\n")
	if !found {
		defaults, lines = "", c.config
	}
	return strings.NewReplacer("PORT", strconv.Itoa(port), "DEAD", strconv.Itoa(dead)).Replace(
		"global\n nbthread 1\n maxconn 100\n node here\n" +
			"defaults\n timeout connect 1s\n timeout server 1s\n timeout client 1s\n timeout check 1s\n" + defaults +
			"backend b\n" + lines)
}

func (c *scenario) compare(t *testing.T, engine string) {
	s := serve(t, c.script)
	cfg := load(t, c.text(s.port, deadPort(t)))
	want := strings.Count(c.messages, "\n")
	p := &printed{want: want, done: make(chan struct{})}
	ended := p.done
	if want == 0 {
		ended = s.third // silence lasts until then
	}
	run(t, engine, cfg, check.Options{Print: p.print})
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
	}
	p.Lock()
	got := strings.Join(p.lines[:min(len(p.lines), max(want, 1))], "")
	p.Unlock()
	if diff := cmp.Diff(strings.TrimSuffix(c.messages, "\n"), strings.TrimSuffix(got, "\n")); diff != "" {
		t.Errorf("messages (-reference +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.wire, s.firstHeard()); diff != "" {
		t.Errorf("bytes sent (-reference +got):\n%s", diff)
	}
}

// runReference runs the case on the reference and gives its messages.
func (c *scenario) runReference(t *testing.T, binary string) (messages, wire string) {
	s := serve(t, c.script)
	front := deadPort(t)
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := c.text(s.port, deadPort(t)) + fmt.Sprintf("\nlisten front\n bind 127.0.0.1:%d\n", front)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-db", "-f", file)
	out, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(out)
		for in.Scan() {
			lines <- in.Text()
		}
		close(lines)
	}()
	for end := time.After(1500 * time.Millisecond); ; {
		select {
		case <-end:
			return messages, s.firstHeard()
		case line, more := <-lines:
			if !more {
				t.Fatalf("%s: the reference ended: %s", c.name, messages)
			}
			if m := about.FindStringSubmatch(line); m != nil {
				messages += normal(m[1], m[2])
			} else if !strings.Contains(line, "main()") && !strings.Contains(line, "NOTICE") {
				t.Logf("%s: %s", c.name, line)
			}
		}
	}
}

var (
	durations = regexp.MustCompile(`check duration: \d+ms`)
	about     = regexp.MustCompile(`^\[(\w+)\] +\(\d+\) : ((?:Health|Server|Backup|backend).*)`)
	ports     = regexp.MustCompile(`port(=| )\d+`)
)

// normal makes a message independent of the run.
func normal(severity, text string) string {
	text = durations.ReplaceAllString(text, "check duration: Nms")
	return severity + " " + ports.ReplaceAllString(text, "port${1}N") + "\n"
}

// printed collects messages.
type printed struct {
	sync.Mutex
	lines []string
	want  int
	done  chan struct{}
}

func (p *printed) print(s diag.Severity, text string) {
	p.Lock()
	defer p.Unlock()
	p.lines = append(p.lines, normal(s.String(), text))
	if p.done != nil && len(p.lines) == p.want {
		close(p.done)
	}
}

// script is a server that follows a script on each connection.
type script struct {
	port  int
	mu    sync.Mutex
	heard []byte // on the first connection
	conns int
	third chan struct{} // closed with the third connection
}

func (s *script) firstHeard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := bytes.Clone(s.heard)
	if bytes.HasPrefix(b, []byte("\x16\x03")) && len(b) > 15 {
		copy(b[11:15], "TIME")
	}
	b = ports.ReplaceAll(b, []byte("port${1}N"))
	return strconv.QuoteToASCII(string(b)) + "\n"
}

// serve starts a server. Each line of its script is a step: "read", "write <quoted>",
// "reset" (close by a reset), "wait" (for the client's end). A connection is closed at
// the end of the script.
func serve(t *testing.T, text string) *script {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	s := &script{port: ln.Addr().(*net.TCPAddr).Port, third: make(chan struct{})}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns++
			first := s.conns == 1
			if s.conns == 3 {
				close(s.third)
			}
			s.mu.Unlock()
			go s.follow(conn.(*net.TCPConn), strings.Split(strings.TrimSpace(text), "\n"), first)
		}
	}()
	return s
}

func (s *script) follow(conn *net.TCPConn, steps []string, first bool) {
	defer conn.Close()
	buf := make([]byte, 65536)
	for _, step := range steps {
		word, arg, _ := strings.Cut(step, " ")
		switch word {
		case "read":
			n, err := conn.Read(buf)
			if first {
				s.mu.Lock()
				s.heard = append(s.heard, buf[:n]...)
				s.mu.Unlock()
			}
			if err != nil {
				return
			}
		case "write":
			text, err := strconv.Unquote(arg)
			if err != nil {
				panic(err)
			}
			if _, err := conn.Write([]byte(text)); err != nil {
				return
			}
		case "wait":
			for {
				if _, err := conn.Read(buf); err != nil {
					break
				}
			}
		case "reset":
			conn.SetLinger(0)
		}
	}
}

// deadPort is a port where nobody listens.
func deadPort(t *testing.T) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// name stands for a fetch of another domain, which finds what it needs by the owner of
// the evaluation.
func name(of string, get func(*runtime.Stream) string) sample.Fetch {
	return sample.Fetch{Doc: keyword.Doc{Name: of}, Out: sample.Str, From: sample.BackendProxy,
		Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
			out.SetConst([]byte(get(ctx.Owner.(*runtime.Stream))))
			return true
		}}
}

// tables are assembled once.
var tables = sync.OnceValues(func() (*config.Tables, error) {
	return config.NewTables([]*config.Domain{
		config.Rows(),
		{Name: "acl", Fetches: acl.Fetches, Converters: pattern.Converters},
		{Name: "fetch", Fetches: fetch.Rows},
		{Name: "convert", Converters: convert.Rows},
		{Name: "names", Fetches: []sample.Fetch{
			name("be_name", func(s *runtime.Stream) string { return s.Back.Name }),
			name("srv_name", func(s *runtime.Stream) string { return s.Server.Name }),
		}},
		&balance.Domain, &check.Domain, &queue.Domain, &rules.Domain,
	})
})

// load reads a configuration that must be good.
func load(t *testing.T, text string) *runtime.Config {
	cfg, out, ok := read(t, text)
	if !ok {
		t.Fatalf("%s\n%s", text, out)
	}
	return cfg
}

// loading reads one file at a time: the environment is the process's.
var loading sync.Mutex

func read(t *testing.T, text string) (cfg *runtime.Config, messages string, ok bool) {
	loading.Lock()
	defer loading.Unlock()
	tb, err := tables()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "k.cfg")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	list := &diag.List{Out: &diag.Writer{W: &out, Version: "3.4.0"}, Prefix: "config"}
	files, ok := parser.Files([]string{file}, list)
	if ok {
		cfg, ok = config.Load(tb, files, parser.NewEnv(os.Environ()), list, config.Options{Predicates: parser.Predicates{Version: "3.4.0"}})
	}
	return cfg, strings.ReplaceAll(out.String(), file, "k.cfg"), ok
}

// run starts the checks of a configuration on a loop, and ends them with the test.
func run(t *testing.T, engine string, cfg *runtime.Config, opt check.Options) *check.Checks {
	c := check.New(cfg, opt)
	build(cfg)
	l := loopOf(t, engine)
	t.Cleanup(c.Stop)
	c.Start([]*loop.Loop{l}, nil)
	return c
}

// build makes what the servers of a configuration are chosen by.
func build(cfg *runtime.Config) {
	for _, px := range cfg.Proxies {
		px.Live.MakeCounters(1)
		queue.Build(px)
		balance.Build(px)
	}
}

// loops are shared by all tests, one of each engine; nil where the kernel refuses one.
var loops = map[string]*loop.Loop{}

func loopOf(t *testing.T, engine string) *loop.Loop {
	l := loops[engine]
	switch {
	case l != nil:
	case os.Getenv("CI") == "":
		t.Skip("no " + engine)
	default:
		t.Fatal("no " + engine)
	}
	return l
}

func startLoops() {
	goruntime.GOMAXPROCS(max(goruntime.GOMAXPROCS(0), 2) + 2)
	for _, engine := range []string{loop.Uring, loop.Epoll} {
		ready := make(chan *loop.Loop)
		go func() {
			goruntime.LockOSThread()
			l, err := loop.New(loop.Options{Engine: engine})
			ready <- l
			if err == nil {
				l.Run()
			}
		}()
		loops[engine] = <-ready
	}
}

// TestMessages compares what bad and good lines make the loader say with what the
// reference says of them.
func TestMessages(t *testing.T) {
	data, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	pid := regexp.MustCompile(`\(\d+\) :`)
	for _, c := range strings.Split(string(data), "== ")[1:] {
		lines, want, _ := strings.Cut(c, "\n")
		text := "defaults\n timeout connect 1s\n timeout server 1s\n timeout client 1s\nbackend b\n mode http\n" +
			strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(lines) + "\n server s 127.0.0.1:1 check\n"
		_, got, _ := read(t, text)
		var kept []string
		for _, line := range strings.SplitAfter(got, "\n") {
			if !strings.Contains(line, "haproxy version is") {
				kept = append(kept, pid.ReplaceAllString(line, "(N) :"))
			}
		}
		got = strings.Join(kept, "")
		want = strings.Join(slices.DeleteFunc(strings.SplitAfter(want, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "Warnings were") || strings.HasPrefix(line, "Configuration file has no error")
		}), "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-reference +got):\n%s", lines, diff)
		}
	}
}
