package stats

import "hapax/runtime"

func colH1Conns(r *Row) Field {
	return u64(gauge, h1(r, func(c *runtime.H1Counters) uint64 { return c.Conns.Load() - c.ConnsOver.Load() }))
}

func colH1Streams(r *Row) Field {
	return u64(gauge, h1(r, func(c *runtime.H1Counters) uint64 { return c.Streams.Load() - c.StreamsOver.Load() }))
}

func colH1ConnsTotal(r *Row) Field {
	return u64(counting, h1(r, func(c *runtime.H1Counters) uint64 { return c.Conns.Load() - c.ConnsBefore.Load() }))
}

func colH1StreamsTotal(r *Row) Field {
	return u64(counting, h1(r, func(c *runtime.H1Counters) uint64 { return c.Streams.Load() - c.StreamsBefore.Load() }))
}

func colH1In(r *Row) Field {
	return u64(counting, h1(r, func(c *runtime.H1Counters) uint64 { return c.In.Load() }))
}

func colH1Out(r *Row) Field {
	return u64(counting, h1(r, func(c *runtime.H1Counters) uint64 { return c.Out.Load() }))
}

func colSplicedIn(r *Row) Field {
	return spliced(r, func(c *runtime.SplicedBytes) uint64 { return c.In.Load() })
}

func colSplicedOut(r *Row) Field {
	return spliced(r, func(c *runtime.SplicedBytes) uint64 { return c.Out.Load() })
}

// spliced sums what the kernel passed on for a proxy in HTTP mode.
func spliced(r *Row, of func(*runtime.SplicedBytes) uint64) Field {
	sum := uint64(0)
	switch {
	case r.Proxy.Mode != runtime.ModeHTTP:
	case r.On == Frontend:
		for c := range r.Proxy.FrontCounters() {
			sum += of(&c.Spliced)
		}
	default:
		for i := range r.Proxy.Live.Back {
			sum += of(&r.Proxy.Live.Back[i].Spliced)
		}
	}
	return u64(counting, sum)
}

// h1 sums what HTTP/1 connections of a proxy did.
func h1(r *Row, of func(*runtime.H1Counters) uint64) uint64 {
	sum := uint64(0)
	if r.On == Frontend {
		for c := range r.Proxy.FrontCounters() {
			sum += of(&c.H1)
		}
		return sum
	}
	for i := range r.Proxy.Live.Back {
		sum += of(&r.Proxy.Live.Back[i].H1)
	}
	return sum
}
