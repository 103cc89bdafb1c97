package command

import (
	"net"
	"strings"
	"testing"

	"hapax/runtime"
)

// TestDialogs: connections to stats sockets are shown behind the streams, and can be ended as these.
func TestDialogs(t *testing.T) {
	cfg := testConfig(t.TempDir())
	p := &Process{Config: cfg, Streams: &crowd{cfg: cfg, n: 3}}
	ln := &runtime.Listener{ID: 2, Bind: &runtime.Bind{}, Addr: runtime.Addr{Family: runtime.FamilyUnix}}
	ends := make([]net.Conn, 3)
	ids := make([]uint64, len(ends))
	for i := range ends {
		there, here := net.Pipe()
		ends[i], ids[i] = here, p.dialogs.open(there, ln, cfg.Global.CLITimeout)
	}
	p.dialogs.close(ids[1])
	const line = ": proto=unix_stream src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=1 "
	out := run(t, p, "show sess")
	if n := strings.Count(out, line); n != 2 || !strings.Contains(out, "0x1000000000003"+line) {
		t.Errorf("%d dialogs in\n%s", n, out)
	}
	if out := run(t, p, "show sess 0x1000000000001"); strings.Count(out, "frontend=GLOBAL (id=0 mode=tcp)") != 1 {
		t.Errorf("not shown in full:\n%s", out)
	}
	if out := run(t, p, "shutdown session 0x1000000000003"); out != "\n" {
		t.Errorf("shutdown session answers %q", out)
	}
	if _, err := ends[2].Read(make([]byte, 1)); err == nil {
		t.Error("a dialog that was shut down goes on")
	}
}
