// Package frame reads and writes the frames of SPOP, the protocol between a stream processing offload engine and its
// agents (doc/SPOE.txt, section 3). It does no input and output.
package frame

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"hapax/runtime/varint"
)

// Kind is the type of a frame.
type Kind byte

const (
	Hello           Kind = 1
	Disconnect      Kind = 2
	Notify          Kind = 3
	AgentHello      Kind = 101
	AgentDisconnect Kind = 102
	Ack             Kind = 103
)

const (
	// LengthSize is how many bytes the length before each frame has.
	LengthSize = 4
	// Overhead is the room that is left for what stands before the payload of a frame.
	Overhead = 32
	// Least is the lowest limit of the size of frames that a side may set.
	Least = 256

	fin = 1 // the flag of a frame that is whole: there are no others
)

// Fault is why a connection ended, by its number in the protocol. Section 3.5.
type Fault uint32

const (
	Fine         Fault = 0
	IO           Fault = 1
	TooBig       Fault = 3
	Invalid      Fault = 4
	NoVersion    Fault = 5
	NoSize       Fault = 6
	NoCapability Fault = 7
	BadVersion   Fault = 8
	BadSize      Fault = 9
	Fragmented   Fault = 10
	NotFound     Fault = 12
	Unknown      Fault = 99
)

var reasons = map[Fault]string{
	Fine: "normal", IO: "I/O error", 2: "a timeout occurred", TooBig: "frame is too big", Invalid: "invalid frame received",
	NoVersion: "version value not found", NoSize: "max-frame-size value not found", NoCapability: "capabilities value not found",
	BadVersion: "unsupported version", BadSize: "max-frame-size too big or too small",
	Fragmented: "fragmentation not supported", 11: "invalid interlaced frames", NotFound: "frame-id not found",
	13: "resource allocation error",
}

func (f Fault) String() string {
	if text, known := reasons[f]; known {
		return text
	}
	return "an unknown error occurred"
}

// begin writes what stands before the payload of a frame, whose length end fills in.
func begin(b []byte, kind Kind, stream, number uint64) []byte {
	b = append(b, 0, 0, 0, 0, byte(kind), 0, 0, 0, fin)
	return varint.Append(varint.Append(b, stream), number)
}

func end(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-LengthSize))
	return b
}

// Greeting is what a side says of itself first.
type Greeting struct {
	Size       uint64 // of a frame, at most
	Pipelining bool   // several frames may wait for their answers
	Engine     string // its name; "": it has none
	Check      bool   // it only wants to know whether the agent lives
}

// AppendHello writes the first frame of a connection.
func AppendHello(b []byte, g *Greeting) []byte {
	start := len(b)
	b = begin(b, Hello, 0, 0)
	b = varint.AppendText(append(varint.AppendText(b, "supported-versions"), Text), "2.0")
	b = varint.Append(append(varint.AppendText(b, "max-frame-size"), Uint32), g.Size)
	b = append(varint.AppendText(b, "capabilities"), Text)
	if g.Pipelining {
		b = varint.AppendText(b, "pipelining")
	} else {
		b = varint.AppendText(b, "")
	}
	if g.Engine != "" {
		b = varint.AppendText(append(varint.AppendText(b, "engine-id"), Text), g.Engine)
	}
	if g.Check {
		b = append(varint.AppendText(b, "healthcheck"), Bool|True)
	}
	return end(b, start)
}

// AppendNotify writes messages for an agent.
func AppendNotify(b []byte, stream, number uint64, payload []byte) []byte {
	start := len(b)
	return end(append(begin(b, Notify, stream, number), payload...), start)
}

// AppendDisconnect writes the last frame of a connection.
func AppendDisconnect(b []byte, why Fault) []byte {
	start := len(b)
	b = begin(b, Disconnect, 0, 0)
	b = varint.Append(append(varint.AppendText(b, "status-code"), Uint32), uint64(why))
	b = varint.AppendText(append(varint.AppendText(b, "message"), Text), why.String())
	return end(b, start)
}

