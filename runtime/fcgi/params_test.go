package fcgi

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"hapax/acl/sample"
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// testApp has all that paths are looked at for.
func testApp(t testing.TB) *App {
	regex, err := sample.CompileRegex(`^(/.+\.php)(/.*)?$`, false)
	if err != nil {
		t.Fatal(err)
	}
	return &App{docroot: []byte("/www"), index: []byte("i.php"), pathInfo: regex}
}

// request reads the head of one, for which a rule sets a parameter; nil: it is none.
func request(head []byte, name, value string) *Request {
	m := new(message.Message)
	m.Reset(append(make([]byte, 0, len(head)+1024), head...), make([]message.Field, 0, 200))
	var p h1.Parser
	if p.Request(h1.AcceptUnsafe, h1.DefaultLimits); p.Parse(m) != h1.Complete {
		return nil
	}
	if name != "" && m.AddString(rulePrefix+name, value) != nil {
		return nil
	}
	return &Request{Head: m, Src: netip.MustParseAddrPort("192.0.2.1:1000"), Dst: netip.MustParseAddrPort("[::1]:80"), SendName: "x-server",
		ServerName: "s", Software: "us"}
}

// TestPaths holds what paths become.
func TestPaths(t *testing.T) {
	app := testApp(t)
	for _, test := range []struct{ uri, name, value, want string }{
		{"/a.php/x?q=1", "", "", "SCRIPT_NAME=/a.php PATH_INFO=/x QUERY_STRING=q=1 SCRIPT_FILENAME=/www/a.php PATH_TRANSLATED=/www/x"},
		{"/%61/", "", "", "SCRIPT_NAME=/a/i.php SCRIPT_FILENAME=/www/a/i.php"},
		{"/a%2", "", "", errPath.Error()},
		{"/a%0a", "", "", errPath.Error()},
		{"/a%00b", "", "", errPath.Error()},
		{"/a", "document_root", "/d", "SCRIPT_NAME=/a SCRIPT_FILENAME=/d/a"},
		{"/%zz?q", "script_name", "/s", "QUERY_STRING=q SCRIPT_FILENAME=/www/s"},
		{"/a.php/x", "path_info", "/i", "SCRIPT_NAME=/a.php SCRIPT_FILENAME=/www/a.php PATH_TRANSLATED=/www/i"},
	} {
		req := request([]byte("GET "+test.uri+" HTTP/1.1\r\nHost: h\r\n\r\n"), test.name, test.value)
		out, _, err := app.AppendParams(make([]byte, 0, 4096), nil, 1, req)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			all := slices.DeleteFunc(parsed(t, out), func(p string) bool {
				own := strings.HasPrefix(p, strings.ToUpper(test.name)+"=")
				return own || !strings.HasPrefix(p, "SCRIPT_") && !strings.HasPrefix(p, "PATH_") && !strings.HasPrefix(p, "QUERY_")
			})
			got = strings.Join(all, " ")
		}
		if got != test.want {
			t.Errorf("%s %s=%s: %s, want %s", test.uri, test.name, test.value, got, test.want)
		}
	}
}

// FuzzParams makes sure that parameters are read back as they were meant, and that there are all of them or none.
func FuzzParams(f *testing.F) {
	f.Add([]byte("GET /a.php/x?q HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nX-Y: z\r\n\r\n"), "", "", 300)
	f.Add([]byte("POST http://h/%2e/ HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Type: t\r\n\r\n"), "script_name", "/s", 4000)
	f.Add([]byte("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"), "request_uri", "/a+b%20?c", 0)
	app := testApp(f)
	f.Fuzz(func(t *testing.T, head []byte, name, value string, room int) {
		req := request(head, name, value)
		if req == nil {
			return
		}
		const before = "before"
		out, text, err := app.AppendParams(append(make([]byte, 0, 1<<20), before...), nil, 1, req)
		if err == nil {
			parsed(t, out[len(before):])
		}
		small := append(make([]byte, 0, len(before)+max(0, min(room, 1<<16))), before...)
		again, _, short := app.AppendParams(small, text, 1, req)
		switch {
		case short != nil && string(again) != before, err != nil && short == nil:
			t.Fatalf("%q: %v, with less room %v, %q", out, err, short, again)
		case short == nil && (!bytes.Equal(again, out) || &again[0] != &small[0]):
			t.Fatalf("%q with less room: %q", out, again)
		}
	})
}
