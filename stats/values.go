package stats

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/stats/counter"
)

func colPxname(r *Row) Field { return text(name, r.Proxy.Name) }

func colSvname(r *Row) Field {
	switch r.On {
	case Frontend:
		return text(name, "FRONTEND")
	case Backend:
		return text(name, "BACKEND")
	case Server:
		return text(name, r.Server.Name)
	}
	return text(name, ListenerName(r.Listener))
}

// ListenerName is the name of a listener in statistics: that of its bind line, else "sock-" and its number.
func ListenerName(l *runtime.Listener) string {
	if l.Name != "" {
		return l.Name
	}
	return "sock-" + strconv.Itoa(l.ID)
}

func colPid(*Row) Field    { return u32(key, 1) }
func colIid(r *Row) Field  { return u32(serviceK, int64(r.Proxy.ID)) }
func colMode(r *Row) Field { return text(setting, ModeName(r.Proxy.Mode)) }
func colType(r *Row) Field { return u32(setting, objectTypes[r.On]) }

func colSid(r *Row) Field {
	switch r.On {
	case Server:
		return u32(serviceK, int64(r.Server.ID))
	case Listener:
		return u32(serviceK, int64(r.Listener.ID))
	}
	return u32(serviceK, 0)
}

func colSrid(r *Row) Field {
	if r.On != Server {
		return Field{}
	}
	return u32(counting, int64(r.Server.Revision))
}

func colQcur(r *Row) Field {
	if r.On == Server {
		return u32(gauge, r.Server.Queued.Load())
	}
	return u32(gauge, r.Proxy.Live.Queued.Load())
}

func colQmax(r *Row) Field {
	if r.On == Server {
		return u32(maximum, int64(r.Server.QueuedMax.Load()))
	}
	return u32(maximum, int64(r.Proxy.Live.QueuedMax.Load()))
}

func colQlimit(r *Row) Field {
	if r.Server.MaxQueue == 0 {
		return Field{}
	}
	return u32(setting, int64(r.Server.MaxQueue))
}

func colScur(r *Row) Field {
	switch r.On {
	case Frontend:
		return u32(gauge, r.Proxy.Live.FrontConns.Load())
	case Backend:
		return u32(gauge, r.Proxy.Live.BackConns.Load())
	case Server:
		return u32(gauge, r.Server.Current.Load())
	}
	return u32(gauge, r.Listener.Conns.Load())
}

func colSmax(r *Row) Field {
	switch r.On {
	case Frontend:
		return u32(maximum, int64(r.Proxy.Live.FrontConnsMax.Load()))
	case Backend:
		return u32(maximum, int64(r.Proxy.Live.BackConns.Max()))
	case Server:
		return u32(maximum, int64(r.Server.Current.Max()))
	}
	return u32(maximum, int64(r.Listener.ConnsMax.Load()))
}

func colSlim(r *Row) Field {
	switch r.On {
	case Frontend:
		return u32(limit, r.Proxy.LiveMaxConn.Load())
	case Backend:
		return u32(limit, int64(r.Proxy.FullConn))
	case Server:
		if n := r.Server.MaxConn.Load(); n != 0 {
			return u32(limit, int64(n))
		}
		return Field{}
	}
	return u32(limit, int64(r.Listener.Bind.MaxConn))
}

// inForce is a limit that commands may have changed: live is 0 until the engine has started.
func inForce(live *atomic.Int64, configured int) int64 {
	if n := live.Load(); n != 0 {
		return n
	}
	return int64(configured)
}

func colStatus(r *Row) Field {
	switch r.On {
	case Frontend:
		switch runtime.ProxyState(r.Proxy.State.Load()) {
		case runtime.ProxyStopped:
			return text(status, "STOP")
		case runtime.ProxyPaused:
			return text(status, "PAUSED")
		}
		return text(status, "OPEN")
	case Backend:
		s := "DOWN"
		if up(r.Proxy) {
			s = "UP"
		}
		if r.Proxy.Unpublished.Load() {
			s += " (UNPUB)"
		}
		if r.Counts {
			n := 0
			for _, srv := range r.Proxy.AllServers() {
				if runtime.ServerState(srv.State.Load()) != runtime.ServerStopped {
					n++
				}
			}
			s += fmt.Sprintf(" (%d/%d)", n, len(r.Proxy.AllServers()))
		}
		return text(status, s)
	case Server:
		return text(status, ServerStatus(r.Server))
	}
	if most := int64(r.Listener.Bind.MaxConn); most != 0 && r.Listener.Conns.Load() >= most {
		return text(status, "FULL")
	}
	if runtime.ListenerState(r.Listener.State.Load()) == runtime.ListenerFull {
		return text(status, "WAITING")
	}
	return text(status, "OPEN")
}

