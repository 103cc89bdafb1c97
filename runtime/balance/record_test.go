package balance

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// reference names a HAProxy 3.4.0 binary: with it, the goldens are recorded again.
var reference = flag.String("reference", "", "HAProxy binary to record testdata from")

// recorder runs the reference between a client and servers that are this test.
type recorder struct {
	t       *testing.T
	dir     string
	port    string // of the servers, on 127.0.0.11 and so on
	rawPort string
	arrived chan int
	mu      sync.Mutex
	gate    chan struct{} // requests are answered once it is closed
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{t: t, dir: t.TempDir(), arrived: make(chan int, 1000), gate: make(chan struct{})}
	close(r.gate)
	r.port, r.rawPort = "8999", "8998"
	for i := range 5 {
		host := fmt.Sprintf("127.0.0.%d", 11+i)
		l, err := net.Listen("tcp", net.JoinHostPort(host, r.port))
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			io.Copy(io.Discard, q.Body)
			r.mu.Lock()
			gate := r.gate
			r.mu.Unlock()
			r.arrived <- i + 1
			<-gate
			fmt.Fprint(w, i+1)
		})}
		go srv.Serve(l)
		t.Cleanup(func() { srv.Close() })
		raw, err := net.Listen("tcp", net.JoinHostPort(host, r.rawPort))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Close() })
		go func() {
			for {
				c, err := raw.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(c, i+1)
				c.Close()
			}
		}()
	}
	return r
}

// start runs the reference and waits until it listens.
func (r *recorder) start(cfg string) (stop func()) {
	file := filepath.Join(r.dir, "haproxy.cfg")
	os.WriteFile(file, []byte(cfg), 0o644)
	cmd := exec.Command(*reference, "-db", "-f", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for {
		c, err := net.Dial("unix", r.sock("cli"))
		if err == nil {
			c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() { cmd.Process.Kill(); cmd.Wait() }
}

func (r *recorder) sock(name string) string { return filepath.Join(r.dir, name+".sock") }

func (r *recorder) head() string {
	return fmt.Sprintf("global\n nbthread 1\n stats socket %s level admin\ndefaults\n mode http\n timeout client 30s\n timeout server 30s\n timeout connect 5s\n"+
		"frontend f\n bind unix@%s\n http-request set-src hdr(x-src)\n use_backend %%[req.hdr(x-be)]\n", r.sock("cli"), r.sock("f"))
}

func (r *recorder) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableCompression: true,
		Dial: func(string, string) (net.Conn, error) { return net.Dial("unix", r.sock("f")) }}}
}

func (q *goldenRequest) http(backend string) *http.Request {
	req, err := http.NewRequest(q.Method, "http://x"+q.URI, strings.NewReader(q.Body))
	if err != nil {
		panic(err)
	}
	if q.Body == "" {
		req.Body = nil
	}
	req.Host = q.Host
	req.Header.Set("x-be", backend)
	req.Header.Set("x-src", q.Src.String())
	if q.ID != "" {
		req.Header.Set("x-id", q.ID)
	}
	return req
}

func TestRecord(t *testing.T) {
	if *reference == "" {
		return // nothing is to be recorded
	}
	t.Run("hash", recordHash)
	t.Run("sequences", recordSequences)
}

type combo struct{ algo, kind, key string }

func combos() (all []combo) {
	algos := []string{"source", "uri", "uri len 12", "uri depth 2", "uri whole", "uri path-only", "url_param id check_post", "hdr(x-id)",
		"hdr(host) use_domain_only", "hash req.hdr(x-id)", "hash src", "rdp-cookie"}
	for _, method := range []string{"map-based", "consistent"} {
		kinds := []string{method}
		for _, f := range []string{"sdbm", "djb2", "wt6", "crc32", "none"} {
			kinds = append(kinds, method+" "+f, method+" "+f+" avalanche")
		}
		for _, kind := range kinds {
			for _, algo := range algos {
				all = append(all, combo{algo, kind, ""})
			}
		}
	}
	for _, key := range []string{"id32", "guid", "addr", "addr-port"} {
		all = append(all, combo{"uri", "consistent", key})
	}
	return all
}

