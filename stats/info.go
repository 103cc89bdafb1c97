package stats

import (
	"fmt"
	goruntime "runtime"
	"strconv"
	"time"

	"hapax/runtime"
)

// ReleaseDate is that of the version of HAProxy.
const ReleaseDate = "2026/06/03"

// info is what the fields of show info are computed from.
type info struct {
	config *runtime.Config
	clock  int64
	now    time.Time
	float  bool // rates and times with decimals
	mem    *goruntime.MemStats
}

func newInfo(cfg *runtime.Config) *info {
	return &info{config: cfg, clock: Clock(cfg), now: time.Now()}
}

// Info writes information about the process.
type Info struct {
	Config *runtime.Config
	Style  Style
	Desc   bool
	Float  bool // rates and times with decimals
}

// Append writes all fields.
func (o *Info) Append(b []byte) []byte {
	p := newInfo(o.Config)
	p.float = o.Float
	if o.Style == JSON {
		b = append(b, '[')
	}
	some := false
	for i := range infoColumns {
		c := &infoColumns[i]
		f := c.Get(p)
		if f.Format == Empty {
			continue
		}
		switch o.Style {
		case CSV:
			b = f.appendCSV(append(append(b, c.Name...), ": "...))
			b = appendDesc(b, c.Desc, o.Desc)
		case Typed:
			b = append(strconv.AppendInt(b, int64(i), 10), '.')
			b = append(append(b, c.Name...), ".1:"...)
			b = f.appendTyped(b, false)
			b = appendDesc(b, c.Desc, o.Desc)
		case JSON:
			if some {
				b = append(b, ',')
			}
			b = f.appendJSON(append(b, '{'), i, c.Name)
		}
		some = true
	}
	if o.Style == JSON {
		b = append(b, "]\n"...)
	}
	return b
}

func (p *info) global() *runtime.Global    { return &p.config.Global }
func (p *info) live() *runtime.GlobalStats { return &p.config.Stats }

func (p *info) requests() Field {
	n, _, _ := p.live().Requests()
	return u32(counting, int64(n))
}

func (p *info) streams() Field {
	_, n, _ := p.live().Requests()
	return u64(gauge, n)
}

func (p *info) streamsNow() Field {
	_, _, n := p.live().Requests()
	return u64(gauge, n)
}

func (p *info) bytesOut() Field {
	n, _ := p.live().BytesOut()
	return u64(gauge, n)
}

func (p *info) bytesOutRate() Field {
	_, n := p.live().BytesOut()
	return u64(rating, n/32*32)
}

func (p *info) up() time.Duration { return p.now.Sub(p.live().Started) }

// patterns tells how many patterns of maps and ACLs came in, and how many of them are gone.
func (p *info) patterns() (added, freed uint64) {
	if p.config.Patterns == nil {
		return 0, 0
	}
	return p.config.Patterns.Counts()
}

// memory is read once: it stops the world for a moment.
func (p *info) memory() *goruntime.MemStats {
	if p.mem == nil {
		p.mem = new(goruntime.MemStats)
		goruntime.ReadMemStats(p.mem)
	}
	return p.mem
}

// used is what "pools" hold here: the heap, and the buffers outside it that are in use.
func (p *info) used() uint64 {
	used, _ := p.buffers()
	return p.memory().HeapAlloc + used
}

// allocated is what is mapped for the same.
func (p *info) allocated() uint64 {
	_, mapped := p.buffers()
	return p.memory().HeapSys + mapped
}

func (p *info) buffers() (used, mapped uint64) {
	if p.live().Buffers == nil {
		return 0, 0
	}
	u, m := p.live().Buffers()
	return uint64(u), uint64(m)
}

func (p *info) uptimeText() Field { return text(lasting, Uptime(p.up())) }

// Uptime writes a duration as "1d 2h03m04s".
func Uptime(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%dd %dh%02dm%02ds", s/86400, s%86400/3600, s%3600/60, s%60)
}

func (p *info) seconds(t Tags, d time.Duration) Field {
	if p.float {
		return decimal(t, d.Seconds())
	}
	return u32(t, int64(d/time.Second))
}

func (p *info) startTime() Field {
	start := p.live().Started
	if p.float {
		return decimal(lasting, float64(start.UnixMicro())/1e6)
	}
	return u32(lasting, start.Unix())
}

// events is a counter.Rate or a counter.Meter.
type events interface {
	PerSecond(now int64) uint32
	PerSecondFloat(now int64) float64
}

func (p *info) rate(r events) Field { return p.rateAs(r, rating, rating) }

// rateAs is a rate whose tags differ with decimals.
func (p *info) rateAs(r events, whole, float Tags) Field {
	if p.float {
		return decimal(float, r.PerSecondFloat(p.clock))
	}
	return u32(whole, int64(r.PerSecond(p.clock)))
}

// tainted tells bits as C's %#x has them: zero has no prefix.
func (p *info) tainted() Field {
	bits := p.live().Tainted.Load()
	if bits == 0 {
		return text(status, "0")
	}
	return text(status, fmt.Sprintf("%#x", bits))
}

// jobs are the listeners and the connections of clients. The reference always has one more, which follows changes of the
// addresses of servers.
func (p *info) jobs() int64 {
	live := p.live()
	return live.Listeners.Load() + live.Conns.Load() + live.CurStreams.Load() + 1
}

// sessionReuse is the share of TLS connections that resumed a session, in percent.
func (p *info) sessionReuse() Field {
	conns, keys := p.live().TLSRate.PerSecondFloat(p.clock), p.live().TLSFrontKeys.PerSecondFloat(p.clock)
	reuse := 0.0
	if keys < conns {
		reuse = 100 * (1 - keys/conns)
	}
	if p.float {
		return decimal(rating, reuse)
	}
	return u32(gauge, int64(reuse))
}

// none is a rate of what does not happen here; its tags differ with decimals.
func (p *info) none(whole, float Tags) Field {
	if p.float {
		return decimal(float, 0)
	}
	return u32(whole, 0)
}

func (p *info) description() Field {
	if p.global().Desc == "" {
		return Field{}
	}
	return text(shown, p.global().Desc)
}
