package check

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"hapax/runtime"
)

// kind is the protocol of a rule set: messages depend on it.
type kind uint8

const (
	kindPlain    kind = iota // a connection, nothing else
	kindTCP                  // option tcp-check
	kindHTTP                 // option httpchk
	kindProtocol             // one of the built-in ones
	kindProgram              // option external-check
)

// ruleset is what a check does. It does not change once the configuration was
// loaded, and belongs to all servers of all backends that have it.
type ruleset struct {
	kind       kind
	rules      []*rule
	disable404 bool // 404 does not take a server down, but out of load balancing
	sendState  bool // requests tell the server what is known of it
	settled    bool
}

// rule is one line of a rule set.
type rule struct {
	index   int // of the line, from 0, as messages count it
	at      int // in the list, once that is complete
	comment string
	do      step
}

// step is what a rule does: *connect, *send, *request, *expect, *execution, *action or *remark.
type step interface {
	run(ck *Check, r *rule) verdict
}

// remark is a comment of its own: it goes to the next rule when the list is complete.
type remark struct{}

func (remark) run(*Check, *rule) verdict { return proceed }

// action is set-var and its kin.
type action struct{ exec runtime.Exec }

func (a *action) run(ck *Check, r *rule) verdict {
	ck.expose()
	if a.exec(&ck.stream) != runtime.Continue {
		return ck.decide(runtime.CheckL7Response, fmt.Sprintf("TCPCHK ACTION unexpected result at step %d\n", ck.stepOf(r)))
	}
	return proceed
}

// onWire tells whether the rule does something on the connection.
func (r *rule) onWire() bool {
	switch r.do.(type) {
	case remark, *action:
		return false
	}
	return true
}

// first is the first rule from index i on that does something on the connection.
func (s *ruleset) first(i int) *rule {
	for ; i < len(s.rules); i++ {
		if s.rules[i].onWire() {
			return s.rules[i]
		}
	}
	return nil
}

// last is the last rule that does something on the connection.
func (s *ruleset) last() *rule {
	for i := len(s.rules) - 1; i >= 0; i-- {
		if s.rules[i].onWire() {
			return s.rules[i]
		}
	}
	return nil
}

// nextIndex is the number of the next line.
func (s *ruleset) nextIndex() int {
	if len(s.rules) == 0 {
		return 0
	}
	r := s.rules[len(s.rules)-1]
	if q, ok := r.do.(*request); ok && q.fromOption {
		return 0
	}
	return r.index + 1
}

func (s *ruleset) insert(i int, r *rule) {
	s.rules = append(s.rules, nil)
	copy(s.rules[i+1:], s.rules[i:])
	s.rules[i] = r
}

func (s *ruleset) remove(i int) { s.rules = append(s.rules[:i:i], s.rules[i+1:]...) }

// connectOnly is the rule set of a check without any option.
func connectOnly() *ruleset {
	s := &ruleset{}
	s.settle()
	return s
}

// plain tells that nothing was written but which kind of check it is.
func (s *ruleset) plain() bool {
	if len(s.rules) != 1 {
		return false
	}
	c, ok := s.rules[0].do.(*connect)
	return ok && c.implicit
}

// tls tells whether one of the rules says that it connects over TLS.
func (s *ruleset) tls() bool {
	return slices.ContainsFunc(s.rules, func(r *rule) bool {
		c, ok := r.do.(*connect)
		return ok && c.tls
	})
}

// settle completes a rule set: what goes without saying is said, and comments go to
// the rules that they are about.
func (s *ruleset) settle() {
	if s.settled {
		return
	}
	s.settled = true
	if s.kind == kindHTTP {
		s.settleHTTP()
	}
	if r := s.first(0); r == nil || !isConnect(r) {
		s.insert(0, &rule{do: &connect{useServer: true, implicit: true}})
	}
	comment, previous := "", step(remark{})
	var kept []*rule
	for _, r := range s.rules {
		if _, wasRemark := previous.(remark); !wasRemark && fmt.Sprintf("%T", r.do) != fmt.Sprintf("%T", previous) {
			comment = "" // a comment is about rules of one kind that follow each other
		}
		previous = r.do
		switch r.do.(type) {
		case remark:
			comment = r.comment
			continue
		case *action:
			comment = ""
		default:
			if r.comment == "" {
				r.comment = comment
			}
			if isConnect(r) {
				comment = ""
			}
		}
		kept = append(kept, r)
	}
	for i, r := range kept {
		r.at = i
		if c, ok := r.do.(*connect); ok {
			c.quiet, c.data = s.quietAfter(kept[i+1:])
		}
	}
	s.rules = kept
}

