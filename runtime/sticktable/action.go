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
	"hapax/runtime/sticktable/table"
)

const (
	everywhere = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules | runtime.TCPResRules |
		runtime.HTTPReqRules | runtime.HTTPResRules | runtime.HTTPAfterRules
	whereTracked = runtime.TCPConnRules | runtime.TCPSessRules | runtime.TCPReqRules | runtime.HTTPReqRules | runtime.HTTPResRules
)

// actions track entries and change what they store.
var actions = []config.Action{
	action("track-sc", "follow an entry of a stick table", "track-sc0 src table seen", whereTracked, []keyword.Arg{{Name: "key", Type: keyword.Sample},
		{Name: "table", Type: keyword.StickTable, Joined: true, Opt: true}}, track),
	action("sc-inc-gpc", "increment a general purpose counter of a tracked entry", "sc-inc-gpc(1,0)", everywhere, nil, func(_ *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
		if !strings.HasPrefix(a.Name, "sc-inc-gpc(") {
			return nil, fmt.Errorf("invalid gpc ID '%s'. Expects sc-inc-gpc(<GPC ID>,<Track ID>)", a.Name)
		}
		i, n, err := numbered(a.Name, "sc-inc-gpc", "gpc", "GPC", counters, " (tune.stick-counters)")
		c := counter{table.GPC, table.GPCRate}
		return (&change{number: n, element: i, counter: c, array: c}).increment, err
	}),
	action("sc-inc-gpc0", "increment the first general purpose counter", "sc-inc-gpc0(0)", everywhere, nil, single(counter{table.GPC0, table.GPC0Rate}, 0)),
	action("sc-inc-gpc1", "increment the second general purpose counter", "sc-inc-gpc1(0)", everywhere, nil, single(counter{table.GPC1, table.GPC1Rate}, 1)),
	action("sc-add-gpc", "add to a general purpose counter of a tracked entry", "sc-add-gpc(1,0) 10", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque, Doc: "an integer or an expression"}}, addCounter),
	action("sc-set-gpt", "set a general purpose tag of a tracked entry", "sc-set-gpt(1,0) 7", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque, Doc: "an integer or an expression"}}, setElement),
	action("sc-set-gpt0", "set the first general purpose tag", "sc-set-gpt0(0) 7", everywhere, []keyword.Arg{{Name: "value", Type: keyword.Opaque, Doc: "an integer or an expression"}}, setTag),
}

// action is the row of an action. parse is given how many counters there are.
func action(name, summary, example string, in runtime.RulesetKind, args []keyword.Arg, parse func(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error)) config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: name, Prefix: true, Ref: "4.4", Summary: summary, Args: args,
			Examples: []keyword.Example{{Config: declaration + "frontend f\n  mode http\n  bind :80\n  http-request " + example + "\n"}}},
		In: in,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			counters := l.Config.Global.Tune.StickCounters
			if counters == 0 && name != "track-sc" && name != "sc-add-gpc" {
				return nil, fmt.Errorf("Cannot use '%s', stick-counters are disabled via tune.stick-counters", a.Name)
			}
			return parse(l, a, counters)
		},
	}
}

// change is an action on what a tracked entry stores.
type change struct {
	number  int // of the tracked entry
	element uint
	counter counter
	array   counter    // in whose element the counter is kept otherwise
	data    table.Data // the tag

	value int64
	expr  *sample.Expr // gives the value; nil: it is fixed
}

// increment adds one to a counter.
func (c *change) increment(s *runtime.Stream) runtime.Verdict {
	if r := tracked(s, c.number); r.Table() != nil {
		e := r.Lock()
		c.counter.add(&e, c.array, c.element, c.element, 1)
		e.Unlock()
	}
	return runtime.Continue
}

// add adds the value to a counter. The entry lives on even if that is 0.
func (c *change) add(s *runtime.Stream) runtime.Verdict {
	r := tracked(s, c.number)
	if r.Table() == nil || !r.Table().Stores(c.counter.total) && !r.Table().Stores(c.counter.rate) {
		return runtime.Continue
	}
	if n, ok := c.amount(s); ok {
		e := r.Lock()
		c.counter.add(&e, c.array, c.element, c.element, uint64(uint32(n)))
		e.Unlock()
	}
	return runtime.Continue
}

// set sets a tag to the value.
func (c *change) set(s *runtime.Stream) runtime.Verdict {
	r := tracked(s, c.number)
	if r.Table() == nil {
		return runtime.Continue
	}
	if v, ok := c.amount(s); ok {
		e := r.Lock()
		d, i := place(&e, c.data, table.GPT, 0, c.element)
		if e.Set(d, i, v) {
			e.Touch()
		}
		e.Unlock()
	}
	return runtime.Continue
}

