package lua54

import (
	"math"
	"sync"
	"unsafe"

	"modernc.org/libc"
)

// Type is the type of a value.
type Type int32

const (
	TypeNone Type = iota - 1
	TypeNil
	TypeBool
	TypePointer
	TypeNumber
	TypeString
	TypeTable
	TypeFunction
	TypeObject
	TypeThread
)

// Status is how a call or a coroutine ended.
type Status int32

const (
	OK Status = iota
	Yielded
	RunError
	SyntaxError
	MemoryError
	HandlerError
	FileError
)

// Pseudo indices and numbers of Lua.
const (
	Registry   = -1000000 - 1000
	globals    = 2  // where the registry has the table of global variables
	MultRet    = -1 // all results
	NoRef      = -2 // no reference
	upvalueOne = Registry - 1
)

// World is one state of Lua with all of its coroutines. It has no lock of its own: one goroutine at a time may use it.
type World struct {
	tls     *libc.TLS
	main    uintptr
	most    int // bytes that it may have; 0: any number
	used    int
	scratch uintptr // memory that C can see, for texts
	room    int

	functions []Func
	conts     slots[Cont]
	objects   slots[any]
	hook      func(State)
	guarded   func()
	Owner     any // whose world it is
}

// State is one thread of a world: the main one, or a coroutine.
type State struct {
	w *World
	l uintptr
}

// Func is a function of Go: arguments are on the stack, results are the last so many values on it.
type Func func(s State) int

// Cont goes on where a Func yielded.
type Cont func(s State) int

// slots are things that Lua knows by number.
type slots[T any] struct {
	all  []T
	free []uintptr
}

func (s *slots[T]) put(v T) uintptr {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		s.all[i] = v
		return i
	}
	s.all = append(s.all, v)
	return uintptr(len(s.all) - 1)
}

func (s *slots[T]) take(i uintptr) (v T) {
	var none T
	v, s.all[i] = s.all[i], none
	s.free = append(s.free, i)
	return v
}

// alive keeps all worlds: Lua knows them by their addresses, which the garbage collector does not see.
var alive = struct {
	sync.Mutex
	worlds map[*World]bool
}{worlds: map[*World]bool{}}

// New makes a world that may have so many bytes, 0 for any number; nil when that is too few.
func New(most int) *World {
	w := &World{tls: libc.NewTLS(), most: most}
	alive.Lock()
	if hapax_try == 0 {
		hapax_throw, hapax_try = throwNamed, tryNamed
	}
	alive.worlds[w] = true
	alive.Unlock()
	w.main = lua_newstate(w.tls, allocNamed, uintptr(unsafe.Pointer(w)))
	if w.main == 0 {
		return nil
	}
	*(**World)(unsafe.Pointer(w.main - unsafe.Sizeof(w.main))) = w // what coroutines inherit
	s := w.Main()
	w.functions = append(w.functions, collect)
	s.NewTable()
	s.PushFunc(0)
	s.SetField(-2, "__gc")
	s.SetField(Registry, collected)
	return w
}

// collected is the name of the metatable of objects, collect what it has called when one is gone.
const collected = "hapax.object"

func collect(s State) int {
	if p := lua_touserdata(s.w.tls, s.l, 1); p != 0 {
		s.w.objects.take(*(*uintptr)(unsafe.Pointer(p)))
	}
	return 0
}

// Close ends the world.
func (w *World) Close() {
	lua_close(w.tls, w.main)
	libc.Xfree(w.tls, w.scratch)
	w.tls.Close()
	alive.Lock()
	delete(alive.worlds, w)
	alive.Unlock()
}

// Main is the main thread.
func (w *World) Main() State { return State{w, w.main} }

// Used is how many bytes are allocated.
func (w *World) Used() int { return w.used }

// Limit sets how many bytes may be, 0 for any number.
func (w *World) Limit(most int) { w.most = most }

// Collect makes a full garbage collection.
func (w *World) Collect() { lua_gc(w.tls, w.main, 2, 0) }

// allocate is Lua's allocator.
func allocate(tls *libc.TLS, of, p uintptr, had, wanted size_t) uintptr {
	w := (*World)(unsafe.Pointer(of))
	if p == 0 {
		had = 0 // it tells the kind of the object
	}
	if wanted == 0 {
		libc.Xfree(tls, p)
		w.used -= int(had)
		return 0
	}
	grows := int(wanted) - int(had)
	if w.most > 0 && grows > 0 && w.used+grows > w.most {
		return 0
	}
	q := libc.Xrealloc(tls, p, wanted)
	if q != 0 {
		w.used += grows
	}
	return q
}

