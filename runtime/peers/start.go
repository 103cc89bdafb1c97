package peers

import (
	"slices"
	"sync"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/loop"
	"hapax/runtime/peers/exchange"
)

// Section is one as it runs.
type Section struct {
	name    string
	config  *runtime.Config
	proxy   *runtime.Proxy
	group   exchange.Group
	servers map[*exchange.Peer]*runtime.Server

	loop   *loop.Loop
	number int // of the loop
	timer  loop.Timer
	task   loop.Task
	here   loop.Addr      // where it listens
	stream runtime.Stream // what the words of server lines are evaluated on
	began  time.Time
	conns  map[*exchange.Session]*conn
	gone   chan struct{} // closed when the process need not wait for the section any more
	left   sync.Once
}

// Sections are those of a configuration, the one that was declared last first.
func Sections(cfg *runtime.Config) (all []*Section) {
	for _, px := range cfg.Peers {
		all = append(all, px.Peers.(*Section))
	}
	return all
}

// Home is which of n loops a section lives on: listeners of the first section accept on the last one.
func (s *Section) home(loops int) int {
	i := slices.Index(Sections(s.config), s)
	return (loops - 1 - i%loops) % loops
}

// LoopOf is which of n loops takes the connections of a peers section.
func LoopOf(px *runtime.Proxy, loops int) int { return px.Peers.(*Section).home(loops) }

// Start begins to connect to peers. reloaded tells that this process takes the place of another one, which will connect
// to it. The loops do not run yet.
func Start(cfg *runtime.Config, loops []*loop.Loop, reloaded bool) {
	for _, s := range Sections(cfg) {
		s.number = s.home(len(loops))
		s.loop = loops[s.number]
		s.gone, s.conns, s.began = make(chan struct{}), map[*exchange.Session]*conn{}, time.Now()
		s.group.Reloaded = reloaded
		s.group.Clock = func() int64 { return loop.Clock() / 1e6 }
		s.group.Dial, s.group.Gone = s.dial, s.leave
		s.here = s.listensAt()
		s.task.Init(s)
		s.loop.PostFunc(s.begin)
	}
}

// listensAt is where this process takes connections of peers, also the one that will take its place.
func (s *Section) listensAt() (at loop.Addr) {
	for _, ln := range s.proxy.Listeners {
		if to, err := dial.Target(&ln.Addr); err == nil {
			return to
		}
		if raw, err := ln.Sock.SyscallConn(); err == nil { // a descriptor that was inherited
			raw.Control(func(fd uintptr) { at, _ = loop.LocalAddr(int(fd)) })
		}
	}
	return at
}

// begin runs on the section's loop, as all below.
func (s *Section) begin() {
	s.timer.Init(s.loop, s)
	s.stream = runtime.Stream{Config: s.config, Front: s.proxy, Back: s.proxy, Session: &runtime.Session{Front: s.proxy}}
	s.stream.Ctx = sample.Context{Owner: &s.stream, Scratch: sample.NewScratch(s.config.Global.Tune.BufSize)}
	s.run()
}

// run does what is due.
func (s *Section) run() {
	next := s.group.Run()
	if next == 0 {
		s.timer.Stop()
		return
	}
	s.timer.Set(next * 1e6)
}

// Expired runs what is due by its time.
func (s *Section) Expired(*loop.Timer) { s.run() }

// RunTask looks for changes of tables.
func (s *Section) RunTask(*loop.Task) { s.run() }

// changed is called by whoever has changed a table.
func (s *Section) changed() {
	if s.loop != nil {
		s.loop.Post(&s.task)
	}
}

// Stop closes all connections, and tells the process that takes the place of this one what it knows. The channel is
// closed when that is done.
func Stop(cfg *runtime.Config) <-chan struct{} {
	all := Sections(cfg)
	for _, s := range all {
		s.loop.PostFunc(func() {
			s.group.Stop()
			s.run()
		})
	}
	over := make(chan struct{})
	go func() {
		for _, s := range all {
			<-s.gone
		}
		close(over)
	}()
	return over
}

func (s *Section) leave() { s.left.Do(func() { close(s.gone) }) }
