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
	kinds   [timeKinds]timeKind
}

type timeKind struct{ sum, longest Own }

// Show adds one sample. The shard's loop alone calls it.
func (t *Times) Show(times *Sample) {
	full := t.samples.Next() > Window
	t.kinds[QueueTime].show(times[QueueTime], full)
	t.kinds[ConnectTime].show(times[ConnectTime], full)
	t.kinds[ResponseTime].show(times[ResponseTime], full)
	t.kinds[TotalTime].show(times[TotalTime], full)
}

// show adds one time, when the window is full in the place of an average one.
func (k *timeKind) show(v uint64, full bool) {
	if v > k.longest.Load() {
		k.longest.Set(v)
	}
	sum := k.sum.Load()
	if full {
		v -= (sum + Window - 1) / Window
	}
	k.sum.Set(sum + v)
}

// Window is how many samples the sums stand for.
func (t *Times) Window() uint64 { return min(t.samples.Load(), Window) }

// Longest is the longest time of a kind.
func (t *Times) Longest(kind int) uint64 { return t.kinds[kind].longest.Load() }

// ClearLongest forgets the longest times, Clear everything.
func (t *Times) ClearLongest() {
	for i := range t.kinds {
		t.kinds[i].longest.Clear()
	}
}

func (t *Times) Clear() {
	t.ClearLongest()
	t.samples.Clear()
	for i := range t.kinds {
		t.kinds[i].sum.Clear()
	}
}

// Mean is the average of a kind over several shards, rounded up: their sums by the samples that these stand for.
type Mean struct {
	Kind        int
	sum, window uint64
}

// Add takes one shard in.
func (m *Mean) Add(t *Times) {
	m.sum += t.kinds[m.Kind].sum.Load()
	m.window += t.Window()
}

// Value is the average; 0 without samples.
func (m *Mean) Value() uint64 {
	if m.window == 0 {
		return 0
	}
	return (m.sum + m.window - 1) / m.window
}
