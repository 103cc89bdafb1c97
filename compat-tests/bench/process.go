package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hapax/compat-tests/refuse"
)

// program is one of the compared ones.
type program struct {
	name, path string
	noRing     bool // with io_uring refused
}

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	addr string // where it accepts
	said bytes.Buffer
}

func (p *process) url(path string) string { return "http://" + p.addr + path }

// start runs a program with the configuration of a scenario until it accepts.
func (b *bench) start(s scenario, prog *program) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "bench.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, strings.NewReplacer("CERTS", b.dir, "MAPS", b.dir).Replace(s.config), b.logs, addr, b.server), 0o666); err != nil {
		return nil, err
	}
	p := &process{addr: addr}
	args := []string{"-db", "-q", "-f", file}
	p.cmd = exec.Command(prog.path, args...)
	if prog.noRing {
		path, argv, env, err := refuse.Command(prog.path, args)
		if err != nil {
			return nil, err
		}
		p.cmd.Path, p.cmd.Args, p.cmd.Env = path, argv, append(os.Environ(), env)
	}
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			c.Close()
			return p, nil
		}
		if time.Now().After(end) {
			p.stop()
			return nil, fmt.Errorf("%s does not accept: %w\n%s", prog.path, err, &p.said)
		}
	}
}

// request makes one request on a connection of its own.
func (p *process) request() error {
	c, err := net.Dial("tcp4", p.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write([]byte("GET /small HTTP/1.1\r\nhost: a\r\n\r\n")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 4096))
	return err
}

func (p *process) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// cpu is the user and system time of all threads so far.
func (p *process) cpu() (time.Duration, error) {
	const ticks = 100 // of the kernel's interface, a second
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	var sum int64
	for _, f := range fields[11:13] { // utime and stime, fields 14 and 15 of the whole line
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// resident is the resident memory in bytes.
func (p *process) resident() (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// freeAddr is an address where nobody listens now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
