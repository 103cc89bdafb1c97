package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const configuration = `global
    nbthread 2
    maxconn 2000
    stats socket %[1]s mode 600 level admin
defaults
    timeout connect 2s
    timeout client 10s
    timeout server 10s
    timeout queue 5s
    option redispatch
    retries 3
    default-server inter 100ms fall 1 rise 1 pool-purge-delay 500ms
frontend web
    mode http
    bind %[2]s
    bind %[7]s ssl crt %[8]s
    option forwardfor
    default_backend servers
backend servers
    mode http
    balance roundrobin
    retry-on conn-failure empty-response
    server a %[4]s check observe layer4 error-limit 1 on-error mark-down
    server b %[5]s check
    server c %[6]s check maxconn 20
listen bytes
    mode tcp
    bind %[3]s
    balance leastconn
    server a %[4]s check
    server b %[5]s check
`

// proxy is a running program between the clients and three servers.
type proxy struct {
	cmd     *exec.Cmd
	target  target
	socket  string
	servers []*server
	said    output
}

// output is what a process has written so far.
type output struct {
	sync.Mutex
	text []byte
}

func (o *output) Write(b []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	o.text = append(o.text, b...)
	return len(b), nil
}

func (o *output) bytes() []byte {
	o.Lock()
	defer o.Unlock()
	return bytes.Clone(o.text)
}

func start(dir, program string, flags ...string) (*proxy, error) {
	p := &proxy{socket: filepath.Join(dir, "stats.sock")}
	for range 3 {
		s, err := newServer()
		if err != nil {
			return nil, err
		}
		p.servers = append(p.servers, s)
	}
	for _, addr := range []*string{&p.target.http, &p.target.tcp, &p.target.tls} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*addr = l.Addr().String()
		l.Close()
	}
	pem := filepath.Join(dir, "soak.pem")
	if err := writeCertificate(pem); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "soak.cfg")
	text := fmt.Sprintf(configuration, p.socket, p.target.http, p.target.tcp, p.servers[0].addr, p.servers[1].addr, p.servers[2].addr, p.target.tls, pem)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(program, append([]string{"-f", file, "-db"}, flags...)...)
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := newConnection(p.target); err == nil {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("does not serve\n%s", p.said.bytes())
}

func (p *proxy) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	ended := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
	p.cmd.Wait()
	ended.Stop()
	for _, s := range p.servers {
		s.die()
	}
}

// run puts all kinds of traffic on a program and sees what remains of it.
func run(dir, program string, duration time.Duration) (*result, error) {
	p, err := start(dir, program)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	res := &result{requests: map[string]int{}, failures: map[string]int{}}
	p.traffic(res, min(duration/5, 3*time.Second)) // whatever is made once is made now
	before, err := p.settled()
	if err != nil {
		return nil, err
	}
	p.traffic(res, duration)
	after, err := p.settled()
	if err != nil {
		return nil, err
	}
	res.leaks = after.beyond(before)
	return res, nil
}

// trafficPace is how often each client begins something, so that all programs have the same load, however fast they are.
const trafficPace = 100 * time.Millisecond

// traffic runs all kinds at once while one server dies and comes back.
func (p *proxy) traffic(res *result, duration time.Duration) {
	end := time.Now().Add(duration)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, k := range kinds {
		for range k.workers {
			all.Go(func() {
				pace := time.NewTicker(trafficPace)
				defer pace.Stop()
				for now := range pace.C {
					if now.After(end) {
						return
					}
					n, err := k.run(p.target)
					mu.Lock()
					res.requests[k.name] += n
					if err != nil {
						res.failures[k.name+": "+failure(err)]++
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Go(func() {
		for i := 0; time.Now().Before(end); i++ {
			time.Sleep(700 * time.Millisecond)
			s := p.servers[i%2]
			s.die()
			time.Sleep(300 * time.Millisecond)
			s.live()
		}
	})
	all.Wait()
}

// held is what a process holds when nothing happens.
type held struct {
	descriptors int
	tasks       int // goroutines, and streams
	memory      int // bytes of pools and buffers in use
	connections int
}

// settled waits until idle connections are gone and looks.
func (p *proxy) settled() (h held, err error) {
	// "show info" and the descriptors may still change while connections are purged:
	// two equal pictures in a row are the end of it.
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(time.Second) {
		next, err := p.holds()
		if err != nil {
			return h, err
		}
		if next.connections == 0 && next.descriptors == h.descriptors && next.tasks == h.tasks || time.Now().After(end) {
			return next, nil
		}
		h = next
	}
}

func (p *proxy) holds() (h held, err error) {
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		return h, err
	}
	h.descriptors = len(fds)
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		return h, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	c.Write([]byte("show info\n"))
	var info bytes.Buffer
	if _, err := info.ReadFrom(c); err != nil {
		return h, err
	}
	for name, to := range map[string]*int{"Tasks": &h.tasks, "PoolUsed_bytes": &h.memory, "CurrConns": &h.connections} {
		m := regexp.MustCompile(`(?m)^` + name + `: (\d+)$`).FindSubmatch(info.Bytes())
		if m == nil {
			return h, fmt.Errorf("show info has no %s", name)
		}
		*to, _ = strconv.Atoi(string(m[1]))
	}
	return h, nil
}

// beyond tells what is held now and was not before. A few descriptors are checks and
// idle connections of the moment, and the heap breathes.
func (h held) beyond(before held) (kept []string) {
	for _, c := range []struct {
		what                string
		now, before, normal int
	}{
		{"descriptors", h.descriptors, before.descriptors, 8},
		{"tasks", h.tasks, before.tasks, 4},
		{"bytes of memory", h.memory, before.memory, 4 << 20},
		{"connections", h.connections, 0, 0},
	} {
		if c.now > c.before+c.normal {
			kept = append(kept, fmt.Sprintf("%s: %d, %d before the traffic", c.what, c.now, c.before))
		}
	}
	return kept
}
