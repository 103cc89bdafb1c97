package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/spoe"
)

// engine is what a "filter spoe" line makes of its file: an agent, and the messages that
// it is sent.
type engine struct {
	name    string // of the scope, or that of the agent
	agent   *spoe.Agent
	pos     ast.Pos
	backend string
	groups  []*messageGroup
}

// message is a "spoe-message" section.
type message struct {
	spoe.Message
	pos   ast.Pos
	event string
	owner *runtime.Proxy // has the ACLs
	group string         // that it belongs to
}

// messageGroup is a "spoe-group" section.
type messageGroup struct {
	spoe.Group
	name     string
	pos      ast.Pos
	messages []string
	sent     []*message
}

// agentFile is the file of a filter while it is read.
type agentFile struct {
	l       *config.Loader
	section string
	engine

	named    [3]string // the variables that the agent sets of its own: as varOptions has them
	register []string  // "register-var-names"
	prefix   string
	uses     []string
	groupsOf []string
	messages []*message
	sections []*messageGroup
}

// readEngine reads `spoe [engine <name>] config <file>`.
func readEngine(l *config.Loader, w *config.Words) error {
	file, scope := "", ""
	for !w.Done() {
		word := w.Take()
		if word != "config" && word != "engine" {
			return fmt.Errorf("unknown keyword '%s'", word)
		}
		value := w.Take()
		switch {
		case value == "":
			return fmt.Errorf("'spoe' : '%s' option without value", word)
		case word == "config":
			file = value
		default:
			scope = value
		}
	}
	if file == "" {
		return errors.New("'spoe' : missing config file")
	}
	f := &agentFile{l: l}
	readable, ok := l.ReadOther(file, []string{"spoe-agent", "spoe-group", "spoe-message"}, func(in string, line *ast.Line) {
		if line.Header {
			f.section = line.Arg(0)
		}
		if in == scope {
			f.line(line)
		}
	})
	switch {
	case !readable:
		return errors.New("error encountered while processing 'spoe'")
	case !ok:
		return fmt.Errorf("Error(s) found in configuration file %s", file)
	}
	if err := f.settle(file); err != nil {
		return err
	}
	if f.name = scope; scope == "" {
		f.name = f.agent.Name
	}
	Add(l, l.Proxy, Filter{Kind: SPOE, Word: "spoe", Name: f.name, agent: &f.engine})
	return nil
}

func (f *agentFile) line(line *ast.Line) {
	switch {
	case line.Header:
		f.begin(line)
	case f.section == "spoe-agent" && f.agent != nil:
		f.agentLine(line)
	case f.section == "spoe-group" && len(f.sections) > 0:
		f.groupLine(line)
	case f.section == "spoe-message" && len(f.messages) > 0:
		f.messageLine(line)
	}
}

// begin reads the header of a section.
func (f *agentFile) begin(line *ast.Line) {
	l, section, name := f.l, line.Arg(0), line.Arg(1)
	if name == "" {
		l.Abort(line.Pos, "missing name for %s section.", section)
		return
	}
	if l.TooMany(line, 1, 1) {
		l.List.Stop()
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.Abort(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, section, name)
		return
	}
	clash := func(other ast.Pos) {
		l.AlertTight(line.Pos, "%s section '%s' has the same name as another one declared at %s:%d.", section, name, other.File, other.Line)
	}
	switch section {
	case "spoe-agent":
		if f.agent != nil {
			l.Abort(line.Pos, "another spoe-agent section previously defined.")
			return
		}
		f.agent, f.pos = newAgent(l, name), line.Pos
	case "spoe-group":
		for _, g := range f.sections {
			if g.name == name {
				clash(g.pos)
				return
			}
		}
		f.sections = append(f.sections, &messageGroup{name: name, pos: line.Pos, Group: spoe.Group{Name: name}})
	case "spoe-message":
		for _, m := range f.messages {
			if m.Name == name {
				clash(m.pos)
				return
			}
		}
		f.messages = append(f.messages, &message{Message: spoe.Message{Name: name}, pos: line.Pos, owner: l.Scratch("", line.Pos)})
	}
}

