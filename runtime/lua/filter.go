package lua

import (
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/lua/lua54"
)

// What a callback of a filter may return, as scripts know it by the names of "filter".
const (
	filterError    = -1
	filterWait     = 0
	filterContinue = 1

	filtersHTTP = 1 // FLT_CFG_FL_HTX: the filter can be on streams of HTTP
)

// declareFilters makes the table "filter".
func (st *state) declareFilters() {
	s := st.main
	s.NewTable()
	for name, n := range map[string]int64{"CONTINUE": filterContinue, "WAIT": filterWait, "ERROR": filterError, "FLT_CFG_FL_HTX": filtersHTTP} {
		s.PushInt(n)
		s.SetField(-2, name)
	}
	st.fill(s, []method{
		{"wake_time", wakeTime},
		{"register_data_filter", func(c call) int { return watch(c, "register_data_filter", true) }},
		{"unregister_data_filter", func(c call) int { return watch(c, "unregister_data_filter", false) }},
	})
	s.SetGlobal("filter")
}

// watch has a filter see the payload of a channel, or not any more.
func watch(c call, name string, on bool) int {
	c.wants(2, name)
	if c.Type(1) != lua54.TypeTable {
		return c.ArgError(1, "table expected, got "+c.typeName(1))
	}
	ch := checkChannel(c, 2)
	c.Field(1, "__filter")
	x, ok := c.Object(-1).(*filtering)
	if !ok {
		return c.ArgError(-1, "light userdata expected, got "+c.typeName(-1))
	}
	x.watches[ch.side] = on
	return 1
}

// registerFilter notes a class of filters, and the function that reads the arguments of a line.
func registerFilter(c call) int {
	c.wants(3, "register_filter")
	c.inBody("register_filter")
	name := c.CheckString(1)
	if c.Type(2) != lua54.TypeTable {
		return c.ArgError(2, "table expected, got "+c.typeName(2))
	}
	c.NewTable()
	c.Copy(2)
	c.RawSetInt(-2, 1)
	if c.Type(3) != lua54.TypeFunction {
		return c.ArgError(3, "function expected, got "+c.typeName(3))
	}
	c.Copy(3)
	c.RawSetInt(-2, 2)
	c.st.register(function{kind: filter, name: name}, c.Ref())
	return 0
}

// FilterLine is one "filter lua.NAME" line.
type FilterLine struct {
	m    *machine
	f    *function
	args []string

	proxy *runtime.Proxy
	refs  []int // by state: the copy of the class that belongs to the line
	http  bool  // the filter can be on streams of HTTP
}

// Filter is the filter that a script has registered under a name that begins with "lua."; nil when none has.
func Filter(l *config.Loader, word string, args []string) *FilterLine {
	m := of(l.Config)
	if m == nil {
		return nil
	}
	for _, f := range m.functions {
		if f.kind != filter || "lua."+f.name != word {
			continue
		}
		x := &FilterLine{m: m, f: f, args: args, proxy: l.Proxy}
		st := m.parsing(f)
		st.main.Protect(func() {
			st.main.PushRef(f.refs[st.id])
			st.main.RawGetInt(-1, 1)
			if st.main.Field(-1, "flags") == lua54.TypeNumber {
				flags, _ := st.main.Int(-1)
				x.http = flags&filtersHTTP != 0
			}
		})
		st.main.SetTop(0)
		m.filters = append(m.filters, x)
		return x
	}
	return nil
}

// Filters lists the names of the filters that scripts have registered.
func Filters(cfg *runtime.Config) (names []string) {
	if m := of(cfg); m != nil {
		for _, f := range m.functions {
			if f.kind == filter {
				names = append(names, "lua."+f.name)
			}
		}
	}
	return names
}

// parsing is the state that the configuration is read with.
func (m *machine) parsing(f *function) *state {
	if f.refs[0] != lua54.NoRef {
		return m.shared
	}
	return m.own[0]
}

// prepare hands the arguments of the line to the script, in each state that has the filter.
func (x *FilterLine) prepare(l *config.Loader) bool {
	for _, st := range x.m.all() {
		for len(x.refs) <= st.id {
			x.refs = append(x.refs, lua54.NoRef)
		}
		if st.id >= len(x.f.refs) || x.f.refs[st.id] == lua54.NoRef {
			continue
		}
		fault := ""
		if raised, ok := st.main.Protect(func() { fault = x.prepareIn(st) }); !ok {
			fault = "runtime error : " + raised
		}
		st.main.SetTop(0)
		if fault != "" {
			l.List.Alertf(ast.Pos{}, "Lua filter '%s' : %s", x.f.name, fault)
			return false
		}
	}
	return true
}

