package runtime

import "time"

// Filter looks at what passes one stream, and may change its payload or hold it back. Package runtime/lua has those of
// scripts. The engine calls it, for each side of the stream on its own.
type Filter interface {
	// Begin tells that the rules of a side begin.
	Begin(side int) Passing
	// Head tells that all rules are over: the head of the message of HTTP goes on.
	Head(side int) Passing
	// Watches tells whether the filter wants to see the payload of a side.
	Watches(side int) bool
	// Payload shows what came and did not go on yet, and after how many bytes of the message. It gives that back, changed or
	// not, and how many bytes of it go on; false: the stream is to end. data is only valid during the call.
	Payload(side int, data []byte, before int) (rest []byte, n int, ok bool)
	// Over tells that all payload of a message of HTTP went on.
	Over(side int) Passing
	// End tells that nothing more is done with a side.
	End(side int)
	// Leave tells that the stream is over.
	Leave()
}

// Passing is what a filter says to the message going on.
type Passing int8

const (
	Passes Passing = iota
	Holds          // not before Filters.Wake is over, or something else comes
	Fails          // the stream is to end
)

// Filters are those of a stream.
type Filters struct {
	All  []Filter
	Of   [2][]Filter      // by side, in the order in which they see a message
	Back [2]int           // how many of them, the last ones, are the backend's
	Wake [2]time.Duration // after which a filter is to be asked again; 0: it said nothing
}

// leave tells all filters that the stream is over.
func (f *Filters) leave() {
	for _, x := range f.All {
		x.Leave()
	}
	clear(f.All)
	f.All = f.All[:0]
	for side := range f.Of {
		clear(f.Of[side])
		f.Of[side] = f.Of[side][:0]
	}
	f.Back, f.Wake = [2]int{}, [2]time.Duration{}
}