func colWeight(r *Row) Field {
	if r.On == Server {
		return u32(average, int64(balance.Weight(r.Server)))
	}
	return u32(average, int64(balance.TotalWeight(r.Proxy)))
}

func colUweight(r *Row) Field {
	if r.On == Server {
		return u32(average, int64(r.Server.UserWeight.Load()))
	}
	active, _ := balance.Counts(r.Proxy)
	first := active == 0 && r.Proxy.Options&runtime.OptAllBackups == 0
	sum := int64(0)
	for _, srv := range r.Proxy.AllServers() {
		if !srv.Usable() || srv.Backup != (active == 0) {
			continue
		}
		sum += int64(srv.UserWeight.Load())
		if first {
			break
		}
	}
	return u32(average, sum)
}

func colAct(r *Row) Field {
	if r.On == Server {
		return u32(status, one(!r.Server.Backup))
	}
	n, _ := balance.Counts(r.Proxy)
	return u32(gauge, int64(n))
}

func colBck(r *Row) Field {
	if r.On == Server {
		return u32(status, one(r.Server.Backup))
	}
	_, n := balance.Counts(r.Proxy)
	return u32(gauge, int64(n))
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func colChkfail(r *Row) Field {
	if !checking(r.Server) {
		return Field{}
	}
	return u64(counting, r.Server.FailedChecks.Load())
}

func colChkdown(r *Row) Field {
	if r.On == Backend {
		return u64(counting, r.Proxy.Live.DownTrans.Load())
	}
	if !checking(r.Server) {
		return Field{}
	}
	return u64(counting, r.Server.DownTrans.Load())
}

func colHanafail(r *Row) Field {
	if checked(r.Server).Observe == runtime.ObserveNone {
		return Field{}
	}
	return u64(counting, r.Server.FailedHana.Load())
}

func colLastchg(r *Row) Field {
	if r.On == Server {
		return u32(aging, r.age(r.Server.LastChange.Load()))
	}
	return u32(aging, r.age(r.Proxy.Live.LastChange.Load()))
}

func colDowntime(r *Row) Field {
	if r.On == Server {
		if !checking(r.Server) {
			return Field{}
		}
		sum := r.Server.DownTime.Load()
		if runtime.ServerState(r.Server.State.Load()) == runtime.ServerStopped {
			sum += r.age(r.Server.LastChange.Load())
		}
		return u32(counting, sum)
	}
	if len(r.Proxy.AllServers()) == 0 {
		return Field{}
	}
	sum := r.Proxy.Live.DownTime.Load()
	if !up(r.Proxy) {
		sum += r.age(r.Proxy.Live.LastChange.Load())
	}
	return u32(counting, sum)
}

func colLastsess(r *Row) Field {
	last := r.Proxy.Live.LastSess.Load()
	if r.On == Server {
		last = r.Server.LastSess.Load()
	}
	if last == 0 {
		return s32(aging, -1)
	}
	return s32(aging, max(r.now-last, 0))
}

// colThrottle is shown while a server starts slowly.
func colThrottle(r *Row) Field {
	srv := r.Server
	if runtime.ServerState(srv.State.Load()) != runtime.ServerStarting || srv.AdminState.Load()&uint32(runtime.Drain) != 0 {
		return Field{}
	}
	w := int64(srv.UserWeight.Load())
	if w == 0 {
		return u32(average, 100)
	}
	return u32(average, (100*int64(balance.Weight(srv))+w-1)/w)
}

func colTracked(r *Row) Field {
	if r.On != Server || r.Server.Track == nil {
		return Field{}
	}
	return text(named, r.Server.Track.Proxy.Name+"/"+r.Server.Track.Name)
}

func colRate(r *Row) Field {
	live := &r.Proxy.Live
	switch r.On {
	case Frontend:
		return u32(rating, int64(live.SessRate.PerSecond(r.clock)))
	case Backend:
		return u32(rating, int64(live.BackRate.PerSecond(r.clock)))
	}
	return u32(rating, int64(r.Server.Rate.PerSecond(r.clock)))
}

func colRateMax(r *Row) Field {
	live := &r.Proxy.Live
	switch r.On {
	case Frontend:
		return u32(maximum, int64(live.SessRate.Max()))
	case Backend:
		return u32(gauge, int64(live.BackRate.Max())) // the reference tags it so
	}
	return u32(maximum, int64(r.Server.Rate.Max()))
}

func colRateLim(r *Row) Field     { return u32(limit, int64(r.Proxy.RateLimit)) }
func colReqRate(r *Row) Field     { return u32(rating, int64(r.Proxy.Live.ReqRate.PerSecond(r.clock))) }
func colReqRateMax(r *Row) Field  { return u32(maximum, int64(r.Proxy.Live.ReqRate.Max())) }
func colConnRate(r *Row) Field    { return u32(rating, int64(r.Proxy.Live.ConnRate.PerSecond(r.clock))) }
func colConnRateMax(r *Row) Field { return u32(maximum, int64(r.Proxy.Live.ConnRate.Max())) }

func colReqTot(r *Row) Field {
	sum := uint64(0)
	if r.On == Frontend {
		for c := range r.Proxy.FrontCounters() {
			sum += c.H1Req.Load() + c.H2Req.Load() + c.OtherReq.Load()
		}
		return u64(counting, sum)
	}
	if r.Proxy.Mode != runtime.ModeHTTP {
		return Field{}
	}
	shards := r.backs()
	for i := range shards {
		sum += shards[i].Req.Load()
	}
	return u64(counting, sum)
}

func colSessOther(r *Row) Field {
	if r.On != Frontend {
		return Field{}
	}
	all, known := uint64(0), uint64(0)
	for c := range r.Proxy.FrontCounters() {
		all += c.Sess.Load()
		known += c.H1Sess.Load() + c.H2Sess.Load()
	}
	return u64(counting, all-min(known, all))
}

func colAddr(r *Row) Field {
	if !r.Legends {
		return Field{}
	}
	switch r.On {
	case Server:
		return text(setting, address(r.Server.Addr.Load()))
	case Listener:
		return text(setting, address(&r.Listener.Addr))
	}
	return Field{}
}

// address writes an address as statistics show it.
func address(a *runtime.Addr) string {
	if a == nil {
		return ""
	}
	switch a.Family {
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		return a.IP.String()
	case runtime.FamilyUnix, runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		return "unix"
	}
	return ""
}

func colCookie(r *Row) Field {
	switch {
	case !r.Legends:
	case r.On == Server && r.Server.LiveCookie() != "":
		return text(named, r.Server.LiveCookie())
	case r.On == Backend && r.Proxy.Cookie != nil && r.Proxy.Cookie.Name != "":
		return text(named, r.Proxy.Cookie.Name)
	}
	return Field{}
}

func colAlgo(r *Row) Field {
	if r.On != Backend || !r.Legends {
		return Field{}
	}
	return text(setting, balance.Name(r.Proxy))
}

func colProto(r *Row) Field {
	if r.On != Listener {
		return Field{}
	}
	switch r.Listener.Addr.Family {
	case runtime.FamilyReverse:
		return text(status, "rev")
	case runtime.FamilyIPv6:
		return text(status, "tcpv6")
	case runtime.FamilyUnix:
		return text(status, "unix_stream")
	case runtime.FamilyAbstract:
		return text(status, "abns_stream")
	case runtime.FamilyAbstractZ:
		return text(status, "abnsz_stream")
	case runtime.FamilySockpair:
		return text(status, "sockpair")
	}
	return text(status, "tcpv4")
}

func colSrvIcur(r *Row) Field {
	all, _ := r.Server.Idle()
	return u32(gauge, all)
}

func colSafeConnCur(r *Row) Field {
	_, safe := r.Server.Idle()
	return u32(gauge, safe)
}

func colUsedConnCur(r *Row) Field { return u32(gauge, r.Server.Used.Load()) }
func colPrivIdleCur(r *Row) Field { return u32(gauge, r.Server.IdleOwned()) }

func colIdleConnCur(r *Row) Field {
	all, safe := r.Server.Idle()
	return u32(gauge, max(all-safe, 0))
}

func colNeedConnEst(r *Row) Field { return u32(gauge, int64(r.Server.NeedEst())) }

func colSrcIlim(r *Row) Field {
	if r.Server.PoolMax < 0 {
		return Field{}
	}
	return u32(limit, int64(r.Server.PoolMax))
}

// meanTime averages a time over all shards.
func meanTime(kind int) func(*Row) Field {
	return func(r *Row) Field {
		m := counter.Mean{Kind: kind}
		shards := r.backs()
		for i := range shards {
			m.Add(&shards[i].Times)
		}
		return u32(average, int64(m.Value()))
	}
}

// longestTime is the longest of all shards.
func longestTime(kind int) func(*Row) Field {
	return func(r *Row) Field {
		longest := uint64(0)
		shards := r.backs()
		for i := range shards {
			longest = max(longest, shards[i].Times.Longest(kind))
		}
		return u32(maximum, int64(longest))
	}
}
