package message_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hapax/runtime/h1"
	"hapax/runtime/message"
)

func parse(t testing.TB, head string) *message.Message {
	t.Helper()
	m := new(message.Message)
	m.Reset(append(make([]byte, 0, 16384), head...), make([]message.Field, 0, 128))
	var p h1.Parser
	if strings.HasPrefix(head, "HTTP/") {
		p.Response(message.GET, 0, h1.DefaultLimits)
	} else {
		p.Request(0, h1.DefaultLimits)
	}
	if p.Parse(m) != h1.Complete {
		t.Fatalf("%q: status %d at %d", head, p.Status, p.ErrPos)
	}
	return m
}

func print(m *message.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", m.Bytes(m.Line[0]), m.Bytes(m.Line[1]), m.Bytes(m.Line[2]))
	for i := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", m.Name(i), m.Value(i))
	}
	return b.String()
}

// TestValues evaluates fetches as HAProxy 3.4.0 answered them.
func TestValues(t *testing.T) {
	raw, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	type golden struct {
		Request, Response string
		Want              map[string]string
	}
	var all struct{ Requests, Responses []golden }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range append(all.Requests, all.Responses...) {
		m := parse(t, g.Request+g.Response)
		for expr, want := range g.Want {
			if got, ok := evaluate(m, expr); !ok || got != want {
				t.Errorf("%q\n%s = %q, want %q", g.Request+g.Response, expr, got, want)
			}
		}
	}
}

var call = regexp.MustCompile(`^(\w+\.)?(\w+)(?:\((\w+)(?:,(-?\d+))?\))?$`)

// evaluate answers a fetch with the means of a Message.
func evaluate(m *message.Message, expr string) (string, bool) {
	parts := call.FindStringSubmatch(expr)
	name := parts[3]
	occ, _ := strconv.Atoi(parts[4])
	if parts[4] == "" {
		occ = -1
	}
	cookies := m.Cookies(name)
	switch parts[2] {
	case "hdr":
		v, _ := m.Occurrence(name, occ)
		return string(v), true
	case "fhdr":
		v, _ := m.OccurrenceLine(name, occ)
		return string(v), true
	case "hdr_cnt":
		return strconv.Itoa(m.CountValues(name)), true
	case "fhdr_cnt":
		return strconv.Itoa(m.CountLines(name)), true
	case "cook":
		last := ""
		for cookies.Next() {
			last = string(cookies.Value())
			if name == "" {
				break
			}
		}
		return last, true
	case "cook_cnt":
		n := 0
		for cookies.Next() {
			n++
		}
		return strconv.Itoa(n), true
	case "cook_names":
		var names []string
		v, list := m.Values("cookie"), true
		if m.Flags&message.Response != 0 {
			v, list = m.Lines("set-cookie"), false
		}
		for v.Next() {
			for rest := v.Bytes(); ; {
				name, after, ok := message.CookieName(rest, list)
				if !ok {
					break
				}
				names = append(names, string(name))
				rest = after
			}
		}
		return strings.Join(names, ","), true
	case "path":
		return string(m.Path()), true
	case "pathq":
		return string(m.PathQuery()), true
	case "query":
		return string(m.Query()), true
	case "url":
		return string(m.URI()), true
	case "base":
		if p := m.Path(); len(p) > 0 && p[0] == '/' {
			return string(m.Get("host")) + string(p), true
		}
		return string(m.Get("host")), true
	}
	return "", false
}

