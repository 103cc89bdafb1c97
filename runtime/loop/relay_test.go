package loop

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// relayed counts what a relay tells.
type relayed struct {
	n, spliced int
	then       func()
}

func (m *relayed) Relayed(n int, spliced bool) {
	m.n += n
	if spliced {
		m.spliced += n
	}
	if m.then != nil {
		m.then()
	}
}

// relayRig is client <- proxy <- server: the relay goes from `in` to `out`.
type relayRig struct {
	server, in, out, client *end
}

func newRelayRig(r *rig) *relayRig {
	k := &relayRig{}
	k.server, k.in = r.ends()
	k.out, k.client = r.ends()
	return k
}

func (k *relayRig) close() {
	for _, e := range []*end{k.server, k.in, k.out, k.client} {
		e.Close(0)
	}
}

// noise is n bytes that tell where they belong.
func noise(n int) []byte {
	rnd := rand.NewChaCha8([32]byte{1})
	p := make([]byte, n)
	rnd.Read(p)
	return p
}

// TestRelay passes a part of a stream on: the bytes before come from the owner, those behind go to him.
func TestRelay(t *testing.T) {
	const before, body, behind = 1000, 3 << 20, 5000
	onEngines(t, Options{Pipes: 1}, func(r *rig) {
		k := newRelayRig(r)
		all := noise(before + body + behind)
		var got, rest []byte
		m := &relayed{}
		first := true
		var ended func()
		k.in.received = func(b *Buffer, err error) {
			if err != nil {
				r.fail("Received(%v)", err)
				return
			}
			if first {
				first = false
				n := len(b.Data)
				k.out.Send(b)
				if !k.in.Relay(&k.out.Socket, int64(before+body-n), m) {
					r.fail("no relay")
				}
				m.n = n - before
				return
			}
			rest = append(rest, b.Data...)
			b.Release()
			ended()
		}
		ended = func() {
			if len(got) < before+body || len(rest) < behind {
				return
			}
			if !bytes.Equal(got, all[:before+body]) || !bytes.Equal(rest, all[before+body:]) {
				r.fail("other bytes came")
			}
			if m.n != body || m.spliced == 0 || k.in.Relaying() {
				r.fail("%d bytes relayed, %d spliced; goes on: %v", m.n, m.spliced, k.in.Relaying())
			}
			k.close()
			r.done()
		}
		k.client.received = func(b *Buffer, err error) {
			if err != nil {
				r.fail("Received(%v)", err)
				return
			}
			got = append(got, b.Data...)
			b.Release()
			ended()
		}
		k.in.Receive()
		k.client.Receive()
		k.server.sendBytes(all)
	})
}

// TestRelayHeld ends in the middle of what was received while the owner had paused: he gets the rest in its order.
func TestRelayHeld(t *testing.T) {
	onEngines(t, Options{Pipes: 1}, func(r *rig) {
		k := newRelayRig(r)
		for _, text := range []string{"one, t", "wo, ", "three"} {
			b := r.Buffer()
			b.Data = append(b.Data, text...)
			k.in.c.deliver(b) // it does not receive yet
		}
		var got, rest string
		ended := func() {
			if got+rest == "one, two, three" {
				k.close()
				r.done()
			}
		}
		k.in.received = func(b *Buffer, err error) { rest += string(b.Data); b.Release(); ended() }
		k.client.received = func(b *Buffer, err error) { got += string(b.Data); b.Release(); ended() }
		if !k.in.Relay(&k.out.Socket, 3, &relayed{}) {
			r.fail("no relay")
		}
		k.in.Receive()
		k.client.Receive()
	})
}

// TestRelayToTheEnd tells the end of the stream when all before it was passed on.
func TestRelayToTheEnd(t *testing.T) {
	onEngines(t, Options{Pipes: 4}, func(r *rig) {
		k := newRelayRig(r)
		all := noise(1 << 20)
		m := &relayed{}
		k.in.received = func(b *Buffer, err error) {
			if err != io.EOF {
				r.fail("Received(%v, %v)", b, err)
				return
			}
			if m.n != len(all) {
				r.fail("the end came behind %d bytes", m.n)
			}
			k.out.Shutdown()
		}
		var got []byte
		k.client.received = func(b *Buffer, err error) {
			if err == io.EOF {
				if !bytes.Equal(got, all) {
					r.fail("other bytes came: %d", len(got))
				}
				k.close()
				r.done()
				return
			}
			got = append(got, b.Data...)
			b.Release()
		}
		k.in.Receive()
		k.client.Receive()
		if !k.in.Relay(&k.out.Socket, math.MaxInt64, m) {
			r.fail("no relay")
		}
		k.server.sendBytes(all)
		k.server.Shutdown()
	})
}

