package config

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/runtime"
)

const (
	checkStatuses  = 21   // numbers that srv_check_status may have
	checkBits      = 0x1f // of srv_check_state and srv_agent_state
	checkGiven     = 2    // the server is checked
	checkRuns      = 4    // and that was not disabled
	restoredAdmins = runtime.ForcedMaint | runtime.ConfigMaint | runtime.ForcedDrain
)

// savedState is a line of a state file about a server, understood.
type savedState struct {
	op             runtime.ServerState
	admin          runtime.Admin
	userWeight     int
	weight         int
	age            int64
	status         int
	result         int
	health         int
	check          int
	agent          int
	host           string
	port           int
	line           []string
	faults         strings.Builder
	hostWasChanged bool
}

// number reads a field; what is wrong with it is remembered.
func (s *savedState) number(field int, name string, valid func(n int64) bool) int64 {
	text := s.line[field]
	n, rest := strtol(text, 10)
	if rest == text || !valid(n) {
		fmt.Fprintf(&s.faults, ", invalid %s value '%s'", name, text)
	}
	return n
}

// digits is the number that a text begins with, 0 without one.
func digits(text string) (n int) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' || n > 65535 {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}

func between(low, high int64) func(int64) bool {
	return func(n int64) bool { return n >= low && n <= high }
}

// readState understands a line; its faults say what is wrong with it.
func readState(line []string) *savedState {
	const most = 1<<63 - 2 // more is out of range
	s := &savedState{line: line}
	s.op = runtime.ServerState(s.number(stateOp, "srv_op_state", between(0, int64(runtime.ServerStopping))))
	s.admin = runtime.Admin(s.number(stateAdmin, "srv_admin_state", func(n int64) bool {
		switch runtime.Admin(n) &^ (runtime.InheritedDrain | runtime.InheritedMaint | runtime.ResolverMaint | runtime.HostnameMaint) {
		case 0, runtime.ForcedMaint, runtime.ConfigMaint, runtime.ConfigMaint | runtime.ForcedMaint, runtime.ConfigMaint | runtime.ForcedDrain, runtime.ForcedDrain:
			return true
		}
		return false
	}))
	s.hostWasChanged = s.admin&runtime.HostnameMaint != 0
	s.admin &= restoredAdmins
	s.userWeight = int(s.number(stateUserWeight, "srv_uweight", between(0, maxWeight)))
	s.weight = int(s.number(stateWeight, "srv_iweight", between(0, maxWeight)))
	s.age = s.number(stateAge, "srv_last_time_change", between(-most, most))
	s.status = int(s.number(stateCheckStatus, "srv_check_status", between(-most, checkStatuses-1)))
	s.result = int(s.number(stateCheckResult, "srv_check_result", between(0, runtime.OutcomeConditional)))
	s.health = int(s.number(stateHealth, "srv_check_health", between(-most, most)))
	bits := func(n int64) bool { return n&^checkBits == 0 }
	s.check = int(s.number(stateCheck, "srv_check_state", bits))
	s.agent = int(s.number(stateAgent, "srv_agent_state", bits))
	s.number(stateForcedBackend, "bk_f_forced_id", between(0, 1))
	s.number(stateForcedServer, "srv_f_forced_id", between(0, 1))
	if s.host = line[stateHost]; s.host[0] == '-' {
		s.host = ""
	} else if !validHost(s.host) {
		fmt.Fprintf(&s.faults, ", invalid srv_fqdn value '%s'", s.host)
	}
	if s.port = digits(line[statePort]); s.port > 65535 {
		fmt.Fprintf(&s.faults, ", invalid srv_port value '%s'", line[statePort])
	}
	return s
}

// restore gives a server the state that a former process has left. What the
// configuration has changed since counts more.
func (l *Loader) restore(srv *runtime.Server, line []string) {
	s := readState(line)
	how := "application failed"
	if s.faults.Len() == 0 {
		how = "partially applied"
		l.restoreRun(srv, s)
		l.restoreAdmin(srv, s)
		l.restoreStart(srv, s)
		srv.Restored = true
		srv.LastChange.Store(time.Now().Unix() - s.age)
		srv.LastCheck.Store(&runtime.CheckResult{Status: statusOfNumber(s.status), Restored: s.result + 1})
		srv.HealthOff.Store(srv.CheckOn && s.check&checkGiven != 0 && s.check&checkRuns == 0)
		srv.Agent.Off.Store(srv.Agent.On && s.agent&checkGiven != 0 && s.agent&checkRuns == 0)
		if s.weight == srv.Weight {
			srv.UserWeight.Store(int32(s.userWeight))
		}
		l.restorePlace(srv, s)
		if restoreCheck(srv, s) {
			restoreAgent(srv, s)
		}
	}
	if s.faults.Len() > 0 {
		l.List.Warnf(ast.Pos{}, "server-state %s for server '%s/%s'%s", how, srv.Proxy.Name, srv.Name, s.faults.String())
	}
}

