package units

import (
	"testing"
	"time"
)

// Verdicts and texts are those of HAProxy 3.4.0 on "timeout client".
func TestTime(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  time.Duration
		stray byte
		fault string
	}{
		{"1", 1 * time.Millisecond, 0, ""},
		{"0", 0, 0, ""},
		{"1s", time.Second, 0, ""},
		{"1ms", time.Millisecond, 0, ""},
		{"1us", time.Millisecond, 0, ""},
		{"0us", 0, 0, ""},
		{"1000us", time.Millisecond, 0, ""},
		{"1001us", 2 * time.Millisecond, 0, ""},
		{"1m", time.Minute, 0, ""},
		{"1h", time.Hour, 0, ""},
		{"24d", 24 * 24 * time.Hour, 0, ""},
		{"1w", 0, 0, "unexpected character 'w' in 'timeout client'"},
		{"1S", 0, 0, "unexpected character 'S' in 'timeout client'"},
		{"1u", 0, 0, "unexpected character 'u' in 'timeout client'"},
		{"abc", 0, 0, "unexpected character 'a' in 'timeout client'"},
		{"-1", 0, 0, "unexpected character '-' in 'timeout client'"},
		{"1.5s", 0, 0, "unexpected character '.' in 'timeout client'"},
		{"2147483647", (1<<31 - 1) * time.Millisecond, 0, ""},
		{"2147483648", 0, 0, "timer overflow in argument '2147483648' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 days)"},
		{"2147484s", 0, 0, "timer overflow in argument '2147484s' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 days)"},
		{"25d", 0, 0, "timer overflow in argument '25d' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 days)"},
		{"99999999999999999999d", 0, 0, "timer overflow in argument '99999999999999999999d' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 days)"},
		{"18446744073709551617", time.Millisecond, 0, ""},
		{"1sx", time.Second, 'x', ""},
		{"1msx", time.Millisecond, 'x', ""},
		{"1ss", time.Second, 's', ""},
		{"1mms", time.Minute, 'm', ""},
	} {
		got, stray, fault := Time(c.text, time.Millisecond)
		text := ""
		if fault != nil {
			text = fault.About(c.text, "timeout client")
		}
		if got != c.want || stray != c.stray || text != c.fault {
			t.Errorf("%q: %v %q %q, want %v %q %q", c.text, got, stray, text, c.want, c.stray, c.fault)
		}
	}
	if d, _, fault := Time("5", time.Second); d != 5*time.Second || fault != nil {
		t.Errorf("5 seconds are %v, %v", d, fault)
	}
	if d, _, fault := Time("1500ms", time.Second); d != 2*time.Second || fault != nil {
		t.Errorf("1500 ms are %v, %v", d, fault)
	}
}

// What is quoted is what HAProxy 3.4.0 quotes of "tune.pipesize".
func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want uint32
		rest string
		ok   bool
	}{
		{"1", 1, "", true},
		{"0", 0, "", true},
		{"16k", 16 << 10, "", true},
		{"16K", 16 << 10, "", true},
		{"1m", 1 << 20, "", true},
		{"1G", 1 << 30, "", true},
		{"4g", 0, "g", false},
		{"4294967295", 1<<32 - 1, "", true},
		{"4294967296", 0, "6", false},
		{"42949672960", 0, "60", false},
		{"1kk", 0, "k", false},
		{"1x", 0, "x", false},
		{"k", 0, "k", false},
		{"-1", 0, "-1", false},
		{"", 0, "", false},
		{"4194303k", 4194303 << 10, "", true},
		{"4194304k", 0, "k", false},
	} {
		if got, rest, ok := Size(c.text); got != c.want || rest != c.rest || ok != c.ok {
			t.Errorf("%q: %d %q %v, want %d %q %v", c.text, got, rest, ok, c.want, c.rest, c.ok)
		}
	}
	if n, _, ok := Size64("5g"); n != 5<<30 || !ok {
		t.Errorf("5g are %d, %v", n, ok)
	}
	if _, rest, ok := Size64("18446744073709551616"); ok || rest != "6" {
		t.Errorf("2^64 is a size, or fails at %q", rest)
	}
}

func FuzzUnits(f *testing.F) {
	for _, s := range []string{"1", "10s", "5ms", "3us", "7d", "1mx", "4g", "18446744073709551617"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, _, fault := Time(text, time.Second); fault == nil && (d < 0 || d >= 1<<31*time.Second || d%time.Second != 0) {
			t.Fatalf("%q is %v", text, d)
		}
		small, _, fits := Size(text)
		large, _, ok := Size64(text)
		if fits && (!ok || uint64(small) != large) {
			t.Fatalf("%q is %d and %d", text, small, large)
		}
	})
}
