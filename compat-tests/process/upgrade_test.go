package process

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// other is a program to take over from and to leave to: the real one that HAPROXY
// names, or else a second installation of this one.
func other() string { return cmp.Or(os.Getenv("HAPROXY"), program) }

// socketInode identifies the listening socket of the frontend.
func (s *site) socketInode() string {
	s.t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		s.t.Fatal(err)
	}
	address := fmt.Sprintf("0100007F:%04X", s.port)
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[1] == address && f[3] == "0A" {
			return f[9]
		}
	}
	s.t.Fatal("nobody listens")
	return ""
}

// A socket goes from one program to the other and is never closed.
func TestTakeOver(t *testing.T) {
	for _, pair := range [][2]string{{other(), program}, {program, other()}} {
		s := newSite(t, "pidfile DIR/daemon.pid")
		launch := func(path string, args ...string) int {
			if out, err := exec.Command(path, append([]string{"-q", "-D", "-f", s.path("haproxy.cfg")}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", path, err, out)
			}
			text, _ := os.ReadFile(s.path("daemon.pid"))
			return atoi(strings.TrimSpace(string(text)))
		}
		old := launch(pair[0])
		before := s.socketInode()
		young := launch(pair[1], "-x", s.path("stats.sock"), "-sf", strconv.Itoa(old))
		gone(t, old)
		if after := s.socketInode(); after != before {
			t.Errorf("%v: socket %s, then %s", pair, before, after)
		}
		s.serves()
		syscall.Kill(young, syscall.SIGTERM)
		gone(t, young)
	}
}

// A master executes what its path leads to: a new version of the program, or the
// other program, takes over with a reload.
func TestUpgrade(t *testing.T) {
	for _, pair := range [][2]string{{other(), program}, {program, other()}} {
		s := newSite(t, "")
		path := s.path("haproxy")
		install := func(from string) {
			if err := exec.Command("cp", from, path+".new").Run(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
		install(pair[0])
		c := s.startWith(func(cmd *exec.Cmd) { cmd.Path, cmd.Args[0] = path, path }, "-W", "-db", "-S", s.path("master.sock"))
		c.says(1, "Loading success.")
		before := s.socketInode()
		install(pair[1])
		c.signal(syscall.SIGUSR2)
		c.says(2, "Loading success.")
		c.says(1, `Former worker \(\d+\) exited with code 0 \(Exit\)`)
		if after := s.socketInode(); after != before {
			t.Errorf("%v: socket %s, then %s", pair, before, after)
		}
		s.serves()
		c.signal(syscall.SIGTERM)
		if status := c.ends(); status != 0 {
			t.Errorf("%v: status %d", pair, status)
		}
	}
}

// Descriptors that the user opened keep their numbers in daemons and workers, also
// after a reload.
func TestGivenDescriptor(t *testing.T) {
	s := newSite(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	mf, err := m.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer mf.Close()
	text, _ := os.ReadFile(s.path("haproxy.cfg"))
	s.write(strings.Replace(string(text), "127.0.0.1:"+strconv.Itoa(s.port), "fd@3", 1))
	c := s.startWith(func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{f, mf} }, "-W", "-db", "-S", "fd@4")
	c.says(1, "Loading success.")
	s.serves()
	for i := 2; i <= 3; i++ {
		c.signal(syscall.SIGUSR2)
		c.says(i, "Loading success.")
		s.serves()
	}
	conn, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "show version;quit\n")
	answer := make([]byte, 100)
	if n, err := conn.Read(answer); !strings.HasPrefix(string(answer[:n]), "3.4.0-") {
		t.Errorf("the master answers %q, %v", answer[:n], err)
	}
}

// A configuration that comes through a pipe is there for the worker too.
func TestPipedConfiguration(t *testing.T) {
	s := newSite(t, "")
	text, err := os.ReadFile(s.path("haproxy.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	c := s.startWith(func(cmd *exec.Cmd) {
		cmd.Args[len(cmd.Args)-1] = "/dev/stdin"
		cmd.Stdin = bytes.NewReader(text)
	}, "-W", "-db")
	c.says(1, "Loading success.")
	s.serves()
}
