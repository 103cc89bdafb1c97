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
		for _, s := range cipherList(list) {
			names = append(names, s.name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", list, got, want)
		}
	}
}

// TestUsable: the usual list of today is what crypto/tls offers of it.
func TestUsable(t *testing.T) {
	ids, rest := usable(cipherList("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256"))
	slices.Sort(ids)
	if !slices.Equal(ids, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}) ||
		!slices.Equal(rest, []string{"DHE-RSA-AES128-GCM-SHA256"}) {
		t.Errorf("%x, %q", ids, rest)
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
		ids, rest := usable(cipherList(text))
		if len(ids)+len(rest) > len(suites) {
			t.Error("more suites than there are")
		}
	})
}
