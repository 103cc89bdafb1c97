package process

import (
	"net"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"hapax/runtime"
	"hapax/runtime/engine"
)

func TestUnixAddr(t *testing.T) {
	for name, want := range map[string]runtime.Addr{
		"/run/a.sock":          {Family: runtime.FamilyUnix, Path: "/run/a.sock"},
		"/run/a.sock.1234.tmp": {Family: runtime.FamilyUnix, Path: "/run/a.sock"},
		"/run/a.sock.x1.tmp":   {Family: runtime.FamilyUnix, Path: "/run/a.sock.x1.tmp"},
		"/run/a.tmp":           {Family: runtime.FamilyUnix, Path: "/run/a.tmp"},
		"\x00name\x00\x00\x00": {Family: runtime.FamilyAbstract, Path: "name"},
		"\x00name":             {Family: runtime.FamilyAbstractZ, Path: "name"},
	} {
		if got := unixAddr(name); got != want {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

// Sockets that one process hands over are found by the next one under the names
// of its listeners, and still accept.
func TestHandOver(t *testing.T) {
	dir := t.TempDir()
	var listeners []*runtime.Listener
	for _, a := range []runtime.Addr{
		{Family: runtime.FamilyUnix, Path: filepath.Join(dir, "a.sock")},
		{Family: runtime.FamilyAbstract, Path: "hapax-test-" + filepath.Base(dir)},
	} {
		ln := &runtime.Listener{Addr: a, Bind: &runtime.Bind{UID: -1, GID: -1}, Proxy: &runtime.Proxy{Name: "f"}}
		if err := engine.Bind(&runtime.Global{}, ln, nil); err != nil {
			t.Fatal(err)
		}
		if err := engine.Listen(&runtime.Global{}, ln); err != nil {
			t.Fatal(err)
		}
		ln.State.Store(int32(runtime.ListenerListening))
		listeners = append(listeners, ln)
	}
	here, there, err := newLink()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		l := &linkListener{link: there}
		c, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer c.Close()
		line := make([]byte, len("_getsocks\n"))
		if err := readAll(c, line); err != nil {
			served <- err
			return
		}
		served <- handOver(c.(*net.UnixConn), listeners)
	}()
	conn, err := connect(here)
	if err != nil {
		t.Fatal(err)
	}
	from, err := fetch(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if len(from) != len(listeners) {
		t.Fatalf("handed over: %v", from)
	}
	again := &runtime.Listener{Addr: listeners[0].Addr, Bind: listeners[0].Bind, Proxy: listeners[0].Proxy}
	if err := engine.Bind(&runtime.Global{}, again, from); err != nil {
		t.Fatal(err)
	}
	if len(from) != len(listeners)-1 || !listeners[0].Shared.Load() {
		t.Errorf("left: %v", from)
	}
	closeUnused(from)
	l, err := netListener(again.Sock)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go net.DialTimeout("unix", again.Addr.Path, time.Second)
	if _, err := l.Accept(); err != nil {
		t.Error(err)
	}
	here.Close()
	there.Close()
}

func TestChildren(t *testing.T) {
	started := time.Unix(1700000000, 0)
	self := &child{pid: 10, reloads: 3, failed: 1, started: started, version: "3.4.0"}
	old := &child{pid: 11, reloads: 2, started: started, version: "3.4.0"}
	young := &child{pid: 12, reloads: 1, started: started, version: "3.4.0"}
	text := self.encode('m', -1, -1) + old.encode('w', -1, -1) + young.encode('w', -1, -1)
	master, workers, err := decodeChildren(text)
	none := [2]int{-1, -1}
	if err != nil || !reflect.DeepEqual(master, legacy{self, none}) || !reflect.DeepEqual(workers, []legacy{{young, none}, {old, none}}) {
		t.Errorf("%+v %+v %v", master, workers, err)
	}
	if _, _, err := decodeChildren("|type=w;pid=1"); err != errChildren {
		t.Errorf("without a master: %v", err)
	}
}

func TestWithoutOld(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"-sf", "1", "2", "-x", "sockpair@4", "-W", "-f", "a"}, []string{"-W", "-f", "a"}},
		{[]string{"-W", "-p", "-x", "-st"}, []string{"-W", "-p", "-x"}},
		{[]string{"-W", "--", "-sf", "1"}, []string{"-W", "--", "-sf", "1"}},
	} {
		if got := withoutOld(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %q", c.in, got)
		}
	}
}

// What describes sockets comes from another process.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0}, 1)
	f.Add([]byte{2, 'n', 's', 4, 'e', 't', 'h', '0', 0, 0, 0, 0}, 1)
	f.Add([]byte{200, 0}, 3)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 0 || n > 1000 {
			return
		}
		if names, err := describe(data, n); err == nil && len(names) != n {
			t.Errorf("%d names of %d", len(names), n)
		}
	})
}

// What an earlier master left stands in the environment.
func FuzzChildren(f *testing.F) {
	f.Add("|type=m;fd=-1;cfd=-1;pid=1;reloads=0;failedreloads=0;timestamp=1;id=;version=3.4.0|type=w;fd=-1;pid=2")
	f.Add("||;;==|type")
	f.Fuzz(func(t *testing.T, text string) {
		if _, workers, err := decodeChildren(text); err == nil {
			for _, w := range workers {
				if w.pid <= 0 {
					t.Errorf("a worker without a number: %+v", w)
				}
			}
		}
	})
}
