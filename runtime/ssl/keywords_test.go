package ssl

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/rules"
)

// load reads a configuration; what it says of it is the second result.
func load(t testing.TB, text string) (*runtime.Config, string) {
	t.Helper()
	return loadAs(t, text, false)
}

// loadAs is load, with -dD or without.
func loadAs(t testing.TB, text string, suspicious bool) (*runtime.Config, string) {
	t.Helper()
	tables, err := config.NewTables([]*config.Domain{
		config.Rows(),
		{Name: "acl", Fetches: acl.Fetches, Converters: pattern.Converters},
		{Name: "fetch", Fetches: fetch.Rows},
		{Name: "convert", Converters: convert.Rows},
		&rules.Domain,
		&Domain,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	list := &diag.List{Out: &diag.Writer{W: &out, PID: 1, Version: "3.4.0", ExecPath: "x"}, Prefix: "config", Diag: suspicious}
	cfg, ok := config.Load(tables, []*ast.File{parser.Parse("g.cfg", text)}, parser.NewEnv(nil), list,
		config.Options{Predicates: parser.Predicates{Version: "3.4.0"}})
	if !ok {
		cfg = nil
	}
	return cfg, out.String()
}

// writeFiles makes the files that configurations of tests name, in a directory that becomes
// the current one.
func writeFiles(t testing.TB) {
	t.Helper()
	t.(interface{ Chdir(string) }).Chdir(t.TempDir())
	keys := testKeys()
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	key := func(k crypto.Signer) string {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return block("PRIVATE KEY", der)
	}
	crt := func(k crypto.Signer, name string) string {
		return block("CERTIFICATE", testCertificate(t, k, name).leaf.Raw)
	}
	const mark = "\uFEFF" // as editors put it in front of a text in UTF-8
	site, siteKey := crt(keys.rsa, "site.test"), key(keys.rsa)
	half := func(text string) string { // cut in the middle, the armour stays whole
		lines := strings.SplitAfter(text, "\n")
		return strings.Join(append(lines[:5:5], lines[len(lines)-2]), "")
	}
	for name, text := range map[string]string{
		"site.pem": site + siteKey, "ec.pem": key(keys.ec) + crt(keys.ec, "ec.test"), "nokey.pem": site, "onlykey.pem": siteKey,
		"mismatch.pem": site + key(keys.ec), "empty.pem": "", "text.pem": "hello\n", "split.crt": site, "split.crt.key": siteKey,
		"badcrt.pem": half(site) + siteKey, "badkey.pem": site + half(siteKey),
		"enc.pem": site + block("ENCRYPTED PRIVATE KEY", []byte{1, 2, 3}), "bundle.pem.rsa": site + siteKey, "stapled.pem": site + siteKey, "stapled.pem.ocsp": "x",
		"site.list":    "site.pem [alpn http/1.1] site.test *.site.test !a.site.test\n\n# ec.pem\nec.pem\n",
		"tickets.keys": strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 48))+"\n", 3), "dh.pem": block("DH PARAMETERS", []byte{0x30, 6, 2, 1, 23, 2, 1, 5}),
		"site.crl": revocationList(t, keys.rsa),
		"mark.pem": mark + site + mark + siteKey, "mark.key.pem": mark + siteKey + mark + site, "mark.crt": mark + site,
		"head.pem":       strings.Replace(site, "-----\n", "-----\nname: value\n\n", 1) + siteKey,
		"locked.pem":     site,
		"locked.pem.key": block("ENCRYPTED PRIVATE KEY", []byte{1, 2, 3}),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("dir", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("dir/root.pem", []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
}

// revocationList is a list of revoked certificates in PEM.
func revocationList(t testing.TB, key crypto.Signer) string {
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)},
		testCertificate(t, key, "site.test").leaf, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

func configuration(words, global string) string {
	return "global\n maxconn 100\n " + global + "\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n" +
		"frontend f\n bind 127.0.0.1:8443 " + words + "\n http-request return status 200\n"
}

// TestDiagnostics compares verdicts and messages with those of the reference.
func TestDiagnostics(t *testing.T) {
	compare(t, "testdata/diagnostics.txt", func(parts []string) string { return configuration(parts[0], parts[1]) })
}

// TestServerDiagnostics does so for server lines.
func TestServerDiagnostics(t *testing.T) {
	compare(t, "testdata/servers.txt", func(parts []string) string {
		default_ := parts[2]
		if default_ != "" {
			default_ = "default-server " + default_
		}
		return "global\n maxconn 100\n " + parts[1] + "\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n" +
			"frontend f\n bind 127.0.0.1:8443\n default_backend b\nbackend b\n " + default_ + "\n server s 127.0.0.1:1 " + parts[0] + "\n"
	})
}

// compare loads the configurations of a file and compares what is said of them.
func compare(t *testing.T, file string, make func(parts []string) string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t)
	pid := regexp.MustCompile(`\[(\w+)\] +\(1\) : `)
	for _, c := range strings.Split("\n"+string(data), "\n> ")[1:] {
		line, want, _ := strings.Cut(c+"\n", "\n")
		cfg, said := load(t, make(strings.Split(strings.ReplaceAll(line, `\n`, "\n"), " | ")))
		got := "exit 0\n"
		if cfg == nil {
			got = "exit 1\n"
		}
		for _, s := range strings.Split(pid.ReplaceAllString(said, "[$1] "), "\n") {
			if s = strings.TrimRight(s, " "); s == "" || strings.HasPrefix(s, "[NOTICE]") || strings.Contains(s, "Error(s) found") ||
				strings.Contains(s, "Fatal errors") {
				continue
			}
			got += s + "\n"
		}
		spaces := regexp.MustCompile(`\] +`)
		want = spaces.ReplaceAllString(strings.TrimRight(want, "\n"), "] ")
		if got := strings.TrimRight(got, "\n"); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// TestMissing: values that are known and not supported refuse the configuration.
func TestMissing(t *testing.T) {
	writeFiles(t)
	for _, c := range []struct{ words, global, what string }{
		{"ssl crt site.pem alpn h3,http/1.1", "", "bind alpn h3"},
		{"ssl crt site.pem ciphers DHE-RSA-AES128-GCM-SHA256", "", "bind ciphers DHE-RSA-AES128-GCM-SHA256"},
		{"ssl crt site.pem curves X448", "", "bind curves X448"},
		{"ssl crt site.pem ecdhe brainpoolP256r1", "", "bind ecdhe brainpoolP256r1"},
		{"ssl crt site.pem ciphersuites TLS_AES_128_CCM_SHA256", "", "bind ciphersuites TLS_AES_128_CCM_SHA256"},
		{"ssl crt site.pem npn http/1.1", "", "bind npn"},
		{"ssl crt site.pem client-sigalgs RSA+SHA256", "", "bind client-sigalgs without PSSWithSHA256"},
	} {
		cfg, said := load(t, configuration(c.words, c.global))
		if want := "'" + c.what + "' is known to HAProxy but not supported by hapax yet"; cfg != nil || !strings.Contains(said, want) {
			t.Errorf("%s | %s: want %s, got %s", c.words, c.global, want, said)
		}
	}
	for _, c := range []struct{ words, global string }{
		{"", "maxsslconn 10"},
		{"ssl crt site.pem ssl-min-ver TLSv1.3 ciphers DHE-RSA-AES128-GCM-SHA256", ""},
		{"ssl crt site.pem ssl-max-ver TLSv1.2 ciphersuites TLS_AES_256_GCM_SHA384", ""},
	} {
		if cfg, said := load(t, configuration(c.words, c.global)); cfg == nil {
			t.Errorf("%s | %s: %s", c.words, c.global, said)
		}
	}
}

// TestMissingKeys: a certificate whose key crypto/tls cannot use is refused for that reason.
func TestMissingKeys(t *testing.T) {
	files, _ := filepath.Abs("testdata/missing")
	writeFiles(t)
	for _, c := range []struct{ words, what string }{
		{"ssl crt " + files + "/brainpool.pem", "the curve of its key"},
		{"ssl crt " + files + "/ed448.pem", "a key of ED448"},
		{"ssl crt site.pem verify required ca-file " + files + "/brainpool.pem", "the curve of its key"},
	} {
		cfg, said := load(t, configuration(c.words, ""))
		if want := c.what + " is known to HAProxy but not supported by hapax yet"; cfg != nil || !strings.Contains(said, want) {
			t.Errorf("%s: want %s, got %s", c.words, want, said)
		}
	}
}

// TestExamples: every example of every row is accepted.
func TestExamples(t *testing.T) {
	writeFiles(t)
	run := func(name, summary string, examples []string) {
		if summary == "" || len(examples) == 0 {
			t.Errorf("%s has no summary or no example", name)
		}
		for _, e := range examples {
			if cfg, said := load(t, strings.ReplaceAll(e, "/etc/ssl/private", ".")); cfg == nil {
				t.Errorf("%s: %s\n%s", name, e, said)
			}
		}
	}
	for _, k := range Domain.Keywords {
		if k.Status == keyword.Missing {
			continue
		}
		var all []string
		for _, e := range k.Examples {
			all = append(all, e.Config+"frontend f\n  bind 127.0.0.1:8443 ssl crt ec.pem\n  http-request return\n")
		}
		run(k.Name, k.Summary, all)
	}
	for _, w := range Domain.ServerWords {
		var all []string
		for _, e := range w.Examples {
			all = append(all, "defaults\n  mode http\n  timeout connect 1s\n  timeout server 1s\n"+e.Config+"frontend f\n  bind 127.0.0.1:8000\n  timeout client 1s\n  use_backend b\n")
		}
		run(w.Name, w.Summary, all)
	}
	for _, w := range Domain.BindWords {
		if w.Status == keyword.Missing {
			continue
		}
		var all []string
		for _, e := range w.Examples {
			all = append(all, e.Config)
		}
		run(w.Name, w.Summary, all)
	}
}
