package lua

import (
	"fmt"
	"slices"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/runtime/lua/lua54"
)

// kind is what a function is registered as.
type kind uint8

const (
	fetch kind = iota
	converter
	action
	service
	command
	filter
)

// function is what a script has registered under a name.
type function struct {
	kind kind
	in   runtime.RulesetKind // of an action
	name string
	refs []int // by state; NoRef: it is not there
	args int   // that an action wants

	words []string // of a command
	usage string
	http  bool // of a service
}

// register notes a function of a state. fresh tells that it is known for the first time.
func (st *state) register(f function, ref int) (known *function, fresh bool) {
	m := st.m
	at := slices.IndexFunc(m.functions, func(o *function) bool { return o.kind == f.kind && o.in == f.in && o.name == f.name })
	if at < 0 {
		known, fresh = &f, true
		m.functions = append(m.functions, known)
	} else {
		known = m.functions[at]
	}
	for len(known.refs) <= st.id {
		known.refs = append(known.refs, lua54.NoRef)
	}
	if known.refs[st.id] != lua54.NoRef {
		names := [...]string{"sample-fetch", "converter", "action", "service", "CLI keyword", "filter"}
		st.loader.List.Warnf(ast.Pos{}, "Trying to register %s 'lua.%s' more than once. This will become a hard error in version 2.5.", names[f.kind], f.name)
		st.main.Unref(known.refs[st.id])
	}
	known.refs[st.id] = ref
	return known, fresh
}

// check refuses a function that only some of the states have. own is how many loops have a state of their own.
func (f *function) check(l *config.Loader, own int) {
	n := 0
	for _, ref := range f.refs[1:] {
		if ref != lua54.NoRef {
			n++
		}
	}
	name := f.name
	if f.kind == service {
		name = "<lua." + name + ">"
	}
	switch {
	case n != 0 && n != own:
		l.List.Alertf(ast.Pos{}, "Lua function '%s' is not referenced in all thread. Expect function in all thread or in none thread.", name)
	case (f.refs[0] == lua54.NoRef) == (n == 0):
		l.List.Alertf(ast.Pos{}, "Lua function '%s' is referenced both ins shared Lua context (through lua-load) and per-thread Lua context "+
			"(through lua-load-per-thread). these two context exclusive.", name)
	}
}

// inBody refuses what only the body of a script may do.
func (c call) inBody(name string) {
	if c.thread() != nil || c.st.loader == nil {
		c.Errorf("%s: not available outside of body context", name)
	}
}

// registering are the functions of "core" by which scripts register others.
func registering() []method {
	return []method{
		{"register_init", func(c call) int {
			c.wants(1, "register_init")
			c.inBody("register_init")
			c.st.inits = append(c.st.inits, c.checkFunction(1))
			return 0
		}},
		{"register_fetches", func(c call) int {
			c.wants(2, "register_fetches")
			c.inBody("register_fetches")
			f, fresh := c.st.register(function{kind: fetch, name: c.CheckString(1)}, c.checkFunction(2))
			if fresh {
				c.st.declared(c.st.loader.DeclareFetch(c.st.m.fetch(f)))
			}
			return 0
		}},
		{"register_converters", func(c call) int {
			c.wants(2, "register_converters")
			c.inBody("register_converters")
			f, fresh := c.st.register(function{kind: converter, name: c.CheckString(1)}, c.checkFunction(2))
			if fresh {
				c.st.declared(c.st.loader.DeclareConverter(c.st.m.converter(f)))
			}
			return 0
		}},
		{"register_action", registerAction},
		{"register_service", registerService},
		{"register_task", registerTask},
		{"register_cli", registerCommand},
		{"register_filter", registerFilter},
	}
}

// declared reports a name that the program has already.
func (st *state) declared(err error) {
	if err != nil {
		st.loader.List.Alertf(ast.Pos{}, "%s", err)
	}
}

// rulesets are those that actions may be registered for.
var rulesets = map[string]runtime.RulesetKind{
	"tcp-req": runtime.TCPReqRules, "tcp-res": runtime.TCPResRules,
	"http-req": runtime.HTTPReqRules, "http-res": runtime.HTTPResRules, "http-after-res": runtime.HTTPAfterRules,
}

func registerAction(c call) int {
	if n := c.Top(); n < 3 || n > 4 {
		return c.Errorf("'register_action' needs between 3 and 4 arguments")
	}
	c.inBody("register_action")
	name := c.CheckString(1)
	const table = "register_action: second argument must be a table of strings"
	if c.Type(2) != lua54.TypeTable {
		return c.Errorf(table)
	}
	ref := c.checkFunction(3)
	args := 0
	if c.Top() >= 4 {
		args = int(c.CheckInt(4))
	}
	for c.PushNil(); c.Next(2); c.Pop(1) {
		if c.Type(-1) != lua54.TypeString {
			return c.Errorf(table)
		}
		place := c.Str(-1)
		in, ok := rulesets[place]
		if !ok {
			return c.Errorf("Lua action environment '%s' is unknown. 'tcp-req', 'tcp-res', 'http-req', 'http-res' or 'http-after-res' are expected.", place)
		}
		f, fresh := c.st.register(function{kind: action, in: in, name: name, args: args}, ref)
		if fresh {
			row := config.Action{Doc: keyword.Doc{Name: "lua." + name, Ref: "4.4", Summary: "an action of a script"}, In: in, Parse: c.st.m.parseAction(f)}
			c.st.declared(c.st.loader.DeclareAction(in, row))
		}
	}
	return 0
}

