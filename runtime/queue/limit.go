package queue

import (
	"time"

	"hapax/runtime"
)

// DynamicMaxConn is the number of streams that a server may have now: its maxconn,
// or with minconn a limit that follows the backend's load up to fullconn. A server in
// slow start has a share of it that grows with time, at least 1. It is meaningless for a
// server without maxconn.
func DynamicMaxConn(srv *runtime.Server) int {
	most := int(srv.MaxConn.Load())
	limit := most
	px := srv.Proxy
	if on := int(px.Live.BackConns.Load()); !srv.StaticMaxConn && srv.MinConn != most && on < px.FullConn {
		limit = max(srv.MinConn, on*most/px.FullConn)
	}
	if runtime.ServerState(srv.State.Load()) == runtime.ServerStarting {
		slow := int64((srv.SlowStart + time.Second - 1) / time.Second)
		if since := time.Now().Unix() - srv.LastChange.Load(); since >= 0 && since < slow {
			limit = max(1, limit*int(100*since/slow)/100)
		}
	}
	return limit
}

// HasRoom tells whether a server has a free slot, whoever waits for it.
func HasRoom(srv *runtime.Server) bool {
	return srv.MaxConn.Load() == 0 || srv.Served.Load() < int64(DynamicMaxConn(srv))
}

// takeSlot counts one more stream on the server if its limit allows it.
func takeSlot(srv *runtime.Server) bool {
	for {
		n := srv.Served.Load()
		if srv.MaxConn.Load() != 0 && n >= int64(DynamicMaxConn(srv)) {
			return false
		}
		if srv.Served.CAS(n, n+1) {
			srv.Proxy.Live.Served.Inc()
			return true
		}
	}
}