func recordHash(t *testing.T) {
	r := newRecorder(t)
	var cfg strings.Builder
	cfg.WriteString(r.head())
	for i, c := range combos() {
		port := r.port
		if c.algo == "rdp-cookie" {
			port = r.rawPort
			fmt.Fprintf(&cfg, "listen b%d\n mode tcp\n bind unix@%s\n tcp-request inspect-delay 5s\n tcp-request content accept if { req.rdp_cookie_cnt gt 0 }\n",
				i, r.sock(fmt.Sprint("b", i)))
		} else {
			fmt.Fprintf(&cfg, "backend b%d\n", i)
		}
		fmt.Fprintf(&cfg, " balance %s\n hash-type %s\n", c.algo, c.kind)
		for j, w := range goldenWeights {
			fmt.Fprintf(&cfg, " server s%d 127.0.0.%d:%s weight %d", j+1, 11+j, port, w)
			if c.key != "" {
				fmt.Fprintf(&cfg, " hash-key %s", c.key)
			}
			if c.key == "guid" {
				fmt.Fprintf(&cfg, " guid guid-%d", j+1)
			}
			cfg.WriteString("\n")
		}
	}
	defer r.start(cfg.String())()
	out := &bytes.Buffer{}
	fmt.Fprintln(out, "# HAProxy 3.4.0: balance | hash-type | hash-key | server chosen for each of the requests")
	client := r.client()
	for i, c := range combos() {
		var line strings.Builder
		for j := range goldenKeys {
			q := goldenRequestOf(j)
			if c.algo == "rdp-cookie" {
				line.WriteString(r.rdp(r.sock(fmt.Sprint("b", i)), q.RDP))
				continue
			}
			line.WriteString(r.get(client, q.http(fmt.Sprint("b", i))))
			<-r.arrived
		}
		fmt.Fprintf(out, "%s|%s|%s|%s\n", c.algo, c.kind, c.key, &line)
	}
	if err := os.WriteFile(filepath.Join("testdata", "hash.txt"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *recorder) get(client *http.Client, q *http.Request) string {
	res, err := client.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 {
		return "-"
	}
	return string(body)
}

func (r *recorder) rdp(sock, cookie string) string {
	c, err := net.Dial("unix", sock)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, rdpHead+"Cookie: mstshash="+cookie+"\r\n")
	b := make([]byte, 1)
	if _, err := io.ReadFull(c, b); err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *recorder) command(line string) {
	c, err := net.Dial("unix", r.sock("cli"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, line+"\n")
	if b, _ := io.ReadAll(c); len(bytes.TrimSpace(b)) != 0 {
		r.t.Errorf("%s: %s", line, b)
	}
}

// recordSequences plays the scripts of sequences.txt on the reference and writes the
// file again with what it did.
func recordSequences(t *testing.T) {
	r := newRecorder(t)
	scenarios := readScenarios(t)
	out := &bytes.Buffer{}
	fmt.Fprintln(out, "# HAProxy 3.4.0: the server of each request; - for one that waits in the queue")
	for _, sc := range scenarios {
		fmt.Fprintf(out, "\ncase %s\nbalance %s\n", sc.name, sc.balance)
		var cfg strings.Builder
		cfg.WriteString(r.head())
		fmt.Fprintf(&cfg, "backend b\n timeout queue 200ms\n balance %s\n", sc.balance)
		for _, line := range sc.lines {
			fmt.Fprintf(&cfg, " %s\n", line)
			fmt.Fprintf(out, "backend %s\n", line)
		}
		for i, line := range sc.servers {
			fmt.Fprintf(&cfg, " server s%d 127.0.0.%d:%s weight %s\n", i+1, 11+i, r.port, line)
			fmt.Fprintf(out, "server %s\n", line)
		}
		stop := r.start(cfg.String())
		request := 0
		for _, step := range sc.steps {
			f := strings.Fields(step)
			got := ""
			switch f[0] {
			case "pick":
				n, _ := strconv.Atoi(f[1])
				client := r.client()
				for range n {
					q := goldenRequestOf(request)
					request++
					got += r.get(client, q.http("b"))
					<-r.arrived
				}
			case "hold":
				n, _ := strconv.Atoi(f[1])
				r.mu.Lock()
				select {
				case <-r.gate:
					r.gate = make(chan struct{})
				default:
				}
				r.mu.Unlock()
				for range n {
					q := goldenRequestOf(request)
					request++
					done := make(chan string, 1)
					go func() { done <- r.get(r.client(), q.http("b")) }()
					select {
					case id := <-r.arrived:
						got += strconv.Itoa(id)
					case answer := <-done:
						got += answer
					}
				}
			case "free":
				close(r.gate)
				time.Sleep(200 * time.Millisecond)
			case "weight":
				r.command("set server b/" + f[1] + " weight " + f[2])
			case "state":
				r.command("set server b/" + f[1] + " state " + f[2])
			}
			if got != "" {
				step += " = " + got
			}
			fmt.Fprintln(out, step)
		}
		select {
		case <-r.gate:
		default:
			close(r.gate)
		}
		stop()
	}
	if err := os.WriteFile(filepath.Join("testdata", "sequences.txt"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