func statusOfNumber(n int) runtime.CheckStatus {
	for s := runtime.CheckUnknown; s <= runtime.CheckProcOK; s++ {
		if s.Number() == n {
			return s
		}
	}
	return runtime.CheckUnknown
}

// restoreRun restores whether the server is up.
func (l *Loader) restoreRun(srv *runtime.Server, s *savedState) {
	full := srv.Rise + srv.Fall - 1
	op, health := s.op, s.health
	switch {
	case op == runtime.ServerStarting && srv.Rise == 1:
		op = runtime.ServerRunning
	case op == runtime.ServerStopping && srv.Fall == 1:
		op = runtime.ServerStopped
	}
	switch op {
	case runtime.ServerStopped:
		health = 0
	case runtime.ServerStarting:
		if health < 1 || health >= srv.Rise {
			health = srv.Rise - 1
		}
	case runtime.ServerStopping:
		if health < srv.Rise || health > full-1 {
			health = srv.Rise
		}
	case runtime.ServerRunning:
		health = full
	}
	srv.Health.Store(int32(health))
	if srv.AdminState.Load()&uint32(runtime.Maint) != 0 {
		return
	}
	was := runtime.ServerState(srv.State.Load())
	srv.State.Store(int32(op))
	switch {
	case was == op:
	case op == runtime.ServerStopped:
		l.tellDown(srv, "DOWN, changed from server-state after a reload")
	case op == runtime.ServerStopping:
		l.tellDown(srv, "stopping, changed from server-state after a reload")
	}
}

// backupTitle is what stands before "Server" in messages about a backup.
func backupTitle(srv *runtime.Server) string {
	if srv.Backup {
		return "Backup "
	}
	return ""
}

// tellDown warns that a server, and those that track it, take no requests.
func (l *Loader) tellDown(srv *runtime.Server, what string) {
	px, state := srv.Proxy, runtime.ServerState(srv.State.Load())
	active, backup := 0, 0
	for _, other := range px.Servers {
		switch up := runtime.ServerState(other.State.Load()); {
		case up != runtime.ServerRunning && up != runtime.ServerStarting || other.AdminState.Load()&uint32(runtime.Maint|runtime.Drain) != 0 || other.UserWeight.Load() == 0:
		case other.Backup:
			backup++
		default:
			active++
		}
	}
	onBackup := ""
	if active == 0 && backup > 0 {
		onBackup = " Running on backup."
	}
	rest := "left.%s 0 sessions active, 0 requeued, 0 remaining in queue."
	if state != runtime.ServerStopped {
		rest = "online.%s 0 sessions requeued, 0 total in queue."
	}
	l.List.Warnf(ast.Pos{}, "%sServer %s/%s is %s. %d active and %d backup servers "+rest, backupTitle(srv), px.Name, srv.Name, what, active, backup, onBackup)
	for _, t := range srv.Trackers {
		if t.AdminState.Load()&uint32(runtime.Maint) != 0 || t.State.Load() == int32(state) {
			continue
		}
		t.State.Store(int32(state))
		t.Health.Store(0)
		verb, _, _ := strings.Cut(what, ",")
		verb, _, _ = strings.Cut(verb, " via ")
		l.tellDown(t, fmt.Sprintf("%s via %s/%s", verb, px.Name, srv.Name))
	}
}

