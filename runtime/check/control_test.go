package check_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/loop"
	"hapax/stats"
	"hapax/stats/command"
)

var _ command.ServerControl = (*check.Checks)(nil)

// TestControl runs commands on the servers of testdata/control/*.txtar: the messages
// behind each command and the states at the end must be the reference's.
func TestControl(t *testing.T) {
	files, _ := filepath.Glob("testdata/control/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		port := strconv.Itoa(serve(t, "wait").port)
		text, commands := strings.ReplaceAll(string(a.Files[0].Data), "PORT", port), strings.Split(strings.TrimSpace(string(a.Files[1].Data)), "\n")
		var got string
		if *record != "" {
			got = controlReference(t, text, commands)
			a.Files = append(a.Files[:2], txtar.File{Name: "messages", Data: []byte(got)})
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := control(t, text, commands)
			if diff := cmp.Diff(string(a.Files[2].Data), got); diff != "" {
				t.Errorf("(-reference +got):\n%s", diff)
			}
		})
	}
}

func around(text string) string {
	return "global\n nbthread 1\n maxconn 100\ndefaults\n timeout connect 1s\n timeout server 1s\n timeout client 1s\n" + text
}

// control runs the commands and tells what each printed, and the states at the end.
func control(t *testing.T, text string, commands []string) string {
	cfg := load(t, around(text))
	p := &printed{}
	c := run(t, loop.Epoll, cfg, check.Options{Print: p.print})
	var out strings.Builder
	for _, line := range commands {
		obey(t, c, cfg, line)
		p.Lock()
		out.WriteString("> " + line + "\n" + strings.Join(p.lines, ""))
		p.lines = nil
		p.Unlock()
	}
	for _, px := range cfg.Proxies {
		for _, srv := range px.Servers {
			fmt.Fprintf(&out, "%s/%s %s weight %d\n", px.Name, srv.Name, stats.ServerStatus(srv), srv.UserWeight.Load())
		}
	}
	return out.String()
}

// obey does what a line of the stats socket asks for.
func obey(t *testing.T, c *check.Checks, cfg *runtime.Config, line string) {
	w := strings.Fields(line)
	if w[0] != "set" {
		w = append([]string{"set"}, w[1], w[2], w[0])
	}
	back, name, _ := strings.Cut(w[2], "/")
	srv := cfg.Proxy(back).ServerByName([]byte(name))
	switch what := strings.Join(w[3:], " "); what {
	case "state maint", "disable":
		c.SetMaint(srv)
	case "state drain":
		c.SetDrain(srv)
	case "state ready", "enable":
		c.SetReady(srv)
	case "health up":
		c.SetHealth(srv, runtime.ServerRunning, "CLI")
	case "health stopping":
		c.SetHealth(srv, runtime.ServerStopping, "CLI")
	case "health down":
		c.SetHealth(srv, runtime.ServerStopped, "CLI")
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(what, "weight "))
		if err != nil {
			t.Fatalf("%q", line)
		}
		c.SetWeight(srv, n)
	}
}

// controlReference does the same with the reference.
func controlReference(t *testing.T, text string, commands []string) string {
	dir := t.TempDir()
	sock := filepath.Join(dir, "s")
	text = strings.Replace(around(text), "global\n", "global\n stats socket "+sock+" level admin\n", 1) +
		fmt.Sprintf("\nlisten front\n bind 127.0.0.1:%d\n", deadPort(t))
	file, errors := filepath.Join(dir, "haproxy.cfg"), filepath.Join(dir, "err")
	os.WriteFile(file, []byte(text), 0o644)
	cmd := exec.Command(*record, "-db", "-f", file)
	out, _ := os.Create(errors)
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	ask := func(line string) string {
		for {
			conn, err := net.Dial("unix", sock)
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			defer conn.Close()
			fmt.Fprintln(conn, line)
			var b strings.Builder
			buf := make([]byte, 65536)
			for {
				n, err := conn.Read(buf)
				b.Write(buf[:n])
				if err != nil {
					return b.String()
				}
			}
		}
	}
	ask("show info")
	seen := 0
	said := func() (new string) {
		data, _ := os.ReadFile(errors)
		for _, line := range strings.SplitAfter(string(data[seen:]), "\n") {
			if m := about.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				new += normal(m[1], m[2])
			}
		}
		seen = len(data)
		return new
	}
	said()
	result := ""
	for _, line := range commands {
		ask(line)
		time.Sleep(20 * time.Millisecond)
		result += "> " + line + "\n" + said()
	}
	for _, line := range strings.Split(ask("show stat"), "\n") {
		f := strings.Split(line, ",")
		if len(f) > 20 && f[1] != "BACKEND" && f[1] != "FRONTEND" && f[0] != "# pxname" {
			weight := strings.Fields(ask("get weight " + f[0] + "/" + f[1]))
			result += fmt.Sprintf("%s/%s %s weight %s\n", f[0], f[1], f[17], weight[0])
		}
	}
	return result
}
