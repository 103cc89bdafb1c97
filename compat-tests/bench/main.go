// Command bench measures hapax beside HAProxy in one run and prints the table of
// README.md. Programs take turns, so that whatever else the machine does meets all of
// them; figures are medians over the rounds with their spread, and ratios are medians
// of the ratios within each round.
//
//	go run ./compat-tests/bench                     beside the haproxy of the system
//	HAPROXY=PATH[:PATH] go run ./compat-tests/bench beside other ones
//	go run ./compat-tests/bench -only keep-alive -rounds 3
//
// It needs wrk, h2load for the latency and for HTTP/2, and nghttpd (packages wrk, nghttp2-client and nghttp2-server).
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"hapax/compat-tests/refuse"
)

func main() {
	refuse.Become()
	if len(os.Args) == 3 && os.Args[1] == "backend" {
		backend(os.Args[2])
		return
	}
	var b bench
	own := flag.String("hapax", "", "the program to measure; built from the sources by default")
	only := flag.String("only", "", "run the scenarios whose name matches this expression")
	flag.IntVar(&b.rounds, "rounds", 7, "rounds of all programs in turn")
	flag.DurationVar(&b.duration, "duration", 3*time.Second, "of each measurement")
	flag.Parse()
	if err := b.run(*own, regexp.MustCompile(*only)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	rounds   int
	duration time.Duration
	dir      string
	server   string // address of the backend
	logs     string // address of the sink of logs
	programs []*program
}

func (b *bench) run(own string, only *regexp.Regexp) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if own == "" {
		own = filepath.Join(dir, "haproxy")
		if out, err := exec.Command("go", "build", "-o", own, "hapax/cmd/hapax").CombinedOutput(); err != nil {
			return fmt.Errorf("%s%w", out, err)
		}
	}
	b.programs = []*program{{name: "hapax, io_uring", path: own}, {name: "hapax, epoll", path: own, noRing: true}}
	others := filepath.SplitList(os.Getenv("HAPROXY"))
	if len(others) == 0 {
		others = []string{"haproxy"}
	}
	for _, path := range others {
		version, err := exec.Command(path, "-v").Output()
		if err != nil {
			return err
		}
		name := regexp.MustCompile(`version (\d+\.\d+)`).FindSubmatch(version)
		if name == nil {
			return fmt.Errorf("%s does not tell its version", path)
		}
		b.programs = append(b.programs, &program{name: "HAProxy " + string(name[1]), path: path})
	}
	if err := writeCertificates(dir); err != nil {
		return err
	}
	stop, err := b.startBackend()
	if err != nil {
		return err
	}
	defer stop()
	b.head()
	for _, s := range slices.Concat(scenarios, tlsScenarios, h2Scenarios, ruleScenarios, loadScenarios, dumpScenarios) {
		if only.MatchString(s.name) {
			if err := b.measure(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

// measure runs all rounds of a scenario and prints its row.
func (b *bench) measure(s scenario) error {
	if s.prepare != nil {
		if err := s.prepare(b.dir); err != nil {
			return err
		}
	}
	if s.server != nil {
		addr, stop, err := s.server(b)
		if err != nil {
			return err
		}
		defer stop()
		defer func(common string) { b.server = common }(b.server)
		b.server = addr
	}
	figures := make([][]float64, len(b.programs))
	for round := range b.rounds {
		var reached float64 // what HAProxy reached in this round, for the constant rate
		order := b.programs
		if s.fromRate {
			rate, err := b.maximum(s)
			if err != nil {
				return err
			}
			reached = rate
		}
		for i, p := range order {
			value, err := b.once(s, p, reached)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", p.name, round+1, err)
			}
			figures[i] = append(figures[i], value)
		}
	}
	b.row(s, figures)
	return nil
}

func (b *bench) head() {
	fmt.Print("| what |")
	rule := "|---|"
	for _, p := range b.programs {
		fmt.Printf(" %s |", p.name)
		rule += "---|"
	}
	for _, other := range b.programs[2:] {
		for _, own := range b.programs[:2] {
			fmt.Printf(" %s / %s |", strings.TrimPrefix(own.name, "hapax, "), strings.TrimPrefix(other.name, "HAProxy "))
			rule += "---|"
		}
	}
	fmt.Println("\n" + rule)
}

func (b *bench) row(s scenario, figures [][]float64) {
	fmt.Printf("| %s |", s.name)
	for _, f := range figures {
		low, mid, high := spread(f)
		fmt.Printf(" %s (%s–%s) |", s.format(mid), s.format(low), s.format(high))
	}
	for _, other := range figures[2:] {
		for _, own := range figures[:2] {
			ratios := make([]float64, len(own))
			for i := range own {
				ratios[i] = own[i] / other[i]
			}
			low, mid, high := spread(ratios)
			fmt.Printf(" %.2f (%.2f–%.2f) |", mid, low, high)
		}
	}
	fmt.Println()
}
