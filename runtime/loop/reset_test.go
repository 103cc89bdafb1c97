package loop

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestBytesAndEnd has bytes and the end of the stream come at once, to a receiver that goes on, that pauses after the bytes, that had
// paused before, and with his first receive: he is told the bytes and then the end.
func TestBytesAndEnd(t *testing.T) {
	for _, sort := range []struct {
		name  string
		pair  func(testing.TB) (int, int)
		close func(fd int)
		want  error
	}{
		{"reset", pair, func(fd int) { resetOnClose(int32(fd)); unix.Close(fd) }, unix.ECONNRESET},
		{"end", pair, func(fd int) { unix.Close(fd) }, io.EOF},
		{"end of unix socket", unixPair, func(fd int) { unix.Close(fd) }, io.EOF},
		{"shutdown of unix socket", unixPair, func(fd int) { unix.Shutdown(fd, unix.SHUT_WR); unix.Close(fd) }, io.EOF},
	} {
		for _, how := range []string{"receiving", "pauses", "pauses long", "had paused", "first"} {
			t.Run(sort.name+" "+how, func(t *testing.T) {
				onEngines(t, Options{}, func(r *rig) {
					fd, peer := sort.pair(t)
					a := &end{r: r, name: "a"}
					a.Open(r.Loop, fd, a)
					var resume Timer
					resume.Init(r.Loop, alarm(a.Receive))
					got := ""
					both := func() {
						unix.Write(peer, []byte("by"))
						unix.Write(peer, []byte("tes"))
						sort.close(peer)
					}
					pause := func() {
						a.Pause()
						if how == "pauses" {
							r.PostFunc(a.Receive)
						} else {
							resume.After(20 * time.Millisecond)
						}
					}
					a.received = func(b *Buffer, err error) {
						if err != nil {
							if err != sort.want || got != "first bytes" {
								r.fail("received %q, then %v", got, err)
							}
							a.Close(0)
							r.done()
							return
						}
						begun := got != ""
						got += string(b.Data)
						b.Release()
						switch {
						case how == "first":
						case !begun: // the receive is in the kernel now
							if how == "had paused" {
								pause()
							}
							r.PostFunc(both)
						case how != "receiving":
							pause()
						}
					}
					a.Receive()
					unix.Write(peer, []byte("first "))
					if how == "first" {
						both()
					}
				})
			})
		}
	}
}

// unixPair returns two connected unix sockets, non-blocking.
func unixPair(t testing.TB) (int, int) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}
