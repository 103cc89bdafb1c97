package balance

import (
	"time"

	"hapax/runtime"
)

// weightScale is the ratio of effective weights to those of the configuration in
// algorithms whose weights may change: it lets a server of weight 1 start in steps of
// 6%. It also is the reference's, since the choice of hashes and the order of
// roundrobin depend on it.
const weightScale = 16

// maxEffective is the largest effective weight.
const maxEffective = 256 * weightScale

// effective computes the effective weight of a server from the weight that the user
// wants, and ends its slow start when that is over. The caller holds the backend's Mu.
func (m *members) effective(srv *runtime.Server) uint32 {
	w := m.div
	if runtime.ServerState(srv.State.Load()) == runtime.ServerStarting {
		slow := slowStartSeconds(srv)
		since := time.Now().Unix() - srv.LastChange.Load()
		switch {
		case since < 0 || since >= slow:
			srv.State.Store(int32(runtime.ServerRunning))
		case m.dynamic:
			w = uint32((int64(m.div)*since + slow) / slow)
		}
	}
	return (uint32(srv.UserWeight.Load())*w + m.mult - 1) / m.mult
}

func slowStartSeconds(srv *runtime.Server) int64 {
	return int64((srv.SlowStart + time.Second - 1) / time.Second)
}

// full is the effective weight that a server has before any state is known.
func (m *members) full(srv *runtime.Server) uint32 {
	return (uint32(srv.UserWeight.Load())*m.div + m.mult - 1) / m.mult
}

// shown turns an effective weight into the scale of the configuration, rounded up.
func (m *members) shown(w int) int {
	return (w*int(m.mult) + int(m.div) - 1) / int(m.div)
}

// reduce divides all weights by their greatest common divisor, so that a map is not
// larger than it must be.
func (m *members) reduce() {
	var gcd uint32
	for _, srv := range m.px.AllServers() {
		a, b := gcd, uint32(srv.UserWeight.Load())
		for b != 0 {
			a, b = b, a%b
		}
		gcd = a
	}
	m.mult = max(gcd, 1)
}
