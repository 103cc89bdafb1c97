package table

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Data is a type of data that entries store.
type Data uint8

// The types of data, in the order in which they are shown.
const (
	ServerID Data = iota
	GPT0
	GPC0
	GPC0Rate
	ConnCnt
	ConnRate
	ConnCur
	SessCnt
	SessRate
	HTTPReqCnt
	HTTPReqRate
	HTTPErrCnt
	HTTPErrRate
	BytesInCnt
	BytesInRate
	BytesOutCnt
	BytesOutRate
	GPC1
	GPC1Rate
	ServerKey
	HTTPFailCnt
	HTTPFailRate
	GPT
	GPC
	GPCRate
	GlitchCnt
	GlitchRate
	Types // how many there are
)

// kind is how a type of data is kept.
type kind uint8

const (
	number kind = iota // 32 bits
	signed             // 32 bits, of which one is the sign
	long               // 64 bits
	rate               // see addRate
	name               // the number of a text among those of the table
)

var sizes = [...]int{number: 4, signed: 4, long: 8, rate: 12, name: 4}

var kinds = [Types]struct {
	name  string
	kind  kind
	array bool
}{
	ServerID: {"server_id", signed, false}, GPT0: {"gpt0", number, false}, GPC0: {"gpc0", number, false}, GPC0Rate: {"gpc0_rate", rate, false},
	ConnCnt: {"conn_cnt", number, false}, ConnRate: {"conn_rate", rate, false}, ConnCur: {"conn_cur", number, false},
	SessCnt: {"sess_cnt", number, false}, SessRate: {"sess_rate", rate, false},
	HTTPReqCnt: {"http_req_cnt", number, false}, HTTPReqRate: {"http_req_rate", rate, false},
	HTTPErrCnt: {"http_err_cnt", number, false}, HTTPErrRate: {"http_err_rate", rate, false},
	BytesInCnt: {"bytes_in_cnt", long, false}, BytesInRate: {"bytes_in_rate", rate, false},
	BytesOutCnt: {"bytes_out_cnt", long, false}, BytesOutRate: {"bytes_out_rate", rate, false},
	GPC1: {"gpc1", number, false}, GPC1Rate: {"gpc1_rate", rate, false}, ServerKey: {"server_key", name, false},
	HTTPFailCnt: {"http_fail_cnt", number, false}, HTTPFailRate: {"http_fail_rate", rate, false},
	GPT: {"gpt", number, true}, GPC: {"gpc", number, true}, GPCRate: {"gpc_rate", rate, true},
	GlitchCnt: {"glitch_cnt", number, false}, GlitchRate: {"glitch_rate", rate, false},
}

// DataByName finds a type of data.
func DataByName(name string) (Data, bool) {
	if name == "server_name" { // as it was called once
		return ServerKey, true
	}
	for d := range Types {
		if kinds[d].name == name {
			return d, true
		}
	}
	return 0, false
}

// DataElement finds a type of data, and which of its elements is meant, by what commands write: "gpc0", "gpc[1]". What
// stands before the bracket may be the beginning of a name.
func DataElement(text string) (d Data, i uint, ok bool) {
	begin, index, indexed := strings.Cut(text, "[")
	if !indexed {
		d, ok = DataByName(text)
		return d, 0, ok
	}
	for d := range Types {
		if !kinds[d].array || !strings.HasPrefix(kinds[d].name, begin) {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(index, "]"), 10, 32)
		return d, uint(n), err == nil && strings.HasSuffix(index, "]")
	}
	return 0, 0, false
}

func (d Data) String() string { return kinds[d].name }

// Array tells whether there are several elements.
func (d Data) Array() bool { return kinds[d].array }

// Rate tells whether it is events in a period.
func (d Data) Rate() bool { return kinds[d].kind == rate }

// field is where an entry keeps an element of a type of data; nil: it does not.
func (e *Entry) field(d Data, i uint) []byte {
	l := &e.t.layout[d]
	if i >= uint(l.elements) {
		return nil
	}
	size := uint(sizes[kinds[d].kind])
	at := uint(l.at) + i*size
	return e.rec[at : at+size : at+size]
}

// Stores tells whether the entry holds a type of data.
func (e *Entry) Stores(d Data) bool { return e.t.Stores(d) }

// Get is the value of an element: of a rate the events in its period until now, of a text its number. ok is false when
// the table does not store it.
func (e *Entry) Get(d Data, i uint) (v int64, ok bool) {
	f := e.field(d, i)
	if f == nil {
		return 0, false
	}
	switch kinds[d].kind {
	case signed:
		return int64(int32(binary.LittleEndian.Uint32(f))), true
	case long:
		return int64(binary.LittleEndian.Uint64(f)), true
	case rate:
		v = int64(readRate(f, e.t.layout[d].period, e.now))
		if d == BytesInRate || d == BytesOutRate {
			v *= int64(e.t.BytesFactor)
		}
		return v, true
	}
	return int64(binary.LittleEndian.Uint32(f)), true
}

