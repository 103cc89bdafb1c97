package engine

import (
	"slices"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/logger"
	"hapax/runtime/spoe"
	"hapax/runtime/sticktable"
)

// plan is the steps of the streams of one proxy, made when the engine starts or the
// backend is added: a step that the configuration gives nothing to do is not in it.
// It is runtime.Proxy.Plan.
type plan struct {
	front []step // of a frontend, up to the choice of the backend
	http  []step // of a frontend in TCP mode, for streams that speak HTTP: the same as front in HTTP mode
	after []step // what of these follows when content rules or the backend made the stream one
	back  []step // of a backend that another frontend chose
	own   []step // of a backend that is the frontend itself ("listen")
	res   []step // of the responses of its servers

	agents []*spoe.Agent // that are told of streams

	keepsLine bool // streams of a frontend remember the request line

	inspects bool // content rules of a frontend see a request before it counts as one
	asksHTTP bool // in TCP mode: a rule looks for an HTTP request in what the client sends
}

func planOf(px *runtime.Proxy) *plan { return px.Plan.(*plan) }

// makePlan lists the steps of a proxy in the reference's order.
func makePlan(px *runtime.Proxy, cfg *runtime.Config) *plan {
	p := &plan{agents: spoe.Of(px)}
	tables := len(cfg.Tables) > 0
	filtered := slices.ContainsFunc(cfg.Proxies, func(px *runtime.Proxy) bool { return px.Attach != nil })
	p.keepsLine = logger.KeepsLine(px)
	http := px.Mode == runtime.ModeHTTP
	choose := step{"use_backend", (*stream).chooseBackend}
	p.inspects = len(px.TCPReq) > 0 || px.InspectReq > 0
	var count []step
	if len(p.agents) > 0 {
		p.front = append(p.front, step{"spoe", (*stream).attachAgents})
		p.back = append(p.back, step{"spoe", (*stream).attachBackAgents})
	}
	p.front = appendEvents(p.front, cfg, spoe.OnClientSession, spoe.OnFrontTCPRequest)
	p.back = appendEvents(p.back, cfg, spoe.OnBackTCPRequest)
	if px.Attach != nil {
		p.front = append(p.front, step{"filters", (*stream).attachFront})
		p.back = append(p.back, step{"filters", (*stream).attachBack})
	}
	if p.inspects {
		p.front = append(p.front, step{"tcp-request content", (*stream).inspectFront})
		count = append(count, step{"request headers", (*stream).arrived})
	}
	p.after = append(frontHTTP(px, cfg), choose)
	if tables {
		p.after = append([]step{{"count request", (*stream).countTracked}}, p.after...)
	}
	p.http = slices.Concat(p.front, count, p.after)
	if http {
		p.front = p.http
	} else {
		p.front = append(p.front, choose)
		p.asksHTTP = asksHTTP(px)
	}

	if len(px.TCPReq) > 0 || px.InspectReq > 0 {
		p.back = append(p.back, step{"tcp-request content", (*stream).inspectBack})
	}
	if http {
		if buffers(px) {
			p.back = append(p.back, step{"http-buffer-request", (*stream).bufferBody})
		}
		if tables && len(px.TCPReq) > 0 {
			p.back = append(p.back, step{"count request", (*stream).countBackTracked})
		}
		p.back = appendEvents(p.back, cfg, spoe.OnBackHTTPRequest)
		if len(px.HTTPReq) > 0 {
			p.back = append(p.back, step{"http-request", (*stream).backRules})
		}
		if restricts(px) {
			p.back = append(p.back, step{"http-request", (*stream).backNames})
		}
		p.back = append(p.back, intercept(px, false)...)
	}
	var tail []step
	if len(px.ServerRules) > 0 {
		tail = append(tail, step{"use-server", (*stream).useServer})
	}
	if http {
		tail = append(tail, step{"finish request", (*stream).finishRequest})
	}
	if px.RDPCookie != "" {
		tail = append(tail, step{"rdp-cookie", (*stream).rdpCookie})
	}
	if len(px.StickReq) > 0 {
		tail = append(tail, step{"stick", (*stream).matchStick})
	}
	if http {
		if balance.NeedsBody(px) {
			tail = append(tail, step{"balance body", (*stream).balanceBody})
		}
	}
	if px.FastCGI != nil {
		tail = append(tail, step{"fastcgi", (*stream).applyApp})
	}
	if !http {
		tail = append(tail, step{"client stays", (*stream).clientStays})
	}
	if http && filtered {
		tail = append(tail, step{"filters", (*stream).filterRequest})
	}
	tail = append(tail, step{"balance", (*stream).pick}, step{"queue", (*stream).enqueue}, step{"connect", (*stream).connect})
	if !http && len(cfg.Agents) > 0 {
		tail = append(tail, step{"spoe", (*stream).restartAgents})
	}
	tail = appendEvents(tail, cfg, spoe.OnServerSession, spoe.OnTCPResponse)
	if filtered && !http {
		tail = append(tail, step{"filters", (*stream).beginResponse})
	}
	if http {
		if len(px.TCPRes) > 0 && px.InspectRes == 0 {
			tail = append(tail, step{"tcp-response content", (*stream).judgeUnseen})
		}
		tail = append(tail, step{"forward", (*stream).forwardRequest})
	} else {
		tail = append(tail, step{"forward", (*stream).forwardTCP})
	}
	if filtered {
		p.res = []step{{"filters", (*stream).beginResponse}}
	}
	p.res = append(p.res,
		step{"tcp-response content", (*stream).inspectResponse},
		step{"stick", (*stream).learnStick},
		step{"compression", (*stream).chooseCoding})
	p.res = appendEvents(p.res, cfg, spoe.OnHTTPResponse)
	p.res = append(p.res,
		step{"http-response", (*stream).backResponseRules},
		step{"http-response frontend", (*stream).frontResponseRules},
		step{"cookie", (*stream).responseCookie},
		step{"http-after-response", (*stream).afterRules})
	if filtered {
		p.res = append(p.res, step{"log", (*stream).logFiltered}, step{"filters", (*stream).filterResponse})
	}
	if px.FastCGI != nil {
		p.res = append(p.res, step{"fastcgi", (*stream).finishCGI})
	}
	p.res = append(p.res, step{"forward", (*stream).forwardResponse})
	p.back = append(p.back, tail...)
	p.own = tail
	return p
}