// Head is what stands before the payload of a frame.
type Head struct {
	Kind           Kind
	Whole          bool // else it is a part of one, which nobody takes
	Stream, Number uint64
	Payload        int // bytes that follow; negative: the length is less than that of the head
}

// leastHead is the length, and the shortest head.
const leastHead = LengthSize + 1 + 4 + 1 + 1

// ReadHead reads the head of a frame and tells how long it is; 0: more of it has to come.
func ReadHead(b []byte) (h Head, n int) {
	if len(b) < leastHead {
		return h, 0
	}
	h.Kind = Kind(b[4])
	h.Whole = binary.BigEndian.Uint32(b[5:])&fin != 0
	rest, ok := b[9:], false
	if h.Stream, rest, ok = varint.Read(rest); !ok {
		return h, 0
	}
	if h.Number, rest, ok = varint.Read(rest); !ok {
		return h, 0
	}
	n = len(b) - len(rest)
	h.Payload = int(int32(binary.BigEndian.Uint32(b))) - (n - LengthSize)
	return h, n
}

// ReadHello judges the payload of an agent's first frame. g.Size is the most that it may name for the size of frames, and
// becomes what it names. One that is only checked has to name everything.
func ReadHello(list []byte, g *Greeting) Fault {
	most := g.Size
	var version, size, capabilities bool
	for len(list) > 0 {
		name, rest, ok := varint.ReadText(list)
		if !ok || len(name) == 0 {
			return Invalid
		}
		v, rest, ok := ReadValue(rest)
		if !ok {
			return Invalid
		}
		list = rest
		switch string(name) {
		case "version":
			if v.Kind != Text {
				return Invalid
			}
			major, minor, ok := readVersion(v.Bytes)
			if !ok {
				return Invalid
			}
			if major != 2 || minor != 0 {
				return BadVersion
			}
			version = true
		case "max-frame-size":
			if !v.IsNumber() {
				return Invalid
			}
			if v.Number < Least || v.Number > most {
				return BadSize
			}
			g.Size, size = v.Number, true
		case "capabilities":
			if v.Kind != Text {
				return Invalid
			}
			g.Pipelining, capabilities = pipelines(v.Bytes), true
		}
	}
	switch {
	case !version:
		return NoVersion
	case !g.Check: // the rest may be missing
	case !size:
		return NoSize
	case !capabilities:
		return NoCapability
	}
	return Fine
}

// readVersion reads "2.0".
func readVersion(text []byte) (major, minor int, ok bool) {
	before, after, ok := bytes.Cut(bytes.TrimSpace(text), []byte("."))
	if !ok {
		return 0, 0, false
	}
	a, err1 := strconv.ParseUint(string(before), 10, 16)
	b, err2 := strconv.ParseUint(string(after), 10, 16)
	return int(a), int(b), err1 == nil && err2 == nil && a > 0 && b <= 999
}

// pipelines looks for the one capability that there is in a list.
func pipelines(list []byte) bool {
	for word := range bytes.SplitSeq(list, []byte(",")) {
		first, _, _ := bytes.Cut(bytes.TrimSpace(word), []byte(" "))
		if string(first) == "pipelining" {
			return true
		}
	}
	return false
}

// ReadDisconnect reads the payload of an agent's last frame: why it leaves.
func ReadDisconnect(list []byte) (why Fault, ok bool) {
	for len(list) > 0 {
		name, rest, ok := varint.ReadText(list)
		if !ok || len(name) == 0 {
			return Invalid, false
		}
		v, rest, ok := ReadValue(rest)
		if !ok || string(name) == "status-code" && !v.IsNumber() {
			return Invalid, false
		}
		if list = rest; string(name) == "status-code" {
			why = Fault(v.Number)
		}
	}
	return why, true
}
