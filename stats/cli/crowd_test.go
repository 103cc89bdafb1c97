package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	goruntime "runtime"

	"hapax/parser/keyword"
)

// serveAt serves a table on a UNIX socket until the test ends.
func serveAt(t *testing.T, table *Table) (path string) {
	l, err := net.Listen("unix", t.TempDir()+"/sock")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{New: func(net.Conn, net.Listener) *Conn { return &Conn{Table: table, Timeout: time.Minute} }}
	go s.Serve(l)
	t.Cleanup(s.Close)
	return l.Addr().String()
}

func dial(t *testing.T, path string) net.Conn {
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// echoes tells whether a fresh connection is answered.
func echoes(t *testing.T, path string) bool {
	c := dial(t, path)
	defer c.Close()
	fmt.Fprintf(c, "echo there\n")
	line, _ := bufio.NewReader(c).ReadString('\n')
	return line == "there\n"
}

// TestStalledReaders lets readers of long answers stop in the middle: nothing piles up for them, and others are answered.
func TestStalledReaders(t *testing.T) {
	path := serveAt(t, testTable(t))
	var before, after goruntime.MemStats
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	const readers = 20
	for range readers {
		c := dial(t, path)
		fmt.Fprintf(c, "many rows\n")
		if _, err := io.CopyN(io.Discard, c, 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if !echoes(t, path) {
		t.Error("no answer beside readers that do not read")
	}
	goruntime.GC()
	goruntime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > readers*16*highWater {
		t.Errorf("%d readers hold %d bytes", readers, grown)
	}
}

// TestCrowd connects many clients at once: some ask, some send what is no command, some say nothing.
func TestCrowd(t *testing.T) {
	path := serveAt(t, testTable(t))
	before := goruntime.NumGoroutine()
	clients := make([]net.Conn, 2000)
	for i := range clients {
		clients[i] = dial(t, path)
	}
	var wait sync.WaitGroup
	for i, c := range clients {
		wait.Go(func() {
			switch i % 4 {
			case 0:
				fmt.Fprintf(c, "echo %d\n", i)
				if line, err := bufio.NewReader(c).ReadString('\n'); line != fmt.Sprintf("%d\n", i) {
					t.Errorf("client %d: %q, %v", i, line, err)
				}
			case 1:
				c.Write([]byte("\x00\xff\x16\x03\x01;;<<\\\n\x00\n\n"))
				c.(*net.UnixConn).CloseWrite()
				io.Copy(io.Discard, c)
			case 2:
				fmt.Fprintf(c, "echo half of a line")
			}
		})
	}
	wait.Wait()
	if !echoes(t, path) {
		t.Error("no answer beside the crowd")
	}
	for _, c := range clients {
		c.Close()
	}
	for end := time.Now().Add(time.Minute); goruntime.NumGoroutine() > before+1; goruntime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left of %d clients", goruntime.NumGoroutine()-before, len(clients))
		}
	}
}

// TestGone closes the connection of a client whose command waits: the command ends.
func TestGone(t *testing.T) {
	released := make(chan bool)
	table, err := NewTable([]Command{{Doc: keyword.Doc{Name: "hang"}, Run: func(c *Conn, _ []string) Step {
		c.OnRelease(func() { close(released) })
		c.WriteString("begun\n")
		return func(c *Conn) bool {
			c.Pause(time.Millisecond)
			return false
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, serveAt(t, table))
	fmt.Fprintf(c, "hang\n")
	c.Read(make([]byte, 100))
	c.(*net.UnixConn).CloseWrite()
	select {
	case <-released:
		t.Error("a client that only says no more has lost its command")
	case <-time.After(20 * time.Millisecond):
	}
	c.Close()
	select {
	case <-released:
	case <-time.After(time.Minute):
		t.Error("a command goes on for nobody")
	}
}
