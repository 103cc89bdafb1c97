package process

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// once runs the program to its end.
func once(t *testing.T, dir string, args ...string) (status int, out, errors string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return statusOf(err), stdout.String(), stderr.String()
}

func statusOf(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// The statuses and texts are HAProxy's.
func TestExitStatus(t *testing.T) {
	s := newSite(t, "")
	write := func(name, text string) {
		if err := os.WriteFile(s.path(name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("none.cfg", "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nbackend b\n server a 127.0.0.1:1\n")
	write("bad.cfg", "global\n bad\n")
	write("warned.cfg", "global\n nbthread 1\nfrontend f\n bind unix@"+s.path("f.sock")+"\n mode tcp\n")
	for _, c := range []struct {
		args     string
		status   int
		out, err string // contained
	}{
		{"-c -f haproxy.cfg", 0, "", ""},
		{"-c -V -f haproxy.cfg", 0, "Configuration file is valid\n", ""},
		{"-Ws -f haproxy.cfg -c -q", 0, "", ""},
		{"-c -f none.cfg", 2, "Configuration file has no error but will not start (no listener) => exit(2).\n", ""},
		{"-db -f none.cfg", 1, "", "No enabled listener found (check for 'bind' directives) ! Exiting."},
		{"-c -f bad.cfg", 1, "", "unknown keyword 'bad' in 'global' section"},
		{"-c -f warned.cfg", 0, "Warnings were found.\n", "missing timeouts for frontend 'f'"},
		{"-c -dW -f warned.cfg", 1, "", "Some warnings were found and 'zero-warning' is set. Aborting."},
		{"-c -f nowhere.cfg", 1, "", "Cannot open configuration file/directory nowhere.cfg : No such file or directory"},
		{"-C /nowhere -f haproxy.cfg", 1, "", "Could not change to directory /nowhere : No such file or directory"},
		{"-S /tmp/m.sock -f haproxy.cfg", 1, "", "a master CLI socket was defined, but master-worker mode (-W) is not enabled."},
		{"-sf abc -f haproxy.cfg", 1, "", "-sf option: some bytes unconsumed in PID list {abc}"},
		{"-x", 1, "HAProxy version", "Unix socket path expected with the -x flag"},
		{"-f", 1, "", "failed to copy argv."},
		{"", 1, "HAProxy version", "Usage : "},
		{"-h", 1, "HAProxy version", "Usage : "},
		{"-cc 1", 0, "", ""},
		{"-cc 0", 1, "", ""},
		{"-cc streq(a", 2, "", "Failed to evaluate condition: "},
		{"-vq", 0, "3.4.0\n", ""},
		{"-vqs", 0, "3.4.0\n", ""},
		{"-vqb", 0, "3.4\n", ""},
		{"-v", 0, "HAProxy version 3.4.0", ""},
		{"-vv", 0, "Feature list :", ""},
		{"-c -dKhelp -f haproxy.cfg", 0, "# List of supported keyword classes:\n", ""},
	} {
		status, out, errors := once(t, s.dir, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(errors, c.err) ||
			c.out == "" && out != "" || c.err == "" && errors != "" {
			t.Errorf("%q: %d %q %q", c.args, status, out, errors)
		}
	}
}

func TestStandalone(t *testing.T) {
	for sig, status := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGUSR1: 0} {
		t.Run(sig.String(), func(t *testing.T) {
			s := newSite(t, "")
			c := s.start("-db", "-q")
			s.up(c)
			s.serves()
			c.signal(sig)
			if got := c.ends(); got != status {
				t.Errorf("status %d", got)
			}
		})
	}
}

// up waits until the program answers on its stats socket.
func (s *site) up(c *child) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if conn, err := net.Dial("unix", s.path("stats.sock")); err == nil {
			conn.Close()
			return
		}
		select {
		case <-c.done:
			s.t.Fatalf("ended with %d:\n%s", c.ends(), c.said())
		default:
		}
	}
	s.t.Fatal("it does not come up")
}

// The parent of a daemon leaves when the daemon serves; a next one takes over its
// listeners and sends it away.
func TestDaemon(t *testing.T) {
	s := newSite(t, "pidfile DIR/daemon.pid")
	pid := func() int {
		text, err := os.ReadFile(s.path("daemon.pid"))
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	defer func() { syscall.Kill(pid(), syscall.SIGKILL) }()
	if status := s.start("-D").ends(); status != 0 {
		t.Fatalf("status %d", status)
	}
	s.serves()
	first := pid()
	name, err := os.ReadFile("/proc/" + strconv.Itoa(first) + "/comm")
	if err != nil || string(name) != "haproxy\n" {
		t.Errorf("the process is called %q, %v", name, err)
	}
	if status := s.start("-D", "-x", s.path("stats.sock"), "-sf", strconv.Itoa(first)).ends(); status != 0 {
		t.Fatalf("status %d", status)
	}
	s.serves()
	if pid() == first {
		t.Error("the pid file tells of the old process")
	}
	gone(t, first)
	s.serves()
}

// gone waits for the end of a process that is nobody's child here.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || bytes.Contains(stat, []byte(") Z ")) {
			return
		}
	}
	t.Fatalf("process %d goes on", pid)
}

