package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"io"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/runtime/loop"
)

// Conn is the TLS side of one connection on a loop: a transport.Layer, and the
// runtime.TLSState of its session.
//
// The record layer is that of crypto/tls, which reads and writes a net.Conn: the
// methods of wire. Its Read only ever gets whole records, so that it never waits in
// the middle of one; its Write queues. The handshake cannot be broken off and
// resumed, so it runs as a coroutine, which yields when it wants bytes or waits
// for a private key, and is resumed by the loop's thread alone.
type Conn struct {
	sock     *loop.Socket
	loop     *loop.Loop
	up       loop.Handler
	of       *Context
	name     string // the name that the server is asked for
	protocol string // and the protocol; "": the Context's
	tls      *tls.Conn
	info     sample.TLS // filled at the end of the handshake

	peers  []*x509.Certificate // that the other side has shown, its own the first
	root   *x509.Certificate   // that they lead to, or the last one on the way
	seen   opening
	unique []byte // tls-unique (RFC 5929)
	group  tls.CurveID
	fault  *fault   // that the handshake failed for; nil: none, or one without a number
	site   *site    // what the client was shown
	judged verdict  // what came out of looking at its certificates
	hello  arranged // of the client, while the server chooses from it

	client bool     // the other side is a server
	checks bool     // it is a health check
	offers []string // protocols, of a health check
	phase  phase
	want   bool // the owner receives
	ended  bool // the owner was told the end of receiving
	broken bool // sending has failed
	bye    bool // close_notify is sent

	in    []*loop.Buffer // received, not yet read by tls
	inEnd error          // why nothing more comes
	rest  bool           // tls may hold clear text of a record that is larger than a buffer
	left  int            // bytes of the record at the head of in that tls has begun to read

	out     *loop.Buffer // records on their way to the socket, with room for more
	clear   []piece      // to be encrypted
	pending int          // bytes of clear
	luggage []byte       // of in, on its way to another loop
	later   loop.Task    // encrypts, or delivers, in the end of the turn

	// The handshake.
	run     *loop.Coroutine
	err     error // its outcome
	job     *job  // what it waits for; nil: bytes
	alerted bool  // the peer has sent an alert in clear
	alert   uint8
	first   firstRecord
	records uint16   // version of the records that refuse a client
	renewal *renewal // of a connection that stands; nil: none
}

// phase is how far a Conn is.
type phase uint8

const (
	idle    phase = iota // a connection to a server that does not stand yet
	shaking              // the handshake runs
	open                 // bytes flow
	failed               // the handshake has failed
	closed               // nothing is left
)

// maxRecord is how many bytes of clear text a record holds at most.
const maxRecord = 16384

// smallInput is the size up to which received bytes are copied behind others that wait
// for the end of a record: a peer that sends byte by byte shall not hold a buffer for each.
const smallInput = 2048

// piece is a part of what is to be encrypted: a buffer, or bytes that nobody changes.
type piece struct {
	b *loop.Buffer
	p []byte
}

// Start begins; see transport.Layer.
func (c *Conn) Start(sock *loop.Socket, l *loop.Loop, up loop.Handler) {
	c.sock, c.loop, c.up = sock, l, up
	c.later.Init(c)
	c.of.opened(c)
	if !c.client {
		c.tls = tls.Server((*wire)(c), c.of.config)
		c.shake()
	}
}

// shake begins the handshake.
func (c *Conn) shake() {
	c.phase = shaking
	c.run = c.loop.Coroutine(func() { c.err = c.tls.Handshake() })
	c.sock.Receive()
}

// step runs the handshake as far as it gets.
func (c *Conn) step() {
	more := c.run.Resume()
	c.push()
	if more {
		return
	}
	c.run = nil
	if c.renewal != nil {
		c.renewed()
		return
	}
	if c.err != nil {
		c.phase = failed
		c.of.shaken(c)
		if c.client {
			c.agreedSoFar()
		}
		err := c.failure()
		c.fault, _ = err.(*fault)
		c.up.Connected(err)
		return
	}
	c.phase = open
	c.settled()
	c.of.shaken(c)
	if !c.want {
		c.sock.Pause()
	}
	c.up.Connected(nil)
	c.deliver()
}

// Connected ends the attempt to connect to a server: its handshake begins.
func (c *Conn) Connected(err error) {
	if err != nil {
		c.phase = failed
		c.of.shaken(c)
		c.up.Connected(err)
		return
	}
	if most := c.of.most; most > 0 && c.of.stats.TLSConns.Load() > int64(most) { // this one is counted
		c.phase = failed
		c.up.Connected(errTooMany)
		return
	}
	c.tls = tls.Client((*wire)(c), c.forServer())
	c.shake()
	c.step()
}

