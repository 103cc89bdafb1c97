package convert

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var mqttRows = []sample.Converter{
	{Doc: doc("mqtt_is_valid", "whether the block starts with a valid MQTT CONNECT or CONNACK packet", nil,
		"bin(20020000),mqtt_is_valid", "1", "bin(20020200),mqtt_is_valid", "0"),
		In: sample.Bin, Out: sample.Bool, Eval: mqttIsValid},
	{Doc: doc("mqtt_field_value", "a field of an MQTT CONNECT or CONNACK packet",
		args(keyword.Arg{Name: "packet", Type: keyword.Str, Doc: "type by name or number"},
			keyword.Arg{Name: "field", Type: keyword.Str, Doc: "name, or number of a property"}),
		"bin(101000044d5154540402003c00046e616d65),mqtt_field_value(connect,client_identifier)", "name",
		"bin(101000044d5154540402003c00046e616d65),mqtt_field_value(connect,keepalive)", "60"),
		Check: checkMQTT, In: sample.Bin, Out: sample.Str, Eval: mqttFieldValue},
}

// mqttPackets are the types of packets by number (MQTT 5.0, section 2.1.2).
var mqttPackets = [16]string{1: "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE",
	"SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"}

const (
	mqttConnect = 1
	mqttConnack = 2
	mqttPublish = 3
)

// mqttFields are the fields by type of packet; those of a property are called by its number. Only the
// first two types are ever found: a packet of another type is not valid here.
var mqttFields = [16]string{
	mqttConnect: "flags protocol_name protocol_version client_identifier will_topic will_payload username password keepalive " +
		"1 2 3 8 9 17 21 22 23 24 25 33 34 38 39",
	mqttConnack: "flags protocol_version reason_code 17 18 19 21 22 26 28 31 33 34 36 37 38 39 40 41 42",
	mqttPublish: "1 2 3 8 9 11 35 38",
	4:           "reason_code 31 38", 5: "reason_code 31 38", 6: "reason_code 31 38", 7: "reason_code 31 38",
	8: "11 38", 9: "31 38", 10: "38", 11: "31 38",
	14: "reason_code 17 28 31 38", 15: "21 22 31 38",
}

