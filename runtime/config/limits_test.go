package config

import (
	"strings"
	"testing"

	"hapax/parser/diag"
	"hapax/runtime"
)

// limited is a configuration of one frontend that switches to a backend.
func limited() *runtime.Config {
	c := &runtime.Config{}
	setDefaults(&c.Global)
	back := &runtime.Proxy{Caps: runtime.CapBack, Name: "b"}
	front := &runtime.Proxy{Caps: runtime.CapFront, Name: "f", DefaultBack: back, Listeners: []*runtime.Listener{{}}}
	c.Proxies = []*runtime.Proxy{front, back}
	return c
}

// The numbers are what the reference prints or tells in "show info".
func TestLimits(t *testing.T) {
	many := Boot{Soft: 1 << 20, Hard: 1 << 20, Threads: 2}
	for _, test := range []struct {
		name     string
		boot     Boot
		change   func(*runtime.Global)
		maxConn  int
		fullConn int
		notice   string
	}{
		{"descriptors", Boot{Soft: 1024, Hard: 1024, Threads: 2}, nil, 503, 51, "Automatically setting global.maxconn to 503."},
		{"few descriptors", Boot{Soft: 64, Hard: 64, Threads: 2}, nil, 100, 10, "Automatically setting global.maxconn to 100."},
		{"configured", many, func(g *runtime.Global) { g.MaxConn = 2000 }, 2000, 200, ""},
		{"-n", Boot{MaxConn: 50, Soft: 1 << 20, Hard: 1 << 20}, func(g *runtime.Global) { g.MaxConn = 2000 }, 50, 5, ""},
		{"fd-hard-limit", many, func(g *runtime.Global) { g.FDHardLimit = 1024 }, 503, 51, "Automatically setting global.maxconn to 503."},
		{"-m 37", Boot{MemMax: 37, Soft: 1 << 20, Hard: 1 << 20, Threads: 2}, nil, 1000, 100, ""},
		{"-m 53", Boot{MemMax: 53, Soft: 1 << 20, Hard: 1 << 20, Threads: 2}, nil, 1500, 150, ""},
		{"-m 83", Boot{MemMax: 83, Soft: 1 << 20, Hard: 1 << 20, Threads: 2}, nil, 2300, 230, ""},
		{"-m 100", Boot{MemMax: 100, Soft: 1 << 20, Hard: 1 << 20, Threads: 2}, nil, 2800, 280, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := limited()
			if test.change != nil {
				test.change(&c.Global)
			}
			list := &diag.List{}
			var text strings.Builder
			list.Out = &diag.Writer{W: &text, PID: 1, Version: "3.4.0", ExecPath: "haproxy", Verbose: true}
			SetLimits(c, test.boot, list)
			if c.Global.MaxConn != test.maxConn || c.Global.HardMaxConn != test.maxConn || c.Proxies[0].MaxConn != test.maxConn {
				t.Errorf("maxconn is %d of %d, frontend %d; want %d", c.Global.MaxConn, c.Global.HardMaxConn, c.Proxies[0].MaxConn, test.maxConn)
			}
			if c.Proxies[1].FullConn != test.fullConn {
				t.Errorf("fullconn is %d, want %d", c.Proxies[1].FullConn, test.fullConn)
			}
			if want := 11 + 2*test.maxConn + 3*test.boot.Threads; c.Global.MaxSock != want {
				t.Errorf("maxsock is %d, want %d", c.Global.MaxSock, want)
			}
			if !strings.Contains(text.String(), test.notice) {
				t.Errorf("printed %q, want %q", text.String(), test.notice)
			}
		})
	}
}

// Two peers take six descriptors: the reference has 3 connections less with them.
func TestLimitsOfPeers(t *testing.T) {
	c := limited()
	c.Peers = []*runtime.Proxy{{MaxConn: 6}}
	SetLimits(c, Boot{Soft: 1024, Hard: 1024, Threads: 2}, &diag.List{})
	if c.Global.MaxConn != 500 {
		t.Errorf("maxconn is %d, want 500", c.Global.MaxConn)
	}
}

// TestPipes tells how many pipes are for option splice-*, and what they take from the connections: as "show info" of the reference has it
// with a limit of 2000 descriptors and two threads.
func TestPipes(t *testing.T) {
	for _, test := range []struct {
		maxConn, fullConn, n  int
		pipes, conns, sockets int
	}{
		{pipes: 197, conns: 788, sockets: 1998},
		{n: 500, pipes: 125, conns: 500, sockets: 1278},
		{maxConn: 100, fullConn: 300, pipes: 75, conns: 911, sockets: 2000},
		{maxConn: 100, fullConn: 300, n: 500, pipes: 75, conns: 500, sockets: 1178},
		{maxConn: 100, n: 500, pipes: 125, conns: 500, sockets: 1278},
	} {
		c := limited()
		c.Proxies[0].Options |= runtime.OptSpliceAuto
		c.Proxies[1].Options |= runtime.OptSpliceResponse
		c.Proxies[0].MaxConn, c.Proxies[1].FullConn = test.maxConn, test.fullConn
		// Eleven descriptors more are those of the stats socket of the measured process and its clients.
		SetLimits(c, Boot{MaxConn: test.n, Soft: 2000, Hard: 2000, Threads: 2, Links: 11}, &diag.List{})
		if g := &c.Global; g.MaxPipes != test.pipes || g.MaxConn != test.conns || g.MaxSock != test.sockets {
			t.Errorf("%+v: %d pipes, maxconn %d, maxsock %d", test, g.MaxPipes, g.MaxConn, g.MaxSock)
		}
	}
}

func TestRoundDown(t *testing.T) {
	for n, want := range map[int]int{7: 7, 99: 99, 123: 120, 2387: 2300, 1048576: 1000000} {
		if got := roundDown(n); got != want {
			t.Errorf("%d rounds down to %d, want %d", n, got, want)
		}
	}
}
