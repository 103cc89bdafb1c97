package process

import (
	"fmt"
	"testing"
)

// TestPace: a small heap may grow by a fixed size, a large one by its own.
func TestPace(t *testing.T) {
	got := ""
	for _, live := range []uint64{0, 1, 4, 8, 12, 16, 1000} {
		got += fmt.Sprint(pace(live<<20), " ")
	}
	if want := "400 400 400 200 133 100 100 "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