// checkMQTT leaves the type's number in Int of the first argument.
func checkMQTT(_ *sample.Compiler, a []sample.Arg) error {
	n := rawNumber([]byte(a[0].Str))
	if n < 1 || n > 15 {
		n = 0
		for i, name := range mqttPackets {
			if name != "" && strings.EqualFold(name, a[0].Str) {
				n = uint32(i)
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("Unknown MQTT type '%s'", a[0].Str)
	}
	for _, name := range strings.Fields(mqttFields[n]) {
		if strings.EqualFold(name, a[1].Str) {
			a[0].Int, a[1].Str = int64(n), name
			return nil
		}
	}
	return fmt.Errorf("Unknown MQTT field name '%s' for packet type '%s'", a[1].Str, a[0].Str)
}

// mqttKind is how a property is encoded.
type mqttKind uint8

const (
	mqttByte mqttKind = iota + 1
	mqttShort
	mqttLong
	mqttText
	mqttPair // two texts; may be repeated
)

// mqttProperty says how a property is encoded and what it must not be.
type mqttProperty struct {
	kind    mqttKind
	onOff   bool // 0 or 1 only
	nonzero bool // not 0, not empty
}

// Properties by number, for each place where they may stand (MQTT 5.0, section 2.2.2.2).
var (
	mqttConnectProps = map[byte]mqttProperty{17: {kind: mqttLong}, 33: {kind: mqttShort, nonzero: true}, 39: {kind: mqttLong, nonzero: true},
		34: {kind: mqttShort}, 25: {kind: mqttByte, onOff: true}, 23: {kind: mqttByte, onOff: true}, 38: {kind: mqttPair},
		21: {kind: mqttText}, 22: {kind: mqttText}}
	mqttWillProps = map[byte]mqttProperty{24: {kind: mqttLong}, 1: {kind: mqttByte, onOff: true}, 2: {kind: mqttLong},
		3: {kind: mqttText}, 8: {kind: mqttText}, 9: {kind: mqttText}, 38: {kind: mqttPair}}
	mqttConnackProps = map[byte]mqttProperty{17: {kind: mqttLong}, 33: {kind: mqttShort, nonzero: true}, 36: {kind: mqttByte, onOff: true},
		37: {kind: mqttByte, onOff: true}, 39: {kind: mqttLong, nonzero: true}, 18: {kind: mqttText, nonzero: true}, 34: {kind: mqttShort},
		31: {kind: mqttText}, 40: {kind: mqttByte, onOff: true}, 41: {kind: mqttByte, onOff: true}, 42: {kind: mqttByte, onOff: true},
		19: {kind: mqttShort}, 26: {kind: mqttText}, 28: {kind: mqttText}, 38: {kind: mqttPair}, 21: {kind: mqttText}, 22: {kind: mqttText}}
)

// mqttReader takes a packet apart; bad says that something was missing or wrong.
type mqttReader struct {
	b   []byte
	bad bool
}

func (r *mqttReader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return make([]byte, min(n, 4))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *mqttReader) byte() uint32  { return uint32(r.take(1)[0]) }
func (r *mqttReader) short() uint32 { return uint32(binary.BigEndian.Uint16(r.take(2))) }
func (r *mqttReader) long() uint32  { return binary.BigEndian.Uint32(r.take(4)) }

func (r *mqttReader) text() []byte {
	n := int(r.short())
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	return r.take(n)
}

// varint reads a number of up to four bytes. One that the data ends in the middle of counts as read.
func (r *mqttReader) varint() uint32 {
	n := uint32(0)
	for shift := 0; len(r.b) > 0; shift += 7 {
		if shift == 4*7 {
			r.bad = true
			break
		}
		c := r.byte()
		n += c & 0x7f << shift
		if c < 0x80 {
			break
		}
	}
	return n
}

// mqttFound is the field that is looked for, and what was found.
type mqttFound struct {
	name    string
	value   []byte
	number  uint32
	numeric bool
	ok      bool
}

func (f *mqttFound) num(name string, n uint32) {
	if name == f.name {
		f.number, f.numeric, f.ok = n, true, true
	}
}

func (f *mqttFound) text(name string, b []byte) {
	if name == f.name {
		f.value, f.ok = b, len(b) > 0
	}
}

// properties reads the properties of MQTT 5. Numbers that are absent count as 0. It gives the lengths
// of the authentication method and data.
func (r *mqttReader) properties(known map[byte]mqttProperty, f *mqttFound) (method, data int) {
	size := r.varint()
	if r.bad || uint64(size) > uint64(len(r.b)) {
		r.bad = true
		return 0, 0
	}
	for id, p := range known {
		if p.kind == mqttByte || p.kind == mqttShort || p.kind == mqttLong {
			f.num(strconv.Itoa(int(id)), 0)
		}
	}
	p := mqttReader{b: r.take(int(size))}
	seen := uint64(0)
	for len(p.b) > 0 && !p.bad {
		id := byte(p.byte())
		prop, ok := known[id]
		if !ok || seen&(1<<id) != 0 {
			r.bad = true
			return 0, 0
		}
		name := strconv.Itoa(int(id))
		var n uint32
		switch prop.kind {
		case mqttPair:
			p.text()
			p.text()
			continue
		case mqttText:
			b := p.text()
			f.text(name, b)
			n = uint32(len(b))
			switch id {
			case 21:
				method = len(b)
			case 22:
				data = len(b)
			}
		case mqttByte:
			n = p.byte()
			f.num(name, n)
		case mqttShort:
			n = p.short()
			f.num(name, n)
		case mqttLong:
			n = p.long()
			f.num(name, n)
		}
		if prop.onOff && n > 1 || prop.nonzero && n == 0 {
			r.bad = true
		}
		seen |= 1 << id
	}
	r.bad = r.bad || p.bad
	return method, data
}

// parseMQTT checks the packet at the start of b and looks for a field of it. typ is its type.
func parseMQTT(b []byte, f *mqttFound) (typ byte, v verdict) {
	if len(b) < 2 {
		return 0, partial
	}
	typ = b[0] >> 4
	flags := byte(0)
	switch typ {
	case 6, 8, 10:
		flags = 2
	}
	if typ == 0 || typ != mqttPublish && b[0]&15 != flags {
		return typ, invalid
	}
	r := mqttReader{b: b[1:]}
	size := r.varint()
	if r.bad {
		return typ, invalid
	}
	if uint64(len(r.b)) < uint64(size) {
		return typ, partial
	}
	whole := len(r.b)
	switch typ {
	case mqttConnect:
		r.connect(f)
	case mqttConnack:
		r.connack(f)
	default:
		return typ, invalid
	}
	if r.bad || whole-len(r.b) != int(size) {
		return typ, invalid
	}
	return typ, valid
}

// Flags of a CONNECT packet.
const (
	mqttReserved   = 0x01
	mqttWill       = 0x04
	mqttWillQoS    = 0x18
	mqttWillRetain = 0x20
	mqttPassword   = 0x40
	mqttUsername   = 0x80
)

const mqtt5 = 5

func (r *mqttReader) connect(f *mqttFound) {
	name := r.text()
	if !strings.EqualFold(string(name), "MQTT") && !strings.EqualFold(string(name), "MQIsdp") {
		r.bad = true
		return
	}
	f.text("protocol_name", name)
	version := r.byte()
	flags := r.byte()
	if version < 3 || version > mqtt5 || flags&mqttReserved != 0 || flags&(mqttWill|mqttWillQoS|mqttWillRetain) == mqttWillQoS {
		r.bad = true
		return
	}
	f.num("protocol_version", version)
	f.num("flags", flags)
	f.num("keepalive", r.short())
	if version == mqtt5 {
		if method, data := r.properties(mqttConnectProps, f); method == 0 && data > 0 {
			r.bad = true
		}
	}
	f.text("client_identifier", r.text())
	if flags&mqttWill != 0 {
		if version == mqtt5 {
			r.properties(mqttWillProps, f)
		}
		f.text("will_topic", r.text())
		f.text("will_payload", r.text())
	}
	if flags&mqttUsername != 0 {
		f.text("username", r.text())
	}
	if flags&mqttPassword != 0 {
		f.text("password", r.text())
	}
}

// connack takes a packet of two bytes for one of MQTT 3.
func (r *mqttReader) connack(f *mqttFound) {
	version := uint32(4)
	if len(r.b) > 2 {
		version = mqtt5
	}
	flags := r.byte()
	if flags > 1 {
		r.bad = true
	}
	f.num("protocol_version", version)
	f.num("flags", flags)
	f.num("reason_code", r.byte())
	if version == mqtt5 {
		r.properties(mqttConnackProps, f)
	}
}

func mqttIsValid(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	v.Flags &^= sample.MayChange
	_, found := parseMQTT(v.Bytes, &mqttFound{})
	if found == partial {
		v.Flags |= sample.MayChange
		return false
	}
	v.SetBool(found == valid)
	return true
}

func mqttFieldValue(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	v.Flags &^= sample.MayChange
	f := mqttFound{name: a[1].Str}
	typ, state := parseMQTT(v.Bytes, &f)
	if state == partial {
		v.Flags |= sample.MayChange
	}
	if state != valid || int64(typ) != a[0].Int || !f.ok {
		return false
	}
	if f.numeric {
		v.Bytes = ctx.Scratch.Take(strconv.AppendUint(ctx.Scratch.Room(), uint64(f.number), 10))
		v.Flags &^= sample.Const
		return true
	}
	v.Bytes = f.value
	return true
}
