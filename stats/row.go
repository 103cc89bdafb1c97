package stats

import (
	"iter"
	"time"

	"hapax/runtime"
	"hapax/runtime/balance"
)

// Row is one line of statistics: the object and the moment.
type Row struct {
	On       Objects // one kind
	Proxy    *runtime.Proxy
	Server   *runtime.Server
	Listener *runtime.Listener
	Config   *runtime.Config

	Legends bool // show addresses, cookies and the algorithm
	Counts  bool // the status of a backend tells how many servers are up
	clock   int64
	now     int64 // unix seconds
}

// at sets the moment of the row.
func (r *Row) at(cfg *runtime.Config) {
	r.Config = cfg
	r.now = time.Now().Unix()
	r.clock = Clock(cfg)
}

// Clock is the time that rates are read with, in ms.
func Clock(cfg *runtime.Config) int64 {
	if f := cfg.Stats.Clock; f != nil {
		return f()
	}
	return time.Since(cfg.Stats.Started).Milliseconds()
}

// fronts are the counters of a frontend's or a listener's line.
func (r *Row) fronts() iter.Seq[*runtime.FrontCounters] {
	if r.On == Listener {
		return r.Listener.Shards()
	}
	return r.Proxy.FrontCounters()
}

// backs are the counters of a backend's or a server's line.
func (r *Row) backs() []runtime.BackCounters {
	if r.On == Server {
		return r.Server.Stats
	}
	return r.Proxy.Live.Back
}

// age is how long ago a moment was, in seconds; the start of the process stands for none.
func (r *Row) age(unix int64) int64 {
	if unix == 0 {
		unix = r.Config.Stats.Started.Unix()
	}
	return max(r.now-unix, 0)
}

// checked is the server whose checks decide the state of another: the end of its chain of tracked servers.
func checked(srv *runtime.Server) *runtime.Server {
	for srv.Track != nil {
		srv = srv.Track
	}
	return srv
}

// checking tells whether health checks of a server itself are on.
func checking(srv *runtime.Server) bool { return srv.CheckOn && !srv.HealthOff.Load() }

// reporting tells whether there is a result of checks to show: maintenance pauses them.
func reporting(srv *runtime.Server) bool {
	return checking(srv) && srv.AdminState.Load()&uint32(runtime.Maint) == 0
}

// lastCheck is the result of the last check.
func lastCheck(srv *runtime.Server) runtime.CheckResult {
	if r := srv.LastCheck.Load(); r != nil {
		return *r
	}
	return runtime.CheckResult{Status: runtime.CheckInit}
}

// up tells whether a backend has a server to give requests to, or needs none.
func up(px *runtime.Proxy) bool { return len(px.AllServers()) == 0 || balance.TotalWeight(px) > 0 }
