package config

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Two nodes of two cores with two threads each, as a system with siblings that are not neighbours tells them; CPU 7 is off.
func TestTopology(t *testing.T) {
	system := fstest.MapFS{}
	file := func(name, text string) { system[name] = &fstest.MapFile{Data: []byte(text + "\n")} }
	file("cpu/online", "0-6")
	file("node/node0/cpulist", "0-1,4-5")
	file("node/node1/cpulist", "2-3,6-7")
	for cpu, at := range [][2]string{{"0,4", "0-1,4-5"}, {"1,5", "0-1,4-5"}, {"2,6", "2-3,6-7"}, {"3,7", "2-3,6-7"}, {"0,4", "0-1,4-5"}, {"1,5", "0-1,4-5"}, {"2,6", "2-3,6-7"}} {
		dir := "cpu/cpu" + string(rune('0'+cpu)) + "/"
		file(dir+"topology/thread_siblings_list", at[0])
		file(dir+"cache/index0/shared_cpu_list", at[0])
		file(dir+"cache/index3/shared_cpu_list", at[1])
	}
	want := map[int]cpuPlace{0: {}, 1: {core: 1}, 2: {1, 1, 2, 0}, 3: {1, 1, 3, 0}, 4: {thread: 1}, 5: {core: 1, thread: 1}, 6: {1, 1, 2, 1}}
	got := topology(system)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(cpuPlace{})); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		rules []cpuRule
		want  []int
	}{
		{[]cpuRule{rule(t, true, "node", "1")}, []int{2, 3, 6}},
		{[]cpuRule{rule(t, false, "thread", "1"), rule(t, true, "cluster", "0")}, []int{0, 1}},
		{[]cpuRule{rule(t, true, "core", "0-1"), rule(t, false, "cpu", "4")}, []int{0, 1, 5}},
	} {
		choice := cpuChoice{rules: c.rules}
		var left []int
		for cpu := range 7 {
			if choice.allows(cpu, got[cpu]) {
				left = append(left, cpu)
			}
		}
		if diff := cmp.Diff(c.want, left); diff != "" {
			t.Error(c.rules, diff)
		}
	}
}

func rule(t *testing.T, only bool, what, set string) cpuRule {
	t.Helper()
	cpus, err := readCPUs([]string{set})
	if err != nil {
		t.Fatal(err)
	}
	return cpuRule{only, what, cpus}
}
