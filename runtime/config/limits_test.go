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

func TestRoundDown(t *testing.T) {
	for n, want := range map[int]int{7: 7, 99: 99, 123: 120, 2387: 2300, 1048576: 1000000} {
		if got := roundDown(n); got != want {
			t.Errorf("%d rounds down to %d, want %d", n, got, want)
		}
	}
}
