package logger

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"hapax/runtime"
)

// volatile are the parts of a message that differ from run to run.
var volatile = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d `), "LEGACY "},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d `), "ISO "},
	{regexp.MustCompile(`\[\d+\]: `), "[PID]: "},
	{regexp.MustCompile(`( tag|haproxy) \d+ - `), "$1 PID - "},
}

func mask(line string) string {
	for _, v := range volatile {
		line = v.from.ReplaceAllString(line, v.to)
	}
	return line
}

// syslogCase is one line of syslog.txt: what the log line says behind its address, and
// the masked message.
type syslogCase struct {
	host, words, want string
	pid               int // of as many digits as the recorded one, since they count for the limit
}

// syslogMessage is longer than the shortest limit.
const syslogMessage = "a message that is longer than what the shortest limit of eighty bytes lets through, so that it is cut"

func readSyslog(t *testing.T) (all []syslogCase) {
	data, err := os.ReadFile(filepath.Join("testdata", "syslog.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if f := strings.SplitN(line, "|", 4); len(f) == 4 {
			pid, _ := strconv.Atoi(f[0])
			all = append(all, syslogCase{f[1], f[2], f[3], pid})
		}
	}
	return all
}

func TestSyslog(t *testing.T) {
	for _, c := range readSyslog(t) {
		conn, target := listen(t)
		parsed, err := parseTarget(append([]string{target.Text}, strings.Fields(c.words)...), false, func(string) (runtime.Addr, bool, error) { return target.Addr, false, nil })
		if err != nil {
			t.Fatal(err)
		}
		px := &runtime.Proxy{Logs: []*runtime.LogTarget{parsed}, LogTag: "tag"}
		cfg := &runtime.Config{Proxies: []*runtime.Proxy{px}}
		cfg.Global.LogHost = c.host
		if err := Start(cfg, 1, nil); err != nil {
			t.Fatal(err)
		}
		cfg.Logger.(*Logger).pid = fmt.Append(nil, c.pid)
		Server(Info, px, "%s\n", syslogMessage)
		Server(Emerg, px, "end")
		b := make([]byte, 4096)
		n, _ := conn.Read(b)
		got := mask(string(b[:n]))
		if strings.HasSuffix(got, "end\n") {
			got = "" // the first one was not sent
		}
		if diff := cmp.Diff(c.want, strings.TrimSuffix(got, "\n")); diff != "" {
			t.Errorf("%s %s:\n%s", c.host, c.words, diff)
		}
		Stop(cfg)
	}
}

