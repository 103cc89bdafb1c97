package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// ruleKeywords are the lines of rule sets. Their actions stand with other domains.
func ruleKeywords() []Keyword {
	rule := []keyword.Arg{{Name: "action", Type: keyword.Opaque, Many: true}, {Name: "condition", Type: keyword.Condition, Opt: true}}
	return []Keyword{
		onProxy("http-request", "4.2", "a rule on requests", rule, func(l *Loader, line *ast.Line) {
			l.httpRule(line, 1, runtime.HTTPReqRules, &l.Proxy.HTTPReq)
		}),
		onProxy("http-response", "4.2", "a rule on responses of servers", rule, func(l *Loader, line *ast.Line) {
			l.httpRule(line, 1, runtime.HTTPResRules, &l.Proxy.HTTPRes)
		}),
		onProxy("http-after-response", "4.2", "a rule on all responses", rule, func(l *Loader, line *ast.Line) {
			l.httpRule(line, 1, runtime.HTTPAfterRules, &l.Proxy.HTTPAfter)
		}),
		onProxy("tcp-request", "4.2", "a rule on connections and their first bytes", rule, reporting(tcpRequest)),
		onProxy("tcp-response", "4.2", "a rule on the first bytes of servers", rule, reporting(tcpResponse)),
		onProxy("redirect", "4.2", "a redirection", rule, redirect),
	}
}

// httpRule reads `http-request <action> ... [if|unless <condition>]` and its kin;
// the action stands at word at. A line that cannot be understood ends the reading,
// as rules that are left out may open what they should close.
func (l *Loader) httpRule(line *ast.Line, at int, kind runtime.RulesetKind, set *runtime.Ruleset) {
	what := line.Arg(0)
	if kind&runtime.StatsRules == 0 {
		if l.RefusedInAnonymous(line.Pos, what) {
			return
		}
		if n := len(*set); n > 0 && (*set)[n-1].Cond == nil && (*set)[n-1].Final {
			l.WarnTight(line.Pos, "previous '%s' action is final and has no condition attached, further entries are NOOP.", what)
		}
	} else if n := len(*set); n > 0 && (*set)[n-1].Cond == nil {
		l.WarnTight(line.Pos, "previous '%s' action has no condition attached, further entries are NOOP.", what)
	}
	place := requestHeaders(l.Proxy)
	table := kind
	use := sample.InHTTPRequest
	name := "http-request"
	switch kind {
	case runtime.HTTPResRules, runtime.HTTPAfterRules:
		place, use, name = responseHeaders(l.Proxy), sample.InHTTPResponse, what
	case runtime.StatsRules:
		table = runtime.HTTPReqRules
	}
	l.For(use)
	rule := l.readHTTPRule(line, at, name, table, place)
	if rule == nil {
		return
	}
	if kind == runtime.HTTPReqRules {
		l.warnMisplaced(line.Pos, atHTTPRequest, what)
	}
	l.WarnConflict(line.Pos, rule.Cond, place)
	*set = append(*set, rule)
}

// readHTTPRule reads the action and the condition; nil after an error.
func (l *Loader) readHTTPRule(line *ast.Line, at int, what string, kind runtime.RulesetKind, place sample.Checkpoint) *runtime.Rule {
	table, word := l.Tables.Actions(kind), line.Arg(at)
	row := table.Get(word)
	if row == nil || word == "" {
		missing := ""
		if word == "" {
			missing = " (missing argument)"
		}
		l.AbortTight(line.Pos, "'%s' expects %s, but got '%s'%s.%s", what, keyword.List(table.Names()), word, missing, suggestAction(table, word, nil))
		return nil
	}
	var refused error
	if row.Experimental && !l.experimental("'"+row.Name+"' action", &refused) {
		l.Abort(line.Pos, "%s", refused)
		return nil
	}
	rule := &runtime.Rule{Action: word, Pos: line.Pos, Final: row.Final}
	a := &ActionLine{Words: NewWords(line, at+1), Name: word, Kind: kind, Proxy: l.Proxy, Rule: rule, At: place}
	if err := l.readAction(row, a); err != nil {
		if w, ok := err.(Warning); ok {
			l.Warn(line.Pos, "%s.", string(w))
		} else {
			l.Abort(line.Pos, "error detected in %s '%s' while parsing '%s %s' rule : %s.", l.Proxy.Kind, l.Proxy.Name, what, word, err)
			return nil
		}
	}
	if row.Experimental {
		rule.Do = tainting(rule.Do)
	}
	if a.AtCond() {
		cond, err := l.Cond(&a.Words)
		if err != nil {
			l.Abort(line.Pos, "error detected while parsing an '%s %s' condition : %s.", what, word, err)
			return nil
		}
		rule.Cond = cond
	} else if !a.Done() {
		l.AbortTight(line.Pos, "'%s %s' expects either 'if' or 'unless' followed by a condition but found '%s'.", what, word, a.Peek())
		return nil
	}
	return rule
}

