package ssl

import (
	"crypto/tls"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCipherLists compares what lists select with what they select in OpenSSL.
func TestCipherLists(t *testing.T) {
	data, err := os.ReadFile("testdata/ciphers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(string(data), "\n> ")[1:] {
		list, want, _ := strings.Cut(strings.TrimRight(c, "\n"), "\n")
		var names []string
		selected, _ := cipherList(list)
		for _, s := range selected {
			names = append(names, s.name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", list, got, want)
		}
	}
}

// TestLeftOut: what crypto/tls does not have of the lists of a line is left out, and told with -dD.
func TestLeftOut(t *testing.T) {
	writeFiles(t)
	cfg, said := loadAs(t, configuration("ssl crt site.pem ciphers ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:HIGH:!aNULL:!DHE-RSA-AES256-SHA"+
		" ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256 curves X25519:X448 sigalgs RSA+SHA256:ed448", ""), true)
	const end = " left out for bind '127.0.0.1:8443' at [g.cfg:10]: crypto/tls does not have it."
	for _, what := range []string{"ciphers 'DHE-RSA-AES128-GCM-SHA256'", "ciphersuites 'TLS_AES_128_CCM_SHA256'", "curves 'X448'", "sigalgs 'ed448'"} {
		if cfg == nil || strings.Count(said, what+end) != 1 {
			t.Errorf("%s is not told once:\n%s", what, said)
		}
	}
	if n := strings.Count(said, "left out"); n != 4 {
		t.Errorf("%d are left out:\n%s", n, said)
	}
	if cfg, said := load(t, configuration("ssl crt site.pem sigalgs ed448", "")); cfg != nil || !strings.Contains(said, "'bind sigalgs ed448' is known to HAProxy but not supported by hapax yet") {
		t.Errorf("a list of which nothing is left is taken:\n%s", said)
	}
}

// TestSuiteNames: every suite that crypto/tls may choose has a name for logs.
func TestSuiteNames(t *testing.T) {
	for _, s := range tls.CipherSuites() {
		if suiteNames[s.ID] == "" {
			t.Errorf("%s has no name", s.Name)
		}
	}
	if name := suiteNames[tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]; name != "ECDHE-RSA-AES256-GCM-SHA384" {
		t.Error(name)
	}
}

// FuzzCipherList: no list of ciphers is too strange.
func FuzzCipherList(f *testing.F) {
	for _, s := range []string{"HIGH:!aNULL", "ECDH+AESGCM", "@STRENGTH", ":::", "!", "+", "-ALL@", "a+b+c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if list, _ := cipherList(text); len(list) > len(suites) || len(usable(list)) > len(list) {
			t.Error("more suites than there are")
		}
	})
}