// Periods is what a rate counted: in the current period, which began age ms ago, and in the one before. One event of the
// rates of bytes stands for BytesFactor of them.
func (e *Entry) Periods(d Data) (age, cur, past uint32) {
	f := e.field(d, 0)
	if f == nil {
		return 0, 0, 0
	}
	return e.now - binary.LittleEndian.Uint32(f[rateStart:]), binary.LittleEndian.Uint32(f[rateNow:]), binary.LittleEndian.Uint32(f[ratePast:])
}

// Set sets an element. A rate then stands for a whole period at that value, and fades out. A text is left alone: see
// SetServerKey. It reports false when the table does not store the element.
func (e *Entry) Set(d Data, i uint, v int64) bool {
	f := e.field(d, i)
	if f == nil {
		return false
	}
	switch kinds[d].kind {
	case long:
		binary.LittleEndian.PutUint64(f, uint64(v))
	case rate:
		setRate(f, uint32(v), e.now)
	case name:
	default:
		binary.LittleEndian.PutUint32(f, uint32(v))
	}
	return true
}

// Add adds to an element and gives what it holds then: of a rate, the events of the current period alone. ok is false
// when the table does not store it.
func (e *Entry) Add(d Data, i uint, n uint64) (v int64, ok bool) {
	f := e.field(d, i)
	if f == nil {
		return 0, false
	}
	switch kinds[d].kind {
	case long:
		n += binary.LittleEndian.Uint64(f)
		binary.LittleEndian.PutUint64(f, n)
		return int64(n), true
	case rate:
		if d == BytesInRate || d == BytesOutRate {
			n = (n + uint64(e.t.BytesFactor) - 1) / uint64(e.t.BytesFactor)
		}
		return int64(addRate(f, e.t.layout[d].period, e.now, uint32(n))), true
	}
	sum := binary.LittleEndian.Uint32(f) + uint32(n)
	binary.LittleEndian.PutUint32(f, sum)
	return int64(sum), true
}

// ServerKey is the text that names a server, "" when there is none.
func (e *Entry) ServerKey() string {
	if f := e.field(ServerKey, 0); f != nil {
		return e.t.names.text(binary.LittleEndian.Uint32(f))
	}
	return ""
}

// SetServerKey sets the text that names a server.
func (e *Entry) SetServerKey(key string) {
	if f := e.field(ServerKey, 0); f != nil {
		binary.LittleEndian.PutUint32(f, e.t.names.number(key))
	}
}

// Elements is how many elements of a type of data entries have; 0: they do not store it.
func (t *Table) Elements(d Data) int { return int(t.layout[d].elements) }

// LocalOnly tells that the data says something of this process alone.
func (d Data) LocalOnly() bool { return d == ConnCur }

// Counts tells whether data of the type is added up, so that what others say does not go with what is counted here.
func (d Data) Counts() bool { return d != ServerID && d != ServerKey && d != GPT0 && d != GPT }

// Told is an element as peers tell it: a number; or of a rate how many ms ago its period began, and the events in it and
// in the one before. A text is not told so: see ServerKey.
type Told [3]uint64

// Tell tells an element that the entry stores.
func (e *Entry) Tell(d Data, i uint) (v Told) {
	f := e.field(d, i)
	switch kinds[d].kind {
	case signed:
		v[0] = uint64(int64(int32(binary.LittleEndian.Uint32(f))))
	case long:
		v[0] = binary.LittleEndian.Uint64(f)
	case rate:
		v[0] = uint64(e.now - binary.LittleEndian.Uint32(f[rateStart:]))
		v[1], v[2] = uint64(binary.LittleEndian.Uint32(f[rateNow:])), uint64(binary.LittleEndian.Uint32(f[ratePast:]))
	default:
		v[0] = uint64(binary.LittleEndian.Uint32(f))
	}
	return v
}

// Hear sets an element to what a peer tells, if the entry stores it.
func (e *Entry) Hear(d Data, i uint, v Told) {
	f := e.field(d, i)
	if f == nil {
		return
	}
	switch kinds[d].kind {
	case long:
		binary.LittleEndian.PutUint64(f, v[0])
	case rate:
		putRate(f, e.now-uint32(v[0]), uint32(v[1]), uint32(v[2]))
	case name:
	default:
		binary.LittleEndian.PutUint32(f, uint32(v[0]))
	}
}