// words are the arguments that a fetch or converter of a script may have.
func words() []keyword.Arg {
	return []keyword.Arg{{Name: "argument", Type: keyword.Str, Many: true, Opt: true}}
}

// httpMessages are what fetches of scripts are said to look at.
const httpMessages = sample.ReqHeaders | sample.ReqLine | sample.ReqBody | sample.ResHeaders | sample.ResLine | sample.ResBody

// fetch is the row of a fetch that a script has registered.
func (m *machine) fetch(f *function) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: "lua." + f.name, Ref: "7.3", Summary: "a sample of a script", Args: words()}, Out: sample.Str, From: httpMessages,
		Eval: func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			return ok && m.sample(f, s, args, nil, out)
		},
	}
}

// converter is the row of a converter that a script has registered.
func (m *machine) converter(f *function) sample.Converter {
	return sample.Converter{
		Doc: keyword.Doc{Name: "lua." + f.name, Ref: "7.3.1", Summary: "a converter of a script", Args: words()}, In: sample.Str, Out: sample.Str,
		Eval: func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			return ok && m.sample(f, s, args, v, v)
		},
	}
}

// sample calls a fetch, or with an input a converter.
func (m *machine) sample(f *function, s *runtime.Stream, args []sample.Arg, in, out *sample.Value) bool {
	st := m.stateOf(f, s.Loop)
	st.lock(int32(s.Loop + 1))
	defer st.unlock()
	what := "sample-fetch"
	if in != nil {
		what = "converter"
	}
	complain := func(text string) { m.complain(s.Back, "Lua %s '%s': %s.", what, f.name, text) }
	t := st.thread(m.session, s)
	if t == nil {
		complain("can't initialize Lua context")
		return false
	}
	defer t.end()
	fault, ok := t.co.Protect(func() {
		t.co.PushRef(f.refs[st.id])
		if in == nil {
			st.pushTxn(t.co, &txn{t: t, s: s, px: s.Back, dir: s.Ctx.Dir, bound: true})
		} else {
			st.pushValue(t.co, &s.Ctx, in)
		}
		t.args = 1
		for i := range args {
			if args[i].Present {
				t.co.PushString(args[i].Str)
				t.args++
			}
		}
	})
	if !ok {
		complain(fault)
		return false
	}
	switch e, fault := t.run(false); e {
	case done:
		return t.co.Top() > 0 && readValue(t.co, -1, &s.Ctx, out)
	case failed:
		complain(fault)
	case noYield:
		if in != nil {
			complain("yield functions like core.tcp() or core.sleep() are not allowed")
		} else {
			complain("yield not allowed")
		}
	default:
		complain(e.String())
	}
	return false
}

func (e ending) String() string {
	return [...]string{timedOut: "execution timeout", burst: "burst timeout", noMemory: "out of memory error", noYield: "yield not allowed"}[e]
}

// complain tells of an error in a script.
func (m *machine) complain(px *runtime.Proxy, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	logger.Server(logger.Err, px, "%s", text)
	if m.out != nil {
		m.out.Print(diag.Diagnostic{Severity: diag.Alert, Text: text})
	}
}

// parseAction reads the line of an action that a script has registered.
func (m *machine) parseAction(f *function) func(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
		r := &rule{m: m, f: f, rule: a.Rule, kind: a.Kind}
		for range f.args {
			word := a.Take()
			if word == "" {
				return nil, fmt.Errorf("expect %d arguments", f.args)
			}
			r.args = append(r.args, word)
		}
		return r.exec, nil
	}
}

// rule is one line with an action of a script.
type rule struct {
	m    *machine
	f    *function
	rule *runtime.Rule
	kind runtime.RulesetKind
	args []string
}

// What an action may return, as scripts know it by the names of "act".
const (
	actContinue = iota
	actStop
	actYield
	actError
	actDone
	actDeny
	actAbort
	actInvalid
)

var verdicts = map[int64]runtime.Verdict{
	actContinue: runtime.Continue, actStop: runtime.Stop, actError: runtime.Failed, actDone: runtime.Done, actDeny: runtime.Deny,
	actAbort: runtime.Abort, actInvalid: runtime.Invalid,
}

