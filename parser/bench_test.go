package parser

import (
	"fmt"
	"strings"
	"testing"

	"hapax/parser/diag"
)

// largeFile is a configuration of about 90,000 lines as generators write them.
func largeFile() string {
	var b strings.Builder
	b.WriteString("global\n    maxconn 10000\n\ndefaults\n    mode http\n    timeout client 30s\n\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "backend be_%d\n    # owner: team %d\n    balance roundrobin\n    option httpchk GET /health\n", i, i%40)
		fmt.Fprintf(&b, "    http-request set-header X-Backend \"be %d\" if { path_beg /%d/ }\n", i, i)
		for s := range 3 {
			fmt.Fprintf(&b, "    server s%d 10.%d.%d.%d:8080 check inter 2s maxconn 200\n", s, i>>8, i&255, s+1)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func BenchmarkLargeFile(b *testing.B) {
	source := largeFile()
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		file := Parse("large.cfg", source)
		lines := 0
		for _, discovery := range []bool{true, false} {
			x := NewExpander(file, NewEnv(testEnv), &diag.List{}, Options{Discovery: discovery,
				IsSection: func(word string) bool { return word == "global" || word == "defaults" || word == "backend" }})
			for _, ok := x.Next(); ok; _, ok = x.Next() {
				lines++
			}
		}
		if lines < 70000 {
			b.Fatal(lines)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	for name, line := range map[string]string{
		"plain":   "    server s1 10.1.2.3:8080 check inter 2s maxconn 200",
		"quoted":  `    http-request set-header X-Name "a value" if { path_beg '/x y' }`,
		"escaped": `    log-format %ci:%cp\ [%tr]\ %ft\ %b/%s`,
	} {
		b.Run(name, func(b *testing.B) {
			s := splitter{verbatim: true}
			b.ReportAllocs()
			for b.Loop() {
				s.split(line)
			}
		})
	}
}

// A line that is cut where it stands must not allocate: files have tens of thousands of them.
func TestPlainLinesDoNotAllocate(t *testing.T) {
	s := splitter{verbatim: true}
	for _, line := range []string{"server s1 10.1.2.3:8080 check inter 2s", `http-request deny if { path "/a b" }`, "# comment"} {
		s.split(line)
		if n := testing.AllocsPerRun(100, func() { s.split(line) }); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}
