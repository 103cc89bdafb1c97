package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scenario is one row of the table: a configuration, a load and what is measured.
type scenario struct {
	name     string
	config   string
	prepare  func(dir string) error                               // writes the files that the configuration refers to; nil: there are none
	server   func(b *bench) (addr string, stop func(), err error) // starts another server; nil: the one of all
	measure  func(b *bench, p *process, rate float64) (float64, error)
	offline  func(b *bench, p *program) (float64, error) // in the place of measure: the program need not serve
	format   func(float64) string
	fromRate bool // the load is half of what the last HAProxy of the list reached in the round
}

const global = `global
    nbthread %d
    maxconn 9000
    log %s local0
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
`

const busy = `    log global
    option httplog
    option forwardfor
frontend f
    bind %s
    acl api path_beg /api
    acl own hdr(host) -m end .example.org
    use_backend b if api || own
    default_backend b
backend b
    server s %s
`

const plain = `frontend f
    bind %s
    default_backend b
backend b
    server s %s
`

const stream = `frontend f
    mode tcp
    bind %s
    default_backend b
backend b
    mode tcp
    server s %s
`

var scenarios = []scenario{
	{name: "keep-alive, 64 clients, 1 thread: CPU us per request", config: threads(1, busy), measure: keepAlive, format: micros},
	{name: "keep-alive, 64 clients, 2 threads: CPU us per request", config: threads(2, busy), measure: keepAlive, format: micros},
	{name: "new connection per request: CPU us per request", config: threads(1, busy), measure: newConnections, format: micros},
	{name: "TCP, 1 MiB bodies: MiB per CPU second", config: threads(1, stream), measure: bodies, format: whole},
	{name: "HTTP, 1 MiB bodies: MiB per CPU second", config: threads(1, plain), measure: bodies, format: whole},
	{name: "TCP, 1 MiB bodies, spliced: MiB per CPU second", config: threads(1, spliced(stream)), measure: bodies, format: whole},
	{name: "HTTP, 1 MiB bodies, spliced: MiB per CPU second", config: threads(1, spliced(plain)), measure: bodies, format: whole},
	{name: "HTTP, 1 MiB of text compressed: MiB per CPU second", config: threads(1, strings.Replace(plain, "backend b\n", "backend b\n    compression algo gzip\n", 1)), measure: compressed, format: whole},
	{name: "8,000 idle connections: bytes of memory each", config: threads(1, plain), measure: idle, format: whole},
	{name: "half of HAProxy's rate: p99 ms", config: threads(1, busy), measure: latency, format: millis, fromRate: true},
}

func threads(n int, text string) string {
	return strings.Replace(global, "%d", strconv.Itoa(n), 1) + text
}

// spliced lets the kernel pass bytes on. The limit of connections leaves descriptors for the pipes.
func spliced(text string) string {
	return strings.ReplaceAll(text, "frontend f\n", "    option splice-auto\n    option splice-response\n    fullconn 2000\nfrontend f\n    maxconn 2000\n")
}

func micros(v float64) string { return fmt.Sprintf("%.1f", v) }
func whole(v float64) string  { return fmt.Sprintf("%.0f", v) }
func millis(v float64) string { return fmt.Sprintf("%.2f", v) }

func spread(values []float64) (low, mid, high float64) {
	v := slices.Sorted(slices.Values(values))
	mid = v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (v[len(v)/2-1] + mid) / 2
	}
	return v[0], mid, v[len(v)-1]
}

// once runs one program under one load.
func (b *bench) once(s scenario, p *program, rate float64) (float64, error) {
	if s.offline != nil {
		return s.offline(b, p)
	}
	run, err := b.start(s, p)
	if err != nil {
		return 0, err
	}
	defer run.stop()
	return s.measure(b, run, rate)
}

// maximum is the rate that the last program of the list reaches.
func (b *bench) maximum(s scenario) (float64, error) {
	run, err := b.start(s, b.programs[len(b.programs)-1])
	if err != nil {
		return 0, err
	}
	defer run.stop()
	w, err := b.wrk(run, "-c64", "-t1", run.url("/api/small"))
	return w.rate, err
}

func keepAlive(b *bench, p *process, _ float64) (float64, error) {
	return b.perRequest(p, "-c64", "-t1", p.url("/api/small"))
}

func newConnections(b *bench, p *process, _ float64) (float64, error) {
	return b.perRequest(p, "-c64", "-t1", "-H", "Connection: close", p.url("/api/small"))
}

