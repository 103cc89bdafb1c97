package logger

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger/ring"
)

// open makes the ring of a sink, unless it was made with its file.
func (x *Sink) open() {
	if x.kind == "buffer" && x.ring == nil {
		x.ring = ring.New(int(x.size))
	}
}

// Sinks are those of a configuration, in their order.
func Sinks(cfg *runtime.Config) []*Sink { return sinksOf(cfg).all }

// SinkNamed finds one; nil: there is none.
func SinkNamed(cfg *runtime.Config, name string) *Sink { return sinksOf(cfg).named(name) }

// SinkToBe finds one that may be declared further below, for what stands at pos.
func SinkToBe(cfg *runtime.Config, name, what string, pos ast.Pos) *Sink {
	all := sinksOf(cfg)
	x := all.named(name)
	if x == nil {
		x = &Sink{Name: name, Desc: diag.At(pos, "%s", what)}
		all.all = append(all.all, x)
	}
	return x
}

func (x *Sink) declared() bool { return x.kind != "" }

// CheckSinks refuses the first of those that were never declared.
func CheckSinks(l *config.Loader) {
	for _, x := range Sinks(l.Config) {
		if !x.declared() {
			l.List.Alertf(ast.Pos{}, "%s: sink '%s' doesn't exist.", x.Desc, x.Name)
			return
		}
	}
}

// Dropped is how many messages were dropped, as the reference shows it, whose lowest bit is a lock.
func (x *Sink) Dropped() uint64 {
	if x.ring == nil {
		return 0
	}
	return 2 * x.ring.Dropped()
}

// stdio are the descriptors of sinks that are no rings.
var stdio = map[string]int{"stdout": unix.Stdout, "stderr": unix.Stderr}

// Write gives the sink a message that comes from no log target. Any goroutine may call it. What a descriptor does not take
// at once is lost.
func (x *Sink) Write(message []byte) {
	if x.ring == nil {
		unix.Write(stdio[x.Name], append(message, '\n'))
		return
	}
	l := current.Load()
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	form := x.form
	if form == runtime.LogUnset {
		form = runtime.LogRaw
	}
	t := &target{LogTarget: &runtime.LogTarget{}, form: form}
	x.ring.Write(l.shared.header(&head{second: -1}, t, nil, Emerg, time.Now().UnixMicro()), message)
}

// Attach gives a reader of the messages that are kept, or of those that come from now on; nil: none are kept, or too many
// read them.
func (x *Sink) Attach(fresh bool) *ring.Reader {
	if x.ring == nil {
		return nil
	}
	return x.ring.Attach(fresh, nil)
}

// ringSender is how messages come into the ring of a sink.
func ringSender(x *Sink) runtime.LogSender {
	x.open()
	return x
}

// Send implements runtime.LogSender. Messages that were dropped before are told of first; the ring counts them.
func (x *Sink) Send(_, limit int, head, sd, body []byte) unix.Errno {
	if n := x.ring.Dropped(); n > 0 {
		if !x.ring.Write(noticed(head), droppedText(n)) {
			return 0 // one more is counted: the message
		}
		x.ring.Told(n)
	}
	most := min(limit-1, int(x.maxLen)) // the line feed counts
	parts := [...][]byte{head, sd, body}
	for i, p := range parts {
		parts[i] = p[:min(len(p), most)]
		most -= len(parts[i])
	}
	x.ring.Write(parts[:]...)
	return 0
}

// droppedText has a zero behind it, as ever.
func droppedText(n uint64) []byte {
	if n == 1 {
		return []byte("1 event dropped\x00")
	}
	return append(strconv.AppendUint(nil, n, 10), " events dropped\x00"...)
}

// noticed is a header with the level "notice" in the place of its own.
func noticed(head []byte) []byte {
	number, rest, found := bytes.Cut(head, []byte(">"))
	if n, err := strconv.Atoi(strings.TrimPrefix(string(number), "<")); found && err == nil {
		return append(priority(nil, int32(n&^7|Notice)), rest...)
	}
	return head
}

// ofTarget makes the ring in which the messages of a target wait whose address is that of a stream socket.
func (s *sinks) ofTarget(t *runtime.LogTarget) {
	s.streams++
	t.Ring, t.IsRing = fmt.Sprintf("ring#%d", s.streams), true
	pos := ast.Pos{File: t.File, Line: t.Line}
	px := &runtime.Proxy{Name: t.Ring, Kind: "backend", Caps: runtime.CapBack, Pos: pos}
	px.Timeout.Connect, px.Timeout.Server = targetConnect, targetServer
	srv := &runtime.Server{Proxy: px, Name: t.Ring, Pos: pos, MaxReuse: -1}
	srv.Addr.Store(&t.Addr)
	px.Servers = []*runtime.Server{srv}
	desc := fmt.Sprintf("created from log directive declared into '%s' at line %d", t.File, t.Line)
	s.all = append(s.all, &Sink{Name: t.Ring, Desc: desc, kind: "buffer", size: defaultRingSize, maxLen: math.MaxUint32, proxy: px})
}

// ofServer makes the ring in which messages wait for a server of a log backend.
func (s *sinks) ofServer(srv *runtime.Server) {
	desc := fmt.Sprintf("created from log backend declared into '%s' at line %d", srv.Pos.File, srv.Pos.Line)
	size := uint64(cmp.Or(srv.LogBufSize, defaultRingSize))
	s.all = append(s.all, &Sink{Name: sinkOfServer(srv), Desc: desc, kind: "buffer", size: size, maxLen: math.MaxUint32, proxy: srv.Proxy, only: srv})
}

// Timeouts of the connections for targets that are stream sockets.
const (
	targetConnect = time.Second
	targetServer  = 5 * time.Second
)
