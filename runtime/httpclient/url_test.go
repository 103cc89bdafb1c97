package httpclient

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1/":               "127.0.0.1 127.0.0.1:80",
		"HTTP://127.0.0.1":                "127.0.0.1 127.0.0.1:80",
		"https://192.0.2.1/a/b?c":         "192.0.2.1 192.0.2.1:443",
		"ftp://192.0.2.1":                 "192.0.2.1 192.0.2.1:0",
		"http://[2001:db8::1]:8080/":      "[2001:db8::1]:8080 [2001:db8::1]:8080",
		"http://[2001:db8::1]/":           "[2001:db8::1] [2001:db8::1]:80",
		"http://example.com:81":           "example.com:81 0.0.0.0:81",
		"http://example.com":              "example.com 0.0.0.0:80",
		"http://2130706433:8/":            "2130706433:8 0.0.0.0:8",
		"http://2130706433":               "2130706433 0.0.0.0:80",
		"http://:81/":                     ":81 127.0.0.1:81",
		"http://0.0.0.0:81/":              "0.0.0.0:81 127.0.0.1:81",
		"http://joe:secret@192.0.2.1:1/@": "192.0.2.1:1 192.0.2.1:1",
		"http://192.0.2.1:99999/":         "192.0.2.1:99999 192.0.2.1:34463",
		"http://[fe80::1%eth0]/":          "[fe80::1%eth0] 0.0.0.0:80",
		"http:///":                        "",
		"http://":                         "",
		"http:/a":                         "",
		"/a":                              "",
		"1http://a":                       "",
		"://a":                            "",
		"ht tp://a":                       "",
		"":                                "",
	} {
		got, ok := parse(url)
		text := ""
		if ok {
			text = got.authority + " " + got.to.String()
		}
		if text != want {
			t.Errorf("%s: %q instead of %q", url, text, want)
		}
		if got.secret != strings.HasPrefix(url, "https:") {
			t.Errorf("%s: by TLS: %v", url, got.secret)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http://joe@[2001:db8::1]:8080/a")
	f.Fuzz(func(t *testing.T, url string) {
		if got, ok := parse(url); ok && (got.authority == "" || !got.to.IsValid()) {
			t.Errorf("%q: %+v", url, got)
		}
	})
}
