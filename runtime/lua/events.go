package lua

import (
	"slices"
	"strings"
	"sync"
	"time"

	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/lua/lua54"
)

// eventTypes are what scripts may subscribe to, each behind its family, which stands for all of it.
var eventTypes = []string{
	"SERVER", "SERVER_ADD", "SERVER_DEL", "SERVER_UP", "SERVER_DOWN", "SERVER_STATE", "SERVER_ADMIN", "SERVER_CHECK", "SERVER_INETADDR",
	"PAT_REF", "PAT_REF_ADD", "PAT_REF_DEL", "PAT_REF_SET", "PAT_REF_COMMIT", "PAT_REF_CLEAR",
}

// family is the one that an event type belongs to.
func family(name string) string {
	if strings.HasPrefix(name, "PAT_REF") {
		return "PAT_REF"
	}
	return "SERVER"
}

// handler is a function of a script that is told of events, one after the other, on a goroutine that lives as long as there
// are any.
type handler struct {
	st    *state
	types []string // that it has asked for, of one family
	ref   int      // of the function
	leave func()   // ends the subscription
	t     *thread  // that runs the function; the state is locked

	mu     sync.Mutex // of all below
	queue  []happening
	busy   bool // the goroutine is there
	paused bool // there were too many events: none is taken until those that wait are told
}

// happening is an event as a function is told of it.
type happening struct {
	name string
	when time.Time
	data func(c call) // pushes what more there is to tell; nil: nothing
}

// unconsumed is how many events may wait for a handler.
const unconsumed = 100

// subscribe is "event_sub(types, function)" on what follow subscribes to. It gives the script the subscription.
func (c call) subscribe(follow func(h *handler) (leave func())) int {
	c.wants(2, "event_sub")
	if c.thread() == nil && c.st.id > 1 {
		return 0 // of all states of loops, the first one is told while files are read
	}
	types := c.eventTypes()
	if types == nil {
		return c.Errorf("event_sub: no valid event types were provided")
	}
	h := &handler{st: c.st, types: types, ref: c.checkFunction(2)}
	if m := c.st.m; !m.started.Load() {
		m.handlers = append(m.handlers, h)
	}
	h.leave = follow(h)
	c.object("EventSub", h)
	return 1
}

// eventTypes reads the first argument. Types of other families than that of the first one are nothing.
func (c call) eventTypes() (types []string) {
	const expected = "table of strings expected, got "
	if c.Type(1) != lua54.TypeTable {
		c.ArgError(1, expected+c.Type(1).String())
	}
	for c.PushNil(); c.Next(1); c.Pop(1) {
		if c.Type(-1) != lua54.TypeString {
			c.ArgError(1, expected+c.Type(1).String())
		}
		name := c.Str(-1)
		if !slices.Contains(eventTypes, name) {
			c.ArgError(1, "'"+name+"' event type is unknown")
		}
		if types == nil || family(name) == family(types[0]) {
			types = append(types, name)
		}
	}
	return types
}

// happened notes an event, if the handler has asked for it. It waits for nothing.
func (h *handler) happened(name string, data func(c call)) {
	if !slices.Contains(h.types, name) && !slices.Contains(h.types, family(name)) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.paused {
		return
	}
	h.queue = append(h.queue, happening{name, time.Now(), data})
	if len(h.queue) > unconsumed {
		h.paused = true
		go h.warn(len(h.queue))
	}
	h.wake()
}

// wake starts the goroutine, when the process serves. The caller holds mu.
func (h *handler) wake() {
	if !h.busy && len(h.queue) > 0 && h.st.m.started.Load() {
		h.busy = true
		go h.serve()
	}
}

func (h *handler) serve() {
	for e, ok := h.next(); ok; e, ok = h.next() {
		if t := h.begin(e); t != nil {
			t.live("Lua event_hdl")
		}
	}
}

// next takes the event that waits longest.
func (h *handler) next() (e happening, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		h.busy, h.paused = false, false
		return e, false
	}
	e = h.queue[0]
	h.queue = h.queue[1:]
	return e, true
}

// begin prepares the call of the function.
func (h *handler) begin(e happening) *thread {
	st := h.st
	st.lock(0)
	defer st.unlock()
	t := st.thread(st.m.task, nil)
	if t == nil {
		st.m.complain(nil, "Lua event_hdl: %s.", errNoMemory)
		return nil
	}
	h.t = t
	fault, ok := t.co.Protect(func() {
		c := call{t.co, st}
		c.PushRef(h.ref)
		c.PushString(e.name)
		if e.data != nil {
			e.data(c)
		}
		c.object("EventSub", h)
		c.PushInt(e.when.Unix())
		t.args = c.Top() - 1
	})
	if !ok {
		st.m.complain(nil, "Lua event_hdl: %s.", fault)
		t.end()
		return nil
	}
	return t
}

