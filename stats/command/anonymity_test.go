package command

import (
	"strings"
	"testing"
)

// TestGlobalKey follows the global key into connections; what comes without one is random.
func TestGlobalKey(t *testing.T) {
	cfg := testConfig(t.TempDir())
	p := &Process{Config: cfg}
	cfg.Global.AnonKey.Store(5)
	if got := run(t, p, "set anon on;show anon"); !strings.Contains(got, "Key : 5\n") {
		t.Errorf("the global key is not taken: %q", got)
	}
	run(t, p, "set anon global-key 7")
	if key := cfg.Global.AnonKey.Load(); key != 0 {
		t.Errorf("the global key is %d, the reference makes it 0", key)
	}
	got := run(t, p, "set anon on;show anon")
	if !strings.Contains(got, "enabled\nKey : ") || strings.Contains(got, "Key : 0\n") {
		t.Errorf("no random key: %q", got)
	}
}

// TestHiddenStreams has hashes as the reference shows them with key 5.
func TestHiddenStreams(t *testing.T) {
	cfg := testConfig(t.TempDir())
	p := &Process{Config: cfg, Streams: &crowd{cfg: cfg, n: 2}}
	got := run(t, p, "set anon on 5;show sess show-uri;show sess all show-uri")
	for _, want := range []string{
		" fe=0f3ebb be=5c7c37 srv=8e467b ts=00 ", " fe=0f3ebb be=<NONE> srv=<none> ts=00 ",
		"  frontend=0f3ebb (id=2 ", "  backend=5c7c37 (id=", "  server=8e467b (id=1) addr=50b561:1\n", ` uri="528691"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if strings.Contains(got, "192.0.2.1") {
		t.Errorf("the client shows in %q", got)
	}
}
