package lua54

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
)

// libraries are those of Lua, in its own order.
var libraries = []struct {
	name string
	open func(*libc.TLS, uintptr) int32
}{
	{"_G", luaopen_base}, {"package", luaopen_package}, {"coroutine", luaopen_coroutine}, {"table", luaopen_table}, {"io", luaopen_io},
	{"os", luaopen_os}, {"string", luaopen_string}, {"math", luaopen_math}, {"utf8", luaopen_utf8}, {"debug", luaopen_debug},
}

// OpenLibs opens the libraries that wanted says yes to.
func (s State) OpenLibs(wanted func(name string) bool) {
	for i := range libraries {
		if lib := &libraries[i]; wanted(lib.name) {
			luaL_requiref(s.w.tls, s.l, s.w.text(lib.name), pointer(&lib.open), 1)
			s.Pop(1)
		}
	}
}

// Register makes functions of Go known to the world; the number is what PushFunc knows it by.
func (w *World) Register(f Func) int {
	w.functions = append(w.functions, f)
	return len(w.functions) - 1
}

// PushFunc pushes a function that was registered.
func (s State) PushFunc(n int) {
	s.PushInt(int64(n))
	lua_pushcclosure(s.w.tls, s.l, callNamed, 1)
}

// PushGo registers and pushes a function.
func (s State) PushGo(f Func) { s.PushFunc(s.w.Register(f)) }

// call is what Lua calls for a function of Go: its number is the upvalue.
func call(tls *libc.TLS, l uintptr) int32 {
	w := world(l)
	n := lua_tointegerx(tls, l, upvalueOne, 0)
	return int32(w.functions[n](State{w, l}))
}

// goOn is what Lua calls when a coroutine that Yield has left goes on.
func goOn(_ *libc.TLS, l uintptr, _ int32, at lua_KContext) int32 {
	w := world(l)
	return int32(w.conts.take(uintptr(at))(State{w, l}))
}

// Yield leaves the coroutine, from the end of a Func or Cont, with n values for who resumed it; k goes on later. It does
// not return.
func (s State) Yield(n int, k Cont) int {
	return int(lua_yieldk(s.w.tls, s.l, int32(n), lua_KContext(s.w.conts.put(k)), goOnNamed))
}

// Yieldable tells whether Yield may be called here.
func (s State) Yieldable() bool { return lua_isyieldable(s.w.tls, s.l) != 0 }

// Resume runs a coroutine on, with so many values from its stack, to its next Yield or its end.
func (s State) Resume(from State, args int) (status Status, results int) {
	// The number of results is behind the room that texts take.
	p := libc.Xmalloc(s.w.tls, 4)
	defer libc.Xfree(s.w.tls, p)
	status = Status(lua_resume(s.w.tls, s.l, from.l, int32(args), p))
	return status, int(*(*int32)(unsafe.Pointer(p)))
}

// Status tells whether the coroutine yielded, or how it failed; OK when it may be used for a new call, or runs.
func (s State) Status() Status { return Status(lua_status(s.w.tls, s.l)) }

// Call calls the function below its arguments; an error is on the stack in the place of the results.
func (s State) Call(args, results int) Status {
	return Status(lua_pcallk(s.w.tls, s.l, int32(args), int32(results), 0, 0, 0))
}

// Protect calls f where errors may be raised, and tells the first one. What f leaves on the stack, which is empty when it
// begins, is put behind what is there.
func (s State) Protect(f func()) (fault string, ok bool) {
	lua_pushcclosure(s.w.tls, s.l, guardNamed, 0)
	s.w.guarded = f
	if s.Call(0, MultRet) == OK {
		return "", true
	}
	fault = s.Display(-1)
	s.Pop(1)
	return fault, false
}

// guard is what Lua calls for Protect.
func guard(_ *libc.TLS, l uintptr) int32 {
	w := world(l)
	w.guarded()
	return lua_gettop(w.tls, l)
}

// CallThrough calls it, and leaves errors to who called us.
func (s State) CallThrough(args, results int) {
	lua_callk(s.w.tls, s.l, int32(args), int32(results), 0, 0)
}