// warn tells that the handler is too slow.
func (h *handler) warn(waiting int) {
	m := h.st.m
	if m.out == nil {
		return
	}
	h.st.lock(0)
	defer h.st.unlock()
	trace := ""
	if h.t != nil {
		trace = traceback(h.t.co)
	}
	m.out.Print(diag.Diagnostic{Severity: diag.Warning, Text: sprintf("Lua event_hdl: pausing the subscription because the handler fails "+
		"to keep up the pace (%d unconsumed events) from %s.", waiting, trace)})
}

// followServers subscribes to what happens to servers.
func followServers(events *runtime.ServerEvents) func(h *handler) (leave func()) {
	return func(h *handler) (leave func()) {
		return events.Subscribe(func(e runtime.ServerEvent) {
			h.happened(e.Kind.String(), func(c call) { c.pushServerEvent(&e) })
		})
	}
}

func (c call) pushServerEvent(e *runtime.ServerEvent) {
	srv := e.Server
	c.NewTable()
	c.setString("name", srv.Name)
	c.setInt("puid", srv.ID)
	c.setInt("rid", srv.Revision)
	c.setString("proxy_name", srv.Proxy.Name)
	c.setInt("proxy_uuid", srv.Proxy.ID)
	switch e.Kind {
	case runtime.ServerChanged:
		c.pushStateChange(&e.State)
		c.SetField(-2, "state")
	case runtime.ServerAdminister:
		c.pushAdminChange(&e.Admin)
		c.SetField(-2, "admin")
	case runtime.ServerChecked:
		c.pushCheckReport(&e.Check)
		c.SetField(-2, "check")
	}
	if srv.Proxy.ServerByName([]byte(srv.Name)) == srv { // it has not been removed meanwhile
		c.object("Server", srv)
		c.SetField(-2, "reference")
	}
}

var stateNames = [...]string{
	runtime.ServerStopped: "STOPPED", runtime.ServerStarting: "STARTING", runtime.ServerRunning: "RUNNING", runtime.ServerStopping: "STOPPING",
}

func (c call) pushStateChange(s *runtime.StateChange) {
	c.NewTable()
	c.setBool("admin", s.ByAdmin)
	if s.Check != nil {
		c.pushCheckReport(s.Check)
		c.SetField(-2, "check")
	}
	c.setString("cause", s.Cause)
	c.setString("old_state", stateNames[s.Old])
	c.setString("new_state", stateNames[s.New])
	c.setInt("requeued", s.Requeued)
}

// adminFlags are the modes of a server by the names that scripts know.
var adminFlags = []struct {
	name string
	flag runtime.Admin
}{
	{"MAINT", runtime.Maint}, {"FMAINT", runtime.ForcedMaint}, {"IMAINT", runtime.InheritedMaint}, {"RMAINT", runtime.ResolverMaint},
	{"CMAINT", runtime.ConfigMaint}, {"DRAIN", runtime.Drain}, {"FDRAIN", runtime.ForcedDrain}, {"IDRAIN", runtime.InheritedDrain},
}

func (c call) pushAdminChange(a *runtime.AdminChange) {
	modes := func(field string, admin runtime.Admin) {
		c.NewTable()
		for _, f := range adminFlags {
			c.setBool(f.name, admin&f.flag != 0)
		}
		c.SetField(-2, field)
	}
	c.NewTable()
	c.setString("cause", a.Cause)
	modes("old_admin", a.Old)
	modes("new_admin", a.New)
	c.setInt("requeued", a.Requeued)
}

var outcomes = map[int]string{
	runtime.OutcomeFailed: "FAILED", runtime.OutcomePassed: "PASSED", runtime.OutcomeConditional: "CONDPASS",
}

func (c call) pushCheckReport(r *runtime.CheckReport) {
	c.NewTable()
	c.setBool("agent", r.Agent)
	if name, ok := outcomes[r.Status.Result()]; ok {
		c.setString("result", name)
	}
	c.setInt("duration", int(r.Duration.Milliseconds()))
	c.NewTable()
	c.setString("short", r.Status.String())
	c.setString("desc", r.Status.Text())
	if r.Status.HasCode() {
		c.setInt("code", r.Code)
	}
	c.SetField(-2, "reason")
	c.NewTable()
	c.setInt("cur", r.Health)
	c.setInt("rise", r.Rise)
	c.setInt("fall", r.Fall)
	c.SetField(-2, "health")
}

// setString gives the table on the top of the stack a field, as the functions below do.
func (c call) setString(field, v string) {
	c.PushString(v)
	c.SetField(-2, field)
}

func (c call) setInt(field string, v int) {
	c.PushInt(int64(v))
	c.SetField(-2, field)
}

func (c call) setBool(field string, v bool) {
	c.PushBool(v)
	c.SetField(-2, field)
}

func subscriptionMethods() []method {
	return []method{{"unsub", func(c call) int {
		self[*handler](c, 1, "EventSub").leave()
		return 0
	}}}
}
