package compat

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hapax/compat-tests/refuse"
)

// patience is how long a step waits for what must come.
const patience = 20 * time.Second

// program is the one that a case runs, with everything around it: the listening
// sockets that it is given, the servers, the sink of its logs.
type program struct {
	t      *testing.T
	path   string
	noRing bool // with io_uring refused
	dir    string

	env       []string
	inherited []*os.File              // listening sockets handed over, from descriptor 3 on
	fronts    map[string]string       // address of each by its name
	servers   map[string]net.Listener // by name
	logs      *net.UDPConn

	cmd    *exec.Cmd
	stderr output
	stdout output
	ended  chan struct{} // closed when the process has ended
}

// output is what a process has written so far.
type output struct {
	sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.Lock()
	defer o.Unlock()
	return o.buf.String()
}

func newProgram(t *testing.T, path string, noRing bool) *program {
	dir, err := os.MkdirTemp("", "ct") // t.TempDir is too long for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: path, noRing: noRing, dir: dir, fronts: map[string]string{}, servers: map[string]net.Listener{}}
	logs, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p.logs = logs
	p.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TZ=UTC", "DIR=" + dir, "TLS=" + certificates(t), "LOG=" + logs.LocalAddr().String()}
	t.Cleanup(p.close)
	return p
}

// listen opens a socket that the program gets as "fd@${name}".
func (p *program) listen(name string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		p.t.Fatal(err)
	}
	l.Close()
	p.env = append(p.env, fmt.Sprintf("%s=%d", name, 3+len(p.inherited)), name+"_addr="+l.Addr().String())
	p.inherited = append(p.inherited, f)
	p.fronts[name] = l.Addr().String()
}

// serve opens a server whose address the program gets as "${name}".
func (p *program) serve(name string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.servers[name] = l
	p.env = append(p.env, name+"="+l.Addr().String(), name+"_port="+strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// dead reserves an address at which nobody listens.
func (p *program) dead(name string) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		p.t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		p.t.Fatal(err)
	}
	p.env = append(p.env, fmt.Sprintf("%s=127.0.0.1:%d", name, sa.(*syscall.SockaddrInet4).Port))
}

// command is the program with arguments, in the folder of the case.
func (p *program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, args...)
	cmd.Env = p.env
	if p.noRing {
		path, argv, env, err := refuse.Command(p.path, args)
		if err != nil {
			p.t.Fatal(err)
		}
		cmd.Path, cmd.Args, cmd.Env = path, argv, append([]string{env}, p.env...)
	}
	cmd.Dir = p.dir
	return cmd
}

func (p *program) start(args ...string) {
	p.cmd = p.command(args...)
	p.cmd.ExtraFiles = p.inherited
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range p.inherited {
		f.Close()
	}
	ended := make(chan struct{})
	p.ended = ended
	go func() {
		p.cmd.Wait()
		close(ended)
	}()
}

// status waits for the end of the process and returns its status as a shell does.
func (p *program) status() string {
	select {
	case <-p.ended:
	case <-time.After(patience):
		return "still running"
	}
	ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return fmt.Sprintf("killed by %v", ws.Signal())
	}
	return fmt.Sprintf("exit %d", ws.ExitStatus())
}

// running tells whether the process has been started and lives.
func (p *program) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *program) close() {
	if p.running() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
	for _, l := range p.servers {
		l.Close()
	}
	p.logs.Close()
	os.RemoveAll(p.dir)
}

// dial opens a connection of a client to the listener of that name, or to a unix
// socket in the folder of the case.
func (p *program) dial(name string) (net.Conn, error) {
	if addr, ok := p.fronts[name]; ok {
		return net.DialTimeout("tcp4", addr, patience)
	}
	path := filepath.Join(p.dir, name)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", path)
		if err == nil || time.Now().After(end) || !p.running() {
			return c, err
		}
	}
}

// ask sends a line to the runtime API and returns the whole answer.
func (p *program) ask(line string) (string, error) {
	c, err := p.dial("cli.sock")
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(line + "\n")); err != nil {
		return "", err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(c)
	return b.String(), err
}

// cell is one field of "show stat": "backend server field".
func (p *program) cell(proxy, server, field string) (string, error) {
	answer, err := p.ask("show stat")
	if err != nil {
		return "", err
	}
	lines := strings.Split(answer, "\n")
	at := -1
	for i, name := range strings.Split(strings.TrimPrefix(lines[0], "# "), ",") {
		if name == field {
			at = i
		}
	}
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		if len(cells) > at && at >= 0 && cells[0] == proxy && cells[1] == server {
			if field == "check_status" {
				return strings.TrimPrefix(cells[at], "* "), nil // the next check may be under way
			}
			return cells[at], nil
		}
	}
	return "", fmt.Errorf("no field %s of %s/%s", field, proxy, server)
}
