package counter

// Window is the number of samples that show stat averages over.
const Window = 1024

// The times of a stream that came to its response, in ms: how long it waited in queues, for a connection and for the
// response, and all of it.
const (
	QueueTime = iota
	ConnectTime
	ResponseTime
	TotalTime
	timeKinds
)

// Sample is one stream's times.
type Sample [timeKinds]uint64

// Times is a loop's shard of what is known of the times of streams: for each, the longest, and HAProxy's sliding sum over
// the last Window samples. While there are fewer they are added up; then each new one pushes out its part of the sum.
type Times struct {
	samples Own
	sum     [timeKinds]Own
	longest [timeKinds]Own
}

// Show adds one sample. The shard's loop alone calls it.
func (t *Times) Show(times *Sample) {
	t.samples.Inc()
	full := t.samples.Load() > Window
	for i, v := range times {
		if v > t.longest[i].Load() {
			t.longest[i].Set(v)
		}
		if full {
			v -= (t.sum[i].Load() + Window - 1) / Window
		}
		if v != 0 {
			t.sum[i].Add(v)
		}
	}
}

// Window is how many samples the sums stand for.
func (t *Times) Window() uint64 { return min(t.samples.Load(), Window) }

// Longest is the longest time of a kind.
func (t *Times) Longest(kind int) uint64 { return t.longest[kind].Load() }

// ClearLongest forgets the longest times, Clear everything.
func (t *Times) ClearLongest() {
	for i := range t.longest {
		t.longest[i].Clear()
	}
}

func (t *Times) Clear() {
	t.ClearLongest()
	t.samples.Clear()
	for i := range t.sum {
		t.sum[i].Clear()
	}
}

// Mean is the average of a kind over several shards, rounded up: their sums by the samples that these stand for.
type Mean struct {
	Kind        int
	sum, window uint64
}

// Add takes one shard in.
func (m *Mean) Add(t *Times) {
	m.sum += t.sum[m.Kind].Load()
	m.window += t.Window()
}

// Value is the average; 0 without samples.
func (m *Mean) Value() uint64 {
	if m.window == 0 {
		return 0
	}
	return (m.sum + m.window - 1) / m.window
}
