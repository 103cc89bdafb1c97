package config

import (
	"slices"
	"testing"
)

func TestReadCPUs(t *testing.T) {
	for _, test := range []struct {
		words []string
		count int
		err   string
	}{
		{[]string{"0"}, 1, ""},
		{[]string{"0-3", "8"}, 5, ""},
		{[]string{"3-1,7"}, 4, ""},
		{[]string{"1000-"}, 24, ""},
		{[]string{"1,x"}, 2, ""},
		{[]string{"x"}, 0, "'x' is not a CPU range."},
		{[]string{"0-1024"}, 0, "supports CPU numbers from 0 to 1023."},
	} {
		set, err := readCPUs(test.words)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != test.err || err == nil && set.Count() != test.count {
			t.Errorf("%q: %d processors, error %q; want %d, %q", test.words, set.Count(), text, test.count, test.err)
		}
	}
}

func TestThreadRange(t *testing.T) {
	for text, want := range map[string]uint64{"1": 1, "2-4": 0xe, "4-2": 0xe, "63-": 3 << 62, "all": ^uint64(0), "odd": 0x5555555555555555, "even": 0xaaaaaaaaaaaaaaaa} {
		if got, err := threadRange(text); got != want || err != nil {
			t.Errorf("%q is %#x, %v; want %#x", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "65", "1-65", "x", "1-2-3", "-"} {
		if _, err := threadRange(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// The reference makes groups of these sizes.
func TestPlaceOfThread(t *testing.T) {
	for threads, want := range map[int][]int{1: {1}, 16: {16}, 20: {10, 10}, 33: {11, 11, 11}, 34: {12, 11, 11}} {
		groups := len(want)
		var sizes []int
		for th := range threads {
			group, place := placeOfThread(th, threads, groups)
			if group == len(sizes) {
				sizes = append(sizes, 0)
			}
			if place != sizes[group] {
				t.Fatalf("thread %d of %d is number %d of group %d", th, threads, place, group)
			}
			sizes[group]++
		}
		if !slices.Equal(sizes, want) {
			t.Errorf("%d threads: groups of %v, want %v", threads, sizes, want)
		}
	}
}
