package cookie

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reference names a HAProxy 3.4.0 binary: with it, the goldens are recorded again.
var reference = flag.String("reference", "", "HAProxy binary to record testdata from")

func TestRecord(t *testing.T) {
	if *reference == "" {
		return // nothing is to be recorded
	}
	modes := [][]string{
		{"cookie SRV insert"}, {"cookie SRV insert indirect"}, {"cookie SRV insert indirect nocache"}, {"cookie SRV insert postonly"},
		{"cookie SRV insert indirect preserve"}, {"cookie SRV rewrite"}, {"cookie SRV prefix"}, {"cookie SRV"}, {"cookie SRV indirect"},
		{"cookie SRV prefix indirect"}, {"cookie SRV insert httponly secure domain .a.example domain b.example attr X attr Y=1"},
		{"cookie SRV insert indirect maxidle 30s maxlife 5m"}, {"cookie SRV insert maxidle 30s"}, {"cookie SRV insert maxlife 60s"},
		{"cookie SRV insert dynamic", "dynamic-cookie-key key"}, {"cookie SRV insert indirect", "option persist"},
	}
	requests := [][]string{
		nil, {"SRV=A"}, {"SRV=B; x=1"}, {"x=1; SRV=B"}, {"x=1; SRV=B; y=2"}, {"x = 1 ;SRV = B  ; y=2"}, {"x=1;SRV=B;y=2"}, {"SRV=Z"}, {"SRV=E"}, {"SRV="},
		{"SRV"}, {"x; SRV=B; y"}, {"$Version=1; SRV=B; $Path=/; x=1"}, {"SRV=B, x=1"}, {`SRV="B"; x="a;b"`}, {"SRV=A~orig; z=1"}, {"SRV=B~"}, {"z=1; SRV=B~o"},
		{"SRV=B", "x=1; SRV=A"}, {"SRV=A; SRV=B; x=1"}, {"x=1; SRV=A; SRV=B"}, {";SRV=B"}, {"SRV=B;"}, {"APP=abc; SRV=B"}, {"y=2; APPLE=1234567890123456789"},
	}
	dated := [][]string{{"SRV=B|{10}"}, {"SRV=B|{100}"}, {"SRV=B|{10}|{20}"}, {"SRV=B|{10}|{1000}"}, {"SRV=B|{-1000}"}, {"SRV=B|{-100000}"}, {"SRV=B|bad*"}, {"x=1; SRV=B||{10}"}, {"SRV=E|{10}"}}
	sets := []string{"SRV=x; path=/", "SRV = x ; path=/", "APP=zzz; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "SRV", "other=1"}

	var all []golden
	add := func(g golden) { all = append(all, g) }
	for _, m := range modes {
		for _, r := range requests {
			add(golden{Lines: m, Method: "GET", Cookies: r})
		}
		for _, r := range [][]string{nil, {"SRV=B"}} {
			for _, set := range sets {
				add(golden{Lines: m, Method: "GET", Cookies: r, Set: set, ETag: true})
			}
			add(golden{Lines: m, Method: "POST", Cookies: r})
			add(golden{Lines: m, Method: "GET", Cookies: r, ETag: true})
			add(golden{Lines: m, Method: "GET", Cookies: r, Use: "s3", Set: sets[0]})
			add(golden{Lines: m, Method: "GET", Cookies: r, Use: "s2"})
		}
		for _, p := range []string{"force", "ignore"} {
			add(golden{Lines: m, Method: "GET", Cookies: []string{"SRV=E; x=1"}, Persist: p, Set: sets[0]})
			add(golden{Lines: m, Method: "GET", Cookies: []string{"SRV=B"}, Persist: p})
		}
		if strings.Contains(m[0], "max") || m[0] == "cookie SRV insert" {
			for _, r := range dated {
				add(golden{Lines: m, Method: "GET", Cookies: r})
			}
		}
	}
	record(t, modes, all)
	out := &bytes.Buffer{}
	for _, g := range all {
		line, _ := json.Marshal(g)
		out.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join("testdata", "exchanges.jsonl"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// record plays the exchanges through the reference, between a client and servers that are this test.
func record(t *testing.T, modes [][]string, all []golden) {
	dir := t.TempDir()
	seen := make(chan []string, 10)
	for i := range 5 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:8997", 31+i))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go serve(l, fmt.Sprintf("s%d", i+1), seen)
	}
	logs, err := net.ListenPacket("unixgram", filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()

	var cfg strings.Builder
	fmt.Fprintf(&cfg, "global\n nbthread 1\n log %s/log format raw local0\ndefaults\n mode http\n log global\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"+
		"frontend f\n bind unix@%s/f\n capture cookie APP len 12\n log-format \"%%tsc %%CC %%CS\"\n use_backend %%[req.hdr(x-be)]\n", dir, dir)
	for i, m := range modes {
		fmt.Fprintf(&cfg, "backend b%d\n balance first\n force-persist if { req.hdr(x-persist) force }\n ignore-persist if { req.hdr(x-persist) ignore }\n", i)
		fmt.Fprintf(&cfg, " use-server s2 if { req.hdr(x-use) s2 }\n use-server s3 if { req.hdr(x-use) s3 }\n %s\n", strings.Join(m, "\n "))
		for j, c := range []string{"cookie A", "cookie B", "", "cookie A backup", "cookie E disabled"} {
			fmt.Fprintf(&cfg, " server s%d 127.0.0.%d:8997 %s\n", j+1, 31+j, c)
		}
	}
	file := filepath.Join(dir, "haproxy.cfg")
	os.WriteFile(file, []byte(cfg.String()), 0o644)
	cmd := exec.Command(*reference, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()

	index := map[string]int{}
	for i, m := range modes {
		index[fmt.Sprint(m)] = i
	}
	for i := range all {
		all[i].play(t, filepath.Join(dir, "f"), index[fmt.Sprint(all[i].Lines)])
		got := <-seen
		all[i].Server, all[i].Seen = got[0], got[1:]
		if len(all[i].Seen) == 0 {
			all[i].Seen = nil
		}
		b := make([]byte, 1000)
		n, _, err := logs.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		all[i].Log = strings.TrimSpace(string(b[:n]))
	}
}

// play sends the request and keeps the answer.
func (g *golden) play(t *testing.T, sock string, mode int) {
	var c net.Conn
	for {
		var err error
		if c, err = net.Dial("unix", sock); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	defer c.Close()
	g.Now = time.Now().Unix()
	cookies := make([]string, len(g.Cookies))
	for i, v := range g.Cookies {
		cookies[i] = dateIn(v, g.Now)
	}
	if len(cookies) > 0 {
		g.Cookies = cookies
	}
	fmt.Fprintf(c, "%s / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\nx-be: b%d\r\n", g.Method, mode)
	for name, v := range map[string]string{"x-use": g.Use, "x-persist": g.Persist, "x-set": g.Set} {
		if v != "" {
			fmt.Fprintf(c, "%s: %s\r\n", name, v)
		}
	}
	if g.ETag {
		fmt.Fprint(c, "x-etag: 1\r\n")
	}
	for _, v := range g.Cookies {
		fmt.Fprintf(c, "cookie: %s\r\n", v)
	}
	fmt.Fprint(c, "\r\n")
	data, _ := io.ReadAll(c)
	for _, line := range strings.Split(string(data), "\r\n") {
		if strings.HasPrefix(line, "set-cookie: ") || strings.HasPrefix(line, "cache-control: ") {
			g.Headers = append(g.Headers, line)
		}
	}
}

// dateIn puts dates in the place of {seconds ago}.
func dateIn(v string, now int64) string {
	for {
		i := strings.IndexByte(v, '{')
		if i < 0 {
			return v
		}
		j := strings.IndexByte(v, '}')
		var ago int64
		fmt.Sscan(v[i+1:j], &ago)
		v = v[:i] + string(appendDate(nil, (now-ago)>>2)) + v[j+1:]
	}
}

// serve answers requests and tells what cookies they had.
func serve(l net.Listener, name string, seen chan<- []string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			got, answer := []string{name}, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n"
			for sc := bufio.NewScanner(c); sc.Scan() && sc.Text() != ""; {
				key, v, _ := strings.Cut(sc.Text(), ": ")
				switch key {
				case "cookie":
					got = append(got, v)
				case "x-set":
					answer += "set-cookie: " + v + "\r\n"
				case "x-etag":
					answer += "etag: x\r\n"
				}
			}
			fmt.Fprint(c, answer+"\r\n")
			seen <- got
		}()
	}
}
