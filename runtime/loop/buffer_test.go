package loop

import (
	goruntime "runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestTrim checks that memory of buffers goes back to the system when they are not needed any more, and that they can be used again.
func TestTrim(t *testing.T) {
	const n = 1000
	runRig(t, Options{Engine: Epoll}, func(r *rig) {
		resident := func() (pages int) {
			for _, m := range r.pool.chunks {
				vec := make([]byte, len(m)/unix.Getpagesize())
				if _, _, e := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&vec[0]))); e != 0 {
					t.Fatal(e)
				}
				for _, v := range vec {
					pages += int(v & 1)
				}
			}
			return pages
		}
		use := func() {
			bufs := make([]*Buffer, n)
			for i := range bufs {
				bufs[i] = r.Buffer()
				clear(bufs[i].Room())
			}
			for _, b := range bufs {
				b.Release()
			}
		}
		use()
		full := resident()
		if full < n*16384/unix.Getpagesize() {
			t.Errorf("%d pages resident", full)
		}
		for range n {
			if r.pool.trim.Deadline() == 0 {
				break
			}
			r.pool.trim.deadline = 0
			r.pool.Expired(&r.pool.trim)
		}
		if r.pool.trim.Deadline() != 0 {
			t.Error("trimming does not end")
		}
		if left := resident(); left > full/5 {
			t.Errorf("%d of %d pages are still resident", left, full)
		}
		use()
		r.done()
	})
}

// TestIdleConnections checks what a connection costs that has exchanged bytes and is silent now.
func TestIdleConnections(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 192 {
		t.Errorf("a connection takes %d bytes", size)
	}
	onEngines(t, Options{}, func(r *rig) {
		const n = 200
		got := 0
		var timer Timer
		var all []*end
		timer.Init(r.Loop, alarm(func() {
			if r.pool.out != 0 {
				r.fail("%d buffers are in use", r.pool.out)
			}
			for _, e := range all {
				e.Close(0)
			}
			r.done()
		}))
		for range n {
			a, b := r.ends()
			all = append(all, a, b)
			a.received = func(buf *Buffer, err error) {
				buf.Release()
				if got++; got == n {
					timer.After(time.Millisecond)
				}
			}
			b.received = func(buf *Buffer, err error) { b.Send(buf) }
			a.Receive()
			b.Receive()
			a.SendStatic(ping)
		}
	})
}

func TestAppendBeyondCapacity(t *testing.T) {
	onEngines(t, Options{BufSize: 1024}, func(r *rig) {
		a, b := r.ends()
		got := 0
		b.received = func(buf *Buffer, err error) {
			if err != nil {
				if got != 5000 {
					r.fail("%d bytes", got)
				}
				b.Close(0)
				r.done()
				return
			}
			if cap(buf.Data) > 1024 {
				r.fail("capacity %d", cap(buf.Data))
			}
			got += len(buf.Data)
			buf.Release()
		}
		b.Receive()
		buf := r.Buffer()
		buf.Data = append(buf.Data, make([]byte, 5000)...)
		a.Send(buf)
		a.Close(time.Second)
	})
}

// TestTwoLoops passes tasks between loops of two threads.
func TestTwoLoops(t *testing.T) {
	const rounds = 2000
	onEngines(t, Options{}, func(r *rig) {
		others := make(chan *Loop)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			goruntime.LockOSThread()
			other, err := New(Options{Engine: r.Name()})
			if err != nil {
				t.Error(err)
				close(others)
				return
			}
			others <- other
			other.Run()
			other.Close()
		}()
		other := <-others
		if other == nil {
			r.done()
			return
		}
		n := 0
		var here, there Task
		there.Init(laterFunc(func() { r.Post(&here) }))
		here.Init(laterFunc(func() {
			if n++; n == rounds {
				other.Stop()
				<-finished
				r.done()
				return
			}
			other.Post(&there)
		}))
		other.Post(&there)
	})
}
