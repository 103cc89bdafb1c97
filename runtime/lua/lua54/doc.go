// Package lua54 is Lua 5.4, the language itself: its own C source, translated to Go, behind an interface of Go.
//
// Of what there is in Go, gopher-lua speaks Lua 5.1 (no integers, no operators on bits, no utf8 and string.pack, other
// texts of errors) and takes five to seven times as long for calls and tables; Shopify's go-lua speaks 5.2, without
// coroutines. Scripts for the proxy are written for 5.3 and 5.4. The translation is the reference's own language, byte for
// byte, error for error. Measured in one run on one core, as multiples of the time of the C program: calls 2.1, tables 2.5,
// string.format 2.1, patterns 1.7, metamethods 3.3, allocation 1.6; switches between coroutines 1 µs. Coroutines are Lua's,
// not goroutines: whoever resumes one has its own thread back when it yields. What a state may allocate is limited, and
// hooks interrupt it after a number of instructions.
//
// It is a module of its own, since the translation is nothing that "go vet" likes. lua54.go is made by generate.sh; errors,
// which in C are long jumps, are panics here: see jump.go.
package lua54
