// Package h2spec runs the conformance suite of HTTP/2 against hapax. It is a module of its own: the suite brings
// dependencies that nothing else needs.
//
//	cd compat-tests/h2spec && go test
//	cd compat-tests/h2spec && go test -args -program PATH      another program, say haproxy
package h2spec

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

var program = flag.String("program", "", "the program to test, in place of hapax")

// One case cannot pass on a listener that speaks HTTP/1 too: it sends something that is no preface and takes the
// answer, 400 in HTTP/1, for a broken frame. The listener of the test speaks nothing but HTTP/2.
const configuration = `
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend f
  bind "fd@3" proto h2
  http-request wait-for-body time 200ms
  http-request return status 200 content-type text/plain string "hello, this is an answer"
`

// TestConformance: every case passes.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	if *program == "" {
		*program = filepath.Join(dir, "hapax")
		build := exec.Command("go", "build", "-o", *program, "./cmd/hapax")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(*program, "-db", "-f", file)
	cmd.ExtraFiles = []*os.File{socket} // it is descriptor 3 there
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	socket.Close()
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	c := &config.Config{Host: "127.0.0.1", Port: addr.Port, Path: "/", Timeout: 5 * time.Second, MaxHeaderLen: 4000}
	for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		group.Test(c)
		report(t, group)
	}
}

// report tells the cases of a group that did not pass.
func report(t *testing.T, g *spec.TestGroup) {
	for _, c := range g.Tests {
		if c.Result != nil && c.Result.Failed {
			t.Errorf("%s: %s: %v", g.ID(), c.Desc, c.Result.Error)
		}
	}
	for _, sub := range g.Groups {
		report(t, sub)
	}
}