// names adds the arguments of a line to a list where each may stand once.
func (f *agentFile) names(line *ast.Line, list *[]string, what string) {
	for i := 1; line.Arg(i) != ""; i++ {
		for _, known := range *list {
			if known == line.Arg(i) {
				f.l.AlertTight(line.Pos, "%s '%s' already used.", what, known)
				return
			}
		}
		*list = append(*list, line.Arg(i))
	}
}

func (f *agentFile) groupLine(line *ast.Line) {
	switch line.Arg(0) {
	case "messages":
		f.names(line, &f.sections[len(f.sections)-1].messages, "spoe-message")
	case "": // "no" without more
	default:
		f.l.Alert(line.Pos, "unknown keyword '%s' in spoe-group section.", line.Arg(0))
	}
}

// messageLine reads a line of a "spoe-message" section: of words that it does not know
// nothing was ever said.
func (f *agentFile) messageLine(line *ast.Line) {
	l, m := f.l, f.messages[len(f.messages)-1]
	switch word := line.Arg(0); word {
	case "args":
		l.For(sample.InSPOE)
		for i := 1; line.Arg(i) != ""; i++ {
			name, text, named := strings.Cut(line.Arg(i), "=")
			if !named {
				name, text = "", name
			}
			e, _, err := l.Samples.Parse([]string{text})
			if err != nil {
				l.Alert(line.Pos, "'%s': %s.", word, err)
				return
			}
			m.Args = append(m.Args, spoe.Arg{Name: name, Expr: e})
		}
	case "acl":
		name := line.Arg(1)
		if c, bad := config.InvalidChar(name); bad && name != "" {
			l.Alert(line.Pos, "character '%c' is not permitted in acl name '%s'.", c, name)
			return
		}
		if strings.EqualFold(name, "or") {
			l.Alert(line.Pos, "acl name '%s' will never match. 'or' is used to express a logical disjunction within a condition.", name)
			return
		}
		if err := l.ForeignACL(m.owner, append(line.Texts(nil, 1), "")); err != nil {
			l.Alert(line.Pos, "error detected while parsing ACL '%s' : %s.", name, err)
		}
	case "event":
		f.event(line, m)
	}
}

// events are when messages are sent, and where their expressions are evaluated then: on
// the client's side, and on the server's.
var events = map[string][2]sample.Checkpoint{
	"on-client-session":        {sample.FrontConnection, sample.FrontConnection},
	"on-server-session":        {sample.ServerConnect, sample.ServerConnect},
	"on-frontend-tcp-request":  {sample.FrontReqContent, sample.FrontReqContent},
	"on-backend-tcp-request":   {sample.FrontReqContent, sample.BackReqContent},
	"on-tcp-response":          {sample.FrontResContent, sample.BackResContent},
	"on-frontend-http-request": {sample.FrontReqHeaders, sample.FrontReqHeaders},
	"on-backend-http-request":  {sample.FrontReqHeaders, sample.BackReqHeaders},
	"on-http-response":         {sample.FrontResHeaders, sample.BackResHeaders},
}

func (f *agentFile) event(line *ast.Line, m *message) {
	l, name := f.l, line.Arg(1)
	if name == "" {
		l.Alert(line.Pos, "missing event name.")
		return
	}
	if _, known := events[name]; !known {
		l.Alert(line.Pos, "unknown event '%s'.", name)
		return
	}
	m.event = name
	w := config.NewWords(line, 2)
	if w.AtCond() {
		var err error
		if m.Cond, err = l.ForeignCond(m.owner, &w); err != nil {
			l.Alert(line.Pos, "error detected while parsing an 'event %s' condition : %s.", name, err)
		}
	} else if !w.Done() {
		l.AlertTight(line.Pos, "'event %s' expects either 'if' or 'unless' followed by a condition but found '%s'.", name, w.Peek())
	}
}

// where are the checkpoints of an event for a proxy.
func where(event string, px *runtime.Proxy) (at sample.Checkpoint) {
	sides := events[event]
	if sides[0] == sides[1] {
		return sides[0]
	}
	if px.Caps&runtime.CapFront != 0 {
		at |= sides[0]
	}
	if px.Caps&runtime.CapBack != 0 {
		at |= sides[1]
	}
	return at
}

