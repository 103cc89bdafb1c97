package stats

import (
	"hapax/runtime"
	"hapax/stats/counter"
)

// Clear resets the maxima of everything, or all counters.
func Clear(cfg *runtime.Config, all bool) {
	for _, m := range []*counter.Max{&cfg.Stats.MaxConnRate, &cfg.Stats.MaxSessRate, &cfg.Stats.TLSRateMax} {
		m.Clear()
	}
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
	for _, m := range []*counter.Max{&p.FrontConnsMax, &p.BackConnsMax, &p.QueuedMax, &p.ConnRateMax, &p.SessRateMax,
		&p.ReqRateMax, &p.BackRateMax, &p.QTimeMax, &p.CTimeMax, &p.DTimeMax, &p.TTimeMax} {
		m.Clear()
	}
	if !all {
		return
	}
	for _, r := range []*counter.Rate{&p.ConnRate, &p.SessRate, &p.ReqRate, &p.BackRate} {
		r.Clear()
	}
	p.DownTrans.Clear()
	p.LastSess.Store(0)
	clearFront(p.Front, all)
	clearBack(p.Back)
}

func clearServer(srv *runtime.Server, all bool) {
	for _, m := range []*counter.Max{&srv.CurrentMax, &srv.QueuedMax, &srv.RateMax, &srv.QTimeMax, &srv.CTimeMax,
		&srv.DTimeMax, &srv.TTimeMax} {
		m.Clear()
	}
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
		for _, a := range []*counter.Average{&c.QTime, &c.CTime, &c.DTime, &c.TTime} {
			a.Clear()
		}
	}
}
