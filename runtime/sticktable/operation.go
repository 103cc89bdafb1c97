package sticktable

import (
	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
)

// operation is what fetches and converters do with an entry: one of them is behind sc_X, sc0_X, src_X and table_X.
type operation struct {
	name    string // "conn_cnt"
	at      string // of the converter behind "table_", where it has another name
	summary string
	indexed bool // the first argument is the number of an element
	makes   bool // there is an entry for an address or a key from then on
	from    sample.Source

	// run is given the entry as a value, which a pointer would move to the heap. It gives no value when the table does not store what it wants. An entry that does not exist counts as 0.
	run func(e table.Entry, i uint) (int64, bool)
}

// operations are in the order of their names. Those on arrays have no sc0_X.
var operations = []operation{
	read("bytes_in_rate", "bytes that clients sent in a period", table.BytesInRate),
	read("bytes_out_rate", "bytes that servers sent in a period", table.BytesOutRate),
	clear("clr_gpc", "clear a general purpose counter, and tell what it was", table.GPC, table.GPC, 0),
	clear("clr_gpc0", "clear the first general purpose counter, and tell what it was", table.GPC0, table.GPC, 0),
	clear("clr_gpc1", "clear the second general purpose counter, and tell what it was", table.GPC1, table.GPC, 1),
	read("conn_cnt", "connections that tracked it", table.ConnCnt),
	read("conn_cur", "connections that track it now", table.ConnCur),
	read("conn_rate", "connections that tracked it in a period", table.ConnRate),
	element("get_gpt", "gpt", "a general purpose tag", table.GPT, table.GPT, 0),
	element("get_gpt0", "gpt0", "the first general purpose tag", table.GPT0, table.GPT, 0),
	element("get_gpc", "gpc", "a general purpose counter", table.GPC, table.GPC, 0),
	element("get_gpc0", "gpc0", "the first general purpose counter", table.GPC0, table.GPC, 0),
	element("get_gpc1", "gpc1", "the second general purpose counter", table.GPC1, table.GPC, 1),
	read("glitch_cnt", "oddities of clients", table.GlitchCnt),
	read("glitch_rate", "oddities of clients in a period", table.GlitchRate),
	element("gpc_rate", "", "how often a general purpose counter was incremented in a period", table.GPCRate, table.GPCRate, 0),
	element("gpc0_rate", "", "how often the first general purpose counter was incremented in a period", table.GPC0Rate, table.GPCRate, 0),
	element("gpc1_rate", "", "how often the second general purpose counter was incremented in a period", table.GPC1Rate, table.GPCRate, 1),
	read("http_err_cnt", "HTTP requests that clients are to blame for", table.HTTPErrCnt),
	read("http_err_rate", "HTTP requests in a period that clients are to blame for", table.HTTPErrRate),
	read("http_fail_cnt", "HTTP requests that servers are to blame for", table.HTTPFailCnt),
	read("http_fail_rate", "HTTP requests in a period that servers are to blame for", table.HTTPFailRate),
	read("http_req_cnt", "HTTP requests", table.HTTPReqCnt),
	read("http_req_rate", "HTTP requests in a period", table.HTTPReqRate),
	increment("inc_gpc", "increment a general purpose counter, and tell what it is", counter{table.GPC, table.GPCRate}, counter{table.GPC, table.GPCRate}, 0),
	increment("inc_gpc0", "increment the first general purpose counter, and tell what it is", counter{table.GPC0, table.GPC0Rate}, counter{table.GPC, table.GPCRate}, 0),
	increment("inc_gpc1", "increment the second general purpose counter, and tell what it is", counter{table.GPC1, table.GPC1Rate}, counter{table.GPC, table.GPCRate}, 1),
	kilobytes("kbytes_in", "KiB that clients sent", table.BytesInCnt),
	kilobytes("kbytes_out", "KiB that servers sent", table.BytesOutCnt),
	read("sess_cnt", "sessions that tracked it", table.SessCnt),
	read("sess_rate", "sessions that tracked it in a period", table.SessRate),
}

func read(name, summary string, d table.Data) operation {
	return operation{name: name, summary: summary, from: sample.Internal,
		run: func(e table.Entry, _ uint) (int64, bool) { return e.Get(d, 0) }}
}

func kilobytes(name, summary string, d table.Data) operation {
	return operation{name: name, summary: summary, from: sample.ClientAddr, run: func(e table.Entry, _ uint) (int64, bool) {
		v, ok := e.Get(d, 0)
		return int64(uint64(v) >> 10), ok
	}}
}

// place is where the operation on d finds what it wants: there, or in an element of an array. An operation on an array
// is given the number of the element.
func place(e *table.Entry, d, array table.Data, fixed, i uint) (table.Data, uint) {
	switch {
	case d == array:
		return d, i
	case e.Stores(d):
		return d, 0
	}
	return array, fixed
}

func element(name, at, summary string, d, array table.Data, fixed uint) operation {
	return operation{name: name, at: at, summary: summary, indexed: d == array, from: sample.Internal, run: func(e table.Entry, i uint) (int64, bool) {
		d, i := place(&e, d, array, fixed, i)
		return e.Get(d, i)
	}}
}

func clear(name, summary string, d, array table.Data, fixed uint) operation {
	return operation{name: name, summary: summary, indexed: d == array, makes: true, from: sample.Internal, run: func(e table.Entry, i uint) (int64, bool) {
		d, i := place(&e, d, array, fixed, i)
		v, ok := e.Get(d, i)
		if ok {
			e.Set(d, i, 0)
			e.Touch()
		}
		return v, ok
	}}
}

// counter is a general purpose counter: how often it was incremented in all and in a period.
type counter struct{ total, rate table.Data }

// add adds to a counter where it is kept, and tells what it is then; without a total, the events of the current period.
func (c counter) add(e *table.Entry, array counter, fixed, i uint, n uint64) (v int64) {
	rate, at := place(e, c.rate, array.rate, fixed, i)
	v, rated := e.Add(rate, at, n)
	total, at := place(e, c.total, array.total, fixed, i)
	sum, counted := e.Add(total, at, n)
	if counted {
		v = sum
	}
	if counted || rated {
		e.Touch()
	}
	return v
}

func increment(name, summary string, c, array counter, fixed uint) operation {
	return operation{name: name, summary: summary, indexed: c == array, makes: true, from: sample.Internal, run: func(e table.Entry, i uint) (int64, bool) {
		return c.add(&e, array, fixed, i, 1), true
	}}
}
