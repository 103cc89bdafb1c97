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
		clearModules(px)
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
		for _, n := range []*counter.Own{&c.Conns, &c.Sess, &c.H1Sess, &c.H2Sess, &c.ReqIn, &c.ReqOut, &c.ResIn, &c.ResOut,
			&c.DeniedReq, &c.DeniedRes, &c.DeniedConn, &c.DeniedSess, &c.FailedReq, &c.Intercepted, &c.FailedRewrite,
			&c.InternalErr, &c.CliAborts, &c.SrvAborts, &c.H1Req, &c.H2Req, &c.OtherReq} {
			n.Clear()
		}
		for j := range c.Rsp {
			c.Rsp[j].Clear()
		}
	}
}

// clearModules clears what protocols and TLS count, which goes with the maxima.
func clearModules(px *runtime.Proxy) {
	for c := range px.FrontCounters() {
		clearProtocols(&c.H1, &c.H2, &c.Spliced)
	}
	for i := range px.Live.Back {
		c := &px.Live.Back[i]
		clearProtocols(&c.H1, &c.H2, &c.Spliced)
	}
	clearTLS(&px.Live.TLSFront, &px.Live.TLSBack)
	for _, srv := range px.AllServers() {
		clearTLS(&srv.TLSStats)
	}
	for _, l := range px.Listeners {
		clearTLS(&l.TLSStats)
	}
}

func clearTLS(list ...*runtime.TLSCounters) {
	for _, c := range list {
		c.Sess.Clear()
		c.Reused.Clear()
		c.Failed.Clear()
	}
}

func clearProtocols(h1 *runtime.H1Counters, h2 *runtime.H2Counters, spliced *runtime.SplicedBytes) {
	clearH1(h1)
	for _, n := range []*counter.Own{&h1.In, &h1.Out, &spliced.In, &spliced.Out, &h2.Conns, &h2.Streams, &h2.Headers, &h2.Data, &h2.Settings,
		&h2.Resets, &h2.GoAways, &h2.ConnErrors, &h2.StreamErrors, &h2.ResetsSent, &h2.GoAwaysSent} {
		n.Clear()
	}
}

// clearH1 forgets all totals. What is open stays so.
func clearH1(c *runtime.H1Counters) {
	c.ConnsBefore.Preload(c.Conns.Load())
	c.StreamsBefore.Preload(c.Streams.Load())
}

func clearBack(shards []runtime.BackCounters) {
	for i := range shards {
		c := &shards[i]
		for _, n := range []*counter.Own{&c.Sess, &c.ReqIn, &c.ReqOut, &c.ResIn, &c.ResOut, &c.DeniedReq, &c.DeniedRes,
			&c.FailedConn, &c.FailedRes, &c.Retries, &c.Redispatches, &c.Connects, &c.Reuses, &c.LBTotal, &c.FailedRewrite,
			&c.InternalErr, &c.CliAborts, &c.SrvAborts, &c.Req} {
			n.Clear()
		}
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
