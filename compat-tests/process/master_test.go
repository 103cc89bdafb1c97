package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func regexpQuote(text string) string { return regexp.QuoteMeta(text) }

// The line of Debian's unit file, with a service manager that listens.
func TestUnitFile(t *testing.T) {
	for _, kind := range []string{"path", "abstract"} {
		t.Run(kind, func(t *testing.T) {
			s := newSite(t, "")
			name := s.path("notify.sock")
			if kind == "abstract" {
				name = fmt.Sprintf("@hapax-test-%d", os.Getpid())
			}
			n := s.notices(name)
			c := s.startWith(func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+name) },
				"-Ws", "-p", s.path("haproxy.pid"), "-S", s.path("master.sock"))
			ready := fmt.Sprintf("READY=1\nMAINPID=%d\nSTATUS=Ready.\n", c.cmd.Process.Pid)
			n.expect(ready)
			s.serves()
			if pid, err := os.ReadFile(s.path("haproxy.pid")); string(pid) != strconv.Itoa(c.cmd.Process.Pid)+"\n" {
				t.Errorf("pid file: %q, %v", pid, err)
			}
			c.signal(syscall.SIGUSR2)
			n.expect(`RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC=\d+\n`)
			n.expect(ready)
			s.serves()
			s.spoil("bad")
			c.signal(syscall.SIGUSR2)
			n.expect(`RELOADING=1\n.*`)
			n.expect("READY=1\nSTATUS=Reload failed!\n")
			s.serves()
			c.signal(syscall.SIGTERM)
			n.expect("STOPPING=1")
			if status := c.ends(); status != 0 {
				t.Errorf("status %d", status)
			}
		})
	}
}

// worker is the process number of a worker in "show proc": the line of the section.
func worker(proc, section string) string {
	_, rest, _ := strings.Cut(proc, section+"\n")
	pid, _, _ := strings.Cut(rest, " ")
	return pid
}

func TestMasterSocket(t *testing.T) {
	s := newSite(t, "")
	c := s.start("-W", "-db", "-S", s.path("master.sock")+",mode,600,level,operator")
	c.says(1, "Loading success.")
	if info, err := os.Stat(s.path("master.sock")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if got := s.ask("master.sock", "show version"); got != "3.4.0\n\n" {
		t.Errorf("show version: %q", got)
	}
	if got := s.ask("master.sock", "show cli level"); got != "operator\n\n" {
		t.Errorf("show cli level: %q", got)
	}
	if got := s.ask("master.sock", "help"); !strings.Contains(got, "\n  reload                                  : achieve a soft-reload (-sf) of haproxy\n") {
		t.Errorf("help: %q", got)
	}
	first := s.ask("master.sock", "show proc")
	if !regexp.MustCompile(`^#<PID>          <type>          <reloads>       <uptime>        <version>      \n` +
		`\d+ +master          0 \[failed: 0\]   0d00h00m\d\ds     3.4.0          \n# workers\n` +
		`\d+ +worker          0               0d00h00m\d\ds     3.4.0          \n\n$`).MatchString(first) {
		t.Errorf("show proc: %q", first)
	}
	good := s.ask("master.sock", "reload")
	if !strings.HasPrefix(good, "Success=1\n--\n[NOTICE]   (") || !strings.Contains(good, "Loading success.\n") {
		t.Errorf("reload: %q", good)
	}
	second := s.ask("master.sock", "show proc")
	if worker(second, "# workers") == worker(first, "# workers") {
		t.Errorf("the worker stays: %q", second)
	}
	gone(t, atoi(worker(first, "# workers")))
	c.says(1, `Former worker`)
	if log := s.ask("master.sock", "show startup-logs"); !strings.Contains(log, " exited with code 0 (Exit)\n") {
		t.Errorf("startup log: %q", log)
	}

	s.spoil("bad")
	bad := s.ask("master.sock", "reload")
	if !strings.HasPrefix(bad, "Success=0\n--\n") || !strings.Contains(bad, "unknown keyword 'bad'") {
		t.Errorf("failed reload: %q", bad)
	}
	third := s.ask("master.sock", "show proc")
	if worker(third, "# old workers") != worker(second, "# workers") || !strings.Contains(third, "2 [failed: 1]") {
		t.Errorf("after a failed reload: %q", third)
	}
	s.serves()
	if prompt := s.ask("master.sock", "prompt\nshow version"); prompt != "master[ReloadFailed]> 3.4.0\n\nmaster[ReloadFailed]> " {
		t.Errorf("prompt: %q", prompt)
	}

	s.ask("master.sock", "reload")
	if fourth := s.ask("master.sock", "show proc"); !strings.Contains(fourth, "3 [failed: 1]") {
		t.Errorf("after another failed reload: %q", fourth)
	}

	// Not even the first pass: the file is not there.
	os.Rename(s.path("haproxy.cfg"), s.path("away.cfg"))
	if lost := s.ask("master.sock", "reload"); !strings.HasPrefix(lost, "Success=0\n") || !strings.Contains(lost, "Already running worker will be kept.") {
		t.Errorf("reload without a file: %q", lost)
	}
	s.serves()
	c.signal(syscall.SIGUSR1)
	if status := c.ends(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// A quiet start says nothing, but the answer to a reload has what its worker said.
func TestQuietReload(t *testing.T) {
	s := newSite(t, "")
	n := s.notices(s.path("notify.sock"))
	c := s.startWith(func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.path("notify.sock")) },
		"-Ws", "-q", "-S", s.path("master.sock"))
	n.expect(`READY=1\n.*`)
	s.spoil("bad")
	if bad := s.ask("master.sock", "reload"); !strings.Contains(bad, "haproxy version is ") || !strings.Contains(bad, "unknown keyword 'bad'") {
		t.Errorf("failed reload: %q", bad)
	}
	if said := c.said(); said != "" {
		t.Errorf("said %q", said)
	}
}

// What the master has said of the version and the path, its worker does not say again.
func TestIntroducedOnce(t *testing.T) {
	s := newSite(t, "\n  pidfile DIR/pid")
	c := s.start("-W", "-p", s.path("other.pid"))
	c.says(1, "Loading success.")
	if n := strings.Count(c.said(), "haproxy version is "); n != 1 {
		t.Errorf("introduced %d times: %q", n, c.said())
	}
}

func atoi(text string) int { n, _ := strconv.Atoi(text); return n }

// A worker that crashes ends the master with its status.
func TestCrash(t *testing.T) {
	s := newSite(t, "")
	c := s.start("-W", "-db")
	pid := c.says(1, `Initializing new worker \((\d+)\)`)
	c.says(1, "Loading success.")
	syscall.Kill(atoi(pid), syscall.SIGSEGV)
	if status := c.ends(); status != 139 {
		t.Errorf("status %d", status)
	}
	c.says(1, `Current worker \(`+pid+`\) exited with code 139 \(Segmentation fault\)`)
	c.says(1, `exit-on-failure: killing every processes with SIGTERM`)
	c.says(1, `All workers exited. Exiting... \(139\)`)
}

// A worker does not outlive its master.
func TestMasterKilled(t *testing.T) {
	s := newSite(t, "")
	c := s.start("-W", "-db")
	pid := c.says(1, `Initializing new worker \((\d+)\)`)
	c.says(1, "Loading success.")
	c.signal(syscall.SIGKILL)
	gone(t, atoi(pid))
}

// As the first process of a container: HUP reloads, USR1 stops, children are collected.
func TestContainer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a process namespace")
	}
	s := newSite(t, "")
	c := s.startWith(func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID} }, "-W", "-db")
	c.says(1, "Loading success.")
	s.serves()
	for i := 2; i <= 4; i++ {
		c.signal(syscall.SIGHUP)
		c.says(i, "Loading success.")
		c.says(i-1, `Former worker \(\d+\) exited with code 0 \(Exit\)`)
		s.serves()
	}
	c.signal(syscall.SIGUSR1)
	if status := c.ends(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// unlingering makes connections that leave no port behind in TIME_WAIT: there would
// be too many of them.
func unlingering(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		c.(*net.TCPConn).SetLinger(0)
	}
	return c, err
}