func TestRewriting(t *testing.T) {
	const head = "GET /a?q HTTP/1.1\r\nHost: h\r\nX-A: 1, 2 ,\"3,4\"\r\nX-B: b\r\nX-A: 5\r\n\r\n"
	tests := []struct {
		name string
		do   func(m *message.Message) error
		want string
	}{
		{"none", func(m *message.Message) error { return nil }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\nx-a: 5\n"},
		{"set", func(m *message.Message) error { return m.Set("x-a", []byte("n")) }, "GET /a?q HTTP/1.1\nhost: h\nx-b: b\nx-a: n\n"},
		{"add", func(m *message.Message) error { return m.Add("X-New", []byte("n")) }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\nx-a: 5\nx-new: n\n"},
		{"add constant", func(m *message.Message) error { return m.AddString("X-New", "n") }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\nx-a: 5\nx-new: n\n"},
		{"remove first value", func(m *message.Message) error { return removeValue(m, "1") }, "GET /a?q HTTP/1.1\nhost: h\nx-a:  2 ,\"3,4\"\nx-b: b\nx-a: 5\n"},
		{"remove middle value", func(m *message.Message) error { return removeValue(m, "2") }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1,\"3,4\"\nx-b: b\nx-a: 5\n"},
		{"remove last value", func(m *message.Message) error { return removeValue(m, `"3,4"`) }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 \nx-b: b\nx-a: 5\n"},
		{"remove only value", func(m *message.Message) error { return removeValue(m, "5") }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\n"},
		{"remove all values", func(m *message.Message) error { return removeValue(m, "") }, "GET /a?q HTTP/1.1\nhost: h\nx-b: b\n"},
		{"set field", func(m *message.Message) error { return m.SetField(2, "Y", []byte("z")) }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\ny: z\nx-a: 5\n"},
		{"path", func(m *message.Message) error { return m.SetPath([]byte("/longer")) }, "GET /longer?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\nx-a: 5\n"},
		{"move", func(m *message.Message) error { return m.MoveTo(make([]byte, 0, 100)) }, "GET /a?q HTTP/1.1\nhost: h\nx-a: 1, 2 ,\"3,4\"\nx-b: b\nx-a: 5\n"},
	}
	for _, test := range tests {
		m := parse(t, head)
		if err := test.do(m); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := print(m); got != test.want {
			t.Errorf("%s\n%swant\n%s", test.name, got, test.want)
		}
	}
}

// removeValue removes the values of x-a that are v, or all of them.
func removeValue(m *message.Message, v string) error {
	for it := m.Values("x-a"); it.Next(); {
		if v == "" || string(it.Bytes()) == v {
			it.Remove()
		}
	}
	return nil
}

// TestNoRoom holds that a rewrite that does not fit changes nothing.
func TestNoRoom(t *testing.T) {
	const head = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
	long := []byte(strings.Repeat("x", 100))
	for name, do := range map[string]func(m *message.Message) error{
		"add":      func(m *message.Message) error { return m.Add("x", long) },
		"constant": func(m *message.Message) error { return m.AddString("x", string(long)) },
		"set":      func(m *message.Message) error { return m.Set("host", long) },
		"value":    func(m *message.Message) error { return m.SetValue(0, long) },
		"field":    func(m *message.Message) error { return m.SetField(0, "host", long) },
		"uri":      func(m *message.Message) error { return m.SetURI(long) },
		"path":     func(m *message.Message) error { return m.SetPath(long) },
		"query":    func(m *message.Message) error { return m.SetQuery(long) },
		"method":   func(m *message.Message) error { return m.SetMethod(long) },
		"move":     func(m *message.Message) error { return m.MoveTo(make([]byte, 0, 10)) },
		"replace":  func(m *message.Message) error { v := m.Values("host"); v.Next(); return v.Replace(long) },
	} {
		m := parse(t, head)
		before := print(m)
		m.Buf = m.Buf[: len(m.Buf) : len(m.Buf)+50]
		if err := do(m); err != message.ErrNoRoom {
			t.Errorf("%s: error %v", name, err)
		}
		if after := print(m); after != before {
			t.Errorf("%s changed\n%sto\n%s", name, before, after)
		}
	}
}

func TestHeaderIDs(t *testing.T) {
	for id := message.Other + 1; id.String() != ""; id++ {
		name := id.String()
		for _, spelling := range []string{name, strings.ToUpper(name)} {
			if got := message.HeaderIDOf(spelling); got != id {
				t.Errorf("%s is %v: two names share a slot", spelling, got)
			}
			if got := message.FieldID([]byte(spelling)); got != id {
				t.Errorf("field %s is %v", spelling, got)
			}
		}
		for _, other := range []string{name + "x", name[1:], name[:len(name)-1] + "_"} {
			if got := message.HeaderIDOf(other); got != message.Other {
				t.Errorf("%s is %v", other, got)
			}
			if got := message.FieldID([]byte(other)); got != message.Other {
				t.Errorf("field %s is %v", other, got)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	// The numbers are those of the manual's "method" fetch and match.
	for i, name := range []string{"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"} {
		if m := message.MethodOf([]byte(name)); int(m) != i || m.String() != name {
			t.Errorf("%s is %d, %v", name, m, m)
		}
	}
	if m := message.MethodOf([]byte("get")); m != message.OtherMethod || m.String() != "" {
		t.Errorf("get is %v", m)
	}
}

func TestNoAllocations(t *testing.T) {
	m := parse(t, "GET /a?q HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=2\r\nX-A: 1, 2, 3\r\n\r\n")
	buf, fields := len(m.Buf), len(m.Fields)
	value, path := []byte("value"), []byte("/path")
	if n := testing.AllocsPerRun(100, func() {
		m.Occurrence("x-a", -1)
		m.Occurrence("x-a", 2)
		m.CountValues("x-a")
		for c := m.Cookies("b"); c.Next(); {
		}
		m.Add("x-b", value)
		m.SetValue(m.Find("x-b", 0), value)
		m.SetPath(path)
		m.Set("x-c", value)
		m.RemoveAll("x-b")
		m.RemoveAll("x-c")
		m.Buf, m.Fields = m.Buf[:buf], m.Fields[:fields]
		m.SetPath(path)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzURI(f *testing.F) {
	for _, u := range []string{"", "/", "*", "/a?b", "http://h/p", "http://u:p@h:80/p?q#f", "h:80", "http:", "1a://x", "ftp://[::1]:21"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		u := message.SplitURI([]byte(uri))
		if u.Form == message.AbsoluteForm || u.Form == message.AuthorityForm {
			if got := string(u.Scheme) + string(u.Authority) + string(u.Path); u.Path != nil && got != uri {
				t.Fatalf("%q is split into %q %q %q", uri, u.Scheme, u.Authority, u.Path)
			}
			if !strings.HasSuffix(string(u.Authority), string(u.Host())) || !strings.HasSuffix(string(u.Host()), string(message.HostPort(u.Host()))) {
				t.Fatalf("%q: host %q", uri, u.Host())
			}
		}
	})
}

func FuzzCookie(f *testing.F) {
	for _, v := range []string{"a=1; b=2", `a="x;y", $b=c`, "a", "=", "a==;b", ` a = "\"" ;`} {
		f.Add(v, "a", true)
		f.Add(v, "", false)
	}
	f.Fuzz(func(t *testing.T, header, name string, list bool) {
		for rest, n := []byte(header), 0; ; n++ {
			value, after, ok := message.CookieValue(rest, name, list)
			if !ok {
				break
			}
			if len(after) >= len(rest) || len(value) > len(rest) {
				t.Fatalf("%q: no progress", header)
			}
			rest = after
		}
	})
}
