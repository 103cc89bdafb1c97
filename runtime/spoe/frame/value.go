package frame

import "hapax/runtime/varint"

// Types of values; the upper half of the byte are flags, as the value of a boolean.
const (
	Null = iota
	Bool
	Int32
	Uint32
	Int64
	Uint64
	IPv4
	IPv6
	Text
	Binary

	typeBits = 0x0f
	True     = 0x10 // with Bool
)

// Value is a typed value as it was received. Its bytes are those of the frame.
type Value struct {
	Kind   byte // its type without flags
	Flags  byte
	Number uint64
	Bytes  []byte // of addresses, texts and binary blocks
}

// IsNumber tells whether the value is of one of the four types of integers.
func (v *Value) IsNumber() bool { return v.Kind >= Int32 && v.Kind <= Uint64 }

// ReadValue reads a typed value. One of a type that is not known has nothing but that.
func ReadValue(b []byte) (v Value, rest []byte, ok bool) {
	if len(b) == 0 {
		return v, nil, false
	}
	v.Kind, v.Flags = b[0]&typeBits, b[0]&^typeBits
	b = b[1:]
	fixed := 0
	switch v.Kind {
	case Int32, Uint32, Int64, Uint64:
		v.Number, rest, ok = varint.Read(b)
		return v, rest, ok
	case Text, Binary:
		v.Bytes, rest, ok = varint.ReadText(b)
		return v, rest, ok
	case IPv4:
		fixed = 4
	case IPv6:
		fixed = 16
	}
	if len(b) < fixed {
		return v, nil, false
	}
	v.Bytes = b[:fixed]
	return v, b[fixed:], true
}