// TestRelaySlowReader stops the sender when the reader stops, and loses nothing.
func TestRelaySlowReader(t *testing.T) {
	onEngines(t, Options{Pipes: 4}, func(r *rig) {
		k := newRelayRig(r)
		for _, fd := range []int{k.server.Fd(), k.out.Fd()} {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 32<<10)
		}
		all := noise(1 << 20)
		m := &relayed{}
		var got []byte
		var timer Timer
		k.client.received = func(b *Buffer, err error) {
			if err != nil {
				r.fail("Received(%v)", err)
				return
			}
			got = append(got, b.Data...)
			b.Release()
			if len(got) == len(all) {
				if !bytes.Equal(got, all) {
					r.fail("other bytes came")
				}
				k.close()
				r.done()
			}
		}
		timer.Init(r.Loop, expiry(func() {
			if k.server.Queued() == 0 || m.n >= len(all) {
				r.fail("the sender was not stopped: %d bytes went on", m.n)
			}
			m.then = nil
			k.client.Receive()
		}))
		m.then = func() { timer.After(20 * time.Millisecond) } // when nothing moves any more
		k.in.Receive()
		if !k.in.Relay(&k.out.Socket, int64(len(all)), m) {
			r.fail("no relay")
		}
		k.server.sendBytes(all)
	})
}

// expiry is a timer's owner.
type expiry func()

func (f expiry) Expired(*Timer) { f() }

// TestRelayBroken tells a destination that is gone, and goes on receiving.
func TestRelayBroken(t *testing.T) {
	onEngines(t, Options{Pipes: 4}, func(r *rig) {
		k := newRelayRig(r)
		m := &relayed{}
		broken := false
		k.in.received = func(b *Buffer, err error) {
			if err != nil {
				r.fail("Received(%v)", err)
				return
			}
			b.Release()
			if broken {
				k.close()
				r.done()
			}
		}
		k.out.sent = func(err error) {
			if err == nil || k.in.Relaying() {
				r.fail("Sent(%v), relaying: %v", err, k.in.Relaying())
			}
			broken = true
			k.server.sendBytes(noise(100))
		}
		k.in.Receive()
		if !k.in.Relay(&k.out.Socket, math.MaxInt64, m) {
			r.fail("no relay")
		}
		k.client.Abort()
		m.then = func() { k.server.sendBytes(noise(1 << 16)) }
		k.server.sendBytes(noise(1 << 16))
	})
}

// TestRelayClosed closes either side in the middle: the pipe with what it holds goes too.
func TestRelayClosed(t *testing.T) {
	for _, which := range []string{"source", "destination"} {
		onEngines(t, Options{Pipes: 4}, func(r *rig) {
			k := newRelayRig(r)
			m := &relayed{}
			k.in.received = func(b *Buffer, err error) {
				if b != nil {
					b.Release()
				}
			}
			k.server.sent = func(error) {}
			var timer Timer
			timer.Init(r.Loop, expiry(func() {
				victim := k.in
				if which == "destination" {
					victim = k.out
				}
				victim.Close(time.Second)
				if k.in.Relaying() {
					r.fail("the relay of a closed %s goes on", which)
				}
				k.close()
				r.done()
			}))
			m.then = func() { timer.After(20 * time.Millisecond) }
			k.in.Receive()
			if !k.in.Relay(&k.out.Socket, math.MaxInt64, m) {
				r.fail("no relay")
			}
			k.server.sendBytes(noise(8 << 20))
		})
	}
}

// TestRelayDeclined has no pipe for a second relay until the first has ended.
func TestRelayDeclined(t *testing.T) {
	onEngines(t, Options{Pipes: 1}, func(r *rig) {
		a, b := newRelayRig(r), newRelayRig(r)
		if !a.in.Relay(&a.out.Socket, 1, &relayed{}) || b.in.Relay(&b.out.Socket, 1, &relayed{}) {
			r.fail("one pipe is for one relay")
		}
		a.close()
		if !b.in.Relay(&b.out.Socket, 1, &relayed{}) {
			r.fail("the pipe did not come back")
		}
		b.close()
		r.done()
	})
}
