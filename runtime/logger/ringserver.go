package logger

import (
	"strconv"
	"syscall"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/logger/ring"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// forwarder sends the messages of a ring to one of its servers, as its loop has time to: a server that is slow or gone
// holds nobody up. It keeps one connection, and begins another one a second after the last attempt at the earliest.
type forwarder struct {
	ring *ring.Ring
	srv  *runtime.Server
	px   *runtime.Proxy // has the timeouts
	show bool           // it is the server of a log backend, and counts
	loop *loop.Loop
	at   int // index of the loop

	news  loop.Task  // messages came
	timer loop.Timer // the next attempt, or the end of patience with the connection
	begun int64      // the last attempt, by the clock of the loop

	conn   transport.Conn
	up     bool
	from   *ring.Reader   // made when the first connection stands, and held from then on
	sent   int            // messages on this connection
	queued int            // bytes that the kernel had not taken when patience began
	stream runtime.Stream // what the name of the server is evaluated on
}

const (
	forwardPause = time.Second
	forwardQueue = 16384 // bytes that are given to a connection at a time
)

// Forward begins to send the messages of rings to their servers, on loops that run.
func Forward(cfg *runtime.Config, loops []*loop.Loop) {
	n := 0
	for _, x := range Sinks(cfg) {
		if x.proxy == nil {
			continue
		}
		servers := x.proxy.Servers
		if x.only != nil {
			servers = []*runtime.Server{x.only}
		}
		for _, srv := range servers {
			f := &forwarder{ring: x.ring, srv: srv, px: x.proxy, show: x.only != nil, at: n % len(loops), loop: loops[n%len(loops)]}
			f.prepare(cfg)
			f.loop.PostFunc(f.connect)
			n++
		}
	}
}

func (f *forwarder) prepare(cfg *runtime.Config) {
	f.news.Init(f)
	f.timer.Init(f.loop, f)
	s := &f.stream
	s.Config, s.Session, s.Front, s.Back, s.Server, s.Loop = cfg, &runtime.Session{Front: f.px}, f.px, f.px, f.srv, f.at
	s.Ctx = sample.Context{Owner: s, Final: true, NotHTTP: true, Scratch: sample.NewScratch(cfg.Global.Tune.BufSize)}
	s.Ctx.Vars[sample.ProcScope] = cfg.ProcVars
}

// connect begins a connection.
func (f *forwarder) connect() {
	f.begun = f.loop.Now()
	f.countAttempt()
	srv := f.srv
	to, err := addressOf(srv)
	if err != nil {
		f.retry()
		return
	}
	fd, err := dial.Socket(f.stream.Config, srv, to, &dial.Wish{})
	if err != nil {
		f.retry()
		return
	}
	var layer transport.Layer
	if srv.Encrypted() {
		maker := srv.TLS.(transport.Maker)
		layer = maker.Client(string(maker.Name(&f.stream)), "")
	}
	f.stream.ServerAddr = srv.Addr.Load().IP
	if srv.Socks.IsValid() {
		layer = transport.Via(&f.conn, f.stream.ServerAddr, layer)
		proxy := loop.AddrFrom(srv.Socks)
		to = &proxy
	}
	f.sent = 0
	f.conn.Connect(f.loop, fd, to, f, layer)
	if d := f.px.Timeout.Connect; d > 0 {
		f.timer.After(d)
	}
}

// addressOf is where a server is now.
func addressOf(srv *runtime.Server) (*loop.Addr, error) {
	a := srv.Addr.Load()
	var to loop.Addr
	var err error
	switch a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		to = loop.AddrFrom(a.IP)
	case runtime.FamilyAbstractZ:
		to, err = loop.UnixAddr("\x00" + a.Path)
	case runtime.FamilyAbstract:
		name := make([]byte, unixPathLen)
		copy(name[1:], a.Path)
		to, err = loop.UnixAddr(string(name))
	case runtime.FamilyUnix:
		to, err = loop.UnixAddr(a.Path)
	default:
		err = syscall.EADDRNOTAVAIL
	}
	return &to, err
}

