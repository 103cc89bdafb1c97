package engine

import (
	"testing"
	"time"
)

// TestNextRequestHasItsOwnTime lets the time of a client pass while its next request waits already: the connection stays.
func TestNextRequestHasItsOwnTime(t *testing.T) {
	streams, _ := counted(t, 1)
	s := streams[0]
	w := s.w
	c := w.newClient(newPort(w, s.Session.Listener))
	c.kept, c.ahead = true, w.loop.Buffer()
	c.timer.After(time.Nanosecond)
	c.again()
	if at := c.timer.Deadline(); at != 0 {
		t.Errorf("the time of the request before ends %d ns from now", at-w.loop.Now())
	}
	if !c.task.Queued() {
		t.Error("the next request does not begin")
	}
}
