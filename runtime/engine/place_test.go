package engine

import (
	"bufio"
	"io"
	"net"
	goruntime "runtime"
	"testing"

	"golang.org/x/sys/unix"

	"hapax/runtime"
)

// A loop runs on the CPUs that "cpu-map" gives it.
func TestPlace(t *testing.T) {
	goruntime.LockOSThread() // and never unlocked: the thread ends with the test
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	e := &Engine{Config: &runtime.Config{}}
	e.Config.Global.Affinity = []unix.CPUSet{one, {}}
	for i, want := range []unix.CPUSet{one, all, all} {
		unix.SchedSetaffinity(0, &all)
		e.place(i)
		var got unix.CPUSet
		if unix.SchedGetaffinity(0, &got); got != want {
			t.Errorf("loop %d may run on %d CPUs, not on %d", i, got.Count(), want.Count())
		}
	}
}

// Only the loops that "thread" names take connections of a listener.
func TestLoopsOfListener(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startThreads(t, engine, 3, "127.0.0.1:1", func(fe, be *runtime.Proxy) {
			fe.Listeners[0].Bind.Loops = []bool{false, true, true}
			be.Retries = 0
		})
		for range 8 {
			c, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
			io.Copy(io.Discard, bufio.NewReader(c)) // no server is there
			c.Close()
		}
		var taken [3]int64
		for i := range taken {
			taken[i] = int64(r.cfg.Proxies[0].Live.Front[i].Conns.Load())
		}
		if taken[0] != 0 || taken[1]+taken[2] != 8 {
			t.Errorf("the loops took %v connections", taken)
		}
	})
}
