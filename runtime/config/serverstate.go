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
	health         int
	check          int
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

func between(low, high int64) func(int64) bool {
	return func(n int64) bool { return n >= low && n <= high }
}

// readState understands a line; its faults say what is wrong with it.
func readState(line []string) *savedState {
	const most = 1<<63 - 1
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
	s.number(stateCheckResult, "srv_check_result", between(0, runtime.OutcomeConditional))
	s.health = int(s.number(stateHealth, "srv_check_health", between(-most, most)))
	bits := func(n int64) bool { return n&^checkBits == 0 }
	s.check = int(s.number(stateCheck, "srv_check_state", bits))
	s.number(stateAgent, "srv_agent_state", bits)
	s.number(stateForcedBackend, "bk_f_forced_id", between(0, 1))
	s.number(stateForcedServer, "srv_f_forced_id", between(0, 1))
	if s.host = line[stateHost]; s.host[0] == '-' {
		s.host = ""
	} else if !validHost(s.host) {
		fmt.Fprintf(&s.faults, ", invalid srv_fqdn value '%s'", s.host)
	}
	if s.port = atol(line[statePort]); s.port < 0 || s.port > 65535 {
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
		restoreAdmin(srv, s)
		srv.Restored = true
		srv.LastChange.Store(time.Now().Unix() - s.age)
		srv.LastCheck.Store(&runtime.CheckResult{Status: statusOfNumber(s.status)})
		srv.HealthOff.Store(srv.CheckOn && s.check&checkGiven != 0 && s.check&checkRuns == 0)
		if s.weight == srv.Weight {
			srv.UserWeight.Store(int32(s.userWeight))
		}
		l.restorePlace(srv, s)
		restoreCheck(srv, s)
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
	kind, onBackup := "", ""
	if srv.Backup {
		kind = "Backup "
	}
	if active == 0 && backup > 0 {
		onBackup = " Running on backup."
	}
	rest := "left.%s 0 sessions active, 0 requeued, 0 remaining in queue."
	if state != runtime.ServerStopped {
		rest = "online.%s 0 sessions requeued, 0 total in queue."
	}
	l.List.Warnf(ast.Pos{}, "%sServer %s/%s is %s. %d active and %d backup servers "+rest, kind, px.Name, srv.Name, what, active, backup, onBackup)
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
func restoreAdmin(srv *runtime.Server, s *savedState) {
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
		srv.Health.Store(int32(srv.Rise))
	}
	// A weight of zero drains too: with a new weight the drain is over.
	if admin&runtime.ForcedMaint == 0 && s.admin&runtime.ForcedDrain != 0 && (s.weight > 0 || srv.Weight == 0) {
		admin |= runtime.ForcedDrain
	}
	srv.AdminState.Store(uint32(admin))
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

// restoreCheck restores where checks go.
func restoreCheck(srv *runtime.Server, s *savedState) {
	port, addr := s.line[stateCheckPort], s.line[stateCheckAddr]
	if port == "0" {
		port = ""
	}
	if addr == "-" {
		addr = ""
	}
	if port == "" && addr == "" {
		return
	}
	if !srv.CheckOn || srv.HealthOff.Load() {
		s.faults.WriteString(", health checks are not enabled on this server")
		return
	}
	ip, err := netip.ParseAddr(addr)
	if addr != "" && err != nil {
		fmt.Fprintf(&s.faults, ", invalid addr '%s'", addr)
		return
	}
	n, rest := strtol(port, 10)
	switch {
	case rest != "":
		s.faults.WriteString(", provided port is not an integer")
		return
	case n < 0 || n > 65535:
		s.faults.WriteString(", provided port is invalid")
		return
	}
	if addr != "" {
		srv.CheckAddr = runtime.Addr{Family: runtime.FamilyIPv6, IP: netip.AddrPortFrom(ip, srv.CheckAddr.IP.Port())}
		if ip.Is4() {
			srv.CheckAddr.Family = runtime.FamilyIPv4
		}
	}
	if n > 0 {
		srv.CheckPort = int(n)
	}
}
