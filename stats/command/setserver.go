package command

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/config"
	"hapax/runtime/resolver"
	"hapax/stats/cli"
)

const setServerUsage = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send |" +
	" check-addr | check-port | fqdn | health | ssl | state | weight"

func getWeight(c *cli.Conn, args []string) cli.Step {
	if srv := anyServer(c, cli.Arg(args, 2)); srv != nil {
		c.Printf("%d (initial %d)\n", srv.UserWeight.Load(), srv.Weight)
	}
	return nil
}

func setWeight(c *cli.Conn, args []string) cli.Step {
	if srv := server(c, cli.Arg(args, 2)); srv != nil {
		changeWeight(c, srv, cli.Arg(args, 3))
	}
	return nil
}

// changeWeight takes a weight, or with "%" a part of the configured one.
func changeWeight(c *cli.Conn, srv *runtime.Server, text string) {
	w, fault := check.ParseWeight(srv, text)
	if fault != "" {
		c.Fail(fault)
		return
	}
	process(c).Servers.SetWeight(srv, w)
}

func setServerMaxConn(c *cli.Conn, args []string) cli.Step {
	srv := server(c, cli.Arg(args, 3))
	if srv == nil {
		return nil
	}
	n, fault := check.ParseMaxConn(cli.Arg(args, 4))
	if fault != "" {
		return c.Fail(fault)
	}
	process(c).Servers.SetMaxConn(srv, n)
	return nil
}

func enableServer(c *cli.Conn, args []string) cli.Step {
	if srv := server(c, cli.Arg(args, 2)); srv != nil {
		process(c).Servers.SetReady(srv)
	}
	return nil
}

func disableServer(c *cli.Conn, args []string) cli.Step {
	if srv := server(c, cli.Arg(args, 2)); srv != nil {
		process(c).Servers.SetMaint(srv)
	}
	return nil
}

func enableHealth(c *cli.Conn, args []string) cli.Step {
	srv := server(c, cli.Arg(args, 2))
	switch {
	case srv == nil:
	case !srv.CheckOn:
		return c.Fail("Health check was not configured on this server, cannot enable.")
	default:
		process(c).Servers.SetChecks(srv, true)
	}
	return nil
}

func disableHealth(c *cli.Conn, args []string) cli.Step {
	if srv := server(c, cli.Arg(args, 2)); srv != nil && srv.CheckOn {
		process(c).Servers.SetChecks(srv, false)
	}
	return nil
}

func enableAgent(c *cli.Conn, args []string) cli.Step {
	srv := server(c, cli.Arg(args, 2))
	switch {
	case srv == nil:
	case !srv.Agent.On:
		return c.Fail("Agent was not configured on this server, cannot enable.")
	default:
		process(c).Servers.SetAgent(srv, true)
	}
	return nil
}

func disableAgent(c *cli.Conn, args []string) cli.Step {
	if srv := server(c, cli.Arg(args, 2)); srv != nil && srv.Agent.On {
		process(c).Servers.SetAgent(srv, false)
	}
	return nil
}

func setServer(c *cli.Conn, args []string) cli.Step {
	srv := server(c, cli.Arg(args, 2))
	if srv == nil {
		return nil
	}
	value := cli.Arg(args, 4)
	switch what := cli.Arg(args, 3); what {
	case "weight":
		changeWeight(c, srv, value)
	case "state":
		setServerState(c, srv, value)
	case "health":
		setServerHealth(c, srv, value)
	case "addr":
		setServerAddr(c, srv, args)
	case "check-port":
		setCheckPort(c, srv, value)
	case "check-addr":
		return setCheckAddr(c, srv, value)
	case "agent", "agent-send", "agent-addr", "agent-port":
		return setAgent(c, srv, args)
	case "fqdn":
		if value == "" {
			return c.Fail("set server <b>/<s> fqdn requires a FQDN.")
		}
		said, changed := resolver.SetHost(srv, value, "stats socket command")
		if !changed {
			return c.Fail(said)
		}
		return c.Say(cli.Warning, said)
	case "ssl":
		return setServerTLS(c, srv, value)
	default:
		return c.Fail(setServerUsage)
	}
	return nil
}