// unavailable gives the text about an expression that has no data at a place; "" if all have.
func (m *message) unavailable(at sample.Checkpoint, separator string) string {
	for _, arg := range m.Args {
		if e := arg.Expr; e.ValidAt()&at == 0 {
			return fmt.Sprintf("some args extract information from '%s',%snone of which is available here ('%s')", sample.Checkpoint(e.From()), separator, at)
		}
	}
	return ""
}

// settle checks the file as a whole.
func (f *agentFile) settle(file string) error {
	l, px := f.l, f.l.Proxy
	switch {
	case f.agent == nil:
		return fmt.Errorf("No SPOE agent found in file %s", file)
	case f.backend == "":
		return fmt.Errorf("No backend declared for SPOE agent '%s' declared at %s:%d", f.agent.Name, f.pos.File, f.pos.Line)
	}
	if f.agent.Processing == 0 {
		l.List.Warnf(f.pos, "Proxy '%s': missing 'processing' timeout for SPOE agent '%s' declare at %s:%d.\n"+
			"   | While not properly invalid, you will certainly encounter various problems\n"+
			"   | with such a configuration. To fix this, please ensure it is set to a non-zero value.", px.Name, f.agent.Name, f.pos.File, f.pos.Line)
	}
	if f.prefix == "" && !isVariable(f.agent.Name) {
		return fmt.Errorf("Invalid variable prefix '%s' for SPOE agent '%s' declared at %s:%d. "+
			"Use 'option var-prefix' to set it. Only [a-zA-Z0-9_.] chars are supported.\n", f.agent.Name, f.agent.Name, f.pos.File, f.pos.Line)
	}
	if err := f.setVariables(); err != nil {
		return err
	}
	if len(f.uses) == 0 && len(f.groupsOf) == 0 {
		l.List.Warnf(f.pos, "Proxy '%s': No message/group used by SPOE agent '%s' declared at %s:%d.", px.Name, f.agent.Name, f.pos.File, f.pos.Line)
		return nil
	}
	for _, name := range f.uses {
		if err := f.useMessage(px, name); err != nil {
			return err
		}
	}
	for _, name := range f.groupsOf {
		g := f.group(name)
		if g == nil {
			return fmt.Errorf("SPOE agent '%s' try to use undefined SPOE group '%s' at %s:%d", f.agent.Name, name, f.pos.File, f.pos.Line)
		}
		f.groups = append(f.groups, g)
	}
	for _, g := range f.groups {
		if err := f.fillGroup(g); err != nil {
			return err
		}
	}
	return nil
}

func (f *agentFile) message(name string) *message {
	for _, m := range f.messages {
		if m.Name == name {
			return m
		}
	}
	return nil
}

func (f *agentFile) group(name string) *messageGroup {
	for _, g := range f.sections {
		if g.name == name {
			return g
		}
	}
	return nil
}

// useMessage looks at a message that is sent at an event of its own.
func (f *agentFile) useMessage(px *runtime.Proxy, name string) error {
	m := f.message(name)
	if m == nil {
		return fmt.Errorf("SPOE agent '%s' try to use undefined SPOE message '%s' at %s:%d", f.agent.Name, name, f.pos.File, f.pos.Line)
	}
	event := m.event
	if px.Caps&(runtime.CapFront|runtime.CapBack) == runtime.CapFront|runtime.CapBack {
		event = strings.Replace(event, "on-backend-", "on-frontend-", 1)
	}
	switch {
	case px.Caps&runtime.CapFront == 0 && (event == "on-client-session" || strings.HasPrefix(event, "on-frontend-")):
		f.l.List.Warnf(m.pos, "Proxy '%s': frontend event used on a backend proxy at %s:%d.", px.Name, m.pos.File, m.pos.Line)
	case event == "":
		f.l.List.Warnf(m.pos, "Proxy '%s': Ignore SPOE message '%s' without event at %s:%d.", px.Name, m.Name, m.pos.File, m.pos.Line)
	default:
		if text := m.unavailable(where(event, px), " "); text != "" {
			return fmt.Errorf("Ignore SPOE message '%s' at %s:%d: %s", m.Name, m.pos.File, m.pos.Line, text)
		}
		at := slices.Index(spoe.EventNames[:], event)
		f.agent.Events[at] = append(f.agent.Events[at], &m.Message)
	}
	return nil
}