// amount is the value.
func (c *change) amount(s *runtime.Stream) (int64, bool) {
	if c.expr == nil {
		return c.value, true
	}
	ctx := &s.Ctx
	v, final := ctx.Scratch.Borrow(), ctx.Final
	ctx.Final = true
	ok := c.expr.EvalAs(ctx, sample.Int, v)
	n := v.Int
	ctx.Final = final
	ctx.Scratch.Return()
	return n, ok
}

// numbered reads the two numbers of `sc-xxx(<id>,<counter>)`.
func numbered(name, action, what, shown string, counters int, note string) (element uint, number int, err error) {
	id, rest := config.Strtol(name[len(action)+1:], 10)
	second, found := strings.CutPrefix(rest, ",")
	if !found {
		return 0, 0, fmt.Errorf("Missing %s ID '%s'. Expects %s(<%s ID>,<Track ID>)", what, name, action, shown)
	}
	n, rest := config.Strtol(second, 10)
	switch {
	case !strings.HasPrefix(rest, ")"):
		return 0, 0, fmt.Errorf("invalid stick table track ID '%s'. Expects %s(<%s ID>,<Track ID>)", name, action, shown)
	case uint64(n) >= uint64(counters):
		return 0, 0, fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d%s", name, counters-1, note)
	}
	return uint(uint32(id)), int(n), nil
}

// single makes the Parse of `sc-inc-gpc0[(<counter>)]`. Where the counter is not kept, it is the element of the array.
func single(c counter, element uint) func(*config.Loader, *config.ActionLine, int) (runtime.Exec, error) {
	return func(_ *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
		do := &change{element: element, counter: c, array: counter{table.GPC, table.GPCRate}}
		inner := a.Name[len("sc-inc-gpc0"):]
		if inner == "" {
			return do.increment, nil
		}
		n, rest := config.Strtol(strings.TrimPrefix(inner, "("), 10)
		switch {
		case inner[0] != '(' || !strings.HasPrefix(rest, ")"):
			return nil, fmt.Errorf("invalid stick table track ID. Expects %s(<Track ID>)", a.Name)
		case uint64(n) >= uint64(counters):
			return nil, fmt.Errorf("invalid stick table track ID. The max allowed ID is %d (tune.stick-counters)", counters-1)
		}
		do.number = int(n)
		return do.increment, nil
	}
}

func setElement(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
	if !strings.HasPrefix(a.Name, "sc-set-gpt(") {
		return nil, fmt.Errorf("invalid gpt ID '%s'. Expects sc-set-gpt(<GPT ID>,<Track ID>)", a.Name)
	}
	i, n, err := numbered(a.Name, "sc-set-gpt", "gpt", "GPT", counters, "")
	if err != nil {
		return nil, err
	}
	do := &change{number: n, element: i, data: table.GPT}
	return do.set, do.readValue(l, a)
}

func setTag(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
	do := &change{data: table.GPT0}
	if inner := a.Name[len("sc-set-gpt0"):]; inner != "" {
		n, rest := config.Strtol(strings.TrimPrefix(inner, "("), 10)
		switch {
		case inner[0] != '(' || !strings.HasPrefix(rest, ")"):
			return nil, fmt.Errorf("invalid stick table track ID '%s'. Expects sc-set-gpt0(<Track ID>)", a.Name)
		case uint64(n) >= uint64(counters):
			return nil, fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d", a.Name, counters-1)
		}
		do.number = int(n)
	}
	return do.set, do.readValue(l, a)
}

func addCounter(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
	inner, found := strings.CutPrefix(a.Name, "sc-add-gpc(")
	if !found {
		return nil, fmt.Errorf("Missing or invalid arguments for '%s'. Expects sc-add-gpc(<GPC ID>,<Track ID>)", a.Name)
	}
	id, rest := config.Strtol(inner, 10)
	second, found := strings.CutPrefix(rest, ",")
	if !found {
		return nil, fmt.Errorf("Missing gpc ID. Expects %s(<GPC ID>,<Track ID>)", a.Name)
	}
	n, rest := config.Strtol(second, 10)
	switch {
	case !strings.HasPrefix(rest, ")"):
		return nil, fmt.Errorf("invalid stick table track ID '%s'. Expects %s(<GPC ID>,<Track ID>)", second, a.Name)
	case uint64(n) >= uint64(counters):
		return nil, fmt.Errorf("invalid stick table track ID '%s'. The max allowed ID is %d (tune.stick-counters)", a.Name, counters-1)
	}
	c := counter{table.GPC, table.GPCRate}
	do := &change{number: int(n), element: uint(uint32(id)), counter: c, array: c}
	return do.add, do.readValue(l, a)
}

