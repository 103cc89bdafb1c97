package lua

import (
	"testing"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// FuzzQuoted: what a script hands a fetch comes there as it is.
func FuzzQuoted(f *testing.F) {
	table, err := keyword.NewTable([]sample.Fetch{{Doc: keyword.Doc{Name: "t", Args: []keyword.Arg{{Name: "text", Type: keyword.Str}}}, Out: sample.Str}})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "a", "a,b", ")", "'", `"`, `\`, `\'`, "it's, (so)", "\x00\r\n", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &sample.Compiler{Fetches: table}
		e, err := c.ParseWord("t(" + quoted(text) + ")")
		if err != nil || e.Args[0].Str != text {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1": "127.0.0.1/32", "10.0.0.0/8": "10.0.0.0/8", "::1": "::1/128", "[::1]": "::1/128", "2001:db8::/32": "2001:db8::/32",
		"": "", "x": "", "1.2.3.4/33": "", "1.2.3": "",
	} {
		got, ok := network(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func TestDestinations(t *testing.T) {
	for _, c := range []struct {
		address         string
		port            int
		network, target string
	}{
		{"127.0.0.1", 80, "tcp", "127.0.0.1:80"}, {"127.0.0.1:81", 0, "tcp", "127.0.0.1:81"}, {"ipv4@10.0.0.1", 80, "tcp4", "10.0.0.1:80"},
		{"ipv6@::1", 80, "tcp6", "[::1]:80"}, {"[::1]:8080", 0, "tcp", "[::1]:8080"}, {"unix@/run/x", 0, "unix", "/run/x"}, {"/run/x", 0, "unix", "/run/x"},
		{"abns@x", 0, "unix", "@x"}, {"127.0.0.1", 0, "", ""}, {"quic4@1.2.3.4", 80, "", ""}, {"a:b", 0, "", ""}, {"", 80, "", ""},
	} {
		network, target, ok := destination(c.address, c.port)
		if ok != (c.network != "") || ok && (network != c.network || target != c.target) {
			t.Errorf("%s %d: %s %s %v", c.address, c.port, network, target, ok)
		}
	}
}
