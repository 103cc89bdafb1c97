package h1

import (
	"math"

	"hapax/runtime/message"
)

// Event is what a Decoder found.
type Event uint8

const (
	NeedMore    Event = iota // everything was consumed and the body goes on
	Payload                  // a slice of the body
	TrailerPart              // a trailer section begins: parse it with Parser.Trailers, then call TrailersDone
	End                      // the body is over; what was not consumed belongs to the next message
	BadBody                  // the chunked framing is broken where the input was consumed up to
)

// Decoder finds the body of one message in the bytes behind its head. It keeps no bytes itself and may
// be fed in pieces of any size. The zero Decoder must be started.
type Decoder struct {
	State State  // ChunkSize, Data, ChunkCRLF, Trailers, Done or Tunnel
	Left  uint64 // of the body, or of the current chunk, when its length is known
	Total uint64 // payload bytes given out

	chunked bool
	endless bool // until the connection closes
	framed  bool // until Finish
	line    linePart
	digits  bool // the chunk size has a digit
	quoted  bool // inside a quoted string of a chunk extension
	escaped bool // behind a backslash in it
}

// linePart is where in the line of a chunk size, or of the CRLF behind it, the decoder stands.
type linePart uint8

const (
	lineSize linePart = iota
	lineBlanks
	lineExtension
	lineLF
)

// maxChunk keeps chunk sizes below 2^52, so that no peer that reads them as a floating point
// number sees another one.
const maxChunk = 1<<52 - 1

// Start makes the decoder ready for the body of m, as its flags tell.
func (d *Decoder) Start(m *message.Message) {
	*d = Decoder{State: Done}
	switch {
	case m.Flags&message.Bodyless != 0:
	case m.Flags&message.Framed != 0:
		d.StartFramed()
	case m.Flags&message.LengthKnown == 0:
		d.State, d.endless = Data, true
	case m.Flags&message.Chunked != 0:
		d.State, d.chunked = ChunkSize, true
	case m.BodyLength > 0:
		d.State, d.Left = Data, m.BodyLength
	}
}

// StartTunnel makes the decoder pass everything.
func (d *Decoder) StartTunnel() { *d = Decoder{State: Tunnel, endless: true} }

// StartFramed makes the decoder pass everything until Finish: the transport knows the end of the
// message (HTTP/2).
func (d *Decoder) StartFramed() { *d = Decoder{State: Data, endless: true, framed: true} }

// Framed tells whether StartFramed was called.
func (d *Decoder) Framed() bool { return d.framed }

// Finish ends a body whose end the transport knows.
func (d *Decoder) Finish() { d.State = Done }

// EndAt tells how long in all a body is whose end the transport knows: some of it may be still to come by Next.
func (d *Decoder) EndAt(total uint64) {
	if !d.framed || d.State != Data {
		return
	}
	d.endless = false
	if d.Left = total - d.Total; d.Left == 0 {
		d.State = Done
	}
}

// TrailersDone tells the decoder that the trailer section was parsed.
func (d *Decoder) TrailersDone() { d.State = Done }

// Ahead is how many bytes of the body certainly come next, before anything else has to be looked at. known is false when only
// the end of the connection ends them.
func (d *Decoder) Ahead() (n int64, known bool) {
	switch {
	case d.State != Data || d.framed:
		return 0, true
	case d.endless:
		return math.MaxInt64, false
	}
	return int64(d.Left), true
}

// Skip notes that n bytes of what Ahead has told went by unseen, and tells whether these were the last of them.
func (d *Decoder) Skip(n uint64) bool {
	d.Total += n
	if d.endless {
		return false
	}
	if d.Left -= n; d.Left > 0 {
		return false
	}
	d.State = Done
	if d.chunked {
		d.State = ChunkCRLF
	}
	return true
}

// Remaining is how many bytes of a body without chunks are still to come; known is false when that is not known.
func (d *Decoder) Remaining() (n uint64, known bool) {
	if d.State == Done {
		return 0, true
	}
	return d.Left, d.State == Data && !d.endless && !d.chunked
}

// Finished tells whether the body is over.
func (d *Decoder) Finished() bool { return d.State == Done }

// BodyOver tells whether the payload is over, though trailers may follow.
func (d *Decoder) BodyOver() bool { return d.State == Done || d.State == Trailers }

// UntilClose tells whether only the end of the connection ends the body.
func (d *Decoder) UntilClose() bool { return d.endless && !d.framed }

// AppendChunks appends the content of chunks, as far as they came.
func AppendChunks(dst, chunks []byte) []byte {
	d := Decoder{State: ChunkSize, chunked: true}
	for {
		payload, n, ev := d.Next(chunks)
		dst = append(dst, payload...)
		if chunks = chunks[n:]; ev != Payload {
			return dst
		}
	}
}

