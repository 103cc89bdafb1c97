// Package sample holds the language of samples: typed values, the table of casts between their types,
// where each source of data may be used, expressions (a fetch followed by converters) and variables
// (configuration manual, section 7).
//
// It knows no fetch and no converter: rows are declared by the packages that implement them and reach
// the Compiler through its tables.
package sample

import (
	"net/netip"
	"unsafe"

	"hapax/runtime/message"
)

// Type is the type of a value, or what a fetch or converter takes or gives.
type Type uint8

const (
	Any  Type = iota // any type, as the input of a converter; no type yet, for a variable
	Same             // the output of a converter that keeps the type of its input
	Bool
	Int  // signed, 64 bits
	Addr // IPv4 or IPv6: never the type of a value
	IPv4
	IPv6
	Str
	Bin
	Meth // an HTTP method
	types
)

var typeNames = [types]string{"any", "same", "bool", "sint", "addr", "ipv4", "ipv6", "str", "bin", "meth"}

// String is the name of the type as -dK prints it.
func (t Type) String() string { return typeNames[t] }

// Flags tell how long a value stands and who owns its bytes.
type Flags uint8

const (
	// NotLast: the fetch has further occurrences (see Iter).
	NotLast Flags = 1 << iota
	// MayChange: what was found, or not found, may still change when more data arrives. A fetch that
	// gives no value sets it to ask for a wait.
	MayChange
	// Const: Bytes belong to somebody else (the message, the configuration): who wants to change them
	// copies them to the scratch buffer first, see Value.Own.
	Const
)

// Value is a sample. It is passed by pointer and reused: evaluation allocates nothing.
//
// Bytes stay valid until the scratch buffer of the context is reset or the message they point into is
// rewritten; what has to live longer is copied (variables do so).
type Value struct {
	Type  Type
	Flags Flags
	Int   int64      // Bool (0 or 1), Int, Meth (a message.Method)
	Bytes []byte     // Str, Bin, and the text of Meth
	IP    netip.Addr // IPv4 (Is4) and IPv6 (Is6, mapped addresses are not unmapped)
}

// SetBool makes v a boolean. Like all setters it leaves MayChange and NotLast alone.
func (v *Value) SetBool(b bool) {
	v.Type, v.Int = Bool, 0
	if b {
		v.Int = 1
	}
	v.Flags &^= Const
}

// SetInt makes v an integer.
func (v *Value) SetInt(n int64) {
	v.Type, v.Int = Int, n
	v.Flags &^= Const
}

// SetStr makes v a string whose bytes v may change: they lie in the scratch buffer.
func (v *Value) SetStr(b []byte) {
	v.Type, v.Bytes = Str, b
	v.Flags &^= Const
}

// SetConst makes v a string of bytes that must not be changed.
func (v *Value) SetConst(b []byte) {
	v.Type, v.Bytes = Str, b
	v.Flags |= Const
}

// SetText makes v a string of a text, without a copy.
func (v *Value) SetText(s string) { v.SetConst(unsafe.Slice(unsafe.StringData(s), len(s))) }

// SetBin makes v a binary block whose bytes v may change: they lie in the scratch buffer.
func (v *Value) SetBin(b []byte) {
	v.Type, v.Bytes = Bin, b
	v.Flags &^= Const
}

// SetConstBin makes v a binary block of bytes that must not be changed.
func (v *Value) SetConstBin(b []byte) {
	v.Type, v.Bytes = Bin, b
	v.Flags |= Const
}

// SetAddr makes v an IPv4 or IPv6 address. It reports false for an address without a family.
func (v *Value) SetAddr(a netip.Addr) bool {
	switch {
	case a.Is4():
		v.Type = IPv4
	case a.Is6():
		v.Type = IPv6
		a = a.WithZone("")
	default:
		return false
	}
	v.IP = a
	v.Flags &^= Const
	return true
}

// SetMethod makes v the method whose text is b.
func (v *Value) SetMethod(b []byte) {
	v.Type, v.Bytes, v.Int = Meth, b, int64(message.MethodOf(b))
	v.Flags |= Const
}

// Own makes the bytes of v changeable, by a copy into the scratch buffer when they belong to somebody
// else. It reports false when they do not fit.
func (v *Value) Own(ctx *Context) bool {
	if v.Flags&Const == 0 {
		return true
	}
	b := ctx.Scratch.Alloc(len(v.Bytes))
	if b == nil {
		return false
	}
	copy(b, v.Bytes)
	v.Bytes = b
	v.Flags &^= Const
	return true
}
