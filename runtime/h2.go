package runtime

// H2Tune are the tune.h2 options. 0 stands for the default of each, or for no limit where that is the default.
type H2Tune struct {
	Front, Back   H2Side
	HeaderTable   int // bytes
	InitialWindow int // bytes; of a side that does not say
	Streams       int // at a time; of a side that does not say
	MaxFrame      int // bytes
	TotalStreams  int // of a client's connection
	LogErrors     H2Log
	Elasticity    int // percent of maxconn; 0: streams of clients are not limited by their connections
}

// H2Side is what connections of clients, or to servers, have of their own.
type H2Side struct {
	Glitches      int
	InitialWindow int // bytes
	Streams       int // at a time
	Receive       int // bytes, of all streams
}

// H2Log is which errors in what HTTP/2 clients send are logged.
type H2Log uint8

const (
	H2LogStream H2Log = iota
	H2LogConnection
	H2LogNone
)

// Window is what a new stream of a side may send ahead.
func (t *H2Tune) Window(s *H2Side, bufsize int) int {
	for _, n := range [...]int{s.InitialWindow, t.InitialWindow} {
		if n > 0 {
			return n
		}
	}
	return max(16384, bufsize)
}

// Concurrent is how many streams of a side there may be at a time.
func (t *H2Tune) Concurrent(s *H2Side) int {
	for _, n := range [...]int{s.Streams, t.Streams} {
		if n > 0 {
			return n
		}
	}
	return 100
}

// Room is how many bytes the streams of one connection of a side may send ahead: a buffer each, or more.
func (t *H2Tune) Room(s *H2Side, bufsize int) int {
	return max(s.Receive, t.Concurrent(s)*bufsize)
}

// Table is the size of the table of header fields.
func (t *H2Tune) Table() int {
	if t.HeaderTable > 0 {
		return t.HeaderTable
	}
	return 4096
}

// Frame is the largest frame that is taken.
func (t *H2Tune) Frame(bufsize int) int {
	if t.MaxFrame > 0 {
		return max(16384, min(t.MaxFrame, bufsize))
	}
	return max(16384, bufsize)
}

// Elastic is how many streams a new connection of a client may have at a time, in sight of others: connections open, this
// one included, of maxconn, and extra streams promised beyond one for each. Each has one in any case. What the rest may
// share shrinks with their number, but leaves at least an even part to those still to come.
func (t *H2Tune) Elastic(open, maxconn, promised int) int {
	desired := t.Concurrent(&t.Front)
	if t.Elasticity == 0 || desired <= 1 {
		return desired
	}
	budget := maxconn * (t.Elasticity - 100) / 100
	room, left := budget-promised, maxconn-(open-1)
	if room <= 0 || left <= 0 {
		return 1
	}
	even, degressive := (room+left-1)/left, room*(desired-1)/budget
	return min(desired, 1+max(even, degressive))
}