// No request fails while workers are replaced: neither those of new connections
// nor those of kept ones.
func TestReloadUnderLoad(t *testing.T) { onBothLoops(t, reloadUnderLoad) }

func reloadUnderLoad(t *testing.T, newSite func(string) *site) {
	s := newSite("")
	c := s.start("-W", "-db")
	c.says(1, "Loading success.")
	var served, failed atomic.Int64
	var failure atomic.Value
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0, DialContext: unlingering}, Timeout: patience}
			for failed.Load() == 0 {
				select {
				case <-stop:
					return
				default:
				}
				res, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", s.port))
				if err == nil {
					var body []byte
					if body, err = io.ReadAll(res.Body); err == nil && string(body) != "hello" {
						err = fmt.Errorf("status %d, %q", res.StatusCode, body)
					}
					res.Body.Close()
				}
				if err != nil {
					failed.Add(1)
					failure.Store(err.Error())
					continue
				}
				served.Add(1)
			}
		}()
	}
	for i := range *reloads {
		before := served.Load()
		for served.Load() < before+50 && failed.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		c.signal(syscall.SIGUSR2)
		c.says(i+2, "Loading success.")
		c.says(i+1, `Former worker \(\d+\) exited with code 0 \(Exit\)`)
	}
	close(stop)
	clients.Wait()
	t.Logf("%d requests during %d reloads, %d failed", served.Load(), *reloads, failed.Load())
	if n := failed.Load(); n > 0 {
		t.Errorf("%d failed, the last: %v", n, failure.Load())
	}
}

// A request that is under way when the worker is replaced is answered by the old
// one, which then closes its connection.
func TestReloadLetsRequestsEnd(t *testing.T) { onBothLoops(t, reloadLetsRequestsEnd) }

func reloadLetsRequestsEnd(t *testing.T, newSite func(string) *site) {
	s := newSite("")
	slow, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	s.write(strings.Replace(string(text), "  http-request return status 200 content-type text/plain string hello\n",
		"  default_backend b\nbackend b\n  server s "+slow.Addr().String()+"\n", 1))
	c := s.start("-W", "-db")
	c.says(1, "Loading success.")
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
	server, err := slow.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c.signal(syscall.SIGUSR2)
	c.says(2, "Loading success.")
	c.says(1, `Proxy f stopped \(cumulated conns: FE: 1, BE: 0\).`)
	fmt.Fprintf(server, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if string(body) != "hello" || !res.Close {
		t.Errorf("answered %q, close %v", body, res.Close)
	}
	c.says(1, `Former worker \(\d+\) exited with code 0 \(Exit\)`)
}
