package stats

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"hapax/runtime"
	"hapax/stats/counter"
)

// What outlives the process: a stats file has the Shared columns of all objects with a
// unique identifier, those of frontends and listeners in one section, those of backends
// and servers in another one. Management guide, section 9.6.

func keptChkfail(r *Row) any {
	if r.On != Server {
		return nil
	}
	return &r.Server.FailedChecks
}

func keptHanafail(r *Row) any {
	if r.On != Server {
		return nil
	}
	return &r.Server.FailedHana
}

func keptChkdown(r *Row) any {
	if r.On == Server {
		return &r.Server.DownTrans
	}
	return &r.Proxy.Live.DownTrans
}

func keptLastchg(r *Row) any {
	if r.On == Server {
		return &r.Server.LastChange
	}
	return &r.Proxy.Live.LastChange
}

func keptLastsess(r *Row) any {
	if r.On == Server {
		return &r.Server.LastSess
	}
	return &r.Proxy.Live.LastSess
}

func keptRate(r *Row) any {
	switch r.On {
	case Frontend:
		return &r.Proxy.Live.SessRate
	case Backend:
		return &r.Proxy.Live.BackRate
	case Server:
		return &r.Server.Rate
	}
	return nil
}

func keptReqRate(r *Row) any {
	if r.On != Frontend {
		return nil
	}
	return &r.Proxy.Live.ReqRate
}

func keptConnRate(r *Row) any {
	if r.On != Frontend {
		return nil
	}
	return &r.Proxy.Live.ConnRate
}

// KeepDump writes a stats file line by line.
type KeepDump struct {
	Config *runtime.Config

	scan    Scan
	back    bool // in the second section
	started bool
	row     Row
}

// Next appends the next line and tells whether it was the last.
func (d *KeepDump) Next(b []byte) (out []byte, done bool) {
	if !d.started {
		d.started = true
		d.scan = Scan{Config: d.Config, Select: Selection{Bound: true, Proxy: -1, ID: -1}}
		head, sides := "#fe guid,", Frontend|Listener
		if d.back {
			head, sides = "#be guid,", Backend|Server
		}
		for kind := range objectTypes {
			if kind&sides != 0 {
				d.scan.Select.Types |= 1 << objectTypes[kind]
			}
		}
		b = append(b, head...)
		for i := range proxyColumns {
			if c := &proxyColumns[i]; c.Shared && c.On&sides != 0 {
				b = append(append(b, c.Name...), ',')
			}
		}
		return append(b, '\n'), false
	}
	switch {
	case d.scan.Next(&d.row):
		return appendKept(b, &d.row), false
	case d.back:
		return b, true
	}
	d.back, d.started = true, false
	return append(b, '\n'), false
}

// guid is the identifier of the object of a line.
func (r *Row) guid() string {
	switch r.On {
	case Server:
		return r.Server.GUID
	case Listener:
		return r.Listener.GUID
	}
	return r.Proxy.GUID
}

func appendKept(b []byte, r *Row) []byte {
	guid := r.guid()
	if guid == "" {
		return b
	}
	b = append(append(b, guid...), ',')
	sides := Frontend | Listener
	if r.On&sides == 0 {
		sides = Backend | Server
	}
	for i := range proxyColumns {
		if c := &proxyColumns[i]; c.Shared && c.On&sides != 0 {
			b = append(strconv.AppendUint(b, c.kept(r), 10), ',')
		}
	}
	return append(b, '\n')
}

// kept is the value of a column as a stats file has it. Listeners are not told of
// answers.
func (c *Column) kept(r *Row) uint64 {
	switch {
	case c.HTTP && r.On == Listener:
		return 0
	case c.Kept == nil:
		return c.sum(r)
	}
	switch where := c.Kept(r).(type) {
	case *counter.Counter:
		return where.Load()
	case *counter.Meter:
		return uint64(where.PerSecond(r.clock))
	case *atomic.Int64:
		if when := where.Load(); when != 0 {
			return uint64(max(r.now-when, 0))
		}
	}
	return 0
}

// Preload gives all counters the values that they had in a former process.
func Preload(cfg *runtime.Config) {
	byName := map[string]*Column{}
	for i := range proxyColumns {
		if c := &proxyColumns[i]; c.Shared {
			byName[c.Name] = c
		}
	}
	fronts := map[*runtime.Proxy]bool{} // that have kept listeners
	for i := range cfg.Kept {
		k := &cfg.Kept[i]
		r := keptRow(k)
		if r.On == Listener {
			if k.Listener.Stats == nil {
				continue
			}
			fronts[k.Proxy] = true
		}
		r.at(cfg)
		for j, name := range k.Columns {
			if c := byName[name]; c != nil && j < len(k.Values) && k.Values[j] != "" {
				c.preload(&r, k.Values[j])
			}
		}
	}
	for px := range fronts {
		excludeListeners(px)
	}
}

// keptRow is the line of statistics that a line of a stats file is about.
func keptRow(k *runtime.KeptCounters) Row {
	r := Row{On: Backend, Proxy: k.Proxy, Server: k.Server, Listener: k.Listener}
	switch {
	case k.Listener != nil:
		r.On = Listener
	case k.Server != nil:
		r.On = Server
	case k.Front:
		r.On = Frontend
	}
	return r
}

// preload sets a counter; a value that is no number sets nothing.
func (c *Column) preload(r *Row, value string) {
	if strings.Trim(value, "0123456789") != "" {
		return
	}
	n, _ := strconv.ParseUint(value, 10, 64) // the largest one where it does not fit
	if c.Kept == nil {
		if own := c.first(r); own != nil {
			own.Preload(n)
		}
		return
	}
	switch where := c.Kept(r).(type) {
	case *counter.Counter:
		where.Preload(n)
	case *counter.Meter:
		where.Preload(r.clock, uint32(n))
	case *atomic.Int64:
		where.Store(time.Now().Unix() - int64(n))
	}
}

// first is the counter of the object's own first shard; nil: it has none.
func (c *Column) first(r *Row) *counter.Own {
	switch {
	case r.On == Frontend && c.Front != nil:
		return c.Front(&r.Proxy.Live.Front[0])
	case r.On == Listener && c.Front != nil:
		return c.Front(&r.Listener.Stats[0])
	case r.On == Backend && c.Back != nil:
		return c.Back(&r.Proxy.Live.Back[0])
	case r.On == Server && c.Back != nil:
		return c.Back(&r.Server.Stats[0])
	}
	return nil
}

// excludeListeners takes what the listeners of a frontend counted out of its own
// counters: it is the sum of both that is shown, which may pass zero on the way.
func excludeListeners(px *runtime.Proxy) {
	seen := map[*counter.Own]bool{} // two columns may show one counter
	for i := range proxyColumns {
		c := &proxyColumns[i]
		if !c.Shared || c.Front == nil {
			continue
		}
		own := c.Front(&px.Live.Front[0])
		if seen[own] {
			continue
		}
		seen[own] = true
		for _, l := range px.Listeners {
			if l.Stats != nil {
				own.Add(-c.Front(&l.Stats[0]).Load())
			}
		}
	}
}