func (f *agentFile) fillGroup(g *messageGroup) error {
	for _, name := range g.messages {
		m := f.message(name)
		switch {
		case m == nil:
			return fmt.Errorf("SPOE group '%s' try to use undefined SPOE message '%s' at %s:%d", g.name, name, f.pos.File, f.pos.Line)
		case m.group != "":
			other := f.group(m.group)
			return fmt.Errorf("SPOE message '%s' already belongs to the SPOE group '%s' declare at %s:%d", m.Name, other.name, other.pos.File, other.pos.Line)
		}
		m.group = g.name
		g.sent = append(g.sent, m)
		g.Messages = append(g.Messages, &m.Message)
	}
	return nil
}

// checkAgent looks for what a filter's agent refers to.
func (f *filters) checkAgent(l *config.Loader, px *runtime.Proxy, i int) {
	agent := f.all[i].agent
	for j := range f.all {
		if j != i && f.all[j].Kind == SPOE && f.all[j].Name == agent.name {
			l.List.Alertf(px.Pos, "Proxy %s : duplicated name for SPOE engine '%s'.", px.Name, agent.name)
			return
		}
	}
	to := l.ProxyNamed(agent.backend)
	if to == nil || to.Caps&runtime.CapBack == 0 {
		l.List.Alertf(px.Pos, "Proxy %s : unknown backend '%s' used by SPOE agent '%s' declared at %s:%d.", px.Name, agent.backend, agent.agent.Name, agent.pos.File, agent.pos.Line)
		return
	}
	if to.Mode == runtime.ModeTCP {
		to.Mode = runtime.ModeSPOP
	}
	if to.Mode != runtime.ModeSPOP {
		l.List.Alertf(px.Pos, "Proxy %s : backend '%s' used by SPOE agent '%s' declared at %s:%d must use SPOP mode.", px.Name, to.Name, agent.agent.Name, agent.pos.File, agent.pos.Line)
		return
	}
	spoe.Join(l, px, agent.agent, to)
}

// sendGroup is the action that sends the messages of a group.
func sendGroup() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "send-spoe-group", Ref: "4.4", Summary: "send messages to an agent", Args: []keyword.Arg{{Name: "engine", Type: keyword.Name}, {Name: "group", Type: keyword.Name}}},
		In:  runtime.TCPReqRules | runtime.TCPResRules | runtime.HTTPReqRules | runtime.HTTPResRules,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			name, group := a.Take(), a.Take()
			if name == "" || group == "" || !a.AtCond() && !a.Done() {
				return nil, errors.New("expects 2 arguments: <engine-id> <group-id>")
			}
			px, at := a.Proxy, groupPlaces[a.Kind]
			var agent *spoe.Agent
			var sent *spoe.Group
			l.CheckRule(func() (err error) {
				agent, sent, err = findGroup(px, name, group, at)
				return err
			})
			return func(s *runtime.Stream) runtime.Verdict { return s.Engine.(spoe.Asker).SendGroup(agent, sent) }, nil
		},
	}
}

// groupPlaces are where the expressions of a group's messages are evaluated.
var groupPlaces = map[runtime.RulesetKind]sample.Checkpoint{
	runtime.TCPReqRules:  sample.FrontReqContent,
	runtime.TCPResRules:  sample.BackResContent,
	runtime.HTTPReqRules: sample.FrontReqHeaders,
	runtime.HTTPResRules: sample.BackResHeaders,
}

func findGroup(px *runtime.Proxy, name, group string, at sample.Checkpoint) (*spoe.Agent, *spoe.Group, error) {
	i := slices.IndexFunc(Of(px), func(f Filter) bool { return f.Kind == SPOE && f.Name == name })
	if i < 0 {
		return nil, nil, fmt.Errorf("unable to find SPOE engine '%s' used by the send-spoe-group '%s'", name, group)
	}
	agent := Of(px)[i].agent
	for _, g := range agent.groups {
		if g.name != group {
			continue
		}
		for _, m := range g.sent {
			if text := m.unavailable(at, ""); text != "" {
				return nil, nil, fmt.Errorf("Invalid SPOE message '%s' used by SPOE group '%s' at %s:%d: %s", m.Name, g.name, m.pos.File, m.pos.Line, text)
			}
		}
		return agent.agent, &g.Group, nil
	}
	return nil, nil, fmt.Errorf("unable to find SPOE group '%s' into SPOE engine '%s' configuration", group, name)
}
