package config

import (
	"fmt"
	"net/netip"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// deprecatedKeywords still work, with a warning, but for two that tell what to write instead.
func deprecatedKeywords() []Keyword {
	return []Keyword{
		onProxy("transparent", "4.2", "connect to where the client wanted to", nil, func(l *Loader, line *ast.Line) {
			l.state(l.Proxy).transparent = true
			if !l.TooMany(line, 1, 0) {
				l.warnTransparent(line.Pos, "'"+line.Arg(0)+"'")
			}
		}),
		onProxy("dispatch", "4.2", "the address of the only server", []keyword.Arg{{Name: "address", Type: keyword.Addr}}, dispatch),
		onProxy("monitor-net", "4.2", "not supported anymore", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'monitor-net' doesn't exist anymore. Please use 'http-request return status 200 if { src %s }' instead.", line.Arg(1))
		}),
		onProxy("usesrc", "4.2", "belongs to source", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'usesrc' only allowed after a 'source' statement.")
		}),
	}
}

func dispatch(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	addr, err := l.Address(line.Arg(1), AddrResolve|AddrPort|AddrNeedPort|AddrStream|AddrConnect, "")
	if err != nil {
		l.Alert(line.Pos, "'%s' : %s", line.Arg(0), err)
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	l.state(l.Proxy).dispatch = &addr.Addr
	if l.Deprecated() {
		l.WarnTight(line.Pos, "%s", fmt.Sprintf("'%s' is deprecated in 3.3 and will be removed in 3.5. "+
			"The modern way to do the same is to create a server with the same address, and "+
			"possibly to assign any extra server a weight of zero if any:\n"+
			"    server dispatch %s\n"+
			"Note that it is still possible to silence this warning by setting "+
			"'expose-deprecated-directives' in the 'global' section, but do not wait to fix "+
			"your configuration!\n", line.Arg(0), line.Arg(1)))
	}
}

// dispatchServer makes the server that "dispatch" or "transparent" stands for: nil when
// the proxy has neither, or balances.
func (l *Loader) dispatchServer(px *runtime.Proxy) *runtime.Server {
	st := l.state(px)
	if px.Caps&runtime.CapBack == 0 || px.Balance.Algo != "" || st.dispatch == nil && !st.transparent {
		return nil
	}
	srv := newServer(px, px.Pos)
	srv.Name, srv.Hidden = "<NOSRV>", true
	srv.State.Store(int32(runtime.ServerRunning))
	switch addr := st.dispatch; {
	case addr == nil:
		srv.MapPorts = true
		srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(netip.IPv4Unspecified(), 0)})
	case addr.IP.Addr() == netip.IPv4Unspecified():
		// Nobody's address is this host's here. A server's would be the client's.
		addr.IP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.IP.Port())
		fallthrough
	default:
		srv.Addr.Store(addr)
	}
	return srv
}