// world is the one that a state of C belongs to.
func world(l uintptr) *World {
	return *(**World)(unsafe.Pointer(l - unsafe.Sizeof(l)))
}

// text copies s to where C can see it, with a zero behind it: until the next text.
func (w *World) text(s string) uintptr {
	if len(s) >= w.room {
		libc.Xfree(w.tls, w.scratch)
		w.room = max(2*len(s), 256)
		w.scratch = libc.Xmalloc(w.tls, size_t(w.room))
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(w.scratch)), w.room)
	b[copy(b, s)] = 0
	return w.scratch
}

// World is whose thread it is.
func (s State) World() *World { return s.w }

// Is tells whether it is the same thread.
func (s State) Is(t State) bool { return s.l == t.l }

// Valid tells whether it is a thread at all.
func (s State) Valid() bool { return s.w != nil }

func (s State) Top() int               { return int(lua_gettop(s.w.tls, s.l)) }
func (s State) SetTop(i int)           { lua_settop(s.w.tls, s.l, int32(i)) }
func (s State) Pop(n int)              { lua_settop(s.w.tls, s.l, int32(-n-1)) }
func (s State) Abs(i int) int          { return int(lua_absindex(s.w.tls, s.l, int32(i))) }
func (s State) Copy(i int)             { lua_pushvalue(s.w.tls, s.l, int32(i)) }
func (s State) Insert(i int)           { lua_rotate(s.w.tls, s.l, int32(i), 1) }
func (s State) Remove(i int)           { lua_rotate(s.w.tls, s.l, int32(i), -1); s.Pop(1) }
func (s State) Replace(i int)          { lua_copy(s.w.tls, s.l, -1, int32(i)); s.Pop(1) }
func (s State) Room(n int) bool        { return lua_checkstack(s.w.tls, s.l, int32(n)) != 0 }
func (s State) Move(to State, n int)   { lua_xmove(s.w.tls, s.l, to.l, int32(n)) }
func (s State) Type(i int) Type        { return Type(lua_type(s.w.tls, s.l, int32(i))) }
func (s State) IsInt(i int) bool       { return lua_isinteger(s.w.tls, s.l, int32(i)) != 0 }
func (s State) Bool(i int) bool        { return lua_toboolean(s.w.tls, s.l, int32(i)) != 0 }
func (s State) RawLen(i int) int       { return int(lua_rawlen(s.w.tls, s.l, int32(i))) }
func (s State) RawEqual(i, j int) bool { return lua_rawequal(s.w.tls, s.l, int32(i), int32(j)) != 0 }

// String is the name of a type, as messages have it.
func (t Type) String() string {
	return [...]string{"no value", "nil", "boolean", "userdata", "number", "string", "table", "function", "userdata", "thread"}[t+1]
}

// Int is the integer at i, or what converts to one.
func (s State) Int(i int) (n int64, ok bool) {
	p := s.w.text("0123")
	n = int64(lua_tointegerx(s.w.tls, s.l, int32(i), p))
	return n, *(*int32)(unsafe.Pointer(p)) != 0
}

// Number is the number at i, or what converts to one.
func (s State) Number(i int) (n float64, ok bool) {
	p := s.w.text("0123")
	n = float64(lua_tonumberx(s.w.tls, s.l, int32(i), p))
	return n, *(*int32)(unsafe.Pointer(p)) != 0
}

// Bytes are those of the string at i, as long as it stands there; a number becomes a string. nil: it is neither.
func (s State) Bytes(i int) []byte {
	n := s.w.text("01234567")
	p := lua_tolstring(s.w.tls, s.l, int32(i), n)
	if p == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), *(*size_t)(unsafe.Pointer(n)))
}

// Str is the string at i, "" when it is none.
func (s State) Str(i int) string { return string(s.Bytes(i)) }

// Display is what tostring() makes of the value at i.
func (s State) Display(i int) string {
	luaL_tolstring(s.w.tls, s.l, int32(i), 0)
	text := s.Str(-1)
	s.Pop(1)
	return text
}

// Thread is the coroutine at i.
func (s State) Thread(i int) State { return State{s.w, lua_tothread(s.w.tls, s.l, int32(i))} }

