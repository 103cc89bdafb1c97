package sticktable

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

const (
	everywhere = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules | runtime.TCPResRules |
		runtime.HTTPReqRules | runtime.HTTPResRules | runtime.HTTPAfterRules
	whereTracked = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules | runtime.HTTPReqRules | runtime.HTTPResRules
)

// actions track entries and change what they store.
var actions = []config.Action{
	action("track-sc", "follow an entry of a stick table", whereTracked, []keyword.Arg{{Name: "key", Type: keyword.Sample},
		{Name: "table", Type: keyword.StickTable, Joined: true, Opt: true}}, track),
	action("sc-inc-gpc", "increment a general purpose counter of a tracked entry", everywhere, nil, func(_ *config.Loader, a *config.ActionLine, most int) error {
		if !strings.HasPrefix(a.Name, "sc-inc-gpc(") {
			return fmt.Errorf("invalid gpc ID '%s'. Expects sc-inc-gpc(<GPC ID>,<Track ID>)", a.Name)
		}
		return numbered(a.Name, "sc-inc-gpc", "gpc", "GPC", most, " (tune.stick-counters)")
	}),
	action("sc-inc-gpc0", "increment the first general purpose counter", everywhere, nil, single),
	action("sc-inc-gpc1", "increment the second general purpose counter", everywhere, nil, single),
	action("sc-add-gpc", "add to a general purpose counter of a tracked entry", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque}}, addCounter),
	action("sc-set-gpt", "set a general purpose tag of a tracked entry", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque}}, func(l *config.Loader, a *config.ActionLine, most int) error {
		if !strings.HasPrefix(a.Name, "sc-set-gpt(") {
			return fmt.Errorf("invalid gpt ID '%s'. Expects sc-set-gpt(<GPT ID>,<Track ID>)", a.Name)
		}
		if err := numbered(a.Name, "sc-set-gpt", "gpt", "GPT", most, ""); err != nil {
			return err
		}
		return value(l, a)
	}),
	action("sc-set-gpt0", "set the first general purpose tag", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque}}, setTag),
}

// action is the row of an action. parse is given how many counters there are.
func action(name, summary string, in runtime.RulesetKind, args []keyword.Arg, parse func(l *config.Loader, a *config.ActionLine, counters int) error) config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: name, Prefix: true, Ref: "4.4", Summary: summary, Status: keyword.Missing, Args: args},
		In:  in,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			counters := l.Config.Global.Tune.StickCounters
			if counters == 0 && name != "track-sc" && name != "sc-add-gpc" {
				return nil, fmt.Errorf("Cannot use '%s', stick-counters are disabled via tune.stick-counters", a.Name)
			}
			return nil, parse(l, a, counters)
		},
	}
}

// numbered checks the two numbers of `sc-xxx(<id>,<counter>)`.
func numbered(name, action, what, shown string, counters int, note string) error {
	inner := name[len(action)+1:]
	_, rest := config.Strtol(inner, 10)
	second, found := strings.CutPrefix(rest, ",")
	if !found {
		return fmt.Errorf("Missing %s ID '%s'. Expects %s(<%s ID>,<Track ID>)", what, name, action, shown)
	}
	n, rest := config.Strtol(second, 10)
	switch {
	case !strings.HasPrefix(rest, ")"):
		return fmt.Errorf("invalid stick table track ID '%s'. Expects %s(<%s ID>,<Track ID>)", name, action, shown)
	case uint64(n) >= uint64(counters):
		return fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d%s", name, counters-1, note)
	}
	return nil
}

// single checks the number of the counter in `sc-inc-gpc0[(<counter>)]`.
func single(_ *config.Loader, a *config.ActionLine, counters int) error {
	inner := a.Name[len("sc-inc-gpc0"):]
	if inner == "" {
		return nil
	}
	n, rest := config.Strtol(strings.TrimPrefix(inner, "("), 10)
	switch {
	case inner[0] != '(' || !strings.HasPrefix(rest, ")"):
		return fmt.Errorf("invalid stick table track ID. Expects %s(<Track ID>)", a.Name)
	case uint64(n) >= uint64(counters):
		return fmt.Errorf("invalid stick table track ID. The max allowed ID is %d (tune.stick-counters)", counters-1)
	}
	return nil
}

func setTag(l *config.Loader, a *config.ActionLine, counters int) error {
	if inner := a.Name[len("sc-set-gpt0"):]; inner != "" {
		n, rest := config.Strtol(strings.TrimPrefix(inner, "("), 10)
		switch {
		case inner[0] != '(' || !strings.HasPrefix(rest, ")"):
			return fmt.Errorf("invalid stick table track ID '%s'. Expects sc-set-gpt0(<Track ID>)", a.Name)
		case uint64(n) >= uint64(counters):
			return fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d", a.Name, counters-1)
		}
	}
	return value(l, a)
}

