package check

import (
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/loop"
)

// An agent needs one good or bad answer to change the server.
const (
	agentRise = 1
	agentFall = 1
)

// newAgent makes the check that asks a server's agent ("agent-check").
func newAgent(c *Checks, srv *runtime.Server) *Check {
	ck := newCheck(c, srv)
	ck.http = nil
	ck.agent = &srv.Agent
	ck.rules = agentRules()
	if srv.Proxy.DefaultServer != nil || srv.Dynamic { // see prepare
		srv.Agent.Health.Store(agentRise)
	}
	a := &srv.Agent
	a.LiveSend.Store(&a.Send)
	a.LivePort.Store(int32(a.Port))
	if a.Addr.Family != runtime.FamilyNone {
		a.LiveAddr.Store(&a.Addr)
	}
	return ck
}

// agentRules is the rule set of all agents: they may be told something, and say one line.
func agentRules() *ruleset {
	e := &expect{kind: matchCustom, custom: agentAnswer}
	last := &rule{index: 1, do: e}
	e.head = last
	s := &ruleset{kind: kindProtocol, rules: []*rule{{do: &connect{implicit: true}}, {do: agentSend{}}, last}}
	s.settle()
	return s
}

// agentSend tells an agent what "agent-send" says.
type agentSend struct{}

func (agentSend) run(ck *Check, r *rule) verdict {
	text := *ck.agent.LiveSend.Load()
	if text == "" {
		ck.mustRead = true
		return proceed
	}
	ck.current = r
	ck.forget()
	return ck.transmit([]byte(text))
}

// agentTarget is where a server's agent listens.
func (ck *Check) agentTarget() (*loop.Addr, error) {
	addr := ck.agent.LiveAddr.Load()
	if addr == nil {
		addr = ck.srv.Addr.Load()
	}
	ip := addr.IP.Addr()
	if !ip.IsValid() {
		return nil, syscall.EADDRNOTAVAIL
	}
	to := loop.AddrFrom(netip.AddrPortFrom(ip, uint16(ck.agent.LivePort.Load())))
	return &to, nil
}

// agentReport is what an agent says in its line.
type agentReport struct {
	health  string // "up", "down", "stopped" or "fail"
	admin   string // "ready", "drain" or "maint"
	weight  string
	maxconn string
	stray   string // the first word that means nothing
	note    string // behind "#"
}

// readAgent reads the words of an agent's line. Of several words of one kind the last one counts. Section 5.2
// "agent-check".
func readAgent(line string) (a agentReport) {
	for line != "" {
		if strings.IndexByte(" \t,", line[0]) >= 0 {
			line = line[1:]
			continue
		}
		if line[0] == '#' {
			a.note = strings.TrimLeft(line[1:], " \t")
			return a
		}
		end := 1 + strings.IndexAny(line[1:], " \t,")
		if end == 0 {
			end = len(line)
		}
		a.word(line[:end])
		line = line[end:]
	}
	return a
}

func (a *agentReport) word(word string) {
	lower := strings.ToLower(word)
	switch {
	case lower == "up" || lower == "down" || lower == "stopped" || lower == "fail":
		a.health = word
	case lower == "ready" || lower == "drain" || lower == "maint":
		a.admin = lower
	case word[0] >= '0' && word[0] <= '9' && strings.Contains(word, "%"):
		a.weight = word
	case strings.HasPrefix(lower, "maxconn:"):
		a.maxconn = word[len("maxconn:"):]
		if a.maxconn == "" {
			a.maxconn = " "
		}
	case strings.HasPrefix(lower, "weight:"):
		a.weight = word[len("weight:"):]
	case a.stray == "":
		a.stray = word
	}
}

// agentAnswer does what an agent says: its line ends with the first CR or LF.
func agentAnswer(ck *Check, _ *rule, last bool) verdict {
	if ck.agent.Off.Load() {
		return ck.decide(ck.status, ck.desc)
	}
	text := string(ck.in)
	end := strings.IndexAny(text, "\r\n\x00")
	if end < 0 || text[end] == 0 {
		if !last {
			return await
		}
		return ck.decide(ck.status, "Ignoring incomplete line from agent")
	}
	c, srv, a := ck.checks, ck.srv, readAgent(text[:end])
	switch a.admin {
	case "drain":
		c.SetDrain(srv)
	case "maint":
		c.SetMaint(srv)
	case "ready":
		c.SetReady(srv)
	}
	warning := ""
	if a.weight != "" {
		w, fault := ParseWeight(srv, a.weight)
		if warning = fault; fault == "" {
			c.SetWeight(srv, w)
		}
	}
	if a.maxconn != "" {
		n, fault := ParseMaxConn(strings.TrimSpace(a.maxconn))
		if fault == "" {
			c.SetMaxConn(srv, n)
		} else if warning == "" {
			warning = fault
		}
	}
	return ck.agentSays(&a, warning)
}

