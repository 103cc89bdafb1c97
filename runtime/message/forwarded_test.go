package message_test

import (
	"bytes"
	"testing"

	"hapax/runtime/message"
)

// elements of Forwarded headers and whether the reference takes them.
var elements = []struct {
	text  string
	valid bool
}{
	{"for=192.0.2.1", true},
	{"for=192.0.2.1;proto=https", true},
	{`for="192.0.2.1:80";by="[2001:db8::1]:443";host="a.b:80";proto=http`, true},
	{`for=_hidden;by=unknown`, true},
	{`for="_hidden:_port"`, true},
	{"for=x", false},
	{"For=192.0.2.1", false},
	{"for=192.0.2.1 ;proto=http", false},
	{"for=192.0.2.1;for=192.0.2.2", false},
	{"for=192.0.2.1:80", false},
	{`for="192.0.2.1`, false},
	{"proto=ftp", false},
	{"host=a_b", false},
	{`host="a:99999"`, false},
	{"ext=1", false},
}

func TestForwarded(t *testing.T) {
	for _, e := range elements {
		var f message.Forwarded
		if got := message.ParseForwarded([]byte(e.text), &f); got != e.valid {
			t.Errorf("%s: %v", e.text, got)
		}
	}
	var f message.Forwarded
	message.ParseForwarded([]byte(elements[2].text), &f)
	if f.For.Port != 80 || f.By.Addr.String() != "2001:db8::1" || string(f.Host) != "a.b:80" || string(f.Proto) != "http" {
		t.Errorf("%+v", f)
	}
}

func FuzzForwarded(f *testing.F) {
	for _, e := range elements {
		f.Add([]byte(e.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e message.Forwarded
		ok := message.ParseForwarded(b, &e)
		for _, part := range [][]byte{e.For.Text, e.By.Text, e.Host, e.Proto} {
			if ok && !bytes.Contains(b, part) {
				t.Errorf("%q holds no %q", b, part)
			}
		}
	})
}