// perRequest is microseconds of CPU for each request.
func (b *bench) perRequest(p *process, args ...string) (float64, error) {
	w, err := b.wrk(p, args...)
	if err != nil {
		return 0, err
	}
	return w.cpu.Seconds() * 1e6 / w.requests, nil
}

// bodies is MiB passed on for each second of CPU.
func bodies(b *bench, p *process, _ float64) (float64, error) {
	w, err := b.wrk(p, "-c16", "-t1", p.url("/big"))
	if err != nil {
		return 0, err
	}
	return w.requests / w.cpu.Seconds(), nil
}

func compressed(b *bench, p *process, _ float64) (float64, error) {
	w, err := b.wrk(p, "-c16", "-t1", "-H", "Accept-Encoding: gzip", p.url("/text"))
	if err != nil {
		return 0, err
	}
	return w.requests / w.cpu.Seconds(), nil
}

// load is what a run of wrk did, and what it cost the proxy.
type load struct {
	requests, rate float64
	cpu            time.Duration
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkRate     = regexp.MustCompile(`Requests/sec: +([\d.]+)`)
	wrkErrors   = regexp.MustCompile(`(?m)^ +(Socket errors|Non-2xx).*$`)
)

// wrk warms the program up and then loads it for the duration.
func (b *bench) wrk(p *process, args ...string) (load, error) {
	warm := append([]string{"-d1s"}, args...)
	if out, err := exec.Command("wrk", warm...).CombinedOutput(); err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	before, err := p.cpu()
	if err != nil {
		return load{}, err
	}
	out, err := exec.Command("wrk", append([]string{"-d" + b.duration.String()}, args...)...).CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := p.cpu()
	if err != nil {
		return load{}, err
	}
	if bad := wrkErrors.Find(out); bad != nil {
		return load{}, fmt.Errorf("wrk: %s", bad)
	}
	count, rate := wrkRequests.FindSubmatch(out), wrkRate.FindSubmatch(out)
	if count == nil || rate == nil {
		return load{}, fmt.Errorf("wrk said %s", out)
	}
	l := load{cpu: after - before}
	l.requests, _ = strconv.ParseFloat(string(count[1]), 64)
	l.rate, _ = strconv.ParseFloat(string(rate[1]), 64)
	return l, nil
}

// idle is the resident memory that 8,000 connections add which have not said anything
// yet.
func idle(_ *bench, p *process, _ float64) (float64, error) {
	const n = 8000
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	open := func(count int) error {
		for range count {
			c, err := net.Dial("tcp4", p.addr)
			if err != nil {
				return err
			}
			conns = append(conns, c)
		}
		// Connections are accepted in their order: when a later one has its answer,
		// all before it are there.
		return p.request()
	}
	if err := open(100); err != nil {
		return 0, err
	}
	before, err := p.resident()
	if err != nil {
		return 0, err
	}
	if err := open(n - 100); err != nil {
		return 0, err
	}
	after, err := p.resident()
	return float64(after-before) / (n - 100), err
}

// latency is the 99th percentile at half of what was reached, in milliseconds.
func latency(b *bench, p *process, reached float64) (float64, error) {
	return b.percentile(p, reached/2)
}

// percentile is the 99th at a constant rate, in milliseconds. The program has answered once before: one that has just bound its
// port may not yet serve it, and the first requests of all clients together are more than one in a hundred.
func (b *bench) percentile(p *process, perSecond float64) (float64, error) {
	if err := p.request(); err != nil {
		return 0, err
	}
	const clients = 64
	file := filepath.Join(b.dir, "h2load.log")
	defer os.Remove(file)
	rate := strconv.Itoa(max(1, int(perSecond/clients)))
	out, err := exec.Command("h2load", "--h1", "-c"+strconv.Itoa(clients), "-t1", "--rps="+rate, "-D"+b.duration.String(), "--log-file="+file, p.url("/api/small")).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("h2load: %w\n%s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var times []float64
	for in := bufio.NewScanner(f); in.Scan(); {
		cells := strings.Split(in.Text(), "\t")
		if len(cells) == 3 && cells[1] == "200" {
			us, err := strconv.ParseFloat(cells[2], 64)
			if err != nil {
				return 0, err
			}
			times = append(times, us/1000)
		}
	}
	if len(times) < 100 {
		return 0, fmt.Errorf("only %d requests\n%s", len(times), out)
	}
	slices.Sort(times)
	return times[len(times)*99/100], nil
}
