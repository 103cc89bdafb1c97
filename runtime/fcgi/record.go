package fcgi

import "encoding/binary"

// recordType is what a record is for.
type recordType uint8

const (
	beginRequest    recordType = 1
	abortRequest    recordType = 2
	endRequest      recordType = 3
	params          recordType = 4
	stdin           recordType = 5
	stdout          recordType = 6
	stderr          recordType = 7
	getValues       recordType = 9
	getValuesResult recordType = 10
	unknownType     recordType = 11
)

const (
	// RecordHead is how long the head of a record is, in bytes.
	RecordHead = 8
	// MaxContent is the longest content of a record, in bytes.
	MaxContent = 0xffff

	version   = 1
	responder = 1 // the role of the application
	keepConn  = 1 // a flag of beginRequest
)

// MaxID is the highest number of a request on a connection.
const MaxID = 0x7fff

// appendHead appends the head of a record, whose content follows.
func appendHead(dst []byte, t recordType, id uint16, content int) []byte {
	return append(dst, version, byte(t), byte(id>>8), byte(id), byte(content>>8), byte(content), 0, 0)
}

// AppendBegin appends what begins a request. keep tells the application to keep the connection behind it.
func AppendBegin(dst []byte, id uint16, keep bool) []byte {
	var flags byte
	if keep {
		flags = keepConn
	}
	dst = appendHead(dst, beginRequest, id, 8)
	return append(dst, 0, responder, flags, 0, 0, 0, 0, 0)
}

// AppendInput appends the head of n bytes of a request's body; none end it.
func AppendInput(dst []byte, id uint16, n int) []byte { return appendHead(dst, stdin, id, n) }

// AppendAbort appends what ends a request early.
func AppendAbort(dst []byte, id uint16) []byte { return appendHead(dst, abortRequest, id, 0) }

// AppendAsk appends the question what the application can do on one connection.
func AppendAsk(dst []byte) []byte {
	at := len(dst)
	dst = appendHead(dst, getValues, 0, 0)
	dst = appendPair(dst, maxRequestsName, nil)
	dst = appendPair(dst, multiplexesName, nil)
	return setContent(dst, at)
}

// What the application is asked for.
const (
	maxRequestsName = "FCGI_MAX_REQS"
	multiplexesName = "FCGI_MPXS_CONNS"
)

// setContent completes the head of a record that began at an offset, and ends here.
func setContent(dst []byte, at int) []byte {
	binary.BigEndian.PutUint16(dst[at+4:], uint16(len(dst)-at-RecordHead))
	return dst
}

// appendLength appends how long a name or a value is.
func appendLength(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)|1<<31)
}

// appendPair appends a name and its value.
func appendPair[T ~string | ~[]byte](dst []byte, name T, value []byte) []byte {
	dst = appendLength(appendLength(dst, len(name)), len(value))
	return append(append(dst, name...), value...)
}

// cutLength takes what appendLength appends.
func cutLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		return 0, nil, false
	case b[0] < 0x80:
		return int(b[0]), b[1:], true
	case len(b) < 4:
		return 0, nil, false
	}
	return int(binary.BigEndian.Uint32(b) &^ (1 << 31)), b[4:], true
}

// cutPair takes what appendPair appends.
func cutPair(b []byte) (name, value, rest []byte, ok bool) {
	n, b, ok := cutLength(b)
	if !ok {
		return nil, nil, nil, false
	}
	v, b, ok := cutLength(b)
	if !ok || n > len(b) || v > len(b)-n {
		return nil, nil, nil, false
	}
	return b[:n], b[n : n+v], b[n+v:], true
}

// Kind is what an Event tells.
type Kind uint8

const (
	More      Kind = iota // all bytes were consumed
	Output                // a part of a response
	OutputEnd             // the end of a response
	Complaint             // what the application says on its standard error
	Ended                 // the end of a request
	Settled               // what the application can do on one connection
	Failed                // what came is no FastCGI, perhaps for a request: the connection carries nothing any more
)

// Event is what a Reader found.
type Event struct {
	Kind   Kind
	ID     uint16
	Data   []byte // of Output and Complaint, good until the next call
	Status Status // of Ended
}

// Status is how the application ended a request.
type Status uint8

const (
	Complete Status = iota
	CannotMultiplex
	Overloaded
	UnknownRole
)

