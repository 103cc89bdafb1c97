package ssl

import (
	"bytes"
	goflag "flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hapax/runtime"
	"hapax/stats/cli"
)

var (
	reference = goflag.String("haproxy", "", "ask this HAProxy instead of hapax")
	record    = goflag.Bool("record", false, "with -haproxy: write what it answers into the golden files")
)

// TestCommands replays commands on certificates that were recorded from HAProxy 3.4.0, and
// compares all answers. "<<FILE" stands for a payload, "<<=text" for one of one line.
func TestCommands(t *testing.T) {
	const golden = "testdata/commands.txt"
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	golden_, _ := filepath.Abs(golden)
	title, rest, _ := strings.Cut(string(data), "\n> ")
	var commands, want []string
	for _, c := range strings.Split(rest, "\n> ") {
		command, answer, _ := strings.Cut(c, "\n")
		commands, want = append(commands, command), append(want, answer)
	}
	t.Chdir("testdata")
	t.Setenv("SSL_CERT_DIR", "certs/system")
	text, err := os.ReadFile("commands.cfg")
	if err != nil {
		t.Fatal(err)
	}
	asker := commandAsker
	if *reference != "" {
		asker = referenceAsker
	}
	ask := asker(t, string(text))
	var out strings.Builder
	out.WriteString(title)
	for i, command := range commands {
		got := strings.TrimRight(ask(commandBytes(t, command)), "\n")
		out.WriteString("\n> " + command + "\n" + got)
		if *record {
			continue
		}
		if d := cmp.Diff(strings.Split(strings.TrimRight(want[i], "\n"), "\n"), strings.Split(got, "\n")); d != "" {
			t.Errorf("%s (-recorded +now)\n%s", command, d)
		}
	}
	if *record {
		os.WriteFile(golden_, []byte(out.String()+"\n"), 0o666)
	}
}

// commandBytes is what is sent for a command.
func commandBytes(t testing.TB, command string) string {
	line, payload, has := strings.Cut(command, " <<")
	if !has {
		return command + "\n"
	}
	if text, ok := strings.CutPrefix(payload, "="); ok {
		return line + " <<\n" + text + "\n\n"
	}
	text, err := os.ReadFile(payload)
	if err != nil {
		t.Fatal(err)
	}
	return line + " <<\n" + strings.TrimRight(string(text), "\n") + "\n\n"
}

// running is the owner of a connection to a stats socket.
type running struct{ cfg *runtime.Config }

func (r running) RunningConfig() *runtime.Config { return r.cfg }

// commandAsker asks hapax.
func commandAsker(t testing.TB, text string) func(string) string {
	cfg, said := load(t, text)
	if cfg == nil {
		t.Fatal(said)
	}
	table, err := cli.NewTable(commands())
	if err != nil {
		t.Fatal(err)
	}
	return func(command string) string {
		c := &cli.Conn{Table: table, Owner: running{cfg}, Level: cli.Admin}
		c.Feed([]byte(command))
		c.EndInput()
		var out bytes.Buffer
		for {
			c.Advance()
			out.Write(c.Output())
			c.Sent(len(c.Output()))
			if c.Over() {
				return out.String()
			}
		}
	}
}

// referenceAsker asks the real program.
func referenceAsker(t testing.TB, text string) func(string) string {
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	text = strings.Replace(text, "maxconn 100\n", "stats socket "+socket+" level admin\n", 1) // the lines keep their numbers
	text = strings.ReplaceAll(text, "unix@", "unix@"+dir+"/")
	file := filepath.Join(dir, "g.cfg")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(*reference, "-f", file, "-db")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return func(command string) string {
		for end := time.Now().Add(10 * time.Second); ; {
			c, err := net.Dial("unix", socket)
			if err == nil {
				io.WriteString(c, command)
				answer, _ := io.ReadAll(c)
				c.Close()
				return strings.ReplaceAll(string(answer), dir+"/", "")
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
}
