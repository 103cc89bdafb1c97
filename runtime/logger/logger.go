// Package logger writes logs: the lines of streams by their formats, messages about
// proxies and servers, and the syslog protocol in all its formats (manual sections 3.1
// "log", 4.2 "log" and 8).
//
// A line of a stream is built in a buffer of its loop and sent by one system call to
// each target; nothing is allocated and nothing waits.
package logger

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/logger/syslog"
)

// Levels of messages, as syslog numbers them.
const (
	Emerg = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

// Logger is what the process needs to log. It is runtime.Config.Logger.
type Logger struct {
	config  *runtime.Config
	host    string // name of the machine, for %H
	process int
	pid     []byte // the same, as headers have it
	tag     []byte // of proxies without one of their own
	loops   []*scribe
	outlets []outlet // by loop; the last one is of calls from outside the loops
	global  *plan    // of the global section

	alert      func(text string) // prints what the process has to say; nil: nobody listens
	complained atomic.Bool       // of a target

	mu     sync.Mutex // guards shared
	shared *scribe    // of everything outside the loops
}

// current is the Logger that messages about no proxy go to.
var current atomic.Pointer[Logger]

// scribe is what one loop writes with.
type scribe struct {
	logger   *Logger
	loop     int // -1: the shared one
	line     []byte
	sd       []byte
	dates    dates
	heads    []head         // by target.index
	other    []byte         // a line by a profile
	tagged   head           // a header with the tag of a profile
	own      syslog.Message // what makes a header of our own
	received syslog.Message // to be sent on
	host     []byte         // its host
	foreign  []byte         // its header
	spare    runtime.Stream // stands for a connection that never became a stream
	scratch  *sample.Scratch
}

// plan is how a proxy logs. It is runtime.Proxy.Logger and does not change.
type plan struct {
	logger  *Logger
	targets []*target
	format  *logformat.Format // nil: connections are announced when they come
	sd      *logformat.Format // structured data of RFC 5424
	failed  *logformat.Format // of connections that ended in an error before there was a stream
	wait    logformat.Need    // what the formats wait for
	steps   uint32            // of "log-steps"
}

// target is one target of one proxy.
type target struct {
	*runtime.LogTarget
	index  int // among all of the process
	form   runtime.LogFormat
	host   []byte
	tag    []byte
	sink   *Sink              // of a ring
	sample *runtime.LogSample // of this proxy alone; nil: all are sent
}

// asked is the format that the configuration wants: that of a ring prevails over that of the line.
func (t *target) asked() runtime.LogFormat {
	if t.sink != nil && t.sink.form != runtime.LogUnset {
		return t.sink.form
	}
	return t.Format
}

// Start opens the targets of all proxies and reads the time zone; loops is how many
// loops will log, alert prints what the process has to say. It is called before the
// process loses sight of its files (chroot) and its rights.
func Start(cfg *runtime.Config, loops int, alert func(text string)) error {
	time.Now().Zone() // reads the time zone's file, which a chroot hides
	l := &Logger{config: cfg, alert: alert, process: os.Getpid(), tag: []byte(cfg.Global.LogTag)}
	l.pid = strconv.AppendInt(nil, int64(l.process), 10)
	l.host, _ = os.Hostname()
	if len(l.tag) == 0 {
		l.tag = []byte(filepath.Base(os.Args[0]))
	}
	for range loops + 1 {
		l.outlets = append(l.outlets, outlet{ip4: -1, ip6: -1, unix: -1})
	}
	if err := l.openBackends(); err != nil {
		return err
	}
	l.global = l.newPlan(cfg.Global.Logs, "")
	targets := l.global.targets
	for _, px := range slices.Concat(cfg.Proxies, cfg.Peers, cfg.Apps, cfg.Agents) {
		p := l.newPlan(px.Logs, px.LogTag)
		p.follow(px)
		px.Logger = p
		targets = append(targets, p.targets...)
	}
	for _, px := range cfg.Forwards {
		p := l.newPlan(px.Logs, "")
		for _, t := range p.targets {
			t.form = t.asked() // what is not said, messages decide
		}
		px.Logger = p
		targets = append(targets, p.targets...)
	}
	for i, t := range targets {
		t.index = i
		if t.Sender == nil {
			s, err := l.newSender(t.LogTarget)
			if err != nil {
				return fmt.Errorf("log %s: %w", t.Text, err)
			}
			t.Sender = s
		}
	}
	for i := range loops {
		l.loops = append(l.loops, newScribe(l, i, len(targets)))
	}
	l.shared = newScribe(l, -1, len(targets))
	for _, x := range Sinks(cfg) {
		x.open()
	}
	cfg.Logger = l
	current.Store(l)
	return nil
}

// Join makes the plan of a backend that was added while the process runs. Only messages
// about the backend go by it: streams are logged by their frontend. A target that cannot
// be opened any more gets nothing.
func Join(cfg *runtime.Config, px *runtime.Proxy) {
	l, ok := cfg.Logger.(*Logger)
	if !ok {
		return
	}
	p := l.newPlan(px.Logs, px.LogTag)
	p.follow(px)
	l.mu.Lock()
	defer l.mu.Unlock()
	p.targets = slices.DeleteFunc(p.targets, func(t *target) bool {
		if t.Sender == nil {
			s, err := l.newSender(t.LogTarget)
			if err != nil {
				return true
			}
			t.Sender = s
		}
		t.index = len(l.shared.heads)
		l.shared.heads = append(l.shared.heads, head{})
		return false
	})
	px.Logger = p
}

// JoinInner makes the plan of a proxy that serves requests of the program's own: it logs to the global targets.
func JoinInner(cfg *runtime.Config, px *runtime.Proxy) {
	if l, ok := cfg.Logger.(*Logger); ok {
		p := &plan{logger: l, targets: l.global.targets}
		p.follow(px)
		px.Logger = p
	}
}

func (l *Logger) newPlan(logs []*runtime.LogTarget, tag string) *plan {
	p := &plan{logger: l}
	own := l.tag
	if tag != "" {
		own = []byte(tag)
	}
	for _, lt := range logs {
		t := &target{LogTarget: lt, host: []byte(l.config.Global.LogHost), tag: own}
		if lt.IsRing {
			t.sink = sinksOf(l.config).named(lt.Ring)
		}
		if t.form = t.asked(); t.form == runtime.LogUnset {
			t.form = runtime.LogLocal
			if len(t.host) > 0 {
				t.form = runtime.LogRFC3164 // the local format has no place for it
			}
		}
		if lt.Sample != nil {
			t.sample = &runtime.LogSample{Ranges: lt.Sample.Ranges, Size: lt.Sample.Size}
		}
		p.targets = append(p.targets, t)
	}
	return p
}

// follow takes the formats of a proxy.
func (p *plan) follow(px *runtime.Proxy) {
	if p.steps = 0; stepped(px) {
		p.steps = px.LogSteps
	}
	p.format, p.sd, p.failed = px.LogFormat.Format, px.LogFormatSD.Format, px.ErrorFormat.Format
	p.wait = needs(px)
	if px.Options&runtime.OptLogAsap != 0 {
		p.wait &^= logformat.NeedBytes
	}
}

func newScribe(l *Logger, loop, targets int) *scribe {
	w := &scribe{logger: l, loop: loop, heads: make([]head, targets), scratch: sample.NewScratch(l.config.Global.Tune.BufSize)}
	w.line = make([]byte, 0, 2048)
	w.sd = make([]byte, 0, 256)
	w.spare.Config, w.spare.Loop = l.config, max(loop, 0)
	return w
}

// scribeOf gives the scribe of the loop that a stream lives on; nil before Start.
func scribeOf(s *runtime.Stream) *scribe {
	if s.Config == nil {
		return nil
	}
	l, ok := s.Config.Logger.(*Logger)
	if !ok || s.Loop >= len(l.loops) {
		return nil
	}
	return l.loops[s.Loop]
}

// Server writes a message about a proxy or one of its servers to the proxy's targets,
// or to the global ones without a proxy. It may be called from any goroutine.
func Server(level int, px *runtime.Proxy, format string, args ...any) {
	var p *plan
	if px != nil {
		p, _ = px.Logger.(*plan)
	} else if l := current.Load(); l != nil {
		p = l.global
	}
	if p == nil || len(p.targets) == 0 {
		return
	}
	l := p.logger
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.shared
	w.line = fmt.Appendf(w.line[:0], format, args...)
	p.send(w, level, time.Now().UnixMicro(), nil, w.line, nil, nil)
}

// Stop closes the sockets that Start opened, for a process that goes on without its
// configuration.
func Stop(cfg *runtime.Config) {
	l, ok := cfg.Logger.(*Logger)
	if !ok {
		return
	}
	current.CompareAndSwap(l, nil)
	plans := []*plan{l.global}
	for _, all := range [...][]*runtime.Proxy{cfg.Proxies, cfg.Forwards, cfg.Peers} {
		for _, px := range all {
			if p, ok := px.Logger.(*plan); ok {
				plans = append(plans, p)
			}
		}
	}
	for _, p := range plans {
		for _, t := range p.targets {
			if c, ok := t.Sender.(interface{ close() }); ok {
				c.close()
			}
			t.Sender = nil
		}
	}
	for i := range l.outlets {
		l.outlets[i].close()
	}
}
