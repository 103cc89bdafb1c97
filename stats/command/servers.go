package command

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"hapax/runtime"
	"hapax/runtime/anon"
	"hapax/runtime/check"
	"hapax/runtime/config"
	"hapax/runtime/resolver"
	"hapax/stats/cli"
)

var servers = []cli.Command{
	{Doc: doc("show backend", "names of all backends"), Run: showBackend},
	{Doc: doc("show servers state", "state of servers, as a state file holds it"), Run: showServersState},
	{Doc: doc("show servers conn", "connections of servers"), Run: showServersConn},
	{Doc: doc("get weight", "weight of a server"), Run: getWeight},
	{Doc: doc("set weight", "change the weight of a server"), Level: cli.Admin, Run: setWeight},
	{Doc: doc("set server", "change a server"), Level: cli.Admin, Run: setServer},
	{Doc: doc("set maxconn server", "change the limit of connections of a server"), Level: cli.Admin, Run: setServerMaxConn},
	{Doc: doc("enable server", "put a server back into service"), Level: cli.Admin, Run: enableServer},
	{Doc: doc("disable server", "put a server into maintenance"), Level: cli.Admin, Run: disableServer},
	{Doc: doc("enable health", "switch the health checks of a server on"), Level: cli.Admin, Run: enableHealth},
	{Doc: doc("disable health", "switch the health checks of a server off"), Level: cli.Admin, Run: disableHealth},
	{Doc: doc("enable agent", "switch the agent checks of a server on"), Level: cli.Admin, Run: enableAgent},
	{Doc: doc("disable agent", "switch the agent checks of a server off"), Level: cli.Admin, Run: disableAgent},
}

// backends calls write for each backend, or for the only one.
func backends(cfg *runtime.Config, only *runtime.Proxy, write func(*cli.Conn, *runtime.Proxy)) cli.Step {
	proxies, i := cfg.AllProxies(), 0
	return rows(func(c *cli.Conn) bool {
		if i == len(proxies) {
			return false
		}
		px := proxies[i]
		i++
		if px.Caps&runtime.CapBack != 0 && px.Mode != runtime.ModeCLI && (only == nil || px == only) {
			write(c, px)
		}
		return true
	})
}

func showBackend(c *cli.Conn, _ []string) cli.Step {
	c.WriteString("# name\n")
	return backends(process(c).Config, nil, func(c *cli.Conn, px *runtime.Proxy) { c.Printf("%s\n", px.Name) })
}

// eachServer is the step of both "show servers".
func eachServer(c *cli.Conn, args []string, head string, write func(*cli.Conn, *runtime.Server)) cli.Step {
	p := process(c)
	var only *runtime.Proxy
	if name := cli.Arg(args, 3); name != "" {
		if only = p.proxyWith(name, runtime.CapBack); only == nil {
			return c.Fail("Can't find backend.")
		}
	}
	c.WriteString(head)
	proxies, proxy := p.Config.AllProxies(), 0
	var servers []*runtime.Server // of the backend that is being written, not written yet
	return rows(func(c *cli.Conn) bool {
		for len(servers) == 0 {
			if proxy == len(proxies) {
				return false
			}
			px := proxies[proxy]
			proxy++
			if px.Caps&runtime.CapBack != 0 && (only == nil || px == only) {
				servers = px.AllServers()
			}
		}
		write(c, servers[0])
		servers = servers[1:]
		return true
	})
}

const stateHead = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight" +
	" srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state" +
	" bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr" +
	" srv_agent_port\n"

// neverChecked is the result of a check that was not made yet.
var neverChecked = runtime.CheckResult{Status: runtime.CheckInit}

