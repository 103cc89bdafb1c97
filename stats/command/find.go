package command

import (
	"strconv"
	"strings"
	"time"

	"hapax/parser/units"
	"hapax/runtime"
	"hapax/stats/cli"
)

// proxyWith finds a proxy by name that can do what caps tell; "#N" names it by its number.
func (p *Process) proxyWith(name string, caps runtime.Cap) *runtime.Proxy {
	for _, px := range p.Config.AllProxies() {
		if px.Caps&caps == 0 || px.Mode == runtime.ModeCLI {
			continue
		}
		if px.Name == name || strings.HasPrefix(name, "#") && number(name[1:]) == px.ID {
			return px
		}
	}
	return nil
}

// proxyID is the number of a proxy that is named, or numbered, as statistics and captures take it; 0: there is none.
func (p *Process) proxyID(text string) int {
	if px := p.proxyWith(text, runtime.CapListen); px != nil {
		return px.ID
	}
	return number(text)
}

// frontend finds a frontend, or answers why not.
func frontend(c *cli.Conn, name string) *runtime.Proxy {
	if name == "" {
		c.Fail("A frontend name is expected.")
		return nil
	}
	px := process(c).proxyWith(name, runtime.CapFront)
	if px == nil {
		c.Fail("No such frontend.")
	}
	return px
}

// anyServer finds a server by "backend/server", or answers why not.
func anyServer(c *cli.Conn, name string) *runtime.Server {
	back, name, _ := strings.Cut(name, "/")
	if name == "" {
		c.Fail("Require 'backend/server'.")
		return nil
	}
	px := process(c).proxyWith(back, runtime.CapBack)
	if px == nil {
		c.Fail("No such backend.")
		return nil
	}
	srv := findServer(px, name)
	if srv == nil {
		c.Fail("No such server.")
	}
	return srv
}

// findServer finds a server by name; "#N" names it by its number.
func findServer(px *runtime.Proxy, name string) *runtime.Server {
	byNumber := strings.HasPrefix(name, "#")
	for _, srv := range px.AllServers() {
		if byNumber && srv.ID == number(name[1:]) || !byNumber && srv.Name == name {
			return srv
		}
	}
	return nil
}

// server is anyServer for commands that change it: its proxy must be in use.
func server(c *cli.Conn, name string) *runtime.Server {
	srv := anyServer(c, name)
	if srv != nil && stopped(srv.Proxy) {
		c.Fail("Proxy is disabled.")
		return nil
	}
	return srv
}

func stopped(px *runtime.Proxy) bool {
	return px.Disabled || runtime.ProxyState(px.State.Load()) == runtime.ProxyStopped
}

// number reads the number at the start of text, 0 when there is none.
func number(text string) int {
	n, _ := leading(text)
	return n
}

// leading reads the number at the start of text and gives what follows it: all of text when there is no number.
func leading(text string) (n int, rest string) {
	digits := strings.TrimLeft(text, " \t")
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	i := 0
	for ; i < len(digits) && digits[i] >= '0' && digits[i] <= '9'; i++ {
		if n < 1<<40 {
			n = n*10 + int(digits[i]-'0')
		}
	}
	if i == 0 {
		return 0, text
	}
	if negative {
		n = -n
	}
	return n, digits[i:]
}

// pointer reads the number at the start of text in the base that its prefix tells, as stream ids are given; 0 when there
// is none.
func pointer(text string) uint64 {
	text = strings.TrimLeft(text, " \t")
	sign := uint64(1)
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		text, sign = rest, ^uint64(0) // a number below zero wraps, as C has it
	}
	base, digits := 10, "0123456789"
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		base, digits, text = 16, "0123456789abcdef", hex
	} else if strings.HasPrefix(text, "0") {
		base, digits = 8, "01234567"
	}
	n, _ := strconv.ParseUint(text[:len(text)-len(strings.TrimLeft(text, digits))], base, 64)
	return n * sign
}

// duration reads a time with us, ms, s, m, h or d behind it, of unit when there is none; ok is false for anything
// else and for what is out of range.
func duration(text string, unit time.Duration) (d time.Duration, ok bool) {
	d, stray, fault := units.Time(text, unit)
	return d, stray == 0 && fault == nil
}

// parts is a step that writes an answer that is made piece by piece.
func parts(next runtime.Parts) cli.Step {
	return rows(func(c *cli.Conn) bool {
		out, last := next(c.Buffer())
		c.SetBuffer(out)
		return !last
	})
}

// rows is a step that writes one row after the other: write tells whether there is a further one.
func rows(write func(c *cli.Conn) bool) cli.Step {
	return func(c *cli.Conn) bool {
		for !c.Full() {
			if !write(c) {
				return true
			}
		}
		return false
	}
}