// Next looks at in and gives the next slice of the body, the number of bytes of in that were consumed
// with it, and what it found. Call it again with the rest until it says NeedMore, TrailerPart or End.
// A payload is always the last of the bytes consumed.
func (d *Decoder) Next(in []byte) (payload []byte, n int, ev Event) {
	for {
		switch d.State {
		case Done:
			return nil, n, End
		case Data, Tunnel:
			rest := in[n:]
			if len(rest) == 0 {
				return nil, n, NeedMore
			}
			if !d.endless {
				if uint64(len(rest)) > d.Left {
					rest = rest[:d.Left]
				}
				d.Left -= uint64(len(rest))
				if d.Left == 0 {
					d.State = Done
					if d.chunked {
						d.State = ChunkCRLF
					}
				}
			}
			d.Total += uint64(len(rest))
			return rest, n + len(rest), Payload
		case ChunkSize:
			used, ok := d.sizeLine(in[n:])
			n += used
			if !ok {
				return nil, n, BadBody
			}
			if d.State == ChunkSize {
				return nil, n, NeedMore
			}
		case ChunkCRLF:
			if n == len(in) {
				return nil, n, NeedMore
			}
			if c := in[n]; d.line != lineLF {
				if c != '\r' {
					return nil, n, BadBody
				}
				d.line = lineLF
			} else {
				if c != '\n' {
					return nil, n, BadBody
				}
				d.line = lineSize
				d.State = ChunkSize
			}
			n++
		case Trailers:
			if n == len(in) {
				return nil, n, NeedMore
			}
			switch c := in[n]; {
			case c == '\n':
				d.State = Done
			case d.line == lineLF:
				return nil, n, BadBody
			case c == '\r':
				d.line = lineLF
			default:
				return nil, n, TrailerPart
			}
			n++
		default:
			return nil, n, BadBody
		}
	}
}

// Check looks ahead in the bytes that came with the head, without consuming them. BadBody tells that
// the message must be refused as a whole: nothing of it was passed on yet. With TrailerPart, in[n:] is
// the begin of a trailer section, which a Parser may check in the same way.
func (d Decoder) Check(in []byte) (n int, ev Event) {
	for {
		_, used, ev := d.Next(in[n:])
		if n += used; ev != Payload {
			return n, ev
		}
	}
}

// Skim goes over bytes that are held, and tells whether the message ends there. It is for a copy of the decoder.
func (d *Decoder) Skim(in []byte) bool {
	for {
		_, n, ev := d.Next(in)
		if in = in[n:]; ev != Payload {
			return ev == End
		}
	}
}

// sizeLine reads the line of a chunk size: hexadecimal digits, blanks, perhaps extensions, CRLF. It
// tells how much it consumed; at the end of the line it changes the state.
func (d *Decoder) sizeLine(in []byte) (n int, ok bool) {
	for n < len(in) {
		c := in[n]
		switch d.line {
		case lineSize:
			if v := hexValue[c]; v < 16 {
				if d.Left = d.Left<<4 | uint64(v); d.Left > maxChunk {
					return n, false
				}
				d.digits = true
				n++
				continue
			}
			if !d.digits {
				return n, false
			}
			d.line = lineBlanks
		case lineBlanks:
			switch {
			case class[c]&blank != 0:
			case c == '\r':
				d.line = lineLF
			case c == ';':
				d.line = lineExtension
			default:
				return n, false
			}
			n++
		case lineExtension:
			// A line end that stands inside quotes, or any other control, is refused: the next one
			// might read it in another way.
			switch {
			case class[c]&control != 0 && c != '\t':
				if c != '\r' || d.quoted || d.escaped {
					return n, false
				}
				d.line = lineLF
			case d.escaped:
				d.escaped = false
			case c == '\\':
				if !d.quoted {
					return n, false
				}
				d.escaped = true
			case c == '"':
				d.quoted = !d.quoted
			}
			n++
		case lineLF:
			if c != '\n' {
				return n, false
			}
			n++
			d.line, d.digits = lineSize, false
			if d.State = Data; d.Left == 0 {
				d.State = Trailers
			}
			return n, true
		}
	}
	return n, true
}

var hexValue = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = uint8(c - '0')
		case c >= 'a' && c <= 'f':
			t[c] = uint8(c - 'a' + 10)
		case c >= 'A' && c <= 'F':
			t[c] = uint8(c - 'A' + 10)
		default:
			t[c] = 16
		}
	}
	return t
}()