// setAgent is "agent", "agent-send", "agent-addr" and "agent-port".
func setAgent(c *cli.Conn, srv *runtime.Server, args []string) cli.Step {
	what, value, a := args[3], cli.Arg(args, 4), &srv.Agent
	switch {
	case what == "agent-addr" && value == "":
		return c.Fail("set server <b>/<s> agent-addr requires an address and optionally a port.")
	case what == "agent-port" && value == "":
		return c.Fail("set server <b>/<s> agent-port requires a port.")
	case !a.Asked() && (what == "agent-addr" || what == "agent-port"):
		return c.Say(cli.Warning, "agent checks are not enabled on this server")
	case !a.Asked():
		return c.Fail("agent checks are not enabled on this server.")
	}
	switch what {
	case "agent":
		if value != "up" && value != "down" {
			return c.Fail("'set server <srv> agent' expects 'up' or 'down'.")
		}
		process(c).Servers.SetAgentHealth(srv, value == "up", "CLI")
	case "agent-send":
		a.LiveSend.Store(&value)
	case "agent-port":
		return setAgentPlace(c, a, "", value)
	case "agent-addr":
		port := ""
		if cli.Arg(args, 5) == "port" {
			port = cli.Arg(args, 6)
		}
		return setAgentPlace(c, a, value, port)
	}
	return nil
}

// setAgentPlace changes where an agent is asked: "" leaves the address, or the port, as it is.
func setAgentPlace(c *cli.Conn, a *runtime.Agent, addr, port string) cli.Step {
	ip, err := netip.ParseAddr(addr)
	if addr != "" && err != nil {
		var known bool
		if ip, known = config.LookUp(addr, runtime.FamilyNone); !known {
			return c.Say(cli.Warning, "invalid addr '"+addr+"'")
		}
	}
	n, err := strconv.Atoi(port)
	switch {
	case port == "":
	case err != nil:
		return c.Say(cli.Warning, "provided port is not an integer")
	case n < 0 || n > 65535:
		return c.Say(cli.Warning, "provided port is invalid")
	default:
		a.LivePort.Store(int32(n))
	}
	if addr != "" {
		to := &runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(ip, 0)}
		if ip.Is6() {
			to.Family = runtime.FamilyIPv6
		}
		a.LiveAddr.Store(to)
	}
	return nil
}

// setServerTLS switches TLS on or off.
func setServerTLS(c *cli.Conn, srv *runtime.Server, value string) cli.Step {
	switch {
	case srv.Dynamic:
		return c.Fail("'set server <srv> ssl' not supported on dynamic servers")
	case srv.TLS == nil:
		return c.Fail("'set server <srv> ssl' cannot be set.  default-server should define ssl settings")
	case value != "on" && value != "off":
		return c.Fail("'set server <srv> ssl' expects 'on' or 'off'.")
	}
	process(c).Servers.SetTLS(srv, value == "on")
	return c.Say(cli.Notice, "server ssl setting updated.")
}

