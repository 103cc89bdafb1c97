package convert

import (
	"encoding/binary"
	"fmt"
	"math"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var protobufRows = []sample.Converter{
	{Doc: doc("protobuf", "a field of a protocol buffers message by the path of its numbers", protobufArgs,
		"bin(0a020801),protobuf(1.1,int32)", "1", "bin(12036d7367),protobuf(2)", "msg"),
		Check: checkProtobuf, In: sample.Bin, Out: sample.Bin, Eval: protobuf},
	{Doc: doc("ungrpc", "a field of the protocol buffers message in a gRPC message", protobufArgs,
		"bin(000000000512036d7367),ungrpc(2)", "msg"),
		Check: checkProtobuf, In: sample.Bin, Out: sample.Bin, Eval: ungrpc},
}

var protobufArgs = args(keyword.Arg{Name: "field", Type: keyword.Field},
	opt(keyword.Arg{Name: "type", Type: keyword.Str, Doc: "int32, uint32, sint32, int64, uint64, sint64, bool, enum, " +
		"fixed32, sfixed32, float, fixed64, sfixed64 or double; a block of bytes without it"}))

// Wire types of protocol buffers.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// protobufType is how a value on the wire is turned into a sample.
type protobufType struct {
	wire   byte
	zigzag bool
	float  bool
	signed bool
}

var protobufTypes = map[string]protobufType{
	"int32": {wire: wireVarint}, "uint32": {wire: wireVarint}, "int64": {wire: wireVarint}, "uint64": {wire: wireVarint},
	"bool": {wire: wireVarint}, "enum": {wire: wireVarint},
	"sint32": {wire: wireVarint, zigzag: true}, "sint64": {wire: wireVarint, zigzag: true},
	"fixed32": {wire: wire32}, "sfixed32": {wire: wire32, signed: true}, "float": {wire: wire32, float: true},
	"fixed64": {wire: wire64}, "sfixed64": {wire: wire64}, "double": {wire: wire64, float: true},
}

// checkProtobuf leaves a protobufType in Data of the type, nothing for a block of bytes.
func checkProtobuf(_ *sample.Compiler, a []sample.Arg) error {
	if !a[1].Present {
		return nil
	}
	t, ok := protobufTypes[a[1].Str]
	if !ok {
		return fmt.Errorf("Wrong protocol buffer type '%s'", a[1].Str)
	}
	a[1].Data = t
	return nil
}

func protobuf(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	return findField(a, v.Bytes, v)
}

// ungrpc looks into each message of a gRPC stream: a flag and a length of four bytes lead it.
func ungrpc(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	const header = 5
	for b := v.Bytes; len(b) > header; {
		n := uint64(binary.BigEndian.Uint32(b[1:]))
		b = b[header:]
		if uint64(len(b)) < n {
			return false
		}
		if findField(a, b[:n], v) {
			return true
		}
		b = b[n:]
	}
	return false
}

// findField follows the path of field numbers. Fields of a message that is not on the path are skipped;
// when the message that a step led into ends, the path starts anew.
func findField(a []sample.Arg, b []byte, v *sample.Value) bool {
	path := a[0].Path
	step := 0
	inner := 0 // bytes left in the message that the last step led into
	for step < len(path) {
		if len(b) == 0 {
			return false
		}
		left := len(b)
		key, n := varint(b)
		if n == 0 {
			return false
		}
		b = b[n:]
		found := key>>3 == uint64(path[step])
		wire := byte(key & 7)
		size := 0
		switch wire {
		case wireVarint:
			if _, size = varint(b); size == 0 && len(b) > 0 {
				return false
			}
		case wire32:
			size = 4
		case wire64:
			size = 8
		case wireBytes:
			length, n := varint(b)
			if n == 0 || length > uint64(len(b)-n) {
				return false
			}
			b = b[n:]
			left = len(b)
			size, inner = int(length), int(length)
		default:
			return false
		}
		if size > len(b) {
			return false
		}
		if found && step == len(path)-1 {
			return setField(a[1].Data, wire, b[:size], v)
		}
		if !found {
			b = b[size:]
		}
		if inner > 0 {
			inner -= left - len(b)
		}
		if found {
			step++
		} else if inner <= 0 {
			step = 0
		}
	}
	return false
}

// varint reads a base-128 number of up to ten bytes; n is 0 when it has no end.
func varint(b []byte) (value uint64, n int) {
	for n < len(b) && n < 10 {
		c := b[n]
		value |= uint64(c&0x7f) << (7 * n)
		n++
		if c < 0x80 {
			return value, n
		}
	}
	return 0, 0
}

func setField(typ any, wire byte, b []byte, v *sample.Value) bool {
	t, typed := typ.(protobufType)
	if !typed {
		v.Type, v.Bytes = sample.Bin, b
		return true
	}
	if t.wire != wire {
		return false
	}
	var n int64
	switch wire {
	case wireVarint:
		u, _ := varint(b)
		n = int64(u)
		if t.zigzag {
			n = int64(u>>1) ^ -int64(u&1)
		}
	case wire32:
		u := binary.LittleEndian.Uint32(b)
		switch {
		case t.float:
			n = int64(uint32(int64(math.Float32frombits(u))))
		case t.signed:
			n = int64(int32(u))
		default:
			n = int64(u)
		}
	case wire64:
		u := binary.LittleEndian.Uint64(b)
		n = int64(u)
		if t.float {
			n = int64(math.Float64frombits(u))
		}
	default:
		return false
	}
	v.SetInt(n)
	return true
}
