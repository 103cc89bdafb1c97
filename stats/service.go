package stats

import (
	"fmt"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	http1 "hapax/runtime/h1"
	"hapax/runtime/lua"
)

// Domain holds what rules may ask of the statistics.
var Domain = config.Domain{
	Name: "stats",
	Actions: []config.Action{{
		Doc: keyword.Doc{Name: "use-service", Ref: "4.4", Summary: "answer by a service of the program",
			Args:     []keyword.Arg{{Name: "service", Type: keyword.Enum, Enum: []string{Exporter}}},
			Note:     "beside those that scripts register, `lua.<name>`",
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500\n  http-request use-service " + Exporter + " if { path /metrics }\n"}}},
		In: runtime.HTTPReqRules | runtime.TCPReqRules, Final: true, Parse: parseUseService,
	}},
}

// Exporter is the name of the service that Prometheus asks.
const Exporter = "prometheus-exporter"

// parseUseService reads `use-service <name>`.
func parseUseService(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	http := a.Kind == runtime.HTTPReqRules
	name := a.Take()
	switch {
	case name == Exporter && http:
		cfg := l.Config
		return func(s *runtime.Stream) runtime.Verdict {
			s.Service = runtime.ServiceMetrics
			s.Reply = exported(cfg, string(s.Req.URI()))
			return runtime.Done
		}, nil
	case name == Exporter:
		l.Alert(l.Pos(), "Prometheus Exporter service only available on 'http-request' rulesets")
		return never, nil
	}
	if exec, err := lua.Service(l, a, name); exec != nil || err != nil {
		return exec, err
	}
	head := name // the messages of the reference name a word of the whole line
	switch {
	case !http && name == "":
		head = a.Line.Arg(0)
	case !http:
		head = a.Line.Arg(1)
	case name == "":
		head = a.Name
	}
	if name == "" {
		return nil, fmt.Errorf("'%s' expects a service name.", head)
	}
	return nil, fmt.Errorf("'%s' unknown service name.", head)
}

// never is the rule of a service in a configuration that is refused.
func never(*runtime.Stream) runtime.Verdict { return runtime.Continue }

// badQuery is the answer to a query that is none.
var badQuery = &runtime.Reply{Status: 400, Raw: []byte(http1.ReplyFor(400).Raw), Kind: runtime.ReplyLocal, Closes: true}

// exported is the answer to a request for metrics.
func exported(cfg *runtime.Config, uri string) *runtime.Reply {
	query := ""
	for i := range len(uri) {
		if uri[i] == '?' {
			query = uri[i+1:]
			break
		}
	}
	parts, ok := Metrics(cfg, query)
	if !ok {
		return badQuery
	}
	return &runtime.Reply{Status: 200, Kind: runtime.ReplyLocal, Parts: parts, Chunked: true,
		Fixed: [][2]string{{"cache-control", "no-cache"}, {"content-type", "text/plain; version=0.0.4"}, {"transfer-encoding", "chunked"}}}
}