// unixPathLen is the length of an abstract name that fills the whole address.
const unixPathLen = 107

// countAttempt counts a session, as all are that ask a server for a connection.
func (f *forwarder) countAttempt() {
	f.stream.Config.Stats.OpenStream()
	if !f.show {
		return
	}
	own, back := &f.srv.Stats[f.at], &f.px.Live.Back[f.at]
	own.Sess.Inc()
	own.Connects.Inc()
	back.Connects.Inc()
	f.srv.Current.Enter(&own.Active)
	f.srv.Rate.Inc(&own.Rate, f.loop.Now()/1e6)
	now := f.loop.Wall() / 1e9
	f.srv.LastSess.Store(now)
	f.px.Live.LastSess.Store(now)
}

// countEnd counts the end of a session.
func (f *forwarder) countEnd() {
	f.stream.Config.Stats.CloseStream()
	if !f.show {
		return
	}
	own := &f.srv.Stats[f.at]
	f.srv.Current.Leave(&own.Active)
	if !f.up {
		own.FailedConn.Inc()
		f.px.Live.Back[f.at].FailedConn.Inc()
	}
}

// retry ends the connection and begins another one when it is time.
func (f *forwarder) retry() {
	if f.conn.IsOpen() {
		f.conn.Abort()
	}
	f.countEnd()
	f.up = false
	f.timer.After(max(forwardPause-time.Duration(f.loop.Now()-f.begun), time.Millisecond))
}

// Expired is the time of the next attempt, or the end of patience with a server that has taken nothing since.
func (f *forwarder) Expired(*loop.Timer) {
	if !f.conn.IsOpen() {
		f.connect()
		return
	}
	switch queued := f.conn.Queued(); {
	case f.up && queued == 0:
	case f.up && queued != f.queued:
		f.queued = queued
		f.timer.After(f.px.Timeout.Server)
	default:
		f.retry()
	}
}

// Connected implements loop.Handler.
func (f *forwarder) Connected(err error) {
	if err != nil {
		f.retry()
		return
	}
	f.timer.Stop()
	f.up = true
	f.conn.Receive()
	if f.from == nil {
		f.from = f.ring.Attach(false, func() { f.loop.Post(&f.news) })
	}
	f.send()
}

// RunTask sends messages that came.
func (f *forwarder) RunTask(*loop.Task) {
	if f.up && f.conn.Queued() == 0 {
		f.send()
	}
}

// Sent implements loop.Handler.
func (f *forwarder) Sent(err error) {
	if err != nil {
		f.retry()
		return
	}
	f.timer.Stop()
	f.send()
}

// send gives the connection a buffer of messages. When it has taken them, more follow.
func (f *forwarder) send() {
	var out []byte
	for len(out) < forwardQueue && !f.used() {
		at := len(out)
		var ok bool
		if out, ok = f.from.Next(out); !ok {
			break
		}
		out = f.frame(out, at)
		f.sent++
	}
	if len(out) > 0 {
		f.conn.SendStatic(out)
	}
	switch {
	case f.used():
		f.conn.Close(f.px.Timeout.Server)
		f.retry()
	case len(out) > 0:
		f.conn.NotifySent(0)
		if d := f.px.Timeout.Server; d > 0 {
			f.queued = f.conn.Queued()
			f.timer.After(d)
		}
	}
}

// frame makes of the message behind at what is sent of it.
func (f *forwarder) frame(out []byte, at int) []byte {
	if !f.srv.LogOctets {
		return append(out, '\n')
	}
	var digits [20]byte
	size := append(strconv.AppendInt(digits[:0], int64(len(out)-at), 10), ' ')
	out = append(out, size...)
	copy(out[at+len(size):], out[at:])
	copy(out[at:], size)
	return out
}

// used tells whether the connection has carried as many messages as it may.
func (f *forwarder) used() bool { return f.srv.MaxReuse >= 0 && f.sent > f.srv.MaxReuse }

// Received implements loop.Handler: what servers say is not listened to, but for the end.
func (f *forwarder) Received(b *loop.Buffer, err error) {
	if b != nil {
		b.Release()
		return
	}
	f.retry()
}
