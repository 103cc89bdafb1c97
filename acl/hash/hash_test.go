package hash

import (
	"strings"
	"testing"
)

// Recorded from HAProxy 3.4.0: `str(...),djb2` and its like, and `djb2(1)` for the avalanche.
func TestSums(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 3) + "xyz"
	for _, c := range []struct {
		name string
		sum  func(b []byte) uint32
		want map[string]uint32
	}{
		{"djb2", DJB2, map[string]uint32{"": 5381, "abc": 193485963, long: 3724922934}},
		{"sdbm", SDBM, map[string]uint32{"": 0, "abc": 807794786, long: 806833377}},
		{"wt6", WT6, map[string]uint32{"": 4187620192, "abc": 2483038440, long: 2090159455}},
		{"xxh32", func(b []byte) uint32 { return XXH32(b, 0) }, map[string]uint32{"": 46947589, "abc": 852579327, long: 2483390949}},
		{"xxh32(5)", func(b []byte) uint32 { return XXH32(b, 5) }, map[string]uint32{"": 2157154010, "abc": 1562728233, long: 3382077190}},
		{"djb2(1)", func(b []byte) uint32 { return Avalanche(DJB2(b)) }, map[string]uint32{"": 3719394183, "abc": 2235766107, long: 2104790506}},
	} {
		for text, want := range c.want {
			if got := c.sum([]byte(text)); got != want {
				t.Errorf("%s of %q: %d, not %d", c.name, text, got, want)
			}
		}
	}
}
