package stats

import (
	"hapax/runtime"
	"hapax/stats/counter"
)

// Objects is a set of kinds of objects that have statistics.
type Objects uint8

const (
	Frontend Objects = 1 << iota
	Backend
	Server
	Listener

	Proxies = Frontend | Backend
	Any     = Frontend | Backend | Server | Listener
)

// objectTypes are the values of the column "type", which are also the bits of the type filter of "show stat".
var objectTypes = map[Objects]int64{Frontend: 0, Backend: 1, Server: 2, Listener: 3}

// Column is one statistic of proxies, listeners and servers.
type Column struct {
	Name   string // in the CSV header
	Alt    string // in metric names; "" is not exported as a metric
	Desc   string
	On     Objects // which objects have it
	Shared bool    // survives in a stats file: typed output calls it persistent
	HTTP   bool    // only with mode http

	// Where the value is: a counter that is summed over the shards of all loops, or a function.
	Front func(*runtime.FrontCounters) *counter.Own
	Back  func(*runtime.BackCounters) *counter.Own
	Get   func(*Row) Field

	// Kept is where the value of a Shared column is that is no counter of shards: a
	// *counter.Counter, a *counter.Meter, or an *atomic.Int64 with the time of an event; nil:
	// nothing counts it.
	Kept func(*Row) any
}

// fixed is the number of columns before the modules' ones; the CSV has a "-" there.
var fixed = len(proxyColumns)

// allColumns are in the order of the CSV: those of proxies, then those of modules.
var allColumns = append(append([]Column(nil), proxyColumns...), moduleColumns...)

// Value computes the field of a row.
func (c *Column) Value(r *Row) Field {
	if c.On&r.On == 0 || c.HTTP && r.Proxy.Mode != runtime.ModeHTTP {
		return Field{}
	}
	if c.Get != nil {
		return c.Get(r)
	}
	if c.Front == nil && r.On&(Frontend|Listener) != 0 || c.Back == nil && r.On&(Backend|Server) != 0 {
		return Field{}
	}
	return u64(counting, c.sum(r))
}

// sum adds up the shards of all loops.
func (c *Column) sum(r *Row) (sum uint64) {
	switch {
	case r.On&(Frontend|Listener) != 0 && c.Front != nil:
		return c.sumFront(r)
	case r.On&(Backend|Server) != 0 && c.Back != nil:
		shards := r.backs()
		for i := range shards {
			sum += c.Back(&shards[i]).Load()
		}
	}
	return sum
}

// sumFront stands apart because the iteration takes memory, which pages of many servers do without.
func (c *Column) sumFront(r *Row) (sum uint64) {
	for counters := range r.fronts() {
		sum += c.Front(counters).Load()
	}
	return sum
}

// absent is the value of a counter whose feature counts nothing here.
func absent(*Row) Field { return u64(counting, 0) }

// absentGauge is absent for a number of things that exist now.
func absentGauge(*Row) Field { return u64(gauge, 0) }

// aggregated is computed by the metrics exporter alone.
func aggregated(*Row) Field { return u32(gauge, 0) }