func showServersState(c *cli.Conn, args []string) cli.Step {
	started := process(c).Config.Stats.Started.Unix()
	return eachServer(c, args, stateHead, func(c *cli.Conn, srv *runtime.Server) {
		px := srv.Proxy
		changed := srv.LastChange.Load()
		if changed == 0 {
			changed = started
		}
		last, state := srv.LastCheck.Load(), 0
		if last == nil {
			last = &neverChecked
		}
		if srv.CheckOn {
			state = checkConfigured
			if !srv.HealthOff.Load() {
				state |= checkEnabled
			}
			if srv.CheckRunning.Load() {
				state |= checkRunning
			}
			if srv.AdminState.Load()&uint32(runtime.Maint) != 0 && !srv.Fresh.Load() {
				state |= checkPaused
			}
		} else if srv.Disabled {
			state = checkPaused
		}
		ip, port := endpoint(srv.Addr.Load())
		checkIP, _ := endpoint(&srv.CheckAddr)
		agentIP, _ := endpoint(srv.Agent.LiveAddr.Load())
		key, host, service := anon.Key(c.AnonKey), "-", "-"
		if name := srv.HostName(); name != "" {
			host = key.Word(name)
		}
		if srv.Service != "" {
			service = key.Word(srv.Service)
		}
		c.Printf("%d %s %d %s %s %d %d %d %d %d %d %d %d %d %d %d %d %s %d %s %d %d %s %s %d\n", px.ID, key.Word(px.Name), srv.ID, key.Word(srv.Name),
			hiddenIP(key, ip),
			srv.State.Load(), srv.AdminState.Load(), srv.UserWeight.Load(), srv.Weight, time.Now().Unix()-changed,
			last.Status.Number(), last.Result(), srv.Health.Load(), state, agentState(&srv.Agent), bit(px.ForcedID), bit(srv.ForcedID), host, port, service,
			srv.TLSMode.Load(), checkPort(srv), checkIP, agentIP, agentPort(&srv.Agent))
	})
}

// Bits of srv_check_state.
const (
	checkRunning    = 1
	checkConfigured = 2
	checkEnabled    = 4
	checkPaused     = 8
)

// agentState is srv_agent_state.
func agentState(a *runtime.Agent) int {
	const agent = 16
	if !a.On {
		return 0
	}
	state := agent | checkConfigured
	if a.Asked() {
		state |= checkEnabled
	}
	if a.Running.Load() {
		state |= checkRunning
	}
	return state
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// checkPort is the port of checks, 0 when it is that of traffic.
func checkPort(srv *runtime.Server) int {
	if n := srv.LiveCheckPort.Load(); n != 0 {
		return int(n)
	}
	return srv.CheckPort
}

// agentPort is where the agent is asked, or would be.
func agentPort(a *runtime.Agent) int {
	if n := a.LivePort.Load(); n != 0 {
		return int(n)
	}
	return a.Port
}

// endpoint is an IP address and port; "-" stands for everything else. A name that was not looked up has a port.
func endpoint(a *runtime.Addr) (string, uint16) {
	switch {
	case a == nil:
		return "-", 0
	case a.Family != runtime.FamilyIPv4 && a.Family != runtime.FamilyIPv6:
		return "-", a.IP.Port()
	}
	return a.IP.Addr().String(), a.IP.Port()
}

// hiddenIP hides what endpoint wrote.
func hiddenIP(key anon.Key, text string) string {
	ip, _ := netip.ParseAddr(text)
	return key.IP(text, netip.AddrPortFrom(ip, 0))
}

func showServersConn(c *cli.Conn, args []string) cli.Step {
	loops := max(process(c).Config.Global.NbThread, 1)
	head := fmt.Sprintf("# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est idle_sess"+
		" unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[%d]\n", loops)
	return eachServer(c, args, head, func(c *cli.Conn, srv *runtime.Server) {
		ip, port := endpoint(srv.Addr.Load())
		idle, safe := srv.Idle()
		key := anon.Key(c.AnonKey)
		c.Printf("%s/%s %d/%d %s %d - %d %d %d %d %d %d %d %d %d %d", key.Word(srv.Proxy.Name), key.Word(srv.Name), srv.Proxy.ID, srv.ID,
			hiddenIP(key, ip), port,
			srv.PoolPurge.Milliseconds(), srv.Served.Load(), srv.Used.Load(), srv.Used.Max(), srv.NeedEst(), srv.IdleOwned(),
			max(idle-safe, 0), safe, srv.PoolMax, idle)
		pools, _ := srv.Pools.(interface{ IdleOn(loop int) int })
		for loop := range loops {
			if srv.PoolMax == 0 {
				break // it has no pools
			}
			n := 0
			if pools != nil {
				n = pools.IdleOn(loop)
			}
			c.Printf(" %d", n)
		}
		c.WriteString("\n")
	})
}

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

const setServerUsage = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send |" +
	" check-addr | check-port | fqdn | health | ssl | state | weight"

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
