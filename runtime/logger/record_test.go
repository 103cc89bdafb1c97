package logger

import (
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

var withoutCounter = strings.NewReplacer(" %(rt)rt", "", " rt=%{+Q}rt", "", " rt=%{+X}rt", "", " rt=%{+E}rt", "", " rt=%{-M}rt", "", " rt=%{+Q,+E,+X}rt", "")

func TestRecord(t *testing.T) {
	if *reference == "" {
		return // nothing is to be recorded
	}
	var each []string
	for i := range aliases {
		if n := aliases[i].Name; n != "H" {
			each = append(each, n)
		}
	}
	join := func(flags string) string {
		var b strings.Builder
		for _, n := range each {
			fmt.Fprintf(&b, "%s=%%{%s}%s ", n, flags, n)
		}
		return strings.TrimSpace(b.String())
	}
	encoded := "%{+json}o"
	for _, n := range each {
		encoded += " %(" + n + ")" + n
	}
	formats := []string{HTTPFormat, HTTPCLFFormat, TCPFormat, TCPCLFFormat, join("+Q"), join("+X"), join("+E"), join("-M"), join("+Q,+E,+X"), encoded}

	type scenario struct {
		name, extra, request string
		raw                  bool // the request cannot be read
		req, res             []string
	}
	captures := " capture request header host len 20\n capture request header x-a len 10\n capture response header x-b len 10\n capture cookie SID len 12\n"
	get := func(line string, headers ...string) string {
		return line + "\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
	}
	scenarios := []scenario{
		{"plain", captures + " default_backend b\n", get("GET /a/b?c=d HTTP/1.1", "Host: example.com", "X-A: 1"), false, []string{"example.com", "1"}, []string{"v|{}"}},
		{"odd bytes", captures + " default_backend b\n", get("GET /a\"{|}^~?q=\"# HTTP/1.1", "Host: e", "X-A: {\"|\xe9#}\\]", "Cookie: SID=a b; x=1"), true, nil, nil},
		{"quotes", captures + " default_backend b\n", get("GET /a\"{|}~?q=\"\\] HTTP/1.1", "Host: e", "X-A: {\"|#}\\]", "Cookie: SID=abc; x=1"), false, []string{"e", "{\"|#}\\]"}, []string{"v|{}"}},
		{"no header", captures + " default_backend b\n", get("HEAD / HTTP/1.0"), false, []string{"", ""}, []string{"v|{}"}},
		{"absolute", " default_backend b\n", get("GET http://e.com:8080/p?x HTTP/1.1", "Host: e.com:8080"), false, nil, nil},
		{"asterisk", " default_backend b\n", get("OPTIONS * HTTP/1.1", "Host: e.com"), false, nil, nil},
		{"returned", captures + " http-request return status 204\n", get("GET /x HTTP/1.1", "Host: e.com"), false, []string{"e.com", ""}, []string{""}},
		{"denied", " cookie SRV insert\n http-request deny\n", get("POST /x HTTP/1.1", "Host: e.com", "content-length: 3") + "abc", false, nil, nil},
		{"no server", " default_backend none\n", get("GET /x HTTP/1.1", "Host: e.com"), false, nil, nil},
		{"cookie", captures + " default_backend persist\n", get("GET /x HTTP/1.1", "Host: e.com", "Cookie: SID=12345678901234; SRV=s1"), false, []string{"e.com", ""}, []string{"v|{}"}},
		{"logasap", " option logasap\n default_backend b\n", get("GET /x HTTP/1.1", "Host: e.com"), false, nil, nil},
		{"junk", captures, "junk\r\n\r\n", true, []string{"", ""}, []string{""}},
		{"stats page", " stats enable\n stats uri /s\n", get("GET /s HTTP/1.1", "Host: e.com"), false, nil, nil},
		{"tcp", " mode tcp\n default_backend tb\n", get("GET /x HTTP/1.1", "Host: e.com"), false, nil, nil},
		{"tcp rejected", " mode tcp\n tcp-request content reject\n", get("GET /x HTTP/1.1", "Host: e.com"), false, nil, nil},
	}

	dir := t.TempDir()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			c.Read(b)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-b: v|{}\r\nset-cookie: SID=zz; path=/\r\n\r\nok")
			c.Close()
		}
	}()
	logs, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "log"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()

	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "global\n nbthread 1\n log-send-hostname box\n log %s/log len 8192 format rfc5424 local0\ndefaults\n mode http\n log global\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n", dir)
	for _, b := range []string{"b", "tb", "persist", "none"} {
		fmt.Fprintf(&cfg, "backend %s\n", b)
		switch b {
		case "tb":
			fmt.Fprint(&cfg, " mode tcp\n")
		case "persist":
			fmt.Fprint(&cfg, " cookie SRV insert indirect\n")
		}
		if b != "none" {
			fmt.Fprintf(&cfg, " server s1 %s cookie s1\n", server.Addr())
		}
	}
	type place struct {
		sock string
		golden
		scenario
	}
	var places []place
	for i, sc := range scenarios {
		for j, f := range formats {
			unix := j == 2 || j == 7 // hexadecimal addresses of UNIX sockets cut the reference's line
			if sc.raw {
				// The reference counts a request each time that it writes a format without a stream.
				f = withoutCounter.Replace(f)
			}
			addr := fmt.Sprintf("127.0.0.1:%d", 20000+100*i+j)
			if unix {
				addr = fmt.Sprintf("%s/%d-%d", dir, i, j)
			}
			tcp := strings.Contains(sc.extra, "mode tcp")
			kind := "frontend"
			if strings.Contains(sc.extra, "cookie SRV") {
				kind = "listen"
			}
			fmt.Fprintf(&cfg, "%s f%d.%d\n bind %s\n log-format %s\n log-format-sd %s\n%s", kind, i, j, addr, quote(everythingFormat()), quote(f), sc.extra)
			line, _, _ := strings.Cut(sc.request, "\r\n")
			if sc.raw || tcp {
				line = ""
			}
			places = append(places, place{addr, golden{Name: sc.name, HTTP: !tcp, Asap: sc.name == "logasap", Format: f, Line: line, ReqCaps: sc.req, ResCaps: sc.res, Unix: unix}, sc})
		}
	}
	file := filepath.Join(dir, "haproxy.cfg")
	os.WriteFile(file, []byte(cfg.String()), 0o644)
	cmd := exec.Command(*reference, "-db", "-f", file)
	errs := &bytes.Buffer{}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()

	out := &bytes.Buffer{}
	for i, p := range places {
		network := "tcp"
		if p.Unix {
			network = "unix"
		}
		var c net.Conn
		for try := 0; ; try++ {
			if c, err = net.Dial(network, p.sock); err == nil {
				break
			}
			if try > 300 {
				t.Fatal(err, errs)
			}
			time.Sleep(20 * time.Millisecond)
		}
		io.WriteString(c, p.request)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		b := make([]byte, 1<<16)
		c.Read(b)
		c.Close()
		logs.SetReadDeadline(time.Now().Add(3 * time.Second))
		n, err := logs.Read(b)
		if err != nil {
			t.Errorf("%d %s: %v", i, p.golden.Name, err)
			continue
		}
		g := p.golden
		g.Datagram = string(b[:n])
		line, _ := json.Marshal(g)
		out.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join("testdata", "lines.jsonl"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
