package syslog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// seeds are messages of all forms, and such as miss them by little. What becomes of them was compared with HAProxy
// 3.4.0: see the case log-forward.txtar.
var seeds = []string{
	"", "x", "<", "<13>", "<13", "<x>y", "<13>hello", "<4294967295>x", "<99999999999>x",
	"<13>Jan  1 00:00:00 host tag[12]: body", "<13>Dec 31 23:59:59 host tag: body", "<13>Dec 31 23:59:59 host body", "<13>Dec 31 23:59:59 host ",
	"<13>Dec 31 23:59:59 host t[1]x: body", "<13>Dec 31 23:59:59 host t[: body", "<13>Foo  1 00:00:00 host body", "<13>anF  1 00:00:00 host body",
	"<13>1 - - - - - - body", "<13>1 2024-01-05T10:11:12Z h t 1 id [a@1 b=\"c\\]d\"][e] body", "<13>1 2024-01-05T10:11:12.123456+02:00 h t 1 id - body",
	"<13>1 2024-01-05T10:11:12 h t 1 id - body", "<13>1 2024-01-05T10:11:12.x h t 1 id - body", "<13>1 - h t 1 id [a] [b] x", "<13>1 - h t 1 id - ", "<13>1 - h t 1 id -",
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"hello":                                    "-1 -1 |||||||hello",
		"<13>hello":                                "1 5 <13>|||||||hello",
		"<13>Jan  1 00:00:00 host tag[12]: body":   "1 5 <13>|Jan  1 00:00:00|host|tag|12|||body",
		"<13>Dec 31 23:59:59 host t[1]x: body":     "1 5 <13>|Dec 31 23:59:59|host|t||||t[1]x: body",
		"<13>Foo  1 00:00:00 host body":            "1 5 <13>|||||||Foo  1 00:00:00 host body",
		"<13>1 - - tag - - [a \\]][b] body":        "1 5 <13>|-||tag|||[a \\]][b]|body",
		"<13>1 2024-01-05T10:11:12Z h t 1 id - b":  "1 5 <13>|2024-01-05T10:11:12Z|h|t|1|id||b",
		"<13>1 2024-01-05T10:11:12 h t 1 id - bod": "1 5 <13>|||||||1 2024-01-05T10:11:12 h t 1 id - b",
	} {
		m := Parse([]byte(text))
		got := fmt.Sprintf("%d %d %s|%s|%s|%s|%s|%s|%s|%s", m.Facility, m.Level, m.Priority, m.Time, m.Host, m.Tag, m.PID, m.ID, m.Data, m.Body)
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestNext(t *testing.T) {
	in := []byte("<13>a\r\n3 abc<14>b\n12 <13>x\ny 0123<15>rest")
	var got []string
	for {
		message, n, err := Next(in, false, 100)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		got = append(got, string(message))
		in = in[n:]
	}
	if text := strings.Join(got, "|"); text != "<13>a|abc|<14>b|<13>x\ny 0123" || string(in) != "<15>rest" {
		t.Errorf("got %q, left %q", text, in)
	}
	for _, bad := range []string{"x\n", "0 x", "12x", "101 ", " \n", "<" + strings.Repeat("x", 100)} {
		if _, _, err := Next([]byte(bad), false, 100); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if message, _, err := Next([]byte("x\n"), true, 100); string(message) != "x" || err != nil {
		t.Errorf("a line that begins with anything: %q, %v", message, err)
	}
}

// FuzzParse: the pieces of a message are parts of it, and it has all that is left as its body.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := Parse(data)
		for _, piece := range [][]byte{m.Priority, m.Time, m.Host, m.Tag, m.PID, m.ID, m.Data, m.Body} {
			if !bytes.Contains(data, piece) {
				t.Errorf("%q is not in the message", piece)
			}
		}
		if n := len(m.Time); n > 1 && n != LegacyTimeLen && n < ISOTimeLen {
			t.Errorf("a date of %d bytes", n)
		}
	})
}

// FuzzNext: messages are found the same however the stream is cut.
func FuzzNext(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s+"\n"), 3, false)
		f.Add(fmt.Appendf(nil, "%d %s", len(s), s), 1, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, cut int, lines bool) {
		read := func(pieces ...[]byte) (all []string) {
			var in []byte
			for _, p := range pieces {
				in = append(in, p...)
				for {
					message, n, err := Next(in, lines, 64)
					if err != nil {
						return append(all, "error")
					}
					if n == 0 {
						break
					}
					if len(message) > n || n > len(in) {
						t.Fatalf("%d bytes of %d for a message of %d", n, len(in), len(message))
					}
					all = append(all, string(message))
					in = in[n:]
				}
			}
			return all
		}
		at := min(max(cut, 0), len(data))
		whole, parts := read(data), read(data[:at], data[at:])
		if a, b := strings.Join(whole, "\x00"), strings.Join(parts, "\x00"); a != b {
			t.Errorf("whole %q, cut at %d %q", a, at, b)
		}
	})
}
