package lua

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hapax/acl/sample"
	"hapax/runtime/config"
	"hapax/runtime/lua/lua54"
)

// state is one state of Lua: of all loops, or of one.
type state struct {
	m       *machine
	id      int // 0: of all loops, else the number of its loop from 1 on
	world   *lua54.World
	main    lua54.State
	inits   []int                   // references of functions of register_init
	loader  *config.Loader          // while files are read
	classes map[string]int          // references of metatables
	exprs   map[string]*sample.Expr // that scripts have asked for
	rest    []*thread               // coroutines to be used again

	mu      sync.Mutex
	holder  atomic.Int32 // the loop that holds it, from 1 on; 0: somebody else, or nobody
	depth   int          // how often it does
	current *thread      // that runs
}

// newState makes a state with its libraries and classes.
func newState(m *machine, l *config.Loader, id int) *state {
	st := &state{m: m, id: id, world: lua54.New(m.memory), loader: l, classes: map[string]int{}, exprs: map[string]*sample.Expr{}}
	if st.world == nil {
		st.world = lua54.New(0)
	}
	st.world.Owner = st
	st.main = st.world.Main()
	st.main.Protect(func() {
		st.main.OpenLibs(m.opens)
		st.declare(l)
	})
	for _, path := range m.paths {
		st.prepend(path)
	}
	st.main.SetTop(0)
	return st
}

// prepend puts a path in front of those that modules are looked for in.
func (st *state) prepend(path [2]string) {
	s := st.main
	if s.Global("package") == lua54.TypeTable {
		s.Field(-1, path[0])
		s.PushString(path[1] + ";" + s.Str(-1))
		s.SetField(-3, path[0])
	}
	s.SetTop(0)
}

// lock takes the state for a loop, which may have it already; outside of the loops who is 0.
func (st *state) lock(who int32) {
	if who > 0 && st.holder.Load() == who {
		st.depth++
		return
	}
	st.mu.Lock()
	st.holder.Store(who)
}

func (st *state) unlock() {
	if st.depth > 0 {
		st.depth--
		return
	}
	st.holder.Store(0)
	st.mu.Unlock()
}

// call is one call of a function of Go by Lua.
type call struct {
	lua54.State
	st *state
}

// thread is the coroutine that calls; nil while files are read.
func (c call) thread() *thread { return c.st.current }

// function is what Lua can call.
type method struct {
	name string
	run  func(c call) int
}

// push pushes a function.
func (st *state) push(s lua54.State, run func(c call) int) {
	s.PushGo(func(s lua54.State) int { return run(call{s, st}) })
}

// fill puts functions into the table on the top of the stack.
func (st *state) fill(s lua54.State, methods []method) {
	for _, m := range methods {
		st.push(s, m.run)
		s.SetField(-2, m.name)
	}
}

// class declares a class of objects with its methods.
func (st *state) class(name string, methods []method) {
	s := st.main
	s.NewTable()
	s.NewTable()
	st.fill(s, methods)
	s.SetField(-2, "__index")
	st.keepClass(s, name)
}

// keepClass pops a metatable.
func (st *state) keepClass(s lua54.State, name string) {
	s.PushString(name)
	s.SetField(-2, "__name")
	st.classes[name] = s.Ref()
}

// object pushes an object of a class: a table whose field 0 is what Go knows it by.
func (c call) object(class string, v any) {
	c.NewTable()
	c.PushObject(v)
	c.RawSetInt(-2, 0)
	c.PushRef(c.st.classes[class])
	c.SetMetatable(-2)
}

// self gives the object at i; there is an error when it is none of the class.
func self[T any](c call, i int, class string) T {
	if v, ok := c.held(i).(T); ok {
		return v
	}
	c.ArgError(i, class+" expected, got "+c.typeName(i))
	panic("unreachable")
}

// held is what Go knows the object at i by.
func (c call) held(i int) any {
	if c.Type(i) != lua54.TypeTable {
		return nil
	}
	c.RawGetInt(i, 0)
	v := c.Object(-1)
	c.Pop(1)
	return v
}

// typeName is the type of an argument as errors name it.
func (c call) typeName(i int) string {
	if c.Metatable(i) {
		t := c.Field(-1, "__name")
		name := c.Str(-1)
		c.Pop(2)
		if t == lua54.TypeString {
			return name
		}
	}
	return c.Type(i).String()
}

// wants refuses a call with another number of arguments.
func (c call) wants(n int, name string) {
	if c.Top() != n {
		c.Errorf("'%s' needs %d arguments", name, n)
	}
}

// between refuses a call with fewer or more arguments.
func (c call) between(least, most int, name string) {
	if n := c.Top(); n < least || n > most {
		c.Errorf("'%s' needs between %d and %d arguments", name, least, most)
	}
}

// checkFunction refuses an argument that is no function, and gives a reference to it.
func (c call) checkFunction(i int) int {
	if c.Type(i) != lua54.TypeFunction {
		c.ArgError(i, "function expected, got "+c.typeName(i))
	}
	c.Copy(i)
	return c.Ref()
}

// missing is a method that the reference has and hapax does not.
func missing(name string) method {
	return method{name, func(c call) int { return c.Errorf("'%s' is not supported by hapax yet", name) }}
}

// traceback lists the functions that run, as messages do.
func traceback(s lua54.State) string {
	var b strings.Builder
	for _, f := range s.Frames() {
		if f.Line < 0 && f.What == "C" && f.Kind == "" && f.Name == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// pause is what a thread waits for.
type pause struct {
	until time.Duration     // no longer than this; 0: no limit
	data  bool              // ends it, when more of it comes: until and begin are not set then
	begin func(tell func()) // starts what ends the wait earlier: it calls tell, from any goroutine; nil: nothing does
}
