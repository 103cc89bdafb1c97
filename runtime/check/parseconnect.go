package check

import (
	"errors"
	"fmt"
	"strconv"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// connect reads `connect [default] [addr <a>] [port <p>] ...`.
func (rd *reader) connect() (*rule, error) {
	for _, r := range rd.set.rules {
		if isConnect(r) {
			break
		}
		if r.onWire() && !fromOption(r) {
			return nil, errors.New("first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or a 'comment', " +
				"when there is a 'connect' step in the tcp-check ruleset")
		}
	}
	c := &connect{}
	r := &rule{do: c}
	rd.Skip(1)
	for !rd.Done() {
		word, value := rd.Peek(), rd.PeekAt(1)
		if value == "" {
			switch word {
			case "addr":
				return nil, fmt.Errorf("'%s' expects <ipv4|ipv6> as argument.", word)
			case "port":
				return nil, fmt.Errorf("'%s' expects a port number or a sample expression as argument.", word)
			case "proto":
				return nil, fmt.Errorf("'%s' expects a MUX protocol as argument.", word)
			case "sni":
				return nil, fmt.Errorf("'%s' expects a string as argument.", word)
			}
		}
		switch word {
		case "default":
			c.useServer = true
		case "linger":
			c.linger = true
		case "send-proxy":
			c.sendProxy = true
		case "via-socks4":
			c.socks = true
		case "ssl":
			c.tls = true
		case "sni":
			c.hello.Name = value
			rd.Skip(1)
		case "alpn":
			var err error
			if c.hello.Protocols, err = config.ProtocolNames(word, value); err != nil {
				return nil, fmt.Errorf("%w.", err)
			}
			rd.Skip(1)
		case "addr":
			a, err := rd.l.Address(value, config.AddrResolve|config.AddrPort|config.AddrStream|config.AddrConnect, "")
			if err != nil {
				return nil, fmt.Errorf("'%s' : %w.", word, err)
			}
			c.addr = a.Addr
			rd.Skip(1)
		case "port":
			if err := rd.port(c, value); err != nil {
				return nil, err
			}
			rd.Skip(1)
		case "proto":
			if err := rd.proto(c, value); err != nil {
				return nil, err
			}
			rd.Skip(1)
		case "comment":
			if err := rd.comment(r, "."); err != nil {
				return nil, err
			}
			continue
		default:
			return nil, fmt.Errorf("expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger', 'default' but got '%s' as argument.", word)
		}
		rd.Skip(1)
	}
	return r, nil
}

func (rd *reader) port(c *connect, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		c.port = 0
		c.portExpr, err = rd.expression(text, "port")
		return err
	}
	if n < 1 || n > 65535 {
		return fmt.Errorf("expects a valid TCP port (from range 1 to 65535) or a sample expression, got %s.", text)
	}
	c.port, c.portExpr = n, nil
	return nil
}

// expression reads an expression for a place that messages call what.
func (rd *reader) expression(text, what string) (*sample.Expr, error) {
	rd.l.For(sample.InTCPCheck)
	e, err := rd.l.Samples.ParseWord(text)
	if err != nil {
		return nil, fmt.Errorf("error detected while parsing %s expression : %w", what, err)
	}
	if e.ValidAt()&sample.CheckRule == 0 {
		return nil, fmt.Errorf("error detected while parsing %s expression :  fetch method '%s' extracts information from '%s', none of which is available here.\n", what, text, e.From())
	}
	return e, nil
}

// proto checks the name of a protocol; those of which nothing but the name is known
// are missing.
func (rd *reader) proto(c *connect, name string) error {
	http := map[string]bool{"h1": true, "h2": true, "fcgi": true, "none": false, "spop": false, "quic": true}
	isHTTP, known := http[name]
	switch {
	case !known:
		return fmt.Errorf("'proto' : unknown MUX protocol '%s'.", name)
	case isHTTP != (rd.line == "http-check"):
		return fmt.Errorf("'proto' : invalid MUX protocol '%s' for %s", name, rd.line)
	case name == "h2":
		c.proto = runtime.ProtoH2
	case name == "h1":
		c.proto = runtime.ProtoH1
	case name == "fcgi":
		c.proto = runtime.ProtoFCGI
	case name != "none":
		rd.l.Missing(rd.Line.Pos, rd.line+" connect proto "+name)
	}
	return nil
}
