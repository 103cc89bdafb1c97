package convert

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// quote writes a word of a configuration in double quotes.
func quote(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(word) + `"`
}

const recordHead = "global\n    tune.bufsize 32768\n    stats socket %s\ndefaults\n    mode http\n    timeout client 9s\n    timeout server 9s\n    timeout connect 9s\nfrontend f\n    bind unix@%s\n" +
	"    http-request set-var(txn.s) str(hello)\n    http-request set-var(txn.n) int(17)\n    http-request set-var(txn.key) str(MDEyMzQ1Njc4OWFiY2RlZg==)\n"

// recordValues asks the reference for each value, through a configuration with a rule for each.
func recordValues(t *testing.T, path string, cases []recorded) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "http")
	head := fmt.Sprintf(recordHead, filepath.Join(dir, "cli"), socket)
	file := filepath.Join(dir, "cfg")
	for refused := true; refused; {
		cfg := strings.Builder{}
		cfg.WriteString(head)
		for i, c := range cases {
			fmt.Fprintf(&cfg, "    http-request set-var(txn.r) %s if { path /%d }\n", quote(c.expr), i)
		}
		cfg.WriteString("    http-request return status 200 content-type text/plain lf-string \"%[var(txn.r),hex]\" if { var(txn.r) -m found }\n" +
			"    http-request return status 200 content-type text/plain string -\n")
		if err := os.WriteFile(file, []byte(cfg.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(*reference, "-c", "-f", file).CombinedOutput()
		refused = false
		if m := place.FindAllSubmatch(out, -1); err != nil && len(m) > 0 {
			for i := len(m) - 1; i >= 0; i-- {
				line, _ := strconv.Atoi(string(m[i][1]))
				at := line - strings.Count(head, "\n") - 1
				t.Logf("left out, as it is refused: %s", cases[at].expr)
				cases = slices.Delete(cases, at, at+1)
			}
			refused = true
		}
	}
	var out bytes.Buffer
	cmd := exec.Command(*reference, "-db", "-f", file)
	cmd.Stderr, cmd.Stdout = &out, &out
	cmd.Env = append(os.Environ(), "TZ=UTC")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() { cmd.Process.Kill(); <-exited }()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		for {
			c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
			if err == nil {
				return c, nil
			}
			select {
			case err := <-exited:
				exited <- err
				return nil, fmt.Errorf("the reference ended: %v\n%s", err, out.String())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}}}
	var lines strings.Builder
	lines.WriteString("# recorded from HAProxy 3.4.0: an expression, and its value as binary in hexadecimal digits, - for none\n")
	for i, c := range cases {
		res, err := client.Get(fmt.Sprintf("http://f/%d", i))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		fmt.Fprintf(&lines, "%s\t%s\n", c.expr, body)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// place finds the lines that alerts are about, the last one being the file itself.
var place = regexp.MustCompile(`parsing \[[^\]]*:(\d+)\]`)

var firstAlert = regexp.MustCompile(`(?m)^\[ALERT\].*?' rule : (.*)\.$`)

// recordErrors asks the reference for the first alert on each expression.
func recordErrors(t *testing.T, path string, cases []recorded) {
	file := filepath.Join(t.TempDir(), "cfg")
	var lines strings.Builder
	lines.WriteString("# recorded from HAProxy 3.4.0: an expression, and why it is refused, empty if it is not\n")
	for _, c := range cases {
		cfg := fmt.Sprintf(recordHead, "/nowhere", "/nowhere") + "    http-request set-var(txn.r) " + quote(c.expr) + "\n"
		if err := os.WriteFile(file, []byte(cfg), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command(*reference, "-c", "-f", file).CombinedOutput()
		why := ""
		if m := firstAlert.FindSubmatch(out); m != nil {
			why = string(m[1])
		}
		fmt.Fprintf(&lines, "%s\t%s\n", c.expr, why)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
