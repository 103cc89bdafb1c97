package counter

// AverageWindow is the number of samples that show stat averages over.
const AverageWindow = 1024

// Average is HAProxy's sliding sum over the last AverageWindow samples: while there are fewer they are added up; then
// each new sample pushes out its part of the sum. It has one writer at a time, its shard's loop; all may read.
type Average struct {
	sum     Own
	samples Own
}

// Show adds one sample.
func (a *Average) Show(v uint64) {
	a.samples.Inc()
	if a.samples.Load() > AverageWindow {
		v -= (a.sum.Load() + AverageWindow - 1) / AverageWindow
	}
	a.sum.Add(v)
}

// Sum is the sliding sum.
func (a *Average) Sum() uint64 { return a.sum.Load() }

// Window is how many samples the sum stands for.
func (a *Average) Window() uint64 { return min(a.samples.Load(), AverageWindow) }

// Clear forgets all samples.
func (a *Average) Clear() {
	a.sum.Clear()
	a.samples.Clear()
}

// Mean is the average over several shards, rounded up: their sums by the samples that these stand for.
type Mean struct{ sum, window uint64 }

// Add takes one shard in.
func (m *Mean) Add(a *Average) {
	m.sum += a.Sum()
	m.window += a.Window()
}

// Value is the average; 0 without samples.
func (m *Mean) Value() uint64 {
	if m.window == 0 {
		return 0
	}
	return (m.sum + m.window - 1) / m.window
}