// restoreAdmin restores what an administrator wanted, unless "disabled" has come or
// gone since.
func (l *Loader) restoreAdmin(srv *runtime.Server, s *savedState) {
	admin := runtime.Admin(srv.AdminState.Load())
	disabled := admin&runtime.ConfigMaint != 0
	switch {
	case s.admin&runtime.ConfigMaint != 0 != disabled:
	case s.admin&runtime.ForcedMaint != 0 && !disabled:
		admin |= runtime.ForcedMaint
		srv.State.Store(int32(runtime.ServerStopped))
		srv.Health.Store(0)
	case s.admin&runtime.ForcedMaint == 0 && disabled:
		admin &^= runtime.ForcedMaint
		srv.State.Store(int32(runtime.ServerRunning))
		if srv.CheckOn {
			srv.Health.Store(int32(srv.Rise))
		}
		l.List.Warnf(ast.Pos{}, "%sServer %s/%s is UP/READY (leaving forced maintenance).", backupTitle(srv), srv.Proxy.Name, srv.Name)
	}
	// A weight of zero drains too: with a new weight the drain is over.
	if admin&runtime.ForcedMaint == 0 && s.admin&runtime.ForcedDrain != 0 && (s.weight > 0 || srv.Weight == 0) {
		admin |= runtime.ForcedDrain
	}
	srv.AdminState.Store(uint32(admin))
}

// restoreStart ends the slow start of a server for which it is over by now.
func (l *Loader) restoreStart(srv *runtime.Server, s *savedState) {
	admin := runtime.Admin(srv.AdminState.Load())
	if srv.State.Load() != int32(runtime.ServerStarting) || admin&runtime.Maint != 0 || time.Duration(s.age)*time.Second < srv.SlowStart {
		return
	}
	srv.State.Store(int32(runtime.ServerRunning))
	if admin&runtime.Drain != 0 {
		l.tellDown(srv, "UP")
	}
}

// restorePlace restores the port, and the address of a server that is named by its host.
func (l *Loader) restorePlace(srv *runtime.Server, s *savedState) {
	if ip, err := netip.ParseAddr(s.line[stateAddr]); err == nil {
		if l.lastAddrs == nil {
			l.lastAddrs = map[*runtime.Server]netip.Addr{}
		}
		l.lastAddrs[srv] = ip
	}
	if srv.Host != "" && s.host != "" && s.host != srv.Host && s.hostWasChanged {
		srv.Host = s.host
		srv.AdminState.Store(srv.AdminState.Load() | uint32(runtime.HostnameMaint))
	}
	a := *srv.Addr.Load()
	a.IP = netip.AddrPortFrom(a.IP.Addr(), uint16(s.port))
	srv.Addr.Store(&a)
}

// restoreCheck restores the port that checks go to; false: it cannot, and what follows is
// left alone. Their address cannot be set, here as with "set server check-addr".
func restoreCheck(srv *runtime.Server, s *savedState) bool {
	return s.checkPlace("health", srv.CheckOn && !srv.HealthOff.Load(), s.line[stateCheckAddr], s.line[stateCheckPort], nil, &srv.CheckPort)
}

// restoreAgent restores where the agent is.
func restoreAgent(srv *runtime.Server, s *savedState) {
	s.checkPlace("agent", srv.Agent.Asked(), s.line[stateAgentAddr], s.line[stateAgentPort], &srv.Agent.Addr, &srv.Agent.Port)
}

// checkPlace reads an address and a port, which go to to and toPort unless they are those
// of the configuration. A nil to takes none.
func (s *savedState) checkPlace(kind string, on bool, addr, port string, to *runtime.Addr, toPort *int) bool {
	if port == "0" {
		port = ""
	}
	if addr == "-" {
		addr = ""
	}
	if port == "" && addr == "" {
		return true
	}
	if !on {
		s.faults.WriteString(", " + kind + " checks are not enabled on this server")
		return false
	}
	ip, err := netip.ParseAddr(addr)
	if addr != "" && (err != nil || to == nil) {
		fmt.Fprintf(&s.faults, ", invalid addr '%s'", addr)
		return false
	}
	n, rest := strtol(port, 10)
	switch {
	case rest != "":
		s.faults.WriteString(", provided port is not an integer")
		return false
	case n < 0 || n > 65535:
		s.faults.WriteString(", provided port is invalid")
		return false
	}
	if addr != "" {
		*to = runtime.Addr{Family: runtime.FamilyIPv6, IP: netip.AddrPortFrom(ip, to.IP.Port())}
		if ip.Is4() {
			to.Family = runtime.FamilyIPv4
		}
	}
	if n > 0 {
		*toPort = int(n)
	}
	return true
}