// quietAfter tells of a connection whether the kernel may hold its first
// acknowledgement back: nothing follows, or data does.
func (s *ruleset) quietAfter(rest []*rule) (quiet, data bool) {
	for _, r := range rest {
		if !r.onWire() {
			continue
		}
		switch r.do.(type) {
		case *send, *request:
			return true, true
		}
		return false, false
	}
	return true, false
}

// settleHTTP puts the request of "option httpchk" behind the first connection and
// adds the expectation that everybody has.
func (s *ruleset) settleHTTP() {
	if r := s.first(0); r != nil && fromOption(r) {
		i := s.position(r)
		if next := s.first(i + 1); next != nil && isConnect(next) {
			s.remove(i)
			s.insert(s.position(next)+1, r)
			r.index = next.index + 1
		}
	}
	if r := s.last(); r != nil {
		if _, sends := r.do.(*request); sends {
			e := &expect{kind: matchStatus, minRecv: -1, codes: [][2]int{{200, 399}}}
			expectation := &rule{index: r.index + 1, do: e}
			e.head = expectation
			s.rules = append(s.rules, expectation)
		}
	}
}

func (s *ruleset) position(r *rule) int {
	for i := range s.rules {
		if s.rules[i] == r {
			return i
		}
	}
	return -1
}

func isConnect(r *rule) bool { _, ok := r.do.(*connect); return ok }

func fromOption(r *rule) bool {
	q, ok := r.do.(*request)
	return ok && q.fromOption
}

// stepOf is the number of a rule in messages: 0 for the connection that goes without
// saying, 1 before anything was done.
func (ck *Check) stepOf(r *rule) int {
	if r == nil {
		return 1
	}
	if c, ok := r.do.(*connect); ok && c.implicit && r.index == 0 {
		return 0
	}
	return r.index + 1
}

// where tells, for checks of "option tcp-check", at which rule the connection failed.
func (ck *Check) where() string {
	if ck.rules.kind != kindTCP {
		return ""
	}
	r := ck.current
	n := ck.stepOf(r)
	if n == 0 {
		return " at initial connection step of tcp-check"
	}
	text := fmt.Sprintf(" at step %d of tcp-check", n)
	if r == nil {
		return text
	}
	switch do := r.do.(type) {
	case *connect:
		if do.port != 0 {
			text += fmt.Sprintf(" (connect port %d)", do.port)
		} else {
			text += " (connect)"
		}
	case *expect:
		text += " (expect " + do.what() + ")"
	case *send:
		text += " (send)"
	}
	if r.comment != "" {
		text += " comment: '" + r.comment + "'"
	}
	return text
}

// what names the expected content.
func (e *expect) what() string {
	switch e.kind {
	case matchString:
		return "string '" + string(e.data) + "'"
	case matchBinary:
		return "binary '" + strings.ToUpper(hex.EncodeToString(e.data)) + "'"
	case matchRegex:
		return "regex"
	case matchBinaryRegex:
		return "binary regex"
	case matchFormat:
		return "log-format string"
	case matchBinaryFormat:
		return "log-format binary"
	}
	return "custom function"
}

// expose shows the expressions of a rule what was received.
func (ck *Check) expose() {
	ctx := &ck.stream.Ctx
	if ck.http != nil {
		ck.http.expose(ck)
		return
	}
	ctx.ResRaw.Data, ctx.ResRaw.Closed, ctx.ResRaw.Full = ck.in, ck.eof, ck.full()
}