// LoadFile compiles a file.
func (s State) LoadFile(path string) Status {
	name := libc.Xstrdup(s.w.tls, s.w.text(path))
	defer libc.Xfree(s.w.tls, name)
	return Status(luaL_loadfilex(s.w.tls, s.l, name, 0))
}

// Load compiles a text, which messages know by name: "=name" or "@file".
func (s State) Load(text, name string) Status {
	p := libc.Xstrdup(s.w.tls, s.w.text(name))
	defer libc.Xfree(s.w.tls, p)
	return Status(luaL_loadbufferx(s.w.tls, s.l, s.w.text(text), size_t(len(text)), p, 0))
}

// Where is the place of the call so many levels up, "file:line: ".
func (s State) Where(level int) string {
	luaL_where(s.w.tls, s.l, int32(level))
	text := s.Str(-1)
	s.Pop(1)
	return text
}

// Errorf raises an error at the place of the call. It does not return.
func (s State) Errorf(format string, args ...any) int {
	s.PushString(s.Where(1) + fmt.Sprintf(format, args...))
	return s.Raise()
}

// Raise raises the value on the top of the stack as an error. It does not return.
func (s State) Raise() int { return int(lua_error(s.w.tls, s.l)) }

// Hook has f called after each n instructions of a thread, 0: no more.
func (s State) Hook(n int, f func(State)) {
	if n == 0 {
		lua_sethook(s.w.tls, s.l, 0, 0, 0)
		return
	}
	s.w.hook = f
	lua_sethook(s.w.tls, s.l, hookNamed, maskCount, int32(n))
}

const maskCount = 1 << 3

func hooked(_ *libc.TLS, l, _ uintptr) {
	w := world(l)
	w.hook(State{w, l})
}

// YieldHook leaves the coroutine from a hook.
func (s State) YieldHook() { lua_yieldk(s.w.tls, s.l, 0, 0, 0) }

// Frame is a function that is running.
type Frame struct {
	Source   string // short
	Line     int    // -1: none is known
	Name     string // "": none
	Kind     string // of the name: "global", "method" ...
	What     string // "Lua", "C", "main"
	Defined  int    // line
	TailCall bool
}

// Frames are the functions that are running, from the innermost on.
func (s State) Frames() (all []Frame) {
	tls := s.w.tls
	ar := libc.Xmalloc(tls, size_t(unsafe.Sizeof(lua_Debug{})))
	defer libc.Xfree(tls, ar)
	for level := int32(0); lua_getstack(tls, s.l, level, ar) != 0; level++ {
		lua_getinfo(tls, s.l, s.w.text("Slnt"), ar)
		d := (*lua_Debug)(unsafe.Pointer(ar))
		all = append(all, Frame{Source: libc.GoString(uintptr(unsafe.Pointer(&d.Fshort_src))), Line: int(d.Fcurrentline), Name: libc.GoString(d.Fname),
			Kind: libc.GoString(d.Fnamewhat), What: libc.GoString(d.Fwhat), Defined: int(d.Flinedefined), TailCall: d.Fistailcall != 0})
	}
	return all
}

// CheckInt is the integer argument i of the function that runs; there is an error where it is none.
func (s State) CheckInt(i int) int64 { return int64(luaL_checkinteger(s.w.tls, s.l, int32(i))) }

// CheckString is the string argument i, in the same way.
func (s State) CheckString(i int) string {
	luaL_checklstring(s.w.tls, s.l, int32(i), 0)
	return s.Str(i)
}

// ArgError raises an error about argument i. It does not return.
func (s State) ArgError(i int, text string) int {
	s.PushString(text)
	return int(luaL_argerror(s.w.tls, s.l, int32(i), lua_tolstring(s.w.tls, s.l, -1, 0)))
}

// String is the frame as messages list it.
func (f Frame) String() string {
	text := f.Source + ": "
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d: ", f.Source, f.Line)
	}
	switch {
	case f.Kind != "" && f.Name != "":
		text += "in " + f.Kind + " '" + f.Name + "'"
	case f.What == "main":
		text += "in main chunk"
	case f.What != "C":
		text += fmt.Sprintf("in function line %d", f.Defined)
	default:
		text += "?"
	}
	if f.TailCall {
		text += " ..."
	}
	return text
}
