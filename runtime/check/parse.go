package check

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// reader reads one rule of a check.
type reader struct {
	config.Words
	l    *config.Loader
	set  *ruleset
	line string // the keyword: "tcp-check" or "http-check"
}

// actions are the rules that both keywords have in common with rules on messages, as
// messages list them.
const actions = "'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'"

// parseTCPCheck reads a "tcp-check" line.
func parseTCPCheck(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	s := settingsOf(l.Proxy)
	if s.tcp == nil {
		s.tcp = &ruleset{kind: kindTCP}
	}
	rd := &reader{Words: config.NewWords(line, 1), l: l, set: s.tcp, line: line.Arg(0)}
	var r *rule
	var err error
	switch word := rd.Peek(); word {
	case "connect":
		r, err = rd.connect()
	case "send", "send-lf", "send-binary", "send-binary-lf":
		r, err = rd.send()
	case "expect":
		r, err = rd.expect()
	case "comment":
		r, err = rd.remark()
	default:
		if r, err = rd.action(); r == nil && err == nil {
			l.Alert(line.Pos, "'%s' only supports 'comment', 'connect', 'send', 'send-binary', 'expect', %s. but got '%s'", line.Arg(0), actions, word)
			return
		}
	}
	if err != nil {
		rd.refuse(err)
		return
	}
	r.index = s.tcp.nextIndex()
	s.tcp.rules = append(s.tcp.rules, r)
	if s.use != nil && s.use.kind == kindTCP {
		s.use, s.idleTCP = s.tcp, false
	} else {
		s.idleTCP = true
	}
}

// parseHTTPCheck reads an "http-check" line.
func parseHTTPCheck(l *config.Loader, line *ast.Line) {
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	s := settingsOf(l.Proxy)
	if s.http == nil {
		s.http = &ruleset{kind: kindHTTP}
	}
	rd := &reader{Words: config.NewWords(line, 1), l: l, set: s.http, line: line.Arg(0)}
	var r *rule
	var err error
	switch word := rd.Peek(); word {
	case "disable-on-404", "send-state":
		if extra := rd.PeekAt(1); extra != "" {
			l.Alert(line.Pos, "'%s' cannot handle unexpected argument '%s'.", line.Arg(0), extra)
			return
		}
		s.http.disable404 = s.http.disable404 || word == "disable-on-404"
		s.http.sendState = s.http.sendState || word == "send-state"
		return
	case "connect":
		r, err = rd.connect()
	case "send":
		r, err = rd.request()
	case "expect":
		r, err = rd.expect()
	case "comment":
		r, err = rd.remark()
	default:
		if r, err = rd.action(); r == nil && err == nil {
			l.Alert(line.Pos, "'%s' only supports 'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', %s. but got '%s'",
				line.Arg(0), actions, word)
			return
		}
	}
	if err != nil {
		rd.refuse(err)
		return
	}
	r.index = s.http.nextIndex()
	if s.use == nil || s.use.kind != kindHTTP {
		s.idleHTTP = true
		s.http.rules = append(s.http.rules, r)
		return
	}
	s.use, s.idleHTTP = s.http, false
	if err := s.http.add(r); err != nil {
		s.use = nil
		rd.refuse(fmt.Errorf("%w.", err))
	}
}

// refuse reports an error in the line.
func (rd *reader) refuse(err error) {
	rd.l.Alert(rd.Line.Pos, "'%s %s' : %s.", rd.line, rd.Line.Arg(1), err)
}

// add puts a rule of an HTTP check behind the others when the order makes sense. The
// first request takes up what "option httpchk" says.
func (s *ruleset) add(r *rule) error {
	last := s.last()
	refuse := func(what, missing string) error {
		return fmt.Errorf("unable to add http-check %s rule at step %d (missing %s rule)", what, r.index+1, missing)
	}
	if last != nil && !fromOption(last) {
		_, afterRequest := last.do.(*request)
		_, afterExpect := last.do.(*expect)
		switch r.do.(type) {
		case *request:
			if !isConnect(last) {
				return refuse("send", "connect")
			}
		case *expect:
			if !afterRequest && !afterExpect {
				return refuse("expect", "send")
			}
		case *connect:
			if !afterExpect {
				return refuse("connect", "expect")
			}
		}
	}
	if q, sends := r.do.(*request); sends {
		if first := s.first(0); first != nil && fromOption(first) {
			old := first.do.(*request)
			old.merge(q)
			old.fromOption = false
			s.remove(s.position(first))
			r = first
		}
	}
	s.rules = append(s.rules, r)
	return nil
}

// addOption puts the request of an "option httpchk" line into an HTTP check.
func (s *ruleset) addOption(r *rule) {
	first := s.first(0)
	if first != nil && isConnect(first) {
		first = s.first(s.position(first) + 1)
	}
	switch {
	case first == nil:
		s.insert(0, r)
	case fromOption(first):
		s.remove(s.position(first))
		s.insert(0, r)
	default:
		if old, sends := first.do.(*request); sends {
			old.merge(r.do.(*request))
			return
		}
		s.insert(0, r)
	}
}

// comment reads the argument of "comment".
func (rd *reader) comment(r *rule, end string) error {
	word := rd.Take()
	if rd.Done() {
		return fmt.Errorf("'%s' expects a string as argument%s", word, end)
	}
	r.comment = rd.Take()
	return nil
}

func (rd *reader) remark() (*rule, error) {
	rd.Skip(1)
	if rd.Done() {
		return nil, errors.New("expects a string as argument")
	}
	return &rule{comment: rd.Take(), do: remark{}}, nil
}

// action reads set-var and its kin by their rows; nil without an error: there is no
// such action.
func (rd *reader) action() (*rule, error) {
	word := rd.Peek()
	name, _, _ := strings.Cut(word, "(")
	for _, known := range []string{"set-var-fmt", "set-var", "unset-var"} {
		if !strings.HasPrefix(word, known) {
			continue
		}
		row := rd.l.Tables.Actions(runtime.HTTPReqRules).Get(name)
		if row == nil || row.Parse == nil {
			rd.l.Missing(rd.Line.Pos, rd.line+" "+known)
			return &rule{do: remark{}}, nil
		}
		rd.Skip(1)
		rd.l.For(sample.InTCPCheck)
		a := &config.ActionLine{Words: rd.Words, Name: word, Kind: runtime.HTTPReqRules, Proxy: rd.l.Proxy, Rule: &runtime.Rule{}, At: sample.CheckRule}
		exec, err := row.Parse(rd.l, a)
		if err != nil {
			return nil, fmt.Errorf("'%s' : %w", known, err)
		}
		return &rule{do: &action{exec}}, nil
	}
	return nil, nil
}
