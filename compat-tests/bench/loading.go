package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// loadScenarios measure how a big configuration is checked: no process serves.
var loadScenarios = []scenario{
	{name: "-c of 10,000 backends with 3 servers, ACLs and use_backend rules: seconds", offline: checking(func(d time.Duration, _ *syscall.Rusage) float64 {
		return d.Seconds()
	}), format: millis},
	{name: "the same: CPU seconds", offline: checking(func(_ time.Duration, u *syscall.Rusage) float64 {
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}), format: millis},
	{name: "the same: MiB of memory at most", offline: checking(func(_ time.Duration, u *syscall.Rusage) float64 {
		return float64(u.Maxrss) / 1024
	}), format: whole},
}

// checking runs -c on the big configuration and gives one of its figures.
func checking(figure func(time.Duration, *syscall.Rusage) float64) func(*bench, *program) (float64, error) {
	return func(b *bench, p *program) (float64, error) {
		file := filepath.Join(b.dir, "big.cfg")
		if _, err := os.Stat(file); err != nil {
			if err := os.WriteFile(file, bigConfig(10000, 3), 0o666); err != nil {
				return 0, err
			}
		}
		cmd := exec.Command(p.path, "-c", "-q", "-f", file)
		start := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w\n%s", err, out)
		}
		return figure(time.Since(start), cmd.ProcessState.SysUsage().(*syscall.Rusage)), nil
	}
}

// bigConfig makes a configuration as controllers of container platforms write it.
func bigConfig(backends, servers int) []byte {
	var b bytes.Buffer
	b.WriteString("global\n    maxconn 1000\ndefaults\n    mode http\n    timeout client 60s\n    timeout server 60s\n    timeout connect 5s\nfrontend f\n    bind 127.0.0.1:8080\n")
	for i := range backends {
		fmt.Fprintf(&b, "    acl host%d hdr(host) -i site%d.example.org\n", i, i)
	}
	for i := range backends {
		fmt.Fprintf(&b, "    use_backend site%d if host%d\n", i, i)
	}
	for i := range backends {
		fmt.Fprintf(&b, "backend site%d\n    balance roundrobin\n    option httpchk GET /health\n", i)
		for j := range servers {
			fmt.Fprintf(&b, "    server s%d 10.%d.%d.%d:8080 check inter 5s\n", j, i>>8, i&255, j+1)
		}
	}
	return b.Bytes()
}
