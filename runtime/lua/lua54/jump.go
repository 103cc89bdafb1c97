package lua54

import (
	"unsafe"

	"modernc.org/libc"
)

// jump is the panic that stands for a long jump of C to the place c.
type jump struct{ c uintptr }

// throw is what Lua calls to raise an error.
func throw(_ *libc.TLS, _, c uintptr) { panic(jump{c}) }

// try is what Lua calls to run f where an error may be raised. Any other panic is none of Lua's.
func try(tls *libc.TLS, l, c, f, ud uintptr) {
	defer landing(c)
	(*(*func(*libc.TLS, uintptr, uintptr))(unsafe.Pointer(&struct{ uintptr }{f})))(tls, l, ud)
}

// landing ends a jump that is meant for c.
func landing(c uintptr) {
	switch r := recover().(type) {
	case nil:
	case jump:
		if r.c != c {
			panic(r)
		}
	default:
		panic(r)
	}
}

// pointer is how the translation names a function of Go.
func pointer[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }

// Functions that Lua calls, and how it names them.
var (
	throwFunc  = throw
	tryFunc    = try
	allocFunc  = allocate
	callFunc   = call
	goOnFunc   = goOn
	hookFunc   = hooked
	guardFunc  = guard
	throwNamed = pointer(&throwFunc)
	tryNamed   = pointer(&tryFunc)
	allocNamed = pointer(&allocFunc)
	callNamed  = pointer(&callFunc)
	goOnNamed  = pointer(&goOnFunc)
	hookNamed  = pointer(&hookFunc)
	guardNamed = pointer(&guardFunc)
)
