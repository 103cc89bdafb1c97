package check

import (
	"fmt"
	"net/netip"
	"strings"

	"hapax/runtime"
)

// Resolved gives a server the address that a name server told, and ends the maintenance of one that had none. by is
// who told it. Section 5.3.1.
func (c *Checks) Resolved(srv *runtime.Server, to runtime.Resolved, by string) {
	c.changes.Lock()
	defer c.changes.Unlock()
	was := srv.Addr.Load().IP
	ip, port := to.IP, to.Port
	if !ip.IsValid() {
		ip = was.Addr()
	}
	if port == 0 {
		port = was.Port()
	}
	var told []string
	if ip != was.Addr() {
		told = append(told, fmt.Sprintf("IP changed from '%s' to '%s'", addressText(was.Addr()), ip))
	}
	if port != was.Port() {
		told = append(told, fmt.Sprintf("port changed from '%d' to '%d'", was.Port(), port))
	}
	if told != nil {
		if !to.Quiet {
			c.report(srv, levelNotice, fmt.Sprintf("%s/%s: %s by '%s'", srv.Proxy.Name, srv.Name, strings.Join(told, ", "), by))
		}
		c.move(srv, netip.AddrPortFrom(ip, port), srv.MapPorts && to.Port == 0)
	}
	if ip.IsValid() && adminOf(srv)&runtime.ResolverMaint != 0 {
		c.administer(srv, runtime.ResolverMaint, false, "")
		c.report(srv, levelNotice, fmt.Sprintf("Server %s/%s administratively READY thanks to valid DNS answer", srv.Proxy.Name, srv.Name))
	}
}

// addressText is an address as messages tell it.
func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return "(none)"
	}
	return ip.String()
}

// Unresolved puts a server without an address into maintenance; with port, its port was that of a SRV record and goes too.
func (c *Checks) Unresolved(srv *runtime.Server, why string, port bool) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.administer(srv, runtime.ResolverMaint, true, why)
	kept := srv.Addr.Load().IP.Port()
	if port {
		kept = 0
	}
	c.move(srv, netip.AddrPortFrom(netip.Addr{}, kept), srv.MapPorts)
}

// Renamed gives a server another host name, "" for none. by is who did it; "" tells nothing.
func (c *Checks) Renamed(srv *runtime.Server, host, by string) {
	c.changes.Lock()
	defer c.changes.Unlock()
	was := srv.HostName()
	srv.LiveHost.Store(&host)
	if host == "" {
		return
	}
	place(srv, stateOf(srv), adminOf(srv)|runtime.HostnameMaint)
	c.opt.Log(levelNotice, srv.Proxy, c.RenameText(srv, was, host, by))
}

// RenameText tells that a server has another host name.
func (c *Checks) RenameText(srv *runtime.Server, was, host, by string) string {
	if was == "" {
		was = "(null)"
	}
	return fmt.Sprintf("%s/%s changed its FQDN from %s to %s by '%s'", srv.Proxy.Name, srv.Name, was, host, by)
}