// prepareIn calls the function that reads the arguments with a copy of the class.
func (x *FilterLine) prepareIn(st *state) (fault string) {
	s := st.main
	s.PushRef(x.f.refs[st.id])
	s.RawGetInt(1, 2)
	s.RawGetInt(1, 1)
	s.NewTable()
	for s.PushNil(); s.Next(3); {
		s.Copy(-2)
		s.Copy(-2)
		s.RawSet(4)
		s.Pop(1)
	}
	s.Copy(4)
	x.refs[st.id] = s.Ref()
	s.Copy(2)
	s.Copy(4)
	s.NewTable()
	for i, word := range x.args {
		s.PushString(word)
		s.RawSetInt(-2, i+1)
	}
	switch s.Call(2, 0) {
	case lua54.OK:
		return ""
	case lua54.RunError:
		return "runtime error : " + s.Display(-1)
	case lua54.MemoryError:
		return "out of memory error"
	case lua54.HandlerError:
		return "message handler error : " + s.Display(-1)
	}
	return "unknown error : " + s.Display(-1)
}

// Attach puts a filter of the line on a stream; nil: its script does not want to be there.
func (x *FilterLine) Attach(s *runtime.Stream) runtime.Filter {
	if s.Ctx.Front.HTTP > 0 && !x.http {
		return nil
	}
	st := x.m.stateOf(x.f, s.Loop)
	st.lock(int32(s.Loop + 1))
	defer st.unlock()
	fl := &filtering{line: x, st: st, s: s}
	if !fl.make() {
		return nil
	}
	return fl
}

// filtering is a filter of a script on one stream: a runtime.Filter.
type filtering struct {
	line    *FilterLine
	st      *state
	s       *runtime.Stream
	ref     int // of the object that the script has made
	watches [2]bool
	in      *payload // while a callback sees it
}

func (x *filtering) complain(text string) {
	x.line.m.complain(x.s.Back, "Lua filter '%s'%s.", x.line.f.name, text)
}

// make calls the script's "new".
func (x *filtering) make() bool {
	t := x.st.thread(x.line.m.session, x.s)
	if t == nil {
		x.complain(": can't initialize filter Lua context")
		return false
	}
	defer t.end()
	found := false
	fault, ok := t.co.Protect(func() {
		t.co.PushRef(x.line.refs[x.st.id])
		if found = t.co.Field(1, "new") == lua54.TypeFunction; found {
			t.co.Copy(1)
			t.args = 1
		}
	})
	switch {
	case !ok:
		x.complain(": " + fault)
		return false
	case !found:
		x.complain(": 'new' field is not a function")
		return false
	}
	e, fault := t.run(false)
	switch e {
	case done:
		// The class lies below what the function leaves.
		if t.co.Top() < 2 || t.co.Type(2) != lua54.TypeTable {
			return false // the script wants no filter here
		}
		t.co.SetTop(2)
		return x.keep(t.co)
	case failed:
		x.complain(" : " + fault)
	case noMemory:
		x.complain(" : out of memory error")
	case noYield:
		x.complain(": yield functions like core.tcp() or core.sleep() are not allowed from 'new' function")
	default:
		x.complain(" : 'new' " + e.String())
	}
	return false
}

// keep takes the script's object off the stack of a coroutine.
func (x *filtering) keep(co lua54.State) bool {
	main := x.st.main
	_, ok := main.Protect(func() {
		co.Move(main, 1)
		main.PushObject(x)
		main.SetField(-2, "__filter")
		x.ref = main.Ref()
	})
	return ok
}

// what a callback is given behind the transaction.
type given int

const (
	givenChannel given = iota
	givenMessage
)

// callback calls a function of the script's object, if it has one. ret is what it has returned, and its absence is said
// by returns; ok is false when it failed.
func (x *filtering) callback(name string, side int, what given) (ret int64, returns, ok bool) {
	x.st.lock(int32(x.s.Loop + 1))
	defer x.st.unlock()
	t := x.st.thread(x.line.m.session, x.s)
	if t == nil {
		return 0, false, true
	}
	defer t.end()
	found := false
	fault, fine := t.co.Protect(func() { found = x.arguments(t, name, side, what) })
	switch {
	case !fine:
		x.complain(": " + fault)
		return 0, false, true
	case !found:
		return 0, false, true
	}
	e, fault := t.run(false)
	if t.wakeTime > 0 {
		x.s.Filters.Wake[side] = t.wakeTime
	}
	switch e {
	case done:
		if returns = t.co.Top() > 1; returns {
			ret, _ = t.co.Int(-1)
		}
		return ret, returns, true
	case failed:
		x.complain(" : " + fault)
		return 0, false, false
	case noMemory:
		x.complain(" : out of memory error")
	case noYield:
		x.complain(fmt.Sprintf(": yield functions like core.tcp() or core.sleep() are not allowed from '%s' callback", name))
	default:
		x.complain(fmt.Sprintf(" : '%s' callback %s", name, e))
	}
	return 0, false, true
}