// tainting lets the process tell that an experimental action has run.
func tainting(do runtime.Exec) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict {
		s.Config.Stats.Tainted.Or(runtime.TaintExecuted)
		return do(s)
	}
}

// readAction lets the row read its arguments. What follows an action that is
// Missing is not looked at up to the condition.
func (l *Loader) readAction(row *Action, a *ActionLine) (err error) {
	if row.Parse != nil {
		l.Samples.Reads = 0
		a.Rule.Do, err = row.Parse(l, a)
		a.Rule.From = l.Samples.Reads
	}
	if row.Status == keyword.Missing {
		l.Missing(a.Pos(), a.Line.Arg(0)+" "+a.Name)
		if row.Parse == nil {
			for !a.Done() && !a.AtCond() {
				a.Skip(1)
			}
		}
	}
	return err
}

// suggestAction is the hint behind the list of actions, "" when nothing is close.
// What follows the name of an action with arguments in parentheses may well be wrong
// too, so that it may be farther away.
func suggestAction(table *keyword.Table[Action], word string, extra []string) string {
	if word == "" {
		return ""
	}
	s := keyword.NewSuggester(word)
	for i := range table.Len() {
		s.Try(table.Row(i).Name)
	}
	for _, name := range extra {
		s.Try(name)
	}
	best := s.Within(3)
	if row := table.Get(best); row == nil || !row.Prefix {
		best = s.Best()
	}
	if best == "" {
		return ""
	}
	return " Did you mean '" + best + "' maybe ?"
}

// tcpRequest reads `tcp-request connection|session|content|inspect-delay`.
func tcpRequest(l *Loader, line *ast.Line) error {
	px, word := l.Proxy, line.Arg(1)
	kind, place, use, set := runtime.TCPReqRules, sides(px, sample.FrontReqContent, sample.BackReqContent), sample.InTCPRequest, &px.TCPReq
	misplaced := atTCPContent
	switch word {
	case "inspect-delay":
		return l.inspectDelay(line, &px.InspectReq)
	case "content":
	case "connection", "session":
		if px.Caps&runtime.CapFront == 0 {
			return fmt.Errorf("%s %s is not allowed because %s %s is not a frontend", line.Arg(0), word, px.Kind, px.Name)
		}
		kind, place, use, set, misplaced = runtime.TCPConnRules, sample.FrontConnection, sample.InTCPConnection, &px.TCPConn, atTCPConnection
		if word == "session" {
			kind, place, use, set, misplaced = runtime.TCPSessRules, sample.FrontSession, sample.InTCPSession, &px.TCPSess, atTCPSession
		}
	case "":
		return fmt.Errorf("missing argument for '%s' in %s", line.Arg(0), l.where())
	default:
		return fmt.Errorf("'%s' expects 'inspect-delay', 'connection', or 'content' in %s (got '%s')", line.Arg(0), l.where(), word)
	}
	if l.InDefaults() && px.Name == "" {
		return fmt.Errorf("%s %s is not allowed in anonymous 'defaults' sections", line.Arg(0), word)
	}
	l.For(use)
	return l.tcpRule(line, kind, place, set, misplaced)
}

// where names the current proxy; a defaults section goes without its name.
func (l *Loader) where() string {
	if l.InDefaults() {
		return "defaults section"
	}
	return fmt.Sprintf("%s '%s'", l.Proxy.Kind, l.Proxy.Name)
}