func (s State) PushNil()             { lua_pushnil(s.w.tls, s.l) }
func (s State) PushInt(n int64)      { lua_pushinteger(s.w.tls, s.l, lua_Integer(n)) }
func (s State) PushNumber(n float64) { lua_pushnumber(s.w.tls, s.l, lua_Number(n)) }
func (s State) PushString(text string) {
	lua_pushlstring(s.w.tls, s.l, s.w.text(text), size_t(len(text)))
}
func (s State) PushBytes(b []byte) {
	lua_pushlstring(s.w.tls, s.l, s.w.text(unsafe.String(unsafe.SliceData(b), len(b))), size_t(len(b)))
}

func (s State) PushBool(b bool) {
	n := int32(0)
	if b {
		n = 1
	}
	lua_pushboolean(s.w.tls, s.l, n)
}

// PushFloat pushes a number that has a fraction as such, others as integers.
func (s State) PushFloat(n float64) {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		s.PushInt(int64(n))
		return
	}
	s.PushNumber(n)
}

// NewThread pushes a new coroutine.
func (s State) NewThread() State { return State{s.w, lua_newthread(s.w.tls, s.l)} }

// CloseThread ends a coroutine for good.
func (s State) CloseThread() { lua_closethread(s.w.tls, s.l, 0) }

// PushObject pushes v as a value that Lua can only hand on.
func (s State) PushObject(v any) {
	p := lua_newuserdatauv(s.w.tls, s.l, 8, 0)
	*(*uintptr)(unsafe.Pointer(p)) = s.w.objects.put(v)
	s.Field(Registry, collected)
	s.SetMetatable(-2)
}

// Object is what PushObject was given; nil where there is none.
func (s State) Object(i int) any {
	if s.Type(i) != TypeObject {
		return nil
	}
	if !s.Metatable(i) {
		return nil
	}
	s.Field(Registry, collected)
	own := s.RawEqual(-1, -2)
	s.Pop(2)
	if !own {
		return nil
	}
	return s.w.objects.all[*(*uintptr)(unsafe.Pointer(lua_touserdata(s.w.tls, s.l, int32(i))))]
}

func (s State) NewTable()         { lua_createtable(s.w.tls, s.l, 0, 0) }
func (s State) Globals()          { s.RawGetInt(Registry, globals) }
func (s State) RawGet(i int) Type { return Type(lua_rawget(s.w.tls, s.l, int32(i))) }
func (s State) RawSet(i int)      { lua_rawset(s.w.tls, s.l, int32(i)) }
func (s State) Get(i int) Type    { return Type(lua_gettable(s.w.tls, s.l, int32(i))) }
func (s State) RawGetInt(i, n int) Type {
	return Type(lua_rawgeti(s.w.tls, s.l, int32(i), lua_Integer(n)))
}
func (s State) RawSetInt(i, n int)   { lua_rawseti(s.w.tls, s.l, int32(i), lua_Integer(n)) }
func (s State) Next(i int) bool      { return lua_next(s.w.tls, s.l, int32(i)) != 0 }
func (s State) SetMetatable(i int)   { lua_setmetatable(s.w.tls, s.l, int32(i)) }
func (s State) Metatable(i int) bool { return lua_getmetatable(s.w.tls, s.l, int32(i)) != 0 }

// Field pushes t[name] of the table at i.
func (s State) Field(i int, name string) Type {
	return Type(lua_getfield(s.w.tls, s.l, int32(i), s.w.text(name)))
}

// SetField pops a value into t[name] of the table at i.
func (s State) SetField(i int, name string) {
	i = s.Abs(i)
	s.PushString(name)
	s.Insert(-2)
	lua_rawset(s.w.tls, s.l, int32(i))
}

// Global pushes a global variable; SetGlobal pops one.
func (s State) Global(name string) Type { return Type(lua_getglobal(s.w.tls, s.l, s.w.text(name))) }
func (s State) SetGlobal(name string)   { lua_setglobal(s.w.tls, s.l, s.w.text(name)) }

// Ref pops a value and gives it a number, by which PushRef finds it until Unref.
func (s State) Ref() int        { return int(luaL_ref(s.w.tls, s.l, Registry)) }
func (s State) Unref(ref int)   { luaL_unref(s.w.tls, s.l, Registry, int32(ref)) }
func (s State) PushRef(ref int) { s.RawGetInt(Registry, ref) }
