package command

import (
	"bytes"
	"testing"

	"hapax/runtime"
)

// unsafeHere are commands that end the process, or that need what the configuration of the tests lacks.
var unsafeHere = [][]byte{[]byte("debug"), []byte("add"), []byte("wait")}

// FuzzSocket sends command lines to a stats socket, in two pieces: it must answer in a bounded number of steps, never
// hold more than a few rows for its reader, and be over when the client is.
func FuzzSocket(f *testing.F) {
	table, err := Assemble(Commands())
	if err != nil {
		f.Fatal(err)
	}
	args := []string{"", " be/s1", " be", " fe 1 -1", " be/s1 weight 50%", " be/s1 addr 127.0.0.1 port +5", " #3/#1 state maint", " on; ", " -", " all json",
		" <<\na b\n\n", " <<EOF\n\x00\nEOF\n", " \\; \\ ;prompt p", " 99999999999999999999", " global 5\r"}
	for i := range table.Len() {
		for j := range 3 {
			f.Add([]byte(table.Row(i).Name+args[(3*i+j)%len(args)]+"\n"), i%7, i%3)
		}
	}
	p := &Process{Config: testConfig(f.TempDir()), Servers: direct{}, Listeners: direct{}}
	p.Streams = &crowd{cfg: p.Config, n: 500}
	f.Fuzz(func(t *testing.T, in []byte, cut, level int) {
		for _, word := range unsafeHere {
			in = bytes.ReplaceAll(in, word, []byte("no"))
		}
		c := p.conn(table, &runtime.Bind{Level: runtime.Level(uint(level) % 3)})
		defer c.Close()
		cut = int(uint(cut) % uint(len(in)+1))
		steps := 0
		for _, piece := range [][]byte{in[:cut], in[cut:]} {
			c.Feed(piece)
			for c.Advance(); len(c.Output()) > 0; c.Advance() {
				if n := len(c.Output()); n > 1<<20 {
					t.Fatalf("%d bytes wait for the reader", n)
				}
				if steps++; steps > 10000+100*len(in) {
					t.Fatal("the answer has no end")
				}
				c.Sent(len(c.Output()))
			}
		}
		c.EndInput()
		for c.Advance(); len(c.Output()) > 0; c.Advance() {
			c.Sent(len(c.Output()))
		}
		if !c.Over() && c.Waiting() == 0 {
			t.Error("the client has left and the connection goes on")
		}
	})
}
