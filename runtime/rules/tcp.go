package rules

import (
	"errors"
	"fmt"
	"net/netip"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// parseSilentDrop reads `silent-drop [rst-ttl <hops>]`.
func parseSilentDrop(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	ttl := uint8(0)
	if a.TakeIf("rst-ttl") {
		word := a.Take()
		if word == "" {
			return nil, errors.New("missing rst-ttl value\n")
		}
		n, ok := integer(word)
		if !ok {
			_, taken := sample.ReadInt(word)
			return nil, fmt.Errorf("invalid character starting at '%s' (value 1-255 expected)\n", word[taken:])
		}
		if n < 1 || n > 255 {
			return nil, errors.New("valid rst-ttl values are [1-255]\n")
		}
		ttl = uint8(n)
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.Drop, s.DropTTL = true, ttl
		if s.End.Cause == runtime.EndNone {
			s.End.Cause = runtime.EndProxy
		}
		if s.End.State == runtime.InNone {
			s.End.State = runtime.InRequest // for responses too
		}
		return runtime.Abort
	}, nil
}

// parseSwitchMode reads `switch-mode http [proto <name>]`.
func parseSwitchMode(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	what := fmt.Sprintf("'%s %s'", a.Line.Arg(0), a.Name)
	mode, proto := a.Take(), runtime.ProtoAny
	switch {
	case mode == "":
		return nil, fmt.Errorf("%s expects a mode as argument.", what)
	case a.Proxy.Caps&runtime.CapFront == 0:
		return nil, fmt.Errorf("%s not allowed because %s '%s' has no frontend capability", what, a.Proxy.Kind, a.Proxy.Name)
	case mode != "http":
		return nil, fmt.Errorf("%s expects a valid mode (got '%s').", what, mode)
	}
	if a.TakeIf("proto") {
		switch name := a.Take(); name {
		case "":
			return nil, fmt.Errorf("%s: 'proto' expects a protocol as argument.", what)
		case "h1":
			proto = runtime.ProtoH1
		case "h2":
			proto = runtime.ProtoH2
		default:
			return nil, fmt.Errorf("%s: 'proto' expects a valid MUX protocol, if specified (got '%s')", what, name)
		}
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.Switch, s.SwitchProto = true, proto
		return runtime.Stop
	}, nil
}

// parseClose reads close: the connection to the server ends with what came from it.
func parseClose(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(s *runtime.Stream) runtime.Verdict {
		s.CloseServer = true
		return runtime.Stop
	}, nil
}

// parseAddress reads set-src, set-src-port, set-dst and set-dst-port: `<expression>`.
func parseAddress(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	e, err := readExpr(l, a, requestPlaces(a.Proxy))
	if err != nil {
		return nil, err
	}
	connection, session := a.Kind&runtime.TCPConnRules != 0, a.Kind&runtime.TCPSessRules != 0
	src := a.Name == "set-src" || a.Name == "set-src-port"
	change := changeAddr
	if a.Name == "set-src-port" || a.Name == "set-dst-port" {
		change = changePort
	}
	return func(s *runtime.Stream) runtime.Verdict {
		now := s.Ctx.Dst
		if src {
			now = s.Ctx.Src
		}
		v := s.Ctx.Scratch.Borrow()
		next, ok := change(s, e, v, now)
		s.Ctx.Scratch.Return()
		if !ok {
			return runtime.Continue
		}
		switch {
		case src && connection: // which rules do not know by another one: "fc_src"
			s.Session.Src, s.Ctx.Front.Src = next, next
		case connection:
			s.Session.Dst, s.Ctx.Front.Dst = next, next
		case src && session:
			s.Session.Tell(next, netip.AddrPort{})
		case session:
			s.Session.Tell(netip.AddrPort{}, next)
		}
		if src {
			s.Ctx.Src = next
		} else {
			s.Ctx.Dst = next
		}
		return runtime.Continue
	}, nil
}

// changeAddr keeps the port.
func changeAddr(s *runtime.Stream, e *sample.Expr, v *sample.Value, now netip.AddrPort) (netip.AddrPort, bool) {
	if !e.EvalAs(&s.Ctx, sample.Addr, v) || !v.IP.IsValid() {
		return now, false
	}
	return netip.AddrPortFrom(v.IP, now.Port()), true
}

// changePort keeps the address; where there is none, it becomes 0.0.0.0.
func changePort(s *runtime.Stream, e *sample.Expr, v *sample.Value, now netip.AddrPort) (netip.AddrPort, bool) {
	if !e.EvalAs(&s.Ctx, sample.Int, v) {
		return now, false
	}
	addr := now.Addr()
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(addr, uint16(v.Int)), true
}