// exec runs the action, or goes on with it.
func (r *rule) exec(s *runtime.Stream) runtime.Verdict {
	st := r.m.stateOf(r.f, s.Loop)
	st.lock(int32(s.Loop + 1))
	defer st.unlock()
	own := scriptOf(s)
	t := own.t
	if t == nil {
		if t = r.begin(st, s); t == nil {
			return runtime.Continue
		}
	}
	if own.t != nil && s.WaitFor > 0 && !s.HeldOver {
		return runtime.Wait // something else has woken the stream
	}
	s.Held, s.HeldOver, s.Inquiry = nil, false, nil
	e, fault := t.run(r.mayWait(s))
	own.t = nil
	switch e {
	case again:
		own.t = t
		return t.waitFor(s, r.rule)
	case done:
		v := r.verdict(t, s)
		if v == runtime.Wait && !r.mayWait(s) {
			r.cannotWait(s.Back)
			v = runtime.Continue
		}
		if v == runtime.Wait { // the function wants to be called again
			d := t.wakeTime
			t.end()
			s.Held, s.WaitFor = r.rule, d
			return v
		}
		t.end()
		return v
	case failed:
		r.complain(s.Back, fault)
	case noYield:
		r.cannotWait(s.Back)
	default:
		r.complain(s.Back, e.String())
	}
	t.end()
	return runtime.Continue
}

// cannotWait tells of a rule that has no time to wait, or none any more: it is no mistake of the script.
func (r *rule) cannotWait(px *runtime.Proxy) {
	r.m.log(px, logger.Warning, fmt.Sprintf("Lua function '%s': unable to yield, aborted Lua execution.\n", r.f.name))
}

// mayWait tells whether the rule may wait: rules on contents do so no longer than the inspect-delay.
func (r *rule) mayWait(s *runtime.Stream) bool {
	return r.kind&(runtime.TCPReqRules|runtime.TCPResRules) == 0 || !s.Ctx.Final
}

func (r *rule) complain(px *runtime.Proxy, text string) {
	r.m.complain(px, "Lua function '%s': %s.", r.f.name, text)
}

// begin prepares the call.
func (r *rule) begin(st *state, s *runtime.Stream) *thread {
	t := st.thread(r.m.session, s)
	if t == nil {
		r.m.complain(s.Back, "Lua action '%s': can't initialize Lua context.", r.f.name)
		return nil
	}
	dir := sample.Request
	if r.kind&(runtime.TCPResRules|runtime.HTTPResRules|runtime.HTTPAfterRules) != 0 {
		dir = sample.Response
	}
	fault, ok := t.co.Protect(func() {
		t.co.PushRef(r.f.refs[st.id])
		st.pushTxn(t.co, &txn{t: t, s: s, px: s.Back, dir: dir})
		for _, word := range r.args {
			t.co.PushString(word)
		}
		t.args = 1 + len(r.args)
	})
	if !ok {
		r.complain(s.Back, fault)
		t.end()
		return nil
	}
	return t
}

// verdict is what the function has returned.
func (r *rule) verdict(t *thread, s *runtime.Stream) runtime.Verdict {
	if t.exit {
		if v, ok := t.next.(runtime.Verdict); ok {
			return v
		}
		return runtime.Continue
	}
	if t.co.Top() == 0 {
		return runtime.Continue
	}
	n, _ := t.co.Int(-1)
	if n == actYield {
		return runtime.Wait
	}
	v := verdicts[n]
	if v == runtime.Done && s.Reply == nil {
		return runtime.Abort
	}
	return v
}

// forever stands for a wait without a limit.
const forever = 24 * time.Hour

// waitFor makes the stream wait for what the coroutine waits for.
func (t *thread) waitFor(s *runtime.Stream, r *runtime.Rule) runtime.Verdict {
	s.Held, s.WaitFor = r, t.pause.until
	switch {
	case t.forced:
		s.WaitFor, s.Inquiry = forever, &inquiry{atOnce}
	case t.pause.begin != nil:
		s.Inquiry = &inquiry{t.pause.begin}
	}
	if s.WaitFor <= 0 && !t.pause.data {
		s.WaitFor = forever
	}
	return runtime.Wait
}

// inquiry is what a rule waits for.
type inquiry struct{ begin func(tell func()) }

// Begin implements runtime.Inquiry.
func (q *inquiry) Begin(tell func()) { q.begin(tell) }

// atOnce ends a wait as soon as others had their turn.
func atOnce(tell func()) { tell() }

// script is what a stream has of scripts: it is runtime.Stream.Script.
type script struct {
	s      *runtime.Stream
	t      *thread // that waits
	applet *applet // that serves it
	privs  []priv
}

// priv is what scripts of one state have kept with the stream.
type priv struct {
	st  *state
	ref int
}

func scriptOf(s *runtime.Stream) *script {
	if own, ok := s.Script.(*script); ok {
		return own
	}
	own := &script{s: s}
	s.Script = own
	return own
}

// Leave ends what waits: the stream is over.
func (own *script) Leave() {
	who := int32(own.s.Loop + 1)
	if t := own.t; t != nil {
		t.st.lock(who)
		t.end()
		t.st.unlock()
	}
	if own.applet != nil {
		own.applet.leave()
	}
	for _, p := range own.privs {
		p.st.lock(who)
		p.st.main.Unref(p.ref)
		p.st.unlock()
	}
}
