package convert

import (
	"bytes"
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var fixRows = []sample.Converter{
	{Doc: doc("fix_is_valid", "whether the block starts with a valid FIX message", nil, "bin(383d6e6f01393d310133353d310131303d303030010000000000),fix_is_valid", "0"),
		In: sample.Bin, Out: sample.Bool, Eval: fixIsValid},
	{Doc: doc("fix_tag_value", "the value of a tag of a FIX message", args(keyword.Arg{Name: "tag", Type: keyword.Str, Doc: "name or number"}),
		"bin(383d4649582e342e3401),fix_tag_value(BeginString)", "FIX.4.4"),
		Check: checkFixTag, In: sample.Bin, Out: sample.Bin, Eval: fixTagValue},
}

// Tags that the protocol itself uses.
const (
	fixBeginString = 8
	fixBodyLength  = 9
	fixCheckSum    = 10
	fixMsgType     = 35
	fixSender      = 49
	fixTarget      = 56
)

// fixEnd ends each field.
const fixEnd = 0x01

// fixMinimum is the length of the shortest message.
const fixMinimum = 26

var fixTags = map[string]int64{"BeginString": fixBeginString, "BodyLength": fixBodyLength, "CheckSum": fixCheckSum,
	"MsgType": fixMsgType, "SenderCompID": fixSender, "TargetCompID": fixTarget}

func checkFixTag(_ *sample.Compiler, a []sample.Arg) error {
	tag, ok := fixTags[a[0].Str]
	if !ok {
		n, taken := fixNumber([]byte(a[0].Str))
		if taken != len(a[0].Str) || n == 0 {
			return fmt.Errorf("Unknown FIX tag name '%s'", a[0].Str)
		}
		tag = int64(n)
	}
	a[0].Int = tag
	return nil
}

// fixNumber reads a number of 32 bits that wraps around.
func fixNumber(b []byte) (n uint32, taken int) {
	for taken < len(b) && b[taken]-'0' <= 9 {
		n = n*10 + uint32(b[taken]-'0')
		taken++
	}
	return n, taken
}

// fixField cuts "tag=value" and its end off a message. incomplete says that more data is needed.
func fixField(b []byte) (tag uint32, value, rest []byte, incomplete, ok bool) {
	eq := bytes.IndexByte(b, '=')
	if eq < 0 {
		return 0, nil, b, true, false
	}
	end := bytes.IndexByte(b[eq:], fixEnd)
	if end < 0 {
		return 0, nil, b, true, false
	}
	tag, taken := fixNumber(b[:eq])
	return tag, b[eq+1 : eq+end], b[eq+end+1:], false, eq > 0 && taken == eq && tag > 0
}

func fixTagValue(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	v.Flags &^= sample.MayChange
	for b := v.Bytes; len(b) > 0; {
		tag, value, rest, incomplete, ok := fixField(b)
		if incomplete {
			break
		}
		if !ok {
			return false
		}
		if int64(tag) == a[0].Int {
			if len(value) == 0 {
				break
			}
			v.Bytes = value
			return true
		}
		if tag == fixCheckSum {
			return false
		}
		b = rest
	}
	v.Flags |= sample.MayChange
	return false
}

// fixRange is the highest tag of each version; those from 10000 to 19999 are free for users.
var fixRange = map[string]uint32{"FIX.4.0": 140, "FIX.4.1": 211, "FIX.4.2": 446, "FIX.4.3": 659, "FIX.4.4": 956, "FIXT.1.1": 1621}

// verdict tells whether a block starts with a good message.
type verdict uint8

const (
	invalid verdict = iota
	partial         // what there is is good, more is needed
	valid
)

func fixIsValid(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	v.Flags &^= sample.MayChange
	found := validateFix(v.Bytes)
	if found == partial {
		v.Flags |= sample.MayChange
		return false
	}
	v.SetBool(found == valid)
	return true
}

// validateFix wants BeginString, BodyLength and MsgType first, and CheckSum last with the sum of all
// bytes before it.
func validateFix(msg []byte) verdict {
	if len(msg) < fixMinimum {
		return partial
	}
	most := uint32(0)
	var sum byte
	body, bodyLength := -1, uint32(0)
	for b, n := msg, 1; len(b) > 0; n++ {
		tag, value, rest, incomplete, ok := fixField(b)
		at := len(msg) - len(b)
		switch {
		case incomplete:
			return partial
		case !ok || most > 0 && tag > most && (tag < 10000 || tag > 19999):
			return invalid
		}
		switch {
		case n == 1:
			if most = fixRange[string(value)]; tag != fixBeginString || most == 0 {
				return invalid
			}
		case n == 2:
			var taken int
			bodyLength, taken = fixNumber(value)
			if tag != fixBodyLength || taken != len(value) || bodyLength == 0 {
				return invalid
			}
			body = len(msg) - len(rest)
		case n == 3:
			if tag != fixMsgType {
				return invalid
			}
		case tag == fixCheckSum:
			if int(bodyLength) == at-body && len(value) == 3 && uint32(sum) == rawNumber(value) {
				return valid
			}
			return invalid
		}
		for _, c := range b[:len(b)-len(rest)] {
			sum += c
		}
		b = rest
	}
	if body >= 0 {
		return partial
	}
	return invalid
}