// Received is what the peer sends.
func (c *Conn) Received(b *loop.Buffer, err error) {
	if b != nil {
		c.keep(b)
	} else {
		c.inEnd = err
	}
	switch {
	case c.phase == open:
		c.deliver()
	case c.phase == shaking && c.job == nil && c.ready():
		c.step()
	}
}

// keep queues received bytes.
func (c *Conn) keep(b *loop.Buffer) {
	if n := len(c.in); n > 0 && len(b.Data) <= smallInput {
		if last := c.in[n-1]; len(last.Room()) >= len(b.Data) {
			last.Data = append(last.Data, b.Data...)
			b.Release()
			return
		}
	}
	c.in = append(c.in, b)
}

// recordHead is the length of what stands before each record: its type, its version
// and its length.
const recordHead = 5

// ready tells whether tls has something to read: a whole record, or what can be none
// and is an error, or the end.
func (c *Conn) ready() bool {
	if c.left > 0 || c.inEnd != nil {
		return true
	}
	have := 0
	var head [recordHead + 2]byte
	for _, b := range c.in {
		if have < len(head) {
			copy(head[have:], b.Data)
		}
		have += len(b.Data)
	}
	if have == 0 {
		return false
	}
	opens := c.phase == shaking && !c.client && !c.first.whole
	if opens {
		if c.first.look(head[:], have); c.first.wait {
			return false
		}
		if name := versionName(c.first.version); name != "" && !c.first.readAsTLS12() {
			c.info.Version = []byte(name) // until more is known
		}
	}
	if have > 1 && head[1] != 3 || !opens && (head[0] < changeCipherSpecRecord || head[0] > applicationDataRecord) {
		if opens && head[0] == handshakeRecord {
			c.fault = errNoVersion
		}
		c.left = have
		return true
	}
	if have < recordHead {
		return false
	}
	n := recordHead + int(head[3])<<8 + int(head[4])
	if n > recordHead+maxRecord+2048 {
		c.left = have
		return true
	}
	if have < n {
		return false
	}
	c.left = n
	c.first.whole = true
	switch {
	case c.renewal != nil:
		c.renewal.see(head[0])
	case c.phase == shaking && head[0] == handshakeRecord:
		c.observe(c.record(n))
	}
	if head[0] == alertRecord && n == recordHead+2 && c.begun() {
		c.alerted, c.alert = true, head[recordHead+1]
	}
	return true
}

// record is the record of n bytes at the head of what was received.
func (c *Conn) record(n int) []byte {
	if len(c.in[0].Data) >= n {
		return c.in[0].Data[:n]
	}
	var b []byte
	for _, part := range c.in {
		b = append(b, part.Data...)
	}
	return b[:n]
}

// deliver decrypts what is there, as long as the owner receives.
func (c *Conn) deliver() {
	for c.want && c.phase == open && !c.ended && (c.rest || c.ready()) {
		if c.asksAnew() {
			c.renew()
			return
		}
		b := c.loop.Buffer()
		err := c.decrypt(b)
		c.push() // the answer to a change of keys, or an alert
		if len(b.Data) > 0 {
			c.up.Received(b, nil)
		} else {
			b.Release()
		}
		if err != nil && c.phase == open {
			c.tellEnd(err)
			return
		}
	}
}

// decrypt fills b with the clear text of records that are there, as long as it has room for
// whole ones. What does not fit of the first one stays with tls.
func (c *Conn) decrypt(b *loop.Buffer) error {
	for c.rest || c.ready() && !c.asksAnew() {
		room := len(b.Room())
		most := min(max(c.left-recordHead, 0), maxRecord)
		if len(b.Data) > 0 && room < most {
			return nil
		}
		n, err := c.tls.Read(b.Room())
		b.Grow(n)
		c.rest = n == room && (c.rest || room < most)
		if err != nil && err != errWant {
			return err
		}
		if n == room {
			return nil
		}
	}
	return nil
}

// tellEnd tells the owner that nothing more comes, now or as soon as he receives.
func (c *Conn) tellEnd(err error) {
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	if _, known := err.(unix.Errno); !known && err != io.EOF {
		c.fault = broken(err)
		err = unix.EPROTO // a record that cannot be read, or an alert
	}
	if !c.want {
		c.inEnd = err
		return
	}
	c.ended = true
	c.dropInput()
	c.up.Received(nil, err)
}

// SetHandler gives the connection another owner.
func (c *Conn) SetHandler(up loop.Handler) { c.up = up }

// Receive makes clear bytes come.
func (c *Conn) Receive() {
	if c.want {
		return
	}
	c.want = true
	if c.phase != open {
		return
	}
	c.sock.Receive()
	if !c.ended && (c.rest || c.ready()) {
		c.loop.RunLater(&c.later)
	}
}

// Pause stops them.
func (c *Conn) Pause() {
	if !c.want {
		return
	}
	c.want = false
	if c.phase == open {
		c.sock.Pause()
	}
}

