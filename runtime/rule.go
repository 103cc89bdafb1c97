package runtime

import (
	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/ast"
)

// Verdict is what an action tells the rule set.
type Verdict uint8

const (
	Continue Verdict = iota // the next rule
	Stop                    // no more rules of this set (allow, accept)
	Wait                    // come back to this rule when Stream.WaitFor is over or data came
	Done                    // Stream.Reply is the answer (return, redirect, auth, deny with a reply)
	Deny                    // deny with the error of Stream.Reply
	Abort                   // the connection ends without an answer (reject, silent-drop)
	Invalid                 // the message is invalid: 400 or 502
	Failed                  // an internal error: 500
	Serve                   // Stream.Applet answers in the place of a server
	NeedBody                // go on once the body of the message is there, as Stream.BodyLeast and BodyTime tell
)

// Inquiry is something that another goroutine finds out for a rule.
type Inquiry interface {
	// Begin starts it. tell is called once, from any goroutine, when the rule may go on.
	Begin(tell func())
}

// Exec runs an action on a stream.
type Exec func(*Stream) Verdict

// Rule is one line of a rule set.
type Rule struct {
	Cond   *acl.Cond // nil: always
	Do     Exec
	Action string // name, as messages print it
	Pos    ast.Pos
	Final  bool
	From   sample.Source // what the action's own expressions read
	Data   any           // what the action keeps while the configuration is read

	Inherited bool // from a defaults section
}

// Ruleset is the rules of one place, in order.
type Ruleset []*Rule

// RulesetKind names a place where rules stand.
type RulesetKind uint16

const (
	TCPConnRules RulesetKind = 1 << iota
	TCPSessRules
	TCPReqRules
	TCPResRules
	HTTPReqRules
	HTTPResRules
	HTTPAfterRules
	StatsRules // stats http-request
	QUICInitialRules
)
