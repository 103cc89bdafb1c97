package dial

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
)

func TestLeadingIPv4(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.44": "127.0.0.44", "127.0.0.44junk": "127.0.0.44", "127.0": "127.0.0.0", "foo": "0.0.0.0", "": "0.0.0.0", "::1": "0.0.0.0",
		"1.2.3.4.5": "1.2.3.4", "300.0.0.1": "44.0.0.1", ".1.2.3": "0.1.2.3",
	} {
		if got := leadingIPv4([]byte(text)).String(); got != want {
			t.Errorf("%q: %s instead of %s", text, got, want)
		}
	}
}

// TestForeign binds to an address of somebody else: that is a right of administrators.
func TestForeign(t *testing.T) {
	cfg := &runtime.Config{}
	srv := &runtime.Server{Proxy: &runtime.Proxy{}, Source: &runtime.SourceAddr{Use: runtime.UseAddr}}
	to := loop.AddrFrom(netip.MustParseAddrPort("127.0.0.1:9"))
	from := netip.MustParseAddrPort("203.0.113.77:0")
	fd, err := Socket(cfg, srv, &to, &Wish{From: from})
	if err != nil {
		var refused *SourceError
		if !errors.As(err, &refused) || !refused.Foreign || !errors.Is(err, unix.EPERM) {
			t.Fatal(err)
		}
		return
	}
	defer unix.Close(fd)
	local, err := loop.LocalAddr(fd)
	if err != nil || local.AddrPort().Addr() != from.Addr() {
		t.Errorf("bound to %v, %v", local, err)
	}
}

// TestOptions makes a socket with all that a server line may say of it.
func TestOptions(t *testing.T) {
	cfg := &runtime.Config{}
	srv := &runtime.Server{Proxy: &runtime.Proxy{}, Congestion: "reno", TCPUserTimeout: 1234}
	to := loop.AddrFrom(netip.MustParseAddrPort("[::1]:9"))
	fd, err := Socket(cfg, srv, &to, &Wish{FastOpen: true})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if name, err := unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION); err != nil || name != "reno" {
		t.Errorf("congestion algorithm %q, %v", name, err)
	}
	if ms, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil || ms != 1234 {
		t.Errorf("user timeout %d, %v", ms, err)
	}
}
