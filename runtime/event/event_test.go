package event

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	var l List[int]
	l.Publish(1) // to nobody
	var a, b []int
	leaveA := l.Subscribe(func(n int) { a = append(a, n) })
	l.Publish(2)
	leaveB := l.Subscribe(func(n int) { b = append(b, n) })
	l.Publish(3)
	leaveA()
	leaveA() // does no harm
	l.Publish(4)
	leaveB()
	l.Publish(5)
	if diff := cmp.Diff([][]int{{2, 3}, {3, 4}}, [][]int{a, b}); diff != "" {
		t.Error(diff)
	}
}

func TestAllocPublish(t *testing.T) {
	var l List[int]
	sum := 0
	l.Subscribe(func(n int) { sum += n })
	if n := testing.AllocsPerRun(100, func() { l.Publish(1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
