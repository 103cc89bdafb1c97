package command

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"hapax/runtime"
	"hapax/runtime/anon"
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
		agentIP, _ := endpoint(agentAddr(&srv.Agent))
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
// agentAddr is where an agent would be asked, if it is not the server's address.
func agentAddr(a *runtime.Agent) *runtime.Addr { return cmp.Or(a.LiveAddr.Load(), &a.Addr) }

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
