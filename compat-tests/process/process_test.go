// Package process tests the life of the program's processes, from outside: it
// starts the program and watches what it prints, how it ends and what it serves.
package process

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hapax/compat-tests/refuse"
)

var (
	reloads = flag.Int("reloads", 10, "reloads under load")

	// program is the one under test: it is built once, under the name that it takes the place of.
	program = os.Getenv("PROGRAM")
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	refuse.Become()
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if program == "" {
		dir, err := os.MkdirTemp("", "process")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "haproxy")
		if out, err := exec.Command("go", "build", "-o", program, "hapax/cmd/hapax").CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%v\n%s", err, out))
		}
	}
	return m.Run()
}

// site is a folder with a configuration.
type site struct {
	t    *testing.T
	dir  string
	port int

	refused bool // the program is started on a system that refuses io_uring
}

// onBothLoops runs a test with io_uring and on a system that refuses it.
func onBothLoops(t *testing.T, test func(*testing.T, func(global string) *site)) {
	for _, refused := range []bool{false, true} {
		name := map[bool]string{false: "io_uring", true: "epoll"}[refused]
		t.Run(name, func(t *testing.T) {
			test(t, func(global string) *site {
				s := newSite(t, global)
				s.refused = refused
				return s
			})
		})
	}
}

// config is a frontend that answers "hello" by itself.
const config = `global
  stats socket DIR/stats.sock level admin expose-fd listeners
  nbthread 2
  maxconn 200
  chroot /
  GLOBAL
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend f
  bind 127.0.0.1:PORT
  http-request return status 200 content-type text/plain string hello
`

func newSite(t *testing.T, global string) *site {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir(), port: l.Addr().(*net.TCPAddr).Port}
	l.Close()
	if os.Geteuid() == 0 && !strings.Contains(global, "uid") && !strings.Contains(global, "user") {
		global += "\n  uid 0"
	}
	s.write(strings.ReplaceAll(config, "GLOBAL", global))
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(text string) {
	text = strings.NewReplacer("DIR", s.dir, "PORT", strconv.Itoa(s.port)).Replace(text)
	if err := os.WriteFile(s.path("haproxy.cfg"), []byte(text), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) spoil(line string) {
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	s.write(string(text) + line + "\n")
}

// get asks the frontend and returns the body.
func (s *site) get() (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", s.port))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func (s *site) serves() {
	s.t.Helper()
	if body, err := s.get(); body != "hello" {
		s.t.Fatalf("answered %q, %v", body, err)
	}
}

// ask sends a command to a UNIX socket and returns the answer.
func (s *site) ask(socket, command string) string {
	s.t.Helper()
	c, err := net.Dial("unix", s.path(socket))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintln(c, command)
	c.(*net.UnixConn).CloseWrite()
	text, err := io.ReadAll(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return plainVersion(string(text))
}

// plainVersion leaves out the commit behind a version.
func plainVersion(text string) string { return builtVersion.ReplaceAllString(text, "3.4.0") }

var builtVersion = regexp.MustCompile(`3\.4\.0-[0-9a-f]+`)

// child is a started program.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu   sync.Mutex // guards text
	text []byte     // standard error
	more *sync.Cond
}

// start starts the program in the site's folder with -f haproxy.cfg behind args.
func (s *site) start(args ...string) *child {
	s.t.Helper()
	return s.startWith(func(*exec.Cmd) {}, args...)
}

func (s *site) startWith(prepare func(*exec.Cmd), args ...string) *child {
	s.t.Helper()
	cmd := exec.Command(program, append(args, "-f", s.path("haproxy.cfg"))...)
	cmd.Dir = s.dir
	if s.refused {
		path, argv, variable, err := refuse.Command(program, cmd.Args[1:])
		if err != nil {
			s.t.Fatal(err)
		}
		cmd.Path, cmd.Args, cmd.Env = path, argv, append(os.Environ(), variable)
	}
	prepare(cmd)
	c := &child{t: s.t, cmd: cmd, done: make(chan struct{})}
	c.more = sync.NewCond(&c.mu)
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	w.Close()
	go c.read(r)
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	s.t.Cleanup(func() {
		syscall.Kill(cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-c.done:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-c.done
		}
		if s.t.Failed() {
			s.t.Logf("standard error:\n%s", c.said())
		}
	})
	return c
}

func (c *child) read(r *os.File) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		c.mu.Lock()
		c.text = append(c.text, line...)
		c.more.Broadcast()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// said is all of the standard error so far.
func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// says waits until the pattern was printed n times and returns its last first group.
func (c *child) says(n int, pattern string) string {
	c.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text = append(c.text, "\n(too late)"...)
		c.more.Broadcast()
	})
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if found := re.FindAllSubmatch(c.text, -1); len(found) >= n {
			last := found[n-1]
			return string(last[len(last)-1])
		}
		if bytes.HasSuffix(c.text, []byte("(too late)")) {
			c.t.Fatalf("not %d times %q in:\n%s", n, pattern, c.text)
		}
		c.more.Wait()
	}
}

func (c *child) signal(sig syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// ends waits for the end and returns the status as a shell tells it.
func (c *child) ends() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.t.Fatal("it goes on")
	}
	var exit *exec.ExitError
	if !errors.As(c.err, &exit) {
		return 0
	}
	ws := exit.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// notices is the socket of a service manager.
type notices struct {
	t *testing.T
	c *net.UnixConn
}

func (s *site) notices(name string) *notices {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return &notices{s.t, c}
}

// next waits for a datagram.
func (n *notices) next() string {
	n.t.Helper()
	n.c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 4096)
	size, err := n.c.Read(buf)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(buf[:size])
}

func (n *notices) expect(pattern string) {
	n.t.Helper()
	if got := n.next(); !regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(got) {
		n.t.Fatalf("got %q, want %q", got, pattern)
	}
}
