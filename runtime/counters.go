package runtime

import (
	"hapax/runtime/h2"
	"hapax/stats/counter"
)

// Status classes of HTTP answers in counters: 1xx ... 5xx, other.
const (
	Status1xx = iota
	Status2xx
	Status3xx
	Status4xx
	Status5xx
	StatusOther
	StatusClasses
)

// StatusClass tells which class a status belongs to.
func StatusClass(status int) int {
	if c := status/100 - 1; c >= Status1xx && c <= Status5xx {
		return c
	}
	return StatusOther
}

// LoopCounters is what each loop counts for the process.
type LoopCounters struct {
	Reqs               counter.Own // requests, connections in TCP mode, and log lines of connections that sent none
	Streams, Ended     counter.Own
	ConnRate, SessRate counter.MeterShard
	_                  [64]byte // the next shard starts on a cache line of its own
}

// CodedBytes is what the compression of responses counts.
type CodedBytes struct {
	In, Out, Bypassed counter.Own // bytes: that were compressed, what became of them, and those that went through as they were
	Responses         counter.Own // that ended
}

// CacheCounters is what rules that look into caches count.
type CacheCounters struct{ Lookups, Hits counter.Own }

// FrontCounters is what frontends and listeners count: one shard per loop. What every request counts stands first,
// on neighbouring cache lines.
type FrontCounters struct {
	ReqIn, ReqOut, ResIn, ResOut counter.Own // bytes: from client, to server, from server, to client
	H1Req, H2Req, OtherReq       counter.Own
	Rsp                          [StatusClasses]counter.Own
	ReqRate                      counter.MeterShard // of frontends alone, as the rates and log lines below
	Conns, Sess                  counter.Own        // accepted connections; sessions that passed the session rules
	H1Sess, H2Sess               counter.Own
	DeniedReq, DeniedRes         counter.Own
	DeniedConn, DeniedSess       counter.Own
	FailedReq                    counter.Own
	Intercepted                  counter.Own
	FailedRewrite                counter.Own
	InternalErr                  counter.Own
	CliAborts, SrvAborts         counter.Own
	Spliced                      SplicedBytes
	Coded                        CodedBytes
	Cache                        CacheCounters
	H1                           H1Counters
	H2                           H2Counters
	Logged                       counter.Own // log lines written
	ConnRate, SessRate           counter.MeterShard
	_                            [64]byte // the next shard starts on a cache line of its own
}

// H2Counters is what HTTP/2 connections count.
type H2Counters struct {
	Open, OpenStreams                        counter.Own // now
	Conns, Streams                           counter.Own
	Headers, Data, Settings, Resets, GoAways counter.Own // frames received
	ConnErrors, StreamErrors                 counter.Own // violations of the protocol
	ResetsSent, GoAwaysSent                  counter.Own // for errors
}

// Take adds up what happened on a connection since it was last called.
func (n *H2Counters) Take(c *h2.Counts) {
	if *c == (h2.Counts{}) {
		return
	}
	n.Headers.Add(uint64(c.Headers))
	n.Data.Add(uint64(c.Data))
	n.Settings.Add(uint64(c.Settings))
	n.Resets.Add(uint64(c.Resets))
	n.GoAways.Add(uint64(c.GoAways))
	n.ConnErrors.Add(uint64(c.ConnErrors))
	n.StreamErrors.Add(uint64(c.StreamErrors))
	n.ResetsSent.Add(uint64(c.ResetsSent))
	n.GoAwaysSent.Add(uint64(c.GoAwaysSent))
	*c = h2.Counts{}
}

// H1Counters is what HTTP/1 connections count.
type H1Counters struct {
	Conns, ConnsOver           counter.Own
	Streams, StreamsOver       counter.Own
	In, Out                    counter.Own // bytes
	ConnsBefore, StreamsBefore counter.Own // what had been counted when the counters were cleared
}

// SplicedBytes is what the kernel passed on by itself: what came from the peer, and what went to it.
type SplicedBytes struct{ In, Out counter.Own }

// BackCounters is what backends and servers count: one shard per loop. What every request counts stands first, on
// neighbouring cache lines.
type BackCounters struct {
	ReqIn, ReqOut, ResIn, ResOut counter.Own
	Sess                         counter.Own
	Req                          counter.Own // HTTP requests
	Rsp                          [StatusClasses]counter.Own
	LBTotal                      counter.Own // times chosen by load balancing
	Connects, Reuses             counter.Own
	Active                       counter.LevelShard // sessions now
	Rate                         counter.MeterShard // of sessions
	Times                        counter.Times
	Used                         counter.LevelShard // of servers alone: connections in use
	Idle, IdleSafe               counter.Own        // of servers alone: connections that are idle now, and those of them that are safe
	DeniedReq, DeniedRes         counter.Own
	FailedConn, FailedRes        counter.Own
	Retries, Redispatches        counter.Own
	FailedRewrite                counter.Own
	InternalErr                  counter.Own
	CliAborts, SrvAborts         counter.Own
	Spliced                      SplicedBytes
	Coded                        CodedBytes    // of backends alone
	Cache                        CacheCounters // of backends alone
	H1                           H1Counters    // of backends alone
	H2                           H2Counters
	IdleOwned                    counter.Own // of servers alone: connections that clients keep idle for themselves
	_                            [64]byte
}

// TLSCounters is what the handshakes of a frontend, a backend or a server count.
type TLSCounters struct{ Sess, Reused, Failed counter.Counter }

// MakeCounters makes what a number of loops count for the process.
func (s *GlobalStats) MakeCounters(loops int) {
	s.Loops = make([]LoopCounters, loops)
	s.ConnRate.Init(loops, func(i int) *counter.MeterShard { return &s.Loops[i].ConnRate })
	s.SessRate.Init(loops, func(i int) *counter.MeterShard { return &s.Loops[i].SessRate })
}

// MakeCounters makes what a number of loops count for a proxy.
func (s *ProxyStats) MakeCounters(loops int) {
	s.Front, s.Back = make([]FrontCounters, loops), make([]BackCounters, loops)
	s.ConnRate.Init(loops, func(i int) *counter.MeterShard { return &s.Front[i].ConnRate })
	s.SessRate.Init(loops, func(i int) *counter.MeterShard { return &s.Front[i].SessRate })
	s.ReqRate.Init(loops, func(i int) *counter.MeterShard { return &s.Front[i].ReqRate })
	s.BackConns.Init(loops, func(i int) *counter.LevelShard { return &s.Back[i].Active })
	s.BackRate.Init(loops, func(i int) *counter.MeterShard { return &s.Back[i].Rate })
}

// MakeCounters makes what a number of loops count for a server.
func (s *Server) MakeCounters(loops int) {
	s.Stats = make([]BackCounters, loops)
	s.Current.Init(loops, func(i int) *counter.LevelShard { return &s.Stats[i].Active })
	s.Rate.Init(loops, func(i int) *counter.MeterShard { return &s.Stats[i].Rate })
	s.Used.Init(loops, func(i int) *counter.LevelShard { return &s.Stats[i].Used })
}