// tcpResponse reads `tcp-response content|inspect-delay`.
func tcpResponse(l *Loader, line *ast.Line) error {
	px, word := l.Proxy, line.Arg(1)
	switch word {
	case "":
		return fmt.Errorf("missing argument for '%s' in %s '%s'", line.Arg(0), px.Kind, px.Name)
	case "inspect-delay", "content":
		if l.InDefaults() && px.Name == "" || px.Caps&runtime.CapBack == 0 {
			return fmt.Errorf("%s %s is only allowed in 'backend' sections or 'defaults' section with a name", line.Arg(0), word)
		}
	default:
		return fmt.Errorf("'%s' expects 'inspect-delay' or 'content' in %s '%s' (got '%s')", line.Arg(0), px.Kind, px.Name, word)
	}
	if word == "inspect-delay" {
		return l.inspectDelay(line, &px.InspectRes)
	}
	l.For(sample.InTCPResponse)
	return l.tcpRule(line, runtime.TCPResRules, sides(px, sample.FrontResContent, sample.BackResContent), &px.TCPRes, atTCPResponse)
}

func (l *Loader) inspectDelay(line *ast.Line, delay *time.Duration) error {
	px, what, value := l.Proxy, line.Arg(0)+" inspect-delay", line.Arg(2)
	if line.Arg(0) == "tcp-request" && l.InDefaults() && px.Name == "" {
		return fmt.Errorf("%s is not allowed in anonymous 'defaults' sections", what)
	}
	text := fmt.Sprintf("'%s' expects a positive delay in milliseconds, in %s '%s'", what, px.Kind, px.Name)
	if value == "" {
		return fmt.Errorf("%s", text)
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil && *delay != 0:
		return Warning(fmt.Sprintf("ignoring %s (was already defined) in %s '%s'", what, px.Kind, px.Name))
	case fault == nil:
		*delay = d
		return nil
	case fault.Over:
		text += fmt.Sprintf(" (timer overflow in '%s', maximum value is 2147483647 ms or ~24.8 days)", value)
	case fault.Under:
		text += fmt.Sprintf(" (timer underflow in '%s', minimum non-null value is 1 ms)", value)
	default:
		text += fmt.Sprintf(" (unexpected character '%c')", fault.Char)
	}
	return fmt.Errorf("%s", text)
}

// tcpRule reads the action and the condition of a rule on a connection.
func (l *Loader) tcpRule(line *ast.Line, kind runtime.RulesetKind, place sample.Checkpoint, set *runtime.Ruleset, misplaced order) error {
	px, table, word := l.Proxy, l.Tables.Actions(kind), line.Arg(2)
	row := table.Get(word)
	if row == nil || word == "" {
		return l.unknownTCPAction(line, kind, table, word)
	}
	rule := &runtime.Rule{Action: word, Pos: line.Pos, Final: row.Final}
	a := &ActionLine{Words: NewWords(line, 3), Name: word, Kind: kind, Proxy: px, Rule: rule, At: place}
	if err := l.readAction(row, a); err != nil {
		return err
	}
	head := fmt.Sprintf("'%s %s %s'", line.Arg(0), line.Arg(1), line.Arg(2))
	if a.AtCond() {
		keyword := a.Peek()
		cond, err := l.Cond(&a.Words)
		if err != nil {
			return fmt.Errorf("%s : error detected in %s '%s' while parsing '%s' condition : %w", head, px.Kind, px.Name, keyword, err)
		}
		rule.Cond = cond
	} else if !a.Done() {
		return fmt.Errorf("%s only accepts 'if' or 'unless', in %s '%s' (got '%s')", head, px.Kind, px.Name, a.Peek())
	}
	var result error
	if text := l.tcpConflict(line, rule, place); text != "" {
		result = Warning(text)
	}
	l.warnMisplaced(line.Pos, misplaced, line.Arg(0)+" "+line.Arg(1))
	*set = append(*set, rule)
	return result
}

// tcpConflict is the warning about a condition without data, worded as tcp rules do.
func (l *Loader) tcpConflict(line *ast.Line, rule *runtime.Rule, place sample.Checkpoint) string {
	if rule.Cond == nil {
		return ""
	}
	what := line.Arg(0) + " " + line.Arg(1)
	if a, keyword := rule.Cond.Unusable(place); a != nil {
		if a.Name != "" {
			return fmt.Sprintf("acl '%s' will never match in '%s' because it only involves keywords that are incompatible with '%s'", a.Name, what, place)
		}
		return fmt.Sprintf("anonymous acl will never match in '%s' because it uses keyword '%s' which is incompatible with '%s'", what, keyword, place)
	}
	if a, keyword := rule.Cond.Conflict(place); a != nil {
		if a.Name != "" {
			return fmt.Sprintf("acl '%s' involves keyword '%s' which is incompatible with '%s'", a.Name, keyword, place)
		}
		return fmt.Sprintf("anonymous acl involves keyword '%s' which is incompatible with '%s'", keyword, place)
	}
	return ""
}