func TestPortInUse(t *testing.T) {
	s := newSite(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const text = "for frontend f: protocol tcpv4: cannot bind socket (Address already in use) for [127.0.0.1:"
	for _, mode := range []string{"-db", "-D", "-W -db", "-W -D"} {
		c := s.start(strings.Fields(mode)...)
		if status := c.ends(); status != 1 {
			t.Errorf("%s: status %d", mode, status)
		}
		c.says(1, regexpQuote(text))
		c.says(1, `\[haproxy.main\(\)\] Some protocols failed to start their listeners! Exiting.`)
	}
}

// The unprivileged cannot become somebody else, nor take the ports of the privileged.
func TestMissingPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give rights up")
	}
	nobody := func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	for want, change := range map[string][2]string{
		"Cannot set uid 65533.": {"uid 0", "uid 65533"},
		"protocol tcpv4: cannot bind socket (Permission denied) for [127.0.0.1:80].": {"127.0.0.1:PORT", "127.0.0.1:80"},
	} {
		s := newSite(t, "")
		os.Chmod(s.dir, 0o777)
		os.Chmod(filepath.Dir(s.dir), 0o777)
		text := strings.ReplaceAll(config, "GLOBAL", "uid 0")
		text = strings.Replace(strings.Replace(text, "chroot /", "", 1), change[0], change[1], 1)
		s.write(text)
		copied := reachable(t)
		c := s.startWith(func(cmd *exec.Cmd) {
			nobody(cmd)
			cmd.Path = copied
		}, "-db")
		if status := c.ends(); status != 1 {
			t.Errorf("status %d", status)
		}
		c.says(1, regexpQuote(want))
	}
}

// reachable copies the program to where everybody may execute it.
func reachable(t *testing.T) string {
	dir, err := os.MkdirTemp("", "reach")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/haproxy", text, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir + "/haproxy"
}

// All threads run as the user of the configuration, in its root.
func TestDropsPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give rights up")
	}
	s := newSite(t, "user nobody\n  group nogroup\n  chroot DIR")
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	s.write(strings.Replace(string(text), "  chroot /\n", "", 1))
	c := s.start("-db")
	s.up(c)
	s.serves()
	proc := "/proc/" + strconv.Itoa(c.cmd.Process.Pid)
	threads, err := os.ReadDir(proc + "/task")
	if err != nil || len(threads) < 3 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		status, _ := os.ReadFile(proc + "/task/" + thread.Name() + "/status")
		if !bytes.Contains(status, []byte("\nUid:\t65534\t65534\t65534\t65534\n")) || !bytes.Contains(status, []byte("\nGid:\t65534\t65534\t65534\t65534\n")) {
			t.Errorf("thread %s: %s", thread.Name(), status)
		}
	}
	if root, err := os.Readlink(proc + "/root"); root != s.dir {
		t.Errorf("the root is %q, %v", root, err)
	}
}