// Send takes clear bytes. They are encrypted in the end of the turn: what was sent in
// pieces goes into one record then.
func (c *Conn) Send(b *loop.Buffer) {
	if len(b.Data) == 0 || c.broken || c.bye || c.phase >= failed {
		b.Release()
		return
	}
	c.queue(piece{b: b, p: b.Data})
}

// SendStatic takes clear bytes that nobody changes.
func (c *Conn) SendStatic(p []byte) {
	if len(p) > 0 && !c.broken && !c.bye && c.phase < failed {
		c.queue(piece{p: p})
	}
}

func (c *Conn) queue(p piece) {
	c.clear = append(c.clear, p)
	c.pending += len(p.p)
	c.loop.RunLater(&c.later)
}

// Queued is what is not in the socket's hands yet.
func (c *Conn) Queued() int {
	n := c.pending
	if c.out != nil {
		n += len(c.out.Data)
	}
	return n
}

// RunTask does what was put off to the end of the turn.
func (c *Conn) RunTask(*loop.Task) {
	if c.phase != open {
		return
	}
	c.encrypt()
	c.deliver()
}

// encrypt turns what is queued into records. Pieces that fit into one record together
// are gathered.
func (c *Conn) encrypt() {
	if len(c.clear) == 0 || c.phase != open {
		return
	}
	most := c.of.maxRecord
	for at := 0; at < len(c.clear); {
		end, n := at+1, len(c.clear[at].p)
		for end < len(c.clear) && n+len(c.clear[end].p) <= min(most, c.loop.BufSize()) {
			n += len(c.clear[end].p)
			end++
		}
		if end == at+1 {
			c.write(c.clear[at].p, most)
		} else {
			b := c.loop.Buffer()
			for _, p := range c.clear[at:end] {
				b.Data = append(b.Data, p.p...)
			}
			c.write(b.Data, most)
			b.Release()
		}
		at = end
	}
	c.dropOutput()
	c.push()
}

// write encrypts p, in records of at most so many bytes.
func (c *Conn) write(p []byte, most int) {
	for len(p) > 0 {
		n := min(len(p), most)
		if _, err := c.tls.Write(p[:n]); err != nil {
			return // an alert has ended the connection: receiving tells
		}
		p = p[n:]
	}
}

// push hands the records to the socket.
func (c *Conn) push() {
	if c.out != nil && c.sock.IsOpen() {
		c.sock.Send(c.out)
		c.out = nil
	}
}

// Sent passes the answer to NotifySent on, or the end of sending.
func (c *Conn) Sent(err error) {
	if err != nil {
		c.broken = true
		c.dropOutput()
		if c.phase == shaking {
			return // the end of receiving tells it
		}
	}
	c.up.Sent(err)
}

// Shutdown encrypts what is queued and says goodbye.
func (c *Conn) Shutdown() {
	if c.phase != open || c.bye {
		return
	}
	c.encrypt()
	c.bye = true
	if !c.broken {
		c.tls.CloseWrite()
		c.push()
	}
}

// Drop gives everything back.
func (c *Conn) Drop() {
	if c.phase == closed {
		return
	}
	shook := c.phase == shaking
	c.phase = closed
	if shook {
		c.job = nil
		c.run.Cancel()
		c.run = nil
	}
	c.dropInput()
	c.dropOutput()
	if c.out != nil {
		c.out.Release()
		c.out = nil
	}
	c.of.closed()
}

// Moved goes on with the same socket in another place.
func (c *Conn) Moved(sock *loop.Socket) { c.sock = sock }

// Lift sends what is to be sent and keeps what was received, off the loop.
func (c *Conn) Lift() {
	c.encrypt()
	for _, b := range c.in {
		c.luggage = append(c.luggage, b.Data...)
	}
	left := c.left
	c.dropInput()
	c.left = left
	c.want = false
	c.sock, c.up = nil, nil
}

// Land goes on upon another loop. What waits comes with the first Receive.
func (c *Conn) Land(sock *loop.Socket, l *loop.Loop, up loop.Handler) {
	c.sock, c.loop, c.up = sock, l, up
	for p := c.luggage; len(p) > 0; {
		b := l.Buffer()
		b.Grow(copy(b.Room(), p))
		p = p[len(b.Data):]
		c.in = append(c.in, b)
	}
	c.luggage = nil
}

func (c *Conn) dropInput() {
	for i, b := range c.in {
		b.Release()
		c.in[i] = nil
	}
	c.in, c.left = c.in[:0], 0
}

func (c *Conn) dropOutput() {
	for i, p := range c.clear {
		if p.b != nil {
			p.b.Release()
		}
		c.clear[i] = piece{}
	}
	c.clear, c.pending = c.clear[:0], 0
}
