package engine

import (
	"math"
	"sync/atomic"

	"hapax/runtime"
)

// pool is the idle connections of one worker to one server. They take turns. A connection is safe when it has already been reused once: then the
// server is known to keep its connections, and a first request may take it.
type pool struct {
	safe, idle linkList
	avail      linkList     // in use, and good for more exchanges
	count      atomic.Int32 // idle connections, for other workers to read
}

// serverPools are the idle connections to a server, by loop. They are what runtime.Server.Pools holds.
type serverPools []struct {
	pool
	_ [64]byte // the next loop's pool starts on a cache line of its own
}

// IdleOn tells how many connections are idle on a loop.
func (p serverPools) IdleOn(loop int) int { return int(p[loop].count.Load()) }

// makePools gives a server its pools and what each loop counts in.
func makePools(srv *runtime.Server, loops int) {
	p := make(serverPools, loops)
	srv.Pools = &p
	srv.MakeCounters(loops)
}

// pool is the worker's pool of a server.
func (w *worker) pool(srv *runtime.Server) *pool { return &(*srv.Pools.(*serverPools))[w.id].pool }

// linkList is a ring of idle links, the newest at the head.
type linkList struct {
	head, tail *link
	n          int
}

func (l *linkList) push(k *link) {
	k.prev, k.next = nil, l.head
	if l.head == nil {
		l.tail = k
	} else {
		l.head.prev = k
	}
	l.head = k
	l.n++
}

func (l *linkList) remove(k *link) {
	if k.prev == nil {
		l.head = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		l.tail = k.prev
	} else {
		k.next.prev = k.prev
	}
	k.prev, k.next = nil, nil
	l.n--
}

// madeFor finds the oldest link to a server that was made for the same (see identity) and that carries one more exchange.
func (l *linkList) madeFor(key []byte) *link {
	k := l.tail
	for k != nil && (k.key() != string(key) || !k.carries()) {
		k = k.prev
	}
	return k
}

// carries tells whether the connection is good for one more exchange.
func (k *link) carries() bool {
	if k.shared == nil {
		return k.st == nil
	}
	return k.shared.more()
}

// take finds a connection for a request, nil when there is none that the backend's
// http-reuse allows: one that carries others, or an idle one. Section 4.2 "http-reuse".
// key is what it must have been made for.
func (w *worker) take(srv *runtime.Server, mode runtime.Reuse, first bool, key []byte) *link {
	p := w.pool(srv)
	if p.safe.n+p.idle.n+p.avail.n == 0 {
		return nil
	}
	if p.avail.n > 0 && mode != runtime.ReuseNever {
		if k := p.avail.madeFor(key); k != nil {
			return k
		}
	}
	return w.takeIdle(srv, mode, first, key)
}

// takeIdle is take for idle connections.
func (w *worker) takeIdle(srv *runtime.Server, mode runtime.Reuse, first bool, key []byte) *link {
	p := w.pool(srv)
	var k *link
	switch {
	case mode == runtime.ReuseNever:
		return nil
	case first && mode == runtime.ReuseSafe:
		return nil
	case first:
		k = p.safe.madeFor(key)
		if k == nil && mode == runtime.ReuseAlways {
			k = p.idle.madeFor(key)
		}
	default:
		k = p.idle.madeFor(key)
		if k == nil {
			k = p.safe.madeFor(key)
		}
	}
	if k != nil {
		w.unlist(k)
	}
	return k
}

// unlist takes a connection out of its pool.
func (w *worker) unlist(k *link) {
	if k.list == nil {
		return
	}
	p := w.pool(k.srv)
	k.list.remove(k)
	switch k.list {
	case &p.safe:
		k.srv.Stats[w.id].IdleSafe.Dec()
		fallthrough
	case &p.idle:
		k.srv.Stats[w.id].Idle.Dec()
		p.count.Add(-1)
	}
	k.list = nil
}

// give puts a connection into its pool, or closes it when the pool is full.
func (w *worker) give(k *link) {
	srv := k.srv
	if !w.mayPool(k) {
		k.leaveServer()
		return
	}
	p := w.pool(srv)
	w.unlist(k)
	k.idleAt = w.loop.Now()
	if idle, _ := srv.Idle(); idle == 0 && k.idleAt-srv.Purged.Load() >= int64(srv.PoolPurge) {
		srv.Purged.Store(k.idleAt)
	}
	k.list = &p.idle
	if k.safe {
		k.list = &p.safe
		srv.Stats[w.id].IdleSafe.Inc()
	}
	k.list.push(k)
	srv.Stats[w.id].Idle.Inc()
	p.count.Add(1)
	w.purgeAt(srv.Purged.Load() + int64(srv.PoolPurge))
}

// purgeAt has the pools looked at, unless they are before.
func (w *worker) purgeAt(when int64) {
	when = max(when, w.purgeNext)
	if at := w.purge.Deadline(); at == 0 || when < at {
		w.purge.Set(when)
	}
}

