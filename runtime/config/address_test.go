package config

import (
	"fmt"
	"net/netip"
	"testing"

	"hapax/parser"
	"hapax/parser/diag"
	"hapax/runtime"
)

// testLoader knows one host and one variable.
func testLoader() *Loader {
	return &Loader{
		List: &diag.List{},
		Env:  parser.NewEnv([]string{"PORT=81"}),
		options: Options{LookUp: func(name string, _ runtime.Family) (netip.Addr, bool) {
			return netip.MustParseAddr("192.0.2.1"), name == "known.example"
		}},
	}
}

// The texts are those of HAProxy 3.4.0.
func TestAddress(t *testing.T) {
	const bind = listenAddr
	for _, c := range []struct {
		text string
		use  AddrUse
		want string // family, address, ports; or the error
	}{
		{":80", bind, "IPv4 0.0.0.0:80 80-80"},
		{"*:80", bind, "IPv4 0.0.0.0:80 80-80"},
		{":::80", bind, "IPv6 [::]:80 80-80"},
		{"[::]:80", bind, "IPv6 [::]:80 80-80"},
		{"ipv6@:80", bind, "IPv6 [::]:80 80-80"},
		{"10.0.0.1:80-82", bind, "IPv4 10.0.0.1:80 80-82"},
		{"10.0.0.1:$PORT", bind, "IPv4 10.0.0.1:81 81-81"},
		{"10.0.0.1:${PORT}", bind, "IPv4 10.0.0.1:81 81-81"},
		{"known.example:80", bind, "IPv4 192.0.2.1:80 80-80"},
		{"/run/x.sock", bind, "Unix /run/x.sock"},
		{"unix@x.sock", bind, "Unix x.sock"},
		{"abns@x", bind, "Abstract x"},
		{"abnsz@x", bind, "AbstractZ x"},
		{"10.0.0.1", serverAddr, "IPv4 10.0.0.1:0 0-0"},
		{"10.0.0.1:+5", serverAddr, "IPv4 10.0.0.1:5 0-5"},
		{"10.0.0.1:-5", serverAddr, "IPv4 10.0.0.1:65531 5-0"},
		{"unknown.example:80", serverAddr, "None host unknown.example 80-80"},
		{"$NONE", bind, "'$NONE' resolves to an empty address (environment variable missing?)"},
		{"10.0.0.1", bind, "missing port specification in '10.0.0.1'"},
		{":0", bind, "invalid port '0'"},
		{":70000", bind, "invalid port '70000'"},
		{":80-70", bind, "invalid port range '80-70'"},
		{":80x", bind, "invalid character 'x' in port number '80x' in ':80x'"},
		{":x", bind, "invalid character 'x' in port number 'x' in ':x'"},
		{":+5", bind, "port offset not permitted here in ':+5'"},
		{":80-81", serverAddr, "port range not permitted here in ':80-81'"},
		{"unknown.example:80", bind, "invalid address: 'unknown.example' in 'unknown.example:80'"},
		{"ipv4@::1:80", bind, "invalid address: '::1' in 'ipv4@::1:80'"},
		{"10.0.0.1:80", AddrStream, "port specification not permitted here in '10.0.0.1:80'"},
		{"udp@:80", bind, "dgram-type address not acceptable in 'udp@:80'"},
		{"fd@x", bind, "file descriptor 'x' is not a valid integer in 'fd@x'"},
		{"fd@1", serverAddr, "a file descriptor is not acceptable here in 'fd@1'"},
	} {
		a, err := testLoader().Address(c.text, c.use, "")
		got := describe(&a)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

func describe(a *Address) string {
	family := [...]string{"None", "IPv4", "IPv6", "Unix", "Abstract", "AbstractZ", "FD", "Sockpair"}[a.Family]
	ports := fmt.Sprintf(" %d-%d", a.Low, a.High)
	switch {
	case a.Host != "":
		return family + " host " + a.Host + ports
	case a.Path != "":
		return family + " " + a.Path
	}
	return family + " " + a.IP.String() + ports
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{":80", "[::1]:80-90", "unix@/x", "abns@x", "fd@3", "sockpair@4", "quic4@:443", "mptcp@:1", "rhttp@b/s", "${PORT}:$", "a:+1", "]:", "[:", "*"} {
		f.Add(s, uint16(listenAddr), "/prefix")
		f.Add(s, uint16(serverAddr), "")
	}
	f.Fuzz(func(t *testing.T, text string, use uint16, prefix string) {
		a, err := testLoader().Address(text, AddrUse(use), prefix)
		if err == nil && a.Family != runtime.FamilyFD && (a.Low > 65535 && !a.Offset || a.Low > a.High && !a.Offset) {
			t.Errorf("%q: ports %d-%d", text, a.Low, a.High)
		}
	})
}

func TestShortIPv4(t *testing.T) {
	for name, want := range map[string]string{
		"0": "0.0.0.0", "127.1": "127.0.0.1", "1.2.3.4": "1.2.3.4", "10.258": "10.0.1.2", "0x7f000001": "127.0.0.1", "010.0.0.1": "8.0.0.1", "1.2.772": "1.2.3.4",
		"": "", "1.": "", "256.1.1.1": "", "1.2.3.4.5": "", "4294967296": "", "1_0": "", "0b1": "", "0o1": "", "x": "", "08": "",
	} {
		got := ""
		if ip, ok := shortIPv4(name); ok {
			got = ip.String()
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