func setServerState(c *cli.Conn, srv *runtime.Server, state string) {
	control := process(c).Servers
	switch state {
	case "ready":
		control.SetReady(srv)
	case "drain":
		control.SetDrain(srv)
	case "maint":
		control.SetMaint(srv)
	default:
		c.Fail("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
	}
}

func setServerHealth(c *cli.Conn, srv *runtime.Server, health string) {
	control := process(c).Servers
	switch {
	case srv.Track != nil:
		c.Fail("cannot change health on a tracking server.")
	case health == "up":
		control.SetHealth(srv, runtime.ServerRunning, "CLI")
	case health == "stopping":
		control.SetHealth(srv, runtime.ServerStopping, "CLI")
	case health == "down":
		control.SetHealth(srv, runtime.ServerStopped, "CLI")
	default:
		c.Fail("'set server <srv> health' expects 'up', 'stopping', or 'down'.")
	}
}

// setServerAddr moves a server: "addr <ip> [port <port>]". The answer tells what changed.
func setServerAddr(c *cli.Conn, srv *runtime.Server, args []string) {
	value := cli.Arg(args, 4)
	if value == "" {
		c.Fail("set server <b>/<s> addr requires an address and optionally a port.")
		return
	}
	old := srv.Addr.Load()
	if old == nil || old.Family != runtime.FamilyIPv4 && old.Family != runtime.FamilyIPv6 {
		c.Say(cli.Warning, "Update for the current server address family is only supported through configuration file.")
		return
	}
	ip, err := netip.ParseAddr(value)
	if err != nil {
		c.Say(cli.Warning, "Invalid addr '"+value+"'")
		return
	}
	port, mapped := old.IP.Port(), srv.PortOffset || srv.MapPorts
	wasMapped := mapped
	if cli.Arg(args, 5) == "port" {
		text := cli.Arg(args, 6)
		n, rest := leading(text)
		if rest == text {
			c.Say(cli.Warning, "problem converting port '"+text+"' to an int")
			return
		}
		port, mapped = uint16(n), strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-")
	}
	var changes []string
	if was := old.IP.Addr(); was != ip {
		changes = append(changes, fmt.Sprintf("IP changed from '%s' to '%s'", was, ip))
	}
	if mapped && !wasMapped && srv.CheckOn && !srv.HealthOff.Load() && srv.CheckPort == 0 {
		// The checks would have no port. The reference says so, but if the address changes it maps the port nevertheless.
		if changes != nil {
			changes = append(changes, "can't change <port> to port map because it is incompatible with current health check"+
				" port configuration (use 'port' statement from the 'server' directive).")
		}
	} else if mapped != wasMapped || port != old.IP.Port() {
		changes = append(changes, fmt.Sprintf("port changed from '%s' to '%s'", portText(old.IP.Port(), wasMapped), portText(port, mapped)))
	}
	if changes == nil {
		c.Say(cli.Warning, "nothing changed")
		return
	}
	process(c).Servers.SetAddr(srv, netip.AddrPortFrom(ip, port), mapped)
	c.Say(cli.Warning, strings.Join(changes, ", ")+" by 'stats socket command'")
}

func portText(port uint16, mapped bool) string {
	if mapped {
		return "+" + strconv.Itoa(int(port))
	}
	return strconv.Itoa(int(port))
}

func setCheckPort(c *cli.Conn, srv *runtime.Server, text string) {
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
		c.Fail("set server <b>/<s> check-port requires a port.")
	case !srv.CheckOn || srv.HealthOff.Load():
		c.Say(cli.Warning, "health checks are not enabled on this server")
	case err != nil:
		c.Say(cli.Warning, "provided port is not an integer")
	case n < 0 || n > 65535:
		c.Say(cli.Warning, "provided port is invalid")
	case n == 0 && (srv.MapPorts || srv.PortOffset):
		c.Say(cli.Warning, "can't unset 'port' since MAPPORTS is in use")
	default:
		process(c).Servers.SetCheckPort(srv, n)
	}
}

// setCheckAddr accepts no address at all, as version 3.4.0 of the reference.
func setCheckAddr(c *cli.Conn, srv *runtime.Server, value string) cli.Step {
	switch {
	case value == "":
		return c.Fail("set server <b>/<s> check-addr requires an address and optionally a port.")
	case !srv.CheckOn || srv.HealthOff.Load():
		return c.Say(cli.Warning, "health checks are not enabled on this server")
	}
	return c.Say(cli.Warning, "invalid addr '"+value+"'")
}