// agentSays decides the result of an agent's check.
func (ck *Check) agentSays(a *agentReport, warning string) verdict {
	if a.health == "" {
		switch {
		case a.stray != "":
			return ck.decide(runtime.CheckNeutral, "agent reports an error : "+a.stray)
		case warning != "":
			return ck.decide(runtime.CheckNeutral, "agent warns : "+warning)
		}
		return ck.decide(runtime.CheckNeutral, "")
	}
	status, health := runtime.CheckL7Status, int32(0)
	up := strings.EqualFold(a.health, "up")
	if up {
		status, health = runtime.CheckL7OK, agentRise+agentFall-1
	}
	ck.agent.Health.Store(health)
	note := a.note
	if note == "" || up {
		if a.stray != "" {
			note = a.stray
		} else if warning != "" {
			note = warning
		}
	}
	if note != "" {
		note = " (" + note + ")"
	}
	return ck.decide(status, "via agent : "+a.health+note)
}

// ParseWeight reads a weight, or with "%" a part of the configured one. fault tells what is wrong with it.
func ParseWeight(srv *runtime.Server, text string) (weight int, fault string) {
	w, rest := leadingInt(text)
	switch {
	case text == "":
		return 0, "Require <weight> or <weight%>."
	case rest == text:
		return 0, "Empty weight string empty or preceded by garbage"
	case rest == "%":
		if w < 0 {
			return 0, "Relative weight must be positive."
		}
		w = min(srv.Weight*min(w, 25600)/100, 256)
	case w < 0 || w > 256:
		return 0, "Absolute weight can only be between 0 and 256 inclusive."
	case rest != "":
		return 0, "Trailing garbage in weight string"
	}
	if w != 0 && w != srv.Weight && !balance.Dynamic(srv.Proxy) {
		return 0, "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."
	}
	return w, ""
}

// ParseMaxConn reads a limit of connections. fault tells what is wrong with it.
func ParseMaxConn(text string) (limit int, fault string) {
	n, rest := leadingInt(text)
	switch {
	case text == "":
		return 0, "Require <maxconn>."
	case rest == text:
		return 0, "maxconn string empty or preceded by garbage"
	case rest != "":
		return 0, "Trailing garbage in maxconn string"
	}
	return n, ""
}

// leadingInt reads the number at the start of text and gives what follows it: all of text when there is no number.
func leadingInt(text string) (n int, rest string) {
	digits := strings.TrimLeft(text, " \t")
	end := 0
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		end = 1
	}
	start := end
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	if end == start {
		return 0, text
	}
	n, err := strconv.Atoi(digits[:min(end, start+10)])
	if err != nil {
		return 0, text
	}
	return n, digits[end:]
}

// SetAgent switches the agent checks of a server off and on.
func (c *Checks) SetAgent(srv *runtime.Server, on bool) { srv.Agent.Off.Store(!on) }

// SetAgentHealth puts a server into a state as if its agent had said so. by is who wants it.
func (c *Checks) SetAgentHealth(srv *runtime.Server, up bool, by string) {
	c.changes.Lock()
	defer c.changes.Unlock()
	why := cause{text: "changed from " + by}
	if up {
		srv.Agent.Health.Store(agentRise + agentFall - 1)
		c.setRunning(srv, why)
		return
	}
	srv.Agent.Health.Store(0)
	c.setStopped(srv, why)
}

// name is what messages call a check.
func (ck *Check) name() string {
	if ck.agent != nil {
		return "Agent"
	}
	return "Health"
}

// agentWell tells whether a server's agent, if it is asked, lets the server be up.
func agentWell(srv *runtime.Server) bool {
	return !srv.Agent.Asked() || srv.Agent.Health.Load() >= agentRise
}
