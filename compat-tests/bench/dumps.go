package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// dumpScenarios are the rows about large dumps beside traffic: what they cost its latency, and how long they take.
var dumpScenarios = []scenario{
	{name: "10,000 servers, 2,000 requests a second: p99 ms", config: manyServers(), measure: besides(nil, p99), format: millis},
	{name: "the same beside show stat over the socket, again and again: p99 ms", config: manyServers(), measure: besides(showStat, p99), format: millis},
	{name: "the same beside the statistics page, again and again: p99 ms", config: manyServers(), measure: besides(page, p99), format: millis},
	{name: "one show stat of them: ms", config: manyServers(), measure: besides(showStat, each), format: whole},
	{name: "one statistics page of them: ms", config: manyServers(), measure: besides(page, each), format: whole},
}

// manyServers is a configuration that makes large dumps. CERTS is where its socket is.
func manyServers() string {
	var b strings.Builder
	b.WriteString("frontend f\n    bind %s\n    stats uri /statistics\n    default_backend b\nbackend b\n    server s %s\nbackend many\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "    server s%d 127.0.0.1:9\n", i)
	}
	return strings.Replace(threads(1, b.String()), "global\n", "global\n    stats socket CERTS/bench.sock level admin\n", 1)
}

// dump takes one dump and throws it away.
type dump func(b *bench, p *process) (bytes int64, err error)

func showStat(b *bench, _ *process) (int64, error) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", filepath.Join(b.dir, "bench.sock"))
		if err == nil {
			defer c.Close()
			return exchange(c, "show stat\n")
		}
		if time.Now().After(end) { // it comes a moment after the frontend, and the one of the last program is still there
			return 0, err
		}
	}
}

func page(_ *bench, p *process) (int64, error) {
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return exchange(c, "GET /statistics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")
}

// exchange sends a request and counts the bytes of the answer, until its end.
func exchange(c net.Conn, request string) (int64, error) {
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, c)
}

// p99 and each are the figures of besides.
func p99(latency, _ float64) float64 { return latency }
func each(_, dump float64) float64   { return dump }

// besides makes requests at a constant rate, which a program of one thread takes easily, while dumps are taken one after the
// other, and gives one of two figures in milliseconds: the 99th percentile of the requests, the mean of the dumps.
func besides(take dump, figure func(latency, dump float64) float64) func(*bench, *process, float64) (float64, error) {
	return func(b *bench, p *process, _ float64) (float64, error) {
		stop, took := make(chan struct{}), make(chan error, 1)
		dumps, begin := 0, time.Now()
		go func() {
			for take != nil {
				select {
				case <-stop:
					took <- nil
					return
				default:
				}
				if n, err := take(b, p); err != nil || n < 1e6 {
					took <- fmt.Errorf("a dump of %d bytes: %w", n, err)
					return
				}
				dumps++
			}
			took <- nil
		}()
		const rate = 2000
		latency, err := b.percentile(p, rate)
		close(stop)
		if failed := <-took; err == nil {
			err = failed
		}
		return figure(latency, float64(time.Since(begin).Milliseconds())/float64(max(dumps, 1))), err
	}
}