// arguments puts a callback and what it is given on the stack; false: the script has none of the name.
func (x *filtering) arguments(t *thread, name string, side int, what given) bool {
	co := t.co
	co.PushRef(x.ref)
	found := co.Field(1, name) == lua54.TypeFunction
	if !found {
		return false
	}
	co.Copy(1)
	c := call{co, x.st}
	dir := sample.Request
	if side == runtime.Download {
		dir = sample.Response
	}
	txn := &txn{t: t, s: x.s, px: x.s.Back, dir: dir, filter: x}
	x.st.pushTxn(co, txn)
	t.args = 2
	switch {
	case what == givenChannel:
		c.object("Channel", &channel{txn: txn, side: side, filter: x})
		t.args++
	default:
		c.pushMessage(&httpMessage{txn: txn, side: side, filter: x})
		t.args++
	}
	return true
}

// ask calls a callback that says whether the message goes on.
func (x *filtering) ask(name string, side int, what given) runtime.Passing {
	ret, returns, ok := x.callback(name, side, what)
	switch {
	case !ok || returns && ret < 0:
		return runtime.Fails
	case returns && ret == filterWait:
		return runtime.Holds
	}
	return runtime.Passes
}

// Begin implements runtime.Filter.
func (x *filtering) Begin(side int) runtime.Passing {
	return x.ask("start_analyze", side, givenChannel)
}

// Head implements runtime.Filter.
func (x *filtering) Head(side int) runtime.Passing { return x.ask("http_headers", side, givenMessage) }

// Watches implements runtime.Filter.
func (x *filtering) Watches(side int) bool { return x.watches[side] }

// Payload implements runtime.Filter.
func (x *filtering) Payload(side int, data []byte, before int) ([]byte, int, bool) {
	x.in = &payload{bytes: data, before: before, most: x.s.Config.Global.Tune.BufSize}
	name, what := "tcp_payload", givenChannel
	if x.s.Ctx.Req != nil {
		name, what = "http_payload", givenMessage
	}
	ret, returns, ok := x.callback(name, side, what)
	in := x.in
	x.in = nil
	n := len(in.bytes)
	if rest := int64(len(in.bytes) - in.gone); returns && ret >= 0 && ret < rest {
		n = in.gone + int(ret)
	}
	return in.bytes, n, ok
}

// Over implements runtime.Filter.
func (x *filtering) Over(side int) runtime.Passing { return x.ask("http_end", side, givenMessage) }

// End implements runtime.Filter.
func (x *filtering) End(side int) {
	x.callback("end_analyze", side, givenChannel)
	x.watches[side] = false
}

// Leave implements runtime.Filter.
func (x *filtering) Leave() {
	x.st.lock(int32(x.s.Loop + 1))
	x.st.main.Unref(x.ref)
	x.st.unlock()
}

// payload gives what a callback sees. Only those of payload see some.
func (x *filtering) payload(c call, _ int) view {
	if x.in == nil {
		c.PushNil()
		c.Raise()
	}
	return x.in
}

// payload is what a filter has before it: a view.
type payload struct {
	bytes  []byte
	gone   int // of them go on already
	before int // bytes of the message stand before them
	most   int
	own    bool // the bytes are no longer those of the engine
}

func (p *payload) data() []byte { return p.bytes[p.gone:] }
func (p *payload) room() int    { return max(0, p.most-len(p.bytes)) }
func (p *payload) output() int  { return p.before + p.gone }
func (p *payload) forward(n int) {
	p.gone += n
}

func (p *payload) replace(at, n int, text []byte) bool {
	if len(text)-n > p.room() {
		return false
	}
	if !p.own {
		p.bytes, p.own = append(make([]byte, 0, len(p.bytes)+len(text)), p.bytes...), true
	}
	at += p.gone
	tail := p.bytes[at+n:]
	p.bytes = append(p.bytes[:at:at], append(append([]byte(nil), text...), tail...)...)
	return true
}

func (p *payload) send(text []byte) bool {
	if !p.replace(0, 0, text) {
		return false
	}
	p.gone += len(text)
	return true
}
