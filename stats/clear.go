package stats

import (
	"hapax/runtime"
	"hapax/stats/counter"
)

// Clear resets the maxima of everything, or all counters.
func Clear(cfg *runtime.Config, all bool) {
	cfg.Stats.TLSRateMax.Clear()
	cfg.Stats.ConnRate.ClearMax()
	cfg.Stats.SessRate.ClearMax()
	for _, px := range cfg.AllProxies() {
		clearProxy(&px.Live, all)
		for _, srv := range px.AllServers() {
			clearServer(srv, all)
		}
		for _, l := range px.Listeners {
			l.ConnsMax.Clear()
			clearFront(l.Stats, all)
		}
	}
}

func clearProxy(p *runtime.ProxyStats, all bool) {
	p.FrontConnsMax.Clear()
	p.QueuedMax.Clear()
	p.BackConns.ClearMax()
	for _, m := range []*counter.Meter{&p.ConnRate, &p.SessRate, &p.ReqRate, &p.BackRate} {
		m.ClearMax()
		if all {
			m.Clear()
		}
	}
	clearLongest(p.Back)
	if !all {
		return
	}
	p.DownTrans.Clear()
	p.LastSess.Store(0)
	clearFront(p.Front, all)
	clearBack(p.Back)
}

func clearServer(srv *runtime.Server, all bool) {
	srv.QueuedMax.Clear()
	srv.Current.ClearMax()
	srv.Rate.ClearMax()
	clearLongest(srv.Stats)
	if !all {
		return
	}
	srv.Rate.Clear()
	for _, n := range []*counter.Counter{&srv.FailedChecks, &srv.FailedHana, &srv.DownTrans} {
		n.Clear()
	}
	srv.LastSess.Store(0)
	clearBack(srv.Stats)
}

func clearFront(shards []runtime.FrontCounters, all bool) {
	if !all {
		return
	}
	for i := range shards {
		c := &shards[i]
		for _, n := range []*counter.Own{&c.Conns, &c.Sess, &c.H1Sess, &c.H2Sess, &c.OtherSess, &c.ReqIn, &c.ReqOut, &c.ResIn, &c.ResOut,
			&c.DeniedReq, &c.DeniedRes, &c.DeniedConn, &c.DeniedSess, &c.FailedReq, &c.Intercepted, &c.FailedRewrite,
			&c.InternalErr, &c.CliAborts, &c.SrvAborts, &c.H1Req, &c.H2Req, &c.OtherReq, &c.Spliced.In, &c.Spliced.Out, &c.H1.In, &c.H1.Out} {
			n.Clear()
		}
		clearH1(&c.H1)
		for j := range c.Rsp {
			c.Rsp[j].Clear()
		}
	}
}

// clearH1 forgets what is over.
func clearH1(c *runtime.H1Counters) {
	for _, p := range [...]struct{ all, over *counter.Own }{{&c.Conns, &c.ConnsOver}, {&c.Streams, &c.StreamsOver}} {
		p.all.Add(-p.over.Load())
		p.over.Clear()
	}
}

func clearBack(shards []runtime.BackCounters) {
	for i := range shards {
		c := &shards[i]
		for _, n := range []*counter.Own{&c.Sess, &c.ReqIn, &c.ReqOut, &c.ResIn, &c.ResOut, &c.DeniedReq, &c.DeniedRes,
			&c.FailedConn, &c.FailedRes, &c.Retries, &c.Redispatches, &c.Connects, &c.Reuses, &c.LBTotal, &c.FailedRewrite,
			&c.InternalErr, &c.CliAborts, &c.SrvAborts, &c.Req, &c.Spliced.In, &c.Spliced.Out, &c.H1.In, &c.H1.Out} {
			n.Clear()
		}
		clearH1(&c.H1)
		for j := range c.Rsp {
			c.Rsp[j].Clear()
		}
		c.Times.Clear()
	}
}

func clearLongest(shards []runtime.BackCounters) {
	for i := range shards {
		shards[i].Times.ClearLongest()
	}
}