// readValue reads the number or the expression that an action takes.
func (c *change) readValue(l *config.Loader, a *config.ActionLine) (err error) {
	n, rest := config.Strtol(a.Peek(), 10)
	if rest == "" {
		a.Take()
		c.value = n
		return nil
	}
	if c.expr, err = l.Expr(&a.Words); err != nil {
		return err
	}
	if c.expr.ValidAt()&placeOfValue(a.Kind) == 0 {
		return unavailable(a, c.expr)
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
func track(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
	do, err := trackKey(l, a, counters)
	if err != nil && a.Kind&(runtime.TCPConnRules|runtime.TCPSessRules|runtime.TCPReqRules) != 0 {
		return nil, fmt.Errorf("'%s %s %s' : %w", a.Line.Arg(0), a.Line.Arg(1), a.Name, err)
	}
	return do, err
}

func trackKey(l *config.Loader, a *config.ActionLine, counters int) (runtime.Exec, error) {
	number := strings.TrimPrefix(a.Name, "track-sc")
	n, err := strconv.ParseUint(number, 10, 32)
	switch {
	case number == "":
		n = 0
	case err != nil:
		return nil, fmt.Errorf("Wrong track-sc number '%s'", number)
	}
	if n >= uint64(counters) {
		if counters == 0 {
			return nil, fmt.Errorf("%d track-sc number not usable, stick-counters are disabled by tune.stick-counters", n)
		}
		return nil, fmt.Errorf("%d track-sc number exceeding %d (tune.stick-counters-1) value", n, counters-1)
	}
	http := a.Kind&(runtime.HTTPReqRules|runtime.HTTPResRules) != 0
	if !http {
		l.For(sample.InTrack)
	}
	e, err := l.Expr(&a.Words)
	if err != nil {
		return nil, err
	}
	if e.ValidAt()&a.At == 0 {
		return nil, unavailable(a, e)
	}
	name := ""
	if a.TakeIf("table") {
		if name = a.Take(); name == "" && http {
			return nil, errors.New("missing table name")
		}
	}
	rule, px, kind := a.Rule, a.Proxy, a.Kind
	do := &tracker{number: int(n), key: e}
	l.CheckRule(func() error { return do.check(l, px, kind, rule, name) })
	switch kind {
	case runtime.TCPConnRules, runtime.TCPSessRules:
		return do.ofConnection, nil
	case runtime.TCPReqRules:
		return do.ofContent, nil
	case runtime.HTTPReqRules:
		return do.ofRequest, nil
	}
	return do.ofResponse, nil
}

// check finds the table of a rule, and warns where its key may not be there.
func (r *tracker) check(l *config.Loader, px *runtime.Proxy, kind runtime.RulesetKind, rule *runtime.Rule, name string) error {
	if name == "" {
		name = px.Name
	}
	r.table = l.Table(name)
	switch {
	case r.table == nil:
		return fmt.Errorf("unable to find table '%s' referenced by track-sc%d", name, r.number)
	case !Accepts(r.table, r.key):
		return fmt.Errorf("stick-table '%s' uses a type incompatible with the 'track-sc%d' rule", name, r.number)
	}
	if kind != runtime.TCPReqRules || px.Caps&runtime.CapFront == 0 {
		return nil
	}
	if px.InspectReq == 0 && r.key.ValidAt()&sample.FrontSession == 0 {
		l.List.Warnf(rule.Pos, "%s '%s' : a 'tcp-request content track-sc*' rule explicitly depending on request"+
			" contents without any 'tcp-request inspect-delay' setting."+
			" This means that this rule will randomly find its contents. This can be fixed by"+
			" setting the tcp-request inspect-delay.", px.Kind, px.Name)
	}
	const contents = sample.ReqBuffer | sample.ReqHeaders | sample.ReqLine | sample.ReqBody
	if px.Mode == runtime.ModeHTTP && r.key.From()&contents == 0 && (rule.Cond == nil || rule.Cond.From()&contents == 0) {
		l.List.Warnf(rule.Pos, "%s '%s' : a 'tcp-request content track-sc*' rule not depending on request"+
			" contents for an HTTP frontend should be executed at the session level, using a"+
			" 'tcp-request session' rule (mandatory to track invalid HTTP requests).", px.Kind, px.Name)
	}
	return nil
}
