package varint

import "testing"

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		want string
	}{
		{0, "\x00"}, {239, "\xef"}, {240, "\xf0\x00"}, {2287, "\xff\x7f"}, {2288, "\xf0\x80\x00"}, {16380, "\xfc\xf0\x06"},
		{264431, "\xff\xff\x7f"}, {264432, "\xf0\x80\x80\x00"}, {1<<64 - 1, "\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e"},
	} {
		b := Append(nil, c.n)
		if string(b) != c.want {
			t.Errorf("%d: %x, want %x", c.n, b, c.want)
		}
		if _, _, ok := Read(b[:len(b)-1]); ok {
			t.Errorf("half of %d is a number", c.n)
		}
		if n, rest, ok := Read(b); n != c.n || len(rest) > 0 || !ok {
			t.Errorf("%x: %d", b, n)
		}
	}
}
