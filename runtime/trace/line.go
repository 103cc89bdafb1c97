package trace

import (
	"path"
	goruntime "runtime"
	"strconv"

	"hapax/runtime"
	"hapax/runtime/message"
)

// About is what an event is about, as far as its place knows.
type About struct {
	Loop     int
	Side     byte // 'F' or 'B': a connection of a client or to a server; 'H': a check; 0: none of them
	Front    *runtime.Proxy
	Back     *runtime.Proxy
	Listener *runtime.Listener
	Server   *runtime.Server
	Session  *runtime.Session
	Stream   *runtime.Stream
	Conn     any // the connection, to compare it
	Own      any // an exchange on it, a check: what only some sources are locked on
	Value    int // bytes, mostly; 0: of no interest
	Message  *message.Message
	Note     string // behind the text; "": nothing
}

// object is what a criterion compares; nil when the event is about none.
func (a *About) object(criterion string) any {
	switch criterion {
	case "frontend":
		return some(a.Front)
	case "backend":
		return some(a.Back)
	case "listener":
		return some(a.Listener)
	case "server":
		return some(a.Server)
	case "session":
		return some(a.Session)
	case "stream":
		return some(a.Stream)
	case "connection":
		return a.Conn
	case "thread":
		return a.Loop
	}
	return a.Own
}

// some is a pointer, or nothing at all when it is nil.
func some[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

// placeSize is how much is told of the place of an event: its end.
const placeSize = 13

// place is the file and the line where the event was: the first one that is not about traces.
func place() string {
	var pcs [8]uintptr
	frames := goruntime.CallersFrames(pcs[:goruntime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		dir, name := path.Split(f.File)
		if dir = path.Base(dir); more && (name == "trace.go" || dir == "trace") {
			continue
		}
		text := dir + "/" + name + ":" + strconv.Itoa(f.Line)
		return text[max(0, len(text)-placeSize):]
	}
}

// appendLine writes an event: "[01|h1|1|ine/tcp.go:20] text : [F(fe)] ...".
func appendLine(b []byte, e Event, level Level, verbosity int, text string, a *About) []byte {
	b = append(b, '[')
	if a.Loop < 9 {
		b = append(b, '0')
	}
	b = strconv.AppendInt(b, int64(a.Loop), 10)
	b = append(append(b, '|'), sources[e.Source()].name...)
	b = append(b, '|', '0'+byte(level), '|')
	b = append(append(b, place()...), "] "...)
	b = append(b, text...)
	if verbosity == Quiet {
		return b
	}
	b = a.appendSide(b)
	if a.Note != "" {
		b = append(append(b, " - "...), a.Note...)
	}
	if a.Value != 0 {
		b = strconv.AppendInt(append(b, " - VAL="...), int64(a.Value), 10)
	}
	if a.Message != nil {
		b = appendStart(append(b, " - "...), a.Message)
	}
	if verbosity >= Minimal {
		b = a.appendObjects(b)
	}
	if verbosity >= Simple && a.Session != nil {
		b = append(append(b, " src="...), a.Session.Client().String()...)
		b = append(append(b, " dst="...), a.Session.Local().String()...)
	}
	if verbosity >= Advanced && a.Message != nil {
		b = appendFields(b, a.Message)
	}
	return b
}

// appendSide tells whose connection it is: " : [F(fe)]", " : [B(be/s1)]", " : [H] SRV=be/s1".
func (a *About) appendSide(b []byte) []byte {
	switch {
	case a.Side == 'H':
		b = append(append(b, " : [H] SRV="...), a.Back.Name...)
		return append(append(b, '/'), a.Server.Name...)
	case a.Side == 'B' && a.Back != nil:
		b = append(append(b, " : [B("...), a.Back.Name...)
		if a.Server != nil {
			b = append(append(b, '/'), a.Server.Name...)
		}
		return append(b, ")]"...)
	case a.Front != nil:
		return append(append(append(b, " : [F("...), a.Front.Name...), ")]"...)
	}
	return b
}

// appendStart writes the first line of a message between quotes.
func appendStart(b []byte, m *message.Message) []byte {
	b = append(b, '"')
	for i := range m.Line {
		if i > 0 && m.Line[i].Len > 0 {
			b = append(b, ' ')
		}
		b = append(b, m.Bytes(m.Line[i])...)
	}
	return append(b, '"')
}

// appendFields writes the headers of a message, a line each.
func appendFields(b []byte, m *message.Message) []byte {
	for i := range m.Fields {
		b = append(append(b, "\n\t"...), m.Name(i)...)
		b = append(append(b, ": "...), m.Value(i)...)
	}
	return b
}

// appendObjects tells the names of what the event is about.
func (a *About) appendObjects(b []byte) []byte {
	if a.Front != nil {
		b = append(append(b, " - fe="...), a.Front.Name...)
	}
	if a.Back != nil && a.Back != a.Front {
		b = append(append(b, " be="...), a.Back.Name...)
	}
	if a.Server != nil {
		b = append(append(b, " srv="...), a.Server.Name...)
	}
	if a.Session != nil {
		b = strconv.AppendUint(append(b, " sess="...), a.Session.ID, 10)
	}
	if a.Stream != nil {
		b = strconv.AppendUint(append(b, " strm="...), a.Stream.ID, 10)
	}
	return b
}
