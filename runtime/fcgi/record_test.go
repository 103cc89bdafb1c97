package fcgi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// answer is a record of an application, with padding.
func answer(t recordType, id uint16, content string) string {
	const padding = 3
	head := appendHead(nil, t, id, len(content))
	head[6] = padding
	return string(head) + content + strings.Repeat("\xff", padding)
}

// events reads what came in pieces of step bytes, and tells what was found. What comes in pieces is put together.
func events(t testing.TB, r Reader, in string, step int) string {
	var said strings.Builder
	var last Event
	for at := 0; at < len(in); at += step {
		part := []byte(in[at:min(at+step, len(in))])
		for {
			n, ev := r.Next(part)
			if n > len(part) {
				t.Fatalf("%d of %d bytes consumed", n, len(part))
			}
			part = part[n:]
			if ev.Kind == More {
				break
			}
			if ev.Kind != last.Kind || ev.ID != last.ID || ev.Data == nil {
				fmt.Fprintf(&said, "\n%d %d %d ", ev.Kind, ev.ID, ev.Status)
			}
			said.Write(ev.Data)
			last = ev
			if ev.Kind == Failed {
				return said.String()
			}
		}
		if len(part) > 0 {
			t.Fatalf("%d bytes left, and more wanted", len(part))
		}
	}
	multiplexes, most, known := r.Answer()
	fmt.Fprintf(&said, "\n%v %v %d %v", r.AtRecord(), multiplexes, most, known)
	return said.String()
}

func TestReader(t *testing.T) {
	values := string(appendPair(appendPair(nil, multiplexesName, []byte("1")), maxRequestsName, []byte("7")))
	for _, test := range []struct {
		name  string
		asked bool
		in    string
		want  string
	}{
		{"response", false, answer(stdout, 1, "A: b\n\n") + answer(stdout, 1, "body") + answer(stdout, 1, "") + answer(endRequest, 1, "\x00\x00\x00\x00\x02\x00\x00\x00"),
			"\n1 1 0 A: b\n\nbody\n2 1 0 \n4 1 2 \ntrue false 0 false"},
		{"two requests", false, answer(stdout, 1, "a") + answer(stdout, 3, "b"), "\n1 1 0 a\n1 3 0 b\ntrue false 0 false"},
		{"complaint", false, answer(stderr, 1, "oops") + answer(stderr, 1, ""), "\n3 1 0 oops\ntrue false 0 false"},
		{"end too short", false, answer(endRequest, 1, "\x00\x00\x00\x00"), "\n6 1 0 "},
		{"no request", false, answer(stdout, 0, "a"), "\n6 0 0 "},
		{"settled", true, answer(getValuesResult, 0, values), "\n5 0 0 \ntrue true 7 true"},
		{"unknown question", true, answer(unknownType, 0, "\x09\x00\x00\x00\x00\x00\x00\x00"), "\n5 0 0 \ntrue false 0 false"},
		{"response before the answer", true, answer(stdout, 1, "a"), "\n6 0 0 "},
		{"broken values", true, answer(getValuesResult, 0, values[:9]), "\n6 0 0 "},
		{"strange type", false, answer(77, 1, "x") + answer(stdout, 1, "a"), "\n1 1 0 a\ntrue false 0 false"},
		{"half a record", false, answer(stdout, 1, "ab")[:9], "\n1 1 0 a\nfalse false 0 false"},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			if got := events(t, Reader{Limit: 1 << 16, Asked: test.asked}, test.in, step); got != test.want {
				t.Errorf("%s, in pieces of %d: %q, want %q", test.name, step, got, test.want)
			}
		}
	}
}

func TestPairs(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 70000} {
		name, value := strings.Repeat("n", n), bytes.Repeat([]byte("v"), n)
		b := append(appendPair(nil, name, value), "rest"...)
		gotName, gotValue, rest, ok := cutPair(b)
		if !ok || string(gotName) != name || !bytes.Equal(gotValue, value) || string(rest) != "rest" {
			t.Errorf("%d bytes: %d, %d, %q, %v", n, len(gotName), len(gotValue), rest, ok)
		}
		if _, _, _, ok := cutPair(b[:len(b)-len("rest")-1]); ok && n > 0 {
			t.Errorf("%d bytes: one is missing, and nobody sees it", n)
		}
	}
}

// FuzzReader makes sure that it does not matter in what pieces records come.
func FuzzReader(f *testing.F) {
	ask := string(AppendAsk(nil))
	f.Add([]byte(answer(stdout, 1, "A: b\n\n")+answer(stderr, 1, "oops")+answer(stdout, 1, "")+answer(endRequest, 1, "12345678")), false, 1)
	f.Add([]byte(answer(getValuesResult, 0, ask[RecordHead:])+answer(stdout, 1, "x")), true, 5)
	f.Add([]byte(answer(unknownType, 0, "12345678")+answer(stdout, 0, "x")), true, 3)
	f.Fuzz(func(t *testing.T, in []byte, asked bool, step int) {
		step = max(1, min(step, 64))
		r := Reader{Limit: 1 << 16, Asked: asked}
		whole, parts := events(t, r, string(in), len(in)+1), events(t, r, string(in), step)
		if whole != parts {
			t.Fatalf("at once %q, in pieces of %d %q", whole, step, parts)
		}
	})
}

// parsed lists the parameters in records that AppendParams wrote.
func parsed(t testing.TB, out []byte) (all []string) {
	n := int(binary.BigEndian.Uint16(out[4:]))
	if recordType(out[1]) != params || len(out) != RecordHead+n+RecordHead {
		t.Fatalf("no record of parameters: %q", out)
	}
	if end := out[RecordHead+n:]; !bytes.Equal(end, appendHead(nil, params, 1, 0)) {
		t.Fatalf("no end of the parameters: %q", end)
	}
	for b := out[RecordHead : RecordHead+n]; len(b) > 0; {
		name, value, rest, ok := cutPair(b)
		if !ok {
			t.Fatalf("no parameter: %q", b)
		}
		all = append(all, string(name)+"="+string(value))
		b = rest
	}
	return all
}
