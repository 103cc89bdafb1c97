package frame

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

// short is the first number that does not fit into one byte.
const short = 0xf0

// AppendNumber writes a number: 4 bits beside 1111, then 7 bits a byte, the lowest first.
func AppendNumber(b []byte, n uint64) []byte {
	if n < short {
		return append(b, byte(n))
	}
	b = append(b, byte(n)|short)
	for n = (n - short) >> 4; n >= 0x80; n = (n - 0x80) >> 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// AppendText writes bytes behind their number.
func AppendText[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(AppendNumber(b, uint64(len(text))), text...)
}

// ReadNumber reads what AppendNumber writes.
func ReadNumber(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	n = uint64(b[0])
	if b = b[1:]; n < short {
		return n, b, true
	}
	for shift := 4; ; shift += 7 {
		if len(b) == 0 || shift > 63 {
			return 0, nil, false
		}
		c := b[0]
		b = b[1:]
		if n += uint64(c) << shift; c < 0x80 {
			return n, b, true
		}
	}
}

// ReadText reads what AppendText writes.
func ReadText(b []byte) (text, rest []byte, ok bool) {
	n, b, ok := ReadNumber(b)
	if !ok || n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

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
		v.Number, rest, ok = ReadNumber(b)
		return v, rest, ok
	case Text, Binary:
		v.Bytes, rest, ok = ReadText(b)
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