// offer lets all streams use what a shared connection in use has room for, or none.
func (w *worker) offer(k *link) {
	free := k.owner == nil && !k.private && k.used && k.shared.more()
	p := w.pool(k.srv)
	switch {
	case free && k.list == nil:
		k.list = &p.avail
		k.list.push(k)
	case !free && k.list == &p.avail:
		w.unlist(k)
	}
}

// mayPool tells whether one more idle connection to the server is kept. Beyond the first of a
// loop, there are as many as were in use at once lately, and pool-low-conn, as long as few descriptors are in use.
func (w *worker) mayPool(k *link) bool {
	srv, p := k.srv, w.pool(k.srv)
	idle, _ := srv.Idle()
	switch {
	case srv.PoolMax >= 0 && idle >= int64(srv.PoolMax), srv.PoolPurge == 0, srv.Proxy.Reuse == runtime.ReuseNever,
		srv.AdminState.Load()&uint32(runtime.Maint) != 0, w.crowded(w.cfg.Global.PoolHigh):
		return false
	case p.safe.n == 0 && (k.safe || p.idle.n == 0):
		return true
	case w.crowded(w.cfg.Global.PoolLow):
		return false
	case srv.Reversed:
		return true
	}
	used := srv.Used.Load() + 1 // it was until now
	return used+idle <= max(used, int64(srv.NeedEst()))+int64(srv.PoolLow)
}

// crowded tells whether the process has as many connections as a limit says; 0: there is none.
func (w *worker) crowded(limit int64) bool {
	stats := &w.cfg.Stats
	return limit != 0 && stats.Conns.Load()+stats.ServerConns.Load() >= limit
}

// relieve closes an idle connection to a server for one that is made when many descriptors are in use.
func (w *worker) relieve(srv *runtime.Server) {
	if w.crowded(w.cfg.Global.PoolHigh) {
		w.makeRoom(srv)
	}
}

// makeRoom closes an idle connection to a server. later: another loop was asked to.
func (w *worker) makeRoom(srv *runtime.Server) (later bool) {
	if p := w.pool(srv); p.safe.n+p.idle.n > 0 {
		w.closeOldest(srv, 1)
		return false
	}
	for _, o := range w.engine.workers {
		if o != w && o.pool(srv).count.Load() > 0 {
			o.loop.PostFunc(func() { o.closeOldest(srv, 1) })
			return true
		}
	}
	return false
}

// lookCost is how long, in ns, pools are left alone for each server that was looked at: many servers, whose times differ, are
// looked at together, and the loop is never busy with that for long.
const lookCost = 5000

// purgeIdle closes half of the connections that are idle beyond what was in
// use lately, for each server whose pool-purge-delay has passed, and looks
// again when the next one has, as long as there are any.
func (w *worker) purgeIdle() {
	now, next := w.loop.Now(), int64(math.MaxInt64)
	w.purgeNext = now
	for srv := range w.engine.servers() {
		w.purgeNext += lookCost
		if p := w.pool(srv); p.safe.n+p.idle.n == 0 {
			continue
		}
		if last := srv.Purged.Load(); now-last >= int64(srv.PoolPurge) && srv.Purged.CompareAndSwap(last, now) {
			w.purgeServer(srv)
		}
		next = min(next, srv.Purged.Load()+int64(srv.PoolPurge))
	}
	if next < math.MaxInt64 {
		w.purgeAt(next)
	}
}

// purgeServer closes idle connections of all loops to a server, and estimates anew how many
// it needs.
func (w *worker) purgeServer(srv *runtime.Server) {
	used := srv.Used.Load()
	idle, _ := srv.Idle()
	most, need := srv.Used.Max(), srv.NeedEst()
	spare := used + idle - int64(max(most, need))
	spare = (spare + 1) / 2
	srv.Need.Store(int64(max((need+most)/2, most)))
	srv.Used.Restart()
	if spare <= 0 {
		return
	}
	for _, o := range w.engine.workers {
		share := int(spare*int64(o.pool(srv).count.Load())/idle) + 1
		if o == w {
			o.closeOldest(srv, share)
			continue
		}
		o.loop.PostFunc(func() { o.closeOldest(srv, share) })
	}
}

// closeOldest closes the connections that are idle for the longest time.
func (w *worker) closeOldest(srv *runtime.Server, n int) {
	p := w.pool(srv)
	for ; n > 0; n-- {
		k := p.idle.tail
		if k == nil || p.safe.tail != nil && p.safe.tail.idleAt < k.idleAt {
			k = p.safe.tail
		}
		if k == nil {
			return
		}
		w.unlist(k)
		k.abort()
	}
}

// closeIdleLinks closes all idle connections to a server: it went down, or its address changed.
func (w *worker) closeIdleLinks(srv *runtime.Server) {
	p := w.pool(srv)
	for _, l := range []*linkList{&p.idle, &p.safe} {
		for k := l.head; k != nil; k = l.head {
			w.unlist(k)
			k.abort()
		}
	}
	for c := w.clients.head; c != nil; c = c.next {
		c.dropIdle(srv)
	}
}