func addCounter(l *config.Loader, a *config.ActionLine, counters int) error {
	inner, found := strings.CutPrefix(a.Name, "sc-add-gpc(")
	if !found {
		return fmt.Errorf("Missing or invalid arguments for '%s'. Expects sc-add-gpc(<GPC ID>,<Track ID>)", a.Name)
	}
	_, rest := config.Strtol(inner, 10)
	second, found := strings.CutPrefix(rest, ",")
	if !found {
		return fmt.Errorf("Missing gpc ID. Expects %s(<GPC ID>,<Track ID>)", a.Name)
	}
	n, rest := config.Strtol(second, 10)
	switch {
	case !strings.HasPrefix(rest, ")"):
		return fmt.Errorf("invalid stick table track ID '%s'. Expects %s(<GPC ID>,<Track ID>)", second, a.Name)
	case uint64(n) >= uint64(counters):
		return fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d (tune.stick-counters)", a.Name, counters-1)
	}
	return value(l, a)
}

// value reads the number or the expression that an action takes.
func value(l *config.Loader, a *config.ActionLine) error {
	if _, rest := config.Strtol(a.Peek(), 10); rest == "" {
		a.Take()
		return nil
	}
	e, err := l.Expr(&a.Words)
	if err != nil {
		return err
	}
	if e.ValidAt()&placeOfValue(a.Kind) == 0 {
		return unavailable(a, e)
	}
	return nil
}

// placeOfValue is where values are taken: in front of the session's frontend, whatever
// the proxy is.
func placeOfValue(kind runtime.RulesetKind) sample.Checkpoint {
	switch kind {
	case runtime.TCPConnRules:
		return sample.FrontConnection
	case runtime.TCPSessRules:
		return sample.FrontSession
	case runtime.TCPReqRules:
		return sample.FrontReqContent
	case runtime.TCPResRules:
		return sample.BackResContent
	case runtime.HTTPReqRules:
		return sample.FrontReqHeaders
	}
	return sample.BackResHeaders
}

func unavailable(a *config.ActionLine, e *sample.Expr) error {
	return fmt.Errorf("fetch method '%s' extracts information from '%s', none of which is available here", a.Line.Arg(a.Index()-1), e.From())
}

// track reads `track-sc<n> <key> [table <name>]`.
func track(l *config.Loader, a *config.ActionLine, counters int) error {
	err := trackKey(l, a, counters)
	if err != nil && a.Kind&(runtime.TCPConnRules|runtime.TCPSessRules|runtime.TCPReqRules) != 0 {
		return fmt.Errorf("'%s %s %s' : %w", a.Line.Arg(0), a.Line.Arg(1), a.Name, err)
	}
	return err
}

func trackKey(l *config.Loader, a *config.ActionLine, counters int) error {
	number := strings.TrimPrefix(a.Name, "track-sc")
	n, err := strconv.ParseUint(number, 10, 32)
	switch {
	case number == "":
		n = 0
	case err != nil:
		return fmt.Errorf("Wrong track-sc number '%s'", number)
	}
	if n >= uint64(counters) {
		if counters == 0 {
			return fmt.Errorf("%d track-sc number not usable, stick-counters are disabled by tune.stick-counters", n)
		}
		return fmt.Errorf("%d track-sc number exceeding %d (tune.stick-counters-1) value", n, counters-1)
	}
	http := a.Kind&(runtime.HTTPReqRules|runtime.HTTPResRules) != 0
	if !http {
		l.For(sample.InTrack)
	}
	e, err := l.Expr(&a.Words)
	if err != nil {
		return err
	}
	if e.ValidAt()&a.At == 0 {
		return unavailable(a, e)
	}
	name := ""
	if a.TakeIf("table") {
		if name = a.Take(); name == "" && http {
			return errors.New("missing table name")
		}
	}
	rule, px, kind := a.Rule, a.Proxy, a.Kind
	l.CheckRule(func() error { return checkTrack(l, px, kind, rule, e, name, n) })
	return nil
}

func checkTrack(l *config.Loader, px *runtime.Proxy, kind runtime.RulesetKind, rule *runtime.Rule, e *sample.Expr, name string, n uint64) error {
	if name == "" {
		name = px.Name
	}
	t, ok := l.Table(name).(*Table)
	switch {
	case !ok:
		return fmt.Errorf("unable to find table '%s' referenced by track-sc%d", name, n)
	case !t.Accepts(e):
		return fmt.Errorf("stick-table '%s' uses a type incompatible with the 'track-sc%d' rule", name, n)
	}
	if kind != runtime.TCPReqRules || px.Caps&runtime.CapFront == 0 {
		return nil
	}
	if px.InspectReq == 0 && e.ValidAt()&sample.FrontSession == 0 {
		l.List.Warnf(rule.Pos, "%s '%s' : a 'tcp-request content track-sc*' rule explicitly depending on request"+
			" contents without any 'tcp-request inspect-delay' setting."+
			" This means that this rule will randomly find its contents. This can be fixed by"+
			" setting the tcp-request inspect-delay.", px.Kind, px.Name)
	}
	const contents = sample.ReqBuffer | sample.ReqHeaders | sample.ReqLine | sample.ReqBody
	if px.Mode == runtime.ModeHTTP && e.From()&contents == 0 && (rule.Cond == nil || rule.Cond.From()&contents == 0) {
		l.List.Warnf(rule.Pos, "%s '%s' : a 'tcp-request content track-sc*' rule not depending on request"+
			" contents for an HTTP frontend should be executed at the session level, using a"+
			" 'tcp-request session' rule (mandatory to track invalid HTTP requests).", px.Kind, px.Name)
	}
	return nil
}
