package logger

import (
	"io"
	"net"
	"strconv"
	"time"

	"hapax/runtime"
	"hapax/runtime/logger/ring"
)

// forwarder sends the messages of a ring to one of its servers, on a goroutine of its own: a server that is slow or gone
// holds nobody up. It keeps one connection, and begins another one a second after the last attempt at the earliest.
type forwarder struct {
	ring *ring.Ring
	srv  *runtime.Server
	px   *runtime.Proxy // has the timeouts
	stop chan struct{}
}

const (
	forwardPause = time.Second
	forwardBatch = 16384 // bytes that are sent at once, if so many wait
)

func (f *forwarder) run() {
	var from *ring.Reader // made when the first connection stands, and held from then on
	for {
		begun := time.Now()
		if c, err := f.dial(); err == nil {
			if from == nil {
				from = f.ring.Attach(false)
			}
			f.serve(c, from)
			c.Close()
		}
		select {
		case <-f.stop:
			return
		case <-time.After(forwardPause - time.Since(begun)):
		}
	}
}

func (f *forwarder) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: f.px.Timeout.Connect}
	a := f.srv.Addr.Load()
	switch a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		return d.Dial("tcp", net.JoinHostPort(a.IP.Addr().String(), strconv.Itoa(int(a.IP.Port()))))
	case runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		return d.Dial("unix", "@"+a.Path)
	}
	return d.Dial("unix", a.Path)
}

// serve sends messages until the connection, or the process, ends.
func (f *forwarder) serve(c net.Conn, from *ring.Reader) {
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, c)
		close(gone)
	}()
	var out, message []byte
	for sent := 0; ; {
		out = out[:0]
		for len(out) < forwardBatch && !f.used(sent) {
			var ok bool
			if message, ok = from.Next(message[:0]); !ok {
				break
			}
			sent++
			if f.srv.LogOctets {
				out = append(strconv.AppendInt(out, int64(len(message)), 10), ' ')
				out = append(out, message...)
			} else {
				out = append(append(out, message...), '\n')
			}
		}
		if len(out) > 0 {
			if d := f.px.Timeout.Server; d > 0 {
				c.SetWriteDeadline(time.Now().Add(d))
			}
			if _, err := c.Write(out); err != nil || f.used(sent) {
				return
			}
			continue
		}
		select {
		case <-from.More():
		case <-gone:
			return
		case <-f.stop:
			return
		}
	}
}

// used tells whether a connection has carried as many messages as it may.
func (f *forwarder) used(sent int) bool { return f.srv.MaxReuse >= 0 && sent > f.srv.MaxReuse }