// builtinActions are the actions of tcp rules that messages name in words of their
// own, in front of the list.
var builtinActions = []string{"accept", "close", "reject", "capture", "expect-proxy", "expect-netscaler-cip", "track-sc"}

func (l *Loader) unknownTCPAction(line *ast.Line, kind runtime.RulesetKind, table *keyword.Table[Action], word string) error {
	listed := slices.DeleteFunc(table.Names(), func(name string) bool {
		return slices.Contains(builtinActions, strings.TrimSuffix(name, "(*)"))
	})
	front := fmt.Sprintf("'accept', 'reject', 'capture', 'expect-proxy', 'expect-netscaler-cip', 'track-sc0' ... 'track-sc%d'", l.Config.Global.Tune.StickCounters-1)
	end := "\n"
	if kind == runtime.TCPResRules {
		front, end = "'accept', 'close', 'reject'", ""
	}
	return fmt.Errorf("'%s %s' expects %s, %s in %s '%s' (got '%s').%s%s", line.Arg(0), line.Arg(1), front, keyword.List(listed),
		l.Proxy.Kind, l.Proxy.Name, word, suggestAction(table, word, nil), end)
}

// redirect reads a "redirect" line: an action without its own word.
func redirect(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	px := l.Proxy
	fail := func(err error) {
		l.Alert(line.Pos, "error detected in %s '%s' while parsing redirect rule : %s.", px.Kind, px.Name, err)
	}
	row := l.Tables.Actions(runtime.HTTPReqRules).Get("redirect")
	if row == nil {
		return
	}
	place := requestHeaders(px)
	rule := &runtime.Rule{Action: "redirect", Pos: line.Pos, Final: true}
	a := &ActionLine{Words: NewWords(line, 1), Name: "redirect", Kind: runtime.HTTPReqRules, Proxy: px, Rule: rule, At: place, Plain: true}
	l.For(sample.InRedirect)
	if err := l.readAction(row, a); err != nil {
		fail(err)
		return
	}
	if a.AtCond() {
		cond, err := l.Cond(&a.Words)
		if err != nil {
			fail(fmt.Errorf("error in condition: %w", err))
			return
		}
		rule.Cond = cond
	}
	px.Redirects = append(px.Redirects, rule)
	l.warnMisplaced(line.Pos, atRedirect, line.Arg(0))
	l.WarnConflict(line.Pos, rule.Cond, place)
}

// order is the place of a kind of rule among those that a request meets: a line
// of a kind that stands behind lines of a later one is worth a warning.
type order int

const (
	atTCPConnection order = iota
	atTCPSession
	atTCPContent
	atMonitor
	atHTTPRequest
	atRedirect
	atUseBackend
	atUseServer
	atTCPResponse
)

// warnMisplaced warns when the proxy has rules already that come later than what.
func (l *Loader) warnMisplaced(pos ast.Pos, at order, what string) {
	px := l.Proxy
	after := func(set int, article, name string) bool {
		if set == 0 {
			return false
		}
		l.Warn(pos, "a '%s' rule placed after %s '%s' rule will still be processed before.", what, article, name)
		return true
	}
	if at == atTCPResponse {
		after(len(px.HTTPRes), "an", "http-response")
		return
	}
	for _, later := range []struct {
		at            order
		set           int
		article, name string
	}{
		{atTCPSession, len(px.TCPSess), "a", "tcp-request session"},
		{atTCPContent, len(px.TCPReq), "a", "tcp-request content"},
		{atMonitor, len(px.Monitor), "a", "monitor fail"},
		{atHTTPRequest, len(px.HTTPReq), "an", "http-request"},
		{atRedirect, len(px.Redirects), "a", "redirect"},
		{atUseBackend, len(px.Switching), "a", "use_backend"},
		{atUseServer, len(px.ServerRules), "a", "use-server"},
	} {
		if later.at > at && after(later.set, later.article, later.name) {
			return
		}
	}
}