// buffers tells whether requests wait for their bodies: an application is told how long they are.
func buffers(px *runtime.Proxy) bool {
	return px.Options&runtime.OptBufferRequest != 0 || px.FastCGI != nil
}

// frontHTTP lists the steps of a frontend that need an HTTP request.
func frontHTTP(px *runtime.Proxy, cfg *runtime.Config) (steps []step) {
	if px.MonitorURI != "" {
		steps = append(steps, step{"monitor-uri", (*stream).monitor})
	}
	if buffers(px) {
		steps = append(steps, step{"http-buffer-request", (*stream).bufferBody})
	}
	steps = appendEvents(steps, cfg, spoe.OnFrontHTTPRequest)
	if len(px.HTTPReq) > 0 {
		steps = append(steps, step{"http-request", (*stream).frontRules})
	}
	if restricts(px) {
		steps = append(steps, step{"http-request", (*stream).frontNames})
	}
	return append(steps, intercept(px, true)...)
}

// appendEvents adds the steps of those events that an agent wants to be told of. Streams have agents of two proxies.
func appendEvents(steps []step, cfg *runtime.Config, which ...spoe.Event) []step {
	for _, e := range which {
		if slices.ContainsFunc(cfg.Proxies, func(px *runtime.Proxy) bool {
			return slices.ContainsFunc(spoe.Of(px), func(a *spoe.Agent) bool { return len(a.Events[e]) > 0 })
		}) {
			steps = append(steps, offload(e))
		}
	}
	return steps
}

// asksHTTP tells whether content rules or use_backend lines of a proxy in TCP
// mode look for an HTTP request.
func asksHTTP(px *runtime.Proxy) bool {
	for _, r := range px.TCPReq {
		if r.Cond != nil && r.Cond.Reads().HTTP() || r.From.HTTP() {
			return true
		}
	}
	for _, r := range px.Switching {
		if r.Cond != nil && r.Cond.Reads().HTTP() || r.Dynamic != nil {
			return true
		}
	}
	return false
}

// intercept lists the steps behind the http-request rules that may answer.
func intercept(px *runtime.Proxy, front bool) []step {
	var steps []step
	if px.Stats != nil {
		run := (*stream).backStats
		if front {
			run = (*stream).frontStats
		}
		steps = append(steps, step{"stats", run})
	}
	if len(px.Redirects) > 0 {
		run := (*stream).backRedirects
		if front {
			run = (*stream).frontRedirects
		}
		steps = append(steps, step{"redirect", run})
	}
	return steps
}

// countTracked counts the request in what is tracked when its head is there, countBackTracked in what content rules of
// the backend track.
func (s *stream) countTracked() outcome {
	sticktable.CountRequest(&s.Stream)
	return next
}

func (s *stream) countBackTracked() outcome {
	sticktable.CountBackRequest(&s.Stream)
	return next
}

// matchStick looks for the server that stick tables remember.
func (s *stream) matchStick() outcome {
	s.point(sample.SetServer, sample.Request)
	s.Ctx.Final = true
	sticktable.Match(&s.Stream)
	return next
}

// learnStick makes stick tables remember the server that has answered.
func (s *stream) learnStick() outcome {
	if len(s.Stored)+len(s.Back.StickRes) > 0 {
		s.point(sample.StickStore, sample.Response)
		s.Ctx.Final = true
		sticktable.Learn(&s.Stream)
	}
	return next
}

// pickAgain puts the request lane back to the choice of a server.
func (s *stream) pickAgain() {
	for i := range s.req.steps {
		if s.req.steps[i].name == "balance" {
			s.req.at, s.req.rule = i, 0
			return
		}
	}
}
