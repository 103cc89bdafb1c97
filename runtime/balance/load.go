package balance

import (
	"hapax/runtime"
	"hapax/runtime/queue"
)

// free tells whether a server has a free slot and nobody waits for it.
func free(srv *runtime.Server) bool {
	return srv.MaxConn.Load() == 0 || srv.Queued.Load() == 0 && srv.Served.Load() < int64(queue.DynamicMaxConn(srv))
}

// queueable tells whether a server has a free slot or room in its queue.
func queueable(srv *runtime.Server) bool {
	return srv.MaxConn.Load() == 0 ||
		srv.Served.Load()+srv.Queued.Load() < int64(queue.DynamicMaxConn(srv)+srv.MaxQueue)
}
