// Command soak loads hapax and HAProxy with the same mixed traffic, in turn, from clients of the same pace: keep-alive
// and pipelined requests, closes in the middle of bodies, resets, slow clients, tunnels,
// servers that die and come back. It counts failures by kind and looks for what was not
// given back at the end. Then it reloads a master a hundred times under load.
//
//	go run ./compat-tests/soak                     three minutes each, beside the haproxy of the system
//	HAPROXY=PATH go run ./compat-tests/soak        beside another one
//	go run ./compat-tests/soak -duration 15s -reloads 5 -alone
//
// The status is 1 when hapax fails more than HAProxy by over 0.1% of its requests, when
// it keeps something, or when a reload loses a request.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	own := flag.String("hapax", "", "the program to test; built from the sources by default")
	duration := flag.Duration("duration", 3*time.Minute, "of the traffic on each program; 0: only reloads")
	reloads := flag.Int("reloads", 100, "reloads of a master under load")
	alone := flag.Bool("alone", false, "without HAProxy: no unexpected failure at all is accepted")
	flag.Parse()
	ok, err := soak(*own, *duration, *reloads, *alone)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func soak(own string, duration time.Duration, reloads int, alone bool) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if own == "" {
		own = filepath.Join(dir, "haproxy")
		if out, err := exec.Command("go", "build", "-o", own, "hapax/cmd/hapax").CombinedOutput(); err != nil {
			return false, fmt.Errorf("%s%w", out, err)
		}
	}
	other := os.Getenv("HAPROXY")
	if other == "" {
		other = "haproxy"
	}
	allowed := 0.005 // what dies with a server when nothing else is known
	if !alone && duration > 0 {
		theirs, err := run(dir, other, duration)
		if err != nil {
			return false, fmt.Errorf("%s: %w", other, err)
		}
		theirs.print("HAProxy")
		allowed = theirs.rate()
	}
	ok = true
	if duration > 0 {
		ours, err := run(dir, own, duration)
		if err != nil {
			return false, fmt.Errorf("%s: %w", own, err)
		}
		ours.print("hapax")
		if ours.rate() > allowed+0.001 {
			fmt.Printf("hapax failed in %.3f%% of its requests, %.3f%% were expected\n", 100*ours.rate(), 100*allowed)
			ok = false
		}
		for _, leak := range ours.leaks {
			fmt.Println("hapax kept", leak)
			ok = false
		}
	}
	if !alone {
		theirs, err := reloadUnderLoad(dir, other, reloads)
		if err != nil {
			return false, fmt.Errorf("%s: %w", other, err)
		}
		theirs.print(fmt.Sprintf("HAProxy, %d reloads", reloads))
	}
	ours, err := reloadUnderLoad(dir, own, reloads)
	if err != nil {
		return false, err
	}
	ours.print(fmt.Sprintf("hapax, %d reloads", reloads))
	return ok && ours.rate() == 0, nil
}

// result is what a run of the traffic came to.
type result struct {
	requests map[string]int // by kind of traffic
	failures map[string]int // by kind and what happened
	leaks    []string
	took     time.Duration // 0: what was asked for
}

func (r *result) rate() float64 {
	n, bad := 0, 0
	for _, c := range r.requests {
		n += c
	}
	for _, c := range r.failures {
		bad += c
	}
	return float64(bad) / float64(max(1, n))
}

func (r *result) print(name string) {
	fmt.Printf("%s:", name)
	if r.took > 0 {
		fmt.Printf(" %.1f s", r.took.Seconds())
	}
	fmt.Println()
	for _, kind := range slices.Sorted(maps.Keys(r.requests)) {
		fmt.Printf("  %-32s %8d\n", kind, r.requests[kind])
	}
	for _, what := range slices.Sorted(maps.Keys(r.failures)) {
		fmt.Printf("  failed: %-48s %6d\n", what, r.failures[what])
	}
}
