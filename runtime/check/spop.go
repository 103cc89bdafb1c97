package check

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"hapax/runtime"
)

// The check of an agent that speaks SPOP: it is greeted as a stream processing offload engine greets it and must greet
// back. The frames are those of the protocol's manual (doc/SPOE.txt, sections 3.2 and 3.2.4).

// spopHello is the HELLO frame of a check.
const spopHello = "0000004e" + "01" + "00000001" + "00" + "00" + // length, HAPROXY-HELLO, the only fragment, no stream and frame
	"12" + "737570706f727465642d76657273696f6e73" + "08" + "03" + "322e30" + // supported-versions: "2.0"
	"0e" + "6d61782d6672616d652d73697a65" + "03" + "fcf006" + // max-frame-size: 16380
	"0c" + "6361706162696c6974696573" + "08" + "00" + // capabilities: ""
	"0b" + "6865616c7468636865636b" + "11" // healthcheck: true

// spopFault is what is wrong with the answer of an agent; the numbers are those of the protocol.
type spopFault int

const (
	spopFine         spopFault = 0
	spopInvalid      spopFault = 4
	spopNoVersion    spopFault = 5
	spopNoSize       spopFault = 6
	spopNoCapability spopFault = 7
	spopBadVersion   spopFault = 8
	spopBadSize      spopFault = 9
)

func (f spopFault) String() string {
	switch f {
	case spopInvalid:
		return "invalid frame received"
	case spopNoVersion:
		return "version value not found"
	case spopNoSize:
		return "max-frame-size value not found"
	case spopNoCapability:
		return "capabilities value not found"
	case spopBadVersion:
		return "unsupported version"
	case spopBadSize:
		return "max-frame-size too big or too small"
	}
	return "normal"
}

const (
	spopHead         = 4 + 1 + 4 + 1 + 1 // length, type, flags, stream and frame
	spopAgentHello   = 101
	spopDisconnect   = 102
	spopFin          = 1
	spopLeastFrame   = 256 // of max-frame-size
	spopLengthOfSize = 4   // which a frame of a buffer's size has no room for
)

// Types of values; the upper half of the byte are flags, as the value of a boolean.
const (
	spopNull = iota
	spopBool
	spopInt32
	spopUint32
	spopInt64
	spopUint64
	spopIPv4
	spopIPv6
	spopString
	spopBinary
	spopType = 0x0f
)

// readSPOP looks at what an agent has said so far; whole is false when more has to come. largest is the highest
// max-frame-size that it may name. A frame that takes leave instead of greeting is one without a version.
func readSPOP(b []byte, largest uint64) (fault spopFault, whole bool) {
	if len(b) < spopHead {
		return spopFine, false
	}
	if kind := b[4]; kind != spopAgentHello && kind != spopDisconnect ||
		binary.BigEndian.Uint32(b[5:]) != spopFin || b[9] != 0 || b[10] != 0 {
		return spopInvalid, true
	}
	if uint64(len(b)) < 4+uint64(binary.BigEndian.Uint32(b)) {
		return spopFine, false
	}
	return readGreeting(b[spopHead:], largest), true
}

// readGreeting judges the list of names and values of a HELLO frame.
func readGreeting(list []byte, largest uint64) spopFault {
	var version, size, capabilities bool
	for len(list) > 0 {
		name, rest, ok := spopBytes(list)
		if !ok || len(name) == 0 || len(rest) == 0 {
			return spopInvalid
		}
		kind := rest[0] & spopType
		text, number, rest, ok := spopValue(rest)
		if !ok {
			return spopInvalid
		}
		list = rest
		switch string(name) {
		case "version":
			if kind != spopString {
				return spopInvalid
			}
			major, minor, ok := spopVersion(text)
			if !ok {
				return spopInvalid
			}
			if major != 2 || minor != 0 {
				return spopBadVersion
			}
			version = true
		case "max-frame-size":
			if kind < spopInt32 || kind > spopUint64 {
				return spopInvalid
			}
			if number < spopLeastFrame || number > largest {
				return spopBadSize
			}
			size = true
		case "capabilities":
			if kind != spopString {
				return spopInvalid
			}
			capabilities = true
		}
	}
	switch {
	case !version:
		return spopNoVersion
	case !size:
		return spopNoSize
	case !capabilities:
		return spopNoCapability
	}
	return spopFine
}

// spopNumber reads a number: 4 bits beside 1111, then 7 bits a byte, the lowest first.
func spopNumber(b []byte) (n uint64, rest []byte, ok bool) {
	const short = 0xf0
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

// spopBytes reads bytes behind their number.
func spopBytes(b []byte) (p, rest []byte, ok bool) {
	n, b, ok := spopNumber(b)
	if !ok || n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// spopValue reads a value of any type behind the type.
func spopValue(b []byte) (text []byte, number uint64, rest []byte, ok bool) {
	kind := b[0] & spopType
	b = b[1:]
	fixed := 0
	switch kind {
	case spopNull, spopBool:
	case spopInt32, spopUint32, spopInt64, spopUint64:
		number, rest, ok = spopNumber(b)
		return nil, number, rest, ok
	case spopIPv4:
		fixed = 4
	case spopIPv6:
		fixed = 16
	case spopString, spopBinary:
		text, rest, ok = spopBytes(b)
		return text, 0, rest, ok
	default:
		return nil, 0, nil, false
	}
	if len(b) < fixed {
		return nil, 0, nil, false
	}
	return nil, 0, b[fixed:], true
}

// spopVersion reads "2.0".
func spopVersion(text []byte) (major, minor int, ok bool) {
	before, after, ok := bytes.Cut(bytes.TrimSpace(text), []byte("."))
	if !ok {
		return 0, 0, false
	}
	a, err1 := strconv.ParseUint(string(before), 10, 16)
	b, err2 := strconv.ParseUint(string(after), 10, 16)
	return int(a), int(b), err1 == nil && err2 == nil && a > 0 && b <= 999
}

// spopAnswer expects the HELLO frame of an agent.
func spopAnswer(ck *Check, r *rule, last bool) verdict {
	e := r.do.(*expect)
	fault, whole := readSPOP(ck.in, uint64(ck.checks.cfg.Global.Tune.BufSize-spopLengthOfSize))
	if !whole {
		if !last {
			return await
		}
		fault = spopInvalid
	}
	if fault != spopFine {
		ck.answer = int(fault)
		return e.failed(ck, r, runtime.CheckL7Response, false, fault.String())
	}
	ck.note(or(e.ok, runtime.CheckL7OK), "SPOA server is ok")
	return proceed
}