// maxconn follows from the limits that the program was started with.
func TestLimits(t *testing.T) {
	s := newSite(t, "")
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	for _, c := range []struct {
		shell, maxconn, want string
		status               int
	}{
		{"ulimit -n 1024", "", "Automatically setting global.maxconn to 498.", 143},
		{"ulimit -S -n 300; ulimit -H -n 1024", "", "Automatically setting global.maxconn to 498.", 143},
		{"ulimit -n 1024", "maxconn 4096", "[haproxy.main()] Cannot raise FD limit to 8220, current limit is 1024 and hard limit is 1024. ", 1},
		{"ulimit -n 1024", "maxconn 4096\n  no strict-limits", "[haproxy.main()] FD limit (1024) too low for maxconn=4096/maxsock=8220. ", 143},
	} {
		s.write(strings.Replace(string(text), "maxconn 200", c.maxconn, 1))
		p := s.startWith(func(cmd *exec.Cmd) {
			cmd.Args = append([]string{"/bin/sh", "-c", c.shell + `; exec "$0" "$@"`}, cmd.Args...)
			cmd.Path = "/bin/sh"
		}, "-db")
		p.says(1, regexpQuote(c.want))
		if c.status == 143 {
			s.up(p)
			p.signal(syscall.SIGTERM)
		}
		if status := p.ends(); status != c.status {
			t.Errorf("%+v: status %d", c, status)
		}
	}
}

// SIGTTOU pauses: the port is released. SIGTTIN resumes, SIGHUP tells the state of the servers.
func TestSignals(t *testing.T) { onBothLoops(t, signals) }

func signals(t *testing.T, newSite func(string) *site) {
	s := newSite("")
	s.spoil("backend b\n  server s1 127.0.0.1:1\n  server s2 127.0.0.1:1 backup")
	c := s.start("-db")
	s.up(c)
	c.signal(syscall.SIGTTOU)
	c.says(1, `Paused frontend f.\n.*Paused frontend GLOBAL.`)
	if _, err := s.get(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a paused frontend's port: %v", err)
	}
	c.signal(syscall.SIGTTIN)
	c.says(1, `Resumed frontend f.\n.*Resumed frontend GLOBAL.`)
	s.serves()
	if info := s.ask("stats.sock", "show info"); !strings.Contains(info, "\nJobs: 4\nUnstoppable Jobs: 0\nListeners: 2\n") {
		t.Errorf("jobs and listeners:\n%s", info)
	}
	c.signal(syscall.SIGHUP)
	c.says(1, `SIGHUP: Proxy f has no servers. Conn: act\(FE\+BE\): \d\+0, 0 pend \(0 unass\), tot\(FE\+BE\): 1\+0.`)
	c.says(1, `SIGHUP: Server b/s1 is UP. Conn: 0 act, 0 pend, 0 tot.`)
	c.says(1, `SIGHUP: Proxy b has 1 active servers and 1 backup servers available. Conn:`)
	c.signal(syscall.SIGQUIT)
	c.signal(syscall.SIGPIPE)
	s.serves()
}

// A soft stop waits for what is under way, until hard-stop-after is over.
func TestHardStop(t *testing.T) { onBothLoops(t, hardStop) }

func hardStop(t *testing.T, newSite func(string) *site) {
	s := newSite("hard-stop-after 200ms")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	s.write(strings.Replace(string(text), "  http-request return status 200 content-type text/plain string hello\n",
		"  default_backend b\nbackend b\n  server s "+silent.Addr().String()+"\n", 1))
	c := s.start("-db")
	s.up(c)
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("GET / HTTP/1.1\r\nhost: x\r\n\r\n"))
	if server, err := silent.Accept(); err == nil {
		defer server.Close()
	}
	c.signal(syscall.SIGUSR1)
	c.says(1, `Proxy f stopped \(cumulated conns: FE: 1, BE: 0\).`)
	c.says(1, `soft-stop running for too long, performing a hard-stop.`)
	c.says(1, `Proxy f hard-stopped \(1 remaining conns will be closed\).`)
	if status := c.ends(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// With grace the listeners close a while after the signal, and it is said twice.
func TestGrace(t *testing.T) {
	s := newSite(t, "grace 50ms")
	c := s.start("-db")
	s.up(c)
	c.signal(syscall.SIGUSR1)
	c.says(1, `Scheduling a soft-stop in 50 ms.`)
	c.says(1, `Grace period expired, proceeding with soft-stop now.`)
	c.says(1, `Proxy f stopped`)
	if status := c.ends(); status != 0 {
		t.Errorf("status %d", status)
	}
}
