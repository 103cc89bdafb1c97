package exchange

import "hapax/runtime/varint"

// Classes of messages.
const (
	classControl  = 0
	classError    = 1
	classTable    = 10
	classReserved = 255
)

// Types of control messages.
const (
	resyncRequest = iota
	resyncFinished
	resyncPartial
	resyncConfirm
	heartbeat
)

// Types of error messages.
const (
	protocolError = iota
	sizeError
)

// Types of messages about tables.
const (
	tableUpdate = 0x80 + iota
	tableNextUpdate
	tableDefine
	tableSwitch
	tableAck
	tableTimedUpdate
	tableNextTimedUpdate
)

const (
	headLen    = 2
	sized      = 0x80 // of a type: a length follows
	mostLength = 5    // bytes that a length has at most
)

// message is one that has come.
type message struct {
	class, kind byte
	body        []byte
}

// next finds the first message of in, and how many bytes it has: 0 when it has not come as a whole. fault is an error
// of the protocol, or that the message is too large.
func next(in []byte, largest int) (m message, n int, fault state) {
	if len(in) < headLen {
		return m, 0, running
	}
	m.class, m.kind = in[0], in[1]
	if m.kind&sized == 0 {
		return m, headLen, running
	}
	r := reader{left: in[headLen:min(len(in), headLen+mostLength)]}
	length := r.number()
	if r.failed {
		if len(in) < headLen+mostLength {
			return m, 0, running
		}
		return m, 0, failed
	}
	begin := min(len(in), headLen+mostLength) - len(r.left)
	switch {
	case uint64(uint32(length)) > uint64(largest):
		return m, 0, tooLarge
	case len(in) < begin+int(uint32(length)):
		return m, 0, running
	}
	n = begin + int(uint32(length))
	m.body = in[begin:n:n]
	return m, n, running
}

// appendMessage appends a message with its length.
func appendMessage(dst []byte, kind byte, body []byte) []byte {
	return append(varint.Append(append(dst, classTable, kind), uint64(len(body))), body...)
}