// Reader finds the records in what an application sends. Its zero value is ready.
type Reader struct {
	// Limit bounds a complaint, in bytes: a longer one comes in pieces.
	Limit int
	// Asked tells that the answer to AppendAsk is still to come: it is the first record.
	Asked bool

	head    [RecordHead]byte
	have    int // of the head
	content int // bytes that are still to come
	padding int
	held    []byte // of a record that is read as a whole

	multiplexes, known bool
	maxRequests        int
}

// Answer is what the application can do on one connection, behind Settled: known is false when it did not say.
func (r *Reader) Answer() (multiplexes bool, maxRequests int, known bool) {
	return r.multiplexes, r.maxRequests, r.known
}

// AtRecord tells whether nothing of a record came that did not come whole.
func (r *Reader) AtRecord() bool { return r.have == 0 }

func (r *Reader) kind() recordType { return recordType(r.head[1]) }
func (r *Reader) id() uint16       { return binary.BigEndian.Uint16(r.head[2:]) }

// Next looks at what came, tells how many bytes it has consumed, and what it found.
func (r *Reader) Next(in []byte) (n int, ev Event) {
	for {
		switch {
		case r.have < RecordHead:
			took := copy(r.head[r.have:], in[n:])
			r.have += took
			n += took
			if r.have < RecordHead {
				return n, Event{}
			}
			if ev := r.begin(); ev.Kind != More {
				return n, ev
			}
		case r.content > 0:
			if n == len(in) {
				return n, Event{}
			}
			part := in[n:min(n+r.content, len(in))]
			r.content -= len(part)
			n += len(part)
			if ev := r.part(part); ev.Kind != More {
				return n, ev
			}
		default:
			skip := min(r.padding, len(in)-n)
			r.padding -= skip
			n += skip
			if r.padding > 0 {
				return n, Event{}
			}
			r.have = 0
			if n == len(in) {
				return n, Event{}
			}
		}
	}
}

// begin looks at a complete head.
func (r *Reader) begin() Event {
	r.content, r.padding = int(binary.BigEndian.Uint16(r.head[4:])), int(r.head[6])
	r.held = r.held[:0]
	id, t := r.id(), r.kind()
	management := t == getValuesResult || t == unknownType
	if id == 0 && !management || r.Asked && (id != 0 || !management) {
		return Event{Kind: Failed}
	}
	if r.content > 0 {
		return Event{}
	}
	return r.whole()
}

// part looks at a part of a record's content.
func (r *Reader) part(b []byte) Event {
	switch r.kind() {
	case stdout:
		return Event{Kind: Output, ID: r.id(), Data: b}
	case stderr, endRequest, getValuesResult:
		r.held = append(r.held, b...)
	}
	if r.content == 0 {
		return r.whole()
	}
	if r.kind() == stderr && len(r.held) >= r.Limit {
		return r.complaint()
	}
	return Event{}
}

// whole looks at a record that came whole.
func (r *Reader) whole() Event {
	switch r.kind() {
	case stdout:
		if binary.BigEndian.Uint16(r.head[4:]) == 0 {
			return Event{Kind: OutputEnd, ID: r.id()}
		}
	case stderr:
		if len(r.held) > 0 {
			return r.complaint()
		}
	case endRequest:
		const exit, size = 4, 8 // bytes of the program's exit code, before the status, and of all
		if len(r.held) < size {
			return Event{Kind: Failed, ID: r.id()}
		}
		return Event{Kind: Ended, ID: r.id(), Status: Status(r.held[exit])}
	case getValuesResult:
		return r.values()
	case unknownType:
		if r.Asked { // it does not know the question
			r.Asked = false
			return Event{Kind: Settled}
		}
	}
	return Event{}
}

// complaint passes on what came of one.
func (r *Reader) complaint() Event {
	data := r.held
	r.held = r.held[:0]
	return Event{Kind: Complaint, ID: r.id(), Data: data}
}

// values reads what the application can do on one connection.
func (r *Reader) values() Event {
	b := r.held
	for len(b) > 0 {
		name, value, rest, ok := cutPair(b)
		if !ok {
			return Event{Kind: Failed}
		}
		b = rest
		switch {
		case equalFold(name, multiplexesName):
			r.multiplexes = string(value) == "1"
		case equalFold(name, maxRequestsName):
			r.maxRequests = number(value)
		}
	}
	r.Asked, r.known = false, true
	return Event{Kind: Settled}
}