func TestRecordSyslog(t *testing.T) {
	if *reference == "" {
		return // nothing is to be recorded
	}
	out := &bytes.Buffer{}
	for _, host := range []string{"", "box"} {
		dir := t.TempDir()
		logs, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "log"), Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer logs.Close()
		words := []string{"local0", "local7 info", "daemon notice", "kern debug warning", "local0 info debug", "len 80 local0"}
		for _, f := range []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"} {
			words = append(words, "format "+f+" local1", "len 80 format "+f+" user debug notice")
		}
		var cfg strings.Builder
		fmt.Fprint(&cfg, "global\n nbthread 1\n")
		if host != "" {
			fmt.Fprintf(&cfg, " log-send-hostname %s\n", host)
		}
		fmt.Fprint(&cfg, "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n")
		for i, w := range words {
			fmt.Fprintf(&cfg, "frontend f%d\n bind unix@%s/%d\n log-tag tag\n log %s/log %s\n log-format '%s%%{-M}CC'\n http-request return status 200\n", i, dir, i, dir, w, syslogMessage)
		}
		file := filepath.Join(dir, "haproxy.cfg")
		os.WriteFile(file, []byte(cfg.String()), 0o644)
		cmd := exec.Command(*reference, "-db", "-f", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for i, w := range words {
			var c net.Conn
			for {
				if c, err = net.Dial("unix", fmt.Sprintf("%s/%d", dir, i)); err == nil {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			fmt.Fprint(c, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
			b := make([]byte, 4096)
			c.Read(b)
			c.Close()
			logs.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			n, _ := logs.Read(b)
			fmt.Fprintf(out, "%d|%s|%s|%s\n", cmd.Process.Pid, host, w, strings.TrimSuffix(mask(string(b[:n])), "\n"))
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	os.WriteFile(filepath.Join("testdata", "syslog.txt"), out.Bytes(), 0o644)
}

// TestPipe: lines to a descriptor never wait, are dropped and counted when nobody reads,
// and the descriptor stays as it was for whoever shares it.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd := int(w.Fd()) // puts it into blocking mode
	px := &runtime.Proxy{Logs: []*runtime.LogTarget{{FD: fd, Format: runtime.LogRaw, Level: Debug, MaxLen: 1024}}}
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{px}}
	if err := Start(cfg, 1, nil); err != nil {
		t.Fatal(err)
	}
	defer Stop(cfg)
	Server(Info, px, "first")
	for range 2000 {
		Server(Info, px, "%s", strings.Repeat("x", 900))
	}
	if n := cfg.Stats.DroppedLogs.Load(); n == 0 || n >= 2000 {
		t.Errorf("%d dropped", n)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
	b := make([]byte, 6)
	if _, err := r.Read(b); err != nil || string(b) != "first\n" {
		t.Errorf("%q %v", b, err)
	}
}

// TestFile: lines to a regular file go on where others wrote.
func TestFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprint(f, "before\n")
	px := &runtime.Proxy{Logs: []*runtime.LogTarget{{FD: int(f.Fd()), Format: runtime.LogRaw, Level: Debug, MaxLen: 1024}}}
	cfg := &runtime.Config{Proxies: []*runtime.Proxy{px}}
	if err := Start(cfg, 1, nil); err != nil {
		t.Fatal(err)
	}
	defer Stop(cfg)
	Server(Info, px, "line")
	fmt.Fprint(f, "after\n")
	got, _ := os.ReadFile(f.Name())
	if string(got) != "before\nline\nafter\n" {
		t.Errorf("%q", got)
	}
}

// TestSample: which of the messages are sent, as the manual's example has it.
func TestSample(t *testing.T) {
	s, err := parseSample("2-3,8-11:11")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for range 22 {
		if s.Take() {
			got += "x"
		} else {
			got += "."
		}
	}
	if want := ".xx....xxxx.xx....xxxx"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTargetErrors(t *testing.T) {
	for text, want := range map[string]string{
		"addr":                       "expects <address> and <facility> or global as arguments",
		"addr local8":                "unknown log facility 'local8'",
		"addr len 79 local0":         "invalid log length '79', must be between 80 and 65535",
		"addr format x local0":       "unknown log format 'x'",
		"addr sample 1 local0":       "Missing sample size",
		"addr sample 2-1:3 local0":   "wrong sample range '2-1'",
		"addr sample 1-3,2:5 local0": "ranges are overlapping",
		"addr sample 1-3:2 local0":   "sample size 2 should be greater or equal to 3 the maximum of the high ranges limits",
		"addr sample 1:x local0":     "wrong sample size 'x' for sample range '1'",
		"addr sample :3 local0":      "no sampling ranges given",
		"addr local0 loud":           "unknown optional log level 'loud'",
		"addr local0 info loud":      "unknown optional minimum log level 'loud'",
		"addr local0 info info more": "cannot handle unexpected argument 'more'",
	} {
		_, err := parseTarget(strings.Fields(text), false, func(string) (runtime.Addr, bool, error) { return runtime.Addr{}, false, nil })
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestDates(t *testing.T) {
	defer func(old *time.Location) { time.Local = old }(time.Local)
	time.Local = time.FixedZone("X", -(3*3600 + 30*60))
	var d dates
	at := int64(1709251199_987654) // the last second of a 29th of February, UTC
	for _, c := range []struct{ got, want string }{
		{string(d.zoned(at/1e6, true)), "29/Feb/2024:23:59:59 +0000"},
		{string(d.zoned(at/1e6, false)), "29/Feb/2024:20:29:59 -0330"},
		{string(d.milli(nil, at)), "29/Feb/2024:20:29:59.987"},
		{string(d.iso(nil, at)), "2024-02-29T20:29:59.987654-03:30"},
		{string(d.iso(nil, at+1e5)), "2024-02-29T20:30:00.087654-03:30"},
		{string(d.syslog(nil, at/1e6)), "Feb 29 20:29:59"},
		{string(d.syslog(nil, at/1e6+86400)), "Mar  1 20:29:59"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// FuzzRequestLine: whatever a client sends as its first line, each part of it can be told.
func FuzzRequestLine(f *testing.F) {
	for _, line := range []string{"GET /a?b HTTP/1.1", "GET", " / ", "GET http://x/y?z", "CONNECT a:1 HTTP/1.0", "a\tb\tc\td", "GET * HTTP/1.1", "? ?"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		b := []byte(line)
		if len(b) == 0 {
			return
		}
		for _, part := range []func([]byte) []byte{methodOf, uriOf, pathOf, pathOnlyOf, queryOf, versionOf} {
			got := part(b)
			if !bytes.Contains(b, got) && !bytes.Equal(got, badRequest) && !bytes.Equal(got, oldVersion) {
				t.Errorf("%q is no part of %q", got, line)
			}
		}
	})
}

// FuzzTarget: no log line makes the reader fail in another way than by an error.
func FuzzTarget(f *testing.F) {
	for _, c := range []string{"127.0.0.1:514 local0", "stdout len 100 format raw sample 1,3-4:10 local0 info notice", "x sample 1-:3 local0", "x sample 4294967296:3 local0"} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := parseTarget(strings.Fields(text), true, func(string) (runtime.Addr, bool, error) { return runtime.Addr{}, false, nil })
		if err == nil && target.Sample != nil {
			for range 100 {
				target.Sample.Take()
			}
		}
	})
}
